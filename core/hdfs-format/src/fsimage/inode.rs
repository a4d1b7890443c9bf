//! Inodes of an image without intermediate objects: millions of them are loaded at a start and saved at a checkpoint.
//!
//! ```text
//! INode         type 1 enum | id 2 varint | name 3 bytes | file 4, directory 5 or symlink 6 message
//! INodeFile     replication 1, mtime 2, atime 3, preferredBlockSize 4 varint | permission 5 fixed64 | blocks 6 message*
//!               fileUC 7, acl 8, xAttrs 9 message | storagePolicyID 10, blockType 11, erasureCodingPolicyID 12 varint
//! fileUC        clientName 1, clientMachine 2 bytes | 15, which Hadoop lacks and skips: the block that is being copied
//! INodeDirectory mtime 1, nsQuota 2, dsQuota 3 varint | permission 4 fixed64 | acl 5, xAttrs 6, typeQuotas 7 message
//! INodeSymlink  permission 1 fixed64 | target 2 bytes | mtime 3, atime 4 varint
//! ```
//! Rare parts (ACL, attributes, type quotas) stay encoded: decode and encode them with the messages of `hdfs_proto`.
//! The bytes equal those of the same message in protobuf's own code.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.FSImageFormatPBINode (3.5.0)

use super::proto_wire::{Field, Fields, Value, put_bytes, put_fixed64, put_length, put_varint};
use hdfs_types::{Block, BlockId, GenerationStamp, INodeId};

/// One inode of the image.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct INodeRecord<'a> {
    /// Its id.
    pub id: INodeId,
    /// Its name in its directory; empty for the root.
    pub name: &'a [u8],
    /// The rest.
    pub kind: INodeKind<'a>,
}

/// What kind of inode it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::large_enum_variant)] // It lives on the stack, one at a time.
pub enum INodeKind<'a> {
    /// A file.
    File(FileRecord<'a>),
    /// A directory.
    Directory(DirectoryRecord<'a>),
    /// A symbolic link.
    Symlink(SymlinkRecord<'a>),
}

/// The fields of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FileRecord<'a> {
    /// Replicas of each block; absent in striped files.
    pub replication: Option<u32>,
    /// In milliseconds.
    pub modification_time: u64,
    /// In milliseconds.
    pub access_time: u64,
    /// In bytes.
    pub preferred_block_size: u64,
    /// See [`super::PackedPermission`].
    pub permission: u64,
    /// Its blocks.
    pub blocks: Blocks<'a>,
    /// Client and host that hold the lease, while the file is open.
    pub under_construction: Option<(&'a str, &'a str)>,
    /// While a truncation copies: the block from which the last one is copied. Hadoop's images lack it, and Hadoop skips it.
    pub copy_source: Option<Block>,
    /// An encoded `AclFeatureProto`.
    pub acl: Option<&'a [u8]>,
    /// An encoded `XAttrFeatureProto`.
    pub x_attrs: Option<&'a [u8]>,
    /// 0 is unspecified.
    pub storage_policy_id: u32,
    /// Blocks are striped groups.
    pub striped: bool,
    /// Policy of a striped file.
    pub erasure_coding_policy_id: Option<u32>,
}

/// The fields of a directory.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DirectoryRecord<'a> {
    /// In milliseconds.
    pub modification_time: u64,
    /// Names allowed; -1 is no limit.
    pub ns_quota: i64,
    /// Bytes allowed; -1 is no limit.
    pub ds_quota: i64,
    /// See [`super::PackedPermission`].
    pub permission: u64,
    /// An encoded `AclFeatureProto`.
    pub acl: Option<&'a [u8]>,
    /// An encoded `XAttrFeatureProto`.
    pub x_attrs: Option<&'a [u8]>,
    /// An encoded `QuotaByStorageTypeFeatureProto`.
    pub type_quotas: Option<&'a [u8]>,
}

/// The fields of a symbolic link.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SymlinkRecord<'a> {
    /// See [`super::PackedPermission`].
    pub permission: u64,
    /// Where it points.
    pub target: &'a [u8],
    /// In milliseconds.
    pub modification_time: u64,
    /// In milliseconds.
    pub access_time: u64,
}

