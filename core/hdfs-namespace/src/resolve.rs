//! From paths to inodes, with Hadoop's reserved names.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.{INodesInPath, FSDirectory.resolvePath} (3.5.0)

use std::borrow::Cow;

use hdfs_types::{Error, ErrorKind, INodeId, Result, constants, is_valid_name};
use smallvec::SmallVec;

use crate::namespace::Namespace;
use crate::plan::PlanContext;
use crate::snapshot::model::SnapshotId;
use crate::store::record::{Flag, Slot};

const RESERVED: &[u8] = b".reserved";
const INODES: &[u8] = b".inodes";
const RAW: &[u8] = b"raw";
const DOT_SNAPSHOT: &[u8] = b".snapshot";

/// What a path is resolved for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Purpose {
    /// Read what a link points to.
    Read,
    /// Read, a link itself included.
    ReadLink,
    /// Change.
    Write,
    /// Change, a link itself included.
    WriteLink,
    /// Make.
    Create,
    /// Make, a link included.
    CreateLink,
}

impl Purpose {
    fn resolves_link(self) -> bool {
        matches!(self, Self::Read | Self::Write | Self::Create)
    }

    fn is_create(self) -> bool {
        matches!(self, Self::Create | Self::CreateLink)
    }

    fn is_read(self) -> bool {
        matches!(self, Self::Read | Self::ReadLink)
    }
}

/// A path and the inodes on it. Position 0 is `/`.
#[derive(Clone, Debug)]
pub(crate) struct Resolved<'a> {
    /// Components, without `/` itself.
    pub(crate) components: Components<'a>,
    /// Inodes from `/` on, as far as they exist. `.snapshot` and the name of a snapshot after it both stand for the
    /// snapshottable directory.
    pub(crate) slots: SmallVec<[Slot; 13]>,
    /// The path goes through `.snapshot` of a snapshottable directory.
    pub(crate) snapshot: bool,
    /// When the inodes are looked at: in the snapshot of the path, or now.
    pub(crate) at: SnapshotId,
    /// The position of the snapshot's name, when the snapshot exists.
    pub(crate) snapshot_root: Option<usize>,
    /// The path went through `/.reserved/raw`.
    pub(crate) raw: bool,
}

impl<'a> Resolved<'a> {
    /// A path of the current tree.
    fn now(components: Components<'a>, slots: SmallVec<[Slot; 13]>, raw: bool) -> Self {
        let at = SnapshotId::CURRENT;
        Self { components, slots, snapshot: false, at, snapshot_root: None, raw }
    }

    /// Number of inodes on a complete path, `/` included.
    pub(crate) fn len(&self) -> usize {
        self.components.len() + 1
    }

    /// The inode at a position, if it exists.
    pub(crate) fn slot(&self, position: usize) -> Option<Slot> {
        self.slots.get(position).copied()
    }

    /// The last inode, if the whole path exists.
    pub(crate) fn last(&self) -> Option<Slot> {
        self.slot(self.components.len())
    }

    /// The last inode's parent, if it exists.
    pub(crate) fn parent(&self) -> Option<Slot> {
        self.components.len().checked_sub(1).and_then(|position| self.slot(position))
    }

    /// The last inode that exists.
    pub(crate) fn last_existing(&self) -> Slot {
        self.slots.last().copied().unwrap_or(Slot::ROOT)
    }

    /// The last component; empty for `/`.
    pub(crate) fn last_name(&self) -> &'a [u8] {
        self.components.last().copied().unwrap_or_default()
    }

    /// The path up to a position.
    pub(crate) fn path_to(&self, position: usize) -> Vec<u8> {
        join(&self.components[..position.min(self.components.len())])
    }

    /// The whole path.
    pub(crate) fn path(&self) -> Vec<u8> {
        join(&self.components)
    }

    /// The whole path, for messages.
    pub(crate) fn text(&self) -> String {
        text(&self.path())
    }

    /// The path of the parent, for messages.
    pub(crate) fn parent_text(&self) -> String {
        text(&self.path_to(self.components.len().saturating_sub(1)))
    }

    /// The last component is `.snapshot`.
    pub(crate) fn is_dot_snapshot(&self) -> bool {
        self.last_name() == DOT_SNAPSHOT
    }

    /// The last inode is the root of a snapshot.
    pub(crate) fn is_snapshot_root(&self) -> bool {
        self.snapshot_root == Some(self.components.len())
    }

    /// The path is `/.reserved`.
    pub(crate) fn is_exact_reserved(&self) -> bool {
        self.components.len() == 1 && self.components[0] == RESERVED
    }
}

