//! The daemons: start one, and end it cleanly on a signal.
//!
//! Nothing is decided here: the daemons are `hdfs_daemon`'s.

pub(crate) mod datanode;
pub(crate) mod httpfs;
pub(crate) mod minicluster;
pub(crate) mod namenode;
pub(crate) mod secondarynamenode;

use crate::output::{complain, say};
use hdfs_rt::notify::{READY, STOPPING, notify};
use hdfs_types::Result;
use tokio::runtime::Runtime;

/// Start-up options of Hadoop's daemons that are not built yet.
const ABSENT: [&str; 5] =
    ["-backup", "-checkpoint", "-rollback", "-initializesharededits", "-bootstrapstandby"];

/// Answers options that make no sense, or are not built, and the wish for help.
fn refuse(args: &[String], usage: &str) -> i32 {
    if matches!(args, [option] if ["-h", "-help", "--help"].contains(&option.as_str())) {
        say!("{usage}");
        return 0;
    }
    let absent = |arg: &&String| ABSENT.contains(&arg.to_ascii_lowercase().as_str());
    if let Some(option) = args.iter().find(absent) {
        complain!("{option} is not supported yet");
    }
    complain!("{usage}");
    1
}

/// The rule around Hadoop's first and last words.
const RULE: &str = "************************************************************";

/// What the log of a daemon begins with.
///
/// Hadoop: org.apache.hadoop.util.StringUtils.startupShutdownMessage (3.5.0)
fn startup_message(role: &str, args: &[String]) {
    let host = hdfs_rt::host::local_host_text();
    tracing::info!(
        "STARTUP_MSG: \n/{RULE}\nSTARTUP_MSG: Starting {role}\nSTARTUP_MSG:   host = {host}\nSTARTUP_MSG:   args = \
         [{}]\nSTARTUP_MSG:   version = {} (Tusk {})\n{RULE}/",
        args.join(", "),
        crate::version::HADOOP,
        env!("CARGO_PKG_VERSION")
    );
}

/// What it ends with.
fn shutdown_message(role: &str) {
    let host = hdfs_rt::host::local_host_text();
    tracing::info!(
        "SHUTDOWN_MSG: \n/{RULE}\nSHUTDOWN_MSG: Shutting down {role} at {host}\n{RULE}/"
    );
}

/// Tells the service manager that the daemon serves.
fn tell_ready(role: &str, at: impl std::fmt::Display) {
    notify(READY, &format!("{role} serves at {at}"));
}

/// Tells the service manager that the daemon ends, before it does.
fn tell_stopping(role: &str) {
    notify(STOPPING, &format!("{role} stops"));
}

fn exit_status(role: &str, result: Result<i32>) -> i32 {
    result.unwrap_or_else(|error| {
        tracing::error!("{role} stops: {error}");
        1
    })
}

/// A runtime for the main thread, which only waits.
fn waiter() -> Result<Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}
