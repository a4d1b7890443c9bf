//! Who calls what, in sliding windows: `TopUserOpCounts`.
//!
//! The RPC servers count calls by user and method for their whole life. Every few seconds the totals are noted; a window
//! is the difference between now and the note from its beginning. So the calls themselves pay nothing for it.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.top.{window.RollingWindowManager, metrics.TopMetrics} (3.5.0)

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use hdfs_conf::{Configuration, keys};
use hdfs_types::{Error, ErrorKind, Result};
use parking_lot::Mutex;
use serde_json::{Value, json};

/// Calls by user and command since the start.
pub(crate) type UserCalls = BTreeMap<String, BTreeMap<String, u64>>;

/// Every command together.
const ALL_COMMANDS: &str = "*";

/// Settings and notes.
#[derive(Debug)]
pub(crate) struct TopUsers {
    enabled: bool,
    users: usize,
    windows: Vec<Duration>,
    interval: Duration,
    notes: Mutex<VecDeque<(Instant, UserCalls)>>,
}

/// One window: commands with their counts.
#[derive(Debug)]
pub(crate) struct Window {
    pub(crate) length_ms: u64,
    pub(crate) commands: Vec<Command>,
}

/// The callers of a command, most frequent first.
#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) name: String,
    pub(crate) total: u64,
    pub(crate) users: Vec<(String, u64)>,
    /// How many of the users are the top.
    pub(crate) top: usize,
}

impl TopUsers {
    /// Reads `dfs.namenode.top.*`.
    ///
    /// # Errors
    /// When a value is no number of its kind.
    pub(crate) fn new(conf: &Configuration) -> Result<Self> {
        let key = &keys::DFS_NAMENODE_TOP_WINDOWS_MINUTES;
        let mut windows = Vec::new();
        for text in conf.get_list(key) {
            let minutes: u64 =
                text.parse().ok().filter(|minutes| *minutes > 0).ok_or_else(|| {
                    let text = format!("{}={text}: each window is a number of minutes", key.name);
                    Error::new(ErrorKind::HadoopIllegalArgument, text)
                })?;
            windows.push(Duration::from_secs(minutes * 60));
        }
        let buckets = conf.get_u32(&keys::DFS_NAMENODE_TOP_WINDOW_NUM_BUCKETS)?.max(1);
        let shortest = windows.iter().min().copied().unwrap_or(Duration::from_secs(60));
        Ok(Self {
            enabled: conf.get_bool(&keys::DFS_NAMENODE_TOP_ENABLED),
            users: conf.get_usize(&keys::DFS_NAMENODE_TOP_NUM_USERS)?,
            windows,
            interval: (shortest / buckets).max(Duration::from_secs(1)),
            notes: Mutex::new(VecDeque::from([(Instant::now(), UserCalls::new())])),
        })
    }

    /// How often to call [`TopUsers::note`].
    pub(crate) fn interval(&self) -> Duration {
        self.interval
    }

    pub(crate) fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// Remembers the totals of now.
    pub(crate) fn note(&self, now: Instant, calls: UserCalls) {
        let mut notes = self.notes.lock();
        let longest = self.windows.iter().max().copied().unwrap_or_default();
        // The newest of the notes that are older than every window is still the beginning of the longest one.
        while notes.get(1).is_some_and(|(at, _)| now.duration_since(*at) >= longest) {
            notes.pop_front();
        }
        notes.push_back((now, calls));
    }

    /// What was called in each window, by commands as the audit log names them.
    pub(crate) fn windows(&self, now: Instant, calls: &UserCalls) -> Vec<Window> {
        let notes = self.notes.lock();
        let empty = UserCalls::new();
        self.windows
            .iter()
            .map(|length| {
                let is_before =
                    |(at, _): &&(Instant, UserCalls)| now.duration_since(*at) >= *length;
                // A process younger than the window has all its calls in it.
                let before = notes.iter().rev().find(is_before).map_or(&empty, |(_, calls)| calls);
                let length_ms = u64::try_from(length.as_millis()).unwrap_or(u64::MAX);
                Window { length_ms, commands: self.commands(before, calls) }
            })
            .collect()
    }

