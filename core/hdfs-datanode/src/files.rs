//! The two files of a replica: what is read from them and how they are cut, so that data and checksums always agree.
//!
//! The files themselves are the shell's, or a simulation's: a [`BlockFile`] is open, a [`Folders`] knows the names.

use hdfs_datapath::{ChecksumSpec, checksum};
use hdfs_format::block_meta::META_HEADER_BYTES;
use hdfs_types::{Block, BlockId, Error, ErrorKind, Result};

use crate::recovery::FileLengths;
use crate::replica::{Place, Replica};

/// A sync failed: what was to be safe is lost for good, though another sync may succeed. Nobody syncs it again: the replica
/// is not trusted before the next start reads it from the disk.
#[derive(Debug)]
pub struct NotSynced(pub Error);

/// Why files could not be changed.
#[derive(Debug)]
pub enum FileError {
    /// The disk refused, or they are not what they should be; what is there is as it was, or can be cut back.
    Refused(Error),
    /// A sync failed.
    NotSynced(NotSynced),
    /// Data and checksums lie in two folders now: only the next start joins them.
    Apart(Error),
}

impl From<Error> for FileError {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

impl From<NotSynced> for FileError {
    fn from(error: NotSynced) -> Self {
        Self::NotSynced(error)
    }
}

impl From<NotSynced> for Error {
    fn from(error: NotSynced) -> Self {
        error.0
    }
}

impl From<FileError> for Error {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Refused(error)
            | FileError::NotSynced(NotSynced(error))
            | FileError::Apart(error) => error,
        }
    }
}

/// A file that is open for reading, and for writing where it was opened so. Positions and lengths are bytes.
///
/// Errors name the file and what was done to it: `DiskError`, `DiskOutOfSpace`, `FileNotFound`.
pub trait BlockFile {
    /// Its length.
    ///
    /// # Errors
    /// When the disk refuses.
    fn length(&self) -> Result<u64>;
    /// Reads what is there from `at` on: 0 bytes at the end.
    ///
    /// # Errors
    /// When the disk refuses.
    fn read_at(&self, buffer: &mut [u8], at: u64) -> Result<usize>;
    /// Writes all of it.
    ///
    /// # Errors
    /// When the disk refuses; some of it may be there.
    fn write_at(&self, bytes: &[u8], at: u64) -> Result<()>;
    /// Makes it this long.
    ///
    /// # Errors
    /// When the disk refuses.
    fn cut(&self, length: u64) -> Result<()>;
    /// Its bytes and its length survive a power cut.
    ///
    /// # Errors
    /// When the disk refuses; then nothing of it may be acknowledged, and no second sync tells anything.
    fn sync(&self) -> Result<(), NotSynced>;
    /// What is read from now on comes from the medium, where that is possible: after a sync that failed, memory may hold
    /// what the medium does not.
    fn forget_cached(&self);
    /// Its path, for messages.
    fn shown(&self) -> String;
}

/// Which of a replica's two files.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// The block file.
    Data,
    /// The `.meta` file.
    Meta,
}

/// The name of a file of a replica.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FileName {
    /// The folder.
    pub place: Place,
    /// Whose file; its length does not matter.
    pub block: Block,
    /// Which one.
    pub part: Part,
}

impl FileName {
    /// The checksums and the data of a replica at this place, in the order in which files move: a block file is never seen
    /// without its checksums.
    pub fn pair(place: Place, block: Block) -> [Self; 2] {
        [Part::Meta, Part::Data].map(|part| Self { place, block, part })
    }
}

