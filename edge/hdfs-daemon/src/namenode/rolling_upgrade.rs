//! Rolling upgrades: the image to go back to, and the way back.
//!
//! ```text
//! prepare   fsimage_rollback_<N> is written in safe mode; the next segment begins with N+1 (its start) and N+2
//!           (OP_ROLLING_UPGRADE_START)
//! finalize  VERSION of this software; OP_ROLLING_UPGRADE_FINALIZE; fsimage_rollback_<N> -> fsimage_<N>
//! rollback  edits from N+1 on are set aside; fsimage_rollback_<N> -> fsimage_<N>; newer images are deleted
//! ```
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.{FSNamesystem, FSImage.rollingRollback} (3.5.0)

use std::sync::Arc;

use hdfs_format::storage_dir::{self, ImageFile, MD5_SUFFIX, SEEN_TXID};
use hdfs_namenode::Call;
use hdfs_proto::hdfs::RollingUpgradeInfoProto;
use hdfs_rt::disk::{rename_durable, write_file_atomic};
use hdfs_types::constants::NAMENODE_LAYOUT_VERSION;
use hdfs_types::{Error, ErrorKind, Result, TxId};

use super::checkpoint;
use super::conf::NameNodeConf;
use super::durable::with_suffix;
use super::identity;
use super::image_store::ImageStore;
use super::inventory::Inventory;
use super::progress::{Phase, StartupProgress};
use super::shell::{Shell, now};
use super::startup::{self, Loaded};
use super::storage::NameDirs;
use super::upgrade;

/// What the name of a segment adds when it is set aside for good.
///
/// Hadoop: org.apache.hadoop.hdfs.server.namenode.FileJournalManager.EditLogFile.moveAsideTrashFile
pub(crate) const TRASH: &str = ".trash";

/// Starts from the image before the rolling upgrade, and sets everything after it aside.
///
/// # Errors
/// When there is no such image or it is damaged, or the edits do not say that a rolling upgrade began after it; nothing
/// was changed then.
pub(crate) fn roll_back(
    conf: &NameNodeConf,
    dirs: Arc<NameDirs>,
    progress: &StartupProgress,
) -> Result<Loaded> {
    let mut identity = identity::read(&dirs)?;
    // As Hadoop: folders of an older layout are this software's from now on.
    identity.layout_version = NAMENODE_LAYOUT_VERSION;
    let inventory = Inventory::of(&dirs)?;
    let Some(image) = inventory.rollback_images.last().cloned() else {
        return Err(Error::new(
            ErrorKind::FileNotFound,
            "No valid image files found: there is no fsimage_rollback_… to go back to in dfs.namenode.name.dir",
        ));
    };
    let start = TxId(image.txid.0 + 2);
    let reaches = |segment: &super::inventory::SegmentFile| {
        segment.first <= start && segment.last.is_none_or(|last| last >= start)
    };
    // Those that are set aside already were, by a rollback that was interrupted. A newer image says as well that the log
    // went on: the edits before it may be purged.
    let went_on = inventory.segments.iter().chain(&inventory.trashed).any(reaches)
        || inventory.images.iter().any(|newer| newer.txid >= start);
    if !went_on {
        return Err(Error::io(format!(
            "Gap in transactions. Expected to be able to read up until at least txid {start} but unable to find any edit \
             logs containing txid {start}."
        )));
    }
    let mut machine = startup::read_image(conf, &identity, &image, false, progress)?;
    machine.start(now())?;
    discard_segments(&inventory, TxId(image.txid.0 + 1))?;
    note_seen(&dirs, image.txid)?;
    let images = ImageStore::new(dirs, image.txid, conf);
    rename_to_image(&images, image.txid)?;
    images.purge_after(false, Some(image.txid))?;
    images.purge_after(true, None)?;
    identity::write_all(images.dirs(), &identity)?;
    machine.set_upgrade_finalized(upgrade::is_finalized(images.dirs()));
    progress.begin(Phase::SafeMode);
    tracing::info!("rolled back to transaction {}", image.txid);
    Ok(Loaded { machine, images, last: image.txid })
}

