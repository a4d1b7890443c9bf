//! Rust code of the protocol buffers, from `core/hdfs-proto/proto/*.proto`.
//!
//! No `protoc` is needed: protox parses the files. The result is committed, so that an ordinary build compiles neither
//! protox nor prost-build; `--check` fails when it is not what the `.proto` files give.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

fn proto_dir() -> PathBuf {
    crate::root().join("core/hdfs-proto/proto")
}

fn generated_dir() -> PathBuf {
    crate::root().join("core/hdfs-proto/src/generated")
}

fn generate(out: &Path) -> Result<()> {
    let dir = proto_dir();
    let mut files: Vec<PathBuf> = std::fs::read_dir(&dir)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    files.retain(|file| file.extension().is_some_and(|ext| ext == "proto"));
    files.sort();
    let descriptors = protox::compile(&files, [&dir]).context("parse the .proto files")?;
    let mut config = prost_build::Config::new();
    config.out_dir(out).bytes(["."]);
    config.compile_fds(descriptors).context("generate Rust code")?;
    Ok(())
}

/// Writes the generated code into the source tree.
pub(crate) fn write() -> Result<()> {
    std::fs::create_dir_all(generated_dir())?;
    generate(&generated_dir())
}

/// Fails when the committed code differs from what the `.proto` files give.
pub(crate) fn check() -> Result<()> {
    let fresh = std::env::temp_dir().join(format!("tusk-codegen-{}", std::process::id()));
    std::fs::create_dir_all(&fresh)?;
    let result = generate(&fresh).and_then(|()| compare(&fresh));
    std::fs::remove_dir_all(&fresh)?;
    result
}

fn compare(fresh: &Path) -> Result<()> {
    for entry in std::fs::read_dir(fresh)? {
        let entry = entry?;
        let committed = generated_dir().join(entry.file_name());
        if std::fs::read(entry.path())? != std::fs::read(&committed).unwrap_or_default() {
            bail!("{} is stale: run `cargo xtask codegen`", committed.display());
        }
    }
    Ok(())
}