/// The folders of one pool on one volume.
///
/// Errors as those of [`BlockFile`].
pub trait Folders {
    /// What opening gives.
    type File: BlockFile;
    /// Makes a file, which must not exist.
    ///
    /// # Errors
    /// When it exists, or the disk refuses.
    fn create(&self, name: &FileName) -> Result<Self::File>;
    /// Opens a file for reading and writing; nothing else may see the changes (an upgrade may have linked it).
    ///
    /// # Errors
    /// When it is not there, or the disk refuses.
    fn open_to_change(&self, name: &FileName) -> Result<Self::File>;
    /// The length of a file; `None` when it is missing.
    fn length(&self, name: &FileName) -> Option<u64>;
    /// Gives a file another name, in one step.
    ///
    /// # Errors
    /// When the disk refuses.
    fn rename(&self, from: &FileName, to: &FileName) -> Result<()>;
    /// Copies a file.
    ///
    /// # Errors
    /// When the disk refuses.
    fn copy(&self, from: &FileName, to: &FileName) -> Result<()>;
    /// Removes a file.
    ///
    /// # Errors
    /// When it is not there, or the disk refuses.
    fn remove(&self, name: &FileName) -> Result<()>;
    /// A replica that the NameNode deletes goes: its files too, or to where a rolling upgrade keeps them.
    fn dispose(&self, replica: &Replica)
    where
        Self: Sized,
    {
        remove(self, replica);
    }
    /// Makes the folder of a finalized block, durably.
    ///
    /// # Errors
    /// When the disk refuses.
    fn make_finalized_folder(&self, id: BlockId) -> Result<()>;
    /// The names in a folder survive a power cut.
    ///
    /// # Errors
    /// When the disk refuses.
    fn sync_folder(&self, place: Place, id: BlockId) -> Result<(), NotSynced>;
    /// Finalized replicas take so many bytes more, or less.
    fn add_used(&self, bytes: i64);
    /// A file that should go could not be removed.
    fn note(&self, what: &str, error: &Error);
}

/// Reads all of the buffer.
///
/// # Errors
/// When the file ends before, or the disk refuses.
pub fn read_exact(file: &impl BlockFile, buffer: &mut [u8], at: u64) -> Result<()> {
    let mut filled = 0;
    while filled < buffer.len() {
        let read = file.read_at(&mut buffer[filled..], at + filled as u64)?;
        if read == 0 {
            let text = format!("read {}: failed to fill whole buffer", file.shown());
            return Err(Error::new(ErrorKind::DiskError, text));
        }
        filled += read;
    }
    Ok(())
}

/// The header of a `.meta` file.
///
/// # Errors
/// When it is short or impossible: the replica is corrupt (HDFS-14706).
pub fn read_spec(meta: &impl BlockFile) -> Result<ChecksumSpec> {
    let mut header = [0; META_HEADER_BYTES];
    let mut filled = 0;
    while filled < header.len() {
        match meta.read_at(&mut header[filled..], filled as u64)? {
            0 => break,
            read => filled += read,
        }
    }
    ChecksumSpec::decode_header(&header[..filled]).map_err(|error| {
        Error::new(ErrorKind::Checksum, format!(
            "The meta file length {filled} is less than the expected length or its header is corrupt: {}: {error}",
            meta.shown()
        ))
        .with_source(error)
    })
}

/// The bytes of the partial last chunk of a block of `length` bytes, compared with the checksum on disk, and that
/// checksum. Empty when the length is a whole number of chunks.
///
/// # Errors
/// `Checksum` when they differ; what cannot be read is an error as well.
pub fn read_partial_chunk(
    data: &impl BlockFile,
    meta: &impl BlockFile,
    spec: ChecksumSpec,
    length: u64,
) -> Result<(Vec<u8>, Option<u32>)> {
    let per = u64::from(spec.bytes_per_checksum);
    let partial = length % per;
    if partial == 0 || spec.kind.size() == 0 {
        return Ok((Vec::new(), None));
    }
    let mut chunk = vec![0; usize::try_from(partial).unwrap_or(0)];
    read_exact(data, &mut chunk, length - partial)?;
    let mut sum = [0; 4];
    let at = META_HEADER_BYTES as u64 + length / per * spec.kind.size() as u64;
    read_exact(meta, &mut sum, at)?;
    let (expected, found) = (u32::from_be_bytes(sum), checksum::sum(spec.kind, &chunk));
    if expected != found {
        return Err(Error::new(
            ErrorKind::Checksum,
            format!(
                "Partial CRC {found} does not match value computed the  last time file was closed {expected} ({})",
                data.shown()
            ),
        ));
    }
    Ok((chunk, Some(expected)))
}

