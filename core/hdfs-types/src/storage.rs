//! Kinds of storage.

/// The kind of a DataNode's volume.
///
/// Proto: hdfs.proto StorageTypeProto. Hadoop: org.apache.hadoop.fs.StorageType (3.5.0)
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
#[repr(i32)]
pub enum StorageType {
    /// A spinning disk, or anything that says nothing else.
    #[default]
    Disk = 1,
    /// A solid-state disk.
    Ssd = 2,
    /// Dense storage for cold data.
    Archive = 3,
    /// Memory; transient.
    RamDisk = 4,
    /// Storage outside the cluster.
    Provided = 5,
    /// Non-volatile memory.
    Nvdimm = 6,
}

impl StorageType {
    /// Every kind, in the order of the wire numbers.
    pub const ALL: [Self; 6] =
        [Self::Disk, Self::Ssd, Self::Archive, Self::RamDisk, Self::Provided, Self::Nvdimm];

    /// The kind with this number of StorageTypeProto.
    pub fn from_wire(number: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as i32 == number)
    }

    /// Hadoop's name, as in configuration and output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Disk => "DISK",
            Self::Ssd => "SSD",
            Self::Archive => "ARCHIVE",
            Self::RamDisk => "RAM_DISK",
            Self::Provided => "PROVIDED",
            Self::Nvdimm => "NVDIMM",
        }
    }

    /// The kind with this name; case does not matter.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name().eq_ignore_ascii_case(name))
    }
}
