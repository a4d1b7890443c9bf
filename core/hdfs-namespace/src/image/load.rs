//! Loading.

use hdfs_format::fsimage::{
    Image, Messages, NameTable, PackedPermission, SectionName, StringTable,
};
use hdfs_format::storage_dir::Corrupt;
use hdfs_proto::hdfs::fsimage as pb;
use hdfs_types::{Alone, BlockId, FastMap, GenerationStamp, TxId, WallMillis, Workers};

use crate::erasure::ErasureCodingPolicies;
use crate::namespace::Namespace;
use crate::op::rolling_upgrade::RollingUpgrade;
use crate::plan::NamespaceConf;
use crate::snapshot::model::Child;
use crate::store::children::Children;
use crate::store::name_pool::compare_names;
use crate::store::record::{Flag, MAX_48, Slot};

mod inodes;
mod snapshots;

/// Directories whose children are looked up at a time.
const BATCH_DIRECTORIES: usize = if cfg!(test) { 2 } else { 512 };

/// No file of `/` may have this name since it means something else. Hadoop: FSDirectory.isReservedName
const RESERVED: &[u8] = b".reserved";
/// Hadoop: FSImageFormatPBINode.Loader.addToParent
const RESERVED_NAME: &str = "File name \".reserved\" is reserved. Please  change the name of the existing file or \
    directory to another name before upgrading to this release.";

/// A run of directories with their children.
struct Found<'a> {
    /// For error messages.
    messages: Messages<'a>,
    directories: Vec<(Slot, Vec<Slot>)>,
}

struct Loader<'a> {
    namespace: Namespace,
    names: &'a StringTable,
    users: FastMap<u32, u32>,
    groups: FastMap<u32, u32>,
    /// The last permission that was translated, and what it became.
    last_permission: (u64, u64),
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
        Self::load_with(image, conf, &Alone)
    }

    /// The same, with others to help.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn load_with(
        image: &Image<'_>,
        conf: &NamespaceConf,
        workers: &impl Workers,
    ) -> Result<Self, Corrupt> {
        let names = image.string_table()?;
        let mut loader = Loader {
            namespace: Self::empty(),
            names: &names,
            users: FastMap::default(),
            groups: FastMap::default(),
            last_permission: (u64::MAX, 0),
            references: Vec::new(),
            image,
        };
        loader.load_counters()?;
        let policies = image.erasure_coding()?;
        loader.namespace.erasure = ErasureCodingPolicies::load(&policies, conf)
            .map_err(|reason| loader.damaged(SectionName::ErasureCoding, &reason))?;
        loader.load_inodes(workers)?;
        if loader.namespace.records.is_empty() {
            loader.namespace = Self::new(conf);
        }
        loader.load_references()?;
        loader.load_snapshots()?;
        loader.load_directories(workers)?;
        loader.load_diffs()?;
        loader.load_other_sections()?;
        loader.finish()?;
        loader.namespace.configure(conf);
        Ok(loader.namespace)
    }
}

