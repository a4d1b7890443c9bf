//! Saving.

use std::io::{self, Write};

use hdfs_format::fsimage::{
    Blocks, DirectoryRecord, FileRecord, INodeEncoder, INodeKind as Kind, INodeRecord, ImageWriter,
    NameTable, SectionName, StringTable, SymlinkRecord,
};
use hdfs_proto::hdfs::fsimage as pb;
use hdfs_proto::hdfs::fsimage::i_node_directory_section::DirEntry;
use hdfs_types::{Alone, TxId, Workers};
use prost::Message;

use super::features::{acl_message, intern_acl, intern_xattrs, type_quotas, xattr_message};
use crate::namespace::Namespace;
use crate::quota::RESET;
use crate::snapshot::model::Child;
use crate::status::INodeKind;
use crate::store::record::{Flag, Slot};

mod snapshots;

use snapshots::References;

/// Images of older layouts have no erasure-coding policies. Hadoop: NameNodeLayoutVersion.Feature.ERASURE_CODING
const ERASURE_CODING_LAYOUT: i32 = -64;
/// Inodes that are encoded at a time.
const BATCH_INODES: usize = if cfg!(test) { 3 } else { 16 * 1024 };
/// Directories whose children are encoded at a time.
const BATCH_DIRECTORIES: usize = if cfg!(test) { 2 } else { 512 };

/// A run of inodes, by id.
struct Batch {
    slots: Vec<Slot>,
    /// Its last inode ends a part of the section.
    ends_part: bool,
}

/// What became of it.
struct EncodedBatch {
    bytes: Vec<u8>,
    directories: Vec<Slot>,
    /// Those with snapshot diffs, with their places in the batch.
    with_diffs: Vec<(usize, Slot)>,
    inodes: usize,
    ends_part: bool,
}

/// What later sections need to know about inodes.
#[derive(Default)]
struct Saved {
    /// Inodes in each part of a section, when sections are cut.
    part: Option<u64>,
    inodes: u64,
    /// Directories that are not empty.
    directories: Vec<Slot>,
    /// Inodes with snapshot diffs, with their places among all inodes.
    with_diffs: Vec<(u64, Slot)>,
}

/// Children of directories.
#[derive(Default)]
struct EncodedDirectories {
    bytes: Vec<u8>,
    /// For each directory: where its message ends, its children, and itself when they are not encoded because there are
    /// references among them, which get their numbers in order.
    ends: Vec<(usize, u64, Option<Slot>)>,
}

