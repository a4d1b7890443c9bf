//! VERSION files: who owns a storage folder, and in which layout it is.
//!
//! Hadoop: StorageInfo, NNStorage, DataStorage, BlockPoolSliceStorage, JNStorage (3.5.0)

use super::{Corrupt, Properties};
use crate::layout_version::{Feature, Layout};
use hdfs_types::constants::{DATANODE_LAYOUT_VERSION, NAMENODE_LAYOUT_VERSION};
use hdfs_types::{BlockPoolId, DatanodeUuid, Rng, StorageUuid, WallMillis};
use std::str::FromStr;

const ADVICE: &str = "Check that this is the right folder; another folder of the same role has the right VERSION file.";

/// `name/current/VERSION`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NameNodeVersion {
    /// Layout of the folder: -67.
    pub layout_version: i32,
    /// Number of the namespace.
    pub namespace_id: u32,
    /// Name of the cluster; empty in layouts before federation.
    pub cluster_id: String,
    /// When the folder was formatted or upgraded.
    pub c_time: WallMillis,
    /// The block pool; empty in layouts before federation.
    pub block_pool: BlockPoolId,
}

/// `data/current/VERSION` of a volume.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DataNodeVersion {
    /// Layout of the folder: -57.
    pub layout_version: i32,
    /// Name of the cluster.
    pub cluster_id: String,
    /// Always 0 since federation.
    pub c_time: WallMillis,
    /// Identity of the volume.
    pub storage_uuid: StorageUuid,
    /// Identity of the DataNode; absent in folders of very old releases.
    pub datanode_uuid: Option<DatanodeUuid>,
    /// Number of the namespace: in layouts before federation only, whose folders belong to one.
    pub namespace_id: Option<u32>,
}

/// `data/current/BP-…/current/VERSION`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BlockPoolVersion {
    /// Layout of the folder: -57.
    pub layout_version: i32,
    /// Number of the namespace.
    pub namespace_id: u32,
    /// As in the NameNode's folder.
    pub c_time: WallMillis,
    /// The block pool.
    pub block_pool: BlockPoolId,
}

/// `<journal>/current/VERSION`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JournalNodeVersion {
    /// Layout of the folder: -67.
    pub layout_version: i32,
    /// Number of the namespace.
    pub namespace_id: u32,
    /// Name of the cluster.
    pub cluster_id: String,
    /// As in the NameNode's folder.
    pub c_time: WallMillis,
}

impl NameNodeVersion {
    /// A new namespace.
    pub fn new(namespace_id: u32, cluster_id: String, block_pool: BlockPoolId) -> Self {
        Self {
            layout_version: NAMENODE_LAYOUT_VERSION,
            namespace_id,
            cluster_id,
            c_time: WallMillis(0),
            block_pool,
        }
    }

    /// Reads a VERSION file.
    ///
    /// # Errors
    /// When a key is missing or has no proper value, or the folder belongs to another role.
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self, Corrupt> {
        let version = VersionFile::parse(file, bytes)?;
        version.check_type("NAME_NODE")?;
        let layout_version = version.number("layoutVersion")?;
        let federated = |key| {
            let before = !Layout::of(layout_version).supports(Feature::Federation);
            version.text(key).or_else(|missing| if before { Ok("") } else { Err(missing) })
        };
        Ok(Self {
            layout_version,
            namespace_id: version.namespace_id()?,
            cluster_id: federated("clusterID")?.to_owned(),
            c_time: WallMillis(version.number("cTime")?),
            block_pool: federated("blockpoolID")?.into(),
        })
    }

    /// The VERSION file, with the time of writing.
    pub fn print(&self, now: WallMillis) -> String {
        print(
            &[
                ("namespaceID", &self.namespace_id.cast_signed().to_string()),
                ("blockpoolID", self.block_pool.as_str()),
                ("storageType", "NAME_NODE"),
                ("cTime", &self.c_time.0.to_string()),
                ("clusterID", &self.cluster_id),
                ("layoutVersion", &self.layout_version.to_string()),
            ],
            now,
        )
    }
}

