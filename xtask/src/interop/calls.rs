//! Metadata calls with right and wrong arguments: answers, classes and messages of errors are those of Apache's NameNode.
//!
//! The programs in `testdata/hadoop-3.5.0/calls` print what came of each call; the texts beside them are what they printed
//! on Apache's cluster: calls with wrong arguments, calls on reserved paths and snapshots, reports of differences, calls
//! that meet limits, and random calls about who may do what.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use super::cluster::{Cluster, apache, output, scratch};
use crate::ci::Count;

/// Differences that are shown.
const SHOWN: u64 = 20;

/// Programs, what they are given, and what they printed on Apache's cluster. The settings of both clusters stand in a file
/// with the name of that text.
const PROGRAMS: &[(&str, &[&str], &str)] = &[
    ("Calls", &[], "apache"),
    ("Features", &[], "features"),
    ("Diffs", &[], "diffs"),
    ("Limits", &[], "limits"),
    ("Ordered", &[], "ordered"),
    ("Rules", &["1", "6", "300"], "rules"),
];

pub(super) fn run() -> Result<Count> {
    let folder = crate::root().join("testdata/hadoop-3.5.0/calls");
    let classes = scratch("calls-classes")?;
    let jars = jars()?.join("*");
    let sources = PROGRAMS.iter().map(|(program, ..)| folder.join(format!("{program}.java")));
    output(Command::new("javac").arg("-cp").arg(jars).arg("-d").arg(&classes).args(sources))?;
    let mut sum = Count::default();
    for (program, args, text) in PROGRAMS {
        let wanted = std::fs::read_to_string(folder.join(format!("{text}.txt")))?;
        let settings = std::fs::read_to_string(folder.join(format!("{text}.conf")))?;
        let settings: Vec<&str> = settings.lines().collect();
        let ours = Cluster::start("calls", 1, &settings)?;
        let mut command = apache(program, &ours.conf());
        let printed = output(command.args(*args).env("PEER_CP", &classes))?;
        sum += compare(program, &entries(&wanted), &entries(&printed));
    }
    std::fs::remove_dir_all(&classes)?;
    Ok(sum)
}

/// Where Apache's jars are kept; the script that runs them fetches them.
pub(super) fn jars() -> Result<PathBuf> {
    let home = std::env::var_os("PEER_HOME")
        .map_or_else(|| std::env::temp_dir().join("hadoop-peer"), PathBuf::from);
    let jars = home.join("3.5.0");
    if !jars.exists() {
        bail!("{} is missing: run shared/peer/hadoop once", jars.display());
    }
    Ok(jars)
}

/// Calls with what came of them: a call is a line without indent.
fn entries(text: &str) -> Vec<(&str, String)> {
    let mut entries: Vec<(&str, String)> = Vec::new();
    for line in text.lines() {
        match entries.last_mut() {
            Some((_, answer)) if line.starts_with(' ') => {
                answer.push_str(line.trim_end());
                answer.push('\n');
            }
            _ => entries.push((line, String::new())),
        }
    }
    entries
}

fn compare(program: &str, wanted: &[(&str, String)], printed: &[(&str, String)]) -> Count {
    let mut count = Count::default();
    let mut user = "";
    for (index, (call, answer)) in wanted.iter().enumerate() {
        if call.starts_with("----") {
            user = call;
        }
        if printed.get(index).is_some_and(|ours| ours == &(*call, answer.clone())) {
            count.passed += 1;
            continue;
        }
        count.failed += 1;
        if count.failed <= SHOWN {
            let ours = printed.get(index).map_or("nothing", |(_, answer)| answer.as_str());
            println!("{program}: FAIL {user} {call}\n  Apache:\n{answer}  ours:\n{ours}");
        }
    }
    count
}
