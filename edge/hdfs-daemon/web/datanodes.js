// The pages about DataNodes: all of them, failed volumes, and slow ones.

import { bean, nested } from "./api.js";
import { histogram } from "./charts.js";
import { h, update } from "./dom.js";
import { bytes, count, date, decimal, number, percent, since } from "./format.js";
import { empty, every, problem } from "./frame.js";
import { datanodes, webAddress } from "./nodes.js";
import { dataTable, meter, stateMark } from "./table.js";

const REFRESH_MS = 5_000;
const INFO = "Hadoop:service=NameNode,name=NameNodeInfo";

/** Loads and shows a page again and again; an error takes its place until the next success. */
function refreshed(main, load, show) {
  const run = async () => {
    try {
      show(await load());
    } catch (error) {
      update(main, problem(error, run));
    }
  };
  return every(REFRESH_MS, run);
}

const FILTERS = [
  ["All", () => true],
  ["In service", (of) => !of.dead && of.state === "In service"],
  ["Decommissioning", (of) => !of.dead && of.state.startsWith("Decommission")],
  ["Maintenance", (of) => of.state.toLowerCase().includes("maintenance")],
  ["Dead", (of) => of.dead],
];

/** Every DataNode, with a histogram of how full they are. */
export function datanodesPage(main) {
  const table = dataTable({ label: "DataNodes", noun: "DataNode", columns: nodeColumns(), key: (node) => node.uuid || node.name, none: "No DataNode of this kind." });
  let chosen = 0;
  let nodes = [];
  const choice = ([label, fits], index) => h("button", { "aria-pressed": String(index === chosen), on: { click: () => { chosen = index; draw(); } } }, label, h("b", {}, number(nodes.filter(fits).length)));
  const draw = () => {
    update(main,
      h("h1", { key: "title" }, "DataNodes"),
      h("section", { class: "panel", key: "usage" }, h("h2", {}, "How full they are, in percent"), usage(nodes.filter((of) => !of.dead))),
      leaving(nodes),
      h("section", { class: "panel", key: "list" }, h("div", { class: "choice", role: "group", "aria-label": "State" }, FILTERS.map(choice)), table.root));
    table.show(nodes.filter(FILTERS[chosen][1]));
  };
  return refreshed(main, async () => datanodes(await bean(INFO)), (fresh) => {
    nodes = fresh;
    draw();
  });
}

function nodeColumns() {
  const dash = (value, format) => (value === undefined ? "–" : format(value));
  const name = (node) => {
    const address = webAddress(node);
    return [address ? h("a", { href: `${address}/datanode.html` }, node.name) : h("span", {}, node.name), h("small", { class: "muted" }, [node.address !== node.name && node.address, node.rack].filter(Boolean).join(" · "))];
  };
  return [
    { name: "DataNode", value: (of) => `${of.name} ${of.address} ${of.rack}`, cell: name, wide: true },
    { name: "State", value: (of) => of.state, cell: (of) => stateMark(of.state, of.kind) },
    { name: "Last contact", value: (of) => of.lastContact, cell: (of) => since(of.lastContact), number: true },
    { name: "Used", value: (of) => of.share ?? -1, cell: (of) => dash(of.used, () => meter(of.used, of.capacity, `${bytes(of.used)}, ${percent(of.used, of.capacity)}`)), number: true },
    { name: "Free", value: (of) => of.remaining ?? -1, cell: (of) => dash(of.remaining, bytes), number: true },
    { name: "Capacity", value: (of) => of.capacity ?? -1, cell: (of) => dash(of.capacity, bytes), number: true },
    { name: "Blocks", value: (of) => of.blocks ?? -1, cell: (of) => dash(of.blocks, number), number: true },
    { name: "Block report", value: (of) => of.lastBlockReport ?? -1, cell: (of) => dash(of.lastBlockReport, (minutes) => since(minutes * 60)), number: true },
    { name: "Failed volumes", value: (of) => of.failures ?? 0, cell: (of) => (of.failures > 0 ? stateMark(number(of.failures), "bad") : "0"), number: true },
    { name: "Version", value: (of) => of.version ?? "", cell: (of) => of.version ?? "–" },
  ];
}

function usage(live) {
  if (!live.length) return empty("No live DataNode.");
  const counts = Array.from({ length: 10 }, () => 0);
  for (const node of live) counts[Math.min(9, Math.floor(node.share * 10))] += 1;
  const labels = counts.map((_, index) => `${index * 10}–${(index + 1) * 10}`);
  return histogram({ title: "DataNodes by share of capacity used", counts, labels, unit: "DataNodes" });
}

