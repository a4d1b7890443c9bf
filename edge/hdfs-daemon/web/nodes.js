// DataNodes as the NameNode's bean tells them, in one form for every page.

import { nested } from "./api.js";

/** Hadoop's words for the states of administration, and ours for people. */
const STATES = {
  "In Service": ["In service", "ok"],
  "Decommission In Progress": ["Decommissioning", "warn"],
  Decommissioned: ["Decommissioned", "warn"],
  "Entering Maintenance": ["Entering maintenance", "warn"],
  "In Maintenance": ["In maintenance", "warn"],
};

/** All DataNodes of the bean NameNodeInfo, the dead ones too. */
export function datanodes(info) {
  const leaving = { ...nested(info.DecomNodes, {}), ...nested(info.EnteringMaintenanceNodes, {}) };
  const live = Object.entries(nested(info.LiveNodes, {})).map(([name, node]) => ({ ...common(name, node), ...liveNode(node), leaving: leaving[name] }));
  const dead = Object.entries(nested(info.DeadNodes, {})).map(([name, node]) => ({ ...common(name, node), dead: true, state: deadState(node), kind: node.decommissioned ? "warn" : "bad" }));
  return [...live, ...dead];
}

function common(name, node) {
  return { name, address: node.xferaddr, rack: node.location ?? "", uuid: node.uuid ?? "", lastContact: node.lastContact };
}

function deadState(node) {
  if (node.decommissioned) return "Dead, decommissioned";
  return node.adminState === "In Maintenance" ? "Dead, in maintenance" : "Dead";
}

function liveNode(node) {
  const [state, kind] = STATES[node.adminState] ?? [node.adminState, "warn"];
  return {
    dead: false,
    state,
    kind,
    web: node.infoAddr,
    secureWeb: node.infoSecureAddr,
    used: node.usedSpace,
    nonDfs: node.nonDfsUsedSpace,
    capacity: node.capacity,
    remaining: node.remaining,
    blocks: node.numBlocks,
    poolUsed: node.blockPoolUsed,
    scheduled: node.blockScheduled,
    version: node.version,
    failures: node.volfails ?? 0,
    failedVolumes: node.failedStorageIDs ?? [],
    lastFailure: node.lastVolumeFailureDate,
    capacityLost: node.estimatedCapacityLostTotal,
    lastBlockReport: node.lastBlockReport,
    share: node.capacity > 0 ? node.usedSpace / node.capacity : 0,
  };
}

/** The address of a live node's own page: under the name that this browser reached the NameNode by, if both are local. */
export function webAddress(node) {
  if (!node.web) return undefined;
  const host = node.name.slice(0, node.name.lastIndexOf(":"));
  const port = node.web.slice(node.web.lastIndexOf(":") + 1);
  const [, securePort] = /:(\d+)$/.exec(node.secureWeb ?? "") ?? [];
  if (port === "0" && securePort && securePort !== "0") return `https://${host}:${securePort}`;
  return `http://${host}:${port}`;
}
