//! `getBlockLocations`: a read that may move the file's access time.
//!
//! The time is written by a second, short hold of the lock, and only when it is older than
//! `dfs.namenode.accesstime.precision`; the answer does not wait for it.
//!
//! Proto: ClientNamenodeProtocol.proto getBlockLocations

use std::cell::Cell;
use std::sync::Arc;

use hdfs_namenode::NameNode;
use hdfs_proto::hdfs::GetBlockLocationsRequestProto;
use hdfs_rt::rpc::server::{Reply, RpcCall};

use super::super::audit::Audit;
use super::super::shell::Shell;

pub(super) fn get_block_locations(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Reply {
    let due = Cell::new(None);
    let reply = shell.read(
        call,
        Audit::new("open", |q: &GetBlockLocationsRequestProto| (&q.src, "")),
        |nn, context, request| {
            let (answer, inode) = NameNode::get_block_locations(nn, context, request)?;
            due.set(inode);
            Ok(answer)
        },
    );
    if let Some(inode) = due.get() {
        let caller = shell.callers.get(call.caller);
        let ip = call.remote.ip().to_string();
        // While a deletion is not at its end no change goes before it; the next read notes its time.
        shell.write_with(|nn| {
            if !nn.is_cleaning() {
                nn.note_access(&shell.context(call, &caller, &ip), inode);
            }
        });
    }
    reply
}