impl Namespace {
    /// Writes every section of an image of the state after `txid`; the caller finishes the file. What was deleted and waits
    /// to be reclaimed is left out.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn save<W: Write>(
        &self,
        writer: &mut ImageWriter<W>,
        namespace_id: u32,
        txid: TxId,
    ) -> io::Result<()> {
        self.save_with(writer, namespace_id, txid, &Alone)
    }

    /// The same, with others to help.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn save_with<W: Write>(
        &self,
        writer: &mut ImageWriter<W>,
        namespace_id: u32,
        txid: TxId,
        workers: &impl Workers,
    ) -> io::Result<()> {
        if self.is_cleaning() {
            return Err(io::Error::other(
                "a deletion is not at its end: the image would hold half of it",
            ));
        }
        let mut names = StringTable::new();
        for (number, name) in self.users.iter() {
            names.set(NameTable::User, number, name);
        }
        for (number, name) in self.groups.iter() {
            names.set(NameTable::Group, number, name);
        }
        self.save_counters(writer, namespace_id, txid)?;
        if writer.layout_version() <= ERASURE_CODING_LAYOUT {
            writer.message(&self.erasure.save())?;
            writer.end_section(SectionName::ErasureCoding)?;
        }
        self.intern_names(&mut names);
        let mut references = References::default();
        let saved = self.save_inodes(writer, &names, workers)?;
        self.save_directories(writer, &saved, &mut references, workers)?;
        self.save_open_files(writer)?;
        self.save_snapshots(writer, &names)?;
        if self.snapshots.count > 0 {
            self.save_all_diffs(writer, &saved, &mut references, &names)?;
        }
        self.save_references(writer, &references)?;
        self.save_secrets(writer)?;
        self.save_cache(writer)?;
        names.write(writer)
    }

    /// Gives every name its number before the first inode is written. In the order of ids: equal trees give equal images.
    fn intern_names(&self, names: &mut StringTable) {
        let mut slots: Vec<Slot> = self.acls.keys().chain(self.xattrs.keys()).copied().collect();
        slots.extend(self.snapshots.snapshottable.keys());
        slots.extend(self.snapshots.directory_diffs.keys());
        slots.extend(self.snapshots.file_diffs.keys());
        if !self.detached.is_empty() {
            slots.retain(|slot| self.is_kept(*slot));
        }
        slots.sort_unstable_by_key(|slot| self.record(*slot).id());
        slots.dedup();
        for slot in &slots {
            intern_acl(self.acl(*slot), names);
            intern_xattrs(self.xattrs(*slot), names);
        }
        self.intern_snapshot_names(&slots, names);
    }

    fn save_counters<W: Write>(
        &self,
        writer: &mut ImageWriter<W>,
        namespace_id: u32,
        txid: TxId,
    ) -> io::Result<()> {
        let identities = self.identities;
        writer.message(&pb::NameSystemSection {
            namespace_id: Some(namespace_id),
            genstamp_v1: Some(identities.legacy_generation_stamp.0),
            genstamp_v2: Some(identities.generation_stamp.0),
            genstamp_v1_limit: Some(identities.legacy_generation_stamp_limit.0),
            last_allocated_block_id: Some(identities.last_block_id.0.cast_unsigned()),
            transaction_id: Some(txid.0),
            rolling_upgrade_start_time: self
                .rolling_upgrade()
                .filter(|upgrade| upgrade.finalized.is_none())
                .map(|upgrade| upgrade.started.0),
            last_allocated_striped_block_id: Some(
                identities.last_striped_block_id.0.cast_unsigned(),
            ),
        })?;
        writer.end_section(SectionName::NsInfo)
    }

    /// Inodes of the tree and of snapshots, by id.
    fn inodes(&self) -> impl Iterator<Item = Slot> {
        let all = self.detached.is_empty();
        self.index.iter().map(|(_, slot)| Slot(slot)).filter(move |slot| all || self.is_kept(*slot))
    }

    fn save_inodes<W: Write>(
        &self,
        writer: &mut ImageWriter<W>,
        names: &StringTable,
        workers: &impl Workers,
    ) -> io::Result<Saved> {
        let inodes = match self.detached.is_empty() {
            true => self.counts.inodes(),
            false => self.inodes().count() as u64,
        };
        let part = writer.begin_inodes(inodes);
        writer.message(&pb::INodeSection {
            last_inode_id: Some(self.identities.last_inode_id.0),
            num_inodes: Some(inodes),
        })?;
        let mut saved = Saved { part, ..Saved::default() };
        workers.in_order(
            self.batches(part),
            |batch| self.encode_batch(&batch, names),
            |batch| {
                writer.encoded(&batch.bytes)?;
                saved.directories.extend(batch.directories);
                let places = batch.with_diffs.into_iter();
                saved
                    .with_diffs
                    .extend(places.map(|(place, slot)| (saved.inodes + place as u64, slot)));
                saved.inodes += batch.inodes as u64;
                if batch.ends_part { writer.end_sub_section(SectionName::InodeSub) } else { Ok(()) }
            },
        )?;
        writer.end_sections(SectionName::Inode, SectionName::InodeSub)?;
        Ok(saved)
    }

    /// All inodes in runs that end with each part of the section.
    fn batches(&self, part: Option<u64>) -> impl Iterator<Item = Batch> {
        let mut inodes = self.inodes();
        let mut done = 0;
        std::iter::from_fn(move || {
            let left = part.map_or(BATCH_INODES as u64, |part| part - done % part);
            let most = left.min(BATCH_INODES as u64) as usize;
            let mut slots = Vec::with_capacity(most);
            slots.extend(inodes.by_ref().take(most));
            done += slots.len() as u64;
            let ends_part = part.is_some_and(|part| done.is_multiple_of(part));
            (!slots.is_empty()).then_some(Batch { slots, ends_part })
        })
    }

    fn encode_batch(&self, batch: &Batch, names: &StringTable) -> EncodedBatch {
        let mut encoded = EncodedBatch {
            bytes: Vec::with_capacity(batch.slots.len() * 96),
            directories: Vec::new(),
            with_diffs: Vec::new(),
            inodes: batch.slots.len(),
            ends_part: batch.ends_part,
        };
        let mut encoder = INodeEncoder::default();
        for (place, slot) in batch.slots.iter().copied().enumerate() {
            self.encode_inode(slot, names, &mut encoder, &mut encoded.bytes);
            let record = self.record(slot);
            if record.is_directory() && !self.children_of(slot).is_empty() {
                encoded.directories.push(slot);
            }
            if record.has(Flag::Diffs) || record.is_directory() && self.snapshots_of(slot).is_some()
            {
                encoded.with_diffs.push((place, slot));
            }
        }
        encoded
    }

    fn encode_inode(
        &self,
        slot: Slot,
        names: &StringTable,
        encoder: &mut INodeEncoder,
        out: &mut Vec<u8>,
    ) {
        let record = self.record(slot);
        let acl = record.has(Flag::Acl).then(|| acl_message(self.acl(slot), names).encode_to_vec());
        let x_attrs = record
            .has(Flag::XAttrs)
            .then(|| xattr_message(self.xattrs(slot), names).encode_to_vec());
        let (acl, x_attrs) = (acl.as_deref(), x_attrs.as_deref());
        let limit =
            self.quotas.get(&slot).filter(|_| record.has(Flag::Quota)).map(|quota| quota.limit);
        let type_quotas =
            limit.as_ref().and_then(type_quotas).map(|message| message.encode_to_vec());
        let blocks = self.blocks_of(slot);
        let kind = match record.kind() {
            Some(INodeKind::File) => {
                let header = self.file_header(slot);
                let redundancy = u32::from(header.redundancy);
                let open = self.under_construction(slot);
                Kind::File(FileRecord {
                    replication: (!header.striped).then_some(redundancy),
                    modification_time: record.mtime().0,
                    access_time: record.atime().0,
                    preferred_block_size: header.preferred_block_size,
                    permission: self.permission_of(slot),
                    blocks: Blocks::Given(blocks.as_slice()),
                    under_construction: open
                        .map(|open| (&*open.client_name, &*open.client_machine)),
                    copy_source: open.and_then(|open| open.copy_source),
                    acl,
                    x_attrs,
                    storage_policy_id: header.storage_policy_id.into(),
                    striped: header.striped,
                    erasure_coding_policy_id: header.striped.then_some(redundancy),
                })
            }
            Some(INodeKind::Directory) => Kind::Directory(DirectoryRecord {
                modification_time: record.mtime().0,
                ns_quota: limit.map_or(RESET, |limit| limit.names),
                ds_quota: limit.map_or(RESET, |limit| limit.space),
                permission: self.permission_of(slot),
                acl,
                x_attrs,
                type_quotas: type_quotas.as_deref(),
            }),
            _ => Kind::Symlink(SymlinkRecord {
                permission: self.permission_of(slot),
                target: self.targets.get(record.number()),
                modification_time: record.mtime().0,
                access_time: record.atime().0,
            }),
        };
        encoder.encode(&INodeRecord { id: record.id(), name: self.name_of(slot), kind }, out);
    }

    fn save_directories<W: Write>(
        &self,
        writer: &mut ImageWriter<W>,
        saved: &Saved,
        references: &mut References,
        workers: &impl Workers,
    ) -> io::Result<()> {
        let part = saved.part.unwrap_or(u64::MAX);
        let mut children = 0;
        workers.in_order(
            saved.directories.chunks(BATCH_DIRECTORIES),
            |slots| self.encode_directories(slots),
            |encoded| {
                let mut from = 0;
                for (end, count, referring) in encoded.ends {
                    children += count;
                    if let Some(slot) = referring {
                        writer.encoded(encoded.bytes.get(from..end).unwrap_or_default())?;
                        from = end;
                        writer.message(&self.children_with_references(slot, references))?;
                    }
                    if children >= part {
                        children = 0;
                        writer.encoded(encoded.bytes.get(from..end).unwrap_or_default())?;
                        from = end;
                        writer.end_sub_section(SectionName::InodeDirSub)?;
                    }
                }
                writer.encoded(encoded.bytes.get(from..).unwrap_or_default())
            },
        )?;
        writer.end_sections(SectionName::InodeDir, SectionName::InodeDirSub)
    }

    fn encode_directories(&self, slots: &[Slot]) -> EncodedDirectories {
        let mut encoded = EncodedDirectories::default();
        let mut entry = DirEntry::default();
        for slot in slots.iter().copied() {
            let children = self.children_of(slot);
            entry.children.clear();
            let mut refers = false;
            for child in children.iter() {
                let record = self.record(child);
                refers |= record.has(Flag::Referenced);
                entry.children.push(record.id().0);
            }
            if !refers {
                entry.parent = Some(self.record(slot).id().0);
                entry
                    .encode_length_delimited(&mut encoded.bytes)
                    .expect("a Vec grows, so encoding can't run out of space");
            }
            encoded.ends.push((encoded.bytes.len(), children.len() as u64, refers.then_some(slot)));
        }
        encoded
    }

    fn children_with_references(&self, slot: Slot, references: &mut References) -> DirEntry {
        let mut entry = DirEntry { parent: Some(self.record(slot).id().0), ..DirEntry::default() };
        for child in self.children_of(slot).iter() {
            let record = self.record(child);
            if record.has(Flag::Referenced) {
                entry.ref_children.push(references.add(Child::INode(child)));
            } else {
                entry.children.push(record.id().0);
            }
        }
        entry
    }

    fn save_all_diffs<W: Write>(
        &self,
        writer: &mut ImageWriter<W>,
        saved: &Saved,
        references: &mut References,
        names: &StringTable,
    ) -> io::Result<()> {
        // Parts end after as many inodes as those of the inode section, however few of them have diffs.
        let mut ended = 0;
        let mut end_parts = |writer: &mut ImageWriter<W>, inodes: u64| {
            while let Some(end) = saved.part.map(|part| ended + part).filter(|end| *end <= inodes) {
                ended = end;
                writer.end_sub_section(SectionName::SnapshotDiffSub)?;
            }
            Ok::<_, io::Error>(())
        };
        for (place, slot) in &saved.with_diffs {
            end_parts(writer, *place)?;
            self.save_diffs(writer, *slot, references, names)?;
        }
        end_parts(writer, saved.inodes)?;
        writer.end_sections(SectionName::SnapshotDiff, SectionName::SnapshotDiffSub)
    }

    fn save_open_files<W: Write>(&self, writer: &mut ImageWriter<W>) -> io::Result<()> {
        for (inode, _) in self.leases.files_after(hdfs_types::INodeId(0)) {
            let Some(path) = self.path(inode) else { continue };
            writer.message(&pb::files_under_construction_section::FileUnderConstructionEntry {
                inode_id: Some(inode.0),
                full_path: Some(String::from_utf8_lossy(&path).into_owned()),
            })?;
        }
        writer.end_section(SectionName::FilesUnderConstruction)
    }

    fn save_cache<W: Write>(&self, writer: &mut ImageWriter<W>) -> io::Result<()> {
        let (pools, directives) = (self.cache.saved_pools(), self.cache.saved_directives());
        writer.message(&pb::CacheManagerSection {
            next_directive_id: self.cache.next_id.cast_unsigned(),
            num_pools: pools.len() as u32,
            num_directives: directives.len() as u32,
        })?;
        for pool in pools {
            writer.message(&pool)?;
        }
        for directive in directives {
            writer.message(&directive)?;
        }
        writer.end_section(SectionName::CacheManager)
    }

    fn save_secrets<W: Write>(&self, writer: &mut ImageWriter<W>) -> io::Result<()> {
        let secrets = &self.carried.secrets;
        writer.message(&pb::SecretManagerSection {
            current_id: Some(secrets.current_id),
            token_sequence_number: Some(secrets.sequence_number),
            num_keys: Some(secrets.keys.len() as u32),
            num_tokens: Some(secrets.tokens.len() as u32),
        })?;
        for key in &secrets.keys {
            writer.message(key)?;
        }
        for token in &secrets.tokens {
            writer.message(token)?;
        }
        writer.end_section(SectionName::SecretManager)
    }
}