/// Cuts both files back to what is known to be on disk: `length` bytes, whose partial last chunk has this checksum. What a
/// failed write left beyond that is gone.
///
/// # Errors
/// When the disk refuses.
pub fn roll_back(
    data: &impl BlockFile,
    meta: &impl BlockFile,
    spec: ChecksumSpec,
    length: u64,
    last_sum: Option<u32>,
) -> Result<(), FileError> {
    if let Some(sum) = last_sum.filter(|_| spec.kind.size() > 0) {
        let chunk = length / u64::from(spec.bytes_per_checksum);
        set_sum(meta, META_HEADER_BYTES as u64 + chunk * spec.kind.size() as u64, sum)?;
    }
    data.cut(length)?;
    Ok(meta.cut(spec.meta_bytes(length))?)
}

/// The checksum of a chunk that is about to be cut is safe before the data is: a power cut then leaves data of which the
/// checksum proves the start. The other way round it would prove nothing.
fn set_sum(meta: &impl BlockFile, at: u64, sum: u32) -> Result<(), FileError> {
    meta.write_at(&sum.to_be_bytes(), at)?;
    Ok(meta.sync()?)
}

/// Cuts a block to `length` bytes and makes the checksum of its last chunk anew, from bytes that were verified. Durable when
/// this returns.
///
/// The checksum is on disk before bytes go: whatever step fails or is lost with the power, a second call ends what the first
/// began.
///
/// # Errors
/// When the last chunk that stays is corrupt, or the disk refuses.
pub fn truncate_block(
    data: &impl BlockFile,
    meta: &impl BlockFile,
    spec: ChecksumSpec,
    old_length: u64,
    length: u64,
) -> Result<(), FileError> {
    let per = u64::from(spec.bytes_per_checksum);
    let size = spec.kind.size() as u64;
    let partial = length % per;
    let old_length = old_length.min(data.length()?);
    if old_length < length {
        let text = format!("{} has {old_length} bytes: it can't be cut to {length}", data.shown());
        return Err(Error::io(text).into());
    }
    if partial != 0 && size != 0 {
        let start = length - partial;
        let whole = usize::try_from(per.min(old_length - start)).unwrap_or(0);
        let mut chunk = vec![0; whole];
        read_exact(data, &mut chunk, start)?;
        let mut sum = [0; 4];
        let at = META_HEADER_BYTES as u64 + start / per * size;
        read_exact(meta, &mut sum, at)?;
        let stored = u32::from_be_bytes(sum);
        let before = checksum::sum(spec.kind, &chunk);
        chunk.truncate(usize::try_from(partial).unwrap_or(0));
        let after = checksum::sum(spec.kind, &chunk);
        // An attempt that was interrupted has put the new one in place.
        if stored != before && stored != after {
            let text = format!("the chunk at {start} of {} is corrupt", data.shown());
            return Err(Error::new(ErrorKind::Checksum, text).into());
        }
        set_sum(meta, at, after)?;
    }
    data.cut(length)?;
    meta.cut(spec.meta_bytes(length))?;
    data.sync()?;
    Ok(meta.sync()?)
}

/// The longest prefix of the block file that its checksums prove: what a replica that was being written may claim after
/// a crash (HDFS-5728).
///
/// Differs: Hadoop looks at the last chunk only, and drops all of it when its checksum does not match.
///
/// # Errors
/// When the files cannot be read.
pub fn proven_length(data: &impl BlockFile, meta: &impl BlockFile) -> Result<u64> {
    data.forget_cached();
    meta.forget_cached();
    let length = data.length()?;
    let meta_length = meta.length()?;
    if length == 0 || meta_length < META_HEADER_BYTES as u64 {
        return Ok(0);
    }
    let Ok(spec) = read_spec(meta) else { return Ok(0) };
    let covered = length.min(spec.covered_bytes(meta_length));
    let unproven = first_unproven(data, meta, spec, covered, &mut |_| true)?;
    Ok(unproven.unwrap_or(covered))
}

