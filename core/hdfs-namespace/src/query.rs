//! Queries: they read only.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.FSDirStatAndListingOp (3.5.0)

use std::cmp::Ordering;

use hdfs_format::fsimage::FileHeader;
use hdfs_types::{
    Error, ErrorKind, FsAction, FsPermission, INodeId, Result, StorageType, WallMillis,
};

use crate::namespace::Namespace;
use crate::permission::Access;
use crate::plan::{Caller, PlanContext};
use crate::resolve::{Purpose, Resolved, check_absolute, is_reserved, join, text};
use crate::snapshot::model::{Child, SnapshotId};
use crate::status::{
    ContentSummary, FileBlocks, FileStatus, INodeKind, Listing, OpenFile, QuotaUsage,
};
use crate::store::children::Children;
use crate::store::name_pool::compare_names;
use crate::store::record::{Flag, Slot};

mod snapshot_diff;
mod snapshots;
mod summary;

pub use snapshot_diff::{
    DiffCursor, DiffEntry, DiffKind, DiffListing, DiffListingEntry, DiffReport, DiffReportCursor,
};
pub use snapshots::{SnapshotStatus, SnapshottableDirectory, snapshot_path};
pub use summary::SummaryCursor;

/// Hadoop's id of what is no inode: `/.reserved` and what is in it, `/.snapshot`.
const NO_INODE: INodeId = INodeId(u64::MAX);

/// What holds for an inode: its own, or that of an ancestor; 0: none.
#[derive(Clone, Copy)]
pub(crate) struct Inherited {
    pub(crate) storage_policy: u8,
    pub(crate) ec_policy: u8,
    /// Directory of the encryption zone.
    pub(crate) zone: Option<Slot>,
}

impl Inherited {
    pub(crate) const NONE: Self = Self { storage_policy: 0, ec_policy: 0, zone: None };
}

impl Namespace {
    /// Status of an inode; None when it does not exist. With `resolve_link` a link is followed (by the client).
    ///
    /// # Errors
    /// AccessControl, UnresolvedLink.
    pub fn get_file_info(
        &self,
        ctx: &PlanContext<'_>,
        path: &[u8],
        resolve_link: bool,
        need_location: bool,
    ) -> Result<Option<FileStatus>> {
        let purpose = if resolve_link { Purpose::Read } else { Purpose::ReadLink };
        let resolved = match self.resolve(ctx, path, purpose) {
            // A superuser is told that what can't be reached does not exist.
            Err(error) if error.kind == ErrorKind::AccessControl && ctx.caller.is_superuser => {
                return Ok(None);
            }
            resolved => resolved?,
        };
        if resolved.is_exact_reserved() {
            return Ok(Some(self.reserved_status(b"", FsPermission(0o1770))));
        }
        if resolved.is_dot_snapshot() {
            let is_snapshottable =
                resolved.snapshot && resolved.slots.len() == resolved.components.len();
            return Ok(is_snapshottable.then(|| self.reserved_status(b"", FsPermission(0o777))));
        }
        let Some(slot) = resolved.last() else { return Ok(None) };
        let inherited = self.inherited_on(&resolved, slot);
        let mut status =
            self.status_with_policy((slot, resolved.at), Vec::new(), need_location, inherited);
        status.snapshottable &= !resolved.is_snapshot_root();
        if resolved.raw {
            status.hide_encryption();
        }
        Ok(Some(status))
    }

    /// Status of an inode by id, without checks: the answer of create and append. None when it was deleted.
    pub fn status_of(&self, inode: INodeId, need_location: bool) -> Option<FileStatus> {
        let slot = self.attached(inode)?;
        Some(self.status(slot, SnapshotId::CURRENT, Vec::new(), need_location))
    }

    fn reserved_status(&self, name: &[u8], permission: FsPermission) -> FileStatus {
        let group: std::sync::Arc<str> = if name.is_empty() {
            "".into()
        } else {
            self.groups.name(self.group_of(Slot::ROOT)).clone()
        };
        FileStatus {
            kind: INodeKind::Directory,
            name: name.to_vec(),
            inode: NO_INODE,
            length: 0,
            replication: 0,
            block_size: 0,
            mtime: WallMillis(0),
            atime: WallMillis(0),
            permission,
            owner: "".into(),
            group,
            symlink: None,
            children: 0,
            storage_policy: 0,
            ec_policy: 0,
            encrypted: false,
            encryption: None,
            has_acl: false,
            snapshottable: false,
            blocks: None,
        }
    }

