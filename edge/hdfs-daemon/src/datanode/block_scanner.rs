//! The block scanner: reads every complete replica once in a while, so that rot is found while other copies are good.
//!
//! One thread a volume, at `dfs.block.scanner.volume.bytes.per.second`; suspects come first. Where a pass is stands in
//! `<volume>/current/<pool>/scanner.cursor`, written every ten minutes and at the end.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.datanode.{BlockScanner, VolumeScanner} (3.5.0)

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use hdfs_datanode::VolumeIndex;
use hdfs_datanode::layout::{FileKind, parse_file_name};
use hdfs_datanode::scan_cursor::{LastHour, ScanCursor};
use hdfs_format::storage_dir::CURRENT;
use hdfs_rt::clock;
use hdfs_rt::disk::write_file_atomic;
use hdfs_types::{BlockId, BlockPoolId, ErrorKind, ExtendedBlock, Result};
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::Shared;
use super::dataset::{Pool, Verified};
use super::volume::{Volume, io_error, name_text};

/// How often a scanner that has nothing to do looks for suspects and new passes.
const IDLE: Duration = Duration::from_secs(1);
/// How often the cursor is written down (`dfs.block.scanner.cursor.save.interval.ms`).
const SAVE_EVERY_MS: u64 = 600_000;
const CURSOR: &str = "scanner.cursor";

/// What the scanner of one volume did.
#[derive(Debug)]
struct Statistics {
    hour: LastHour,
    blocks_in_pass: u64,
    blocks: u64,
    passes: u64,
    errors: u64,
    last: Option<String>,
    next_pass_in_ms: u64,
    pass_ends_ms: u64,
    at_end: bool,
}

/// What all of them did.
#[derive(Debug, Default)]
pub(super) struct BlockScanner {
    volumes: Mutex<BTreeMap<VolumeIndex, Arc<Mutex<Statistics>>>>,
}

fn minute() -> u64 {
    clock::mono().0 / 60_000_000_000
}

impl BlockScanner {
    fn of(&self, volume: VolumeIndex) -> Arc<Mutex<Statistics>> {
        let new = || {
            Arc::new(Mutex::new(Statistics {
                hour: LastHour::new(minute()),
                blocks_in_pass: 0,
                blocks: 0,
                passes: 0,
                errors: 0,
                last: None,
                next_pass_in_ms: 0,
                pass_ends_ms: 0,
                at_end: false,
            }))
        };
        Arc::clone(self.volumes.lock().entry(volume).or_insert_with(new))
    }
}

/// The page `/blockScannerReport`.
pub(super) fn report(shared: &Shared) -> String {
    if !shared.conf.scans_blocks() {
        return "Periodic block scanner is not running. Please check the datanode log if this is unexpected.".to_owned();
    }
    let mut text = "Block Scanner Statistics\n\n".to_owned();
    for volume in shared.dataset.volumes.iter() {
        let statistics = shared.block_scanner.of(volume.index);
        print(&mut text, volume, &mut statistics.lock());
    }
    text
}

fn print(text: &mut String, volume: &Volume, of: &mut Statistics) {
    let (uuid, root) = (volume.uuid.as_str(), volume.root.display());
    let _ = writeln!(text, "Block scanner information for volume {uuid} with base path {root}");
    let bytes = of.hour.sum(minute());
    for (name, value) in [
        ("Bytes verified in last hour       ", bytes),
        ("Blocks scanned in current period  ", of.blocks_in_pass),
        ("Blocks scanned since restart      ", of.blocks),
        ("Block pool scans since restart    ", of.passes),
        ("Block scan errors since restart   ", of.errors),
    ] {
        let _ = writeln!(text, "{name}: {value:>57}");
    }
    let hours = |ms: u64| format!("{:.3}", (ms / 3_600_000) as f64);
    if of.next_pass_in_ms > 0 {
        let _ =
            writeln!(text, "Hours until next block pool scan  : {:>57}", hours(of.next_pass_in_ms));
    }
    if of.pass_ends_ms > 0 {
        let left = of.pass_ends_ms.saturating_sub(clock::wall().0);
        let _ = writeln!(text, "Hours until possible pool rescan  : {:>57}", hours(left));
    }
    let last = of.last.as_deref().unwrap_or("none");
    let _ = writeln!(text, "Last block scanned                : {last:>57}");
    let _ = writeln!(text, "More blocks to scan in period     : {:>57}\n", !of.at_end);
}

/// Scans until the DataNode ends, with a thread for every volume.
pub(super) fn run(shared: &Arc<Shared>) {
    let mut begun: BTreeMap<VolumeIndex, std::thread::JoinHandle<()>> = BTreeMap::new();
    while !shared.wait_for_end(IDLE) {
        for volume in shared.dataset.volumes.iter().filter(|volume| !volume.has_failed()) {
            if begun.contains_key(&volume.index) {
                continue;
            }
            let (of, volume_of) = (Arc::clone(shared), Arc::clone(volume));
            let thread = std::thread::Builder::new().name("scanner".to_owned());
            match thread.spawn(move || VolumeScanner::new(&of, &volume_of).run()) {
                Ok(thread) => {
                    begun.insert(volume.index, thread);
                }
                Err(error) => tracing::error!(%error, "start a thread to scan blocks"),
            }
        }
    }
    for thread in begun.into_values() {
        let _ = thread.join();
    }
}

