//! Changing and reading access control lists.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.{FSDirAclOp, AclTransformation} (3.5.0)

use std::cmp::Ordering;
use std::sync::Arc;

use hdfs_format::edits::{AclEntry, AclEntryScope, AclEntryType, EditOp, SetAclOp};
use hdfs_types::{Error, ErrorKind, FsAction, FsPermission, Result};

use super::acl::logical;
use crate::namespace::Namespace;
use crate::plan::{PlanContext, Planned};
use crate::resolve::{Purpose, text};
use crate::store::record::Slot;

/// Entries in one scope.
const MAX_ENTRIES: usize = 32;

/// How a list changes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AclChange {
    /// These entries are added or replace those of the same scope, type and name.
    Modify(Vec<AclEntry>),
    /// These entries go away; permissions do not count.
    Remove(Vec<AclEntry>),
    /// Every default entry goes away.
    RemoveDefault,
    /// The whole list goes away.
    RemoveAll,
    /// The scopes that are named are replaced.
    Set(Vec<AclEntry>),
}

/// Owner, group, mode and list of an inode.
///
/// Proto: acl.proto AclStatusProto
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AclStatus {
    /// Owner.
    pub owner: Arc<str>,
    /// Group.
    pub group: Arc<str>,
    /// Mode.
    pub permission: FsPermission,
    /// The list without owner, mask and other, which are in the mode.
    pub entries: Vec<AclEntry>,
}

impl Namespace {
    /// Changes the access control list of an inode.
    ///
    /// # Errors
    /// Acl when lists are switched off or the new list makes no sense, FileNotFound, AccessControl unless the caller owns
    /// the inode.
    pub fn plan_change_acl(
        &self,
        ctx: &PlanContext<'_>,
        path: &[u8],
        change: &AclChange,
    ) -> Result<Planned<()>> {
        check_switch(ctx)?;
        let resolved = self.resolve(ctx, path, Purpose::Write)?;
        let slot = self.check_owner(ctx, &resolved)?;
        let existing = logical(self.mode_of(slot), self.acl(slot));
        let acl_entries = self.changed(slot, &existing, change).map_err(|reason| {
            Error::new(ErrorKind::Acl, format!("{reason} Path: {}", resolved.text()))
        })?;
        let op = SetAclOp { src: resolved.path(), acl_entries };
        Ok(Planned::one(ctx, EditOp::SetAcl(op), ()))
    }

    fn changed(
        &self,
        slot: Slot,
        existing: &[AclEntry],
        change: &AclChange,
    ) -> Result<Vec<AclEntry>, String> {
        let list = match change {
            AclChange::RemoveAll => return Ok(Vec::new()),
            AclChange::Set(spec) if spec.is_empty() => return Ok(Vec::new()),
            AclChange::RemoveDefault => {
                let access = existing.iter().filter(|entry| entry.scope == AclEntryScope::Access);
                validated(access.cloned().collect())?
            }
            AclChange::Modify(spec) => merge(existing, &sorted_spec(spec)?)?,
            AclChange::Remove(spec) => remove(existing, &sorted_spec(spec)?)?,
            AclChange::Set(spec) => replace(existing, sorted_spec(spec)?)?,
        };
        let has_default = list.iter().any(|entry| entry.scope == AclEntryScope::Default);
        if has_default && !self.record(slot).is_directory() {
            return Err(format!(
                "Invalid ACL: only directories may have a default ACL. Path: {}",
                text(&self.path_of(slot))
            ));
        }
        Ok(list)
    }

