//! Loads `echo_namenode` and tells the server's CPU time for each call:
//! `cargo run --release --example rpc_load -- 127.0.0.1:23110 PID CONNECTIONS DEPTH SECONDS [proxy]`
//!
//! Each connection sends `DEPTH` calls at once and waits for all their answers; with `proxy` the RPC client of this crate
//! does the same by `DEPTH` tasks on each connection.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use hdfs_format::rpc::{
    AuthProtocol, Context, FrameBuffer, encode_context, encode_preamble, encode_request,
};
use hdfs_proto::common::{RequestHeaderProto, RpcRequestHeaderProto};
use hdfs_proto::hdfs::{GetFileInfoRequestProto, GetFileInfoResponseProto};
use hdfs_rt::rpc::client::{ClientConf, Proxy, RpcClient, Ugi};
use hdfs_rt::rpc::server::Protocol;
use hdfs_types::{CallId, ClientId};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const NAME: &str = "org.apache.hadoop.hdfs.protocol.ClientProtocol";

/// User and system time of a process, in microseconds; Linux counts it in hundredths of a second.
fn cpu_micros(pid: &str) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("the process runs");
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    let ticks: u64 = fields[11..13].iter().map(|field| field.parse::<u64>().unwrap_or(0)).sum();
    ticks * 10_000
}

async fn raw(addr: SocketAddr, depth: usize, end: Instant, done: Arc<AtomicU64>) {
    let mut stream = TcpStream::connect(addr).await.expect("the server listens");
    stream.set_nodelay(true).expect("the socket is open");
    let client_id = ClientId([5; 16]);
    let mut out = BytesMut::new();
    encode_preamble(&mut out, AuthProtocol::None);
    let context = Context { user: Some("load"), real_user: None, protocol: NAME };
    encode_context(&mut out, client_id, context);
    stream.write_all(&out).await.expect("the server reads");
    out.clear();
    let method = RequestHeaderProto {
        method_name: "getFileInfo".to_owned(),
        declaring_class_protocol_name: NAME.to_owned(),
        client_protocol_version: 1,
    };
    let src = std::env::var("LOAD_PATH").unwrap_or_else(|_| "/user/load/of/a/job".to_owned());
    let request = GetFileInfoRequestProto { src };
    for call_id in 0..depth {
        let key = (client_id, CallId(i32::try_from(call_id).unwrap_or(0)));
        encode_request(&mut out, key, RpcRequestHeaderProto::default(), &method, &request);
    }
    let mut frames = FrameBuffer::default();
    while Instant::now() < end {
        stream.write_all(&out).await.expect("the server reads");
        let mut answered = 0;
        while answered < depth {
            while frames.next(1 << 20).expect("the server sends frames").is_some() {
                answered += 1;
            }
            if answered < depth {
                stream.read_buf(frames.space()).await.expect("the server answers");
            }
        }
        done.fetch_add(depth as u64, Ordering::Relaxed);
    }
}

async fn proxied(proxy: Proxy, end: Instant, done: Arc<AtomicU64>) {
    let request = GetFileInfoRequestProto { src: "/user/load/some/file/of/a/job".to_owned() };
    while Instant::now() < end {
        let _: GetFileInfoResponseProto =
            proxy.call("getFileInfo", &request).await.expect("the server answers");
        done.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |index: usize| arguments[index].parse::<usize>().expect("a number");
    let addr: SocketAddr = arguments[0].parse().expect("an address");
    let (pid, connections, depth) = (&arguments[1], number(2), number(3));
    let seconds = number(4) as u64;
    let done = Arc::new(AtomicU64::new(0));
    let (start, own) = (Instant::now(), std::process::id().to_string());
    let (server_before, client_before) = (cpu_micros(pid), cpu_micros(&own));
    let end = start + Duration::from_secs(seconds);
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..connections {
        if arguments.get(5).is_some_and(|mode| mode == "proxy") {
            let client = RpcClient::new(ClientConf::default());
            let protocol = Protocol { java_name: NAME, version: 1 };
            let proxy = Proxy::new(addr, protocol, &client, &Arc::new(Ugi::new("load")));
            for _ in 0..depth {
                tasks.spawn(proxied(proxy.clone(), end, Arc::clone(&done)));
            }
        } else {
            tasks.spawn(raw(addr, depth, end, Arc::clone(&done)));
        }
    }
    while tasks.join_next().await.is_some() {}
    let calls = done.load(Ordering::Relaxed);
    let each = |micros: u64| micros as f64 / calls as f64;
    println!(
        "{connections} connections x {depth}: {:.0} calls/s, server {:.2} us CPU each, client {:.2} us",
        calls as f64 / start.elapsed().as_secs_f64(),
        each(cpu_micros(pid) - server_before),
        each(cpu_micros(&own) - client_before),
    );
}
