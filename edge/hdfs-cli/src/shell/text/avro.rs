//! Avro data files, each datum as a line of JSON.
//!
//! ```text
//! "Obj" 1   a map of metadata (avro.schema, avro.codec), sync marker (16), then blocks:
//!           number of data, length in bytes, the data, sync marker
//! ```
//!
//! Hadoop: org.apache.hadoop.fs.shell.Display.AvroFileInputStream (3.5.0), Avro's JsonEncoder (1.11)

mod schema;

use std::io::{self, BufRead, Cursor, Read};

use self::schema::{Schema, Type};
use super::{failed, java};
use crate::shell::failure::{Failure, Outcome};
use hdfs_format::compression::{Codec, unpack_snappy};

/// Values within values that are read.
const MAX_DEPTH: usize = 256;
/// Largest block after decompression.
const MAX_BLOCK: usize = 1 << 30;

fn damaged(what: impl ToString) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_string())
}

/// Gives every datum as a line.
pub(super) fn print(mut from: impl BufRead, mut line: impl FnMut(&[u8])) -> Outcome<()> {
    let header = Header::read(&mut from).map_err(failed)?;
    let schema = Schema::parse(&header.schema).map_err(Failure::io)?;
    let mut text = String::new();
    while !from.fill_buf()?.is_empty() {
        let block = header.block(&mut from).map_err(failed)?;
        let mut data = block.data.as_slice();
        for _ in 0..block.count {
            text.clear();
            Writer { schema: &schema, text: &mut text }
                .datum(&mut data, schema.root(), 0)
                .map_err(failed)?;
            text.push('\n');
            line(text.as_bytes());
        }
    }
    Ok(())
}

struct Header {
    schema: String,
    codec: String,
    sync: [u8; 16],
}

struct Block {
    count: u64,
    data: Vec<u8>,
}

impl Header {
    fn read(from: &mut impl Read) -> io::Result<Self> {
        let mut magic = [0; 4];
        from.read_exact(&mut magic)?;
        if magic != *b"Obj\x01" {
            return Err(damaged("Not an Avro data file."));
        }
        let mut header = Self { schema: String::new(), codec: "null".into(), sync: [0; 16] };
        while let Some(count) = count(from)? {
            for _ in 0..count {
                let key = string(from)?;
                let value = string(from)?;
                match key.as_str() {
                    "avro.schema" => header.schema = value,
                    "avro.codec" => header.codec = value,
                    _ => {}
                }
            }
        }
        from.read_exact(&mut header.sync)?;
        Ok(header)
    }

    fn block(&self, from: &mut impl Read) -> io::Result<Block> {
        let count = u64::try_from(long(from)?).map_err(damaged)?;
        let length = u64::try_from(long(from)?).map_err(damaged)?;
        let packed = java::read_bytes(from, length)?;
        let mut sync = [0; 16];
        from.read_exact(&mut sync)?;
        if sync != self.sync {
            return Err(damaged("Invalid sync!"));
        }
        let data = match self.codec.as_str() {
            "null" => packed,
            "deflate" => {
                let mut data = Vec::new();
                flate2::read::DeflateDecoder::new(Cursor::new(packed)).read_to_end(&mut data)?;
                data
            }
            "bzip2" => Codec::Bzip2.decode(&packed)?,
            "zstandard" => Codec::Zstandard.decode(&packed)?,
            // Four bytes of checksum follow.
            "snappy" => {
                let end = packed.len().saturating_sub(4);
                unpack_snappy(&packed[..end], MAX_BLOCK)?
            }
            other => return Err(damaged(format!("Unrecognized codec: {other}"))),
        };
        Ok(Block { count, data })
    }
}

/// An integer in groups of 7 bits, signs folded.
fn long(from: &mut impl Read) -> io::Result<i64> {
    let (mut number, mut shift) = (0_u64, 0);
    loop {
        let mut byte = [0];
        from.read_exact(&mut byte)?;
        if shift > 63 {
            return Err(damaged("Invalid long encoding"));
        }
        number |= u64::from(byte[0] & 0x7f) << shift;
        shift += 7;
        if byte[0] & 0x80 == 0 {
            return Ok((number >> 1).cast_signed() ^ -(number & 1).cast_signed());
        }
    }
}

/// Number of the entries that follow in an array or a map; `None` at its end.
fn count(from: &mut impl Read) -> io::Result<Option<u64>> {
    let count = long(from)?;
    if count < 0 {
        // The length in bytes, for those who would skip them.
        long(from)?;
    }
    Ok(Some(count.unsigned_abs()).filter(|count| *count > 0))
}

fn bytes(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let length = u64::try_from(long(from)?).map_err(|_| damaged("a negative length"))?;
    java::read_bytes(from, length)
}

fn string(from: &mut impl Read) -> io::Result<String> {
    Ok(String::from_utf8_lossy(&bytes(from)?).into_owned())
}

/// Writes data as JSON, as Avro's encoder and Jackson under it do.
struct Writer<'a> {
    schema: &'a Schema,
    text: &'a mut String,
}

