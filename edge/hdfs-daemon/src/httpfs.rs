//! HttpFS: WebHDFS for clients that reach no DataNode. It moves the bytes itself, as the user that the client names.
//!
//! An upload takes two steps with it, too: the first answers with a redirect to itself, with `data=true`.
//!
//! Hadoop: org.apache.hadoop.fs.http.server.HttpFSServer (3.4.2)
// Differs: the JSON is the NameNode's, field by field in its order; HttpFS of Hadoop writes most of the same fields in
// another order. The cookie of Hadoop's authentication filter is not sent: every request names its user.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request as HttpRequest, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware;
use axum::response::Response;
use axum::routing::any;
use hdfs_conf::{Configuration, keys};
use hdfs_format::webhdfs::{OCTET_STREAM, Op, PREFIX, Query, Redirect};
use hdfs_rt::rpc::client::Ugi;
use hdfs_rt::rpc::server::{CallerIdentity, ProxyUsers, Workers};
use hdfs_rt::users::{Groups, current_user};
use hdfs_rt::{host, http};
use hdfs_types::{Error, Result};
use tokio::task::AbortHandle;

use crate::webhdfs::{
    CallFuture, Calls, Clients, CsrfFilter, Gateway, Impersonation, Outcome, Request, WebHdfsConf,
    Who, data, failure, location_answer, plain, prevent_csrf, redirect_answer, target,
};

/// A running gateway; it ends when this is dropped.
pub struct HttpFsHandle {
    local_addr: SocketAddr,
    task: AbortHandle,
}

impl HttpFsHandle {
    /// Where clients reach it.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }
}

impl Drop for HttpFsHandle {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The NameNode, as whoever calls.
struct Remote {
    clients: Clients,
    uri: String,
    /// The user that runs the gateway and acts for the others.
    service: String,
}

impl Remote {
    fn ugi(&self, identity: &CallerIdentity) -> Ugi {
        if identity.user == self.service {
            Ugi::new(self.service.clone())
        } else {
            Ugi::proxy(identity.user.clone(), self.service.clone())
        }
    }
}

impl Calls for Remote {
    fn call(&self, who: &Who, method: &'static str, request: Vec<u8>) -> CallFuture {
        let client = self.clients.shared(&self.uri, self.ugi(&who.identity));
        Box::pin(async move { client?.call_encoded(method, request.into()).await })
    }
}

struct Server {
    gateway: Arc<Gateway>,
    remote: Arc<Remote>,
}

/// Starts a gateway to the default file system.
///
/// # Errors
/// When the configuration is wrong or the port is taken; the message says what to do.
pub fn start(conf: &Configuration) -> Result<HttpFsHandle> {
    let groups = Groups::from_configuration(conf)?;
    // Who may act for whom here is said by keys of the gateway's own.
    let own: Vec<(String, &str)> = conf
        .iter()
        .filter_map(|(key, value)| {
            Some((format!("hadoop.proxyuser.{}", key.strip_prefix("httpfs.proxyuser.")?), value))
        })
        .collect();
    let rules = ProxyUsers::new(
        own.iter().map(|(key, value)| (key.as_str(), *value)),
        Arc::new(move |user: &str| groups.of(user).to_vec()),
    );
    let mut client_conf = conf.clone();
    client_conf.set(keys::DFS_CHECKSUM_COMBINE_MODE.name, "MD5MD5CRC")?;
    let remote = Arc::new(Remote {
        clients: Clients::new(client_conf),
        uri: conf.get_str(&keys::FS_DEFAULT_FS).to_owned(),
        service: current_user(),
    });
    // An address that is none is found now, not at the first request.
    remote.clients.shared(&remote.uri, Ugi::new(remote.service.clone()))?;
    let gateway = Arc::new(Gateway {
        conf: WebHdfsConf::new(conf)?,
        impersonation: Impersonation::Rules(Arc::new(rules)),
        calls: remote.clone(),
    });
    let router = router(conf, Arc::new(Server { gateway, remote }))?;
    let (host, port) = (conf.get_str(&keys::HTTPFS_HTTP_HOSTNAME), &keys::HTTPFS_HTTP_PORT);
    let port = u16::try_from(conf.get_u64(port)?)
        .map_err(|_| Error::io(format!("{} is no port", port.name)))?;
    let address = host::resolve(host, port)?.first().copied();
    let address = address.ok_or_else(|| Error::io(format!("{host} has no address")))?;
    let runtime = Workers::shared()?.next().clone();
    let (sender, bound) = std::sync::mpsc::channel();
    let task = runtime.spawn(async move {
        let listener = http::bind(address).await.and_then(|listener| {
            let local_addr = listener.local_addr()?;
            Ok((listener, local_addr))
        });
        let (listener, result) = match listener {
            Ok((listener, local_addr)) => (Some(listener), Ok(local_addr)),
            Err(error) => (None, Err(error)),
        };
        // The receiver waits for exactly this.
        let _ = sender.send(result);
        let Some(listener) = listener else { return };
        if let Err(error) = http::serve(listener, router).await {
            tracing::error!("the web server of HttpFS ended: {error}");
        }
    });
    let bound = bound.recv().map_err(|_| Error::io("the web server of HttpFS did not start"))?;
    Ok(HttpFsHandle { local_addr: bound?, task: task.abort_handle() })
}

fn router(conf: &Configuration, server: Arc<Server>) -> Result<Router> {
    let mut router = Router::new()
        .route(PREFIX, any(serve))
        .route(&format!("{PREFIX}/"), any(serve))
        .route(&format!("{PREFIX}/{{*path}}"), any(serve))
        .with_state(server);
    if let Some(filter) = CsrfFilter::new(conf)? {
        router = router.layer(middleware::from_fn_with_state(Arc::new(filter), prevent_csrf));
    }
    Ok(router.merge(http::conf_router(Arc::new(conf.clone()))))
}

async fn serve(
    State(server): State<Arc<Server>>,
    ConnectInfo(remote): ConnectInfo<SocketAddr>,
    request: HttpRequest,
) -> Response {
    // On a task of its own: a client that goes away must not leave a file open.
    let task = tokio::spawn(async move { server.answer(request, remote).await });
    match task.await {
        Ok(answer) => answer.unwrap_or_else(|error| failure(&error)),
        Err(failed) => failure(&Error::io(format!("the request's task ended: {failed}"))),
    }
}

impl Server {
    async fn answer(&self, request: HttpRequest, remote: SocketAddr) -> Result<Response> {
        let (parts, body) = request.into_parts();
        let query = Query::parse(parts.uri.query().unwrap_or_default());
        if query.get("user.name").is_none() {
            let text = "Authentication required: add user.name=NAME to the query";
            return Ok(plain(StatusCode::UNAUTHORIZED, text));
        }
        let request = self.gateway.request(&parts.method, target(&parts.uri), remote)?;
        match self.gateway.perform(request).await? {
            Outcome::Done(response) => Ok(response),
            Outcome::Redirect(request, redirect) => {
                self.move_data(&parts, &query, (request, redirect), body).await
            }
        }
    }

