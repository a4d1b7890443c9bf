//! Reading an image that lies in memory (read or mapped by the caller).

use super::string_table::MASK_BITS;
use super::{FILE_VERSION, INodeRecord, MAGIC, MAX_MESSAGE_BYTES, SectionName, StringTable};
use crate::compression::Codec;
use crate::storage_dir::Corrupt;
use hdfs_proto::hdfs::fsimage as pb;
use hdfs_types::{Alone, Workers};
use prost::Message;
use std::borrow::Cow;
use std::ops::Range;

/// Layout of the first images in this format; older ones are refused. Hadoop: LayoutVersion.Feature.PROTOBUF_FORMAT.
const FIRST_LAYOUT: i32 = -52;
/// No image of the old format has this layout or one beyond.
const OLDEST_LAYOUT: i32 = -60;
const ADVICE: &str = "Use another name folder or an older image with the edits after it, or fetch the image from the \
    other NameNode (-bootstrapStandby).";

/// A section gives no more than this many bytes for one that is stored, once it gives more than [`FREE_BYTES`].
const MAX_RATIO: u64 = 1_100;
/// What any section may give: bzip2 packs long runs of equal bytes into nothing.
const FREE_BYTES: u64 = 256 << 20;

/// An image whose container is right: magic, summary, sections inside the file.
#[derive(Clone, Debug)]
pub struct Image<'a> {
    file: &'a str,
    /// The file, or what its sections decompress to.
    bytes: Cow<'a, [u8]>,
    summary: pb::FileSummary,
    /// Where sections lie in `bytes`: as in the summary, except that parts of compressed sections are left out.
    places: Vec<Place>,
}

#[derive(Clone, Debug)]
struct Place {
    name: SectionName,
    /// In the file.
    offset: u64,
    range: Range<usize>,
}

/// The bytes of one section, or of one part of it.
#[derive(Clone, Copy, Debug)]
pub struct Section<'a> {
    file: &'a str,
    name: &'static str,
    offset: u64,
    bytes: &'a [u8],
}

/// The messages of a section, one after the other, without copying.
#[derive(Clone, Copy, Debug)]
pub struct Messages<'a> {
    section: Section<'a>,
    position: usize,
}

impl<'a> Image<'a> {
    /// Checks the container of an image, and decompresses its sections. `file` is for error messages.
    ///
    /// # Errors
    /// When it is not an image, is cut, or does not decompress.
    pub fn parse(file: &'a str, bytes: &'a [u8]) -> Result<Self, Corrupt> {
        Self::parse_with(file, bytes, &Alone)
    }

