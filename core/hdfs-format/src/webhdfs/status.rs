//! Files, sums, quotas and capacity in JSON.
//!
//! Hadoop: org.apache.hadoop.hdfs.web.JsonUtil (3.5.0)

use hdfs_proto::hdfs as p;
use hdfs_proto::hdfs::hdfs_file_status_proto::FileType;

use super::json::{Fields, array, bytes, object, text, wrapped};
use super::policies;

/// Bits of HdfsFileStatusProto.flags.
const HAS_ACL: u32 = 1;
const HAS_CRYPT: u32 = 2;
const HAS_EC: u32 = 4;
const SNAPSHOT_ENABLED: u32 = 8;
/// What a quota is when there is none.
const QUOTA_RESET: i64 = -1;

/// Writes a status as it stands in a listing.
pub fn write_status(out: &mut String, status: &p::HdfsFileStatusProto) {
    object(out, |fields| status_fields(fields, status));
}

fn status_fields(fields: &mut Fields<'_>, status: &p::HdfsFileStatusProto) {
    let has = |flag| status.flags() & flag != 0;
    fields.plain("accessTime", status.access_time.cast_signed());
    if has(HAS_ACL) {
        fields.plain("aclBit", true);
    }
    fields.plain("blockSize", status.blocksize());
    fields.plain("childrenNum", status.children_num());
    if has(HAS_EC) || status.ec_policy.is_some() {
        fields.plain("ecBit", true);
    }
    if let Some(policy) = &status.ec_policy {
        fields.text("ecPolicy", policies::ec_name(policy));
        fields.with("ecPolicyObj", |out| policies::write_ec_policy(out, policy));
    }
    if has(HAS_CRYPT) || status.file_encryption_info.is_some() {
        fields.plain("encBit", true);
    }
    fields.plain("fileId", status.file_id());
    fields.text("group", &status.group);
    fields.plain("length", status.length);
    fields.plain("modificationTime", status.modification_time.cast_signed());
    fields.text("owner", &status.owner);
    fields.with("pathSuffix", |out| bytes(out, &status.path));
    permission(fields, status.permission.perm);
    fields.plain("replication", status.block_replication());
    if has(SNAPSHOT_ENABLED) {
        fields.plain("snapshotEnabled", true);
    }
    fields.plain("storagePolicy", status.storage_policy());
    let kind = match status.file_type() {
        FileType::IsDir => "DIRECTORY",
        FileType::IsFile => "FILE",
        FileType::IsSymlink => "SYMLINK",
    };
    if let (FileType::IsSymlink, Some(target)) = (status.file_type(), &status.symlink) {
        fields.with("symlink", |out| bytes(out, target));
    }
    fields.text("type", kind);
}

/// Octal digits, without the flags that ride on old permissions.
pub(super) fn permission(fields: &mut Fields<'_>, bits: u32) {
    fields.text("permission", &format!("{:o}", bits & 0o1777));
}

/// GETFILESTATUS and GETFILELINKSTATUS.
pub(super) fn file_status(status: &p::HdfsFileStatusProto) -> String {
    wrapped("FileStatus", |out| write_status(out, status))
}

/// What LISTSTATUS begins with; statuses follow, with `,` and a line break between them.
pub fn listing_head() -> &'static str {
    "{\"FileStatuses\":{\"FileStatus\":[\n"
}

/// What LISTSTATUS ends with.
pub fn listing_tail() -> &'static str {
    "\n]}}\n"
}

/// LISTSTATUS_BATCH.
pub(super) fn partial_listing(listing: &p::DirectoryListingProto) -> String {
    wrapped("DirectoryListing", |out| {
        object(out, |fields| {
            fields.object("partialListing", |fields| {
                fields.object("FileStatuses", |fields| {
                    fields.array("FileStatus", &listing.partial_listing, write_status);
                });
            });
            fields.plain("remainingEntries", listing.remaining_entries);
        });
    })
}

/// GETTRASHROOTS: statuses with whole paths, in FileSystem's words.
pub(super) fn write_plain_status(out: &mut String, path: &str, status: &p::HdfsFileStatusProto) {
    object(out, |fields| {
        fields.plain("blocksize", status.blocksize());
        fields.text("owner", &status.owner);
        fields.text("path", path);
        fields.plain("length", status.length);
        permission(fields, status.permission.perm);
        fields.plain("modification_time", status.modification_time.cast_signed());
        fields.plain("isdir", status.file_type() == FileType::IsDir);
        fields.plain("block_replication", status.block_replication());
        fields.plain("access_time", status.access_time.cast_signed());
        fields.text("group", &status.group);
    });
}

/// GETCONTENTSUMMARY.
pub(super) fn content_summary(summary: &p::ContentSummaryProto) -> String {
    wrapped("ContentSummary", |out| {
        object(out, |fields| {
            fields.plain("directoryCount", summary.directory_count);
            fields.text("ecPolicy", summary.erasure_coding_policy());
            fields.plain("fileCount", summary.file_count);
            fields.plain("length", summary.length);
            fields.plain("quota", summary.quota.cast_signed());
            fields.plain("snapshotDirectoryCount", summary.snapshot_directory_count());
            fields.plain("snapshotFileCount", summary.snapshot_file_count());
            fields.plain("snapshotLength", summary.snapshot_length());
            fields.plain("snapshotSpaceConsumed", summary.snapshot_space_consumed());
            fields.plain("spaceConsumed", summary.space_consumed.cast_signed());
            fields.plain("spaceQuota", summary.space_quota.cast_signed());
            type_quotas(fields, summary.type_quota_infos.as_ref());
        });
    })
}