    async fn move_data(
        &self,
        parts: &axum::http::request::Parts,
        query: &Query,
        (request, redirect): (Request, Redirect),
        body: Body,
    ) -> Result<Response> {
        let ugi = self.remote.ugi(&request.who.identity);
        let (path, params) = (&request.path, &request.params);
        let is_upload = parts.method == Method::PUT || parts.method == Method::POST;
        let has_data = query.get("data").is_some_and(|data| data.eq_ignore_ascii_case("true"));
        if redirect.no_redirect || (is_upload && !has_data) {
            let here = own_location(&parts.uri, &parts.headers, is_upload);
            let answer = if redirect.no_redirect { location_answer } else { redirect_answer };
            return Ok(answer(&here));
        }
        if is_upload && !is_octet_stream(&parts.headers) {
            let text =
                format!("Data upload requests must have content-type set to '{OCTET_STREAM}'");
            return Ok(plain(StatusCode::BAD_REQUEST, &text));
        }
        let uri = &self.remote.uri;
        match redirect.op {
            Op::Open => {
                let client = self.remote.clients.shared(uri, ugi)?;
                let (length, body) = data::open(&client, path, params).await?;
                let mut response = Response::new(body);
                let headers = response.headers_mut();
                headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(OCTET_STREAM));
                headers.insert(header::CONTENT_LENGTH, length.into());
                Ok(response)
            }
            Op::GetFileChecksum => {
                let client = self.remote.clients.shared(uri, ugi)?;
                Ok(crate::webhdfs::json(data::checksum(&client, path).await?))
            }
            Op::Create => {
                let client = self.remote.clients.fresh(uri, ugi)?;
                data::create(&client, path, params, body).await?;
                let whole = own_location(&parts.uri, &parts.headers, false);
                let here = whole.split('?').next().unwrap_or_default();
                let mut response = location_answer(here);
                *response.status_mut() = StatusCode::CREATED;
                if let Ok(value) = HeaderValue::from_str(here) {
                    response.headers_mut().insert(header::LOCATION, value);
                }
                Ok(response)
            }
            _ => {
                let client = self.remote.clients.fresh(uri, ugi)?;
                data::append(&client, path, body).await?;
                Ok(Response::new(Body::empty()))
            }
        }
    }
}

fn is_octet_stream(headers: &HeaderMap) -> bool {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    given.is_some_and(|given| given.eq_ignore_ascii_case(OCTET_STREAM))
}

/// This request's own address without `noredirect`, and with `data=true` for an upload.
fn own_location(uri: &Uri, headers: &HeaderMap, with_data: bool) -> String {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let query = uri.query().unwrap_or_default();
    let dropped = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or_default();
        name != "noredirect" && name != "data"
    };
    let mut kept: Vec<&str> = query.split('&').filter(dropped).collect();
    if with_data {
        kept.push("data=true");
    }
    format!("http://{host}{}?{}", uri.path(), kept.join("&"))
}
