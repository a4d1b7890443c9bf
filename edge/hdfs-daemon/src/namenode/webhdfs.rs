//! WebHDFS on the NameNode: calls inside the process, and redirects to DataNodes.
//!
//! A call takes the same way as one over RPC, with its audit line, permission check and durability.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.web.resources.NamenodeWebHdfsMethods (3.5.0)

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{ConnectInfo, State};
use axum::http::{Method, Uri};
use axum::middleware;
use axum::response::Response;
use axum::routing::any;
use bytes::Bytes;
use hdfs_conf::{Configuration, NAMENODE_RPC_DEFAULT_PORT, keys};
use hdfs_format::webhdfs::{Op, PREFIX, Redirect, location};
use hdfs_namenode::names_datanode;
use hdfs_proto::hdfs as p;
use hdfs_proto::hdfs::datanode_info_proto::AdminState;
use hdfs_rt::rpc::server::{Reply, RpcCall, RpcService, Server as RpcServer, ServerMetrics};
use hdfs_types::{CallId, ClientId, Error, ErrorKind, Result};
use prost::Message;

use super::rpc::{NameNodeService, names};
use super::shell::{Shell, now};
use crate::webhdfs::{
    CallFuture, Calls, CsrfFilter, Gateway, Impersonation, Outcome, Request, WebHdfsConf, Who,
    failure, location_answer, prevent_csrf, redirect_answer, target,
};

/// What Hadoop's retry cache takes for "no call": calls of WebHDFS have no number.
pub(super) const NO_CALL: CallId = CallId(-2);

struct InProcess {
    service: NameNodeService,
    /// Where the calls count, as those of RPC do.
    metrics: Arc<ServerMetrics>,
}

impl Calls for InProcess {
    fn call(&self, who: &Who, method: &'static str, request: Vec<u8>) -> CallFuture {
        let call = RpcCall {
            protocol: names::CLIENT,
            method,
            body: Bytes::from(request),
            caller: &who.identity,
            client_id: ClientId::default(),
            call_id: NO_CALL,
            retry_count: -1,
            remote: who.remote,
            caller_context: None,
            state_id: None,
            router_federated_state: None,
        };
        let began = Instant::now();
        let reply = self.service.call(call);
        let (metrics, user) = (Arc::clone(&self.metrics), who.identity.user.clone());
        Box::pin(async move {
            let answer = match reply {
                Reply::Now(answer) => answer,
                Reply::Later(answer) => answer.await,
            };
            let error = answer.as_ref().err().map(|error| &error.kind);
            metrics.record_in_process(&user, method, began.elapsed(), error);
            answer
        })
    }
}

struct Server {
    shell: Arc<Shell>,
    gateway: Arc<Gateway>,
    /// What DataNodes call this NameNode.
    name: String,
}

/// The routes.
pub(super) fn router(shell: &Arc<Shell>, server: &RpcServer) -> Result<Router> {
    let (rpc, metrics) = (server.local_addr(), server.metrics().clone());
    let conf = &shell.conf.configuration;
    let gateway = Gateway {
        conf: WebHdfsConf::new(conf)?,
        impersonation: Impersonation::Rules(shell.proxies.clone()),
        calls: Arc::new(InProcess { service: NameNodeService::new(shell.clone()), metrics }),
    };
    let server = Arc::new(Server {
        shell: shell.clone(),
        gateway: Arc::new(gateway),
        name: name(conf, rpc),
    });
    let mut router = Router::new()
        .route(PREFIX, any(serve))
        .route(&format!("{PREFIX}/"), any(serve))
        .route(&format!("{PREFIX}/{{*path}}"), any(serve))
        .with_state(server);
    if let Some(filter) = CsrfFilter::new(conf)? {
        router = router.layer(middleware::from_fn_with_state(Arc::new(filter), prevent_csrf));
    }
    Ok(router)
}

/// The authority of `fs.defaultFS` when it names this NameNode, else the address of its RPC server.
///
/// Hadoop: org.apache.hadoop.hdfs.server.namenode.NameNodeUtils.getClientNamenodeAddress (3.5.0)
fn name(conf: &Configuration, rpc: SocketAddr) -> String {
    let authority = conf.get_str(&keys::FS_DEFAULT_FS).strip_prefix("hdfs://");
    let authority = authority.and_then(|rest| rest.split('/').next()).unwrap_or_default();
    let is_service = conf.get_suffixed(&keys::DFS_HA_NAMENODES, &[authority]).is_some();
    match authority.rsplit_once(':') {
        _ if is_service => authority.to_owned(),
        Some((_, port)) if port.parse() == Ok(rpc.port()) => authority.to_owned(),
        None if !authority.is_empty() && rpc.port() == NAMENODE_RPC_DEFAULT_PORT => {
            format!("{authority}:{NAMENODE_RPC_DEFAULT_PORT}")
        }
        _ if rpc.ip().is_unspecified() => {
            format!("{}:{}", hdfs_rt::host::host_name(), rpc.port())
        }
        _ => rpc.to_string(),
    }
}

