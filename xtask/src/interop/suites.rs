//! The published suites of `../shared/conformance`, each with the cluster that it needs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

mod classes;

use super::cluster::{Cluster, apache, output, scratch};
use super::peer_cluster::PeerCluster;
use crate::ci::Count;
use classes::{ATTACHED, LAUNCHED, LAUNCHED_CASES, MINICLUSTER, Recorded, recorded};

/// Cases of testHDFSConf.xml in Hadoop 3.5.0.
const SHELL_CASES: u64 = 672;

/// Cases that run, those aside that are skipped on any cluster of three DataNodes.
const CLI_CASES: u64 = 839;

/// The shell's expectations, with Apache's shell.
pub(super) fn cli() -> Result<Count> {
    let cluster = Cluster::start("cli", 3, &CLI_SETTINGS)?;
    let count = suite("cli", "cli.sh", &[path(&cluster.conf())?, "testHDFSConf"])?;
    // One case asks for DataNodes on four racks, and is skipped on Apache's cluster as well.
    let cases = count.passed + count.failed + count.skipped;
    if cases != SHELL_CASES - 1 {
        bail!("testHDFSConf.xml has {} cases that run, and {cases} ran", SHELL_CASES - 1);
    }
    Ok(count)
}

/// What `cli.sh --needs` asks for, but for the key provider, which is a file of the run.
const CLI_SETTINGS: [&str; 2] =
    ["hadoop.security.authorization=true", "dfs.namenode.fs-limits.min-block-size=0"];

/// Every expectation, with our command on our cluster.
pub(super) fn cli_ours() -> Result<Count> {
    let keys = scratch("cli-ours-keys")?;
    let provider = format!("jceks://file{}/keys.jceks", path(&keys)?);
    output(Command::new(super::binary()).arg("key").args(NEW_KEY).args(["-provider", &provider]))?;
    let provider = format!("hadoop.security.key.provider.path={provider}");
    let [first, second] = CLI_SETTINGS;
    let cluster = Cluster::start("cli-ours", 3, &[first, second, &provider])?;
    let count = our_cli("cli-ours", &cluster.conf());
    std::fs::remove_dir_all(&keys)?;
    count
}

/// Every expectation, with our command on Apache's cluster.
pub(super) fn cli_apache() -> Result<Count> {
    let keys = scratch("cli-keys")?;
    let provider = format!("jceks://file{}/keys.jceks", path(&keys)?);
    let shell = "org.apache.hadoop.crypto.key.KeyShell";
    output(apache(shell, &keys).args(NEW_KEY).args(["-provider", &provider]))?;
    let provider = format!("hadoop.security.key.provider.path={provider}");
    let [first, second] = CLI_SETTINGS;
    let cluster = PeerCluster::up("cli-apache", "", 3, 21_300, &[first, second, &provider])?;
    let count = our_cli("cli-apache", &cluster.conf());
    std::fs::remove_dir_all(&keys)?;
    count
}

/// The key that the cases on encryption zones want.
const NEW_KEY: [&str; 4] = ["create", "mykey", "-size", "128"];

fn our_cli(name: &str, conf: &Path) -> Result<Count> {
    let binary = super::binary();
    let count = suite_with(name, "cli.sh", &[path(conf)?], &[("HDFS_CLI", path(&binary)?)])?;
    let cases = count.passed + count.failed + count.skipped;
    if cases < CLI_CASES {
        bail!("{CLI_CASES} cases or more are to run, and {cases} ran");
    }
    Ok(count)
}

/// WebHDFS through Python's clients.
pub(super) fn python() -> Result<Count> {
    let cluster = Cluster::start("python", 3, &["dfs.namenode.fs-limits.min-block-size=0"])?;
    suite("python", "python.sh", &[path(&cluster.conf())?])
}

/// The Go client's tests.
pub(super) fn go() -> Result<Count> {
    let cluster = Cluster::start("go", 3, &["dfs.namenode.fs-limits.min-block-size=0"])?;
    suite("go", "go.sh", &[path(&cluster.conf())?])
}

/// Hadoop's FileSystem contract.
pub(super) fn contract() -> Result<Count> {
    let cluster = contract_cluster("contract")?;
    suite("contract", "contract.sh", &[path(&cluster.conf())?])
}

/// A cluster with the settings that the contract classes need.
fn contract_cluster(name: &str) -> Result<Cluster> {
    let arguments = std::fs::read_to_string(super::shared().join("conformance/contract.args"))?;
    let settings: Vec<&str> =
        arguments.lines().filter_map(|line| line.strip_prefix("-D ")).collect();
    Cluster::start(name, 4, &settings)
}

