//! Where the block scanner is in a volume, and how much it has read.
//!
//! Blocks are scanned in the order of the names of their folders and files, as Hadoop does: either one's cursor is
//! understood by the other.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.datanode.{VolumeScanner, FsVolumeImpl.BlockIteratorState} (3.5.0)

/// The state of one pass over the blocks of a pool on a volume; times in milliseconds since 1970.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ScanCursor {
    /// When it was last written down.
    pub last_saved_ms: u64,
    /// When the pass began.
    pub iter_start_ms: u64,
    /// The folder, the one inside, and the file that was scanned last.
    pub last: Option<[String; 3]>,
    /// The pass is over.
    pub at_end: bool,
}

impl ScanCursor {
    /// At the start of a pass.
    pub fn start(now_ms: u64) -> Self {
        Self { last_saved_ms: now_ms, iter_start_ms: now_ms, last: None, at_end: false }
    }

    /// How long the next pass must wait, when this one is over: passes begin a period apart.
    pub fn wait_ms(&self, now_ms: u64, period_ms: u64) -> u64 {
        if !self.at_end {
            return 0;
        }
        // A clock that was set back must not keep the scanner waiting for longer than a period.
        self.iter_start_ms.min(now_ms).saturating_add(period_ms).saturating_sub(now_ms)
    }

    /// Which of a folder's names come next, in order: those of the folder that was begun, or after it. `level`: 0 and 1 for
    /// folders, 2 for files, of which the last one was scanned.
    pub fn rest<'a>(&self, path: [&str; 2], level: usize, names: &'a mut [String]) -> &'a [String] {
        names.sort_unstable();
        let Some(last) = &self.last else { return names };
        let is_begun = (0..level.min(2)).all(|above| last[above] == path[above]);
        if !is_begun {
            return names;
        }
        let done = names.partition_point(|name| match level {
            0 | 1 => *name < last[level],
            _ => *name <= last[2],
        });
        &names[done..]
    }
}

const MINUTES: usize = 60;

/// Bytes of the last hour, by minute.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LastHour {
    minutes: [u64; MINUTES],
    newest: u64,
}

impl LastHour {
    /// None, at this minute.
    pub fn new(minute: u64) -> Self {
        Self { minutes: [0; MINUTES], newest: minute }
    }

    /// So many bytes now.
    pub fn add(&mut self, minute: u64, bytes: u64) {
        self.expire(minute);
        self.minutes[usize::try_from(minute % MINUTES as u64).unwrap_or(0)] += bytes;
    }

    /// All of the hour that ends now.
    pub fn sum(&mut self, minute: u64) -> u64 {
        self.expire(minute);
        self.minutes.iter().sum()
    }

    fn expire(&mut self, minute: u64) {
        for passed in 1..=minute.saturating_sub(self.newest).min(MINUTES as u64) {
            let index = (self.newest + passed) % MINUTES as u64;
            self.minutes[usize::try_from(index).unwrap_or(0)] = 0;
        }
        self.newest = self.newest.max(minute);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(of: &[&str]) -> Vec<String> {
        of.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_pass_goes_on_after_the_file_that_was_scanned_last() {
        let last = ["subdir1", "subdir2", "blk_5"].map(str::to_owned);
        let cursor = ScanCursor { last: Some(last), ..ScanCursor::start(0) };
        let rest = |path, level, of: &[&str]| cursor.rest(path, level, &mut names(of)).to_vec();
        // As text: subdir10 comes before subdir2.
        assert_eq!(
            rest(["", ""], 0, &["subdir2", "subdir10", "subdir1", "subdir0"]),
            names(&["subdir1", "subdir10", "subdir2"])
        );
        assert_eq!(
            rest(["subdir1", ""], 1, &["subdir3", "subdir2", "subdir1"]),
            names(&["subdir2", "subdir3"])
        );
        assert_eq!(rest(["subdir10", ""], 1, &["subdir1"]), names(&["subdir1"]));
        assert_eq!(
            rest(["subdir1", "subdir2"], 2, &["blk_6", "blk_5", "blk_4"]),
            names(&["blk_6"])
        );
        assert_eq!(rest(["subdir1", "subdir3"], 2, &["blk_4"]), names(&["blk_4"]));
    }

    #[test]
    fn the_next_pass_begins_a_period_after_the_last_one_began() {
        let over = ScanCursor { at_end: true, ..ScanCursor::start(1_000) };
        assert_eq!((over.wait_ms(1_500, 2_000), over.wait_ms(3_000, 2_000)), (1_500, 0));
        assert_eq!(over.wait_ms(10, 2_000), 2_000, "the clock was set back");
        assert_eq!(ScanCursor::start(1_000).wait_ms(1_000, 2_000), 0);
    }

    #[test]
    fn bytes_count_for_an_hour() {
        let mut hour = LastHour::new(100);
        hour.add(100, 5);
        hour.add(130, 7);
        assert_eq!((hour.sum(159), hour.sum(160), hour.sum(189), hour.sum(190)), (12, 7, 7, 0));
        hour.add(500, 1);
        assert_eq!(hour.sum(500), 1);
    }
}
