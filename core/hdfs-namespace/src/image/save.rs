//! Saving.

use std::io::{self, Write};

use hdfs_format::fsimage::{
    Blocks, DirectoryRecord, FileRecord, INodeEncoder, INodeKind as Kind, INodeRecord, ImageWriter,
    NameTable, SectionName, StringTable, SymlinkRecord,
};
use hdfs_proto::hdfs::fsimage as pb;
use hdfs_types::TxId;
use prost::Message;

use super::features::{acl_message, intern_acl, intern_xattrs, type_quotas, xattr_message};
use crate::namespace::Namespace;
use crate::quota::RESET;
use crate::snapshot::model::Child;
use crate::status::INodeKind;
use crate::store::record::{Flag, Slot};

mod snapshots;

use snapshots::References;

/// Bytes that are encoded before they go to the writer.
const BATCH_BYTES: usize = 128 * 1024;

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
        let mut names = StringTable::new();
        for (number, name) in self.users.iter() {
            names.set(NameTable::User, number, name);
        }
        for (number, name) in self.groups.iter() {
            names.set(NameTable::Group, number, name);
        }
        self.save_counters(writer, namespace_id, txid)?;
        writer.message(&self.erasure.save())?;
        writer.end_section(SectionName::ErasureCoding);
        self.intern_names(&mut names);
        let mut references = References::default();
        self.save_inodes(writer, &names)?;
        self.save_directories(writer, &mut references)?;
        self.save_open_files(writer)?;
        self.save_snapshots(writer, &names)?;
        if self.snapshots.count > 0 {
            for slot in self.inodes() {
                self.save_diffs(writer, slot, &mut references, &names)?;
            }
            writer.end_section(SectionName::SnapshotDiff);
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
            rolling_upgrade_start_time: None,
            last_allocated_striped_block_id: Some(
                identities.last_striped_block_id.0.cast_unsigned(),
            ),
        })?;
        writer.end_section(SectionName::NsInfo);
        Ok(())
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
    ) -> io::Result<()> {
        let count = match self.detached.is_empty() {
            true => self.counts.inodes(),
            false => self.inodes().count() as u64,
        };
        writer.message(&pb::INodeSection {
            last_inode_id: Some(self.identities.last_inode_id.0),
            num_inodes: Some(count),
        })?;
        let mut batch = Vec::with_capacity(BATCH_BYTES + 4_096);
        let mut encoder = INodeEncoder::default();
        for slot in self.inodes() {
            self.encode_inode(slot, names, &mut encoder, &mut batch);
            if batch.len() >= BATCH_BYTES {
                writer.encoded(&batch)?;
                batch.clear();
            }
        }
        writer.encoded(&batch)?;
        writer.end_section(SectionName::Inode);
        Ok(())
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
                let header = record.file_header();
                let redundancy = u32::from(header.redundancy);
                let open = self.under_construction(slot);
                Kind::File(FileRecord {
                    replication: (!header.striped).then_some(redundancy),
                    modification_time: record.mtime().0,
                    access_time: record.atime().0,
                    preferred_block_size: header.preferred_block_size,
                    permission: record.permission,
                    blocks: Blocks::Given(blocks.as_slice()),
                    under_construction: open
                        .map(|open| (&*open.client_name, &*open.client_machine)),
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
                permission: record.permission,
                acl,
                x_attrs,
                type_quotas: type_quotas.as_deref(),
            }),
            _ => Kind::Symlink(SymlinkRecord {
                permission: record.permission,
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
        references: &mut References,
    ) -> io::Result<()> {
        let mut entry = pb::i_node_directory_section::DirEntry::default();
        for slot in self.inodes() {
            let record = self.record(slot);
            if !record.is_directory() || self.children_of(slot).is_empty() {
                continue;
            }
            entry.parent = Some(record.id().0);
            entry.children.clear();
            entry.ref_children.clear();
            for child in self.children_of(slot).iter() {
                let record = self.record(child);
                if record.has(Flag::Referenced) {
                    entry.ref_children.push(references.add(Child::INode(child)));
                } else {
                    entry.children.push(record.id().0);
                }
            }
            writer.message(&entry)?;
        }
        writer.end_section(SectionName::InodeDir);
        Ok(())
    }

    fn save_open_files<W: Write>(&self, writer: &mut ImageWriter<W>) -> io::Result<()> {
        for (inode, _) in self.leases.files_after(hdfs_types::INodeId(0)) {
            let Some(path) = self.path(inode) else { continue };
            writer.message(&pb::files_under_construction_section::FileUnderConstructionEntry {
                inode_id: Some(inode.0),
                full_path: Some(String::from_utf8_lossy(&path).into_owned()),
            })?;
        }
        writer.end_section(SectionName::FilesUnderConstruction);
        Ok(())
    }

    fn save_cache<W: Write>(&self, writer: &mut ImageWriter<W>) -> io::Result<()> {
        let cache = &self.carried.cache;
        writer.message(&pb::CacheManagerSection {
            next_directive_id: cache.next_directive_id.max(1),
            num_pools: cache.pools.len() as u32,
            num_directives: cache.directives.len() as u32,
        })?;
        for pool in &cache.pools {
            writer.message(pool)?;
        }
        for directive in &cache.directives {
            writer.message(directive)?;
        }
        writer.end_section(SectionName::CacheManager);
        Ok(())
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
        writer.end_section(SectionName::SecretManager);
        Ok(())
    }
}
