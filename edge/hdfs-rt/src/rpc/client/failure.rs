//! Hadoop's words for what goes wrong between a client and a server: scripts and tests look for them.
//!
//! Hadoop: org.apache.hadoop.net.NetUtils.wrapException, org.apache.hadoop.ipc.Client (3.5.0)

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::time::Duration;

use hdfs_proto::common::RpcResponseHeaderProto;
use hdfs_types::{Error, ErrorKind};

use crate::addr::HostPort;
use crate::host::local_host_text;

const WIKI: &str = "http://wiki.apache.org/hadoop/";

fn see(page: &str) -> String {
    format!("For more details see:  {WIKI}{page}")
}

fn call_from(to: &HostPort) -> String {
    format!("Call From {} to {to} failed", local_host_text())
}

fn between(to: &HostPort) -> String {
    format!(
        "local host is: \"{}\"; destination host is: \"{}\":{}; ",
        local_host_text(),
        to.host,
        to.port
    )
}

/// A connection could not be made.
pub(super) fn connect(to: &HostPort, error: &io::Error) -> Error {
    let (kind, message) = match error.kind() {
        io::ErrorKind::ConnectionRefused => (
            ErrorKind::Connect,
            format!(
                "{} on connection exception: java.net.ConnectException: Connection refused; {}",
                call_from(to),
                see("ConnectionRefused")
            ),
        ),
        io::ErrorKind::TimedOut => (
            ErrorKind::SocketTimeout,
            format!(
                "{} on socket timeout exception: org.apache.hadoop.net.ConnectTimeoutException: \
                 {error}; {}",
                call_from(to),
                see("SocketTimeout")
            ),
        ),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => (
            ErrorKind::Connect,
            format!(
                "No Route to Host from  {} to {to} failed on socket timeout exception: \
                 java.net.NoRouteToHostException: {error}; {}",
                local_host_text(),
                see("NoRouteToHost")
            ),
        ),
        _ => (ErrorKind::Connect, local(to, &error.to_string())),
    };
    Error::new(kind, message)
}

/// The name does not resolve.
pub(super) fn unknown_host(to: &HostPort) -> Error {
    Error::new(
        ErrorKind::UnknownHost,
        format!(
            "Invalid host name: {}java.net.UnknownHostException: {}; {}",
            between(to),
            to.host,
            see("UnknownHost")
        ),
    )
}

/// The server closed the connection, or it broke.
pub(super) fn closed(to: &HostPort, cause: Option<&io::Error>) -> Error {
    let message = match cause {
        Some(error) if error.kind() != io::ErrorKind::UnexpectedEof => format!(
            "{} on socket exception: java.net.SocketException: {error}; {}",
            call_from(to),
            see("SocketException")
        ),
        _ => format!(
            "End of File Exception between {}: java.io.EOFException; {}",
            between(to),
            see("EOFException")
        ),
    };
    Error::new(ErrorKind::Eof, message)
}

/// A call had no answer in time.
pub(super) fn timeout(to: &HostPort, after: Duration) -> Error {
    Error::new(
        ErrorKind::SocketTimeout,
        format!(
            "{} on socket timeout exception: java.net.SocketTimeoutException: {} millis timeout \
             while waiting for channel to be ready for read; {}",
            call_from(to),
            after.as_millis(),
            see("SocketTimeout")
        ),
    )
}

/// The server's bytes are no answer.
pub(super) fn local(to: &HostPort, what: &str) -> String {
    format!(
        "DestHost:destPort {to} , LocalHost:localPort {}:0. Failed on local exception: {what}",
        local_host_text()
    )
}

/// The error inside a response. The server's stack trace, if it sent one, becomes the source.
pub(super) fn remote(header: &RpcResponseHeaderProto) -> Error {
    let class =
        header.exception_class_name.as_deref().unwrap_or("ServerDidNotSetExceptionClassName");
    let text = header.error_msg.as_deref().unwrap_or("ServerDidNotSetErrorMsg");
    let (message, trace) = text.split_once("\n\tat ").unwrap_or((text, ""));
    let error = Error::new(ErrorKind::from_java_class(class), message.trim_end());
    if trace.is_empty() { error } else { error.with_source(RemoteTrace(format!("\tat {trace}"))) }
}

/// The stack trace of a Java server.
#[derive(Debug)]
struct RemoteTrace(String);

impl fmt::Display for RemoteTrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for RemoteTrace {}
