//! WebHDFS on an image, for reading: `hdfs dfs -ls webhdfs://localhost:5978/`.
//!
//! Hadoop: org.apache.hadoop.hdfs.tools.offlineImageViewer.{WebImageViewer, FSImageHandler} (3.5.0)

use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{CONNECTION, CONTENT_TYPE};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use hdfs_conf::keys;
use hdfs_format::fsimage::Image;
use hdfs_format::webhdfs::{Query, decode_path, http_status, remote_exception};
use hdfs_rt::conf_files::load_configuration;
use hdfs_types::{Error, ErrorKind, Result};

use super::namespace::Namespace;
use super::{Failure, Input};
use crate::output::complain;

const PREFIX: &str = "/webhdfs/v1";
const JSON: &str = "application/json; charset=utf-8";

/// Serves until the process is stopped.
pub(super) fn run(addr: &str, input: Input) -> std::result::Result<i32, Failure> {
    refuse_security()?;
    let addr = resolve(addr)?;
    // The viewer reads the image as long as the process lives.
    let input: &'static Input = Box::leak(Box::new(input));
    let image: &'static Image<'static> = Box::leak(Box::new(input.image()?));
    let namespace = Arc::new(Namespace::load(image)?);
    let failed = |error: std::io::Error| {
        let text = error.to_string();
        Failure::Io(text.split(" (os error").next().unwrap_or_default().to_owned())
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(failed)?.block_on(async {
        let listener = tokio::net::TcpListener::bind(addr).await.map_err(failed)?;
        let at = listener.local_addr().map_err(failed)?;
        complain!(
            "INFO oiv: WebImageViewer started. Listening on /{at}. Press Ctrl+C to stop the viewer."
        );
        let router = Router::new().fallback(answer).with_state(namespace);
        hdfs_rt::http::serve(listener, router).await.map_err(|error| Failure::Io(error.message))
    })?;
    Ok(0)
}

fn refuse_security() -> std::result::Result<(), Failure> {
    let conf = load_configuration(None, &[]).map_err(|error| Failure::Io(error.to_string()))?;
    let authentication = conf.get_str(&keys::HADOOP_SECURITY_AUTHENTICATION);
    if authentication.eq_ignore_ascii_case("simple") {
        return Ok(());
    }
    let text = "WebImageViewer does not support secure mode. To start in non-secure mode, pass \
        -Dhadoop.security.authentication=simple";
    Err(Failure::uncaught("java.lang.RuntimeException", text.to_owned()))
}

/// The address to listen at. Hadoop: NetUtils.createSocketAddr
fn resolve(addr: &str) -> std::result::Result<SocketAddr, Failure> {
    let split = addr.rsplit_once(':').and_then(|(host, port)| {
        let port: u16 = port.parse().ok()?;
        Some((host, port)).filter(|(host, _)| !host.is_empty())
    });
    let (host, port) = split.ok_or_else(|| {
        let text = format!("Does not contain a valid host:port authority: {addr}");
        Failure::uncaught("java.lang.IllegalArgumentException", text)
    })?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let found: Vec<SocketAddr> =
        (host, port).to_socket_addrs().map(Iterator::collect).unwrap_or_default();
    // Java prefers version 4.
    let first = found.iter().find(|addr| addr.is_ipv4()).or_else(|| found.first());
    first.copied().ok_or_else(|| {
        Failure::uncaught("java.nio.channels.UnresolvedAddressException", addr.to_owned())
    })
}

async fn answer(State(namespace): State<Arc<Namespace<'static>>>, request: Request) -> Response {
    if request.method() != Method::GET {
        return (StatusCode::METHOD_NOT_ALLOWED, [(CONNECTION, "close")]).into_response();
    }
    let uri = request.uri().clone();
    // Reading a directory of millions takes a while, and pages of the image come from the disk.
    let work = move || content(&namespace, uri.path(), uri.query().unwrap_or_default());
    let content = match tokio::task::spawn_blocking(work).await {
        Ok(content) => content,
        Err(stopped) => Err(Error::new(ErrorKind::Runtime, stopped.to_string())),
    };
    let (status, body) = match content {
        Ok(body) => (StatusCode::OK, body),
        Err(error) => {
            let status = StatusCode::from_u16(http_status(&error));
            (status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), remote_exception(&error))
        }
    };
    (status, [(CONTENT_TYPE, JSON), (CONNECTION, "close")], body).into_response()
}

/// The body of an answer.
fn content(namespace: &Namespace<'_>, target: &str, query: &str) -> Result<String> {
    let target = decode_path(target);
    let path = target.strip_prefix(PREFIX).ok_or_else(|| {
        let text = format!("Path: {target} should start with {PREFIX}");
        Error::new(ErrorKind::FileNotFound, text)
    })?;
    let query = Query::parse(query);
    let illegal = |text: &str| Error::new(ErrorKind::IllegalArgument, text);
    let op = query.get("op").ok_or_else(|| illegal("Param op must be specified."))?;
    // Hadoop looks at the path only after the operation is known to exist.
    let absolute = || if path.starts_with('/') { Ok(path) } else { Err(illegal("")) };
    match op.to_uppercase().as_str() {
        "GETFILESTATUS" => namespace.file_status(absolute()?),
        "LISTSTATUS" => namespace.list_status(absolute()?),
        "GETACLSTATUS" => namespace.acl_status(absolute()?),
        "GETXATTRS" => {
            let names: Vec<&str> = query.all("xattr.name").collect();
            namespace.x_attrs(absolute()?, &names, query.get("encoding").unwrap_or_default())
        }
        "LISTXATTRS" => namespace.x_attr_names(absolute()?),
        "GETCONTENTSUMMARY" => namespace.content_summary(absolute()?),
        _ => Err(illegal("Invalid value for webhdfs parameter \"op\"")),
    }
}
