//! Snapshots in JSON.
//!
//! Hadoop: org.apache.hadoop.hdfs.web.JsonUtil (3.5.0)

use hdfs_proto::hdfs as p;

use super::json::{Fields, bytes, object, wrapped};
use super::status::write_status;

/// GETSNAPSHOTDIFF.
pub(super) fn diff_report(report: &p::SnapshotDiffReportProto) -> String {
    wrapped("SnapshotDiffReport", |out| {
        object(out, |fields| {
            fields.array("diffList", &report.diff_report_entries, |out, entry| {
                object(out, |fields| {
                    fields.with("sourcePath", |out| bytes(out, &entry.fullpath));
                    if let Some(target) = &entry.target_path {
                        fields.with("targetPath", |out| bytes(out, target));
                    }
                    let kind = match entry.modification_label.as_str() {
                        "M" => "MODIFY",
                        "R" => "RENAME",
                        "-" => "DELETE",
                        _ => "CREATE",
                    };
                    fields.text("type", kind);
                });
            });
            fields.text("fromSnapshot", &report.from_snapshot);
            fields.text("snapshotRoot", &report.snapshot_root);
            fields.text("toSnapshot", &report.to_snapshot);
        });
    })
}

/// GETSNAPSHOTDIFFLISTING.
pub(super) fn diff_listing(listing: &p::SnapshotDiffReportListingProto) -> String {
    let entries =
        |fields: &mut Fields<'_>, name, entries: &[p::SnapshotDiffReportListingEntryProto]| {
            fields.array(name, entries, |out, entry| {
                object(out, |fields| {
                    fields.plain("dirId", entry.dir_id);
                    fields.plain("fileId", entry.file_id());
                    fields.plain("isReference", entry.is_reference);
                    fields.with("sourcePath", |out| bytes(out, &entry.fullpath));
                    if let Some(target) = &entry.target_path {
                        fields.with("targetPath", |out| bytes(out, target));
                    }
                });
            });
        };
    wrapped("SnapshotDiffReportListing", |out| {
        object(out, |fields| {
            entries(fields, "createList", &listing.created_entries);
            entries(fields, "deleteList", &listing.deleted_entries);
            fields.plain("isFromEarlier", listing.is_from_earlier);
            let cursor = listing.cursor.as_ref();
            fields.plain("lastIndex", cursor.map_or(-1, |cursor| cursor.index));
            fields.with("lastPath", |out| {
                bytes(out, cursor.map(|cursor| cursor.start_path.as_ref()).unwrap_or_default());
            });
            entries(fields, "modifyList", &listing.modified_entries);
        });
    })
}

/// GETSNAPSHOTTABLEDIRECTORYLIST; `None` when there are none.
pub(super) fn snapshottable(list: Option<&[p::SnapshottableDirectoryStatusProto]>) -> String {
    wrapped("SnapshottableDirectoryList", |out| {
        let Some(list) = list else { return out.push_str("null") };
        super::json::array(out, list, |out, directory| {
            object(out, |fields| {
                fields.with("dirStatus", |out| write_status(out, &directory.dir_status));
                fields.with("parentFullPath", |out| bytes(out, &directory.parent_fullpath));
                fields.plain("snapshotNumber", directory.snapshot_number);
                fields.plain("snapshotQuota", directory.snapshot_quota);
            });
        });
    })
}

/// GETSNAPSHOTLIST.
pub(super) fn snapshots(list: Option<&[p::SnapshotStatusProto]>) -> String {
    wrapped("SnapshotList", |out| {
        let Some(list) = list else { return out.push_str("null") };
        super::json::array(out, list, |out, snapshot| {
            let status = &snapshot.dir_status;
            let parent = String::from_utf8_lossy(&snapshot.parent_fullpath);
            let name = String::from_utf8_lossy(&status.path);
            let full = format!("{}/.snapshot/{name}", parent.trim_end_matches('/'));
            object(out, |fields| {
                let state = if snapshot.is_deleted { "DELETED" } else { "ACTIVE" };
                fields.text("deletionStatus", state);
                fields.with("dirStatus", |out| write_status(out, status));
                fields.text("fullPath", &full);
                fields.plain("snapshotID", snapshot.snapshot_id);
            });
        });
    })
}
