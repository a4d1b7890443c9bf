//! Java and Rust daemons in one cluster, and on each other's folders.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, ensure};

use super::cluster::{apache, output};
use super::peer_cluster::{PeerCluster, wait_for_live};
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

/// Three replicas through one pipeline, read back from each DataNode alone.
fn pipeline(name: &str, ours: &str, port: u16) -> Result<()> {
    let cluster = PeerCluster::up(name, ours, 3, port, &[])?;
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
    cut_in_a_copy(&cluster, &file)
}

/// A file is cut inside of a block that a snapshot shows: DataNodes copy the block, whoever leads.
fn cut_in_a_copy(cluster: &PeerCluster, file: &Path) -> Result<()> {
    let conf = cluster.conf();
    output(apache("dfsadmin", &conf).args(["-allowSnapshot", "/"]))?;
    output(apache("fs", &conf).args(["-createSnapshot", "/", "whole"]))?;
    output(apache("fs", &conf).args(["-truncate", "5000000", "/payload"]))?;
    let head = cluster.dir.join("head");
    std::fs::write(&head, &std::fs::read(file)?[..5_000_000])?;
    let back = cluster.dir.join("back-of-a-copy");
    // The recovery goes out with a heartbeat; each try takes a second or more.
    let is_cut = |back: &Path| -> Result<()> {
        output(apache("fs", &conf).args(["-get", "-f", "/payload"]).arg(back))?;
        output(Command::new("cmp").arg(&head).arg(back))?;
        Ok(())
    };
    if !(0..30).any(|_| is_cut(&back).is_ok()) {
        is_cut(&back)?;
    }
    output(apache("fs", &conf).args(["-get", "-f", "/.snapshot/whole/payload"]).arg(&back))?;
    output(Command::new("cmp").arg(file).arg(&back))?;
    Ok(())
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
    let cluster = PeerCluster::up("folders", "namenode", 1, 21_000, &[])?;
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
    let cluster = PeerCluster::up("volumes", "namenode dn1", 1, 21_100, &[])?;
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
