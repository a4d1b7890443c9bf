//! Centralized caching: pools, and the directives that say which paths they pay for.
//!
//! This is the administrator's side. No DataNode caches anything yet, so that nothing is ever cached: what is needed is
//! counted, when it is asked for.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.{CacheManager, CachePool},
//! org.apache.hadoop.hdfs.protocol.CacheDirective (3.5.0)

use std::collections::BTreeMap;

use hdfs_format::edits::{CacheDirectiveInfo, CachePoolInfo};
use hdfs_proto::hdfs::{
    CacheDirectiveInfoExpirationProto, CacheDirectiveInfoProto, CachePoolInfoProto,
};
use hdfs_types::{FsPermission, WallMillis};

/// No limit of bytes.
pub(crate) const UNLIMITED: i64 = i64::MAX;
/// Longest life of a directive: for ever, with room for sums.
pub(crate) const MAX_RELATIVE_EXPIRY_MS: i64 = i64::MAX / 4;
const DEFAULT_MODE: FsPermission = FsPermission(0o755);
const DEFAULT_REPLICATION: u16 = 1;

/// A pool.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct CachePool {
    pub(crate) owner: String,
    pub(crate) group: String,
    pub(crate) mode: FsPermission,
    pub(crate) limit: i64,
    pub(crate) max_relative_expiry_ms: i64,
    pub(crate) default_replication: u16,
}

/// A directive.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct CacheDirective {
    pub(crate) path: Vec<u8>,
    pub(crate) replication: u16,
    pub(crate) pool: String,
    pub(crate) expiration: WallMillis,
}

impl CachePool {
    /// Every field, as operations and answers name them.
    pub(crate) fn info(&self, name: &str) -> CachePoolInfo {
        CachePoolInfo {
            pool_name: name.to_owned(),
            owner_name: Some(self.owner.clone()),
            group_name: Some(self.group.clone()),
            mode: Some(self.mode),
            limit: Some(self.limit),
            max_relative_expiry_ms: Some(self.max_relative_expiry_ms),
            default_replication: Some(self.default_replication),
        }
    }

    /// Takes over the fields that are given.
    fn change(&mut self, info: &CachePoolInfo) {
        if let Some(owner) = &info.owner_name {
            self.owner.clone_from(owner);
        }
        if let Some(group) = &info.group_name {
            self.group.clone_from(group);
        }
        self.mode = info.mode.unwrap_or(self.mode);
        self.limit = info.limit.unwrap_or(self.limit);
        self.max_relative_expiry_ms =
            info.max_relative_expiry_ms.unwrap_or(self.max_relative_expiry_ms);
        self.default_replication = info.default_replication.unwrap_or(self.default_replication);
    }
}

impl CacheDirective {
    /// Every field, as operations and answers name them.
    pub(crate) fn info(&self, id: i64) -> CacheDirectiveInfo {
        CacheDirectiveInfo {
            id,
            path: Some(self.path.clone()),
            replication: Some(self.replication),
            pool: Some(self.pool.clone()),
            expiration: Some(self.expiration),
        }
    }
}

/// All pools, by name, and all directives, by number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct CacheManager {
    pub(crate) next_id: i64,
    pub(crate) pools: BTreeMap<String, CachePool>,
    pub(crate) directives: BTreeMap<i64, CacheDirective>,
}

impl Default for CacheManager {
    fn default() -> Self {
        Self { next_id: 1, pools: BTreeMap::new(), directives: BTreeMap::new() }
    }
}

impl CacheManager {
    pub(crate) fn add_pool(&mut self, info: &CachePoolInfo) -> Result<(), String> {
        let name = &info.pool_name;
        if name.is_empty() || self.pools.contains_key(name) {
            return Err(format!("cache pool {name:?} exists, or has no name"));
        }
        check_default_replication(info)?;
        let mut pool = CachePool {
            owner: String::new(),
            group: String::new(),
            mode: DEFAULT_MODE,
            limit: UNLIMITED,
            max_relative_expiry_ms: MAX_RELATIVE_EXPIRY_MS,
            default_replication: DEFAULT_REPLICATION,
        };
        pool.change(info);
        self.pools.insert(name.clone(), pool);
        Ok(())
    }

    pub(crate) fn modify_pool(&mut self, info: &CachePoolInfo) -> Result<(), String> {
        check_default_replication(info)?;
        let name = &info.pool_name;
        let pool = self.pools.get_mut(name).ok_or_else(|| no_pool(name))?;
        pool.change(info);
        Ok(())
    }

    /// Its directives go with it.
    pub(crate) fn remove_pool(&mut self, name: &str) -> Result<(), String> {
        self.pools.remove(name).ok_or_else(|| no_pool(name))?;
        self.directives.retain(|_, directive| directive.pool != name);
        Ok(())
    }

    pub(crate) fn add_directive(&mut self, info: &CacheDirectiveInfo) -> Result<(), String> {
        let id = info.id;
        let (Some(path), Some(replication), Some(pool), Some(expiration)) =
            (&info.path, info.replication, &info.pool, info.expiration)
        else {
            return Err(format!("cache directive {id} lacks a field"));
        };
        if id <= 0 || id >= i64::MAX - 1 || self.directives.contains_key(&id) {
            return Err(format!("the id of cache directive {id} is in use or out of range"));
        }
        if !self.pools.contains_key(pool) {
            return Err(no_pool(pool));
        }
        let (path, pool) = (path.clone(), pool.clone());
        self.directives.insert(id, CacheDirective { path, replication, pool, expiration });
        self.next_id = self.next_id.max(id + 1);
        Ok(())
    }

