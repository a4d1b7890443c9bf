//! Centralized caching: pools and directives.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.{FSNDNCacheOp, CacheManager} (3.5.0)

use hdfs_format::edits::CachePoolInfo;
use hdfs_namespace::{
    CacheDirectiveRequest, CacheExpiration, directive_proto, pool_info, pool_proto,
};
use hdfs_proto::hdfs as p;
use hdfs_types::{Error, ErrorKind, Result};

use crate::call::Call;
use crate::machine::NameNode;
use crate::retry_cache::CachedAnswer;

impl NameNode {
    /// Proto: addCacheDirective.
    pub fn add_cache_directive(
        &mut self,
        call: &Call<'_>,
        request: &p::AddCacheDirectiveRequestProto,
    ) -> Result<p::AddCacheDirectiveResponseProto> {
        let id = self.once(
            call,
            |_, answer| match answer {
                CachedAnswer::Directive(id) => Ok(*id),
                other => Err(Error::io(format!("the call was another one before: {other:?}"))),
            },
            |id| CachedAnswer::Directive(*id),
            |nn| {
                nn.check_writable("Cannot add cache directive", call.now.mono)?;
                let wanted = directive(&request.info, request.cache_flags)?;
                let planned = nn.plan(call, |namespace, context| {
                    namespace.plan_add_cache_directive(context, &wanted)
                })?;
                Ok(nn.commit(planned, call.now))
            },
        )?;
        Ok(p::AddCacheDirectiveResponseProto { id })
    }

    /// Proto: modifyCacheDirective.
    pub fn modify_cache_directive(
        &mut self,
        call: &Call<'_>,
        request: &p::ModifyCacheDirectiveRequestProto,
    ) -> Result<p::ModifyCacheDirectiveResponseProto> {
        let wanted = directive(&request.info, request.cache_flags)?;
        self.change_once(call, "Cannot add cache directive", |namespace, context| {
            namespace.plan_modify_cache_directive(context, &wanted)
        })?;
        Ok(p::ModifyCacheDirectiveResponseProto {})
    }

    /// Proto: removeCacheDirective.
    pub fn remove_cache_directive(
        &mut self,
        call: &Call<'_>,
        request: &p::RemoveCacheDirectiveRequestProto,
    ) -> Result<p::RemoveCacheDirectiveResponseProto> {
        self.change_once(call, "Cannot remove cache directives", |namespace, context| {
            namespace.plan_remove_cache_directive(context, request.id)
        })?;
        Ok(p::RemoveCacheDirectiveResponseProto {})
    }

    /// Proto: listCacheDirectives. Nothing is cached yet.
    pub fn list_cache_directives(
        &self,
        call: &Call<'_>,
        request: &p::ListCacheDirectivesRequestProto,
    ) -> Result<p::ListCacheDirectivesResponseProto> {
        let filter = directive(&request.filter, None)?;
        let (entries, has_more) = self.plan(call, |namespace, context| {
            namespace.list_cache_directives(context, request.prev_id, &filter)
        })?;
        let elements = entries
            .iter()
            .map(|entry| p::CacheDirectiveEntryProto {
                info: directive_proto(&entry.info),
                stats: p::CacheDirectiveStatsProto {
                    bytes_needed: entry.bytes_needed,
                    bytes_cached: 0,
                    files_needed: entry.files_needed,
                    files_cached: 0,
                    has_expired: entry.has_expired,
                },
            })
            .collect();
        Ok(p::ListCacheDirectivesResponseProto { elements, has_more })
    }

    /// Proto: addCachePool.
    pub fn add_cache_pool(
        &mut self,
        call: &Call<'_>,
        request: &p::AddCachePoolRequestProto,
    ) -> Result<p::AddCachePoolResponseProto> {
        let info = pool(&request.info)?;
        let what = format!("Cannot add cache pool{}", info.pool_name);
        self.change_once(call, &what, |namespace, context| {
            namespace.plan_add_cache_pool(context, &info)
        })?;
        Ok(p::AddCachePoolResponseProto {})
    }

    /// Proto: modifyCachePool.
    pub fn modify_cache_pool(
        &mut self,
        call: &Call<'_>,
        request: &p::ModifyCachePoolRequestProto,
    ) -> Result<p::ModifyCachePoolResponseProto> {
        let info = pool(&request.info)?;
        let what = format!("Cannot modify cache pool{}", info.pool_name);
        self.change_once(call, &what, |namespace, context| {
            namespace.plan_modify_cache_pool(context, &info)
        })?;
        Ok(p::ModifyCachePoolResponseProto {})
    }

    /// Proto: removeCachePool.
    pub fn remove_cache_pool(
        &mut self,
        call: &Call<'_>,
        request: &p::RemoveCachePoolRequestProto,
    ) -> Result<p::RemoveCachePoolResponseProto> {
        let what = format!("Cannot modify cache pool{}", request.pool_name);
        self.change_once(call, &what, |namespace, context| {
            namespace.plan_remove_cache_pool(context, &request.pool_name)
        })?;
        Ok(p::RemoveCachePoolResponseProto {})
    }

    /// Proto: listCachePools. Nothing is cached yet.
    pub fn list_cache_pools(
        &self,
        call: &Call<'_>,
        request: &p::ListCachePoolsRequestProto,
    ) -> Result<p::ListCachePoolsResponseProto> {
        let (pools, has_more) = self.plan(call, |namespace, context| {
            namespace.list_cache_pools(context, &request.prev_pool_name)
        });
        let entries = pools
            .iter()
            .map(|pool| p::CachePoolEntryProto {
                info: pool_proto(&pool.info),
                stats: p::CachePoolStatsProto {
                    bytes_needed: pool.bytes_needed,
                    bytes_cached: 0,
                    bytes_overlimit: pool.bytes_overlimit,
                    files_needed: pool.files_needed,
                    files_cached: 0,
                },
            })
            .collect();
        Ok(p::ListCachePoolsResponseProto { entries, has_more })
    }
}

fn pool(proto: &p::CachePoolInfoProto) -> Result<CachePoolInfo> {
    pool_info(proto).map_err(|reason| Error::new(ErrorKind::InvalidRequest, reason))
}

fn directive(
    proto: &p::CacheDirectiveInfoProto,
    flags: Option<u32>,
) -> Result<CacheDirectiveRequest<'_>> {
    let replication = proto.replication.map(|given| {
        i16::try_from(given.cast_signed()).map_err(|_| {
            Error::new(ErrorKind::IllegalArgument, format!("Out of range: {}", given.cast_signed()))
        })
    });
    Ok(CacheDirectiveRequest {
        id: proto.id,
        path: proto.path.as_deref(),
        replication: replication.transpose()?,
        pool: proto.pool.as_deref(),
        expiration: proto
            .expiration
            .as_ref()
            .map(|of| CacheExpiration { millis: of.millis, is_relative: of.is_relative }),
        force: flags.unwrap_or(0) & (p::CacheFlagProto::Force as i32).cast_unsigned() != 0,
    })
}
