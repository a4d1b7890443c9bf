//! Requests: read by servers without copying, written by clients.

use bytes::{BufMut, Bytes, BytesMut};
use hdfs_proto::common::rpc_request_header_proto::OperationProto;
use hdfs_proto::common::{
    IpcConnectionContextProto, RequestHeaderProto, RpcKindProto, RpcRequestHeaderProto,
    RpcSaslProto, UserInformationProto,
};
use hdfs_proto::prost::{Message, length_delimiter_len};
use hdfs_types::{CallId, ClientId};

use super::response::put_frame;
use super::wire::{Broken, Fields, Value, take_delimited, zigzag32};
use super::{CONNECTION_CONTEXT_CALL_ID, INVALID_RETRY_COUNT, PING_CALL_ID, SASL_CALL_ID};

/// A request that cannot be decoded: the connection ends with `FATAL_DESERIALIZING_REQUEST`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MalformedRequest {
    /// The message that is broken.
    pub what: &'static str,
}

/// The trace that a call belongs to.
///
/// Proto: RpcHeader.proto RPCTraceInfoProto
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct TraceInfo<'a> {
    /// The trace.
    pub trace_id: Option<i64>,
    /// The client's span.
    pub parent_id: Option<i64>,
    /// Both, as the client's tracer writes them.
    pub span_context: Option<&'a [u8]>,
}

/// `RpcRequestHeaderProto`, borrowed from its frame.
///
/// Proto: RpcHeader.proto RpcRequestHeaderProto
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RequestHeader<'a> {
    /// 2 for protobuf; `None` when the client does not say.
    pub rpc_kind: Option<i32>,
    /// 0 for a final packet, the only one that is allowed.
    pub rpc_op: Option<i32>,
    /// The call's number; negative ones have a meaning each.
    pub call_id: i32,
    /// Sixteen bytes, or none.
    pub client_id: &'a [u8],
    /// How often the call was sent before; -1 when the client does not say.
    pub retry_count: i32,
    /// The trace that the call belongs to, if its client traces it.
    pub trace_info: Option<TraceInfo<'a>>,
    /// `RPCCallerContextProto`: the text and its signature.
    pub caller_context: Option<(&'a [u8], Option<&'a [u8]>)>,
    /// The newest transaction that the client has seen.
    pub state_id: Option<i64>,
    /// The same for each namespace behind a router.
    pub router_federated_state: Option<&'a [u8]>,
}

/// `RequestHeaderProto`, borrowed from its frame.
///
/// Proto: ProtobufRpcEngine2.proto RequestHeaderProto
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MethodHeader<'a> {
    /// The method.
    pub method: &'a str,
    /// The protocol's Java name.
    pub protocol: &'a str,
    /// The protocol's version.
    pub version: u64,
}

/// A frame with its header read; `rest` follows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RequestParts<'a> {
    /// The header.
    pub header: RequestHeader<'a>,
    /// What follows: by call id a SASL message, a context, nothing, or a call.
    pub rest: &'a [u8],
}

/// Reads the header of a frame.
///
/// # Errors
/// When the header is no valid message.
pub fn read_request(frame: &[u8]) -> Result<RequestParts<'_>, MalformedRequest> {
    let broken = |_| MalformedRequest { what: "RpcRequestHeaderProto" };
    let mut rest = frame;
    let header = take_delimited(&mut rest).and_then(parse_header).map_err(broken)?;
    Ok(RequestParts { header, rest })
}

impl<'a> RequestParts<'a> {
    /// Reads the method header of a call; also returns the request message, to be decoded by the service.
    ///
    /// # Errors
    /// When either is not there as a delimited message.
    pub fn method(&self) -> Result<(MethodHeader<'a>, &'a [u8]), MalformedRequest> {
        let mut rest = self.rest;
        let method = take_delimited(&mut rest)
            .and_then(parse_method)
            .map_err(|_| MalformedRequest { what: "RequestHeaderProto" })?;
        let body =
            take_delimited(&mut rest).map_err(|_| MalformedRequest { what: "request message" })?;
        Ok((method, body))
    }
}

fn parse_header(message: &[u8]) -> Result<RequestHeader<'_>, Broken> {
    let mut header = RequestHeader {
        rpc_kind: None,
        rpc_op: None,
        call_id: 0,
        client_id: &[],
        retry_count: INVALID_RETRY_COUNT,
        trace_info: None,
        caller_context: None,
        state_id: None,
        router_federated_state: None,
    };
    let (mut has_call_id, mut has_client_id) = (false, false);
    let mut fields = Fields::new(message);
    while let Some(field) = fields.next()? {
        match field {
            (1, Value::Varint(value)) => header.rpc_kind = Some(value as i32),
            (2, Value::Varint(value)) => header.rpc_op = Some(value as i32),
            (3, Value::Varint(value)) => {
                header.call_id = zigzag32(value);
                has_call_id = true;
            }
            (4, Value::Bytes(value)) => {
                header.client_id = value;
                has_client_id = true;
            }
            (5, Value::Varint(value)) => header.retry_count = zigzag32(value),
            (6, Value::Bytes(value)) => header.trace_info = Some(parse_trace_info(value)?),
            (7, Value::Bytes(value)) => header.caller_context = Some(parse_caller_context(value)?),
            (8, Value::Varint(value)) => header.state_id = Some(value as i64),
            (9, Value::Bytes(value)) => header.router_federated_state = Some(value),
            (1..=9, _) => return Err(Broken),
            _ => {}
        }
    }
    if has_call_id && has_client_id { Ok(header) } else { Err(Broken) }
}

