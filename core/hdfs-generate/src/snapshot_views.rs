//! What a snapshot shows never changes, but for what Hadoop lets change.

use std::fmt::Write;

use hdfs_format::edits::EditOp;
use hdfs_namespace::{FileStatus, INodeKind, Namespace};
use hdfs_types::{FastSet, INodeId, WallMillis, constants};

use crate::Generator;
use crate::pick::{join, text};

/// Every snapshot that there is.
#[derive(Debug, Default)]
pub(crate) struct Snapshots {
    pub(crate) taken: Vec<Taken>,
    /// Files that were renamed while there were snapshots.
    pub(crate) moved: FastSet<INodeId>,
    /// Operations that were looked at.
    checked: usize,
    /// Files that were being written after the last check.
    open: FastSet<INodeId>,
}

/// A snapshot that was taken, and what it showed at the last check; nothing before the first.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) directory: INodeId,
    pub(crate) name: String,
    view: Vec<Shown>,
    /// Its root's modification time is that of the change of its name.
    is_renamed: bool,
}

impl Taken {
    pub(crate) fn new(directory: INodeId, name: String) -> Self {
        Self { directory, name, view: Vec::new(), is_renamed: false }
    }
}

/// An inode in a snapshot.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Shown {
    path: Vec<u8>,
    kind: INodeKind,
    inode: INodeId,
    /// What never changes.
    fixed: String,
    mtime: WallMillis,
    /// Of files only: access times of directories are not kept.
    atime: WallMillis,
    length: u64,
}

/// Modification times that a step gives to directories without keeping the one before.
type Given = Vec<(INodeId, WallMillis)>;

impl Snapshots {
    pub(crate) fn renamed(&mut self, tree: &Namespace, path: &[u8], old: &str, new: String) {
        let found = self
            .taken
            .iter_mut()
            .find(|taken| taken.name == old && tree.path(taken.directory).as_deref() == Some(path));
        if let Some(taken) = found {
            taken.name = new;
            taken.is_renamed = true;
        }
    }

    pub(crate) fn deleted(&mut self, tree: &Namespace, path: &[u8], name: &str) {
        self.taken.retain(|taken| {
            taken.name != name || tree.path(taken.directory).as_deref() != Some(path)
        });
    }
}

impl Generator {
    /// Every snapshot shows what it showed after the step before.
    ///
    /// # Errors
    /// Which one does not, and how.
    pub(crate) fn check_snapshots(&mut self) -> Result<(), String> {
        let caller = self.replace_caller(0);
        let mut snapshots = std::mem::take(&mut self.snapshots);
        let new = &self.log()[snapshots.checked..];
        let (added, snapped) = (self.added_by(new), self.snapped_by(new));
        snapshots.checked = self.log().len();
        let open: FastSet<INodeId> =
            self.namespace.leases().files_after(INodeId(0)).map(|(id, _)| id).collect();
        snapshots.open.extend(open.iter().copied());
        let outcome = snapshots
            .taken
            .iter_mut()
            .try_for_each(|taken| self.check_snapshot(taken, (&added, &snapped), &snapshots.open));
        snapshots.open = open;
        self.snapshots = snapshots;
        self.replace_caller(caller);
        outcome
    }

    /// Directories that got a child, and the times that this gave them.
    ///
    /// A child that is added gives its directory its own modification time, and Hadoop keeps no copy of the directory before:
    /// unless it has one, the snapshot shows the new time. A rename does so too, before it sets the time of the
    /// call and keeps a copy: then the snapshot goes on to show the time of the child.
    ///
    /// Hadoop: DirectoryWithSnapshotFeature.addChild, FSDirRenameOp.RenameOperation.updateMtimeAndLease (3.5.0)
    fn added_by(&self, ops: &[EditOp]) -> Given {
        let status = |path: &[u8]| {
            let found =
                self.with(|tree, ctx| tree.get_file_info(ctx, path, false, false).ok().flatten());
            found.map(|status| (status.inode, status.mtime))
        };
        let parent = |path: &[u8]| {
            let end = path.iter().rposition(|byte| *byte == b'/').unwrap_or(0).max(1);
            status(&path[..end])
        };
        let mut added = Vec::new();
        for op in ops {
            let (path, time) = match op {
                EditOp::Mkdir(op) => (&op.path, Some(op.timestamp)),
                EditOp::Add(op) => (&op.path, Some(op.mtime)),
                EditOp::Symlink(op) => (&op.path, Some(op.mtime)),
                EditOp::Rename(op) => (&op.dst, status(&op.dst).map(|(_, mtime)| mtime)),
                EditOp::RenameOld(op) => (&op.dst, status(&op.dst).map(|(_, mtime)| mtime)),
                _ => continue,
            };
            added.extend(parent(path).map(|(inode, _)| inode).zip(time));
        }
        added
    }

    /// Directories of which a snapshot was taken or got another name, and when.
    ///
    /// What was renamed out of one snapshot may get snapshots of its own. The first of these gives its directory the time
    /// at which it was taken, without a copy, and is the copy that the other snapshot shows from then on: with that
    /// time, and with the time of a change of its name. Seen with Apache's NameNode.
    ///
    /// Hadoop: DirectorySnapshottableFeature.{addSnapshot, renameSnapshot} (3.5.0)
    fn snapped_by(&self, ops: &[EditOp]) -> Given {
        let snapped = ops.iter().filter_map(|op| match op {
            EditOp::CreateSnapshot(op) => Some((&op.snapshot_root, op.mtime)),
            EditOp::RenameSnapshot(op) => Some((&op.snapshot_root, op.mtime)),
            _ => None,
        });
        let inode = |path: &[u8]| {
            let found =
                self.with(|tree, ctx| tree.get_file_info(ctx, path, false, false).ok().flatten());
            found.map(|status| status.inode)
        };
        snapped.filter_map(|(path, time)| Some((inode(path)?, time))).collect()
    }

