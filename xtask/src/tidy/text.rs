//! Names of files, headers of modules, and paths that only one machine has.

use super::{Tree, source};

/// Names that say nothing about what is inside, and the form of module that the style does not use.
const BANNED_NAMES: [&str; 6] =
    ["utils.rs", "util.rs", "common.rs", "helpers.rs", "misc.rs", "mod.rs"];

pub(super) fn check(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    for (name, text) in tree.rust() {
        let file = name.rsplit('/').next().unwrap_or(name);
        if BANNED_NAMES.contains(&file) {
            findings.push(format!(
                "{name}: a file is named for what it holds, and modules are foo.rs + foo/"
            ));
        }
        let first = text.lines().find(|line| !line.trim().is_empty() && !line.starts_with("#!["));
        let test_module = name.ends_with("/tests.rs");
        if !test_module && !first.is_some_and(|line| line.starts_with("//!")) {
            findings.push(format!("{name}: a module opens with a `//!` header"));
        }
    }
    for (name, text) in tree.iter() {
        for (number, line) in text.lines().enumerate() {
            if let Some(path) = machine_path(line) {
                let in_test =
                    path == PEER && (source::is_test_file(name) || line.contains("PEER_HOME"));
                if !in_test {
                    findings
                        .push(format!("{name}:{}: {path} exists on one machine only", number + 1));
                }
            }
        }
    }
    findings
}

/// Built from parts, so that this file does not find itself.
const PEER: &str = concat!("/tmp/", "hadoop-peer");
const MACHINE_PATHS: [&str; 3] = [PEER, concat!("/wo", "rk/"), concat!("/ro", "ot/")];

/// The path of one machine that a line names, if it does. A path below another one (`x/work/`) is none.
fn machine_path(line: &str) -> Option<&'static str> {
    MACHINE_PATHS.into_iter().find(|path| {
        line.match_indices(path).any(|(at, _)| {
            !line[..at].ends_with(|last: char| last.is_alphanumeric() || "._-}/*".contains(last))
        })
    })
}
