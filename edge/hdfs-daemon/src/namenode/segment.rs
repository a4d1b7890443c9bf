//! One segment of the edit log, in every folder at once.
//!
//! ```text
//! edits_inprogress_<first>: int32 layout version | int32 0 | operations … | 0xFF up to a multiple of 1 MiB
//! edits_<first>-<last>:     the same, cut after the last operation
//! ```
//! The 0xFF are written ahead, so that a sync of the operations in front of them writes no metadata.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.EditLogFileOutputStream, FileJournalManager (3.5.0)

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use hdfs_format::edits::{self, FILL, PREALLOCATION_BYTES};
use hdfs_rt::disk::{fdatasync_file, fsync_dir, fsync_file, rename_durable, write_file_atomic};
use hdfs_types::{Error, Result, TxId};

use super::durable::failed;
use super::storage::NameDirs;

/// The open segment.
pub(crate) struct Segment {
    first: TxId,
    files: Vec<SegmentFile>,
}

struct SegmentFile {
    /// Index into the folders.
    dir: usize,
    path: PathBuf,
    file: File,
    /// End of the operations.
    position: u64,
    /// End of the file.
    allocated: u64,
}

impl Segment {
    /// Creates the files in every live folder, in a layout.
    pub(crate) fn open(dirs: &NameDirs, first: TxId, layout_version: i32) -> Result<Self> {
        let mut files = Vec::new();
        for (index, dir) in dirs.live_edits() {
            match SegmentFile::create(index, &dir.current(), first, layout_version) {
                Ok(file) => files.push(file),
                Err(error) => dirs.drop_dir(index, &error),
            }
        }
        let mut segment = Self { first, files };
        segment.settle(dirs)?;
        Ok(segment)
    }

    /// Moves `seen_txid` of every folder to this segment, once its first transaction is durable: a restart must find it.
    pub(crate) fn note_seen(&self, dirs: &NameDirs) {
        for (index, dir) in dirs.live() {
            let seen = dir.current().join("seen_txid");
            if let Err(error) = write_file_atomic(&seen, format!("{}\n", self.first).as_bytes()) {
                dirs.drop_dir(index, &error.into());
            }
        }
    }

    /// Writes and syncs `bytes` in every folder.
    ///
    /// # Errors
    /// When too few folders are left; the caller must stop for good.
    pub(crate) fn append(&mut self, dirs: &NameDirs, bytes: &[u8]) -> Result<()> {
        for file in &mut self.files {
            if let Err(error) = file.write(bytes) {
                dirs.drop_dir(file.dir, &error);
            }
        }
        self.sync(dirs);
        self.settle(dirs)
    }

    /// Cuts the files after the last operation and gives them their final name.
    pub(crate) fn finalize(mut self, dirs: &NameDirs, last: TxId) -> Result<()> {
        let name = edits::finalized_name(self.first, last);
        for file in &self.files {
            if dirs.is_live(file.dir)
                && let Err(error) = file.finalize(&name)
            {
                dirs.drop_dir(file.dir, &error);
            }
        }
        self.settle(dirs)
    }

    /// Syncs every folder that is still in use: one on this thread, the others beside it.
    fn sync(&self, dirs: &NameDirs) {
        let sync = |file: &SegmentFile| {
            if !dirs.is_live(file.dir) {
                return;
            }
            let began = Instant::now();
            match fdatasync_file(&file.file, &file.path) {
                Ok(()) => dirs.note_sync(file.dir, began.elapsed()),
                Err(error) => dirs.drop_dir(file.dir, &error.into()),
            }
        };
        let Some((first, others)) = self.files.split_first() else { return };
        if others.is_empty() {
            return sync(first);
        }
        std::thread::scope(|scope| {
            for file in others {
                scope.spawn(move || sync(file));
            }
            sync(first);
        });
    }

    /// Forgets the folders that were dropped, and checks that enough are left.
    fn settle(&mut self, dirs: &NameDirs) -> Result<()> {
        self.files.retain(|file| dirs.is_live(file.dir));
        dirs.check_edits()?;
        if self.files.is_empty() {
            return Err(Error::io("no folder for edits is left"));
        }
        Ok(())
    }
}

impl SegmentFile {
    fn create(dir: usize, current: &Path, first: TxId, layout_version: i32) -> Result<Self> {
        let path = current.join(edits::in_progress_name(first));
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(&path)
            .map_err(|e| failed("create", &path, e))?;
        let mut this = Self { dir, path, file, position: 0, allocated: 0 };
        let mut header = Vec::new();
        edits::encode_header_as(&mut header, layout_version);
        this.write(&header)?;
        fsync_file(&this.file, &this.path)?;
        fsync_dir(current)?;
        Ok(this)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let end = self.position + bytes.len() as u64;
        while self.allocated < end {
            self.file
                .write_all_at(&UNUSED, self.allocated)
                .map_err(|e| failed("extend", &self.path, e))?;
            self.allocated += PREALLOCATION_BYTES as u64;
        }
        self.file.write_all_at(bytes, self.position).map_err(|e| failed("write", &self.path, e))?;
        self.position = end;
        Ok(())
    }

    fn finalize(&self, name: &str) -> Result<()> {
        self.file.set_len(self.position).map_err(|e| failed("cut", &self.path, e))?;
        fsync_file(&self.file, &self.path)?;
        Ok(rename_durable(&self.path, &self.path.with_file_name(name))?)
    }
}

static UNUSED: [u8; PREALLOCATION_BYTES] = [FILL; PREALLOCATION_BYTES];
