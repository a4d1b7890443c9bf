//! Paths of the shell and keys of a bucket.

use object_store::path::Path;

use crate::shell::failure::{Failure, Outcome};

/// The key of a file: the path without its first slash.
pub(super) fn key_of(path: &str) -> &str {
    path.strip_prefix('/').unwrap_or(path)
}

/// What every key below a directory begins with; empty for the root.
pub(super) fn prefix_of(path: &str) -> String {
    match key_of(path) {
        "" => String::new(),
        key => format!("{key}/"),
    }
}

/// The path of a key, be it a file's or a directory's.
pub(super) fn path_of(key: &str) -> String {
    format!("/{}", key.trim_end_matches('/'))
}

/// What follows the prefix in the key of a file; `None` for a marker of a directory.
pub(super) fn child_of<'a>(prefix: &str, key: &'a str) -> Option<&'a str> {
    key.strip_prefix(prefix).filter(|name| !name.is_empty() && !name.ends_with('/'))
}

/// A key as the S3 library has it.
pub(super) fn object(key: &str) -> Outcome<Path> {
    Path::parse(key).map_err(|error| Failure::Illegal(format!("{key} is no key of S3: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_no_slash_in_front_and_directories_one_at_the_end() {
        assert_eq!((key_of("/a/b"), prefix_of("/a/b").as_str()), ("a/b", "a/b/"));
        assert_eq!(prefix_of("/"), "");
        assert_eq!((path_of("a/b/"), path_of("a")), ("/a/b".to_owned(), "/a".to_owned()));
        assert_eq!(
            (child_of("a/", "a/b/c"), child_of("a/", "a/"), child_of("a/", "a/b/")),
            (Some("b/c"), None, None)
        );
        assert_eq!(object("ü %?/x").unwrap().as_ref(), "ü %?/x");
    }
}
