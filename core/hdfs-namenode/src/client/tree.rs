//! The tree: folders, names, deletion, concatenation, truncation.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.{FSDirMkdirOp, FSDirRenameOp, FSDirDeleteOp, FSDirConcatOp,
//! FSDirTruncateOp} (3.5.0)

use hdfs_namespace::{RemovalCheck, RenameFlags, TruncateRequest};
use hdfs_proto::hdfs as p;
use hdfs_types::{Error, FsPermission, Result};

use super::check_path_length;
use crate::call::Call;
use crate::machine::NameNode;
use crate::retry_cache::CachedAnswer;

/// Inodes that one slice of a check looks at.
const SLICE: usize = 20_000;

impl NameNode {
    /// Proto: mkdirs.
    pub fn mkdirs(
        &mut self,
        call: &Call<'_>,
        request: &p::MkdirsRequestProto,
    ) -> Result<p::MkdirsResponseProto> {
        check_path_length(&request.src, "mkdirs")?;
        let what = format!("Cannot create directory {}", request.src);
        self.check_writable(&what, call.now.mono)?;
        let mode = |proto: &p::FsPermissionProto| FsPermission((proto.perm & 0o1777) as u16);
        let planned = self.plan(call, |namespace, context| {
            namespace.plan_mkdirs(
                context,
                request.src.as_bytes(),
                mode(&request.masked),
                request.unmasked.as_ref().map(mode),
                request.create_parent,
            )
        })?;
        Ok(p::MkdirsResponseProto { result: self.commit(planned, call.now) })
    }

    /// Proto: delete.
    pub fn delete(
        &mut self,
        call: &Call<'_>,
        request: &p::DeleteRequestProto,
    ) -> Result<p::DeleteResponseProto> {
        self.checked_delete(call, request, None)
    }

    /// True when the permissions below what is to be deleted are better checked in slices before.
    pub fn is_large_removal(&self, call: &Call<'_>, request: &p::DeleteRequestProto) -> bool {
        self.plan(call, |namespace, context| {
            namespace.is_large_removal(context, request.src.as_bytes())
        })
    }

    /// Begins to check the permissions of what is to be deleted. End it with [`Self::end_removal_check`].
    ///
    /// # Errors
    /// When the path does not resolve.
    pub fn begin_removal_check(
        &mut self,
        call: &Call<'_>,
        request: &p::DeleteRequestProto,
    ) -> Result<Option<RemovalCheck>> {
        let top = self.plan(call, |namespace, context| {
            namespace.begin_removal_check(context, request.src.as_bytes())
        })?;
        if top.is_some() {
            self.namespace.watch_removal_check();
        }
        Ok(top)
    }

    /// A slice of the check; true after the last one.
    pub fn continue_removal_check(&self, call: &Call<'_>, check: &mut RemovalCheck) -> bool {
        self.plan(call, |namespace, context| {
            namespace.continue_removal_check(context, check, SLICE)
        })
    }

    /// Forgets a check.
    pub fn end_removal_check(&mut self, check: RemovalCheck) {
        self.namespace.end_removal_check(check);
    }

    /// [`Self::delete`] after the permissions below were checked.
    ///
    /// # Errors
    /// As [`Self::delete`].
    pub fn checked_delete(
        &mut self,
        call: &Call<'_>,
        request: &p::DeleteRequestProto,
        check: Option<&RemovalCheck>,
    ) -> Result<p::DeleteResponseProto> {
        let result = self.once(
            call,
            flag,
            |result| CachedAnswer::Flag(*result),
            |nn| {
                nn.check_writable(&format!("Cannot delete {}", request.src), call.now.mono)?;
                let planned = nn.plan(call, |namespace, context| {
                    let path = request.src.as_bytes();
                    namespace.plan_checked_delete(context, path, request.recursive, check)
                })?;
                Ok(nn.commit(planned, call.now))
            },
        )?;
        Ok(p::DeleteResponseProto { result })
    }

    /// Proto: rename.
    pub fn rename(
        &mut self,
        call: &Call<'_>,
        request: &p::RenameRequestProto,
    ) -> Result<p::RenameResponseProto> {
        check_path_length(&request.dst, "rename")?;
        let result = self.once(
            call,
            flag,
            |result| CachedAnswer::Flag(*result),
            |nn| {
                nn.check_writable(&format!("Cannot rename {}", request.src), call.now.mono)?;
                let planned = nn.plan(call, |namespace, context| {
                    namespace.plan_rename(context, request.src.as_bytes(), request.dst.as_bytes())
                })?;
                Ok(nn.commit(planned, call.now))
            },
        )?;
        Ok(p::RenameResponseProto { result })
    }

    /// Proto: rename2.
    pub fn rename2(
        &mut self,
        call: &Call<'_>,
        request: &p::Rename2RequestProto,
    ) -> Result<p::Rename2ResponseProto> {
        check_path_length(&request.dst, "rename")?;
        self.change_once(call, &format!("Cannot rename {}", request.src), |namespace, context| {
            let flags = RenameFlags {
                overwrite: request.overwrite_dest,
                to_trash: request.move_to_trash.unwrap_or(false),
            };
            let (src, dst) = (request.src.as_bytes(), request.dst.as_bytes());
            namespace.plan_rename2(context, src, dst, flags)
        })?;
        Ok(p::Rename2ResponseProto {})
    }

    /// Proto: concat.
    pub fn concat(
        &mut self,
        call: &Call<'_>,
        request: &p::ConcatRequestProto,
    ) -> Result<p::ConcatResponseProto> {
        self.change_once(call, &format!("Cannot concat {}", request.trg), |namespace, context| {
            let sources: Vec<&[u8]> = request.srcs.iter().map(String::as_bytes).collect();
            namespace.plan_concat(context, request.trg.as_bytes(), &sources)
        })?;
        Ok(p::ConcatResponseProto {})
    }

    /// Proto: truncate. True when it is done; false while the last block is being cut.
    ///
    /// // Differs: Hadoop keeps no answer of it, so that a repetition cuts again (HDFS-16322).
    pub fn truncate(
        &mut self,
        call: &Call<'_>,
        request: &p::TruncateRequestProto,
    ) -> Result<p::TruncateResponseProto> {
        let result = self.once(
            call,
            flag,
            |result| CachedAnswer::Flag(*result),
            |nn| {
                nn.check_writable(&format!("Cannot truncate for {}", request.src), call.now.mono)?;
                let wanted = TruncateRequest {
                    path: request.src.as_bytes(),
                    new_length: i64::try_from(request.new_length).unwrap_or(i64::MAX),
                    client_name: &request.client_name,
                    client_machine: call.client_machine,
                    upgrading: !nn.is_upgrade_finalized(),
                };
                let done = nn
                    .attempt(call, |namespace, context| namespace.plan_truncate(context, &wanted))?
                    .done;
                Ok(done)
            },
        )?;
        Ok(p::TruncateResponseProto { result })
    }
}

fn flag(_: &NameNode, answer: &CachedAnswer) -> Result<bool> {
    match answer {
        CachedAnswer::Flag(flag) => Ok(*flag),
        // What replay knows of a call is that it was done.
        CachedAnswer::Done => Ok(true),
        other => Err(Error::io(format!("the call was another one before: {other:?}"))),
    }
}
