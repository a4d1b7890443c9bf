//! One connection's conversation: preamble, SASL's place, context, calls. Reads frames, writes answers into a buffer and
//! runs the calls; the socket is `connection.rs`'s.
//!
//! ```text
//! preamble ──auth 0──────────────────────► await context ──context, authorized──► ready: calls
//!     └─────auth 0xDF──► await negotiate ──NEGOTIATE: SUCCESS──► (back to simple) ┘
//! ```
//!
//! A fatal answer closes the connection. Only the user and the limits decide who gets to `ready`.
//!
//! Hadoop: org.apache.hadoop.ipc.Server.Connection (3.5.0)

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use hdfs_format::rpc::{
    AuthProtocol, CONNECTION_CONTEXT_CALL_ID, ErrorReply, INVALID_RETRY_COUNT, MalformedRequest,
    PING_CALL_ID, Preamble, ReplyTo, RequestParts, SASL_CALL_ID, decode_delimited, encode_error,
    encode_message, encode_success, read_request,
};
use hdfs_proto::common::rpc_request_header_proto::OperationProto;
use hdfs_proto::common::rpc_response_header_proto::{RpcErrorCodeProto, RpcStatusProto};
use hdfs_proto::common::rpc_sasl_proto::SaslState;
use hdfs_proto::common::{IpcConnectionContextProto, RpcKindProto, RpcSaslProto};
use hdfs_types::{CallId, ClientId, Error, ErrorKind, Result};

use super::dispatch::{Dispatch, error_reply};
use super::metrics::{ConnectionTally, MethodTally, ServerMetrics, TallyWriter, lock_wait};
use super::{
    AuthMethod, Authorizer, CallerContext, CallerIdentity, LaterReply, Reply, RpcCall, RpcService,
};
use crate::otlp::{Exporter, Span};

/// What a frame led to.
pub(super) enum Step {
    /// Answered, if it wanted an answer.
    Done,
    /// A call whose reply comes later.
    Later(PendingReply),
    /// An answer was written after which the connection closes.
    Close,
}

/// A call whose reply comes later, with what the reply repeats of it.
pub(super) struct PendingReply {
    pub(super) reply: LaterReply,
    pub(super) head: PendingHead,
}

/// What a late reply repeats of its call.
pub(super) struct PendingHead {
    call_id: i32,
    retry_count: i32,
    client_id: ClientId,
    service: Arc<dyn RpcService>,
    method: Arc<MethodTally>,
    // Boxed: few calls are traced.
    span: Option<Box<Span>>,
    pub(super) started: Instant,
    /// From its arrival to its start.
    pub(super) queued: Duration,
}

enum State {
    /// SASL was asked for and not yet answered.
    AwaitNegotiate,
    /// The context must come now.
    AwaitContext,
    /// Calls may come.
    Ready(Arc<CallerIdentity>),
}

/// The conversation of one connection.
pub(super) struct Session {
    state: State,
    /// False once SASL was not asked for, or was given up: then no SASL message may come.
    sasl: bool,
    remote: SocketAddr,
    dispatch: Arc<Dispatch>,
    authorizer: Option<Arc<dyn Authorizer>>,
    metrics: Arc<ServerMetrics>,
    pub(super) tally: TallyWriter,
    spans: Option<Arc<Exporter>>,
    /// What the last call counts under, until its time is known.
    answered: Option<Arc<MethodTally>>,
}

/// A reason to close, as the client is told.
struct Fatal {
    detail: RpcErrorCodeProto,
    class: String,
    message: String,
}

impl Fatal {
    const SERVER_EXCEPTION: &str = "org.apache.hadoop.ipc.RpcServerException";

    fn new(detail: RpcErrorCodeProto, message: impl Into<String>) -> Self {
        Self { detail, class: Self::SERVER_EXCEPTION.to_owned(), message: message.into() }
    }

    fn header(message: impl Into<String>) -> Self {
        Self::new(RpcErrorCodeProto::FatalInvalidRpcHeader, message)
    }

    fn unauthorized(error: &Error) -> Self {
        Self {
            detail: RpcErrorCodeProto::FatalUnauthorized,
            class: error.kind.java_class().to_owned(),
            message: error.message.clone(),
        }
    }
}

impl From<MalformedRequest> for Fatal {
    fn from(malformed: MalformedRequest) -> Self {
        Self::new(
            RpcErrorCodeProto::FatalDeserializingRequest,
            format!("Error decoding {}", malformed.what),
        )
    }
}