impl DataNodeVersion {
    /// A new volume.
    pub fn new(cluster_id: String, storage: StorageUuid, datanode: DatanodeUuid) -> Self {
        Self {
            layout_version: DATANODE_LAYOUT_VERSION,
            cluster_id,
            c_time: WallMillis(0),
            storage_uuid: storage,
            datanode_uuid: Some(datanode),
            namespace_id: None,
        }
    }

    /// Reads a VERSION file.
    ///
    /// # Errors
    /// As [`NameNodeVersion::parse`].
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self, Corrupt> {
        let version = VersionFile::parse(file, bytes)?;
        version.check_type("DATA_NODE")?;
        let layout_version = version.number("layoutVersion")?;
        let federated = Layout::of(layout_version).supports(Feature::Federation);
        let (cluster_id, namespace_id) = match federated {
            true => (version.text("clusterID")?.to_owned(), None),
            false => (String::new(), Some(version.namespace_id()?)),
        };
        Ok(Self {
            layout_version,
            cluster_id,
            c_time: WallMillis(version.number("cTime")?),
            storage_uuid: version.text("storageID")?.into(),
            datanode_uuid: version.properties.get("datanodeUuid").map(Into::into),
            namespace_id,
        })
    }

    /// False for the names that volumes had before they had UUIDs, and for what is none: an upgrade gives a new one.
    ///
    /// Hadoop: DatanodeStorage.isValidStorageId
    pub fn has_valid_storage_uuid(&self) -> bool {
        let is_hex = |part: &str| {
            !part.is_empty() && part.len() <= 16 && part.bytes().all(|b| b.is_ascii_hexdigit())
        };
        let uuid = self.storage_uuid.as_str().strip_prefix("DS-");
        Layout::of(self.layout_version).supports(Feature::AddDatanodeAndStorageUuids)
            && uuid.is_some_and(|uuid| uuid.split('-').count() == 5 && uuid.split('-').all(is_hex))
    }

    /// The VERSION file, with the time of writing.
    pub fn print(&self, now: WallMillis) -> String {
        let (c_time, layout) = (self.c_time.0.to_string(), self.layout_version.to_string());
        let mut entries = Vec::with_capacity(6);
        entries.extend(self.datanode_uuid.iter().map(|uuid| ("datanodeUuid", uuid.as_str())));
        entries.extend([
            ("storageType", "DATA_NODE"),
            ("cTime", c_time.as_str()),
            ("clusterID", self.cluster_id.as_str()),
            ("layoutVersion", layout.as_str()),
            ("storageID", self.storage_uuid.as_str()),
        ]);
        print(&entries, now)
    }
}

impl BlockPoolVersion {
    /// The part of a new volume for a block pool.
    pub fn new(namespace_id: u32, c_time: WallMillis, block_pool: BlockPoolId) -> Self {
        Self { layout_version: DATANODE_LAYOUT_VERSION, namespace_id, c_time, block_pool }
    }

    /// Reads a VERSION file.
    ///
    /// # Errors
    /// As [`NameNodeVersion::parse`].
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self, Corrupt> {
        let version = VersionFile::parse(file, bytes)?;
        Ok(Self {
            layout_version: version.number("layoutVersion")?,
            namespace_id: version.namespace_id()?,
            c_time: WallMillis(version.number("cTime")?),
            block_pool: version.text("blockpoolID")?.into(),
        })
    }

    /// The VERSION file, with the time of writing.
    pub fn print(&self, now: WallMillis) -> String {
        print(
            &[
                ("namespaceID", &self.namespace_id.cast_signed().to_string()),
                ("blockpoolID", self.block_pool.as_str()),
                ("cTime", &self.c_time.0.to_string()),
                ("layoutVersion", &self.layout_version.to_string()),
            ],
            now,
        )
    }
}

impl JournalNodeVersion {
    /// Reads a VERSION file.
    ///
    /// # Errors
    /// As [`NameNodeVersion::parse`].
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self, Corrupt> {
        let version = VersionFile::parse(file, bytes)?;
        version.check_type("JOURNAL_NODE")?;
        Ok(Self {
            layout_version: version.number("layoutVersion")?,
            namespace_id: version.namespace_id()?,
            cluster_id: version.text("clusterID")?.to_owned(),
            c_time: WallMillis(version.number("cTime")?),
        })
    }

