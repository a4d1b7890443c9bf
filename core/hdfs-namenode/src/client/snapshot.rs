//! Snapshots: made, named, deleted, listed, compared.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.{NameNodeRpcServer, FSDirSnapshotOp} (3.5.0)

use std::sync::Arc;

use hdfs_blocks::Now;
use hdfs_namespace::{
    CollectedSnapshot, DiffCursor, DiffEntry, DiffListingEntry, DiffReportCursor,
    SnapshottableDirectory,
};
use hdfs_proto::hdfs as p;
use hdfs_types::{Error, FsPermission, INodeId, Result};

use super::check_path_length;
use crate::call::{Call, Caller};
use crate::machine::NameNode;
use crate::retry_cache::CachedAnswer;

/// The mode of a trash that every user has a folder in.
const SHARED_TRASH: FsPermission = FsPermission(0o1777);

/// Inodes that one slice of a report looks at.
const SLICE: usize = 20_000;

/// Proto: getSnapshotDiffReport, the answer after the last slice.
pub fn snapshot_diff_report(cursor: DiffReportCursor) -> p::GetSnapshotDiffReportResponseProto {
    let report = cursor.into_report();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    p::GetSnapshotDiffReportResponseProto {
        diff_report: p::SnapshotDiffReportProto {
            snapshot_root: text(&report.root),
            from_snapshot: text(&report.from),
            to_snapshot: text(&report.to),
            diff_report_entries: report.entries.into_iter().map(entry).collect(),
        },
    }
}

impl NameNode {
    /// Proto: allowSnapshot.
    pub fn allow_snapshot(
        &mut self,
        call: &Call<'_>,
        request: &p::AllowSnapshotRequestProto,
    ) -> Result<p::AllowSnapshotResponseProto> {
        self.check_superuser_for(call, "allowSnapshot")?;
        let path = &request.snapshot_root;
        self.check_writable(&format!("Cannot allow snapshot for {path}"), call.now.mono)?;
        let planned = self.plan(call, |namespace, context| {
            namespace.plan_allow_snapshot(context, path.as_bytes())
        })?;
        self.commit(planned, call.now);
        Ok(p::AllowSnapshotResponseProto {})
    }

    /// Proto: disallowSnapshot.
    pub fn disallow_snapshot(
        &mut self,
        call: &Call<'_>,
        request: &p::DisallowSnapshotRequestProto,
    ) -> Result<p::DisallowSnapshotResponseProto> {
        self.check_superuser_for(call, "disallowSnapshot")?;
        let path = &request.snapshot_root;
        self.check_writable(&format!("Cannot disallow snapshot for {path}"), call.now.mono)?;
        let planned = self.plan(call, |namespace, context| {
            namespace.plan_disallow_snapshot(context, path.as_bytes())
        })?;
        self.commit(planned, call.now);
        Ok(p::DisallowSnapshotResponseProto {})
    }

    /// Makes the shared trash of each snapshottable directory that has none; returns what to write to the log.
    ///
    /// Hadoop: org.apache.hadoop.hdfs.server.namenode.FSNamesystem.checkAndProvisionSnapshotTrashRoots (3.5.0)
    pub(crate) fn provision_trash_roots(&mut self, now: Now) -> Vec<String> {
        let user = self.conf.namespace.owner.clone();
        let caller = Arc::new(Caller { user, groups: Vec::new(), superuser: true });
        let call = Call { caller: &caller, client_machine: "", key: None, now };
        let directories = self.plan(&call, |namespace, context| {
            namespace.snapshottable_directories(&context.caller).unwrap_or_default()
        });
        let mut notes = Vec::new();
        for directory in directories {
            let mut path = directory.parent;
            for name in [&directory.status.name[..], b".Trash"] {
                if path.last() != Some(&b'/') {
                    path.push(b'/');
                }
                path.extend_from_slice(name);
            }
            let made = self.plan(&call, |namespace, context| {
                if namespace.get_file_info(context, &path, false, false)?.is_some() {
                    return Ok(None);
                }
                let (mode, unmasked, create_parent) = (SHARED_TRASH, None, false);
                namespace.plan_mkdirs(context, &path, mode, unmasked, create_parent).map(Some)
            });
            let path = String::from_utf8_lossy(&path);
            match made {
                Ok(None) => {}
                Ok(Some(planned)) => {
                    self.commit(planned, now);
                    notes.push(format!("created the trash {path} of a snapshottable directory"));
                }
                Err(error) => notes.push(format!("can't create the trash {path}: {error}")),
            }
        }
        notes
    }

