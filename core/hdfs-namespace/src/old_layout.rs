//! Operations of logs of old layouts, made into what the newest software would have logged: then the one `apply` takes them.
//!
//! Before -42 inodes had no ids, so that a new one gets the next; and names that are reserved today were free, so that
//! they are renamed, or the upgrade is refused. Before -40 a file could be closed twice (HDFS-2991).
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.{FSEditLogLoader, FSImageFormat} (3.5.0)

use hdfs_format::edits::{CloseOp, EditOp, TimesOp};
use hdfs_format::layout_version::{Feature, Layout};
use hdfs_types::{Error, ErrorKind, Result};

use crate::namespace::Namespace;
use crate::resolve::text;

const DOT_SNAPSHOT: &str = ".snapshot";
const DOT_RESERVED: &str = ".reserved";
/// From this layout on a second OP_CLOSE of a file is damage; before, a known bug of the writer.
const FIRST_WITHOUT_DOUBLE_CLOSE: i32 = -40;

/// What reserved names are called after an upgrade (`-renameReserved`).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ReservedNames {
    /// What `.snapshot` and, below the root, `.reserved` become; none when the upgrade was not told to rename.
    renamed: Option<(String, String)>,
}

impl ReservedNames {
    /// The names of `-renameReserved PAIRS`, as in `.snapshot=.my-snapshot,.reserved=.my-reserved`; a name that is not
    /// given gets Hadoop's.
    ///
    /// # Errors
    /// When a pair is none, names no reserved component, or its new name is none for a component.
    pub fn parse(pairs: &str) -> Result<Self> {
        let wrong = |text: String| Error::new(ErrorKind::IllegalArgument, text);
        let default = |name: &str| format!("{name}.{}.UPGRADE_RENAMED", Layout::CURRENT.version());
        let (mut snapshot, mut reserved) = (default(DOT_SNAPSHOT), default(DOT_RESERVED));
        for pair in pairs.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let Some((name, new)) = pair.split_once('=').filter(|(_, new)| !new.contains('='))
            else {
                return Err(wrong(format!("Could not parse key-value pair {pair}")));
            };
            let place = match name {
                DOT_SNAPSHOT => &mut snapshot,
                DOT_RESERVED => &mut reserved,
                _ => return Err(wrong(format!("Unknown reserved path {name}"))),
            };
            let invalid = matches!(new, "" | "." | ".." | DOT_SNAPSHOT | DOT_RESERVED)
                || new.contains([':', '/']);
            if invalid {
                return Err(wrong(format!("Invalid rename path for {name}: {new}")));
            }
            new.clone_into(place);
        }
        Ok(Self { renamed: Some((snapshot, reserved)) })
    }

    /// The path that a path of an old layout becomes; none when it stays.
    ///
    /// # Errors
    /// When it holds a reserved name, and the upgrade was not told to rename.
    pub fn rename(&self, path: &[u8], layout: Layout) -> Result<Option<Vec<u8>>, String> {
        let (ids, snapshots) =
            (layout.supports(Feature::AddInodeId), layout.supports(Feature::Snapshot));
        let is_reserved = |index: usize, component: &[u8]| {
            (!snapshots && component == DOT_SNAPSHOT.as_bytes())
                || (!ids && index == 1 && component == DOT_RESERVED.as_bytes())
        };
        let components = || path.split(|byte| *byte == b'/').enumerate();
        if !components().any(|(index, component)| is_reserved(index, component)) {
            return Ok(None);
        }
        let Some((snapshot, reserved)) = &self.renamed else {
            return Err(format!(
                "/.reserved is a reserved path and .snapshot is a reserved path component in this version of HDFS. Please \
                 rollback and delete or rename this path, or upgrade with the -renameReserved [key-value pairs] option to \
                 automatically rename these paths during upgrade. ({})",
                text(path)
            ));
        };
        let named = components().map(|(index, component)| match component {
            _ if !is_reserved(index, component) => component,
            name if name == DOT_SNAPSHOT.as_bytes() => snapshot.as_bytes(),
            _ => reserved.as_bytes(),
        });
        Ok(Some(named.collect::<Vec<_>>().join(&b'/')))
    }
}

