//! Cache pools and directives: made, changed, removed, listed.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.{CacheManager, FSNDNCacheOp} (3.5.0)

use std::ops::Bound;

use hdfs_format::edits::{
    AddCacheDirectiveInfoOp, AddCachePoolOp, CacheDirectiveInfo, CachePoolInfo, EditOp,
    ModifyCacheDirectiveInfoOp, ModifyCachePoolOp, RemoveCacheDirectiveInfoOp, RemoveCachePoolOp,
};
use hdfs_format::storage_dir::CivilTime;
use hdfs_types::{Error, ErrorKind, FsAction, Result, WallMillis, is_valid_name};

use crate::cache::{CacheDirective, CachePool, MAX_RELATIVE_EXPIRY_MS, UNLIMITED};
use crate::effects::Effects;
use crate::namespace::Namespace;
use crate::plan::{PlanContext, Planned};
use crate::resolve::text;
use crate::store::record::Slot;

/// When a directive is to end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CacheExpiration {
    /// Milliseconds.
    pub millis: i64,
    /// From now on; otherwise since 1970.
    pub is_relative: bool,
}

/// What a call says about a directive.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CacheDirectiveRequest<'a> {
    /// Its number.
    pub id: Option<i64>,
    /// What is to be cached.
    pub path: Option<&'a str>,
    /// Copies.
    pub replication: Option<i16>,
    /// The pool that pays.
    pub pool: Option<&'a str>,
    /// When it ends.
    pub expiration: Option<CacheExpiration>,
    /// Whatever the pool's limit says.
    pub force: bool,
}

/// A directive with what it needs.
///
/// Proto: ClientNamenodeProtocol.proto CacheDirectiveEntryProto
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CacheDirectiveEntry {
    /// Every field.
    pub info: CacheDirectiveInfo,
    /// Bytes of all copies.
    pub bytes_needed: i64,
    /// Files.
    pub files_needed: i64,
    /// Its time is over.
    pub has_expired: bool,
}

/// A pool with what its directives need.
///
/// Proto: ClientNamenodeProtocol.proto CachePoolEntryProto
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CachePoolEntry {
    /// The name; the other fields for those who may read the pool.
    pub info: CachePoolInfo,
    /// Bytes of all copies.
    pub bytes_needed: i64,
    /// Bytes beyond the limit.
    pub bytes_overlimit: i64,
    /// Files.
    pub files_needed: i64,
}

/// Directives.
impl Namespace {
    /// Adds a directive. The result is its number.
    ///
    /// # Errors
    /// InvalidRequest with Hadoop's reasons, AccessControl unless the caller may write to the pool.
    pub fn plan_add_cache_directive(
        &self,
        ctx: &PlanContext<'_>,
        request: &CacheDirectiveRequest<'_>,
    ) -> Result<Planned<i64>> {
        if request.id.is_some() {
            return Err(Error::io(
                "addDirective: you cannot specify an ID for this operation.".to_owned(),
            ));
        }
        let (name, pool) = self.cache_pool(request.pool)?;
        check_pool(ctx, name, pool, FsAction::WRITE)?;
        let path = valid_path(request.path)?;
        let default = i16::try_from(pool.default_replication).unwrap_or(i16::MAX);
        let replication = valid_replication(request.replication.unwrap_or(default))?;
        let expiration = valid_expiry(ctx, request.expiration, pool.max_relative_expiry_ms)?;
        if !request.force {
            self.check_cache_limit(ctx, name, pool, &path, replication)?;
        }
        let id = self.cache.next_id;
        if id >= i64::MAX - 1 {
            return Err(Error::io("No more available IDs."));
        }
        let directive = CacheDirective {
            path: path.into_bytes(),
            replication,
            pool: name.to_owned(),
            expiration,
        };
        let op = AddCacheDirectiveInfoOp { directive: directive.info(id), retry: ctx.retry_key() };
        Ok(Planned::one(ctx, EditOp::AddCacheDirective(op), id))
    }

