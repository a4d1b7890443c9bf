//! Saving.

use std::io::{self, Write};

use hdfs_format::fsimage::{ImageWriter, NameTable, SectionName, StringTable};
use hdfs_proto::hdfs::fsimage as pb;
use hdfs_proto::hdfs::{ErasureCodingPolicyProto, ErasureCodingPolicyState};
use hdfs_types::{Block, TxId};
use prost::Message;

use super::features::{save_acl, save_type_quotas, save_xattrs};
use super::wire::{put_bytes, put_fixed64, put_number, put_varint};
use crate::namespace::Namespace;
use crate::quota::RESET;
use crate::status::INodeKind;
use crate::store::record::{Flag, Record, Slot};

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
        writer.message(&self.erasure_coding())?;
        writer.end_section(SectionName::ErasureCoding);
        self.save_inodes(writer, &mut names)?;
        self.save_directories(writer)?;
        self.save_open_files(writer)?;
        writer.message(&pb::SnapshotSection {
            snapshot_counter: Some(self.carried.snapshot_counter),
            snapshottable_dir: Vec::new(),
            num_snapshots: Some(0),
        })?;
        writer.end_section(SectionName::Snapshot);
        writer.end_section(SectionName::InodeReference);
        self.save_secrets(writer)?;
        writer.message(&pb::CacheManagerSection {
            next_directive_id: self.carried.next_cache_directive_id.max(1),
            num_pools: 0,
            num_directives: 0,
        })?;
        writer.end_section(SectionName::CacheManager);
        names.write(writer)
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

    /// What was loaded, or the five built-in policies, none of them enabled: what a fresh Apache NameNode writes.
    fn erasure_coding(&self) -> pb::ErasureCodingSection {
        let built_in = || pb::ErasureCodingSection {
            policies: (1..=5)
                .map(|id| ErasureCodingPolicyProto {
                    id,
                    state: Some(ErasureCodingPolicyState::Disabled as i32),
                    ..ErasureCodingPolicyProto::default()
                })
                .collect(),
        };
        self.carried.erasure_coding.clone().unwrap_or_else(built_in)
    }

    /// Attached inodes, by id.
    fn inodes(&self) -> impl Iterator<Item = Slot> {
        let all = self.detached.is_empty();
        self.index
            .iter()
            .map(|(_, slot)| Slot(slot))
            .filter(move |slot| all || self.is_attached(*slot))
    }

    fn save_inodes<W: Write>(
        &self,
        writer: &mut ImageWriter<W>,
        names: &mut StringTable,
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
        let (mut body, mut inode) = (Vec::new(), Vec::new());
        for slot in self.inodes() {
            body.clear();
            inode.clear();
            let record = self.record(slot);
            let (number, tag) = match record.kind() {
                Some(INodeKind::File) => {
                    self.encode_file(slot, names, &mut body);
                    (1, 4)
                }
                Some(INodeKind::Directory) => {
                    self.encode_directory(slot, names, &mut body);
                    (2, 5)
                }
                _ => {
                    self.encode_symlink(record, &mut body);
                    (3, 6)
                }
            };
            put_number(&mut inode, 1, number);
            put_number(&mut inode, 2, record.id().0);
            put_bytes(&mut inode, 3, self.name_of(slot));
            put_bytes(&mut inode, tag, &body);
            put_varint(&mut batch, inode.len() as u64);
            batch.extend_from_slice(&inode);
            flush_full(writer, &mut batch)?;
        }
        writer.encoded(&batch)?;
        writer.end_section(SectionName::Inode);
        Ok(())
    }

    fn encode_file(&self, slot: Slot, names: &mut StringTable, out: &mut Vec<u8>) {
        let record = self.record(slot);
        let header = record.file_header();
        put_number(out, 1, u64::from(header.redundancy));
        put_number(out, 2, record.mtime().0);
        put_number(out, 3, record.atime().0);
        put_number(out, 4, header.preferred_block_size);
        put_fixed64(out, 5, record.permission);
        let mut bytes = Vec::with_capacity(32);
        for block in self.blocks_of(slot).iter() {
            bytes.clear();
            encode_block(block, &mut bytes);
            put_bytes(out, 6, &bytes);
        }
        if let Some(open) = self.under_construction(slot) {
            let message = pb::i_node_section::FileUnderConstructionFeature {
                client_name: Some(open.client_name.to_string()),
                client_machine: Some(open.client_machine.to_string()),
            };
            put_bytes(out, 7, &message.encode_to_vec());
        }
        if record.has(Flag::Acl) {
            put_bytes(out, 8, &save_acl(self.acl(slot), names).encode_to_vec());
        }
        if record.has(Flag::XAttrs) {
            put_bytes(out, 9, &save_xattrs(self.xattrs(slot), names).encode_to_vec());
        }
        put_number(out, 10, u64::from(header.storage_policy_id));
        put_number(out, 11, 0);
    }

    fn encode_directory(&self, slot: Slot, names: &mut StringTable, out: &mut Vec<u8>) {
        let record = self.record(slot);
        let limit = self.quotas.get(&slot).map(|quota| quota.limit);
        let message = pb::i_node_section::INodeDirectory {
            modification_time: Some(record.mtime().0),
            ns_quota: Some(limit.map_or(RESET, |limit| limit.names).cast_unsigned()),
            ds_quota: Some(limit.map_or(RESET, |limit| limit.space).cast_unsigned()),
            permission: Some(record.permission),
            acl: record.has(Flag::Acl).then(|| save_acl(self.acl(slot), names)),
            x_attrs: record.has(Flag::XAttrs).then(|| save_xattrs(self.xattrs(slot), names)),
            type_quotas: limit.as_ref().and_then(save_type_quotas),
        };
        message.encode(out).expect("a Vec grows, so encoding can't run out of space");
    }

    fn encode_symlink(&self, record: &Record, out: &mut Vec<u8>) {
        put_fixed64(out, 1, record.permission);
        put_bytes(out, 2, self.targets.get(record.number()));
        put_number(out, 3, record.mtime().0);
        put_number(out, 4, record.atime().0);
    }

    fn save_directories<W: Write>(&self, writer: &mut ImageWriter<W>) -> io::Result<()> {
        let mut batch = Vec::with_capacity(BATCH_BYTES + 4_096);
        let (mut packed, mut entry) = (Vec::new(), Vec::new());
        for slot in self.inodes() {
            let record = self.record(slot);
            if !record.is_directory() || self.children_of(slot).is_empty() {
                continue;
            }
            packed.clear();
            entry.clear();
            for child in self.children_of(slot).iter() {
                put_varint(&mut packed, self.record(child).id().0);
            }
            put_number(&mut entry, 1, record.id().0);
            put_bytes(&mut entry, 2, &packed);
            put_varint(&mut batch, entry.len() as u64);
            batch.extend_from_slice(&entry);
            flush_full(writer, &mut batch)?;
        }
        writer.encoded(&batch)?;
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

fn flush_full<W: Write>(writer: &mut ImageWriter<W>, batch: &mut Vec<u8>) -> io::Result<()> {
    if batch.len() >= BATCH_BYTES {
        writer.encoded(batch)?;
        batch.clear();
    }
    Ok(())
}

/// BlockProto: id, stamp, length.
fn encode_block(block: &Block, out: &mut Vec<u8>) {
    put_number(out, 1, block.id.0.cast_unsigned());
    put_number(out, 2, block.generation_stamp.0);
    put_number(out, 3, block.num_bytes);
}
