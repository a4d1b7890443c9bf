//! What serves WebHDFS: on the NameNode over calls inside the process, in the gateway over RPC.
//!
//! ```text
//! HTTP request ─ caller ─ Params ─ step (core) ─ Calls ─ answer ─ HTTP response
//!                                      └ Redirect: the NameNode names a DataNode, the gateway moves the bytes itself
//! ```
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.web.resources.NamenodeWebHdfsMethods (3.5.0)

mod answer;
mod caller;
mod clients;
mod conf;
pub(crate) mod data;
mod filters;
mod steps;

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use axum::http::Method;
use axum::response::Response;
use bytes::Bytes;
use hdfs_format::webhdfs::{HttpMethod, Params, Query, Redirect, Step, decode_path, step};
use hdfs_rt::rpc::server::CallerIdentity;
use hdfs_types::{Error, ErrorKind, Result};

pub(crate) use answer::{failure, json, location_answer, plain, redirect_answer};
pub(crate) use caller::Impersonation;
pub(crate) use clients::Clients;
pub(crate) use conf::WebHdfsConf;
pub(crate) use filters::{CrossOrigin, CsrfFilter, cross_origin, prevent_csrf};

/// The answer of a call that may not be there yet.
pub(crate) type CallFuture = Pin<Box<dyn Future<Output = Result<Bytes>> + Send>>;

/// ClientProtocol, one encoded message in, one out.
pub(crate) trait Calls: Send + Sync + 'static {
    /// Calls a method for this caller.
    fn call(&self, who: &Who, method: &'static str, request: Vec<u8>) -> CallFuture;
}

/// Who calls, and from where.
#[derive(Clone, Debug)]
pub(crate) struct Who {
    pub(crate) identity: Arc<CallerIdentity>,
    pub(crate) remote: SocketAddr,
}

/// A request whose parameters are checked.
pub(crate) struct Request {
    pub(crate) who: Who,
    /// Decoded.
    pub(crate) path: String,
    pub(crate) params: Params,
}

/// What came of a request.
pub(crate) enum Outcome {
    /// The answer.
    Done(Response),
    /// Data to be moved by somebody else.
    Redirect(Request, Redirect),
}

/// Everything that turns requests into calls.
pub(crate) struct Gateway {
    pub(crate) conf: WebHdfsConf,
    pub(crate) impersonation: Impersonation,
    pub(crate) calls: Arc<dyn Calls>,
}

impl Gateway {
    /// Checks a request: who, what, on which path. `target` is the path behind the prefix, and the query.
    pub(crate) fn request(
        &self,
        method: &Method,
        target: (&str, &str),
        remote: SocketAddr,
    ) -> Result<Request> {
        let query = Query::parse(target.1);
        let method = http_method(method)?;
        let identity = self.impersonation.caller(&query, &self.conf, remote)?;
        let params = Params::parse(method, &query, &self.conf.patterns)?;
        let who = Who { identity: Arc::new(identity), remote };
        Ok(Request { who, path: decode_path(target.0), params })
    }

    /// Does what a request asks for, unless it moves data.
    pub(crate) async fn perform(self: &Arc<Self>, request: Request) -> Result<Outcome> {
        let settings = self.conf.settings();
        let response = match step(&request.params, &request.path, &settings)? {
            Step::Redirect(redirect) => return Ok(Outcome::Redirect(request, redirect)),
            Step::Call(call) => {
                let pending = self.calls.call(&request.who, call.method, call.request.clone());
                answer::show(call.answer(&pending.await?)?)
            }
            Step::ListStatus => steps::list_status(self, &request).await?,
            Step::HomeDirectory => steps::home_directory(self, &request),
            Step::TrashRoot => steps::trash_root(self, &request).await?,
            Step::TrashRoots { all_users } => steps::trash_roots(self, &request, all_users).await?,
            Step::DelegationToken => steps::no_token(),
        };
        Ok(Outcome::Done(response))
    }
}

/// The method, as far as operations go; HEAD is a GET without a body.
fn http_method(method: &Method) -> Result<HttpMethod> {
    Ok(match *method {
        Method::GET | Method::HEAD => HttpMethod::Get,
        Method::PUT => HttpMethod::Put,
        Method::POST => HttpMethod::Post,
        Method::DELETE => HttpMethod::Delete,
        _ => {
            let class = "javax.ws.rs.NotAllowedException".to_owned();
            return Err(Error::new(ErrorKind::Remote(class), "HTTP 405 Method Not Allowed"));
        }
    })
}

/// The path behind the prefix and the query of a target.
pub(crate) fn target(uri: &axum::http::Uri) -> (&str, &str) {
    let path = uri.path().strip_prefix(hdfs_format::webhdfs::PREFIX).unwrap_or_default();
    (path, uri.query().unwrap_or_default())
}
