//! `-text`: compressed files, SequenceFiles and Avro files as text; any other file as it is.
//!
//! Hadoop: org.apache.hadoop.fs.shell.Display.Text (3.5.0)

mod avro;
mod java;
mod sequence;
mod writable;

use std::io::{self, BufReader, Cursor, Read};

use super::Shell;
use super::copy::BUFFER;
use super::display::refuse_directory;
use super::failure::{Failure, Outcome};
use super::files::Reader;
use super::walk::{Command, PathData};
use hdfs_format::compression::Codec;

/// Bytes that say what a file is.
const MAGIC: u64 = 4;

/// A file of the shell as a stream of the standard library.
struct Source(Box<dyn Reader>);

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|failure| match failure {
            Failure::Io(error) => io::Error::other(error),
            other => io::Error::other(other.message().to_owned()),
        })
    }
}

/// What a decoder or the file under it says.
fn failed(error: io::Error) -> Failure {
    match error.downcast::<hdfs_types::Error>() {
        Ok(error) => Failure::Io(error),
        Err(error) => Failure::io(error.to_string()),
    }
}

/// `-text`. `-ignoreCrc` changes nothing: what is read is always verified (docs/differences.md).
#[derive(Default)]
pub(crate) struct Text;

impl Command for Text {
    fn visit(&mut self, shell: &mut Shell, item: &PathData) -> Outcome<()> {
        refuse_directory(item)?;
        let mut source = Source(item.fs.open(&item.path)?);
        let mut start = Vec::new();
        source.by_ref().take(MAGIC).read_to_end(&mut start).map_err(failed)?;
        let magic = start.clone();
        let whole = BufReader::with_capacity(BUFFER, Cursor::new(start).chain(source));
        match kind(&item.path, &magic) {
            Kind::Plain => copy(shell, &mut { whole }),
            Kind::Coded(codec) => copy(shell, &mut *codec.decoder(Box::new(whole))),
            Kind::Sequence => {
                sequence::print(whole, &item.qualified(), |line| shell.out.bytes(line))
            }
            Kind::Avro => avro::print(whole, |line| shell.out.bytes(line)),
        }
    }
}

/// What a file is.
enum Kind {
    Plain,
    Coded(Codec),
    Sequence,
    Avro,
}

/// By the first bytes, and where they say nothing by the ending of the name.
fn kind(path: &str, start: &[u8]) -> Kind {
    match start {
        [0x1f, 0x8b, ..] => Kind::Coded(Codec::Gzip),
        [b'S', b'E', b'Q', ..] => Kind::Sequence,
        [b'O', b'b', b'j', ..] => Kind::Avro,
        // Too short to be anything; and what begins as an Avro file is not looked at by name.
        [] | [_] | [b'O', b'b', ..] => Kind::Plain,
        _ => Codec::of_file(path).map_or(Kind::Plain, Kind::Coded),
    }
}

fn copy(shell: &mut Shell, from: &mut dyn Read) -> Outcome<()> {
    let mut buffer = vec![0; BUFFER];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => shell.out.bytes(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
}

#[cfg(test)]
mod tests;
