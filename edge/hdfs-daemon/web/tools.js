// Pages for looking into a daemon, the same on NameNode and DataNode: configuration, log levels and metrics.

import { json, text, user } from "./api.js";
import { fill, h, update } from "./dom.js";
import { every, problem, say, sayError } from "./frame.js";
import { dataTable } from "./table.js";

/** Every key that the daemon runs with. */
export function configurationPage(main) {
  const table = dataTable({ label: "Configuration", noun: "key", key: (of) => of.key, columns: [
    { name: "Key", value: (of) => of.key, cell: (of) => h("code", {}, of.key), wide: true },
    { name: "Value", value: (of) => of.value ?? "", cell: (of) => h("code", { class: "value" }, of.value || "(empty)"), wide: true },
    { name: "From", value: (of) => of.resource ?? "", narrow: true },
  ] });
  const changed = h("input", { type: "checkbox", on: { change: () => draw() } });
  let keys = [];
  const isDefault = (of) => /default(\.xml)?$/.test(of.resource ?? "");
  const draw = () => table.show(changed.checked ? keys.filter((of) => !isDefault(of)) : keys);
  const show = async () => {
    try {
      keys = (await json("/conf")).properties;
      fill(main, h("h1", {}, "Configuration"),
        h("p", { class: "lead" }, "What this daemon runs with. Values that look like secrets are hidden."),
        h("section", { class: "panel" }, h("label", { class: "check" }, changed, h("span", {}, "Only what was configured here: no defaults")), table.root));
      draw();
    } catch (error) {
      fill(main, problem(error, show));
    }
  };
  show();
  return () => {};
}

const LEVELS = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "OFF"];

/** Looks up and sets the level of a logger; the daemon answers in HTML, of which only the text is used. */
export function logLevelPage(main) {
  const name = h("input", { id: "logger", type: "text", required: true, spellcheck: "false", list: "loggers", placeholder: "BlockStateChange" });
  const level = h("select", { id: "level" }, h("option", { value: "" }, "only show it"), LEVELS.map((of) => h("option", { value: of }, of)));
  const answer = h("pre", { class: "answer", role: "status", hidden: true });
  const send = async (event) => {
    event.preventDefault();
    const query = new URLSearchParams({ log: name.value.trim(), ...(level.value && { level: level.value }), ...(user() && { "user.name": user() }) });
    try {
      const html = await text(`/logLevel?${query}`);
      fill(answer, lines(html).join("\n"));
      answer.hidden = false;
      if (level.value) say(`${name.value.trim()} is set to ${level.value} until the daemon ends`);
    } catch (error) {
      sayError(error, "The level is not changed");
    }
  };
  fill(main, h("h1", {}, "Log levels"),
    h("p", { class: "lead" }, "Changes hold until the daemon ends. The same from a shell: hdfs daemonlog -setlevel HOST:PORT NAME LEVEL"),
    h("section", { class: "panel" }, h("form", { class: "row-form", on: { submit: send } },
      h("div", { class: "field" }, h("label", { for: "logger" }, "Logger"), name),
      h("div", { class: "field" }, h("label", { for: "level" }, "Level"), level),
      h("button", { class: "primary", type: "submit" }, "Send")), answer));
  name.focus();
  return () => {};
}

/** The lines of an answer that name a logger, without its forms and titles. */
function lines(html) {
  const page = new DOMParser().parseFromString(html.replace(/<br\s*\/?>/gi, "\n"), "text/html");
  page.querySelectorAll("form, title, head, h1, h2, script, style").forEach((of) => of.remove());
  return (page.body?.textContent ?? "").split("\n").map((of) => of.trim()).filter((of) => /:/.test(of));
}

/** Every attribute of every bean. */
export function metricsPage(main) {
  const table = dataTable({ label: "Metrics", noun: "attribute", key: (of) => `${of.bean} ${of.name}`, columns: [
    { name: "Bean", value: (of) => of.bean, cell: (of) => h("small", {}, of.bean.replace(/^Hadoop:service=\w+,name=/, "")), wide: true },
    { name: "Attribute", value: (of) => of.name, cell: (of) => h("code", {}, of.name), wide: true },
    { name: "Value", value: (of) => of.value, cell: (of) => h("code", { class: "value" }, shown(of.value)), wide: true },
  ] });
  const show = async () => {
    try {
      const { beans } = await json("/jmx");
      const attributes = beans.flatMap(({ name, modelerType, ...rest }) => Object.entries(rest).map(([key, value]) => ({ bean: name, name: key, value: typeof value === "object" ? JSON.stringify(value) : value })));
      update(main, h("h1", { key: "title" }, "Metrics"),
        h("p", { class: "lead", key: "lead" }, "Every attribute of ", h("a", { href: "/jmx" }, "/jmx"), ", as Hadoop names it. Prometheus reads ", h("a", { href: "/prom" }, "/prom"), "."),
        h("section", { class: "panel", key: "list" }, table.root));
      table.show(attributes);
    } catch (error) {
      update(main, problem(error, show));
    }
  };
  return every(10_000, show);
}

function shown(value) {
  const text = String(value);
  return text.length > 600 ? `${text.slice(0, 600)}…` : text;
}
