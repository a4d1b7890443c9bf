//! WebHDFS on a DataNode: the four operations that move a file's bytes, each through a client of the NameNode that the
//! request names.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.datanode.web.webhdfs.WebHdfsHandler (3.5.0)

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware;
use axum::response::Response;
use axum::routing::any;
use hdfs_conf::{Configuration, keys};
use hdfs_format::webhdfs::{
    HttpMethod, OCTET_STREAM, Op, PREFIX, Params, Query, decode_path, http_status, quote_path,
    remote_exception,
};
use hdfs_rt::rpc::client::Ugi;
use hdfs_types::{Error, ErrorKind, Result};

use crate::webhdfs::{Clients, CsrfFilter, Impersonation, WebHdfsConf, data, prevent_csrf, target};

const JSON: &str = "application/json; charset=utf-8";
struct Server {
    conf: WebHdfsConf,
    clients: Clients,
}

/// The routes.
pub(super) fn router(configuration: &Configuration) -> Result<Router> {
    let mut client_conf = configuration.clone();
    // The JSON of a checksum has room for this kind only.
    client_conf.set(keys::DFS_CHECKSUM_COMBINE_MODE.name, "MD5MD5CRC")?;
    let server = Arc::new(Server {
        conf: WebHdfsConf::new(configuration)?,
        clients: Clients::new(client_conf),
    });
    let mut router = Router::new()
        .route(PREFIX, any(serve))
        .route(&format!("{PREFIX}/"), any(serve))
        .route(&format!("{PREFIX}/{{*path}}"), any(serve))
        .with_state(server);
    if let Some(filter) = CsrfFilter::new(configuration)? {
        router = router.layer(middleware::from_fn_with_state(Arc::new(filter), prevent_csrf));
    }
    Ok(router)
}

/// Runs on a task of its own: a client that goes away must not leave a file open.
async fn serve(
    State(server): State<Arc<Server>>,
    ConnectInfo(remote): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let task = tokio::spawn(async move { server.answer(request, remote).await });
    let answer = task.await.unwrap_or_else(|failed| {
        Err(Error::new(ErrorKind::Runtime, format!("the request's task ended: {failed}")))
    });
    answer.unwrap_or_else(|error| {
        let status = StatusCode::from_u16(http_status(&error));
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        respond(status, remote_exception(&error), &[(header::CONTENT_TYPE, JSON)])
    })
}

/// A response that pages of other origins may read: those of the NameNode are of another origin.
fn respond(
    status: StatusCode,
    body: impl Into<Body>,
    headers: &[(HeaderName, &'static str)],
) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    for (name, value) in headers {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    let any = HeaderValue::from_static("*");
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, any);
    response
}

impl Server {
    async fn answer(&self, request: Request, remote: SocketAddr) -> Result<Response> {
        let (parts, body) = request.into_parts();
        let (path, query) = target(&parts.uri);
        let (path, mut query) = (decode_path(path), Query::parse(query));
        // As in Hadoop, whose NameNode encodes this one twice.
        query.decode_again("createflag");
        let op = operation(&parts.method, &query)?;
        if parts.method == Method::OPTIONS {
            return Ok(preflight(op));
        }
        let params = Params::parse_bare(op.method(), &query, &self.conf.patterns)?;
        let caller = Impersonation::AskedLater.caller(&query, &self.conf, remote)?;
        let ugi = match caller.real_user {
            Some(real) => Ugi::proxy(caller.user, real),
            None => Ugi::new(caller.user),
        };
        let namenode = query.get("namenoderpcaddress").filter(|address| !address.is_empty());
        let namenode = namenode.ok_or_else(|| {
            let message = "java.net.UnknownHostException: null";
            Error::new(ErrorKind::IllegalArgument, message)
        })?;
        let namenode = format!("hdfs://{namenode}");
        match op {
            Op::Open => self.open(&namenode, ugi, &path, &params).await,
            Op::GetFileChecksum => {
                let json = data::checksum(&self.clients.shared(&namenode, ugi)?, &path).await?;
                Ok(respond(StatusCode::OK, json, &[(header::CONTENT_TYPE, JSON)]))
            }
            Op::Create => {
                data::create(&self.clients.fresh(&namenode, ugi)?, &path, &params, body).await?;
                let mut response = respond(StatusCode::CREATED, Body::empty(), &[]);
                let location = format!("{namenode}{}", quote_path(&path, true));
                if let Ok(value) = HeaderValue::from_str(&location) {
                    response.headers_mut().insert(header::LOCATION, value);
                }
                Ok(response)
            }
            _ => {
                data::append(&self.clients.fresh(&namenode, ugi)?, &path, body).await?;
                Ok(respond(StatusCode::OK, Body::empty(), &[]))
            }
        }
    }

    async fn open(
        &self,
        namenode: &str,
        ugi: Ugi,
        path: &str,
        params: &Params,
    ) -> Result<Response> {
        let (length, body) = data::open(&self.clients.shared(namenode, ugi)?, path, params).await?;
        let headers =
            [(header::CONTENT_TYPE, OCTET_STREAM), (header::ACCESS_CONTROL_ALLOW_METHODS, "GET")];
        let mut response = respond(StatusCode::OK, body, &headers);
        response.headers_mut().insert(header::CONTENT_LENGTH, length.into());
        Ok(response)
    }
}

/// The operation, if it is one of a DataNode's. A browser's question in advance is about one of them.
fn operation(method: &Method, query: &Query) -> Result<Op> {
    let name = query.get("op");
    let methods: &[HttpMethod] = match *method {
        Method::GET | Method::HEAD => &[HttpMethod::Get],
        Method::PUT => &[HttpMethod::Put],
        Method::POST => &[HttpMethod::Post],
        Method::OPTIONS => &[HttpMethod::Put, HttpMethod::Post, HttpMethod::Get],
        _ => &[],
    };
    let mut found = methods.iter().filter_map(|method| Op::find(*method, name?));
    found.find(|op| op.redirects()).ok_or_else(|| {
        let message = format!("Invalid operation {}", name.unwrap_or("null"));
        Error::new(ErrorKind::IllegalArgument, message)
    })
}

// Differs: Hadoop lets pages of other origins create only, and send no type with the bytes.
fn preflight(op: Op) -> Response {
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "accept, content-type, x-xsrf-header"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, op.method().name()),
        (header::ACCESS_CONTROL_MAX_AGE, "1728000"),
    ];
    respond(StatusCode::OK, Body::empty(), &headers)
}
