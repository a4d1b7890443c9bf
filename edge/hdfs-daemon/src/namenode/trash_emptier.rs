//! Empties the trash of every user: every `fs.trash.checkpoint.interval` it gives `Current` the name of the time, and
//! removes what lies in the trash for longer than `fs.trash.interval`.
//!
//! As in Hadoop it is a client of its own NameNode, of the user that runs it: so it checks, logs and audits like any
//! other deletion. Encryption zones have trashes of their own, and so have snapshottable directories when
//! `dfs.namenode.snapshot.trashroot.enabled` says so.
//!
//! Hadoop: org.apache.hadoop.fs.TrashPolicyDefault.Emptier (3.5.0)

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hdfs_client::{HdfsClient, RenameOptions, trash};
use hdfs_conf::{Configuration, keys};
use hdfs_types::{Error, ErrorKind, Result};
use tokio::task::JoinSet;

/// Milliseconds of a minute, the unit of both keys.
const MINUTE_MS: f64 = 60_000.0;

/// How long deleted files stay, and how often the emptier looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Intervals {
    deletion_ms: u64,
    emptier_ms: u64,
}

impl Intervals {
    /// `None` when there is no trash.
    fn read(conf: &Configuration) -> Result<Option<Self>> {
        let deletion = conf.get_f64(&keys::FS_TRASH_INTERVAL)?;
        if deletion < 0.0 {
            return Err(Error::io(
                "Cannot start trash emptier with negative interval. Set fs.trash.interval to a positive value.",
            ));
        }
        let deletion_ms = (deletion * MINUTE_MS) as u64;
        let wanted = conf.get_f64(&keys::FS_TRASH_CHECKPOINT_INTERVAL)?;
        // A negative number becomes 0, and 0 means the same as the deletion's.
        let emptier_ms = match (wanted * MINUTE_MS) as u64 {
            ms if ms > deletion_ms || ms == 0 => deletion_ms,
            ms => ms,
        };
        Ok((deletion_ms > 0).then_some(Self { deletion_ms, emptier_ms }))
    }

    /// Until the next multiple of the interval.
    fn pause(self, now_ms: u64) -> Duration {
        Duration::from_millis(self.emptier_ms - now_ms % self.emptier_ms)
    }
}

fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

/// Starts the emptier of the NameNode that serves at `address`, if there is a trash.
///
/// # Errors
/// When `fs.trash.interval` is negative or no number.
pub(crate) fn spawn(
    tasks: &mut JoinSet<()>,
    conf: &Configuration,
    address: SocketAddr,
    runtime: &tokio::runtime::Handle,
) -> Result<()> {
    let Some(intervals) = Intervals::read(conf)? else { return Ok(()) };
    let address = match address.ip().is_unspecified() {
        true => SocketAddr::from((Ipv4Addr::LOCALHOST, address.port())),
        false => address,
    };
    let _inside = runtime.enter();
    let client = HdfsClient::for_uri(&format!("hdfs://{address}"), conf)?;
    let emptier =
        Emptier { client, intervals, clean: conf.get_bool(&keys::FS_TRASH_CLEAN_TRASHROOT_ENABLE) };
    tracing::info!(
        "Namenode trash configuration: Deletion interval = {} s, Emptier interval = {} s",
        intervals.deletion_ms / 1_000,
        intervals.emptier_ms / 1_000
    );
    tasks.spawn_on(emptier.run(), runtime);
    Ok(())
}

struct Emptier {
    client: HdfsClient,
    intervals: Intervals,
    /// Remove what is no checkpoint, too.
    clean: bool,
}

impl Emptier {
    async fn run(self) {
        loop {
            tokio::time::sleep(self.intervals.pause(now_ms())).await;
            if let Err(error) = self.empty_all().await {
                tracing::warn!("the trash is not emptied: {error}");
            }
        }
    }

    async fn empty_all(&self) -> Result<()> {
        let home = self.client.home_directory();
        let homes = home.rsplit_once('/').map_or("/", |(homes, _)| homes);
        let mut users = self.client.list(homes);
        loop {
            let user = match users.next().await {
                Ok(Some(user)) => user,
                Ok(None) => break,
                Err(error) if error.kind == ErrorKind::FileNotFound => break,
                Err(error) => return Err(error),
            };
            let root = format!("{}/{}", user.path, trash::FOLDER);
            let is_folder = user.is_dir()
                && self.client.file_info(&root).await?.is_some_and(|status| status.is_dir());
            if is_folder {
                self.try_to_empty(&root).await;
            }
        }
        for zone in self.client.encryption_zones().await? {
            self.empty_below(&zone.path).await?;
        }
        if self.client.server_defaults().await?.snapshot_trash_root_enabled {
            for directory in self.client.snapshottable_paths().await? {
                self.empty_below(&directory).await?;
            }
        }
        Ok(())
    }

