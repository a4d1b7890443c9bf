//! Images from before protobuf: layouts -16 to -51. They are only read, for an upgrade; what they hold becomes an image of
//! today, which is then loaded as any other.
//!
//! ```text
//! int32 layout | int32 layout flags, 0 (since -50) | int32 namespace id | int64 number of inodes
//!   | int64 last generation stamp of random block ids
//!   | int64 last generation stamp, int64 its value when ids became sequential, int64 last block id (since -46)
//!   | int64 last transaction (since -37) | int64 last inode id (since -42)
//!   | int32 snapshot counter, int32 n, n × { int32 id, inode of the root } (since -43)
//!   | boolean compressed, text class of the codec if so (since -25) | the rest, in one stream of the codec:
//! inodes, in one of three orders
//!   before -30                 every inode, after its path
//!   -30 to -42, without -44    root, then for each directory: string path | int32 n, n × inode
//!   since -43                  root, then the tree of directories: see `tree`
//! int32 n, n × open file | keys and tokens (since -24) | cache pools and directives (since -51)
//! ```
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.{FSImageFormat.Loader, FSImageSerialization} (3.5.0)

mod convert;
mod input;
mod model;
mod sections;
mod tree;
pub mod view;

use hdfs_types::{FastMap, FastSet};

use crate::layout_version::{Feature, Layout};
use crate::reserved_names::ReservedNames;
use crate::storage_dir::Corrupt;
use input::{Failed, Input, Read};
use model::Model;

/// What an upgrade says about old images.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LegacyOptions {
    /// What becomes of names that are reserved today.
    pub names: ReservedNames,
    /// The replication that a file has at least: `dfs.namenode.replication.min`.
    pub min_replication: u16,
    /// The replication that a file has at most: `dfs.replication.max`.
    pub max_replication: u16,
}

impl Default for LegacyOptions {
    fn default() -> Self {
        Self { names: ReservedNames::default(), min_replication: 1, max_replication: 512 }
    }
}

/// The layout of an image from before protobuf; none for other files.
pub fn layout_of(bytes: &[u8]) -> Option<Layout> {
    let layout = Layout::of(i32::from_be_bytes(*bytes.first_chunk()?));
    (layout.is_readable() && !layout.supports(Feature::ProtobufFormat)).then_some(layout)
}

/// The image of today that holds what an old image does. `file` is for error messages.
///
/// # Errors
/// When the image is damaged, of no old layout, or holds a reserved name which may not be renamed.
pub fn convert(file: &str, bytes: &[u8], options: &LegacyOptions) -> Result<Vec<u8>, Corrupt> {
    let corrupt = |failed: Failed| Corrupt {
        file: file.to_owned(),
        offset: failed.offset as u64,
        txid: None,
        reason: failed.reason,
        advice: "Use another name folder, or the software that wrote it.",
    };
    let Some(layout) = layout_of(bytes) else {
        return Err(corrupt(Failed {
            offset: 0,
            reason: "it is no image of an old layout".into(),
        }));
    };
    let model = Loader::new(layout, options).load(bytes).map_err(corrupt)?;
    convert::write(&model).map_err(|reason| corrupt(Failed { offset: 0, reason }))
}

/// Reads an image from its beginning to its end.
struct Loader<'o> {
    layout: Layout,
    options: &'o LegacyOptions,
    model: Model,
    /// Inodes by id.
    by_id: FastMap<u64, u32>,
    /// Children by directory and name: for layouts that name directories and open files by path.
    by_name: FastMap<(u32, Vec<u8>), u32>,
    snapshot_ids: FastSet<u32>,
}

impl<'o> Loader<'o> {
    fn new(layout: Layout, options: &'o LegacyOptions) -> Self {
        Self {
            layout,
            options,
            model: Model::default(),
            by_id: FastMap::default(),
            by_name: FastMap::default(),
            snapshot_ids: FastSet::default(),
        }
    }

    fn has(&self, feature: Feature) -> bool {
        self.layout.supports(feature)
    }

    fn load(mut self, bytes: &[u8]) -> Read<Model> {
        let mut input = Input::new(bytes, 0);
        let inodes = self.load_head(&mut input)?;
        if self.has(Feature::Snapshot) {
            self.load_snapshots(&mut input)?;
        }
        let codec = self.codec(&mut input)?;
        let rest = input.rest(codec)?;
        let mut input = Input::new(&rest, input.offset());
        self.load_inodes(&mut input, inodes)?;
        self.load_open_files(&mut input)?;
        self.load_secrets(&mut input)?;
        self.load_cache(&mut input)?;
        match input.remaining() {
            0 => Ok(self.model),
            // As Hadoop, which has only an assertion here.
            more => input.fail(format!("{more} bytes follow the last section")),
        }
    }
}