    fn status(&self, slot: Slot, at: SnapshotId, name: Vec<u8>, need_location: bool) -> FileStatus {
        let inherited = self.inherited(slot);
        self.status_with_policy((slot, at), name, need_location, inherited)
    }

    fn inherited(&self, slot: Slot) -> Inherited {
        Inherited {
            storage_policy: self.storage_policy(slot),
            ec_policy: self.ec_policy_of(slot).map_or(0, |policy| policy.id),
            zone: self.zone_of(slot),
        }
    }

    /// The same for the last inode of a path.
    fn inherited_on(&self, resolved: &Resolved<'_>, slot: Slot) -> Inherited {
        let now = self.inherited(slot);
        if resolved.at == SnapshotId::CURRENT {
            return now;
        }
        let ec_policy = self.ec_policy_on(resolved, slot).map_or(0, |policy| policy.id);
        Inherited { ec_policy, ..now }
    }

    pub(crate) fn status_with_policy(
        &self,
        (slot, at): (Slot, SnapshotId),
        name: Vec<u8>,
        need_location: bool,
        Inherited { storage_policy, ec_policy, zone }: Inherited,
    ) -> FileStatus {
        let record = self.record(slot);
        let kind = record.kind().expect("a slot on a path is in use");
        let mut status = FileStatus {
            kind,
            name,
            inode: record.id(),
            length: 0,
            replication: 0,
            block_size: 0,
            mtime: record.mtime(),
            atime: record.atime(),
            permission: self.mode_of(slot),
            owner: self.users.name(self.user_of(slot)).clone(),
            group: self.groups.name(self.group_of(slot)).clone(),
            symlink: None,
            children: 0,
            storage_policy,
            ec_policy,
            encrypted: zone.is_some(),
            encryption: zone.and_then(|zone| self.file_encryption(slot, at, zone)),
            has_acl: record.has(Flag::Acl),
            snapshottable: self.is_snapshottable(slot),
            blocks: None,
        };
        match kind {
            INodeKind::File => {
                let header = self.file_header(slot);
                status.length =
                    self.file_size_at(slot, at).unwrap_or_else(|| self.file_length(slot));
                status.block_size = header.preferred_block_size;
                status.replication = self.replication_of(slot);
                if need_location {
                    status.blocks = Some(self.blocks_view(slot, at, Vec::new()));
                }
            }
            INodeKind::Directory => {
                status.children = self.children_count_at(slot, at);
            }
            INodeKind::Symlink => {
                status.storage_policy = 0;
                status.symlink = Some(self.targets.get(record.number()).to_vec());
            }
        }
        if at != SnapshotId::CURRENT {
            self.turn_back(&mut status, slot, at);
        }
        status
    }

    /// Gives a status the attributes that the inode had in a snapshot.
    fn turn_back(&self, status: &mut FileStatus, slot: Slot, at: SnapshotId) {
        let attributes = self.attributes_at(slot, at);
        status.mtime = attributes.mtime;
        status.atime = attributes.atime;
        status.permission = attributes.mode();
        status.owner = self.users.name(attributes.user()).clone();
        status.group = self.groups.name(attributes.group()).clone();
        status.has_acl = !attributes.acl.is_empty();
        if status.kind == INodeKind::File && status.ec_policy == 0 {
            status.replication = FileHeader::unpack(attributes.header).redundancy;
        }
    }

