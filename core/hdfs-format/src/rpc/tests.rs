//! Frames and headers against recorded bytes, against prost, and against noise.

use bytes::{Bytes, BytesMut};
use hdfs_proto::common::rpc_response_header_proto::{RpcErrorCodeProto, RpcStatusProto};
use hdfs_proto::common::{
    IpcConnectionContextProto, RequestHeaderProto, RpcCallerContextProto, RpcRequestHeaderProto,
};
use hdfs_proto::hdfs::{GetFileInfoRequestProto, GetFileInfoResponseProto};
use hdfs_proto::prost::Message;
use hdfs_types::{CallId, ClientId};
use proptest::prelude::*;

use super::response::put_frame;
use super::*;

const CLIENT: &[u8] =
    include_bytes!("../../../../testdata/hadoop-3.5.0/rpc/mkdir-denied-client.bin");
const SERVER: &[u8] =
    include_bytes!("../../../../testdata/hadoop-3.5.0/rpc/mkdir-denied-server.bin");

fn frames(bytes: &[u8]) -> Vec<Bytes> {
    let mut buffer = FrameBuffer::default();
    buffer.space().extend_from_slice(bytes);
    let mut all = Vec::new();
    while let Some(frame) = buffer.next(DEFAULT_MAX_FRAME_BYTES).unwrap() {
        all.push(frame);
    }
    assert!(buffer.pending().is_empty(), "bytes are left after the last frame");
    all
}

#[test]
fn apaches_client_is_understood() {
    let expected = Preamble { service_class: 0, auth: 0 };
    assert_eq!(read_preamble(CLIENT), PreambleOutcome::Rpc(expected));
    let frames = frames(&CLIENT[7..]);
    assert_eq!(frames.len(), 4);
    let context = read_request(&frames[0]).unwrap();
    assert_eq!(context.header.call_id, CONNECTION_CONTEXT_CALL_ID);
    assert_eq!(context.header.retry_count, INVALID_RETRY_COUNT);
    let context: IpcConnectionContextProto = decode_delimited(context.rest, "context").unwrap();
    assert_eq!(context.user_info.unwrap().effective_user.as_deref(), Some("alice"));
    let calls: Vec<String> = frames[1..]
        .iter()
        .map(|frame| {
            let request = read_request(frame).unwrap();
            let header = request.header;
            assert_eq!(header.client_id.len(), 16);
            assert_eq!(header.caller_context, Some((b"CLI".as_slice(), None)));
            let (method, body) = request.method().unwrap();
            let retry = header.retry_count;
            format!(
                "{} {retry} {} {} {}",
                header.call_id,
                method.method,
                method.version,
                body.len()
            )
        })
        .collect();
    assert_eq!(calls, ["0 0 getFileInfo 1 9", "1 0 getFileInfo 1 3", "2 0 mkdirs 1 21"]);
}

#[test]
fn a_request_is_written_as_by_apaches_client() {
    let recorded = &frames(&CLIENT[7..])[1];
    let parts = read_request(recorded).unwrap();
    let mut out = BytesMut::new();
    encode_preamble(&mut out, AuthProtocol::None);
    assert_eq!(out, CLIENT[..7]);
    out.clear();
    let header = RpcRequestHeaderProto {
        retry_count: Some(0),
        caller_context: Some(RpcCallerContextProto { context: "CLI".to_owned(), signature: None }),
        ..RpcRequestHeaderProto::default()
    };
    let method = RequestHeaderProto {
        method_name: "getFileInfo".to_owned(),
        declaring_class_protocol_name: "org.apache.hadoop.hdfs.protocol.ClientProtocol".to_owned(),
        client_protocol_version: 1,
    };
    let key = (ClientId::from_wire(parts.header.client_id), CallId(parts.header.call_id));
    let request = GetFileInfoRequestProto { src: "/denied".to_owned() };
    encode_request(&mut out, key, header, &method, &request);
    assert_eq!(frames(&out)[0], *recorded);
}

#[test]
fn answers_are_written_as_by_apaches_namenode() {
    let frames = frames(SERVER);
    assert_eq!(frames.len(), 3);
    for (index, frame) in frames.iter().enumerate() {
        let response = decode_response(frame.clone()).unwrap();
        let header = &response.header;
        assert_eq!(response.call_id(), i32::try_from(index).unwrap());
        let client_id = header.client_id.clone().unwrap();
        let to = ReplyTo {
            call_id: response.call_id(),
            client_id: &client_id,
            retry_count: header.retry_count.unwrap(),
            ..ReplyTo::default()
        };
        let mut out = BytesMut::new();
        if let Some(class) = &header.exception_class_name {
            let error = ErrorReply {
                status: RpcStatusProto::Error,
                detail: RpcErrorCodeProto::ErrorApplication,
                class,
                message: header.error_msg.as_deref().unwrap(),
            };
            assert_eq!(class, "org.apache.hadoop.security.AccessControlException");
            encode_error(&mut out, &to, &error);
        } else {
            GetFileInfoResponseProto::decode(response.body.clone()).unwrap();
            encode_success(&mut out, &to, &response.body);
        }
        assert_eq!(out[4..], **frame, "frame {index}");
    }
}

