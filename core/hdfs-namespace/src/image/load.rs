//! Loading.

use hdfs_format::fsimage::{
    Image, Messages, NameTable, PackedPermission, SectionName, StringTable,
};
use hdfs_format::storage_dir::Corrupt;
use hdfs_proto::hdfs::fsimage as pb;
use hdfs_types::{Block, BlockId, FastMap, GenerationStamp, INodeId, TxId, WallMillis, constants};
use prost::Message;
use smallvec::SmallVec;

use super::features::{load_acl, load_quota, load_xattrs};
use super::wire::{Fields, Value};
use crate::namespace::{Namespace, NewNode, replicated};
use crate::op::limits::{MAX_REPLICATION, check_block, check_time};
use crate::plan::NamespaceConf;
use crate::status::INodeKind;
use crate::store::children::Children;
use crate::store::name_pool::MAX_NAME_BYTES;
use crate::store::record::{Flag, MAX_48, MAX_ID, Record, Slot};

/// A file as most of them are: read without allocation, the rare parts still encoded.
#[derive(Default)]
struct FileMessage<'a> {
    replication: u64,
    mtime: u64,
    atime: u64,
    block_size: u64,
    permission: u64,
    storage_policy: u64,
    blocks: SmallVec<[Block; 1]>,
    has_rare_parts: bool,
    encoded: &'a [u8],
}

struct Loader<'a> {
    namespace: Namespace,
    names: StringTable,
    users: FastMap<u32, u32>,
    groups: FastMap<u32, u32>,
    image: &'a Image<'a>,
}

impl Namespace {
    /// Loads the tree from an image. `conf` names the owner that `/` gets when the image has none.
    ///
    /// # Errors
    /// When the image is damaged, or holds a feature that this version does not have.
    pub fn load(image: &Image<'_>, conf: &NamespaceConf) -> Result<Self, Corrupt> {
        let mut loader = Loader {
            namespace: Self::empty(),
            names: image.string_table()?,
            users: FastMap::default(),
            groups: FastMap::default(),
            image,
        };
        loader.load_counters()?;
        loader.load_inodes()?;
        if loader.namespace.records.is_empty() {
            loader.namespace = Self::format(&conf.owner, &conf.supergroup);
        }
        loader.load_directories()?;
        loader.load_other_sections()?;
        let mut namespace = loader.namespace;
        let unreachable =
            namespace.records.iter().skip(1).filter(|record| record.parent == Slot::NONE);
        let unreachable = unreachable.count();
        if unreachable > 0 {
            let messages = image.messages(SectionName::InodeDir);
            return Err(messages.damaged(&format!("{unreachable} inodes are in no directory")));
        }
        namespace.recount_quotas();
        Ok(namespace)
    }
}

impl<'a> Loader<'a> {
    fn load_counters(&mut self) -> Result<(), Corrupt> {
        let section = self.image.name_system()?;
        if section.rolling_upgrade_start_time.is_some() {
            return Err(self.unsupported(SectionName::NsInfo, "a rolling upgrade in progress"));
        }
        let identities = &mut self.namespace.identities;
        identities.generation_stamp = GenerationStamp(section.genstamp_v2());
        identities.legacy_generation_stamp = GenerationStamp(section.genstamp_v1());
        identities.legacy_generation_stamp_limit = GenerationStamp(section.genstamp_v1_limit());
        identities.last_block_id = BlockId(section.last_allocated_block_id().cast_signed());
        if let Some(id) = section.last_allocated_striped_block_id {
            identities.last_striped_block_id = BlockId(id.cast_signed());
        }
        self.namespace.last_txid = TxId(section.transaction_id());
        self.namespace.carried.namespace_id = section.namespace_id();
        if section.genstamp_v2() > MAX_48 {
            return Err(self.damaged(SectionName::NsInfo, "a generation stamp is out of range"));
        }
        Ok(())
    }

