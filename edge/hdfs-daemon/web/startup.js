// How far the NameNode's start is: its phases and their steps, as /startupProgress tells them.

import { json } from "./api.js";
import { h, update } from "./dom.js";
import { bytes, duration, number, percent } from "./format.js";
import { empty, every, pill, problem } from "./frame.js";

const STATUS = { COMPLETE: ["complete", "ok"], RUNNING: ["running", "warn"], PENDING: ["waiting", ""] };

/** Shows the page; it looks often while something runs. */
export function startupPage(main) {
  const show = async () => {
    try {
      const progress = await json("/startupProgress");
      update(main,
        h("h1", {}, "Start-up progress"),
        h("p", { class: "lead" }, `${percent(progress.percentComplete, 1)} after ${duration(progress.elapsedTime / 1000)}. Phases run one after the other; the NameNode answers reads before it leaves safe mode.`),
        bar(progress.percentComplete, "The whole start"),
        progress.phases.map(phase),
        progress.phases.length === 0 && empty("This NameNode tells no phases."));
    } catch (error) {
      update(main, problem(error, show));
    }
  };
  return every(1_000, show);
}

function bar(share, label) {
  return h("div", { class: "progress", role: "progressbar", "aria-label": label, "aria-valuemin": "0", "aria-valuemax": "100", "aria-valuenow": String(Math.round(share * 100)) }, h("i", { style: { width: `${share * 100}%` } }));
}

function phase(of) {
  const [word, kind] = STATUS[of.status] ?? [String(of.status).toLowerCase(), ""];
  const file = of.file && h("p", { class: "muted" }, h("code", {}, of.file), of.size > 0 && `, ${bytes(of.size)}`);
  return h("section", { class: "panel phase", key: of.name },
    h("header", {}, h("h2", {}, of.desc), pill(word, kind), h("span", { class: "spring" }), h("span", { class: "muted" }, `${duration(of.elapsedTime / 1000)}, ${percent(of.percentComplete, 1)}`)),
    bar(of.percentComplete, of.desc), file,
    of.steps.length > 0 && h("div", { class: "scroll" }, h("table", { class: "plain" },
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Step"), ["Done", "Time"].map((name) => h("th", { scope: "col", class: "number" }, name)))),
      h("tbody", {}, of.steps.map(step)))));
}

function step(of) {
  const name = [of.desc ?? of.name, of.file, of.size > 0 && bytes(of.size)].filter(Boolean).join(", ");
  const done = of.total > 0 ? `${number(of.count)} of ${number(of.total)}` : percent(of.percentComplete, 1);
  return h("tr", {}, h("th", { scope: "row" }, name), h("td", { class: "number" }, done), h("td", { class: "number" }, duration(of.elapsedTime / 1000)));
}