    fn commands(&self, before: &UserCalls, now: &UserCalls) -> Vec<Command> {
        let mut by_command: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
        by_command.entry(ALL_COMMANDS).or_default();
        for (user, calls) in now {
            for (command, count) in calls {
                let old = before.get(user).and_then(|calls| calls.get(command)).unwrap_or(&0);
                let new = count.saturating_sub(*old);
                if new > 0 {
                    for name in [ALL_COMMANDS, command] {
                        *by_command.entry(name).or_default().entry(user).or_default() += new;
                    }
                }
            }
        }
        let command = |(name, users): (&str, BTreeMap<&str, u64>)| {
            let mut users: Vec<(String, u64)> =
                users.into_iter().map(|(user, count)| (user.to_owned(), count)).collect();
            users.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
            let total = users.iter().map(|(_, count)| count).sum();
            let top = users.len().min(self.users);
            Command { name: name.to_owned(), total, users, top }
        };
        by_command.into_iter().map(command).collect()
    }

    /// The attribute's text; none when the feature is switched off.
    pub(crate) fn json(&self, windows: &[Window], timestamp: &str) -> Option<String> {
        if !self.enabled {
            return None;
        }
        let user = |(user, count): &(String, u64)| json!({"user": user, "count": count});
        let command = |of: &Command| {
            json!({
                "opType": of.name,
                "totalCount": of.total,
                "topUsers": of.users[..of.top].iter().map(user).collect::<Vec<_>>(),
                "allUsers": of.users.iter().map(|(user, _)| user).collect::<Vec<_>>(),
            })
        };
        let windows: Vec<Value> = windows
            .iter()
            .map(|window| {
                let ops: Vec<Value> = window.commands.iter().map(command).collect();
                json!({"ops": ops, "windowLenMs": window.length_ms})
            })
            .collect();
        Some(json!({"timestamp": timestamp, "windows": windows}).to_string())
    }
}

/// The audit log's name of a method; `None` for those that leave no line.
pub(crate) fn command_of(method: &str) -> Option<&str> {
    Some(match method {
        "getBlockLocations" => "open",
        "getListing" | "getBatchedListing" => "listStatus",
        "getFileInfo" | "isFileClosed" | "getFileLinkInfo" | "getLocatedFileInfo" => "getfileinfo",
        "rename" | "rename2" => "rename",
        "getContentSummary" => "contentSummary",
        "addBlock"
        | "complete"
        | "abandonBlock"
        | "renewLease"
        | "updateBlockForPipeline"
        | "updatePipeline"
        | "getAdditionalDatanode"
        | "reportBadBlocks"
        | "getServerDefaults"
        | "getStats"
        | "getFsStats"
        | "versionRequest"
        | "registerDatanode"
        | "sendHeartbeat"
        | "sendLifeline"
        | "blockReport"
        | "blockReceivedAndDeleted"
        | "cacheReport"
        | "errorReport"
        | "commitBlockSynchronization"
        | "msync"
        | "getProtocolVersions"
        | "getProtocolSignature" => return None,
        other => other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(of: &[(&str, &str, u64)]) -> UserCalls {
        let mut calls = UserCalls::new();
        for (user, command, count) in of {
            calls.entry((*user).to_owned()).or_default().insert((*command).to_owned(), *count);
        }
        calls
    }

    #[test]
    fn a_window_holds_only_what_was_called_in_it() {
        let top = TopUsers::new(&Configuration::new()).unwrap();
        let now = Instant::now();
        let before = now + Duration::from_secs(30);
        top.note(before, calls(&[("alice", "open", 7)]));
        let later = before + Duration::from_secs(60);
        let all = calls(&[("alice", "open", 9), ("bob", "create", 3)]);
        let windows = top.windows(later, &all);
        assert_eq!(
            windows.iter().map(|of| of.length_ms).collect::<Vec<_>>(),
            [60_000, 300_000, 1_500_000]
        );
        let shown = |window: &Window| {
            let of = |command: &Command| {
                format!("{} {} {:?}", command.name, command.total, command.users)
            };
            window.commands.iter().map(of).collect::<Vec<_>>().join("; ")
        };
        assert_eq!(
            shown(&windows[0]),
            "* 5 [(\"bob\", 3), (\"alice\", 2)]; create 3 [(\"bob\", 3)]; open 2 [(\"alice\", 2)]"
        );
        assert_eq!(windows[1].commands[0].total, 12);
        let text = top.json(&windows, "now").unwrap();
        assert!(text.contains(r#""opType":"*","topUsers":[{"count":3,"user":"bob"}"#), "{text}");
    }
}
