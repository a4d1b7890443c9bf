//! The archive: a folder that runs from wherever it is unpacked.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use super::tree::{Place, Tree, put};
use super::{Release, output, run_in, starts};

/// Makes `tusk-<version>-linux-<arch>.tar.gz`, unpacks it again and starts what is in it.
pub(super) fn make(release: &Release, tree: &Tree) -> Result<PathBuf> {
    let name = format!("tusk-{}-linux-{}", release.version, release.arch.1);
    let folder = release.out.join("archive").join(&name);
    tree.install(&folder, Place::Folder)?;
    let root = crate::root();
    put(&folder.join("LICENSE"), &std::fs::read(root.join("LICENSE"))?, 0o644)?;
    put(&folder.join("README.md"), &std::fs::read(root.join("README.md"))?, 0o644)?;
    let file = release.out.join(format!("{name}.tar.gz"));
    let mut tar = Command::new("tar");
    tar.args(["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--format=gnu"])
        .arg(format!("--mtime=@{}", release.time))
        .args(["--use-compress-program=gzip -9n", "-cf"])
        .arg(&file)
        .arg(&name);
    run_in(&release.out.join("archive"), &mut tar)?;
    let unpacked = release.out.join("unpacked");
    std::fs::create_dir_all(&unpacked)?;
    run_in(&unpacked, Command::new("tar").arg("-xzf").arg(&file))?;
    let home = unpacked.join(&name);
    starts(&home.join("bin/hdfs"), release)?;
    starts(&home.join("bin/hadoop"), release)?;
    // It finds the configuration beside it.
    let mut getconf = Command::new(home.join("bin/hdfs"));
    getconf.args(["getconf", "-confKey", "dfs.datanode.data.dir"]);
    getconf.env_remove("HADOOP_CONF_DIR").env_remove("HADOOP_HOME");
    let value = output(&unpacked, &mut getconf)?;
    if value.trim() != "file:///var/lib/hadoop-hdfs/data" {
        bail!("the unpacked program does not read etc/hadoop beside it: {value}");
    }
    std::fs::remove_dir_all(&unpacked)?;
    std::fs::remove_dir_all(release.out.join("archive"))?;
    Ok(file)
}
