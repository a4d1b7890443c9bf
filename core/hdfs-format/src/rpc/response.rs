//! Responses: written by servers straight into the outgoing buffer, read by clients.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use hdfs_proto::common::RpcResponseHeaderProto;
use hdfs_proto::common::rpc_response_header_proto::{RpcErrorCodeProto, RpcStatusProto};
use hdfs_proto::prost::{
    Message, decode_length_delimiter, encode_length_delimiter, length_delimiter_len,
};

use super::{CURRENT_VERSION, MalformedRequest};

/// What an answer repeats of its request, and what the server adds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ReplyTo<'a> {
    /// The request's call id.
    pub call_id: i32,
    /// The request's client id, empty when it had none.
    pub client_id: &'a [u8],
    /// The request's retry count.
    pub retry_count: i32,
    /// The server's last transaction, where clients align their reads.
    pub state_id: Option<i64>,
    /// The same for the namespaces behind a router.
    pub router_federated_state: Option<&'a [u8]>,
}

/// An error as it goes to the client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ErrorReply<'a> {
    /// `Error` for the call, `Fatal` for the connection.
    pub status: RpcStatusProto,
    /// The code.
    pub detail: RpcErrorCodeProto,
    /// The Java exception's class name.
    pub class: &'a str,
    /// What happened.
    pub message: &'a str,
}

/// Room for every field of a success header but the federated state: the longest is 68 bytes.
const MAX_PLAIN_HEADER: usize = 80;

/// Writes the answer to a call that succeeded; `body` is the encoded response message.
pub fn encode_success(out: &mut BytesMut, to: &ReplyTo<'_>, body: &[u8]) {
    if to.client_id.len() > 16 || to.router_federated_state.is_some() {
        put_frame(out, &header(to, RpcStatusProto::Success), Some(body));
        return;
    }
    let mut plain = PlainHeader::default();
    plain.varint_field(1, u64::from(to.call_id as u32));
    plain.varint_field(2, RpcStatusProto::Success as u64);
    plain.varint_field(3, u64::from(CURRENT_VERSION));
    plain.bytes_field(7, to.client_id);
    let zigzag = ((to.retry_count << 1) ^ (to.retry_count >> 31)) as u32;
    plain.varint_field(8, u64::from(zigzag));
    if let Some(state_id) = to.state_id {
        plain.varint_field(9, state_id as u64);
    }
    let head = plain.as_slice();
    let length = 1 + head.len() + length_delimiter_len(body.len()) + body.len();
    out.reserve(4 + length);
    out.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
    out.put_u8(head.len() as u8);
    out.put_slice(head);
    encode_length_delimiter(body.len(), out).expect("a BytesMut grows as needed");
    out.put_slice(body);
}

/// A header under construction on the stack.
struct PlainHeader {
    bytes: [u8; MAX_PLAIN_HEADER],
    len: usize,
}

impl Default for PlainHeader {
    fn default() -> Self {
        Self { bytes: [0; MAX_PLAIN_HEADER], len: 0 }
    }
}

impl PlainHeader {
    fn byte(&mut self, byte: u8) {
        self.bytes[self.len] = byte;
        self.len += 1;
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.byte(value as u8 | 0x80);
            value >>= 7;
        }
        self.byte(value as u8);
    }

    fn varint_field(&mut self, number: u8, value: u64) {
        self.byte(number << 3);
        self.varint(value);
    }

    fn bytes_field(&mut self, number: u8, value: &[u8]) {
        self.byte(number << 3 | 2);
        self.varint(value.len() as u64);
        self.bytes[self.len..self.len + value.len()].copy_from_slice(value);
        self.len += value.len();
    }

    fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

fn header(to: &ReplyTo<'_>, status: RpcStatusProto) -> RpcResponseHeaderProto {
    RpcResponseHeaderProto {
        call_id: to.call_id as u32,
        status: status.into(),
        server_ipc_version_num: Some(u32::from(CURRENT_VERSION)),
        client_id: Some(Bytes::copy_from_slice(to.client_id)),
        retry_count: Some(to.retry_count),
        state_id: to.state_id,
        router_federated_state: to.router_federated_state.map(Bytes::copy_from_slice),
        ..RpcResponseHeaderProto::default()
    }
}

/// Writes an answer with this message: what SASL sends.
pub fn encode_message(out: &mut BytesMut, to: &ReplyTo<'_>, message: &impl Message) {
    put_frame(out, &header(to, RpcStatusProto::Success), Some(&message.encode_to_vec()));
}

/// Writes the answer to a call, or a connection, that failed.
pub fn encode_error(out: &mut BytesMut, to: &ReplyTo<'_>, error: &ErrorReply<'_>) {
    let header = RpcResponseHeaderProto {
        exception_class_name: Some(error.class.to_owned()),
        error_msg: Some(error.message.to_owned()),
        error_detail: Some(error.detail.into()),
        ..header(to, error.status)
    };
    put_frame(out, &header, None);
}

/// Writes a frame of a header and, if there is one, an encoded message.
pub(super) fn put_frame(out: &mut BytesMut, header: &impl Message, body: Option<&[u8]>) {
    let delimited = |length: usize| length + length_delimiter_len(length);
    let length = delimited(header.encoded_len()) + body.map_or(0, |body| delimited(body.len()));
    out.reserve(4 + length);
    out.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
    header.encode_length_delimited(out).expect("a BytesMut grows as needed");
    if let Some(body) = body {
        encode_length_delimiter(body.len(), out).expect("a BytesMut grows as needed");
        out.put_slice(body);
    }
}

/// A response as a client reads it.
#[derive(Clone, PartialEq, Debug)]
pub struct Response {
    /// The header.
    pub header: RpcResponseHeaderProto,
    /// The encoded response message; empty for errors.
    pub body: Bytes,
}

impl Response {
    /// The call that is answered.
    pub fn call_id(&self) -> i32 {
        self.header.call_id as i32
    }
}

/// Reads a response frame.
///
/// # Errors
/// When the header, or the message after a success, is not there.
pub fn decode_response(mut frame: Bytes) -> Result<Response, MalformedRequest> {
    let broken = |what| MalformedRequest { what };
    let head = take(&mut frame).ok_or_else(|| broken("RpcResponseHeaderProto"))?;
    let header =
        RpcResponseHeaderProto::decode(head).map_err(|_| broken("RpcResponseHeaderProto"))?;
    let body = if header.status == i32::from(RpcStatusProto::Success) {
        take(&mut frame).ok_or_else(|| broken("response message"))?
    } else {
        Bytes::new()
    };
    if frame.is_empty() {
        Ok(Response { header, body })
    } else {
        Err(broken("RPC response length mismatch"))
    }
}

fn take(frame: &mut Bytes) -> Option<Bytes> {
    let length = decode_length_delimiter(&mut *frame).ok()?;
    (length <= frame.remaining()).then(|| frame.split_to(length))
}
