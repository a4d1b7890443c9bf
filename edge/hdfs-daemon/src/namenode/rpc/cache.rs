//! ClientProtocol: cache pools and directives.
//!
//! Proto: ClientNamenodeProtocol.proto

use std::sync::Arc;

use hdfs_namenode::NameNode as N;
use hdfs_proto::hdfs as p;
use hdfs_rt::rpc::server::{Reply, RpcCall};

use super::super::audit::Audit;
use super::super::shell::Shell;

/// Answers a call of this family; `None` for any other.
pub(super) fn call(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Option<Reply> {
    Some(match call.method {
        "addCacheDirective" => shell.write(
            call,
            Audit::new("addCacheDirective", |_: &p::AddCacheDirectiveRequestProto| ("", "")),
            N::add_cache_directive,
        ),
        "modifyCacheDirective" => shell.write(
            call,
            Audit::new("modifyCacheDirective", |_: &p::ModifyCacheDirectiveRequestProto| ("", "")),
            N::modify_cache_directive,
        ),
        "removeCacheDirective" => shell.write(
            call,
            Audit::new("removeCacheDirective", |_: &p::RemoveCacheDirectiveRequestProto| ("", "")),
            N::remove_cache_directive,
        ),
        "listCacheDirectives" => shell.read(
            call,
            Audit::new("listCacheDirectives", |_: &p::ListCacheDirectivesRequestProto| ("", "")),
            N::list_cache_directives,
        ),
        "addCachePool" => shell.write(
            call,
            Audit::new("addCachePool", |_: &p::AddCachePoolRequestProto| ("", "")),
            N::add_cache_pool,
        ),
        "modifyCachePool" => shell.write(
            call,
            Audit::new("modifyCachePool", |_: &p::ModifyCachePoolRequestProto| ("", "")),
            N::modify_cache_pool,
        ),
        "removeCachePool" => shell.write(
            call,
            Audit::new("removeCachePool", |q: &p::RemoveCachePoolRequestProto| (&q.pool_name, "")),
            N::remove_cache_pool,
        ),
        "listCachePools" => shell.read(
            call,
            Audit::new("listCachePools", |_: &p::ListCachePoolsRequestProto| ("", "")),
            N::list_cache_pools,
        ),
        _ => return None,
    })
}
