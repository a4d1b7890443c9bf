//! VERSION files of a DataNode's folders: Java properties.
//!
//! ```text
//! #Sat Nov 21 09:39:08 UTC 2026
//! storageID=DS-…      clusterID=CID-…   cTime=0        datanodeUuid=…   storageType=DATA_NODE   layoutVersion=-57
//! namespaceID=…       cTime=…           blockpoolID=…  layoutVersion=-57                         (of a block pool)
//! ```
//!
//! Hadoop: org.apache.hadoop.hdfs.server.datanode.{DataStorage, BlockPoolSliceStorage} (3.5.0)

use hdfs_types::constants::DATANODE_LAYOUT_VERSION;
use hdfs_types::{Error, ErrorKind, Result, WallMillis};
use std::collections::BTreeMap;
use std::fmt::Write;

/// The VERSION file of a volume.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VolumeVersion {
    /// Identity of the volume.
    pub storage_id: String,
    /// The cluster.
    pub cluster_id: String,
    /// Identity of the DataNode.
    pub datanode_uuid: String,
}

/// The VERSION file of a block pool on a volume.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PoolVersion {
    /// The namespace.
    pub namespace_id: i64,
    /// When the namespace was created or upgraded.
    pub c_time: i64,
    /// The pool.
    pub block_pool_id: String,
}

fn inconsistent(folder: &str, why: impl std::fmt::Display) -> Error {
    Error::new(
        ErrorKind::InconsistentFSState,
        format!("Directory {folder} is in an inconsistent state: {why}"),
    )
}

/// The properties of a VERSION file; comments and blank lines do not count.
fn properties(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with(['#', '!']));
    let pairs = lines.filter_map(|line| line.split_once('='));
    pairs.map(|(key, value)| (key.trim().to_owned(), value.trim().replace('\\', ""))).collect()
}

struct Properties<'a> {
    folder: &'a str,
    all: BTreeMap<String, String>,
}

impl<'a> Properties<'a> {
    fn read(folder: &'a str, text: &str) -> Result<Self> {
        let this = Self { folder, all: properties(text) };
        let layout: i32 = this.number("layoutVersion")?;
        if layout != DATANODE_LAYOUT_VERSION {
            return Err(Error::new(
                ErrorKind::IncorrectVersion,
                format!(
                    "Unexpected version of storage directory {folder}. Reported: {layout}. Expecting = \
                     {DATANODE_LAYOUT_VERSION}."
                ),
            ));
        }
        Ok(this)
    }

    fn text(&self, key: &str) -> Result<String> {
        let value = self.all.get(key).filter(|value| !value.is_empty());
        value.cloned().ok_or_else(|| inconsistent(self.folder, format!("{key} is missing")))
    }

    fn number<N: std::str::FromStr>(&self, key: &str) -> Result<N> {
        let text = self.text(key)?;
        text.parse().map_err(|_| inconsistent(self.folder, format!("{key}={text} is no number")))
    }
}

impl VolumeVersion {
    /// Reads the file; `folder` is for messages.
    ///
    /// # Errors
    /// When a property is missing or the layout is another one.
    pub fn decode(folder: &str, text: &str) -> Result<Self> {
        let properties = Properties::read(folder, text)?;
        let kind = properties.text("storageType")?;
        if kind != "DATA_NODE" {
            return Err(inconsistent(folder, format!("it belongs to a {kind}, not to a DATA_NODE")));
        }
        Ok(Self {
            storage_id: properties.text("storageID")?,
            cluster_id: properties.text("clusterID")?,
            datanode_uuid: properties.text("datanodeUuid")?,
        })
    }

    /// The file's text.
    pub fn encode(&self, now: WallMillis) -> String {
        format!(
            "#{}\nstorageID={}\nclusterID={}\ncTime=0\ndatanodeUuid={}\nstorageType=DATA_NODE\nlayoutVersion={}\n",
            java_date(now),
            self.storage_id,
            self.cluster_id,
            self.datanode_uuid,
            DATANODE_LAYOUT_VERSION
        )
    }
}

impl PoolVersion {
    /// Reads the file; `folder` is for messages.
    ///
    /// # Errors
    /// When a property is missing or the layout is another one.
    pub fn decode(folder: &str, text: &str) -> Result<Self> {
        let properties = Properties::read(folder, text)?;
        Ok(Self {
            namespace_id: properties.number("namespaceID")?,
            c_time: properties.number("cTime")?,
            block_pool_id: properties.text("blockpoolID")?,
        })
    }

    /// The file's text.
    pub fn encode(&self, now: WallMillis) -> String {
        format!(
            "#{}\nnamespaceID={}\ncTime={}\nblockpoolID={}\nlayoutVersion={}\n",
            java_date(now),
            self.namespace_id,
            self.c_time,
            self.block_pool_id,
            DATANODE_LAYOUT_VERSION
        )
    }
}

/// A time as `java.util.Date.toString` prints it, in UTC.
fn java_date(now: WallMillis) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let seconds = now.0 / 1_000;
    let (days, second_of_day) = (seconds / 86_400, seconds % 86_400);
    // Civil date from days since 1970, with years that start in March.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = (march_month + 2) % 12;
    let year = year_of_era + era * 400 + u64::from(month < 2);
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write!(
        out,
        "{} {} {day:02} {:02}:{:02}:{:02} UTC {year}",
        DAYS[(days % 7) as usize],
        MONTHS[month as usize],
        second_of_day / 3_600,
        second_of_day / 60 % 60,
        second_of_day % 60,
    );
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_back() {
        let volume = VolumeVersion {
            storage_id: "DS-1".into(),
            cluster_id: "CID-1".into(),
            datanode_uuid: "u-1".into(),
        };
        assert_eq!(VolumeVersion::decode("/d", &volume.encode(WallMillis(0))).unwrap(), volume);
        let pool = PoolVersion { namespace_id: 7, c_time: 8, block_pool_id: "BP-1".into() };
        assert_eq!(PoolVersion::decode("/d", &pool.encode(WallMillis(0))).unwrap(), pool);
    }

    #[test]
    fn a_folder_of_somebody_else_is_refused() {
        let text = "storageType=NAME_NODE\nlayoutVersion=-57\n";
        assert!(VolumeVersion::decode("/d", text).is_err());
        let future = "storageType=DATA_NODE\nlayoutVersion=-58\n";
        let error = VolumeVersion::decode("/d", future).unwrap_err();
        assert_eq!(error.kind, ErrorKind::IncorrectVersion);
    }

    #[test]
    fn dates_are_printed_as_java_does() {
        assert_eq!(java_date(WallMillis(0)), "Thu Jan 01 00:00:00 UTC 1970");
        assert_eq!(java_date(WallMillis(1_709_210_096_000)), "Thu Feb 29 12:34:56 UTC 2024");
        assert_eq!(java_date(WallMillis(1_795_253_948_000)), "Sat Nov 21 09:39:08 UTC 2026");
    }
}
