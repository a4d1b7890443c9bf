//! Requests that the S3 library has no form for: keys that end in a slash, which mark directories, and listings that
//! show them.

mod xml;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hdfs_types::{Error, ErrorKind};
use object_store::aws::AwsAuthorizer;
use object_store::client::{HttpRequest, HttpRequestBody};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Method, StatusCode};

use super::conf::BucketConf;
use crate::shell::failure::{Failure, Outcome};

/// What stays as it is in a parameter, as the signature has it.
const QUERY: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// What stays as it is in the path of a URL.
const PATH: AsciiSet = QUERY.remove(b'/');

/// First pause before a request is repeated; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// Most keys that S3 gives in one page.
pub(super) const PAGE: u32 = 1_000;

/// Signed requests to one bucket.
pub(super) struct Requests {
    http: reqwest::Client,
    conf: Arc<BucketConf>,
}

/// An object in a listing.
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) length: u64,
    pub(super) modified_ms: u64,
}

/// One page of a listing.
#[derive(Default)]
pub(super) struct Page {
    pub(super) objects: Vec<Entry>,
    /// Directories, with the slash at their end.
    pub(super) prefixes: Vec<String>,
    /// Where the next page begins.
    next: Option<String>,
}

impl Page {
    pub(super) fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.prefixes.is_empty()
    }
}

impl Requests {
    pub(super) fn new(conf: Arc<BucketConf>) -> Outcome<Self> {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(conf.connect_timeout)
            .read_timeout(conf.read_timeout)
            .build()
            .map_err(|error| Failure::io(format!("HTTP client: {error}")))?;
        Ok(Self { http, conf })
    }

    /// Makes an empty object of this key.
    pub(super) async fn put_empty(&self, key: &str) -> Outcome<()> {
        self.send(Method::PUT, key, "").await.map(drop)
    }

    /// Deletes an object; that there is none is no error.
    pub(super) async fn delete(&self, key: &str) -> Outcome<()> {
        self.send(Method::DELETE, key, "").await.map(drop)
    }

    /// The first page below a prefix; only its own level when `delimited`.
    pub(super) async fn list(&self, prefix: &str, delimited: bool, limit: u32) -> Outcome<Page> {
        self.list_from(prefix, delimited, limit, None).await
    }

    /// The page after this one, if there is one.
    pub(super) async fn next(
        &self,
        prefix: &str,
        delimited: bool,
        page: &Page,
    ) -> Outcome<Option<Page>> {
        match &page.next {
            Some(next) => self.list_from(prefix, delimited, PAGE, Some(next)).await.map(Some),
            None => Ok(None),
        }
    }

    async fn list_from(
        &self,
        prefix: &str,
        delimited: bool,
        limit: u32,
        token: Option<&str>,
    ) -> Outcome<Page> {
        let escape = |text: &str| utf8_percent_encode(text, &QUERY).to_string();
        let mut query = format!("list-type=2&max-keys={limit}&prefix={}", escape(prefix));
        if delimited {
            query.push_str("&delimiter=%2F");
        }
        if let Some(token) = token {
            query.push_str(&format!("&continuation-token={}", escape(token)));
        }
        // The prefix stands in errors, where the request itself names no key.
        let body = self.send_about(Method::GET, "", &query, prefix).await?;
        xml::parse_page(&body)
    }

    async fn send(&self, method: Method, key: &str, query: &str) -> Outcome<Bytes> {
        self.send_about(method, key, query, key).await
    }

    /// Sends a request, again while the service is busy or can't be reached.
    async fn send_about(
        &self,
        method: Method,
        key: &str,
        query: &str,
        about: &str,
    ) -> Outcome<Bytes> {
        let mut pause = FIRST_PAUSE;
        let mut attempt = 1;
        loop {
            let (failure, lasting) = match self.send_once(&method, key, query, about).await {
                Ok(body) => return Ok(body),
                Err(failed) => failed,
            };
            if lasting || attempt >= self.conf.attempts {
                return Err(failure);
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
            attempt += 1;
        }
    }

    /// The answer, or the error and whether it would come again.
    async fn send_once(
        &self,
        method: &Method,
        key: &str,
        query: &str,
        about: &str,
    ) -> Result<Bytes, (Failure, bool)> {
        let mut url = format!("{}/{}", self.conf.url, utf8_percent_encode(key, &PATH));
        if !query.is_empty() {
            url.push('?');
            url.push_str(query);
        }
        let broken =
            |text: String, lasting| (Failure::io(format!("{}: {text}", self.conf.url)), lasting);
        let mut request = HttpRequest::new(HttpRequestBody::empty());
        *request.method_mut() = method.clone();
        *request.uri_mut() =
            url.parse().map_err(|error| broken(format!("{url} is no URL: {error}"), true))?;
        if let Some(credential) = &self.conf.credential {
            let signer = AwsAuthorizer::new(credential, "s3", &self.conf.region);
            let signed = signer.try_authorize(&mut request, None);
            signed.map_err(|error| broken(error.to_string(), true))?;
        }
        let headers = request.headers().clone();
        let sent = self.http.request(method.clone(), &url).headers(headers).send().await;
        let response = sent.map_err(|error| broken(root_cause(&error), error.is_builder()))?;
        let status = response.status();
        let body = response.bytes().await;
        let body = body.map_err(|error| broken(root_cause(&error), false))?;
        if status.is_success() {
            return Ok(body);
        }
        let busy = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
        Err((self.refusal(about, status.as_u16(), &body), !busy))
    }

    /// The error that an answer means. `key` is what the request was about.
    fn refusal(&self, key: &str, status: u16, body: &[u8]) -> Failure {
        let (code, message) = xml::error(body);
        let path = format!("s3a://{}/{}", self.conf.bucket, key.trim_end_matches('/'));
        let text = match (code.as_str(), message.as_str()) {
            ("", "") => format!("HTTP status {status}"),
            _ => format!("{code}: {message} (HTTP status {status})"),
        };
        match (status, code.as_str()) {
            (404, "NoSuchBucket") => Failure::path(&path, &text),
            (404, _) => Failure::Io(Error::new(ErrorKind::FileNotFound, format!("{path}: {text}"))),
            (401 | 403, _) => {
                Failure::Io(Error::new(ErrorKind::AccessControl, format!("{path}: {text}")))
            }
            (301 | 307, _) => Failure::io(format!(
                "{path}: the bucket is not in region {}: set fs.s3a.endpoint.region",
                self.conf.region
            )),
            _ => Failure::io(format!("{path}: {text}")),
        }
    }
}

/// The innermost error, which says what happened.
pub(super) fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    let text = cause.to_string();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}
