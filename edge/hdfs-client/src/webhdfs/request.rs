//! One WebHDFS call: its URL, its attempts, its error.

use std::time::Duration;

use hdfs_conf::HostPort;
use hdfs_types::{Error, ErrorKind, Result};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Method, Response, StatusCode};
use serde_json::Value;

use super::{WebHdfsClient, json};

/// What stays as it is in the path of a URL.
const PATH: AsciiSet =
    NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// What stays as it is in a parameter.
const QUERY: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Longest error body that is read, in bytes.
const MAX_ERROR_BYTES: usize = 1 << 20;

/// A call in the making.
pub(super) struct Request {
    method: Method,
    operation: &'static str,
    path: String,
    parameters: Vec<(&'static str, String)>,
}

impl Request {
    fn new(method: Method, operation: &'static str, path: &str) -> Self {
        Self { method, operation, path: path.to_owned(), parameters: Vec::new() }
    }

    pub(super) fn get(operation: &'static str, path: &str) -> Self {
        Self::new(Method::GET, operation, path)
    }

    pub(super) fn put(operation: &'static str, path: &str) -> Self {
        Self::new(Method::PUT, operation, path)
    }

    pub(super) fn post(operation: &'static str, path: &str) -> Self {
        Self::new(Method::POST, operation, path)
    }

    pub(super) fn delete(operation: &'static str, path: &str) -> Self {
        Self::new(Method::DELETE, operation, path)
    }

    /// Adds a parameter.
    #[must_use]
    pub(super) fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.parameters.push((name, value.to_string()));
        self
    }

    /// The same unless there is no value.
    #[must_use]
    pub(super) fn with_some(self, name: &'static str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    pub(super) fn method(&self) -> Method {
        self.method.clone()
    }

    pub(super) fn operation(&self) -> &'static str {
        self.operation
    }

    fn url(&self, namenode: &HostPort, client: &WebHdfsClient) -> String {
        let path = utf8_percent_encode(&self.path, &PATH);
        let mut url = format!("http://{namenode}/webhdfs/v1{path}?op={}", self.operation);
        let ugi = &client.shared.ugi;
        let mut add = |name: &str, value: &str| {
            url.push_str(&format!("&{name}={}", utf8_percent_encode(value, &QUERY)));
        };
        match &ugi.real_user {
            Some(real_user) => {
                add("user.name", real_user);
                add("doas", &ugi.user);
            }
            None => add("user.name", &ugi.user),
        }
        for (name, value) in &self.parameters {
            add(name, value);
        }
        url
    }
}

/// How an attempt ended that gave no answer.
struct Failed {
    error: Error,
    /// Another NameNode may answer, and this one did not execute the call.
    elsewhere: bool,
}

impl WebHdfsClient {
    /// Sends a call to the NameNode and takes any answer that is no error: success, or a redirect.
    pub(super) async fn send(&self, request: &Request) -> Result<Response> {
        let mut failovers = 0;
        loop {
            let (index, namenode) = self.namenode();
            let failed = match self.attempt(request, namenode).await {
                Ok(response) => return Ok(response),
                Err(failed) => failed,
            };
            let alone = self.shared.namenodes.len() == 1;
            if alone || !failed.elsewhere || failovers >= self.conf().failovers {
                return Err(failed.error);
            }
            self.fail_over(index);
            // The first change is at once: the other NameNode is most likely the active one.
            if failovers > 0 {
                tokio::time::sleep(self.pause(failovers)).await;
            }
            failovers += 1;
        }
    }

    fn pause(&self, failovers: u32) -> Duration {
        let doubled = self.conf().sleep_base.saturating_mul(1 << failovers.min(16));
        doubled.min(self.conf().sleep_max)
    }