impl Session {
    pub(super) fn new(
        remote: SocketAddr,
        dispatch: Arc<Dispatch>,
        authorizer: Option<Arc<dyn Authorizer>>,
        metrics: Arc<ServerMetrics>,
        tally: Arc<ConnectionTally>,
        spans: Option<Arc<Exporter>>,
    ) -> Self {
        Self {
            state: State::AwaitContext,
            sasl: false,
            remote,
            dispatch,
            authorizer,
            metrics,
            tally: TallyWriter::new(tally),
            spans,
            answered: None,
        }
    }

    /// True when the context was accepted: the limits of strangers no longer hold.
    pub(super) fn is_ready(&self) -> bool {
        matches!(self.state, State::Ready(_))
    }

    /// Takes the preamble's choice of authentication.
    pub(super) fn on_preamble(&mut self, preamble: Preamble, out: &mut BytesMut) -> Step {
        match AuthProtocol::from_wire(preamble.auth) {
            Some(AuthProtocol::None) => Step::Done,
            Some(AuthProtocol::Sasl) => {
                self.state = State::AwaitNegotiate;
                self.sasl = true;
                Step::Done
            }
            None => {
                let signed = i8::from_be_bytes([preamble.auth]);
                let fatal = Fatal {
                    detail: RpcErrorCodeProto::FatalUnauthorized,
                    class: "org.apache.hadoop.ipc.IpcException".to_owned(),
                    message: format!("Unknown auth protocol:{signed}"),
                };
                close(out, INVALID_RETRY_COUNT, -1, &fatal)
            }
        }
    }

    /// Takes a frame: answers, or runs the call in it. `arrived` and `started` are when it was read and its turn came.
    pub(super) fn on_frame(
        &mut self,
        frame: &Bytes,
        (arrived, started): (Instant, Instant),
        out: &mut BytesMut,
    ) -> Step {
        self.answered = None;
        let (mut call_id, mut retry_count) = (-1, INVALID_RETRY_COUNT);
        let outcome = read_request(frame).map_err(Fatal::from).and_then(|parts| {
            (call_id, retry_count) = (parts.header.call_id, parts.header.retry_count);
            check_header(&parts)?;
            if call_id < 0 {
                self.on_special(&parts, out).map(|()| Step::Done)
            } else {
                self.on_call(frame, &parts, (arrived, started), out)
            }
        });
        outcome.unwrap_or_else(|fatal| {
            tracing::debug!(remote = %self.remote, call_id, "refuse frame: {}", fatal.message);
            close(out, retry_count, call_id, &fatal)
        })
    }

    fn on_special(&mut self, parts: &RequestParts<'_>, out: &mut BytesMut) -> Result<(), Fatal> {
        match parts.header.call_id {
            PING_CALL_ID => Ok(()),
            CONNECTION_CONTEXT_CALL_ID => match self.state {
                State::AwaitNegotiate => {
                    Err(Fatal::header("Connection header sent during SASL negotiation"))
                }
                State::Ready(_) => Err(Fatal::header("Connection context already processed")),
                State::AwaitContext => self.on_context(parts.rest),
            },
            SASL_CALL_ID if !self.sasl => {
                Err(Fatal::header("SASL protocol not requested by client"))
            }
            SASL_CALL_ID => self.on_sasl(parts.rest, out),
            other => Err(Fatal::header(format!("Unknown out of band call #{other}"))),
        }
    }

    /// A server without security answers the first negotiation with success, which the client reads as "go on without".
    fn on_sasl(&mut self, message: &[u8], out: &mut BytesMut) -> Result<(), Fatal> {
        let message: RpcSaslProto = decode_delimited(message, "RpcSaslProto")?;
        let sasl_error = |text: String| Fatal {
            detail: RpcErrorCodeProto::FatalUnauthorized,
            class: "javax.security.sasl.SaslException".to_owned(),
            message: text,
        };
        match SaslState::try_from(message.state) {
            Ok(SaslState::Initiate) if message.auths.len() != 1 => {
                Err(sasl_error("Client mechanism is malformed".to_owned()))
            }
            Ok(SaslState::Negotiate | SaslState::Initiate) => {
                let reply =
                    RpcSaslProto { state: SaslState::Success.into(), ..RpcSaslProto::default() };
                let to = ReplyTo {
                    call_id: SASL_CALL_ID,
                    retry_count: INVALID_RETRY_COUNT,
                    ..ReplyTo::default()
                };
                encode_message(out, &to, &reply);
                self.sasl = false;
                self.state = State::AwaitContext;
                Ok(())
            }
            Ok(SaslState::Wrap) => Err(Fatal {
                detail: RpcErrorCodeProto::FatalInvalidRpcHeader,
                ..sasl_error("Server is not wrapping data".to_owned())
            }),
            Ok(SaslState::Response) => Err(sasl_error("Client did not send a token".to_owned())),
            Ok(other) => {
                let name = other.as_str_name();
                Err(sasl_error(format!("Client sent unsupported state {name}")))
            }
            Err(_) => Err(sasl_error("Client sent unsupported state".to_owned())),
        }
    }