impl Namespace {
    /// The operation that the newest layout would hold in place of one of an old layout. It depends on the state: it must
    /// be applied before the next one is adapted.
    ///
    /// # Errors
    /// When a path is reserved today and may not be renamed.
    pub fn adapt_old(
        &self,
        mut op: EditOp,
        layout: Layout,
        names: &ReservedNames,
    ) -> Result<EditOp, String> {
        if layout.supports(Feature::AddInodeId) && layout.supports(Feature::Snapshot) {
            return Ok(op);
        }
        for path in paths(&mut op) {
            if let Some(renamed) = names.rename(path, layout)? {
                *path = renamed;
            }
        }
        if !layout.supports(Feature::AddInodeId) {
            let id = self.next_inode_id(0);
            match &mut op {
                EditOp::Add(op) => op.inode_id = id,
                EditOp::Mkdir(op) => op.inode_id = id,
                EditOp::Symlink(op) => op.inode_id = id,
                _ => {}
            }
        }
        if layout.version() > FIRST_WITHOUT_DOUBLE_CLOSE
            && let EditOp::Close(close) = &op
            && self.is_closed_twice(close)
        {
            let (mtime, atime) = (close.mtime.0.cast_signed(), close.atime.0.cast_signed());
            return Ok(EditOp::Times(TimesOp { path: close.path.clone(), mtime, atime }));
        }
        Ok(op)
    }

    /// True for a file that is closed already, with these very blocks.
    fn is_closed_twice(&self, close: &CloseOp) -> bool {
        self.find(&close.path).is_some_and(|slot| {
            self.record(slot).is_file()
                && self.under_construction(slot).is_none()
                && self.blocks_of(slot).to_vec() == close.blocks
        })
    }
}

