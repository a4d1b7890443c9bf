//! Server and client of this crate on loopback: calls of all kinds, refusals, lost connections and hostile bytes.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use hdfs_format::rpc as wire;
use hdfs_proto::common::rpc_response_header_proto::{RpcErrorCodeProto, RpcStatusProto};
use hdfs_proto::common::rpc_sasl_proto::SaslState;
use hdfs_proto::common::{
    GetProtocolVersionsRequestProto, GetProtocolVersionsResponseProto, RequestHeaderProto,
    RpcRequestHeaderProto, RpcResponseHeaderProto, RpcSaslProto,
};
use hdfs_proto::hdfs::GetFileInfoRequestProto;
use hdfs_rt::rpc::client::{CallOptions, ClientConf, Proxy, RpcClient, Ugi};
use hdfs_rt::rpc::server::{
    CallerContext, Protocol, ProxyUsers, Reply, RpcCall, RpcService, Server, ServerConf, Workers,
};
use hdfs_types::{CallId, ClientId, Error, ErrorKind};
use prost::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const PROTOCOL: Protocol = Protocol { java_name: "org.example.Parrot", version: 1 };

/// Answers by method: what it was told, an error, later, never.
#[derive(Default)]
struct Parrot {
    calls: AtomicU32,
}

impl RpcService for Parrot {
    fn protocols(&self) -> &[Protocol] {
        &[PROTOCOL]
    }

    fn call(&self, call: RpcCall<'_>) -> Reply {
        self.calls.fetch_add(1, Ordering::Relaxed);
        match call.method {
            "echo" => Reply::Now(Ok(call.body)),
            "who" => {
                let real = call.caller.real_user.as_deref().unwrap_or("-");
                let context = call.caller_context.map(|c| c.context).unwrap_or_default();
                let text = format!(
                    "{} {real} {context} {} {:?}",
                    call.caller.user, call.retry_count, call.state_id
                );
                Reply::message(&GetFileInfoRequestProto { src: text })
            }
            "fail" => Reply::error(Error::new(ErrorKind::Standby, "not the active one")),
            "later" => {
                let body = call.body;
                let delay = u64::from(*body.last().unwrap_or(&0) % 10) * 5;
                Reply::later(async move {
                    tokio::time::sleep(Duration::from_millis(delay)).await;
                    Ok(body)
                })
            }
            "never" => Reply::later(std::future::pending()),
            _ => call.no_such_method(),
        }
    }

    fn state_id(&self) -> Option<i64> {
        Some(42)
    }
}

fn conf() -> ServerConf {
    let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
    let workers = Workers::new(2, "test").unwrap();
    ServerConf { workers: Some(workers), ..ServerConf::new(loopback) }
}

fn start(conf: ServerConf) -> Server {
    Server::start(conf, vec![Arc::new(Parrot::default())]).unwrap()
}

fn quick() -> ClientConf {
    ClientConf {
        connect_max_retries: 0,
        connect_retry_interval: Duration::from_millis(20),
        ..ClientConf::default()
    }
}

fn proxy(server: &Server, client: &RpcClient) -> Proxy {
    Proxy::new(server.local_addr(), PROTOCOL, client, &Arc::new(Ugi::new("alice")))
}

fn said(text: &str) -> GetFileInfoRequestProto {
    GetFileInfoRequestProto { src: text.to_owned() }
}

async fn ask(proxy: &Proxy, method: &str, text: &str) -> Result<String, Error> {
    let answer: GetFileInfoRequestProto = proxy.call(method, &said(text)).await?;
    Ok(answer.src)
}

#[tokio::test]
async fn calls_are_answered_and_errors_keep_their_class() {
    let server = start(conf());
    let client = RpcClient::new(quick());
    let proxy = proxy(&server, &client);
    assert_eq!(ask(&proxy, "echo", "hello").await.unwrap(), "hello");
    let error = ask(&proxy, "fail", "").await.unwrap_err();
    assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Standby, "not the active one"));
    let error = ask(&proxy, "sing", "").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::RpcNoSuchMethod);
    assert_eq!(error.message, "Unknown method sing called on org.example.Parrot protocol.");
    let metrics = server.metrics();
    let counted = metrics.snapshot();
    assert_eq!((counted.successes, counted.failures), (1, 2));
    assert_eq!(counted.processing_time.count, 3);
    assert_eq!(counted.methods["echo"].time.count, 1);
    assert_eq!((counted.methods["fail"].time.count, counted.methods["fail"].failures), (0, 1));
    assert_eq!(counted.exceptions["StandbyException"].time.count, 1);
    assert!(!counted.methods.contains_key("sing"), "a name that a client invented is not kept");
    assert_eq!(counted.calls_by_user["alice"]["echo"], 1);
    assert_eq!(counted.connections_by_user["alice"], 1);
}

