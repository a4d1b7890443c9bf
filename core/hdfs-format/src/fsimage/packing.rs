//! Numbers that pack several fields.
//!
//! ```text
//! permission, fixed64:   user 24 | group 24 | mode 16                       (high to low)
//! ACL entry, fixed32:    0 2 | name 24 | scope 1 | type 2 | permission 3
//! attribute, fixed32:    namespace, low bits 2 | name 24 | namespace, high bit 1 | 0 5
//! file header, 64 bits:  storage policy 4 | striped 1 | replication or policy 11 | preferred block size 48 (in memory)
//! ```
//! `name`, `user` and `group` are numbers of the string table.
//!
//! Hadoop: INodeWithAdditionalFields.PermissionStatusFormat, AclEntryStatusFormat, XAttrFormat, INodeFile.HeaderFormat
//! (3.5.0)

use crate::edits::{AclEntryScope, AclEntryType, XAttrNamespace};
use hdfs_types::{FsAction, FsPermission};

const NAME_MASK: u32 = (1 << 24) - 1;
const BLOCK_SIZE_MASK: u64 = (1 << 48) - 1;
const STRIPED: u64 = 1 << 11;

/// Owner, group and mode of an inode, as numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PackedPermission {
    /// Number of the user.
    pub user: u32,
    /// Number of the group; 0 is none.
    pub group: u32,
    /// Mode.
    pub mode: FsPermission,
}

impl PackedPermission {
    /// The stored number.
    pub fn pack(self) -> u64 {
        u64::from(self.user & NAME_MASK) << 40
            | u64::from(self.group & NAME_MASK) << 16
            | u64::from(self.mode.0)
    }

    /// The fields of a stored number.
    pub fn unpack(packed: u64) -> Self {
        Self {
            user: (packed >> 40) as u32 & NAME_MASK,
            group: (packed >> 16) as u32 & NAME_MASK,
            mode: FsPermission(packed as u16),
        }
    }
}

/// Packs an ACL entry; `name` is 0 when the entry has none.
pub fn pack_acl_entry(
    kind: AclEntryType,
    scope: AclEntryScope,
    permission: FsAction,
    name: u32,
) -> u32 {
    (name & NAME_MASK) << 6 | (scope as u32) << 5 | (kind as u32) << 3 | u32::from(permission.0 & 7)
}

/// Type, scope, permission and name (0: none) of a packed ACL entry.
pub fn unpack_acl_entry(packed: u32) -> (AclEntryType, AclEntryScope, FsAction, u32) {
    let kind = match packed >> 3 & 3 {
        0 => AclEntryType::User,
        1 => AclEntryType::Group,
        2 => AclEntryType::Mask,
        _ => AclEntryType::Other,
    };
    let scope = if packed >> 5 & 1 == 0 { AclEntryScope::Access } else { AclEntryScope::Default };
    (kind, scope, FsAction((packed & 7) as u8), packed >> 6 & NAME_MASK)
}

/// Packs namespace and name of an extended attribute.
pub fn pack_xattr_name(namespace: XAttrNamespace, name: u32) -> u32 {
    let namespace = namespace as u32;
    (namespace & 3) << 30 | (name & NAME_MASK) << 6 | (namespace >> 2) << 5
}

/// Namespace and name of a packed attribute; none when the namespace is unknown.
pub fn unpack_xattr_name(packed: u32) -> Option<(XAttrNamespace, u32)> {
    let namespace = match packed >> 30 | (packed >> 5 & 1) << 2 {
        0 => XAttrNamespace::User,
        1 => XAttrNamespace::Trusted,
        2 => XAttrNamespace::Security,
        3 => XAttrNamespace::System,
        4 => XAttrNamespace::Raw,
        _ => return None,
    };
    Some((namespace, packed >> 6 & NAME_MASK))
}

/// What Hadoop packs into the 64-bit header of a file. Images store the fields apart; the packed form saves memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FileHeader {
    /// Preferred length of a block, in bytes: 48 bits.
    pub preferred_block_size: u64,
    /// Blocks are striped groups.
    pub striped: bool,
    /// Replication of a replicated file, or id of the erasure-coding policy of a striped one: 11 bits.
    pub redundancy: u16,
    /// Storage policy: 4 bits; 0 is unspecified.
    pub storage_policy_id: u8,
}

impl FileHeader {
    /// The packed form.
    pub fn pack(self) -> u64 {
        let layout = u64::from(self.redundancy & 0x7FF) | if self.striped { STRIPED } else { 0 };
        u64::from(self.storage_policy_id & 0xF) << 60
            | layout << 48
            | self.preferred_block_size.clamp(1, BLOCK_SIZE_MASK)
    }

    /// The fields.
    pub fn unpack(packed: u64) -> Self {
        let layout = packed >> 48 & 0xFFF;
        Self {
            preferred_block_size: packed & BLOCK_SIZE_MASK,
            striped: layout & STRIPED != 0,
            redundancy: (layout & 0x7FF) as u16,
            storage_policy_id: (packed >> 60) as u8,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_numbers_hold_every_field_at_its_bound() {
        let permission = PackedPermission { user: NAME_MASK, group: 5, mode: FsPermission(0o1777) };
        assert_eq!(PackedPermission::unpack(permission.pack()), permission);
        assert_eq!(
            PackedPermission { user: 1, group: 2, mode: FsPermission(0o755) }.pack(),
            1 << 40 | 2 << 16 | 0o755
        );

        let entry = (AclEntryType::Mask, AclEntryScope::Default, FsAction::READ_EXECUTE, 0);
        assert_eq!(unpack_acl_entry(pack_acl_entry(entry.0, entry.1, entry.2, entry.3)), entry);
        let named = (AclEntryType::Group, AclEntryScope::Access, FsAction::ALL, NAME_MASK);
        assert_eq!(unpack_acl_entry(pack_acl_entry(named.0, named.1, named.2, named.3)), named);

        for namespace in [XAttrNamespace::User, XAttrNamespace::System, XAttrNamespace::Raw] {
            let packed = pack_xattr_name(namespace, NAME_MASK);
            assert_eq!(unpack_xattr_name(packed), Some((namespace, NAME_MASK)));
        }
        assert_eq!(unpack_xattr_name(0xC000_0020), None);

        let header = FileHeader {
            preferred_block_size: 128 << 20,
            striped: true,
            redundancy: 64,
            storage_policy_id: 12,
        };
        assert_eq!(FileHeader::unpack(header.pack()), header);
    }
}
