// The DataNode's page.

import { bean, nested } from "./api.js";
import { shareBar, timeChart } from "./charts.js";
import { fill, h, update } from "./dom.js";
import { ago, bytes, count, date, decimal, since, number, percent } from "./format.js";
import { empty, every, header, navigation, problem, shortcut, startFrame } from "./frame.js";
import { Past, SPANS } from "./history.js";
import { facts, meter, stateMark } from "./table.js";
import { configurationPage, logLevelPage, metricsPage } from "./tools.js";

const DATANODE = "Hadoop:service=DataNode,name=";
const LINKS = [["Logs", "/logs/"], ["Stacks", "/stacks"], ["JMX", "/jmx"], ["Prometheus", "/prom"]];

async function load() {
  const [info, state, activity] = await Promise.all([bean(`${DATANODE}DataNodeInfo`), bean(`${DATANODE}FSDatasetState-*`), bean(`${DATANODE}DataNodeActivity-*`)]);
  return { info, state: state ?? (await bean(`${DATANODE}FSDatasetState`)) ?? {}, activity: activity ?? {} };
}

function overviewPage(main) {
  const charts = activityCharts();
  const show = async () => {
    try {
      const data = await load();
      const { info } = data;
      header(`${info.DatanodeHostname}:${info.DataPort}`, [["DataNode", "ok"]], { withUser: false });
      document.title = `${info.DatanodeHostname}:${info.DataPort} – DataNode`;
      update(main, h("h1", { class: "sr-only", key: "title" }, "DataNode"), h("div", { key: "alerts" }, failures(data)), h("div", { class: "cards", key: "cards" }, cards(data)), charts.root, h("div", { class: "columns", key: "details" }, summary(data), services(data)), volumes(data));
      await charts.refresh();
    } catch (error) {
      update(main, problem(error, show));
    }
  };
  return every(5_000, show);
}

function failures({ state }) {
  if (!(state.NumFailedVolumes > 0)) return [];
  const folders = nested(state.FailedStorageLocations, []);
  return h("div", { class: "alert bad", role: "alert" }, h("div", {}, h("strong", {}, `${count(state.NumFailedVolumes, "failed volume")}: ${folders.join(", ")}`), h("p", {}, `Last failure ${date(state.LastVolumeFailureDate)}, about ${bytes(state.EstimatedCapacityLostTotal)} lost. Replace the disk, then run hdfs dfsadmin -reconfig datanode HOST:PORT start, or restart this DataNode.`)));
}

function cards({ info, state, activity }) {
  const other = Math.max(0, state.Capacity - state.DfsUsed - state.Remaining);
  const parts = [["DFS used", state.DfsUsed, "c1"], ["Other use", other, "c2"], ["Free", state.Remaining, "c3"]];
  const rows = (list) => h("ul", { class: "pairs" }, list.map(([name, value]) => h("li", {}, h("span", {}, name), h("b", {}, value))));
  const card = (title, figure, content, kind = "") => h("section", { class: `card ${kind}` }, h("h2", {}, title), h("p", { class: "figure" }, figure), content);
  const volumes = Object.values(nested(info.VolumeInfo, {}));
  const known = volumes.every((of) => of.numBlocks !== undefined);
  return [
    card("Capacity", bytes(state.Capacity), [shareBar(parts, state.Capacity, parts.map(([name, value]) => `${name} ${bytes(value)}`).join(", ")), h("ul", { class: "parts" }, parts.map(([name, value, color]) => h("li", {}, h("i", { class: `dot ${color}` }), h("span", {}, name), h("b", {}, bytes(value)), h("span", { class: "muted" }, percent(value, state.Capacity)))))], "wide"),
    card("Blocks", known ? number(volumes.reduce((sum, of) => sum + of.numBlocks, 0)) : "–", rows([["Written", number(activity.BlocksWritten)], ["Read", number(activity.BlocksRead)], ["Removed", number(activity.BlocksRemoved)]])),
    card("Streams now", number(info.XceiverCount), rows([["Copies sent", number(info.XmitsInProgress)], ["Data written", bytes(activity.BytesWritten)], ["Data read", bytes(activity.BytesRead)]])),
    card("Volumes", number(volumes.length), rows([["Failed", number(state.NumFailedVolumes)], ["Bad checksums", number(activity.BlockVerificationFailures)], ["To delete", number(state.PendingAsyncDeletions)]])),
  ];
}

function summary({ info }) {
  return h("section", { class: "panel" }, h("h2", {}, "DataNode"), facts([
    ["Host", info.DatanodeHostname],
    ["Data, RPC and web port", [info.DataPort, info.RpcPort, info.HttpPort].filter(Boolean).join(", ")],
    ["Started", [date(info.DNStartedTimeInMillis), h("span", { class: "muted" }, ` ${ago(info.DNStartedTimeInMillis)}`)]],
    ["Version", info.Version],
    ["Cluster", h("code", {}, info.ClusterId)],
    ["Security", info.SecurityEnabled ? "on" : "off"],
  ]));
}