#[tokio::test]
async fn unknown_protocols_and_versions_are_named() {
    let server = start(conf());
    let client = RpcClient::new(quick());
    let ugi = Arc::new(Ugi::new("alice"));
    let call = async |java_name, version| {
        let protocol = Protocol { java_name, version };
        let proxy = Proxy::new(server.local_addr(), protocol, &client, &ugi);
        ask(&proxy, "echo", "").await.unwrap_err()
    };
    let error = call("org.example.Gull", 1).await;
    assert_eq!(error.kind, ErrorKind::RpcNoSuchProtocol);
    assert_eq!(error.message, "Unknown protocol: org.example.Gull");
    let error = call("org.example.Parrot", 3).await;
    assert_eq!(error.kind, ErrorKind::RpcVersionMismatch);
    let text = "Protocol org.example.Parrot version mismatch. (client = 3, server = 1)";
    assert_eq!(error.message, text);
}

#[tokio::test]
async fn a_thousand_concurrent_calls_share_one_connection_and_answer_out_of_order() {
    let server = start(conf());
    let client = RpcClient::new(quick());
    let proxy = proxy(&server, &client);
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..1_000_u32 {
        let proxy = proxy.clone();
        tasks.spawn(async move {
            let text = format!("call {number}");
            let method = if number % 2 == 0 { "later" } else { "echo" };
            assert_eq!(ask(&proxy, method, &text).await.unwrap(), text);
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    assert_eq!(server.metrics().open_connections.load(Ordering::Relaxed), 1);
    assert_eq!(server.metrics().calls_in_flight(), 0);
}

#[tokio::test]
async fn a_full_connection_is_not_read_until_a_call_is_answered() {
    let server = start(ServerConf { max_calls_in_flight: 4, ..conf() });
    let client = RpcClient::new(quick());
    let proxy = proxy(&server, &client);
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..50_u32 {
        let proxy = proxy.clone();
        tasks.spawn(async move {
            let text = number.to_string();
            assert_eq!(ask(&proxy, "later", &text).await.unwrap(), text);
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
}

#[tokio::test]
async fn the_caller_and_its_options_reach_the_service() {
    let server = start(conf());
    let client = RpcClient::new(quick());
    let proxy = proxy(&server, &client);
    let options = CallOptions {
        retry_count: 3,
        caller_context: Some(Arc::new(CallerContext {
            context: "job_7".to_owned(),
            signature: None,
        })),
        state_id: Some(17),
        ..CallOptions::default()
    };
    let answer =
        proxy.call_with::<_, GetFileInfoRequestProto>("who", &said(""), options).await.unwrap();
    assert_eq!(answer.message.src, "alice - job_7 3 Some(17)");
    assert_eq!(answer.state_id, Some(42));
}

#[tokio::test]
async fn impersonation_needs_a_rule() {
    let rules = [
        ("hadoop.proxyuser.oozie.groups", "staff"),
        ("hadoop.proxyuser.oozie.hosts", "127.0.0.0/8"),
        ("hadoop.proxyuser.hive.users", "*"),
        ("hadoop.proxyuser.hive.hosts", "10.1.1.1"),
        ("fs.defaultFS", "hdfs://x"),
    ];
    let groups = |user: &str| match user {
        "alice" => vec!["staff".to_owned()],
        _ => Vec::new(),
    };
    let authorizer = Arc::new(ProxyUsers::new(rules, Arc::new(groups)));
    let server = start(ServerConf { authorizer: Some(authorizer), ..conf() });
    let client = RpcClient::new(quick());
    let call = async |user: &str, real: &str| {
        let ugi = Arc::new(Ugi::proxy(user, real));
        let proxy = Proxy::new(server.local_addr(), PROTOCOL, &client, &ugi);
        ask(&proxy, "who", "").await
    };
    assert_eq!(call("alice", "oozie").await.unwrap(), "alice oozie  0 None");
    let error = call("bob", "oozie").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Authorization);
    assert_eq!(error.message, "User: oozie is not allowed to impersonate bob");
    let error = call("bob", "hive").await.unwrap_err();
    assert_eq!(error.message, "Unauthorized connection for super-user: hive from IP 127.0.0.1");
    let error = call("bob", "mallory").await.unwrap_err();
    assert_eq!(error.message, "User: mallory is not allowed to impersonate bob");
    let alone = start(conf());
    let ugi = Arc::new(Ugi::proxy("alice", "oozie"));
    let error = ask(&Proxy::new(alone.local_addr(), PROTOCOL, &client, &ugi), "who", "").await;
    assert_eq!(error.unwrap_err().kind, ErrorKind::Authorization);
}

#[tokio::test]
async fn versions_of_protocols_are_told() {
    let server = start(conf());
    let client = RpcClient::new(quick());
    let meta = Protocol { java_name: "org.apache.hadoop.ipc.ProtocolMetaInfoPB", version: 1 };
    let proxy = Proxy::new(server.local_addr(), meta, &client, &Arc::new(Ugi::new("alice")));
    let versions = async |protocol: &str| {
        let request = GetProtocolVersionsRequestProto { protocol: protocol.to_owned() };
        let answer: GetProtocolVersionsResponseProto =
            proxy.call("getProtocolVersions", &request).await.unwrap();
        answer.protocol_versions[0].versions.clone()
    };
    assert_eq!(versions("org.example.Parrot").await, [1]);
    assert_eq!(versions("org.example.protocolPB.ParrotPB").await, [1]);
    assert!(versions("org.example.Gull").await.is_empty());
}

#[tokio::test]
async fn a_refused_connection_says_where_in_hadoops_words() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    drop(listener);
    let client = RpcClient::new(ClientConf { connect_max_retries: 2, ..quick() });
    let proxy = Proxy::new(addr, PROTOCOL, &client, &Arc::new(Ugi::new("alice")));
    let error = ask(&proxy, "echo", "").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Connect);
    let text = format!(
        " to {addr} failed on connection exception: java.net.ConnectException: Connection refused; \
         For more details see:  http://wiki.apache.org/hadoop/ConnectionRefused"
    );
    assert!(error.message.starts_with("Call From "), "{error}");
    assert!(error.message.ends_with(&text), "{error}");
}

#[tokio::test]
async fn a_call_that_gets_no_answer_times_out_and_others_go_on() {
    let server = start(conf());
    let client = RpcClient::new(quick());
    let proxy = proxy(&server, &client);
    let limit = Some(Duration::from_millis(100));
    let options = CallOptions { timeout: limit, ..CallOptions::default() };
    let error = proxy
        .call_with::<_, GetFileInfoRequestProto>("never", &said(""), options)
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::SocketTimeout);
    assert!(error.message.contains("100 millis timeout while waiting"), "{error}");
    assert_eq!(ask(&proxy, "echo", "still here").await.unwrap(), "still here");
}

/// A server that reads one call and closes, so often; then it is the real one's turn.
#[tokio::test]
async fn a_lost_call_is_sent_again_under_its_id_with_a_growing_retry_count() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let seen = tokio::spawn(async move {
        let mut seen = Vec::new();
        for _ in 0..3 {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut frames = wire::FrameBuffer::default();
            while frames.pending().len() < 7 {
                stream.read_buf(frames.space()).await.unwrap();
            }
            frames.advance(7);
            let call = loop {
                match frames.next(1 << 20).unwrap() {
                    Some(frame) => {
                        let header = wire::read_request(&frame).unwrap().header;
                        if header.call_id >= 0 {
                            break (header.call_id, header.retry_count);
                        }
                    }
                    None => assert_ne!(stream.read_buf(frames.space()).await.unwrap(), 0),
                }
            };
            seen.push(call);
        }
        seen
    });
    let client = RpcClient::new(quick());
    let proxy = Proxy::new(addr, PROTOCOL, &client, &Arc::new(Ugi::new("alice")));
    let options =
        CallOptions { call_id: Some(CallId(77)), max_resends: 2, ..CallOptions::default() };
    let error = proxy
        .call_with::<_, GetFileInfoRequestProto>("echo", &said(""), options)
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Eof, "{error}");
    assert!(error.message.starts_with("End of File Exception between local host"), "{error}");
    assert_eq!(seen.await.unwrap(), [(77, 0), (77, 1), (77, 2)]);
}

