//! What an old image holds besides inodes.
//!
//! ```text
//! open file   string path | int64 id (since -42) | i16 replication | int64 mtime | int64 block size
//!             | int32 n, n × block | status | string client | string host | int32 0
//! keys        int32 current id | int32 n, n × key | int32 sequence number | int32 n, n × { token, int64 expiry }
//! cache       int64 next id | int32 n, n × pool | int32 n, n × directive
//! ```
//! Keys, tokens, pools and directives are those of the edit log.

use hdfs_proto::hdfs::fsimage as pb;
use hdfs_proto::hdfs::{
    CacheDirectiveInfoExpirationProto, CacheDirectiveInfoProto, CachePoolInfoProto,
};
use hdfs_types::constants;
use pb::secret_manager_section as secret;

use super::Loader;
use super::input::{Input, Read};
use crate::compression::Codec;
use crate::edits::decode;
use crate::edits::{CacheDirectiveInfo, CachePoolInfo};
use crate::layout_version::Feature;

/// The number that follows the last generation stamp of random block ids, when ids become sequential.
/// Hadoop: HdfsServerConstants.RESERVED_LEGACY_GENERATION_STAMPS
const RESERVED_LEGACY_GENERATION_STAMPS: u64 = 1 << 40;
/// Hadoop: SequentialBlockIdGenerator.LAST_RESERVED_BLOCK_ID
const LAST_RESERVED_BLOCK_ID: u64 = 1 << 30;
/// Paths of open files that only snapshots show.
const BY_ID: &[u8] = b"/.reserved/";