impl Writer<'_> {
    fn datum(&mut self, from: &mut &[u8], at: usize, depth: usize) -> io::Result<()> {
        if depth > MAX_DEPTH {
            return Err(damaged(format!("more than {MAX_DEPTH} values in each other")));
        }
        let schema = self.schema;
        match schema.get(at) {
            Type::Null => self.text.push_str("null"),
            Type::Boolean => {
                let mut byte = [0];
                from.read_exact(&mut byte)?;
                self.text.push_str(if byte == [1] { "true" } else { "false" });
            }
            Type::Int | Type::Long => self.text.push_str(&long(from)?.to_string()),
            Type::Float => {
                let mut raw = [0; 4];
                from.read_exact(&mut raw)?;
                self.number(&java::float(f32::from_le_bytes(raw)));
            }
            Type::Double => {
                let mut raw = [0; 8];
                from.read_exact(&mut raw)?;
                self.number(&java::double(f64::from_le_bytes(raw)));
            }
            Type::Bytes => {
                let raw = bytes(from)?;
                self.latin(&raw);
            }
            Type::Fixed { length, .. } => {
                let raw = java::read_bytes(from, *length)?;
                self.latin(&raw);
            }
            Type::String => {
                let text = string(from)?;
                self.quoted(text.chars());
            }
            Type::Enum { symbols, .. } => {
                let symbol = usize::try_from(long(from)?).ok().and_then(|at| symbols.get(at));
                let symbol = symbol.ok_or_else(|| damaged("a symbol that the enum has not"))?;
                self.quoted(symbol.chars());
            }
            Type::Array(items) => self.array(from, *items, depth)?,
            Type::Map(values) => self.map(from, *values, depth)?,
            Type::Union(branches) => {
                let branch = usize::try_from(long(from)?).ok().and_then(|at| branches.get(at));
                let branch = *branch.ok_or_else(|| damaged("a branch that the union has not"))?;
                if matches!(schema.get(branch), Type::Null) {
                    self.text.push_str("null");
                } else {
                    self.text.push('{');
                    self.quoted(schema.get(branch).name().chars());
                    self.text.push(':');
                    self.datum(from, branch, depth + 1)?;
                    self.text.push('}');
                }
            }
            Type::Record { fields, .. } => {
                self.text.push('{');
                for (index, (name, field)) in fields.iter().enumerate() {
                    if index > 0 {
                        self.text.push(',');
                    }
                    self.quoted(name.chars());
                    self.text.push(':');
                    self.datum(from, *field, depth + 1)?;
                }
                self.text.push('}');
            }
        }
        Ok(())
    }

    fn array(&mut self, from: &mut &[u8], items: usize, depth: usize) -> io::Result<()> {
        self.text.push('[');
        let mut first = true;
        while let Some(count) = count(from)? {
            for _ in 0..count {
                if !std::mem::take(&mut first) {
                    self.text.push(',');
                }
                self.datum(from, items, depth + 1)?;
            }
        }
        self.text.push(']');
        Ok(())
    }

    /// Entries in the order of the hash map that Avro's reader fills.
    fn map(&mut self, from: &mut &[u8], values: usize, depth: usize) -> io::Result<()> {
        let mut entries: Vec<(Vec<u8>, String)> = Vec::new();
        let mut capacity = 0;
        while let Some(count) = count(from)? {
            if capacity == 0 {
                capacity = usize::try_from(count).unwrap_or(0).min(1 << 20);
            }
            for _ in 0..count {
                let key = bytes(from)?;
                let mut text = String::new();
                let mut writer = Writer { schema: self.schema, text: &mut text };
                writer.datum(from, values, depth + 1)?;
                match entries.iter_mut().find(|(known, _)| *known == key) {
                    Some((_, old)) => *old = text,
                    None => entries.push((key, text)),
                }
            }
        }
        java::hash_map_order(&mut entries, capacity, |(key, _)| java::hash_bytes(key));
        self.text.push('{');
        for (index, (key, value)) in entries.iter().enumerate() {
            if index > 0 {
                self.text.push(',');
            }
            self.quoted(String::from_utf8_lossy(key).chars());
            self.text.push(':');
            self.text.push_str(value);
        }
        self.text.push('}');
        Ok(())
    }

    /// What is no number in JSON stands in quotes.
    fn number(&mut self, text: &str) {
        if text.ends_with(|c: char| c.is_ascii_digit()) {
            self.text.push_str(text);
        } else {
            self.quoted(text.chars());
        }
    }

    /// Bytes as the characters of these numbers.
    fn latin(&mut self, raw: &[u8]) {
        self.quoted(raw.iter().map(|byte| char::from(*byte)));
    }

    fn quoted(&mut self, chars: impl Iterator<Item = char>) {
        self.text.push('"');
        for c in chars {
            match c {
                '"' => self.text.push_str("\\\""),
                '\\' => self.text.push_str("\\\\"),
                '\u{8}' => self.text.push_str("\\b"),
                '\t' => self.text.push_str("\\t"),
                '\n' => self.text.push_str("\\n"),
                '\u{c}' => self.text.push_str("\\f"),
                '\r' => self.text.push_str("\\r"),
                c if c < ' ' => self.text.push_str(&format!("\\u{:04X}", u32::from(c))),
                c => self.text.push(c),
            }
        }
        self.text.push('"');
    }
}