    /// Changes the fields of a directive that are given.
    ///
    /// # Errors
    /// As [`Self::plan_add_cache_directive`].
    pub fn plan_modify_cache_directive(
        &self,
        ctx: &PlanContext<'_>,
        request: &CacheDirectiveRequest<'_>,
    ) -> Result<Planned<()>> {
        let id = request.id.ok_or_else(|| invalid("Must supply an ID."))?;
        let known = self.cache_directive(id)?;
        let (source, pool) = self.cache_pool(Some(&known.pool))?;
        check_pool(ctx, source, pool, FsAction::WRITE)?;
        let known_path = text(&known.path);
        let path = valid_path(request.path.or(Some(&known_path)))?;
        let default = i16::try_from(known.replication).unwrap_or(i16::MAX);
        let replication = valid_replication(request.replication.unwrap_or(default))?;
        let (target, pool) = self.cache_pool(request.pool.or(Some(&known.pool)))?;
        if source != target {
            check_pool(ctx, target, pool, FsAction::WRITE)?;
            if !request.force {
                self.check_cache_limit(ctx, target, pool, &path, replication)?;
            }
        }
        let absolute = CacheExpiration {
            millis: i64::try_from(known.expiration.0).unwrap_or(i64::MAX),
            is_relative: false,
        };
        let expiry = request.expiration.or(Some(absolute));
        let expiration = valid_expiry(ctx, expiry, pool.max_relative_expiry_ms)?;
        let directive = CacheDirectiveInfo {
            id,
            path: request.path.map(|_| path.into_bytes()),
            replication: request.replication.map(|_| replication),
            pool: request.pool.map(str::to_owned),
            expiration: request.expiration.map(|_| expiration),
        };
        let op = ModifyCacheDirectiveInfoOp { directive, retry: ctx.retry_key() };
        Ok(Planned::one(ctx, EditOp::ModifyCacheDirective(op), ()))
    }

    /// Removes a directive.
    ///
    /// # Errors
    /// InvalidRequest when there is none, AccessControl unless the caller may write to its pool.
    pub fn plan_remove_cache_directive(
        &self,
        ctx: &PlanContext<'_>,
        id: i64,
    ) -> Result<Planned<()>> {
        let known = self.cache_directive(id)?;
        let (name, pool) = self.cache_pool(Some(&known.pool))?;
        check_pool(ctx, name, pool, FsAction::WRITE)?;
        let op = RemoveCacheDirectiveInfoOp { id, retry: ctx.retry_key() };
        Ok(Planned::one(ctx, EditOp::RemoveCacheDirective(op), ()))
    }

    /// Directives after a number that fit a filter and that the caller may read; true: there are more.
    ///
    /// # Errors
    /// InvalidRequest for an unknown number, and for a filter by replication.
    pub fn list_cache_directives(
        &self,
        ctx: &PlanContext<'_>,
        after: i64,
        filter: &CacheDirectiveRequest<'_>,
    ) -> Result<(Vec<CacheDirectiveEntry>, bool)> {
        let path = filter.path.map(|path| valid_path(Some(path))).transpose()?;
        if filter.replication.is_some() {
            return Err(invalid("Filtering by replication is unsupported."));
        }
        let range = match filter.id {
            None => (Bound::Excluded(after), Bound::Unbounded),
            Some(id) if self.cache.directives.contains_key(&id) => {
                (Bound::Included(id), Bound::Included(id))
            }
            Some(id) => return Err(invalid(format!("Did not find requested id {id}"))),
        };
        let mut entries = Vec::new();
        for (id, directive) in self.cache.directives.range(range) {
            if entries.len() >= ctx.conf.max_cache_directives_listed {
                return Ok((entries, true));
            }
            let fits = filter.pool.is_none_or(|pool| pool == directive.pool)
                && path.as_ref().is_none_or(|path| path.as_bytes() == directive.path);
            let (name, pool) = self.cache_pool(Some(&directive.pool))?;
            if !fits || check_pool(ctx, name, pool, FsAction::READ).is_err() {
                continue;
            }
            let (bytes_needed, files_needed) = self.needed_by(ctx, directive);
            entries.push(CacheDirectiveEntry {
                info: directive.info(*id),
                bytes_needed,
                files_needed,
                has_expired: ctx.now > directive.expiration,
            });
        }
        Ok((entries, false))
    }

