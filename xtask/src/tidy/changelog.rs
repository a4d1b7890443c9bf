//! The changelog's form: releases, kinds, and lines that end with the number of their issue.

use super::Tree;

const KINDS: [&str; 5] = ["Compatibility", "Safety", "Performance", "Features", "Fixes"];

pub(super) fn check(tree: &Tree) -> Vec<String> {
    let Some((name, text)) = tree.iter().find(|(name, _)| *name == "CHANGELOG.md") else {
        return vec!["CHANGELOG.md is missing".to_owned()];
    };
    let mut findings = Vec::new();
    for line in text.lines() {
        if let Some(kind) = line.strip_prefix("### ").filter(|kind| !KINDS.contains(kind)) {
            findings.push(format!("{name}: \"{kind}\" is none of {}", KINDS.join(", ")));
        }
    }
    // An entry runs to the next one, the next heading or an empty line.
    let entries = text.split("\n- ").skip(1);
    for entry in entries.map(|rest| rest.split("\n\n").next().unwrap_or(rest)) {
        let number = entry.trim_end().strip_suffix(')').and_then(|rest| rest.rsplit_once('('));
        if !number.is_some_and(|(_, number)| {
            !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())
        }) {
            let start: String = entry.chars().take(50).collect();
            findings.push(format!("{name}: \"{start}…\" does not end with its issue, as in (3)"));
        }
    }
    findings
}
