//! Programs that nobody here wrote, aimed at our daemons: Apache's client and suites, the Go client, mixed clusters.
//!
//! Each suite runs against a cluster of `target/release/hdfs` and leaves a file of results. A failing case fails the run
//! unless `conformance/known-failures.tsv` names it with the feature that it waits for. A case named there that passes
//! is reported, so that the list shrinks.

mod browser;
mod calls;
mod cluster;
mod commands;
mod mixed;
mod namespaces;
mod old_folders;
mod peer_client;
mod peer_cluster;
mod suites;

pub(crate) use cluster::{apache, output, scratch};
use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::ci::{Count, step};

/// The folder of Apache's programs and suites beside the checkout.
fn shared() -> PathBuf {
    crate::root().parent().expect("a checkout lies in a folder").join("shared")
}

/// The release build of `hdfs`.
pub(crate) fn binary() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| crate::root().join("target"), PathBuf::from);
    target.join("release/hdfs")
}

/// A suite: its name and what runs it.
type Suite = (&'static str, fn() -> Result<Count>);

/// The suites in the order in which they run.
const ALL: &[Suite] = &[
    ("client", client),
    ("peer-client", peer_client::run),
    ("calls", calls::run),
    ("commands", commands::run),
    ("commands-servers", commands::run_servers),
    ("namespaces", namespaces::run),
    ("old-folders", old_folders::run),
    ("mixed", mixed::run),
    ("cli", suites::cli),
    ("cli-ours", suites::cli_ours),
    ("cli-apache", suites::cli_apache),
    ("go", suites::go),
    ("python", suites::python),
    ("contract", suites::contract),
    ("attached", suites::attached),
    ("minicluster", suites::minicluster),
    ("launched", suites::launched),
    ("browser", browser::run),
];

/// Our client against Apache's cluster: a test of `hdfs-client` that needs Apache's programs.
fn client() -> Result<Count> {
    let output = std::process::Command::new(env!("CARGO"))
        .args(["test", "--quiet", "-p", "hdfs-client", "--test", "apache", "--", "--nocapture"])
        .env("TUSK_PEER", shared().join("peer"))
        .current_dir(crate::root())
        .stderr(std::process::Stdio::inherit())
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let passed = text.lines().filter(|line| line.starts_with("ok: ")).count() as u64;
    if !output.status.success() || passed == 0 {
        println!("{text}");
        return Ok(Count { passed, failed: 1, skipped: 0 });
    }
    Ok(Count { passed, ..Count::default() })
}

/// Runs every suite.
pub(crate) fn run_all() -> Result<Count> {
    let mut sum = Count::default();
    for (name, suite) in ALL {
        step(name, || {
            sum += suite()?;
            Ok(())
        })?;
    }
    Ok(sum)
}

/// Runs a campaign of round trips.
pub(crate) fn run_namespaces(seeds: u64) -> Result<()> {
    let count = namespaces::seeds(seeds)?;
    if count.failed > 0 {
        bail!("{} of {seeds} round trips differ", count.failed);
    }
    Ok(())
}

/// Runs the named suites.
pub(crate) fn run_named(names: &[&str]) -> Result<()> {
    let mut sum = Count::default();
    for name in names {
        let Some((name, suite)) = ALL.iter().find(|(known, _)| known == name) else {
            let known: Vec<&str> = ALL.iter().map(|(name, _)| *name).collect();
            bail!("no suite is called {name}; there are {}", known.join(", "));
        };
        step(name, || {
            sum += suite()?;
            Ok(())
        })?;
    }
    println!("{} passed, {} failed, {} skipped", sum.passed, sum.failed, sum.skipped);
    if sum.failed > 0 {
        bail!("{} cases failed", sum.failed);
    }
    Ok(())
}
