//! Moving bytes from a reader to a writer. Of a large file, the next bytes are read while the last ones are written.

use std::sync::mpsc::{channel, sync_channel};

use super::BUFFER;
use crate::shell::failure::{Failure, Outcome};
use crate::shell::files::{Reader, Writer};
use crate::shell::progress::FileProgress;

/// From here on a thread of its own reads.
const LARGE_BYTES: u64 = 4 << 20;
/// Buffers that may be read ahead.
const AHEAD: usize = 3;

/// A full buffer, or why there is none.
type Piece = Outcome<(Vec<u8>, usize)>;

/// Copies everything. `length` is what the source said about itself, if it could.
pub(super) fn pump(
    reader: &mut dyn Reader,
    writer: &mut dyn Writer,
    length: Option<u64>,
    progress: &mut FileProgress,
) -> Outcome<()> {
    if length.is_some_and(|length| length >= LARGE_BYTES) {
        return pump_ahead(reader, writer, progress);
    }
    // One byte more than there should be, so that the end is seen with the last bytes.
    let size = length.map_or(BUFFER, |length| (length as usize + 1).min(BUFFER));
    let mut buffer = vec![0; size];
    loop {
        match reader.read(&mut buffer)? {
            0 => return Ok(()),
            count => {
                writer.write(&buffer[..count])?;
                progress.add(count as u64);
            }
        }
    }
}

fn pump_ahead(
    reader: &mut dyn Reader,
    writer: &mut dyn Writer,
    progress: &mut FileProgress,
) -> Outcome<()> {
    std::thread::scope(|scope| {
        let (full, pieces) = sync_channel::<Piece>(AHEAD);
        let (written, empty) = channel::<Vec<u8>>();
        let read = move || {
            loop {
                let mut buffer = empty.try_recv().unwrap_or_else(|_| vec![0; BUFFER]);
                let piece = fill(reader, &mut buffer).map(|count| (buffer, count));
                let last = !matches!(piece, Ok((_, 1..)));
                // The writer is gone when it failed: nobody wants more.
                if full.send(piece).is_err() || last {
                    return;
                }
            }
        };
        std::thread::Builder::new().name("read-ahead".into()).spawn_scoped(scope, read)?;
        for piece in pieces {
            let (buffer, count) = piece?;
            if count == 0 {
                return Ok(());
            }
            writer.write(&buffer[..count])?;
            progress.add(count as u64);
            // The reader may have ended: then nobody wants the buffer.
            let _ = written.send(buffer);
        }
        Err(Failure::io("the reader ended without an end of the file"))
    })
}

/// Reads until the buffer is full or the file ends.
fn fill(reader: &mut dyn Reader, buffer: &mut [u8]) -> Outcome<usize> {
    let mut count = 0;
    while count < buffer.len() {
        match reader.read(&mut buffer[count..])? {
            0 => break,
            more => count += more,
        }
    }
    Ok(count)
}

#[cfg(test)]
mod tests;
