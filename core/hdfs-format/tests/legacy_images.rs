//! Images from before protobuf, of every layout that Hadoop 3.5.0 reads: an encoder of old layouts writes one namespace,
//! and what is read is that namespace, without what its layout does not have.

#![allow(clippy::unwrap_used)] // Clippy does not see that helpers of tests are tests.

use hdfs_format::fsimage::Image;
use hdfs_format::fsimage::legacy::{self, LegacyOptions};
use hdfs_format::fsimage::xml::write_xml;
use hdfs_format::layout_version::{Feature, Layout};
use hdfs_format::reserved_names::ReservedNames;

/// Writes an image as software of another time did.
struct Old {
    layout: Layout,
    out: Vec<u8>,
}

/// What an inode is.
enum Node<'a> {
    File { blocks: &'a [(i64, i64, i64)], diff: Option<&'a str> },
    Directory { ns_quota: i64, ds_quota: i64, snapshots: Option<bool> },
}

const PLAIN: Node<'_> = Node::Directory { ns_quota: -1, ds_quota: -1, snapshots: None };
const EMPTY: Node<'_> = Node::File { blocks: &[], diff: None };
const TIME: i64 = 1_400_000_000_000;
/// Snapshots of /dir.
const S1: i32 = 0;

impl Old {
    fn new(version: i32) -> Self {
        Self { layout: Layout::of(version), out: Vec::new() }
    }

    fn has(&self, feature: Feature) -> bool {
        self.layout.supports(feature)
    }

    fn byte(&mut self, value: u8) {
        self.out.push(value);
    }

    fn short(&mut self, value: i16) {
        self.out.extend(value.to_be_bytes());
    }

    fn int(&mut self, value: i32) {
        self.out.extend(value.to_be_bytes());
    }

    fn long(&mut self, value: i64) {
        self.out.extend(value.to_be_bytes());
    }

    fn string(&mut self, text: &str) {
        self.short(text.len() as i16);
        self.out.extend(text.as_bytes());
    }

    /// Shorter than 113 bytes: its length is one byte.
    fn text(&mut self, text: &str) {
        self.byte(text.len() as u8);
        self.out.extend(text.as_bytes());
    }

    fn status(&mut self, user: &str, mode: i16) {
        self.text(user);
        self.text("staff");
        self.short(mode);
    }

    fn blocks(&mut self, blocks: &[(i64, i64, i64)]) {
        self.int(blocks.len() as i32);
        for (id, length, stamp) in blocks {
            self.long(*id);
            self.long(*length);
            self.long(*stamp);
        }
    }

    fn id(&mut self, id: i64) {
        if self.has(Feature::AddInodeId) {
            self.long(id);
        }
    }

    /// After the name.
    fn inode(&mut self, id: i64, deleted: bool, node: &Node<'_>) {
        self.id(id);
        self.short(if matches!(node, Node::File { .. }) { 3 } else { 0 });
        self.long(TIME + id);
        if self.has(Feature::FileAccessTime) {
            self.long(if matches!(node, Node::File { .. }) { TIME } else { 0 });
        }
        self.long(if matches!(node, Node::File { .. }) { 1 << 20 } else { 0 });
        match node {
            Node::File { blocks, diff } => {
                self.blocks(blocks);
                if self.has(Feature::Snapshot) {
                    self.file_diff(id, *diff);
                    if deleted {
                        self.byte(0);
                    }
                }
                self.status("alice", 0o644);
            }
            Node::Directory { ns_quota, ds_quota, snapshots } => {
                self.int(-1);
                self.long(*ns_quota);
                if self.has(Feature::DiskspaceQuota) {
                    self.long(*ds_quota);
                }
                if self.has(Feature::Snapshot) {
                    self.byte(u8::from(*snapshots == Some(true)));
                    if *snapshots != Some(true) {
                        self.byte(u8::from(snapshots.is_some()));
                    }
                }
                self.status("bob", 0o755);
            }
        }
    }

    /// The state of the file in the snapshot, with another owner.
    fn file_diff(&mut self, id: i64, name: Option<&str>) {
        let Some(name) = name else { return self.int(-1) };
        self.int(1);
        self.int(S1);
        self.long(5);
        self.byte(1);
        self.string(name);
        if self.has(Feature::OptimizeSnapshotInodes) {
            self.status("carol", 0o600);
            self.long(TIME - 7);
            self.long(TIME - 8);
            self.short(2);
            self.long(1 << 20);
        } else {
            self.long(id);
            self.short(2);
            self.long(TIME - 7);
            self.long(TIME - 8);
            self.long(1 << 20);
            self.blocks(&[]);
            self.int(-1);
            self.byte(0);
            self.status("carol", 0o600);
        }
    }

