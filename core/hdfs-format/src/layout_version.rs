//! Layout versions of the NameNode: which feature a file of a layout has.
//!
//! Numbers fall as layouts get newer. They do not only count: a layout that was reserved for an old release branches off
//! an older one, so whether a feature is there is asked of the set, never by comparing numbers. A number that is in no
//! table has no feature.
//!
//! Hadoop: org.apache.hadoop.hdfs.protocol.LayoutVersion, NameNodeLayoutVersion (3.5.0)

use hdfs_types::constants::NAMENODE_LAYOUT_VERSION;

/// The oldest layout that can be upgraded. Hadoop: Storage.LAST_UPGRADABLE_LAYOUT_VERSION.
pub const OLDEST_UPGRADABLE_LAYOUT: i32 = -16;
/// What Hadoop stores in place of a transaction id that is not there. Hadoop: HdfsServerConstants.INVALID_TXID.
pub const INVALID_TXID: i64 = -12345;

macro_rules! features {
    ($($(#[$doc:meta])* $name:ident = $version:literal from $ancestor:literal $(with $($special:ident),+)?;)*) => {
        /// A feature, named after the layout that brought it.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(i32)]
        pub enum Feature {
            $($(#[$doc])* $name = $version,)*
        }

        /// Layout, the layout that it was made from, further features as bits.
        const ROWS: &[(i32, i32, u64)] =
            &[$(($version, $ancestor, 0 $($(| Feature::$special.bit())+)?)),*];
    };
}

features! {
    /// Quotas of names.
    NamespaceQuota = -16 from -15;
    /// Access times of files.
    FileAccessTime = -17 from -16;
    /// Quotas of bytes.
    DiskspaceQuota = -18 from -17;
    /// Sticky bits.
    StickyBit = -19 from -18;
    /// Folder `rbw` of DataNodes.
    AppendRbwDir = -20 from -19;
    /// Rename with options.
    AtomicRename = -21 from -20;
    /// Concat.
    Concat = -22 from -21;
    /// Symbolic links.
    Symlinks = -23 from -22;
    /// Delegation tokens.
    DelegationToken = -24 from -23;
    /// Compressed images.
    FsImageCompression = -25 from -24;
    /// Images with checksums.
    FsImageChecksum = -26 from -25;
    /// The disk layout of 0.13 is gone.
    RemoveRel13DiskLayoutSupport = -27 from -26;
    /// Checksums of operations.
    EditsChecksum = -28 from -27;
    /// Skipped.
    Unused = -29 from -28;
    /// Images hold the last component of paths only.
    FsImageNameOptimization = -30 from -29;
    /// 0.20.203.
    ReservedRel20_203 = -31 from -19 with DelegationToken;
    /// 0.20.204.
    ReservedRel20_204 = -32 from -31;
    /// 0.22.
    ReservedRel22 = -33 from -27;
    /// 0.23.
    ReservedRel23 = -34 from -30;
    /// Federation.
    Federation = -35 from -34;
    /// Reassigned leases are logged.
    LeaseReassignment = -36 from -35;
    /// Transaction ids are stored.
    StoredTxids = -37 from -36;
    /// Names of files hold transaction ids.
    TxidBasedLayout = -38 from -37;
    /// Numbers of operations are binary.
    EditlogOpOptimization = -39 from -38;
    /// Lists of blocks are compact; OP_UPDATE_BLOCKS.
    OptimizePersistBlocks = -40 from -39;
    /// 1.2.0.
    ReservedRel1_2_0 = -41 from -32 with Concat;
    /// Inodes have ids.
    AddInodeId = -42 from -40;
    /// Snapshots.
    Snapshot = -43 from -42;
    /// 1.3.0.
    ReservedRel1_3_0 = -44 from -41 with AddInodeId, Snapshot, FsImageNameOptimization;
    /// Smaller inodes of snapshots.
    OptimizeSnapshotInodes = -45 from -43;
    /// Sequential block ids.
    SequentialBlockId = -46 from -45;
    /// Operations hold the call that caused them.
    EditlogSupportRetryCache = -47 from -46;
    /// OP_ADD_BLOCK.
    EditlogAddBlock = -48 from -47;
    /// DataNodes and storages have UUIDs.
    AddDatanodeAndStorageUuids = -49 from -48;
    /// Layout flags.
    AddLayoutFlags = -50 from -49;
    /// Cache pools and directives.
    Caching = -51 from -50;
    /// Images of protobuf messages (2.4.0).
    ProtobufFormat = -52 from -51;
    /// ACLs.
    ExtendedAcl = -53 from -52;
    /// 2.4.0.
    ReservedRel2_4_0 = -54 from -51 with ProtobufFormat, ExtendedAcl;
    /// Rolling upgrades.
    RollingUpgrade = -55 from -53;
    /// Operations have lengths.
    EditlogLength = -56 from -55;
    /// Extended attributes.
    XAttrs = -57 from -56;
    /// Creation with overwrite is one operation.
    CreateOverwrite = -58 from -57;
    /// More namespaces of attributes.
    XAttrsNamespaceExt = -59 from -58;
    /// Storage policies.
    BlockStoragePolicy = -60 from -59;
    /// Truncate.
    Truncate = -61 from -60;
    /// Append to a new block.
    AppendNewBlock = -62 from -61;
    /// Quotas by storage type.
    QuotaByStorageType = -63 from -62;
    /// Erasure coding.
    ErasureCoding = -64 from -63;
    /// A larger string table in images.
    ExpandedStringTable = -65 from -64;
    /// Operations on snapshots hold times.
    SnapshotModificationTime = -66 from -65;
    /// Storage type NVDIMM.
    NvdimmSupport = -67 from -66;
}

impl Feature {
    /// The layout that brought it.
    pub const fn layout_version(self) -> i32 {
        self as i32
    }

    const fn bit(self) -> u64 {
        bit(self as i32)
    }
}

/// The bit of a layout in the table: the layouts follow each other without a gap.
const fn bit(version: i32) -> u64 {
    1 << (OLDEST_UPGRADABLE_LAYOUT - version)
}

/// A layout version with the features that it has.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Layout {
    version: i32,
    features: u64,
}

impl Layout {
    /// The layout that is written.
    pub const CURRENT: Self = Self::of(NAMENODE_LAYOUT_VERSION);

    /// The layout with this number.
    pub const fn of(version: i32) -> Self {
        let (mut features, mut next, mut index) = (0, version, ROWS.len());
        // A layout stands after the one that it was made from.
        while index > 0 {
            index -= 1;
            let (row, ancestor, special) = ROWS[index];
            if row == next {
                features |= bit(row) | special;
                next = ancestor;
            }
        }
        Self { version, features }
    }

    /// Its number.
    pub const fn version(self) -> i32 {
        self.version
    }

    /// True when files of this layout have the feature.
    #[inline]
    pub const fn supports(self, feature: Feature) -> bool {
        self.features & feature.bit() != 0
    }

    /// True for a layout of which this software knows what it means: an image or an edit log of it can be read.
    pub const fn is_readable(self) -> bool {
        self.version >= NAMENODE_LAYOUT_VERSION && self.version <= OLDEST_UPGRADABLE_LAYOUT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_follow_each_other_and_come_after_their_ancestors() {
        for (index, (version, ancestor, _)) in (0..).zip(ROWS) {
            assert_eq!(*version, OLDEST_UPGRADABLE_LAYOUT - index);
            assert!(ancestor > version);
        }
        assert_eq!(Layout::CURRENT.version(), -67);
    }

    #[test]
    fn layouts_reserved_for_old_releases_branch_off() {
        use Feature::*;
        let has = |version, feature| Layout::of(version).supports(feature);
        // 0.20.203 knows tokens, and nothing of what came between.
        assert!(has(-31, DelegationToken) && has(-31, FileAccessTime));
        assert!(!has(-31, Concat) && !has(-31, EditsChecksum));
        assert!(has(-41, Concat) && !has(-41, Symlinks) && !has(-41, StoredTxids));
        assert!(has(-44, AddInodeId) && has(-44, Snapshot) && !has(-44, EditlogOpOptimization));
        assert!(has(-33, FsImageChecksum) && !has(-33, EditsChecksum));
        assert!(has(-34, EditsChecksum) && !has(-36, StoredTxids) && has(-37, StoredTxids));
        assert!(has(-54, ExtendedAcl) && !has(-54, RollingUpgrade));
        assert!(has(-67, EditlogLength) && has(-56, EditlogLength) && !has(-55, EditlogLength));
        assert!(!has(-15, FileAccessTime) && !has(-68, EditlogLength));
    }
}