/// The blocks of a file, read from an image or given by the caller.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Blocks<'a> {
    /// From the first encoded block to the end of the file's message.
    Encoded(&'a [u8]),
    /// As they lie in memory.
    Given(&'a [Block]),
}

impl Default for Blocks<'_> {
    fn default() -> Self {
        Self::Given(&[])
    }
}

impl<'a> Blocks<'a> {
    /// The blocks in order.
    pub fn iter(self) -> BlocksIter<'a> {
        match self {
            Self::Encoded(bytes) => BlocksIter { fields: Fields::new(bytes), given: &[] },
            Self::Given(given) => BlocksIter { fields: Fields::new(&[]), given },
        }
    }
}

/// Iterates over the blocks of a file.
#[derive(Clone, Debug)]
pub struct BlocksIter<'a> {
    fields: Fields<'a>,
    given: &'a [Block],
}

impl Iterator for BlocksIter<'_> {
    type Item = Block;

    fn next(&mut self) -> Option<Block> {
        if let Some((first, rest)) = self.given.split_first() {
            self.given = rest;
            return Some(*first);
        }
        // INodeRecord::decode has checked every field, so an error does not come up here.
        while let Ok(Some(field)) = self.fields.next() {
            if let Field { number: 6, value: Value::Bytes(block) } = field {
                return decode_block(block);
            }
        }
        None
    }
}

fn decode_block(bytes: &[u8]) -> Option<Block> {
    let mut block = Block::default();
    let mut fields = Fields::new(bytes);
    while let Some(field) = fields.next().ok()? {
        match (field.number, field.value) {
            (1, Value::Varint(id)) => block.id = BlockId(id.cast_signed()),
            (2, Value::Varint(stamp)) => block.generation_stamp = GenerationStamp(stamp),
            (3, Value::Varint(length)) => block.num_bytes = length,
            _ => {}
        }
    }
    Some(block)
}

impl<'a> INodeRecord<'a> {
    /// The id of a message of the inode section, without decoding the rest.
    ///
    /// # Errors
    /// Which rule the message breaks.
    pub fn id_of(bytes: &[u8]) -> Result<INodeId, &'static str> {
        let mut fields = Fields::new(bytes);
        while let Some(field) = fields.next()? {
            if let Field { number: 2, value: Value::Varint(id) } = field {
                return Ok(INodeId(id));
            }
        }
        Err("an inode has no id")
    }

    /// Decodes one message of the inode section (or the root of a snapshot).
    ///
    /// # Errors
    /// Which rule the message breaks.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, &'static str> {
        let (mut id, mut name, mut kind): (_, &[u8], _) = (None, &[], None);
        let mut fields = Fields::new(bytes);
        while let Some(field) = fields.next()? {
            match (field.number, field.value) {
                (2, Value::Varint(number)) => id = Some(INodeId(number)),
                (3, Value::Bytes(bytes)) => name = bytes,
                (4, Value::Bytes(file)) => kind = Some(INodeKind::File(FileRecord::decode(file)?)),
                (5, Value::Bytes(directory)) => {
                    kind = Some(INodeKind::Directory(DirectoryRecord::decode(directory)?));
                }
                (6, Value::Bytes(link)) => {
                    kind = Some(INodeKind::Symlink(SymlinkRecord::decode(link)?));
                }
                _ => {}
            }
        }
        let id = id.ok_or("an inode has no id")?;
        let kind = kind.ok_or("an inode is neither file nor directory nor symlink")?;
        Ok(Self { id, name, kind })
    }
}

