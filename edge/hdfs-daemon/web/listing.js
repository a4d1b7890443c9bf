// A list of any length: only the rows in view are in the page. It is one stop of the Tab key; arrows move inside.

import { fill, h, icon, update } from "./dom.js";
import { bytes, count, date, number, permission } from "./format.js";

const ROW = 36;
const NARROW_ROW = 56;
/** Rows drawn above and below the view. */
const MARGIN = 12;
const narrow = matchMedia("(max-width: 760px)");

const COLUMNS = [
  ["name", "Name"],
  ["length", "Size"],
  ["modificationTime", "Modified"],
  ["permission", "Permission"],
  ["owner", "Owner"],
  ["replication", "Replicas"],
];

/**
 * `on`: `open(entry)`, `sort(column)`, `nearEnd()`, `changed()` (selection), and `href(entry)` for links.
 */
export class Listing {
  constructor(on) {
    this.on = on;
    this.rows = [];
    this.active = 0;
    this.selected = new Set();
    this.head = h("div", { class: "list-head", role: "row" });
    this.canvas = h("div", { class: "list-canvas", role: "rowgroup" });
    this.view = h("div", { class: "list-view" }, this.canvas);
    this.root = h("div", { class: "list", role: "grid", tabindex: "0", "aria-multiselectable": "true", "aria-label": "Files", on: { keydown: (event) => this.key(event) } }, this.head, this.view);
    this.view.addEventListener("scroll", () => this.later());
    new ResizeObserver(() => this.later()).observe(this.view);
    narrow.addEventListener("change", () => this.draw());
  }

  /** Shows rows; the active one stays when it is still there. */
  show(rows, { sortBy, descending, total }) {
    const active = this.rows[this.active]?.pathSuffix;
    const found = active === undefined ? 0 : rows === this.rows ? this.active : rows.findIndex((of) => of.pathSuffix === active);
    this.rows = rows;
    this.active = Math.max(0, Math.min(found, rows.length - 1));
    this.root.setAttribute("aria-rowcount", String(total + 1));
    update(this.head, this.headings(sortBy, descending));
    this.draw();
  }

  /** Makes a name the active row and brings it into view. */
  activate(name) {
    const at = this.rows.findIndex((of) => of.pathSuffix === name);
    if (at >= 0) this.move(at);
  }

  clearSelection() {
    this.selected.clear();
    this.on.changed();
    this.draw();
  }

  /** The selected entries, or the active one. */
  chosen() {
    const chosen = this.rows.filter((of) => this.selected.has(of.pathSuffix));
    return chosen.length ? chosen : this.rows.slice(this.active, this.active + 1);
  }

  headings(sortBy, descending) {
    const all = h("input", { type: "checkbox", "aria-label": "Select all that are loaded", tabindex: "-1", checked: this.rows.length > 0 && this.selected.size === this.rows.length, on: { change: () => this.selectAll() } });
    const heading = ([key, label]) => {
      const arrow = sortBy === key ? (descending ? "↓" : "↑") : "";
      return h("div", { role: "columnheader", class: `c-${key}`, "aria-sort": arrow ? (descending ? "descending" : "ascending") : undefined }, h("button", { class: "sort", on: { click: () => this.on.sort(key) } }, label, h("span", { class: "arrow", "aria-hidden": "true" }, arrow)));
    };
    return [h("div", { role: "columnheader", class: "c-check" }, all), COLUMNS.map(heading)];
  }

  selectAll() {
    const every = this.selected.size === this.rows.length;
    this.selected = new Set(every ? [] : this.rows.map((of) => of.pathSuffix));
    this.on.changed();
    this.draw();
  }

  toggle(entry) {
    if (!this.selected.delete(entry.pathSuffix)) this.selected.add(entry.pathSuffix);
    this.on.changed();
    this.draw();
  }

  /** Draws at the next frame. */
  later() {
    this.frame ??= requestAnimationFrame(() => this.draw());
  }

