//! Java and Rust daemons in one cluster, and on each other's folders.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};

use super::cluster::{apache, output, scratch};
use crate::ci::Count;

pub(super) fn run() -> Result<Count> {
    let mut count = Count::default();
    let mut check = |name: &str, result: Result<()>| match result {
        Ok(()) => count.passed += 1,
        Err(error) => {
            count.failed += 1;
            println!("mixed: FAIL {name}: {error:#}");
        }
    };
    check("our NameNode over Apache's DataNodes", pipeline("ours-nn", "namenode", 20_800));
    check("our DataNode beside two of Apache's", pipeline("ours-dn", "dn2", 20_900));
    check("each NameNode starts on the other's folder", folders_change_hands());
    check("each DataNode starts on the other's folder", volumes_change_hands());
    Ok(count)
}

/// A cluster of `peer/cluster`, some of whose roles are ours.
struct Mixed {
    dir: PathBuf,
}

impl Mixed {
    fn up(name: &str, ours: &str, datanodes: usize, port: u16) -> Result<Self> {
        let mixed = Self { dir: scratch(name)?.join("cluster") };
        mixed.script(ours, &["up"], &["-n", &datanodes.to_string(), "-p", &port.to_string()])?;
        Ok(mixed)
    }

    fn script(&self, ours: &str, command: &[&str], rest: &[&str]) -> Result<()> {
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

    fn conf(&self) -> PathBuf {
        self.dir.join("conf")
    }

    /// Stops one role and waits until its process is gone.
    fn stop(&self, role: &str) -> Result<()> {
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
    fn swap(&self, role: &str, ours: &str) -> Result<()> {
        self.stop(role)?;
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

impl Mixed {
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

impl Drop for Mixed {
    fn drop(&mut self) {
        if let Err(error) = self.script("", &["down"], &[]) {
            eprintln!("could not take down {}: {error:#}", self.dir.display());
        }
    }
}

/// Three replicas through one pipeline, read back from each DataNode alone.
fn pipeline(name: &str, ours: &str, port: u16) -> Result<()> {
    let cluster = Mixed::up(name, ours, 3, port)?;
    let file = cluster.dir.join("payload");
    write_payload(&file)?;
    let target = file.to_str().expect("the folder's name is UTF-8").to_owned();
    output(apache("fs", &cluster.conf()).args(["-put", &target, "/payload"]))?;
    let replication = output(apache("fs", &cluster.conf()).args(["-stat", "%r", "/payload"]))?;
    ensure!(replication.trim() == "3", "replication {replication}");
    for alone in 1..=3 {
        for other in (1..=3).filter(|other| *other != alone) {
            cluster.stop(&format!("dn{other}"))?;
        }
        let back = cluster.dir.join(format!("back{alone}"));
        output(apache("fs", &cluster.conf()).args(["-get", "/payload"]).arg(&back))?;
        output(Command::new("cmp").arg(&file).arg(&back))?;
        for other in (1..=3).filter(|other| *other != alone) {
            cluster.script(ours, &["start"], &[&format!("dn{other}")])?;
        }
        wait_for_live(&cluster.conf(), 3)?;
    }
    Ok(())
}

fn wait_for_live(conf: &Path, wanted: usize) -> Result<()> {
    for _ in 0..60 {
        let report = output(apache("dfsadmin", conf).args(["-report", "-live"]))?;
        if report.contains(&format!("Live datanodes ({wanted})")) {
            return Ok(());
        }
    }
    anyhow::bail!("{wanted} DataNodes did not come up");
}

fn write_payload(file: &Path) -> Result<()> {
    let bytes: Vec<u8> =
        (0..9_000_001_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    std::fs::write(file, bytes)?;
    Ok(())
}

fn listing(conf: &Path) -> Result<String> {
    output(apache("fs", conf).args(["-ls", "-R", "/"]))
}

/// Ours writes, Apache's reads and writes, ours reads: the same tree each time.
fn folders_change_hands() -> Result<()> {
    let cluster = Mixed::up("folders", "namenode", 1, 21_000)?;
    let conf = cluster.conf();
    let file = cluster.dir.join("payload");
    write_payload(&file)?;
    let payload = file.to_str().expect("the folder's name is UTF-8").to_owned();
    let fs = |args: &[&str]| output(apache("fs", &conf).args(args));
    fs(&["-mkdir", "-p", "/a/b/c"])?;
    fs(&["-put", &payload, "/a/b/one"])?;
    fs(&["-chmod", "1777", "/a/b/c"])?;
    fs(&["-mv", "/a/b/one", "/a/two"])?;
    let written_by_ours = listing(&conf)?;
    cluster.swap("namenode", "")?;
    ensure!(listing(&conf)? == written_by_ours, "Apache's NameNode shows another tree");
    fs(&["-put", &payload, "/a/three"])?;
    fs(&["-appendToFile", &payload, "/a/two"])?;
    output(apache("dfsadmin", &conf).args(["-safemode", "enter"]))?;
    output(apache("dfsadmin", &conf).arg("-saveNamespace"))?;
    output(apache("dfsadmin", &conf).args(["-safemode", "leave"]))?;
    fs(&["-mkdir", "/after-the-image"])?;
    let written_by_apache = listing(&conf)?;
    cluster.swap("namenode", "namenode")?;
    ensure!(listing(&conf)? == written_by_apache, "our NameNode shows another tree");
    let back = cluster.dir.join("back");
    output(apache("fs", &conf).args(["-get", "/a/three"]).arg(&back))?;
    output(Command::new("cmp").arg(&file).arg(&back))?;
    Ok(())
}

/// A DataNode's folder is written by one implementation, served by the other, and back.
fn volumes_change_hands() -> Result<()> {
    let cluster = Mixed::up("volumes", "namenode dn1", 1, 21_100)?;
    let conf = cluster.conf();
    let file = cluster.dir.join("payload");
    write_payload(&file)?;
    let payload = file.to_str().expect("the folder's name is UTF-8").to_owned();
    for (round, ours) in ["dn1", "", "dn1"].into_iter().enumerate() {
        if round > 0 {
            cluster.stop("dn1")?;
            cluster.script(ours, &["start"], &["dn1"])?;
            wait_for_live(&conf, 1)?;
        }
        output(apache("fs", &conf).args(["-put", &payload, &format!("/round{round}")]))?;
        for earlier in 0..=round {
            let back = cluster.dir.join("back");
            output(
                apache("fs", &conf).args(["-get", "-f", &format!("/round{earlier}")]).arg(&back),
            )?;
            output(Command::new("cmp").arg(&file).arg(&back))?;
        }
    }
    Ok(())
}