    /// The VERSION file, with the time of writing.
    pub fn print(&self, now: WallMillis) -> String {
        print(
            &[
                ("namespaceID", &self.namespace_id.cast_signed().to_string()),
                ("storageType", "JOURNAL_NODE"),
                ("cTime", &self.c_time.0.to_string()),
                ("clusterID", &self.cluster_id),
                ("layoutVersion", &self.layout_version.to_string()),
            ],
            now,
        )
    }
}

struct VersionFile<'a> {
    file: &'a str,
    properties: Properties,
}

impl<'a> VersionFile<'a> {
    fn parse(file: &'a str, bytes: &[u8]) -> Result<Self, Corrupt> {
        match Properties::parse(bytes) {
            Ok(properties) => Ok(Self { file, properties }),
            Err(line) => Err(corrupt(file, format!("line {line} has a malformed \\uXXXX"))),
        }
    }

    fn text(&self, key: &str) -> Result<&str, Corrupt> {
        self.properties
            .get(key)
            .filter(|value| !value.is_empty())
            .ok_or_else(|| corrupt(self.file, format!("{key} is missing")))
    }

    fn number<T: FromStr>(&self, key: &str) -> Result<T, Corrupt> {
        let text = self.text(key)?;
        text.parse().map_err(|_| corrupt(self.file, format!("{key} is \"{text}\", not a number")))
    }

    /// Old releases gave numbers below 0, too.
    fn namespace_id(&self) -> Result<u32, Corrupt> {
        self.number::<i32>("namespaceID").map(i32::cast_unsigned)
    }

    fn check_type(&self, wanted: &str) -> Result<(), Corrupt> {
        let found = self.text("storageType")?;
        if found == wanted {
            return Ok(());
        }
        Err(corrupt(
            self.file,
            format!(
                "the folder belongs to another role: storageType is {found}, expected {wanted}"
            ),
        ))
    }
}

fn corrupt(file: &str, reason: String) -> Corrupt {
    Corrupt { file: file.to_owned(), offset: 0, txid: None, reason, advice: ADVICE }
}

fn print(entries: &[(&str, &str)], now: WallMillis) -> String {
    let mut properties = Properties::default();
    for (key, value) in entries {
        properties.set(key, value);
    }
    properties.print(now)
}

/// A random UUID (version 4), in text form.
pub fn random_uuid(rng: &mut impl Rng) -> String {
    let high = rng.next_u64() & !0xF000 | 0x4000;
    let low = rng.next_u64() & !(0b11 << 62) | 0b10 << 62;
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        high >> 16 & 0xFFFF,
        high & 0xFFFF,
        low >> 48,
        low & 0xFFFF_FFFF_FFFF
    )
}

/// `CID-<uuid>`: the name of a new cluster.
pub fn new_cluster_id(rng: &mut impl Rng) -> String {
    format!("CID-{}", random_uuid(rng))
}

/// `DS-<uuid>`: the identity of a new volume.
pub fn new_storage_uuid(rng: &mut impl Rng) -> StorageUuid {
    format!("DS-{}", random_uuid(rng)).into()
}

/// The identity of a new DataNode.
pub fn new_datanode_uuid(rng: &mut impl Rng) -> DatanodeUuid {
    random_uuid(rng).into()
}

/// Number of a new namespace: 31 bits, never 0.
pub fn new_namespace_id(rng: &mut impl Rng) -> u32 {
    let number = 1 + rng.below(u64::from(u32::MAX >> 1) - 1);
    u32::try_from(number).expect("31 bits fit 32")
}

/// `BP-<random>-<address>-<milliseconds>`: a new block pool. `address` is an IP address of the NameNode.
pub fn new_block_pool_id(rng: &mut impl Rng, address: &str, now: WallMillis) -> BlockPoolId {
    format!("BP-{}-{address}-{}", rng.below(u64::from(u32::MAX >> 1)), now.0).into()
}