    fn load_inodes(&mut self) -> Result<(), Corrupt> {
        let (head, mut messages) = self.image.inodes()?;
        if head.last_inode_id() > MAX_ID {
            return Err(messages.damaged("the last inode id is out of range"));
        }
        self.namespace.identities.last_inode_id = INodeId(head.last_inode_id());
        let bytes =
            self.image.section(SectionName::Inode).map_or(0, |section| section.bytes().len());
        let room = head.num_inodes().min(bytes as u64 / 16);
        self.namespace.records.reserve(usize::try_from(room).unwrap_or(0));
        // `/` must be the first record, wherever it is in the image.
        let root = self.find_root(messages)?;
        self.load_root(root, messages)?;
        while let Some(bytes) = messages.next_bytes()? {
            self.load_inode(bytes).map_err(|reason| messages.damaged(&reason))?;
        }
        let loaded = self.namespace.counts.inodes();
        if loaded != head.num_inodes() {
            return Err(messages.damaged(&format!(
                "{} inodes are announced, {loaded} are there",
                head.num_inodes()
            )));
        }
        Ok(())
    }

    fn find_root(&self, mut messages: Messages<'a>) -> Result<pb::i_node_section::INode, Corrupt> {
        while let Some(bytes) = messages.next_bytes()? {
            let mut fields = Fields(bytes);
            while let Ok(Some((tag, value))) = fields.next_field() {
                if tag != 2 {
                    continue;
                }
                if value == Value::Varint(constants::ROOT_INODE_ID) {
                    return pb::i_node_section::INode::decode(bytes)
                        .map_err(|error| messages.damaged(&error.to_string()));
                }
                break;
            }
        }
        Err(messages.damaged("the root is missing"))
    }

    fn load_root(
        &mut self,
        root: pb::i_node_section::INode,
        messages: Messages<'_>,
    ) -> Result<(), Corrupt> {
        let directory = root.directory.unwrap_or_default();
        let damaged = |reason: String| messages.damaged(&reason);
        let permission = self.known_permission(directory.permission()).map_err(damaged)?;
        check_time(directory.modification_time()).map_err(damaged)?;
        self.namespace.add_root(permission, WallMillis(directory.modification_time()));
        if let Some(loaded) = load_quota(&directory)
            && let Some(quota) = self.namespace.quotas.get_mut(&Slot::ROOT)
        {
            quota.limit = loaded.limit;
        }
        self.load_features(Slot::ROOT, directory.acl.as_ref(), directory.x_attrs.as_ref())
            .map_err(damaged)
    }

    fn load_inode(&mut self, bytes: &'a [u8]) -> Result<(), String> {
        let mut fields = Fields(bytes);
        let (mut kind, mut id, mut name, mut body) = (0, 0, &[][..], None);
        let broken = |()| "an inode does not decode".to_owned();
        while let Some((tag, value)) = fields.next_field().map_err(broken)? {
            match (tag, value) {
                (1, Value::Varint(number)) => kind = number,
                (2, Value::Varint(number)) => id = number,
                (3, Value::Bytes(bytes)) => name = bytes,
                (4..=6, Value::Bytes(bytes)) => body = Some((tag, bytes)),
                _ => {}
            }
        }
        if id == constants::ROOT_INODE_ID {
            return Ok(());
        }
        if id == 0 || id > MAX_ID || name.len() > MAX_NAME_BYTES || name.is_empty() {
            return Err(format!("inode {id} has a wrong id or name"));
        }
        let (id, body) = (INodeId(id), body.unwrap_or_default());
        match (kind, body) {
            (1, (4 | 0, body)) => self.load_file(id, name, body),
            (2, (5 | 0, body)) => self.load_directory(id, name, body),
            (3, (6 | 0, body)) => self.load_symlink(id, name, body),
            _ => Err(format!("inode {id} has the unknown type {kind}")),
        }
        .map_err(|reason| format!("inode {id}: {reason}"))
    }

