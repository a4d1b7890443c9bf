//! Loading inodes: runs of messages are decoded apart, and joined in their order.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.FSImageFormatPBINode.Loader.{loadINode, loadRootINode} (3.5.0)

use hdfs_format::edits::{AclEntry, XAttr};
use hdfs_format::fsimage::{
    DirectoryRecord, FileRecord, INodeKind as Kind, INodeRecord, Messages, SectionName,
    StringTable, SymlinkRecord,
};
use hdfs_format::storage_dir::Corrupt;
use hdfs_types::{Block, INodeId, WallMillis, Workers, constants};

use super::Loader;
use crate::image::copies::file_header;
use crate::image::features::{load_acl, load_quota, load_xattrs};
use crate::op::limits::{check_block, check_time};
use crate::quota::Quota;
use crate::status::INodeKind;
use crate::store::children::Children;
use crate::store::name_block::NameBlock;
use crate::store::name_pool::{MAX_NAME_BYTES, NameRef};
use crate::store::record::{Flag, MAX_ID, Record, Slot};
use crate::store::shared::{SharedAttributes, SharedRef, SharedTable};

/// Inodes that are decoded at a time.
const BATCH_INODES: usize = if cfg!(test) { 3 } else { 8 * 1024 };

/// What a record does not hold.
enum Rare {
    Blocks(Vec<Block>),
    Target(Box<[u8]>),
    Acl(Vec<AclEntry>),
    XAttrs(Vec<XAttr>),
    Quota(Quota),
    Open(Box<str>, Box<str>, Option<Block>),
}

/// A run of inodes. Permissions have the numbers of the image, names their places in the block, and what inodes share its
/// row here.
struct Decoded<'a> {
    /// For error messages.
    messages: Messages<'a>,
    records: Vec<Record>,
    names: NameBlock,
    shared: SharedTable,
    /// By the place of the inode among the records.
    rare: Vec<(u32, Rare)>,
}

/// What decoding needs to know.
struct Decoder<'a> {
    names: &'a StringTable,
    last_id: INodeId,
    /// Erasure-coding policies that are known, by id.
    policies: [bool; 256],
}

impl<'a> Loader<'a> {
    pub(super) fn load_inodes(&mut self, workers: &impl Workers) -> Result<(), Corrupt> {
        let (head, messages) = self.image.inodes()?;
        if head.last_inode_id() > MAX_ID {
            return Err(messages.damaged("the last inode id is out of range"));
        }
        let last_id = INodeId(head.last_inode_id());
        self.namespace.identities.last_inode_id = last_id;
        let bytes =
            self.image.section(SectionName::Inode).map_or(0, |section| section.bytes().len());
        let room = head.num_inodes().min(bytes as u64 / 16);
        self.namespace.records.reserve_exact(usize::try_from(room).unwrap_or(0));
        // `/` must be the first record, wherever it is in the image.
        self.load_root(messages)?;
        let erasure = &self.namespace.erasure;
        let policies = std::array::from_fn(|id| erasure.get(id as u8).is_some());
        let decoder = Decoder { names: self.names, last_id, policies };
        workers.in_order(
            messages.batches(BATCH_INODES),
            |batch| decoder.decode(batch?),
            |decoded| self.join(decoded?),
        )?;
        let loaded = self.namespace.counts.inodes();
        if loaded != head.num_inodes() {
            return Err(messages.damaged(&format!(
                "{} inodes are announced, {loaded} are there",
                head.num_inodes()
            )));
        }
        Ok(())
    }

    fn load_root(&mut self, mut messages: Messages<'a>) -> Result<(), Corrupt> {
        while let Some(bytes) = messages.next_bytes()? {
            let inode = INodeRecord::decode(bytes).map_err(|reason| messages.damaged(reason))?;
            if inode.id != INodeId(constants::ROOT_INODE_ID) {
                continue;
            }
            let Kind::Directory(root) = inode.kind else { break };
            return self.add_root(&root).map_err(|reason| messages.damaged(&reason));
        }
        Err(messages.damaged("the root is missing"))
    }