    /// The access control list of an inode.
    ///
    /// # Errors
    /// Acl when lists are switched off, FileNotFound, AccessControl.
    pub fn get_acl_status(&self, ctx: &PlanContext<'_>, path: &[u8]) -> Result<AclStatus> {
        check_switch(ctx)?;
        let resolved = self.resolve(ctx, path, Purpose::Read)?;
        if resolved.is_dot_snapshot() && resolved.snapshot {
            return Ok(AclStatus {
                owner: "".into(),
                group: "".into(),
                permission: FsPermission(0),
                entries: Vec::new(),
            });
        }
        let Some(slot) = resolved.last() else {
            return Err(Error::new(
                ErrorKind::FileNotFound,
                format!("cannot find {}", resolved.text()),
            ));
        };
        let attributes = self.attributes_at(slot, resolved.at);
        Ok(AclStatus {
            owner: self.users.name(attributes.user()).clone(),
            group: self.groups.name(attributes.group()).clone(),
            permission: attributes.mode(),
            entries: attributes.acl.to_vec(),
        })
    }
}

fn check_switch(ctx: &PlanContext<'_>) -> Result<()> {
    if ctx.conf.acls_enabled {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Acl,
        "The ACL operation has been rejected.  Support for ACLs has been disabled by setting dfs.namenode.acls.enabled to \
         false.",
    ))
}

/// The order of entries, which also says which of them are the same.
fn order(a: &AclEntry, b: &AclEntry) -> Ordering {
    (a.scope, a.kind, &a.name).cmp(&(b.scope, b.kind, &b.name))
}

fn sorted_spec(spec: &[AclEntry]) -> Result<Vec<AclEntry>, String> {
    let mut spec = spec.to_vec();
    spec.sort_by(order);
    check_size(&spec)?;
    Ok(spec)
}

fn check_size(entries: &[AclEntry]) -> Result<(), String> {
    for (scope, name) in [(AclEntryScope::Access, "access"), (AclEntryScope::Default, "default")] {
        let count = entries.iter().filter(|entry| entry.scope == scope).count();
        if count > MAX_ENTRIES {
            return Err(format!(
                "Invalid ACL: ACL has {count} {name} entries, which exceeds maximum of {MAX_ENTRIES}."
            ));
        }
    }
    Ok(())
}

/// What is known of one scope while a list is built.
#[derive(Clone, Default)]
struct Scope {
    mask: Option<AclEntry>,
    mask_dirty: bool,
    dirty: bool,
}

/// A list that is being built; masks are apart until the end.
#[derive(Default)]
struct Builder {
    entries: Vec<AclEntry>,
    scopes: [Scope; 2],
}

impl Builder {
    fn scope(&mut self, scope: AclEntryScope) -> &mut Scope {
        &mut self.scopes[scope as usize]
    }

    fn keep(&mut self, entry: &AclEntry) {
        if entry.kind == AclEntryType::Mask {
            self.scope(entry.scope).mask = Some(entry.clone());
        } else {
            self.entries.push(entry.clone());
        }
    }

    /// An entry that the caller gave.
    fn give(&mut self, entry: &AclEntry) {
        let scope = self.scope(entry.scope);
        scope.dirty = true;
        scope.mask_dirty |= entry.kind == AclEntryType::Mask;
        self.keep(entry);
    }

    fn build(mut self) -> Result<Vec<AclEntry>, String> {
        self.copy_defaults();
        for scope in [AclEntryScope::Access, AclEntryScope::Default] {
            self.add_mask(scope)?;
        }
        validated(self.entries)
    }

    /// A default list without owner, group or other takes them from the access list.
    fn copy_defaults(&mut self) {
        if !self.entries.iter().any(|entry| entry.scope == AclEntryScope::Default) {
            return;
        }
        for kind in [AclEntryType::User, AclEntryType::Group, AclEntryType::Other] {
            let find = |scope| {
                self.entries.iter().find(|entry| {
                    entry.scope == scope && entry.kind == kind && entry.name.is_none()
                })
            };
            if find(AclEntryScope::Default).is_none()
                && let Some(access) = find(AclEntryScope::Access)
            {
                let copied = AclEntry { scope: AclEntryScope::Default, ..access.clone() };
                self.entries.push(copied);
            }
        }
    }

