//! Random namespaces by seed: the property at the heart, name folders, and round trips with Apache.
//!
//! A crate of its own, so that `cargo xtask` need not build the namespace.

mod compare;
mod corpus;
mod jvm;
mod property;
mod round_trips;

use std::path::Path;

use anyhow::{Context as _, Result, bail};

const USAGE: &str = "usage: namespaces property FIRST_SEED SEEDS STEPS [--show]
       namespaces folder SEED STEPS DIR
       namespaces corpus DIR
       namespaces round-trips FIRST_SEED SEEDS [STEPS]";

/// Calls of a round trip.
const STEPS: u64 = 200;

fn main() -> std::process::ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args.iter().map(String::as_str).collect::<Vec<_>>()) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}

fn run(args: &[&str]) -> Result<()> {
    match args {
        ["property", first, seeds, steps, options @ ..] => {
            property::run(number(first)?, number(seeds)?, number(steps)?, options)
        }
        ["folder", seed, steps, dir] => {
            property::write_folder(number(seed)?, number(steps)?, Path::new(dir))
        }
        ["corpus", dir] => corpus::write(Path::new(dir)),
        ["round-trips", first, seeds] => round_trips::run(number(first)?, number(seeds)?, STEPS),
        ["round-trips", first, seeds, steps] => {
            round_trips::run(number(first)?, number(seeds)?, number(steps)?)
        }
        _ => bail!("{USAGE}"),
    }
}

fn number(text: &str) -> Result<u64> {
    text.parse().with_context(|| format!("{text} is not a number"))
}
