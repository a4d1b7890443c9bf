//! Calls on the tree: directories, renames, deletions, symbolic links.

use hdfs_format::edits::{EditOp, SymlinkOp};
use hdfs_namespace::{INodeKind, RenameFlags};
use hdfs_types::{INodeId, PermissionStatus, Result, Rng, WallMillis};

use crate::Generator;
use crate::generator::Call;
use crate::pick::{Entry, join, text};

pub(crate) const CALLS: &[(u32, Call)] =
    &[(12, mkdirs), (8, rename), (8, rename2), (5, delete), (2, symlink), (1, roll)];

fn mkdirs(generator: &mut Generator) -> Result<()> {
    let mut path = generator.a_new_place();
    let create_parent = !generator.one_in(8);
    if generator.one_in(4) {
        let name = generator.a_name();
        path = join(&path, name.as_bytes());
    }
    let mode = generator.a_mode();
    let unmasked = if generator.one_in(2) { Some(generator.a_mode()) } else { None };
    generator.say(format!("mkdirs {} {:o} {unmasked:?} {create_parent}", text(&path), mode.0));
    generator
        .call(|namespace, ctx| namespace.plan_mkdirs(ctx, &path, mode, unmasked, create_parent))
        .map(drop)
}

/// What is renamed or deleted: while there are snapshots, nothing that Apache's NameNode can't.
/// - It keeps a copy of a symbolic link with the id of the link, in a deleted list of its directory
///   (INodeSymlink.recordModification). Its image then names an inode in that list that is elsewhere, or nowhere.
/// - It keeps the blocks of a striped file that is renamed, and can't delete the file any more: IllegalStateException
///   (INodeFile.collectBlocksBeyondSnapshot).
fn a_source(generator: &mut Generator) -> Vec<u8> {
    let anything = generator.snapshots.taken.is_empty();
    let can = |entry: &Entry| match entry.status.kind {
        INodeKind::Directory => true,
        INodeKind::File => entry.status.ec_policy == 0,
        INodeKind::Symlink => false,
    };
    let fits = |entry: &Entry| entry.path != b"/" && (anything || can(entry));
    generator.existing(fits).unwrap_or_else(|| b"/".to_vec())
}

fn rename(generator: &mut Generator) -> Result<()> {
    let (src, dst) = (a_source(generator), generator.a_place());
    generator.say(format!("rename {} {}", text(&src), text(&dst)));
    let moved = a_moved_file(generator, &src);
    generator.call(|namespace, ctx| namespace.plan_rename(ctx, &src, &dst))?;
    generator.snapshots.moved.extend(moved);
    Ok(())
}

/// The file that a rename moves while there are snapshots.
fn a_moved_file(generator: &Generator, src: &[u8]) -> Option<INodeId> {
    let found = generator.with(|tree, ctx| tree.get_file_info(ctx, src, false, false));
    let file = found.ok().flatten().filter(|status| status.kind == INodeKind::File)?;
    (!generator.snapshots.taken.is_empty()).then_some(file.inode)
}

fn rename2(generator: &mut Generator) -> Result<()> {
    let src = a_source(generator);
    let dst = if generator.one_in(2) { generator.anything() } else { generator.a_place() };
    let flags = RenameFlags { overwrite: generator.one_in(2), to_trash: generator.one_in(4) };
    generator.say(format!("rename2 {} {} {flags:?}", text(&src), text(&dst)));
    let moved = a_moved_file(generator, &src);
    generator.call(|namespace, ctx| namespace.plan_rename2(ctx, &src, &dst, flags))?;
    generator.snapshots.moved.extend(moved);
    Ok(())
}

fn delete(generator: &mut Generator) -> Result<()> {
    let path = a_source(generator);
    // Large subtrees seldom, so that the tree grows.
    let recursive = generator.one_in(4) || generator.namespace.counts().inodes() > 60;
    generator.say(format!("delete {} {recursive}", text(&path)));
    generator.call(|namespace, ctx| namespace.plan_delete(ctx, &path, recursive)).map(drop)
}

/// Hadoop makes no links unless a test switches them on: they come from images and logs of old clusters.
fn symlink(generator: &mut Generator) -> Result<()> {
    generator.as_superuser();
    let path = generator.a_new_place();
    generator.say(format!("symlink {}", text(&path)));
    let there = generator.tree().iter().any(|entry| entry.path == path);
    // The plan of a directory checks the name, the limits and the quotas that a link has, too.
    let mode = generator.a_mode();
    let _ =
        generator.with(|namespace, ctx| namespace.plan_mkdirs(ctx, &path, mode, None, false))?;
    if there {
        return Ok(());
    }
    let now = WallMillis(generator.now);
    let target = generator.anything();
    let op = SymlinkOp {
        inode_id: INodeId(generator.namespace.identities().last_inode_id.0 + 1),
        path,
        value: target,
        mtime: now,
        atime: WallMillis(now.0 - generator.rng.below(1_000)),
        permission_status: PermissionStatus {
            user: "alice".to_owned(),
            group: "users".to_owned(),
            permission: hdfs_types::FsPermission(0o777),
        },
        retry: generator.retry_key(),
    };
    generator.apply_ops(&[EditOp::Symlink(op)]);
    Ok(())
}

fn roll(generator: &mut Generator) -> Result<()> {
    generator.say("roll".to_owned());
    generator.roll();
    Ok(())
}
