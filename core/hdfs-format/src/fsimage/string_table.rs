//! Names of users, groups and extended attributes, stored once and named by number.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.SerialNumberManager (3.5.0). The top three bits of a stored number say
//! which table it belongs to (since -65); before, there was one table and no such bits.

use super::{ImageWriter, SectionName};
use hdfs_proto::hdfs::fsimage as pb;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;

/// Bits that name the table. Hadoop writes 3.
pub(super) const MASK_BITS: u32 = 3;
/// Numbers fit the 24 bits that permissions, ACL entries and attributes have for them.
const MAX_ID: u32 = (1 << 24) - 1;

/// Which table a name is in. The numbers are Hadoop's ordinals.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum NameTable {
    /// Not used by inodes.
    Global = 0,
    /// Users.
    User = 1,
    /// Groups.
    Group = 2,
    /// Names of extended attributes.
    XAttr = 3,
}

/// The names of an image, both ways. Number 0 is "no name".
#[derive(Clone, Debug)]
pub struct StringTable {
    mask_bits: u32,
    by_id: BTreeMap<u32, Arc<str>>,
    by_name: [BTreeMap<Arc<str>, u32>; 4],
}

impl Default for StringTable {
    fn default() -> Self {
        Self::with_mask_bits(MASK_BITS)
    }
}

impl StringTable {
    /// An empty table for saving.
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn with_mask_bits(mask_bits: u32) -> Self {
        Self { mask_bits: mask_bits.min(31), by_id: BTreeMap::new(), by_name: Default::default() }
    }

    pub(super) fn insert_raw(&mut self, raw: u32, name: &str) {
        self.by_id.insert(raw, name.into());
    }

    fn raw(&self, table: NameTable, id: u32) -> u32 {
        if self.mask_bits == 0 { id } else { id | (table as u32) << (32 - self.mask_bits) }
    }

    /// The name with this number.
    pub fn name(&self, table: NameTable, id: u32) -> Option<&Arc<str>> {
        self.by_id.get(&self.raw(table, id))
    }

    /// The number that [`Self::id`] or [`Self::set`] gave a name; 0 when they did not.
    pub fn number(&self, table: NameTable, name: &str) -> u32 {
        self.by_name[table as usize].get(name).copied().unwrap_or(0)
    }

    /// The number of a name for saving; a new name gets the next number.
    ///
    /// # Panics
    /// After 16,777,215 names of one table: Hadoop's limit too.
    pub fn id(&mut self, table: NameTable, name: &str) -> u32 {
        let known = &mut self.by_name[table as usize];
        if let Some(id) = known.get(name) {
            return *id;
        }
        let id = u32::try_from(known.len() + 1).unwrap_or(u32::MAX);
        assert!(id <= MAX_ID, "serial number map is full");
        let name: Arc<str> = name.into();
        known.insert(name.clone(), id);
        let raw = self.raw(table, id);
        self.by_id.insert(raw, name);
        id
    }

    /// Gives a name the number that its owner already uses, for saving. Hadoop: numbers start at 1 in each table.
    pub fn set(&mut self, table: NameTable, id: u32, name: &str) {
        debug_assert!((1..=MAX_ID).contains(&id), "numbers are 1 to 2^24 - 1");
        let name: Arc<str> = name.into();
        self.by_name[table as usize].insert(name.clone(), id);
        let raw = self.raw(table, id);
        self.by_id.insert(raw, name);
    }

    /// Writes the section, which is the last of an image.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn write<W: Write>(&self, writer: &mut ImageWriter<W>) -> io::Result<()> {
        writer.message(&pb::StringTableSection {
            num_entry: Some(u32::try_from(self.by_id.len()).unwrap_or(u32::MAX)),
            mask_bits: Some(self.mask_bits),
        })?;
        for (id, name) in &self.by_id {
            writer.message(&pb::string_table_section::Entry {
                id: Some(*id),
                str: Some(name.as_ref().to_owned()),
            })?;
        }
        writer.end_section(SectionName::StringTable)
    }
}
