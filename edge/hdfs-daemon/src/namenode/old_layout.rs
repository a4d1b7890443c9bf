//! Name folders that old releases left: what `-upgrade` reads.
//!
//! ```text
//! before -38   current/fsimage | current/edits | current/edits.new, while a checkpoint is made
//!              current/fsimage.ckpt, the checkpoint's image | current/fstime, int64: time of the checkpoint
//! since -38    as today; images are from before protobuf until -52
//! ```
//! Transactions without ids: all that one file of edits holds counts as one, as in Hadoop.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.{FSImagePreTransactionalStorageInspector, FSImage} (3.5.0)

use std::path::{Path, PathBuf};
use std::time::Instant;

use hdfs_format::edits::{EditOp, Expected, SegmentReader};
use hdfs_format::fsimage::legacy::{self, LegacyOptions};
use hdfs_format::layout_version::{Feature, Layout};
use hdfs_format::storage_dir::{Properties, VERSION, parse_hex};
use hdfs_namenode::{Identity, NameNode};
use hdfs_types::{Error, ErrorKind, Result, TxId};

use super::conf::NameNodeConf;
use super::durable::failed;
use super::inventory::ImageFile;
use super::progress::{Phase, StartupProgress};
use super::replay::Replayed;
use super::shell::now;
use super::startup;
use super::storage::{NameDir, NameDirs, inconsistent};

const IMAGE: &str = "fsimage";
const IMAGE_NEW: &str = "fsimage.ckpt";
const EDITS: &str = "edits";
const EDITS_NEW: &str = "edits.new";
const TIME: &str = "fstime";
/// Hadoop: NNStorage.DEPRECATED_MESSAGE_DIGEST_PROPERTY
const DIGEST: &str = "imageMD5Digest";

/// Do names of images and edits hold transaction ids?
pub(crate) fn has_txids(identity: &Identity) -> bool {
    Layout::of(identity.layout_version).supports(Feature::TxidBasedLayout)
}

/// Can operations of the log be applied as they are?
pub(crate) fn is_current_enough(identity: &Identity) -> bool {
    let layout = Layout::of(identity.layout_version);
    layout.supports(Feature::AddInodeId) && layout.supports(Feature::Snapshot)
}

/// The image of today for one from before protobuf; none for others.
///
/// # Errors
/// When it is damaged, of another layout than its folder, or holds a reserved name which may not be renamed.
pub(crate) fn convert(
    conf: &NameNodeConf,
    identity: &Identity,
    path: &Path,
    bytes: &[u8],
) -> Result<Option<Vec<u8>>> {
    let Some(layout) = legacy::layout_of(bytes) else { return Ok(None) };
    let (found, wanted) = (layout.version(), identity.layout_version);
    if found != wanted {
        return Err(inconsistent(path, &format!("imgVersion {found} expected to be {wanted}")));
    }
    let namespace = &conf.machine.namespace;
    let options = LegacyOptions {
        names: conf.reserved_names.clone(),
        min_replication: namespace.min_replication,
        max_replication: namespace.max_replication,
    };
    let converted = legacy::convert(&path.display().to_string(), bytes, &options)?;
    Ok(Some(converted))
}

/// Applies an operation of an old layout.
///
/// # Errors
/// When it does not fit the namespace, or names what is reserved and may not be renamed.
pub(crate) fn replay_op(
    conf: &NameNodeConf,
    layout: Layout,
    machine: &mut NameNode,
    (txid, op): (TxId, EditOp),
) -> Result<()> {
    let adapted = machine.namespace().adapt_old(op, layout, &conf.reserved_names);
    adapted.map_err(Error::io)?.iter().try_for_each(|op| machine.replay(txid, op, now()))
}

/// Loads folders of before transaction ids.
///
/// # Errors
/// When image or edits are missing, of different checkpoints, or damaged.
pub(crate) fn load(
    conf: &NameNodeConf,
    identity: &Identity,
    dirs: &NameDirs,
    progress: &StartupProgress,
) -> Result<(NameNode, ImageFile, Replayed)> {
    let files = Files::find(dirs, Layout::of(identity.layout_version))?;
    progress.begin(Phase::LoadingFsImage);
    let began = Instant::now();
    let namespace = super::image_store::load_checked(&files.image, files.md5, |bytes| {
        startup::parse_image(conf, identity, &files.image, bytes, progress)
    })?;
    let loaded = (namespace, TxId(0));
    let mut machine = startup::machine_of(conf, identity, loaded, (progress, began))?;
    progress.begin(Phase::LoadingEdits);
    let mut replayed = Replayed { last: TxId(0), count: 0 };
    for path in &files.edits {
        replay_file(conf, path, &mut machine, &mut replayed)?;
    }
    machine.start(now())?;
    progress.end(Phase::LoadingEdits);
    Ok((machine, ImageFile { txid: TxId(0), path: files.image }, replayed))
}