    fn check_snapshot(
        &self,
        taken: &mut Taken,
        (added, snapped): (&Given, &Given),
        open: &FastSet<INodeId>,
    ) -> Result<(), String> {
        let path = self.namespace.path(taken.directory);
        let path = path.ok_or_else(|| format!("the directory of {} is gone", taken.name))?;
        let path = [&path, b"/.snapshot/".as_slice(), taken.name.as_bytes()].concat();
        let mut view = self.view(&path)?;
        let before = std::mem::take(&mut taken.view);
        if before.is_empty() {
            taken.view = view;
            return Ok(());
        }
        let is_renamed = std::mem::take(&mut taken.is_renamed);
        if view.len() != before.len() {
            let names = |view: &[Shown]| view.iter().map(|shown| text(&shown.path)).collect();
            let (now, before): (Vec<_>, Vec<_>) = (names(&view), names(&before));
            return Err(format!("snapshot {} changed: {now:?}, was {before:?}", text(&path)));
        }
        for (index, (now, before)) in view.iter().zip(&before).enumerate() {
            // Snapshots of one directory do not change each other.
            let given =
                if now.inode == taken.directory { vec![added] } else { vec![added, snapped] };
            let explained = self.explains(before, now, &given, open) || is_renamed && index == 0;
            if now != before && !explained {
                return Err(format!(
                    "snapshot {} changed:\n  now:    {now:?}\n  before: {before:?}",
                    text(&path)
                ));
            }
        }
        taken.view = std::mem::take(&mut view);
        Ok(())
    }

    /// Hadoop lets this change:
    /// - The modification time of a directory without a copy, to that of a child that is added, or of its own first
    ///   snapshot.
    /// - Length and times of a file that was open when the snapshot was taken and that has no copy yet: as it is now.
    fn explains(
        &self,
        before: &Shown,
        now: &Shown,
        given: &[&Given],
        open: &FastSet<INodeId>,
    ) -> bool {
        let Shown { mtime, atime, length, .. } = *now;
        if (Shown { mtime, atime, length, ..before.clone() }) != *now {
            return false;
        }
        if now.kind == INodeKind::Directory {
            return mtime > before.mtime
                && given.iter().any(|given| given.contains(&(now.inode, mtime)));
        }
        let current = self.namespace.path(now.inode).and_then(|path| {
            self.with(|tree, ctx| tree.get_file_info(ctx, &path, false, false).ok().flatten())
        });
        open.contains(&now.inode)
            && current.is_some_and(|current| {
                (current.mtime, current.atime, current.length) == (mtime, atime, length)
            })
    }

    /// What the current tree shows the superuser, by path and by id.
    ///
    /// # Errors
    /// When something can't be listed.
    pub(crate) fn shown_now(&self) -> Result<Vec<String>, String> {
        let mut shown: Vec<String> =
            self.view(b"/")?.iter().map(|shown| format!("{shown:?}")).collect();
        let last = self.namespace.identities().last_inode_id;
        for id in (constants::ROOT_INODE_ID..=last.0).map(INodeId) {
            let path = self.namespace.path(id);
            shown.push(format!("{id}: {:?}", path.as_deref().map(text)));
        }
        Ok(shown)
    }

    /// What is below a directory, as the superuser sees it.
    fn view(&self, path: &[u8]) -> Result<Vec<Shown>, String> {
        let root = self
            .with(|namespace, ctx| namespace.get_file_info(ctx, path, false, false))
            .map_err(|error| error.message)?
            .ok_or_else(|| format!("{} does not exist", text(path)))?;
        let mut view = vec![self.shown(path, b"", &root)];
        let mut next = 0;
        while let Some(shown) = view.get(next) {
            next += 1;
            if shown.kind != INodeKind::Directory {
                continue;
            }
            let below = shown.path.clone();
            let directory = if below.is_empty() { path.to_vec() } else { join(path, &below) };
            let listing = self
                .with(|namespace, ctx| namespace.get_listing(ctx, &directory, b"", false))
                .map_err(|error| error.message)?
                .ok_or_else(|| format!("{} can't be listed", text(&directory)))?;
            for status in &listing.entries {
                let below =
                    if below.is_empty() { status.name.clone() } else { join(&below, &status.name) };
                view.push(self.shown(path, &below, status));
            }
        }
        Ok(view)
    }

    fn shown(&self, snapshot: &[u8], below: &[u8], status: &FileStatus) -> Shown {
        let mut fixed = format!(
            "{} {} {:o} {}:{} {:?}",
            status.replication,
            status.block_size,
            status.permission.0,
            status.owner,
            status.group,
            status.symlink.as_deref().map(text),
        );
        if status.kind != INodeKind::Symlink {
            let path = if below.is_empty() { snapshot.to_vec() } else { join(snapshot, below) };
            let xattrs = self.with(|namespace, ctx| namespace.get_xattrs(ctx, &path, &[]));
            let acl = self.with(|namespace, ctx| namespace.get_acl_status(ctx, &path));
            let _ = write!(fixed, " {:?} {:?}", xattrs.ok(), acl.ok().map(|acl| acl.entries));
        }
        let is_directory = status.kind == INodeKind::Directory;
        Shown {
            path: below.to_vec(),
            kind: status.kind,
            inode: status.inode,
            fixed,
            mtime: status.mtime,
            atime: if is_directory { WallMillis(0) } else { status.atime },
            length: status.length,
        }
    }
}
