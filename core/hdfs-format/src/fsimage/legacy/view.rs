//! Walking through an old image from its beginning to its end, for viewers: nothing is kept.
//!
//! Elements have the names of Hadoop's viewer. Differs: pools and directives of caches are read as they are written, which
//! Hadoop's viewer does not do.
//!
//! Hadoop: org.apache.hadoop.hdfs.tools.offlineImageViewer.{ImageLoaderCurrent, ImageVisitor} (3.5.0)

use std::fmt;
use std::io;

use hdfs_types::{FastMap, FsPermission};

use super::input::{Failed, Input, Read};
use crate::compression::Codec;
use crate::edits::decode;
use crate::layout_version::{Feature, Layout};

const DIRECTORY: i32 = -1;
const SYMLINK: i32 = -2;
const REFERENCE: i32 = -3;
/// References do not refer to references.
const MAX_REFERENCES: u32 = 1;

/// The value of an element.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    /// Text.
    Text(String),
    /// A number.
    Number(i64),
    /// A time in milliseconds, which is shown as a date.
    Date(i64),
    /// A time in milliseconds, which some viewers show as a date.
    Time(i64),
}

/// What a walk through an image tells.
pub trait Visitor {
    /// An element without others inside.
    ///
    /// # Errors
    /// When the output can't be written.
    fn visit(&mut self, element: &'static str, value: Value) -> io::Result<()>;

    /// An element with others inside, and one of its properties.
    ///
    /// # Errors
    /// When the output can't be written.
    fn enter(&mut self, element: &'static str, key: Option<(&'static str, i64)>) -> io::Result<()>;

    /// The end of the element that was entered last.
    ///
    /// # Errors
    /// When the output can't be written.
    fn leave(&mut self) -> io::Result<()>;
}

