//! Paths of the namespace: absolute, `/`-separated, bytes on the wire.

use crate::constants::{MAX_PATH_DEPTH, MAX_PATH_LENGTH};

/// A path as bytes; never a local path, so never `std::path::Path`.
pub type HdfsPath = [u8];

/// Why a path is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PathError {
    /// It does not start with `/`.
    NotAbsolute,
    /// More than 8,000 bytes or 1,000 components.
    TooLong,
    /// A component is `.` or `..`, or holds `:` or `/`, or an empty one lies inside.
    InvalidComponent,
}

/// The components of an absolute path; repeated and trailing slashes count for nothing.
pub fn components(path: &HdfsPath) -> impl DoubleEndedIterator<Item = &[u8]> + Clone {
    path.split(|byte| *byte == b'/').filter(|component| !component.is_empty())
}

/// True for what Hadoop's `DFSUtil.isValidName` accepts: absolute, no `.` or `..`, no `:` in a component, no empty
/// component except at the end.
///
/// Hadoop: org.apache.hadoop.hdfs.DFSUtilClient.isValidName (3.5.0). `..` is accepted there below
/// `/.reserved/.inodes`; so it is here.
pub fn is_valid_name(path: &HdfsPath) -> bool {
    if path.first() != Some(&b'/') || std::str::from_utf8(path).is_err() {
        return false;
    }
    let all: Vec<&[u8]> = path.split(|byte| *byte == b'/').collect();
    let last = all.len() - 1;
    all.iter().enumerate().all(|(index, component)| match *component {
        b"." => false,
        b".." => all.len() > 4 && all[1] == b".reserved" && all[2] == b".inodes",
        b"" => index == 0 || index == last,
        other => !other.contains(&b':'),
    })
}

/// The path without repeated or trailing slashes.
///
/// # Errors
/// When it is not absolute or over the limits.
pub fn normalize(path: &HdfsPath) -> Result<Vec<u8>, PathError> {
    if path.first() != Some(&b'/') {
        return Err(PathError::NotAbsolute);
    }
    if path.len() > MAX_PATH_LENGTH || components(path).count() > MAX_PATH_DEPTH {
        return Err(PathError::TooLong);
    }
    let mut out = Vec::with_capacity(path.len());
    for component in components(path) {
        out.push(b'/');
        out.extend_from_slice(component);
    }
    if out.is_empty() {
        out.push(b'/');
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_are_normalized() {
        assert_eq!(normalize(b"//a///b/").as_deref(), Ok(b"/a/b".as_slice()));
        assert_eq!(normalize(b"/").as_deref(), Ok(b"/".as_slice()));
        assert_eq!(normalize(b"a"), Err(PathError::NotAbsolute));
        assert_eq!(normalize(&b"/a".repeat(1_001)), Err(PathError::TooLong));
    }

    #[test]
    fn names_are_valid_as_in_hadoop() {
        for good in ["/", "/a", "/a/", "/a/b", "/.reserved/.inodes/16385/.."] {
            assert!(is_valid_name(good.as_bytes()), "{good}");
        }
        for bad in ["", "a", "/a/./b", "/a/../b", "/a:b", "/a//b", "/.."] {
            assert!(!is_valid_name(bad.as_bytes()), "{bad}");
        }
    }
}
