//! Operations of logs of old layouts, made into what the newest software would have logged: then the one `apply` takes them.
//!
//! Before -42 inodes had no ids, so that a new one gets the next; and names that are reserved today were free, so that
//! they are renamed, or the upgrade is refused. Before -40 a file could be closed twice (HDFS-2991): it is opened in between.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.{FSEditLogLoader, FSImageFormat} (3.5.0)

use hdfs_format::edits::{AppendOp, EditOp, RetryKey};
use hdfs_format::layout_version::{Feature, Layout};
use hdfs_format::reserved_names::ReservedNames;

use crate::namespace::Namespace;

/// From this layout on a second OP_CLOSE of a file is damage; before, a known bug of the writer.
const FIRST_WITHOUT_DOUBLE_CLOSE: i32 = -40;

impl Namespace {
    /// The operations that the newest layout would hold in place of one of an old layout. They depend on the state: they
    /// must be applied before the next one is adapted.
    ///
    /// # Errors
    /// When a path is reserved today and may not be renamed.
    pub fn adapt_old(
        &self,
        mut op: EditOp,
        layout: Layout,
        names: &ReservedNames,
    ) -> Result<Vec<EditOp>, String> {
        if layout.supports(Feature::AddInodeId) && layout.supports(Feature::Snapshot) {
            return Ok(vec![op]);
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
            && self.is_closed(&close.path)
        {
            let open = AppendOp {
                path: close.path.clone(),
                client_name: "HDFS_2991".to_owned(),
                client_machine: String::new(),
                new_block: true,
                retry: RetryKey::NONE,
            };
            return Ok(vec![EditOp::Append(open), op]);
        }
        Ok(vec![op])
    }

    fn is_closed(&self, path: &[u8]) -> bool {
        self.find(path).is_some_and(|slot| {
            self.record(slot).is_file() && self.under_construction(slot).is_none()
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
    use hdfs_format::edits::{AddOp, CloseOp, MkdirOp};
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
            for op in namespace.adapt_old(op, layout, &names).expect("nothing is reserved") {
                namespace.replay(TxId(txid), &op).expect("it applies");
                namespace.check_invariants().expect("the tree is whole");
            }
        }
        let slot = namespace.find(b"/d/f").expect("it is there");
        assert_eq!(namespace.record(slot).id(), INodeId(16_387));
        assert_eq!(namespace.record(slot).mtime(), WallMillis(11));
        assert_eq!(namespace.blocks_of(slot).to_vec(), [block(1002)]);
        let newer =
            namespace.adapt_old(close("/d/f", vec![block(1002)], 12), Layout::of(-40), &names);
        assert_eq!(newer.map(|ops| ops.len()), Ok(1), "later it is damage");
    }
}