/// One pass over a pool on a volume.
struct Pass {
    folder: PathBuf,
    cursor: ScanCursor,
    /// Blocks of the folder that the cursor is in.
    leaf: Option<([String; 2], VecDeque<String>)>,
}

struct VolumeScanner<'a> {
    shared: &'a Arc<Shared>,
    volume: &'a Arc<Volume>,
    statistics: Arc<Mutex<Statistics>>,
    passes: BTreeMap<BlockPoolId, Pass>,
}

impl<'a> VolumeScanner<'a> {
    fn new(shared: &'a Arc<Shared>, volume: &'a Arc<Volume>) -> Self {
        let statistics = shared.block_scanner.of(volume.index);
        Self { shared, volume, statistics, passes: BTreeMap::new() }
    }

    fn run(mut self) {
        while !self.shared.is_ending() && self.is_usable() {
            if !self.scan_one() && self.shared.wait_for_end(IDLE) {
                break;
            }
        }
        if self.is_usable() {
            self.passes.values_mut().for_each(Pass::save);
        }
    }

    fn is_usable(&self) -> bool {
        !self.volume.has_failed() && !self.volume.is_removed()
    }

    /// Scans a suspect, or the next block in turn; `false` when there is neither.
    fn scan_one(&mut self) -> bool {
        let mut next_pass_in_ms = u64::MAX;
        for pool in self.shared.dataset.pools() {
            if let Some(id) = pool.next_suspect(self.volume.index) {
                self.scan(&pool, id);
                return true;
            }
            let folder = self.volume.root.join(CURRENT).join(pool.id.as_str());
            let pass = self.passes.entry(pool.id.clone());
            let pass = pass.or_insert_with(|| Pass::load(folder));
            let now = clock::wall().0;
            let wait = pass.cursor.wait_ms(now, self.shared.conf.scan_period_ms());
            if wait > 0 {
                next_pass_in_ms = next_pass_in_ms.min(wait);
                continue;
            }
            if pass.cursor.at_end {
                *pass = Pass {
                    cursor: ScanCursor::start(now),
                    leaf: None,
                    folder: pass.folder.clone(),
                };
                self.statistics.lock().blocks_in_pass = 0;
            }
            let next = pass.next().unwrap_or_else(|error| {
                tracing::warn!(volume = %self.volume.root.display(), %error, "list blocks to scan");
                None
            });
            let ends_ms = pass.cursor.iter_start_ms + self.shared.conf.scan_period_ms();
            {
                let mut statistics = self.statistics.lock();
                statistics.pass_ends_ms = ends_ms;
                statistics.next_pass_in_ms = 0;
                statistics.at_end = next.is_none();
                statistics.passes += u64::from(next.is_none());
            }
            let Some(id) = next else {
                pass.cursor.at_end = true;
                pass.save();
                continue;
            };
            if now.saturating_sub(pass.cursor.last_saved_ms) >= SAVE_EVERY_MS {
                pass.save();
            }
            if self.shared.conf.skip_recently_read && self.was_read_lately(&pool, id) {
                return true;
            }
            self.scan(&pool, id);
            return true;
        }
        if next_pass_in_ms < u64::MAX {
            self.statistics.lock().next_pass_in_ms = next_pass_in_ms;
        }
        false
    }

    /// `dfs.block.scanner.skip.recent.accessed`: who reads a block compares its checksums.
    fn was_read_lately(&self, pool: &Pool, id: BlockId) -> bool {
        let Some(path) = pool.block_path(id) else { return false };
        let accessed = fs::metadata(path).and_then(|found| found.accessed());
        let age = accessed.ok().and_then(|at| SystemTime::now().duration_since(at).ok());
        age.is_some_and(|age| age.as_millis() < u128::from(self.shared.conf.scan_period_ms()))
    }

    fn scan(&self, pool: &Arc<Pool>, id: BlockId) {
        let limit = self.shared.conf.scan_bytes_per_second.max(1);
        let statistics = &self.statistics;
        let mut pace = |bytes: u64| {
            statistics.lock().hour.add(minute(), bytes);
            let nanos = u128::from(bytes) * 1_000_000_000 / u128::from(limit);
            let pause = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
            !self.shared.wait_for_end(pause)
        };
        let found = pool.verify(id, self.volume.index, &mut pace);
        let counters = &self.shared.counters;
        let mut statistics = self.statistics.lock();
        match &found {
            Verified::Skipped => return,
            Verified::Good => {
                counters.blocks_verified.fetch_add(1, Ordering::Relaxed);
                statistics.blocks += 1;
                statistics.blocks_in_pass += 1;
            }
            Verified::Bad(..) => {
                counters.verification_failures.fetch_add(1, Ordering::Relaxed);
                statistics.errors += 1;
            }
        }
        statistics.last = Some(format!("{}:blk_{id}", pool.id));
        drop(statistics);
        if let Verified::Bad(block, error) = found {
            let block = ExtendedBlock { pool: pool.id.clone(), block };
            self.shared.report_bad_block(&block, &error);
            if error.kind == ErrorKind::DiskError {
                self.shared.check_volumes();
            }
        }
    }
}

