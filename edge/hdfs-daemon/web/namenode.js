// The NameNode's pages: dfshealth.html with a fragment for each, and explorer.html with the path as its fragment.

import { bean } from "./api.js";
import { datanodesPage, slowPage, volumesPage } from "./datanodes.js";
import { explorerPage } from "./explorer.js";
import { fill } from "./dom.js";
import { header, navigation, shortcut, startFrame, userShortcut } from "./frame.js";
import { overviewPage } from "./overview.js";
import { snapshotsPage } from "./snapshots.js";
import { startupPage } from "./startup.js";
import { configurationPage, logLevelPage, metricsPage } from "./tools.js";

/** Fragment, label, key after `g`, page. The fragments without a group of their own are Hadoop's. */
const CLUSTER = [
  ["#tab-overview", "Overview", "o", overviewPage],
  ["#tab-datanode", "DataNodes", "d", datanodesPage],
  ["#tab-datanode-volume-failures", "Volume failures", "v", volumesPage],
  ["#tab-slow-nodes", "Slow nodes", "w", slowPage],
  ["#tab-snapshot", "Snapshots", "s", snapshotsPage],
  ["#tab-startup-progress", "Start-up", "p", startupPage],
];
const TOOLS = [
  ["#tab-configuration", "Configuration", "c", configurationPage],
  ["#tab-metrics", "Metrics", "m", metricsPage],
  ["#tab-log-level", "Log levels", "l", logLevelPage],
];
const LINKS = [["Logs", "/logs/"], ["Stacks", "/stacks"], ["Topology", "/topology"], ["JMX", "/jmx"], ["Prometheus", "/prom"]];
const HEALTH = "/dfshealth.html";
const EXPLORER = "/explorer.html";

const main = document.getElementById("main");
const inExplorer = location.pathname === EXPLORER;
let stop = () => {};

function showHeader(status, info) {
  const pills = [];
  if (status?.State) pills.push([status.State, status.State === "active" ? "ok" : "warn"]);
  if (info?.Safemode) pills.push(["safe mode", "warn"]);
  header(status?.HostAndPort ?? location.host, pills);
}

function current() {
  const fragment = location.hash || CLUSTER[0][0];
  return [...CLUSTER, ...TOOLS].find(([hash]) => hash === fragment) ?? CLUSTER[0];
}

function showNavigation() {
  const here = inExplorer ? undefined : current();
  const link = (of) => [of[1], HEALTH + of[0], of === here, `g ${of[2]}`];
  navigation([
    ["", [["Files", `${EXPLORER}#/`, inExplorer, "g f"]]],
    ["Cluster", CLUSTER.map(link)],
    ["This NameNode", TOOLS.map(link)],
    ["Raw", LINKS.map(([label, href]) => [label, href, false])],
  ]);
}

/** Shows the page of the fragment. */
function route() {
  showNavigation();
  stop();
  fill(main);
  main.className = inExplorer ? "explorer" : current()[0].slice(1);
  document.title = `${inExplorer ? "Files" : current()[1]} – NameNode`;
  stop = inExplorer ? explorerPage(main) : current()[3](main, { onStatus: ({ status, info }) => showHeader(status, info) });
}

async function loadStatus() {
  try {
    const name = "Hadoop:service=NameNode,name=NameNode";
    const [status, info] = await Promise.all([bean(`${name}Status`), bean(`${name}Info`)]);
    showHeader(status, info);
  } catch {
    // The page below says what is wrong.
    showHeader();
  }
}

startFrame();
for (const [fragment, label, letter] of [...CLUSTER, ...TOOLS]) shortcut(`g ${letter}`, label, () => location.assign(HEALTH + fragment));
shortcut("g f", "Files", () => location.assign(`${EXPLORER}#/`));
userShortcut();
showHeader();
loadStatus();
route();
if (!inExplorer) addEventListener("hashchange", () => { route(); scrollTo(0, 0); });