/** The NameNodes that it serves. */
function services({ info }) {
  const actors = nested(info.BPServiceActorInfo, []);
  const row = (of) => h("li", {}, stateMark(String(of.ActorState).toLowerCase(), of.ActorState === "RUNNING" ? "ok" : "warn"), h("b", {}, of.NamenodeAddress), of.NamenodeHaState && h("span", {}, of.NamenodeHaState), h("code", {}, of.BlockPoolID), h("span", { class: "muted" }, `heartbeat ${since(of.LastHeartbeat)}`, of.LastBlockReport !== undefined && `, block report ${since(of.LastBlockReport)}`));
  return h("section", { class: "panel" }, h("h2", {}, "NameNodes"), actors.length ? h("ul", { class: "places" }, actors.map(row)) : empty("It is configured with no NameNode."));
}

function volumes({ info }) {
  const list = Object.entries(nested(info.VolumeInfo, {}));
  const row = ([path, of]) => h("tr", { key: path }, h("th", { scope: "row", "data-label": "Folder" }, h("code", {}, path)), cell("Type", of.storageType ?? "–"), cell("Blocks", of.numBlocks === undefined ? "–" : number(of.numBlocks), true), cell("Used", meter(of.usedSpace, of.usedSpace + of.freeSpace, bytes(of.usedSpace)), true), cell("Free", bytes(of.freeSpace), true), cell("Reserved", bytes(of.reservedSpace), true));
  const cell = (label, content, isNumber) => h("td", { class: isNumber ? "number" : "", "data-label": label }, h("div", {}, content));
  const headings = [["Folder"], ["Type"], ["Blocks", true], ["Used", true], ["Free", true], ["Reserved", true]].map(([name, isNumber]) => h("th", { scope: "col", class: isNumber ? "number" : "" }, name));
  return h("section", { class: "panel", key: "volumes" }, h("h2", {}, "Volumes"), list.length ? h("div", { class: "data-table" }, h("table", {}, h("thead", {}, h("tr", {}, headings)), h("tbody", {}, list.map(row)))) : empty("No volume is in use."));
}

function activityCharts() {
  const data = timeChart({ title: "Data", format: (rate) => `${bytes(rate)}/s`, binary: true });
  const blocks = timeChart({ title: "Blocks per second", format: decimal });
  const streams = timeChart({ title: "Streams", format: number });
  const used = timeChart({ title: "Space used", format: bytes, binary: true });
  const past = new Past();
  let span = "15m";
  const choices = h("div", { class: "choice", role: "group", "aria-label": "Time span" });
  const note = h("p", { class: "muted" });
  const root = h("section", { class: "charts", key: "charts", "data-keep": true }, h("header", {}, h("h2", {}, "Over time"), choices), note, h("div", { class: "chart-grid" }, [data, blocks, streams, used].map((of) => of.root)));
  const draw = () => {
    update(choices, Object.entries(SPANS).map(([key, { label }]) => h("button", { "aria-pressed": String(key === span), on: { click: () => { span = key; refresh(); } } }, label)));
    root.classList.toggle("absent", past.absent);
    update(note, past.absent ? "This DataNode keeps no history of its numbers: plots need Tusk's." : "");
    const window = past.window(span);
    const line = (name, values, color) => ({ name, values, color });
    data.draw({ ...window.axis(), least: 1024, series: [line("Read", window.rate("BytesRead"), "c1"), line("Written", window.rate("BytesWritten"), "c4")] });
    blocks.draw({ ...window.axis(), least: 1, series: [line("Read", window.rate("BlocksRead"), "c1"), line("Written", window.rate("BlocksWritten"), "c4")] });
    streams.draw({ ...window.axis(), least: 4, series: [line("Now", window.gauge("XceiverCount"), "c5")] });
    used.draw({ ...window.axis(), least: 1024, series: [line("DFS used", window.gauge("DfsUsed"), "c1")] });
  };
  const refresh = async () => {
    if (!past.absent) await past.load(span);
    draw();
  };
  return { root, refresh };
}

const PAGES = [
  ["#tab-overview", "Overview", "o", overviewPage],
  ["#tab-configuration", "Configuration", "c", configurationPage],
  ["#tab-metrics", "Metrics", "m", metricsPage],
  ["#tab-log-level", "Log levels", "l", logLevelPage],
];
const main = document.getElementById("main");
let stop = () => {};

function route() {
  const current = PAGES.find(([hash]) => hash === location.hash) ?? PAGES[0];
  navigation([["", PAGES.map((of) => [of[1], `/datanode.html${of[0]}`, of === current, `g ${of[2]}`])], ["Raw", LINKS.map(([label, href]) => [label, href, false])]]);
  stop();
  fill(main);
  main.className = current[0].slice(1);
  stop = current[3](main);
}

startFrame();
for (const [fragment, label, letter] of PAGES) shortcut(`g ${letter}`, label, () => location.assign(`/datanode.html${fragment}`));
header(location.host, [["DataNode", "ok"]], { withUser: false });
route();
addEventListener("hashchange", route);
