//! Random namespaces by seed: the property at the heart, name folders, and round trips with Apache.
//!
//! A crate of its own, so that `cargo xtask` need not build the namespace.

mod property;

use std::path::Path;

use anyhow::{Context as _, Result, bail};

const USAGE: &str = "usage: namespaces property FIRST_SEED SEEDS STEPS [--show]
       namespaces folder SEED STEPS DIR";

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
        ["property", first, seeds, steps] => {
            property::run(number(first)?, number(seeds)?, number(steps)?, false)
        }
        ["property", first, seeds, steps, "--show"] => {
            property::run(number(first)?, number(seeds)?, number(steps)?, true)
        }
        ["folder", seed, steps, dir] => {
            property::write_folder(number(seed)?, number(steps)?, Path::new(dir))
        }
        _ => bail!("{USAGE}"),
    }
}

fn number(text: &str) -> Result<u64> {
    text.parse().with_context(|| format!("{text} is not a number"))
}
