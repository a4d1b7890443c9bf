//! The seven bytes that open a connection, and the answers to those that are not ours.

use bytes::{BufMut, BytesMut};
use hdfs_proto::common::rpc_response_header_proto::{RpcErrorCodeProto, RpcStatusProto};

use super::response::{ErrorReply, ReplyTo, encode_error};
use super::{CURRENT_VERSION, INVALID_CALL_ID, INVALID_RETRY_COUNT};

/// How the client wants to authenticate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AuthProtocol {
    /// Not at all: the connection context names the user.
    None,
    /// With SASL messages before the context.
    Sasl,
}

impl AuthProtocol {
    /// The byte on the wire.
    pub fn to_wire(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Sasl => 0xDF,
        }
    }

    /// The protocol of a byte, if it is one.
    pub fn from_wire(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::None),
            0xDF => Some(Self::Sasl),
            _ => None,
        }
    }
}

/// A preamble of this version.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Preamble {
    /// A number that clients may use to ask for a class of service; nothing uses it.
    pub service_class: u8,
    /// The byte that says how to authenticate; [`AuthProtocol::from_wire`] knows it or not.
    pub auth: u8,
}

/// What the first bytes of a connection are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PreambleOutcome {
    /// Fewer than seven bytes.
    NeedMore,
    /// A client of this version; seven bytes are consumed.
    Rpc(Preamble),
    /// An HTTP GET: answer [`HTTP_ON_RPC_PORT`] and close.
    HttpGet,
    /// Another version, or no Hadoop client at all: answer [`encode_version_mismatch`] and close.
    OtherVersion {
        /// True when the first four bytes are `hrpc`.
        is_hadoop: bool,
        /// The signed version byte, or what stands in its place.
        version: i8,
    },
}

/// Length of the preamble.
pub(crate) const PREAMBLE_BYTES: usize = 7;

/// The answer to an HTTP GET.
///
/// Hadoop: org.apache.hadoop.ipc.Server.RECEIVED_HTTP_REQ_RESPONSE (3.5.0)
pub const HTTP_ON_RPC_PORT: &str = "HTTP/1.1 404 Not Found\r\nContent-type: text/plain\r\n\r\n\
    It looks like you are making an HTTP request to a Hadoop IPC port. \
    This is not the correct port for the web interface on this daemon.\r\n";

/// Tells what a connection's first bytes are.
pub fn read_preamble(input: &[u8]) -> PreambleOutcome {
    let Some(&[h, r, p, c, version, service_class, auth]) = input.first_chunk::<PREAMBLE_BYTES>()
    else {
        return PreambleOutcome::NeedMore;
    };
    match &[h, r, p, c] {
        b"GET " => PreambleOutcome::HttpGet,
        b"hrpc" if version == CURRENT_VERSION => {
            PreambleOutcome::Rpc(Preamble { service_class, auth })
        }
        magic => PreambleOutcome::OtherVersion {
            is_hadoop: magic == b"hrpc",
            version: i8::from_be_bytes([version]),
        },
    }
}

/// Writes a client's preamble.
pub fn encode_preamble(out: &mut BytesMut, auth: AuthProtocol) {
    out.put_slice(b"hrpc");
    out.put_slice(&[CURRENT_VERSION, 0, auth.to_wire()]);
}

/// Writes the answer to a client of another version, in the form that it understands; nothing for a version without
/// one.
///
/// Hadoop: org.apache.hadoop.ipc.Server.Connection.setupBadVersionResponse (3.5.0)
pub fn encode_version_mismatch(out: &mut BytesMut, version: i8) {
    const CLASS: &str = "org.apache.hadoop.ipc.RPC$VersionMismatch";
    const OLD_FATAL_STATUS: i32 = -1;
    let message = format!(
        "Server IPC version {CURRENT_VERSION} cannot communicate with client version {version}"
    );
    match version {
        9.. => encode_error(
            out,
            &ReplyTo {
                call_id: INVALID_CALL_ID,
                retry_count: INVALID_RETRY_COUNT,
                ..ReplyTo::default()
            },
            &ErrorReply {
                status: RpcStatusProto::Fatal,
                detail: RpcErrorCodeProto::FatalVersionMismatch,
                class: CLASS,
                message: &message,
            },
        ),
        3..=8 => {
            out.put_i32(INVALID_CALL_ID);
            out.put_i32(OLD_FATAL_STATUS);
            put_string(out, CLASS);
            put_string(out, &message);
        }
        2 => {
            out.put_i32(0);
            out.put_u8(1);
            put_string(out, CLASS);
            put_string(out, &message);
        }
        _ => {}
    }
}

/// Hadoop's `WritableUtils.writeString`: a length of four bytes, then UTF-8.
fn put_string(out: &mut BytesMut, text: &str) {
    out.put_u32(u32::try_from(text.len()).unwrap_or(u32::MAX));
    out.put_slice(text.as_bytes());
}
