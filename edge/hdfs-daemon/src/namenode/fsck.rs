//! `/fsck`: the check of files and blocks, sent as it goes on.
//!
//! The machine walks in slices ([`hdfs_namenode::Fsck`]); each runs under the shared lock and its text goes out
//! before the next, so that a check of millions of files neither holds the lock long nor keeps its text. When the reader
//! goes away the
//! check ends. What the check changes (salvage, delete) it changes as its user, through calls of the same NameNode.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.FsckServlet (3.5.0)

mod salvage;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use hdfs_conf::keys;
use hdfs_namenode::{Call, Caller, Fsck, FsckAction, FsckOptions, FsckOutcome, FsckStep};
use hdfs_rt::rpc::server::{AuthMethod, CallerIdentity, RpcCall};
use hdfs_types::{CallId, ClientId};
use tokio::sync::mpsc;

use self::salvage::Repair;
use super::audit::Audit;
use super::shell::{Shell, now};

/// What the handler needs.
#[derive(Clone)]
struct Servlet {
    shell: Arc<Shell>,
    /// Where this NameNode takes calls.
    namenode: SocketAddr,
}

/// Its route. `namenode`: where this NameNode takes calls.
pub(super) fn router(shell: Arc<Shell>, namenode: SocketAddr) -> Router {
    let namenode = match namenode.ip() {
        ip if ip.is_unspecified() => (IpAddr::V4(Ipv4Addr::LOCALHOST), namenode.port()).into(),
        _ => namenode,
    };
    Router::new().route("/fsck", get(fsck)).with_state(Servlet { shell, namenode })
}

/// Pieces of text that wait for a slow reader.
const WAITING_PIECES: usize = 4;

async fn fsck(
    State(servlet): State<Servlet>,
    ConnectInfo(remote): ConnectInfo<SocketAddr>,
    Query(parameters): Query<Vec<(String, String)>>,
) -> Response {
    let user = user(&servlet.shell, &parameters);
    // A name must not end a line of the report or of the audit log.
    if user.is_empty() || user.chars().any(char::is_control) {
        let text = format!("{user:?} is no name of a user");
        return (StatusCode::BAD_REQUEST, text).into_response();
    }
    let pairs = parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let options = FsckOptions::from_parameters(pairs);
    let fsck = Fsck::new(options, &user, &remote.ip().to_string(), now());
    let (send, receive) = mpsc::channel(WAITING_PIECES);
    tokio::spawn(Job { servlet, user, remote, fsck, send }.run());
    let pieces = futures_util::stream::unfold(receive, |mut receive| async move {
        let piece: Option<Bytes> = receive.recv().await;
        piece.map(|piece| (Ok::<_, std::io::Error>(piece), receive))
    });
    let kind = (header::CONTENT_TYPE, "text/plain;charset=utf-8");
    ([kind], Body::from_stream(pieces)).into_response()
}

/// Whom the caller says to be; without security Hadoop believes it.
pub(super) fn user(shell: &Shell, parameters: &[(String, String)]) -> String {
    let value = |wanted: &str| {
        parameters.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str())
    };
    let ugi = || value("ugi").map(|ugi| ugi.split(',').next().unwrap_or_default());
    let of_web = || shell.conf.configuration.get_str(&keys::HADOOP_HTTP_STATICUSER_USER);
    value("user.name").or_else(ugi).unwrap_or_else(of_web).to_owned()
}

/// One check and its reader.
struct Job {
    servlet: Servlet,
    user: String,
    remote: SocketAddr,
    fsck: Fsck,
    send: mpsc::Sender<Bytes>,
}

impl Job {
    async fn run(mut self) {
        let shell = self.servlet.shell.clone();
        let identity = Arc::new(CallerIdentity {
            user: self.user.clone(),
            real_user: None,
            auth: AuthMethod::Simple,
        });
        let caller = shell.callers.get(&identity);
        let ip = self.remote.ip().to_string();
        self.note(&identity);
        let configuration = &shell.conf.configuration;
        let mut repair = Repair::new(configuration, self.servlet.namenode, &self.user);
        loop {
            let mut text = String::new();
            let step = {
                let machine = shell.read_machine();
                self.fsck.step(&machine, &context(&caller, &ip), &mut text)
            };
            if !text.is_empty() && self.send.send(text.into()).await.is_err() {
                tracing::info!("the reader of a check of {} has gone", self.fsck.audit_source());
                return;
            }
            match step {
                FsckStep::More => tokio::task::yield_now().await,
                FsckStep::Act(action) => {
                    let outcome = act(&shell, &caller, &ip, &mut repair, action).await;
                    self.fsck.acted(outcome);
                }
                FsckStep::Done => return,
            }
        }
    }

    /// Writes the line of the audit log. As in Hadoop, a check counts as allowed even when it may not see everything.
    fn note(&self, identity: &Arc<CallerIdentity>) {
        let call = RpcCall {
            protocol: "",
            method: "fsck",
            body: Bytes::new(),
            caller: identity,
            client_id: ClientId([0; 16]),
            call_id: CallId(0),
            retry_count: 0,
            remote: self.remote,
            caller_context: None,
            state_id: None,
            router_federated_state: None,
        };
        let audit = Audit::new("fsck", |source: &String| (source.as_str(), ""));
        self.servlet.shell.audit.record(&call, &audit, &self.fsck.audit_source(), None);
    }
}

fn context<'a>(caller: &'a Arc<Caller>, ip: &'a str) -> Call<'a> {
    Call { caller, client_machine: ip, key: None, now: now() }
}

async fn act(
    shell: &Shell,
    caller: &Arc<Caller>,
    ip: &str,
    repair: &mut Repair<'_>,
    action: FsckAction,
) -> FsckOutcome {
    let (what, path, done) = match action {
        FsckAction::Replicate(blocks) => {
            return shell.write_with(|nn| nn.fsck_replicate(&context(caller, ip), &blocks)).0;
        }
        FsckAction::Delete { path } => {
            let done = repair.delete(&path).await;
            ("delete", path, done)
        }
        FsckAction::Salvage { path } => {
            let done = repair.salvage(&path).await;
            ("salvage", path, done)
        }
    };
    match done {
        Ok(()) => {
            tracing::info!("fsck: {what} of the damaged file {path} is done");
            FsckOutcome::Done
        }
        Err(error) => {
            tracing::warn!("fsck: {what} of the damaged file {path}: {error}");
            FsckOutcome::Failed
        }
    }
}
