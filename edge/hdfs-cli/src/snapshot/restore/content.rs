//! Content and attributes of one inode, from the snapshot to its place.

use hdfs_client::{CreateOptions, FileStatus, RenameOptions, Times, XAttrSet};
use hdfs_types::{Error, Result};

use super::Restore;
use crate::shell::full_acl;

const BUFFER: usize = 1 << 20;

impl Restore {
    /// True when a file has its content of then, or could be cut to it.
    pub(super) fn same_content(&self, then: &FileStatus, now: &FileStatus) -> Result<bool> {
        if now.length == then.length && now.modification_time == then.modification_time {
            return Ok(true);
        }
        if now.length < then.length {
            return Ok(false);
        }
        // A cluster that cannot tell makes a copy.
        let sum = |path: &str| self.client.file_checksum_of(path, then.length).ok().flatten();
        let (Some(old), Some(new)) = (sum(&then.path), sum(&now.path)) else { return Ok(false) };
        if old != new {
            return Ok(false);
        }
        if now.length > then.length {
            if self.client.truncate(&now.path, then.length).is_err() {
                // Nothing changed: a copy does it, too.
                return Ok(false);
            }
            self.client.wait_for_truncate(&now.path, then.length)?;
        }
        Ok(true)
    }

    /// Copies a file of the snapshot; the target appears, or changes, when the copy is whole.
    pub(super) fn copy_file(&mut self, then: &FileStatus, target: &str) -> Result<()> {
        let temporary = super::join(&self.target(&self.temporary), "copy");
        let options = CreateOptions {
            overwrite: true,
            create_parent: false,
            replication: Some(then.replication.max(1)),
            block_size: Some(then.block_size),
            ..CreateOptions::default()
        };
        let mut reader = self.client.open(&then.path)?;
        let mut writer = self.client.create(&temporary, options)?;
        let mut buffer = vec![0; BUFFER];
        let mut bytes = 0;
        loop {
            let read = reader.read_some(&mut buffer)?;
            if read == 0 {
                break;
            }
            writer.write_some(&buffer[..read])?;
            bytes += read as u64;
            let percent = (bytes * 100).checked_div(then.length).unwrap_or(100);
            self.progress.show(&format!("copying {target} {percent}%"));
        }
        writer.close()?;
        if bytes != then.length {
            return Err(Error::io(format!("{} gave {bytes} bytes of {}", then.path, then.length)));
        }
        let options = RenameOptions { overwrite: true, ..RenameOptions::default() };
        self.client.rename_with(&temporary, target, options)?;
        self.copied += 1;
        Ok(())
    }

    /// Sets what differs: owner, mode, list, extended attributes, replication, storage policy of a file, times.
    pub(super) fn copy_attributes(&self, then: &FileStatus, target: &str) -> Result<()> {
        let client = &self.client;
        let now = client.status(target)?;
        if then.is_file() && now.replication != then.replication {
            client.set_replication(target, then.replication)?;
        }
        if then.is_file() && then.storage_policy != 0 && now.storage_policy != then.storage_policy {
            let policies = client.storage_policies()?;
            if let Some(policy) = policies.iter().find(|policy| policy.id == then.storage_policy) {
                client.set_storage_policy(target, &policy.name)?;
            }
        }
        self.copy_xattrs(then, target)?;
        if then.has_acl {
            let entries = client.acl_status(&then.path)?.entries;
            if !now.has_acl || client.acl_status(target)?.entries != entries {
                client.set_acl(target, &full_acl(then.permission, &entries))?;
            }
        } else if now.has_acl {
            client.remove_acl(target)?;
        }
        if client.status(target)?.permission != then.permission {
            client.set_permission(target, then.permission)?;
        }
        if (&now.owner, &now.group) != (&then.owner, &then.group) {
            let changed = |now: &str, then: &str| (now != then).then(|| then.to_owned());
            let owner = changed(&now.owner, &then.owner);
            let group = changed(&now.group, &then.group);
            client.set_owner(target, owner.as_deref(), group.as_deref())?;
        }
        if then.is_file() { self.set_times(then, target) } else { Ok(()) }
    }

    fn copy_xattrs(&self, then: &FileStatus, target: &str) -> Result<()> {
        let old = self.client.xattrs(&then.path, &[])?;
        let new = self.client.xattrs(target, &[])?;
        for (name, value) in old.iter().filter(|xattr| !new.contains(xattr)) {
            self.client.set_xattr(target, name, Some(value), XAttrSet::Any)?;
        }
        for (name, _) in new.iter().filter(|xattr| old.iter().all(|of| of.0 != xattr.0)) {
            self.client.remove_xattr(target, name)?;
        }
        Ok(())
    }

    pub(super) fn set_times(&self, then: &FileStatus, target: &str) -> Result<()> {
        let now = self.client.status(target)?;
        if now.modification_time == then.modification_time {
            return Ok(());
        }
        let access = then.is_file().then_some(then.access_time);
        let times = Times { modification: Some(then.modification_time), access };
        self.client.set_times(target, times)
    }
}
