//! The calls about the centralized cache: pools and directives, as the wire has them.

use hdfs_proto::hdfs as proto;
use hdfs_types::Result;

use crate::HdfsClient;

/// `CacheFlag.FORCE`: limits of the pool are not looked at.
const FORCE: u32 = 1;

impl HdfsClient {
    /// Adds a directive; its id.
    ///
    /// Proto: ClientNamenodeProtocol.proto addCacheDirective
    ///
    /// # Errors
    /// `InvalidRequest`, `AccessControl`, `SafeMode`.
    pub async fn add_cache_directive(
        &self,
        info: proto::CacheDirectiveInfoProto,
        force: bool,
    ) -> Result<i64> {
        let request =
            proto::AddCacheDirectiveRequestProto { info, cache_flags: force.then_some(FORCE) };
        let answer: proto::AddCacheDirectiveResponseProto =
            self.namenode().call("addCacheDirective", &request).await?;
        Ok(answer.id)
    }

    /// Changes the fields of a directive that are set.
    ///
    /// Proto: ClientNamenodeProtocol.proto modifyCacheDirective
    ///
    /// # Errors
    /// As [`Self::add_cache_directive`].
    pub async fn modify_cache_directive(
        &self,
        info: proto::CacheDirectiveInfoProto,
        force: bool,
    ) -> Result<()> {
        let request =
            proto::ModifyCacheDirectiveRequestProto { info, cache_flags: force.then_some(FORCE) };
        let _: proto::ModifyCacheDirectiveResponseProto =
            self.namenode().call("modifyCacheDirective", &request).await?;
        Ok(())
    }

    /// Removes a directive.
    ///
    /// Proto: ClientNamenodeProtocol.proto removeCacheDirective
    ///
    /// # Errors
    /// As [`Self::add_cache_directive`].
    pub async fn remove_cache_directive(&self, id: i64) -> Result<()> {
        let request = proto::RemoveCacheDirectiveRequestProto { id };
        let _: proto::RemoveCacheDirectiveResponseProto =
            self.namenode().call("removeCacheDirective", &request).await?;
        Ok(())
    }

    /// The directives that fit the fields of the filter that are set, by id. Asks as often as there are pages.
    ///
    /// Proto: ClientNamenodeProtocol.proto listCacheDirectives
    ///
    /// # Errors
    /// As [`Self::add_cache_directive`].
    pub async fn cache_directives(
        &self,
        filter: proto::CacheDirectiveInfoProto,
    ) -> Result<Vec<proto::CacheDirectiveEntryProto>> {
        let mut request = proto::ListCacheDirectivesRequestProto { prev_id: 0, filter };
        let mut all = Vec::new();
        loop {
            let mut page: proto::ListCacheDirectivesResponseProto =
                self.namenode().call("listCacheDirectives", &request).await?;
            let last = page.elements.last().and_then(|entry| entry.info.id);
            all.append(&mut page.elements);
            match last {
                Some(id) if page.has_more => request.prev_id = id,
                _ => return Ok(all),
            }
        }
    }

    /// Adds a pool.
    ///
    /// Proto: ClientNamenodeProtocol.proto addCachePool
    ///
    /// # Errors
    /// `InvalidRequest`, `AccessControl`, `SafeMode`.
    pub async fn add_cache_pool(&self, info: proto::CachePoolInfoProto) -> Result<()> {
        let request = proto::AddCachePoolRequestProto { info };
        let _: proto::AddCachePoolResponseProto =
            self.namenode().call("addCachePool", &request).await?;
        Ok(())
    }

    /// Changes the fields of a pool that are set.
    ///
    /// Proto: ClientNamenodeProtocol.proto modifyCachePool
    ///
    /// # Errors
    /// As [`Self::add_cache_pool`].
    pub async fn modify_cache_pool(&self, info: proto::CachePoolInfoProto) -> Result<()> {
        let request = proto::ModifyCachePoolRequestProto { info };
        let _: proto::ModifyCachePoolResponseProto =
            self.namenode().call("modifyCachePool", &request).await?;
        Ok(())
    }

    /// Removes a pool with its directives.
    ///
    /// Proto: ClientNamenodeProtocol.proto removeCachePool
    ///
    /// # Errors
    /// As [`Self::add_cache_pool`].
    pub async fn remove_cache_pool(&self, name: &str) -> Result<()> {
        let request = proto::RemoveCachePoolRequestProto { pool_name: name.to_owned() };
        let _: proto::RemoveCachePoolResponseProto =
            self.namenode().call("removeCachePool", &request).await?;
        Ok(())
    }

    /// The pools by name. Asks as often as there are pages.
    ///
    /// Proto: ClientNamenodeProtocol.proto listCachePools
    ///
    /// # Errors
    /// As [`Self::add_cache_pool`].
    pub async fn cache_pools(&self) -> Result<Vec<proto::CachePoolEntryProto>> {
        let mut request = proto::ListCachePoolsRequestProto { prev_pool_name: String::new() };
        let mut all = Vec::new();
        loop {
            let mut page: proto::ListCachePoolsResponseProto =
                self.namenode().call("listCachePools", &request).await?;
            let last = page.entries.last().and_then(|entry| entry.info.pool_name.clone());
            all.append(&mut page.entries);
            match last {
                Some(name) if page.has_more => request.prev_pool_name = name,
                _ => return Ok(all),
            }
        }
    }
}
