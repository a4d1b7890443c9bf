//! Calls on snapshots; and that what a snapshot shows never changes.

use std::fmt::Write;

use hdfs_namespace::{FileStatus, INodeKind};
use hdfs_types::{INodeId, Result, Rng};

use crate::Generator;
use crate::generator::Call;
use crate::pick::{Entry, join, text};

pub(crate) const CALLS: &[(u32, Call)] =
    &[(3, allow), (6, create), (2, rename), (3, delete), (1, disallow)];

/// Names of snapshots: few, so that some exist.
const NAMES: [&str; 4] = ["s0", "s1", "s2", "sn\u{ef}p"];

/// A snapshot that was taken, and what it showed then.
#[derive(Debug)]
struct Taken {
    directory: INodeId,
    name: String,
    view: String,
    /// Files that were written then: their lengths and times go on in the snapshot.
    open: Vec<INodeId>,
}

/// Every snapshot that there is.
#[derive(Debug, Default)]
pub(crate) struct Snapshots {
    taken: Vec<Taken>,
}

impl Generator {
    fn a_snapshottable_directory(&mut self) -> Option<Vec<u8>> {
        self.existing(|entry| entry.status.snapshottable && entry.path != b"/")
    }

    /// A directory and the name of one of its snapshots.
    fn a_snapshot(&mut self) -> Option<(Vec<u8>, INodeId, String)> {
        let count = self.snapshots.taken.len() as u64;
        let index = if count == 0 { return None } else { self.rng.below(count) as usize };
        let taken = &self.snapshots.taken[index];
        let path = self.namespace.path(taken.directory)?;
        Some((path, taken.directory, taken.name.clone()))
    }

    /// Every snapshot shows what it showed when it was taken.
    ///
    /// # Errors
    /// Which one does not, and how.
    pub(crate) fn check_snapshots(&mut self) -> std::result::Result<(), String> {
        let caller = self.replace_caller(0);
        let taken = std::mem::take(&mut self.snapshots.taken);
        let outcome = taken.iter().try_for_each(|taken| self.check_snapshot(taken));
        self.snapshots.taken = taken;
        self.replace_caller(caller);
        outcome
    }

    fn check_snapshot(&self, taken: &Taken) -> std::result::Result<(), String> {
        let path = self.namespace.path(taken.directory);
        let path = path.ok_or_else(|| format!("the directory of {} is gone", taken.name))?;
        let path = [&path, b"/.snapshot/".as_slice(), taken.name.as_bytes()].concat();
        let view = self.view(&path, &taken.open)?;
        if view == taken.view {
            return Ok(());
        }
        let differs = |(now, before): &(&str, &str)| now != before;
        let pair = view.lines().zip(taken.view.lines()).find(differs);
        let (now, before) = pair.unwrap_or(("", "the same lines, and others"));
        Err(format!("snapshot {} changed:\n  now:    {now}\n  before: {before}", text(&path)))
    }

    /// What is below a directory, as the superuser sees it.
    fn view(&self, path: &[u8], open: &[INodeId]) -> std::result::Result<String, String> {
        let mut out = String::new();
        let root = self
            .with(|namespace, ctx| namespace.get_file_info(ctx, path, false, false))
            .map_err(|error| error.message)?
            .ok_or_else(|| format!("{} does not exist", text(path)))?;
        self.show(path, &root, open, &mut out);
        let mut waiting = vec![path.to_vec()];
        while let Some(directory) = waiting.pop() {
            let listing = self
                .with(|namespace, ctx| namespace.get_listing(ctx, &directory, b"", false))
                .map_err(|error| error.message)?
                .ok_or_else(|| format!("{} can't be listed", text(&directory)))?;
            for status in &listing.entries {
                let child = join(&directory, &status.name);
                self.show(&child, status, open, &mut out);
                if status.kind == INodeKind::Directory {
                    waiting.push(child);
                }
            }
        }
        Ok(out)
    }

