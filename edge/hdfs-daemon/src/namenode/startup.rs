//! From name folders to a serving machine: the newest image that is whole, the edits after it, a new segment.
//!
//! Order matters: everything is read and checked before anything is written. What is written then, in this order: names
//! of unfinished segments, a new image if the old one is stale, the new segment.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.FSImage.recoverTransitionRead, loadFSImage (3.5.0)

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hdfs_conf::keys;
use hdfs_format::fsimage::Image;
use hdfs_format::layout_version::Layout;
use hdfs_namenode::{Identity, NameNode};
use hdfs_namespace::Namespace;
use hdfs_types::{Error, ErrorKind, Result, TxId};

use super::conf::NameNodeConf;
use super::format::random_seed;
use super::identity;
use super::image_store::{self, ImageStore};
use super::import;
use super::inventory::{ImageFile, Inventory};
use super::old_layout;
use super::progress::{Phase, StartupProgress, Step, millis_since};
use super::replay::{self, Replayed};
use super::rolling_upgrade;
use super::shell::now;
use super::start_option::{StartOption, UpgradeOptions};
use super::storage::NameDirs;
use super::storage_state::BeforeStep;
use super::upgrade;

/// A machine as the disk has it.
pub(crate) struct Loaded {
    pub(crate) machine: NameNode,
    pub(crate) images: ImageStore,
    /// The last transaction on disk.
    pub(crate) last: TxId,
}

/// Loads, after the name folders became what `option` wants.
///
/// # Errors
/// When the folders are not formatted, belong to different file systems, or lack something; nothing was changed then, but
/// what an interrupted upgrade or rollback had left is put right.
pub(crate) fn load(
    conf: &NameNodeConf,
    option: &StartOption,
    progress: &StartupProgress,
) -> Result<Loaded> {
    load_in_steps(conf, option, progress, &mut |_| Ok(()))
}

/// The same; `before` is asked before each step of an upgrade.
pub(crate) fn load_in_steps(
    conf: &NameNodeConf,
    option: &StartOption,
    progress: &StartupProgress,
    before: BeforeStep<'_>,
) -> Result<Loaded> {
    let mut conf = conf.clone();
    if let StartOption::Upgrade(options) = option {
        conf.reserved_names = options.reserved_names.clone();
    }
    let conf = &conf;
    let dirs = Arc::new(NameDirs::lock(&conf.dirs, conf.minimum_edits_dirs)?);
    dirs.set_restore(conf.configuration.get_bool(&keys::DFS_NAMENODE_NAME_DIR_RESTORE));
    let states = upgrade::recover_all(&dirs)?;
    match option {
        StartOption::ImportCheckpoint => import::load(conf, dirs, &states, progress),
        StartOption::RollingUpgradeRollback => rolling_upgrade::roll_back(conf, dirs, progress),
        _ => load_folders(conf, option, dirs, progress, before),
    }
}

fn load_folders(
    conf: &NameNodeConf,
    option: &StartOption,
    dirs: Arc<NameDirs>,
    progress: &StartupProgress,
    before: BeforeStep<'_>,
) -> Result<Loaded> {
    let began = Instant::now();
    let stored = identity::read(&dirs)?;
    identity::check_layout(stored.layout_version, option)?;
    let upgrading = match option {
        StartOption::Upgrade(options) => Some(options),
        _ => None,
    };
    if upgrading.is_some() {
        upgrade::check_none_is_open(&dirs)?;
    }
    let inventory = Inventory::of(&dirs)?;
    let (mut machine, image, replayed) = if old_layout::has_txids(&stored) {
        load_newest(conf, &stored, &inventory, progress)?
    } else {
        old_layout::load(conf, &stored, &dirs, progress)?
    };
    let Replayed { last, count } = replayed;
    tracing::info!(
        "loaded {} and {count} transactions, up to {last}, in {:?}",
        image.path.display(),
        began.elapsed()
    );
    if upgrading.is_some() {
        machine.check_no_rolling_upgrade("upgrade namenode")?;
    }
    identity::complete(&dirs, &stored)?;
    replay::finalize_unfinished(&inventory)?;
    progress.begin(Phase::SavingCheckpoint);
    let images = ImageStore::new(dirs, image.txid, conf);
    if let Some(options) = upgrading {
        upgrade(&images, options, (&mut machine, last), before)?;
    } else if is_stale(conf, &image, count) && !machine.is_rolling_upgrade()
        || lacks_an_image(&images, &image)
    {
        images.save(last, |writer, crew| machine.save_image(writer, last, crew))?;
    }
    progress.end(Phase::SavingCheckpoint);
    progress.begin(Phase::SafeMode);
    machine.set_upgrade_finalized(upgrade::is_finalized(images.dirs()));
    Ok(Loaded { machine, images, last })
}

