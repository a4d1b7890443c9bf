// A table that sorts, filters and pages, and becomes a list of cards on a narrow screen.

import { fill, h, icon, update } from "./dom.js";
import { count, number } from "./format.js";
import { empty } from "./frame.js";

const PAGE = 100;

/**
 * `columns`: `{name, value, cell, number, wide, narrow}`; `value(row)` sorts and is searched, `cell(row)` is what is shown.
 * `key(row)` names a row. [`show`] gives it rows again and again; sorting, filter and focus stay.
 */
export function dataTable({ label, columns, key, noun, sortBy = 0, descending = false, filter = true, none = "There are none." }) {
  const state = { rows: [], sortBy, descending, filter: "", page: 0 };
  const search = h("input", { type: "search", placeholder: "Filter", "aria-label": `Filter ${label}`, on: { input: () => { state.filter = search.value.toLowerCase(); state.page = 0; draw(); } } });
  const status = h("span", { class: "muted", role: "status" });
  const body = h("div", { class: "table-body" });
  const root = h("div", { class: "data-table", key: `table-${label}`, "data-keep": true }, filter && h("div", { class: "table-tools" }, search, status), body);
  const draw = () => update(body, content(state, { label, columns, key, noun, none, status, draw }));
  const show = (rows) => {
    state.rows = rows;
    draw();
  };
  return { root, show };
}

function content(state, table) {
  const texts = (row) => table.columns.map((column) => String(column.value?.(row) ?? "")).join("\n").toLowerCase();
  const found = state.filter ? state.rows.filter((row) => texts(row).includes(state.filter)) : [...state.rows];
  fill(table.status, state.filter ? `${number(found.length)} of ${count(state.rows.length, table.noun)}` : count(state.rows.length, table.noun));
  if (!state.rows.length) return empty(table.none);
  if (!found.length) return empty(`Nothing matches “${state.filter}”.`);
  const by = table.columns[state.sortBy].value;
  found.sort((a, b) => compare(by(a), by(b)) * (state.descending ? -1 : 1));
  const pages = Math.ceil(found.length / PAGE);
  state.page = Math.min(state.page, pages - 1);
  const shown = found.slice(state.page * PAGE, (state.page + 1) * PAGE);
  return [
    h("table", { "aria-label": table.label },
      h("thead", {}, h("tr", {}, table.columns.map((column, index) => heading(column, index, state, table.draw)))),
      h("tbody", {}, shown.map((row) => h("tr", { key: table.key(row) }, table.columns.map((column) => cell(column, row)))))),
    pages > 1 && pager(state, pages, table.draw),
  ];
}

function compare(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a).localeCompare(String(b), "en", { numeric: true });
}

function heading(column, index, state, draw) {
  const sorted = state.sortBy === index;
  const sort = () => {
    state.descending = sorted ? !state.descending : Boolean(column.number);
    state.sortBy = index;
    draw();
  };
  const order = sorted ? (state.descending ? "descending" : "ascending") : undefined;
  const content = column.value ? h("button", { class: "sort", on: { click: sort } }, column.name, h("span", { class: "arrow", "aria-hidden": "true" }, sorted ? (state.descending ? "↓" : "↑") : "")) : column.name;
  return h("th", { scope: "col", class: column.number ? "number" : "", "aria-sort": order }, content);
}

function cell(column, row) {
  const content = (column.cell ?? column.value)(row);
  return h("td", { class: `${column.number ? "number" : ""} ${column.wide ? "wide-cell" : ""} ${column.narrow ? "narrow-cell" : ""}`, "data-label": column.name }, h("div", {}, content));
}

function pager(state, pages, draw) {
  const go = (step) => () => {
    state.page += step;
    draw();
  };
  return h("div", { class: "pager" },
    h("button", { disabled: state.page === 0, on: { click: go(-1) } }, "Previous"),
    h("span", {}, `Page ${number(state.page + 1)} of ${number(pages)}`),
    h("button", { disabled: state.page === pages - 1, on: { click: go(1) } }, "Next"));
}

/** Names and values, without header. */
export function facts(pairs) {
  return h("dl", { class: "facts" }, pairs.filter(Boolean).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

/** A bar with its share in words. */
export function meter(part, whole, text) {
  const share = whole > 0 ? Math.min(100, (part * 100) / whole) : 0;
  const kind = share >= 90 ? "bad" : share >= 75 ? "warn" : "";
  return h("span", { class: "meter" }, h("span", { class: "meter-track", "aria-hidden": "true" }, h("i", { class: kind, style: { width: `${share}%` } })), h("span", {}, text));
}

/** A mark before a word: a node's or a folder's state. */
export function stateMark(text, kind) {
  return h("span", { class: `state ${kind}` }, icon(kind === "ok" ? "check" : "warning"), text);
}