    /// The same, with others to help.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_with(
        file: &'a str,
        bytes: &'a [u8],
        workers: &impl Workers,
    ) -> Result<Self, Corrupt> {
        let damaged = |offset: usize, reason: &str| corrupt(file, offset as u64, reason.to_owned());
        if bytes.get(..MAGIC.len()) != Some(MAGIC.as_slice()) {
            return Err(old_image(file, bytes)
                .unwrap_or_else(|| damaged(0, "it does not start with HDFSIMG1")));
        }
        let tail = bytes.len().saturating_sub(4);
        let length = bytes
            .get(tail..)
            .and_then(|tail| <[u8; 4]>::try_from(tail).ok())
            .map_or(0, u32::from_be_bytes) as usize;
        let start = tail.checked_sub(length).filter(|start| *start >= MAGIC.len() && length > 0);
        let Some(start) = start else {
            return Err(damaged(
                tail,
                "the length of its summary is wrong: the file is cut or still being written",
            ));
        };
        let summary = bytes
            .get(start..tail)
            .and_then(|summary| pb::FileSummary::decode_length_delimited(summary).ok())
            .ok_or_else(|| damaged(start, "its summary does not decode"))?;
        let mut image = Self { file, bytes: Cow::Borrowed(bytes), summary, places: Vec::new() };
        image.check_summary(start)?;
        if let Some(codec) = image.codec(start)? {
            image.decompress(codec, bytes, workers)?;
        }
        Ok(image)
    }

    fn codec(&self, summary: usize) -> Result<Option<Codec>, Corrupt> {
        let Some(class) = self.summary.codec.as_deref().filter(|codec| !codec.is_empty()) else {
            return Ok(None);
        };
        let codec = Codec::of_class(class).ok_or_else(|| Corrupt {
            advice: "Set dfs.image.compression.codec to a codec of Hadoop on the NameNode that wrote it and run \
                hdfs dfsadmin -saveNamespace.",
            ..corrupt(self.file, summary as u64, format!("Not a supported codec: {class}"))
        })?;
        Ok(Some(codec))
    }

    /// Puts what the sections hold one behind the other. A section is decompressed in its parts, if it has some.
    fn decompress(
        &mut self,
        codec: Codec,
        file: &[u8],
        workers: &impl Workers,
    ) -> Result<(), Corrupt> {
        let (parts, sections): (Vec<Place>, Vec<Place>) =
            std::mem::take(&mut self.places).into_iter().partition(|place| place.name.is_part());
        let mut jobs: Vec<(usize, Place)> = Vec::new();
        for (index, section) in sections.iter().enumerate() {
            let mut cut: Vec<&Place> =
                parts.iter().filter(|part| part.name.section() == section.name).collect();
            cut.sort_by_key(|part| part.range.start);
            let mut end = section.range.start;
            let covers = cut
                .iter()
                .all(|part| std::mem::replace(&mut end, part.range.end) == part.range.start)
                && end == section.range.end;
            match covers && !cut.is_empty() {
                true => jobs.extend(cut.into_iter().map(|part| (index, part.clone()))),
                false => jobs.push((index, section.clone())),
            }
        }
        let mut plain: Vec<u8> = Vec::new();
        let mut places: Vec<Place> = sections;
        places.iter_mut().for_each(|place| place.range = 0..0);
        let name = self.file;
        workers.in_order(
            jobs.into_iter(),
            |(index, place)| {
                let stored = file.get(place.range.clone()).unwrap_or_default();
                let most = FREE_BYTES.max(stored.len() as u64 * MAX_RATIO);
                (index, place, codec.decode_at_most(stored, most))
            },
            |(index, place, decoded)| {
                let decoded = decoded.map_err(|error| {
                    let section = place.name.as_str();
                    let reason = format!("section {section} does not decompress: {error}");
                    corrupt(name, place.offset, reason)
                })?;
                let start = plain.len();
                plain.extend_from_slice(&decoded);
                if let Some(known) = places.get_mut(index) {
                    let first = known.range.is_empty();
                    known.range = if first { start } else { known.range.start }..plain.len();
                }
                Ok(())
            },
        )?;
        self.bytes = Cow::Owned(plain);
        self.places = places;
        Ok(())
    }

    fn check_summary(&mut self, start: usize) -> Result<(), Corrupt> {
        let damaged = |reason: String| corrupt(self.file, start as u64, reason);
        if self.summary.ondisk_version != FILE_VERSION {
            return Err(damaged(format!(
                "unsupported file version {}",
                self.summary.ondisk_version
            )));
        }
        if self.layout_version() > FIRST_LAYOUT {
            return Err(damaged(format!("unsupported layout version {}", self.layout_version())));
        }
        for section in &self.summary.sections {
            let (offset, length) = (section.offset(), section.length());
            if offset < MAGIC.len() as u64
                || offset.checked_add(length).is_none_or(|end| end > start as u64)
            {
                return Err(damaged(format!(
                    "section {} lies outside of the file",
                    section.name()
                )));
            }
            let Some(name) = SectionName::from_name(section.name()) else {
                return Err(damaged(format!("Unrecognized section {}", section.name())));
            };
            let range = offset as usize..(offset + length) as usize;
            self.places.push(Place { name, offset, range });
        }
        Ok(())
    }

    /// The layout version of the writer: -67 for Hadoop 3.5.
    pub fn layout_version(&self) -> i32 {
        self.summary.layout_version.cast_signed()
    }

    /// The summary as it is stored.
    pub fn summary(&self) -> &pb::FileSummary {
        &self.summary
    }

    /// The section with this name, if the image has it.
    pub fn section(&self, name: SectionName) -> Option<Section<'_>> {
        self.sections(name).next()
    }

    /// Every entry with this name, in file order: the parts of a `_SUB` name, which only images have that are not
    /// compressed.
    pub fn sections(&self, name: SectionName) -> impl Iterator<Item = Section<'_>> {
        self.places.iter().filter(move |place| place.name == name).filter_map(move |place| {
            let bytes = self.bytes.get(place.range.clone())?;
            Some(Section { file: self.file, name: name.as_str(), offset: place.offset, bytes })
        })
    }

    /// The messages of a section; none when the image lacks it.
    pub fn messages(&self, name: SectionName) -> Messages<'_> {
        let empty = Section { file: self.file, name: name.as_str(), offset: 0, bytes: &[] };
        Messages { section: self.section(name).unwrap_or(empty), position: 0 }
    }

    /// The first message of a section.
    ///
    /// # Errors
    /// When the section or the message is missing or damaged.
    pub fn first<M: Message + Default>(&self, name: SectionName) -> Result<M, Corrupt> {
        let Some(section) = self.section(name) else {
            return Err(corrupt(self.file, 0, format!("section {} is missing", name.as_str())));
        };
        section.messages().required()
    }

    /// Ids and stamps of the namespace.
    ///
    /// # Errors
    /// When the section is missing or damaged.
    pub fn name_system(&self) -> Result<pb::NameSystemSection, Corrupt> {
        self.first(SectionName::NsInfo)
    }

    /// The names of users, groups and attributes.
    ///
    /// # Errors
    /// When the section is missing or damaged.
    pub fn string_table(&self) -> Result<StringTable, Corrupt> {
        let mut messages = self.messages(SectionName::StringTable);
        let head: pb::StringTableSection = messages.required()?;
        if head.mask_bits() > MASK_BITS {
            let bits = head.mask_bits();
            return Err(messages.damaged(&format!("String table bits {bits} > {MASK_BITS}")));
        }
        let mut table = StringTable::with_mask_bits(head.mask_bits());
        for _ in 0..head.num_entry() {
            let entry: pb::string_table_section::Entry = messages.required()?;
            table.insert_raw(entry.id(), entry.str());
        }
        Ok(table)
    }

    /// The persisted erasure-coding policies; none when the section is missing (before -64).
    ///
    /// # Errors
    /// When the section is damaged.
    pub fn erasure_coding(&self) -> Result<pb::ErasureCodingSection, Corrupt> {
        Ok(self.messages(SectionName::ErasureCoding).next_message()?.unwrap_or_default())
    }

    /// Counters of the inode section, and its messages ([`pb::i_node_section::INode`]).
    ///
    /// # Errors
    /// When the section is missing or its head is damaged.
    pub fn inodes(&self) -> Result<(pb::INodeSection, Messages<'_>), Corrupt> {
        let mut messages = self.messages(SectionName::Inode);
        Ok((messages.required()?, messages))
    }
}

