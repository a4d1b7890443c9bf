//! Reading and writing at positions, completely or not at all.

use std::fs::File;
use std::io::{self, IoSlice};
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::path::Path;

use hdfs_datapath::ChecksumSpec;
use hdfs_datapath::checksum;
use hdfs_format::block_meta::META_HEADER_BYTES;
use hdfs_types::{Error, ErrorKind, Result};

use super::volume::io_error;

/// Writes all slices one after the other, from `offset` on.
///
/// # Errors
/// When the disk refuses.
pub(crate) fn write_slices(
    file: &File,
    mut slices: &mut [IoSlice<'_>],
    mut offset: u64,
) -> io::Result<()> {
    /// The system's limit of slices in one call.
    const MAX_SLICES: usize = 1_024;
    while !slices.is_empty() {
        let count = slices.len().min(MAX_SLICES);
        let written = rustix::io::pwritev(file.as_fd(), &slices[..count], offset)?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        offset += written as u64;
        IoSlice::advance_slices(&mut slices, written);
    }
    Ok(())
}

/// The header of a `.meta` file.
///
/// # Errors
/// When it is short or impossible: the replica is corrupt (HDFS-14706).
pub(crate) fn read_spec(meta: &File, path: &Path) -> Result<ChecksumSpec> {
    let mut header = [0; META_HEADER_BYTES];
    let mut filled = 0;
    while filled < header.len() {
        match meta.read_at(&mut header[filled..], filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) => return Err(io_error("read", path, error)),
        }
    }
    ChecksumSpec::decode_header(&header[..filled]).map_err(|error| {
        Error::new(ErrorKind::Checksum, format!(
            "The meta file length {filled} is less than the expected length or its header is corrupt: {}: {error}",
            path.display()
        ))
        .with_source(error)
    })
}

/// The bytes of the partial last chunk of a block of `length` bytes, compared with the checksum on disk, and that
/// checksum. Empty when the length is a whole number of chunks.
///
/// # Errors
/// `Checksum` when they differ; what cannot be read is an error as well.
pub(crate) fn read_partial_chunk(
    data: &File,
    meta: &File,
    spec: ChecksumSpec,
    length: u64,
    path: &Path,
) -> Result<(Vec<u8>, Option<u32>)> {
    let per = u64::from(spec.bytes_per_checksum);
    let partial = length % per;
    if partial == 0 || spec.kind.size() == 0 {
        return Ok((Vec::new(), None));
    }
    let mut chunk = vec![0; usize::try_from(partial).unwrap_or(0)];
    data.read_exact_at(&mut chunk, length - partial)
        .map_err(|error| io_error("read", path, error))?;
    let mut sum = [0; 4];
    let at = META_HEADER_BYTES as u64 + length / per * spec.kind.size() as u64;
    meta.read_exact_at(&mut sum, at)
        .map_err(|error| io_error("read the last checksum of", path, error))?;
    let (expected, found) = (u32::from_be_bytes(sum), checksum::sum(spec.kind, &chunk));
    if expected != found {
        return Err(Error::new(
            ErrorKind::Checksum,
            format!(
                "Partial CRC {found} does not match value computed the  last time file was closed {expected} ({})",
                path.display()
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
pub(crate) fn roll_back(
    data: &File,
    meta: &File,
    spec: ChecksumSpec,
    length: u64,
    last_sum: Option<u32>,
) -> io::Result<()> {
    data.set_len(length)?;
    meta.set_len(spec.meta_bytes(length))?;
    match last_sum {
        Some(sum) if spec.kind.size() > 0 => {
            let chunk = length / u64::from(spec.bytes_per_checksum);
            let at = META_HEADER_BYTES as u64 + chunk * spec.kind.size() as u64;
            meta.write_all_at(&sum.to_be_bytes(), at)
        }
        _ => Ok(()),
    }
}

/// Cuts a block to `length` bytes and makes the checksum of its last chunk anew, from bytes that were verified.
///
/// # Errors
/// When the last chunk that stays is corrupt, or the disk refuses; then nothing has changed.
pub(crate) fn truncate_block(
    data: &File,
    meta: &File,
    spec: ChecksumSpec,
    old_length: u64,
    length: u64,
    path: &Path,
) -> Result<()> {
    let per = u64::from(spec.bytes_per_checksum);
    let size = spec.kind.size() as u64;
    let fail = |error| io_error("truncate", path, error);
    let partial = length % per;
    let mut last = None;
    if partial != 0 && size != 0 {
        let start = length - partial;
        let whole = usize::try_from(per.min(old_length - start)).unwrap_or(0);
        let mut chunk = vec![0; whole];
        data.read_exact_at(&mut chunk, start).map_err(fail)?;
        let mut sum = [0; 4];
        let at = META_HEADER_BYTES as u64 + start / per * size;
        meta.read_exact_at(&mut sum, at).map_err(fail)?;
        if checksum::sum(spec.kind, &chunk) != u32::from_be_bytes(sum) {
            return Err(Error::new(
                ErrorKind::Checksum,
                format!("the chunk at {start} of {} is corrupt", path.display()),
            ));
        }
        chunk.truncate(usize::try_from(partial).unwrap_or(0));
        last = Some((at, checksum::sum(spec.kind, &chunk)));
    }
    data.set_len(length).map_err(fail)?;
    meta.set_len(spec.meta_bytes(length)).map_err(fail)?;
    if let Some((at, sum)) = last {
        meta.write_all_at(&sum.to_be_bytes(), at).map_err(fail)?;
    }
    data.sync_data().and_then(|()| meta.sync_data()).map_err(fail)
}

/// The longest prefix of the block file that its checksums prove: what a replica that was being written may claim after
/// a crash (HDFS-5728).
///
/// # Errors
/// When the files cannot be read.
pub(crate) fn proven_length(data: &File, meta: &File, path: &Path) -> Result<u64> {
    let fail = |error| io_error("read", path, error);
    let length = data.metadata().map_err(fail)?.len();
    let meta_length = meta.metadata().map_err(fail)?.len();
    if length == 0 || meta_length < META_HEADER_BYTES as u64 {
        return Ok(0);
    }
    let Ok(spec) = read_spec(meta, path) else { return Ok(0) };
    let covered = length.min(spec.covered_bytes(meta_length));
    if spec.kind.size() == 0 {
        return Ok(covered);
    }
    // After a crash any chunk may be torn, not only the last: verify all of it, from the start.
    let per = spec.bytes_per_checksum as usize;
    let step = per * (1 << 20_usize.saturating_sub(per.ilog2() as usize).min(11));
    let mut block = vec![0; step];
    let mut sums = vec![0; step / per * 4];
    let mut at = 0;
    while at < covered {
        let now = usize::try_from((covered - at).min(step as u64)).unwrap_or(step);
        let sums_now = now.div_ceil(per) * 4;
        data.read_exact_at(&mut block[..now], at).map_err(fail)?;
        let sums_at = META_HEADER_BYTES as u64 + at / per as u64 * 4;
        meta.read_exact_at(&mut sums[..sums_now], sums_at).map_err(fail)?;
        if let Err(bad) = checksum::verify(spec, &block[..now], &sums[..sums_now]) {
            return Ok(at + bad.offset as u64);
        }
        at += now as u64;
    }
    Ok(covered)
}
