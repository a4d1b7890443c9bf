//! POSIX-like permissions.

use std::fmt;

/// What a caller wants to do, as a set of bits: read 4, write 2, execute 1.
///
/// Hadoop: org.apache.hadoop.fs.permission.FsAction (3.5.0)
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct FsAction(pub u8);

impl FsAction {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// Traverse a directory.
    pub const EXECUTE: Self = Self(1);
    /// Write.
    pub const WRITE: Self = Self(2);
    /// Write and traverse.
    pub const WRITE_EXECUTE: Self = Self(3);
    /// Read.
    pub const READ: Self = Self(4);
    /// Read and traverse.
    pub const READ_EXECUTE: Self = Self(5);
    /// Read and write.
    pub const READ_WRITE: Self = Self(6);
    /// Everything.
    pub const ALL: Self = Self(7);

    /// True when every bit of `wanted` is in this set.
    pub fn implies(self, wanted: Self) -> bool {
        self.0 & wanted.0 == wanted.0
    }

    /// `rwx` with `-` for what is missing.
    pub fn symbol(self) -> &'static str {
        ["---", "--x", "-w-", "-wx", "r--", "r-x", "rw-", "rwx"][usize::from(self.0 & 7)]
    }

    /// Hadoop's name, as in "Permission denied: … access=WRITE_EXECUTE".
    pub fn name(self) -> &'static str {
        ["NONE", "EXECUTE", "WRITE", "WRITE_EXECUTE", "READ", "READ_EXECUTE", "READ_WRITE", "ALL"]
            [usize::from(self.0 & 7)]
    }
}

/// Mode bits: 9 for user, group and others, and the sticky bit 01000.
///
/// Hadoop: org.apache.hadoop.fs.permission.FsPermission (3.5.0)
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct FsPermission(pub u16);

impl FsPermission {
    /// 0755.
    pub const DEFAULT_DIRECTORY: Self = Self(0o755);
    /// 0644.
    pub const DEFAULT_FILE: Self = Self(0o644);

    /// The owner's part.
    pub fn user(self) -> FsAction {
        FsAction((self.0 >> 6) as u8 & 7)
    }

    /// The group's part.
    pub fn group(self) -> FsAction {
        FsAction((self.0 >> 3) as u8 & 7)
    }

    /// Everybody else's part.
    pub fn other(self) -> FsAction {
        FsAction(self.0 as u8 & 7)
    }

    /// True when only owners may remove entries of this directory.
    pub fn sticky(self) -> bool {
        self.0 & 0o1000 != 0
    }

    /// These bits without those of `mask`.
    #[must_use]
    pub fn apply_umask(self, mask: Self) -> Self {
        Self(self.0 & !mask.0)
    }
}

/// `rwxr-xr-t`: nine characters, the last one `t` or `T` with the sticky bit.
impl fmt::Display for FsPermission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.user().symbol())?;
        f.write_str(self.group().symbol())?;
        let other = self.other();
        if self.sticky() {
            f.write_str(&other.symbol()[..2])?;
            f.write_str(if other.implies(FsAction::EXECUTE) { "t" } else { "T" })
        } else {
            f.write_str(other.symbol())
        }
    }
}

/// Owner, group and mode of an inode, by name.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PermissionStatus {
    /// Owner.
    pub user: String,
    /// Group.
    pub group: String,
    /// Mode.
    pub permission: FsPermission,
}