/// One JVM a class: some leave a login behind that others can't use.
const OWN_JVMS: [(&str, &str); 1] = [("PER_CLASS", "1")];

/// Classes on a running cluster.
pub(super) fn attached() -> Result<Count> {
    let cluster = contract_cluster("attached")?;
    let conf = cluster.conf();
    let mut arguments = vec!["attach", path(&conf)?];
    arguments.extend(ATTACHED);
    suite_with("attached", "junit.sh", &arguments, &OWN_JVMS)
}

/// Classes that start daemons of their own.
pub(super) fn launched() -> Result<Count> {
    let binary = super::binary();
    let mut arguments = vec!["launch", path(&binary)?];
    arguments.extend(LAUNCHED);
    // The cases of one class share a JVM.
    let parts: Vec<String> = LAUNCHED_CASES
        .iter()
        .map(|(class, cases)| {
            let cases: Vec<String> = cases.iter().map(|case| format!("{class}#{case}")).collect();
            cases.join(",")
        })
        .collect();
    arguments.extend(parts.iter().map(String::as_str));
    suite_with("launched", "junit.sh", &arguments, &OWN_JVMS)
}

/// Hadoop's end-to-end classes on clusters of our daemons.
pub(super) fn minicluster() -> Result<Count> {
    let pattern = format!("^({})$", MINICLUSTER.join("|"));
    suite("minicluster", "minicluster.sh", &[path(&super::binary())?, &pattern])
}

fn path(path: &Path) -> Result<&str> {
    path.to_str().context("a path that is not UTF-8")
}

/// Runs a script of the suites and compares its cases with what Apache passes and with the known failures.
fn suite(name: &str, script: &str, arguments: &[&str]) -> Result<Count> {
    suite_with(name, script, arguments, &[])
}

/// The same with variables of the environment.
fn suite_with(
    name: &str,
    script: &str,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> Result<Count> {
    let dir = scratch(&format!("{name}-results"))?;
    let results = dir.join("results.tsv");
    let log = std::fs::File::create(dir.join("log"))?;
    // The script's own status only says whether anything failed: the cases tell.
    Command::new(super::shared().join("conformance").join(script))
        .args(arguments)
        .env("RESULT", &results)
        .envs(environment.iter().copied())
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
    let count = judge(name, &cases, recorded(name)?.as_ref(), &known_failures(name)?);
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

/// Counts the cases. Each case that passed on Apache must pass here, in every class that ran: one that fails, is skipped
/// or is missing fails. In a class that Apache's record lacks each case that ran must pass or be skipped.
fn judge(
    suite: &str,
    cases: &[Case],
    apache: Option<&Recorded>,
    known: &BTreeMap<String, String>,
) -> Count {
    let mut count = Count::default();
    let mut outcome: BTreeMap<&str, &Case> = BTreeMap::new();
    for case in cases {
        outcome.insert(&case.name, case);
        if case.status == "pass" {
            count.passed += 1;
            if known.contains_key(&case.name) {
                println!("{suite}: {} passes now: take it out of known-failures.tsv", case.name);
            }
        }
    }
    let classes: BTreeSet<&str> =
        cases.iter().flat_map(|case| class_of(&case.name).split(' ')).collect();
    let ran = |class: &str| apache.is_some_and(|record| record.classes.contains(class));
    let unrecorded = cases
        .iter()
        .filter(|case| case.status != "skip" && !ran(class_of(&case.name)))
        .map(|case| case.name.as_str());
    let passes = apache.into_iter().flat_map(|record| &record.passes).map(String::as_str);
    let wanted: Vec<&str> =
        passes.filter(|name| classes.contains(class_of(name))).chain(unrecorded).collect();
    for name in wanted {
        let case = outcome.get(name);
        if case.is_some_and(|case| case.status == "pass") {
            continue;
        }
        // The suites' own list of cases whose failure says nothing about a server.
        let excluded = case.is_some_and(|case| case.reason.starts_with("EXCLUDED: "));
        if excluded || known.contains_key(name) || known.contains_key(class_of(name)) {
            count.skipped += 1;
        } else {
            count.failed += 1;
            let (status, reason) =
                case.map_or(("missing", ""), |case| (&case.status, &case.reason));
            println!("{suite}: {} {name}: {reason}", status.to_uppercase());
        }
    }
    println!(
        "{suite}: {} passed, {} failed, {} known to fail",
        count.passed, count.failed, count.skipped
    );
    count
}

/// `Class` of `Class#method`.
fn class_of(name: &str) -> &str {
    name.split('#').next().unwrap_or(name)
}