    fn add_mask(&mut self, scope: AclEntryScope) -> Result<(), String> {
        let Scope { mask, mask_dirty, dirty } = self.scopes[scope as usize].clone();
        let entries = self.entries.iter().filter(|entry| entry.scope == scope);
        let (mut found, mut needed, mut union) = (false, false, 0);
        for entry in entries {
            found = true;
            needed |= entry.name.is_some();
            if entry.kind == AclEntryType::Group || entry.name.is_some() {
                union |= entry.permission.0;
            }
        }
        if !found {
            return Ok(());
        }
        match mask {
            None if needed && mask_dirty => {
                return Err("Invalid ACL: mask is required and cannot be deleted.".to_owned());
            }
            Some(mask) if !dirty || mask_dirty => self.entries.push(mask),
            mask if needed || mask.is_some() => self.entries.push(AclEntry {
                kind: AclEntryType::Mask,
                scope,
                permission: FsAction(union),
                name: None,
            }),
            _ => {}
        }
        Ok(())
    }
}

fn contains(spec: &[AclEntry], entry: &AclEntry) -> bool {
    spec.binary_search_by(|given| order(given, entry)).is_ok()
}

fn merge(existing: &[AclEntry], spec: &[AclEntry]) -> Result<Vec<AclEntry>, String> {
    let mut builder = Builder::default();
    for entry in existing {
        match find(spec, entry) {
            Some(given) => builder.give(given),
            None => builder.keep(entry),
        }
    }
    let is_new = |given: &&AclEntry| !existing.iter().any(|known| order(known, given).is_eq());
    spec.iter().filter(is_new).for_each(|given| builder.give(given));
    builder.build()
}

/// The entry that takes the place of another: of several, the one that Java's binary search meets first.
fn find<'a>(spec: &'a [AclEntry], entry: &AclEntry) -> Option<&'a AclEntry> {
    let (mut low, mut high) = (0, spec.len());
    while low < high {
        // Java's middle, with the end inclusive.
        let middle = (low + high - 1) / 2;
        match order(&spec[middle], entry) {
            Ordering::Less => low = middle + 1,
            Ordering::Greater => high = middle,
            Ordering::Equal => return Some(&spec[middle]),
        }
    }
    None
}

fn remove(existing: &[AclEntry], spec: &[AclEntry]) -> Result<Vec<AclEntry>, String> {
    let mut builder = Builder::default();
    for entry in existing {
        if contains(spec, entry) {
            let scope = builder.scope(entry.scope);
            scope.dirty = true;
            scope.mask_dirty |= entry.kind == AclEntryType::Mask;
        } else {
            builder.keep(entry);
        }
    }
    builder.build()
}

fn replace(existing: &[AclEntry], spec: Vec<AclEntry>) -> Result<Vec<AclEntry>, String> {
    let mut builder = Builder::default();
    spec.iter().for_each(|entry| builder.give(entry));
    for entry in existing {
        if !builder.scope(entry.scope).dirty {
            builder.keep(entry);
        }
    }
    builder.build()
}

/// Sorts the list and checks it as a whole.
fn validated(mut entries: Vec<AclEntry>) -> Result<Vec<AclEntry>, String> {
    entries.sort_by(order);
    if entries.windows(2).any(|pair| order(&pair[0], &pair[1]).is_eq()) {
        return Err("Invalid ACL: multiple entries with same scope, type and name.".to_owned());
    }
    for entry in &entries {
        let unnamed = matches!(entry.kind, AclEntryType::Mask | AclEntryType::Other);
        if unnamed && entry.name.is_some() {
            return Err(format!(
                "Invalid ACL: this entry type must not have a name: {}.",
                show(entry)
            ));
        }
    }
    check_size(&entries)?;
    let has = |scope, kind| {
        entries
            .iter()
            .any(|entry| entry.scope == scope && entry.kind == kind && entry.name.is_none())
    };
    let has_default = entries.iter().any(|entry| entry.scope == AclEntryScope::Default);
    for kind in [AclEntryType::User, AclEntryType::Group, AclEntryType::Other] {
        if !has(AclEntryScope::Access, kind) {
            return Err("Invalid ACL: the user, group and other entries are required.".to_owned());
        }
        if has_default && !has(AclEntryScope::Default, kind) {
            return Err(
                "Invalid default ACL: the user, group and other entries are required.".to_owned()
            );
        }
    }
    Ok(entries)
}

