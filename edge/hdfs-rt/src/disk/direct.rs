//! Files that are written once, from begin to end, past the page cache.
//!
//! What nobody reads soon need not push out of memory what others read; and copying into the cache costs a processor more
//! than the disk needs for the same bytes. A file system that can't do it gets ordinary writes.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

/// Addresses, lengths and offsets of direct writes are multiples of it: of the pages of memory, and of every disk's blocks.
const ALIGNMENT: usize = 4_096;

/// Bytes at an address that fits direct writes.
#[derive(Debug)]
pub struct DirectBuffer {
    bytes: Vec<u8>,
    start: usize,
    room: usize,
}

impl DirectBuffer {
    /// An empty buffer for `room` bytes. A multiple of 4 KiB keeps the writes behind it direct.
    pub fn with_room(room: usize) -> Self {
        let mut bytes: Vec<u8> = Vec::with_capacity(room + ALIGNMENT);
        let start = bytes.as_ptr().align_offset(ALIGNMENT).min(ALIGNMENT);
        bytes.resize(start, 0);
        Self { bytes, start, room }
    }

    /// Takes as many bytes as fit, and says how many.
    pub fn fill(&mut self, bytes: &[u8]) -> usize {
        let now = bytes.len().min(self.room - self.as_slice().len());
        self.bytes.extend_from_slice(&bytes[..now]);
        now
    }

    /// True when no more fit.
    pub fn is_full(&self) -> bool {
        self.as_slice().len() == self.room
    }

    /// Empties it, for other bytes.
    pub fn clear(&mut self) {
        self.bytes.truncate(self.start);
    }

    /// What it holds.
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[self.start..]
    }
}

/// A new file that is written from begin to end.
#[derive(Debug)]
pub struct DirectFile {
    file: File,
    direct: bool,
}

impl DirectFile {
    /// Creates the file, or empties the one that is there.
    ///
    /// # Errors
    /// As [`File::create`].
    pub fn create(path: &Path) -> io::Result<Self> {
        let file = File::create(path)?;
        let flags = i32::try_from(OFlags::DIRECT.bits()).unwrap_or(0);
        match OpenOptions::new().write(true).custom_flags(flags).open(path) {
            Ok(file) => Ok(Self { file, direct: true }),
            Err(_) => Ok(Self { file, direct: false }),
        }
    }

    /// The file, to be synced.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// True as long as nothing went through the page cache.
    pub fn is_direct(&self) -> bool {
        self.direct
    }

    /// Goes on through the page cache: for what does not fit.
    fn leave_direct(&mut self) -> io::Result<()> {
        let flags = fcntl_getfl(&self.file)?;
        fcntl_setfl(&self.file, flags - OFlags::DIRECT)?;
        self.direct = false;
        Ok(())
    }
}

impl Write for DirectFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let fits =
            bytes.as_ptr().align_offset(ALIGNMENT) == 0 && bytes.len().is_multiple_of(ALIGNMENT);
        if self.direct && !fits {
            self.leave_direct()?;
        }
        match self.file.write(bytes) {
            // Some file systems take the flag and refuse the write.
            Err(error) if self.direct && error.kind() == io::ErrorKind::InvalidInput => {
                self.leave_direct()?;
                self.file.write(bytes)
            }
            written => written,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
