//! The JSON of WebHDFS, as this crate's types.
//!
//! Hadoop: org.apache.hadoop.hdfs.web.JsonUtilClient (3.5.0)

use hdfs_types::{Error, ErrorKind, FsPermission, INodeId, Result, StorageType, WallMillis};
use serde_json::Value;

use super::FsCapacity;
use crate::checksum::FileChecksum;
use crate::status::{ContentSummary, FileKind, FileStatus, QuotaUsage, TypeQuota, join};

fn malformed(what: &str) -> Error {
    Error::io(format!("Response decoding failure: {what}"))
}

/// The JSON of an answer.
pub(super) fn parse(body: &[u8]) -> Result<Value> {
    if body.is_empty() {
        return Err(malformed("Missing response"));
    }
    serde_json::from_slice(body).map_err(|error| malformed(&error.to_string()))
}

/// A member that must be there.
pub(super) fn member<'a>(value: &'a Value, name: &str) -> Result<&'a Value> {
    value.get(name).ok_or_else(|| malformed(&format!("{name} is missing")))
}

pub(super) fn text(value: &Value, name: &str) -> Result<String> {
    let found = member(value, name)?.as_str();
    found.map(str::to_owned).ok_or_else(|| malformed(&format!("{name} is no text")))
}

fn number(value: &Value, name: &str) -> Result<i64> {
    member(value, name)?.as_i64().ok_or_else(|| malformed(&format!("{name} is no number")))
}

fn unsigned(value: &Value, name: &str) -> Result<u64> {
    u64::try_from(number(value, name)?).map_err(|_| malformed(&format!("{name} is negative")))
}

/// A number that older servers leave out.
fn unsigned_or_zero(value: &Value, name: &str) -> Result<u64> {
    if value.get(name).is_none() { Ok(0) } else { unsigned(value, name) }
}

fn flag(value: &Value, name: &str) -> bool {
    value.get(name).and_then(Value::as_bool).unwrap_or(false)
}

/// `{"boolean": …}`.
pub(super) fn boolean(value: &Value) -> Result<bool> {
    let found = member(value, "boolean")?.as_bool();
    found.ok_or_else(|| malformed("boolean is neither true nor false"))
}

/// The exception in an error's body; `None` when it holds none.
pub(super) fn remote_exception(body: &[u8]) -> Option<Error> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let exception = value.get("RemoteException")?;
    let class = exception.get("javaClassName").and_then(Value::as_str);
    let class = class.or_else(|| exception.get("exception").and_then(Value::as_str))?;
    let message = exception.get("message").and_then(Value::as_str).unwrap_or_default();
    let kind = match class {
        // Servers before 2.x named no package.
        "FileNotFoundException" => ErrorKind::FileNotFound,
        class => ErrorKind::from_java_class(class),
    };
    Some(Error::new(kind, message))
}

/// A `FileStatus` object. `parent` is the path that was asked for.
pub(super) fn file_status(value: &Value, parent: &str) -> Result<FileStatus> {
    let kind = match text(value, "type")?.as_str() {
        "DIRECTORY" => FileKind::Directory,
        "FILE" => FileKind::File,
        "SYMLINK" => FileKind::Symlink,
        other => return Err(malformed(&format!("type is {other}"))),
    };
    let mode = text(value, "permission")?;
    let permission =
        u16::from_str_radix(&mode, 8).map_err(|_| malformed(&format!("permission is {mode}")))?;
    Ok(FileStatus {
        path: join(parent, &text(value, "pathSuffix")?),
        kind,
        length: unsigned(value, "length")?,
        replication: unsigned(value, "replication")?.try_into().unwrap_or(u16::MAX),
        block_size: unsigned(value, "blockSize")?,
        modification_time: WallMillis(unsigned(value, "modificationTime")?),
        access_time: WallMillis(unsigned(value, "accessTime")?),
        permission: FsPermission(permission & 0o1777),
        owner: text(value, "owner")?,
        group: text(value, "group")?,
        symlink: value.get("symlink").and_then(Value::as_str).map(str::to_owned),
        file_id: INodeId(unsigned_or_zero(value, "fileId")?),
        children: value
            .get("childrenNum")
            .and_then(Value::as_i64)
            .and_then(|count| i32::try_from(count).ok())
            .unwrap_or(-1),
        has_acl: flag(value, "aclBit"),
        is_encrypted: flag(value, "encBit"),
        is_erasure_coded: flag(value, "ecBit"),
        is_snapshot_enabled: flag(value, "snapshotEnabled"),
        storage_policy: unsigned_or_zero(value, "storagePolicy")?.try_into().unwrap_or(0),
        ec_policy: value.get("ecPolicy").and_then(Value::as_str).map(str::to_owned),
        locations: None,
    })
}

