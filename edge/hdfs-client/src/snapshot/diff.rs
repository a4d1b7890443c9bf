//! What differs between two snapshots, put together from the parts that the NameNode gives.
//!
//! Hadoop: org.apache.hadoop.hdfs.client.impl.SnapshotDiffReportGenerator (3.5.0)

use std::collections::HashMap;

use hdfs_proto::hdfs as proto;
use proto::SnapshotDiffReportListingEntryProto as Entry;

/// The parts so far.
#[derive(Default)]
pub(super) struct Parts {
    modified: Vec<Entry>,
    created: Vec<Entry>,
    deleted: Vec<Entry>,
    from_earlier: bool,
}

/// Where an inode was and is.
#[derive(Default)]
struct Rename<'a> {
    source: Option<&'a [u8]>,
    target: Option<&'a [u8]>,
}

impl Parts {
    /// Adds a part; where the next one starts, nothing after the last one.
    pub(super) fn add(
        &mut self,
        part: proto::SnapshotDiffReportListingProto,
    ) -> Option<proto::SnapshotDiffReportCursorProto> {
        self.modified.extend(part.modified_entries);
        self.created.extend(part.created_entries);
        self.deleted.extend(part.deleted_entries);
        self.from_earlier = part.is_from_earlier;
        part.cursor.filter(|cursor| !cursor.start_path.is_empty() || cursor.index != -1)
    }

    /// The whole report of a directory.
    pub(super) fn report(
        mut self,
        root: &str,
        from: &str,
        to: &str,
    ) -> proto::SnapshotDiffReportProto {
        self.modified.sort_by(|left, right| {
            let components = |entry: &Entry| sort_key(&entry.fullpath);
            components(left).cmp(&components(right))
        });
        let mut renames: HashMap<u64, Rename<'_>> = HashMap::new();
        for entry in self.deleted.iter().filter(|entry| entry.is_reference) {
            let rename = renames.entry(entry.file_id()).or_default();
            rename.source = Some(&entry.fullpath);
            rename.target = entry.target_path.as_deref();
        }
        let mut entries = Vec::new();
        for modified in &self.modified {
            entries.push(made("M", &modified.fullpath, None));
            if modified.is_reference {
                self.children(modified.dir_id, &renames, &mut entries);
            }
        }
        proto::SnapshotDiffReportProto {
            snapshot_root: root.to_owned(),
            from_snapshot: from.to_owned(),
            to_snapshot: to.to_owned(),
            diff_report_entries: entries,
        }
    }

    /// What was made in a directory, then what was removed or moved away.
    fn children(
        &self,
        directory: u64,
        renames: &HashMap<u64, Rename<'_>>,
        entries: &mut Vec<proto::SnapshotDiffReportEntryProto>,
    ) {
        let (created, deleted) = if self.from_earlier { ("+", "-") } else { ("-", "+") };
        let moved = |entry: &Entry| match renames.get(&entry.file_id()) {
            Some(Rename { source: Some(source), target: Some(target) }) => Some((*source, *target)),
            _ => None,
        };
        for entry in self.created.iter().filter(|entry| entry.dir_id == directory) {
            if moved(entry).is_none() {
                entries.push(made(created, &entry.fullpath, None));
            }
        }
        for entry in self.deleted.iter().filter(|entry| entry.dir_id == directory) {
            entries.push(match moved(entry) {
                Some((source, target)) if self.from_earlier => made("R", source, Some(target)),
                Some((source, target)) => made("R", target, Some(source)),
                None => made(deleted, &entry.fullpath, None),
            });
        }
    }
}

/// Components as Java compares them: as signed bytes; the directory itself comes first.
fn sort_key(path: &[u8]) -> Vec<Vec<i8>> {
    let signed = |component: &[u8]| component.iter().map(|byte| byte.cast_signed()).collect();
    path.split(|byte| *byte == b'/').filter(|component| !component.is_empty()).map(signed).collect()
}

fn made(label: &str, path: &[u8], target: Option<&[u8]>) -> proto::SnapshotDiffReportEntryProto {
    proto::SnapshotDiffReportEntryProto {
        fullpath: path.to_vec().into(),
        modification_label: label.to_owned(),
        target_path: target.map(|target| target.to_vec().into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(path: &str, directory: u64, inode: Option<u64>, target: Option<&str>) -> Entry {
        Entry {
            fullpath: path.as_bytes().to_vec().into(),
            dir_id: directory,
            is_reference: inode.is_some() || target.is_some(),
            target_path: target.map(|target| target.as_bytes().to_vec().into()),
            file_id: inode,
        }
    }

    fn directory(path: &str, id: u64) -> Entry {
        Entry { is_reference: true, ..entry(path, id, None, None) }
    }

    fn shown(report: &proto::SnapshotDiffReportProto) -> Vec<String> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let line = |entry: &proto::SnapshotDiffReportEntryProto| {
            let target = entry.target_path.as_ref().map(|target| format!(" -> {}", text(target)));
            let path = text(&entry.fullpath);
            format!("{} {path}{}", entry.modification_label, target.unwrap_or_default())
        };
        report.diff_report_entries.iter().map(line).collect()
    }

    /// As Apache's `hdfs snapshotDiff` shows the same changes.
    fn parts(from_earlier: bool) -> Parts {
        let mut parts = Parts::default();
        let first = proto::SnapshotDiffReportListingProto {
            modified_entries: vec![directory("c", 3), directory("a", 2), directory("", 1)],
            created_entries: vec![entry("new", 1, None, None), entry("c/moved", 3, Some(9), None)],
            is_from_earlier: from_earlier,
            cursor: Some(proto::SnapshotDiffReportCursorProto {
                start_path: b"c".to_vec().into(),
                index: 0,
            }),
            ..proto::SnapshotDiffReportListingProto::default()
        };
        assert!(parts.add(first).is_some(), "there is more");
        let last = proto::SnapshotDiffReportListingProto {
            modified_entries: vec![entry("a/f2", 9, None, None)],
            deleted_entries: vec![
                entry("f1", 1, None, None),
                entry("a/f2", 2, Some(9), Some("c/moved")),
            ],
            is_from_earlier: from_earlier,
            cursor: Some(proto::SnapshotDiffReportCursorProto {
                start_path: Vec::new().into(),
                index: -1,
            }),
            ..proto::SnapshotDiffReportListingProto::default()
        };
        assert!(parts.add(last).is_none(), "this was the last part");
        parts
    }

    #[test]
    fn a_report_has_the_order_of_apaches_client() {
        let report = parts(true).report("/snap", "s1", "s2");
        let wanted = ["M ", "+ new", "- f1", "M a", "R a/f2 -> c/moved", "M a/f2", "M c"];
        assert_eq!(shown(&report), wanted);
        let report = parts(false).report("/snap", "s2", "s1");
        let wanted = ["M ", "- new", "+ f1", "M a", "R c/moved -> a/f2", "M a/f2", "M c"];
        assert_eq!(shown(&report), wanted);
    }
}
