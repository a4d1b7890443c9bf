//! `core/` does no IO: nothing in it names files, sockets, the environment, processes, threads, a runtime or randomness.
//! Clippy's lists name functions; this net also catches what they forget.

use super::{Tree, source};

const BANNED: [&str; 8] = [
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
    "tokio::",
    "rand::",
    "std::io::stdin",
];

pub(super) fn check(tree: &Tree) -> Vec<String> {
    let mut findings = Vec::new();
    let core =
        tree.rust().filter(|(name, _)| name.starts_with("core/") && !source::is_test_file(name));
    for (name, text) in core.filter(|(name, _)| !name.contains("/examples/")) {
        let code = source::without_tests(&source::code_only(text));
        for banned in BANNED {
            for (at, _) in code.match_indices(banned) {
                let in_word =
                    code[..at].ends_with(|last: char| last.is_alphanumeric() || last == '_');
                if !in_word {
                    findings.push(format!("{name}: core/ must not use {banned}"));
                }
            }
        }
    }
    findings.dedup();
    findings
}
