// The first page: is the cluster well, how full is it, how busy is it, and what is this NameNode.

import { bean, encodePath, nested } from "./api.js";
import { shareBar, timeChart } from "./charts.js";
import { h, icon, update } from "./dom.js";
import { ago, bytes, count, date, decimal, number, percent } from "./format.js";
import { empty, every, pill, problem } from "./frame.js";
import { Past, SPANS, sumOfRates } from "./history.js";
import { datanodes, webAddress } from "./nodes.js";
import { facts, stateMark } from "./table.js";

const REFRESH_MS = 5_000;
/** With more DataNodes than this, their throughput is not fetched from each of them. */
const MAX_SUMMED = 32;
const NAMENODE = "Hadoop:service=NameNode,name=";

/** Everything that the page shows of the NameNode. */
async function load() {
  const names = ["NameNodeInfo", "FSNamesystem", "FSNamesystemState", "NameNodeStatus", "BlockStats"];
  const [info, system, state, status, blockStats] = await Promise.all(names.map((name) => bean(NAMENODE + name)));
  return { info, system, state, status, blockStats, nodes: datanodes(info) };
}

/** Shows the page in `main` until the returned function is called. */
export function overviewPage(main, { onStatus }) {
  const charts = capacityAndLoad();
  const show = async () => {
    try {
      const data = await load();
      onStatus(data);
      update(main, content(data, charts));
      await charts.refresh(data.nodes);
    } catch (error) {
      update(main, problem(error, show));
    }
  };
  return every(REFRESH_MS, show);
}

function content(data, charts) {
  return [
    h("h1", { class: "sr-only", key: "title" }, "Overview"),
    h("div", { key: "alerts" }, alerts(data)),
    h("div", { class: "cards", key: "cards" }, cards(data)),
    charts.root,
    h("div", { class: "columns", key: "details" }, summary(data), journals(data), storageTypes(data)),
    corruptFiles(data),
  ];
}

/** What needs a person, worst first. */
function alerts({ info, system, state, nodes }) {
  const list = [];
  const add = (kind, text, hint, href) => list.push(h("div", { class: `alert ${kind}`, role: kind === "bad" ? "alert" : "status" }, icon(kind === "ok" ? "check" : "warning"), h("div", {}, h("strong", {}, text), hint && h("p", {}, hint)), href && h("a", { href }, "Show")));
  const missing = info.NumberOfMissingBlocks;
  const dead = state.NumDeadDataNodes - (state.NumDecomDeadDataNodes ?? 0) - (state.NumInMaintenanceDeadDataNodes ?? 0);
  const { active = {}, failed = {} } = nested(info.NameDirStatuses, {});
  if (missing > 0) add("bad", `${count(missing, "block")} without any good replica`, "Files with them can't be read whole. Bring back the DataNodes that held them, or find the files with: hdfs fsck / -list-corruptfileblocks", "#corrupt");
  if (Object.keys(failed).length) add("bad", `${count(Object.keys(failed).length, "storage folder")} of the NameNode failed`, `Only ${count(Object.keys(active).length, "folder")} left: repair the disk, then run: hdfs dfsadmin -restoreFailedStorage true`);
  if (info.Safemode) add("warn", "Safe mode: nothing can be changed", info.Safemode.replace(/^Safe mode is ON\.?\s*/i, ""), "#tab-startup-progress");
  if (dead > 0) add("bad", `${count(dead, "DataNode")} dead`, `No heartbeat from ${nodes.filter((of) => of.dead).slice(0, 3).map((of) => of.name).join(", ")}${dead > 3 ? " and others" : ""}. Their blocks are copied elsewhere when enough other nodes are live.`, "#tab-datanode");
  if (state.NumLiveDataNodes === 0) add("warn", "No live DataNode", "Nothing can be written or read. Start DataNodes with: hdfs --daemon start datanode");
  if (state.VolumeFailuresTotal > 0) add("warn", `${count(state.VolumeFailuresTotal, "failed volume")}`, `About ${bytes(state.EstimatedCapacityLostTotal)} are lost with them.`, "#tab-datanode-volume-failures");
  if (system.CorruptBlocks > 0 && !missing) add("warn", `${count(system.CorruptBlocks, "block")} with a corrupt replica`, "A good replica exists; the corrupt one is replaced.");
  if (state.UnderReplicatedBlocks > missing) add("warn", `${count(state.UnderReplicatedBlocks, "block")} with too few replicas`, `${number(state.PendingReconstructionBlocks ?? 0)} copies are under way.`);
  if (info.RollingUpgradeStatus) add("warn", "A rolling upgrade is under way", "End it with: hdfs dfsadmin -rollingUpgrade finalize");
  if (info.DistinctVersionCount > 1) add("warn", "DataNodes run different versions", info.DistinctVersions.map((of) => `${of.key}: ${of.value}`).join(", "));
  if (!list.length) add("ok", "All is well", `${count(state.NumLiveDataNodes, "DataNode")} live, every block has its replicas.`);
  return list;
}

