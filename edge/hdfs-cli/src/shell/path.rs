//! Paths as the shell's user writes them: `hdfs://host/a`, `/a`, `a`, `file:///a`.
//!
//! Hadoop: org.apache.hadoop.fs.Path, org.apache.hadoop.fs.shell.PathData (3.5.0)

use super::failure::{Failure, Outcome};

/// A path in its parts. The path part has no repeated, no trailing slash and no `.`; `..` is resolved where it can be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ParsedPath {
    pub scheme: Option<String>,
    pub authority: Option<String>,
    pub path: String,
}

impl ParsedPath {
    /// Reads a path.
    pub(crate) fn parse(text: &str) -> Outcome<Self> {
        if text.is_empty() {
            return Err(Failure::Illegal("Can not create a Path from an empty string".into()));
        }
        let (scheme, rest) = match (text.find(':'), text.find('/')) {
            (Some(colon), slash) if slash.is_none_or(|slash| colon < slash) => {
                (Some(text[..colon].to_owned()), &text[colon + 1..])
            }
            _ => (None, text),
        };
        let (authority, path) = match rest.strip_prefix("//").filter(|after| !after.is_empty()) {
            Some(after) => after.split_at(after.find('/').unwrap_or(after.len())),
            None => ("", rest),
        };
        if let Some(scheme) = &scheme {
            if scheme.is_empty() {
                let message =
                    format!("java.net.URISyntaxException: Expected scheme name at index 0: {text}");
                return Err(Failure::Illegal(message));
            }
            if path.is_empty() && authority.is_empty() && !rest.starts_with("//") {
                let message = format!(
                    "java.net.URISyntaxException: Expected scheme-specific part at index {}: {text}",
                    text.len()
                );
                return Err(Failure::Illegal(message));
            }
            if !path.is_empty() && !path.starts_with('/') {
                let message =
                    format!("java.net.URISyntaxException: Relative path in absolute URI: {text}");
                return Err(Failure::Illegal(message));
            }
        }
        let authority = Some(authority.to_owned()).filter(|authority| !authority.is_empty());
        Ok(Self { scheme, authority, path: normalize(path) })
    }

    /// The absolute path, below `working_directory` if it is relative.
    pub(crate) fn absolute(&self, working_directory: &str) -> String {
        match self.path.as_str() {
            "" if self.scheme.is_some() => "/".to_owned(),
            "" => working_directory.to_owned(),
            path if path.starts_with('/') => path.to_owned(),
            path => normalize(&format!("{working_directory}/{path}")),
        }
    }
}

/// Without `.`, empty components and the trailing slash; `..` takes the component before it away.
pub(crate) fn normalize(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    if path.starts_with('/') { format!("/{joined}") } else { joined }
}

/// A child's path.
pub(crate) fn join(parent: &str, name: &str) -> String {
    if parent.ends_with('/') { format!("{parent}{name}") } else { format!("{parent}/{name}") }
}

/// The folder above; `None` for the root.
pub(crate) fn parent(path: &str) -> Option<&str> {
    match path.rsplit_once('/') {
        None | Some((_, "")) => None,
        Some(("", _)) => Some("/"),
        Some((parent, _)) => Some(parent),
    }
}

/// The last component; empty for the root.
pub(crate) fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

/// `path` as it is written relative to `directory`: both absolute.
pub(crate) fn relativize(directory: &str, path: &str, is_dir: bool) -> String {
    if directory == path {
        return ".".to_owned();
    }
    let from = format!("{}/", directory.trim_end_matches('/'));
    let to = if is_dir { format!("{}/", path.trim_end_matches('/')) } else { path.to_owned() };
    let same = from.bytes().zip(to.bytes()).take_while(|(a, b)| a == b).count();
    let separator = from[..same].rfind('/').unwrap_or(0);
    let mut relative = path.get(separator + 1..).unwrap_or_default().to_owned();
    let steps_up = directory.get(separator..).unwrap_or_default().matches('/').count();
    for _ in 0..steps_up {
        relative = if relative.is_empty() { "..".to_owned() } else { format!("../{relative}") };
    }
    relative
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> (Option<String>, Option<String>, String) {
        let parsed = ParsedPath::parse(text).expect(text);
        (parsed.scheme, parsed.authority, parsed.path)
    }

    #[test]
    fn paths_have_scheme_authority_and_a_clean_path() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(parts("hdfs://nn:8020//a/./b/"), (some("hdfs"), some("nn:8020"), "/a/b".into()));
        assert_eq!(parts("hdfs:///a"), (some("hdfs"), None, "/a".into()));
        assert_eq!(parts("file:/a/../b"), (some("file"), None, "/b".into()));
        assert_eq!(parts("a/b:c"), (None, None, "a/b:c".into()));
        assert_eq!(parts("."), (None, None, String::new()));
        assert_eq!(ParsedPath::parse("../x").expect("relative").absolute("/user/me"), "/user/x");
    }

    #[test]
    fn malformed_paths_have_javas_messages() {
        let message = |text: &str| ParsedPath::parse(text).expect_err(text).message().to_owned();
        assert_eq!(message(""), "Can not create a Path from an empty string");
        assert!(message("a:b").ends_with("Relative path in absolute URI: a:b"));
        assert!(message("hdfs:").ends_with("Expected scheme-specific part at index 5: hdfs:"));
    }

    #[test]
    fn matches_of_relative_globs_are_shown_relative() {
        assert_eq!(relativize("/user/me", "/user/me/a/b", false), "a/b");
        assert_eq!(relativize("/user/me", "/user/me", true), ".");
        assert_eq!(relativize("/user/me", "/user/you/a", false), "../you/a");
        assert_eq!(relativize("/user/me", "/user", true), "..");
        assert_eq!(relativize("/user/me", "/", true), "../..");
    }
}
