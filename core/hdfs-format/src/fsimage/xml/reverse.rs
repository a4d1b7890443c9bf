//! An image made of its XML: `hdfs oiv -p ReverseXML`.
//!
//! The image equals that of Apache's viewer byte for byte, except that Apache's fails on an image with cache pools. One
//! inode is in memory at a time, whatever the length of the document.
//!
//! Hadoop: org.apache.hadoop.hdfs.tools.offlineImageViewer.OfflineImageReconstructor (3.5.0)

mod events;
mod hash_order;
mod inode;
mod manager;
mod sections;
mod snapshot;

use super::super::{FILE_VERSION, ImageDigest, ImageWriter, SectionName};
use events::{Events, Node, Token};
use hash_order::hash_order;
use hdfs_proto::hdfs::fsimage as pb;
use hdfs_types::constants::NAMENODE_LAYOUT_VERSION;
use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};

/// Numbers of names fit into this. Hadoop's bound.
const MAX_STRING_ID: u32 = 0x1FF_FFFF;

/// The elements of sections, in the order in which Hadoop's table gets them.
const SECTIONS: [&str; 10] = [
    "NameSection",
    "ErasureCodingSection",
    "INodeSection",
    "SecretManagerSection",
    "CacheManagerSection",
    "SnapshotDiffSection",
    "INodeReferenceSection",
    "INodeDirectorySection",
    "FileUnderConstructionSection",
    "SnapshotSection",
];

/// Why no image came out.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReverseError {
    /// The image can't be written.
    Output(io::Error),
    /// The XML is not what the viewer writes.
    Xml(String),
}

