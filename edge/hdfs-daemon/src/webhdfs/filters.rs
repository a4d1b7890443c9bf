//! The filters in front: against cross-site requests, and for pages of other origins.
//!
//! Hadoop: org.apache.hadoop.security.http.RestCsrfPreventionFilter, CrossOriginFilter (3.5.0)

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use hdfs_conf::{Configuration, keys};
use hdfs_types::{Error, ErrorKind, Result};
use regex::Regex;

use super::answer::{plain, response};

/// Demands a header that a browser does not send by itself.
pub(crate) struct CsrfFilter {
    header: String,
    ignored_methods: Vec<String>,
    browsers: Vec<Regex>,
}

impl CsrfFilter {
    /// `None` unless `dfs.webhdfs.rest-csrf.enabled`.
    ///
    /// # Errors
    /// `IllegalArgument` for a pattern that is none.
    pub(crate) fn new(conf: &Configuration) -> Result<Option<Self>> {
        if !conf.get_bool(&keys::DFS_WEBHDFS_REST_CSRF_ENABLED) {
            return Ok(None);
        }
        let agents = &keys::DFS_WEBHDFS_REST_CSRF_BROWSER_USERAGENTS_REGEX;
        let browsers = list(conf.get_str(agents)).map(|pattern| {
            Regex::new(&format!("^(?:{pattern})$")).map_err(|error| {
                let message = format!("{}: {pattern}: {error}", agents.name);
                Error::new(ErrorKind::IllegalArgument, message)
            })
        });
        let methods = list(conf.get_str(&keys::DFS_WEBHDFS_REST_CSRF_METHODS_TO_IGNORE));
        Ok(Some(Self {
            header: conf.get_str(&keys::DFS_WEBHDFS_REST_CSRF_CUSTOM_HEADER).to_owned(),
            ignored_methods: methods.map(str::to_owned).collect(),
            browsers: browsers.collect::<Result<_>>()?,
        }))
    }

    fn allows(&self, method: &str, headers: &HeaderMap) -> bool {
        let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
        let is_browser =
            agent.is_some_and(|agent| self.browsers.iter().any(|browser| browser.is_match(agent)));
        !is_browser
            || self.ignored_methods.iter().any(|ignored| ignored == method)
            || headers.contains_key(self.header.as_str())
    }
}

fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty())
}

/// Refuses what [`CsrfFilter`] refuses.
pub(crate) async fn prevent_csrf(
    State(filter): State<Arc<CsrfFilter>>,
    request: Request,
    next: Next,
) -> Response {
    if filter.allows(request.method().as_str(), request.headers()) {
        return next.run(request).await;
    }
    let message = "Missing Required Header for CSRF Vulnerability Protection";
    plain(StatusCode::BAD_REQUEST, message)
}

/// Lets pages of other origins read answers.
pub(crate) struct CrossOrigin {
    methods: String,
    headers: String,
    max_age: String,
    all: bool,
    origins: Vec<String>,
    patterns: Vec<Regex>,
}

impl CrossOrigin {
    /// `None` unless `hadoop.http.cross-origin.enabled`.
    ///
    /// # Errors
    /// `IllegalArgument` for a pattern that is none.
    pub(crate) fn new(conf: &Configuration) -> Result<Option<Self>> {
        if !conf.get_bool(&keys::HADOOP_HTTP_CROSS_ORIGIN_ENABLED) {
            return Ok(None);
        }
        let key = &keys::HADOOP_HTTP_CROSS_ORIGIN_ALLOWED_ORIGINS;
        let origins: Vec<String> = list(conf.get_str(key)).map(str::to_owned).collect();
        let compile = |pattern: &str| {
            Regex::new(&format!("^(?:{pattern})$")).map_err(|error| {
                let message = format!("{}: {pattern}: {error}", key.name);
                Error::new(ErrorKind::IllegalArgument, message)
            })
        };
        let mut patterns = Vec::new();
        for origin in origins.iter().filter(|origin| *origin != "*") {
            match origin.strip_prefix("regex:") {
                Some(pattern) => patterns.push(compile(pattern)?),
                // `*` stands for any text.
                None if origin.contains('*') => {
                    patterns.push(compile(&regex::escape(origin).replace("\\*", ".*"))?);
                }
                None => {}
            }
        }
        let joined = |text: &str| list(text).collect::<Vec<_>>().join(",");
        Ok(Some(Self {
            methods: joined(conf.get_str(&keys::HADOOP_HTTP_CROSS_ORIGIN_ALLOWED_METHODS)),
            headers: joined(conf.get_str(&keys::HADOOP_HTTP_CROSS_ORIGIN_ALLOWED_HEADERS)),
            max_age: conf.get_str(&keys::HADOOP_HTTP_CROSS_ORIGIN_MAX_AGE).to_owned(),
            all: origins.iter().any(|origin| origin == "*"),
            origins,
            patterns,
        }))
    }

    /// The origin to name in the answer.
    fn allowed<'a>(&self, request: &'a Request) -> Option<&'a HeaderValue> {
        let origin = request.headers().get(header::ORIGIN)?;
        let text = origin.to_str().ok()?;
        let is_allowed = |one: &str| {
            self.all
                || self.origins.iter().any(|origin| origin == one)
                || self.patterns.iter().any(|pattern| pattern.is_match(one))
        };
        text.split_whitespace().any(is_allowed).then_some(origin)
    }
}

/// Adds the headers, and answers a browser's question in advance.
pub(crate) async fn cross_origin(
    State(filter): State<Arc<CrossOrigin>>,
    request: Request,
    next: Next,
) -> Response {
    let Some(origin) = filter.allowed(&request).cloned() else { return next.run(request).await };
    let is_question = request.method() == axum::http::Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if is_question {
        response(StatusCode::OK, None, Body::empty())
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    let texts = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, &filter.methods),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, &filter.headers),
        (header::ACCESS_CONTROL_MAX_AGE, &filter.max_age),
    ];
    for (name, text) in texts {
        if let Ok(value) = HeaderValue::from_str(text) {
            headers.insert(name, value);
        }
    }
    response
}
