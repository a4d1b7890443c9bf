//! Safe mode: read-only until enough blocks and DataNodes have reported, while resources are low, or by hand.
//!
//! The texts are Hadoop's: clients and scripts read them.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.blockmanagement.BlockManagerSafeMode,
//! org.apache.hadoop.hdfs.server.namenode.FSNamesystem (3.5.0)

use std::time::Duration;

use hdfs_types::{Error, ErrorKind, Mono};

/// When safe mode ends by itself.
#[derive(Clone, PartialEq, Debug)]
pub struct SafeModeConf {
    /// `dfs.namenode.safemode.threshold-pct`.
    pub threshold: f32,
    /// `dfs.namenode.safemode.min.datanodes`.
    pub min_datanodes: u64,
    /// `dfs.namenode.safemode.extension`.
    pub extension: Duration,
}

impl Default for SafeModeConf {
    fn default() -> Self {
        Self { threshold: 0.999, min_datanodes: 0, extension: Duration::from_secs(30) }
    }
}

/// What the thresholds are compared with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Reported {
    /// Complete blocks.
    pub total: u64,
    /// Those that have the minimal number of replicas.
    pub safe: u64,
    /// Live DataNodes.
    pub live_datanodes: u64,
    /// Bytes of replicas whose generation stamp was never given out.
    pub bytes_in_future: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Startup {
    Pending,
    Extension { until: Mono },
    Off,
}

/// The state.
#[derive(Clone, Debug)]
pub struct SafeMode {
    conf: SafeModeConf,
    startup: Startup,
    /// The blocks known when the namespace was loaded: later ones do not count.
    total_at_start: u64,
    manual: bool,
    resources_low: bool,
    host: String,
}

impl SafeMode {
    /// Safe mode of a NameNode that has loaded `total` complete blocks. `host` names it in messages.
    pub fn new(conf: SafeModeConf, total: u64, host: String) -> Self {
        let mut this = Self {
            conf,
            startup: Startup::Pending,
            total_at_start: total,
            manual: false,
            resources_low: false,
            host,
        };
        if this.met(Reported { total, ..Reported::default() }) {
            this.startup = Startup::Off;
        }
        this
    }

    /// True while the namespace may not change.
    pub fn is_on(&self) -> bool {
        self.startup != Startup::Off || self.manual || self.resources_low
    }

    /// True while it is on because too little has been reported.
    pub fn is_startup(&self) -> bool {
        self.startup != Startup::Off
    }

    /// Looks at what has been reported; returns true when safe mode has just ended.
    pub fn check(&mut self, reported: Reported, now: Mono) -> bool {
        let was_on = self.is_on();
        match self.startup {
            Startup::Off => {}
            Startup::Pending if self.met(reported) => {
                let blocks = self.total(reported) > 0;
                self.startup = if blocks && !self.conf.extension.is_zero() {
                    Startup::Extension { until: now.after(self.conf.extension) }
                } else if reported.bytes_in_future > 0 {
                    Startup::Pending
                } else {
                    Startup::Off
                };
            }
            Startup::Extension { until }
                if now >= until && self.met(reported) && reported.bytes_in_future == 0 =>
            {
                self.startup = Startup::Off;
            }
            Startup::Pending | Startup::Extension { .. } => {}
        }
        was_on && !self.is_on()
    }

    /// Turns it on by hand.
    pub fn enter(&mut self) {
        self.manual = true;
    }

    /// Turns it off by hand; false when replicas from the future forbid that and `force` is not given.
    pub fn leave(&mut self, reported: Reported, force: bool) -> bool {
        if self.is_startup() && reported.bytes_in_future > 0 && !force {
            return false;
        }
        self.startup = Startup::Off;
        self.manual = false;
        self.resources_low = false;
        true
    }

    /// Turns it on because a name folder is nearly full, or tells that there is room again (which does not turn it off:
    /// as in Hadoop, an administrator does).
    pub fn set_resources_low(&mut self) {
        self.resources_low = true;
    }

    /// True when it is on for lack of room.
    pub fn resources_low(&self) -> bool {
        self.resources_low
    }

    /// The error of a call that would change the namespace: `what` is Hadoop's beginning of the sentence.
    pub fn error(&self, what: &str, reported: Reported, now: Mono) -> Error {
        let text = format!(
            "{what}. Name node is in safe mode.\n{} NamenodeHostName:{}",
            self.tip(reported, now),
            self.host
        );
        Error::new(ErrorKind::SafeMode, text)
    }

