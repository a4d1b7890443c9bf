//! `cargo xtask dist`: the release as an archive, a Debian package and the context of a container image, each of them
//! unpacked again and started.
//!
//! Everything is made from one stripped program and the files of `packaging/`. Times are those of the last commit, so
//! the same commit gives the same bytes from the same toolchain.

mod archive;
mod debian;
mod tree;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use tree::Tree;

/// The oldest C library that the program may need: Debian 12, Ubuntu 22.04, RHEL 9 have it or a newer one.
const NEWEST_GLIBC: (u32, u32) = (2, 34);
/// The shared objects that every Linux with that library has.
const SYSTEM_OBJECTS: [&str; 5] =
    ["linux-vdso.so.1", "libgcc_s.so.1", "libm.so.6", "libc.so.6", "ld-linux-"];

/// What all kinds of packages share.
struct Release {
    version: String,
    /// Debian's name of the architecture, and the usual one.
    arch: (&'static str, &'static str),
    /// The stripped program.
    program: PathBuf,
    /// Version of the C library that it needs.
    glibc: String,
    /// Time of the last commit, in seconds.
    time: u64,
    /// `target/dist`.
    out: PathBuf,
}

/// Builds, packs and checks.
pub(crate) fn run() -> Result<()> {
    let root = crate::root();
    let release = prepare(&root)?;
    let tree = Tree::new(&root, &release)?;
    let made = [archive::make(&release, &tree)?, debian::make(&root, &release, &tree)?];
    image(&root, &release, &tree)?;
    checksums(&release.out, &made)?;
    for file in &made {
        let bytes = std::fs::metadata(file)?.len();
        println!("{} ({:.1} MiB)", file.display(), bytes as f64 / 1_048_576.0);
    }
    println!("{} (context of the container image)", release.out.join("image").display());
    Ok(())
}

/// Builds the program and looks at what it needs.
fn prepare(root: &Path) -> Result<Release> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let build = ["build", "--release", "--quiet", "--bin", "hdfs"];
    run_in(root, Command::new(cargo).args(build))?;
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let out = target.join("dist");
    if out.exists() {
        std::fs::remove_dir_all(&out).context("remove the last run's files")?;
    }
    std::fs::create_dir_all(&out)?;
    let program = out.join("hdfs");
    let strip = ["--strip-all", "-o"];
    let built = target.join("release/hdfs");
    run_in(root, Command::new("strip").args(strip).arg(&program).arg(&built))?;
    let glibc = needs(&program)?;
    let time = output(root, Command::new("git").args(["log", "-1", "--format=%ct"]))?;
    let arch = match std::env::consts::ARCH {
        "x86_64" => ("amd64", "x86_64"),
        "aarch64" => ("arm64", "aarch64"),
        other => bail!("no packages are made for {other}"),
    };
    Ok(Release {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        arch,
        program,
        glibc,
        time: time.trim().parse().context("the time of the last commit")?,
        out,
    })
}

/// The C library's version that a program needs; everything else must be inside.
fn needs(program: &Path) -> Result<String> {
    let linked = output(Path::new("/"), Command::new("ldd").arg(program))?;
    for line in linked.lines() {
        if !SYSTEM_OBJECTS.iter().any(|known| line.contains(known)) {
            bail!("the program needs a library that not every system has: {}", line.trim());
        }
    }
    let symbols = output(Path::new("/"), Command::new("objdump").arg("-T").arg(program))?;
    let newest = newest_glibc(&symbols).context("the program names no version of the C library")?;
    if newest > NEWEST_GLIBC {
        bail!("the program needs glibc {}.{}; build it on an older system", newest.0, newest.1);
    }
    Ok(format!("{}.{}", newest.0, newest.1))
}

fn newest_glibc(symbols: &str) -> Option<(u32, u32)> {
    let versions = symbols.split("GLIBC_").skip(1).filter_map(|rest| {
        let end = rest.find(|c: char| c != '.' && !c.is_ascii_digit()).unwrap_or(rest.len());
        let mut parts = rest[..end].split('.');
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    });
    versions.max()
}

/// `image/Containerfile` and `image/root/`, which it copies.
fn image(root: &Path, release: &Release, tree: &Tree) -> Result<()> {
    let context = release.out.join("image");
    let file = std::fs::read_to_string(root.join("packaging/Containerfile"))?;
    tree.install(&context.join("root"), tree::Place::System)?;
    for line in file.lines().filter_map(|line| line.strip_prefix("COPY ")) {
        let source = line.split_whitespace().next().unwrap_or_default();
        if !context.join(source).exists() {
            bail!("packaging/Containerfile copies {source}, which is not there");
        }
    }
    std::fs::write(context.join("Containerfile"), file)?;
    starts(&context.join("root/usr/bin/hdfs"), release)
}

/// A packed program says its version.
fn starts(program: &Path, release: &Release) -> Result<()> {
    let text = output(Path::new("/"), Command::new(program).arg("version"))?;
    if !text.contains(&format!("Tusk {}", release.version)) {
        bail!("{} starts, but says: {text}", program.display());
    }
    Ok(())
}

fn checksums(out: &Path, files: &[PathBuf]) -> Result<()> {
    let names = files.iter().filter_map(|file| file.file_name());
    let sums = output(out, Command::new("sha256sum").args(names))?;
    std::fs::write(out.join("SHA256SUMS"), sums)?;
    run_in(out, Command::new("sha256sum").args(["--check", "--quiet", "SHA256SUMS"]))
}

/// Runs a program to its end.
fn run_in(dir: &Path, command: &mut Command) -> Result<()> {
    let status = command.current_dir(dir).status();
    let status = status.with_context(|| format!("start {}", command.get_program().display()))?;
    if !status.success() {
        bail!("{} ended with {status}", command.get_program().display());
    }
    Ok(())
}

/// The same, with its standard output.
fn output(dir: &Path, command: &mut Command) -> Result<String> {
    let output = command.current_dir(dir).output();
    let output = output.with_context(|| format!("start {}", command.get_program().display()))?;
    if !output.status.success() {
        let error = String::from_utf8_lossy(&output.stderr);
        bail!("{} ended with {}: {error}", command.get_program().display(), output.status);
    }
    Ok(String::from_utf8(output.stdout)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_the_c_library_compare_as_numbers() {
        let symbols =
            "00 DF *UND* (GLIBC_2.9) a\n00 DF *UND* (GLIBC_2.34) b\n (GLIBC_2.2.5) c GCC_3.0";
        assert_eq!(newest_glibc(symbols), Some((2, 34)));
        assert_eq!(newest_glibc("none"), None);
    }
}
