//! Spans of calls whose client traces them, exported by OTLP over HTTP in JSON.
//!
//! Switched on by OpenTelemetry's own variable: `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`, or `OTEL_EXPORTER_OTLP_ENDPOINT`
//! with `/v1/traces` behind it. A call without a trace costs nothing; one with a trace is handed to a thread. When the
//! collector is slow or away, spans are dropped and counted, never waited for.
//!
//! Proto: RpcHeader.proto RPCTraceInfoProto

use std::fmt::Write as _;
use std::hash::{BuildHasher, RandomState};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hdfs_format::rpc::TraceInfo;
use hdfs_types::{Error, Result};
use serde_json::{Value, json};

use crate::host::host_name;

/// Spans that wait at most; more are dropped.
const QUEUE: usize = 4_096;
/// Spans in one request.
const BATCH: usize = 512;
/// A span waits at most so long for others.
const DELAY: Duration = Duration::from_millis(500);
/// For connecting, sending and the answer, each.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where a call belongs: a trace, and the client's span in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Parent {
    trace: [u8; 16],
    span: [u8; 8],
}

impl Parent {
    /// W3C's `00-<trace>-<span>-<flags>` in the bytes of the context, else the two numbers. `None`: not traced.
    fn of(info: &TraceInfo<'_>) -> Option<Self> {
        if let Some(parent) = info.span_context.and_then(Self::parse) {
            return Some(parent);
        }
        let (trace, span) = (info.trace_id?, info.parent_id.unwrap_or(0));
        let mut id = [0; 16];
        id[8..].copy_from_slice(&trace.to_be_bytes());
        (trace != 0).then_some(Self { trace: id, span: span.to_be_bytes() })
    }

    fn parse(context: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(context).ok()?;
        let mut parts = text.split('-');
        let (_version, trace, span) = (parts.next()?, parts.next()?, parts.next()?);
        let sampled = u8::from_str_radix(parts.next()?, 16).ok()? & 1 == 1;
        let trace =
            u128::from_str_radix(trace, 16).ok().filter(|id| trace.len() == 32 && *id != 0)?;
        let span = u64::from_str_radix(span, 16).ok().filter(|id| span.len() == 16 && *id != 0)?;
        sampled.then_some(Self { trace: trace.to_be_bytes(), span: span.to_be_bytes() })
    }
}

/// A call that runs.
#[derive(Debug)]
pub(crate) struct Span {
    exporter: Arc<Exporter>,
    parent: Parent,
    name: String,
    user: String,
    peer: String,
    began: SystemTime,
}

/// A call that ended.
struct Ended {
    span: Span,
    took: Duration,
    /// Class and message.
    error: Option<(String, String)>,
}

impl Span {
    /// The call ended.
    pub(crate) fn end(self, error: Option<&Error>) {
        let took = self.began.elapsed().unwrap_or_default();
        let error = error.map(|error| (error.kind.java_class().to_owned(), error.message.clone()));
        let exporter = Arc::clone(&self.exporter);
        exporter.export(Ended { span: self, took, error });
    }
}

/// Sends spans to a collector, by a thread of its own.
#[derive(Debug)]
pub struct Exporter {
    queue: SyncSender<Ended>,
    dropped: AtomicU64,
}

impl Exporter {
    /// Starts the thread. The endpoint is a whole URL: `http://host:port/v1/traces`.
    ///
    /// # Errors
    /// When the URL is not one of plain HTTP, or no thread can be started.
    pub fn start(endpoint: &str) -> Result<Arc<Self>> {
        let target = Target::parse(endpoint)?;
        let (queue, spans) = sync_channel(QUEUE);
        std::thread::Builder::new()
            .name("otlp".to_owned())
            .spawn(move || run(&target, &spans))
            .map_err(|error| Error::io(format!("start a thread for traces: {error}")))?;
        Ok(Arc::new(Self { queue, dropped: AtomicU64::new(0) }))
    }

    /// The process's exporter, as the environment says; a wrong setting is logged and exports nothing.
    pub fn from_environment() -> Option<Arc<Self>> {
        static EXPORTER: OnceLock<Option<Arc<Exporter>>> = OnceLock::new();
        let variable = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty());
        let start = || {
            let endpoint = variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT").or_else(|| {
                let base = variable("OTEL_EXPORTER_OTLP_ENDPOINT")?;
                Some(format!("{}/v1/traces", base.trim_end_matches('/')))
            })?;
            let started = Self::start(&endpoint);
            started.inspect_err(|error| tracing::error!("traces are not exported: {error}")).ok()
        };
        EXPORTER.get_or_init(start).clone()
    }

    /// Begins the span of a call, if its client traces it.
    pub(crate) fn begin(
        self: &Arc<Self>,
        info: &TraceInfo<'_>,
        (protocol, method): (&str, &str),
        (user, peer): (&str, String),
    ) -> Option<Span> {
        let parent = Parent::of(info)?;
        let protocol = protocol.rsplit('.').next().unwrap_or(protocol);
        Some(Span {
            exporter: Arc::clone(self),
            parent,
            name: format!("{protocol}/{method}"),
            user: user.to_owned(),
            peer,
            began: SystemTime::now(),
        })
    }

    fn export(&self, ended: Ended) {
        if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) =
            self.queue.try_send(ended)
        {
            let dropped = self.dropped.fetch_add(1, Ordering::Relaxed) + 1;
            if dropped.is_power_of_two() {
                tracing::warn!("{dropped} spans were dropped: the collector takes too few");
            }
        }
    }
}

