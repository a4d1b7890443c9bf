//! SequenceFiles: keys and values, alone, with values compressed one by one, or compressed in blocks.
//!
//! ```text
//! header   "SEQ", version (1), key class, value class, compressed? (1), in blocks? (1), codec class if compressed,
//!          number of metadata pairs (4), the pairs, sync marker (16)
//! record   length of key and value (4), length of the key (4), key, value; or -1 (4) and the sync marker
//! block    -1 (4), sync marker (16), number of records, then four compressed buffers, each with its length in front:
//!          lengths of keys, keys, lengths of values, values
//! ```
//!
//! Hadoop: org.apache.hadoop.io.SequenceFile.Reader (3.5.0)

use std::io::{self, BufRead};

use super::writable::{Kind, text};
use super::{failed, java};
use crate::shell::failure::{Failure, Outcome};
use hdfs_format::compression::Codec;

const NEWEST_VERSION: u8 = 6;
const SYNC_ESCAPE: u32 = u32::MAX;

struct File<R> {
    from: R,
    key: Kind,
    value: Kind,
    codec: Option<Codec>,
    sync: [u8; 16],
    name: String,
}

/// Gives every record as a line: key, tab, value.
pub(super) fn print(from: impl BufRead, name: &str, mut line: impl FnMut(&[u8])) -> Outcome<()> {
    let (mut file, in_blocks) = File::open(from, name)?;
    let mut show = |key: String, value: String| line(format!("{key}\t{value}\n").as_bytes());
    loop {
        let more = if in_blocks { file.block(&mut show) } else { file.record(&mut show) };
        if !more.map_err(failed)? {
            return Ok(());
        }
    }
}

impl<R: BufRead> File<R> {
    fn open(mut from: R, name: &str) -> Outcome<(Self, bool)> {
        let version = take::<4>(&mut from).map_err(failed)?[3];
        if version > NEWEST_VERSION {
            return Err(Failure::io(format!(
                "A record version mismatch occurred. Expecting v{NEWEST_VERSION}, found v{version}"
            )));
        }
        let mut class =
            || if version < 4 { short_text(&mut from) } else { text(&mut from) }.map_err(failed);
        let (key, value) = (class()?, class()?);
        let mut flag = |since: u8| -> Outcome<bool> {
            Ok(version >= since && take::<1>(&mut from).map_err(failed)? != [0])
        };
        let (compressed, in_blocks) = (flag(3)?, flag(4)?);
        let codec = match compressed {
            true if version >= 5 => {
                let class = text(&mut from).map_err(failed)?;
                let codec = Codec::of_class(&class);
                Some(codec.ok_or_else(|| Failure::Illegal(format!("Unknown codec: {class}")))?)
            }
            true => Some(Codec::Deflate),
            false => None,
        };
        if version >= 6 {
            for _ in 0..u32::from_be_bytes(take(&mut from).map_err(failed)?) {
                text(&mut from).map_err(failed)?;
                text(&mut from).map_err(failed)?;
            }
        }
        let sync = if version > 1 { take(&mut from).map_err(failed)? } else { [0; 16] };
        let (key, value) = (Kind::of_class(&key)?, Kind::of_class(&value)?);
        Ok((Self { from, key, value, codec, sync, name: name.to_owned() }, in_blocks))
    }

    fn damaged(&self, what: &str) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, format!("{}: {what}", self.name))
    }

    fn ended(&mut self) -> io::Result<bool> {
        Ok(self.from.fill_buf()?.is_empty())
    }

    fn check_sync(&mut self) -> io::Result<()> {
        let found = take::<16>(&mut self.from)?;
        if found == self.sync { Ok(()) } else { Err(self.damaged("File is corrupt!")) }
    }

    /// Shows the next record; false at the end.
    fn record(&mut self, show: &mut impl FnMut(String, String)) -> io::Result<bool> {
        if self.ended()? {
            return Ok(false);
        }
        let mut length = u32::from_be_bytes(take(&mut self.from)?);
        if length == SYNC_ESCAPE {
            self.check_sync()?;
            if self.ended()? {
                return Ok(false);
            }
            length = u32::from_be_bytes(take(&mut self.from)?);
        }
        let key_length = u32::from_be_bytes(take(&mut self.from)?);
        let value_length =
            length.checked_sub(key_length).ok_or_else(|| self.damaged("a key is too long"))?;
        let key = java::read_bytes(&mut self.from, key_length.into())?;
        let mut value = java::read_bytes(&mut self.from, value_length.into())?;
        if let Some(codec) = self.codec {
            value = codec.decode(&value)?;
        }
        show(self.key.show(&mut key.as_slice())?, self.value.show(&mut value.as_slice())?);
        Ok(true)
    }

    /// Shows the records of the next block; false at the end.
    fn block(&mut self, show: &mut impl FnMut(String, String)) -> io::Result<bool> {
        if self.ended()? {
            return Ok(false);
        }
        take::<4>(&mut self.from)?;
        self.check_sync()?;
        let records = java::read_vlength(&mut self.from)?;
        let mut buffer = || {
            let length = java::read_vlength(&mut self.from)?;
            let bytes = java::read_bytes(&mut self.from, length)?;
            self.codec.map_or_else(|| Ok(bytes.clone()), |codec| codec.decode(&bytes))
        };
        let (_, keys, _, values) = (buffer()?, buffer()?, buffer()?, buffer()?);
        let (mut keys, mut values) = (keys.as_slice(), values.as_slice());
        for _ in 0..records {
            show(self.key.show(&mut keys)?, self.value.show(&mut values)?);
        }
        Ok(true)
    }
}

fn take<const N: usize>(from: &mut impl BufRead) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Text of the versions before 4, with two bytes of length.
fn short_text(from: &mut impl BufRead) -> io::Result<String> {
    let length = u16::from_be_bytes(take(from)?);
    let bytes = java::read_bytes(from, length.into())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
