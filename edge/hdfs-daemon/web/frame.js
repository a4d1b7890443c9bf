// What every page has: header, navigation, colours, the user's name, messages, dialogs, and the keyboard.

import { Failure, isCancelled, setUser, user } from "./api.js";
import { fill, h, icon, update } from "./dom.js";

const byId = (id) => document.getElementById(id);

/** The header: who serves this page (`title`), its state as pills, and the buttons. */
export function header(title, pills, { withUser = true } = {}) {
  const brand = h("a", { class: "brand", href: "/" }, h("img", { src: "/static/tusk.svg", alt: "", width: "24", height: "24" }), "Tusk");
  const menu = h("button", { class: "tool menu-button", "aria-label": "Pages", "aria-expanded": String(document.body.classList.contains("menu-open")), on: { click: toggleMenu } }, icon("menu"));
  const who = user() || "default user";
  update(
    byId("top"),
    menu,
    brand,
    h("span", { class: "where" }, title),
    h("span", { class: "pills" }, pills.map(([text, kind]) => pill(text, kind))),
    h("span", { class: "spring" }),
    withUser && h("button", { class: "tool", title: "User (u)", "aria-label": `User: ${who}. Change`, on: { click: chooseUser } }, icon("user"), h("span", { class: "tool-text" }, who)),
    h("button", { class: "tool", title: "Light or dark (t)", "aria-label": "Switch light and dark", on: { click: switchTheme } }, icon(isDark() ? "sun" : "moon")),
    h("button", { class: "tool", title: "Keyboard help (?)", "aria-label": "Keyboard help", on: { click: showHelp } }, icon("help")),
  );
}

/** The navigation: groups of `[label, href, isCurrent, keys]`. */
export function navigation(groups) {
  const link = ([label, href, current, keys]) =>
    h("a", { href, "aria-current": current ? "page" : undefined, on: { click: closeMenu } }, label, keys && h("kbd", { "aria-hidden": "true" }, keys));
  update(byId("side"), groups.map(([name, links]) => h("div", { class: "group" }, name && h("h2", {}, name), links.map(link))));
}

function toggleMenu() {
  const open = document.body.classList.toggle("menu-open");
  byId("top").querySelector(".menu-button").setAttribute("aria-expanded", String(open));
  if (open) byId("side").querySelector("a")?.focus();
}

function closeMenu() {
  document.body.classList.remove("menu-open");
}

/** A short word of state; `kind` is ok, warn, bad or nothing. */
export function pill(text, kind) {
  return h("span", { class: `pill ${kind ?? ""}` }, text);
}

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function switchTheme() {
  const theme = isDark() ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem("tusk.theme", theme);
  } catch {
    // A browser without storage forgets it.
  }
  const button = byId("top").querySelector('[aria-label^="Switch"]');
  if (button) fill(button, icon(theme === "dark" ? "sun" : "moon"));
}

async function chooseUser() {
  const answer = await ask({
    title: "User",
    text: "Without security, the servers believe this name. It is sent with every operation on files and kept in this browser. Leave it empty for the servers' default user.",
    fields: [{ name: "user", label: "Name", value: user(), attributes: { autocomplete: "username", spellcheck: "false", pattern: "[A-Za-z_][A-Za-z0-9._\\-]*[$]?" } }],
    action: "Use this name",
  });
  if (!answer) return;
  setUser(answer.user);
  location.reload();
}

/** A message that goes by itself; an error stays until it is closed. */
export function say(text, { kind = "ok", hint = "" } = {}) {
  const close = () => toast.remove();
  const toast = h("div", { class: `toast ${kind}`, role: kind === "bad" ? "alert" : undefined },
    h("div", {}, h("strong", {}, text), hint && h("p", {}, hint)),
    h("button", { class: "tool", "aria-label": "Close the message", on: { click: close } }, icon("close")));
  byId("toasts").append(toast);
  if (kind !== "bad") setTimeout(close, 6_000);
}

/** Tells about an error; one that the reader caused by cancelling is none. */
export function sayError(error, what = "") {
  if (isCancelled(error)) return;
  if (!(error instanceof Failure)) console.error(error);
  say(`${what}${what && ": "}${error.message}`, { kind: "bad", hint: error.hint ?? "" });
}

/** An error in the place of content. */
export function problem(error, retry) {
  return h("section", { class: "problem", role: "alert" }, icon("warning"),
    h("div", {}, h("h2", {}, error.message), error.hint && h("p", {}, error.hint),
      error.exception && h("p", { class: "muted" }, error.exception),
      retry && h("button", { on: { click: retry } }, "Try again")));
}

/** Nothing to show, and why. */
export function empty(text, detail) {
  return h("div", { class: "empty" }, h("p", {}, text), detail && h("p", { class: "muted" }, detail));
}