  draw() {
    cancelAnimationFrame(this.frame);
    this.frame = undefined;
    const row = narrow.matches ? NARROW_ROW : ROW;
    this.canvas.style.height = `${this.rows.length * row}px`;
    const first = Math.max(0, Math.floor(this.view.scrollTop / row) - MARGIN);
    const last = Math.min(this.rows.length, Math.ceil((this.view.scrollTop + this.view.clientHeight) / row) + MARGIN);
    update(this.canvas, this.rows.slice(first, last).map((entry, index) => this.row(entry, first + index, row)));
    const active = this.rows.length ? `row-${this.active}` : undefined;
    if (active) this.root.setAttribute("aria-activedescendant", active);
    else this.root.removeAttribute("aria-activedescendant");
    if (last > this.rows.length - 200) this.on.nearEnd();
  }

  row(entry, index, height) {
    const folder = entry.type === "DIRECTORY";
    const selected = this.selected.has(entry.pathSuffix);
    const mode = permission(entry.permission, entry.type, entry.aclBit);
    const size = folder ? "–" : bytes(entry.length);
    const cell = (name, content, title) => h("div", { role: "gridcell", class: `c-${name}`, title }, content);
    const open = (event) => {
      this.active = index;
      if (folder && (event.ctrlKey || event.metaKey || event.button !== 0)) return;
      event.preventDefault();
      this.on.open(entry);
    };
    return h("div", { role: "row", id: `row-${index}`, key: entry.pathSuffix, class: `list-row ${index === this.active ? "active" : ""} ${selected ? "selected" : ""}`, "aria-rowindex": String(index + 2), "aria-selected": String(selected), style: { transform: `translateY(${index * height}px)` } },
      cell("check", h("input", { type: "checkbox", tabindex: "-1", checked: selected, "aria-label": `Select ${entry.pathSuffix}`, on: { change: () => { this.active = index; this.toggle(entry); } } })),
      cell("name", h("a", { href: this.on.href(entry), tabindex: "-1", title: entry.pathSuffix, on: { click: open } }, icon(folder ? "folder" : entry.type === "SYMLINK" ? "link" : "file"), h("span", {}, entry.pathSuffix)), undefined),
      cell("length", size, folder ? undefined : count(entry.length, "byte")),
      cell("modificationTime", date(entry.modificationTime)),
      cell("permission", h("code", {}, mode)),
      cell("owner", `${entry.owner}:${entry.group}`, `${entry.owner}:${entry.group}`),
      cell("replication", folder ? "–" : number(entry.replication)));
  }

  /** Keys of the grid. Returns without doing anything for those of the page. */
  key(event) {
    if (event.target !== this.root || event.ctrlKey && event.key !== "a" || event.metaKey || event.altKey) return;
    const page = Math.max(1, Math.floor(this.view.clientHeight / (narrow.matches ? NARROW_ROW : ROW)) - 1);
    const entry = this.rows[this.active];
    const actions = {
      ArrowDown: () => this.move(this.active + 1),
      ArrowUp: () => this.move(this.active - 1),
      PageDown: () => this.move(this.active + page),
      PageUp: () => this.move(this.active - page),
      Home: () => this.move(0),
      End: () => this.on.end(),
      Enter: () => entry && this.on.open(entry),
      " ": () => entry && (this.toggle(entry), this.move(this.active + 1)),
    };
    if (event.ctrlKey) actions.a = () => this.selectAll();
    if (!actions[event.key]) return;
    event.preventDefault();
    actions[event.key]();
  }

  move(to) {
    this.active = Math.max(0, Math.min(to, this.rows.length - 1));
    const row = narrow.matches ? NARROW_ROW : ROW;
    const [top, bottom] = [this.active * row, (this.active + 1) * row];
    if (top < this.view.scrollTop) this.view.scrollTop = top;
    if (bottom > this.view.scrollTop + this.view.clientHeight) this.view.scrollTop = bottom - this.view.clientHeight;
    this.draw();
  }

  /** Empties the list, for another folder. */
  reset() {
    this.rows = [];
    this.active = 0;
    this.selected.clear();
    fill(this.canvas);
    this.view.scrollTop = 0;
  }
}
