//! XML back to an image, with the file of its digest.
//!
//! Hadoop: org.apache.hadoop.hdfs.tools.offlineImageViewer.OfflineImageReconstructor (3.5.0)

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use hdfs_format::fsimage::ImageDigest;
use hdfs_format::fsimage::xml::read_xml;
use hdfs_format::storage_dir::{MD5_SUFFIX, print_md5};
use hdfs_rt::disk::write_file_atomic;
use hdfs_rt::mapped::MappedFile;

use super::Failure;

/// Writes the image `to`, which is a file even when its name is `-`. The digest comes last: without it the image is
/// not whole.
pub(super) fn run(document: &str, to: &str) -> Result<i32, Failure> {
    let to = Path::new(to);
    let md5 = with_suffix(to);
    remove(&md5)?;
    let digest = convert(Path::new(document), to)?;
    let name = to.file_name().unwrap_or_default().to_string_lossy();
    write_file_atomic(&md5, print_md5(&digest.md5, &name).as_bytes())
        .map_err(|error| Failure::Reverse(error.to_string()))?;
    Ok(0)
}

fn convert(document: &Path, to: &Path) -> Result<ImageDigest, Failure> {
    remove(to)?;
    let out = File::create(to).map_err(|error| failed(to, &error))?;
    let document = MappedFile::open(document).map_err(|error| failed(document, &error))?;
    read_xml(&document, out).map_err(|error| Failure::Reverse(error.to_string()))
}

fn with_suffix(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(MD5_SUFFIX);
    name.into()
}

fn remove(path: &Path) -> Result<(), Failure> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(path, &error)),
        _ => Ok(()),
    }
}

/// Java's NoSuchFileException and its like have the name of the file for a message.
fn failed(path: &Path, error: &io::Error) -> Failure {
    let path = path.display();
    Failure::Reverse(match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => path.to_string(),
        _ => {
            let text = error.to_string();
            format!("{path}: {}", text.split(" (os error").next().unwrap_or_default())
        }
    })
}