    pub(crate) fn modify_directive(&mut self, info: &CacheDirectiveInfo) -> Result<(), String> {
        if let Some(pool) = info.pool.as_ref().filter(|pool| !self.pools.contains_key(*pool)) {
            return Err(no_pool(pool));
        }
        let directive = self.directives.get_mut(&info.id).ok_or_else(|| no_directive(info.id))?;
        if let Some(path) = &info.path {
            directive.path.clone_from(path);
        }
        if let Some(pool) = &info.pool {
            directive.pool.clone_from(pool);
        }
        directive.replication = info.replication.unwrap_or(directive.replication);
        directive.expiration = info.expiration.unwrap_or(directive.expiration);
        Ok(())
    }

    pub(crate) fn remove_directive(&mut self, id: i64) -> Result<(), String> {
        self.directives.remove(&id).map(|_| ()).ok_or_else(|| no_directive(id))
    }

    /// Takes a pool of an image.
    pub(crate) fn load_pool(&mut self, proto: &CachePoolInfoProto) -> Result<(), String> {
        self.add_pool(&pool_info(proto)?)
    }

    /// Takes a directive of an image.
    pub(crate) fn load_directive(&mut self, proto: &CacheDirectiveInfoProto) -> Result<(), String> {
        let expiration = proto.expiration.as_ref().and_then(|of| u64::try_from(of.millis).ok());
        let replication = proto.replication.map(u16::try_from).transpose();
        self.add_directive(&CacheDirectiveInfo {
            id: proto.id(),
            path: proto.path.clone().map(String::into_bytes),
            replication: replication.map_err(|_| "a replication is out of range".to_owned())?,
            pool: proto.pool.clone(),
            expiration: Some(WallMillis(expiration.unwrap_or(0))),
        })
    }

    /// The pools as an image stores them.
    // Differs: Hadoop forgets the default replication of a pool; it is stored here when it is not the usual one.
    pub(crate) fn saved_pools(&self) -> impl ExactSizeIterator<Item = CachePoolInfoProto> + '_ {
        self.pools.iter().map(|(name, pool)| CachePoolInfoProto {
            default_replication: (pool.default_replication != DEFAULT_REPLICATION)
                .then(|| pool.default_replication.into()),
            ..pool_proto(&pool.info(name))
        })
    }

    /// The directives as an image stores them.
    pub(crate) fn saved_directives(
        &self,
    ) -> impl ExactSizeIterator<Item = CacheDirectiveInfoProto> + '_ {
        self.directives.iter().map(|(id, directive)| directive_proto(&directive.info(*id)))
    }
}

/// A log can name numbers that no image holds: Java's shorts have a sign. Hadoop: CachePoolInfo.validate (3.5.0)
fn check_default_replication(info: &CachePoolInfo) -> Result<(), String> {
    if info.default_replication.is_some_and(|replication| replication.cast_signed() < 0) {
        return Err("Default Replication is negative".to_owned());
    }
    Ok(())
}

/// Proto: ClientNamenodeProtocol.proto CachePoolInfoProto.
///
/// # Errors
/// When a number is out of range.
pub fn pool_info(proto: &CachePoolInfoProto) -> Result<CachePoolInfo, String> {
    let replication = proto.default_replication.map(|given| {
        i16::try_from(given.cast_signed()).map_err(|_| format!("Out of range: {given}"))
    });
    let replication = match replication.transpose()? {
        Some(negative) if negative < 0 => return Err("Default Replication is negative".to_owned()),
        replication => replication.map(i16::cast_unsigned),
    };
    Ok(CachePoolInfo {
        pool_name: proto.pool_name.clone().unwrap_or_default(),
        owner_name: proto.owner_name.clone(),
        group_name: proto.group_name.clone(),
        mode: proto.mode.map(|mode| FsPermission((mode & 0o1777) as u16)),
        limit: proto.limit,
        max_relative_expiry_ms: proto.max_relative_expiry,
        default_replication: replication,
    })
}

/// Proto: ClientNamenodeProtocol.proto CachePoolInfoProto.
pub fn pool_proto(info: &CachePoolInfo) -> CachePoolInfoProto {
    CachePoolInfoProto {
        pool_name: Some(info.pool_name.clone()),
        owner_name: info.owner_name.clone(),
        group_name: info.group_name.clone(),
        mode: info.mode.map(|mode| i32::from(mode.0)),
        limit: info.limit,
        max_relative_expiry: info.max_relative_expiry_ms,
        default_replication: info.default_replication.map(u32::from),
    }
}

/// Proto: ClientNamenodeProtocol.proto CacheDirectiveInfoProto.
pub fn directive_proto(info: &CacheDirectiveInfo) -> CacheDirectiveInfoProto {
    CacheDirectiveInfoProto {
        id: Some(info.id),
        path: info.path.as_ref().map(|path| String::from_utf8_lossy(path).into_owned()),
        replication: info.replication.map(u32::from),
        pool: info.pool.clone(),
        expiration: info.expiration.map(|time| CacheDirectiveInfoExpirationProto {
            millis: i64::try_from(time.0).unwrap_or(i64::MAX),
            is_relative: false,
        }),
    }
}

fn no_pool(name: &str) -> String {
    format!("cache pool {name:?} does not exist")
}

fn no_directive(id: i64) -> String {
    format!("cache directive {id} does not exist")
}
