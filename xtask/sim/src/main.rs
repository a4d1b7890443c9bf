//! Runs seeds of the simulation: `cargo xtask sim [--seed N] [--seeds COUNT]`.

use std::io::{IsTerminal, Write};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use hdfs_sim::{Options, Outcome, run};

struct Arguments {
    seed: Option<u64>,
    base: u64,
    seeds: u64,
    verbose: bool,
}

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
    let mut parsed = Arguments { seed: None, base: 0, seeds: 1_000, verbose: false };
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
            "--verbose" => parsed.verbose = true,
            _ => bail!("usage: cargo xtask sim [--seed N [--verbose]] [--seeds COUNT] [--base N]"),
        }
    }
    let fresh = || {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since.map_or(0, |since| since.as_secs()) * 1_000_000
    };
    parsed.base = base.unwrap_or_else(fresh);
    Ok(parsed)
}

fn work(arguments: &Arguments) -> Result<()> {
    if let Some(seed) = arguments.seed {
        let print: Option<fn(&str)> =
            if arguments.verbose { Some(|line| println!("{line}")) } else { None };
        let outcome = run(Options { seed, print });
        tell(&outcome);
        let again = run(Options { seed, print: None });
        if again.trace != outcome.trace {
            bail!("seed {seed} gives two histories: the simulation is not deterministic");
        }
        if !outcome.violations.is_empty() {
            bail!("seed {seed} broke {} promises", outcome.violations.len());
        }
        return Ok(());
    }
    println!("{} seeds from {}", arguments.seeds, arguments.base);
    let started = Instant::now();
    let (mut failed, mut calls, mut reads, mut bytes) = (Vec::new(), 0, 0, 0);
    for (done, seed) in (1_u64..).zip(arguments.base..arguments.base + arguments.seeds) {
        let outcome = run(Options { seed, print: None });
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
        arguments.seeds,
        failed.len(),
        seconds * 1_000.0 / arguments.seeds.max(1) as f64
    );
    if failed.is_empty() { Ok(()) } else { bail!("seeds {failed:?} failed") }
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
