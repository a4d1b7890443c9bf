//! Files mapped into memory: an image that is larger than memory is read as one slice, and a table on disk is written
//! as one. The kernel keeps what is in use.
#![allow(unsafe_code)]

use std::fs::{File, OpenOptions};
use std::io;
use std::ops::{Deref, DerefMut};
use std::path::Path;

use memmap2::{Mmap, MmapMut};

/// The bytes of a file, for tools that read files nobody writes to any more (images): cutting the file while it is
/// mapped ends the process.
#[derive(Debug)]
pub struct MappedFile {
    /// An empty file can't be mapped.
    map: Option<Mmap>,
}

impl MappedFile {
    /// Maps a file for reading. An empty file is an empty slice.
    ///
    /// # Errors
    /// When the file can't be opened or mapped.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        if file.metadata()?.len() == 0 {
            return Ok(Self { map: None });
        }
        // SAFETY: callers name files that nobody writes to or cuts while they are read.
        let map = unsafe { Mmap::map(&file) }?;
        Ok(Self { map: Some(map) })
    }
}

impl Deref for MappedFile {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.map.as_deref().unwrap_or_default()
    }
}

/// A table of numbers in a file of its own; numbers that were never written are 0 and take no room on the disk.
#[derive(Debug)]
pub struct MappedTable {
    map: Option<MmapMut>,
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
        if bytes == 0 {
            return Ok(Self { map: None });
        }
        // SAFETY: the file was made here, and nobody else knows it.
        let map = unsafe { MmapMut::map_mut(&file) }?;
        Ok(Self { map: Some(map) })
    }
}

impl Deref for MappedTable {
    type Target = [u64];

    fn deref(&self) -> &[u64] {
        // SAFETY: any eight bytes are a number. A mapping begins at a page, so nothing is cut off in front.
        self.map.as_deref().map_or(&[], |bytes| unsafe { bytes.align_to::<u64>() }.1)
    }
}

impl DerefMut for MappedTable {
    fn deref_mut(&mut self) -> &mut [u64] {
        // SAFETY: as above.
        self.map.as_deref_mut().map_or(&mut [], |bytes| unsafe { bytes.align_to_mut::<u64>() }.1)
    }
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