/// Writes the state anew, with a new creation time, and keeps the old one in `previous`.
fn upgrade(
    images: &ImageStore,
    options: &UpgradeOptions,
    (machine, last): (&mut NameNode, TxId),
    before: BeforeStep<'_>,
) -> Result<()> {
    let old = machine.identity().clone();
    let new = identity::upgraded(&old, options)?;
    tracing::info!(
        "Starting upgrade of local storage directories. old LV = {}; old CTime = {}. new LV = {}; new CTime = {}",
        old.layout_version,
        old.c_time,
        new.layout_version,
        new.c_time
    );
    machine.set_identity(new);
    upgrade::move_aside(images.dirs(), before)?;
    before("image")?;
    images.save(last, |writer, crew| machine.save_image(writer, last, crew))?;
    upgrade::complete(images.dirs(), &identity::version(machine.identity()), before)
}

/// The newest image that is whole, with the edits after it. An older one will do when its edits are there.
pub(crate) fn load_newest(
    conf: &NameNodeConf,
    identity: &Identity,
    inventory: &Inventory,
    progress: &StartupProgress,
) -> Result<(NameNode, ImageFile, Replayed)> {
    let mut first_error = None;
    for image in inventory.all_images().into_iter().rev() {
        match load_image(conf, identity, inventory, image, progress) {
            Ok((machine, replayed)) => {
                if first_error.is_some() {
                    tracing::error!("started from the older image {}", image.path.display());
                }
                return Ok((machine, image.clone(), replayed));
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
    let mut machine =
        read_image(conf, identity, image, !inventory.rollback_images.is_empty(), progress)?;
    progress.begin(Phase::LoadingEdits);
    let at = now();
    let replayed =
        replay::replay(inventory, image.txid, conf.max_op_bytes, progress, |txid, op| {
            if old_layout::is_current_enough(identity) {
                return machine.replay(txid, op, at);
            }
            old_layout::replay_op(
                conf,
                Layout::of(identity.layout_version),
                &mut machine,
                (txid, op.clone()),
            )
        })?;
    machine.start(now())?;
    progress.end(Phase::LoadingEdits);
    Ok((machine, replayed))
}

/// A machine as an image has it. `rolling`: an image from before a rolling upgrade is there, so that a mark of one counts.
pub(crate) fn read_image(
    conf: &NameNodeConf,
    identity: &Identity,
    image: &ImageFile,
    rolling: bool,
    progress: &StartupProgress,
) -> Result<NameNode> {
    progress.begin(Phase::LoadingFsImage);
    let began = Instant::now();
    let namespace = image_store::load(&image.path, |bytes| {
        let mut namespace = parse_image(conf, identity, &image.path, bytes, progress)?;
        if !rolling {
            namespace.forget_rolling_upgrade();
        }
        Ok(namespace)
    })?;
    machine_of(conf, identity, (namespace, image.txid), (progress, began))
}

/// The namespace of an image of any layout.
pub(crate) fn parse_image(
    conf: &NameNodeConf,
    identity: &Identity,
    path: &Path,
    bytes: &[u8],
    progress: &StartupProgress,
) -> Result<Namespace> {
    let name = path.display().to_string();
    progress.set_file(Phase::LoadingFsImage, name.clone(), Some(bytes.len() as u64));
    let converted = old_layout::convert(conf, identity, path, bytes)?;
    let bytes = converted.as_deref().unwrap_or(bytes);
    let parsed = Image::parse_with(&name, bytes, &conf.image.crew)?;
    Ok(Namespace::load_with(&parsed, &conf.machine.namespace, &conf.image.crew)?)
}

/// The machine of a namespace that was loaded.
pub(crate) fn machine_of(
    conf: &NameNodeConf,
    identity: &Identity,
    (namespace, txid): (Namespace, TxId),
    (progress, began): (&StartupProgress, Instant),
) -> Result<NameNode> {
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
    let machine = NameNode::new(settings, identity.clone(), namespace, txid)?;
    progress.end(Phase::LoadingFsImage);
    Ok(machine)
}

/// As in Hadoop: an image that is old, or has many edits behind it, is renewed at start.
fn is_stale(conf: &NameNodeConf, image: &ImageFile, edits: u64) -> bool {
    let modified = std::fs::metadata(&image.path).and_then(|metadata| metadata.modified());
    let age = modified.ok().and_then(|time| time.elapsed().ok()).unwrap_or(Duration::ZERO);
    edits > 0 && (age > conf.checkpoint_period || edits > conf.checkpoint_txns)
}

/// True when a folder does not have the image that was loaded.
fn lacks_an_image(images: &ImageStore, image: &ImageFile) -> bool {
    let Some(name) = image.path.file_name() else { return false };
    images.dirs().live_images().any(|(_, dir)| !dir.current().join(name).exists())
}
