//! Loading.

use hdfs_format::fsimage::{
    DirectoryRecord, FileRecord, INodeKind as Kind, INodeRecord, Image, Messages, NameTable,
    PackedPermission, SectionName, StringTable, SymlinkRecord,
};
use hdfs_format::storage_dir::Corrupt;
use hdfs_proto::hdfs::fsimage as pb;
use hdfs_types::{BlockId, FastMap, GenerationStamp, INodeId, TxId, WallMillis, constants};

use super::copies::file_header;
use super::features::{load_acl, load_quota, load_xattrs};
use crate::erasure::ErasureCodingPolicies;
use crate::namespace::{Namespace, NewNode};
use crate::op::limits::{check_block, check_time};
use crate::plan::NamespaceConf;
use crate::snapshot::model::Child;
use crate::status::INodeKind;
use crate::store::children::Children;
use crate::store::name_pool::{MAX_NAME_BYTES, compare_names};
use crate::store::record::{Flag, MAX_48, MAX_ID, Record, Slot};

mod snapshots;

struct Loader<'a> {
    namespace: Namespace,
    names: StringTable,
    users: FastMap<u32, u32>,
    groups: FastMap<u32, u32>,
    /// By number.
    references: Vec<Child>,
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
            references: Vec::new(),
            image,
        };
        loader.load_counters()?;
        let policies = image.erasure_coding()?;
        loader.namespace.erasure = ErasureCodingPolicies::load(&policies, conf)
            .map_err(|reason| loader.damaged(SectionName::ErasureCoding, &reason))?;
        loader.load_inodes()?;
        if loader.namespace.records.is_empty() {
            loader.namespace = Self::new(conf);
        }
        loader.load_references()?;
        loader.load_snapshots()?;
        loader.load_directories()?;
        loader.load_diffs()?;
        loader.load_other_sections()?;
        loader.finish()?;
        Ok(loader.namespace)
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
        if self.namespace.identities.last_block_id == BlockId(i64::MAX) {
            return Err(self.damaged(SectionName::NsInfo, "block ids are used up"));
        }
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
        self.load_root(messages)?;
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
        self.load_features(Slot::ROOT, root.acl, root.x_attrs)
    }

    fn load_inode(&mut self, bytes: &'a [u8]) -> Result<(), String> {
        let inode = INodeRecord::decode(bytes)?;
        let (id, name) = (inode.id, inode.name);
        if id == INodeId(constants::ROOT_INODE_ID) {
            return Ok(());
        }
        if id.0 == 0 || id.0 > MAX_ID || name.len() > MAX_NAME_BYTES || name.is_empty() {
            return Err(format!("inode {id} has a wrong id or name"));
        }
        match &inode.kind {
            Kind::File(file) => self.load_file(id, name, file),
            Kind::Directory(directory) => self.load_directory(id, name, directory),
            Kind::Symlink(link) => self.load_symlink(id, name, link),
        }
        .map_err(|reason| format!("inode {id}: {reason}"))
    }

    fn load_file(&mut self, id: INodeId, name: &[u8], file: &FileRecord<'_>) -> Result<(), String> {
        check_time(file.modification_time)?;
        check_time(file.access_time)?;
        let header = file_header(
            file.preferred_block_size,
            file.replication.unwrap_or(0),
            file.erasure_coding_policy_id,
            file.storage_policy_id,
        )?;
        if let Some(id) = file.erasure_coding_policy_id
            && self.namespace.erasure.get(header.redundancy as u8).is_none()
        {
            return Err(format!("erasure-coding policy {id} is unknown"));
        }
        let node = NewNode {
            id,
            kind: INodeKind::File,
            permission: self.known_permission(file.permission)?,
            mtime: WallMillis(file.modification_time),
            atime: WallMillis(file.access_time),
            header: header.pack(),
            target: &[],
        };
        let slot = self.add(name, &node)?;
        for block in file.blocks.iter() {
            check_block(&block)?;
            self.namespace.push_block(slot, block);
        }
        self.load_features(slot, file.acl, file.x_attrs)?;
        if let Some((client, machine)) = file.under_construction {
            self.namespace.open_file(slot, client, machine);
            let has_blocks = self.namespace.blocks_of(slot).len() > 0;
            self.namespace.set_last_block_open(slot, has_blocks);
        }
        Ok(())
    }

    fn load_features(
        &mut self,
        slot: Slot,
        acl: Option<&[u8]>,
        xattrs: Option<&[u8]>,
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

    fn load_directory(
        &mut self,
        id: INodeId,
        name: &[u8],
        directory: &DirectoryRecord<'_>,
    ) -> Result<(), String> {
        check_time(directory.modification_time)?;
        let node = NewNode {
            id,
            kind: INodeKind::Directory,
            permission: self.known_permission(directory.permission)?,
            mtime: WallMillis(directory.modification_time),
            atime: WallMillis(0),
            header: 0,
            target: &[],
        };
        let slot = self.add(name, &node)?;
        if let Some(quota) = load_quota(directory)? {
            self.namespace.record_mut(slot).set(Flag::Quota, true);
            self.namespace.quotas.insert(slot, Box::new(quota));
        }
        self.load_features(slot, directory.acl, directory.x_attrs)
    }

    fn load_symlink(
        &mut self,
        id: INodeId,
        name: &[u8],
        link: &SymlinkRecord<'_>,
    ) -> Result<(), String> {
        check_time(link.modification_time)?;
        check_time(link.access_time)?;
        let node = NewNode {
            id,
            kind: INodeKind::Symlink,
            permission: self.known_permission(link.permission)?,
            mtime: WallMillis(link.modification_time),
            atime: WallMillis(link.access_time),
            header: 0,
            target: link.target,
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
        while let Some(entry) = messages.next_message::<pb::i_node_directory_section::DirEntry>()? {
            self.link_children(&entry).map_err(|reason| messages.damaged(&reason))?;
        }
        Ok(())
    }

    fn known(&self, id: u64) -> Result<Slot, String> {
        self.namespace.index.get(id).map(Slot).ok_or_else(|| format!("the inode {id} is missing"))
    }

    fn known_directory(&self, id: u64) -> Result<Slot, String> {
        let slot = self.namespace.index.get(id).map(Slot);
        slot.filter(|slot| self.namespace.record(*slot).is_directory())
            .ok_or_else(|| format!("the directory {id} is missing"))
    }

    /// Puts an inode below a directory, in its children or in a deleted list.
    fn place(&mut self, directory: Slot, slot: Slot) -> Result<(), String> {
        let record = self.namespace.record_mut(slot);
        if record.parent != Slot::NONE || slot == Slot::ROOT {
            return Err(format!("the inode {} is in two directories", record.id()));
        }
        record.parent = directory;
        Ok(())
    }

    fn link_children(
        &mut self,
        entry: &pb::i_node_directory_section::DirEntry,
    ) -> Result<(), String> {
        let parent = entry.parent();
        let directory = self.known_directory(parent)?;
        let mut slots: Vec<Slot> =
            Vec::with_capacity(entry.children.len() + entry.ref_children.len());
        for id in &entry.children {
            let slot = self.known(*id)?;
            if self.namespace.record(slot).has(Flag::Referenced) {
                return Err(format!("the inode {id} is a child and a reference"));
            }
            slots.push(slot);
        }
        for number in &entry.ref_children {
            let Child::INode(slot) = self.reference(*number)? else {
                return Err(format!("a child of directory {parent} is in snapshots only"));
            };
            slots.push(slot);
        }
        let mut is_sorted = true;
        let mut last: Option<Slot> = None;
        for slot in &slots {
            self.place(directory, *slot)?;
            if let Some(last) = last.replace(*slot) {
                let namespace = &self.namespace;
                is_sorted &=
                    compare_names(namespace.name_of(last), namespace.name_of(*slot)).is_lt();
            }
        }
        let namespace = &mut self.namespace;
        if !is_sorted {
            slots.sort_by(|a, b| compare_names(namespace.name_of(*a), namespace.name_of(*b)));
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
        let mut messages = self.image.messages(SectionName::CacheManager);
        if let Some(head) = messages.next_message::<pb::CacheManagerSection>()? {
            let cache = &mut self.namespace.carried.cache;
            cache.next_directive_id = head.next_directive_id;
            for _ in 0..head.num_pools {
                cache.pools.push(messages.required()?);
            }
            for _ in 0..head.num_directives {
                cache.directives.push(messages.required()?);
            }
        }
        Ok(())
    }

    /// What follows from everything that was loaded.
    fn finish(&mut self) -> Result<(), Corrupt> {
        if !self.references.is_empty() {
            self.check_reached().map_err(|reason| self.damaged(SectionName::InodeDir, &reason))?;
        }
        let mut files: Vec<Slot> = self.namespace.snapshots.file_diffs.keys().copied().collect();
        files.retain(|slot| !self.namespace.is_current(*slot));
        for slot in files {
            if let Some(feature) = self.namespace.snapshots.file_diffs.get_mut(&slot) {
                feature.current_deleted = true;
            }
        }
        self.namespace.index_snapshots();
        let (_, reached) = self.namespace.recount_quotas(Slot::ROOT);
        if self.namespace.counts.inodes() > reached && self.references.is_empty() {
            self.check_reached().map_err(|reason| self.damaged(SectionName::InodeDir, &reason))?;
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