    fn show(&self, path: &[u8], status: &FileStatus, open: &[INodeId], out: &mut String) {
        // Access times of directories are not kept.
        let is_closed_file = status.kind == INodeKind::File && !open.contains(&status.inode);
        let _ = write!(
            out,
            "{:?} {} {} {} {} {:o} {} {}:{} {:?}",
            status.kind,
            text(&status.name),
            status.inode,
            status.replication,
            status.block_size,
            status.permission.0,
            status.mtime.0,
            status.owner,
            status.group,
            status.symlink.as_deref().map(text),
        );
        if is_closed_file {
            let _ = write!(out, " {} a{}", status.length, status.atime.0);
        }
        if status.kind != INodeKind::Symlink {
            let xattrs = self.with(|namespace, ctx| namespace.get_xattrs(ctx, path, &[]));
            let acl = self.with(|namespace, ctx| namespace.get_acl_status(ctx, path));
            let _ = write!(out, " {:?} {:?}", xattrs.ok(), acl.ok().map(|acl| acl.entries));
        }
        out.push('\n');
    }
}

fn allow(generator: &mut Generator) -> Result<()> {
    generator.as_superuser();
    let below = |entry: &Entry| entry.is_directory() && !entry.status.snapshottable;
    let path = generator.existing(below).unwrap_or_else(|| b"/".to_vec());
    generator.say(format!("allowSnapshot {}", text(&path)));
    generator.call(|namespace, ctx| namespace.plan_allow_snapshot(ctx, &path))
}

fn create(generator: &mut Generator) -> Result<()> {
    generator.as_superuser();
    let Some(path) = generator.a_snapshottable_directory() else { return allow(generator) };
    let name = generator.one_of(&NAMES).to_owned();
    generator.say(format!("createSnapshot {} {name}", text(&path)));
    generator
        .call(|namespace, ctx| namespace.plan_create_snapshot(ctx, &path, Some(name.as_bytes())))?;
    let open: Vec<INodeId> =
        generator.namespace.leases().files_after(INodeId(0)).map(|(id, _)| id).collect();
    let view = generator.view(&[&path, b"/.snapshot/".as_slice(), name.as_bytes()].concat(), &open);
    let status =
        generator.with(|namespace, ctx| namespace.get_file_info(ctx, &path, false, false))?;
    if let Some(status) = status {
        // A view that can't be had is found by the next check.
        let view = view.unwrap_or_default();
        generator.snapshots.taken.push(Taken { directory: status.inode, name, view, open });
    }
    Ok(())
}

fn rename(generator: &mut Generator) -> Result<()> {
    generator.as_superuser();
    let Some((path, directory, old)) = generator.a_snapshot() else { return create(generator) };
    let new = generator.one_of(&NAMES).to_owned();
    generator.say(format!("renameSnapshot {} {old} {new}", text(&path)));
    generator.call(|namespace, ctx| {
        namespace.plan_rename_snapshot(ctx, &path, old.as_bytes(), new.as_bytes())
    })?;
    let mut taken = std::mem::take(&mut generator.snapshots.taken);
    for taken in
        taken.iter_mut().filter(|taken| (taken.directory, &taken.name) == (directory, &old))
    {
        taken.name.clone_from(&new);
        // Its root is as it was but for the modification time: the first line.
        let path = [&path, b"/.snapshot/".as_slice(), new.as_bytes()].concat();
        let now = generator.view(&path, &taken.open).unwrap_or_default();
        let root = now.lines().next().unwrap_or_default();
        let below = taken.view.split_once('\n').map_or("", |(_, below)| below);
        taken.view = format!("{root}\n{below}");
    }
    generator.snapshots.taken = taken;
    Ok(())
}

fn delete(generator: &mut Generator) -> Result<()> {
    generator.as_superuser();
    let Some((path, directory, name)) = generator.a_snapshot() else { return create(generator) };
    generator.say(format!("deleteSnapshot {} {name}", text(&path)));
    generator.call(|namespace, ctx| namespace.plan_delete_snapshot(ctx, &path, name.as_bytes()))?;
    let gone = |taken: &Taken| (taken.directory, &taken.name) == (directory, &name);
    generator.snapshots.taken.retain(|taken| !gone(taken));
    Ok(())
}

fn disallow(generator: &mut Generator) -> Result<()> {
    generator.as_superuser();
    let Some(path) = generator.a_snapshottable_directory() else { return allow(generator) };
    generator.say(format!("disallowSnapshot {}", text(&path)));
    generator.call(|namespace, ctx| namespace.plan_disallow_snapshot(ctx, &path))
}
