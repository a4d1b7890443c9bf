//! ClientProtocol, one file a family of calls. Each method is one RPC.
//!
//! Proto: ClientNamenodeProtocol.proto

mod attributes;
mod cache;
mod erasure_coding;
mod extended;
mod lease;
mod pipeline;
mod query;
mod redirect;
mod snapshot;
mod tree;
mod write;
mod zones;

pub use redirect::names_datanode;
pub use snapshot::snapshot_diff_report;
pub use zones::KeyCipher;

use hdfs_namespace::{Attempt, Namespace, PlanContext};
use hdfs_types::{Error, ErrorKind, INodeId, Result};

use crate::call::Call;
use crate::machine::NameNode;

impl NameNode {
    /// Plans, applies and logs; takes a silent writer's lease over first when that closes the file at once.
    pub(crate) fn attempt<T>(
        &mut self,
        call: &Call<'_>,
        plan: impl Fn(&Namespace, &PlanContext<'_>) -> Result<Attempt<T>>,
    ) -> Result<T> {
        let release = match self.plan(call, &plan)? {
            Attempt::Planned(planned) => return Ok(self.commit(planned, call.now)),
            Attempt::Release(release) => release,
        };
        if !self.release_lease(call.now, release.inode, release.new_holder.as_deref())? {
            return Err(release.in_progress());
        }
        match self.plan(call, &plan)? {
            Attempt::Planned(planned) => Ok(self.commit(planned, call.now)),
            Attempt::Release(again) => Err(again.in_progress()),
        }
    }
}

/// `0` stands for a file id that the client did not send.
fn file_id(id: Option<u64>) -> INodeId {
    INodeId(id.unwrap_or(0))
}

/// Refuses paths over Hadoop's limits.
///
/// Hadoop: org.apache.hadoop.hdfs.server.namenode.NameNodeRpcServer.checkPathLength (3.5.0)
fn check_path_length(path: &str, call: &str) -> Result<()> {
    use hdfs_types::constants::{MAX_PATH_DEPTH, MAX_PATH_LENGTH};
    if path.is_empty() {
        let message = "Can not create a Path from an empty string";
        return Err(Error::new(ErrorKind::IllegalArgument, message));
    }
    let levels = hdfs_types::components(path.as_bytes()).count();
    if path.len() <= MAX_PATH_LENGTH && levels <= MAX_PATH_DEPTH {
        return Ok(());
    }
    Err(Error::io(format!(
        "{call}: Pathname too long.  Limit {MAX_PATH_LENGTH} characters, {MAX_PATH_DEPTH} levels."
    )))
}
