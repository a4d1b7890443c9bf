//! `-getfacl` and `-setfacl`.
//!
//! Hadoop: org.apache.hadoop.fs.shell.AclCommands (3.5.0)

use hdfs_client::{
    AclEntry, AclEntryScope, AclEntryType, AclStatus, acl_entry_text, parse_acl_spec,
};
use hdfs_types::{FsAction, FsPermission};

use super::Shell;
use super::arguments::Options;
use super::failure::{Failure, Outcome};
use super::files::AclChange;
use super::walk::{Command, PathData};

fn illegal(message: &str) -> Failure {
    Failure::Illegal(message.into())
}

/// `-getfacl`.
#[derive(Default)]
pub(crate) struct GetAcl {
    recursive: bool,
}

impl Command for GetAcl {
    fn configure(
        &mut self,
        _shell: &mut Shell,
        options: &Options,
        args: &mut Vec<String>,
    ) -> Outcome<()> {
        self.recursive = options.has("R");
        match args.len() {
            0 => Err(illegal("<path> is missing")),
            1 => Ok(()),
            _ => Err(illegal("Too many arguments")),
        }
    }

    fn is_recursive(&self) -> bool {
        self.recursive
    }

    fn visit(&mut self, shell: &mut Shell, item: &PathData) -> Outcome<()> {
        let stat = item.known()?;
        shell.out.line(format!("# file: {}", item.text));
        shell.out.line(format!("# owner: {}", stat.owner));
        shell.out.line(format!("# group: {}", stat.group));
        if stat.permission.sticky() {
            let letter = if stat.permission.other().implies(FsAction::EXECUTE) { 't' } else { 'T' };
            shell.out.line(format!("# flags: --{letter}"));
        }
        let status = if stat.has_acl { Some(item.fs.acl_status(&item.path)?) } else { None };
        let entries = status.as_ref().map_or(&[][..], |status| &status.entries);
        let full = full_acl(stat.permission, entries);
        for scope in [AclEntryScope::Access, AclEntryScope::Default] {
            let of_scope: Vec<&AclEntry> =
                full.iter().filter(|entry| entry.scope == scope).collect();
            // Three entries say no more than mode bits do.
            let minimal = of_scope.len() == 3;
            for entry in of_scope {
                let effective = match &status {
                    Some(status) if !minimal => effective(status, stat.permission, entry),
                    _ => entry.permission,
                };
                shell.out.line(text(entry, effective));
            }
        }
        shell.out.line("");
        Ok(())
    }
}

/// The entries of an ACL with those that the mode bits stand for.
///
/// Hadoop: org.apache.hadoop.fs.permission.AclUtil.getAclFromPermAndEntries (3.5.0)
pub(crate) fn full_acl(permission: FsPermission, entries: &[AclEntry]) -> Vec<AclEntry> {
    let of_mode =
        |kind, permission| AclEntry { kind, scope: AclEntryScope::Access, permission, name: None };
    let first_default = entries.iter().position(|entry| entry.scope == AclEntryScope::Default);
    let (access, default) = entries.split_at(first_default.unwrap_or(entries.len()));
    let group = if access.is_empty() { AclEntryType::Group } else { AclEntryType::Mask };
    let mut full = vec![of_mode(AclEntryType::User, permission.user())];
    full.extend_from_slice(access);
    full.push(of_mode(group, permission.group()));
    full.push(of_mode(AclEntryType::Other, permission.other()));
    full.extend_from_slice(default);
    full
}

/// What an entry allows under the mask.
fn effective(status: &AclStatus, permission: FsPermission, entry: &AclEntry) -> FsAction {
    if entry.name.is_none() && entry.kind != AclEntryType::Group {
        return entry.permission;
    }
    let mask = match entry.scope {
        AclEntryScope::Access => status.permission.unwrap_or(permission).group(),
        // The default mask, or the group where there is none, is the last but one.
        AclEntryScope::Default => {
            let last_but_one = status.entries.iter().rev().nth(1);
            last_but_one.map_or(FsAction::ALL, |mask| mask.permission)
        }
    };
    FsAction(entry.permission.0 & mask.0)
}

fn text(entry: &AclEntry, effective: FsAction) -> String {
    let text = acl_entry_text(entry, true);
    if effective == entry.permission {
        text
    } else {
        format!("{text}\t#effective:{}", effective.symbol())
    }
}

/// What `-setfacl` was asked to do.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Change {
    RemoveAll,
    RemoveDefault,
    #[default]
    Modify,
    Remove,
    Set,
}

/// `-setfacl`.
#[derive(Default)]
pub(crate) struct SetAcl {
    recursive: bool,
    change: Change,
    entries: Vec<AclEntry>,
}

impl Command for SetAcl {
    fn configure(
        &mut self,
        _shell: &mut Shell,
        options: &Options,
        args: &mut Vec<String>,
    ) -> Outcome<()> {
        self.recursive = options.has("R");
        let given: Vec<Change> = [
            ("b", Change::RemoveAll),
            ("k", Change::RemoveDefault),
            ("m", Change::Modify),
            ("x", Change::Remove),
            ("-set", Change::Set),
        ]
        .into_iter()
        .filter(|(flag, _)| options.has(flag))
        .map(|(_, change)| change)
        .collect();
        if given.len() > 1 {
            return Err(illegal("Specified flags contains both remove and modify flags"));
        }
        let change = given.first().copied();
        if matches!(change, Some(Change::Modify | Change::Remove | Change::Set)) {
            match args.len() {
                0 => return Err(illegal("Missing arguments: <acl_spec> <path>")),
                1 => return Err(illegal("Missing either <acl_spec> or <path>")),
                _ => {}
            }
            let with_permission = change != Some(Change::Remove);
            self.entries = parse_acl_spec(&args.remove(0), with_permission)
                .map_err(|error| Failure::Illegal(error.message))?;
            if self.entries.is_empty() {
                return Err(illegal("Missing <acl_spec> entry"));
            }
        }
        match args.len() {
            0 => return Err(illegal("<path> is missing")),
            1 => {}
            _ => return Err(illegal("Too many arguments")),
        }
        let missing = || illegal("Expected one of -b, -k, -m, -x or --set options");
        self.change = change.ok_or_else(missing)?;
        Ok(())
    }

    fn is_recursive(&self) -> bool {
        self.recursive
    }

    fn visit(&mut self, _shell: &mut Shell, item: &PathData) -> Outcome<()> {
        // Only directories can have default entries.
        let all = !self.recursive || item.is_dir();
        let fits = |entry: &&AclEntry| all || entry.scope == AclEntryScope::Access;
        let entries: Vec<AclEntry> = self.entries.iter().filter(fits).cloned().collect();
        let change = match self.change {
            Change::RemoveAll => AclChange::RemoveAll,
            Change::RemoveDefault => AclChange::RemoveDefault,
            _ if entries.is_empty() => return Ok(()),
            Change::Modify => AclChange::Modify(&entries),
            Change::Remove => AclChange::Remove(&entries),
            Change::Set => AclChange::Set(&entries),
        };
        item.fs.change_acl(&item.path, change)
    }
}
