//! The signals that end a daemon.

use hdfs_types::{Error, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals of this process, watched from now on.
pub struct ShutdownSignals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl ShutdownSignals {
    /// Watches SIGTERM, SIGINT and SIGHUP. Must be called inside of a runtime.
    ///
    /// # Errors
    /// When the process cannot watch signals.
    pub fn watch() -> Result<Self> {
        let watch =
            |kind| signal(kind).map_err(|error| Error::io(format!("watch signals: {error}")));
        Ok(Self {
            terminate: watch(SignalKind::terminate())?,
            interrupt: watch(SignalKind::interrupt())?,
            hangup: watch(SignalKind::hangup())?,
        })
    }

    /// Waits for one of them, and tells its name and number.
    pub async fn received(&mut self) -> (&'static str, i32) {
        let (name, number) = tokio::select! {
            _ = self.terminate.recv() => ("SIGTERM", 15),
            _ = self.interrupt.recv() => ("SIGINT", 2),
            _ = self.hangup.recv() => ("SIGHUP", 1),
        };
        tracing::error!("RECEIVED SIGNAL {number}: {name}");
        (name, number)
    }
}

/// Waits for SIGTERM, SIGINT or SIGHUP and tells its name and number.
///
/// # Errors
/// When the process cannot watch signals.
pub async fn shutdown_signal() -> Result<(&'static str, i32)> {
    Ok(ShutdownSignals::watch()?.received().await)
}
