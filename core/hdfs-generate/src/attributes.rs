//! Calls on attributes: modes, owners, times, replication, quotas, lists, extended attributes, storage policies.

use hdfs_format::edits::{
    AclEntry, AclEntryScope, AclEntryType, ClearNsQuotaOp, EditOp, SetNsQuotaOp, XAttr,
    XAttrNamespace,
};
use hdfs_namespace::{AclChange, XAttrSetFlags};
use hdfs_types::{FsAction, Result, Rng, StorageType};

use crate::Generator;
use crate::generator::Call;
use crate::pick::text;

pub(crate) const CALLS: &[(u32, Call)] = &[
    (3, chmod),
    (3, chown),
    (3, set_replication),
    (3, times),
    (2, access_time),
    (4, quota),
    (2, type_quota),
    (1, old_quota),
    (4, storage_policy),
    (8, acl),
    (8, set_xattr),
    (4, remove_xattr),
];

fn chmod(generator: &mut Generator) -> Result<()> {
    let (path, mode) = (generator.anything(), generator.a_mode());
    generator.say(format!("chmod {} {:o}", text(&path), mode.0));
    generator.call(|namespace, ctx| namespace.plan_set_permission(ctx, &path, mode))
}

fn chown(generator: &mut Generator) -> Result<()> {
    let path = generator.anything();
    let user =
        generator.one_of(&[None, Some("alice"), Some("bob"), Some("hdfs"), Some("zo\u{eb}")]);
    let group = generator.one_of(&[None, Some("users"), Some("staff"), Some("supergroup")]);
    generator.say(format!("chown {} {user:?} {group:?}", text(&path)));
    generator.call(|namespace, ctx| namespace.plan_set_owner(ctx, &path, user, group))
}

fn set_replication(generator: &mut Generator) -> Result<()> {
    let path = generator.a_file();
    let replication = 1 + generator.rng.below(5) as u16;
    generator.say(format!("setReplication {} {replication}", text(&path)));
    generator
        .call(|namespace, ctx| namespace.plan_set_replication(ctx, &path, replication))
        .map(drop)
}

fn times(generator: &mut Generator) -> Result<()> {
    let path = generator.anything();
    let mut time =
        || if generator.one_in(3) { -1 } else { generator.rng.below(1 << 41).cast_signed() };
    let (mtime, atime) = (time(), time());
    generator.say(format!("setTimes {} {mtime} {atime}", text(&path)));
    generator.call(|namespace, ctx| namespace.plan_set_times(ctx, &path, mtime, atime))
}

/// As reading a file sets it.
fn access_time(generator: &mut Generator) -> Result<()> {
    generator.as_superuser();
    let path = generator.a_file();
    generator.say(format!("read {}", text(&path)));
    let status =
        generator.with(|namespace, ctx| namespace.get_file_info(ctx, &path, false, false))?;
    let Some(status) = status else { return Ok(()) };
    let planned = generator.with(|namespace, ctx| namespace.plan_access_time(ctx, status.inode));
    if let Some(planned) = planned {
        generator.apply(planned);
    }
    Ok(())
}

/// Leaves a quota as it is.
const DONT_SET: i64 = i64::MAX;

fn quota(generator: &mut Generator) -> Result<()> {
    let path = generator.a_directory();
    let small = 1 + generator.rng.below(30).cast_signed();
    let names = generator.one_of(&[-1, DONT_SET, 1_000, small]);
    let space = generator.one_of(&[-1, DONT_SET, 1 << 40, small << 30]);
    generator.say(format!("setQuota {} {names} {space}", text(&path)));
    generator.call(|namespace, ctx| namespace.plan_set_quota(ctx, &path, names, space, None))
}

fn type_quota(generator: &mut Generator) -> Result<()> {
    let path = generator.a_directory();
    let kind = generator.one_of(&[
        StorageType::Disk,
        StorageType::Ssd,
        StorageType::Archive,
        StorageType::Nvdimm,
        StorageType::Provided,
    ]);
    let space = generator.one_of(&[-1, 1 << 40, 1 << 30]);
    generator.say(format!("setQuota {} {space} {kind:?}", text(&path)));
    generator
        .call(|namespace, ctx| namespace.plan_set_quota(ctx, &path, DONT_SET, space, Some(kind)))
}

/// Operations that Hadoop reads but no longer writes.
fn old_quota(generator: &mut Generator) -> Result<()> {
    let src = generator.a_directory();
    let clears = generator.one_in(2) && src != b"/";
    generator.say(format!("old quota {} {clears}", text(&src)));
    generator.apply_ops(&[if clears {
        EditOp::ClearNsQuota(ClearNsQuotaOp { src })
    } else {
        EditOp::SetNsQuota(SetNsQuotaOp { src, ns_quota: 5_000 })
    }]);
    Ok(())
}

