//! Checks that keep the style true without reviewers: layers, sizes, headers, purity, names, paths, changelog.
//!
//! Every check is a file that turns the tree into findings. None of them writes.

mod changelog;
mod layers;
mod purity;
mod sizes;
mod source;
mod text;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

/// The files under version control, or about to be, with their text where they are text.
pub(crate) struct Tree {
    files: Vec<(String, String)>,
}

impl Tree {
    fn read(root: &Path) -> Result<Self> {
        let listed = Command::new("git")
            .args(["ls-files", "--cached", "--others", "--exclude-standard", "-z"])
            .current_dir(root)
            .output()
            .context("list the files with git")?;
        let names = String::from_utf8(listed.stdout)?;
        let mut files = Vec::new();
        for name in names.split_terminator('\0') {
            let path: PathBuf = root.join(name);
            // A file may be deleted and still listed; binary files are nobody's style.
            if let Some(text) =
                std::fs::read(path).ok().and_then(|bytes| String::from_utf8(bytes).ok())
            {
                files.push((name.to_owned(), text));
            }
        }
        Ok(Self { files })
    }

    /// Path, relative to the root, and text of every text file.
    fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(name, text)| (name.as_str(), text.as_str()))
    }

    /// The same for Rust that somebody wrote.
    fn rust(&self) -> impl Iterator<Item = (&str, &str)> {
        self.iter().filter(|(name, _)| name.ends_with(".rs") && !name.contains("/generated/"))
    }
}

/// Runs every check; with `tighten` it also lowers the ratchet to what the tree needs.
pub(crate) fn run(tighten: bool) -> Result<()> {
    let root = crate::root();
    let tree = Tree::read(&root)?;
    if tighten {
        sizes::tighten(&tree, &root)?;
    }
    let checks: [fn(&Tree) -> Vec<String>; 5] =
        [layers::check, sizes::check, purity::check, text::check, changelog::check];
    let findings: Vec<String> = checks.iter().flat_map(|check| check(&tree)).collect();
    for finding in &findings {
        eprintln!("{finding}");
    }
    if !findings.is_empty() {
        bail!("tidy: {} findings", findings.len());
    }
    Ok(())
}
