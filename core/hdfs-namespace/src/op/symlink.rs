//! Symbolic links: carried from images and logs of old clusters. Hadoop 3 makes none unless a test switches them on.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.FSDirSymlinkOp (3.5.0)

use hdfs_format::edits::SymlinkOp;

use super::limits::check_time;
use super::mkdir::last_component;
use crate::effects::Effects;
use crate::namespace::{Namespace, NewNode, names};
use crate::status::INodeKind;

impl Namespace {
    pub(crate) fn apply_symlink(&mut self, op: &SymlinkOp) -> Result<Effects, String> {
        check_time(op.mtime.0)?;
        check_time(op.atime.0)?;
        let place = self.check_new_name(&op.path, op.inode_id)?;
        let node = NewNode {
            id: op.inode_id,
            kind: INodeKind::Symlink,
            permission: self.pack_permission(&op.permission_status),
            mtime: op.mtime,
            atime: op.atime,
            header: 0,
            target: &op.value,
        };
        self.add_node(place, last_component(&op.path), &node);
        self.add_usage(place.0, &names(1));
        Ok(Effects::default())
    }
}