function cards({ info, system, state }) {
  const total = info.Total;
  const parts = [["DFS used", info.Used, "c1"], ["Other use", info.NonDfsUsedSpace, "c2"], ["Free", info.Free, "c3"]];
  const label = parts.map(([name, value]) => `${name} ${bytes(value)}`).join(", ");
  const capacity = card("Capacity", bytes(total), [
    shareBar(parts, total, label),
    h("ul", { class: "parts" }, parts.map(([name, value, color]) => h("li", {}, h("i", { class: `dot ${color}` }), h("span", {}, name), h("b", { title: `${number(value)} bytes` }, bytes(value)), h("span", { class: "muted" }, percent(value, total))))),
  ], "wide");
  const namespace = card("Files and folders", number(state.FilesTotal), pairs([["Blocks", number(state.BlocksTotal)], ["Open for writing", number(system.NumFilesUnderConstruction)], ["Replicas to delete", number(system.PendingDeletionBlocks)]]));
  const health = card("Blocks at risk", number(state.UnderReplicatedBlocks), pairs([["Missing", number(info.NumberOfMissingBlocks), info.NumberOfMissingBlocks > 0], ["Corrupt replica", number(system.CorruptBlocks), system.CorruptBlocks > 0], ["Copies under way", number(system.PendingReconstructionBlocks)]]));
  const leaving = (state.NumDecommissioningDataNodes ?? 0) + (state.NumEnteringMaintenanceDataNodes ?? 0);
  const nodes = card("DataNodes live", number(state.NumLiveDataNodes), pairs([["Dead", number(state.NumDeadDataNodes), state.NumDeadDataNodes > 0], ["Silent for a while", number(state.NumStaleDataNodes), state.NumStaleDataNodes > 0], ["Leaving", number(leaving)], ["In maintenance", number(state.NumInMaintenanceLiveDataNodes)]]));
  return [capacity, namespace, nodes, health];
}

function card(title, figure, content, kind = "") {
  return h("section", { class: `card ${kind}` }, h("h2", {}, title), h("p", { class: "figure" }, figure), content);
}

function pairs(list) {
  return h("ul", { class: "pairs" }, list.map(([name, value, alarming]) => h("li", { class: alarming ? "alarming" : "" }, h("span", {}, name), h("b", {}, value))));
}