/// Joins components.
pub(crate) fn join(components: &[&[u8]]) -> Vec<u8> {
    if components.is_empty() {
        return b"/".to_vec();
    }
    let mut path = Vec::with_capacity(components.iter().map(|name| name.len() + 1).sum());
    for component in components {
        path.push(b'/');
        path.extend_from_slice(component);
    }
    path
}

/// A path or name as text, for messages.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Hadoop's InvalidPathException of a path.
pub(crate) fn invalid_path(path: &[u8]) -> Error {
    Error::new(ErrorKind::InvalidPath, format!("Invalid path name {}", text(path)))
}

/// Hadoop: INode.checkAbsolutePath, which throws an AssertionError (3.5.0)
pub(crate) fn check_absolute(path: &[u8]) -> Result<()> {
    if path.first() == Some(&b'/') {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Remote("java.lang.AssertionError".to_owned()),
        format!("Absolute path required, but got '{}'", text(path)),
    ))
}

/// `/.reserved`, as the caller wrote it.
pub(crate) fn is_exact_reserved(path: &[u8]) -> bool {
    path == b"/.reserved"
}

/// `/.reserved/…`
pub(crate) fn is_reserved(path: &[u8]) -> bool {
    path.starts_with(b"/.reserved/")
}

/// `/.reserved/raw…`
pub(crate) fn is_reserved_raw(path: &[u8]) -> bool {
    path.starts_with(b"/.reserved/raw")
}

/// `/.reserved/.inodes…`
pub(crate) fn is_reserved_inodes(path: &[u8]) -> bool {
    path.starts_with(b"/.reserved/.inodes")
}

type Components<'a> = SmallVec<[&'a [u8]; 12]>;