/// Hadoop: FileJournalManager.discardEditLogSegments
fn discard_segments(inventory: &Inventory, from: TxId) -> Result<()> {
    if let Some(across) =
        inventory.segments.iter().find(|s| s.first < from && s.last.is_some_and(|l| l >= from))
    {
        return Err(Error::io(format!(
            "{} holds transactions from before and after {from}: it can't be discarded",
            across.path.display()
        )));
    }
    for segment in inventory.segments.iter().filter(|segment| segment.first >= from) {
        tracing::info!("Trash the EditLog file {}", segment.path.display());
        rename_durable(&segment.path, &with_suffix(&segment.path, TRASH))?;
    }
    Ok(())
}

/// What was seen after it counts no more.
fn note_seen(dirs: &NameDirs, txid: TxId) -> Result<()> {
    for (_, dir) in dirs.live() {
        let seen = dir.current().join(SEEN_TXID);
        write_file_atomic(&seen, storage_dir::print_number(txid.0).as_bytes())?;
    }
    Ok(())
}

/// Makes the images before a rolling upgrade ordinary ones.
fn rename_to_image(images: &ImageStore, txid: TxId) -> Result<()> {
    let (from, to) = (ImageFile::Rollback(txid).name(), ImageFile::Image(txid).name());
    for (_, dir) in images.dirs().live_images() {
        let (from, to) = (dir.current().join(&from), dir.current().join(&to));
        if !from.exists() {
            continue;
        }
        // Its digest is about the old name, and an image without one does not load: the new one comes first.
        let Some(md5) = ImageStore::stored_md5(&from)? else {
            return Err(Error::io(format!("{} has no .md5", from.display())));
        };
        ImageStore::store_md5(&to, &md5)?;
        rename_durable(&from, &to)?;
        hdfs_rt::disk::remove_file_durable(&with_suffix(&from, MD5_SUFFIX))?;
    }
    Ok(())
}

/// Saves the image to go back to and starts a rolling upgrade. Blocks until the image is written.
///
/// # Errors
/// Outside of safe mode; while an upgrade is open; when the image can't be written.
pub(crate) fn prepare(
    shell: &Shell,
    call: &mut Call<'_>,
) -> Result<(RollingUpgradeInfoProto, TxId)> {
    let known = {
        let machine = shell.read_machine();
        let known = machine.rolling_upgrade_info(has_rollback_image(shell)?);
        if known.is_none() {
            machine.check_start_of_rolling_upgrade()?;
        }
        known.map(|info| (info, machine.last_txid()))
    };
    if let Some(known) = known {
        return Ok(known);
    }
    upgrade::check_none_is_open(shell.images.dirs())?;
    checkpoint::save(shell, ImageFile::Rollback)?;
    tracing::info!("Successfully saved namespace for preparing rolling upgrade.");
    call.now = now();
    let (started, txid) = shell.write_with(|machine| machine.start_rolling_upgrade(call));
    Ok((started?, txid))
}

/// Makes a rolling upgrade final; none when none is under way. Blocks.
///
/// # Errors
/// Safe mode; when the folders can't be written.
pub(crate) fn finalize(
    shell: &Shell,
    call: &Call<'_>,
) -> Result<Option<(RollingUpgradeInfoProto, TxId)>> {
    let mut identity = {
        let machine = shell.read_machine();
        if !machine.check_end_of_rolling_upgrade(call.now)? {
            return Ok(None);
        }
        machine.identity().clone()
    };
    identity.layout_version = NAMENODE_LAYOUT_VERSION;
    let images = &shell.images;
    // VERSION before the operation: were it the other way round, a crash in between would leave an old layout and no
    // rolling upgrade, which no start takes.
    identity::write_all(images.dirs(), &identity)?;
    let (finalized, txid) = shell.write_with(|machine| {
        machine.set_layout_version(NAMENODE_LAYOUT_VERSION);
        machine.finalize_rolling_upgrade(call)
    });
    shell.log.set_layout_version(NAMENODE_LAYOUT_VERSION);
    let Some(info) = finalized? else { return Ok(None) };
    shell.log.wait_synced(txid)?;
    for image in Inventory::of(images.dirs())?.rollback_images {
        rename_to_image(images, image.txid)?;
    }
    Ok(Some((info, txid)))
}

/// True when an image to go back to is there.
///
/// # Errors
/// When a folder can't be read.
pub(crate) fn has_rollback_image(shell: &Shell) -> Result<bool> {
    Ok(shell.images.newest_of_kind(true)?.is_some())
}
