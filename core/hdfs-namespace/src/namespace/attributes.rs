//! What an inode shares with others: owner, group, mode, and the header of a file.

use hdfs_format::fsimage::FileHeader;
use hdfs_types::FsPermission;

use super::Namespace;
use crate::store::record::Slot;
use crate::store::shared::SharedAttributes;

/// The user of a packed permission.
pub(crate) fn user_of(permission: u64) -> u32 {
    (permission >> 40) as u32
}

/// The group of a packed permission.
pub(crate) fn group_of(permission: u64) -> u32 {
    (permission >> 16) as u32 & 0xFF_FFFF
}

/// A packed permission with another group.
pub(crate) fn with_group(permission: u64, group: u32) -> u64 {
    permission & !(0xFF_FFFF << 16) | u64::from(group) << 16
}

impl Namespace {
    #[inline]
    pub(crate) fn shared_of(&self, slot: Slot) -> &SharedAttributes {
        self.shared.get(self.record(slot).shared)
    }

    /// User, group and mode, packed.
    #[inline]
    pub(crate) fn permission_of(&self, slot: Slot) -> u64 {
        self.shared_of(slot).permission
    }

    #[inline]
    pub(crate) fn mode_of(&self, slot: Slot) -> FsPermission {
        FsPermission(self.permission_of(slot) as u16)
    }

    #[inline]
    pub(crate) fn user_of(&self, slot: Slot) -> u32 {
        user_of(self.permission_of(slot))
    }

    #[inline]
    pub(crate) fn group_of(&self, slot: Slot) -> u32 {
        group_of(self.permission_of(slot))
    }

    #[inline]
    pub(crate) fn file_header(&self, slot: Slot) -> FileHeader {
        FileHeader::unpack(self.shared_of(slot).header)
    }

    pub(crate) fn set_mode(&mut self, slot: Slot, mode: FsPermission) {
        let permission = self.permission_of(slot) & !0xFFFF | u64::from(mode.0);
        self.set_shared(slot, SharedAttributes { permission, ..*self.shared_of(slot) });
    }

    pub(crate) fn set_user(&mut self, slot: Slot, user: u32) {
        let permission = self.permission_of(slot) & ((1 << 40) - 1) | u64::from(user) << 40;
        self.set_shared(slot, SharedAttributes { permission, ..*self.shared_of(slot) });
    }

    pub(crate) fn set_group(&mut self, slot: Slot, group: u32) {
        let permission = with_group(self.permission_of(slot), group);
        self.set_shared(slot, SharedAttributes { permission, ..*self.shared_of(slot) });
    }

    pub(crate) fn set_file_header(&mut self, slot: Slot, header: FileHeader) {
        let header = header.pack();
        self.set_shared(slot, SharedAttributes { header, ..*self.shared_of(slot) });
    }

    fn set_shared(&mut self, slot: Slot, value: SharedAttributes) {
        let old = self.record(slot).shared;
        self.record_mut(slot).shared = self.shared.take(value, 1);
        self.shared.release(old);
    }
}