#[tokio::test]
async fn an_idle_connection_closes_and_the_next_call_opens_another() {
    let server = start(conf());
    let client = RpcClient::new(ClientConf { max_idle: Duration::from_millis(50), ..quick() });
    let proxy = proxy(&server, &client);
    assert_eq!(ask(&proxy, "echo", "1").await.unwrap(), "1");
    let open = || server.metrics().open_connections.load(Ordering::Relaxed);
    wait_until(|| open() == 0).await;
    assert_eq!(ask(&proxy, "echo", "2").await.unwrap(), "2");
    drop((proxy, client));
    wait_until(|| open() == 0).await;
}

#[tokio::test]
async fn a_restarted_server_is_found_again() {
    let first = start(conf());
    let addr = first.local_addr();
    let client = RpcClient::new(ClientConf { connect_max_retries: 50, ..quick() });
    let proxy = proxy(&first, &client);
    assert_eq!(ask(&proxy, "echo", "1").await.unwrap(), "1");
    drop(first);
    let waiting = tokio::spawn(async move {
        loop {
            // The first call after the end may meet the old connection.
            match ask(&proxy, "echo", "2").await {
                Err(error) if error.kind == ErrorKind::Eof => {}
                other => return other,
            }
        }
    });
    let second = loop {
        match Server::start(ServerConf { bind: addr, ..conf() }, vec![Arc::new(Parrot::default())])
        {
            Ok(server) => break server,
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    };
    assert_eq!(waiting.await.unwrap().unwrap(), "2");
    drop(second);
}

async fn wait_until(condition: impl Fn() -> bool) {
    for _ in 0..500 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the condition did not come true in five seconds");
}

// What follows speaks to the server byte by byte.

struct Raw {
    stream: TcpStream,
    out: BytesMut,
}

impl Raw {
    async fn connect(server: &Server) -> Self {
        let stream = TcpStream::connect(server.local_addr()).await.unwrap();
        Self { stream, out: BytesMut::new() }
    }

    fn greeted(mut self) -> Self {
        wire::encode_preamble(&mut self.out, wire::AuthProtocol::None);
        self.context()
    }

    fn context(mut self) -> Self {
        let context =
            wire::Context { user: Some("eve"), real_user: None, protocol: PROTOCOL.java_name };
        wire::encode_context(&mut self.out, ClientId([1; 16]), context);
        self
    }

    fn call(
        mut self,
        call_id: i32,
        method: &str,
        edit: impl Fn(&mut RpcRequestHeaderProto),
    ) -> Self {
        let mut header = RpcRequestHeaderProto {
            rpc_kind: Some(2),
            rpc_op: Some(0),
            call_id,
            client_id: Bytes::from_static(&[1; 16]),
            retry_count: Some(0),
            ..RpcRequestHeaderProto::default()
        };
        edit(&mut header);
        let method = RequestHeaderProto {
            method_name: method.to_owned(),
            declaring_class_protocol_name: PROTOCOL.java_name.to_owned(),
            client_protocol_version: 1,
        };
        let mut body = header.encode_length_delimited_to_vec();
        body.extend(method.encode_length_delimited_to_vec());
        body.extend(said("x").encode_length_delimited_to_vec());
        self.out.put_u32(body.len() as u32);
        self.out.put_slice(&body);
        self
    }

    fn bytes(mut self, bytes: &[u8]) -> Self {
        self.out.put_slice(bytes);
        self
    }

    async fn send(mut self) -> Self {
        self.stream.write_all(&self.out).await.unwrap();
        self.out.clear();
        self
    }

    /// Everything until the server closes.
    async fn until_closed(mut self) -> Vec<u8> {
        let mut all = Vec::new();
        let read = self.stream.read_to_end(&mut all);
        // A reset is a close as well: the server leaves what it does not want to read.
        let _ = tokio::time::timeout(Duration::from_secs(5), read).await.expect("it closes");
        all
    }

    /// The headers of the answers until the server closes.
    async fn answers(self) -> Vec<RpcResponseHeaderProto> {
        let bytes = self.until_closed().await;
        let mut frames = wire::FrameBuffer::default();
        frames.space().extend_from_slice(&bytes);
        let mut all = Vec::new();
        while let Some(frame) = frames.next(1 << 20).unwrap() {
            all.push(wire::decode_response(frame).unwrap().header);
        }
        all
    }
}

fn is_fatal(answers: &[RpcResponseHeaderProto], detail: RpcErrorCodeProto, message: &str) {
    let last = answers.last().expect("there is an answer");
    assert_eq!(last.status, i32::from(RpcStatusProto::Fatal), "{last:?}");
    assert_eq!(last.error_detail, Some(detail.into()), "{last:?}");
    assert_eq!(last.error_msg.as_deref(), Some(message));
}

#[tokio::test]
async fn an_http_get_gets_hadoops_hint() {
    let server = start(conf());
    let raw = Raw::connect(&server).await.bytes(b"GET /jmx HTTP/1.1\r\n\r\n").send().await;
    let text = String::from_utf8(raw.until_closed().await).unwrap();
    assert!(text.starts_with("HTTP/1.1 404 Not Found\r\n"), "{text}");
    assert!(text.contains("It looks like you are making an HTTP request to a Hadoop IPC port."));
}

#[tokio::test]
async fn other_versions_are_refused_with_a_version_mismatch() {
    let server = start(conf());
    let raw = Raw::connect(&server).await.bytes(b"hrpc\x0A\0\0").send().await;
    let text = "Server IPC version 9 cannot communicate with client version 10";
    let answers = raw.answers().await;
    is_fatal(&answers, RpcErrorCodeProto::FatalVersionMismatch, text);
    let class = answers[0].exception_class_name.as_deref();
    assert_eq!(class, Some("org.apache.hadoop.ipc.RPC$VersionMismatch"));
}

#[tokio::test]
async fn garbage_and_hostile_lengths_are_cut_off() {
    let server = start(conf());
    let tls = b"\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03";
    Raw::connect(&server).await.bytes(tls).send().await.until_closed().await;
    for length in [-1_i32, i32::MIN, i32::MAX, (64 << 10) + 1] {
        let raw = Raw::connect(&server).await.bytes(b"hrpc\x09\0\0");
        let raw = raw.bytes(&length.to_be_bytes()).send().await;
        assert!(raw.until_closed().await.is_empty(), "length {length} before the context");
    }
    let over = (128_i32 << 20) + 1;
    let raw = Raw::connect(&server).await.greeted().bytes(&over.to_be_bytes()).send().await;
    assert!(raw.until_closed().await.is_empty());
    let proxy = proxy(&server, &RpcClient::new(quick()));
    assert_eq!(ask(&proxy, "echo", "alive").await.unwrap(), "alive");
}

#[tokio::test]
async fn broken_frames_end_the_connection_with_a_reason() {
    use RpcErrorCodeProto::*;
    let server = start(conf());
    let raw = async || Raw::connect(&server).await;
    let noise = raw().await.bytes(b"hrpc\x09\0\0").bytes(&[0, 0, 0, 2, 9, 9]).send().await;
    let text = "Error decoding RpcRequestHeaderProto";
    is_fatal(&noise.answers().await, FatalDeserializingRequest, text);
    let early = raw().await.bytes(b"hrpc\x09\0\0").call(0, "echo", |_| {}).send().await;
    is_fatal(&early.answers().await, FatalInvalidRpcHeader, "Connection context not established");
    let twice = raw().await.greeted().context().send().await;
    is_fatal(&twice.answers().await, FatalInvalidRpcHeader, "Connection context already processed");
    let odd = raw().await.greeted().call(-7, "echo", |_| {}).send().await;
    is_fatal(&odd.answers().await, FatalInvalidRpcHeader, "Unknown out of band call #-7");
    let kind = raw().await.greeted().call(1, "echo", |h| h.rpc_kind = None).send().await;
    let text = " IPC Server: No rpc kind in rpcRequestHeader";
    is_fatal(&kind.answers().await, FatalInvalidRpcHeader, text);
    let op = raw().await.greeted().call(1, "echo", |h| h.rpc_op = None).send().await;
    let text = " IPC Server: No rpc op in rpcRequestHeader";
    is_fatal(&op.answers().await, FatalInvalidRpcHeader, text);
    let sasl = raw().await.greeted().call(-33, "echo", |_| {}).send().await;
    is_fatal(&sasl.answers().await, FatalInvalidRpcHeader, "SASL protocol not requested by client");
    let auth = raw().await.bytes(b"hrpc\x09\0\x51").send().await;
    is_fatal(&auth.answers().await, FatalUnauthorized, "Unknown auth protocol:81");
}

#[tokio::test]
async fn a_good_call_before_a_broken_frame_is_answered() {
    let server = start(conf());
    let raw = Raw::connect(&server).await.greeted().call(5, "echo", |_| {});
    let mut ping = BytesMut::new();
    wire::encode_ping(&mut ping);
    let raw = raw.bytes(&ping).call(-99, "echo", |_| {}).send().await;
    let answers = raw.answers().await;
    assert_eq!(answers.len(), 2, "the ping has no answer: {answers:?}");
    assert_eq!((answers[0].call_id, answers[0].status), (5, RpcStatusProto::Success.into()));
    assert_eq!(answers[0].state_id, Some(42));
}

#[tokio::test]
async fn a_connection_that_does_not_introduce_itself_is_closed() {
    let deadline = Duration::from_millis(150);
    let server = start(ServerConf { handshake_deadline: deadline, ..conf() });
    let silent = Raw::connect(&server).await;
    let mut slow = Raw::connect(&server).await.bytes(b"hrpc\x09\0\0").send().await;
    let drip = tokio::spawn(async move {
        // One byte of a frame at a time, for longer than the deadline.
        for byte in [0, 0, 1, 0, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9] {
            if slow.stream.write_all(&[byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        slow.until_closed().await
    });
    assert!(silent.until_closed().await.is_empty());
    assert!(drip.await.unwrap().is_empty());
    wait_until(|| server.metrics().open_connections.load(Ordering::Relaxed) == 0).await;
}

#[tokio::test]
async fn too_many_connections_are_refused_and_places_come_back() {
    let server = start(ServerConf { max_connections: 4, max_unauthenticated_per_ip: 2, ..conf() });
    let metrics = Arc::clone(server.metrics());
    let open = |count: u64| {
        let metrics = Arc::clone(&metrics);
        wait_until(move || metrics.open_connections.load(Ordering::Relaxed) == count)
    };
    let strangers = [Raw::connect(&server).await, Raw::connect(&server).await];
    open(2).await;
    assert!(Raw::connect(&server).await.until_closed().await.is_empty(), "a third stranger");
    let [first, second] = strangers;
    let first = first.greeted().send().await;
    let second = second.greeted().send().await;
    wait_until(|| server.metrics().authorization_successes.load(Ordering::Relaxed) == 2).await;
    let third = Raw::connect(&server).await.greeted().send().await;
    let fourth = Raw::connect(&server).await.greeted().send().await;
    open(4).await;
    assert!(Raw::connect(&server).await.until_closed().await.is_empty(), "a fifth connection");
    drop((first, second, third, fourth));
    open(0).await;
    let proxy = proxy(&server, &RpcClient::new(quick()));
    assert_eq!(ask(&proxy, "echo", "again").await.unwrap(), "again");
}

#[tokio::test]
async fn a_client_that_tries_sasl_is_told_to_go_on_without() {
    let server = start(conf());
    let mut out = BytesMut::new();
    wire::encode_preamble(&mut out, wire::AuthProtocol::Sasl);
    let negotiate = RpcSaslProto { state: SaslState::Negotiate.into(), ..RpcSaslProto::default() };
    wire::encode_sasl_request(&mut out, &negotiate);
    let raw = Raw::connect(&server).await.bytes(&out).context().call(1, "echo", |_| {});
    let raw = raw.call(-1, "end", |_| {}).send().await;
    let bytes = raw.until_closed().await;
    let mut frames = wire::FrameBuffer::default();
    frames.space().extend_from_slice(&bytes);
    let first = wire::decode_response(frames.next(1 << 20).unwrap().unwrap()).unwrap();
    assert_eq!(first.call_id(), wire::SASL_CALL_ID);
    let reply = RpcSaslProto::decode(first.body).unwrap();
    assert_eq!(reply.state, i32::from(SaslState::Success));
    let second = wire::decode_response(frames.next(1 << 20).unwrap().unwrap()).unwrap();
    assert_eq!((second.call_id(), second.header.status), (1, RpcStatusProto::Success.into()));
}

#[tokio::test]
async fn a_context_without_a_user_is_unauthorized() {
    let server = start(conf());
    let mut out = BytesMut::new();
    wire::encode_preamble(&mut out, wire::AuthProtocol::None);
    let nobody = wire::Context { user: None, real_user: None, protocol: PROTOCOL.java_name };
    wire::encode_context(&mut out, ClientId([1; 16]), nobody);
    let answers = Raw::connect(&server).await.bytes(&out).send().await.answers().await;
    assert_eq!(answers[0].error_detail, Some(RpcErrorCodeProto::FatalUnauthorized.into()));
}

#[tokio::test]
async fn a_taken_port_is_a_clear_error() {
    let server = start(conf());
    let again = ServerConf { bind: server.local_addr(), ..conf() };
    let error = Server::start(again, Vec::new()).unwrap_err();
    assert!(error.message.contains(&server.local_addr().to_string()), "{error}");
    assert!(error.message.contains("another process listens there"), "{error}");
    assert_eq!(server.local_addr().ip(), IpAddr::from([127, 0, 0, 1]));
}