    fn on_context(&mut self, message: &[u8]) -> Result<(), Fatal> {
        let context: IpcConnectionContextProto =
            decode_delimited(message, "IpcConnectionContextProto")?;
        let info = context.user_info.unwrap_or_default();
        let user = info.effective_user.filter(|user| !user.is_empty());
        let Some(user) = user else {
            ServerMetrics::add(&self.metrics.authorization_failures, 1);
            let error = Error::new(
                ErrorKind::AccessControl,
                "The connection context names no user; simple authentication needs one",
            );
            return Err(Fatal::unauthorized(&error));
        };
        let real_user = info.real_user.filter(|user| !user.is_empty());
        let auth = if real_user.is_some() { AuthMethod::Proxy } else { AuthMethod::Simple };
        let caller = CallerIdentity { user, real_user, auth };
        if let Err(error) = self.authorize(&caller, context.protocol.as_deref()) {
            ServerMetrics::add(&self.metrics.authorization_failures, 1);
            tracing::info!(
                "Connection from {} for protocol {} is unauthorized for user {}: {error}",
                self.remote,
                context.protocol.as_deref().unwrap_or("(none)"),
                caller.user
            );
            return Err(Fatal::unauthorized(&error));
        }
        ServerMetrics::add(&self.metrics.authorization_successes, 1);
        let caller = Arc::new(caller);
        self.tally.set_caller(&caller);
        self.state = State::Ready(caller);
        Ok(())
    }

    fn authorize(&self, caller: &CallerIdentity, protocol: Option<&str>) -> Result<()> {
        match (&self.authorizer, &caller.real_user) {
            (Some(authorizer), _) => authorizer.authorize(caller, protocol, self.remote.ip()),
            (None, None) => Ok(()),
            (None, Some(real)) => Err(Error::new(
                ErrorKind::Authorization,
                format!("User: {real} is not allowed to impersonate {}", caller.user),
            )),
        }
    }

    fn on_call(
        &mut self,
        frame: &Bytes,
        parts: &RequestParts<'_>,
        (arrived, started): (Instant, Instant),
        out: &mut BytesMut,
    ) -> Result<Step, Fatal> {
        let State::Ready(caller) = &self.state else {
            return Err(Fatal::header("Connection context not established"));
        };
        let header = &parts.header;
        check_kind(parts)?;
        let (method, body) = parts.method()?;
        let to = ReplyTo {
            call_id: header.call_id,
            client_id: header.client_id,
            retry_count: header.retry_count,
            ..ReplyTo::default()
        };
        let service = match self.dispatch.find(&method) {
            Ok(service) => service,
            Err(error) => {
                self.refuse(out, &to, &error);
                return Ok(Step::Done);
            }
        };
        let call = RpcCall {
            protocol: method.protocol,
            method: method.method,
            body: frame.slice_ref(body),
            caller,
            client_id: ClientId::from_wire(header.client_id),
            call_id: CallId(header.call_id),
            retry_count: header.retry_count,
            remote: self.remote,
            caller_context: header.caller_context.map(caller_context),
            state_id: header.state_id,
            router_federated_state: header.router_federated_state.map(Bytes::copy_from_slice),
        };
        let span = self.spans.as_ref().zip(header.trace_info.as_ref()).and_then(|(spans, info)| {
            let peer = self.remote.ip().to_string();
            spans.begin(info, (method.protocol, method.method), (&caller.user, peer)).map(Box::new)
        });
        let reply = service.call(call);
        note_lock_wait(&mut self.tally);
        Ok(match reply {
            Reply::Now(result) => {
                write_reply(out, &to, service, &result);
                if let Some(span) = span {
                    span.end(result.as_ref().err());
                }
                self.answered = Some(count(&mut self.tally, method.method, &result));
                Step::Done
            }
            Reply::Later(reply) => Step::Later(PendingReply {
                reply,
                head: PendingHead {
                    call_id: header.call_id,
                    retry_count: header.retry_count,
                    client_id: ClientId::from_wire(header.client_id),
                    service: Arc::clone(service),
                    method: Arc::clone(self.tally.method(method.method)),
                    span,
                    started,
                    queued: started.duration_since(arrived),
                },
            }),
        })
    }

    /// Answers a call that no service takes.
    fn refuse(&mut self, out: &mut BytesMut, to: &ReplyTo<'_>, error: &Error) {
        encode_error(out, to, &error_reply(error));
        self.tally.tally.failures.add(1);
        self.answered = Some(Arc::clone(self.tally.exception(&error.kind)));
    }

