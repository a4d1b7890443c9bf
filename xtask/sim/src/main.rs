//! Runs seeds of the simulation: `cargo xtask sim [--seed N] [--seeds COUNT] [--bug NAME | --bugs]`.

use std::io::{IsTerminal, Write};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use hdfs_sim::{Options, Outcome, run};
use hdfs_types::{Planted, PlantedBug};

struct Arguments {
    seed: Option<u64>,
    base: u64,
    seeds: u64,
    verbose: bool,
    bug: Option<PlantedBug>,
    bugs: bool,
}

/// Seeds that failed once.
const REMEMBERED: &str = include_str!("../../../core/hdfs-sim/seeds.txt");
/// Seeds within which every planted bug must be found.
const SEEDS_A_BUG: u64 = 2_000;

fn main() -> std::process::ExitCode {
    match arguments().and_then(|arguments| work(&arguments)) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}

fn arguments() -> Result<Arguments> {
    let mut parsed =
        Arguments { seed: None, base: 0, seeds: 1_000, verbose: false, bug: None, bugs: false };
    let mut words = std::env::args().skip(1);
    let mut base = None;
    while let Some(word) = words.next() {
        let mut number = || -> Result<u64> {
            let value = words.next().with_context(|| format!("{word} needs a number"))?;
            value.parse().with_context(|| format!("{word} {value}"))
        };
        match word.as_str() {
            "--seed" => parsed.seed = Some(number()?),
            "--seeds" => parsed.seeds = number()?,
            "--base" => base = Some(number()?),
            "--bug" => {
                let name = words.next().context("--bug needs a name")?;
                parsed.bug = Some(bug(&name)?);
            }
            "--bugs" => parsed.bugs = true,
            "--verbose" => parsed.verbose = true,
            _ => bail!(
                "usage: cargo xtask sim [--seed N [--verbose]] [--seeds COUNT] [--base N] [--bug NAME]"
            ),
        }
    }
    let fresh = || {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since.map_or(0, |since| since.as_secs()) * 1_000_000
    };
    parsed.base = base.unwrap_or_else(fresh);
    Ok(parsed)
}

/// A planted bug by its name.
fn bug(name: &str) -> Result<PlantedBug> {
    let found = PlantedBug::ALL.into_iter().find(|bug| format!("{bug:?}") == name);
    found.with_context(|| format!("no such bug; there are {:?}", PlantedBug::ALL))
}

#[cfg(feature = "planted")]
fn planted(bug: Option<PlantedBug>) -> Result<Planted> {
    Ok(bug.map_or(Planted::NONE, Planted::bug))
}

#[cfg(not(feature = "planted"))]
fn planted(bug: Option<PlantedBug>) -> Result<Planted> {
    match bug {
        None => Ok(Planted::NONE),
        Some(bug) => bail!("{bug:?} is not compiled in: build with the feature `planted`"),
    }
}

fn work(arguments: &Arguments) -> Result<()> {
    let planted = planted(arguments.bug)?;
    if let Some(seed) = arguments.seed {
        let print: Option<fn(&str)> =
            if arguments.verbose { Some(|line| println!("{line}")) } else { None };
        let outcome = run(Options { seed, print, planted });
        tell(&outcome);
        let again = run(Options { seed, print: None, planted });
        if again.trace != outcome.trace {
            bail!("seed {seed} gives two histories: the simulation is not deterministic");
        }
        if !outcome.violations.is_empty() {
            bail!("seed {seed} broke {} promises", outcome.violations.len());
        }
        return Ok(());
    }
    if arguments.bugs {
        return find_bugs();
    }
    let remembered = REMEMBERED.lines().filter(|line| !line.starts_with('#'));
    let remembered: Vec<u64> = remembered.filter_map(|line| line.trim().parse().ok()).collect();
    println!("{} remembered seeds, {} from {}", remembered.len(), arguments.seeds, arguments.base);
    let seeds = remembered.into_iter().filter(|_| arguments.bug.is_none());
    let seeds = seeds.chain(arguments.base..arguments.base + arguments.seeds);
    let started = Instant::now();
    let (mut failed, mut calls, mut reads, mut bytes) = (Vec::new(), 0, 0, 0);
    let mut count = 0_u64;
    for (done, seed) in (1_u64..).zip(seeds) {
        count = done;
        let outcome = run(Options { seed, print: None, planted });
        if !outcome.violations.is_empty() {
            tell(&outcome);
            println!("replay: cargo xtask sim --seed {seed} --verbose");
            failed.push(seed);
        }
        calls += outcome.calls;
        reads += outcome.reads;
        bytes += outcome.acknowledged_bytes;
        if done.is_multiple_of(50) && std::io::stdout().is_terminal() {
            print!("\r{done} of {} seeds, {} failed ", arguments.seeds, failed.len());
            std::io::stdout().flush()?;
        }
        if failed.len() >= 10 {
            break;
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "\r{} seeds, {} failed, {calls} calls, {reads} reads compared, {bytes} bytes acknowledged, {:.1} ms a seed",
        count,
        failed.len(),
        seconds * 1_000.0 / count.max(1) as f64
    );
    if failed.is_empty() { Ok(()) } else { bail!("seeds {failed:?} failed") }
}

/// Runs every planted bug until a promise breaks.
fn find_bugs() -> Result<()> {
    let mut missed = Vec::new();
    for bug in PlantedBug::ALL {
        let planted = planted(Some(bug))?;
        let finds =
            |seed: &u64| !run(Options { seed: *seed, print: None, planted }).violations.is_empty();
        match (1..=SEEDS_A_BUG).find(finds) {
            Some(seed) => println!("{bug:?} is found by seed {seed}"),
            None => missed.push(bug),
        }
    }
    if missed.is_empty() { Ok(()) } else { bail!("not found: {missed:?}") }
}

fn tell(outcome: &Outcome) {
    println!(
        "seed {}: history of {} lines, hash {:016x}, {} calls, {} reads",
        outcome.seed, outcome.lines, outcome.trace, outcome.calls, outcome.reads
    );
    for violation in &outcome.violations {
        println!("  {violation}");
    }
}