/// Reads `length` bytes and compares all of them with their checksums; answers where those end that are proven, when not all
/// are. `pace` is told how many bytes were read each time, and says whether to go on.
///
/// # Errors
/// When the files cannot be read, or are shorter.
pub fn first_unproven(
    data: &impl BlockFile,
    meta: &impl BlockFile,
    spec: ChecksumSpec,
    length: u64,
    pace: &mut dyn FnMut(u64) -> bool,
) -> Result<Option<u64>> {
    if spec.kind.size() == 0 {
        return Ok(None);
    }
    // Any chunk may be torn, not only the last: all of it, from the start.
    let per = spec.bytes_per_checksum as usize;
    let step = per * (1 << 20_usize.saturating_sub(per.ilog2() as usize).min(9));
    let step =
        usize::try_from(length).map_or(step, |length| step.min(length.next_multiple_of(per)));
    let mut block = vec![0; step];
    let mut sums = vec![0; step / per * 4];
    let mut at = 0;
    while at < length {
        let now = usize::try_from((length - at).min(step as u64)).unwrap_or(step);
        let sums_now = now.div_ceil(per) * 4;
        read_exact(data, &mut block[..now], at)?;
        let sums_at = META_HEADER_BYTES as u64 + at / per as u64 * 4;
        read_exact(meta, &mut sums[..sums_now], sums_at)?;
        if let Err(bad) = checksum::verify(spec, &block[..now], &sums[..sums_now]) {
            // A chunk may have grown after its checksum: what that proves was acknowledged, and perhaps synced.
            let chunk = &block[bad.offset..now.min(bad.offset + per)];
            let proven = checksum::proven_prefix(spec.kind, chunk, bad.expected);
            return Ok(Some(at + (bad.offset + proven) as u64));
        }
        at += now as u64;
        if !pace(now as u64) {
            return Ok(None);
        }
    }
    Ok(None)
}

/// A replica that was being written when the process ended waits for recovery, with the bytes that its checksums prove;
/// what they do not prove is cut off: recovery compares the file's length with the replica's.
pub fn waiting_length(folders: &impl Folders, block: Block) -> u64 {
    let [meta, data] = FileName::pair(Place::Rbw, block);
    let opened =
        folders.open_to_change(&data).and_then(|data| Ok((data, folders.open_to_change(&meta)?)));
    let Ok((data, meta)) = opened else { return 0 };
    match proven_length(&data, &meta) {
        Ok(length) => {
            let cut_meta =
                read_spec(&meta).map_or(Ok(()), |spec| meta.cut(spec.meta_bytes(length)));
            if let Err(error) = data.cut(length).and(cut_meta) {
                folders.note("cut unproven bytes", &error);
            }
            length
        }
        Err(error) => {
            folders.note("replica proves nothing", &error);
            0
        }
    }
}

/// The lengths of a replica's files.
pub fn lengths(folders: &impl Folders, replica: &Replica) -> FileLengths {
    let [meta, data] = FileName::pair(replica.place, replica.block);
    FileLengths { data: folders.length(&data), meta: folders.length(&meta) }
}

/// Bytes that a replica's files take.
pub fn used_bytes(folders: &impl Folders, place: Place, block: Block) -> u64 {
    let names = FileName::pair(place, block);
    names.iter().filter_map(|name| folders.length(name)).sum()
}

/// Removes both files of a replica that is no longer in the map.
pub fn remove(folders: &impl Folders, replica: &Replica) {
    if replica.place == Place::Finalized {
        let used = used_bytes(folders, replica.place, replica.block);
        folders.add_used(-used.cast_signed());
    }
    let [meta, data] = FileName::pair(replica.place, replica.block);
    for name in [data, meta] {
        if let Err(error) = folders.remove(&name) {
            folders.note("delete replica", &error);
        }
    }
}
