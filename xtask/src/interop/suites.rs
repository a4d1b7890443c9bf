//! The published suites of `../shared/conformance`, each with the cluster that it needs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::cluster::{Cluster, scratch};
use crate::ci::Count;

/// Classes of `minicluster.sh` that run in every gate; the whole sweep is `cargo xtask interop minicluster-all`.
const MINICLUSTER: &str = "TestFileCreationClient|TestSetrepDecreasing|TestFileLengthOnClusterRestart|TestPersistBlocks|\
                           TestSetTimes|TestBatchedListDirectories";

/// Cases of testHDFSConf.xml in Hadoop 3.5.0.
const SHELL_CASES: u64 = 672;

/// The shell's expectations, with Apache's shell.
pub(super) fn cli() -> Result<Count> {
    let cluster = Cluster::start(
        "cli",
        3,
        &["hadoop.security.authorization=true", "dfs.namenode.fs-limits.min-block-size=0"],
    )?;
    let count = suite("cli", "cli.sh", &[path(&cluster.conf())?, "testHDFSConf"])?;
    let cases = count.passed + count.failed + count.skipped;
    if cases != SHELL_CASES {
        bail!("testHDFSConf.xml has {SHELL_CASES} cases, and {cases} ran");
    }
    Ok(count)
}

/// The Go client's tests.
pub(super) fn go() -> Result<Count> {
    let cluster = Cluster::start("go", 3, &["dfs.namenode.fs-limits.min-block-size=0"])?;
    suite("go", "go.sh", &[path(&cluster.conf())?])
}

/// Hadoop's FileSystem contract.
pub(super) fn contract() -> Result<Count> {
    let arguments = std::fs::read_to_string(super::shared().join("conformance/contract.args"))?;
    let settings: Vec<&str> =
        arguments.lines().filter_map(|line| line.strip_prefix("-D ")).collect();
    let cluster = Cluster::start("contract", 4, &settings)?;
    suite("contract", "contract.sh", &[path(&cluster.conf())?])
}

/// Hadoop's end-to-end classes on clusters of our daemons.
pub(super) fn minicluster() -> Result<Count> {
    suite("minicluster", "minicluster.sh", &[path(&super::binary())?, MINICLUSTER])
}

fn path(path: &Path) -> Result<&str> {
    path.to_str().context("a path that is not UTF-8")
}

/// Runs a script of the suites and compares its cases with what Apache passes and with the known failures.
fn suite(name: &str, script: &str, arguments: &[&str]) -> Result<Count> {
    let dir = scratch(&format!("{name}-results"))?;
    let results = dir.join("results.tsv");
    let log = std::fs::File::create(dir.join("log"))?;
    // The script's own status only says whether anything failed: the cases tell.
    Command::new(super::shared().join("conformance").join(script))
        .args(arguments)
        .env("RESULT", &results)
        .stdin(std::process::Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .status()
        .with_context(|| format!("run {script}"))?;
    let cases = read_results(&results)?;
    // The shell's suite says so when any case failed; the cases themselves say which.
    let cases: Vec<Case> = cases.into_iter().filter(|case| case.name != "cli#<jvm>").collect();
    if cases.is_empty() {
        bail!("{script} ran no case; see {}", dir.join("log").display());
    }
    let count = judge(name, &cases, &apache_passes(name)?, &known_failures(name)?);
    if count.failed == 0 {
        std::fs::remove_dir_all(&dir)?;
    } else {
        println!("results and log are in {}", dir.display());
    }
    Ok(count)
}

/// One case: `Class#method`, or `suite#name`.
struct Case {
    name: String,
    status: String,
    reason: String,
}

fn read_results(file: &Path) -> Result<Vec<Case>> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    Ok(text
        .lines()
        .filter_map(|line| {
            let mut fields = line.split('\t');
            let (status, class, name) = (fields.next()?, fields.next()?, fields.next()?);
            Some(Case {
                name: format!("{class}#{name}"),
                status: status.to_owned(),
                reason: fields.nth(1).unwrap_or_default().chars().take(200).collect(),
            })
        })
        .collect())
}

/// The cases that pass on Apache, where a record of its run exists; without one every case is expected to pass.
fn apache_passes(suite: &str) -> Result<Option<BTreeSet<String>>> {
    let mode = match suite {
        "contract" => "attach",
        "minicluster" => "launch",
        _ => return Ok(None),
    };
    let text = std::fs::read_to_string(super::shared().join("conformance/apache.tsv"))?;
    Ok(Some(
        text.lines()
            .filter_map(|line| {
                let fields: Vec<&str> = line.split('\t').collect();
                (fields.len() >= 4 && fields[0] == mode && fields[3] == "pass")
                    .then(|| format!("{}#{}", fields[1], fields[2]))
            })
            .collect(),
    ))
}

/// The known failures of a suite: case to reason.
fn known_failures(suite: &str) -> Result<BTreeMap<String, String>> {
    let file = crate::root().join("conformance/known-failures.tsv");
    let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    let mut known = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let fields: Vec<&str> = line.split('\t').collect();
        let [of, case, reason] = fields.as_slice() else {
            bail!("{}: want suite, case, reason in: {line}", file.display());
        };
        if *of == suite {
            known.insert((*case).to_owned(), (*reason).to_owned());
        }
    }
    Ok(known)
}

fn judge(
    suite: &str,
    cases: &[Case],
    apache: &Option<BTreeSet<String>>,
    known: &BTreeMap<String, String>,
) -> Count {
    let mut count = Count::default();
    for case in cases {
        let wanted = apache.as_ref().is_none_or(|passes| passes.contains(&case.name));
        match case.status.as_str() {
            "pass" => {
                count.passed += 1;
                if known.contains_key(&case.name) {
                    println!(
                        "{suite}: {} passes now: take it out of known-failures.tsv",
                        case.name
                    );
                }
            }
            // What Apache passes and we skip is not a pass either.
            "fail" | "skip"
                if wanted
                    && !known.contains_key(&case.name)
                    && !(apache.is_none() && case.status == "skip") =>
            {
                count.failed += 1;
                println!("{suite}: {} {}: {}", case.status.to_uppercase(), case.name, case.reason);
            }
            _ => count.skipped += 1,
        }
    }
    println!(
        "{suite}: {} passed, {} failed, {} known or without meaning",
        count.passed, count.failed, count.skipped
    );
    count
}