    fn load_file(&mut self, id: INodeId, name: &[u8], body: &'a [u8]) -> Result<(), String> {
        let file = FileMessage::read(body)?;
        check_time(file.mtime)?;
        check_time(file.atime)?;
        let replication = u16::try_from(file.replication).unwrap_or(u16::MAX);
        if replication > MAX_REPLICATION || file.block_size > MAX_48 || file.storage_policy > 15 {
            return Err("replication, block size or storage policy is out of range".to_owned());
        }
        let header = replicated(file.block_size, replication, file.storage_policy as u8).pack();
        let node = NewNode {
            id,
            kind: INodeKind::File,
            permission: self.known_permission(file.permission)?,
            mtime: WallMillis(file.mtime),
            atime: WallMillis(file.atime),
            header,
            target: &[],
        };
        let slot = self.add(name, &node)?;
        file.blocks.iter().try_for_each(check_block)?;
        match file.blocks.as_slice() {
            [] => {}
            [block] => self.namespace.push_block(slot, *block),
            _ => self.namespace.set_blocks(slot, file.blocks.into_vec()),
        }
        if file.has_rare_parts {
            self.load_rare_parts(slot, file.encoded)?;
        }
        Ok(())
    }

    fn load_rare_parts(&mut self, slot: Slot, encoded: &[u8]) -> Result<(), String> {
        let file =
            pb::i_node_section::INodeFile::decode(encoded).map_err(|error| error.to_string())?;
        if file.erasure_coding_policy_id.is_some() || file.block_type.is_some_and(|kind| kind != 0)
        {
            return Err("erasure-coded files are not supported yet".to_owned());
        }
        self.load_features(slot, file.acl.as_ref(), file.x_attrs.as_ref())?;
        if let Some(open) = &file.file_uc {
            self.namespace.open_file(slot, open.client_name(), open.client_machine());
            let has_blocks = self.namespace.blocks_of(slot).len() > 0;
            self.namespace.set_last_block_open(slot, has_blocks);
        }
        Ok(())
    }

    fn load_features(
        &mut self,
        slot: Slot,
        acl: Option<&pb::i_node_section::AclFeatureProto>,
        xattrs: Option<&pb::i_node_section::XAttrFeatureProto>,
    ) -> Result<(), String> {
        if let Some(acl) = acl {
            let entries = load_acl(acl, &self.names)?;
            self.namespace.set_acl(slot, entries);
        }
        if let Some(xattrs) = xattrs {
            let xattrs = load_xattrs(xattrs, &self.names)?;
            self.namespace.set_xattrs(slot, xattrs);
        }
        Ok(())
    }

    fn load_directory(&mut self, id: INodeId, name: &[u8], body: &[u8]) -> Result<(), String> {
        let directory =
            pb::i_node_section::INodeDirectory::decode(body).map_err(|error| error.to_string())?;
        check_time(directory.modification_time())?;
        let node = NewNode {
            id,
            kind: INodeKind::Directory,
            permission: self.known_permission(directory.permission())?,
            mtime: WallMillis(directory.modification_time()),
            atime: WallMillis(0),
            header: 0,
            target: &[],
        };
        let slot = self.add(name, &node)?;
        if let Some(quota) = load_quota(&directory) {
            self.namespace.record_mut(slot).set(Flag::Quota, true);
            self.namespace.quotas.insert(slot, Box::new(quota));
        }
        self.load_features(slot, directory.acl.as_ref(), directory.x_attrs.as_ref())
    }

    fn load_symlink(&mut self, id: INodeId, name: &[u8], body: &[u8]) -> Result<(), String> {
        let link =
            pb::i_node_section::INodeSymlink::decode(body).map_err(|error| error.to_string())?;
        check_time(link.modification_time())?;
        check_time(link.access_time())?;
        let node = NewNode {
            id,
            kind: INodeKind::Symlink,
            permission: self.known_permission(link.permission())?,
            mtime: WallMillis(link.modification_time()),
            atime: WallMillis(link.access_time()),
            header: 0,
            target: link.target(),
        };
        self.add(name, &node).map(|_| ())
    }