impl Pass {
    /// Goes on where the last process ended, if it left its cursor.
    fn load(folder: PathBuf) -> Self {
        let path = folder.join(CURSOR);
        let now = clock::wall().0;
        let cursor = match fs::read(&path) {
            Ok(bytes) => parse(&bytes).unwrap_or_else(|| {
                tracing::warn!(file = %path.display(), "no cursor of a scan; it begins anew");
                ScanCursor::start(now)
            }),
            Err(_) => ScanCursor::start(now),
        };
        Self { folder, cursor, leaf: None }
    }

    fn save(&mut self) {
        self.cursor.last_saved_ms = clock::wall().0;
        let path = self.folder.join(CURSOR);
        if let Err(error) = write_file_atomic(&path, print_cursor(&self.cursor).as_bytes()) {
            tracing::warn!(%error, "save the cursor of a scan");
        }
    }

    /// The block after the cursor, which moves there. `None`: the pass is over.
    fn next(&mut self) -> Result<Option<BlockId>> {
        loop {
            if self.leaf.is_none() {
                self.leaf = self.next_leaf()?;
            }
            let Some((folders, names)) = &mut self.leaf else { return Ok(None) };
            let Some(name) = names.pop_front() else {
                // Its last name stays in the cursor: the search for another folder goes on after it.
                self.leaf = None;
                continue;
            };
            let [first, second] = folders.clone();
            let id = match parse_file_name(&name) {
                FileKind::Block(id) => Some(id),
                _ => None,
            };
            self.cursor.last = Some([first, second, name]);
            if let Some(id) = id {
                return Ok(Some(id));
            }
        }
    }

    fn next_leaf(&self) -> Result<Option<([String; 2], VecDeque<String>)>> {
        let finalized = self.folder.join("current/finalized");
        let mut outer = names(&finalized, "subdir")?;
        for first in self.cursor.rest(["", ""], 0, &mut outer) {
            let mut inner = names(&finalized.join(first), "subdir")?;
            for second in self.cursor.rest([first, ""], 1, &mut inner) {
                let mut blocks = names(&finalized.join(first).join(second), "blk_")?;
                blocks.retain(|name| matches!(parse_file_name(name), FileKind::Block(_)));
                let rest = self.cursor.rest([first, second], 2, &mut blocks);
                if !rest.is_empty() {
                    let folders = [first.clone(), second.clone()];
                    return Ok(Some((folders, rest.iter().cloned().collect())));
                }
            }
        }
        Ok(None)
    }
}

/// Names in a folder that begin so.
fn names(folder: &Path, prefix: &str) -> Result<Vec<String>> {
    let fail = |error| io_error("read folder", folder, error);
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(fail)? {
        let name = entry.map_err(fail)?.file_name();
        if name_text(&name).starts_with(prefix) {
            names.push(name_text(&name).to_owned());
        }
    }
    Ok(names)
}

/// Reads a cursor as Hadoop writes it.
fn parse(bytes: &[u8]) -> Option<ScanCursor> {
    let value: Value = serde_json::from_slice(bytes).ok()?;
    let text = |key: &str| value.get(key)?.as_str().map(str::to_owned);
    let last = ["curFinalizedDir", "curFinalizedSubDir", "curEntry"].map(text);
    let last = match last {
        [Some(first), Some(second), Some(entry)] => Some([first, second, entry]),
        _ => None,
    };
    Some(ScanCursor {
        last_saved_ms: value.get("lastSavedMs")?.as_u64()?,
        iter_start_ms: value.get("iterStartMs")?.as_u64()?,
        last,
        at_end: value.get("atEnd")?.as_bool()?,
    })
}

fn print_cursor(cursor: &ScanCursor) -> String {
    let [first, second, entry] = match &cursor.last {
        Some(last) => last.each_ref().map(|name| Value::from(name.as_str())),
        None => [Value::Null, Value::Null, Value::Null],
    };
    let value = json!({
        "lastSavedMs": cursor.last_saved_ms,
        "iterStartMs": cursor.iter_start_ms,
        "curFinalizedDir": first,
        "curFinalizedSubDir": second,
        "curEntry": entry,
        "atEnd": cursor.at_end,
    });
    format!("{value:#}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_and_what_is_none_is_refused() {
        let last = Some(["subdir0", "subdir31", "blk_1073741825"].map(str::to_owned));
        let cursor = ScanCursor { last_saved_ms: 7, iter_start_ms: 5, last, at_end: false };
        assert_eq!(parse(print_cursor(&cursor).as_bytes()), Some(cursor));
        let new = ScanCursor::start(9);
        assert_eq!(parse(print_cursor(&new).as_bytes()), Some(new));
        for bad in ["", "{}", "[1]", "{\"lastSavedMs\":-1,\"iterStartMs\":1,\"atEnd\":true}"] {
            assert_eq!(parse(bad.as_bytes()), None, "{bad}");
        }
    }
}