fn storage_policy(generator: &mut Generator) -> Result<()> {
    let path = generator.anything();
    let policy = generator.one_of(&[
        None,
        Some("HOT"),
        Some("WARM"),
        Some("COLD"),
        Some("ALL_SSD"),
        Some("ONE_SSD"),
        Some("ALL_NVDIMM"),
        Some("PROVIDED"),
        Some("LAZY_PERSIST"),
    ]);
    generator.say(format!("setStoragePolicy {} {policy:?}", text(&path)));
    generator.call(|namespace, ctx| namespace.plan_set_storage_policy(ctx, &path, policy))
}

fn acl(generator: &mut Generator) -> Result<()> {
    let directory = generator.one_in(2);
    let path = if directory { generator.a_directory() } else { generator.anything() };
    let mut entries: Vec<AclEntry> = Vec::new();
    for _ in 0..1 + generator.rng.below(4) {
        let kind = generator.one_of(&[
            AclEntryType::User,
            AclEntryType::User,
            AclEntryType::Group,
            AclEntryType::Mask,
            AclEntryType::Other,
        ]);
        let named =
            matches!(kind, AclEntryType::User | AclEntryType::Group) && !generator.one_in(4);
        entries.push(AclEntry {
            kind,
            scope: generator.one_of(&[AclEntryScope::Access, AclEntryScope::Default]),
            permission: FsAction(generator.rng.below(8) as u8),
            name: named
                .then(|| generator.one_of(&["alice", "bob", "users", "zo\u{eb}"]).to_owned()),
        });
    }
    let change = match generator.rng.below(10) {
        0..=4 => AclChange::Modify(entries),
        5 => AclChange::Remove(entries),
        6 => AclChange::RemoveDefault,
        7 => AclChange::RemoveAll,
        _ => {
            // A whole list needs owner, group and other.
            for kind in [AclEntryType::User, AclEntryType::Group, AclEntryType::Other] {
                let scope = AclEntryScope::Access;
                entries
                    .retain(|known| (known.kind, known.scope, &known.name) != (kind, scope, &None));
                let permission = FsAction(generator.rng.below(8) as u8);
                entries.push(AclEntry { kind, scope, permission, name: None });
            }
            AclChange::Set(entries)
        }
    };
    generator.say(format!("acl {} {change:?}", text(&path)));
    generator.call(|namespace, ctx| namespace.plan_change_acl(ctx, &path, &change))
}

/// An attribute, and the path by which it is set: those of `raw` by `/.reserved/raw`.
fn an_xattr(generator: &mut Generator) -> (Vec<u8>, XAttr) {
    let path = generator.anything();
    let namespace = generator.one_of(&[
        XAttrNamespace::User,
        XAttrNamespace::User,
        XAttrNamespace::Trusted,
        XAttrNamespace::Security,
        XAttrNamespace::Raw,
    ]);
    let value = match generator.rng.below(4) {
        0 => None,
        1 => Some(Vec::new()),
        2 => Some(b"text & <more>".to_vec()),
        _ => Some((0..generator.rng.below(40)).map(|byte| byte as u8 ^ 0xA5).collect()),
    };
    let names: &[&str] = match namespace {
        XAttrNamespace::Security => &["hdfs.unreadable.by.superuser", "label"],
        _ => &["a", "b", "n\u{e4}me", "x.y"],
    };
    let name = generator.one_of(names).to_owned();
    let raw = matches!(namespace, XAttrNamespace::Raw);
    let path = if raw { [b"/.reserved/raw".as_slice(), &path].concat() } else { path };
    (path, XAttr { namespace, name, value })
}

fn set_xattr(generator: &mut Generator) -> Result<()> {
    let (path, xattr) = an_xattr(generator);
    let flags = match generator.rng.below(4) {
        0 => XAttrSetFlags { create: true, replace: false },
        1 => XAttrSetFlags { create: false, replace: true },
        _ => XAttrSetFlags { create: true, replace: true },
    };
    generator.say(format!("setXAttr {} {xattr:?} {flags:?}", text(&path)));
    generator.call(|namespace, ctx| namespace.plan_set_xattr(ctx, &path, &xattr, flags))
}

fn remove_xattr(generator: &mut Generator) -> Result<()> {
    // One that is there, if there is a chance.
    let (mut path, mut xattr) = an_xattr(generator);
    for _ in 0..20 {
        let there = generator.with(|namespace, ctx| namespace.get_xattrs(ctx, &path, &[]));
        let same = |known: &XAttr| (known.namespace, &known.name) == (xattr.namespace, &xattr.name);
        if there.is_ok_and(|there| there.iter().any(same)) {
            break;
        }
        (path, xattr) = an_xattr(generator);
    }
    generator.say(format!("removeXAttr {} {xattr:?}", text(&path)));
    generator.call(|namespace, ctx| namespace.plan_remove_xattr(ctx, &path, &xattr))
}