/// The entries of a `FileStatuses` object.
pub(super) fn file_statuses(value: &Value, parent: &str) -> Result<Vec<FileStatus>> {
    let array = member(member(value, "FileStatuses")?, "FileStatus")?;
    let array = array.as_array().ok_or_else(|| malformed("FileStatus is no array"))?;
    array.iter().map(|status| file_status(status, parent)).collect()
}

/// One page of a directory, and whether there are more.
pub(super) fn directory_listing(value: &Value, parent: &str) -> Result<(Vec<FileStatus>, bool)> {
    let listing = member(value, "DirectoryListing")?;
    let page = file_statuses(member(listing, "partialListing")?, parent)?;
    Ok((page, unsigned(listing, "remainingEntries")? > 0))
}

/// -1 stands for no quota.
fn quota(value: &Value, name: &str) -> Result<Option<u64>> {
    Ok(u64::try_from(number(value, name)?).ok())
}

fn type_quotas(value: &Value) -> Result<Vec<TypeQuota>> {
    let Some(types) = value.get("typeQuota").and_then(Value::as_object) else {
        return Ok(Vec::new());
    };
    let known = types.iter().filter_map(|(name, one)| Some((StorageType::from_name(name)?, one)));
    known
        .map(|(storage_type, one)| {
            let consumed = unsigned(one, "consumed")?;
            Ok(TypeQuota { storage_type, quota: quota(one, "quota")?, consumed })
        })
        .collect()
}

/// A `ContentSummary` answer.
pub(super) fn content_summary(value: &Value) -> Result<ContentSummary> {
    let value = member(value, "ContentSummary")?;
    Ok(ContentSummary {
        length: unsigned(value, "length")?,
        file_count: unsigned(value, "fileCount")?,
        directory_count: unsigned(value, "directoryCount")?,
        space_consumed: unsigned(value, "spaceConsumed")?,
        quota: quota(value, "quota")?,
        space_quota: quota(value, "spaceQuota")?,
        type_quotas: type_quotas(value)?,
        snapshot_length: unsigned_or_zero(value, "snapshotLength")?,
        snapshot_file_count: unsigned_or_zero(value, "snapshotFileCount")?,
        snapshot_directory_count: unsigned_or_zero(value, "snapshotDirectoryCount")?,
        snapshot_space_consumed: unsigned_or_zero(value, "snapshotSpaceConsumed")?,
        erasure_coding_policy: value
            .get("ecPolicy")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
    })
}

/// A `QuotaUsage` answer.
pub(super) fn quota_usage(value: &Value) -> Result<QuotaUsage> {
    let value = member(value, "QuotaUsage")?;
    Ok(QuotaUsage {
        file_and_directory_count: unsigned(value, "fileAndDirectoryCount")?,
        quota: quota(value, "quota")?,
        space_consumed: unsigned(value, "spaceConsumed")?,
        space_quota: quota(value, "spaceQuota")?,
        type_quotas: type_quotas(value)?,
    })
}

/// A `FsStatus` answer.
pub(super) fn fs_status(value: &Value) -> Result<FsCapacity> {
    let value = member(value, "FsStatus")?;
    Ok(FsCapacity {
        capacity: unsigned(value, "capacity")?,
        used: unsigned(value, "used")?,
        remaining: unsigned(value, "remaining")?,
    })
}

/// A `FileChecksum` answer. The bytes are those of Java's writable form, of which `length` count.
pub(super) fn file_checksum(value: &Value) -> Result<FileChecksum> {
    let value = member(value, "FileChecksum")?;
    let hex = text(value, "bytes")?;
    let digits = hex.as_bytes().chunks_exact(2);
    let bytes: Option<Vec<u8>> =
        digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect();
    let mut bytes = bytes.ok_or_else(|| malformed("bytes are no hexadecimal digits"))?;
    let length = usize::try_from(unsigned(value, "length")?).unwrap_or(usize::MAX);
    bytes.truncate(length);
    Ok(FileChecksum { algorithm: text(value, "algorithm")?, bytes })
}

/// How many DataNodes hold each block of a `BlockLocations` answer.
pub(super) fn replicas(value: &Value) -> Result<Vec<usize>> {
    let blocks = member(member(value, "BlockLocations")?, "BlockLocation")?;
    let blocks = blocks.as_array().ok_or_else(|| malformed("BlockLocation is no array"))?;
    blocks
        .iter()
        .map(|block| {
            let names = member(block, "names")?.as_array();
            names.map(Vec::len).ok_or_else(|| malformed("names is no array"))
        })
        .collect()
}

/// `defaultStoragePolicyId` and others are of no use to a client of files; the trash is.
pub(super) fn trash_interval_minutes(value: &Value) -> Result<u64> {
    unsigned(member(value, "FsServerDefaults")?, "trashInterval")
}

#[cfg(test)]
mod tests;
