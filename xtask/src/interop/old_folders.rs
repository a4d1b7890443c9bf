//! The name folders of old releases inside Apache's published test sources: upgraded by both NameNodes, they become the
//! same image, as `hdfs oiv -p XML` of each shows it; and `oiv_legacy` of both prints the same of the old images.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use super::cluster::{apache, output, scratch};
use crate::ci::Count;

const VIEWER: &str = "org.apache.hadoop.hdfs.tools.offlineImageViewer.OfflineImageViewer";
const PROCESSORS: [&str; 6] =
    ["Ls", "XML", "Indented", "Delimited", "FileDistribution", "NameDistribution"];
const RENAME: &str = ".snapshot=.user-snapshot,.reserved=.my-reserved";

/// An archive, the name folder in it, what reserved names become, and its image if that is from before protobuf.
type Sample = (&'static str, &'static str, Option<&'static str>, Option<&'static str>);

const SAMPLES: &[Sample] = &[
    ("hadoop-22-dfs-dir.tgz", "dfs/name-0-1", None, Some("fsimage")),
    ("hadoop-1-reserved.tgz", "dfs/name-0-1", Some(RENAME), Some("fsimage")),
    ("hadoop-0.23-reserved.tgz", "dfs/name-0-1", Some(RENAME), Some("fsimage_0000000000000000008")),
    ("hadoop-2-reserved.tgz", "dfs/name-0-1", Some(RENAME), Some("fsimage_0000000000000000016")),
    ("hadoop1-bbw.tgz", "dfs/name-0-1", None, Some("fsimage")),
    ("hadoop-1.0-multiblock-file.tgz", "image-1.0/name", None, Some("fsimage")),
    ("image-with-buggy-append.tgz", "image-with-buggy-append/name", None, None),
    ("image-with-zero-block-size.tar.gz", "image-with-zero-block-size/name", None, None),
    ("hadoop-24-datanode-dir.tgz", "dfs/name", None, None),
    ("hadoop-56-layout-datanode-dir.tgz", "dfs/name", None, None),
    ("hadoop-252-dfs-dir.tgz", "dfs/name1", None, None),
    (
        "testUpgradeFrom22FixesStorageIDs.tgz",
        "testUpgradeFrom22FixesStorageIDs/dfs/name",
        None,
        Some("fsimage_0000000000000000026"),
    ),
    (
        "testUpgradeFrom22via26FixesStorageIDs.tgz",
        "testUpgradeFrom22via26FixesStorageIDs/dfs/name",
        None,
        None,
    ),
    (
        "testUpgradeFrom26PreservesStorageIDs.tgz",
        "testUpgradeFrom26PreservesStorageIDs/dfs/name",
        None,
        None,
    ),
];

pub(super) fn run() -> Result<Count> {
    let home = output(&mut Command::new(super::shared().join("peer/sources")))?;
    let sources = PathBuf::from(home.trim()).join("hadoop-hdfs-3.5.0-test-sources");
    let dir = scratch("old-folders")?;
    let mut count = Count::default();
    for sample in SAMPLES {
        match compare(&sources, &dir, sample) {
            Ok(()) => count.passed += 1,
            Err(error) => {
                count.failed += 1;
                println!("old-folders: FAIL {}: {error:#}", sample.0);
            }
        }
    }
    std::fs::remove_dir_all(&dir)?;
    Ok(count)
}