    async fn attempt(&self, request: &Request, namenode: &HostPort) -> Result<Response, Failed> {
        let url = request.url(namenode, self);
        let sent = self.http(request.method(), &url).send();
        let response = match tokio::time::timeout(self.conf().read_timeout, sent).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => {
                let elsewhere = error.is_connect() || request.method == Method::GET;
                return Err(Failed { error: broken(&namenode.to_string(), &error), elsewhere });
            }
            Err(_) => {
                let elsewhere = request.method == Method::GET;
                return Err(Failed { error: silent(&namenode.to_string()), elsewhere });
            }
        };
        if response.status().is_success() || response.status() == StatusCode::TEMPORARY_REDIRECT {
            return Ok(response);
        }
        let error = refusal(response, request.operation).await;
        let elsewhere = matches!(error.kind, ErrorKind::Standby);
        Err(Failed { error, elsewhere })
    }

    /// A request with the headers that every request has.
    pub(super) fn http(&self, method: Method, url: &str) -> reqwest::RequestBuilder {
        let mut builder = self.shared.http.request(method.clone(), url);
        if let Some(csrf) = &self.conf().csrf
            && !csrf.ignored_methods.iter().any(|ignored| ignored == method.as_str())
        {
            builder = builder.header(&csrf.header, "\"\"");
        }
        builder
    }

    /// Calls, and reads the JSON of the answer.
    pub(super) async fn ask(&self, request: Request) -> Result<Value> {
        let response = self.send(&request).await?;
        let response = self.follow(&request, response).await?;
        json::parse(&self.body(response).await?)
    }

    /// Calls, for an operation whose answer says nothing.
    pub(super) async fn tell(&self, request: Request) -> Result<()> {
        let response = self.send(&request).await?;
        self.body(response).await.map(drop)
    }

    /// Calls, for an operation that answers true or false.
    pub(super) async fn ask_bool(&self, request: Request) -> Result<bool> {
        json::boolean(&self.ask(request).await?)
    }

    async fn body(&self, response: Response) -> Result<Vec<u8>> {
        let node = node_of(&response);
        match tokio::time::timeout(self.conf().read_timeout, response.bytes()).await {
            Ok(bytes) => Ok(bytes.map_err(|error| broken(&node, &error))?.to_vec()),
            Err(_) => Err(silent(&node)),
        }
    }

    /// Goes where a redirect points, without a body.
    pub(super) async fn follow(&self, request: &Request, response: Response) -> Result<Response> {
        let Some(location) = location(&response)? else { return Ok(response) };
        let sent = self.http(request.method(), &location).send();
        let node = node_of_url(&location);
        let response = match tokio::time::timeout(self.conf().read_timeout, sent).await {
            Ok(sent) => sent.map_err(|error| broken(&node, &error))?,
            Err(_) => return Err(silent(&node)),
        };
        if response.status().is_success() {
            return Ok(response);
        }
        Err(refusal(response, request.operation).await)
    }
}

/// Where an answer sends the caller.
pub(super) fn location(response: &Response) -> Result<Option<String>> {
    if response.status() != StatusCode::TEMPORARY_REDIRECT {
        return Ok(None);
    }
    let header = response.headers().get(reqwest::header::LOCATION);
    let text = header.and_then(|value| value.to_str().ok());
    let text = text.ok_or_else(|| Error::io("redirect without a Location header"))?;
    Ok(Some(text.to_owned()))
}

/// `host:port` of a URL.
pub(super) fn node_of_url(url: &str) -> String {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest);
    authority.split(['/', '?']).next().unwrap_or_default().to_owned()
}

pub(super) fn node_of(response: &Response) -> String {
    node_of_url(response.url().as_str())
}

/// The error for a connection that failed, with the node in front as Java's client has it.
pub(super) fn broken(node: &str, error: &reqwest::Error) -> Error {
    let mut cause: &dyn std::error::Error = error;
    let mut kind = ErrorKind::Io;
    loop {
        if let Some(io) = cause.downcast_ref::<std::io::Error>() {
            kind = match io.kind() {
                std::io::ErrorKind::ConnectionRefused => ErrorKind::Connect,
                std::io::ErrorKind::TimedOut => ErrorKind::SocketTimeout,
                _ => kind,
            };
        }
        match cause.source() {
            Some(source) => cause = source,
            None => break,
        }
    }
    let text = cause.to_string();
    if text.contains("failed to lookup address") {
        let host = node.rsplit_once(':').map_or(node, |(host, _)| host);
        let message = format!("java.net.UnknownHostException: {host}");
        return Error::new(ErrorKind::IllegalArgument, message);
    }
    let reason = text.split(" (os error").next().unwrap_or_default();
    Error::new(kind, format!("{node}: {reason}"))
}

pub(super) fn silent(node: &str) -> Error {
    Error::new(ErrorKind::SocketTimeout, format!("{node}: Read timed out"))
}

/// The error that a server's answer means.
pub(super) async fn refusal(mut response: Response, operation: &str) -> Error {
    let status = response.status();
    let reason = status.canonical_reason().unwrap_or_default();
    if status == StatusCode::UNAUTHORIZED {
        return Error::new(ErrorKind::AccessControl, reason);
    }
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_ERROR_BYTES {
            break;
        }
    }
    json::remote_exception(&body).unwrap_or_else(|| {
        Error::io(format!(
            "Unexpected HTTP response: code={} != 200, op={operation}, message={reason}",
            status.as_u16()
        ))
    })
}

#[cfg(test)]
mod tests {
    use hdfs_conf::Configuration;
    use hdfs_rt::rpc::client::Ugi;

    use super::*;

    #[test]
    fn names_are_escaped_in_path_and_parameters() {
        // The command's TLS is in the same build: reqwest then asks for a provider. A second call only says so.
        drop(rustls::crypto::ring::default_provider().install_default());
        let ugi = Ugi::proxy("ann", "gate way");
        let client = WebHdfsClient::for_user("webhdfs://nn", &Configuration::new(), ugi).unwrap();
        let request = Request::put("RENAME", "/a b/ü?%").with("destination", "/c&d=e");
        let (_, namenode) = client.namenode();
        assert_eq!(
            request.url(namenode, &client),
            "http://nn:9870/webhdfs/v1/a%20b/%C3%BC%3F%25?op=RENAME&user.name=gate%20way&doas=ann\
             &destination=%2Fc%26d%3De"
        );
    }
}
