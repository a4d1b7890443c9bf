//! ClientProtocol: files, folders, blocks.
//!
//! Proto: ClientNamenodeProtocol.proto

use std::sync::Arc;
use std::sync::atomic::Ordering;

use hdfs_namenode::NameNode as N;
use hdfs_proto::hdfs as p;
use hdfs_rt::rpc::server::{Reply, RpcCall};

use super::super::audit::Audit;
use super::super::key_provider;
use super::super::shell::Shell;
use super::{delete, hold};

/// Answers a call of these families; `None` for any other.
pub(super) fn call(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Option<Reply> {
    read(shell, call)
        .or_else(|| change(shell, call))
        .or_else(|| attributes(shell, call))
        .or_else(|| extended(shell, call))
        .or_else(|| write_file(shell, call))
}

/// What only reads.
fn read(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Option<Reply> {
    Some(match call.method {
        "getFileInfo" => shell.read(
            call,
            Audit::new("getfileinfo", |q: &p::GetFileInfoRequestProto| (&q.src, "")),
            N::get_file_info,
        ),
        "getBlockLocations" => super::locations::get_block_locations(shell, call),
        "getListing" => shell.read(
            call,
            Audit::new("listStatus", |q: &p::GetListingRequestProto| (&q.src, "")),
            |nn, context, request| {
                let answer = nn.get_listing(context, request)?;
                let entries = answer.dir_list.as_ref().map_or(0, |of| of.partial_listing.len());
                shell.metrics.listed.fetch_add(entries as u64, Ordering::Relaxed);
                Ok(answer)
            },
        ),
        "getBatchedListing" => shell.read(
            call,
            Audit::new("batchedListing", |_: &p::GetBatchedListingRequestProto| ("", "")),
            |nn, context, request| {
                let answer = nn.get_batched_listing(context, request)?;
                let entries: usize =
                    answer.listings.iter().map(|of| of.partial_listing.len()).sum();
                shell.metrics.listed.fetch_add(entries as u64, Ordering::Relaxed);
                Ok(answer)
            },
        ),
        "getLocatedFileInfo" => shell.read(
            call,
            Audit::new("getfileinfo", |q: &p::GetLocatedFileInfoRequestProto| {
                (q.src.as_deref().unwrap_or_default(), "")
            }),
            N::get_located_file_info,
        ),
        "getFileLinkInfo" => shell.read(
            call,
            Audit::new("getfileinfo", |q: &p::GetFileLinkInfoRequestProto| (&q.src, "")),
            N::get_file_link_info,
        ),
        "getContentSummary" => super::summary::get_content_summary(shell, call),
        _ => return read_attributes(shell, call),
    })
}

/// Reads of what a path has besides status and blocks, and of what the whole file system has.
fn read_attributes(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Option<Reply> {
    Some(match call.method {
        "getQuotaUsage" => shell.read(
            call,
            Audit::new("quotaUsage", |q: &p::GetQuotaUsageRequestProto| (&q.path, "")),
            N::get_quota_usage,
        ),
        "checkAccess" => shell.read(
            call,
            Audit::new("checkAccess", |q: &p::CheckAccessRequestProto| (&q.path, "")),
            N::check_access,
        ),
        "isFileClosed" => shell.read(
            call,
            Audit::new("isFileClosed", |q: &p::IsFileClosedRequestProto| (&q.src, "")),
            N::is_file_closed,
        ),
        "getPreferredBlockSize" => shell.read(call, Audit::none(), N::get_preferred_block_size),
        "getLinkTarget" => shell.read(call, Audit::none(), N::get_link_target),
        "getEnclosingRoot" => shell.read(
            call,
            Audit::new("getEnclosingRoot", |q: &p::GetEnclosingRootRequestProto| {
                (q.filename.as_deref().unwrap_or_default(), "")
            }),
            N::get_enclosing_root,
        ),
        "getServerDefaults" => shell.read(call, Audit::none(), N::get_server_defaults),
        "getStoragePolicies" => shell.read(call, Audit::none(), N::get_storage_policies),
        "getStoragePolicy" => shell.read(
            call,
            Audit::new("getStoragePolicy", |q: &p::GetStoragePolicyRequestProto| (&q.path, "")),
            N::get_storage_policy,
        ),
        "getAclStatus" => shell.read(
            call,
            Audit::new("getAclStatus", |q: &p::GetAclStatusRequestProto| (&q.src, "")),
            N::get_acl_status,
        ),
        _ => return None,
    })
}

/// What changes the tree.
fn change(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Option<Reply> {
    Some(match call.method {
        "mkdirs" => shell.write(
            call,
            Audit::new("mkdirs", |q: &p::MkdirsRequestProto| (&q.src, "")),
            N::mkdirs,
        ),
        "delete" => delete::delete(shell, call),
        "rename" => shell.write(
            call,
            Audit::new("rename", |q: &p::RenameRequestProto| (&q.src, &q.dst)),
            N::rename,
        ),
        "rename2" => shell.write(
            call,
            Audit::new("rename (options=[])", |q: &p::Rename2RequestProto| (&q.src, &q.dst)),
            N::rename2,
        ),
        "concat" => shell.write(
            call,
            Audit::new("concat", |q: &p::ConcatRequestProto| {
                (q.srcs.first().map_or("", String::as_str), &q.trg)
            }),
            N::concat,
        ),
        "truncate" => shell.write(
            call,
            Audit::new("truncate", |q: &p::TruncateRequestProto| (&q.src, "")),
            N::truncate,
        ),
        _ => return None,
    })
}

/// Quotas, policies, lists and extended attributes.
fn extended(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Option<Reply> {
    Some(match call.method {
        "setQuota" => shell.write(
            call,
            Audit::new("setQuota", |q: &p::SetQuotaRequestProto| (&q.path, "")),
            N::set_quota,
        ),
        "setStoragePolicy" => shell.write(
            call,
            Audit::new("setStoragePolicy", |q: &p::SetStoragePolicyRequestProto| (&q.src, "")),
            N::set_storage_policy,
        ),
        "unsetStoragePolicy" => shell.write(
            call,
            Audit::new("unsetStoragePolicy", |q: &p::UnsetStoragePolicyRequestProto| (&q.src, "")),
            N::unset_storage_policy,
        ),
        "modifyAclEntries" => shell.write(
            call,
            Audit::new("modifyAclEntries", |q: &p::ModifyAclEntriesRequestProto| (&q.src, "")),
            N::modify_acl_entries,
        ),
        "removeAclEntries" => shell.write(
            call,
            Audit::new("removeAclEntries", |q: &p::RemoveAclEntriesRequestProto| (&q.src, "")),
            N::remove_acl_entries,
        ),
        "removeDefaultAcl" => shell.write(
            call,
            Audit::new("removeDefaultAcl", |q: &p::RemoveDefaultAclRequestProto| (&q.src, "")),
            N::remove_default_acl,
        ),
        "removeAcl" => shell.write(
            call,
            Audit::new("removeAcl", |q: &p::RemoveAclRequestProto| (&q.src, "")),
            N::remove_acl,
        ),
        "setAcl" => shell.write(
            call,
            Audit::new("setAcl", |q: &p::SetAclRequestProto| (&q.src, "")),
            N::set_acl,
        ),
        "setXAttr" => shell.write(
            call,
            Audit::new("setXAttr", |q: &p::SetXAttrRequestProto| (&q.src, "")),
            N::set_xattr,
        ),
        "removeXAttr" => shell.write(
            call,
            Audit::new("removeXAttr", |q: &p::RemoveXAttrRequestProto| (&q.src, "")),
            N::remove_xattr,
        ),
        "getXAttrs" => shell.read(
            call,
            Audit::new("getXAttrs", |q: &p::GetXAttrsRequestProto| (&q.src, "")),
            N::get_xattrs,
        ),
        "listXAttrs" => shell.read(
            call,
            Audit::new("listXAttrs", |q: &p::ListXAttrsRequestProto| (&q.src, "")),
            N::list_xattrs,
        ),
        _ => return None,
    })
}

/// What changes attributes.
fn attributes(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Option<Reply> {
    Some(match call.method {
        "setPermission" => shell.write(
            call,
            Audit::new("setPermission", |q: &p::SetPermissionRequestProto| (&q.src, "")),
            N::set_permission,
        ),
        "setOwner" => shell.write(
            call,
            Audit::new("setOwner", |q: &p::SetOwnerRequestProto| (&q.src, "")),
            N::set_owner,
        ),
        "setTimes" => shell.write(
            call,
            Audit::new("setTimes", |q: &p::SetTimesRequestProto| (&q.src, "")),
            N::set_times,
        ),
        "setReplication" => shell.write(
            call,
            Audit::new("setReplication", |q: &p::SetReplicationRequestProto| (&q.src, "")),
            N::set_replication,
        ),
        _ => return None,
    })
}

/// What a writer of a file calls.
fn write_file(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Option<Reply> {
    Some(match call.method {
        "create" => key_provider::create(shell, call),
        "append" => shell.write(
            call,
            Audit::new("append", |q: &p::AppendRequestProto| (&q.src, "")),
            N::append,
        ),
        "addBlock" => hold::add_block(shell, call),
        "complete" => hold::complete(shell, call),
        "getAdditionalDatanode" => shell.write(call, Audit::none(), N::get_additional_datanode),
        "abandonBlock" => shell.write(call, Audit::none(), N::abandon_block),
        "fsync" => shell.write(
            call,
            Audit::new("fsync", |q: &p::FsyncRequestProto| (&q.src, "")),
            N::fsync,
        ),
        "renewLease" => shell.write(call, Audit::none(), N::renew_lease),
        "recoverLease" => shell.write(
            call,
            Audit::new("recoverLease", |q: &p::RecoverLeaseRequestProto| (&q.src, "")),
            N::recover_lease,
        ),
        "updateBlockForPipeline" => shell.write(call, Audit::none(), N::update_block_for_pipeline),
        "updatePipeline" => shell.write(call, Audit::none(), N::update_pipeline),
        "reportBadBlocks" => shell.write(call, Audit::none(), N::report_bad_blocks),
        _ => return None,
    })
}