#[test]
fn other_first_bytes_are_told_apart() {
    use PreambleOutcome::*;
    assert_eq!(read_preamble(b"hrpc\x09\0"), NeedMore);
    assert_eq!(read_preamble(b"GET / HTTP/1.1"), HttpGet);
    assert_eq!(read_preamble(b"hrpc\x04P\0"), OtherVersion { is_hadoop: true, version: 4 });
    let garbage = OtherVersion { is_hadoop: false, version: -1 };
    assert_eq!(read_preamble(b"\x16\x03\x01\x02\xFF\x01\0"), garbage);
}

#[test]
fn other_versions_get_an_answer_that_they_understand() {
    let answer = |version| {
        let mut out = BytesMut::new();
        encode_version_mismatch(&mut out, version);
        out
    };
    let text = "Server IPC version 9 cannot communicate with client version ";
    let new = decode_response(frames(&answer(12))[0].clone()).unwrap();
    assert_eq!(new.header.status, i32::from(RpcStatusProto::Fatal));
    assert_eq!(new.header.error_msg.unwrap(), format!("{text}12"));
    assert_eq!(new.header.call_id, u32::MAX);
    let old = answer(4);
    assert_eq!(old[..8], [0xFF; 8], "call -1, status fatal");
    assert!(old.ends_with(format!("{text}4").as_bytes()));
    let oldest = answer(2);
    assert_eq!(oldest[..5], [0, 0, 0, 0, 1]);
    assert!(answer(1).is_empty() && answer(-1).is_empty());
}

#[test]
fn a_length_is_refused_before_its_bytes_are_there() {
    let limit = MAX_HANDSHAKE_FRAME_BYTES;
    let refusal = |length: i32| {
        let mut buffer = FrameBuffer::default();
        buffer.space().extend_from_slice(&length.to_be_bytes());
        buffer.next(limit)
    };
    assert_eq!(refusal(-1), Err(FrameError::Negative(-1)));
    assert_eq!(refusal(i32::MIN), Err(FrameError::Negative(i32::MIN)));
    assert_eq!(refusal(65_537), Err(FrameError::TooLong { length: 65_537, limit }));
    assert_eq!(refusal(65_536), Ok(None));
    let words = FrameError::TooLong { length: 65_537, limit }.describe("10.0.0.1");
    assert!(words.starts_with("Requested data length 65537 is longer than maximum"), "{words}");
}

#[test]
fn an_announced_length_reserves_no_memory() {
    let mut buffer = FrameBuffer::default();
    buffer.space().extend_from_slice(&(120_i32 << 20).to_be_bytes());
    assert_eq!(buffer.next(DEFAULT_MAX_FRAME_BYTES), Ok(None));
    assert!(buffer.space().capacity() <= 32 << 10, "{}", buffer.space().capacity());
}

#[test]
fn a_long_frame_does_not_keep_its_memory() {
    let mut buffer = FrameBuffer::default();
    let length = 4_usize << 20;
    buffer.space().extend_from_slice(&u32::try_from(length).unwrap().to_be_bytes());
    buffer.space().extend_from_slice(&vec![7; length]);
    buffer.space().extend_from_slice(&[0, 0, 0, 1, 9]);
    assert_eq!(buffer.next(8 << 20).unwrap().map(|frame| frame.len()), Some(length));
    assert_eq!(buffer.next(8 << 20).unwrap().as_deref(), Some([9].as_slice()));
    assert!(buffer.space().capacity() <= 64 << 10, "{}", buffer.space().capacity());
}

#[test]
fn a_context_survives_the_wire() {
    let mut out = BytesMut::new();
    let context = Context { user: Some("bob"), real_user: Some("oozie"), protocol: "p" };
    encode_context(&mut out, ClientId([7; 16]), context);
    encode_ping(&mut out);
    let frames = frames(&out);
    let parts = read_request(&frames[0]).unwrap();
    assert_eq!(parts.header.client_id, [7; 16]);
    let read: IpcConnectionContextProto = decode_delimited(parts.rest, "context").unwrap();
    let user = read.user_info.unwrap();
    assert_eq!(user.effective_user.as_deref(), Some("bob"));
    assert_eq!(user.real_user.as_deref(), Some("oozie"));
    let ping = read_request(&frames[1]).unwrap();
    assert_eq!((ping.header.call_id, ping.rest), (PING_CALL_ID, [].as_slice()));
}

