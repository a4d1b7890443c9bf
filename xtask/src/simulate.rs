//! Starts the simulation (crate `sim` below this one), built with optimization.

use std::process::Command;

use anyhow::{Result, bail};

/// Seeds that the gate runs.
pub(crate) const SEEDS_OF_THE_GATE: &str = "1000";

/// Runs it with these arguments.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    let status = Command::new(env!("CARGO"))
        .args(["run", "--release", "--quiet", "-p", "sim", "--features", "planted", "--"])
        .args(arguments)
        .current_dir(crate::root())
        .status()?;
    if !status.success() {
        bail!("the simulation found a broken promise");
    }
    Ok(())
}
