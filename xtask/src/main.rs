//! Developer commands that are not part of the product: `cargo xtask ci|dist|interop|measure|sim|tidy|codegen`.

mod ci;
mod codegen;
mod config_doc;
mod dist;
mod interop;
mod measure;
mod simulate;
mod tidy;

use anyhow::{Result, bail};

fn main() -> std::process::ExitCode {
    match run() {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["codegen"] => codegen::write().and_then(|()| config_doc::write()),
        ["codegen", "--check"] => codegen::check().and_then(|()| config_doc::check()),
        ["tidy"] => tidy::run(false),
        ["tidy", "--tighten"] => tidy::run(true),
        ["ci"] => ci::run(false),
        ["ci", "--quick"] => ci::run(true),
        ["dist"] => dist::run(),
        ["interop"] => interop::run_all().map(drop),
        ["interop", "namespaces", seeds] if seeds.parse::<u64>().is_ok() => {
            interop::run_namespaces(seeds.parse()?)
        }
        ["interop", names @ ..] => interop::run_named(names),
        ["sim", arguments @ ..] => simulate::run(arguments),
        ["measure", "namespace"] => measure::namespace(5_000_000, measure::ROUNDS),
        ["measure", "namespace", files] => measure::namespace(files.parse()?, measure::ROUNDS),
        ["measure", "namespace", files, rounds] => {
            measure::namespace(files.parse()?, rounds.parse()?)
        }
        _ => bail!(
            "usage: cargo xtask ci [--quick] | dist | interop [SUITE...|namespaces SEEDS] | measure namespace [FILES [ROUNDS]] | \
             sim [--seed N] [--seeds COUNT] | tidy [--tighten] | codegen [--check]"
        ),
    }
}

/// The root of the workspace, whichever folder the command runs in.
fn root() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask is below the root")
        .to_path_buf()
}