fn replay_file(
    conf: &NameNodeConf,
    path: &Path,
    machine: &mut NameNode,
    replayed: &mut Replayed,
) -> Result<()> {
    let bytes = std::fs::read(path).map_err(|e| failed("read", path, e))?;
    let name = path.display().to_string();
    let reader = SegmentReader::open(&name, &bytes, Expected::default())?;
    let mut reader = reader.with_max_op_bytes(conf.max_op_bytes);
    let txid = TxId(replayed.last.0 + 1);
    while let Some((_, op)) = reader.next()? {
        replay_op(conf, reader.layout(), machine, (txid, op))?;
        replayed.last = txid;
        replayed.count += 1;
    }
    Ok(())
}

/// What is read of folders without transaction ids.
struct Files {
    image: PathBuf,
    /// What VERSION says of the image.
    md5: Option<[u8; 16]>,
    edits: Vec<PathBuf>,
}

impl Files {
    fn find(dirs: &NameDirs, layout: Layout) -> Result<Self> {
        let (mut newest_image, mut newest_edits) = (None::<(i64, &NameDir)>, None);
        for (_, dir) in dirs.live() {
            let current = dir.current();
            if !current.join(VERSION).exists() {
                continue;
            }
            let time = checkpoint_time(&current.join(TIME))?;
            let is_newer = |known: Option<(i64, &NameDir)>| known.is_none_or(|(old, _)| old < time);
            if dir.spec.image && current.join(IMAGE).exists() && is_newer(newest_image) {
                newest_image = Some((time, dir));
            }
            if dir.spec.edits && current.join(EDITS).exists() && is_newer(newest_edits) {
                newest_edits = Some((time, dir));
            }
        }
        let all = || dirs.live().map(|(_, dir)| dir.spec.root.display().to_string());
        let missing = |what: &str| {
            let roots: Vec<_> = all().collect();
            Error::io(format!("{what} file is not found in [{}]", roots.join(", ")))
        };
        let (image_time, image) = newest_image.ok_or_else(|| missing("Image"))?;
        let (edits_time, edits) = newest_edits.ok_or_else(|| missing("Edits"))?;
        let is_saved_before_purge =
            image_time > edits_time && !image.spec.edits && !edits.spec.image;
        if is_saved_before_purge {
            tracing::error!(
                "Image checkpoint time {image_time} > edits checkpoint time {edits_time}: the image is the latest state of \
                 the namespace. Old edits will be discarded."
            );
        } else if image_time != edits_time {
            return Err(Error::io(format!(
                "Inconsistent storage detected, image and edits checkpoint times do not match. image checkpoint time = \
                 {image_time}edits checkpoint time = {edits_time}"
            )));
        }
        let edits = edits.current();
        let has_new_edits = edits.join(EDITS_NEW).exists();
        // A checkpoint's image counts once its edits were purged: before, it may be incomplete.
        let new_image = image.current().join(IMAGE_NEW);
        let takes_new_image = new_image.exists() && !has_new_edits;
        let md5 = if takes_new_image { None } else { stored_digest(image, layout)? };
        let mut files = vec![edits.join(EDITS)];
        files.extend(has_new_edits.then(|| edits.join(EDITS_NEW)));
        Ok(Self {
            image: if takes_new_image { new_image } else { image.current().join(IMAGE) },
            md5,
            edits: if is_saved_before_purge { Vec::new() } else { files },
        })
    }
}

/// When the checkpoint of a folder was made; 0 when nothing says it.
fn checkpoint_time(path: &Path) -> Result<i64> {
    match std::fs::read(path) {
        Ok(bytes) => match bytes.first_chunk() {
            Some(time) => Ok(i64::from_be_bytes(*time)),
            None => Err(Error::io(format!("{} is cut: it holds no time", path.display()))),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(failed("read", path, error)),
    }
}

/// The digest of 0.22, which stands in VERSION.
fn stored_digest(dir: &NameDir, layout: Layout) -> Result<Option<[u8; 16]>> {
    if !layout.supports(Feature::FsImageChecksum) {
        return Ok(None);
    }
    let path = dir.current().join(VERSION);
    let bytes = std::fs::read(&path).map_err(|e| failed("read", &path, e))?;
    let properties = Properties::parse(&bytes).unwrap_or_default();
    let Some(digits) = properties.get(DIGEST) else {
        return Err(inconsistent(
            &dir.spec.root,
            &format!(
                "Message digest property {DIGEST} not set for storage directory {}",
                dir.spec.root.display()
            ),
        ));
    };
    parse_hex(digits).map(Some).ok_or_else(|| {
        let path = path.display();
        Error::new(ErrorKind::Io, format!("{path}: {DIGEST} is \"{digits}\", not an MD5 digest"))
    })
}

#[cfg(test)]
mod tests;
