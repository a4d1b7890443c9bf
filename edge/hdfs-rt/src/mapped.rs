//! Files mapped into memory: an image that is larger than memory is read as one slice, and a table on disk is written
//! as one. The kernel keeps what is in use.
#![allow(unsafe_code)]

use std::fs::{File, OpenOptions};
use std::io;
use std::ops::{Deref, DerefMut};
use std::os::fd::AsRawFd;
use std::path::Path;
use std::ptr::NonNull;

/// The bytes of a file, for tools that read files nobody writes to any more (images): cutting the file while it is
/// mapped ends the process.
#[derive(Debug)]
pub struct MappedFile {
    region: Region,
}

impl MappedFile {
    /// Maps a file for reading. An empty file is an empty slice.
    ///
    /// # Errors
    /// When the file can't be opened or mapped.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let length = usize_of(file.metadata()?.len())?;
        Ok(Self { region: Region::map(&file, length, libc::PROT_READ)? })
    }
}

impl Deref for MappedFile {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: the region is mapped for reading with this length until it is dropped.
        unsafe { std::slice::from_raw_parts(self.region.start.as_ptr(), self.region.length) }
    }
}

/// A table of numbers in a file of its own; numbers that were never written are 0 and take no room on the disk.
#[derive(Debug)]
pub struct MappedTable {
    region: Region,
    entries: usize,
}

impl MappedTable {
    /// Creates the file, which must not exist, with room for so many numbers.
    ///
    /// # Errors
    /// When the file exists, or can't be created or mapped.
    pub fn create(path: &Path, entries: u64) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
        let bytes = entries.checked_mul(8).ok_or(io::ErrorKind::FileTooLarge)?;
        file.set_len(bytes)?;
        let region = Region::map(&file, usize_of(bytes)?, libc::PROT_READ | libc::PROT_WRITE)?;
        Ok(Self { region, entries: usize_of(entries)? })
    }
}

impl Deref for MappedTable {
    type Target = [u64];

    fn deref(&self) -> &[u64] {
        // SAFETY: the region holds `entries` numbers, is aligned to a page, and lives as long as `self`.
        unsafe { std::slice::from_raw_parts(self.region.start.as_ptr().cast(), self.entries) }
    }
}

impl DerefMut for MappedTable {
    fn deref_mut(&mut self) -> &mut [u64] {
        // SAFETY: as above; it is mapped for writing, and `&mut self` means that nobody else looks.
        unsafe { std::slice::from_raw_parts_mut(self.region.start.as_ptr().cast(), self.entries) }
    }
}

/// A mapping, undone when it is dropped.
#[derive(Debug)]
struct Region {
    start: NonNull<u8>,
    /// 0: nothing is mapped, and `start` is only aligned.
    length: usize,
}

// SAFETY: a mapping belongs to the process, not to a thread.
unsafe impl Send for Region {}
// SAFETY: `&Region` gives out shared slices only.
unsafe impl Sync for Region {}

impl Region {
    fn map(file: &File, length: usize, protection: i32) -> io::Result<Self> {
        if length == 0 {
            return Ok(Self { start: NonNull::<u64>::dangling().cast(), length });
        }
        // SAFETY: the kernel chooses the place, the descriptor is open, and the mapping keeps the file.
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                length,
                protection,
                libc::MAP_SHARED,
                file.as_raw_fd(),
                0,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { start, length })
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        if self.length > 0 {
            // SAFETY: it was mapped with this length, and no slice of it outlives `self`.
            unsafe { libc::munmap(self.start.as_ptr().cast(), self.length) };
        }
    }
}

fn usize_of(bytes: u64) -> io::Result<usize> {
    usize::try_from(bytes).map_err(|_| io::ErrorKind::FileTooLarge.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_a_new_file_that_reads_as_zeros_until_it_is_written() {
        let dir = std::env::temp_dir().join(format!("hdfs-rt-mapped-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let path = dir.join("table");
        let mut table = MappedTable::create(&path, 3).unwrap();
        assert_eq!(*table, [0, 0, 0]);
        table[1] = 0x0102;
        assert_eq!(MappedTable::create(&path, 3).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        let bytes = MappedFile::open(&path).unwrap();
        assert_eq!((bytes.len(), &bytes[8..10]), (24, [2, 1].as_slice()));
        File::create(dir.join("empty")).unwrap();
        assert!(MappedFile::open(&dir.join("empty")).unwrap().is_empty());
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
