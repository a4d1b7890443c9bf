//! `hdfs datanode`.

use std::time::Duration;

use hdfs_conf::Configuration;
use hdfs_daemon::datanode;
use hdfs_rt::signals::ShutdownSignals;
use hdfs_types::Result;

use super::{
    exit_status, refuse, shutdown_message, startup_message, tell_ready, tell_stopping, waiter,
};

pub(crate) const USAGE: &str = "\
Usage: hdfs datanode [-regular]
    -regular                 : Normal DataNode startup (default).";
/// How often it is looked whether an administrator or every NameNode wants the end.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Runs `hdfs datanode ARGS…`; the exit status.
pub(crate) fn run(conf: Configuration, args: Vec<String>) -> i32 {
    match args.as_slice() {
        [] => {}
        [option] if option.eq_ignore_ascii_case("-regular") => {}
        _ => return refuse(&args, USAGE),
    }
    startup_message("DataNode", &args);
    let status = exit_status("datanode", serve(&conf));
    shutdown_message("DataNode");
    status
}

fn serve(conf: &Configuration) -> Result<i32> {
    let handle = datanode::start(conf)?;
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