    fn cache_directive(&self, id: i64) -> Result<&CacheDirective> {
        if id <= 0 {
            return Err(invalid("Invalid negative ID."));
        }
        let known = self.cache.directives.get(&id);
        known.ok_or_else(|| invalid(format!("No directive with ID {id} found.")))
    }

    fn cache_pool<'a>(&'a self, name: Option<&str>) -> Result<(&'a str, &'a CachePool)> {
        let name = name.ok_or_else(|| invalid("No pool specified."))?;
        if name.is_empty() {
            return Err(invalid("Invalid empty pool name."));
        }
        match self.cache.pools.get_key_value(name) {
            Some((name, pool)) => Ok((name, pool)),
            None => Err(invalid(format!("Unknown pool {name}"))),
        }
    }

    /// What a directive needs: bytes of all copies, and files. Nothing once its time is over.
    fn needed_by(&self, ctx: &PlanContext<'_>, directive: &CacheDirective) -> (i64, i64) {
        if !ctx.conf.caching_enabled || ctx.now > directive.expiration {
            return (0, 0);
        }
        let (bytes, files) = self.cached_size(&directive.path, false);
        (bytes.saturating_mul(directive.replication.into()), files)
    }

    /// Bytes and files at a path: of a file itself, of a directory the files in it. `with_open` counts blocks that are
    /// being written, too.
    fn cached_size(&self, path: &[u8], with_open: bool) -> (i64, i64) {
        let size = |slot: Slot| {
            let open = self.under_construction(slot).is_some_and(|open| open.last_block_open);
            let last = self.blocks_of(slot).last().filter(|_| open && !with_open);
            (self.file_length(slot) - last.map_or(0, |last| last.num_bytes)).cast_signed()
        };
        let Some(slot) = self.find(path) else { return (0, 0) };
        let record = self.record(slot);
        if record.is_file() {
            return (size(slot), 1);
        }
        if !record.is_directory() {
            return (0, 0);
        }
        let files = self.children_of(slot).iter().filter(|child| self.record(*child).is_file());
        files.fold((0, 0), |(bytes, count), child| (bytes + size(child), count + 1))
    }

    /// What the directives of a pool need.
    fn needed_in(&self, ctx: &PlanContext<'_>, pool: &str) -> (i64, i64) {
        let directives = self.cache.directives.values().filter(|of| of.pool == pool);
        directives
            .map(|of| self.needed_by(ctx, of))
            .fold((0, 0), |sum, of| (sum.0.saturating_add(of.0), sum.1.saturating_add(of.1)))
    }

    fn check_cache_limit(
        &self,
        ctx: &PlanContext<'_>,
        name: &str,
        pool: &CachePool,
        path: &str,
        replication: u16,
    ) -> Result<()> {
        if pool.limit == UNLIMITED {
            return Ok(());
        }
        let size = self.cached_size(path.as_bytes(), true).0;
        let (needed, more) = (self.needed_in(ctx, name).0, size.saturating_mul(replication.into()));
        if needed.saturating_add(more) > pool.limit {
            return Err(invalid(format!(
                "Caching path {path} of size {size} bytes at replication {replication} would exceed pool {name}'s \
                 remaining capacity of {} bytes.",
                pool.limit.saturating_sub(needed)
            )));
        }
        Ok(())
    }
}

/// Pools.
impl Namespace {
    /// Adds a pool. It belongs to the caller unless an owner is given.
    ///
    /// # Errors
    /// AccessControl unless the caller is a superuser, InvalidRequest when it exists or a number is wrong.
    pub fn plan_add_cache_pool(
        &self,
        ctx: &PlanContext<'_>,
        info: &CachePoolInfo,
    ) -> Result<Planned<()>> {
        check_superuser(ctx, "addCachePool")?;
        validate(info)?;
        let name = &info.pool_name;
        if self.cache.pools.contains_key(name) {
            return Err(invalid(format!("Cache pool {name} already exists.")));
        }
        let caller = &ctx.caller;
        let owner = info.owner_name.clone().unwrap_or_else(|| caller.user.to_owned());
        let group = info.group_name.clone().or_else(|| caller.groups.first().cloned());
        let Some(group) = group else {
            return Err(Error::io(format!("There is no primary group for UGI {}", caller.user)));
        };
        let mut cache = crate::cache::CacheManager::default();
        let info =
            CachePoolInfo { owner_name: Some(owner), group_name: Some(group), ..info.clone() };
        cache.add_pool(&info).map_err(Error::io)?;
        let info = cache.pools.get(name).map_or(info, |pool| pool.info(name));
        let op = AddCachePoolOp { info, retry: ctx.retry_key() };
        Ok(Planned::one(ctx, EditOp::AddCachePool(op), ()))
    }

