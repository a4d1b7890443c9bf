// The dialog about one file or folder: facts, a look inside, blocks and their places, access control list, snapshots.

import { encodePath, read, webhdfs } from "./api.js";
import { fill, h, icon } from "./dom.js";
import { base } from "./files.js";
import { bytes, count, date, number, permission } from "./format.js";
import { ask, dialog, empty, pill, problem, say } from "./frame.js";
import { dataTable, facts } from "./table.js";

/** How much a look inside shows at once. */
const LOOK_BYTES = 32 * 1024;

/** Shows `path`; `changed` is called after something was changed from here. */
export function showDetails(path, status, { changed, download }) {
  const folder = status.type === "DIRECTORY";
  const sections = folder ? [factsOf(path, status), contents(path), accessList(path, status), snapshots(path, changed)] : [factsOf(path, status), look(path, status), blocks(path, status), accessList(path, status)];
  const buttons = !folder && h("div", { class: "actions top-actions" }, h("button", { class: "primary", on: { click: download } }, icon("download"), "Download"));
  return dialog(base(path) || "/", [buttons, sections], { wide: true });
}

function factsOf(path, of) {
  const mode = permission(of.permission, of.type, of.aclBit);
  return h("section", { class: "detail" }, facts([
    ["Path", h("code", {}, path)],
    of.type === "FILE" && ["Size", [bytes(of.length), h("span", { class: "muted" }, ` ${count(of.length, "byte")}`)]],
    of.type === "FILE" && ["Block size", bytes(of.blockSize)],
    of.type === "FILE" && (of.ecPolicy ? ["Erasure coding", of.ecPolicy] : ["Replicas wanted", number(of.replication)]),
    of.symlink && ["Leads to", h("code", {}, of.symlink)],
    ["Permission", [h("code", {}, mode), h("span", { class: "muted" }, ` ${of.permission}`)]],
    ["Owner and group", `${of.owner} : ${of.group}`],
    ["Modified", date(of.modificationTime)],
    of.type === "FILE" && ["Read", of.accessTime ? date(of.accessTime) : "not recorded"],
    of.type === "DIRECTORY" && of.ecPolicy && ["Erasure coding", of.ecPolicy],
    (of.encBit || of.snapshotEnabled) && ["Kind", [of.encBit && pill("encrypted"), " ", of.snapshotEnabled && pill("snapshots allowed")]],
    ["Inode", String(of.fileId ?? "–")],
  ]));
}

/** Shows what `load` brings once it is asked for. */
function onDemand(title, label, load) {
  const body = h("div", {});
  const run = async () => {
    fill(body, h("p", { class: "muted", role: "status" }, "Loading…"));
    try {
      fill(body, await load());
    } catch (error) {
      fill(body, problem(error, run));
    }
  };
  fill(body, h("button", { on: { click: run } }, label));
  return { root: h("section", { class: "detail" }, h("h3", {}, title), body), run };
}

/** Head, tail, and pages between. */
function look(path, { length }) {
  const shown = h("pre", { class: "look", tabindex: "0", "aria-label": "Content" });
  const where = h("span", { class: "muted", role: "status" });
  const last = Math.max(0, length - LOOK_BYTES);
  let at = 0;
  const go = async (offset) => {
    at = Math.min(Math.max(offset, 0), last);
    fill(where, "Loading…");
    try {
      const some = await read(path, at, LOOK_BYTES);
      shown.hidden = false;
      fill(shown, asText(some) ?? asHex(some, at));
      shown.scrollTop = 0;
      fill(where, `Bytes ${number(at)} to ${number(at + some.length)} of ${number(length)}`);
    } catch (error) {
      shown.hidden = true;
      fill(where, problem(error, () => go(at)));
    }
    first.disabled = earlier.disabled = at === 0;
    later.disabled = end.disabled = at === last;
  };
  const button = (label, target) => h("button", { on: { click: () => go(target()) } }, label);
  const [first, earlier, later, end] = [button("Head", () => 0), button("Earlier", () => at - LOOK_BYTES), button("Later", () => at + LOOK_BYTES), button("Tail", () => last)];
  const section = h("section", { class: "detail" }, h("h3", {}, "Content"));
  if (length === 0) return fill(section, h("h3", {}, "Content"), empty("The file is empty."));
  fill(section, h("h3", {}, "Content"), h("div", { class: "tool-row" }, first, earlier, later, end, where), shown);
  shown.hidden = true;
  if (length <= LOOK_BYTES) [first, earlier, later, end].forEach((of) => { of.hidden = true; });
  go(0);
  return section;
}