    /// Makes an inode that is linked later.
    fn add(&mut self, name: &[u8], node: &NewNode<'_>) -> Result<Slot, String> {
        let namespace = &mut self.namespace;
        if namespace.index.get(node.id.0).is_some() {
            return Err("its id is there twice".to_owned());
        }
        if node.id > namespace.identities.last_inode_id {
            return Err("its id is greater than the last one that was given".to_owned());
        }
        let name = namespace.names.insert(name);
        let mut record = Record::new(node.id, node.kind, name, node.permission);
        record.set_mtime(node.mtime);
        record.set_atime(node.atime);
        record.header = node.header;
        record.payload = match node.kind {
            INodeKind::Directory => u64::from(namespace.children.insert(Children::default())),
            INodeKind::Symlink => u64::from(namespace.targets.insert(node.target.into())),
            INodeKind::File => 0,
        };
        Ok(namespace.store(record))
    }

    /// A stored permission with our numbers for its names.
    fn known_permission(&mut self, packed: u64) -> Result<u64, String> {
        let mut permission = PackedPermission::unpack(packed);
        let Self { namespace, names, users, groups, .. } = self;
        if permission.user != 0 {
            permission.user = translate(users, permission.user, || {
                let name = names.name(NameTable::User, permission.user)?;
                Some(namespace.users.number(name))
            })?;
        }
        if permission.group != 0 {
            permission.group = translate(groups, permission.group, || {
                let name = names.name(NameTable::Group, permission.group)?;
                Some(namespace.groups.number(name))
            })?;
        }
        Ok(permission.pack())
    }

    fn load_directories(&mut self) -> Result<(), Corrupt> {
        let mut messages = self.image.messages(SectionName::InodeDir);
        while let Some(bytes) = messages.next_bytes()? {
            self.load_entries(bytes).map_err(|reason| messages.damaged(&reason))?;
        }
        Ok(())
    }

    fn load_entries(&mut self, bytes: &[u8]) -> Result<(), String> {
        let broken = |()| "an entry does not decode".to_owned();
        let mut fields = Fields(bytes);
        let (mut parent, mut children) = (0, Vec::new());
        while let Some((tag, value)) = fields.next_field().map_err(broken)? {
            match (tag, value) {
                (1, Value::Varint(id)) => parent = id,
                (2, Value::Bytes(packed)) => {
                    children.reserve(packed.len() / 3);
                    let mut packed = Fields(packed);
                    while !packed.0.is_empty() {
                        children.push(packed.varint().ok_or(()).map_err(broken)?);
                    }
                }
                (2, Value::Varint(id)) => children.push(id),
                (3, _) => {
                    return Err("files that were renamed out of a snapshot are not supported yet"
                        .to_owned());
                }
                _ => {}
            }
        }
        self.link_children(parent, &children)
    }

    fn link_children(&mut self, parent: u64, ids: &[u64]) -> Result<(), String> {
        let namespace = &mut self.namespace;
        let directory = namespace.index.get(parent).map(Slot);
        let Some(directory) = directory.filter(|slot| namespace.record(*slot).is_directory())
        else {
            return Err(format!("the directory {parent} is missing"));
        };
        let mut slots: Vec<Slot> = Vec::with_capacity(ids.len());
        let mut is_sorted = true;
        for id in ids {
            let Some(slot) = namespace.index.get(*id).map(Slot) else {
                return Err(format!("the inode {id} in directory {parent} is missing"));
            };
            if namespace.record(slot).parent != Slot::NONE || slot == Slot::ROOT {
                return Err(format!("the inode {id} is in two directories"));
            }
            namespace.record_mut(slot).parent = directory;
            if let Some(last) = slots.last() {
                is_sorted &= namespace.name_of(*last) < namespace.name_of(slot);
            }
            slots.push(slot);
        }
        if !is_sorted {
            slots.sort_by(|a, b| namespace.name_of(*a).cmp(namespace.name_of(*b)));
            if slots.windows(2).any(|pair| namespace.name_of(pair[0]) == namespace.name_of(pair[1]))
            {
                return Err(format!("directory {parent} has one name twice"));
            }
        }
        let number = namespace.record(directory).number();
        if !namespace.children.get(number).is_empty() {
            return Err(format!("directory {parent} is there twice"));
        }
        *namespace.children.get_mut(number) = Children::from_sorted(slots);
        Ok(())
    }

