//! The calls as bytes: everything of a request that does not change is encoded once, so that a call costs a few copies.
//!
//! ```text
//! length (4) | RpcRequestHeaderProto* | RequestHeaderProto* | src, [dst,] the rest of the request*
//!              └ call id changes ┘      └ fixed for a method ┘ └ paths change ┘ └ fixed ┘
//! * delimited
//! ```

use hdfs_proto::common::RequestHeaderProto;
use hdfs_proto::hdfs::{
    CompleteRequestProto, CreateRequestProto, DeleteRequestProto, FsPermissionProto,
    GetBlockLocationsRequestProto, GetFileInfoRequestProto, GetListingRequestProto,
    MkdirsRequestProto, RenameRequestProto, SetReplicationRequestProto,
};
use hdfs_proto::prost::Message;
use hdfs_types::ClientId;

/// Proto: ClientNamenodeProtocol.proto
pub(super) const PROTOCOL: &str = "org.apache.hadoop.hdfs.protocol.ClientProtocol";

/// What can be measured.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Operation {
    Create,
    Complete,
    Mkdirs,
    Open,
    Stat,
    List,
    Rename,
    Delete,
    SetReplication,
}

/// All of them, in the order of the table of results.
pub(super) const OPERATIONS: [Operation; 9] = [
    Operation::Create,
    Operation::Complete,
    Operation::Mkdirs,
    Operation::Open,
    Operation::Stat,
    Operation::List,
    Operation::Rename,
    Operation::Delete,
    Operation::SetReplication,
];

impl Operation {
    /// The name on the command line.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Complete => "complete",
            Self::Mkdirs => "mkdirs",
            Self::Open => "open",
            Self::Stat => "stat",
            Self::List => "list",
            Self::Rename => "rename",
            Self::Delete => "delete",
            Self::SetReplication => "setrep",
        }
    }

    pub(super) fn find(name: &str) -> Option<Self> {
        OPERATIONS.into_iter().find(|operation| operation.name() == name)
    }

    /// The method of `ClientProtocol` that it calls.
    fn method(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Complete => "complete",
            Self::Mkdirs => "mkdirs",
            Self::Open => "getBlockLocations",
            Self::Stat => "getFileInfo",
            Self::List => "getListing",
            Self::Rename => "rename",
            Self::Delete => "delete",
            Self::SetReplication => "setReplication",
        }
    }

    /// Whether an encoded response says that it was done: `result` is true, or what was asked for is there.
    pub(super) fn succeeded(self, body: &[u8]) -> bool {
        match self {
            Self::Complete | Self::Mkdirs | Self::Rename | Self::Delete | Self::SetReplication => {
                body == [0x08, 1]
            }
            Self::Create | Self::Open | Self::Stat | Self::List => !body.is_empty(),
        }
    }
}

/// What files are like.
#[derive(Clone, Debug)]
pub(super) struct FileKind {
    pub client_name: String,
    pub replication: u32,
    pub block_size: u64,
}

/// Writes the calls of one connection.
#[derive(Debug)]
pub(super) struct Encoder {
    /// Header of every call but its call id: what comes before, what comes after.
    header: (Vec<u8>, Vec<u8>),
    templates: Vec<Template>,
}

#[derive(Debug)]
struct Template {
    /// `RequestHeaderProto`, delimited.
    method: Vec<u8>,
    /// The request's fields after the paths.
    tail: Vec<u8>,
}

/// Tags of the fields 1 and 2, of bytes.
const SRC: u8 = 0x0A;
const DST: u8 = 0x12;

impl Encoder {
    pub(super) fn new(client_id: ClientId, kind: &FileKind) -> Self {
        // rpcKind: protobuf; rpcOp: final packet; then the tag of callId. After it clientId, and retryCount 0.
        let before = vec![0x08, 2, 0x10, 0, 0x18];
        let mut after = vec![0x22, 16];
        after.extend_from_slice(&client_id.0);
        after.extend_from_slice(&[0x28, 0]);
        let templates = OPERATIONS.iter().map(|operation| template(*operation, kind)).collect();
        Self { header: (before, after), templates }
    }

    /// Appends a call.
    pub(super) fn encode(
        &self,
        out: &mut Vec<u8>,
        call_id: u32,
        operation: Operation,
        (src, dst): (&[u8], Option<&[u8]>),
    ) {
        let template = &self.templates[operation as usize];
        let (before, after) = &self.header;
        let zigzag = u64::from(call_id) << 1;
        let header = before.len() + varint_len(zigzag) + after.len();
        let field = |path: &[u8]| 1 + varint_len(path.len() as u64) + path.len();
        let body = field(src) + dst.map_or(0, field) + template.tail.len();
        let length = 1 + header + template.method.len() + varint_len(body as u64) + body;
        out.extend_from_slice(&(length as u32).to_be_bytes());
        out.push(header as u8);
        out.extend_from_slice(before);
        put_varint(out, zigzag);
        out.extend_from_slice(after);
        out.extend_from_slice(&template.method);
        put_varint(out, body as u64);
        put_path(out, SRC, src);
        if let Some(dst) = dst {
            put_path(out, DST, dst);
        }
        out.extend_from_slice(&template.tail);
    }
}

