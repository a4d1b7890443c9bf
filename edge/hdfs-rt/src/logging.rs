//! Log lines in Hadoop's form: `2026-11-21 10:00:00,123 INFO server.listener: message`.

use std::fmt;
use std::path::Path;
use std::sync::Mutex;

use hdfs_types::{Error, ErrorKind, Result};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, MakeWriter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use crate::log_file::{MAX_LOG_BACKUPS, MAX_LOG_BYTES, RollingFile};
use crate::{clock, os};

pub mod levels;

/// Starts logging to standard error, from this level on. A second call changes nothing.
pub fn init(level: LevelFilter) {
    start(level, std::io::stderr);
}

/// Lines go to this writer; their level can be changed with [`levels::set`].
fn start<W>(level: LevelFilter, writer: W)
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .event_format(HadoopLine)
        .with_writer(writer)
        .with_filter(levels::filter(level));
    // When another test or role of this process was first, its logger stays.
    if tracing_subscriber::registry().with(lines).try_init().is_ok() {
        log_panics();
    }
}

/// Starts logging to the end of a file, which rolls over when it is full.
///
/// # Errors
/// When the file cannot be opened.
pub fn init_file(level: LevelFilter, path: &Path) -> Result<()> {
    let opened = RollingFile::open(path, MAX_LOG_BYTES, MAX_LOG_BACKUPS);
    let file = opened.map_err(|error| {
        Error::io(format!(
            "open log file {}: {error}; give this user access to its folder",
            path.display()
        ))
    })?;
    start(level, Mutex::new(file));
    Ok(())
}

/// Writes a panic to the log before the standard message goes to standard error: a daemon must not end without a word.
fn log_panics() {
    let standard = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        tracing::error!("panic, this is a bug: {panic}");
        standard(panic);
    }));
}

/// The level of a log4j name, as `--loglevel` takes it.
///
/// # Errors
/// When there is no such level.
pub fn parse_level(name: &str) -> Result<LevelFilter> {
    Ok(match name.to_ascii_uppercase().as_str() {
        "OFF" => LevelFilter::OFF,
        "FATAL" | "ERROR" => LevelFilter::ERROR,
        "WARN" => LevelFilter::WARN,
        "INFO" => LevelFilter::INFO,
        "DEBUG" => LevelFilter::DEBUG,
        "ALL" | "TRACE" => LevelFilter::TRACE,
        _ => {
            return Err(Error::new(
                ErrorKind::IllegalArgument,
                format!(
                    "{name} is no log level: use OFF, FATAL, ERROR, WARN, INFO, DEBUG or TRACE"
                ),
            ));
        }
    })
}

/// Hadoop's layout `%d{ISO8601} %p %c{2}: %m%n`.
struct HadoopLine;

impl<S, N> FormatEvent<S, N> for HadoopLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let metadata = event.metadata();
        let millis = clock::wall().0;
        let seconds = i64::try_from(millis / 1_000).unwrap_or(i64::MAX);
        let [year, month, day, hour, minute, second] = os::local_time(seconds);
        write!(
            writer,
            "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02},{:03} {} {}: ",
            millis % 1_000,
            metadata.level(),
            component(metadata.target())
        )?;
        context.format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}

/// The last two parts of a module path, with a point between: what `%c{2}` makes of a Java logger's name.
fn component(target: &str) -> String {
    let parts: Vec<&str> = target.split("::").collect();
    parts[parts.len().saturating_sub(2)..].join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_two_parts_long() {
        assert_eq!(component("hdfs_rt::rpc::server::listener"), "server.listener");
        assert_eq!(component("hdfs_rt"), "hdfs_rt");
        assert_eq!(parse_level("warn").unwrap(), LevelFilter::WARN);
        assert!(parse_level("loud").is_err());
    }
}