    pub(crate) fn children_count_at(&self, slot: Slot, at: SnapshotId) -> u32 {
        let diff = self.directory_diffs(slot).iter().find(|diff| diff.snapshot == at);
        if let Some(diff) = diff {
            return diff.children_size;
        }
        let count = if at == SnapshotId::CURRENT || self.directory_diffs(slot).is_empty() {
            self.children_of(slot).len()
        } else {
            self.children_at(slot, at).len()
        };
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// A part of a directory, after the entry `start_after`; for a file the file itself. None: it does not exist.
    ///
    /// # Errors
    /// AccessControl, Snapshot for `.snapshot` of a directory that has none.
    pub fn get_listing(
        &self,
        ctx: &PlanContext<'_>,
        path: &[u8],
        start_after: &[u8],
        need_location: bool,
    ) -> Result<Option<Listing>> {
        let resolved = self.resolve(ctx, path, Purpose::Read)?;
        let start_after = self.resolve_start_after(start_after)?;
        if let Some(last) = resolved.last()
            && self.record(last).is_directory()
        {
            self.check_access(ctx, &resolved, Access::last(FsAction::READ_EXECUTE))?;
        }
        if resolved.is_exact_reserved() {
            let entries = [&b".inodes"[..], b"raw"]
                .map(|name| self.reserved_status(name, FsPermission(0o770)))
                .to_vec();
            return Ok(Some(Listing { entries, remaining: 0 }));
        }
        if resolved.is_dot_snapshot() {
            return self.list_snapshots(&resolved, &start_after, ctx.conf.ls_limit).map(Some);
        }
        let Some(slot) = resolved.last() else { return Ok(None) };
        if !self.record(slot).is_directory() {
            let status = self.status(slot, resolved.at, Vec::new(), need_location);
            return Ok(Some(Listing { entries: vec![status], remaining: 0 }));
        }
        if resolved.at != SnapshotId::CURRENT {
            let directory = (slot, resolved.at);
            let inherited = self.inherited_on(&resolved, slot);
            return Ok(Some(self.list_at(
                directory,
                inherited,
                &start_after,
                need_location,
                ctx.conf.ls_limit,
            )));
        }
        Ok(Some(self.list(slot, &start_after, need_location, ctx.conf.ls_limit)))
    }

    fn resolve_start_after(&self, start_after: &[u8]) -> Result<Vec<u8>> {
        if !is_reserved(start_after) {
            return Ok(start_after.to_vec());
        }
        match self.resolve_unchecked(start_after) {
            Ok(resolved) => Ok(resolved.last_name().to_vec()),
            Err(_) => Err(Error::new(
                ErrorKind::Remote(
                    "org.apache.hadoop.fs.DirectoryListingStartAfterNotFoundException".to_owned(),
                ),
                format!("Can't find startAfter {}", text(start_after)),
            )),
        }
    }

    /// The snapshots of a directory. Each has the attributes of its root.
    fn list_snapshots(
        &self,
        resolved: &Resolved<'_>,
        start_after: &[u8],
        limit: usize,
    ) -> Result<Listing> {
        let parent = resolved.parent_text();
        let slot = self.as_directory(resolved.parent(), || parent.clone())?;
        if !self.is_snapshottable(slot) {
            return Err(Error::new(
                ErrorKind::Snapshot,
                format!("Directory is not a snapshottable directory: {parent}"),
            ));
        }
        let Some(feature) = self.snapshots.snapshottable.get(&slot) else {
            return Ok(Listing::default());
        };
        let known = &feature.snapshots;
        let start = known.partition_point(|snapshot| {
            compare_names(&snapshot.root.name, start_after) != Ordering::Greater
        });
        let entries: Vec<FileStatus> = known[start..]
            .iter()
            .take(limit)
            .map(|snapshot| self.snapshot_root_status(slot, snapshot))
            .collect();
        let remaining = known.len() - start - entries.len();
        Ok(Listing { entries, remaining })
    }

    /// As [`Self::list`], in a snapshot.
    fn list_at(
        &self,
        (slot, at): (Slot, SnapshotId),
        policy: Inherited,
        start_after: &[u8],
        need_location: bool,
        limit: usize,
    ) -> Listing {
        let children = self.children_at(slot, at);
        let start = children.partition_point(|child| {
            compare_names(self.child_name(*child), start_after) != Ordering::Greater
        });
        let mut listing = Listing::default();
        let mut budget = limit;
        for child in children[start..].iter().take(limit) {
            if budget == 0 {
                break;
            }
            listing.push(self.entry((*child, at), policy, need_location), &mut budget);
        }
        listing.remaining = children.len() - start - listing.entries.len();
        listing
    }

    fn entry(
        &self,
        (child, at): (Child, SnapshotId),
        parent: Inherited,
        need_location: bool,
    ) -> FileStatus {
        let slot = self.child_slot(child);
        let own = self.own_storage_policy(slot);
        let policy = Inherited {
            storage_policy: if own == 0 { parent.storage_policy } else { own },
            ec_policy: self.ec_policy_below(slot, at, parent.ec_policy),
            zone: match self.zones.contains(&self.record(slot).id()) {
                true => Some(slot),
                false => parent.zone,
            },
        };
        let name = self.child_name(child).to_vec();
        self.status_with_policy((slot, at), name, need_location, policy)
    }

    fn list(&self, slot: Slot, start_after: &[u8], need_location: bool, limit: usize) -> Listing {
        let children = self.children_of(slot);
        let start = match self.find_child_position(slot, start_after) {
            Ok((position, _)) => Children::after(position),
            Err(position) => position,
        };
        let waiting = children.len() - children.rank(start);
        let policy = self.inherited(slot);
        let mut budget = limit;
        let mut listing = Listing { entries: Vec::with_capacity(waiting.min(limit)), remaining: 0 };
        for child in children.iter_from(start).take(limit) {
            if budget == 0 {
                break;
            }
            let child = (Child::INode(child), SnapshotId::CURRENT);
            listing.push(self.entry(child, policy, need_location), &mut budget);
        }
        listing.remaining = waiting - listing.entries.len();
        listing
    }

    /// The blocks of a file, for getBlockLocations: the file must be readable.
    ///
    /// # Errors
    /// FileNotFound, AccessControl.
    pub fn get_blocks(&self, ctx: &PlanContext<'_>, path: &[u8]) -> Result<FileBlocks> {
        // As in Hadoop a missing file is missing even for those who may not look into its directory.
        let anyone = Caller { is_superuser: true, ..ctx.caller };
        let unchecked = PlanContext { caller: anyone, ..*ctx };
        let resolved = self.resolve(&unchecked, path, Purpose::Read)?;
        let slot = self.as_file(resolved.last(), || resolved.text())?;
        self.check_readable(ctx, (slot, resolved.at))?;
        self.check_traverse(ctx, &resolved, false)?;
        self.check_access(ctx, &resolved, Access::last(FsAction::READ))?;
        let mut file = self.blocks_view(slot, resolved.at, resolved.path());
        if resolved.raw {
            file.encryption = None;
        }
        Ok(file)
    }

    /// The blocks of a file by id, without checks. None when it was deleted or is no file.
    pub fn blocks_of_inode(&self, inode: INodeId) -> Option<FileBlocks> {
        let slot = self.attached(inode).filter(|slot| self.record(*slot).is_file())?;
        Some(self.blocks_view(slot, SnapshotId::CURRENT, self.path_of(slot)))
    }

    pub(crate) fn blocks_view(&self, slot: Slot, at: SnapshotId, path: Vec<u8>) -> FileBlocks {
        let record = self.record(slot);
        let header = self.file_header(slot);
        let in_snapshot = at != SnapshotId::CURRENT;
        let blocks = match self.file_blocks_at(slot, at) {
            Some(blocks) => blocks.to_vec(),
            None => self.blocks_of(slot).to_vec(),
        };
        let length = || self.file_size_at(slot, at).unwrap_or_else(|| self.file_length(slot));
        FileBlocks {
            inode: record.id(),
            path,
            blocks,
            snapshot_length: in_snapshot.then(length),
            preferred_block_size: header.preferred_block_size,
            replication: self.replication_of(slot),
            storage_policy: self.storage_policy(slot),
            ec_policy: if header.striped { header.redundancy as u8 } else { 0 },
            writer: if in_snapshot { None } else { self.writer(slot) },
            encryption: self.zone_of(slot).and_then(|zone| self.file_encryption(slot, at, zone)),
            atime: record.atime(),
        }
    }

    /// # Errors
    /// FileNotFound, AccessControl.
    pub fn is_file_closed(&self, ctx: &PlanContext<'_>, path: &[u8]) -> Result<bool> {
        let resolved = self.resolve(ctx, path, Purpose::Read)?;
        let slot = self.as_file(resolved.last(), || text(path))?;
        Ok(self.under_construction(slot).is_none())
    }

    /// # Errors
    /// FileNotFound, AccessControl.
    pub fn get_preferred_block_size(&self, ctx: &PlanContext<'_>, path: &[u8]) -> Result<u64> {
        let resolved = self.resolve(ctx, path, Purpose::ReadLink)?;
        let slot = self.as_file(resolved.last(), || resolved.text())?;
        Ok(self.file_header(slot).preferred_block_size)
    }

    /// Whether the caller may do something to an inode.
    ///
    /// # Errors
    /// FileNotFound, AccessControl when not.
    pub fn check_access_to(
        &self,
        ctx: &PlanContext<'_>,
        path: &[u8],
        action: FsAction,
    ) -> Result<()> {
        let resolved = self.resolve(ctx, path, Purpose::Read)?;
        if resolved.last().is_none() {
            return Err(Error::new(
                ErrorKind::FileNotFound,
                format!("Path not found: {}", resolved.text()),
            ));
        }
        self.check_access(ctx, &resolved, Access::last(action))
    }

    /// The target of the link at a path, for getLinkTarget.
    ///
    /// # Errors
    /// FileNotFound, Io when it is no link.
    pub fn get_link_target(&self, ctx: &PlanContext<'_>, path: &[u8]) -> Result<Vec<u8>> {
        let Some(status) = self.get_file_info(ctx, path, false, false)? else {
            return Err(Error::new(
                ErrorKind::FileNotFound,
                format!("File does not exist: {}", text(path)),
            ));
        };
        status
            .symlink
            .ok_or_else(|| Error::io(format!("Path {} is not a symbolic link", text(path))))
    }

    /// The top of the encryption zone or volume around a path.
    ///
    /// # Errors
    /// AccessControl.
    pub fn get_enclosing_root(&self, ctx: &PlanContext<'_>, path: &[u8]) -> Result<Vec<u8>> {
        let resolved = self.resolve(ctx, path, Purpose::Read)?;
        self.check_access(ctx, &resolved, Access::last(FsAction::READ))?;
        Ok(self.enclosing_root(&resolved))
    }

    /// Open files by id after one, below a path; true: there are more.
    ///
    /// # Errors
    /// AccessControl unless the caller is a superuser; as Hadoop's assertion when the path is not absolute.
    pub fn list_open_files(
        &self,
        ctx: &PlanContext<'_>,
        after: INodeId,
        below: &[u8],
    ) -> Result<(Vec<OpenFile>, bool)> {
        check_absolute(below)?;
        if ctx.conf.permissions_enabled {
            ctx.caller.check_superuser_for("listOpenFiles")?;
        }
        let below = &join(&hdfs_types::components(below).collect::<Vec<_>>())[..];
        let mut files = Vec::new();
        let mut waiting = self.leases.files_after(after);
        for (inode, _) in waiting.by_ref() {
            let Some(slot) = self.attached(inode) else { continue };
            let Some(open) = self.under_construction(slot) else { continue };
            let path = self.path_of(slot);
            let rest = path.strip_prefix(below);
            if below == b"/" || rest.is_some_and(|rest| rest.is_empty() || rest[0] == b'/') {
                files.push(OpenFile {
                    inode,
                    path,
                    client_name: open.client_name.clone(),
                    client_machine: open.client_machine.clone(),
                });
            }
            if files.len() >= ctx.conf.max_open_files_listed {
                break;
            }
        }
        let more = waiting.next().is_some();
        Ok((files, more))
    }

    /// The id of the storage policy that holds for a path; 0: none set.
    ///
    /// # Errors
    /// FileNotFound, AccessControl.
    pub fn get_storage_policy(&self, ctx: &PlanContext<'_>, path: &[u8]) -> Result<u8> {
        let resolved = self.resolve(ctx, path, Purpose::ReadLink)?;
        self.check_access(ctx, &resolved, Access::last(FsAction::READ))?;
        match resolved.last() {
            Some(slot) => Ok(self.storage_policy(slot)),
            None => Err(Error::new(
                ErrorKind::FileNotFound,
                format!("File/Directory does not exist: {}", resolved.text()),
            )),
        }
    }

    /// What counts and what is allowed below a directory. A directory without quota is counted.
    ///
    /// # Errors
    /// FileNotFound, AccessControl.
    pub fn get_quota_usage(&self, ctx: &PlanContext<'_>, path: &[u8]) -> Result<QuotaUsage> {
        let resolved = self.resolve(ctx, path, Purpose::ReadLink)?;
        let access = Access { below: Some(FsAction::READ_EXECUTE), ..Access::default() };
        self.check_access(ctx, &resolved, access)?;
        let Some(slot) = resolved.last() else {
            return Err(Error::new(
                ErrorKind::FileNotFound,
                format!("File/Directory does not exist: {}", resolved.text()),
            ));
        };
        let is_current = resolved.at == SnapshotId::CURRENT;
        if let Some(quota) =
            self.quotas.get(&slot).filter(|_| is_current && self.record(slot).has(Flag::Quota))
        {
            let used = self.usage_of_directory(slot);
            return Ok(QuotaUsage {
                file_and_directory_count: used.names,
                quota: quota.limit.names,
                space_consumed: used.space,
                space_quota: quota.limit.space,
                type_consumed: used.types,
                type_quota: quota.limit.types,
            });
        }
        let summary: ContentSummary = self.get_content_summary(ctx, path)?;
        Ok(QuotaUsage {
            file_and_directory_count: (summary.files + summary.directories).cast_signed(),
            quota: summary.quota,
            space_consumed: summary.space_consumed.cast_signed(),
            space_quota: summary.space_quota,
            type_consumed: summary.type_consumed,
            type_quota: summary.type_quota,
        })
    }
}

/// Kinds of storage that may have a quota, in the order of Hadoop's messages.
///
/// Hadoop: org.apache.hadoop.fs.StorageType.getTypesSupportingQuota (3.5.0)
pub const QUOTA_KINDS: [StorageType; 5] = [
    StorageType::Ssd,
    StorageType::Disk,
    StorageType::Archive,
    StorageType::Provided,
    StorageType::Nvdimm,
];
