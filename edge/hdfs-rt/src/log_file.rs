//! Log files that do not grow without end: at a size the file is renamed to `.1`, the `.1` before it to `.2`, and so on.
//!
//! Hadoop: RollingFileAppender in log4j.properties (256 MB, 20 backups); hadoop_rotate_log in hadoop-functions.sh

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// `hadoop.log.maxfilesize`.
pub const MAX_LOG_BYTES: u64 = 256 << 20;
/// `hadoop.log.maxbackupindex`.
pub const MAX_LOG_BACKUPS: usize = 20;

/// Renames `FILE` to `FILE.1`, `FILE.1` to `FILE.2`, …; the last one goes. A file that does not exist is no error.
///
/// # Errors
/// When a file that exists can't be renamed.
pub fn rotate(file: &Path, backups: usize) -> io::Result<()> {
    let numbered = |number: usize| {
        let mut name = file.as_os_str().to_owned();
        if number > 0 {
            name.push(format!(".{number}"));
        }
        PathBuf::from(name)
    };
    for number in (0..backups).rev() {
        match std::fs::rename(numbered(number), numbered(number + 1)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// A log file that rolls over.
#[derive(Debug)]
pub struct RollingFile {
    path: PathBuf,
    file: File,
    length: u64,
    max_bytes: u64,
    backups: usize,
}

impl RollingFile {
    /// Appends to this file, up to these limits.
    ///
    /// # Errors
    /// When the file can't be opened.
    pub fn open(path: &Path, max_bytes: u64, backups: usize) -> io::Result<Self> {
        let file = append(path)?;
        let length = file.metadata()?.len();
        Ok(Self { path: path.to_owned(), file, length, max_bytes, backups })
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

impl Write for RollingFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.length > 0 && self.length + bytes.len() as u64 > self.max_bytes {
            // A log that can't be rolled goes on where it is: better long than lost.
            self.length = 0;
            if rotate(&self.path, self.backups).is_ok() {
                self.file = append(&self.path)?;
            }
        }
        let written = self.file.write(bytes)?;
        self.length += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_log_moves_aside_and_the_oldest_goes() {
        let dir = std::env::temp_dir().join(format!("tusk-log-file-{}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("a folder");
        let path = dir.join("a.log");
        let mut log = RollingFile::open(&path, 10, 2).expect("a file");
        for line in ["first..\n", "second.\n", "third..\n", "a line longer than the limit\n", "5\n"]
        {
            log.write_all(line.as_bytes()).expect("written");
        }
        let read = |name: &str| std::fs::read_to_string(dir.join(name)).ok();
        let found = [read("a.log"), read("a.log.1"), read("a.log.2"), read("a.log.3")];
        std::fs::remove_dir_all(&dir).expect("the folder goes");
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(
            found,
            [text("5\n"), text("a line longer than the limit\n"), text("third..\n"), None]
        );
    }
}
