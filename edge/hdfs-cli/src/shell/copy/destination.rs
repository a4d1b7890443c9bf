//! Where copies and moves go, and what Hadoop refuses beforehand.
//!
//! Hadoop: org.apache.hadoop.fs.shell.CommandWithDestination (3.5.0)

use std::sync::Arc;

use crate::shell::Shell;
use crate::shell::failure::{Failure, Outcome};
use crate::shell::path;
use crate::shell::walk::PathData;

/// The last argument of a copy or move.
#[derive(Default)]
pub(crate) struct Destination {
    /// The path; always there once options are read. Of a recursive copy, the folder that is being filled.
    pub path: Option<PathData>,
    /// It may be an existing file.
    pub overwrite: bool,
}

impl Destination {
    /// A path on the local file system; the working directory when there is only a source.
    pub(crate) fn local(shell: &mut Shell, args: &mut Vec<String>) -> Outcome<Self> {
        let text = if args.len() < 2 { ".".to_owned() } else { args.pop().unwrap_or_default() };
        if text.strip_prefix("file:").is_some_and(|rest| !rest.starts_with('/')) {
            return Err(Failure::Illegal("Can not create a Path from a null string".into()));
        }
        Ok(Self { path: Some(shell.local(&text)?), overwrite: false })
    }

    /// A path on any file system, which may be a glob with one match.
    pub(crate) fn any(shell: &mut Shell, args: &mut Vec<String>) -> Outcome<Self> {
        let path = if args.len() < 2 {
            shell.literal(".")?
        } else {
            let text = args.pop().unwrap_or_default();
            let mut found = shell.glob_required(&text)?;
            if found.len() > 1 {
                return Err(Failure::path(&text, "Too many matches"));
            }
            found.swap_remove(0)
        };
        Ok(Self { path: Some(path), overwrite: false })
    }

    fn known(&self) -> Outcome<&PathData> {
        self.path.as_ref().ok_or_else(|| Failure::Fatal("there is no destination".into()))
    }

    /// Several sources need an existing directory; one needs at least a parent to be put into.
    pub(crate) fn check(&self, sources: &[PathData]) -> Outcome<()> {
        let path = self.known()?;
        if sources.len() > 1 {
            return match path.is_dir() {
                true => Ok(()),
                false if path.exists() => Err(Failure::is_no_directory(&path.text)),
                false => Err(Failure::not_found(&path.text)),
            };
        }
        if path.exists() {
            let taken = !path.is_dir() && !self.overwrite;
            return if taken { Err(Failure::exists(&path.text)) } else { Ok(()) };
        }
        if path.parent_exists()? {
            return Ok(());
        }
        let full = path.uri();
        let in_full = if full == path.text { String::new() } else { format!(": `{full}'") };
        Err(Failure::path(&path.text, &format!("No such file or directory{in_full}")))
    }

    /// A directory can go neither onto itself nor below itself.
    pub(crate) fn refuse_inside(&self, source: &PathData) -> Outcome<()> {
        if !source.is_dir() || source.fs.uri() != self.known()?.fs.uri() {
            return Ok(());
        }
        let target = self.target(0, source)?;
        let refuse =
            |to: &str, why: &str| Err(Failure::io(format!("`{}' to `{to}': {why}", source.text)));
        if target.path == source.path {
            return refuse(&target.qualified(), "are identical");
        }
        let inside = format!("{}/", source.path.trim_end_matches('/'));
        if target.path.starts_with(&inside) {
            return refuse(&target.text, "is a subdirectory of itself");
        }
        Ok(())
    }

    /// What a source at this depth becomes.
    pub(crate) fn target(&self, depth: usize, source: &PathData) -> Outcome<PathData> {
        let path = self.known()?;
        if depth > 0 || path.is_dir() || path.looks_like_directory() {
            path.child(path::name(&source.path))
        } else {
            Ok(PathData { fs: Arc::clone(&path.fs), ..path.clone() })
        }
    }

    /// The target of a directory, which is made if it is missing.
    pub(crate) fn enter(&self, depth: usize, source: &PathData) -> Outcome<PathData> {
        let mut target = self.target(depth, source)?;
        if target.exists() {
            return if target.is_dir() {
                Ok(target)
            } else {
                Err(Failure::is_no_directory(&target.text))
            };
        }
        if !target.fs.mkdirs(&target.path)? {
            return Err(Failure::io(format!("mkdir `{}': Input/output error", target.text)));
        }
        target.refresh()?;
        Ok(target)
    }
}
