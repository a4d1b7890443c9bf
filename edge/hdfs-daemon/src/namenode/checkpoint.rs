//! `saveNamespace`: a new image of the state in memory.
//!
//! The log is rolled and the image written without letting go of the machine in between: first the exclusive lock, for
//! the roll, then, without a gap, the shared one, under which the image is written. In safe mode, which Hadoop demands
//! for it, nobody waits for that but reports.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.FSImage.saveNamespace (3.5.0)

use std::time::Duration;

use hdfs_format::storage_dir::ImageFile;
use hdfs_types::{Error, Result, TxId};

use super::shell::{Shell, now};

/// Writes an image; false when `window` (seconds) and `gap` (transactions) say that the last one is good enough.
///
/// # Errors
/// Outside of safe mode, or when no folder takes the image.
pub(crate) fn save_namespace(shell: &Shell, window: u64, gap: u64) -> Result<bool> {
    if (window > 0 || gap > 0) && is_fresh(shell, window, gap) {
        return Ok(false);
    }
    let end = save(shell, ImageFile::Image)?;
    tracing::info!("new namespace image of transaction {end}");
    Ok(true)
}

/// Writes an image of a kind; its transaction.
///
/// # Errors
/// As [`save_namespace`].
pub(crate) fn save(shell: &Shell, kind: fn(TxId) -> ImageFile) -> Result<TxId> {
    let mut machine = shell.lock_machine();
    if !machine.in_safe_mode() {
        return Err(Error::io("Safe mode should be turned ON in order to create namespace image."));
    }
    machine.finish_cleaning(now());
    let (end, start) = machine.roll_edit_log_in_safe_mode();
    shell.log.enqueue(machine.pending_ops());
    let machine = parking_lot::RwLockWriteGuard::downgrade(machine);
    shell.log.wait_synced(start)?;
    shell.images.save_as(kind(end), |writer, crew| machine.save_image(writer, end, crew))?;
    Ok(end)
}

fn is_fresh(shell: &Shell, window: u64, gap: u64) -> bool {
    shell.images.age_of_latest() <= Duration::from_secs(window)
        && shell.images.latest().0.saturating_add(gap) >= shell.read_machine().last_txid().0
}