/** Shows a modal dialog. `close` ends it. */
export function dialog(title, content, { wide = false } = {}) {
  const box = h("dialog", { class: wide ? "wide" : "", "aria-labelledby": "dialog-title" });
  const close = () => box.close();
  box.append(
    h("header", {}, h("h2", { id: "dialog-title" }, title), h("button", { class: "tool", "aria-label": "Close", on: { click: close } }, icon("close"))),
    h("div", { class: "dialog-body" }, content),
  );
  box.addEventListener("close", () => box.remove());
  box.addEventListener("click", (event) => event.target === box && close());
  document.body.append(box);
  box.showModal();
  return { box, close };
}

/** Asks in a dialog; resolves with the fields' values, or undefined when the reader cancels. */
export function ask({ title, text, content, fields = [], action, danger = false, run }) {
  return new Promise((resolve) => {
    let result;
    const inputs = fields.map(field);
    const error = h("div", { class: "form-error", role: "alert" });
    const submit = h("button", { class: danger ? "danger" : "primary", type: "submit" }, action);
    const form = h("form", { method: "dialog" },
      text && h("p", {}, text), content, inputs.map((of) => of.row), error,
      h("div", { class: "actions" }, h("button", { type: "button", on: { click: () => close() } }, "Cancel"), submit));
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const values = Object.fromEntries(inputs.map((of) => [of.name, of.read()]));
      fill(error);
      submit.disabled = true;
      try {
        await run?.(values);
        result = values;
        close();
      } catch (failure) {
        fill(error, h("strong", {}, failure.message), failure.hint && h("p", {}, failure.hint));
      } finally {
        submit.disabled = false;
      }
    });
    const { box, close } = dialog(title, form);
    box.addEventListener("close", () => resolve(result));
    const first = inputs[0]?.input ?? submit;
    first.focus();
    first.select?.();
  });
}

function field({ name, label, value = "", type = "text", note, choices, attributes = {} }) {
  const id = `field-${name}`;
  const input = choices
    ? h("select", { id }, choices.map(([key, text]) => h("option", { value: key, selected: key === value }, text)))
    : h("input", { id, type, ...(type === "checkbox" ? { checked: value } : { value }), ...attributes });
  const read = () => (type === "checkbox" ? input.checked : input.value);
  const row = type === "checkbox"
    ? h("label", { class: "check" }, input, h("span", {}, label, note && h("small", {}, note)))
    : h("div", { class: "field" }, h("label", { for: id }, label), input, note && h("small", {}, note));
  return { name, input, read, row };
}

const shortcuts = [];

/** A key of this page: `keys` is one key, or two in a row (`g o`). */
export function shortcut(keys, label, run) {
  shortcuts.push({ keys, label, run });
}

let pending = "";

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (document.querySelector("dialog[open]")) return;
  const typing = event.target.closest?.("input, select, textarea, [contenteditable]");
  if (event.key === "Escape") closeMenu();
  if (typing) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const keys = pending ? `${pending} ${event.key}` : event.key;
  const found = shortcuts.find((of) => of.keys === keys);
  pending = !found && shortcuts.some((of) => of.keys.startsWith(`${event.key} `)) ? event.key : "";
  if (!found) return;
  event.preventDefault();
  found.run(event);
}

function showHelp() {
  const key = (keys) => keys.split(" ").map((of) => h("kbd", {}, of));
  dialog("Keyboard", h("dl", { class: "keys" }, shortcuts.map(({ keys, label }) => [h("dt", {}, key(keys)), h("dd", {}, label)])));
}

/** Begins: the keys that all pages have. */
export function startFrame() {
  document.addEventListener("keydown", onKey);
  byId("skip").addEventListener("click", (event) => {
    event.preventDefault();
    byId("main").focus();
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest(".side, .menu-button")) closeMenu();
  });
  document.addEventListener("securitypolicyviolation", (event) => {
    say("The browser refused a connection that this page's policy does not allow", { kind: "bad", hint: `${event.blockedURI}: if a DataNode joined after this page was opened, reload the page.` });
  });
  shortcut("?", "Show this help", showHelp);
  shortcut("t", "Switch light and dark", switchTheme);
  shortcut("/", "Search or filter", () => document.querySelector('main input[type="search"]')?.focus());
}

/** Adds the key of the user's name, where names matter. */
export function userShortcut() {
  shortcut("u", "Choose the user", chooseUser);
}

/** Calls `load` now and every `interval` ms while the page is looked at; `stop` ends it. */
export function every(interval, load) {
  let timer;
  let stopped = false;
  const run = async () => {
    clearTimeout(timer);
    if (!document.hidden) await load();
    if (!stopped) timer = setTimeout(run, interval);
  };
  const onVisible = () => !document.hidden && run();
  document.addEventListener("visibilitychange", onVisible);
  run();
  return () => {
    stopped = true;
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", onVisible);
  };
}
