//! What must hold for any calls, lists of access control and sections of an image: the bodies of fuzz targets whose input is
//! not a file.

mod managers;

use hdfs_format::compression::Codec;
use hdfs_format::fsimage::{Image, ImageOptions, ImageWriter, SectionName};
use hdfs_format::webhdfs::parse_acl_spec;
use hdfs_namespace::{
    AclChange, CreateFlags, CreateRequest, FileKeySource, Namespace, NamespaceConf, RenameFlags,
    TruncateRequest,
};
use hdfs_types::{FsPermission, TxId};

use crate::{Generator, check_image, image_of, load_image};

/// Components of paths; the bytes after them in a script are components of their own.
const COMPONENTS: &[&[u8]] = &[
    b".reserved",
    b"raw",
    b".inodes",
    b".snapshot",
    b"..",
    b".",
    b"",
    b"a",
    b"b",
    b"c",
    b"s0",
    b"s1",
    b"16385",
    b"16386",
    b"16387",
    b"16388",
    b"-1",
    b"9223372036854775808",
];

/// Most calls of a script.
const MOST_CALLS: usize = 40;

/// A tree that a script or a section meets.
fn small_tree(seed: u64) -> Generator {
    let mut generator = Generator::new(seed);
    for _ in 0..40 {
        generator.step();
    }
    generator.as_superuser();
    generator
}

/// A list in text, on a file or directory of a tree: what is taken changes nothing
/// when it is set again.
///
/// # Panics
/// When that does not hold.
pub fn check_acl(how: u8, spec: &str) {
    let with_permission = !matches!(how % 3, 1);
    let Ok(entries) = parse_acl_spec(spec, with_permission) else { return };
    let mut generator = Generator::new(0);
    let directory = how & 0x40 != 0;
    let path: &[u8] = b"/target";
    let mode = FsPermission(0o754);
    if directory {
        generator
            .call(|tree, ctx| tree.plan_mkdirs(ctx, path, mode, None, true))
            .expect("the tree is empty");
    } else {
        create(&mut generator, path).expect("the tree is empty");
    }
    let base = parse_acl_spec("user::rwx,user:bob:r-x,group::r--,other::---", true);
    let base = AclChange::Set(base.expect("it is right"));
    generator.call(|tree, ctx| tree.plan_change_acl(ctx, path, &base)).expect("the list is right");
    let change = match how % 3 {
        0 => AclChange::Modify(entries),
        1 => AclChange::Remove(entries),
        _ => AclChange::Set(entries),
    };
    let set = |generator: &mut Generator| {
        generator.call(|tree, ctx| tree.plan_change_acl(ctx, path, &change))
    };
    if set(&mut generator).is_err() {
        return;
    }
    generator.namespace().check_invariants().expect("the tree is whole");
    let shown = generator.with(|tree, ctx| tree.get_acl_status(ctx, path)).expect("it exists");
    assert!(shown.entries.len() <= 64, "no more than Hadoop's limit in each scope");
    if !matches!(change, AclChange::Remove(_)) {
        let before = generator.namespace().dump();
        set(&mut generator).expect("what is set can be set again");
        assert_eq!(generator.namespace().dump(), before, "{spec}");
    }
}

/// An image of which one section, one part of a section, or the codec is told by the first bytes, and holds the others.
///
/// # Panics
/// As [`check_image`].
pub fn check_section(bytes: &[u8]) {
    let [which, shape, inner @ ..] = bytes else { return };
    let generator = small_tree(u64::from(shape % 4));
    let cut = shape & 0x10 != 0;
    let codec = match shape >> 5 {
        1 => Some(Codec::Gzip),
        2 => Some(Codec::Deflate),
        3 => Some(Codec::Snappy),
        4 => Some(Codec::Lz4),
        _ => None,
    };
    let plain = saved_as(generator.namespace(), cut);
    if let Some(made) = replaced(&plain, codec, usize::from(*which), inner) {
        check_image(&made);
    }
}

fn saved_as(namespace: &Namespace, cut: bool) -> Vec<u8> {
    let options = ImageOptions {
        target_sections: cut.then_some(3),
        inode_threshold: 1,
        ..ImageOptions::default()
    };
    let mut writer = ImageWriter::with_options(Vec::new(), options);
    namespace.save(&mut writer, 1, namespace.last_txid()).expect("a Vec can be written");
    writer.finish().expect("a Vec can be written").0
}

