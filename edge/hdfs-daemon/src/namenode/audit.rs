//! The audit log: one line for each call of a client, allowed or denied.
//!
//! The line is Hadoop's, with tabs between its parts, under the tracing target `audit`. As with Hadoop's script, it is
//! switched on by the environment: `HDFS_AUDIT_LOGGER=INFO,…`, and off when that is unset or names `NullAppender`. Texts
//! that a client chose are escaped, so that none can fake a line.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.FSNamesystem.FSNamesystemAuditLogger (3.5.0)

use std::fmt::Write;

use hdfs_rt::rpc::server::{AuthMethod, RpcCall};
use hdfs_types::{Error, ErrorKind};

use super::webhdfs::NO_CALL;

/// What a kind of call writes into the audit log: the command and where its request names source and target.
pub(crate) struct Audit<Q> {
    command: &'static str,
    paths: Paths<Q>,
}

enum Paths<Q> {
    Named(fn(&Q) -> (&str, &str)),
    Computed(fn(&Q) -> (String, String)),
}

impl<Q> Audit<Q> {
    /// No line.
    pub(crate) fn none() -> Self {
        Self { command: "", paths: Paths::Named(|_| ("", "")) }
    }

    /// A call with a source, or with source and target.
    pub(crate) fn new(command: &'static str, paths: fn(&Q) -> (&str, &str)) -> Self {
        Self { command, paths: Paths::Named(paths) }
    }

    /// A call whose request does not hold the paths as they are written.
    pub(crate) fn computed(command: &'static str, paths: fn(&Q) -> (String, String)) -> Self {
        Self { command, paths: Paths::Computed(paths) }
    }
}

/// Writes the lines, or not.
pub(crate) struct AuditLog {
    on: bool,
}

impl AuditLog {
    /// As the environment says.
    pub(crate) fn from_environment() -> Self {
        let logger = std::env::var("HDFS_AUDIT_LOGGER").unwrap_or_default();
        Self { on: is_on(&logger) }
    }

    /// What records a call once its answer is known.
    pub(crate) fn later<Q>(
        &self,
        call: &RpcCall<'_>,
        audit: &Audit<Q>,
        request: &Q,
    ) -> LaterRecord {
        let line = |source: &str, target: &str| {
            let line = |allowed| line(call, audit.command, source, target, allowed);
            (line(true), line(false))
        };
        let lines = self.on.then(|| match audit.paths {
            Paths::Named(paths) => {
                let (source, target) = paths(request);
                line(source, target)
            }
            Paths::Computed(paths) => {
                let (source, target) = paths(request);
                line(&source, &target)
            }
        });
        LaterRecord { lines }
    }

    /// Records a call whose answer is known.
    pub(crate) fn record<Q>(
        &self,
        call: &RpcCall<'_>,
        audit: &Audit<Q>,
        request: &Q,
        error: Option<&Error>,
    ) {
        if !self.on || audit.command.is_empty() {
            return;
        }
        // As in Hadoop, other failures are no matter of permission and leave no line.
        let allowed = match error.map(|error| &error.kind) {
            None => true,
            Some(ErrorKind::AccessControl) => false,
            Some(_) => return,
        };
        let write = |source: &str, target: &str| {
            let line = line(call, audit.command, source, target, allowed);
            tracing::info!(target: "audit", "{line}");
        };
        match audit.paths {
            Paths::Named(paths) => {
                let (source, target) = paths(request);
                write(source, target);
            }
            Paths::Computed(paths) => {
                let (source, target) = paths(request);
                write(&source, &target);
            }
        }
    }
}

/// The line of a call that is answered later.
#[derive(Debug)]
pub(crate) struct LaterRecord {
    /// If it is allowed, and if not; none when the log is off.
    lines: Option<(String, String)>,
}

impl LaterRecord {
    /// Records the call as [`AuditLog::record`] does.
    pub(crate) fn record(&self, error: Option<&Error>) {
        let Some((allowed, denied)) = &self.lines else { return };
        match error.map(|error| &error.kind) {
            None => tracing::info!(target: "audit", "{allowed}"),
            Some(ErrorKind::AccessControl) => tracing::info!(target: "audit", "{denied}"),
            Some(_) => {}
        }
    }
}

/// `INFO,RFAAUDIT` is on; nothing, or `INFO,NullAppender`, is off.
fn is_on(logger: &str) -> bool {
    let level = logger.split(',').next().unwrap_or_default().trim();
    !matches!(level, "" | "OFF" | "WARN" | "ERROR" | "FATAL") && !logger.contains("NullAppender")
}

fn line(call: &RpcCall<'_>, command: &str, source: &str, target: &str, allowed: bool) -> String {
    let auth = match call.caller.auth {
        AuthMethod::Simple => "SIMPLE",
        AuthMethod::Kerberos => "KERBEROS",
        AuthMethod::Token => "TOKEN",
        AuthMethod::Proxy => "PROXY",
    };
    let mut out = format!("allowed={allowed}\tugi={} (auth:{auth})", call.caller.user);
    // Writing to a String can't fail.
    if let Some(real) = &call.caller.real_user {
        let _ = write!(out, " via {real} (auth:SIMPLE)");
    }
    let _ = write!(out, "\tip=/{}\tcmd={command}\tsrc=", call.remote.ip());
    push_path(&mut out, source);
    out.push_str("\tdst=");
    push_path(&mut out, target);
    let protocol = if call.call_id == NO_CALL { "webhdfs" } else { "rpc" };
    let _ = write!(out, "\tperm=null\tproto={protocol}");
    if let Some(context) = &call.caller_context {
        out.push_str("\tcallerContext=");
        push_escaped(&mut out, truncated(&context.context));
        if let Some(signature) = &context.signature
            && signature.len() <= MAX_SIGNATURE
        {
            let _ = write!(out, ":{}", String::from_utf8_lossy(signature).escape_default());
        }
    }
    out
}

/// `hadoop.caller.context.max.size` and `hadoop.caller.context.signature.max.size`.
const MAX_CONTEXT: usize = 128;
const MAX_SIGNATURE: usize = 40;

fn truncated(text: &str) -> &str {
    let mut end = text.len().min(MAX_CONTEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn push_path(out: &mut String, path: &str) {
    if path.is_empty() {
        out.push_str("null");
    } else {
        push_escaped(out, path);
    }
}

/// Java's escapes for what could end a field or a line.
fn push_escaped(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            c if u32::from(c) < 0x20 || u32::from(c) > 0x7e => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    // Writing to a String can't fail.
                    let _ = write!(out, "\\u{unit:04X}");
                }
            }
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_is_switched_as_with_hadoops_script() {
        assert!(is_on("INFO,RFAAUDIT") && is_on("DEBUG,console"));
        assert!(!is_on("") && !is_on("INFO,NullAppender") && !is_on("WARN,RFAAUDIT"));
    }

    #[test]
    fn a_path_can_not_fake_a_line() {
        let mut out = String::new();
        push_escaped(&mut out, "/a\nallowed=true\t\u{e9}");
        assert_eq!(out, "/a\\nallowed=true\\t\\u00E9");
    }
}
