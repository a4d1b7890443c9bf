//! Apache's Java client, unmodified, does its main work on our cluster.
//!
//! The checksums are compared with those that Apache's own cluster gives for the same bytes.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, ensure};

use super::cluster::{Cluster, apache, output, scratch};
use crate::ci::Count;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// The lengths at which chunks, packets and blocks begin and end.
const SIZES: [u64; 12] = [
    0,
    1,
    511,
    512,
    513,
    64 * KIB - 1,
    64 * KIB,
    64 * KIB + 1,
    128 * MIB - 1,
    128 * MIB,
    128 * MIB + 1,
    1024 * MIB,
];

pub(super) fn run() -> Result<Count> {
    let dir = scratch("peer-client")?;
    let files = make_files(&dir)?;
    let ours = Cluster::start("peer-client-cluster", 3, &["dfs.namenode.safemode.extension=0"])?;
    let conf = ours.conf();
    let mut count = Count::default();
    let mut check = |name: &str, result: Result<()>| match result {
        Ok(()) => count.passed += 1,
        Err(error) => {
            count.failed += 1;
            println!("peer-client: FAIL {name}: {error:#}");
        }
    };
    check("put of every size, get back equal", round_trip(&conf, &dir, &files));
    check("replication 3 on 3 DataNodes", fully_replicated(&conf));
    check("checksums equal those of Apache's cluster", same_checksums(&conf, &dir, &files));
    check("ls, cat, tail", read_commands(&conf, &dir));
    check("append, truncate, setrep, mv, rm", write_commands(&conf, &dir));
    check("count, du, df", summaries(&conf));
    drop(ours);
    std::fs::remove_dir_all(&dir)?;
    Ok(count)
}

fn make_files(dir: &Path) -> Result<Vec<PathBuf>> {
    let folder = dir.join("in");
    std::fs::create_dir(&folder)?;
    SIZES
        .iter()
        .map(|size| {
            let file = folder.join(format!("f{size}"));
            write_pattern(&file, *size)?;
            Ok(file)
        })
        .collect()
}

/// Bytes that repeat nowhere within a block: a counter, mixed.
fn write_pattern(file: &Path, size: u64) -> Result<()> {
    use std::io::Write as _;
    let mut out = std::io::BufWriter::with_capacity(1 << 20, std::fs::File::create(file)?);
    let mut left = size;
    let mut word = size;
    while left > 0 {
        word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let bytes = word.to_be_bytes();
        let part = left.min(8) as usize;
        out.write_all(&bytes[..part])?;
        left -= part as u64;
    }
    out.flush()?;
    Ok(())
}

fn fs(conf: &Path, args: &[&str]) -> Result<String> {
    output(apache("fs", conf).args(args))
}

fn round_trip(conf: &Path, dir: &Path, files: &[PathBuf]) -> Result<()> {
    fs(conf, &["-mkdir", "-p", "/sizes"])?;
    output(apache("fs", conf).arg("-put").args(files).arg("/sizes"))?;
    let back = dir.join("back");
    std::fs::create_dir(&back)?;
    output(apache("fs", conf).args(["-get", "/sizes/*"]).arg(&back))?;
    for file in files {
        let copy = back.join(file.file_name().expect("made with a name"));
        output(Command::new("cmp").arg(file).arg(&copy))?;
    }
    std::fs::remove_dir_all(&back)?;
    Ok(())
}

fn fully_replicated(conf: &Path) -> Result<()> {
    let listing = fs(conf, &["-stat", "%r %n", "/sizes/*"])?;
    ensure!(listing.lines().all(|line| line.starts_with("3 ")), "replication is not 3: {listing}");
    let report = output(apache("dfsadmin", conf).arg("-report"))?;
    ensure!(report.contains("Under replicated blocks: 0"), "under-replicated: {report}");
    ensure!(report.contains("Live datanodes (3)"), "not 3 live DataNodes: {report}");
    Ok(())
}

fn checksums(conf: &Path) -> Result<Vec<String>> {
    let mut lines: Vec<String> =
        fs(conf, &["-checksum", "/sizes/*"])?.lines().map(str::to_owned).collect();
    lines.sort();
    Ok(lines)
}