fn compare(sources: &Path, dir: &Path, sample: &Sample) -> Result<()> {
    let (archive, name_dir, renamed, old_image) = *sample;
    let mut shown = Vec::new();
    for side in ["ours", "apache"] {
        let root = dir.join(format!("{side}-{archive}"));
        std::fs::create_dir_all(&root)?;
        let archive = sources.join(archive);
        output(Command::new("tar").arg("-xzf").arg(archive).arg("-C").arg(&root))?;
        let names = root.join(name_dir);
        // Somebody else's lock.
        let lock = names.join("in_use.lock");
        if lock.exists() {
            std::fs::remove_file(&lock)?;
        }
        let viewed = match old_image {
            Some(image) => view_old(side, &root, &names.join("current").join(image))?,
            None => Vec::new(),
        };
        upgrade(side, &root, &names, renamed)?;
        let xml = root.join("image.xml");
        let image = newest_image(&names.join("current"))?;
        let mut viewer = apache("oiv", &root.join("conf"));
        output(viewer.args(["-p", "XML", "-i"]).arg(&image).arg("-o").arg(&xml))?;
        shown.push((image.file_name().map(ToOwned::to_owned), std::fs::read(&xml)?, viewed));
        std::fs::remove_dir_all(&root)?;
    }
    let [ours, apaches] = shown.as_slice() else { bail!("one side is missing") };
    ensure!(ours.0 == apaches.0, "images {:?} and {:?}", ours.0, apaches.0);
    ensure!(ours.1 == apaches.1, "the images differ");
    for (kind, (ours, apaches)) in PROCESSORS.iter().zip(ours.2.iter().zip(&apaches.2)) {
        ensure!(ours == apaches, "oiv_legacy -p {kind} differs");
    }
    Ok(())
}

/// What every processor makes of an image from before protobuf.
fn view_old(side: &str, root: &Path, image: &Path) -> Result<Vec<Vec<u8>>> {
    let conf = root.join("conf");
    std::fs::create_dir_all(&conf)?;
    let view = |kind: &&str| {
        let out = root.join(kind);
        let mut viewer = match side {
            "apache" => apache(VIEWER, &conf),
            _ => {
                let mut ours = Command::new(super::binary());
                ours.arg("oiv_legacy");
                ours
            }
        };
        output(viewer.args(["-p", kind, "-i"]).arg(image).arg("-o").arg(&out))?;
        Ok(std::fs::read(&out)?)
    };
    PROCESSORS.iter().map(view).collect()
}

fn upgrade(side: &str, root: &Path, names: &Path, renamed: Option<&str>) -> Result<()> {
    let conf = root.join("conf");
    std::fs::create_dir_all(&conf)?;
    let port = if side == "ours" { 21_600 } else { 21_610 };
    write_conf(
        &conf.join("core-site.xml"),
        &[("fs.defaultFS", &format!("hdfs://127.0.0.1:{port}"))],
    )?;
    let web = format!("127.0.0.1:{}", port + 1);
    let settings = [
        ("dfs.namenode.name.dir", &*names.display().to_string()),
        ("dfs.namenode.http-address", &*web),
    ];
    write_conf(&conf.join("hdfs-site.xml"), &settings)?;
    let mut namenode = match side {
        "apache" => apache("namenode", &conf),
        _ => {
            let mut ours = Command::new(super::binary());
            ours.arg("namenode").env("HADOOP_CONF_DIR", &conf);
            ours
        }
    };
    namenode.arg("-upgradeOnly");
    if let Some(pairs) = renamed {
        namenode.args(["-renameReserved", pairs]);
    }
    output(&mut namenode).map(drop).with_context(|| format!("{side}: hdfs namenode -upgradeOnly"))
}

fn write_conf(path: &Path, settings: &[(&str, &str)]) -> Result<()> {
    let mut text = String::from("<configuration>\n");
    for (key, value) in settings {
        text += &format!("<property><name>{key}</name><value>{value}</value></property>\n");
    }
    text += "</configuration>\n";
    Ok(std::fs::write(path, text)?)
}

fn newest_image(current: &Path) -> Result<PathBuf> {
    let mut images = Vec::new();
    for entry in std::fs::read_dir(current)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with("fsimage_") && !name.ends_with(".md5") {
            images.push(path);
        }
    }
    images.sort();
    images.pop().with_context(|| format!("no image is in {}", current.display()))
}