    fn head(&mut self, inodes: i64) {
        self.int(self.layout.version());
        if self.has(Feature::AddLayoutFlags) {
            self.int(0);
        }
        self.int(-77);
        self.long(inodes);
        self.long(1_005);
        if self.has(Feature::SequentialBlockId) {
            self.long(1_099_511_628_800);
            self.long(1_099_511_628_781);
            self.long(1_073_741_826);
        }
        if self.has(Feature::StoredTxids) {
            self.long(42);
        }
        self.id(16_400);
        if self.has(Feature::Snapshot) {
            self.int(1);
            self.int(1);
            self.int(S1);
            self.string("s1");
            self.inode(
                16_386,
                false,
                &Node::Directory { ns_quota: 9, ds_quota: -1, snapshots: None },
            );
        }
        if self.has(Feature::FsImageCompression) {
            self.byte(0);
        }
    }

    fn tail(&mut self) {
        self.int(1);
        self.string("/open");
        self.id(16_389);
        self.short(3);
        self.long(TIME);
        self.long(1 << 20);
        self.blocks(&[(-9, 17, 1_004)]);
        self.status("alice", 0o644);
        self.string("client-1");
        self.string("host-1");
        self.int(0);
        if self.has(Feature::DelegationToken) {
            self.int(2);
            self.int(1);
            self.byte(2);
            self.out.extend([0x8E, 0x10, 0x00]);
            self.byte(3);
            self.out.extend(b"key");
            self.int(1);
            self.int(1);
            self.byte(0);
            self.text("alice");
            self.text("yarn");
            self.text("");
            self.out.extend([5, 6, 1, 2]);
            self.long(TIME);
        }
        if self.has(Feature::Caching) {
            self.long(8);
            self.int(1);
            self.string("pool");
            self.int(0x1F);
            self.string("alice");
            self.string("staff");
            self.short(0o750);
            self.long(1_000);
            self.long(2_000);
            self.int(1);
            self.long(7);
            self.int(0xF);
            self.string("/dir");
            self.short(1);
            self.string("pool");
            self.long(TIME);
        }
    }

    fn root(&mut self) {
        self.string("");
        let root = Node::Directory { ns_quota: i64::from(i32::MAX), ds_quota: -1, snapshots: None };
        self.inode(16_385, false, &root);
    }

    /// Before -30: a path before every inode.
    fn by_path(&mut self) {
        self.head(6);
        self.root();
        self.string("/dir");
        self.inode(
            16_386,
            false,
            &Node::Directory { ns_quota: 9, ds_quota: 1 << 30, snapshots: None },
        );
        self.string("/open");
        self.inode(16_389, false, &Node::File { blocks: &[(-9, 0, 1_004)], diff: None });
        self.string("/dir/empty");
        self.inode(16_387, false, &EMPTY);
        self.string("/dir/file");
        self.inode(
            16_388,
            false,
            &Node::File { blocks: &[(-7, 5, 1_001), (8, 6, 1_002)], diff: None },
        );
        self.string("/dir/sub");
        self.inode(16_390, false, &PLAIN);
        self.tail();
    }

    /// Until -42: directories by path.
    fn by_name(&mut self) {
        self.head(6);
        self.root();
        self.string("/");
        self.int(2);
        self.string("dir");
        self.inode(
            16_386,
            false,
            &Node::Directory { ns_quota: 9, ds_quota: 1 << 30, snapshots: None },
        );
        self.string("open");
        self.inode(16_389, false, &Node::File { blocks: &[(-9, 0, 1_004)], diff: None });
        self.string("/dir");
        self.int(3);
        self.string("empty");
        self.inode(16_387, false, &EMPTY);
        self.string("file");
        self.inode(
            16_388,
            false,
            &Node::File { blocks: &[(-7, 5, 1_001), (8, 6, 1_002)], diff: None },
        );
        self.string("sub");
        self.inode(16_390, false, &PLAIN);
        self.tail();
    }

    /// Since -43. In /dir, of which there is a snapshot, /dir/gone was deleted, /dir/file changed, /dir/old was renamed to
    /// /moved, and /dir/empty made.
    fn with_snapshots(&mut self) {
        self.head(8);
        self.root();
        self.long(16_385);
        self.int(-1);
        self.int(3);
        self.string("dir");
        let dir = Node::Directory { ns_quota: 9, ds_quota: 1 << 30, snapshots: Some(true) };
        self.inode(16_386, false, &dir);
        self.string("moved");
        self.reference(16_391, false, i32::MAX - 1);
        self.byte(1);
        self.string("moved");
        self.inode(16_391, false, &Node::File { blocks: &[(11, 3, 1_003)], diff: None });
        self.string("open");
        self.inode(16_389, false, &Node::File { blocks: &[(-9, 0, 1_004)], diff: None });
        self.int(-1);
        self.int(1);
        self.dir();
        self.tail();
    }