/** What keeps nodes from leaving. */
function leaving(nodes) {
  const waiting = nodes.filter((of) => of.leaving);
  if (!waiting.length) return h("div", { key: "leaving" });
  const row = ({ name, state, leaving: of }) => h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, state), h("td", { class: "number" }, number(of.underReplicatedBlocks)), h("td", { class: "number" }, number(of.decommissionOnlyReplicas ?? of.maintenanceOnlyReplicas)), h("td", { class: "number" }, number(of.underReplicateInOpenFiles)));
  const headings = ["Blocks to copy", "With no replica elsewhere", "In open files"].map((of) => h("th", { scope: "col", class: "number" }, of));
  return h("section", { class: "panel", key: "leaving" }, h("h2", {}, "Leaving"), h("div", { class: "scroll" }, h("table", { class: "plain" }, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "DataNode"), h("th", { scope: "col" }, "State"), headings)), h("tbody", {}, waiting.map(row)))));
}

/** Volumes that DataNodes can't use. */
export function volumesPage(main) {
  const columns = [
    { name: "DataNode", value: (of) => of.name, cell: (of) => h("a", { href: `${webAddress(of)}/datanode.html` }, of.name), wide: true },
    { name: "Failed volumes", value: (of) => of.failures, cell: (of) => number(of.failures), number: true },
    { name: "Folders", value: (of) => of.failedVolumes.join(" "), cell: (of) => (of.failedVolumes.length ? of.failedVolumes.map((path) => h("code", { class: "block" }, path)) : "–"), wide: true },
    { name: "Last failure", value: (of) => of.lastFailure ?? 0, cell: (of) => date(of.lastFailure) },
    { name: "Capacity lost (about)", value: (of) => of.capacityLost ?? 0, cell: (of) => bytes(of.capacityLost ?? 0), number: true },
  ];
  const table = dataTable({ label: "Volume failures", noun: "DataNode", columns, key: (of) => of.name, none: "Every volume of every live DataNode works." });
  return refreshed(main, async () => datanodes(await bean(INFO)), (nodes) => {
    update(main,
      h("h1", { key: "title" }, "Volume failures"),
      h("p", { class: "lead", key: "lead" }, "A DataNode takes a volume out of use when its disk fails, and copies of its blocks are made elsewhere. Replace the disk, then run hdfs dfsadmin -reconfig datanode HOST:PORT start, or restart the DataNode."),
      h("section", { class: "panel", key: "list" }, table.root));
    table.show(nodes.filter((of) => of.failures > 0));
  });
}

/** Nodes and disks that are slower than their peers. */
export function slowPage(main) {
  const load = async () => (await bean("Hadoop:service=NameNode,name=NameNodeStatus")) ?? {};
  return refreshed(main, load, (status) => update(main,
    h("h1", { key: "title" }, "Slow nodes and disks"),
    h("section", { class: "panel", key: "peers" }, h("h2", {}, "Slow nodes"), h("p", { class: "muted" }, "DataNodes whose peers, as they write to them, measure much longer times than to the others. Switched on with dfs.datanode.peer.stats.enabled."), slowPeers(status.SlowPeersReport)),
    h("section", { class: "panel", key: "disks" }, h("h2", {}, "Slow disks"), h("p", { class: "muted" }, "Volumes that are much slower than their DataNode's others. Switched on with dfs.datanode.fileio.profiling.sampling.percentage."), slowDisks(status.SlowDisksReport))));
}

const OFF = "The NameNode does not collect these reports: see the key above.";

function slowPeers(report) {
  const peers = nested(report, null);
  if (!Array.isArray(peers)) return empty(OFF);
  if (!peers.length) return empty("No DataNode is reported as slow.");
  const reporter = (of) => h("tr", {}, h("td", {}, of.ReportingNode), ["ReportedLatency", "MedianLatency", "UpperLimitLatency"].map((key) => h("td", { class: "number" }, `${decimal(of[key])} ms`)));
  const headings = ["Measured", "Median of all", "Limit"].map((of) => h("th", { scope: "col", class: "number" }, of));
  return peers.map((peer) => h("div", { class: "slow", key: peer.SlowNode }, h("h3", {}, peer.SlowNode), h("p", { class: "muted" }, `Reported by ${count(peer.SlowPeerLatencyWithReportingNodes.length, "DataNode")}.`), h("div", { class: "scroll" }, h("table", { class: "plain" }, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Reported by"), headings)), h("tbody", {}, peer.SlowPeerLatencyWithReportingNodes.map(reporter))))));
}

function slowDisks(report) {
  const disks = nested(report, null);
  if (!Array.isArray(disks)) return empty(OFF);
  if (!disks.length) return empty("No disk is reported as slow.");
  const latencies = (of) => Object.entries(of.Latencies ?? of.latencies ?? {}).map(([op, value]) => `${op.toLowerCase()} ${decimal(value)} ms`).join(", ");
  return h("ul", { class: "places" }, disks.map((of) => h("li", {}, h("code", {}, of.SlowDiskID), h("span", {}, latencies(of)))));
}
