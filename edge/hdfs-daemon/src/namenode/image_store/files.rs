//! An image that is being written: to every folder at once, so that it is made only once.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};

use hdfs_format::storage_dir::{self, ImageFile};
use hdfs_rt::disk::{DirectBuffer, DirectFile, fsync_file, rename_durable, write_file_atomic};
use hdfs_types::{Error, Result};

use super::super::durable::failed;
use super::super::storage::NameDirs;
use super::delete;

/// The file in each folder. A folder that fails is dropped; what is not committed is deleted.
pub(crate) struct ImageFiles<'a> {
    dirs: &'a NameDirs,
    image: ImageFile,
    targets: Vec<Target>,
}

struct Target {
    /// Index into the folders.
    dir: usize,
    path: PathBuf,
    file: DirectFile,
}

impl<'a> ImageFiles<'a> {
    /// Creates the temporary files.
    ///
    /// # Errors
    /// When no folder takes one.
    pub(super) fn create(dirs: &'a NameDirs, image: ImageFile) -> Result<Self> {
        let mut files = Self { dirs, image, targets: Vec::new() };
        for (dir, folder) in dirs.live_images() {
            let path = folder.current().join(ImageFile::Checkpoint(image.txid()).name());
            match DirectFile::create(&path) {
                Ok(file) => files.targets.push(Target { dir, path, file }),
                Err(error) => dirs.drop_dir(dir, &failed("create", &path, error)),
            }
        }
        files.check_left()?;
        Ok(files)
    }

    /// Writes what comes, until no more can come.
    ///
    /// # Errors
    /// When no folder is left.
    pub(super) fn write_all_of(&mut self, ahead: &Ahead) -> Result<()> {
        for mut buffer in &ahead.full {
            let bytes = buffer.as_slice();
            self.keep(|target| {
                target.file.write_all(bytes).map_err(|error| failed("write", &target.path, error))
            });
            self.check_left()?;
            buffer.clear();
            // The other end is gone when all is written.
            let _ = ahead.empty.send(buffer);
        }
        Ok(())
    }

    /// Syncs the files and gives them their names.
    ///
    /// # Errors
    /// When no folder is left.
    pub(super) fn commit(&mut self, md5: &[u8; 16]) -> Result<()> {
        let (image, name) = (self.image, self.image.name());
        let md5_line = storage_dir::print_md5(md5, &name);
        self.keep(|target| {
            fsync_file(target.file.file(), &target.path)?;
            let md5_file = target.path.with_file_name(image.md5_name());
            write_file_atomic(&md5_file, md5_line.as_bytes())?;
            Ok(rename_durable(&target.path, &target.path.with_file_name(&name))?)
        });
        self.check_left()?;
        self.targets.clear();
        Ok(())
    }

    /// Keeps the folders where something works.
    fn keep(&mut self, mut works: impl FnMut(&mut Target) -> Result<()>) {
        let dirs = self.dirs;
        self.targets.retain_mut(|target| match works(target) {
            Ok(()) => true,
            Err(error) => {
                dirs.drop_dir(target.dir, &error);
                delete(&target.path);
                false
            }
        });
    }

    fn check_left(&self) -> Result<()> {
        if self.targets.is_empty() {
            return Err(Error::io(format!(
                "the image of transaction {} could not be written to any folder of dfs.namenode.name.dir; see the log",
                self.image.txid()
            )));
        }
        Ok(())
    }
}

/// Hands what is written to the thread that writes it to the disk, so that the digest need not wait for the disk.
pub(crate) struct Behind {
    buffer: DirectBuffer,
    full: Sender<DirectBuffer>,
    empty: Receiver<DirectBuffer>,
}

/// The other end: full buffers arrive, and go back when they were written.
pub(super) struct Ahead {
    full: Receiver<DirectBuffer>,
    empty: Sender<DirectBuffer>,
}

/// Bytes that go to the disk at a time, and how many of such there are.
const BUFFER_BYTES: usize = 1 << 20;
const BUFFERS: usize = 6;

impl Behind {
    /// The end that is written to, and the other one, for [`ImageFiles::write_all_of`].
    pub(super) fn new() -> (Self, Ahead) {
        let (full, arriving) = channel();
        let (back, empty) = channel();
        for _ in 1..BUFFERS {
            // The other end is in the same function.
            let _ = back.send(DirectBuffer::with_room(BUFFER_BYTES));
        }
        let buffer = DirectBuffer::with_room(BUFFER_BYTES);
        (Self { buffer, full, empty }, Ahead { full: arriving, empty: back })
    }
}

impl Write for Behind {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let now = self.buffer.fill(bytes);
        if self.buffer.is_full() {
            self.flush()?;
        }
        Ok(now)
    }

    fn flush(&mut self) -> io::Result<()> {
        // The other end is gone after an error, which it tells.
        let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
        let empty = self.empty.recv().map_err(|_| gone())?;
        let full = std::mem::replace(&mut self.buffer, empty);
        self.full.send(full).map_err(|_| gone())
    }
}

impl Drop for ImageFiles<'_> {
    fn drop(&mut self) {
        self.targets.iter().for_each(|target| delete(&target.path));
    }
}