    /// Changes the fields of a pool that are given.
    ///
    /// # Errors
    /// AccessControl unless the caller is a superuser, InvalidRequest when there is none or a number is wrong.
    pub fn plan_modify_cache_pool(
        &self,
        ctx: &PlanContext<'_>,
        info: &CachePoolInfo,
    ) -> Result<Planned<()>> {
        check_superuser(ctx, "modifyCachePool")?;
        validate(info)?;
        if !self.cache.pools.contains_key(&info.pool_name) {
            return Err(invalid(format!("Cache pool {} does not exist.", info.pool_name)));
        }
        let op = ModifyCachePoolOp { info: info.clone(), retry: ctx.retry_key() };
        Ok(Planned::one(ctx, EditOp::ModifyCachePool(op), ()))
    }

    /// Removes a pool with its directives.
    ///
    /// # Errors
    /// AccessControl unless the caller is a superuser, InvalidRequest when there is none.
    pub fn plan_remove_cache_pool(&self, ctx: &PlanContext<'_>, name: &str) -> Result<Planned<()>> {
        check_superuser(ctx, "removeCachePool")?;
        validate_name(name)?;
        if !self.cache.pools.contains_key(name) {
            return Err(invalid(format!("Cannot remove non-existent cache pool {name}")));
        }
        let op = RemoveCachePoolOp { pool_name: name.to_owned(), retry: ctx.retry_key() };
        Ok(Planned::one(ctx, EditOp::RemoveCachePool(op), ()))
    }

    /// Pools after a name; true: there are more. Those who may not read a pool see its name only.
    pub fn list_cache_pools(
        &self,
        ctx: &PlanContext<'_>,
        after: &str,
    ) -> (Vec<CachePoolEntry>, bool) {
        let limit = ctx.conf.max_cache_pools_listed;
        let range = (Bound::Excluded(after), Bound::Unbounded);
        let mut pools = self.cache.pools.range::<str, _>(range);
        let mut entries = Vec::new();
        for (name, pool) in pools.by_ref().take(limit) {
            if check_pool(ctx, name, pool, FsAction::READ).is_err() {
                let info = CachePoolInfo { pool_name: name.clone(), ..CachePoolInfo::default() };
                let (bytes_needed, bytes_overlimit, files_needed) = (0, 0, 0);
                entries.push(CachePoolEntry { info, bytes_needed, bytes_overlimit, files_needed });
                continue;
            }
            let (bytes_needed, files_needed) = self.needed_in(ctx, name);
            entries.push(CachePoolEntry {
                info: pool.info(name),
                bytes_needed,
                bytes_overlimit: bytes_needed.saturating_sub(pool.limit).max(0),
                files_needed,
            });
        }
        (entries, pools.next().is_some())
    }

    pub(crate) fn apply_cache(&mut self, op: &EditOp) -> Result<Effects, String> {
        let cache = &mut self.cache;
        match op {
            EditOp::AddCacheDirective(op) => cache.add_directive(&op.directive),
            EditOp::ModifyCacheDirective(op) => cache.modify_directive(&op.directive),
            EditOp::RemoveCacheDirective(op) => cache.remove_directive(op.id),
            EditOp::AddCachePool(op) => cache.add_pool(&op.info),
            EditOp::ModifyCachePool(op) => cache.modify_pool(&op.info),
            EditOp::RemoveCachePool(op) => cache.remove_pool(&op.pool_name),
            _ => Err("the operation is not one of caching".to_owned()),
        }?;
        Ok(Effects::default())
    }
}

fn check_superuser(ctx: &PlanContext<'_>, operation: &str) -> Result<()> {
    if ctx.conf.permissions_enabled { ctx.caller.check_superuser_for(operation) } else { Ok(()) }
}

