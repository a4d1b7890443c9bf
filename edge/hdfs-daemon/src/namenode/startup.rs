//! From name folders to a serving machine: the newest image that is whole, the edits after it, a new segment.
//!
//! Order matters: everything is read and checked before anything is written. What is written then, in this order: names
//! of unfinished segments, a new image if the old one is stale, the new segment.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.FSImage.recoverTransitionRead, loadFSImage (3.5.0)

use std::sync::Arc;
use std::time::{Duration, Instant};

use hdfs_conf::keys;
use hdfs_format::fsimage::Image;
use hdfs_format::storage_dir::{NameNodeVersion, VERSION};
use hdfs_namenode::{Identity, NameNode};
use hdfs_namespace::Namespace;
use hdfs_types::constants::NAMENODE_LAYOUT_VERSION;
use hdfs_types::{Error, ErrorKind, Result, TxId};

use super::conf::NameNodeConf;
use super::durable::failed;
use super::format::random_seed;
use super::image_store::{self, ImageStore};
use super::inventory::{ImageFile, Inventory};
use super::progress::{Phase, StartupProgress, Step, millis_since};
use super::replay::{self, Replayed};
use super::shell::now;
use super::storage::NameDirs;

/// A machine as the disk has it.
pub(crate) struct Loaded {
    pub(crate) machine: NameNode,
    pub(crate) images: ImageStore,
    /// The last transaction on disk.
    pub(crate) last: TxId,
}

/// Loads.
///
/// # Errors
/// When the folders are not formatted, belong to different file systems, or lack something; nothing was changed then.
pub(crate) fn load(conf: &NameNodeConf, progress: &StartupProgress) -> Result<Loaded> {
    let began = Instant::now();
    let dirs = Arc::new(NameDirs::lock(&conf.dirs, conf.minimum_edits_dirs)?);
    dirs.set_restore(conf.configuration.get_bool(&keys::DFS_NAMENODE_NAME_DIR_RESTORE));
    let identity = read_identity(&dirs)?;
    let inventory = Inventory::of(&dirs)?;
    let (machine, image, replayed) = load_newest(conf, &identity, &inventory, progress)?;
    let Replayed { last, count } = replayed;
    tracing::info!(
        "loaded {} and {count} transactions, up to {last}, in {:?}",
        image.path.display(),
        began.elapsed()
    );
    complete_new_dirs(&dirs, &identity)?;
    replay::finalize_unfinished(&inventory)?;
    let images = ImageStore::new(dirs, image.txid, conf);
    progress.begin(Phase::SavingCheckpoint);
    if is_stale(conf, image, count) || lacks_an_image(&images, image.txid) {
        images.save(last, |writer, crew| machine.save_image(writer, last, crew))?;
    }
    progress.end(Phase::SavingCheckpoint);
    progress.begin(Phase::SafeMode);
    Ok(Loaded { machine, images, last })
}

/// The identity, which every formatted folder must share.
pub(super) fn read_identity(dirs: &NameDirs) -> Result<Identity> {
    let mut identity: Option<(Identity, String)> = None;
    for dir in dirs.all() {
        let path = dir.current().join(VERSION);
        let name = path.display().to_string();
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(failed("read", &path, error)),
        };
        let version = NameNodeVersion::parse(&name, &bytes)?;
        if version.layout_version != NAMENODE_LAYOUT_VERSION {
            return Err(Error::new(
                ErrorKind::IncorrectVersion,
                format!(
                    "{name} has layout version {}, and only {NAMENODE_LAYOUT_VERSION} is supported: upgrade the file \
                     system with Apache Hadoop 3.3 or newer first",
                    version.layout_version
                ),
            ));
        }
        let this = Identity {
            layout_version: version.layout_version,
            namespace_id: version.namespace_id,
            cluster_id: version.cluster_id,
            c_time: version.c_time.0,
            block_pool_id: version.block_pool,
        };
        match &identity {
            Some((first, first_name)) if *first != this => {
                return Err(Error::new(
                    ErrorKind::InconsistentFSState,
                    format!(
                        "{name} belongs to another file system than {first_name}; check dfs.namenode.name.dir and \
                         dfs.namenode.edits.dir"
                    ),
                ));
            }
            Some(_) => {}
            None => identity = Some((this, name)),
        }
    }
    identity.map(|(identity, _)| identity).ok_or_else(|| {
        Error::io("NameNode is not formatted. Run `hdfs namenode -format` once to make a new file system.")
    })
}