    fn load_other_sections(&mut self) -> Result<(), Corrupt> {
        let snapshots: Option<pb::SnapshotSection> =
            self.image.messages(SectionName::Snapshot).next_message()?;
        if let Some(section) = snapshots {
            if section.num_snapshots() > 0 || !section.snapshottable_dir.is_empty() {
                return Err(self.unsupported(SectionName::Snapshot, "snapshottable directories"));
            }
            self.namespace.carried.snapshot_counter = section.snapshot_counter();
        }
        self.namespace.carried.erasure_coding = Some(self.image.erasure_coding()?);
        let mut messages = self.image.messages(SectionName::SecretManager);
        if let Some(head) = messages.next_message::<pb::SecretManagerSection>()? {
            let secrets = &mut self.namespace.carried.secrets;
            secrets.current_id = head.current_id();
            secrets.sequence_number = head.token_sequence_number();
            for _ in 0..head.num_keys() {
                secrets.keys.push(messages.required()?);
            }
            for _ in 0..head.num_tokens() {
                secrets.tokens.push(messages.required()?);
            }
        }
        let cache: Option<pb::CacheManagerSection> =
            self.image.messages(SectionName::CacheManager).next_message()?;
        if let Some(section) = cache {
            if section.num_pools > 0 || section.num_directives > 0 {
                return Err(self.unsupported(SectionName::CacheManager, "cache pools"));
            }
            self.namespace.carried.next_cache_directive_id = section.next_directive_id;
        }
        Ok(())
    }

    fn damaged(&self, section: SectionName, reason: &str) -> Corrupt {
        self.image.messages(section).damaged(reason)
    }

    fn unsupported(&self, section: SectionName, feature: &str) -> Corrupt {
        let mut error = self.damaged(
            section,
            &format!("the image holds {feature}, which this version does not support yet"),
        );
        error.advice =
            "Start the NameNode that wrote it, remove the feature, and save the namespace again.";
        error
    }
}

impl<'a> FileMessage<'a> {
    fn read(body: &'a [u8]) -> Result<Self, String> {
        let broken = |()| "it does not decode".to_owned();
        let mut file = Self { block_size: 0, encoded: body, ..Self::default() };
        let mut fields = Fields(body);
        while let Some((tag, value)) = fields.next_field().map_err(broken)? {
            let number = value.number().unwrap_or(0);
            match tag {
                1 => file.replication = number,
                2 => file.mtime = number,
                3 => file.atime = number,
                4 => file.block_size = number,
                5 => file.permission = number,
                6 => {
                    if let Value::Bytes(bytes) = value {
                        file.blocks.push(read_block(bytes).ok_or(()).map_err(broken)?);
                    }
                }
                10 => file.storage_policy = number,
                11 if number == 0 => {}
                _ => file.has_rare_parts = true,
            }
        }
        Ok(file)
    }
}

/// BlockProto: id, stamp, length.
fn read_block(bytes: &[u8]) -> Option<Block> {
    let mut block = Block::default();
    let mut fields = Fields(bytes);
    while let Some((tag, value)) = fields.next_field().ok()? {
        let number = value.number()?;
        match tag {
            1 => block.id = BlockId(number.cast_signed()),
            2 => block.generation_stamp = GenerationStamp(number),
            3 => block.num_bytes = number,
            _ => {}
        }
    }
    Some(block)
}

fn translate(
    known: &mut FastMap<u32, u32>,
    stored: u32,
    number: impl FnOnce() -> Option<u32>,
) -> Result<u32, String> {
    if let Some(number) = known.get(&stored) {
        return Ok(*number);
    }
    let number = number().ok_or_else(|| format!("a permission has the unknown name {stored}"))?;
    known.insert(stored, number);
    Ok(number)
}