    fn add_root(&mut self, root: &DirectoryRecord<'_>) -> Result<(), String> {
        check_time(root.modification_time)?;
        let permission = self.known_permission(root.permission)?;
        self.namespace.add_root(permission, WallMillis(root.modification_time));
        if let Some(loaded) = load_quota(root)?
            && let Some(quota) = self.namespace.quotas.get_mut(&Slot::ROOT)
        {
            quota.limit = loaded.limit;
        }
        if let Some(acl) = root.acl {
            let entries = load_acl(acl, self.names)?;
            self.namespace.set_acl(Slot::ROOT, entries);
        }
        if let Some(xattrs) = root.x_attrs {
            let xattrs = load_xattrs(xattrs, self.names)?;
            self.namespace.set_xattrs(Slot::ROOT, xattrs);
        }
        Ok(())
    }

    /// Puts decoded inodes into the namespace; directories get their children later.
    fn join(&mut self, decoded: Decoded<'_>) -> Result<(), Corrupt> {
        let moved = self.namespace.names.append(&decoded.names);
        let shared = self.join_shared(&decoded.shared);
        let shared = shared.map_err(|reason| decoded.messages.damaged(&reason))?;
        let first = self.namespace.records.len();
        for mut record in decoded.records {
            let slot = self.namespace.records.len() as u32;
            if !self.namespace.index.insert(record.id().0, slot) {
                let reason = format!("inode {}: its id is there twice", record.id());
                return Err(decoded.messages.damaged(&reason));
            }
            record.shared = shared[record.shared.0 as usize];
            record.name = moved.to_pool(record.name);
            let namespace = &mut self.namespace;
            let counts = &mut namespace.counts;
            match record.kind() {
                Some(INodeKind::Directory) => {
                    counts.directories += 1;
                    record.set_number(namespace.children.insert(Children::default()));
                }
                Some(INodeKind::File) => {
                    counts.files += 1;
                    counts.blocks += u64::from(record.has(Flag::OneBlock));
                }
                _ => counts.symlinks += 1,
            }
            namespace.records.push(record);
        }
        for (place, rare) in decoded.rare {
            self.add_rare(Slot((first + place as usize) as u32), rare);
        }
        Ok(())
    }

    /// Takes the rows of a run over: where they are now, by their number there.
    fn join_shared(&mut self, rows: &SharedTable) -> Result<Vec<SharedRef>, String> {
        let mut joined = Vec::new();
        for (_, value, users) in rows.rows() {
            let permission = self.known_permission(value.permission)?;
            let value = SharedAttributes { permission, ..value };
            // Nothing was released there: the numbers of the rows have no gaps.
            joined.push(self.namespace.shared.take(value, users));
        }
        Ok(joined)
    }

    fn add_rare(&mut self, slot: Slot, rare: Rare) {
        let namespace = &mut self.namespace;
        match rare {
            Rare::Blocks(blocks) => namespace.set_blocks(slot, blocks.into()),
            Rare::Target(target) => {
                let number = namespace.targets.insert(target);
                namespace.record_mut(slot).set_number(number);
            }
            Rare::Acl(entries) => namespace.set_acl(slot, entries),
            Rare::XAttrs(xattrs) => namespace.set_xattrs(slot, xattrs),
            Rare::Quota(quota) => {
                namespace.record_mut(slot).set(Flag::Quota, true);
                namespace.quotas.insert(slot, Box::new(quota));
            }
            Rare::Open(client, machine, source) => {
                namespace.open_file(slot, &client, &machine);
                let has_blocks = namespace.blocks_of(slot).len() > 0;
                namespace.set_last_block_open(slot, has_blocks);
                if let Some(open) = namespace.open_files.get_mut(&slot) {
                    open.copy_source = source;
                }
            }
        }
    }
}