impl<'a> FileRecord<'a> {
    /// Decodes an `INodeFile` (also the copy in a snapshot's difference).
    ///
    /// # Errors
    /// Which rule the message breaks.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, &'static str> {
        let mut file = Self::default();
        let mut fields = Fields::new(bytes);
        loop {
            let before = fields.rest();
            let Some(field) = fields.next()? else { return Ok(file) };
            match (field.number, field.value) {
                (1, Value::Varint(replication)) => file.replication = Some(replication as u32),
                (2, Value::Varint(time)) => file.modification_time = time,
                (3, Value::Varint(time)) => file.access_time = time,
                (4, Value::Varint(bytes)) => file.preferred_block_size = bytes,
                (5, Value::Fixed64(permission)) => file.permission = permission,
                (6, Value::Bytes(block)) => {
                    decode_block(block).ok_or("a block does not decode")?;
                    if !matches!(file.blocks, Blocks::Encoded(_)) {
                        file.blocks = Blocks::Encoded(before);
                    }
                }
                (7, Value::Bytes(feature)) => {
                    let (client, machine, source) = decode_under_construction(feature)?;
                    file.under_construction = Some((client, machine));
                    file.copy_source = source;
                }
                (8, Value::Bytes(acl)) => file.acl = Some(acl),
                (9, Value::Bytes(x_attrs)) => file.x_attrs = Some(x_attrs),
                (10, Value::Varint(policy)) => file.storage_policy_id = policy as u32,
                (11, Value::Varint(kind)) => file.striped = kind == 1,
                (12, Value::Varint(id)) => file.erasure_coding_policy_id = Some(id as u32),
                _ => {}
            }
        }
    }

    /// Appends the `INodeFile` without a length.
    pub fn encode(&self, out: &mut Vec<u8>) {
        if let Some(replication) = self.replication {
            put_varint(out, 1, u64::from(replication));
        }
        put_varint(out, 2, self.modification_time);
        put_varint(out, 3, self.access_time);
        put_varint(out, 4, self.preferred_block_size);
        put_fixed64(out, 5, self.permission);
        for block in self.blocks.iter() {
            put_block(out, 6, &block);
        }
        if let Some((client, machine)) = self.under_construction {
            let mut feature = Vec::with_capacity(client.len() + machine.len() + 8);
            put_bytes(&mut feature, 1, client.as_bytes());
            put_bytes(&mut feature, 2, machine.as_bytes());
            self.copy_source.iter().for_each(|block| put_block(&mut feature, COPY_SOURCE, block));
            put_bytes(out, 7, &feature);
        }
        self.acl.iter().for_each(|acl| put_bytes(out, 8, acl));
        self.x_attrs.iter().for_each(|x_attrs| put_bytes(out, 9, x_attrs));
        put_varint(out, 10, u64::from(self.storage_policy_id));
        put_varint(out, 11, u64::from(self.striped));
        if let Some(id) = self.erasure_coding_policy_id {
            put_varint(out, 12, u64::from(id));
        }
    }
}

/// Our own field of `FileUnderConstructionFeature`.
const COPY_SOURCE: u32 = 15;

/// Appends a block as a field of a message.
fn put_block(out: &mut Vec<u8>, field: u32, block: &Block) {
    let at = out.len();
    // Block and field take at most 33 bytes and one: each length is one byte.
    out.extend_from_slice(&[(field << 3) as u8 | 2, 0]);
    put_varint(out, 1, block.id.0.cast_unsigned());
    put_varint(out, 2, block.generation_stamp.0);
    put_varint(out, 3, block.num_bytes);
    let length = (out.len() - at - 2) as u8;
    if let Some(byte) = out.get_mut(at + 1) {
        *byte = length;
    }
}

fn decode_under_construction(bytes: &[u8]) -> Result<(&str, &str, Option<Block>), &'static str> {
    let (mut client, mut machine, mut source) = ("", "", None);
    let mut fields = Fields::new(bytes);
    let text = |bytes| std::str::from_utf8(bytes).map_err(|_| "a client name is not UTF-8");
    while let Some(field) = fields.next()? {
        match (field.number, field.value) {
            (1, Value::Bytes(bytes)) => client = text(bytes)?,
            (2, Value::Bytes(bytes)) => machine = text(bytes)?,
            (COPY_SOURCE, Value::Bytes(block)) => {
                source = Some(decode_block(block).ok_or("a block does not decode")?);
            }
            _ => {}
        }
    }
    Ok((client, machine, source))
}