    /// Removes a snapshot that was marked as deleted and is the first one of its directory; directories take turns after
    /// `last`. None when there is none, or in safe mode.
    ///
    /// # Errors
    /// As [`hdfs_namespace::Namespace::plan_collect_snapshot`].
    ///
    /// Hadoop: org.apache.hadoop.hdfs.server.namenode.FSNamesystem.gcDeletedSnapshot (3.5.0)
    pub fn collect_snapshot(
        &mut self,
        now: Now,
        last: Option<INodeId>,
    ) -> Result<Option<CollectedSnapshot>> {
        if self.in_safe_mode() {
            return Ok(None);
        }
        let user = self.conf.namespace.owner.clone();
        let caller = Arc::new(Caller { user, groups: Vec::new(), superuser: true });
        let call = Call { caller: &caller, client_machine: "", key: None, now };
        let planned =
            self.plan(&call, |namespace, context| namespace.plan_collect_snapshot(context, last))?;
        Ok(planned.map(|planned| self.commit(planned, now)))
    }

    /// Asked before safe mode is looked at.
    fn check_superuser_for(&self, call: &Call<'_>, operation: &str) -> Result<()> {
        self.plan(call, |_, context| context.caller.check_superuser_for(operation))
    }

    /// Proto: createSnapshot.
    pub fn create_snapshot(
        &mut self,
        call: &Call<'_>,
        request: &p::CreateSnapshotRequestProto,
    ) -> Result<p::CreateSnapshotResponseProto> {
        let root = &request.snapshot_root;
        check_path_length(root, "createSnapshot")?;
        let path = self.once(
            call,
            |_, answer| match answer {
                CachedAnswer::Path(path) => Ok(path.clone()),
                other => Err(Error::io(format!("the call was another one before: {other:?}"))),
            },
            |path| CachedAnswer::Path(path.clone()),
            |nn| {
                nn.check_writable(&format!("Cannot create snapshot for {root}"), call.now.mono)?;
                let name = request.snapshot_name.as_deref().map(str::as_bytes);
                let planned = nn.plan(call, |namespace, context| {
                    namespace.plan_create_snapshot(context, root.as_bytes(), name)
                })?;
                Ok(nn.commit(planned, call.now))
            },
        )?;
        let snapshot_path = String::from_utf8_lossy(&path).into_owned();
        Ok(p::CreateSnapshotResponseProto { snapshot_path })
    }

    /// Proto: renameSnapshot.
    pub fn rename_snapshot(
        &mut self,
        call: &Call<'_>,
        request: &p::RenameSnapshotRequestProto,
    ) -> Result<p::RenameSnapshotResponseProto> {
        let root = &request.snapshot_root;
        let (old, new) = (&request.snapshot_old_name, &request.snapshot_new_name);
        if new.is_empty() {
            return Err(Error::io("The new snapshot name is null or empty."));
        }
        self.change_once(
            call,
            &format!("Cannot rename snapshot for {root}"),
            |namespace, context| {
                let (old, new) = (old.as_bytes(), new.as_bytes());
                namespace.plan_rename_snapshot(context, root.as_bytes(), old, new)
            },
        )?;
        Ok(p::RenameSnapshotResponseProto {})
    }

    /// Proto: deleteSnapshot.
    pub fn delete_snapshot(
        &mut self,
        call: &Call<'_>,
        request: &p::DeleteSnapshotRequestProto,
    ) -> Result<p::DeleteSnapshotResponseProto> {
        let root = &request.snapshot_root;
        if request.snapshot_name.is_empty() {
            return Err(Error::io("The snapshot name is null or empty."));
        }
        self.change_once(
            call,
            &format!("Cannot delete snapshot for {root}"),
            |namespace, context| {
                let name = request.snapshot_name.as_bytes();
                namespace.plan_delete_snapshot(context, root.as_bytes(), name)
            },
        )?;
        Ok(p::DeleteSnapshotResponseProto {})
    }