/// Why a walk ended early.
#[derive(Debug)]
pub enum Stopped {
    /// It is no image of a layout that is known: nothing was visited.
    Unknown(String),
    /// The image is damaged.
    Image {
        /// Where.
        offset: usize,
        /// How.
        reason: String,
        /// True when the image is cut.
        ended: bool,
    },
    /// The output can't be written.
    Output(io::Error),
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(reason) | Self::Image { reason, .. } => f.write_str(reason),
            Self::Output(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Stopped {}

impl From<io::Error> for Stopped {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<Failed> for Stopped {
    fn from(Failed { offset, reason }: Failed) -> Self {
        let ended = reason.ends_with(" is cut");
        Self::Image { offset, reason, ended }
    }
}

/// Shows an image to a visitor.
///
/// # Errors
/// When the image is damaged, of a layout that is not known, or the visitor fails.
pub fn walk(bytes: &[u8], skips_blocks: bool, visitor: &mut dyn Visitor) -> Result<(), Stopped> {
    let version = Input::new(bytes, 0).i32("layout")?;
    let layout = Layout::of(version);
    let is_unused = version == Feature::Unused.layout_version();
    if !layout.is_readable() || layout.supports(Feature::ProtobufFormat) || is_unused {
        let reason = format!("No image processor to read version {version} is available.");
        return Err(Stopped::Unknown(reason));
    }
    visitor.enter("FS_IMAGE", None)?;
    let walk = Walk {
        layout,
        skips_blocks,
        visitor,
        paths: FastMap::default(),
        referred: FastMap::default(),
        copies: 0,
    };
    walk.image(bytes)
}

struct Walk<'v> {
    layout: Layout,
    skips_blocks: bool,
    visitor: &'v mut dyn Visitor,
    /// Paths of directories that were seen, until their children come.
    paths: FastMap<u64, String>,
    /// Directories that references name: true when their children came.
    referred: FastMap<u64, bool>,
    /// States of files that are being read.
    copies: u32,
}

type Walked<T = ()> = Result<T, Stopped>;

impl Walk<'_> {
    fn has(&self, feature: Feature) -> bool {
        self.layout.supports(feature)
    }

    fn number(&mut self, element: &'static str, value: impl Into<i64>) -> Walked {
        Ok(self.visitor.visit(element, Value::Number(value.into()))?)
    }

    fn text(&mut self, element: &'static str, text: impl Into<String>) -> Walked {
        Ok(self.visitor.visit(element, Value::Text(text.into()))?)
    }

    fn date(&mut self, element: &'static str, millis: i64) -> Walked {
        Ok(self.visitor.visit(element, Value::Date(millis))?)
    }

    fn enter(&mut self, element: &'static str) -> Walked {
        Ok(self.visitor.enter(element, None)?)
    }

    fn enter_with(
        &mut self,
        element: &'static str,
        key: &'static str,
        value: impl Into<i64>,
    ) -> Walked {
        Ok(self.visitor.enter(element, Some((key, value.into())))?)
    }

    fn leave(&mut self) -> Walked {
        Ok(self.visitor.leave()?)
    }

    fn image(mut self, bytes: &[u8]) -> Walked {
        let mut input = Input::new(bytes, 0);
        let inodes = self.head(&mut input)?;
        let codec = self.codec(&mut input)?;
        let rest = input.rest(codec)?;
        let mut input = Input::new(&rest, input.offset());
        self.inodes(&mut input, inodes)?;
        self.open_files(&mut input)?;
        if self.has(Feature::DelegationToken) {
            self.secrets(&mut input)?;
        }
        if self.has(Feature::Caching) {
            self.cache(&mut input)?;
        }
        self.leave()
    }

    fn head(&mut self, input: &mut Input<'_>) -> Walked<i64> {
        let version = input.i32("layout")?;
        if self.has(Feature::AddLayoutFlags) && input.i32("layout flags")? != 0 {
            input
                .fail("Found feature flags which we can't handle. Please upgrade your software.")?;
        }
        self.number("IMAGE_VERSION", version)?;
        self.number("NAMESPACE_ID", input.i32("namespace id")?)?;
        let inodes = input.i64("number of inodes")?;
        self.number("GENERATION_STAMP", input.i64("generation stamp")?)?;
        if self.has(Feature::SequentialBlockId) {
            self.number("GENERATION_STAMP_V2", input.i64("generation stamp")?)?;
            self.number("GENERATION_STAMP_V1_LIMIT", input.i64("generation stamp")?)?;
            self.number("LAST_ALLOCATED_BLOCK_ID", input.i64("last block id")?)?;
        }
        if self.has(Feature::StoredTxids) {
            self.number("TRANSACTION_ID", input.i64("last transaction")?)?;
        }
        if self.has(Feature::AddInodeId) {
            self.number("LAST_INODE_ID", input.i64("last inode id")?)?;
        }
        if self.has(Feature::Snapshot) {
            self.number("SNAPSHOT_COUNTER", input.i32("snapshot counter")?)?;
            let count = input.i32("number of snapshots")?;
            self.number("NUM_SNAPSHOTS_TOTAL", count)?;
            for _ in 0..count {
                self.enter("SNAPSHOT")?;
                self.number("SNAPSHOT_ID", input.i32("snapshot id")?)?;
                self.enter("SNAPSHOT_ROOT")?;
                self.inode(input, (Some(""), false, 0))?;
                self.leave()?;
                self.leave()?;
            }
        }
        Ok(inodes)
    }

    fn codec(&mut self, input: &mut Input<'_>) -> Walked<Option<Codec>> {
        if !self.has(Feature::FsImageCompression) {
            return Ok(None);
        }
        let compressed = input.boolean("compressed")?;
        self.text("IS_COMPRESSED", compressed.to_string())?;
        if !compressed {
            return Ok(None);
        }
        let class = input.text("codec")?;
        self.text("COMPRESS_CODEC", class.as_str())?;
        match Codec::of_class(&class) {
            Some(codec) => Ok(Some(codec)),
            None => Ok(input.fail(format!("Image compression codec not supported: {class}"))?),
        }
    }

    fn inodes(&mut self, input: &mut Input<'_>, inodes: i64) -> Walked {
        self.enter_with("INODES", "NUM_INODES", inodes)?;
        if !self.has(Feature::FsImageNameOptimization) {
            for _ in 0..inodes {
                self.inode(input, (None, false, 0))?;
            }
            return self.leave();
        }
        self.inode(input, (Some(""), false, 0))?;
        if self.has(Feature::Snapshot) {
            self.tree(input)?;
            return self.leave();
        }
        let mut left = inodes.saturating_sub(1);
        while left > 0 {
            let parent = input.string("path of a directory")?;
            left = left.saturating_sub(i64::from(self.children(input, Some(&parent))?));
        }
        self.leave()
    }

    fn children(&mut self, input: &mut Input<'_>, parent: Option<&str>) -> Walked<i32> {
        let count = input.i32("number of children")?;
        for _ in 0..count {
            self.inode(input, (parent, false, 0))?;
        }
        Ok(count)
    }

    /// Directories below each other; no deeper call for a deeper one.
    fn tree(&mut self, input: &mut Input<'_>) -> Walked {
        let mut left: Vec<i32> = vec![1];
        while let Some(last) = left.last_mut() {
            if *last <= 0 {
                left.pop();
                continue;
            }
            *last -= 1;
            let id = input.u64("inode id")?;
            let path = self.paths.remove(&id);
            match self.referred.get_mut(&id) {
                Some(true) => continue,
                Some(seen) => *seen = true,
                None => {}
            }
            self.snapshots(input)?;
            self.children(input, path.as_deref())?;
            self.directory_diffs(input, path.as_deref())?;
            left.push(input.i32("number of directories")?);
        }
        Ok(())
    }

    fn snapshots(&mut self, input: &mut Input<'_>) -> Walked {
        let count = input.i32("number of snapshots")?;
        if count < 0 {
            return Ok(());
        }
        self.enter_with("SNAPSHOTS", "NUM_SNAPSHOTS", count)?;
        for _ in 0..count {
            self.enter("SNAPSHOT")?;
            self.number("SNAPSHOT_ID", input.i32("snapshot id")?)?;
            self.leave()?;
        }
        self.number("SNAPSHOT_QUOTA", input.i32("snapshot quota")?)?;
        self.leave()
    }

    fn directory_diffs(&mut self, input: &mut Input<'_>, path: Option<&str>) -> Walked {
        let count = input.i32("number of diffs")?;
        if count < 0 {
            return Ok(());
        }
        self.enter_with("SNAPSHOT_DIR_DIFFS", "NUM_SNAPSHOT_DIR_DIFF", count)?;
        for _ in 0..count {
            self.directory_diff(input, path)?;
        }
        self.leave()
    }

    fn directory_diff(&mut self, input: &mut Input<'_>, path: Option<&str>) -> Walked {
        self.enter("SNAPSHOT_DIR_DIFF")?;
        self.number("SNAPSHOT_DIFF_SNAPSHOTID", input.i32("snapshot id")?)?;
        self.number("SNAPSHOT_DIR_DIFF_CHILDREN_SIZE", input.i32("number of children")?)?;
        let is_root = input.boolean("state of the snapshot's root")?;
        if !is_root && input.boolean("state of a directory")? {
            self.enter("SNAPSHOT_INODE_DIRECTORY_ATTRIBUTES")?;
            if self.has(Feature::OptimizeSnapshotInodes) {
                self.path(input, path)?;
                self.status(input)?;
                self.date("MODIFICATION_TIME", input.i64("modification time")?)?;
                self.number("NS_QUOTA", input.i64("quota of names")?)?;
                self.number("DS_QUOTA", input.i64("quota of bytes")?)?;
            } else {
                self.inode_with(true, input, (path, true, MAX_REFERENCES))?;
            }
            self.leave()?;
        }
        let created = input.i32("number of created children")?;
        self.enter_with(
            "SNAPSHOT_DIR_DIFF_CREATEDLIST",
            "SNAPSHOT_DIR_DIFF_CREATEDLIST_SIZE",
            created,
        )?;
        for _ in 0..created {
            self.text("SNAPSHOT_DIR_DIFF_CREATED_INODE", input.string("name")?)?;
        }
        self.leave()?;
        let deleted = input.i32("number of deleted children")?;
        self.enter_with(
            "SNAPSHOT_DIR_DIFF_DELETEDLIST",
            "SNAPSHOT_DIR_DIFF_DELETEDLIST_SIZE",
            deleted,
        )?;
        for _ in 0..deleted {
            self.enter("SNAPSHOT_DIR_DIFF_DELETED_INODE")?;
            self.inode_with(false, input, (path, true, 0))?;
            self.leave()?;
        }
        self.leave()?;
        self.leave()
    }

    /// The path of an inode below `parent`; without one the whole path is stored.
    fn path(&mut self, input: &mut Input<'_>, parent: Option<&str>) -> Walked<String> {
        let name = input.string("name")?;
        let path = match parent {
            None => name,
            Some("/") => format!("/{name}"),
            Some(parent) => format!("{parent}/{name}"),
        };
        self.text("INODE_PATH", path.as_str())?;
        Ok(path)
    }

    /// As Hadoop: blocks of deleted files are always shown, those of states in snapshots never.
    fn inode_with(
        &mut self,
        skips_blocks: bool,
        input: &mut Input<'_>,
        how: (Option<&str>, bool, u32),
    ) -> Walked {
        let before = std::mem::replace(&mut self.skips_blocks, skips_blocks);
        let walked = self.inode(input, how);
        self.skips_blocks = before;
        walked
    }

    fn inode(
        &mut self,
        input: &mut Input<'_>,
        (parent, is_copy, references): (Option<&str>, bool, u32),
    ) -> Walked {
        self.enter("INODE")?;
        let path = self.path(input, parent)?;
        let mut id = 0;
        if self.has(Feature::AddInodeId) {
            id = input.u64("inode id")?;
            self.number("INODE_ID", id.cast_signed())?;
        }
        self.number("REPLICATION", input.u16("replication")?.cast_signed())?;
        self.date("MODIFICATION_TIME", input.i64("modification time")?)?;
        if self.has(Feature::FileAccessTime) {
            self.date("ACCESS_TIME", input.i64("access time")?)?;
        }
        self.number("BLOCK_SIZE", input.i64("preferred block size")?)?;
        let count = input.i32("number of blocks")?;
        self.blocks(input, count)?;
        match count {
            0.. => self.file(input, (id, parent, is_copy))?,
            DIRECTORY => self.directory(input, (id, path))?,
            SYMLINK => {
                self.text("SYMLINK", input.text("target of a link")?)?;
                self.status(input)?;
            }
            REFERENCE => self.reference(input, id, (parent, is_copy, references))?,
            // As Hadoop, which reads on.
            _ => {}
        }
        self.leave()
    }

    fn blocks(&mut self, input: &mut Input<'_>, count: i32) -> Walked {
        self.enter_with("BLOCKS", "NUM_BLOCKS", count)?;
        for _ in 0..count.max(0) {
            let (id, bytes) = (input.i64("block id")?, input.i64("length of a block")?);
            let stamp = input.i64("generation stamp")?;
            if self.skips_blocks {
                continue;
            }
            self.enter("BLOCK")?;
            self.number("BLOCK_ID", id)?;
            self.number("NUM_BYTES", bytes)?;
            self.number("GENERATION_STAMP", stamp)?;
            self.leave()?;
        }
        self.leave()
    }

    fn file(
        &mut self,
        input: &mut Input<'_>,
        (id, parent, is_copy): (u64, Option<&str>, bool),
    ) -> Walked {
        if self.has(Feature::Snapshot) {
            self.referred.remove(&id);
            self.file_diffs(input, parent)?;
            if is_copy && input.boolean("open")? {
                self.text("CLIENT_NAME", input.string("client")?)?;
                self.text("CLIENT_MACHINE", input.string("host")?)?;
            }
        }
        self.status(input)
    }

    fn file_diffs(&mut self, input: &mut Input<'_>, parent: Option<&str>) -> Walked {
        let count = input.i32("number of diffs")?;
        if count < 0 {
            return Ok(());
        }
        self.enter_with("SNAPSHOT_FILE_DIFFS", "NUM_SNAPSHOT_FILE_DIFF", count)?;
        for _ in 0..count {
            let snapshot = input.i32("snapshot id")?;
            self.enter_with("SNAPSHOT_FILE_DIFF", "SNAPSHOT_DIFF_SNAPSHOTID", snapshot)?;
            self.number("SNAPSHOT_FILE_SIZE", input.i64("length of a file")?)?;
            if input.boolean("state of a file")? {
                self.enter("SNAPSHOT_INODE_FILE_ATTRIBUTES")?;
                self.file_copy(input, parent)?;
                self.leave()?;
            }
            self.leave()?;
        }
        self.leave()
    }

    fn file_copy(&mut self, input: &mut Input<'_>, parent: Option<&str>) -> Walked {
        if self.has(Feature::OptimizeSnapshotInodes) {
            self.path(input, parent)?;
            self.status(input)?;
            self.date("MODIFICATION_TIME", input.i64("modification time")?)?;
            self.date("ACCESS_TIME", input.i64("access time")?)?;
            self.number("REPLICATION", input.u16("replication")?.cast_signed())?;
            self.number("BLOCK_SIZE", input.i64("preferred block size")?)?;
            return Ok(());
        }
        // A copy of a copy would nest without end.
        if self.copies > 0 {
            input.fail("the state of a file in a snapshot has diffs")?;
        }
        self.copies += 1;
        let walked = self.inode_with(true, input, (parent, true, MAX_REFERENCES));
        self.copies -= 1;
        walked
    }

    fn directory(&mut self, input: &mut Input<'_>, (id, path): (u64, String)) -> Walked {
        if self.has(Feature::Snapshot) {
            self.paths.insert(id, path);
        }
        self.number("NS_QUOTA", input.i64("quota of names")?)?;
        if self.has(Feature::DiskspaceQuota) {
            self.number("DS_QUOTA", input.i64("quota of bytes")?)?;
        }
        if self.has(Feature::Snapshot) {
            if input.boolean("snapshottable")? {
                self.text("IS_SNAPSHOTTABLE_DIR", "true")?;
            } else {
                let with = input.boolean("with snapshots")?;
                self.text("IS_WITHSNAPSHOT_DIR", with.to_string())?;
            }
        }
        self.status(input)
    }

    fn reference(
        &mut self,
        input: &mut Input<'_>,
        id: u64,
        (parent, is_copy, references): (Option<&str>, bool, u32),
    ) -> Walked {
        if references >= MAX_REFERENCES {
            input.fail("a reference is where there can be none")?;
        }
        let by_name = input.boolean("kind of a reference")?;
        let element =
            if by_name { "SNAPSHOT_LAST_SNAPSHOT_ID" } else { "SNAPSHOT_DST_SNAPSHOT_ID" };
        self.number(element, input.i32("snapshot of a reference")?)?;
        if !input.boolean("first reference")? {
            return self.number("SNAPSHOT_REF_INODE_ID", input.i64("inode id")?);
        }
        self.referred.insert(id, false);
        self.enter("SNAPSHOT_REF_INODE")?;
        self.inode(input, (parent, is_copy, references + 1))?;
        self.leave()
    }

    fn status(&mut self, input: &mut Input<'_>) -> Walked {
        self.enter("PERMISSIONS")?;
        self.text("USER_NAME", input.text("owner")?)?;
        self.text("GROUP_NAME", input.text("group")?)?;
        self.text("PERMISSION_STRING", FsPermission(input.u16("mode")?).to_string())?;
        self.leave()
    }

    fn open_files(&mut self, input: &mut Input<'_>) -> Walked {
        let count = input.i32("number of open files")?;
        self.enter_with("INODES_UNDER_CONSTRUCTION", "NUM_INODES_UNDER_CONSTRUCTION", count)?;
        for _ in 0..count {
            self.enter("INODE_UNDER_CONSTRUCTION")?;
            self.text("INODE_PATH", lossy(input.path("path of an open file"))?)?;
            if self.has(Feature::AddInodeId) {
                self.number("INODE_ID", input.i64("inode id")?)?;
            }
            self.number("REPLICATION", input.u16("replication")?.cast_signed())?;
            self.date("MODIFICATION_TIME", input.i64("modification time")?)?;
            self.number("PREFERRED_BLOCK_SIZE", input.i64("preferred block size")?)?;
            let blocks = input.i32("number of blocks")?;
            self.blocks(input, blocks)?;
            self.status(input)?;
            self.text("CLIENT_NAME", input.string("client")?)?;
            self.text("CLIENT_MACHINE", input.string("host")?)?;
            for _ in 0..input.i32("number of locations")? {
                skip_location(input)?;
            }
            self.leave()?;
        }
        self.leave()
    }

    fn secrets(&mut self, input: &mut Input<'_>) -> Walked {
        self.number("CURRENT_DELEGATION_KEY_ID", input.i32("current key id")?)?;
        let keys = input.i32("number of keys")?;
        self.enter_with("DELEGATION_KEYS", "NUM_DELEGATION_KEYS", keys)?;
        for _ in 0..keys {
            let key = input.read(decode::delegation_key)?;
            let hash = hash_of_key(key.key_id, key.expiry_date.0, key.key.as_deref());
            let name = "org.apache.hadoop.security.token.delegation.DelegationKey";
            self.text("DELEGATION_KEY", format!("{name}@{hash:x}"))?;
        }
        self.leave()?;
        let number = input.i32("sequence number of tokens")?;
        self.number("DELEGATION_TOKEN_SEQUENCE_NUMBER", number)?;
        let tokens = input.i32("number of tokens")?;
        self.enter_with("DELEGATION_TOKENS", "NUM_DELEGATION_TOKENS", tokens)?;
        for _ in 0..tokens {
            let token = input.read(decode::token)?;
            let expiry = input.i64("expiry date")?;
            self.enter("DELEGATION_TOKEN_IDENTIFIER")?;
            self.text("DELEGATION_TOKEN_IDENTIFIER_KIND", "HDFS_DELEGATION_TOKEN")?;
            self.number("DELEGATION_TOKEN_IDENTIFIER_SEQNO", token.sequence_number)?;
            self.text("DELEGATION_TOKEN_IDENTIFIER_OWNER", token.owner)?;
            self.text("DELEGATION_TOKEN_IDENTIFIER_RENEWER", token.renewer)?;
            self.text("DELEGATION_TOKEN_IDENTIFIER_REALUSER", token.real_user)?;
            for (element, millis) in [
                ("DELEGATION_TOKEN_IDENTIFIER_ISSUE_DATE", token.issue_date.0.cast_signed()),
                ("DELEGATION_TOKEN_IDENTIFIER_MAX_DATE", token.max_date.0.cast_signed()),
                ("DELEGATION_TOKEN_IDENTIFIER_EXPIRY_TIME", expiry),
            ] {
                self.visitor.visit(element, Value::Time(millis))?;
            }
            self.number("DELEGATION_TOKEN_IDENTIFIER_MASTER_KEY_ID", token.master_key_id)?;
            self.leave()?;
        }
        self.leave()
    }

    fn cache(&mut self, input: &mut Input<'_>) -> Walked {
        self.number("CACHE_NEXT_ENTRY_ID", input.i64("next directive id")?)?;
        for _ in 0..input.i32("number of cache pools")? {
            let pool = input.read(decode::pool)?;
            self.text("CACHE_POOL_NAME", pool.pool_name)?;
            self.enter("PERMISSIONS")?;
            self.text("CACHE_POOL_OWNER_NAME", pool.owner_name.unwrap_or_default())?;
            self.text("CACHE_POOL_GROUP_NAME", pool.group_name.unwrap_or_default())?;
            let mode = pool.mode.map_or_else(String::new, |mode| mode.to_string());
            self.text("CACHE_POOL_PERMISSION_STRING", mode)?;
            self.leave()?;
        }
        for _ in 0..input.i32("number of cache directives")? {
            let directive = input.read(decode::directive)?;
            self.text("CACHE_ENTRY_PATH", lossy(Ok(directive.path.unwrap_or_default()))?)?;
            self.number("CACHE_ENTRY_REPLICATION", directive.replication.unwrap_or_default())?;
            self.text("CACHE_ENTRY_POOL_NAME", directive.pool.unwrap_or_default())?;
        }
        Ok(())
    }
}

fn lossy(path: Read<Vec<u8>>) -> Read<String> {
    path.map(|path| String::from_utf8_lossy(&path).into_owned())
}

/// Where a DataNode was that held the last block, in images of before 0.18.
fn skip_location(input: &mut Input<'_>) -> Read<()> {
    input.u16("port")?;
    for what in ["capacity", "remaining space", "last update"] {
        input.i64(what)?;
    }
    input.i32("number of transfers")?;
    input.string("location")?;
    input.string("host")?;
    input.text("state of a DataNode")?;
    Ok(())
}

/// Java's hash code of a key, which stands for it.
fn hash_of_key(id: i32, expiry: u64, key: Option<&[u8]>) -> i32 {
    let bytes = key.map_or(0, |key| {
        key.iter().fold(1_i32, |hash, byte| {
            hash.wrapping_mul(31).wrapping_add(i32::from(byte.cast_signed()))
        })
    });
    let expiry = (expiry ^ expiry >> 32) as u32;
    [expiry.cast_signed(), bytes, id]
        .into_iter()
        .fold(1_i32, |hash, part| hash.wrapping_mul(31).wrapping_add(part))
}