/// GETQUOTAUSAGE.
pub(super) fn quota_usage(usage: &p::QuotaUsageProto) -> String {
    wrapped("QuotaUsage", |out| {
        object(out, |fields| {
            fields.plain("fileAndDirectoryCount", usage.file_and_directory_count.cast_signed());
            fields.plain("quota", usage.quota.cast_signed());
            fields.plain("spaceConsumed", usage.space_consumed.cast_signed());
            fields.plain("spaceQuota", usage.space_quota.cast_signed());
            type_quotas(fields, usage.type_quota_infos.as_ref());
        });
    })
}

fn type_quotas(fields: &mut Fields<'_>, infos: Option<&p::StorageTypeQuotaInfosProto>) {
    let infos = infos.map(|infos| infos.type_quota_info.as_slice()).unwrap_or_default();
    let mut set: Vec<_> = infos
        .iter()
        .filter(|info| info.quota.cast_signed() != QUOTA_RESET)
        .map(|info| (info.r#type().as_str_name(), info))
        .collect();
    set.sort_by_key(|info| info.0);
    fields.object("typeQuota", |fields| {
        for (name, info) in set {
            fields.object(name, |fields| {
                fields.plain("consumed", info.consumed.cast_signed());
                fields.plain("quota", info.quota.cast_signed());
            });
        }
    });
}

/// GETSERVERDEFAULTS, in the order of Java's HashMap.
pub(super) fn server_defaults(defaults: &p::FsServerDefaultsProto) -> String {
    wrapped("FsServerDefaults", |out| {
        object(out, |fields| {
            fields.plain("replication", defaults.replication);
            fields.plain("encryptDataTransfer", defaults.encrypt_data_transfer());
            fields.plain("defaultStoragePolicyId", defaults.policy_id());
            fields.plain("writePacketSize", defaults.write_packet_size);
            fields.plain("fileBufferSize", defaults.file_buffer_size);
            fields.plain("checksumType", defaults.checksum_type() as i32);
            fields.plain("trashInterval", defaults.trash_interval());
            fields.text("keyProviderUri", defaults.key_provider_uri());
            fields.plain("blockSize", defaults.block_size);
            fields.plain("bytesPerChecksum", defaults.bytes_per_checksum);
        });
    })
}

/// GETSTATUS, in the order of Java's HashMap.
pub(super) fn fs_status(stats: &p::GetFsStatsResponseProto) -> String {
    wrapped("FsStatus", |out| {
        object(out, |fields| {
            fields.plain("used", stats.used);
            fields.plain("remaining", stats.remaining);
            fields.plain("capacity", stats.capacity);
        });
    })
}

/// GETACLSTATUS.
pub fn acl_status(status: &p::AclStatusProto) -> String {
    wrapped("AclStatus", |out| {
        object(out, |fields| {
            fields.array("entries", &status.entries, |out, entry| {
                text(out, &super::acl_spec::show(entry));
            });
            fields.text("group", &status.group);
            fields.text("owner", &status.owner);
            if let Some(bits) = &status.permission {
                permission(fields, bits.perm);
            }
            fields.plain("stickyBit", status.sticky);
        });
    })
}

/// GETXATTRS.
pub fn xattrs(xattrs: &[p::XAttrProto], encoding: &str) -> String {
    wrapped("XAttrs", |out| {
        array(out, xattrs, |out, xattr| {
            object(out, |fields| {
                fields.text("name", &super::xattr_value::prefixed_name(xattr));
                fields.with("value", |out| match &xattr.value {
                    Some(value) => text(out, &super::xattr_value::encode(value, encoding)),
                    None => out.push_str("null"),
                });
            });
        });
    })
}

/// LISTXATTRS: an array of names in JSON, as a text in JSON.
pub fn xattr_names(xattrs: &[p::XAttrProto]) -> String {
    let mut names = String::new();
    array(&mut names, xattrs, |out, xattr| {
        text(out, &super::xattr_value::prefixed_name(xattr));
    });
    wrapped("XAttrNames", |out| text(out, &names))
}

/// GETFILECHECKSUM. Java shows its whole buffer of 32 bytes, of which the last four are zero.
pub fn file_checksum(algorithm: &str, bytes: &[u8]) -> String {
    const JAVA_BUFFER: usize = 32;
    let zeros = JAVA_BUFFER.saturating_sub(bytes.len());
    let padded = bytes.iter().copied().chain(std::iter::repeat_n(0, zeros));
    let digits: String = padded.map(|byte| format!("{byte:02x}")).collect();
    wrapped("FileChecksum", |out| {
        object(out, |fields| {
            fields.text("algorithm", algorithm);
            fields.text("bytes", &digits);
            fields.plain("length", bytes.len());
        });
    })
}