    /// Why it is on, and what ends it.
    pub fn tip(&self, reported: Reported, now: Mono) -> String {
        const LEAVE: &str = "Use \"hdfs dfsadmin -safemode leave\" to turn safe mode off.";
        if self.resources_low {
            return "Resources are low on NN. Please add or free up more resources. NOTE:  If you turn off safe mode \
                    before adding resources, the NN will immediately return to safe mode. "
                .to_owned();
        }
        if self.manual {
            return format!("It was turned on manually. {LEAVE}");
        }
        let mut text = self.blocks_tip(reported);
        text.push_str(&self.datanodes_tip(reported));
        if reported.bytes_in_future > 0 {
            text.push_str(&future_tip(reported.bytes_in_future));
            return text;
        }
        text.push_str(match self.startup {
            Startup::Extension { .. } => {
                "In safe mode extension. Safe mode will be turned off automatically in "
            }
            Startup::Pending => {
                "Safe mode will be turned off automatically once the thresholds have been reached."
            }
            Startup::Off => "Safe mode will be turned off automatically soon.",
        });
        if let Startup::Extension { until } = self.startup {
            text.push_str(&format!("{} seconds.", until.since(now).as_secs()));
        }
        text
    }

    fn blocks_tip(&self, reported: Reported) -> String {
        let (safe, needed, total) = (reported.safe, self.needed(reported), self.total(reported));
        let threshold = self.conf.threshold;
        if safe < needed {
            format!(
                "The reported blocks {safe} needs additional {} blocks to reach the threshold {threshold:.4} of total \
                 blocks {total}.\n",
                needed - safe
            )
        } else {
            format!(
                "The reported blocks {safe} has reached the threshold {threshold:.4} of total blocks {total}. "
            )
        }
    }

    fn datanodes_tip(&self, reported: Reported) -> String {
        let (live, minimum) = (reported.live_datanodes, self.conf.min_datanodes);
        if minimum == 0 {
            "The minimum number of live datanodes is not required. ".to_owned()
        } else if reported.safe < self.needed(reported) {
            "The number of live datanodes is not calculated since reported blocks hasn't reached the threshold. "
                .to_owned()
        } else if live < minimum {
            format!(
                "The number of live datanodes {live} needs an additional {} live datanodes to reach the minimum number \
                 {minimum}.\n",
                minimum - live
            )
        } else {
            format!(
                "The number of live datanodes {live} has reached the minimum number {minimum}. "
            )
        }
    }

    fn met(&self, reported: Reported) -> bool {
        reported.safe >= self.needed(reported) && reported.live_datanodes >= self.conf.min_datanodes
    }

    /// Blocks that are gone need no report any more.
    fn total(&self, reported: Reported) -> u64 {
        self.total_at_start.min(reported.total)
    }

    fn needed(&self, reported: Reported) -> u64 {
        (self.total(reported) as f64 * f64::from(self.conf.threshold)) as u64
    }
}

fn future_tip(bytes: u64) -> String {
    format!(
        "Name node detected blocks with generation stamps in future. This means that Name node metadata is \
         inconsistent. This can happen if Name node metadata files have been manually replaced. Exiting safe mode will \
         cause loss of {bytes} byte(s). Please restart name node with right metadata or use \"hdfs dfsadmin -safemode \
         forceExit\" if you are certain that the NameNode was started with the correct FsImage and edit logs. If you \
         encountered this during a rollback, it is safe to exit with -safemode forceExit."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reported(total: u64, safe: u64) -> Reported {
        Reported { total, safe, ..Reported::default() }
    }

    fn conf(extension: u64) -> SafeModeConf {
        SafeModeConf { extension: Duration::from_secs(extension), ..SafeModeConf::default() }
    }

    #[test]
    fn an_empty_namespace_is_never_in_safe_mode() {
        assert!(!SafeMode::new(conf(30), 0, "nn".to_owned()).is_on());
    }

    #[test]
    fn reports_end_safe_mode_after_the_extension() {
        let mut mode = SafeMode::new(conf(30), 1_000, "nn".to_owned());
        assert!(!mode.check(reported(1_000, 998), Mono(0)));
        assert!(!mode.check(reported(1_000, 999), Mono(0)));
        assert!(mode.is_on());
        let later = Mono::default().after(Duration::from_secs(30));
        assert!(mode.check(reported(1_000, 999), later));
        assert!(!mode.is_on());
    }

    #[test]
    fn the_message_is_hadoops() {
        let mode = SafeMode::new(conf(30), 3, "nn1.example".to_owned());
        let error = mode.error("Cannot create directory /a", reported(3, 1), Mono(0));
        assert_eq!(error.kind, ErrorKind::SafeMode);
        assert_eq!(
            error.message,
            "Cannot create directory /a. Name node is in safe mode.\nThe reported blocks 1 needs additional 1 blocks to \
             reach the threshold 0.9990 of total blocks 3.\nThe minimum number of live datanodes is not required. Safe \
             mode will be turned off automatically once the thresholds have been reached. NamenodeHostName:nn1.example"
        );
    }

    #[test]
    fn manual_safe_mode_stays_until_it_is_left() {
        let mut mode = SafeMode::new(conf(0), 0, "nn".to_owned());
        mode.enter();
        mode.check(reported(0, 0), Mono(0));
        assert!(mode.is_on());
        assert!(mode.leave(reported(0, 0), false));
        assert!(!mode.is_on());
    }
}