/// `default:user:name:rwx`
fn show(entry: &AclEntry) -> String {
    let scope = if entry.scope == AclEntryScope::Default { "default:" } else { "" };
    let kind = match entry.kind {
        AclEntryType::User => "user",
        AclEntryType::Group => "group",
        AclEntryType::Mask => "mask",
        AclEntryType::Other => "other",
    };
    let name = entry.name.as_deref().unwrap_or_default();
    format!("{scope}{kind}:{name}:{}", entry.permission.symbol())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `user:bob:rwx default:group::r--`
    fn parse(text: &str) -> Vec<AclEntry> {
        text.split_whitespace()
            .map(|entry| {
                let (scope, rest) = match entry.strip_prefix("default:") {
                    Some(rest) => (AclEntryScope::Default, rest),
                    None => (AclEntryScope::Access, entry),
                };
                let parts: Vec<&str> = rest.split(':').collect();
                let kind = match parts[0] {
                    "user" => AclEntryType::User,
                    "group" => AclEntryType::Group,
                    "mask" => AclEntryType::Mask,
                    _ => AclEntryType::Other,
                };
                let bits = parts[2].bytes().zip([4, 2, 1]);
                let permission =
                    FsAction(bits.filter(|(bit, _)| *bit != b'-').map(|(_, bit)| bit).sum());
                let name = (!parts[1].is_empty()).then(|| parts[1].to_owned());
                AclEntry { kind, scope, permission, name }
            })
            .collect()
    }

    fn text_of(entries: Result<Vec<AclEntry>, String>) -> String {
        match entries {
            Ok(entries) => entries.iter().map(show).collect::<Vec<_>>().join(" "),
            Err(error) => error,
        }
    }

    #[test]
    fn lists_are_merged_with_a_mask_that_follows() {
        let base = parse("user::rwx group::r-x other::r--");
        let spec = sorted_spec(&parse("user:bob:rw- default:user:bob:rwx")).expect("it is small");
        let merged = merge(&base, &spec);
        assert_eq!(
            text_of(merged.clone()),
            "user::rwx user:bob:rw- group::r-x mask::rwx other::r-- default:user::rwx default:user:bob:rwx \
             default:group::r-x default:mask::rwx default:other::r--"
        );
        let list = merged.expect("it is right");
        let gone = sorted_spec(&parse("user:bob:---")).expect("it is small");
        assert!(
            text_of(remove(&list, &gone)).starts_with("user::rwx group::r-x mask::r-x other::r--")
        );
        let mask = sorted_spec(&parse("mask::--- default:mask::---")).expect("it is small");
        assert_eq!(
            text_of(remove(&list, &mask)),
            "Invalid ACL: mask is required and cannot be deleted."
        );
    }

    #[test]
    fn lists_that_make_no_sense_are_refused() {
        let base = parse("user::rwx group::r-x other::r--");
        let set =
            |spec: &str| text_of(sorted_spec(&parse(spec)).and_then(|spec| replace(&base, spec)));
        assert_eq!(
            set("user:bob:rwx"),
            "Invalid ACL: the user, group and other entries are required."
        );
        assert_eq!(
            set("user::rwx user::r-- group::--- other::---"),
            "Invalid ACL: multiple entries with same scope, type and name."
        );
        assert_eq!(
            set("user::rwx group::--- other:x:---"),
            "Invalid ACL: this entry type must not have a name: other:x:---."
        );
        assert_eq!(set("user::rwx group::--- other::---"), "user::rwx group::--- other::---");
    }
}
