//! Random namespaces through Apache's NameNode and back: the crate `namespaces` below this one does the work.

use std::process::Command;

use anyhow::Result;

use crate::ci::Count;

/// Seeds of a gate.
const GATE_SEEDS: u64 = 50;

/// The first seeds.
pub(super) fn run() -> Result<Count> {
    seeds(GATE_SEEDS)
}

/// So many seeds. Differences are printed, with the command that runs a seed again.
pub(super) fn seeds(seeds: u64) -> Result<Count> {
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "-p", "namespaces", "--", "round-trips", "0", &seeds.to_string()])
        .current_dir(crate::root())
        .stderr(std::process::Stdio::inherit())
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    print!("{text}");
    let failed = text
        .lines()
        .last()
        .and_then(|line| line.rsplit(' ').nth(1)?.parse().ok())
        .filter(|failed| output.status.success() == (*failed == 0))
        .unwrap_or(seeds);
    Ok(Count { passed: seeds - failed, failed, skipped: 0 })
}
