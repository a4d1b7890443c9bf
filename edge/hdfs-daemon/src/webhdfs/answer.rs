//! HTTP responses.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use hdfs_format::webhdfs::{
    Answer, JSON, OCTET_STREAM, filter_exception, http_status, remote_exception,
};
use hdfs_types::{Error, ErrorKind};

/// A response whose header Hadoop's servers send with every page.
pub(super) fn response(
    status: StatusCode,
    content_type: Option<&'static str>,
    body: Body,
) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
    headers.insert(header::X_XSS_PROTECTION, HeaderValue::from_static("1; mode=block"));
    if let Some(content_type) = content_type {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    response
}

/// The response of an operation that succeeded.
pub(super) fn show(answer: Answer) -> Response {
    match answer {
        Answer::Json(json) => response(StatusCode::OK, Some(JSON), json.into()),
        Answer::Empty => response(StatusCode::OK, Some(OCTET_STREAM), Body::empty()),
        Answer::Untyped => response(StatusCode::OK, None, Body::empty()),
    }
}

/// The response of an operation that failed.
pub(crate) fn failure(error: &Error) -> Response {
    let status = StatusCode::from_u16(http_status(error));
    let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if status.is_server_error() {
        tracing::warn!("answer {status}: {}: {error}", error.kind.java_class());
    }
    let body = match error.kind {
        // Only the check of `doas` gives this one.
        ErrorKind::Authorization => filter_exception(error),
        _ => remote_exception(error),
    };
    response(status, Some(JSON), body.into())
}

/// A temporary redirect.
pub(crate) fn redirect_answer(location: &str) -> Response {
    let mut response = response(StatusCode::TEMPORARY_REDIRECT, Some(OCTET_STREAM), Body::empty());
    match HeaderValue::from_str(location) {
        Ok(value) => {
            response.headers_mut().insert(header::LOCATION, value);
            response
        }
        Err(error) => failure(&Error::io(format!("{location} is no header: {error}"))),
    }
}

/// The same in JSON, for clients that don't want to be redirected.
pub(crate) fn location_answer(location: &str) -> Response {
    show(Answer::location(location))
}

/// A text for people.
pub(crate) fn plain(status: StatusCode, text: &str) -> Response {
    response(status, Some("text/plain;charset=utf-8"), format!("{text}\n").into())
}

/// A body of JSON.
pub(crate) fn json(json: String) -> Response {
    show(Answer::Json(json))
}
