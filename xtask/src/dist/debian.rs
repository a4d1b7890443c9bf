//! The Debian package, by dpkg-deb alone.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::tree::{Place, Tree, put};
use super::{Release, output, run_in, starts};

const CONFFILES: &str =
    "/etc/default/tusk-hdfs\n/etc/hadoop/conf/core-site.xml\n/etc/hadoop/conf/hdfs-site.xml\n";

/// Makes `tusk-hdfs_<version>_<arch>.deb`, unpacks it and starts what is in it.
pub(super) fn make(root: &Path, release: &Release, tree: &Tree) -> Result<PathBuf> {
    let stage = release.out.join("deb");
    tree.install(&stage, Place::System)?;
    documents(root, release, &stage)?;
    let read = |file: &str| {
        std::fs::read(root.join("packaging").join(file))
            .with_context(|| format!("read packaging/{file}"))
    };
    put(&stage.join("etc/default/tusk-hdfs"), &read("conf/tusk-hdfs.default")?, 0o644)?;
    for script in ["postinst", "prerm", "postrm"] {
        put(&stage.join("DEBIAN").join(script), &read(&format!("debian/{script}"))?, 0o755)?;
    }
    put(&stage.join("DEBIAN/conffiles"), CONFFILES.as_bytes(), 0o644)?;
    let find = "find etc usr -type f -print0 | sort -z | xargs -0 md5sum";
    let sums = output(&stage, Command::new("sh").args(["-c", find]))?;
    let sums: String = sums
        .lines()
        .filter(|line| !CONFFILES.contains(line.split("  ").nth(1).unwrap_or("?")))
        .map(|line| format!("{line}\n"))
        .collect();
    put(&stage.join("DEBIAN/md5sums"), sums.as_bytes(), 0o644)?;
    let size = output(
        &stage,
        Command::new("du").args(["-sk", "--exclude=DEBIAN", "--apparent-size", "."]),
    )?;
    let control = String::from_utf8(read("debian/control.in")?)?
        .replace("@VERSION@", &release.version)
        .replace("@ARCH@", release.arch.0)
        .replace("@GLIBC@", &release.glibc)
        .replace("@SIZE@", size.split_whitespace().next().unwrap_or("0"));
    put(&stage.join("DEBIAN/control"), control.as_bytes(), 0o644)?;
    let file = release.out.join(format!("tusk-hdfs_{}_{}.deb", release.version, release.arch.0));
    let mut build = Command::new("dpkg-deb");
    build.args(["--root-owner-group", "-Zxz", "--build"]).arg(&stage).arg(&file);
    build.env("SOURCE_DATE_EPOCH", release.time.to_string()).stdout(std::process::Stdio::null());
    run_in(&release.out, &mut build)?;
    let unpacked = release.out.join("unpacked-deb");
    run_in(&release.out, Command::new("dpkg-deb").arg("-x").arg(&file).arg(&unpacked))?;
    starts(&unpacked.join("usr/bin/hdfs"), release)?;
    starts(&unpacked.join("usr/bin/hadoop"), release)?;
    std::fs::remove_dir_all(&unpacked)?;
    std::fs::remove_dir_all(&stage)?;
    Ok(file)
}

/// What Debian wants below `usr/share`: copyright, changelog and manual compressed without names and times.
fn documents(root: &Path, release: &Release, stage: &Path) -> Result<()> {
    let doc = stage.join("usr/share/doc/tusk-hdfs");
    put(
        &doc.join("copyright"),
        &std::fs::read(root.join("packaging/debian/copyright.in"))?,
        0o644,
    )?;
    let date = output(
        root,
        Command::new("date").args(["-u", "-R", "-d"]).arg(format!("@{}", release.time)),
    )?;
    let entry = format!(
        "tusk-hdfs ({}) unstable; urgency=medium\n\n  * See CHANGELOG.md of the source.\n\n -- The Tusk developers <tusk@tusk.invalid>  {}\n",
        release.version,
        date.trim()
    );
    put(&doc.join("changelog"), entry.as_bytes(), 0o644)?;
    let manuals = stage.join("usr/share/man/man1");
    let plain = [
        doc.join("changelog"),
        manuals.join("hdfs.1"),
        doc.join("config.md"),
        doc.join("differences.md"),
    ];
    run_in(stage, Command::new("gzip").arg("-9n").args(plain))?;
    std::os::unix::fs::symlink("hdfs.1.gz", manuals.join("hadoop.1.gz"))?;
    Ok(())
}
