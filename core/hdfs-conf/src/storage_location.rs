//! Folders of daemons: `[SSD]file:///data/1`, or a plain path.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.datanode.StorageLocation (3.5.0)

use hdfs_types::{Error, ErrorKind, Result, StorageType};

use crate::{Configuration, Key};

/// A folder and the kind of storage below it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StorageLocation {
    /// Kind; a disk unless the configuration says otherwise.
    pub storage_type: StorageType,
    /// Absolute path of the folder, or a relative one as it was written.
    pub path: String,
}

impl StorageLocation {
    /// Reads one location.
    ///
    /// # Errors
    /// For an unknown kind, a scheme other than `file`, or no path.
    pub fn parse(text: &str) -> Result<Self> {
        let refuse = |why: String| Error::new(ErrorKind::IllegalArgument, why);
        let text = text.trim();
        let (storage_type, uri) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']'))
        {
            Some((name, uri)) => {
                let kind = StorageType::from_name(name.trim())
                    .ok_or_else(|| refuse(format!("Unknown storage type {name} in {text}")))?;
                (kind, uri.trim())
            }
            None => (StorageType::default(), text),
        };
        let path = match uri.split_once(':') {
            Some(("file", rest)) => rest.strip_prefix("//").unwrap_or(rest),
            Some((scheme, _)) if !scheme.contains('/') => {
                return Err(refuse(format!("Unsupported URI schema in {text}")));
            }
            _ => uri,
        };
        if path.is_empty() {
            return Err(refuse(format!("Empty path in {text:?}")));
        }
        let trimmed = path.trim_end_matches('/');
        let path = if trimmed.is_empty() { "/" } else { trimmed };
        Ok(Self { storage_type, path: path.to_owned() })
    }
}

impl Configuration {
    /// The folders under this key, each once, in order.
    ///
    /// # Errors
    /// When one is malformed; the message names the key.
    pub fn get_storage_locations(&self, key: &Key) -> Result<Vec<StorageLocation>> {
        let mut locations: Vec<StorageLocation> = Vec::new();
        for text in self.get_list(key) {
            let location = StorageLocation::parse(text).map_err(|error| {
                Error::new(error.kind.clone(), format!("{} in {}", error.message, key.name))
            })?;
            if !locations.iter().any(|known| known.path == location.path) {
                locations.push(location);
            }
        }
        Ok(locations)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys;

    #[test]
    fn locations_have_a_kind_and_a_path() {
        for (text, kind, path) in [
            ("/data/1", StorageType::Disk, "/data/1"),
            ("file:///data/1/", StorageType::Disk, "/data/1"),
            ("[ssd]file:/data/2", StorageType::Ssd, "/data/2"),
            (" [RAM_DISK] /mnt/ram", StorageType::RamDisk, "/mnt/ram"),
            ("relative/dir", StorageType::Disk, "relative/dir"),
        ] {
            let expected = StorageLocation { storage_type: kind, path: path.into() };
            assert_eq!(StorageLocation::parse(text).expect(text), expected);
        }
        for text in ["[TAPE]/x", "s3://bucket", "file://", ""] {
            assert!(StorageLocation::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_default_name_folder_lies_below_the_temporary_folder() {
        let mut conf = Configuration::new();
        conf.set("hadoop.tmp.dir", "/h").expect("expands");
        let edits = conf.get_storage_locations(&keys::DFS_NAMENODE_EDITS_DIR).expect("valid");
        assert_eq!(edits[0].path, "/h/dfs/name");
        conf.set("dfs.name.dir", "/a, file:///b ,/a/").expect("expands");
        let names = conf.get_storage_locations(&keys::DFS_NAMENODE_NAME_DIR).expect("valid");
        let paths: Vec<&str> = names.iter().map(|location| location.path.as_str()).collect();
        assert_eq!(paths, ["/a", "/b"]);
    }
}