impl<'a> DirectoryRecord<'a> {
    /// Decodes an `INodeDirectory` (also the copy in a snapshot's difference).
    ///
    /// # Errors
    /// Which rule the message breaks.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, &'static str> {
        let mut directory = Self::default();
        let mut fields = Fields::new(bytes);
        while let Some(field) = fields.next()? {
            match (field.number, field.value) {
                (1, Value::Varint(time)) => directory.modification_time = time,
                (2, Value::Varint(quota)) => directory.ns_quota = quota.cast_signed(),
                (3, Value::Varint(quota)) => directory.ds_quota = quota.cast_signed(),
                (4, Value::Fixed64(permission)) => directory.permission = permission,
                (5, Value::Bytes(acl)) => directory.acl = Some(acl),
                (6, Value::Bytes(x_attrs)) => directory.x_attrs = Some(x_attrs),
                (7, Value::Bytes(quotas)) => directory.type_quotas = Some(quotas),
                _ => {}
            }
        }
        Ok(directory)
    }

    /// Appends the `INodeDirectory` without a length.
    pub fn encode(&self, out: &mut Vec<u8>) {
        put_varint(out, 1, self.modification_time);
        put_varint(out, 2, self.ns_quota.cast_unsigned());
        put_varint(out, 3, self.ds_quota.cast_unsigned());
        put_fixed64(out, 4, self.permission);
        self.acl.iter().for_each(|acl| put_bytes(out, 5, acl));
        self.x_attrs.iter().for_each(|x_attrs| put_bytes(out, 6, x_attrs));
        self.type_quotas.iter().for_each(|quotas| put_bytes(out, 7, quotas));
    }
}

impl<'a> SymlinkRecord<'a> {
    /// Decodes an `INodeSymlink`.
    ///
    /// # Errors
    /// Which rule the message breaks.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, &'static str> {
        let mut link = Self::default();
        let mut fields = Fields::new(bytes);
        while let Some(field) = fields.next()? {
            match (field.number, field.value) {
                (1, Value::Fixed64(permission)) => link.permission = permission,
                (2, Value::Bytes(target)) => link.target = target,
                (3, Value::Varint(time)) => link.modification_time = time,
                (4, Value::Varint(time)) => link.access_time = time,
                _ => {}
            }
        }
        Ok(link)
    }

    /// Appends the `INodeSymlink` without a length.
    pub fn encode(&self, out: &mut Vec<u8>) {
        put_fixed64(out, 1, self.permission);
        put_bytes(out, 2, self.target);
        put_varint(out, 3, self.modification_time);
        put_varint(out, 4, self.access_time);
    }
}

/// Encodes inodes for [`super::ImageWriter::encoded`]; keeps its buffers, so that an inode costs no allocation.
#[derive(Clone, Debug, Default)]
pub struct INodeEncoder {
    body: Vec<u8>,
    message: Vec<u8>,
}

impl INodeEncoder {
    /// Appends a message of the inode section with its length.
    pub fn encode(&mut self, inode: &INodeRecord<'_>, out: &mut Vec<u8>) {
        self.encode_undelimited(inode);
        put_length(out, self.message.len());
        out.extend_from_slice(&self.message);
    }

    /// The message without a length: for the root of a snapshot.
    pub fn encode_undelimited(&mut self, inode: &INodeRecord<'_>) -> &[u8] {
        self.body.clear();
        let kind = match &inode.kind {
            INodeKind::File(file) => {
                file.encode(&mut self.body);
                1
            }
            INodeKind::Directory(directory) => {
                directory.encode(&mut self.body);
                2
            }
            INodeKind::Symlink(link) => {
                link.encode(&mut self.body);
                3
            }
        };
        self.message.clear();
        put_varint(&mut self.message, 1, kind);
        put_varint(&mut self.message, 2, inode.id.0);
        put_bytes(&mut self.message, 3, inode.name);
        put_bytes(&mut self.message, 3 + kind as u32, &self.body);
        &self.message
    }
}
