//! Checks that several operations share: names, sizes of directories, quotas, protected directories.

use hdfs_types::{Error, ErrorKind, INodeId, Result};

use crate::namespace::Namespace;
use crate::plan::PlanContext;
use crate::quota::QuotaCounts;
use crate::resolve::{Resolved, text};
use crate::store::name_pool::MAX_NAME_BYTES;
use crate::store::record::{Flag, MAX_48, MAX_ID, Slot};

impl Namespace {
    /// `dfs.namenode.max.objects`.
    pub(crate) fn check_object_limit(&self, ctx: &PlanContext<'_>) -> Result<()> {
        let limit = ctx.conf.max_objects;
        if limit != 0 && limit <= self.counts.inodes() + self.counts.blocks {
            return Err(Error::io(format!(
                "Exceeded the configured number of objects {limit} in the filesystem."
            )));
        }
        Ok(())
    }

    /// The parent of a path exists and is a directory.
    pub(crate) fn verify_parent_dir(&self, resolved: &Resolved<'_>) -> Result<()> {
        if resolved.len() <= 2 {
            return Ok(());
        }
        match resolved.parent() {
            None => Err(Error::new(
                ErrorKind::FileNotFound,
                format!("Parent directory doesn't exist: {}", resolved.parent_text()),
            )),
            Some(parent) if !self.record(parent).is_directory() => Err(Error::new(
                ErrorKind::ParentNotDirectory,
                format!("Parent path is not a directory: {}", resolved.parent_text()),
            )),
            Some(_) => Ok(()),
        }
    }

    /// A name may be added below a directory: not reserved, not too long. `at_root` when the directory is `/`.
    pub(crate) fn verify_name(
        &self,
        ctx: &PlanContext<'_>,
        name: &[u8],
        parent_path: impl Fn() -> String,
        at_root: bool,
    ) -> Result<()> {
        if at_root && name == b".reserved" {
            return Err(Error::new(
                ErrorKind::HadoopIllegalArgument,
                "File name \".reserved\" is reserved and cannot be created. If this is during upgrade change the name \
                 of the existing file or directory to another name before upgrading to the new release.",
            ));
        }
        self.verify_component_length(ctx, name, parent_path)?;
        if name == b".snapshot" {
            return Err(Error::new(
                ErrorKind::HadoopIllegalArgument,
                "\".snapshot\" is a reserved name.",
            ));
        }
        Ok(())
    }

    pub(crate) fn verify_component_length(
        &self,
        ctx: &PlanContext<'_>,
        name: &[u8],
        parent_path: impl Fn() -> String,
    ) -> Result<()> {
        let limit = match ctx.conf.max_component_length {
            0 => MAX_NAME_BYTES,
            limit => limit.min(MAX_NAME_BYTES),
        };
        if name.len() > limit {
            return Err(Error::new(
                ErrorKind::PathComponentTooLong,
                format!(
                    "The maximum path component name limit of {} in directory {} is exceeded: limit={limit} length={}",
                    text(name),
                    parent_path(),
                    name.len()
                ),
            ));
        }
        Ok(())
    }

    /// A directory may get one more child. `leaving` children go away by the same operation.
    pub(crate) fn verify_max_items(
        &self,
        ctx: &PlanContext<'_>,
        parent: Slot,
        leaving: usize,
        parent_path: impl Fn() -> String,
    ) -> Result<()> {
        let items = self.children_of(parent).len() - leaving;
        let limit = ctx.conf.max_directory_items;
        if items >= limit {
            return Err(Error::new(
                ErrorKind::MaxDirectoryItemsExceeded,
                format!(
                    "The directory item limit of {} is exceeded: limit={limit} items={items}",
                    parent_path()
                ),
            ));
        }
        Ok(())
    }

    /// Every quota from a directory up to `/`, or up to (not including) `stop`, allows the difference.
    pub(crate) fn verify_quota(
        &self,
        from: Slot,
        delta: &QuotaCounts,
        stop: Option<Slot>,
    ) -> Result<()> {
        for slot in self.ancestry(from) {
            if Some(slot) == stop {
                break;
            }
            if self.record(slot).has(Flag::Quota)
                && let Some(quota) = self.quotas.get(&slot)
            {
                let used = self.usage_of_directory(slot);
                quota.check(&used, delta, || text(&self.path_of(slot)))?;
            }
        }
        Ok(())
    }