/// The same image, with other bytes in one of its entries; nothing when it has no such entry.
fn replaced(image: &[u8], codec: Option<Codec>, which: usize, inner: &[u8]) -> Option<Vec<u8>> {
    let parsed = Image::parse("image", image).expect("it was just saved");
    let entries: Vec<(SectionName, u64, usize)> = parsed
        .summary()
        .sections
        .iter()
        .filter_map(|section| {
            let name = SectionName::from_name(section.name())?;
            Some((name, section.offset(), usize::try_from(section.length()).ok()?))
        })
        .collect();
    // Sections without bytes begin where the next one begins.
    let target = *entries.get(which % entries.len())?;
    let parts = entries.iter().any(|(name, ..)| name.is_part());
    let options = ImageOptions {
        codec,
        target_sections: parts.then_some(3),
        inode_threshold: 1,
        ..ImageOptions::default()
    };
    let mut writer = ImageWriter::with_options(Vec::new(), options);
    let _ = writer.begin_inodes(1);
    for (name, offset, length) in entries.iter().copied().filter(|(name, ..)| !name.is_part()) {
        let mut cut: Vec<_> = entries
            .iter()
            .copied()
            .filter(|(part, ..)| part.is_part() && part.section() == name)
            .collect();
        cut.sort_by_key(|(_, offset, _)| *offset);
        if cut.is_empty() {
            cut.push((name, offset, length));
        }
        let last = cut.len() - 1;
        for (index, entry) in cut.into_iter().enumerate() {
            let (part, offset, length) = entry;
            let start = usize::try_from(offset).ok()?;
            let bytes = if entry == target { inner } else { image.get(start..start + length)? };
            writer.encoded(bytes).ok()?;
            match (part.is_part(), index == last) {
                (true, true) => writer.end_sections(name, part).ok()?,
                (true, false) => writer.end_sub_section(part).ok()?,
                (false, _) => writer.end_section(name).ok()?,
            }
        }
    }
    Some(writer.finish().ok()?.0)
}

/// Reads a script.
struct Script<'a>(&'a [u8]);

impl Script<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// A byte, or an edge of the numbers.
    fn number(&mut self) -> i64 {
        match self.byte() {
            255 => i64::MAX,
            254 => i64::MIN,
            253 => -1,
            252 => i64::MAX / 4,
            251 => 1 << 40,
            small => i64::from(small),
        }
    }

    /// Up to seven components: known ones, or up to seven bytes that follow.
    fn path(&mut self) -> Vec<u8> {
        let mut path = Vec::new();
        for _ in 0..self.byte() % 8 {
            path.push(b'/');
            path.extend(self.component());
        }
        if path.is_empty() {
            path.push(b'/');
        }
        path
    }

    fn component(&mut self) -> Vec<u8> {
        let choice = usize::from(self.byte());
        match COMPONENTS.get(choice) {
            Some(known) => known.to_vec(),
            None => (0..choice % 8).map(|_| self.byte()).collect(),
        }
    }
}

/// Calls with any paths, one after the other: the tree stays whole, is the replay of its operations, and its image is the
/// same tree.
///
/// # Panics
/// When that does not hold.
pub fn check_calls(bytes: &[u8]) {
    let mut script = Script(bytes);
    let mut generator = small_tree(u64::from(script.byte() % 4));
    let mut calls = 0;
    while !script.0.is_empty() && calls < MOST_CALLS {
        calls += 1;
        call(&mut generator, &mut script);
        if cfg!(test) {
            generator.namespace().check_invariants().expect("a call leaves the tree whole");
        }
    }
    while generator.namespace_mut().reclaim_step(1_000).reclaim_pending {}
    let live = generator.namespace();
    live.check_invariants().expect("calls leave a whole tree");
    let mut replayed = Namespace::new(generator.conf());
    for (txid, op) in (1..).zip(generator.log()) {
        replayed.replay(TxId(txid), op).expect("what was logged is replayed");
    }
    while replayed.reclaim_step(1_000).reclaim_pending {}
    assert_eq!(replayed.dump(), live.dump());
    let image = image_of(live, live.last_txid());
    let loaded = load_image(&image.bytes, &NamespaceConf::default()).expect("it was just saved");
    assert_eq!(loaded.dump(), live.dump());
}

fn call(generator: &mut Generator, script: &mut Script<'_>) {
    let number = script.byte();
    let (path, other) = (script.path(), script.path());
    let mode = FsPermission(0o755);
    // What is refused changes nothing: that is what the dump of the replay says.
    let _ = match number % 20 {
        _ if number >= managers::FIRST => {
            managers::call(generator, script, number, (&path, &other))
        }
        0 => generator.call(|tree, ctx| tree.plan_mkdirs(ctx, &path, mode, None, true)).map(drop),
        1 => create(generator, &path),
        2 => generator.call(|tree, ctx| tree.plan_delete(ctx, &path, true)).map(drop),
        3 => generator.call(|tree, ctx| tree.plan_rename(ctx, &path, &other)).map(drop),
        4 => {
            let flags = RenameFlags { overwrite: number & 0x40 != 0, to_trash: false };
            generator.call(|tree, ctx| tree.plan_rename2(ctx, &path, &other, flags)).map(drop)
        }
        5 => generator.call(|tree, ctx| tree.plan_allow_snapshot(ctx, &path)),
        6 => generator.call(|tree, ctx| tree.plan_disallow_snapshot(ctx, &path)),
        7 => {
            let name = script.component();
            generator.call(|tree, ctx| tree.plan_create_snapshot(ctx, &path, Some(&name))).map(drop)
        }
        8 => {
            let (old, new) = (script.component(), script.component());
            generator.call(|tree, ctx| tree.plan_rename_snapshot(ctx, &path, &old, &new))
        }
        9 => {
            let name = script.component();
            generator.call(|tree, ctx| tree.plan_delete_snapshot(ctx, &path, &name)).map(drop)
        }
        10 => {
            generator.call(|tree, ctx| tree.plan_concat(ctx, &path, &[other.as_slice()])).map(drop)
        }
        11 => truncate(generator, &path, i64::from(script.byte())),
        12 => generator.call(|tree, ctx| tree.plan_set_permission(ctx, &path, mode)),
        13 => generator
            .call(|tree, ctx| tree.plan_set_quota(ctx, &path, i64::from(number), 1 << 30, None)),
        14 => generator.call(|tree, ctx| tree.plan_change_acl(ctx, &path, &AclChange::RemoveAll)),
        15 => generator.call(|tree, ctx| tree.plan_set_replication(ctx, &path, 2)).map(drop),
        16 => generator.call(|tree, ctx| tree.plan_set_storage_policy(ctx, &path, Some("COLD"))),
        17 => generator.call(|tree, ctx| tree.plan_set_times(ctx, &path, 1, 1)),
        _ => {
            read(generator, &path, &other);
            Ok(())
        }
    };
}

