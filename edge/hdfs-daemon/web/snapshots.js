// Snapshottable folders and snapshots, as the bean SnapshotInfo lists them.

import { Failure, bean, encodePath } from "./api.js";
import { h, update } from "./dom.js";
import { date, number, permission } from "./format.js";
import { every, problem } from "./frame.js";
import { dataTable } from "./table.js";

const link = (path) => h("a", { href: `/explorer.html#${encodePath(path)}` }, path);

/** Shows the page. */
export function snapshotsPage(main) {
  const folders = dataTable({ label: "Snapshottable folders", noun: "folder", key: (of) => of.path, none: "No folder allows snapshots. An administrator allows them with: hdfs dfsadmin -allowSnapshot PATH", columns: [
    { name: "Folder", value: (of) => of.path, cell: (of) => link(of.path), wide: true },
    { name: "Snapshots", value: (of) => of.snapshotNumber, cell: (of) => number(of.snapshotNumber), number: true },
    { name: "Limit", value: (of) => of.snapshotQuota, cell: (of) => number(of.snapshotQuota), number: true },
    { name: "Modified", value: (of) => of.modificationTime, cell: (of) => date(of.modificationTime) },
    { name: "Permission", value: (of) => of.permission, cell: (of) => h("code", {}, permission(Number(of.permission).toString(8), "DIRECTORY")) },
    { name: "Owner", value: (of) => `${of.owner}:${of.group}` },
  ] });
  const snapshots = dataTable({ label: "Snapshots", noun: "snapshot", key: (of) => of.snapshotDirectory + of.snapshotID, none: "There is no snapshot. Take one in the file browser, or with: hdfs dfs -createSnapshot PATH", columns: [
    { name: "Snapshot", value: (of) => of.snapshotDirectory, cell: (of) => link(of.snapshotDirectory), wide: true },
    { name: "ID", value: (of) => of.snapshotID, number: true },
    { name: "Taken", value: (of) => of.modificationTime, cell: (of) => date(of.modificationTime) },
    { name: "State", value: (of) => String(of.status ?? "") },
  ] });
  const show = async () => {
    try {
      const info = await bean("Hadoop:service=NameNode,name=SnapshotInfo");
      if (!info) throw new Failure("This NameNode does not tell about snapshots", { hint: "Snapshots are not supported by this version yet." });
      update(main,
        h("h1", { key: "title" }, "Snapshots"),
        h("section", { class: "panel", key: "folders" }, h("h2", {}, "Snapshottable folders"), folders.root),
        h("section", { class: "panel", key: "snapshots" }, h("h2", {}, "Snapshots"), snapshots.root));
      folders.show(info.SnapshottableDirectories ?? []);
      snapshots.show(info.Snapshots ?? []);
    } catch (error) {
      update(main, problem(error, show));
    }
  };
  return every(10_000, show);
}
