//! How images are written and read, from the configuration.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.{FSImageCompression.createCompression,
//! FSImageFormatProtobuf.Saver.enableSubSectionsIfRequired} (3.5.0)

use hdfs_conf::{Configuration, Key, keys};
use hdfs_format::compression::Codec;
use hdfs_format::fsimage::ImageOptions;
use hdfs_rt::crew::Crew;
use hdfs_types::{Error, Result};

/// The settings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ImageSettings {
    pub(crate) options: ImageOptions,
    pub(crate) crew: Crew,
}

impl ImageSettings {
    /// Reads them.
    ///
    /// # Errors
    /// When a value is malformed, or the codec is none of Hadoop's.
    pub(crate) fn new(conf: &Configuration) -> Result<Self> {
        let codec = match conf.get_bool(&keys::DFS_IMAGE_COMPRESS) {
            false => None,
            true => {
                let class = conf.get_str(&keys::DFS_IMAGE_COMPRESSION_CODEC);
                let unknown = || Error::io(format!("Not a supported codec: {class}"));
                Some(Codec::of_class(class).ok_or_else(unknown)?)
            }
        };
        let mut options = ImageOptions { codec, ..ImageOptions::default() };
        let mut crew = Crew::of_processors();
        if conf.get_bool(&keys::DFS_IMAGE_PARALLEL_LOAD) {
            let positive = |key: &Key, default: u64| -> Result<u64> {
                let value = conf.get_i64(key)?;
                Ok(u64::try_from(value).ok().filter(|value| *value > 0).unwrap_or_else(|| {
                    tracing::warn!(
                        "{} is set to {value}. It must be greater than zero. Setting to default of {default}",
                        key.name
                    );
                    default
                }))
            };
            options.target_sections =
                Some(positive(&keys::DFS_IMAGE_PARALLEL_TARGET_SECTIONS, 12)?);
            options.inode_threshold =
                positive(&keys::DFS_IMAGE_PARALLEL_INODE_THRESHOLD, options.inode_threshold)?;
            let threads = positive(&keys::DFS_IMAGE_PARALLEL_THREADS, 4)?;
            crew = Crew::of(usize::try_from(threads).unwrap_or(usize::MAX));
        }
        Ok(Self { options, crew })
    }
}
