//! `-finalizeUpgrade`, `-upgrade`, `-rollingUpgrade`, `-fetchImage` and where snapshots are allowed.
//!
//! Hadoop: org.apache.hadoop.hdfs.tools.DFSAdmin, org.apache.hadoop.hdfs.server.namenode.TransferFsImage (3.5.0)

use std::fs::File;
use std::io::Write;
use std::path::Path;

use hdfs_client::blocking::HdfsClient;
use hdfs_client::{RollingUpgrade, RollingUpgradeAction};
use hdfs_conf::{Configuration, HostPort, keys};
use hdfs_types::{Error, ErrorKind, FsPermission, Result};
use md5::{Digest, Md5};

use super::{Call, illegal};
use crate::output::say;
use crate::shell::format::java_date;
use hdfs_rt::http::client as http_get;

pub(super) fn finalize(call: &Call<'_>) -> Result<i32> {
    call.client()?.finalize_upgrade()?;
    say!("Finalize upgrade successful");
    Ok(0)
}

pub(super) fn upgrade(call: &Call<'_>) -> Result<i32> {
    match call.args[0].to_ascii_lowercase().as_str() {
        "query" => {
            let finalized = call.client()?.is_upgrade_finalized()?;
            say!("{}", if finalized { "Upgrade finalized" } else { "Upgrade not finalized" });
            Ok(0)
        }
        "finalize" => finalize(call),
        _ => Ok(call.usage()),
    }
}

pub(super) fn rolling(call: &Call<'_>) -> Result<i32> {
    let word = call.args.first().map_or("", String::as_str);
    let (action, name) = match word.to_ascii_uppercase().as_str() {
        "" | "QUERY" => (RollingUpgradeAction::Query, "QUERY"),
        "PREPARE" => (RollingUpgradeAction::Prepare, "PREPARE"),
        "FINALIZE" => (RollingUpgradeAction::Finalize, "FINALIZE"),
        _ => return Err(illegal(format!("Failed to convert \"{word}\" to RollingUpgradeAction"))),
    };
    let client = call.client()?;
    say!("{name} rolling upgrade ...");
    match client.rolling_upgrade(action)? {
        None => say!(
            "There is no rolling upgrade in progress or rolling upgrade has already been finalized."
        ),
        Some(upgrade) => say!("{}", describe(&upgrade)),
    }
    Ok(0)
}

fn describe(upgrade: &RollingUpgrade) -> String {
    let head = match (upgrade.finalized, upgrade.has_rollback_image) {
        (Some(_), _) => "Rolling upgrade is finalized.",
        (None, true) => "Proceed with rolling upgrade:",
        (None, false) => {
            "Preparing for upgrade. Data is being saved for rollback.\nRun \"dfsadmin -rollingUpgrade query\" to check \
             the status\nfor proceeding with rolling upgrade"
        }
    };
    let time = |millis: u64| format!("{} (={millis})", java_date(millis));
    let ended = upgrade.finalized.map_or_else(|| "<NOT FINALIZED>".into(), |at| time(at.0));
    format!(
        "{head}\n  Block Pool ID: {}\n     Start Time: {}\n  Finalize Time: {ended}",
        upgrade.block_pool,
        time(upgrade.started.0)
    )
}

/// Takes the newest image over HTTP, with a look at its length and digest.
pub(super) fn fetch_image(call: &Call<'_>) -> Result<i32> {
    let folder = Path::new(&call.args[0]);
    // Hadoop asks the NameNode first: what has none is refused.
    call.client()?;
    let web = web_address(call.conf)?;
    let path = "/imagetransfer?getimage=1&txid=latest";
    let response = http_get::get(&web, path)?;
    if response.status != 200 {
        return Err(Error::io(format!(
            "Image transfer servlet at http://{web}{path} failed with status code {}\nResponse message:\n{}",
            response.status, response.reason
        )));
    }
    let name =
        response.header("content-disposition").and_then(|value| value.split_once("filename="));
    let name = name.map(|(_, name)| name.trim_matches('"').to_owned());
    let name = name.filter(|name| name.starts_with("fsimage_") && !name.contains('/'));
    let name = name.ok_or_else(|| {
        Error::io(format!("http://{web}{path} does not say which image it sends"))
    })?;
    let (target, partial) = (folder.join(&name), folder.join(format!("{name}.partial")));
    let failed = |error: std::io::Error| {
        Error::io(format!("write {}: {error}", partial.display())).with_source(error)
    };
    let wanted = response.header("x-md5-digest").map(str::to_ascii_lowercase);
    let file = File::create(&partial).map_err(failed)?;
    let mut image = Digesting { file, md5: Md5::new() };
    let copied = response.copy_to(&mut image);
    let whole = copied.and_then(|_| Ok(image.file.sync_all()?)).and_then(|()| {
        let found: String = image.md5.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        match wanted {
            Some(wanted) if wanted != found => Err(Error::io(format!(
                "File http://{web}{path} computed digest {found} does not match advertised digest {wanted}"
            ))),
            _ => Ok(()),
        }
    });
    if let Err(error) = whole {
        // The partial file is of no use; that it stays if this fails does no harm.
        let _ = std::fs::remove_file(&partial);
        return Err(error);
    }
    std::fs::rename(&partial, &target).map_err(failed)?;
    Ok(0)
}

