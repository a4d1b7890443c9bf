//! Settings that change while a daemon runs: what was configured, what is configured now, and how the last change went.
//!
//! A key that cannot take effect without a restart is not listed and not touched.
//!
//! Hadoop: org.apache.hadoop.conf.ReconfigurableBase (3.5.0)

use std::sync::Arc;

use hdfs_conf::{Configuration, Key};
use hdfs_proto::hdfs as p;
use hdfs_rt::{clock, conf_files};
use hdfs_types::{Error, Result};
use parking_lot::Mutex;

/// The reconfiguration of one daemon.
pub(crate) struct Reconfiguration {
    keys: &'static [&'static Key],
    state: Mutex<State>,
}

struct State {
    /// What is in force.
    conf: Configuration,
    running: bool,
    /// Milliseconds since 1970; 0 for never.
    started: u64,
    ended: u64,
    changes: Vec<p::GetReconfigurationStatusConfigChangeProto>,
}

impl Reconfiguration {
    /// Of a daemon that was started with this configuration and can change these keys.
    pub(crate) fn new(conf: &Configuration, keys: &'static [&'static Key]) -> Self {
        let state =
            State { conf: conf.clone(), running: false, started: 0, ended: 0, changes: Vec::new() };
        Self { keys, state: Mutex::new(state) }
    }

    /// The keys.
    pub(crate) fn properties(&self) -> p::ListReconfigurablePropertiesResponseProto {
        let name = self.keys.iter().map(|key| key.name.to_owned()).collect();
        p::ListReconfigurablePropertiesResponseProto { name }
    }

    /// How the last change went, or that one runs.
    pub(crate) fn status(&self) -> p::GetReconfigurationStatusResponseProto {
        let state = self.state.lock();
        let time = |millis: u64| i64::try_from(millis).unwrap_or(i64::MAX);
        let done = !state.running && state.started != 0;
        p::GetReconfigurationStatusResponseProto {
            start_time: time(state.started),
            end_time: done.then(|| time(state.ended)),
            changes: if done { state.changes.clone() } else { Vec::new() },
        }
    }

    /// Reads the files again, in the background, and applies each changed key by itself: `apply` is given the
    /// configuration in force with that one key changed.
    ///
    /// # Errors
    /// While another change runs.
    pub(crate) fn start(
        self: &Arc<Self>,
        apply: impl Fn(&Configuration) -> Result<()> + Send + 'static,
    ) -> Result<()> {
        {
            let mut state = self.state.lock();
            if state.running {
                return Err(Error::io("Another reconfiguration task is running."));
            }
            state.running = true;
            state.started = clock::wall().0;
        }
        let this = Arc::clone(self);
        let spawned = std::thread::Builder::new()
            .name("reconfiguration".to_owned())
            .spawn(move || this.run(&apply));
        if let Err(error) = spawned {
            self.state.lock().running = false;
            return Err(error.into());
        }
        Ok(())
    }

    fn run(&self, apply: &dyn Fn(&Configuration) -> Result<()>) {
        tracing::info!("Starting reconfiguration task.");
        let (conf, changes) = match conf_files::reload_configuration() {
            Ok(new) => self.compare(&new, apply),
            Err(error) => {
                tracing::error!("the configuration can't be read again: {error}");
                let conf = self.state.lock().conf.clone();
                let change = p::GetReconfigurationStatusConfigChangeProto {
                    name: "(all)".to_owned(),
                    old_value: String::new(),
                    new_value: None,
                    error_message: Some(error.message),
                };
                (conf, vec![change])
            }
        };
        let mut state = self.state.lock();
        state.conf = conf;
        state.changes = changes;
        state.ended = clock::wall().0;
        state.running = false;
    }

    /// Applies what differs; the configuration that is in force then, and what was tried.
    fn compare(
        &self,
        new: &Configuration,
        apply: &dyn Fn(&Configuration) -> Result<()>,
    ) -> (Configuration, Vec<p::GetReconfigurationStatusConfigChangeProto>) {
        let mut conf = self.state.lock().conf.clone();
        let mut changes = Vec::new();
        for key in self.keys {
            let (old, wanted) = (conf.get_str(key).to_owned(), new.get_str(key));
            if old == wanted {
                continue;
            }
            tracing::info!("Change property: {} from \"{old}\" to \"{wanted}\".", key.name);
            let mut candidate = conf.clone();
            let applied = candidate.set(key.name, wanted).and_then(|()| apply(&candidate));
            match &applied {
                Ok(()) => conf = candidate,
                Err(error) => tracing::warn!("{} stays {old}: {error}", key.name),
            }
            changes.push(p::GetReconfigurationStatusConfigChangeProto {
                name: key.name.to_owned(),
                old_value: old,
                new_value: Some(wanted.to_owned()),
                error_message: applied.err().map(|error| error.message),
            });
        }
        (conf, changes)
    }
}

#[cfg(test)]
mod tests {
    use hdfs_conf::keys;

    use super::*;

    #[test]
    fn each_changed_key_is_applied_alone_and_a_bad_one_stays() {
        let mut old = Configuration::new();
        old.set("dfs.heartbeat.interval", "1").expect("a value");
        let keys: &[&Key] = &[&keys::DFS_HEARTBEAT_INTERVAL, &keys::DFS_BLOCK_INVALIDATE_LIMIT];
        let reconfiguration = Reconfiguration::new(&old, keys);
        let mut new = Configuration::new();
        new.set("dfs.heartbeat.interval", "5").expect("a value");
        new.set("dfs.block.invalidate.limit", "many").expect("a value");
        new.set("dfs.replication", "1").expect("a value");
        let apply = |conf: &Configuration| {
            conf.get_duration(&keys::DFS_HEARTBEAT_INTERVAL)?;
            conf.get_u64(&keys::DFS_BLOCK_INVALIDATE_LIMIT).map(|_| ())
        };
        let (conf, changes) = reconfiguration.compare(&new, &apply);
        assert_eq!(conf.get("dfs.heartbeat.interval"), Some("5"));
        assert_eq!(conf.get_u64(&keys::DFS_BLOCK_INVALIDATE_LIMIT).expect("kept"), 1_000);
        assert!(!conf.is_set(&keys::DFS_REPLICATION), "not among the keys");
        let told = changes.iter().map(|change| (&*change.name, change.error_message.is_some()));
        let told: Vec<_> = told.collect();
        assert_eq!(told, [("dfs.heartbeat.interval", false), ("dfs.block.invalidate.limit", true)]);
    }
}