/** The plots, and the choice of their span. */
function capacityAndLoad() {
  const capacity = timeChart({ title: "Capacity used", format: bytes, binary: true, stacked: true });
  const calls = timeChart({ title: "Operations per second", format: decimal });
  const latency = timeChart({ title: "Mean time of a call", format: (micros) => (micros >= 1_000 ? `${decimal(micros / 1_000)} ms` : `${decimal(micros)} µs`) });
  const data = timeChart({ title: "Data to and from clients", format: (rate) => `${bytes(rate)}/s`, binary: true });
  const streams = timeChart({ title: "Block streams", format: number });
  const files = timeChart({ title: "Files and blocks", format: number });
  const past = new Past();
  const ofNodes = new Map();
  let span = "15m";
  let nodes = [];
  const choose = (next) => async () => {
    span = next;
    draw();
    await refresh(nodes);
  };
  const choices = h("div", { class: "choice", role: "group", "aria-label": "Time span" });
  const note = h("p", { class: "muted" });
  const root = h("section", { class: "charts", key: "charts", "data-keep": true }, h("header", {}, h("h2", {}, "Over time"), choices), note, h("div", { class: "chart-grid" }, [capacity, calls, data, latency, streams, files].map((of) => of.root)));

  const draw = () => {
    update(choices, Object.entries(SPANS).map(([key, { label }]) => h("button", { "aria-pressed": String(key === span), on: { click: choose(key) } }, label)));
    root.classList.toggle("absent", past.absent);
    update(note, past.absent ? "This NameNode keeps no history of its numbers: plots need Tusk's." : "");
    if (past.absent) return;
    const window = past.window(span);
    const axis = window.axis();
    const line = (name, values, color) => ({ name, values, color });
    capacity.draw({ ...axis, series: [line("DFS used", window.gauge("CapacityUsed"), "c1"), line("Other use", window.gauge("CapacityUsedNonDFS"), "c2")] });
    calls.draw({ ...axis, least: 1, series: [line("Calls", window.rate("RpcCalls"), "c1"), line("Transactions", window.rate("Transactions"), "c4")] });
    latency.draw({ ...axis, least: 1, series: [line("In the NameNode", window.mean("RpcProcessingMicros", "RpcCalls"), "c5")] });
    streams.draw({ ...axis, least: 4, series: [line("On all DataNodes", window.gauge("TotalLoad"), "c4")] });
    files.draw({ ...axis, least: 4, series: [line("Files and folders", window.gauge("FilesTotal"), "c1"), line("Blocks", window.gauge("BlocksTotal"), "c5")] });
    drawData(data, axis, line);
  };

  const drawData = (chart, axis, line) => {
    const windows = [...ofNodes.values()].filter((of) => !of.absent).map((of) => of.window(span)).filter((of) => of.times.length);
    const whole = windows.length > 0 && windows.length === nodes.length;
    const note = nodes.length > MAX_SUMMED ? `Not summed for more than ${MAX_SUMMED} DataNodes: see each one's page, or /prom.` : "Needs an answer from every live DataNode.";
    if (!whole) return chart.draw({ ...axis, times: [], series: [line("Read", [], "c1"), line("Written", [], "c4")], note });
    const of = windows[0].axis();
    return chart.draw({ ...of, least: 1024, series: [line("Read", sumOfRates(windows, "BytesRead"), "c1"), line("Written", sumOfRates(windows, "BytesWritten"), "c4")] });
  };

  const refresh = async (all) => {
    nodes = all.filter((of) => !of.dead);
    const summed = nodes.length <= MAX_SUMMED ? nodes : [];
    for (const name of ofNodes.keys()) if (!summed.some((of) => of.name === name)) ofNodes.delete(name);
    for (const node of summed) if (!ofNodes.has(node.name)) ofNodes.set(node.name, new Past(webAddress(node)));
    // A DataNode that does not answer this browser leaves a gap, which the plot says.
    await Promise.allSettled([past, ...(past.absent ? [] : ofNodes.values())].map((of) => of.absent || of.load(span)));
    draw();
  };
  return { root, refresh };
}

