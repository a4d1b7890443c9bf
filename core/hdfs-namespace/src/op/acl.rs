//! Access control lists: what a new inode inherits.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.AclStorage (3.5.0)

use hdfs_format::edits::{AclEntry, AclEntryScope, AclEntryType};
use hdfs_types::{FsAction, FsPermission};

use crate::namespace::Namespace;
use crate::plan::PlanContext;
use crate::store::record::Slot;

/// Mode bits of a call: after the umask, and before it if the client sent them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct CreateModes {
    pub(crate) masked: FsPermission,
    pub(crate) unmasked: Option<FsPermission>,
}

/// Mode and list of a new inode below a directory with the list `parent`.
pub(crate) fn inherit(
    ctx: &PlanContext<'_>,
    parent: &[AclEntry],
    modes: CreateModes,
    is_directory: bool,
) -> (FsPermission, Vec<AclEntry>) {
    let defaults: Vec<&AclEntry> =
        parent.iter().filter(|entry| entry.scope == AclEntryScope::Default).collect();
    if defaults.is_empty() {
        return (modes.masked, Vec::new());
    }
    let mode = match modes.unmasked {
        Some(unmasked) if ctx.conf.posix_acl_inheritance => unmasked,
        _ => modes.masked,
    };
    let minimal = defaults.len() == 3;
    let access: Vec<AclEntry> = defaults
        .iter()
        .map(|entry| AclEntry {
            scope: AclEntryScope::Access,
            permission: filtered(entry, mode, minimal),
            ..(*entry).clone()
        })
        .collect();
    let find = |kind| {
        access
            .iter()
            .find(|entry| entry.kind == kind && entry.name.is_none())
            .map_or(FsAction::NONE, |entry| entry.permission)
    };
    let (user, other) = (find(AclEntryType::User), find(AclEntryType::Other));
    let sticky = mode.0 & 0o1000;
    if minimal && !is_directory {
        return (bits(user, find(AclEntryType::Group), other, sticky), Vec::new());
    }
    // The list keeps what the mode can't hold: named entries and the group's own, not owner, mask and other.
    let mut list: Vec<AclEntry> =
        access.iter().filter(|entry| !minimal && is_in_list(entry)).cloned().collect();
    let group = if minimal { find(AclEntryType::Group) } else { find(AclEntryType::Mask) };
    if is_directory {
        list.extend(defaults.into_iter().cloned());
    }
    (bits(user, group, other, sticky), list)
}

/// The whole list as operations store it: with owner, mask and other, which an inode keeps in its mode.
pub(crate) fn logical(mode: FsPermission, stored: &[AclEntry]) -> Vec<AclEntry> {
    let entry =
        |kind, permission| AclEntry { kind, scope: AclEntryScope::Access, permission, name: None };
    let mut list = vec![entry(AclEntryType::User, mode.user())];
    let mut access = stored.iter().filter(|entry| entry.scope == AclEntryScope::Access).peekable();
    if access.peek().is_some() {
        list.extend(access.cloned());
        list.push(entry(AclEntryType::Mask, mode.group()));
    } else {
        list.push(entry(AclEntryType::Group, mode.group()));
    }
    list.push(entry(AclEntryType::Other, mode.other()));
    list.extend(stored.iter().filter(|entry| entry.scope == AclEntryScope::Default).cloned());
    list
}

/// The other way: mode and stored list from a whole list, which has at least owner, group and other.
pub(crate) fn stored(
    mode: FsPermission,
    logical: &[AclEntry],
) -> Result<(FsPermission, Vec<AclEntry>), String> {
    let find = |kind| {
        logical
            .iter()
            .find(|entry| {
                entry.scope == AclEntryScope::Access && entry.kind == kind && entry.name.is_none()
            })
            .map(|entry| entry.permission)
    };
    let (Some(user), Some(group), Some(other)) =
        (find(AclEntryType::User), find(AclEntryType::Group), find(AclEntryType::Other))
    else {
        return Err("the access control list lacks owner, group or other".to_owned());
    };
    let mask = find(AclEntryType::Mask);
    let mut list = Vec::new();
    if mask.is_some() {
        let access = logical.iter().filter(|entry| entry.scope == AclEntryScope::Access);
        list.extend(access.filter(|entry| is_in_list(entry)).cloned());
    }
    list.extend(logical.iter().filter(|entry| entry.scope == AclEntryScope::Default).cloned());
    Ok((bits(user, mask.unwrap_or(group), other, mode.0 & 0o1000), list))
}

/// In replay: a whole list, or none.
pub(crate) fn check_logical_acl(entries: &[AclEntry]) -> Result<(), String> {
    if entries.is_empty() { Ok(()) } else { stored(FsPermission(0), entries).map(|_| ()) }
}

impl Namespace {
    /// Sets mode and list from a whole list that was checked; an empty one leaves the mode and has no list.
    pub(crate) fn set_logical_acl(&mut self, slot: Slot, entries: &[AclEntry]) {
        let mode = self.mode_of(slot);
        if let Ok((mode, list)) = stored(mode, entries) {
            self.touch(slot, false);
            self.set_mode(slot, mode);
            self.set_acl(slot, list);
        }
    }
}

fn filtered(entry: &AclEntry, mode: FsPermission, minimal: bool) -> FsAction {
    let mask = match (entry.kind, &entry.name) {
        (AclEntryType::User, None) => mode.user(),
        (AclEntryType::Group, _) if minimal => mode.group(),
        (AclEntryType::Mask, _) => mode.group(),
        (AclEntryType::Other, _) => mode.other(),
        _ => FsAction::ALL,
    };
    FsAction(entry.permission.0 & mask.0)
}

fn is_in_list(entry: &AclEntry) -> bool {
    entry.name.is_some() || entry.kind == AclEntryType::Group
}

fn bits(user: FsAction, group: FsAction, other: FsAction, sticky: u16) -> FsPermission {
    FsPermission(sticky | u16::from(user.0) << 6 | u16::from(group.0) << 3 | u16::from(other.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_and_whole_lists_are_two_forms_of_one() {
        let named = AclEntry {
            kind: AclEntryType::User,
            scope: AclEntryScope::Access,
            permission: FsAction::READ,
            name: Some("bob".to_owned()),
        };
        let group = AclEntry { kind: AclEntryType::Group, name: None, ..named.clone() };
        let default = AclEntry { scope: AclEntryScope::Default, ..named.clone() };
        let (mode, list) = (FsPermission(0o1754), vec![named, group, default.clone()]);
        let whole = logical(mode, &list);
        assert_eq!(whole.len(), 6);
        assert_eq!(stored(mode, &whole), Ok((mode, list)));
        let whole = logical(mode, std::slice::from_ref(&default));
        assert_eq!(whole.len(), 4);
        assert_eq!(stored(mode, &whole), Ok((mode, vec![default])));
        assert!(stored(mode, &whole[..2]).is_err());
    }
}