impl Loader<'_> {
    /// The number of inodes.
    pub(super) fn load_head(&mut self, input: &mut Input<'_>) -> Read<u64> {
        input.i32("layout")?;
        if self.has(Feature::AddLayoutFlags) {
            let flags = input.i32("layout flags")?;
            if flags < 0 {
                return input.fail(format!(
                    "The length of the feature flag section was negative at {flags} bytes."
                ));
            } else if flags > 0 {
                return input.fail(
                    "Found feature flags which we can't handle. Please upgrade your software.",
                );
            }
        }
        let namespace_id = input.i32("namespace id")?.cast_unsigned();
        let inodes = input.i64("number of inodes")?;
        let Some(inodes) = u64::try_from(inodes).ok().filter(|inodes| *inodes > 0) else {
            return input.fail(format!("number of inodes is {inodes}"));
        };
        let counters = &mut self.model.counters;
        counters.namespace_id = Some(namespace_id);
        let legacy = input.u64("generation stamp")?;
        counters.genstamp_v1 = Some(legacy);
        if self.layout.supports(Feature::SequentialBlockId) {
            counters.genstamp_v2 = Some(input.u64("generation stamp")?);
            counters.genstamp_v1_limit = Some(input.u64("generation stamp")?);
            counters.last_allocated_block_id = Some(input.u64("last block id")?);
        } else {
            let Some(first) = legacy.checked_add(RESERVED_LEGACY_GENERATION_STAMPS) else {
                return input.fail("the generation stamp is out of range");
            };
            counters.genstamp_v2 = Some(first);
            counters.genstamp_v1_limit = Some(first);
            counters.last_allocated_block_id = Some(LAST_RESERVED_BLOCK_ID);
        }
        let stored = self.layout.supports(Feature::StoredTxids);
        counters.transaction_id = Some(if stored { input.u64("last transaction")? } else { 0 });
        let has_ids = self.has(Feature::AddInodeId);
        self.model.last_inode_id =
            if has_ids { input.u64("last inode id")? } else { constants::ROOT_INODE_ID };
        Ok(inodes)
    }

    /// How the rest is compressed.
    pub(super) fn codec(&self, input: &mut Input<'_>) -> Read<Option<Codec>> {
        if !self.has(Feature::FsImageCompression) || !input.boolean("compressed")? {
            return Ok(None);
        }
        let class = input.text("codec")?;
        match Codec::of_class(&class) {
            Some(codec) => Ok(Some(codec)),
            None => input.fail(format!("Not a supported codec: {class}")),
        }
    }

    pub(super) fn load_open_files(&mut self, input: &mut Input<'_>) -> Read<()> {
        let has_ids = self.has(Feature::AddInodeId);
        for _ in 0..input.count(32, "number of open files")? {
            let path = input.path("path of an open file")?;
            let id = if has_ids { input.u64("inode id")? } else { self.next_id() };
            input.u16("replication")?;
            input.u64("modification time")?;
            input.u64("preferred block size")?;
            let count = input.count(24, "number of blocks")?;
            let blocks = input.blocks(count)?;
            input.status()?;
            let (client, host) = (input.string("client")?, input.string("host")?);
            if input.i32("number of locations")? != 0 {
                return input.fail("Unexpected block locations");
            }
            let in_snapshot = has_ids && path.starts_with(BY_ID);
            let (inode, path) = if in_snapshot {
                (self.by_id.get(&id).copied(), path)
            } else {
                let path = self.renamed_path(input, path)?;
                (Some(self.resolve(input, &path)?), path)
            };
            let Some(file) = inode.and_then(|inode| self.model.file_mut(inode)) else {
                let path = String::from_utf8_lossy(&path);
                return input.fail(format!("the open file {path} is no file"));
            };
            file.open = Some((client, host));
            if let (Some(last), Some(open)) = (file.blocks.last_mut(), blocks.last()) {
                *last = *open;
            }
            let id = inode.and_then(|inode| self.model.inodes.get(inode as usize)).map(|i| i.id);
            if let Some(id) = id.filter(|_| !in_snapshot) {
                self.model.open.push((id, String::from_utf8_lossy(&path).into_owned()));
            }
        }
        Ok(())
    }

    pub(super) fn load_secrets(&mut self, input: &mut Input<'_>) -> Read<()> {
        if !self.has(Feature::DelegationToken) {
            return Ok(());
        }
        let secrets = &mut self.model.secrets;
        secrets.current_id = input.i32("current key id")?.cast_unsigned();
        for _ in 0..input.count(3, "number of keys")? {
            let key = input.read(decode::delegation_key)?;
            secrets.keys.push(secret::DelegationKey {
                id: Some(key.key_id.cast_unsigned()),
                expiry_date: Some(key.expiry_date.0),
                key: key.key.map(Into::into),
            });
        }
        secrets.sequence_number = input.i32("sequence number of tokens")?.cast_unsigned();
        for _ in 0..input.count(16, "number of tokens")? {
            let token = input.read(decode::token)?;
            secrets.tokens.push(secret::PersistToken {
                version: None,
                owner: Some(token.owner),
                renewer: Some(token.renewer),
                real_user: Some(token.real_user),
                issue_date: Some(token.issue_date.0),
                max_date: Some(token.max_date.0),
                sequence_number: Some(token.sequence_number.cast_unsigned()),
                master_key_id: Some(token.master_key_id.cast_unsigned()),
                expiry_date: Some(input.u64("expiry date")?),
            });
        }
        Ok(())
    }

    pub(super) fn load_cache(&mut self, input: &mut Input<'_>) -> Read<()> {
        if !self.has(Feature::Caching) {
            self.model.cache.next_directive_id = 1;
            return Ok(());
        }
        self.model.cache.next_directive_id = input.u64("next directive id")?;
        for _ in 0..input.count(6, "number of cache pools")? {
            let info = input.read(decode::pool)?;
            self.model.cache.pools.push(pool_message(info));
        }
        for _ in 0..input.count(12, "number of cache directives")? {
            let info = input.read(decode::directive)?;
            self.model.cache.directives.push(directive_message(info));
        }
        Ok(())
    }
}

fn pool_message(info: CachePoolInfo) -> CachePoolInfoProto {
    CachePoolInfoProto {
        pool_name: Some(info.pool_name),
        owner_name: info.owner_name,
        group_name: info.group_name,
        mode: info.mode.map(|mode| i32::from(mode.0)),
        limit: info.limit,
        max_relative_expiry: info.max_relative_expiry_ms,
        default_replication: info.default_replication.map(u32::from),
    }
}

fn directive_message(info: CacheDirectiveInfo) -> CacheDirectiveInfoProto {
    let expiration = info.expiration.map(|millis| CacheDirectiveInfoExpirationProto {
        millis: millis.0.cast_signed(),
        is_relative: false,
    });
    CacheDirectiveInfoProto {
        id: Some(info.id),
        path: info.path.map(|path| String::from_utf8_lossy(&path).into_owned()),
        replication: info.replication.map(u32::from),
        pool: info.pool,
        expiration,
    }
}