impl<'a> Loader<'a> {
    fn load_counters(&mut self) -> Result<(), Corrupt> {
        let section = self.image.name_system()?;
        self.namespace.carried.rolling_upgrade = section
            .rolling_upgrade_start_time
            .map(|millis| RollingUpgrade { started: WallMillis(millis), finalized: None });
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

    /// A stored permission with our numbers for its names.
    fn known_permission(&mut self, packed: u64) -> Result<u64, String> {
        // Neighbours mostly have the same owner and group.
        let (stored, ours) = self.last_permission;
        if packed >> 16 == stored >> 16 {
            return Ok(ours & !0xFFFF | packed & 0xFFFF);
        }
        let mut permission = PackedPermission::unpack(packed);
        let Self { namespace, names, users, groups, .. } = self;
        // In images made of XML names are numbered from 0.
        if permission.user != 0 || names.name(NameTable::User, 0).is_some() {
            permission.user = translate(users, permission.user, || {
                let name = names.name(NameTable::User, permission.user)?;
                Some(namespace.users.number(name))
            })?;
        }
        if permission.group != 0 || names.name(NameTable::Group, 0).is_some() {
            permission.group = translate(groups, permission.group, || {
                let name = names.name(NameTable::Group, permission.group)?;
                Some(namespace.groups.number(name))
            })?;
        }
        self.last_permission = (packed, permission.pack());
        Ok(permission.pack())
    }

    /// What the image says about children is looked up and checked apart, then joined.
    fn load_directories(&mut self, workers: &impl Workers) -> Result<(), Corrupt> {
        let messages = self.image.messages(SectionName::InodeDir);
        let mut found: Vec<Found<'a>> = Vec::new();
        workers.in_order(
            messages.batches(BATCH_DIRECTORIES),
            |batch| self.find_children(batch?),
            |directories| {
                found.push(directories?);
                Ok(())
            },
        )?;
        for run in found {
            for (directory, slots) in run.directories {
                self.link_children(directory, slots)
                    .map_err(|reason| run.messages.damaged(&reason))?;
            }
        }
        Ok(())
    }

    fn find_children(&self, messages: Messages<'a>) -> Result<Found<'a>, Corrupt> {
        let mut found = Found { messages, directories: Vec::with_capacity(BATCH_DIRECTORIES) };
        let mut messages = messages;
        while let Some(entry) = messages.next_message::<pb::i_node_directory_section::DirEntry>()? {
            let children = self.children(&entry).map_err(|reason| messages.damaged(&reason))?;
            found.directories.push(children);
        }
        Ok(found)
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

    /// A directory and its children, in their order.
    fn children(
        &self,
        entry: &pb::i_node_directory_section::DirEntry,
    ) -> Result<(Slot, Vec<Slot>), String> {
        let namespace = &self.namespace;
        let parent = entry.parent();
        let directory = self.known_directory(parent)?;
        let mut slots: Vec<Slot> =
            Vec::with_capacity(entry.children.len() + entry.ref_children.len());
        for id in &entry.children {
            let slot = self.known(*id)?;
            if namespace.record(slot).has(Flag::Referenced) {
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
        let compare =
            |a: &Slot, b: &Slot| compare_names(namespace.name_of(*a), namespace.name_of(*b));
        if !slots.is_sorted_by(|a, b| compare(a, b).is_lt()) {
            slots.sort_by(compare);
            if !slots.is_sorted_by(|a, b| compare(a, b).is_lt()) {
                return Err(format!("directory {parent} has one name twice"));
            }
        }
        Ok((directory, slots))
    }

    fn link_children(&mut self, directory: Slot, slots: Vec<Slot>) -> Result<(), String> {
        for slot in &slots {
            self.place(directory, *slot)?;
            if directory == Slot::ROOT && self.namespace.name_of(*slot) == RESERVED {
                return Err(RESERVED_NAME.to_owned());
            }
        }
        let namespace = &mut self.namespace;
        let record = namespace.record(directory);
        let (number, id) = (record.number(), record.id());
        if !namespace.children.get(number).is_empty() {
            return Err(format!("directory {id} is there twice"));
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
            let cache = &mut self.namespace.cache;
            for _ in 0..head.num_pools {
                let pool = messages.required()?;
                cache.load_pool(&pool).map_err(|reason| messages.damaged(&reason))?;
            }
            for _ in 0..head.num_directives {
                let directive = messages.required()?;
                cache.load_directive(&directive).map_err(|reason| messages.damaged(&reason))?;
            }
            cache.next_id = cache.next_id.max(head.next_directive_id.cast_signed());
        }
        Ok(())
    }

    /// What follows from everything that was loaded.
    fn finish(&mut self) -> Result<(), Corrupt> {
        // First of all: from here on every path ends at `/`.
        let (_, reached) = self.namespace.recount_usage(Slot::ROOT);
        if self.namespace.counts.inodes() > reached || !self.references.is_empty() {
            self.check_reached().map_err(|reason| self.damaged(SectionName::InodeDir, &reason))?;
        }
        // Nobody writes what only snapshots show.
        let namespace = &mut self.namespace;
        let open: Vec<Slot> = namespace.open_files.keys().copied().collect();
        for slot in open {
            if namespace.copy_source(slot).is_some() && !namespace.record(slot).has(Flag::Diffs) {
                namespace.counts.blocks += 1;
            }
            if !namespace.is_current(slot) {
                let id = namespace.record(slot).id();
                namespace.leases.remove(id);
            }
        }
        let files: Vec<Slot> = namespace.snapshots.file_diffs.keys().copied().collect();
        for slot in files {
            let current = namespace.is_current(slot);
            if let Some(feature) = namespace.snapshots.file_diffs.get_mut(&slot) {
                feature.current_deleted = !current;
            }
        }
        if !namespace.snapshots.is_empty() {
            namespace.index_snapshots();
            namespace.recount_usage(Slot::ROOT);
        }
        Ok(())
    }

    fn damaged(&self, section: SectionName, reason: &str) -> Corrupt {
        self.image.messages(section).damaged(reason)
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