    /// Quotas allow `count` new names, one after the other: the first that does not fit is what the error counts.
    pub(crate) fn verify_new_names(
        &self,
        parent: Slot,
        count: usize,
        freed: &QuotaCounts,
    ) -> Result<()> {
        for names in 1..=count as i64 {
            let delta = QuotaCounts { names, ..QuotaCounts::default() }.minus(freed);
            self.verify_quota(parent, &delta, None)?;
        }
        Ok(())
    }

    /// `fs.protected.directories`.
    pub(crate) fn check_protected(
        &self,
        ctx: &PlanContext<'_>,
        resolved: &Resolved<'_>,
    ) -> Result<()> {
        let protected = &ctx.conf.protected_directories;
        if protected.is_empty() {
            return Ok(());
        }
        let denied = |what: &str, path: &[u8]| {
            let message = format!("Cannot delete/rename {what} {}", text(path));
            Err(Error::new(ErrorKind::AccessControl, message))
        };
        let path = resolved.path();
        if protected.contains(&path) {
            return denied("non-empty protected directory", &path);
        }
        for directory in protected {
            let below = directory.strip_prefix(path.as_slice());
            if below.is_some_and(|rest| rest.starts_with(b"/"))
                && let Some(slot) = self.find(directory)
                && self.is_non_empty_directory(slot)
            {
                return denied("non-empty protected subdirectory", directory);
            }
        }
        if ctx.conf.protect_subdirectories {
            let mut ancestor = path.as_slice();
            while let Some(slash) = ancestor.iter().rposition(|byte| *byte == b'/') {
                ancestor = &ancestor[..slash];
                if protected.iter().any(|directory| directory == ancestor) {
                    return denied("subdirectory under protected subdirectory", ancestor);
                }
            }
        }
        Ok(())
    }

    pub(crate) fn is_non_empty_directory(&self, slot: Slot) -> bool {
        self.record(slot).is_directory() && !self.children_of(slot).is_empty()
    }

    /// The next inode id, `ahead` of those that are planned already.
    pub(crate) fn next_inode_id(&self, ahead: u64) -> INodeId {
        INodeId(self.identities.last_inode_id.0 + 1 + ahead)
    }
}

/// In replay: an id that an inode may get.
pub(crate) fn check_new_id(namespace: &Namespace, id: INodeId) -> Result<(), String> {
    if id.0 == 0 || id.0 > MAX_ID {
        return Err(format!("inode id {id} is out of range"));
    }
    if namespace.index.get(id.0).is_some() {
        return Err(format!("inode id {id} is in use"));
    }
    Ok(())
}

/// In replay: a time that a record can hold.
pub(crate) fn check_time(time: u64) -> Result<(), String> {
    if time > MAX_48 { Err(format!("time {time} is out of range")) } else { Ok(()) }
}

/// In replay: a block that a record can hold.
pub(crate) fn check_block(block: &hdfs_types::Block) -> Result<(), String> {
    if block.num_bytes > MAX_48 || block.generation_stamp.0 > MAX_48 {
        return Err(format!("block {block:?} is out of range"));
    }
    Ok(())
}

/// In replay: a generation stamp that a record can hold.
pub(crate) fn check_stamp(stamp: hdfs_types::GenerationStamp) -> Result<(), String> {
    if stamp.0 > MAX_48 {
        return Err(format!("generation stamp {stamp} is out of range"));
    }
    Ok(())
}

/// Most replicas: 11 bits of a file's header.
pub(crate) const MAX_REPLICATION: u16 = (1 << 11) - 1;

/// In replay: a replication that a record can hold.
pub(crate) fn check_replication(replication: u16) -> Result<(), String> {
    if replication > MAX_REPLICATION {
        return Err(format!("replication {replication} is out of range"));
    }
    Ok(())
}