impl<'a> Section<'a> {
    /// Its messages.
    pub fn messages(self) -> Messages<'a> {
        Messages { section: self, position: 0 }
    }

    /// Its bytes.
    pub fn bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// Where it starts in the file.
    pub fn offset(self) -> u64 {
        self.offset
    }
}

impl<'a> Messages<'a> {
    /// The bytes of the next message, without its length.
    ///
    /// # Errors
    /// When its length runs over the end of the section.
    #[inline]
    pub fn next_bytes(&mut self) -> Result<Option<&'a [u8]>, Corrupt> {
        let rest = self.section.bytes.get(self.position..).unwrap_or_default();
        if rest.is_empty() {
            return Ok(None);
        }
        let (length, used) = match rest {
            [one, ..] if *one < 0x80 => (usize::from(*one), 1),
            _ => {
                let mut input = rest;
                let length = prost::decode_length_delimiter(&mut input)
                    .ok()
                    .filter(|length| *length <= MAX_MESSAGE_BYTES)
                    .ok_or_else(|| self.damaged("the length of a message is wrong"))?;
                (length, rest.len() - input.len())
            }
        };
        let Some(message) = rest.get(used..used + length) else {
            return Err(self.damaged("a message runs over the end"));
        };
        self.position += used + length;
        Ok(Some(message))
    }

    /// Where the next message starts in the section: for [`at`](Self::at).
    pub fn position(&self) -> usize {
        self.position
    }

    /// Reading goes on where a message starts.
    pub fn at(mut self, position: usize) -> Self {
        self.position = position;
        self
    }

    /// The next message; none at the end of the section.
    ///
    /// # Errors
    /// When it does not decode.
    pub fn next_message<M: Message + Default>(&mut self) -> Result<Option<M>, Corrupt> {
        let before = self.position;
        let Some(bytes) = self.next_bytes()? else { return Ok(None) };
        M::decode(bytes).map(Some).map_err(|error| {
            self.position = before;
            self.damaged(&format!("a message does not decode: {error}"))
        })
    }

    /// The next inode of the inode section, without copying; none at the end.
    ///
    /// # Errors
    /// When it does not decode.
    #[inline]
    pub fn next_inode(&mut self) -> Result<Option<INodeRecord<'a>>, Corrupt> {
        let before = self.position;
        let Some(bytes) = self.next_bytes()? else { return Ok(None) };
        INodeRecord::decode(bytes).map(Some).map_err(|reason| {
            self.position = before;
            self.damaged(reason)
        })
    }

    /// The next message, which must be there.
    ///
    /// # Errors
    /// When it is missing or does not decode.
    pub fn required<M: Message + Default>(&mut self) -> Result<M, Corrupt> {
        self.next_message()?.ok_or_else(|| self.damaged("the section ends early"))
    }

    /// The rest as an iterator over messages of one type. It ends after the first error.
    pub fn decode<M: Message + Default>(
        mut self,
    ) -> impl Iterator<Item = Result<M, Corrupt>> + use<'a, M> {
        let mut failed = false;
        std::iter::from_fn(move || {
            if failed {
                return None;
            }
            let next = self.next_message().transpose();
            failed = matches!(next, Some(Err(_)));
            next
        })
    }

    /// The rest in runs of at most `messages` messages, for loading in parallel. Reads the lengths only. It ends after
    /// the first error.
    pub fn batches(
        mut self,
        messages: usize,
    ) -> impl Iterator<Item = Result<Self, Corrupt>> + use<'a> {
        let mut failed = false;
        std::iter::from_fn(move || {
            if failed {
                return None;
            }
            let mut batch = self;
            for _ in 0..messages.max(1) {
                match self.next_bytes() {
                    Ok(Some(_)) => {}
                    Ok(None) => break,
                    Err(error) => {
                        failed = true;
                        return Some(Err(error));
                    }
                }
            }
            batch.section.bytes = batch.section.bytes.get(..self.position).unwrap_or_default();
            (self.position > batch.position).then_some(Ok(batch))
        })
    }

    /// All of [`Self::batches`].
    ///
    /// # Errors
    /// When a length is wrong.
    pub fn split(self, messages: usize) -> Result<Vec<Self>, Corrupt> {
        self.batches(messages).collect()
    }

    /// An error about the next message, with its place.
    pub fn damaged(&self, reason: &str) -> Corrupt {
        let offset = self.section.offset + self.position as u64;
        corrupt(self.section.file, offset, format!("section {}: {reason}", self.section.name))
    }
}

/// Images of before Hadoop 2.4 start with their layout version.
fn old_image(file: &str, bytes: &[u8]) -> Option<Corrupt> {
    let version = i32::from_be_bytes(*bytes.first_chunk()?);
    (OLDEST_LAYOUT..0).contains(&version).then(|| Corrupt {
        advice: "Upgrade the file system with Apache Hadoop 2.4 or newer first (hdfs namenode -upgrade), and finalize that.",
        ..corrupt(
            file,
            0,
            format!(
                "it is an image of layout version {version}, of before Hadoop 2.4, which is not supported"
            ),
        )
    })
}

fn corrupt(file: &str, offset: u64, reason: String) -> Corrupt {
    Corrupt { file: file.to_owned(), offset, txid: None, reason, advice: ADVICE }
}
