//! Sizes of files and functions (STYLE 3.4), with a ratchet for what was larger once.
//!
//! `xtask/ratchet.txt` lists files and functions over the limit with their size; a size there may only shrink, and a line
//! that is not needed any more must go.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::{Tree, source};

/// Lines of production code in a file.
const FILE_CAP: usize = 1_000;
/// Lines of a function.
const FUNCTION_CAP: usize = 70;
/// Tables: one entry a line, as long as the facts are many.
const TABLES: [&str; 1] = ["core/hdfs-types/src/error.rs"];
const RATCHET: &str = "xtask/ratchet.txt";

/// What is over its limit: "path" or "path function", and its size.
fn oversized(tree: &Tree) -> BTreeMap<String, usize> {
    let mut over = BTreeMap::new();
    for (name, text) in tree.rust().filter(|(name, _)| !source::is_test_file(name)) {
        if TABLES.contains(&name) || name.starts_with("core/hdfs-conf/src/keys/") {
            continue;
        }
        let code = source::without_tests(&source::code_only(text));
        let production = code.lines().count();
        if production > FILE_CAP {
            over.insert(name.to_owned(), production);
        }
        for (function, _, lines) in source::functions(&code) {
            if lines > FUNCTION_CAP {
                over.insert(format!("{name} {function}"), lines);
            }
        }
    }
    over
}

fn ratchet(tree: &Tree) -> BTreeMap<String, usize> {
    let text = tree.iter().find(|(name, _)| *name == RATCHET).map_or("", |(_, text)| text);
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| line.rsplit_once(' '))
        .filter_map(|(what, size)| Some((what.to_owned(), size.parse().ok()?)))
        .collect()
}

pub(super) fn check(tree: &Tree) -> Vec<String> {
    let (over, allowed) = (oversized(tree), ratchet(tree));
    let mut findings = Vec::new();
    for (what, size) in &over {
        let cap = if what.contains(' ') { FUNCTION_CAP } else { FILE_CAP };
        match allowed.get(what) {
            Some(limit) if size <= limit => {}
            Some(limit) => {
                findings.push(format!("{what}: {size} lines, and the ratchet allows {limit}"))
            }
            None => findings.push(format!("{what}: {size} lines, and the cap is {cap}")),
        }
    }
    for (what, limit) in &allowed {
        if over.get(what).is_none_or(|size| size < limit) {
            findings
                .push(format!("{RATCHET}: {what} has shrunk: run `cargo xtask tidy --tighten`"));
        }
    }
    findings
}

/// Lowers or drops the lines of the ratchet that the tree no longer needs; never raises or adds one.
pub(super) fn tighten(tree: &Tree, root: &Path) -> Result<()> {
    let (over, allowed) = (oversized(tree), ratchet(tree));
    let mut text = "# Files and functions over the size limits, with their lines. A line may only shrink or go.\n".to_owned();
    for (what, limit) in allowed {
        if let Some(size) = over.get(&what) {
            text.push_str(&format!("{what} {}\n", limit.min(*size)));
        }
    }
    std::fs::write(root.join(RATCHET), text).context("write the ratchet")
}