/// `FSPermissionChecker.checkPermission` of a pool.
fn check_pool(ctx: &PlanContext<'_>, name: &str, pool: &CachePool, action: FsAction) -> Result<()> {
    let caller = &ctx.caller;
    if !ctx.conf.permissions_enabled || caller.is_superuser {
        return Ok(());
    }
    let (is_owner, is_member) = (caller.user == pool.owner, caller.is_member(&pool.group));
    let may = is_owner && pool.mode.user().implies(action)
        || is_member && pool.mode.group().implies(action)
        || !is_owner && !is_member && pool.mode.other().implies(action);
    if may {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::AccessControl,
        format!(
            "Permission denied while accessing pool {name}: user {} does not have {} permissions.",
            caller.user,
            action.name()
        ),
    ))
}

/// The path as Hadoop's `Path` writes it: without scheme and host, dots and double slashes resolved.
fn valid_path(path: Option<&str>) -> Result<String> {
    let path = path.ok_or_else(|| invalid("No path specified."))?;
    if path.is_empty() {
        return Err(Error::new(
            ErrorKind::IllegalArgument,
            "Can not create a Path from an empty string",
        ));
    }
    let inner = match path.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |slash| &rest[slash..]),
        None => path,
    };
    let absolute = inner.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in inner.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let normal = format!("{}{}", if absolute { "/" } else { "" }, parts.join("/"));
    if !is_valid_name(normal.as_bytes()) {
        return Err(invalid(format!("Invalid path '{normal}'.")));
    }
    Ok(normal)
}

fn valid_replication(replication: i16) -> Result<u16> {
    match u16::try_from(replication) {
        Ok(replication) if replication > 0 => Ok(replication),
        _ => Err(invalid(format!("Invalid replication factor {replication} <= 0"))),
    }
}

/// The time at which a directive ends.
fn valid_expiry(
    ctx: &PlanContext<'_>,
    expiry: Option<CacheExpiration>,
    longest: i64,
) -> Result<WallMillis> {
    let now = i64::try_from(ctx.now.0).unwrap_or(i64::MAX);
    let Some(expiry) = expiry else {
        return Ok(WallMillis(now.saturating_add(longest).max(0).cast_unsigned()));
    };
    if expiry.millis < 0 {
        return Err(invalid(format!("Cannot set a negative expiration: {}", expiry.millis)));
    }
    let (relative, absolute) = match expiry.is_relative {
        true => (expiry.millis, now.saturating_add(expiry.millis)),
        false => (expiry.millis - now, expiry.millis),
    };
    if relative > MAX_RELATIVE_EXPIRY_MS {
        let text = expiry_text(expiry);
        return Err(invalid(format!("Expiration {text} is too far in the future!")));
    }
    if relative > longest {
        return Err(invalid(format!(
            "Expiration {} exceeds the max relative expiration time of {longest} ms.",
            expiry_text(expiry)
        )));
    }
    Ok(WallMillis(absolute.cast_unsigned()))
}

/// Hadoop: DFSUtilClient.{durationToString, dateToIso8601String} (3.5.0)
fn expiry_text(expiry: CacheExpiration) -> String {
    let millis = expiry.millis.cast_unsigned();
    if !expiry.is_relative {
        return CivilTime::from(WallMillis(millis)).iso_with_zone();
    }
    let seconds = millis / 1_000;
    format!(
        "{:03}:{:02}:{:02}:{:02}.{:03}",
        seconds / 86_400,
        seconds / 3_600 % 24,
        seconds / 60 % 60,
        seconds % 60,
        millis % 1_000
    )
}

fn validate(info: &CachePoolInfo) -> Result<()> {
    if info.limit.is_some_and(|limit| limit < 0) {
        return Err(invalid("Limit is negative."));
    }
    match info.max_relative_expiry_ms {
        Some(..0) => return Err(invalid("Max relative expiry is negative.")),
        Some(expiry) if expiry > MAX_RELATIVE_EXPIRY_MS => {
            return Err(invalid("Max relative expiry is too big."));
        }
        _ => {}
    }
    validate_name(&info.pool_name)
}

fn validate_name(name: &str) -> Result<()> {
    if name.is_empty() {
        return Err(Error::io("invalid empty cache pool name"));
    }
    Ok(())
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidRequest, message.into())
}
