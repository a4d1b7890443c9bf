// Builds and updates the page. Text from the cluster only ever becomes text nodes and attribute values, never markup.

const SVG = "http://www.w3.org/2000/svg";

/** An HTML element. `properties` may hold attributes, `on` (event handlers), `style` and `key`. */
export function h(tag, properties, ...children) {
  return build(document.createElement(tag), properties, children);
}

/** An SVG element. */
export function svg(tag, properties, ...children) {
  return build(document.createElementNS(SVG, tag), properties, children);
}

function build(element, properties, children) {
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "on") listen(element, value);
    else if (name === "style") Object.entries(value).forEach(([key, of]) => element.style.setProperty(key, of));
    else if (name === "key") element.dataset.key = value;
    else if (name === "value" || name === "checked" || name === "disabled") element[name] = value;
    else if (name === "href") setLink(element, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  append(element, children);
  return element;
}

/** Links of a cluster's text lead to web pages only: no `javascript:`. */
function setLink(element, value) {
  const target = new URL(value, location.href);
  if (target.protocol === "http:" || target.protocol === "https:") element.setAttribute("href", value);
}

function append(element, children) {
  for (const child of children) {
    if (child === undefined || child === null || child === false) continue;
    if (Array.isArray(child)) append(element, child);
    else if (child instanceof Element && child.isConnected && child.dataset.keep !== undefined) element.append(standIn(child));
    else element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

/** Takes the place of an element that stays in the page, while the new content is compared with the old one. */
function standIn(kept) {
  const copy = kept.cloneNode(false);
  copy.tuskKept = kept;
  return copy;
}

/** The same content with kept elements instead of what stood in for them. */
function settled(node) {
  if (node.tuskKept) return node.tuskKept;
  for (const copy of node.querySelectorAll?.("[data-keep]") ?? []) if (copy.tuskKept) copy.replaceWith(copy.tuskKept);
  return node;
}

/** Handlers are looked up when an event comes, so that an update may replace them. */
function listen(element, handlers) {
  const known = element.tuskHandlers ?? {};
  element.tuskHandlers = { ...known, ...handlers };
  for (const name of Object.keys(handlers)) {
    if (!(name in known)) element.addEventListener(name, (event) => element.tuskHandlers[name]?.(event));
  }
}

/** Replaces what is inside. */
export function fill(element, ...children) {
  const fresh = document.createDocumentFragment();
  append(fresh, children);
  element.replaceChildren(...[...fresh.childNodes].map(settled));
  return element;
}

/**
 * Makes the inside of `element` look like `children` and keeps the elements that stay, with focus, scroll and selection.
 * An element with `data-keep` is left alone while its key stays the same.
 */
export function update(element, ...children) {
  const fresh = document.createDocumentFragment();
  append(fresh, children);
  updateChildren(element, fresh);
  return element;
}

function updateChildren(old, fresh) {
  const wanted = [...fresh.childNodes];
  const keyed = new Map([...old.children].filter((of) => of.dataset?.key).map((of) => [of.dataset.key, of]));
  wanted.forEach((node, index) => {
    const current = old.childNodes[index];
    const key = node.dataset?.key;
    const match = key ? keyed.get(key) : current;
    if (match && match.parentNode === old && isSame(match, node)) {
      if (match !== current) old.insertBefore(match, current ?? null);
      updateNode(match, node);
    } else if (current && !current.dataset?.key && !key) current.replaceWith(settled(node));
    else old.insertBefore(settled(node), current ?? null);
  });
  while (old.childNodes.length > wanted.length) old.lastChild.remove();
}

function isSame(old, fresh) {
  return old.nodeType === fresh.nodeType && old.nodeName === fresh.nodeName
    && (old.dataset?.key ?? "") === (fresh.dataset?.key ?? "");
}

function updateNode(old, fresh) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  if (old.dataset.keep !== undefined) return;
  for (const { name } of [...old.attributes]) if (name !== "style" && !fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) {
    if (name !== "style" && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  if (old.style.cssText !== fresh.style.cssText) old.style.cssText = fresh.style.cssText;
  if (fresh.tuskHandlers) listen(old, fresh.tuskHandlers);
  if ("disabled" in old) old.disabled = fresh.disabled;
  if (old.type === "checkbox") old.checked = fresh.checked;
  const isField = ["INPUT", "SELECT", "TEXTAREA"].includes(old.nodeName);
  if (isField && document.activeElement !== old) old.value = fresh.value;
  if (old.nodeName !== "SELECT") updateChildren(old, fresh);
}

/** An icon of the page's sprite: a path in a 24 × 24 box. */
export function icon(name) {
  return svg("svg", { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true" }, svg("path", { d: ICONS[name] }));
}

const ICONS = {
  folder: "M3 6.5A1.5 1.5 0 0 1 4.5 5h4l2 2.5h9A1.5 1.5 0 0 1 21 9v8.5a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 17.5z",
  file: "M6 3.5h8l4 4V20a.5.5 0 0 1-.5.5h-11A.5.5 0 0 1 6 20zM14 3.5V8h4",
  link: "M10 14l4-4M9 7l1-1a4 4 0 0 1 6 6l-1 1M15 17l-1 1a4 4 0 0 1-6-6l1-1",
  up: "M12 19V6M6 11l6-6 6 6",
  download: "M12 4v11M6.500 10.500L12 16l5.500-5.500M5 20h14",
  upload: "M12 16V5M6.500 9.500L12 4l5.500 5.500M5 20h14",
  plus: "M12 5v14M5 12h14",
  trash: "M5 7h14M10 7V4.500h4V7M7 7l1 13h8l1-13M10.500 11v5.500M13.500 11v5.500",
  refresh: "M19 12a7 7 0 1 1-2.200-5.100M19 4v4h-4",
  close: "M6 6l12 12M18 6L6 18",
  sun: "M12 8a4 4 0 1 1 0 8 4 4 0 0 1 0-8zM12 2.500v2M12 19.500v2M2.500 12h2M19.500 12h2M5.300 5.300l1.400 1.400M17.300 17.300l1.400 1.400M18.700 5.300l-1.400 1.400M6.700 17.300l-1.400 1.400",
  moon: "M20 14.500A8.500 8.500 0 0 1 9.500 4 8.500 8.500 0 1 0 20 14.500z",
  user: "M12 4a4 4 0 1 1 0 8 4 4 0 0 1 0-8zM4.500 20.500c.5-4 3.500-6 7.500-6s7 2 7.500 6",
  help: "M9 9a3 3 0 1 1 4.500 2.600c-1 .6-1.500 1.200-1.500 2.400M12 17.500v.5",
  info: "M12 11v6M12 7v.5M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18z",
  warning: "M12 4l9 16H3zM12 10v4.500M12 17v.5",
  check: "M5 12.500l4.500 4.500L19 7.500",
  edit: "M5 19l1-4L16 5l3 3L9 18zM14 7l3 3",
  menu: "M4 7h16M4 12h16M4 17h16",
  search: "M11 5a6 6 0 1 1 0 12 6 6 0 0 1 0-12zM15.500 15.500L20 20",
};
