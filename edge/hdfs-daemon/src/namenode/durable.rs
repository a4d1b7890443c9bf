//! Errors of the local disk that name the path and what was done to it. The durable helpers are `hdfs_rt::disk`.

use std::io;
use std::path::{Path, PathBuf};

use hdfs_types::Error;

/// An IO error with the path and the deed in front.
pub(crate) fn failed(deed: &str, path: &Path, error: io::Error) -> Error {
    let text = format!("Cannot {deed} {}: {error}", path.display());
    let mut wrapped = Error::from(error);
    wrapped.message = text;
    wrapped
}

/// The path with something added to its last component.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