/// The paths of an operation that an upgrade renames. Operations that only layouts with snapshots have are not here.
fn paths(op: &mut EditOp) -> Vec<&mut Vec<u8>> {
    match op {
        EditOp::Add(op) => vec![&mut op.path],
        EditOp::Close(op) => vec![&mut op.path],
        EditOp::Append(op) => vec![&mut op.path],
        EditOp::UpdateBlocks(op) => vec![&mut op.path],
        EditOp::AddBlock(op) => vec![&mut op.path],
        EditOp::SetReplication(op) => vec![&mut op.path],
        EditOp::ConcatDelete(op) => std::iter::once(&mut op.trg).chain(&mut op.srcs).collect(),
        EditOp::RenameOld(op) => vec![&mut op.src, &mut op.dst],
        EditOp::Rename(op) => vec![&mut op.src, &mut op.dst],
        EditOp::Delete(op) => vec![&mut op.path],
        EditOp::Mkdir(op) => vec![&mut op.path],
        EditOp::SetPermissions(op) => vec![&mut op.src],
        EditOp::SetOwner(op) => vec![&mut op.src],
        EditOp::SetNsQuota(op) => vec![&mut op.src],
        EditOp::ClearNsQuota(op) => vec![&mut op.src],
        EditOp::SetQuota(op) => vec![&mut op.src],
        EditOp::Times(op) => vec![&mut op.path],
        EditOp::Symlink(op) => vec![&mut op.path],
        EditOp::ReassignLease(op) => vec![&mut op.path],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hdfs_format::edits::{AddOp, DeleteOp, MkdirOp, RetryKey};
    use hdfs_types::{
        Block, BlockId, FsPermission, GenerationStamp, INodeId, PermissionStatus, TxId, WallMillis,
    };

    fn status() -> PermissionStatus {
        PermissionStatus { user: "u".into(), group: "g".into(), permission: FsPermission(0o755) }
    }

    fn mkdir(path: &str) -> EditOp {
        EditOp::Mkdir(MkdirOp {
            inode_id: INodeId(0),
            path: path.into(),
            timestamp: WallMillis(7),
            permissions: status(),
            acl_entries: Vec::new(),
            x_attrs: Vec::new(),
        })
    }

    fn add(path: &str, blocks: Vec<Block>) -> EditOp {
        EditOp::Add(Box::new(AddOp {
            inode_id: INodeId(0),
            path: path.into(),
            replication: 3,
            mtime: WallMillis(8),
            atime: WallMillis(8),
            block_size: 1 << 20,
            blocks,
            permissions: status(),
            acl_entries: Vec::new(),
            x_attrs: Vec::new(),
            client_name: "c".into(),
            client_machine: "m".into(),
            overwrite: false,
            storage_policy_id: 0,
            erasure_coding_policy_id: 0,
            retry: RetryKey::NONE,
        }))
    }

    fn close(path: &str, blocks: Vec<Block>, mtime: u64) -> EditOp {
        EditOp::Close(CloseOp {
            inode_id: INodeId(0),
            path: path.into(),
            replication: 3,
            mtime: WallMillis(mtime),
            atime: WallMillis(8),
            block_size: 1 << 20,
            blocks,
            permissions: status(),
        })
    }

    #[test]
    fn a_log_without_inode_ids_applies_with_the_next_ids_and_double_closes() {
        let layout = Layout::of(-33);
        let names = ReservedNames::default();
        let mut namespace = Namespace::format("root", "supergroup");
        let block = |stamp| Block {
            id: BlockId(-1234),
            num_bytes: 77,
            generation_stamp: GenerationStamp(stamp),
        };
        let ops = [
            mkdir("/d"),
            add("/d/f", Vec::new()),
            add("/d/f", vec![block(1001)]),
            close("/d/f", vec![block(1001)], 9),
            close("/d/f", vec![block(1001)], 10),
            // An append of that time, and its pipeline update.
            add("/d/f", vec![block(1001)]),
            close("/d/f", vec![block(1002)], 11),
        ];
        for (txid, op) in (1..).zip(ops) {
            let op = namespace.adapt_old(op, layout, &names).expect("nothing is reserved");
            namespace.replay(TxId(txid), &op).expect("it applies");
            namespace.check_invariants().expect("the tree is whole");
        }
        let slot = namespace.find(b"/d/f").expect("it is there");
        assert_eq!(namespace.record(slot).id(), INodeId(16_387));
        assert_eq!(namespace.record(slot).mtime(), WallMillis(11));
        assert_eq!(namespace.blocks_of(slot).to_vec(), [block(1002)]);
        let newer =
            namespace.adapt_old(close("/d/f", vec![block(1002)], 12), Layout::of(-40), &names);
        assert!(matches!(newer, Ok(EditOp::Close(_))), "later it is damage");
    }

    #[test]
    fn names_that_were_free_are_renamed_or_refused() {
        let names = ReservedNames::parse(".snapshot=.old-snapshot").expect("a pair");
        let rename = |path: &str, layout| {
            let renamed = names.rename(path.as_bytes(), Layout::of(layout)).expect("it may");
            renamed.map(|path| String::from_utf8(path).expect("it was text"))
        };
        let free = "/.reserved/.snapshot/.reserved";
        let named = "/.reserved.-67.UPGRADE_RENAMED/.old-snapshot/.reserved";
        assert_eq!(rename(free, -39).as_deref(), Some(named));
        assert_eq!(rename("/a/.snapshot", -42).as_deref(), Some("/a/.old-snapshot"));
        assert_eq!(rename("/.reserved/a", -42), None);
        assert_eq!(rename(free, -43), None);
        assert_eq!(rename("/", -16), None);
        let delete = EditOp::Delete(DeleteOp {
            path: b"/x/.snapshot".to_vec(),
            timestamp: WallMillis(1),
            retry: RetryKey::NONE,
        });
        let namespace = Namespace::format("root", "supergroup");
        let refused = namespace.adapt_old(delete, Layout::of(-39), &ReservedNames::default());
        assert!(refused.expect_err("not told to").contains("-renameReserved"));
        for wrong in ["a=b", ".snapshot", ".snapshot=a=b", ".reserved=a/b", ".snapshot=.reserved"] {
            assert!(ReservedNames::parse(wrong).is_err(), "{wrong}");
        }
    }
}