fn any_header() -> impl Strategy<Value = RpcRequestHeaderProto> {
    let optional_bytes = || proptest::option::of(proptest::collection::vec(any::<u8>(), 0..40));
    (
        (any::<Option<i32>>(), any::<Option<i32>>(), any::<i32>(), any::<Option<i32>>()),
        proptest::collection::vec(any::<u8>(), 0..20),
        (proptest::option::of(".{0,20}"), optional_bytes()),
        (any::<Option<i64>>(), optional_bytes(), optional_bytes()),
    )
        .prop_map(
            |(numbers, client_id, (context, signature), (state_id, federated, extra))| {
                RpcRequestHeaderProto {
                    rpc_kind: numbers.0,
                    rpc_op: numbers.1,
                    call_id: numbers.2,
                    client_id: client_id.into(),
                    retry_count: numbers.3,
                    trace_info: None,
                    caller_context: context.map(|context| RpcCallerContextProto {
                        context,
                        signature: signature.map(Bytes::from),
                    }),
                    state_id,
                    router_federated_state: federated.map(Bytes::from),
                    authorization_header: extra.map(Bytes::from),
                }
            },
        )
}

proptest! {
    #[test]
    fn the_borrowed_header_reads_what_prost_writes(header in any_header(), rest in ".{0,30}") {
        let mut frame = header.encode_length_delimited_to_vec();
        frame.extend_from_slice(rest.as_bytes());
        let parts = read_request(&frame).unwrap();
        let read = parts.header;
        prop_assert_eq!(read.rpc_kind, header.rpc_kind);
        prop_assert_eq!(read.rpc_op, header.rpc_op);
        prop_assert_eq!(read.call_id, header.call_id);
        prop_assert_eq!(read.client_id, &header.client_id[..]);
        prop_assert_eq!(read.retry_count, header.retry_count.unwrap_or(-1));
        prop_assert_eq!(read.state_id, header.state_id);
        prop_assert_eq!(read.router_federated_state, header.router_federated_state.as_deref());
        let context = header.caller_context.as_ref();
        let expected = context.map(|c| (c.context.as_bytes(), c.signature.as_deref()));
        prop_assert_eq!(read.caller_context, expected);
        prop_assert_eq!(parts.rest, rest.as_bytes());
    }

    #[test]
    fn the_fast_success_header_is_what_prost_writes(
        call_id in any::<i32>(),
        retry_count in any::<i32>(),
        state_id in any::<Option<i64>>(),
        client_id in proptest::collection::vec(any::<u8>(), 0..18),
        body in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let to = ReplyTo { call_id, client_id: &client_id, retry_count, state_id, router_federated_state: None };
        let mut fast = BytesMut::new();
        encode_success(&mut fast, &to, &body);
        let response = decode_response(frames(&fast)[0].clone()).unwrap();
        prop_assert_eq!(&response.body[..], &body[..]);
        prop_assert_eq!(response.call_id(), call_id);
        let mut slow = BytesMut::new();
        put_frame(&mut slow, &response.header, Some(&body));
        prop_assert_eq!(fast, slow);
    }

    #[test]
    fn frames_do_not_depend_on_how_reads_cut_them(
        bodies in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 0..20),
        cuts in proptest::collection::vec(1_usize..50, 1..200),
    ) {
        let mut stream = Vec::new();
        for body in &bodies {
            stream.extend_from_slice(&u32::try_from(body.len()).unwrap().to_be_bytes());
            stream.extend_from_slice(body);
        }
        let mut buffer = FrameBuffer::default();
        let (mut read, mut rest) = (Vec::new(), &stream[..]);
        for cut in cuts.iter().cycle() {
            let (part, after) = rest.split_at((*cut).min(rest.len()));
            buffer.space().extend_from_slice(part);
            while let Some(frame) = buffer.next(200).unwrap() {
                read.push(frame.to_vec());
            }
            if after.is_empty() {
                break;
            }
            rest = after;
        }
        prop_assert_eq!(read, bodies);
    }

    #[test]
    fn noise_is_refused_without_a_panic(noise in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = read_preamble(&noise);
        if let Ok(parts) = read_request(&noise) {
            let _ = parts.method();
        }
        let _ = decode_response(Bytes::from(noise.clone()));
        let mut buffer = FrameBuffer::default();
        buffer.space().extend_from_slice(&noise);
        while let Ok(Some(_)) = buffer.next(1_000) {}
    }
}