    /// Writes a reply that came later.
    pub(super) fn on_later(
        &mut self,
        mut head: PendingHead,
        result: &Result<Bytes>,
        out: &mut BytesMut,
    ) {
        let client_id: &[u8] = if head.client_id.is_absent() { &[] } else { &head.client_id.0 };
        let to = ReplyTo {
            call_id: head.call_id,
            client_id,
            retry_count: head.retry_count,
            ..ReplyTo::default()
        };
        write_reply(out, &to, &head.service, result);
        if let Some(span) = head.span.take() {
            span.end(result.as_ref().err());
        }
        let took = head.started.elapsed();
        self.tally.tally.processing_time.record(took);
        match result {
            Ok(_) => {
                self.tally.tally.successes.add(1);
                head.method.record(head.queued, took);
            }
            Err(error) => {
                self.tally.tally.failures.add(1);
                head.method.record_failure(&error.kind);
                self.tally.exception(&error.kind).record(head.queued, took);
            }
        }
    }

    /// The times of the frame that was taken last, when it was a call and is answered.
    pub(super) fn took(&mut self, queued: Duration, took: Duration) {
        if let Some(answered) = self.answered.take() {
            self.tally.tally.queue_time.record(queued);
            self.tally.tally.processing_time.record(took);
            answered.record(queued, took);
        } else {
            self.tally.tally.queue_time.record(queued);
        }
    }
}

/// Counts an answer; returns what its time counts under.
fn count(tally: &mut TallyWriter, method: &str, result: &Result<Bytes>) -> Arc<MethodTally> {
    match result {
        Ok(_) => {
            tally.tally.successes.add(1);
            Arc::clone(tally.method(method))
        }
        Err(error) => {
            tally.tally.failures.add(1);
            // A method that does not exist must not become a name that is kept.
            if error.kind != ErrorKind::RpcNoSuchMethod {
                tally.method(method).record_failure(&error.kind);
            }
            Arc::clone(tally.exception(&error.kind))
        }
    }
}

fn write_reply(
    out: &mut BytesMut,
    to: &ReplyTo<'_>,
    service: &Arc<dyn RpcService>,
    result: &Result<Bytes>,
) {
    let to = ReplyTo { state_id: service.state_id(), ..*to };
    match result {
        Ok(body) => encode_success(out, &to, body),
        Err(error) => encode_error(out, &to, &error_reply(error)),
    }
}

/// What the header must say before anything else counts.
fn check_header(parts: &RequestParts<'_>) -> Result<(), Fatal> {
    let header = &parts.header;
    let operation = header.rpc_op.and_then(|code| OperationProto::try_from(code).ok());
    match operation {
        None => return Err(Fatal::header(" IPC Server: No rpc op in rpcRequestHeader")),
        Some(OperationProto::RpcFinalPacket) => {}
        Some(other) => {
            let name = other.as_str_name();
            let text = format!("IPC Server does not implement rpc header operation{name}");
            return Err(Fatal::header(text));
        }
    }
    if rpc_kind(parts).is_none() {
        return Err(Fatal::header(" IPC Server: No rpc kind in rpcRequestHeader"));
    }
    Ok(())
}

fn caller_context((context, signature): (&[u8], Option<&[u8]>)) -> CallerContext {
    CallerContext {
        context: String::from_utf8_lossy(context).into_owned(),
        signature: signature.map(Bytes::copy_from_slice),
    }
}

/// Counts how long the call just made waited for the machine, if it did.
fn note_lock_wait(tally: &mut TallyWriter) {
    let waited = lock_wait::take();
    if !waited.is_zero() {
        tally.tally.lock_wait.record(waited);
    }
}

/// Only calls in protocol buffers are served.
fn check_kind(parts: &RequestParts<'_>) -> Result<(), Fatal> {
    match rpc_kind(parts) {
        Some(RpcKindProto::RpcProtocolBuffer) => Ok(()),
        other => {
            let kind = other.map_or("", |kind| kind.as_str_name());
            Err(Fatal::header(format!("Unknown rpc kind in rpc header{kind}")))
        }
    }
}

/// The kind of the call; `None` also for one that does not exist.
fn rpc_kind(parts: &RequestParts<'_>) -> Option<RpcKindProto> {
    parts.header.rpc_kind.and_then(|code| RpcKindProto::try_from(code).ok())
}

fn close(out: &mut BytesMut, retry_count: i32, call_id: i32, fatal: &Fatal) -> Step {
    let to = ReplyTo { call_id, retry_count, ..ReplyTo::default() };
    let reply = ErrorReply {
        status: RpcStatusProto::Fatal,
        detail: fatal.detail,
        class: &fatal.class,
        message: &fatal.message,
    };
    encode_error(out, &to, &reply);
    Step::Close
}
