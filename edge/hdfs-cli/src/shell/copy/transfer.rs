//! Copying one file: first under a name of its own, then renamed, so that a target is never half there.
//!
//! Hadoop: org.apache.hadoop.fs.shell.CommandWithDestination (3.5.0)

use std::io::Read as _;

use super::pump::pump;
use crate::shell::acl::full_acl;
use crate::shell::failure::{Failure, Outcome};
use crate::shell::files::{AclChange, Create, Reader};
use crate::shell::progress::{FileProgress, Progress};
use crate::shell::walk::PathData;

/// Ending of a file that is not complete yet.
const COPYING: &str = "._COPYING_";

/// How files are copied.
#[derive(Default)]
pub(super) struct Transfer {
    pub overwrite: bool,
    /// Write under the final name at once.
    pub direct: bool,
    pub lazy_persist: bool,
    pub checksum_file: bool,
    /// Read without a look at checksum files.
    pub ignore_checksums: bool,
    pub preserve: Preserve,
    pub progress: Progress,
}

/// What a copy keeps of its source.
#[derive(Clone, Copy, Default)]
pub(super) struct Preserve {
    timestamps: bool,
    ownership: bool,
    permission: bool,
    acl: bool,
    xattr: bool,
}

impl Preserve {
    /// The letters after `-p`; none means times, owner and mode.
    pub(super) fn parse(letters: &str) -> Outcome<Self> {
        let letters = if letters.is_empty() { "top" } else { letters };
        let mut preserve = Self::default();
        for letter in letters.chars() {
            match letter.to_ascii_lowercase() {
                't' => preserve.timestamps = true,
                'o' => preserve.ownership = true,
                'p' => preserve.permission = true,
                'a' => preserve.acl = true,
                'x' => preserve.xattr = true,
                _ => {
                    let exception = "java.util.NoSuchElementException: No attribute for";
                    return Err(Failure::Fatal(format!("{exception} {letter}")));
                }
            }
        }
        Ok(preserve)
    }

    pub(super) fn apply(&self, source: &PathData, target: &PathData) -> Outcome<()> {
        let stat = source.known()?;
        if self.timestamps {
            target.fs.set_times(&target.path, Some(stat.modified_ms), Some(stat.accessed_ms))?;
        }
        if self.ownership {
            target.fs.set_owner(&target.path, Some(&stat.owner), Some(&stat.group))?;
        }
        if self.permission || self.acl {
            target.fs.set_permission(&target.path, stat.permission)?;
        }
        if self.acl && stat.has_acl {
            let status = source.fs.acl_status(&source.path)?;
            let entries = full_acl(stat.permission, &status.entries);
            target.fs.change_acl(&target.path, AclChange::Set(&entries))?;
        }
        let raw = copies_raw(source, target)?;
        if self.xattr || raw {
            for (name, value) in source.fs.xattrs(&source.path, None)? {
                if self.xattr || name.starts_with("raw.") {
                    target.fs.set_xattr(&target.path, &name, Some(&value))?;
                }
            }
        }
        Ok(())
    }
}

/// True when both paths lie below `/.reserved/raw`, where encrypted files are copied as they are.
pub(super) fn copies_raw(source: &PathData, target: &PathData) -> Outcome<bool> {
    const RAW: &str = "/.reserved/raw";
    let refuse = |path: &PathData, from: &str, to: &str| {
        Err(Failure::io(format!(
            "`'{}' copy from {from}'{RAW}' to {to}'{RAW}'. \
             Either both source and target must be in '{RAW}' or neither.': Operation not supported",
            path.qualified()
        )))
    };
    match (source.path.starts_with(RAW), target.path.starts_with(RAW)) {
        (true, false) => refuse(source, "", "non "),
        (false, true) => refuse(target, "non ", ""),
        (both, _) => Ok(both),
    }
}

impl Transfer {
    pub(super) fn copy_file(&self, source: &PathData, target: &PathData) -> Outcome<()> {
        copies_raw(source, target)?;
        let mut reader = if self.ignore_checksums {
            source.fs.open_unverified(&source.path)?
        } else {
            source.fs.open(&source.path)?
        };
        let length = source.known()?.length;
        let mut progress = self.progress.file(&source.text, length);
        self.copy_stream(&mut *reader, target, Some(length), &mut progress)?;
        self.preserve.apply(source, target)
    }

    pub(super) fn copy_stdin(&self, target: &PathData) -> Outcome<()> {
        self.progress.start("-".into(), None, false);
        let done = self.copy_stream(&mut Stdin, target, None, &mut self.progress.file("-", 0));
        self.progress.finish();
        done
    }

    fn copy_stream(
        &self,
        reader: &mut dyn Reader,
        target: &PathData,
        length: Option<u64>,
        progress: &mut FileProgress,
    ) -> Outcome<()> {
        if target.exists() && (target.is_dir() || !self.overwrite) {
            return Err(Failure::exists(&target.text));
        }
        if self.direct {
            return self.write(reader, (target, &target.path), length, progress);
        }
        let temporary = format!("{}{COPYING}", target.path);
        let done = self
            .write(reader, (target, &temporary), length, progress)
            .and_then(|()| replace(target, &temporary));
        if done.is_err() {
            // The copy failed and that is what counts; what is left of it is removed if that is possible.
            let _ = target.fs.delete(&temporary, false);
        }
        done
    }

    /// Writes the file of this path on the file system of the target.
    fn write(
        &self,
        reader: &mut dyn Reader,
        (target, path): (&PathData, &str),
        length: Option<u64>,
        progress: &mut FileProgress,
    ) -> Outcome<()> {
        let how = Create {
            overwrite: true,
            lazy_persist: self.lazy_persist,
            checksum_file: self.checksum_file,
        };
        let mut writer = target.fs.create(path, how)?;
        pump(reader, &mut *writer, length, progress)?;
        writer.close()
    }
}

/// Gives the finished copy its name.
fn replace(target: &PathData, temporary: &str) -> Outcome<()> {
    if target.exists() && !target.fs.delete(&target.path, false)? {
        return Err(Failure::io(format!("delete `{}': Input/output error", target.text)));
    }
    if target.fs.rename(temporary, &target.path)? {
        return Ok(());
    }
    let text =
        format!("rename `{}{COPYING}' to `{}': Input/output error", target.text, target.text);
    Err(Failure::io(text))
}

/// Standard input as a source.
pub(super) struct Stdin;

impl Reader for Stdin {
    fn read(&mut self, buffer: &mut [u8]) -> Outcome<usize> {
        Ok(std::io::stdin().lock().read(buffer)?)
    }

    fn seek(&mut self, _position: u64) -> Outcome<()> {
        Err(Failure::io("standard input cannot seek"))
    }
}
