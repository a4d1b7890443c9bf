//! The files of an installation, and where they go.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::{Release, output};

/// Where a tree is put.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    /// A folder of its own: `bin`, `etc/hadoop`, `share`.
    Folder,
    /// The system's root: `usr/bin`, `etc/hadoop/conf`, `usr/share`.
    System,
}

/// Where the content of a file comes from.
#[derive(Clone, Copy)]
enum Source {
    /// A file of the repository.
    File(&'static str),
    /// The program itself, for a shell.
    Completion(&'static str),
    /// The manual page.
    Manual,
}

/// Path in a folder, path in a system, content.
const FILES: &[(&str, &str, Source)] = {
    use Source::{Completion, File, Manual};
    &[
        (
            "etc/hadoop/core-site.xml",
            "etc/hadoop/conf/core-site.xml",
            File("packaging/conf/core-site.xml"),
        ),
        (
            "etc/hadoop/hdfs-site.xml",
            "etc/hadoop/conf/hdfs-site.xml",
            File("packaging/conf/hdfs-site.xml"),
        ),
        (
            "share/bash-completion/completions/hdfs",
            "usr/share/bash-completion/completions/hdfs",
            Completion("bash"),
        ),
        (
            "share/zsh/site-functions/_hdfs",
            "usr/share/zsh/vendor-completions/_hdfs",
            Completion("zsh"),
        ),
        (
            "share/fish/vendor_completions.d/hdfs.fish",
            "usr/share/fish/vendor_completions.d/hdfs.fish",
            Completion("fish"),
        ),
        ("share/man/man1/hdfs.1", "usr/share/man/man1/hdfs.1", Manual),
        (
            "lib/systemd/system/hdfs-namenode.service",
            "usr/lib/systemd/system/hdfs-namenode.service",
            File("packaging/systemd/hdfs-namenode.service"),
        ),
        (
            "lib/systemd/system/hdfs-datanode.service",
            "usr/lib/systemd/system/hdfs-datanode.service",
            File("packaging/systemd/hdfs-datanode.service"),
        ),
        (
            "lib/sysusers.d/tusk-hdfs.conf",
            "usr/lib/sysusers.d/tusk-hdfs.conf",
            File("packaging/systemd/tusk-hdfs.sysusers"),
        ),
        (
            "lib/tmpfiles.d/tusk-hdfs.conf",
            "usr/lib/tmpfiles.d/tusk-hdfs.conf",
            File("packaging/systemd/tusk-hdfs.tmpfiles"),
        ),
        ("share/doc/tusk-hdfs/README.md", "usr/share/doc/tusk-hdfs/README.md", File("README.md")),
        (
            "share/doc/tusk-hdfs/differences.md",
            "usr/share/doc/tusk-hdfs/differences.md",
            File("docs/differences.md"),
        ),
        (
            "share/doc/tusk-hdfs/config.md",
            "usr/share/doc/tusk-hdfs/config.md",
            File("docs/config.md"),
        ),
    ]
};

/// Files that every kind of package has.
pub(super) struct Tree {
    program: PathBuf,
    /// Path below the tree (for a folder, for the system) and content.
    files: Vec<(&'static str, &'static str, Vec<u8>)>,
}

impl Tree {
    /// Reads and makes the files.
    pub(super) fn new(root: &Path, release: &Release) -> Result<Self> {
        let program = &release.program;
        let content = |source| match source {
            Source::File(file) => {
                std::fs::read(root.join(file)).with_context(|| format!("read {file}"))
            }
            Source::Completion(shell) => {
                let text = output(root, Command::new(program).args(["completion", shell]))?;
                Ok(text.into_bytes())
            }
            Source::Manual => manual(root, release),
        };
        let files = FILES
            .iter()
            .map(|&(of_folder, of_system, source)| Ok((of_folder, of_system, content(source)?)));
        Ok(Self { program: program.clone(), files: files.collect::<Result<_>>()? })
    }

    /// Writes the tree below `to`.
    pub(super) fn install(&self, to: &Path, place: Place) -> Result<()> {
        let bin = to.join(if place == Place::System { "usr/bin" } else { "bin" });
        put(&bin.join("hdfs"), &std::fs::read(&self.program)?, 0o755)?;
        symlink("hdfs", bin.join("hadoop"))?;
        for (of_folder, of_system, bytes) in &self.files {
            let path = to.join(if place == Place::System { of_system } else { of_folder });
            put(&path, bytes, 0o644)?;
            if path.ends_with("completions/hdfs") {
                // bash looks for a file by the command's name.
                symlink("hdfs", path.with_file_name("hadoop"))?;
            }
        }
        Ok(())
    }
}

/// Writes a file with its folders; the caller's umask does not matter.
pub(super) fn put(path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    let folder = path.parent().context("a file is in a folder")?;
    for missing in
        folder.ancestors().take_while(|folder| !folder.exists()).collect::<Vec<_>>().iter().rev()
    {
        std::fs::create_dir(missing)?;
        std::fs::set_permissions(missing, std::fs::Permissions::from_mode(0o755))?;
    }
    std::fs::write(path, bytes).with_context(|| format!("write {}", path.display()))?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))?;
    Ok(())
}

/// The manual page, with the commands that the program names.
fn manual(root: &Path, release: &Release) -> Result<Vec<u8>> {
    let template = std::fs::read_to_string(root.join("packaging/hdfs.1.in"))?;
    let help = output(root, Command::new(&release.program).arg("--help"))?;
    let help: String = help
        .lines()
        .map(|line| format!("\\&{}\n", line.replace('\\', "\\e").replace('-', "\\-")))
        .collect();
    let date = output(
        root,
        Command::new("date").args(["-u", "+%Y-%m-%d", "-d"]).arg(format!("@{}", release.time)),
    )?;
    let text = template
        .replace("@VERSION@", &release.version)
        .replace("@DATE@", date.trim())
        .replace("@HELP@\n", &help);
    Ok(text.into_bytes())
}