    /// Proto: getSnapshottableDirListing.
    pub fn get_snapshottable_dir_listing(
        &self,
        call: &Call<'_>,
        _: &p::GetSnapshottableDirListingRequestProto,
    ) -> Result<p::GetSnapshottableDirListingResponseProto> {
        let directories = self
            .plan(call, |namespace, context| namespace.snapshottable_directories(&context.caller));
        let status = |directory: SnapshottableDirectory| p::SnapshottableDirectoryStatusProto {
            snapshot_quota: directory.quota,
            snapshot_number: directory.snapshots,
            parent_fullpath: directory.parent.into(),
            dir_status: self.status_proto(call, directory.status),
        };
        Ok(p::GetSnapshottableDirListingResponseProto {
            snapshottable_dir_list: directories.map(|directories| {
                p::SnapshottableDirectoryListingProto {
                    snapshottable_dir_listing: directories.into_iter().map(status).collect(),
                }
            }),
        })
    }

    /// Proto: getSnapshotListing.
    pub fn get_snapshot_listing(
        &self,
        call: &Call<'_>,
        request: &p::GetSnapshotListingRequestProto,
    ) -> Result<p::GetSnapshotListingResponseProto> {
        let snapshots = self.plan(call, |namespace, context| {
            namespace.get_snapshot_listing(context, request.snapshot_root.as_bytes())
        })?;
        let snapshot_listing = snapshots
            .into_iter()
            .map(|snapshot| p::SnapshotStatusProto {
                snapshot_id: snapshot.id,
                parent_fullpath: snapshot.directory.into(),
                is_deleted: snapshot.is_deleted,
                dir_status: self.status_proto(call, snapshot.status),
            })
            .collect();
        let snapshot_list = Some(p::SnapshotListingProto { snapshot_listing });
        Ok(p::GetSnapshotListingResponseProto { snapshot_list })
    }

    /// Proto: getSnapshotDiffReport, before the first slice.
    pub fn begin_snapshot_diff_report(
        &self,
        call: &Call<'_>,
        request: &p::GetSnapshotDiffReportRequestProto,
    ) -> Result<DiffReportCursor> {
        self.plan(call, |namespace, context| {
            let (from, to) = (request.from_snapshot.as_bytes(), request.to_snapshot.as_bytes());
            namespace.begin_snapshot_diff(context, request.snapshot_root.as_bytes(), from, to)
        })
    }

    /// Proto: getSnapshotDiffReport, each slice; true after the last one.
    pub fn continue_snapshot_diff_report(
        &self,
        call: &Call<'_>,
        cursor: &mut DiffReportCursor,
    ) -> Result<bool> {
        self.plan(call, |namespace, context| {
            namespace.continue_snapshot_diff(context, cursor, SLICE)
        })
    }

    /// Proto: getSnapshotDiffReportListing.
    pub fn get_snapshot_diff_report_listing(
        &self,
        call: &Call<'_>,
        request: &p::GetSnapshotDiffReportListingRequestProto,
    ) -> Result<p::GetSnapshotDiffReportListingResponseProto> {
        let cursor = request.cursor.as_ref().map_or_else(DiffCursor::default, |cursor| {
            DiffCursor { start_path: cursor.start_path.to_vec(), index: cursor.index }
        });
        let part = self.plan(call, |namespace, context| {
            let names = (request.from_snapshot.as_bytes(), request.to_snapshot.as_bytes());
            let root = request.snapshot_root.as_bytes();
            namespace.get_snapshot_diff_listing(context, root, names, &cursor)
        })?;
        let entries = |list: Vec<DiffListingEntry>| list.into_iter().map(listing_entry).collect();
        Ok(p::GetSnapshotDiffReportListingResponseProto {
            diff_report: p::SnapshotDiffReportListingProto {
                modified_entries: entries(part.modified),
                created_entries: entries(part.created),
                deleted_entries: entries(part.deleted),
                is_from_earlier: part.from_earlier,
                cursor: Some(p::SnapshotDiffReportCursorProto {
                    start_path: part.cursor.start_path.into(),
                    index: part.cursor.index,
                }),
            },
        })
    }
}

fn entry(entry: DiffEntry) -> p::SnapshotDiffReportEntryProto {
    p::SnapshotDiffReportEntryProto {
        fullpath: entry.path.into(),
        modification_label: entry.kind.label().to_owned(),
        target_path: entry.target.map(Into::into),
    }
}

fn listing_entry(entry: DiffListingEntry) -> p::SnapshotDiffReportListingEntryProto {
    p::SnapshotDiffReportListingEntryProto {
        fullpath: entry.path.into(),
        dir_id: entry.directory.0,
        is_reference: entry.is_reference,
        // Hadoop sends an empty one, too.
        target_path: Some(entry.target.unwrap_or_default().into()),
        file_id: Some(entry.inode.0),
    }
}