/** Text, unless the bytes are not UTF-8 text. A character cut at either end is left out. */
function asText(some) {
  if (some.includes(0)) return undefined;
  let [start, end] = [0, some.length];
  while (start < Math.min(3, end) && (some[start] & 0xc0) === 0x80) start += 1;
  for (let cut = 0; cut < 4; cut += 1) {
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(some.subarray(start, end - cut));
    } catch {
      // Perhaps the last character is cut: try without its bytes.
    }
  }
  return undefined;
}

function asHex(some, offset) {
  const lines = [];
  for (let at = 0; at < some.length; at += 16) {
    const row = [...some.subarray(at, at + 16)];
    const hex = row.map((of) => of.toString(16).padStart(2, "0")).join(" ");
    const text = row.map((of) => (of >= 32 && of < 127 ? String.fromCharCode(of) : ".")).join("");
    lines.push(`${(offset + at).toString(16).padStart(8, "0")}  ${hex.padEnd(47)}  ${text}`);
  }
  return lines.join("\n");
}

/** Blocks of a file, and the DataNodes that hold them. */
function blocks(path, { length }) {
  if (length === 0) return null;
  const load = async () => {
    const answer = await webhdfs("GET", path, "GET_BLOCK_LOCATIONS", { offset: "0", length: String(length) });
    const located = answer.LocatedBlocks;
    const list = [...located.locatedBlocks];
    const last = located.lastLocatedBlock;
    if (last && !list.some((of) => of.block.blockId === last.block.blockId)) list.push(last);
    const table = dataTable({ label: "Blocks", noun: "block", filter: list.length > 10, key: (of) => String(of.block.blockId), columns: blockColumns() });
    table.show(list);
    return [located.isUnderConstruction && h("p", {}, pill("being written", "warn")), table.root];
  };
  const section = onDemand("Blocks", "Show blocks and their places", load);
  if (length <= 1024 ** 4) section.run();
  return section.root;
}

function blockColumns() {
  const place = (node) => h("li", {}, h("a", { href: `http://${node.hostName}:${node.infoPort}/datanode.html` }, `${node.hostName}:${node.xferPort}`), h("small", { class: "muted" }, node.networkLocation));
  return [
    { name: "Offset", value: (of) => of.startOffset, cell: (of) => number(of.startOffset), number: true },
    { name: "Size", value: (of) => of.block.numBytes, cell: (of) => bytes(of.block.numBytes), number: true },
    { name: "Block", value: (of) => of.block.blockId, cell: (of) => [h("code", {}, `blk_${of.block.blockId}_${of.block.generationStamp}`), of.isCorrupt && pill("corrupt", "bad")], wide: true },
    { name: "Places", value: (of) => of.locations.map((node) => node.hostName).join(" "), cell: (of) => (of.locations.length ? h("ul", {}, of.locations.map(place)) : pill("no live replica", "bad")), wide: true },
    { name: "Storage", value: (of) => (of.storageTypes ?? []).join(" "), cell: (of) => (of.storageTypes ?? []).join(", ") || "–" },
  ];
}

function accessList(path, { aclBit }) {
  const load = async () => {
    const { AclStatus: acl } = await webhdfs("GET", path, "GETACLSTATUS");
    const entries = acl.entries ?? [];
    return entries.length ? h("ul", { class: "places" }, entries.map((of) => h("li", {}, h("code", {}, of)))) : empty("No entries besides owner, group and others.", "Set some with: hdfs dfs -setfacl");
  };
  const section = onDemand("Access control list", "Show it", load);
  if (aclBit) section.run();
  return section.root;
}

/** What a folder holds, which the NameNode counts when it is asked. */
function contents(path) {
  const load = async () => {
    const { ContentSummary: of } = await webhdfs("GET", path, "GETCONTENTSUMMARY");
    const limit = (value, format) => (value >= 0 ? format(value) : "none");
    return facts([
      ["Files", number(of.fileCount)],
      ["Folders", number(of.directoryCount)],
      ["Size", bytes(of.length)],
      ["With all replicas", bytes(of.spaceConsumed)],
      ["Quota of names", limit(of.quota, number)],
      ["Quota of space", limit(of.spaceQuota, bytes)],
    ]);
  };
  return onDemand("In this folder", "Count files and space", load).root;
}

function snapshots(path, changed) {
  const take = () => ask({
    title: `Snapshot of ${path}`, action: "Take it",
    fields: [{ name: "name", label: "Name", note: "Empty: the NameNode names it by the time." }],
    run: async ({ name }) => {
      const answer = await webhdfs("PUT", path, "CREATESNAPSHOT", name ? { snapshotname: name } : {});
      say(`Snapshot ${answer.Path ?? name} taken`);
      await changed();
    },
  });
  return h("section", { class: "detail" }, h("h3", {}, "Snapshots"), h("div", { class: "tool-row" }, h("button", { on: { click: take } }, "Take a snapshot"), h("a", { href: `/explorer.html#${path === "/" ? "" : encodePath(path)}/.snapshot` }, "Show those there are")));
}