impl fmt::Display for ReverseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Output(error) => write!(f, "write the image: {error}"),
            Self::Xml(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for ReverseError {}

impl From<io::Error> for ReverseError {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<&str> for ReverseError {
    fn from(reason: &str) -> Self {
        Self::Xml(reason.to_owned())
    }
}

impl From<String> for ReverseError {
    fn from(reason: String) -> Self {
        Self::Xml(reason)
    }
}

/// Makes an image of a document.
///
/// # Errors
/// When the document is not what the viewer of this layout version writes, or the image can't be written; what has been
/// written by then is no image.
pub fn read_xml(document: &[u8], out: impl Write) -> Result<ImageDigest, ReverseError> {
    let text =
        std::str::from_utf8(document).map_err(|error| format!("the file is not UTF-8: {error}"))?;
    let mut events = Events::new(text);
    events.start_of("fsimage")?;
    let layout_version = read_version(&mut events)?;
    let mut reverse = Reverse {
        events,
        out: ImageWriter::with_layout_version(out, layout_version),
        names: Names::default(),
    };
    reverse.sections()?;
    reverse.names.write(&mut reverse.out)?;
    let (_, digest) = reverse.out.finish()?;
    Ok(digest)
}

/// Reads the element `version`; the layout version, which must be ours.
fn read_version(events: &mut Events<'_>) -> Result<i32, String> {
    events.start_of("version").map_err(|_| {
        "No <version> section found at the top of the fsimage XML.  This XML file is too old to be processed by oiv."
            .to_owned()
    })?;
    let mut version = events.tree("version fields")?;
    let missing = |name: &str| format!("The <version> section doesn't contain the {name}.");
    let on_disk: i32 = version.number("onDiskVersion")?.ok_or_else(|| missing("onDiskVersion"))?;
    let layout: i32 = version.number("layoutVersion")?.ok_or_else(|| missing("layoutVersion"))?;
    if layout != NAMENODE_LAYOUT_VERSION {
        return Err(format!(
            "Layout version mismatch.  This oiv tool handles layout version {NAMENODE_LAYOUT_VERSION}, but the XML file \
             has <layoutVersion> {layout}.  Please either re-generate the XML file with the proper layout version, or \
             manually edit the XML file to be usable with this version of the oiv tool."
        ));
    }
    // Apache writes an image that no viewer reads.
    if u32::try_from(on_disk) != Ok(FILE_VERSION) {
        return Err(format!("Unsupported file version {on_disk}"));
    }
    Ok(layout)
}

/// A document that is being turned into an image.
struct Reverse<'a, W> {
    events: Events<'a>,
    out: ImageWriter<W>,
    names: Names,
}

impl<W: Write> Reverse<'_, W> {
    fn sections(&mut self) -> Result<(), ReverseError> {
        let mut left = SECTIONS.to_vec();
        while !left.is_empty() {
            match self.events.tag("[section header]")? {
                Token::Start(name) => {
                    let Some(index) = left.iter().position(|section| *section == name) else {
                        return Err(format!("Unknown or duplicate section found for {name}").into());
                    };
                    self.section(left.remove(index))?;
                }
                Token::End(name) if name == "fsimage" => {
                    // It is missing when there are no snapshots.
                    if left == ["SnapshotDiffSection"] {
                        break;
                    }
                    let left = hash_order(&left, SECTIONS.len()).join(", ");
                    return Err(format!(
                        "FSImage XML ended prematurely, without including section(s) {left}"
                    )
                    .into());
                }
                other => {
                    return Err(format!(
                        "Got unexpected tag end event for {} while looking for section header tag.",
                        other.name()
                    )
                    .into());
                }
            }
        }
        Ok(())
    }

    fn section(&mut self, name: &'static str) -> Result<(), ReverseError> {
        let section = match name {
            "NameSection" => {
                self.name_system()?;
                SectionName::NsInfo
            }
            "ErasureCodingSection" => {
                self.erasure_coding()?;
                SectionName::ErasureCoding
            }
            "INodeSection" => {
                self.inodes()?;
                SectionName::Inode
            }
            "SecretManagerSection" => {
                self.secret_manager()?;
                SectionName::SecretManager
            }
            "CacheManagerSection" => {
                self.cache_manager()?;
                SectionName::CacheManager
            }
            "SnapshotDiffSection" => {
                self.snapshot_diffs()?;
                SectionName::SnapshotDiff
            }
            "INodeReferenceSection" => {
                self.references()?;
                SectionName::InodeReference
            }
            "INodeDirectorySection" => {
                self.directories()?;
                SectionName::InodeDir
            }
            "FileUnderConstructionSection" => {
                self.open_files()?;
                SectionName::FilesUnderConstruction
            }
            _ => {
                self.snapshots()?;
                SectionName::Snapshot
            }
        };
        self.out.end_section(section)?;
        Ok(())
    }

    /// Hands every element of this name to `each`, up to the end of the section.
    fn each(
        &mut self,
        name: &str,
        fields: &str,
        mut each: impl FnMut(&mut Self, Node) -> Result<(), ReverseError>,
    ) -> Result<(), ReverseError> {
        while let Token::Start(_) = self.events.tag(name)? {
            let node = self.events.tree(fields)?;
            each(self, node)?;
        }
        Ok(())
    }

    /// The next of `count` elements of this name, `index` counting from 0; `what` are they called.
    fn next_of(&mut self, name: &str, fields: &str, only: &str) -> Result<Node, String> {
        self.events.start_of(name).map_err(|_| only.to_owned())?;
        self.events.tree(fields)
    }
}

/// The names that inodes use, numbered from 0 in the order in which they come up.
#[derive(Default)]
struct Names {
    ids: BTreeMap<String, u32>,
    in_order: Vec<String>,
}

impl Names {
    fn id(&mut self, name: &str) -> Result<u32, String> {
        if let Some(id) = self.ids.get(name) {
            return Ok(*id);
        }
        let id = u32::try_from(self.in_order.len()).unwrap_or(u32::MAX);
        if id >= MAX_STRING_ID {
            return Err("Cannot have more than 2**25 strings in the fsimage, because of the limitation on the size of \
                 string table IDs."
                .to_owned());
        }
        self.ids.insert(name.to_owned(), id);
        self.in_order.push(name.to_owned());
        Ok(id)
    }

    fn write<W: Write>(&self, out: &mut ImageWriter<W>) -> io::Result<()> {
        let names: Vec<&str> = self.in_order.iter().map(String::as_str).collect();
        let num_entry = Some(u32::try_from(names.len()).unwrap_or(u32::MAX));
        out.message(&pb::StringTableSection { num_entry, mask_bits: None })?;
        for name in hash_order(&names, names.len()) {
            let id = self.ids.get(name).copied();
            let str = Some(name.to_owned());
            out.message(&pb::string_table_section::Entry { id, str })?;
        }
        out.end_section(SectionName::StringTable)?;
        Ok(())
    }
}
