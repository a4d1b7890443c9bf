//! A cluster of ours for a suite: one `hdfs minicluster` process in a temporary folder.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// A running mini cluster; dropped, it is killed and its folder removed.
pub(super) struct Cluster {
    child: Child,
    dir: PathBuf,
}

impl Cluster {
    /// Starts a cluster with these DataNodes and settings (`key=value`) and waits until it is writable.
    pub(super) fn start(name: &str, datanodes: usize, settings: &[&str]) -> Result<Self> {
        let dir = scratch(name)?;
        let log = std::fs::File::create(dir.join("log"))?;
        let mut command = Command::new(super::binary());
        command.arg("minicluster").arg("--dir").arg(dir.join("data"));
        command.args(["--datanodes", &datanodes.to_string()]);
        for setting in settings {
            command.args(["-D", setting]);
        }
        // What an administrator asks to be read again is read from there.
        command.env("HADOOP_CONF_DIR", dir.join("data/conf"));
        // `-metasave` writes where the NameNode was started.
        command.current_dir(&dir);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .context("start hdfs minicluster (run `cargo build --release`)")?;
        let stdout = child.stdout.take().expect("the output was asked for");
        let mut lines = BufReader::new(stdout).lines();
        loop {
            let Some(line) = lines.next().transpose()? else {
                bail!("the cluster ended before it was ready; see {}", dir.join("log").display());
            };
            if line == "ready" {
                break;
            }
        }
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Self { child, dir })
    }

    /// The folder with the clients' configuration.
    pub(super) fn conf(&self) -> PathBuf {
        self.dir.join("data/conf")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // The process may have ended by itself; then both calls only say so.
        if self.child.kill().is_ok() {
            drop(self.child.wait());
        }
        if let Err(error) = std::fs::remove_dir_all(&self.dir) {
            eprintln!("could not remove {}: {error}", self.dir.display());
        }
    }
}

/// An empty folder for one suite.
pub(crate) fn scratch(name: &str) -> Result<PathBuf> {
    let dir = std::env::temp_dir().join(format!("tusk-interop-{name}-{}", std::process::id()));
    if dir.exists() {
        std::fs::remove_dir_all(&dir)?;
    }
    std::fs::create_dir_all(&dir)?;
    Ok(dir)
}

/// Runs a command to its end and gives its standard output; fails with both outputs when it fails.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("{command:?}"))?;
    if !output.status.success() {
        bail!(
            "{command:?} ended with {}:\n{}{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Apache's program `name` (`fs`, `oev`, …) with this configuration folder.
pub(crate) fn apache(name: &str, conf: &Path) -> Command {
    let shared = super::shared();
    // Without this, the log settings inside a test jar send warnings to standard output.
    let log = shared.join("peer/conf/log4j.properties");
    let options = format!("-Xmx512m -Dlog4j.configuration=file:{}", log.display());
    let mut command = Command::new(shared.join("peer/hadoop"));
    command.arg(name).env("HADOOP_CONF_DIR", conf).env("PEER_OPTS", options);
    command
}
