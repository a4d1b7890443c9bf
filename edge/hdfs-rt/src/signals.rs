//! The signals that end a daemon.

use hdfs_types::{Error, Result};
use tokio::signal::unix::{SignalKind, signal};

/// Waits for SIGTERM, SIGINT or SIGHUP and tells its name and number.
///
/// # Errors
/// When the process cannot watch signals.
pub async fn shutdown_signal() -> Result<(&'static str, i32)> {
    let watch = |kind| signal(kind).map_err(|error| Error::io(format!("watch signals: {error}")));
    let mut terminate = watch(SignalKind::terminate())?;
    let mut interrupt = watch(SignalKind::interrupt())?;
    let mut hangup = watch(SignalKind::hangup())?;
    let (name, number) = tokio::select! {
        _ = terminate.recv() => ("SIGTERM", 15),
        _ = interrupt.recv() => ("SIGINT", 2),
        _ = hangup.recv() => ("SIGHUP", 1),
    };
    tracing::error!("RECEIVED SIGNAL {number}: {name}");
    Ok((name, number))
}
