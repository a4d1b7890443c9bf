//! A cluster of separate processes: Apache's daemons, and ours in the roles that are named.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::cluster::{apache, output, scratch};

/// A cluster of `peer/cluster`, some of whose roles may be ours; dropped, it is stopped and its folder removed.
pub(super) struct PeerCluster {
    pub(super) dir: PathBuf,
}

impl PeerCluster {
    /// Starts it with these DataNodes and settings (`key=value`); `ours` names the roles that our binary plays.
    pub(super) fn up(
        name: &str,
        ours: &str,
        datanodes: usize,
        port: u16,
        settings: &[&str],
    ) -> Result<Self> {
        let cluster = Self { dir: scratch(name)?.join("cluster") };
        let (datanodes, port) = (datanodes.to_string(), port.to_string());
        let mut rest = vec!["-n", &datanodes, "-p", &port];
        for setting in settings {
            rest.extend(["-D", setting]);
        }
        cluster.script(ours, &["up"], &rest)?;
        Ok(cluster)
    }

    /// Runs `peer/cluster`.
    pub(super) fn script(&self, ours: &str, command: &[&str], rest: &[&str]) -> Result<()> {
        output(
            Command::new(super::shared().join("peer/cluster"))
                .args(command)
                .arg(&self.dir)
                .args(rest)
                .env("OURS", ours)
                .env("HDFS_BIN", super::binary())
                .env("PEER_NN_OPTS", "-Xmx512m")
                .env("PEER_DN_OPTS", "-Xmx256m"),
        )?;
        Ok(())
    }

    /// The folder with the clients' configuration.
    pub(super) fn conf(&self) -> PathBuf {
        self.dir.join("conf")
    }

    /// Stops one role and waits until its process is gone.
    pub(super) fn stop(&self, role: &str) -> Result<()> {
        let pid = std::fs::read_to_string(self.dir.join(format!("{role}.pid")))?;
        self.script("", &["stop"], &[role])?;
        let process = Path::new("/proc").join(pid.trim());
        for _ in 0..300 {
            if !process.exists() {
                return Ok(());
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        anyhow::bail!("{role} (process {}) did not end in 30 s", pid.trim());
    }

    /// Stops one role and starts it as Apache's or as ours.
    pub(super) fn swap(&self, role: &str, ours: &str) -> Result<()> {
        self.stop(role)?;
        self.start(role, ours)
    }

    /// Starts a role that was stopped, as Apache's or as ours, and waits until the cluster is writable.
    pub(super) fn start(&self, role: &str, ours: &str) -> Result<()> {
        self.script(ours, &["start"], &[role])?;
        // A JVM takes seconds until its port answers.
        let wait = || output(apache("dfsadmin", &self.conf()).args(["-safemode", "wait"]));
        let mut answer = wait();
        for _ in 0..30 {
            if answer.is_ok() {
                break;
            }
            answer = wait();
        }
        answer?;
        // With so few blocks safe mode ends before any DataNode has registered again.
        let datanodes = std::fs::read_dir(&self.dir)?
            .filter_map(Result::ok)
            .filter(|entry| entry.file_name().to_string_lossy().starts_with("conf-dn"))
            .count();
        wait_for_live(&self.conf(), datanodes)?;
        self.wait_until_writable()?;
        Ok(())
    }
}

impl PeerCluster {
    /// A DataNode that has registered takes blocks only after it has reported its volumes, seconds later with Apache's.
    fn wait_until_writable(&self) -> Result<()> {
        let probe = self.dir.join("probe");
        std::fs::write(&probe, b"probe")?;
        let put =
            || output(apache("fs", &self.conf()).args(["-put", "-f"]).arg(&probe).arg("/probe"));
        let mut written = put();
        for _ in 0..20 {
            if written.is_ok() {
                break;
            }
            written = put();
        }
        written?;
        output(apache("fs", &self.conf()).args(["-rm", "-skipTrash", "/probe"]))?;
        Ok(())
    }
}

impl Drop for PeerCluster {
    fn drop(&mut self) {
        if let Err(error) = self.script("", &["down"], &[]) {
            eprintln!("could not take down {}: {error:#}", self.dir.display());
        }
    }
}

/// Waits until this many DataNodes are live.
pub(super) fn wait_for_live(conf: &Path, wanted: usize) -> Result<()> {
    for _ in 0..60 {
        let report = output(apache("dfsadmin", conf).args(["-report", "-live"]))?;
        if report.contains(&format!("Live datanodes ({wanted})")) {
            return Ok(());
        }
    }
    anyhow::bail!("{wanted} DataNodes did not come up");
}
