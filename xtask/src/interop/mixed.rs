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
    check("Apache's secondary NameNode makes our checkpoint", checkpoint(true, 21_120));
    check("our secondary NameNode makes Apache's checkpoint", checkpoint(false, 21_140));
    check("a rolling upgrade goes through both NameNodes", rolling_upgrade());
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

/// The secondary NameNode of one makes the checkpoint of the other; the NameNode starts from it.
fn checkpoint(ours_is_namenode: bool, port: u16) -> Result<()> {
    let (name, ours) = if ours_is_namenode { ("cp-ours", "namenode") } else { ("cp-apache", "") };
    let web = format!("dfs.namenode.secondary.http-address=127.0.0.1:{}", port + 5);
    // A NameNode drops an image that comes too early after its own, however it was asked for.
    let often = "dfs.namenode.checkpoint.period=1";
    let cluster = PeerCluster::up(name, ours, 1, port, &[&web, often])?;
    let conf = cluster.conf();
    let fs = |args: &[&str]| output(apache("fs", &conf).args(args));
    fs(&["-mkdir", "-p", "/a/b"])?;
    fs(&["-touchz", "/a/b/empty"])?;
    output(apache("dfsadmin", &conf).args(["-allowSnapshot", "/a"]))?;
    fs(&["-createSnapshot", "/a", "s1"])?;
    fs(&["-rm", "-skipTrash", "/a/b/empty"])?;
    let before = listing(&conf)?;
    let mut secondary = if ours_is_namenode {
        apache("secondarynamenode", &conf)
    } else {
        let mut command = Command::new(super::binary());
        command.arg("secondarynamenode").env("HADOOP_CONF_DIR", &conf);
        command
    };
    output(secondary.args(["-checkpoint", "force"]))?;
    ensure!(newest_image(&cluster.dir)? > 0, "no image came to the NameNode");
    // The image alone must hold the tree: the edits up to it go.
    let image = newest_image(&cluster.dir)?;
    cluster.stop("namenode")?;
    remove_edits_up_to(&cluster.dir, image)?;
    cluster.start("namenode", ours)?;
    ensure!(listing(&conf)? == before, "the checkpoint holds another tree");
    let in_snapshot = fs(&["-ls", "-C", "/a/.snapshot/s1/b"])?;
    ensure!(in_snapshot.trim() == "/a/.snapshot/s1/b/empty", "the snapshot shows {in_snapshot}");
    Ok(())
}

/// The transaction of the newest image in the NameNode's folder.
fn newest_image(dir: &Path) -> Result<u64> {
    let mut newest = 0;
    for entry in std::fs::read_dir(dir.join("name/current"))? {
        let name = entry?.file_name();
        let txid = name.to_string_lossy().strip_prefix("fsimage_").map(str::parse::<u64>);
        newest = newest.max(txid.and_then(Result::ok).unwrap_or(0));
    }
    Ok(newest)
}

fn remove_edits_up_to(dir: &Path, image: u64) -> Result<()> {
    for entry in std::fs::read_dir(dir.join("name/current"))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let last = name
            .strip_prefix("edits_")
            .and_then(|range| range.split_once('-')?.1.parse::<u64>().ok());
        if last.is_some_and(|last| last <= image) {
            std::fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// Prepared under ours, seen and written under Apache's, finalized under ours.
fn rolling_upgrade() -> Result<()> {
    let cluster = PeerCluster::up("rolling", "namenode", 1, 21_160, &[])?;
    let conf = cluster.conf();
    let admin = |args: &[&str]| output(apache("dfsadmin", &conf).args(args));
    let rolling = |action: &str| admin(&["-rollingUpgrade", action]);
    output(apache("fs", &conf).args(["-mkdir", "/before"]))?;
    admin(&["-safemode", "enter"])?;
    let prepared = rolling("prepare")?;
    admin(&["-safemode", "leave"])?;
    ensure!(prepared.contains("Proceed with rolling upgrade"), "prepare says {prepared}");
    cluster.swap("namenode", "")?;
    let seen = rolling("query")?;
    ensure!(seen.contains("Proceed with rolling upgrade"), "Apache's NameNode says {seen}");
    output(apache("fs", &conf).args(["-mkdir", "/during"]))?;
    cluster.swap("namenode", "namenode")?;
    let finalized = rolling("finalize")?;
    ensure!(finalized.contains("Rolling upgrade is finalized."), "finalize says {finalized}");
    let tree = listing(&conf)?;
    ensure!(tree.contains("/before") && tree.contains("/during"), "the tree is {tree}");
    let none = rolling("query")?;
    ensure!(none.contains("There is no rolling upgrade in progress"), "query says {none}");
    Ok(())
}
