//! Attributes: mode, owner, times, replication.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.FSDirAttrOp (3.5.0)

use hdfs_proto::hdfs as p;
use hdfs_types::{FsPermission, INodeId, Result};

use crate::call::Call;
use crate::machine::NameNode;

impl NameNode {
    /// Proto: setPermission.
    pub fn set_permission(
        &mut self,
        call: &Call<'_>,
        request: &p::SetPermissionRequestProto,
    ) -> Result<p::SetPermissionResponseProto> {
        self.check_writable(&format!("Cannot set permission for {}", request.src), call.now.mono)?;
        let mode = FsPermission((request.permission.perm & 0o1777) as u16);
        let planned = self.plan(call, |namespace, context| {
            namespace.plan_set_permission(context, request.src.as_bytes(), mode)
        })?;
        self.commit(planned, call.now);
        Ok(p::SetPermissionResponseProto {})
    }

    /// Proto: setOwner.
    pub fn set_owner(
        &mut self,
        call: &Call<'_>,
        request: &p::SetOwnerRequestProto,
    ) -> Result<p::SetOwnerResponseProto> {
        self.check_writable(&format!("Cannot set owner for {}", request.src), call.now.mono)?;
        let given = |name: &Option<String>| name.clone().filter(|name| !name.is_empty());
        let (user, group) = (given(&request.username), given(&request.groupname));
        let planned = self.plan(call, |namespace, context| {
            let path = request.src.as_bytes();
            namespace.plan_set_owner(context, path, user.as_deref(), group.as_deref())
        })?;
        self.commit(planned, call.now);
        Ok(p::SetOwnerResponseProto {})
    }

    /// Proto: setTimes.
    pub fn set_times(
        &mut self,
        call: &Call<'_>,
        request: &p::SetTimesRequestProto,
    ) -> Result<p::SetTimesResponseProto> {
        self.check_writable(&format!("Cannot set times {}", request.src), call.now.mono)?;
        // The wire's numbers are unsigned, and -1 means "leave it".
        let (mtime, atime) = (request.mtime.cast_signed(), request.atime.cast_signed());
        let planned = self.plan(call, |namespace, context| {
            namespace.plan_set_times(context, request.src.as_bytes(), mtime, atime)
        })?;
        self.commit(planned, call.now);
        Ok(p::SetTimesResponseProto {})
    }

    /// Proto: setReplication.
    pub fn set_replication(
        &mut self,
        call: &Call<'_>,
        request: &p::SetReplicationRequestProto,
    ) -> Result<p::SetReplicationResponseProto> {
        self.check_writable(&format!("Cannot set replication for {}", request.src), call.now.mono)?;
        // Java takes the lower half of the number, too; a negative one is refused by the plan.
        let replication = (request.replication & 0xffff) as u16;
        let planned = self.plan(call, |namespace, context| {
            namespace.plan_set_replication(context, request.src.as_bytes(), replication)
        })?;
        Ok(p::SetReplicationResponseProto { result: self.commit(planned, call.now) })
    }

    /// A file was read: its access time follows, if that is kept and old enough. Not in safe mode.
    pub fn note_access(&mut self, call: &Call<'_>, inode: INodeId) {
        if self.in_safe_mode() {
            return;
        }
        let planned =
            self.plan(call, |namespace, context| namespace.plan_access_time(context, inode));
        if let Some(planned) = planned {
            self.commit(planned, call.now);
        }
    }
}
