//! Quotas of directories and what counts against them.
//!
//! What every directory counts, itself and everything below, is kept in its record while the tree changes: a change adds
//! its difference to every directory on the way to `/`. So a quota can be set, and a tree of any size moved or deleted, in
//! constant time. Files without storage policy count for no kind of storage; of directories with others below, a side table
//! has the kinds.
//! `/` always has a quota, without limits.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.{QuotaCounts, DirectoryWithQuotaFeature} (3.5.0)

use hdfs_types::{Error, ErrorKind, Result, StorageType, byte_desc};

use crate::status::TypeSpace;

/// No limit.
pub(crate) const RESET: i64 = -1;
/// Leave as it is.
pub(crate) const DONT_SET: i64 = i64::MAX;

/// Names and bytes, of all kinds of storage and of each.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct QuotaCounts {
    pub(crate) names: i64,
    pub(crate) space: i64,
    pub(crate) types: TypeSpace,
}

impl QuotaCounts {
    /// Numbers of a damaged image may run over; sums and differences then still undo each other.
    pub(crate) fn add(&mut self, other: &Self) {
        self.names = self.names.wrapping_add(other.names);
        self.space = self.space.wrapping_add(other.space);
        for (mine, theirs) in self.types.iter_mut().zip(other.types) {
            *mine = mine.wrapping_add(theirs);
        }
    }

    #[must_use]
    pub(crate) fn minus(mut self, other: &Self) -> Self {
        self.names = self.names.wrapping_sub(other.names);
        self.space = self.space.wrapping_sub(other.space);
        for (mine, theirs) in self.types.iter_mut().zip(other.types) {
            *mine = mine.wrapping_sub(theirs);
        }
        self
    }

    #[must_use]
    pub(crate) fn negated(&self) -> Self {
        Self::default().minus(self)
    }

    fn grows(&self) -> bool {
        self.names > 0 || self.space > 0 || self.types.iter().any(|space| *space > 0)
    }
}

/// The quota feature of a directory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Quota {
    pub(crate) limit: QuotaCounts,
}

impl Quota {
    /// Without limits: that of `/`.
    pub(crate) fn unlimited() -> Self {
        Self { limit: QuotaCounts { names: i64::MAX, space: RESET, types: [RESET; 6] } }
    }

    /// True when any limit is set.
    pub(crate) fn is_set(&self) -> bool {
        self.limit.names >= 0
            || self.limit.space >= 0
            || self.limit.types.iter().any(|limit| *limit >= 0)
    }

    /// # Errors
    /// NsQuotaExceeded, DsQuotaExceeded or QuotaByStorageTypeExceeded when `delta` does not fit beside what is used.
    pub(crate) fn check(
        &self,
        used: &QuotaCounts,
        delta: &QuotaCounts,
        path: impl Fn() -> String,
    ) -> Result<()> {
        if !delta.grows() {
            return Ok(());
        }
        if is_violated(self.limit.names, used.names, delta.names) {
            return Err(Error::new(
                ErrorKind::NsQuotaExceeded,
                format!(
                    "The NameSpace quota (directories and files) of directory {} is exceeded: quota={} file count={}",
                    path(),
                    self.limit.names,
                    used.names.wrapping_add(delta.names)
                ),
            ));
        }
        if is_violated(self.limit.space, used.space, delta.space) {
            let consumed = used.space.wrapping_add(delta.space);
            return Err(Error::new(
                ErrorKind::DsQuotaExceeded,
                format!(
                    "The DiskSpace quota of {} is exceeded: quota = {} B = {} but diskspace consumed = {} B = {}",
                    path(),
                    self.limit.space,
                    byte_desc(self.limit.space),
                    consumed,
                    byte_desc(consumed)
                ),
            ));
        }
        for kind in StorageType::ALL {
            let index = type_index(kind);
            let (limit, used) = (self.limit.types[index], used.types[index]);
            if kind != StorageType::RamDisk && is_violated(limit, used, delta.types[index]) {
                let consumed = used.wrapping_add(delta.types[index]);
                return Err(Error::new(
                    ErrorKind::QuotaByStorageTypeExceeded,
                    format!(
                        "Quota by storage type : {} on path : {} is exceeded. quota = {} but space consumed = {}",
                        kind.name(),
                        path(),
                        byte_desc(limit),
                        byte_desc(consumed)
                    ),
                ));
            }
        }
        Ok(())
    }
}

/// The place of a kind in a [`TypeSpace`].
pub(crate) fn type_index(kind: StorageType) -> usize {
    kind as usize - 1
}

/// Hadoop: org.apache.hadoop.hdfs.server.namenode.Quota.isViolated (3.5.0)
fn is_violated(limit: i64, used: i64, delta: i64) -> bool {
    limit >= 0 && delta > 0 && used > limit.saturating_sub(delta)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_is_exceeded_with_hadoops_words() {
        let mut quota = Quota::unlimited();
        quota.limit.names = 2;
        let used = QuotaCounts { names: 2, ..QuotaCounts::default() };
        quota.limit.space = 1_500;
        let more = QuotaCounts { names: 1, ..QuotaCounts::default() };
        let error = quota.check(&used, &more, || "/q".to_owned()).expect_err("it is full");
        assert_eq!(
            error.message,
            "The NameSpace quota (directories and files) of directory /q is exceeded: quota=2 file count=3"
        );
        let space = QuotaCounts { space: 2_048, ..QuotaCounts::default() };
        let error = quota.check(&used, &space, || "/q".to_owned()).expect_err("it is too much");
        assert_eq!(
            error.message,
            "The DiskSpace quota of /q is exceeded: quota = 1500 B = 1.46 KB but diskspace consumed = 2048 B = 2 KB"
        );
        assert!(quota.check(&used, &more.negated(), || "/q".to_owned()).is_ok());
    }
}
