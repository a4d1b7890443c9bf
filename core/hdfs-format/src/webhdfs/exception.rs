//! Errors as WebHDFS shows them: a status of HTTP and a RemoteException in JSON.
//!
//! Hadoop: org.apache.hadoop.hdfs.web.resources.ExceptionHandler (3.5.0)

use hdfs_types::{Error, ErrorKind};

use super::json::{text, wrapped};

/// The status that goes with an error.
pub fn http_status(error: &Error) -> u16 {
    const SECURITY: &str = "java.lang.SecurityException";
    match &error.kind {
        ErrorKind::FileNotFound => 404,
        ErrorKind::UnsupportedOperation
        | ErrorKind::IllegalArgument
        | ErrorKind::HadoopIllegalArgument
        | ErrorKind::InvalidPath => 400,
        ErrorKind::IllegalState
        | ErrorKind::NullPointer
        | ErrorKind::IndexOutOfBounds
        | ErrorKind::Runtime => 500,
        ErrorKind::Remote(class) if class == SECURITY => 403,
        // What is neither an IOException nor known: Java's unchecked exceptions and those of its web server.
        ErrorKind::Remote(class)
            if class.starts_with("java.lang.") || class.starts_with("javax.ws.rs.") =>
        {
            500
        }
        _ => 403,
    }
}

/// The body that goes with an error. A stack trace behind the first line stays away.
pub fn remote_exception(error: &Error) -> String {
    let class = error.kind.java_class();
    let simple = class.rsplit(['.', '$']).next().unwrap_or(class);
    wrapped("RemoteException", |out| {
        super::json::object(out, |fields| {
            fields.text("exception", simple);
            fields.text("javaClassName", class);
            fields.with("message", |out| match without_trace(&error.message) {
                "" => out.push_str("null"),
                message => text(out, message),
            });
        });
    })
}

/// The same as Hadoop's filters in front of WebHDFS write it, with spaces and in another order.
pub fn filter_exception(error: &Error) -> String {
    let class = error.kind.java_class();
    let mut fields = String::new();
    let simple = class.rsplit(['.', '$']).next().unwrap_or(class);
    let pairs = [("message", without_trace(&error.message)), ("exception", simple)];
    for (name, value) in pairs.into_iter().chain([("javaClassName", class)]) {
        let comma = if fields.is_empty() { "" } else { ",\n" };
        fields.push_str(comma);
        fields.push_str("    ");
        text(&mut fields, name);
        fields.push_str(" : ");
        text(&mut fields, value);
    }
    format!("{{\n  \"RemoteException\" : {{\n{fields}\n  }}\n}}")
}

/// Java servers send the stack trace behind the message; ours don't, and it is nobody's business here.
fn without_trace(message: &str) -> &str {
    message.find("\n\tat ").and_then(|end| message.get(..end)).unwrap_or(message)
}