impl Decoder<'_> {
    fn decode<'a>(&self, mut messages: Messages<'a>) -> Result<Decoded<'a>, Corrupt> {
        let mut decoded = Decoded {
            messages,
            records: Vec::with_capacity(BATCH_INODES),
            names: NameBlock::with_capacity(BATCH_INODES * 24),
            shared: SharedTable::default(),
            rare: Vec::new(),
        };
        while let Some(bytes) = messages.next_bytes()? {
            self.decode_inode(bytes, &mut decoded).map_err(|reason| messages.damaged(&reason))?;
        }
        Ok(decoded)
    }

    fn decode_inode(&self, bytes: &[u8], decoded: &mut Decoded<'_>) -> Result<(), String> {
        let inode = INodeRecord::decode(bytes)?;
        let (id, name) = (inode.id, inode.name);
        if id == INodeId(constants::ROOT_INODE_ID) {
            return Ok(());
        }
        if id.0 == 0 || id.0 > MAX_ID || name.len() > MAX_NAME_BYTES || name.is_empty() {
            return Err(format!("inode {id} has a wrong id or name"));
        }
        if id > self.last_id {
            return Err(format!("inode {id}: its id is greater than the last one that was given"));
        }
        let name = decoded.names.insert(name);
        let record = match &inode.kind {
            Kind::File(file) => self.decode_file(id, name, file, decoded),
            Kind::Directory(directory) => self.decode_directory(id, name, directory, decoded),
            Kind::Symlink(link) => decode_symlink(id, name, link, decoded),
        }
        .map_err(|reason| format!("inode {id}: {reason}"))?;
        decoded.records.push(record);
        Ok(())
    }

    fn decode_file(
        &self,
        id: INodeId,
        name: NameRef,
        file: &FileRecord<'_>,
        decoded: &mut Decoded<'_>,
    ) -> Result<Record, String> {
        let header = file_header(
            file.preferred_block_size,
            file.replication.unwrap_or(0),
            file.erasure_coding_policy_id,
            file.storage_policy_id,
        )?;
        if header.striped && !self.policies[usize::from(header.redundancy)] {
            return Err(format!("erasure-coding policy {} is unknown", header.redundancy));
        }
        let shared = SharedAttributes { permission: file.permission, header: header.pack() };
        let shared = decoded.shared.take(shared, 1);
        let mut record = Record::new(id, INodeKind::File, name, shared);
        set_times(&mut record, file.modification_time, file.access_time)?;
        let mut blocks = file.blocks.iter();
        if let Some(first) = blocks.next() {
            check_block(&first)?;
            if let Some(second) = blocks.next() {
                let all: Vec<Block> = [first, second].into_iter().chain(blocks).collect();
                all.iter().try_for_each(check_block)?;
                decoded.add(Rare::Blocks(all));
            } else {
                record.set(Flag::OneBlock, true);
                record.set_inline_block(first);
            }
        }
        self.decode_features(file.acl, file.x_attrs, decoded)?;
        if let Some((client, machine)) = file.under_construction {
            let source = file.copy_source;
            source.as_ref().map_or(Ok(()), check_block)?;
            if source.is_some_and(|source| file.blocks.iter().any(|block| block.id == source.id)) {
                return Err("a block is to be copied to itself".to_owned());
            }
            decoded.add(Rare::Open(client.into(), machine.into(), source));
        }
        Ok(record)
    }

    fn decode_directory(
        &self,
        id: INodeId,
        name: NameRef,
        directory: &DirectoryRecord<'_>,
        decoded: &mut Decoded<'_>,
    ) -> Result<Record, String> {
        let shared = SharedAttributes { permission: directory.permission, header: 0 };
        let shared = decoded.shared.take(shared, 1);
        let mut record = Record::new(id, INodeKind::Directory, name, shared);
        set_times(&mut record, directory.modification_time, 0)?;
        if let Some(quota) = load_quota(directory)? {
            decoded.add(Rare::Quota(quota));
        }
        self.decode_features(directory.acl, directory.x_attrs, decoded)?;
        Ok(record)
    }

    fn decode_features(
        &self,
        acl: Option<&[u8]>,
        xattrs: Option<&[u8]>,
        decoded: &mut Decoded<'_>,
    ) -> Result<(), String> {
        if let Some(acl) = acl {
            decoded.add(Rare::Acl(load_acl(acl, self.names)?));
        }
        if let Some(xattrs) = xattrs {
            decoded.add(Rare::XAttrs(load_xattrs(xattrs, self.names)?));
        }
        Ok(())
    }
}

impl Decoded<'_> {
    /// Notes something about the inode that comes next.
    fn add(&mut self, rare: Rare) {
        self.rare.push((self.records.len() as u32, rare));
    }
}

fn decode_symlink(
    id: INodeId,
    name: NameRef,
    link: &SymlinkRecord<'_>,
    decoded: &mut Decoded<'_>,
) -> Result<Record, String> {
    let shared = SharedAttributes { permission: link.permission, header: 0 };
    let shared = decoded.shared.take(shared, 1);
    let mut record = Record::new(id, INodeKind::Symlink, name, shared);
    set_times(&mut record, link.modification_time, link.access_time)?;
    decoded.add(Rare::Target(link.target.into()));
    Ok(record)
}

fn set_times(record: &mut Record, mtime: u64, atime: u64) -> Result<(), String> {
    check_time(mtime)?;
    check_time(atime)?;
    record.set_mtime(WallMillis(mtime));
    record.set_atime(WallMillis(atime));
    Ok(())
}