    fn dir(&mut self) {
        self.long(16_386);
        self.int(1);
        self.int(S1);
        self.int(65_536);
        self.int(3);
        self.string("empty");
        self.inode(16_387, false, &EMPTY);
        self.string("file");
        let blocks = &[(-7, 5, 1_001), (8, 6, 1_002)];
        self.inode(16_388, false, &Node::File { blocks, diff: Some("file") });
        self.string("sub");
        self.inode(16_390, false, &PLAIN);
        self.int(1);
        self.int(S1);
        self.int(4);
        self.byte(1);
        self.int(1);
        self.string("empty");
        self.int(2);
        self.string("gone");
        self.inode(16_392, true, &Node::File { blocks: &[(12, 4, 1_003)], diff: None });
        self.string("old");
        self.reference(16_391, true, S1);
        self.byte(0);
        self.long(16_391);
        self.int(1);
        self.long(16_390);
        self.int(-1);
        self.int(0);
        self.int(-1);
        self.int(0);
    }

    fn reference(&mut self, id: i64, by_name: bool, snapshot: i32) {
        self.long(id);
        self.short(0);
        self.long(0);
        self.long(0);
        self.long(0);
        self.int(-3);
        self.byte(u8::from(by_name));
        self.int(snapshot);
    }
}

fn image(version: i32) -> Vec<u8> {
    let mut old = Old::new(version);
    if old.has(Feature::Snapshot) {
        old.with_snapshots();
    } else if old.has(Feature::FsImageNameOptimization) {
        old.by_name();
    } else {
        old.by_path();
    }
    old.out
}

fn xml(bytes: &[u8]) -> Result<String, String> {
    let converted = legacy::convert("fsimage", bytes, &LegacyOptions::default());
    let converted = converted.map_err(|error| error.to_string())?;
    let image = Image::parse("converted", &converted).map_err(|error| error.to_string())?;
    let mut out = Vec::new();
    write_xml(&image, "r", &mut out).map_err(|error| error.to_string())?;
    Ok(String::from_utf8(out).unwrap())
}

#[test]
fn images_of_every_old_layout_hold_the_same_tree() {
    for version in -51..=-16 {
        let text = xml(&image(version)).unwrap();
        let has = |feature| Layout::of(version).supports(feature);
        for name in ["dir", "file", "empty", "sub", "open"] {
            assert!(text.contains(&format!("<name>{name}</name>")), "{name} in {version}");
        }
        assert!(text.contains("<clientName>client-1</clientName>"), "{version}");
        assert!(text.contains("<numBytes>17</numBytes>"), "the open block in {version}");
        assert_eq!(text.contains("<name>moved</name>"), has(Feature::Snapshot), "{version}");
        assert_eq!(text.contains("<poolName>pool</poolName>"), has(Feature::Caching), "{version}");
        assert_eq!(text.contains("yarn"), has(Feature::DelegationToken), "{version}");
    }
}

#[test]
fn a_cut_or_changed_image_is_refused_or_read_and_nothing_else() {
    for version in [-51, -44, -33] {
        let whole = image(version);
        for end in 0..whole.len() {
            let cut = legacy::convert("fsimage", &whole[..end], &LegacyOptions::default());
            assert!(cut.is_err(), "{version} cut at {end}");
        }
        for at in 4..whole.len() {
            for value in [0, 1, 0x7F, 0xFF] {
                let mut changed = whole.clone();
                changed[at] = value;
                // Names and numbers may be any; all that counts is that an answer comes.
                let _ = legacy::convert("fsimage", &changed, &LegacyOptions::default());
            }
        }
    }
}

#[test]
fn reserved_names_are_refused_or_renamed() {
    let mut old = Old::new(-42);
    old.head(3);
    old.root();
    old.string("/");
    old.int(1);
    old.string(".reserved");
    old.inode(16_386, false, &PLAIN);
    old.string("/.reserved");
    old.int(1);
    old.string(".snapshot");
    old.inode(16_387, false, &PLAIN);
    old.int(0);
    old.int(0);
    old.int(0);
    old.int(0);
    old.int(0);
    let refused = xml(&old.out).unwrap_err();
    assert!(
        refused.contains("upgrade with the -renameReserved [key-value pairs] option"),
        "{refused}"
    );
    let names = ReservedNames::parse(".snapshot=was-snapshot").unwrap();
    let options = LegacyOptions { names, ..LegacyOptions::default() };
    let converted = legacy::convert("fsimage", &old.out, &options).unwrap();
    let text = String::from_utf8_lossy(&converted);
    // With inode ids `/.reserved` meant something already.
    assert!(text.contains("was-snapshot") && text.contains(".reserved"));
}