    /// The trashes of a directory that has its own: `.Trash/USER` in it.
    async fn empty_below(&self, directory: &str) -> Result<()> {
        let folder = format!("{}/{}", directory.trim_end_matches('/'), trash::FOLDER);
        let mut users = self.client.list(&folder);
        loop {
            match users.next().await {
                Ok(Some(user)) if user.is_dir() => self.try_to_empty(&user.path).await,
                Ok(Some(_)) => {}
                Ok(None) => return Ok(()),
                Err(error) if error.kind == ErrorKind::FileNotFound => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    async fn try_to_empty(&self, root: &str) {
        if let Err(error) = self.empty(root).await {
            tracing::warn!("Trash caught: {error}. Skipping {root}.");
        }
    }

    async fn empty(&self, root: &str) -> Result<()> {
        self.delete_checkpoints(root).await?;
        self.create_checkpoint(root).await
    }

    async fn delete_checkpoints(&self, root: &str) -> Result<()> {
        let mut entries = self.client.list(root);
        while let Some(entry) = entries.next().await? {
            let name = entry.name();
            if name == trash::CURRENT {
                continue;
            }
            let path = &entry.path;
            let Some(time) = trash::checkpoint_time(name) else {
                if self.clean {
                    self.client.delete(path, true).await?;
                    tracing::warn!("Unexpected item in trash: {path}. Deleting.");
                } else {
                    tracing::warn!("Unexpected item in trash: {path}. Ignoring.");
                }
                continue;
            };
            if now_ms().saturating_sub(self.intervals.deletion_ms) > time {
                match self.client.delete(path, true).await? {
                    true => tracing::info!("Deleted trash checkpoint: {path}"),
                    false => tracing::warn!("Couldn't delete checkpoint: {path} Ignoring."),
                }
            }
        }
        Ok(())
    }

    async fn create_checkpoint(&self, root: &str) -> Result<()> {
        let current = format!("{root}/{}", trash::CURRENT);
        if !self.client.exists(&current).await? {
            return Ok(());
        }
        let base = format!("{root}/{}", trash::checkpoint_name(now_ms()));
        let how = RenameOptions { overwrite: false, to_trash: true };
        let mut target = base.clone();
        for attempt in 1..=trash::MAX_ATTEMPTS {
            match self.client.rename_with(&current, &target, how).await {
                Ok(()) => {
                    tracing::info!("Created trash checkpoint: {target}");
                    return Ok(());
                }
                Err(error) if error.kind == ErrorKind::FileAlreadyExists => {
                    target = format!("{base}-{attempt}");
                }
                Err(error) => return Err(error),
            }
        }
        Err(Error::io(format!("Failed to checkpoint trash: {target}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(deletion: &str, checkpoint: &str) -> Result<Option<Intervals>> {
        let mut conf = Configuration::new();
        conf.set("fs.trash.interval", deletion)?;
        conf.set("fs.trash.checkpoint.interval", checkpoint)?;
        Intervals::read(&conf)
    }

    #[test]
    fn the_emptier_looks_no_less_often_than_files_expire() {
        let intervals = |deletion_ms, emptier_ms| Some(Intervals { deletion_ms, emptier_ms });
        for (deletion, checkpoint, wanted) in [
            ("0", "5", None),
            ("10", "0", intervals(600_000, 600_000)),
            ("10", "5", intervals(600_000, 300_000)),
            ("10", "20", intervals(600_000, 600_000)),
            ("0.5", "-1", intervals(30_000, 30_000)),
        ] {
            assert_eq!(
                read(deletion, checkpoint).expect("numbers"),
                wanted,
                "{deletion} {checkpoint}"
            );
        }
        let error = read("-1", "0").expect_err("a negative interval");
        assert!(error.message.starts_with("Cannot start trash emptier with negative interval."));
    }

    #[test]
    fn it_looks_at_multiples_of_its_interval() {
        let intervals = Intervals { deletion_ms: 600_000, emptier_ms: 60_000 };
        assert_eq!(intervals.pause(120_000), Duration::from_millis(60_000));
        assert_eq!(intervals.pause(179_999), Duration::from_millis(1));
    }
}