/// A file and the digest of what was written to it.
struct Digesting {
    file: File,
    md5: Md5,
}

impl Write for Digesting {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.md5.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

/// The NameNode's web server: its key, on the NameNode's own host when that names none.
pub(crate) fn web_address(conf: &Configuration) -> Result<HostPort> {
    let mut web = conf.get_host_port(&keys::DFS_NAMENODE_HTTP_ADDRESS)?;
    if web.host == "0.0.0.0" {
        web.host = conf.namenode_rpc_address()?.host;
    }
    Ok(web)
}

pub(super) fn allow_snapshot(call: &Call<'_>) -> Result<i32> {
    let path = &call.args[0];
    let client = call.client()?;
    let directory = absolute(call, path)?;
    client.allow_snapshot(&directory)?;
    if client.server_defaults()?.snapshot_trash_root_enabled {
        make_trash(call, &directory)?;
    }
    say!("Allowing snapshot on {path} succeeded");
    Ok(0)
}

pub(super) fn disallow_snapshot(call: &Call<'_>) -> Result<i32> {
    let path = &call.args[0];
    let client = call.client()?;
    let directory = absolute(call, path)?;
    remove_empty_trash(client, &directory)?;
    client.disallow_snapshot(&directory)?;
    say!("Disallowing snapshot on {path} succeeded");
    Ok(0)
}

/// A path without a leading slash starts from the user's home, as everywhere.
fn absolute(call: &Call<'_>, path: &str) -> Result<String> {
    Ok(match path {
        "" => return Err(illegal("Can not create a Path from an empty string")),
        path if path.starts_with('/') => path.to_owned(),
        path if path.starts_with("hdfs://") => {
            let rest = path.trim_start_matches("hdfs://");
            rest.find('/').map_or_else(|| "/".to_owned(), |at| rest[at..].to_owned())
        }
        path => format!("{}/{path}", call.client()?.inner().home_directory()),
    })
}

/// Mode of a trash folder that everybody may use.
const TRASH_PERMISSION: FsPermission = FsPermission(0o1777);

pub(super) fn provision_trash(call: &Call<'_>) -> Result<i32> {
    let client = call.client()?;
    if call.args[0] != "-all" {
        return provision(call, &absolute(call, &call.args[0])?);
    }
    for path in client.snapshottable_paths()? {
        provision(call, &path)?;
    }
    Ok(0)
}

/// What lies in the trash of a directory is not left behind.
///
/// Hadoop: org.apache.hadoop.hdfs.DistributedFileSystem.checkTrashRootAndRemoveIfEmpty (3.5.0)
fn remove_empty_trash(client: &HdfsClient, directory: &str) -> Result<()> {
    let trash = format!("{}/.Trash", directory.trim_end_matches('/'));
    match client.list(&trash).next() {
        None => match client.file_info(&trash)? {
            Some(found) if found.is_dir() => client.delete(&trash, false).map(drop),
            _ => Ok(()),
        },
        Some(Ok(entry)) if entry.is_file() && entry.path == trash => Ok(()),
        Some(Ok(_)) => Err(Error::io(format!(
            "Found non-empty trash root at {trash}. Rename or delete it, then try again."
        ))),
        Some(Err(error)) => match error.kind {
            ErrorKind::FileNotFound | ErrorKind::AccessControl => Ok(()),
            _ => Err(error),
        },
    }
}

fn provision(call: &Call<'_>, path: &str) -> Result<i32> {
    let trash = make_trash(call, path)?;
    say!("Successfully provisioned snapshot trash at {trash}");
    Ok(0)
}

fn make_trash(call: &Call<'_>, path: &str) -> Result<String> {
    let client = call.client()?;
    if !client.status(path)?.is_snapshot_enabled {
        return Err(illegal(format!("{path} is not a snapshottable directory.")));
    }
    let trash = format!("{}/.Trash", path.trim_end_matches('/'));
    if let Some(found) = client.file_info(&trash)? {
        let mut problems = String::new();
        if !found.is_dir() {
            problems.push_str(&format!("\r\nWARNING: {trash} is not a directory."));
        }
        if found.permission != TRASH_PERMISSION {
            problems.push_str(&format!(
                "\r\nWARNING: Permission of {trash} differs from provided permission rwxrwxrwt"
            ));
        }
        if !problems.is_empty() {
            return Err(Error::new(
                ErrorKind::FileAlreadyExists,
                format!(
                    "Can't provision trash for snapshottable directory {path} because trash path {trash} already \
                     exists.{problems}"
                ),
            ));
        }
    }
    client.mkdirs(&trash, Some(TRASH_PERMISSION), false)?;
    client.set_permission(&trash, TRASH_PERMISSION)?;
    Ok(trash)
}