fn parse_trace_info(message: &[u8]) -> Result<TraceInfo<'_>, Broken> {
    let mut info = TraceInfo::default();
    let mut fields = Fields::new(message);
    while let Some(field) = fields.next()? {
        match field {
            (1, Value::Varint(value)) => info.trace_id = Some(value as i64),
            (2, Value::Varint(value)) => info.parent_id = Some(value as i64),
            (3, Value::Bytes(value)) => info.span_context = Some(value),
            (1..=3, _) => return Err(Broken),
            _ => {}
        }
    }
    Ok(info)
}

fn parse_caller_context(message: &[u8]) -> Result<(&[u8], Option<&[u8]>), Broken> {
    let (mut context, mut signature) = (None, None);
    let mut fields = Fields::new(message);
    while let Some(field) = fields.next()? {
        match field {
            (1, Value::Bytes(value)) => context = Some(value),
            (2, Value::Bytes(value)) => signature = Some(value),
            (1 | 2, _) => return Err(Broken),
            _ => {}
        }
    }
    Ok((context.ok_or(Broken)?, signature))
}

fn parse_method(message: &[u8]) -> Result<MethodHeader<'_>, Broken> {
    let (mut method, mut protocol, mut version) = (None, None, None);
    let mut fields = Fields::new(message);
    while let Some(field) = fields.next()? {
        match field {
            (1, Value::Bytes(value)) => method = Some(value),
            (2, Value::Bytes(value)) => protocol = Some(value),
            (3, Value::Varint(value)) => version = Some(value),
            (1..=3, _) => return Err(Broken),
            _ => {}
        }
    }
    let text = |bytes| std::str::from_utf8(bytes).map_err(|_| Broken);
    Ok(MethodHeader {
        method: text(method.ok_or(Broken)?)?,
        protocol: text(protocol.ok_or(Broken)?)?,
        version: version.ok_or(Broken)?,
    })
}

/// Decodes the delimited message at the front of `input`.
///
/// # Errors
/// When it is not there as a valid message; `what` names it in the error.
pub fn decode_delimited<M: Message + Default>(
    mut input: &[u8],
    what: &'static str,
) -> Result<M, MalformedRequest> {
    let message = take_delimited(&mut input).map_err(|_| MalformedRequest { what })?;
    M::decode(message).map_err(|_| MalformedRequest { what })
}

/// The delimited message at the front of `input`, undecoded, and what follows it; `None` when it is not whole.
pub fn split_delimited(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut rest = input;
    let message = take_delimited(&mut rest).ok()?;
    Some((message, rest))
}

/// Who connects to what: the content of the connection context.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Context<'a> {
    /// The effective user; none where SASL has told.
    pub user: Option<&'a str>,
    /// The user that impersonates it.
    pub real_user: Option<&'a str>,
    /// The protocol's Java name.
    pub protocol: &'a str,
}

fn special_header(call_id: i32, client_id: &[u8]) -> RpcRequestHeaderProto {
    RpcRequestHeaderProto {
        rpc_kind: Some(RpcKindProto::RpcProtocolBuffer.into()),
        rpc_op: Some(OperationProto::RpcFinalPacket.into()),
        call_id,
        client_id: Bytes::copy_from_slice(client_id),
        retry_count: Some(INVALID_RETRY_COUNT),
        ..RpcRequestHeaderProto::default()
    }
}

/// Writes a connection context.
pub fn encode_context(out: &mut BytesMut, client_id: ClientId, context: Context<'_>) {
    let message = IpcConnectionContextProto {
        user_info: Some(UserInformationProto {
            effective_user: context.user.map(str::to_owned),
            real_user: context.real_user.map(str::to_owned),
        }),
        protocol: Some(context.protocol.to_owned()),
    };
    let header = special_header(CONNECTION_CONTEXT_CALL_ID, &client_id.0);
    put_frame(out, &header, Some(&message.encode_to_vec()));
}

/// Writes a ping.
pub fn encode_ping(out: &mut BytesMut) {
    put_frame(out, &special_header(PING_CALL_ID, &[]), None);
}

/// Writes a client's SASL message.
pub fn encode_sasl_request(out: &mut BytesMut, message: &RpcSaslProto) {
    put_frame(out, &special_header(SASL_CALL_ID, &[]), Some(&message.encode_to_vec()));
}

/// Writes a call. `header` brings what is optional; its kind, operation, call and client are set here.
pub fn encode_request<M: Message>(
    out: &mut BytesMut,
    key: (ClientId, CallId),
    header: RpcRequestHeaderProto,
    method: &RequestHeaderProto,
    request: &M,
) {
    let header = RpcRequestHeaderProto {
        rpc_kind: Some(RpcKindProto::RpcProtocolBuffer.into()),
        rpc_op: Some(OperationProto::RpcFinalPacket.into()),
        client_id: Bytes::copy_from_slice(&key.0.0),
        call_id: key.1.0,
        ..header
    };
    let delimited = |length: usize| length + length_delimiter_len(length);
    let length = delimited(header.encoded_len())
        + delimited(method.encoded_len())
        + delimited(request.encoded_len());
    out.reserve(4 + length);
    out.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
    for encoded in [
        header.encode_length_delimited(out),
        method.encode_length_delimited(out),
        request.encode_length_delimited(out),
    ] {
        encoded.expect("a BytesMut grows as needed");
    }
}
