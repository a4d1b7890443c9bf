//! `hdfs datanode`.

use std::time::Duration;

use hdfs_conf::Configuration;
use hdfs_daemon::datanode::{self, StartOption};
use hdfs_rt::signals::ShutdownSignals;
use hdfs_types::Result;

use super::{
    exit_status, refuse, shutdown_message, startup_message, tell_ready, tell_stopping, waiter,
};

pub(crate) const USAGE: &str = "\
Usage: hdfs datanode [-regular | -rollback | -rollingupgrade rollback ]
    -regular                 : Normal DataNode startup (default).
    -rollback                : Rollback a standard or rolling upgrade.
    -rollingupgrade rollback : Rollback a rolling upgrade operation.
  Refer to HDFS documentation for the difference between standard
  and rolling upgrades.";
/// How often it is looked whether an administrator or every NameNode wants the end.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Runs `hdfs datanode ARGS…`; the exit status.
pub(crate) fn run(conf: Configuration, args: Vec<String>) -> i32 {
    let lower: Vec<String> = args.iter().map(|arg| arg.to_ascii_lowercase()).collect();
    let option = match lower.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] | ["-regular"] => StartOption::Regular,
        ["-rollback"] | ["-rollingupgrade", "rollback"] => StartOption::Rollback,
        _ => return refuse(&args, USAGE),
    };
    startup_message("DataNode", &args);
    let status = exit_status("datanode", serve(&conf, option));
    shutdown_message("DataNode");
    status
}

fn serve(conf: &Configuration, option: StartOption) -> Result<i32> {
    let handle = datanode::start_with(conf, option)?;
    let ended = async {
        while !handle.is_shutdown_requested() && !handle.is_rejected() {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    let status = waiter()?.block_on(async {
        // Who hears that it serves may end it at once: the signals are watched before.
        let mut signals = ShutdownSignals::watch()?;
        tell_ready("DataNode", handle.ipc_address());
        tokio::select! {
            _ = signals.received() => Ok(0),
            () = ended => Ok(i32::from(!handle.is_shutdown_requested())),
        }
    });
    tell_stopping("DataNode");
    handle.stop();
    status
}
