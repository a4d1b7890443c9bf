//! Log levels that change while the process runs.
//!
//! A logger is named as Java names it, by a class or package of Hadoop, or by a module of ours with points or colons
//! between its parts; `root`, or nothing, is all of them.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use parking_lot::Mutex;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::reload;

/// Packages of Hadoop and what does their work here, the longest names first.
const PACKAGES: [(&str, &str); 16] = [
    ("org.apache.hadoop.hdfs.server.namenode.FSNamesystem.audit", "audit"),
    ("org.apache.hadoop.hdfs.server.blockmanagement", "hdfs_blocks"),
    ("org.apache.hadoop.hdfs.server.namenode", "hdfs_daemon::namenode"),
    ("org.apache.hadoop.hdfs.server.datanode", "hdfs_daemon::datanode"),
    ("org.apache.hadoop.hdfs.StateChange", "hdfs_daemon::namenode"),
    ("org.apache.hadoop.metrics2", "hdfs_rt::metrics"),
    ("org.apache.hadoop.security", "hdfs_rt::users"),
    ("org.apache.hadoop.hdfs", "hdfs_"),
    ("org.apache.hadoop.http", "hdfs_rt::http"),
    ("org.apache.hadoop.conf", "hdfs_rt::conf_files"),
    ("org.apache.hadoop.ipc", "hdfs_rt::rpc"),
    ("org.apache.hadoop.net", "hdfs_rt::topology"),
    ("org.apache.hadoop.fs", "hdfs_cli::shell"),
    ("org.apache.hadoop", "hdfs_"),
    ("BlockStateChange", "hdfs_blocks"),
    ("root", ""),
];

type Handle = Box<dyn Fn(Targets) -> bool + Send + Sync>;

struct State {
    /// By module, as `tracing` names it; the empty one is all.
    levels: BTreeMap<String, LevelFilter>,
    apply: Handle,
}

static STATE: OnceLock<Mutex<State>> = OnceLock::new();

/// A filter at this level. The first one made is the one that [`set`] changes.
pub(super) fn filter<S: 'static>(level: LevelFilter) -> reload::Layer<Targets, S> {
    let (filter, handle) = reload::Layer::new(Targets::new().with_default(level));
    let levels = BTreeMap::from([(String::new(), level)]);
    let apply: Handle = Box::new(move |targets| handle.reload(targets).is_ok());
    // A second filter belongs to a test's logger, which nobody changes.
    let _ = STATE.set(Mutex::new(State { levels, apply }));
    filter
}

/// The module that a logger's name means.
fn module(logger: &str) -> String {
    let found = PACKAGES.iter().find(|(package, _)| {
        logger.strip_prefix(package).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    });
    match found {
        Some((_, module)) => (*module).to_owned(),
        None => logger.replace('.', "::"),
    }
}

/// The level of a logger.
pub fn effective(logger: &str) -> LevelFilter {
    let module = module(logger);
    let Some(state) = STATE.get() else { return LevelFilter::OFF };
    let state = state.lock();
    let holds = |(name, _): &(&String, &LevelFilter)| module.starts_with(name.as_str());
    let longest = state.levels.iter().filter(holds).max_by_key(|(name, _)| name.len());
    longest.map_or(LevelFilter::OFF, |(_, level)| *level)
}

/// Changes the level of a logger and of all below it; false when this process does not log.
pub fn set(logger: &str, level: LevelFilter) -> bool {
    let module = module(logger);
    let Some(state) = STATE.get() else { return false };
    let mut state = state.lock();
    // What was set for parts of it before gives way, as an operator expects of `root` or a package.
    state.levels.retain(|name, _| !name.starts_with(&module) || name.is_empty());
    state.levels.insert(module, level);
    let (all, parts): (Vec<_>, Vec<_>) = state
        .levels
        .iter()
        .map(|(name, level)| (name.clone(), *level))
        .partition(|(name, _)| name.is_empty());
    let default = all.first().map_or(LevelFilter::OFF, |(_, level)| *level);
    (state.apply)(Targets::new().with_default(default).with_targets(parts))
}

/// The level's name in log4j.
pub fn name(level: LevelFilter) -> &'static str {
    match level.into_level() {
        None => "OFF",
        Some(tracing::Level::ERROR) => "ERROR",
        Some(tracing::Level::WARN) => "WARN",
        Some(tracing::Level::INFO) => "INFO",
        Some(tracing::Level::DEBUG) => "DEBUG",
        Some(tracing::Level::TRACE) => "TRACE",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn java_names_mean_modules_here() {
        assert_eq!(
            module("org.apache.hadoop.hdfs.server.namenode.NameNode"),
            "hdfs_daemon::namenode"
        );
        assert_eq!(module("org.apache.hadoop.hdfs.server.namenode.FSNamesystem.audit"), "audit");
        assert_eq!(module("org.apache.hadoop.ipc.Server"), "hdfs_rt::rpc");
        assert_eq!(module("hdfs_rt.rpc.server"), "hdfs_rt::rpc::server");
        assert_eq!(module("root"), "");
        assert_eq!(module("rooted"), "rooted");
    }

    #[test]
    fn a_level_holds_for_all_below_until_it_is_changed() {
        let _filter = filter::<tracing_subscriber::Registry>(LevelFilter::INFO);
        // No subscriber uses the filter, so telling it fails; what holds is remembered all the same.
        set("org.apache.hadoop.ipc", LevelFilter::DEBUG);
        assert_eq!(name(effective("org.apache.hadoop.ipc.Server")), "DEBUG");
        assert_eq!(name(effective("org.apache.hadoop.hdfs.server.namenode.NameNode")), "INFO");
        set("root", LevelFilter::WARN);
        assert_eq!(name(effective("org.apache.hadoop.ipc.Server")), "WARN");
    }
}
