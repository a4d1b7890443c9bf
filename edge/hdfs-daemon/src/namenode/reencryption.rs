//! Encrypts the keys of a zone's files anew, when a zone was submitted for that: reads a batch of them, has the key
//! provider encrypt it without the machine's lock, and saves it.
//!
//! What was submitted stands in the namespace: after a restart it goes on where it was.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.{ReencryptionHandler, ReencryptionUpdater} (3.5.0)

use std::sync::Arc;
use std::time::Duration;

use hdfs_conf::keys;
use hdfs_format::encryption;
use hdfs_namenode::{BatchLimits, FileKey, ReencryptedFile, Reencryption};
use hdfs_rt::key_provider::{EncryptedKey, KeyProvider};
use hdfs_types::{Error, ErrorKind, INodeId, Result};
use tokio::task::JoinSet;

use super::key_provider::{Keys, warm_up};
use super::shell::{Shell, now};

/// What one look at the namespace passes by, under the lock that readers share.
const VISITS: usize = 20_000;

/// Starts the task, when there is a key provider. It ends when the set is dropped.
///
/// # Errors
/// IllegalArgument for settings that make no sense.
pub(crate) fn spawn(
    tasks: &mut JoinSet<()>,
    shell: &Arc<Shell>,
    runtime: &tokio::runtime::Handle,
) -> Result<()> {
    let conf = &shell.conf.configuration;
    let (batch, interval) =
        (&keys::DFS_NAMENODE_REENCRYPT_BATCH_SIZE, &keys::DFS_NAMENODE_REENCRYPT_SLEEP_INTERVAL);
    let files = conf.get_usize(batch)?;
    let pause = conf.get_duration(interval)?;
    for (key, is_positive) in [(batch, files > 0), (interval, pause > Duration::ZERO)] {
        if !is_positive {
            let text = format!("{} is not positive.", key.name);
            return Err(Error::new(ErrorKind::IllegalArgument, text));
        }
    }
    if !matches!(shell.keys, Keys::Provider(_)) {
        return Ok(());
    }
    let submitted = Arc::clone(&shell.reencryption_submitted);
    let shell = Arc::downgrade(shell);
    let limits = BatchLimits { files, visits: VISITS };
    let task = async move {
        if let Some(shell) = shell.upgrade() {
            let warmed = tokio::task::spawn_blocking(move || warm_up_zones(&shell)).await;
            if let Err(error) = warmed {
                tracing::warn!(%error, "warm up keys");
            }
        }
        loop {
            let Some(shell) = shell.upgrade() else { return };
            let done = tokio::task::spawn_blocking(move || reencrypt_zones(&shell, limits)).await;
            if let Err(error) = done {
                tracing::error!(%error, "re-encrypt zones");
            }
            // Either end of the wait means the same.
            let _ = tokio::time::timeout(pause, submitted.notified()).await;
        }
    };
    tasks.spawn_on(task, runtime);
    Ok(())
}

fn warm_up_zones(shell: &Shell) {
    let names = shell.read_machine().namespace().zone_keys();
    if let Keys::Provider(provider) = &shell.keys {
        warm_up(provider, &names);
    }
}

/// Until none is left.
fn reencrypt_zones(shell: &Shell, limits: BatchLimits) {
    let Keys::Provider(provider) = &shell.keys else { return };
    loop {
        let Some(job) = shell.read_machine().next_reencryption() else { return };
        tracing::info!(zone = job.zone.0, version = job.version, "re-encrypt zone");
        match reencrypt_zone(shell, provider, &job, limits) {
            Ok(true) => tracing::info!(zone = job.zone.0, "zone is re-encrypted"),
            Ok(false) => tracing::info!(zone = job.zone.0, "re-encryption was canceled"),
            Err(error) => {
                tracing::warn!(zone = job.zone.0, %error, "re-encrypt zone");
                return;
            }
        }
        if shell.read_machine().in_safe_mode() {
            return;
        }
    }
}

/// False when it was canceled, or can't go on now.
fn reencrypt_zone(
    shell: &Shell,
    provider: &KeyProvider,
    job: &Reencryption,
    limits: BatchLimits,
) -> Result<bool> {
    let mut after = job.after.clone();
    loop {
        let batch = shell.read_machine().namespace().reencryption_batch(job, &after, limits);
        let Some(batch) = batch else { return Ok(false) };
        let count = batch.files.len() as u64;
        let (files, failures) = match reencrypt_files(provider, batch.files) {
            Ok(files) => (files, 0),
            Err(error) => {
                tracing::warn!(zone = job.zone.0, files = count, %error, "re-encrypt a batch of files");
                (Vec::new(), count)
            }
        };
        if count > 0 || batch.is_last {
            let (saved, txid) = shell.write_with(|nn| {
                let last = batch.last.as_deref();
                let is_saved =
                    count == 0 || nn.save_reencrypted(now(), job, &files, failures, last).is_some();
                is_saved && (!batch.is_last || nn.finish_reencryption(now(), job))
            });
            // The log must not grow faster than the disk takes it.
            shell.log.wait_synced(txid)?;
            if !saved {
                return Ok(false);
            }
        }
        if batch.is_last {
            return Ok(true);
        }
        after = batch.next;
    }
}

fn reencrypt_files(
    provider: &KeyProvider,
    files: Vec<(INodeId, FileKey)>,
) -> Result<Vec<ReencryptedFile>> {
    let reencrypt = |(inode, key): (INodeId, FileKey)| {
        let old = EncryptedKey {
            iv: encryption::iv(&key.iv)?,
            key_name: key.zone_key,
            version_name: key.version,
            encrypted: key.encrypted.clone(),
        };
        let new = provider.reencrypt(&old)?;
        let new = FileKey {
            zone_key: new.key_name,
            version: new.version_name,
            iv: key.iv,
            encrypted: new.encrypted,
        };
        Ok(ReencryptedFile { inode, old: key.encrypted, new })
    };
    files.into_iter().map(reencrypt).collect()
}