async fn serve(
    State(server): State<Arc<Server>>,
    ConnectInfo(remote): ConnectInfo<SocketAddr>,
    method: Method,
    uri: Uri,
) -> Response {
    let answer = async {
        let request = server.gateway.request(&method, target(&uri), remote)?;
        match server.gateway.perform(request).await? {
            Outcome::Done(response) => Ok(response),
            Outcome::Redirect(request, redirect) => server.redirect(&request, &redirect).await,
        }
    };
    answer.await.unwrap_or_else(|error| failure(&error))
}

impl Server {
    async fn redirect(&self, request: &Request, redirect: &Redirect) -> Result<Response> {
        if !hdfs_types::is_valid_name(request.path.as_bytes()) {
            let message = format!("Invalid path name {}", request.path);
            return Err(Error::new(ErrorKind::InvalidPath, message));
        }
        let node = self.choose(request, redirect).await?;
        let datanode = format!("{}:{}", node.host_name, node.info_port);
        let names = (datanode.as_str(), self.name.as_str());
        let to = |ascii| location(redirect, &request.params, &request.path, names, ascii);
        Ok(if redirect.no_redirect {
            location_answer(&to(false))
        } else {
            redirect_answer(&to(true))
        })
    }

    /// A DataNode with the bytes that are wanted, or one where new ones would go.
    async fn choose(&self, request: &Request, redirect: &Redirect) -> Result<p::DatanodeIdProto> {
        let (who, path) = (&request.who, &request.path);
        if redirect.op != Op::Create {
            let info = p::GetFileInfoRequestProto { src: path.clone() };
            let info: p::GetFileInfoResponseProto = self.call(who, "getFileInfo", &info).await?;
            let status = info.fs.ok_or_else(|| {
                Error::new(ErrorKind::FileNotFound, format!("File {path} not found."))
            })?;
            let (length, offset) = (status.length.cast_signed(), redirect.offset);
            if redirect.op == Op::Open && offset >= length && length > 0 {
                return Err(Error::io(format!(
                    "Offset={offset} out of the range [0, {length}); OPEN, path={path}"
                )));
            }
            if length > 0 {
                let offset = if redirect.op == Op::Open { offset } else { length - 1 };
                return self.replica(who, path, offset, redirect.exclude.as_deref()).await;
            }
        }
        let ip = who.remote.ip().to_string();
        let caller = self.shell.callers.get(&who.identity);
        let call =
            hdfs_namenode::Call { caller: &caller, client_machine: &ip, key: None, now: now() };
        let exclude = redirect.exclude.as_deref();
        let chosen = self.shell.write_with(|machine| {
            machine.choose_datanode_for_write(&call, path, redirect.block_size, exclude)
        });
        chosen.0
    }

    /// The nearest DataNode in service with the byte at `offset`.
    async fn replica(
        &self,
        who: &Who,
        path: &str,
        offset: i64,
        exclude: Option<&str>,
    ) -> Result<p::DatanodeIdProto> {
        let request = p::GetBlockLocationsRequestProto {
            src: path.to_owned(),
            offset: offset.cast_unsigned(),
            length: 1,
        };
        let answer: p::GetBlockLocationsResponseProto =
            self.call(who, "getBlockLocations", &request).await?;
        let block = answer.locations.and_then(|located| located.blocks.into_iter().next());
        let block = block.ok_or_else(|| {
            Error::io(format!("Block could not be located. Path={path}, offset={offset}"))
        })?;
        let is_wanted = |node: &p::DatanodeInfoProto| {
            let id = &node.id;
            let port = u16::try_from(id.xfer_port).unwrap_or_default();
            let is_named = |list: &str| {
                names_datanode(list, &id.ip_addr, port) || names_datanode(list, &id.host_name, port)
            };
            node.admin_state() != AdminState::Decommissioned && !exclude.is_some_and(is_named)
        };
        let node = block.locs.into_iter().find(is_wanted);
        node.map(|node| node.id)
            .ok_or_else(|| Error::io("No active and not excluded nodes contain this block"))
    }

    async fn call<Q: Message, A: Message + Default>(
        &self,
        who: &Who,
        method: &'static str,
        request: &Q,
    ) -> Result<A> {
        let answer = self.gateway.calls.call(who, method, request.encode_to_vec()).await?;
        A::decode(answer).map_err(|error| Error::io(format!("{method}: {error}")))
    }
}