fn create(generator: &mut Generator, path: &[u8]) -> hdfs_types::Result<()> {
    let request = CreateRequest {
        path,
        permission: FsPermission(0o644),
        unmasked: None,
        client_name: "client",
        client_machine: "host",
        flags: CreateFlags { create: true, overwrite: true, ..CreateFlags::default() },
        create_parent: true,
        replication: 1,
        block_size: 1 << 20,
        ec_policy_name: "",
        storage_policy: "",
        file_key: FileKeySource::NoProvider,
    };
    generator.attempt(|tree, ctx| tree.plan_create(ctx, &request)).map(drop)
}

fn truncate(generator: &mut Generator, path: &[u8], new_length: i64) -> hdfs_types::Result<()> {
    let request = TruncateRequest {
        path,
        new_length,
        client_name: "client",
        client_machine: "host",
        upgrading: false,
    };
    generator.attempt(|tree, ctx| tree.plan_truncate(ctx, &request)).map(drop)
}

/// Reading never changes anything, so that answers are not looked at: only that there is one.
fn read(generator: &Generator, path: &[u8], other: &[u8]) {
    generator.with(|tree, ctx| {
        let _ = tree.get_file_info(ctx, path, false, false);
        let _ = tree.get_listing(ctx, path, other, false);
        let _ = tree.get_content_summary(ctx, path);
        let _ = tree.get_quota_usage(ctx, path);
        let _ = tree.get_acl_status(ctx, path);
        let _ = tree.list_xattrs(ctx, path);
        let _ = tree.get_erasure_coding_policy(ctx, path);
        let _ = tree.get_encryption_zone(ctx, path);
        let _ = tree.get_snapshot_listing(ctx, path);
        let name = other.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        let _ = tree.get_snapshot_diff(ctx, path, name, b"");
        let _ = tree.get_snapshot_diff(ctx, path, b"s0", name);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_that_are_set_twice_are_set_once() {
        for how in [0, 1, 2, 0x40, 0x41, 0x42] {
            check_acl(how, "user::rwx,user:alice:r-x,group::r--,mask::rwx,other::---");
            check_acl(how, "default:user::rwx,default:group:eng:r-x,default:mask::r--");
            check_acl(how, "user:alice,default:group:eng:,mask::");
        }
    }

    #[test]
    fn calls_on_reserved_paths_leave_a_whole_tree() {
        // Rename below /.reserved/raw, delete by number, then a snapshot and what is below it.
        check_calls(&[0, 3, 3, 0, 1, 7, 2, 7, 8, 2, 3, 0, 2, 12, 0, 19, 2, 7, 3, 1, 8]);
        check_calls(&[1, 5, 1, 7, 0, 7, 1, 7, 0, 10, 0, 2, 7, 8, 0, 9, 1, 7, 0, 10]);
        // A pool, a directive of it, both listed.
        check_calls(&[2, 240, 0, 0, 1, 5, 4, 243, 1, 7, 0, 1, 3, 247, 1, 7, 0, 1]);
    }

    #[test]
    fn sections_that_are_put_back_make_the_same_image() {
        let image = saved_as(small_tree(1).namespace(), true);
        let parsed = Image::parse("image", &image).expect("it was just saved");
        for (index, section) in parsed.summary().sections.iter().enumerate() {
            let start = section.offset() as usize;
            let inner = &image[start..start + section.length() as usize];
            let name = SectionName::from_name(section.name()).expect("ours");
            let cut = parsed.summary().sections.iter().any(|part| {
                SectionName::from_name(part.name())
                    .is_some_and(|part| part.is_part() && part.section() == name)
            });
            if name.is_part() || !cut {
                assert_eq!(replaced(&image, None, index, inner).as_deref(), Some(&image[..]));
            }
        }
    }
}
