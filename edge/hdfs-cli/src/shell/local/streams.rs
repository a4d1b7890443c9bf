//! Reading and writing local files, with their checksum files.
//!
//! ```text
//! checksum file:  "crc\0" | chunk size: 4 bytes, big-endian | CRC-32 of each chunk: 4 bytes, big-endian …
//! ```
//!
//! Hadoop: org.apache.hadoop.fs.ChecksumFileSystem (3.5.0)

use std::fs::File;
use std::io::{BufReader, BufWriter, ErrorKind, Read, Seek as _, SeekFrom, Write as _};

use hdfs_types::Error;

use super::{checksum_file, failed};
use crate::shell::failure::{Failure, Outcome};
use crate::shell::files::{Reader, Writer};

/// What a checksum file begins with.
const MAGIC: [u8; 4] = *b"crc\0";
/// `file.bytes-per-checksum`.
const CHUNK: usize = 512;
/// The largest chunk that is believed.
const LARGEST_CHUNK: usize = 1 << 20;
/// About how many bytes are verified at a time.
const BATCH: usize = 256 * 1024;

fn crc(bytes: &[u8]) -> u32 {
    crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32IsoHdlc, bytes) as u32
}

/// Reads until the buffer is full or the file ends.
fn fill(file: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut count = 0;
    while count < buffer.len() {
        match file.read(&mut buffer[count..]) {
            Ok(0) => break,
            Ok(more) => count += more,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(count)
}

/// A local file being read.
pub(super) struct LocalReader {
    file: File,
    verifier: Option<Verifier>,
}

impl LocalReader {
    pub(super) fn plain(file: File) -> Self {
        Self { file, verifier: None }
    }

    pub(super) fn verified(file: File, verifier: Verifier) -> Self {
        Self { file, verifier: Some(verifier) }
    }
}

impl Reader for LocalReader {
    fn read(&mut self, buffer: &mut [u8]) -> Outcome<usize> {
        match &mut self.verifier {
            Some(verifier) => verifier.read(&mut self.file, buffer),
            None => loop {
                match self.file.read(buffer) {
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    other => return Ok(other?),
                }
            },
        }
    }

    fn seek(&mut self, position: u64) -> Outcome<()> {
        match &mut self.verifier {
            Some(verifier) => verifier.seek(&mut self.file, position),
            None => {
                self.file.seek(SeekFrom::Start(position))?;
                Ok(())
            }
        }
    }
}

/// The checksums of a file that is being read, and the chunks that fit them.
pub(super) struct Verifier {
    path: String,
    sums: BufReader<File>,
    chunk: usize,
    /// Verified bytes, of which those before `taken` were given away.
    batch: Vec<u8>,
    taken: usize,
    /// Where the batch after this one begins; a multiple of the chunk size.
    next: u64,
}

impl Verifier {
    /// `None` when the file has no checksum file, or one that is none.
    pub(super) fn of(path: &str) -> Option<Self> {
        let mut sums = BufReader::new(File::open(checksum_file(path)).ok()?);
        let mut head = [0; 8];
        sums.read_exact(&mut head).ok()?;
        let chunk = u32::from_be_bytes([head[4], head[5], head[6], head[7]]) as usize;
        let sound = head[..4] == MAGIC && (1..=LARGEST_CHUNK).contains(&chunk);
        let path = path.to_owned();
        sound.then(|| Self { path, sums, chunk, batch: Vec::new(), taken: 0, next: 0 })
    }

    fn read(&mut self, file: &mut File, buffer: &mut [u8]) -> Outcome<usize> {
        if self.taken == self.batch.len() {
            self.next_batch(file)?;
        }
        let count = buffer.len().min(self.batch.len() - self.taken);
        buffer[..count].copy_from_slice(&self.batch[self.taken..self.taken + count]);
        self.taken += count;
        Ok(count)
    }

    fn next_batch(&mut self, file: &mut File) -> Outcome<()> {
        let size = (BATCH / self.chunk).max(1) * self.chunk;
        self.batch.resize(size, 0);
        let count = fill(file, &mut self.batch)?;
        self.batch.truncate(count);
        self.taken = 0;
        let mut expected = vec![0; count.div_ceil(self.chunk) * 4];
        let known = fill(&mut self.sums, &mut expected)?;
        let sums = expected[..known].chunks_exact(4);
        let sums = sums.map(|sum| u32::from_be_bytes([sum[0], sum[1], sum[2], sum[3]]));
        if sums.len() < count.div_ceil(self.chunk) {
            let file = checksum_file(&self.path);
            let message = format!(
                "Checksum file file:{file} ends before its file: remove it, or use -ignoreCrc"
            );
            return Err(self.refuse(message));
        }
        for (number, (chunk, expected)) in self.batch.chunks(self.chunk).zip(sums).enumerate() {
            let got = crc(chunk);
            if got != expected {
                let place = self.next + (number * self.chunk) as u64;
                return Err(self.refuse(format!(
                    "Checksum error: file:{} at {place} exp: {} got: {}",
                    self.path, expected as i32, got as i32
                )));
            }
        }
        self.next += count as u64;
        Ok(())
    }

    fn refuse(&self, message: String) -> Failure {
        Failure::Io(Error::new(hdfs_types::ErrorKind::Checksum, message))
    }

    fn seek(&mut self, file: &mut File, position: u64) -> Outcome<()> {
        let chunk = self.chunk as u64;
        let start = position / chunk * chunk;
        file.seek(SeekFrom::Start(start))?;
        self.sums.seek(SeekFrom::Start(8 + start / chunk * 4))?;
        self.next = start;
        self.batch.clear();
        self.taken = 0;
        if position > start {
            self.next_batch(file)?;
            self.taken = self.batch.len().min((position - start) as usize);
        }
        Ok(())
    }
}

/// A local file being written.
pub(super) struct LocalWriter {
    file: File,
    path: String,
    checksums: Option<Checksums>,
}

impl LocalWriter {
    pub(super) fn new(file: File, path: &str, with_checksums: bool) -> Self {
        let checksums = with_checksums.then(Checksums::default);
        Self { file, path: path.to_owned(), checksums }
    }
}

impl Writer for LocalWriter {
    fn write(&mut self, bytes: &[u8]) -> Outcome<()> {
        self.file.write_all(bytes).map_err(|error| failed(&self.path, &error))?;
        if let Some(checksums) = &mut self.checksums {
            checksums.add(bytes);
        }
        Ok(())
    }

    fn close(self: Box<Self>) -> Outcome<()> {
        let Some(checksums) = self.checksums else { return Ok(()) };
        let path = checksum_file(&self.path);
        checksums.write(&path).map_err(|error| failed(&path, &error))
    }
}

/// The sums of what was written.
#[derive(Default)]
struct Checksums {
    sums: Vec<u8>,
    /// The beginning of a chunk that is not whole yet.
    open: Vec<u8>,
}

impl Checksums {
    fn add(&mut self, mut bytes: &[u8]) {
        if !self.open.is_empty() {
            let (now, rest) = bytes.split_at(bytes.len().min(CHUNK - self.open.len()));
            self.open.extend_from_slice(now);
            bytes = rest;
            if self.open.len() < CHUNK {
                return;
            }
            self.sums.extend(crc(&self.open).to_be_bytes());
            self.open.clear();
        }
        let chunks = bytes.chunks_exact(CHUNK);
        self.open.extend_from_slice(chunks.remainder());
        for chunk in chunks {
            self.sums.extend(crc(chunk).to_be_bytes());
        }
    }

    fn write(mut self, path: &str) -> std::io::Result<()> {
        if !self.open.is_empty() {
            self.sums.extend(crc(&self.open).to_be_bytes());
        }
        let mut file = BufWriter::new(File::create(path)?);
        file.write_all(&MAGIC)?;
        file.write_all(&(CHUNK as u32).to_be_bytes())?;
        file.write_all(&self.sums)?;
        file.flush()
    }
}

#[cfg(test)]
mod tests;