/// The newest image that is whole, with the edits after it. An older one will do when its edits are there.
fn load_newest<'a>(
    conf: &NameNodeConf,
    identity: &Identity,
    inventory: &'a Inventory,
    progress: &StartupProgress,
) -> Result<(NameNode, &'a ImageFile, Replayed)> {
    let mut first_error = None;
    for image in inventory.images.iter().rev() {
        match load_image(conf, identity, inventory, image, progress) {
            Ok((machine, replayed)) => {
                if first_error.is_some() {
                    tracing::error!("started from the older image {}", image.path.display());
                }
                return Ok((machine, image, replayed));
            }
            Err(error) => {
                tracing::error!("Failed to load image from {}: {error}", image.path.display());
                first_error.get_or_insert(error);
            }
        }
    }
    Err(match first_error {
        None => Error::new(
            ErrorKind::FileNotFound,
            "No valid image files found in dfs.namenode.name.dir, which was formatted once: restore an fsimage_… file \
             with its .md5",
        ),
        Some(mut error) => {
            error.message = format!(
                "Failed to load FSImage file: {}. Restore a whole image with its .md5, or the missing edits, from \
                 another name folder or a backup; nothing was changed.",
                error.message
            );
            error
        }
    })
}

fn load_image(
    conf: &NameNodeConf,
    identity: &Identity,
    inventory: &Inventory,
    image: &ImageFile,
    progress: &StartupProgress,
) -> Result<(NameNode, Replayed)> {
    let mut machine = load_machine(conf, identity, image, progress)?;
    progress.begin(Phase::LoadingEdits);
    let at = now();
    let replayed =
        replay::replay(inventory, image.txid, conf.max_op_bytes, progress, |txid, op| {
            machine.replay(txid, op, at)
        })?;
    progress.end(Phase::LoadingEdits);
    machine.start(now());
    Ok((machine, replayed))
}

/// A machine as an image has it, without the edits after it.
pub(super) fn load_machine(
    conf: &NameNodeConf,
    identity: &Identity,
    image: &ImageFile,
    progress: &StartupProgress,
) -> Result<NameNode> {
    let name = image.path.display().to_string();
    progress.begin(Phase::LoadingFsImage);
    let began = Instant::now();
    let namespace = image_store::load(&image.path, |bytes| {
        progress.set_file(Phase::LoadingFsImage, name.clone(), Some(bytes.len() as u64));
        let parsed = Image::parse_with(&name, bytes, &conf.image.crew)?;
        Ok(Namespace::load_with(&parsed, &conf.machine.namespace, &conf.image.crew)?)
    })?;
    let inodes = namespace.counts().inodes();
    progress.add_step(
        Phase::LoadingFsImage,
        Step {
            kind: Some(("Inodes", "inodes")),
            count: inodes,
            total: inodes,
            elapsed_ms: millis_since(began),
            ..Step::default()
        },
    );
    let mut settings = conf.machine.clone();
    settings.seed = random_seed()?;
    let machine = NameNode::new(settings, identity.clone(), namespace, image.txid)?;
    progress.end(Phase::LoadingFsImage);
    Ok(machine)
}

/// A folder that was added to the configuration becomes a full one.
fn complete_new_dirs(dirs: &NameDirs, identity: &Identity) -> Result<()> {
    for (_, dir) in dirs.live() {
        let path = dir.current().join(VERSION);
        if path.exists() {
            continue;
        }
        tracing::warn!("name folder {} is new: it is filled now", dir.spec.root.display());
        hdfs_rt::disk::create_dir_all_durable(&dir.current())?;
        let mut version = NameNodeVersion::new(
            identity.namespace_id,
            identity.cluster_id.clone(),
            identity.block_pool_id.clone(),
        );
        version.c_time = hdfs_types::WallMillis(identity.c_time);
        let text = version.print(hdfs_rt::clock::wall());
        hdfs_rt::disk::write_file_atomic(&path, text.as_bytes())?;
    }
    Ok(())
}

/// As in Hadoop: an image that is old, or has many edits behind it, is renewed at start.
fn is_stale(conf: &NameNodeConf, image: &ImageFile, edits: u64) -> bool {
    let modified = std::fs::metadata(&image.path).and_then(|metadata| metadata.modified());
    let age = modified.ok().and_then(|time| time.elapsed().ok()).unwrap_or(Duration::ZERO);
    edits > 0 && (age > conf.checkpoint_period || edits > conf.checkpoint_txns)
}

/// True when a folder does not have the image that was loaded.
fn lacks_an_image(images: &ImageStore, txid: TxId) -> bool {
    let name = hdfs_format::storage_dir::ImageFile::Image(txid).name();
    images.dirs().live_images().any(|(_, dir)| !dir.current().join(&name).exists())
}
