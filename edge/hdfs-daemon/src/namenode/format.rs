//! `hdfs namenode -format`: makes the name folders of a new file system.
//!
//! ```text
//! current/fsimage_0000000000000000000, its .md5, seen_txid (0), and, last, VERSION
//! ```
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.{NameNode, FSImage, NNStorage} (3.5.0)

use std::fs::{File, Permissions};
use std::io::{BufRead, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use hdfs_conf::{Configuration, keys};
use hdfs_format::storage_dir::{
    self, ImageFile, NameNodeVersion, SEEN_TXID, VERSION, new_block_pool_id, new_cluster_id,
    new_namespace_id,
};
use hdfs_namespace::Namespace;
use hdfs_rt::clock;
use hdfs_rt::disk::{create_dir_all_durable, fsync_dir, write_file_atomic};
use hdfs_types::{Error, ErrorKind, Result, SplitMix64, TxId, WallMillis};

use super::conf;
use super::durable::failed;
use super::identity;
use super::image_store::{self, ImageSettings};
use super::storage::{NameDirs, has_some_data};

/// How to format.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FormatOptions {
    /// `-clusterid`: the name of the cluster; a new one otherwise.
    pub cluster_id: Option<String>,
    /// `-force`: no question is asked.
    pub force: bool,
    /// `-nonInteractive`: folders with data are left alone.
    pub non_interactive: bool,
}

/// What became of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Formatted {
    /// The folders are new.
    Done,
    /// A folder held data, and the answer was no. The exit status is 1.
    Aborted,
}

/// Formats the folders of `dfs.namenode.name.dir` and `dfs.namenode.edits.dir`.
///
/// # Errors
/// When a folder can't be made or written, is in use, or may not be formatted.
pub fn format(conf: &Configuration, options: &FormatOptions) -> Result<Formatted> {
    if !conf.get_bool(&keys::DFS_NAMENODE_SUPPORT_ALLOW_FORMAT) {
        return Err(Error::io(
            "The option dfs.namenode.support.allow.format is set to false for this filesystem, so it cannot be \
             formatted. You will need to set dfs.namenode.support.allow.format parameter to true in order to format \
             this filesystem",
        ));
    }
    let specs = conf::dir_specs(conf)?;
    let reformat = !conf.get_bool(&keys::DFS_REFORMAT_DISABLED);
    for spec in &specs {
        if !has_some_data(&spec.root)? {
            continue;
        }
        if !reformat {
            return Err(Error::io(
                "NameNode format aborted as reformat is disabled for this cluster.",
            ));
        }
        if !confirm(&spec.root, options)? {
            return Ok(Formatted::Aborted);
        }
    }
    for spec in &specs {
        create_dir_all_durable(&spec.root)?;
    }
    let dirs = NameDirs::lock(&specs, 1)?;
    let now = clock::wall();
    let version = new_version(options, now)?;
    let mode = folder_mode(conf)?;
    for (_, dir) in dirs.live() {
        clear(&dir.current(), mode)?;
        write_file_atomic(&dir.current().join(SEEN_TXID), storage_dir::print_number(0).as_bytes())?;
    }
    write_empty_image(conf, &dirs, &version)?;
    for (_, dir) in dirs.live() {
        let print = version.print(now);
        write_file_atomic(&dir.current().join(VERSION), print.as_bytes())?;
        tracing::info!(
            "Storage directory {} has been successfully formatted.",
            dir.spec.root.display()
        );
    }
    Ok(Formatted::Done)
}

fn new_version(options: &FormatOptions, now: WallMillis) -> Result<NameNodeVersion> {
    let mut rng = SplitMix64(random_seed()?);
    let cluster_id = match &options.cluster_id {
        Some(id) if !id.is_empty() => id.clone(),
        _ => new_cluster_id(&mut rng),
    };
    tracing::info!("Formatting using clusterid: {cluster_id}");
    let pool = new_block_pool_id(&mut rng, &identity::own_address(), now);
    let mut version = NameNodeVersion::new(new_namespace_id(&mut rng), cluster_id, pool);
    version.c_time = now;
    Ok(version)
}

/// The first image: a root folder of the user that formats.
fn write_empty_image(
    conf: &Configuration,
    dirs: &NameDirs,
    version: &NameNodeVersion,
) -> Result<()> {
    let settings = conf::namespace_conf(conf)?;
    let namespace = Namespace::new(&settings);
    let image = ImageFile::Image(TxId(0));
    let images = ImageSettings::new(conf)?;
    image_store::save(dirs, image, &images, |writer, crew| {
        namespace.save_with(writer, version.namespace_id, TxId(0), crew)
    })
}

/// `dfs.namenode.storage.dir.perm`, in octal digits.
fn folder_mode(conf: &Configuration) -> Result<u32> {
    let text = conf.get_str(&keys::DFS_NAMENODE_STORAGE_DIR_PERM);
    u32::from_str_radix(text, 8).map_err(|_| {
        let key = keys::DFS_NAMENODE_STORAGE_DIR_PERM.name;
        Error::new(ErrorKind::IllegalArgument, format!("{key}={text} is no mode in octal digits"))
    })
}

/// Empties `current/`.
fn clear(current: &Path, mode: u32) -> Result<()> {
    match std::fs::remove_dir_all(current) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(failed("remove folder", current, error));
        }
        _ => {}
    }
    create_dir_all_durable(current)?;
    std::fs::set_permissions(current, Permissions::from_mode(mode))
        .map_err(|e| failed("set the mode of", current, e))?;
    Ok(fsync_dir(current)?)
}

/// Asks whether a folder with data may be formatted.
fn confirm(root: &Path, options: &FormatOptions) -> Result<bool> {
    let name = root.display();
    let mut err = std::io::stderr();
    let said = |result: std::io::Result<()>| {
        result.map_err(|e| Error::io(format!("Cannot write to the terminal: {e}")))
    };
    if options.force {
        said(writeln!(
            err,
            "Data exists in Storage Directory root= {name}; location= null. Formatting anyway."
        ))?;
        return Ok(true);
    }
    if options.non_interactive {
        said(writeln!(
            err,
            "Running in non-interactive mode, and data appears to exist in Storage Directory root= {name}; location= \
             null. Not formatting."
        ))?;
        return Ok(false);
    }
    loop {
        said(write!(
            err,
            "Re-format filesystem in Storage Directory root= {name}; location= null ? (Y or N) "
        ))?;
        let mut line = String::new();
        let read = std::io::stdin().lock().read_line(&mut line);
        let end = read.map_err(|e| Error::io(format!("Cannot read the answer: {e}")))? == 0;
        match line.trim() {
            "y" | "Y" => return Ok(true),
            "n" | "N" => {}
            _ if end => {}
            other => {
                said(writeln!(err, "Invalid input: {other}"))?;
                continue;
            }
        }
        said(writeln!(err, "Format aborted in Storage Directory root= {name}; location= null"))?;
        return Ok(false);
    }
}

/// Unpredictable bits from the system.
pub(crate) fn random_seed() -> Result<u64> {
    let mut bytes = [0; 8];
    File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut bytes))
        .map_err(|e| Error::new(ErrorKind::Io, format!("Cannot read /dev/urandom: {e}")))?;
    Ok(u64::from_le_bytes(bytes))
}