impl Namespace {
    /// Resolves a path with every check that Hadoop makes on the way: traversal, links, snapshots.
    pub(crate) fn resolve<'a>(
        &'a self,
        ctx: &PlanContext<'_>,
        path: &'a [u8],
        purpose: Purpose,
    ) -> Result<Resolved<'a>> {
        if purpose.is_create() && !is_valid_name(path) {
            return Err(Error::new(
                ErrorKind::InvalidPath,
                format!("Invalid path name Invalid file name: {}", text(path)),
            ));
        }
        let resolved = self.resolve_unchecked(path)?;
        if ctx.conf.permissions_enabled && resolved.raw && !purpose.is_read() {
            ctx.caller.check_superuser()?;
        }
        self.check_traverse(ctx, &resolved, purpose.resolves_link()).map_err(|mut error| {
            if error.kind == ErrorKind::ParentNotDirectory && !purpose.is_create() {
                error.kind = ErrorKind::AccessControl;
            }
            error
        })?;
        if resolved.snapshot && !purpose.is_read() {
            return Err(Error::new(
                ErrorKind::SnapshotAccessControl,
                "Modification on a read-only snapshot is disallowed",
            ));
        }
        Ok(resolved)
    }

    /// Resolves a path without any check but for its form.
    pub(crate) fn resolve_unchecked<'a>(&'a self, path: &'a [u8]) -> Result<Resolved<'a>> {
        check_absolute(path)?;
        let components: Components<'a> = hdfs_types::components(path).collect();
        let raw = components.len() > 1 && components[0] == RESERVED && components[1] == RAW;
        let components = self.resolve_reserved(components)?;
        Ok(self.walk(components, raw))
    }

    /// The same for calls to which `/.reserved` is a name like others, and nothing has it.
    ///
    /// # Errors
    /// FileNotFound.
    pub(crate) fn resolve_unreserved<'a>(&'a self, path: &'a [u8]) -> Result<Resolved<'a>> {
        if hdfs_types::components(path).next() == Some(RESERVED) {
            return Err(Error::new(
                ErrorKind::FileNotFound,
                format!("Directory does not exist: {}", text(path)),
            ));
        }
        self.resolve_unchecked(path)
    }

    /// In replay: resolves a path up to its parent.
    pub(crate) fn resolve_parent<'a>(&'a self, path: &'a [u8]) -> Result<Resolved<'a>, String> {
        if path.first() != Some(&b'/') {
            return Err(format!("{} is not absolute", text(path)));
        }
        let mut components: Components<'a> = hdfs_types::components(path).collect();
        let Some(name) = components.pop() else { return Err("/ exists".to_owned()) };
        let mut resolved = self.walk(components, false);
        resolved.components.push(name);
        Ok(resolved)
    }

    /// Resolves a file that a client names by path and, since long, by id: the id wins.
    pub(crate) fn resolve_file<'a>(
        &'a self,
        ctx: &PlanContext<'_>,
        path: &'a [u8],
        file_id: INodeId,
    ) -> Result<Resolved<'a>> {
        if file_id == INodeId(0) {
            return self.resolve(ctx, path, Purpose::Write);
        }
        match self.attached(file_id) {
            Some(slot) => Ok(self.resolved_from(slot)),
            None => {
                let components: Components<'a> = hdfs_types::components(path).collect();
                Ok(Resolved::now(components, SmallVec::new(), false))
            }
        }
    }

    /// The path of an inode that is attached.
    pub(crate) fn resolved_from(&self, slot: Slot) -> Resolved<'_> {
        let mut slots: SmallVec<[Slot; 13]> = self.ancestry(slot).collect();
        slots.reverse();
        let components = slots.iter().skip(1).map(|slot| self.name_of(*slot)).collect();
        Resolved::now(components, slots, false)
    }

    fn walk<'a>(&self, components: Components<'a>, raw: bool) -> Resolved<'a> {
        let mut slots = self.walk_by_last_directory(&components);
        let mut slot = slots.last().copied().unwrap_or(Slot::ROOT);
        for component in &components[slots.len() - 1..] {
            if !self.record(slot).is_directory() {
                break;
            }
            if *component == DOT_SNAPSHOT && self.is_snapshottable(slot) {
                return self.walk_in_snapshot(components, slots, raw);
            }
            match self.child(slot, component) {
                Some(child) => slot = child,
                None => break,
            }
            slots.push(slot);
        }
        Resolved::now(components, slots, raw)
    }

    /// Goes on from a snapshottable directory whose `.snapshot` is the next component.
    fn walk_in_snapshot<'a>(
        &self,
        components: Components<'a>,
        mut slots: SmallVec<[Slot; 13]>,
        raw: bool,
    ) -> Resolved<'a> {
        let directory = slots.last().copied().unwrap_or(Slot::ROOT);
        let name = slots.len();
        let found = components.get(name).and_then(|name| self.snapshot_by_name(directory, name));
        let Some(at) = found.map(|snapshot| snapshot.id) else {
            return Resolved { snapshot: true, ..Resolved::now(components, slots, raw) };
        };
        slots.extend([directory, directory]);
        let mut slot = directory;
        for component in &components[name + 1..] {
            if !self.record(slot).is_directory() {
                break;
            }
            match self.child_at(slot, component, at) {
                Some(child) => slot = self.child_slot(child),
                None => break,
            }
            slots.push(slot);
        }
        let snapshot_root = Some(name + 1);
        Resolved { snapshot: true, at, snapshot_root, ..Resolved::now(components, slots, raw) }
    }

    /// Snapshots may be taken of the directory; of `/` always, unless its quota of snapshots is 0.
    pub(crate) fn is_snapshottable(&self, slot: Slot) -> bool {
        slot == Slot::ROOT || self.record(slot).has(Flag::Snapshottable)
    }

    /// Inodes of the parent, when it is the directory of the last change: names are compared upwards, not searched.
    fn walk_by_last_directory(&self, components: &[&[u8]]) -> SmallVec<[Slot; 13]> {
        let mut slots = SmallVec::new();
        let mut slot = self.last_directory;
        if components.len() > 1 && self.record(slot).is_directory() {
            for component in components[..components.len() - 1].iter().rev() {
                if slot == Slot::ROOT || slot == Slot::NONE || self.name_of(slot) != *component {
                    slots.clear();
                    break;
                }
                slots.push(slot);
                slot = self.record(slot).parent;
            }
            if slot != Slot::ROOT {
                slots.clear();
            }
        }
        slots.push(Slot::ROOT);
        slots.reverse();
        slots
    }

    fn resolve_reserved<'a>(&'a self, components: Components<'a>) -> Result<Components<'a>> {
        if components.len() < 2 || components[0] != RESERVED {
            return Ok(components);
        }
        if components[1] == INODES && components.len() > 2 {
            return self.resolve_dot_inodes(components);
        }
        if components[1] == RAW && !(components.len() == 3 && components[2] == RESERVED) {
            return Ok(components[2..].into());
        }
        Ok(components)
    }

    fn resolve_dot_inodes<'a>(&'a self, components: Components<'a>) -> Result<Components<'a>> {
        let not_found = |what: &str| {
            let path = text(&join(&components));
            Error::new(ErrorKind::FileNotFound, format!("{what}: {path}"))
        };
        let id = std::str::from_utf8(components[2]).ok().and_then(|id| id.parse::<i64>().ok());
        let Some(id) = id else { return Err(not_found("Invalid inode path")) };
        if id == constants::ROOT_INODE_ID.cast_signed() && components.len() == 3 {
            return Ok(SmallVec::new());
        }
        // One that only snapshots show stands for its last path, where there may be another one now.
        let slot = u64::try_from(id).ok().and_then(|id| self.with_last_path(INodeId(id)));
        let Some(slot) = slot else {
            return Err(not_found("File for given inode path does not exist"));
        };
        if components.get(3) == Some(&&b".."[..]) {
            let parent = self.record(slot).parent;
            if parent == Slot::NONE || parent == Slot::ROOT {
                return Ok(SmallVec::new());
            }
            return Ok(self.resolved_from(parent).components);
        }
        let mut resolved = self.resolved_from(slot).components;
        resolved.extend(components[3..].iter().copied());
        Ok(resolved)
    }

    /// The inode that a name of an operation means, in replay: no permissions, no links followed.
    pub(crate) fn find(&self, path: &[u8]) -> Option<Slot> {
        if let Some((directory, name)) = self.in_last_directory(path) {
            return self.child(directory, name);
        }
        self.resolve_unchecked(path).ok()?.last()
    }

    /// The directory of the last change or of the last new file, and the path's last component, when the path is right below that directory and has
    /// neither reserved names nor needless slashes.
    #[inline]
    pub(crate) fn in_last_directory<'a>(&self, path: &'a [u8]) -> Option<(Slot, &'a [u8])> {
        let cut = path.iter().rposition(|byte| *byte == b'/')?;
        let (mut rest, name) = (&path[..cut], &path[cut + 1..]);
        if name.is_empty() || name == DOT_SNAPSHOT || cut == 0 && name == RESERVED {
            return None;
        }
        if self.last_path.1 == rest && cut != 0 {
            return Some((self.last_path.0, name));
        }
        let directory = self.last_directory;
        if !self.record(directory).is_directory() {
            return None;
        }
        let mut slot = directory;
        while slot != Slot::ROOT {
            if slot == Slot::NONE {
                return None;
            }
            rest = rest.strip_suffix(self.name_of(slot))?.strip_suffix(b"/")?;
            slot = self.record(slot).parent;
        }
        rest.is_empty().then_some((directory, name))
    }

    /// The path with its reserved parts resolved, as operations must store it.
    pub(crate) fn stored_path<'a>(resolved: &Resolved<'_>, given: &'a [u8]) -> Cow<'a, [u8]> {
        let path = resolved.path();
        if path == given { Cow::Borrowed(given) } else { Cow::Owned(path) }
    }
}
