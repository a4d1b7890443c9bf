//! The image of the namespace.
//!
//! ```text
//! "HDFSIMG1" | sections, each a run of varint-delimited messages | FileSummary, varint-delimited
//!            | int32 big-endian: bytes of the delimited FileSummary
//! ```
//! The summary lists the sections with offset and length; names that end in `_SUB` are parts of a section that may be
//! loaded in parallel. Integrity is the MD5 of the whole file, kept beside it.
//!
//! Apache writes the sections in the order of [`SAVE_ORDER`] and loads them in the order of [`SectionName`]: the string
//! table is last in the file and second when loading.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.{FSImageFormatProtobuf, FSImageUtil} (3.5.0)

mod features;
mod inode;
pub mod legacy;
mod packing;
mod proto_wire;
mod reader;
mod string_table;
mod writer;
pub mod xml;

pub use features::{acl_entries, x_attrs};
pub use inode::{
    Blocks, BlocksIter, DirectoryRecord, FileRecord, INodeEncoder, INodeKind, INodeRecord,
    SymlinkRecord,
};
pub use packing::{
    FileHeader, PackedPermission, pack_acl_entry, pack_xattr_name, unpack_acl_entry,
    unpack_xattr_name,
};
pub use reader::{Image, Messages, Section};
pub use string_table::{NameTable, StringTable};
pub use writer::{ImageDigest, ImageOptions, ImageWriter};

/// First bytes of an image.
pub const MAGIC: &[u8; 8] = b"HDFSIMG1";
/// `FileSummary.ondiskVersion`.
pub const FILE_VERSION: u32 = 1;
/// Longest message of an image, in bytes: that of a directory with many children. Protobuf's own bound in Java.
pub const MAX_MESSAGE_BYTES: usize = i32::MAX as usize;

macro_rules! sections {
    ($($(#[$doc:meta])* $variant:ident = $name:literal;)*) => {
        /// A section, in the order in which Apache loads them.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum SectionName { $($(#[$doc])* $variant,)* }

        impl SectionName {
            /// The name in the summary.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The section with this name.
            pub fn from_name(name: &str) -> Option<Self> {
                Some(match name { $($name => Self::$variant,)* _ => return None })
            }

            /// True for a part of a section.
            pub fn is_part(self) -> bool {
                self.section() != self
            }

            /// The section that this is a part of, or itself.
            pub fn section(self) -> Self {
                match self {
                    Self::InodeSub => Self::Inode,
                    Self::InodeReferenceSub => Self::InodeReference,
                    Self::InodeDirSub => Self::InodeDir,
                    Self::SnapshotDiffSub => Self::SnapshotDiff,
                    section => section,
                }
            }
        }
    };
}

sections! {
    /// Ids and stamps of the namespace.
    NsInfo = "NS_INFO";
    /// Names of users, groups and attributes.
    StringTable = "STRING_TABLE";
    /// Reserved.
    ExtendedAcl = "EXTENDED_ACL";
    /// Erasure-coding policies.
    ErasureCoding = "ERASURE_CODING";
    /// Every inode.
    Inode = "INODE";
    /// A part of it.
    InodeSub = "INODE_SUB";
    /// References of renamed inodes in snapshots.
    InodeReference = "INODE_REFERENCE";
    /// A part of it.
    InodeReferenceSub = "INODE_REFERENCE_SUB";
    /// Snapshots.
    Snapshot = "SNAPSHOT";
    /// Children of every directory.
    InodeDir = "INODE_DIR";
    /// A part of it.
    InodeDirSub = "INODE_DIR_SUB";
    /// Files with a lease.
    FilesUnderConstruction = "FILES_UNDERCONSTRUCTION";
    /// Differences between snapshots.
    SnapshotDiff = "SNAPSHOT_DIFF";
    /// A part of it.
    SnapshotDiffSub = "SNAPSHOT_DIFF_SUB";
    /// Delegation keys and tokens.
    SecretManager = "SECRET_MANAGER";
    /// Cache pools and directives.
    CacheManager = "CACHE_MANAGER";
}

/// The order in which sections lie in a file that Apache writes. SNAPSHOT_DIFF is left out when there is no snapshot;
/// INODE_REFERENCE follows it and is always there. A saver must keep this order, because references are numbered while
/// directories and differences are written.
pub const SAVE_ORDER: [SectionName; 11] = [
    SectionName::NsInfo,
    SectionName::ErasureCoding,
    SectionName::Inode,
    SectionName::InodeDir,
    SectionName::FilesUnderConstruction,
    SectionName::Snapshot,
    SectionName::SnapshotDiff,
    SectionName::InodeReference,
    SectionName::SecretManager,
    SectionName::CacheManager,
    SectionName::StringTable,
];