function summary({ info, system, status }) {
  const txid = nested(info.JournalTransactionInfo, {});
  return h("section", { class: "panel" }, h("h2", {}, "NameNode"), facts([
    ["Address", status.HostAndPort],
    ["State", pill(status.State, status.State === "active" ? "ok" : "warn")],
    ["Started", [date(info.NNStartedTimeInMillis), h("span", { class: "muted" }, ` ${ago(info.NNStartedTimeInMillis)}`)]],
    ["Version", info.Version],
    info.CompileInfo && ["Built", info.CompileInfo],
    ["Cluster", h("code", {}, info.ClusterId)],
    ["Block pool", h("code", {}, info.BlockPoolId)],
    ["Block pool used", [bytes(info.BlockPoolUsedSpace), h("span", { class: "muted" }, ` ${percent(info.PercentBlockPoolUsed)}`)]],
    ["Security", status.SecurityEnabled ? "on" : "off"],
    ["Safe mode", info.Safemode ? pill("on", "warn") : "off"],
    txid.LastAppliedOrWrittenTxId && ["Last transaction", number(Number(txid.LastAppliedOrWrittenTxId))],
    system.LastCheckpointTime > 0 && ["Last checkpoint", [date(system.LastCheckpointTime), h("span", { class: "muted" }, ` ${count(system.TransactionsSinceLastCheckpoint, "transaction")} ago`)]],
    info.UpgradeFinalized === false && ["Upgrade", "not finalized"],
    info.CacheCapacity > 0 && ["Cache", `${bytes(info.CacheUsed)} of ${bytes(info.CacheCapacity)}`],
  ]));
}

/** Where the NameNode keeps its image and edits. */
function journals({ info }) {
  const { active = {}, failed = {} } = nested(info.NameDirStatuses, {});
  const sizes = nested(info.NameDirSize, {});
  const journal = nested(info.NameJournalStatus, []);
  const folder = (kind) => ([path, type]) => h("li", {}, stateMark(kind === "ok" ? "in use" : "failed", kind), h("code", {}, path), h("span", { class: "muted" }, [String(type).toLowerCase().replaceAll("_", " "), sizes[path] !== undefined && `, ${bytes(sizes[path])}`]));
  const manager = (of) => h("li", {}, stateMark(of.disabled === "true" ? "disabled" : "in use", of.disabled === "true" ? "bad" : "ok"), h("code", {}, of.manager), h("span", { class: "muted" }, of.stream, of.required === "true" && ", required"));
  return h("section", { class: "panel" }, h("h2", {}, "Storage folders"),
    h("ul", { class: "places" }, Object.entries(failed).map(folder("bad")), Object.entries(active).map(folder("ok"))),
    !Object.keys(active).length && !Object.keys(failed).length && empty("Not told by this NameNode."),
    journal.length > 0 && [h("h3", {}, "Journals"), h("ul", { class: "places" }, journal.map(manager))]);
}

function storageTypes({ blockStats, info }) {
  const types = blockStats?.StorageTypeStats ?? [];
  const usage = nested(info.NodeUsage, {}).nodeUsage;
  const row = ({ key, value }) => h("tr", {}, h("th", { scope: "row" }, key), h("td", { class: "number" }, bytes(value.capacityTotal)), h("td", { class: "number" }, bytes(value.capacityUsed)), h("td", { class: "number" }, bytes(value.capacityRemaining)), h("td", { class: "number" }, number(value.nodesInService)));
  const headings = ["Capacity", "Used", "Free", "Nodes"].map((of) => h("th", { scope: "col", class: "number" }, of));
  return h("section", { class: "panel" }, h("h2", {}, "Storage types"),
    types.length ? h("table", { class: "plain" }, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Type"), headings)), h("tbody", {}, types.map(row))) : empty("No DataNode has reported a volume yet."),
    usage && h("p", { class: "muted" }, `DataNodes are ${usage.min} to ${usage.max} full, median ${usage.median}, deviation ${usage.stdDev}.`));
}

function corruptFiles({ info }) {
  const files = [...new Set(nested(info.CorruptFiles, []).map((line) => line.split("\t").pop()))];
  if (!files.length) return h("div", { key: "corrupt" });
  return h("section", { class: "panel", id: "corrupt", key: "corrupt" }, h("h2", {}, "Files with missing blocks"),
    h("ul", { class: "places" }, files.map((path) => h("li", {}, h("a", { href: `/explorer.html#${encodePath(path)}` }, path)))),);
}