fn template(operation: Operation, kind: &FileKind) -> Template {
    let method = RequestHeaderProto {
        method_name: operation.method().to_owned(),
        declaring_class_protocol_name: PROTOCOL.to_owned(),
        client_protocol_version: 1,
    };
    let mut tail = request(operation, kind);
    // An empty path was encoded as its tag and a length of 0.
    let paths = if operation == Operation::Rename { 2 } else { 1 };
    tail.drain(..2 * paths);
    Template { method: method.encode_length_delimited_to_vec(), tail }
}

/// The request with empty paths.
fn request(operation: Operation, kind: &FileKind) -> Vec<u8> {
    let src = String::new();
    let client_name = kind.client_name.clone();
    let permission = |perm| FsPermissionProto { perm };
    match operation {
        Operation::Create => CreateRequestProto {
            src,
            masked: permission(0o644),
            client_name,
            create_flag: 1,
            create_parent: true,
            replication: kind.replication,
            block_size: kind.block_size,
            ..CreateRequestProto::default()
        }
        .encode_to_vec(),
        Operation::Complete => {
            CompleteRequestProto { src, client_name, ..CompleteRequestProto::default() }
                .encode_to_vec()
        }
        Operation::Mkdirs => MkdirsRequestProto {
            src,
            masked: permission(0o755),
            create_parent: true,
            ..MkdirsRequestProto::default()
        }
        .encode_to_vec(),
        Operation::Open => {
            GetBlockLocationsRequestProto { src, offset: 0, length: kind.block_size }
                .encode_to_vec()
        }
        Operation::Stat => GetFileInfoRequestProto { src }.encode_to_vec(),
        Operation::List => {
            GetListingRequestProto { src, ..GetListingRequestProto::default() }.encode_to_vec()
        }
        Operation::Rename => RenameRequestProto { src, dst: String::new() }.encode_to_vec(),
        Operation::Delete => DeleteRequestProto { src, recursive: true }.encode_to_vec(),
        // Another number than the files have, so that there is something to do.
        Operation::SetReplication => {
            let replication = kind.replication % 3 + 1;
            SetReplicationRequestProto { src, replication }.encode_to_vec()
        }
    }
}

fn put_path(out: &mut Vec<u8>, tag: u8, path: &[u8]) {
    out.push(tag);
    put_varint(out, path.len() as u64);
    out.extend_from_slice(path);
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn varint_len(value: u64) -> usize {
    (64 - (value | 1).leading_zeros() as usize).div_ceil(7)
}

/// The varint at the front of `input`, and what follows it.
pub(super) fn take_varint(input: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0;
    for (index, byte) in input.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7F) << (7 * index as u32);
        if byte & 0x80 == 0 {
            return Some((value, &input[index + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use hdfs_format::rpc::{decode_delimited, read_request};

    use super::*;

    #[test]
    fn a_call_is_read_by_the_servers_decoder_as_it_was_meant() {
        let kind = FileKind { client_name: "bench".into(), replication: 3, block_size: 1 << 27 };
        let encoder = Encoder::new(ClientId([7; 16]), &kind);
        for call_id in [0, 63, 64, 1 << 20, i32::MAX as u32] {
            let mut out = Vec::new();
            encoder.encode(&mut out, call_id, Operation::Create, (b"/a/b", None));
            assert_eq!(out[..4], ((out.len() - 4) as u32).to_be_bytes());
            let parts = read_request(&out[4..]).expect("a header");
            assert_eq!((parts.header.call_id, parts.header.retry_count), (call_id as i32, 0));
            assert_eq!((parts.header.rpc_kind, parts.header.client_id), (Some(2), &[7; 16][..]));
            let (method, body) = parts.method().expect("a method");
            assert_eq!((method.method, method.protocol), ("create", PROTOCOL));
            let request = CreateRequestProto::decode(body).expect("a request");
            assert_eq!((request.src.as_str(), request.client_name.as_str()), ("/a/b", "bench"));
            assert_eq!((request.replication, request.block_size), (3, 1 << 27));
        }
    }

    #[test]
    fn every_operation_names_its_method_and_its_paths() {
        let kind = FileKind { client_name: "bench".into(), replication: 1, block_size: 1 };
        let encoder = Encoder::new(ClientId([7; 16]), &kind);
        for operation in OPERATIONS {
            let mut out = Vec::new();
            let dst = (operation == Operation::Rename).then_some(&b"/to"[..]);
            encoder.encode(&mut out, 5, operation, (b"/from", dst));
            let parts = read_request(&out[4..]).expect("a header");
            let (method, body) = parts.method().expect("a method");
            assert_eq!(method.method, operation.method());
            assert_eq!(&body[..7], b"\x0A\x05/from");
            // The empty message takes every field, known or not: what is there must be whole.
            decode_delimited::<()>(&[&[body.len() as u8], body].concat(), "request")
                .expect("whole");
            if operation == Operation::Rename {
                let request = RenameRequestProto::decode(body).expect("a request");
                assert_eq!((request.src.as_str(), request.dst.as_str()), ("/from", "/to"));
            }
        }
    }

    #[test]
    fn varints_end_where_they_should() {
        for value in [0, 1, 127, 128, 300, u64::from(u32::MAX) << 1] {
            let mut out = Vec::new();
            put_varint(&mut out, value);
            assert_eq!(out.len(), varint_len(value));
            out.push(9);
            assert_eq!(take_varint(&out), Some((value, &[9][..])));
        }
        assert_eq!(take_varint(&[0x80]), None);
    }
}