#[derive(Debug)]
struct Target {
    address: String,
    path: String,
}

impl Target {
    fn parse(endpoint: &str) -> Result<Self> {
        let rest = endpoint.strip_prefix("http://").ok_or_else(|| {
            Error::io(format!(
                "{endpoint}: spans go over plain HTTP; write http://host:4318 and let a local collector speak TLS"
            ))
        })?;
        let (address, path) = rest.split_once('/').unwrap_or((rest, ""));
        let address =
            if address.contains(':') { address.to_owned() } else { format!("{address}:80") };
        Ok(Self { address, path: format!("/{path}") })
    }

    fn send(&self, body: &str) -> std::io::Result<()> {
        use std::net::ToSocketAddrs;
        let mut addresses = self.address.to_socket_addrs()?;
        let address = addresses.next().ok_or(std::io::ErrorKind::NotFound)?;
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let head = format!(
            "POST {} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: \
             close\r\n\r\n",
            self.path,
            self.address,
            body.len()
        );
        stream.write_all(head.as_bytes())?;
        stream.write_all(body.as_bytes())?;
        let mut status = [0; 12];
        stream.read_exact(&mut status)?;
        match &status[9..10] {
            b"2" => Ok(()),
            _ => Err(std::io::Error::other(String::from_utf8_lossy(&status).into_owned())),
        }
    }
}

fn run(target: &Target, spans: &Receiver<Ended>) {
    let mut failures = 0_u64;
    while let Ok(first) = spans.recv() {
        let end = std::time::Instant::now() + DELAY;
        let mut batch = vec![first];
        while batch.len() < BATCH {
            let left = end.saturating_duration_since(std::time::Instant::now());
            let Ok(next) = spans.recv_timeout(left) else { break };
            batch.push(next);
        }
        if let Err(error) = target.send(&request(&batch)) {
            failures += 1;
            if failures.is_power_of_two() {
                let count = batch.len();
                tracing::warn!("{count} spans could not be sent to {}: {error}", target.address);
            }
        }
    }
}

/// The request message of OTLP.
fn request(batch: &[Ended]) -> String {
    let spans: Vec<Value> = batch.iter().map(span).collect();
    let resource =
        json!({"attributes": [text("service.name", "hdfs"), text("host.name", host_name())]});
    let scope = json!({"name": "tusk", "version": env!("CARGO_PKG_VERSION")});
    json!({"resourceSpans": [{
        "resource": resource,
        "scopeSpans": [{"scope": scope, "spans": spans}],
    }]})
    .to_string()
}

fn text(key: &str, value: &str) -> Value {
    json!({"key": key, "value": {"stringValue": value}})
}

fn span(ended: &Ended) -> Value {
    const SERVER: u32 = 2;
    const ERROR: u32 = 2;
    static STATE: OnceLock<RandomState> = OnceLock::new();
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let id = STATE.get_or_init(RandomState::new).hash_one(number).max(1);
    let of = &ended.span;
    let nanos = |time: SystemTime| time.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let began = nanos(of.began);
    let mut attributes = vec![
        text("rpc.system", "hadoop"),
        text("enduser.id", &of.user),
        text("network.peer.address", &of.peer),
    ];
    let status = match &ended.error {
        None => json!({}),
        Some((class, message)) => {
            attributes.push(text("error.type", class));
            json!({"code": ERROR, "message": message})
        }
    };
    json!({
        "traceId": hex(&of.parent.trace),
        "spanId": hex(&id.to_be_bytes()),
        "parentSpanId": hex(&of.parent.span),
        "name": of.name,
        "kind": SERVER,
        "startTimeUnixNano": began.to_string(),
        "endTimeUnixNano": (began + ended.took.as_nanos()).to_string(),
        "attributes": attributes,
        "status": status,
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        // Writing to a String can't fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(context: Option<&[u8]>) -> TraceInfo<'_> {
        TraceInfo { trace_id: Some(7), parent_id: Some(9), span_context: context }
    }

    #[test]
    fn a_parent_is_w3cs_text_or_two_numbers() {
        let text = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let parent = Parent::of(&info(Some(text))).unwrap();
        assert_eq!(hex(&parent.trace), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(hex(&parent.span), "b7ad6b7169203331");
        let numbers = Parent::of(&info(None)).unwrap();
        assert_eq!(hex(&numbers.trace), "00000000000000000000000000000007");
        assert_eq!(Parent::of(&TraceInfo::default()), None);
        assert!(Target::parse("https://collector:4318/v1/traces").is_err());
    }
}