fn same_checksums(conf: &Path, dir: &Path, files: &[PathBuf]) -> Result<()> {
    let peer = dir.join("apache");
    let script = super::shared().join("peer/cluster");
    output(
        Command::new(&script)
            .args(["up".as_ref(), peer.as_os_str()])
            .args(["-n", "1", "-p", "20700"])
            .env("PEER_NN_OPTS", "-Xmx512m")
            .env("PEER_DN_OPTS", "-Xmx512m"),
    )?;
    let theirs = (|| {
        fs(&peer.join("conf"), &["-mkdir", "/sizes"])?;
        output(apache("fs", &peer.join("conf")).arg("-put").args(files).arg("/sizes"))?;
        checksums(&peer.join("conf"))
    })();
    output(Command::new(&script).args(["down".as_ref(), peer.as_os_str()]))?;
    let (ours, theirs) = (checksums(conf)?, theirs?);
    ensure!(ours.len() == SIZES.len(), "{} checksums for {} files", ours.len(), SIZES.len());
    ensure!(ours == theirs, "ours:\n{}\nApache's:\n{}", ours.join("\n"), theirs.join("\n"));
    Ok(())
}

fn read_commands(conf: &Path, dir: &Path) -> Result<()> {
    let listing = fs(conf, &["-ls", "/sizes"])?;
    for size in SIZES {
        ensure!(listing.contains(&format!("/sizes/f{size}")), "f{size} is not listed: {listing}");
    }
    ensure!(listing.starts_with("Found 12 items"), "{listing}");
    let whole = output(Command::new("od").arg("-An").arg("-tx1").arg(dir.join("in/f513")))?;
    let cat = dir.join("cat");
    let file = std::fs::File::create(&cat)?;
    let status = apache("fs", conf).args(["-cat", "/sizes/f513"]).stdout(file).status()?;
    ensure!(status.success(), "cat ended with {status}");
    ensure!(output(Command::new("od").arg("-An").arg("-tx1").arg(&cat))? == whole, "cat differs");
    let tail = dir.join("tail");
    let file = std::fs::File::create(&tail)?;
    let status = apache("fs", conf).args(["-tail", "/sizes/f65537"]).stdout(file).status()?;
    ensure!(status.success(), "tail ended with {status}");
    let all = std::fs::read(dir.join("in/f65537"))?;
    ensure!(std::fs::read(&tail)? == all[all.len() - 1024..], "tail differs");
    Ok(())
}

fn write_commands(conf: &Path, dir: &Path) -> Result<()> {
    let part = dir.join("in/f513");
    let part = part.to_str().expect("the folder's name is UTF-8");
    fs(conf, &["-appendToFile", part, "/sizes/f511"])?;
    fs(conf, &["-appendToFile", part, "/sizes/f511"])?;
    let back = dir.join("appended");
    output(apache("fs", conf).args(["-get", "/sizes/f511"]).arg(&back))?;
    let mut expected = std::fs::read(dir.join("in/f511"))?;
    for _ in 0..2 {
        expected.extend(std::fs::read(part)?);
    }
    ensure!(std::fs::read(&back)? == expected, "the file with two appends differs");
    std::fs::remove_file(&back)?;
    fs(conf, &["-truncate", "-w", "700", "/sizes/f511"])?;
    output(apache("fs", conf).args(["-get", "/sizes/f511"]).arg(&back))?;
    ensure!(std::fs::read(&back)? == expected[..700], "the truncated file differs");
    fs(conf, &["-setrep", "2", "/sizes/f512"])?;
    ensure!(fs(conf, &["-stat", "%r", "/sizes/f512"])?.trim() == "2", "replication is not 2");
    fs(conf, &["-mv", "/sizes/f512", "/moved"])?;
    fs(conf, &["-test", "-e", "/moved"])?;
    fs(conf, &["-rm", "-skipTrash", "/moved"])?;
    ensure!(fs(conf, &["-test", "-e", "/moved"]).is_err(), "the removed file is there");
    Ok(())
}

fn summaries(conf: &Path) -> Result<()> {
    let count = fs(conf, &["-count", "/sizes"])?;
    let numbers: Vec<&str> = count.split_whitespace().collect();
    // f512 is gone; f511 is 700 bytes long.
    let bytes = SIZES.iter().sum::<u64>() - 512 - 511 + 700;
    ensure!(numbers == ["1", "11", &bytes.to_string(), "/sizes"], "count: {count}");
    let du = fs(conf, &["-du", "-s", "/sizes"])?;
    let numbers: Vec<&str> = du.split_whitespace().collect();
    ensure!(numbers == [&bytes.to_string(), &(3 * bytes).to_string(), "/sizes"], "du: {du}");
    let df = fs(conf, &["-df", "/"])?;
    ensure!(df.lines().count() == 2 && df.contains("hdfs://"), "df: {df}");
    Ok(())
}
