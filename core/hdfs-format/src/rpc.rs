//! Hadoop IPC, version 9: the preamble of a connection, the frames, and the headers inside them.
//!
//! ```text
//! client, once:  "hrpc" | version 9 (1) | service class (1) | auth (1: 0 none, 0xDF SASL)
//! client, then:  length (4, big-endian) | RpcRequestHeaderProto* | message*
//!     call id -33: RpcSaslProto;  -3: IpcConnectionContextProto (exactly once);  -4: ping, no message
//!     call id >= 0: RequestHeaderProto* | request*
//! server:        length (4, big-endian) | RpcResponseHeaderProto* | response* (only on success)
//! * delimited: a varint length, then the message
//! ```
//!
//! **Invariants:** nothing is allocated by a length from the wire before it was compared with a limit; "more bytes
//! needed" is never an error; no input panics. Who may call what is decided by the server, not here.
//!
//! Hadoop: org.apache.hadoop.ipc.Server, org.apache.hadoop.ipc.RpcConstants (3.5.0)

mod frame;
mod preamble;
mod request;
mod response;
mod wire;

#[cfg(test)]
mod tests;

pub use frame::{FrameBuffer, FrameError, check_frame_length};
pub use preamble::{
    AuthProtocol, HTTP_ON_RPC_PORT, Preamble, PreambleOutcome, encode_preamble,
    encode_version_mismatch, read_preamble,
};
pub use request::{
    Context, MalformedRequest, MethodHeader, RequestHeader, RequestParts, TraceInfo,
    decode_delimited, encode_context, encode_ping, encode_request, encode_sasl_request,
    read_request, split_delimited,
};
pub use response::{
    ErrorReply, ReplyTo, Response, decode_response, encode_error, encode_message, encode_success,
};

/// The version of the protocol.
pub const CURRENT_VERSION: u8 = 9;
/// Call id of the connection context.
pub const CONNECTION_CONTEXT_CALL_ID: i32 = -3;
/// Call id of a ping.
pub const PING_CALL_ID: i32 = -4;
/// Call id of SASL messages.
pub const SASL_CALL_ID: i32 = -33;
/// Call id of an answer to no call.
pub const INVALID_CALL_ID: i32 = -1;
/// Retry count of a request that does not say.
pub const INVALID_RETRY_COUNT: i32 = -1;
/// `ipc.maximum.data.length`.
pub const DEFAULT_MAX_FRAME_BYTES: usize = 128 << 20;
/// Before a connection's context has arrived, a frame may not be longer than this (Hadoop: 128 MiB).
pub const MAX_HANDSHAKE_FRAME_BYTES: usize = 64 << 10;
