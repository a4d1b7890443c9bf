//! Keys and values of SequenceFiles as their classes' `toString` gives them.
//!
//! Hadoop: the classes of org.apache.hadoop.io (3.5.0)

use std::io::{self, Read};

use super::java;
use crate::shell::failure::{Failure, Outcome};
use crate::shell::format::hex;

const PACKAGE: &str = "org.apache.hadoop.io.";
/// Maps within maps that are read.
const MAX_DEPTH: usize = 64;

/// How a class reads and shows itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Boolean,
    Byte,
    Bytes,
    Double,
    Float,
    Int,
    Long,
    Map,
    Md5,
    Null,
    Short,
    SortedMap,
    Text,
    /// `VIntWritable` and `VLongWritable`.
    VLong,
}

const CLASSES: [(&str, Kind); 16] = [
    ("BooleanWritable", Kind::Boolean),
    ("ByteWritable", Kind::Byte),
    ("BytesWritable", Kind::Bytes),
    ("DoubleWritable", Kind::Double),
    ("FloatWritable", Kind::Float),
    ("IntWritable", Kind::Int),
    ("LongWritable", Kind::Long),
    ("MD5Hash", Kind::Md5),
    ("MapWritable", Kind::Map),
    ("NullWritable", Kind::Null),
    ("ShortWritable", Kind::Short),
    ("SortedMapWritable", Kind::SortedMap),
    ("Text", Kind::Text),
    ("VIntWritable", Kind::VLong),
    ("VLongWritable", Kind::VLong),
    // The name that the class had before it moved.
    ("ImmutableBytesWritable", Kind::Bytes),
];

/// Classes that a map names by a number; 255 less its place from -127 on.
const IN_MAPS: [Option<Kind>; 14] = [
    None, // ArrayWritable
    Some(Kind::Boolean),
    Some(Kind::Bytes),
    Some(Kind::Float),
    Some(Kind::Int),
    Some(Kind::Long),
    Some(Kind::Map),
    Some(Kind::Md5),
    Some(Kind::Null),
    None, // ObjectWritable
    Some(Kind::SortedMap),
    Some(Kind::Text),
    None, // TwoDArrayWritable
    Some(Kind::VLong),
];

impl Kind {
    /// The kind of this class.
    ///
    /// # Errors
    /// For a class that is not known here, in the words of Java, which cannot load it either.
    pub(super) fn of_class(class: &str) -> Outcome<Self> {
        let name = class.strip_prefix(PACKAGE).unwrap_or_default();
        let known = CLASSES.iter().find(|(known, _)| *known == name);
        known.map(|(_, kind)| *kind).ok_or_else(|| {
            Failure::Fatal(format!(
                "java.lang.RuntimeException: java.io.IOException: WritableName can't load class: {class}"
            ))
        })
    }

    /// Reads one and writes it down.
    pub(super) fn show(self, from: &mut &[u8]) -> io::Result<String> {
        self.show_at(from, 0)
    }

    fn show_at(self, from: &mut &[u8], depth: usize) -> io::Result<String> {
        Ok(match self {
            Self::Boolean => (take::<1>(from)? != [0]).to_string(),
            Self::Byte => i8::from_be_bytes(take(from)?).to_string(),
            Self::Bytes => {
                let length = u32::from_be_bytes(take(from)?);
                let bytes = java::read_bytes(from, length.into())?;
                let digits: Vec<String> = bytes.iter().map(|byte| hex(&[*byte])).collect();
                digits.join(" ")
            }
            Self::Double => java::double(f64::from_be_bytes(take(from)?)),
            Self::Float => java::float(f32::from_be_bytes(take(from)?)),
            Self::Int => i32::from_be_bytes(take(from)?).to_string(),
            Self::Long => i64::from_be_bytes(take(from)?).to_string(),
            Self::Map | Self::SortedMap => show_map(from, depth)?,
            Self::Md5 => hex(&take::<16>(from)?),
            Self::Null => "(null)".to_owned(),
            Self::Short => i16::from_be_bytes(take(from)?).to_string(),
            Self::Text => text(from)?,
            Self::VLong => java::read_vlong(from)?.to_string(),
        })
    }
}

fn take<const N: usize>(from: &mut &[u8]) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// A text with its length in front.
pub(super) fn text(from: &mut impl Read) -> io::Result<String> {
    let length = java::read_vlength(from)?;
    let bytes = java::read_bytes(from, length)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Entries in the order of the file.
///
/// Hadoop: org.apache.hadoop.io.AbstractMapWritable (3.5.0)
fn show_map(from: &mut &[u8], depth: usize) -> io::Result<String> {
    let damaged = |what: String| io::Error::new(io::ErrorKind::InvalidData, what);
    if depth > MAX_DEPTH {
        return Err(damaged(format!("more than {MAX_DEPTH} maps in each other")));
    }
    let mut own = Vec::new();
    for _ in 0..take::<1>(from)?[0] {
        let [id] = take(from)?;
        let length = u16::from_be_bytes(take(from)?);
        let name = java::read_bytes(from, length.into())?;
        own.push((id, String::from_utf8_lossy(&name).into_owned()));
    }
    let kind = |id: u8| -> io::Result<Kind> {
        if let Some((_, class)) = own.iter().find(|(known, _)| *known == id) {
            return Kind::of_class(class).map_err(|failure| damaged(failure.message().to_owned()));
        }
        let place = usize::from(id.wrapping_sub(129));
        let known = IN_MAPS.get(place).copied().flatten();
        known.ok_or_else(|| damaged(format!("class number {id} of a map is not known")))
    };
    let mut entries = Vec::new();
    for _ in 0..u32::from_be_bytes(take(from)?) {
        let [id] = take(from)?;
        let key = kind(id)?.show_at(from, depth + 1)?;
        let [id] = take(from)?;
        entries.push(format!("{key}={}", kind(id)?.show_at(from, depth + 1)?));
    }
    Ok(format!("{{{}}}", entries.join(", ")))
}
