//! A traced call becomes a span at the collector.

#![expect(clippy::unwrap_used, reason = "the whole file is a test")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

use bytes::BytesMut;
use hdfs_format::rpc::{AuthProtocol, Context, encode_context, encode_preamble, encode_request};
use hdfs_proto::common::{RequestHeaderProto, RpcRequestHeaderProto, RpcTraceInfoProto};
use hdfs_proto::hdfs::GetFileInfoRequestProto;
use hdfs_rt::otlp::Exporter;
use hdfs_rt::rpc::server::{Protocol, Reply, RpcCall, RpcService, Server, ServerConf};
use hdfs_types::{CallId, ClientId, Error, ErrorKind};
use serde_json::Value;

const NAME: &str = "org.example.Parrot";

struct Parrot;

impl RpcService for Parrot {
    fn protocols(&self) -> &[Protocol] {
        &[Protocol { java_name: NAME, version: 1 }]
    }

    fn call(&self, call: RpcCall<'_>) -> Reply {
        let body = call.body.clone();
        match call.method {
            "later" => Reply::later(async move { Ok(body) }),
            _ => Reply::error(Error::new(ErrorKind::Standby, "not the active one")),
        }
    }
}

/// Takes one request of an exporter.
fn collect(listener: &TcpListener) -> Value {
    let (mut stream, _) = listener.accept().unwrap();
    let mut text = String::new();
    let mut part = [0; 4_096];
    let body = loop {
        let count = stream.read(&mut part).unwrap();
        assert!(count > 0, "the exporter sends a whole request: {text}");
        text.push_str(std::str::from_utf8(&part[..count]).unwrap());
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        assert!(head.starts_with("POST /v1/traces HTTP/1.1\r\n"), "{head}");
        let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).unwrap();
        if body.len() == length.parse::<usize>().unwrap() {
            break serde_json::from_str(body).unwrap();
        }
    };
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").unwrap();
    body
}

fn call(out: &mut BytesMut, client: ClientId, number: i32, method: &str, context: Option<&str>) {
    let trace_info = context.map(|context| RpcTraceInfoProto {
        span_context: Some(bytes::Bytes::copy_from_slice(context.as_bytes())),
        ..RpcTraceInfoProto::default()
    });
    let header = RpcRequestHeaderProto { trace_info, ..RpcRequestHeaderProto::default() };
    let method = RequestHeaderProto {
        method_name: method.to_owned(),
        declaring_class_protocol_name: NAME.to_owned(),
        client_protocol_version: 1,
    };
    let request = GetFileInfoRequestProto { src: "/a".to_owned() };
    encode_request(out, (client, CallId(number)), header, &method, &request);
}

#[test]
fn a_traced_call_becomes_a_span_of_its_clients_trace() {
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}/v1/traces", collector.local_addr().unwrap());
    let mut conf = ServerConf::new(SocketAddr::from(([127, 0, 0, 1], 0)));
    conf.spans = Some(Exporter::start(&endpoint).unwrap());
    let server = Server::start(conf, vec![Arc::new(Parrot)]).unwrap();

    let client = ClientId([5; 16]);
    let mut out = BytesMut::new();
    encode_preamble(&mut out, AuthProtocol::None);
    encode_context(
        &mut out,
        client,
        Context { user: Some("alice"), real_user: None, protocol: NAME },
    );
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let context = format!("00-{trace}-b7ad6b7169203331-01");
    call(&mut out, client, 0, "later", None);
    call(&mut out, client, 1, "later", Some(&context));
    call(&mut out, client, 2, "fail", Some(&context));
    let mut stream = TcpStream::connect(server.local_addr()).unwrap();
    stream.write_all(&out).unwrap();

    let request = collect(&collector);
    let spans = request["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap().clone();
    assert_eq!(spans.len(), 2, "the call without a trace has no span: {request}");
    let named = |name: &str| spans.iter().find(|span| span["name"] == name).unwrap();
    let (later, fail) = (named("Parrot/later"), named("Parrot/fail"));
    for span in [later, fail] {
        assert_eq!(
            (&span["traceId"], &span["parentSpanId"]),
            (&Value::from(trace), &Value::from("b7ad6b7169203331"))
        );
        let nanos = |field: &str| span[field].as_str().unwrap().parse::<u128>().unwrap();
        assert!(nanos("startTimeUnixNano") <= nanos("endTimeUnixNano"));
    }
    assert_ne!(later["spanId"], fail["spanId"]);
    assert_eq!(fail["status"]["message"], "not the active one");
    assert!(later["attributes"].to_string().contains("alice"));
}
