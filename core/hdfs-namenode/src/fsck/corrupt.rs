//! `-list-corruptfileblocks`: a page of the blocks without any good replica.
//!
//! The cookie is how many such blocks were passed, as in Hadoop: its client reads an `int`.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.FSNamesystem.listCorruptFileBlocks (3.5.0)

use std::fmt::Write;

use hdfs_types::{BlockId, Result};

use super::{FsckOptions, put};
use crate::admin::is_inside;
use crate::call::Call;
use crate::machine::NameNode;

/// Blocks that one step looks at.
const STEP: usize = 2_000;

/// A page that is being collected.
pub(super) struct CorruptList {
    /// Blocks to pass before the page begins.
    skip: u64,
    passed: u64,
    next: BlockId,
    /// Blocks of the page so far: each has a line for each file that shows it.
    blocks: usize,
    lines: Vec<String>,
    limit: usize,
}

impl CorruptList {
    pub(super) fn new(nn: &NameNode, options: &FsckOptions) -> Result<Self> {
        nn.check_lists_corrupt()?;
        let cookie = options.start_after.as_deref().and_then(|text| text.parse::<i32>().ok());
        let skip = u64::try_from(cookie.unwrap_or(0)).unwrap_or(0);
        let limit = nn.conf.max_corrupt_files;
        let next = BlockId(i64::MIN);
        Ok(Self { skip, passed: 0, next, blocks: 0, lines: Vec::new(), limit })
    }

    /// Looks at some more blocks; true when the page is complete. `place`: the directory that is asked about, and those
    /// whose snapshots are looked into.
    pub(super) fn step(
        &mut self,
        nn: &NameNode,
        call: &Call<'_>,
        place: (&str, &[Vec<u8>]),
    ) -> bool {
        let mut seen = 0;
        for info in nn.blocks.missing_after(self.next).take(STEP) {
            if self.blocks >= self.limit {
                return true;
            }
            seen += 1;
            self.passed += 1;
            self.next = BlockId(info.block.id.0.saturating_add(1));
            if self.passed <= self.skip {
                continue;
            }
            let Some(path) = nn.namespace.last_path(info.owner) else { continue };
            let path = String::from_utf8_lossy(&path).into_owned();
            if is_inside(&path, place.0) {
                self.blocks += 1;
                let shown =
                    std::iter::once(path.clone()).chain(in_snapshots(nn, call, &path, place.1));
                let lines = shown
                    .filter(|path| exists(nn, call, path))
                    .map(|path| format!("blk_{}\t{path}", info.block.id));
                self.lines.extend(lines);
            }
        }
        seen < STEP
    }

    /// Writes the page.
    pub(super) fn print(&self, path: &str, out: &mut String) {
        let cookie = self.passed.max(self.skip);
        put!(out, "Cookie:\t{cookie}\n");
        for line in &self.lines {
            put!(out, "{line}\n");
        }
        let many = match self.lines.len() {
            0 if cookie == 0 => "no".to_owned(),
            0 => "no more".to_owned(),
            count => count.to_string(),
        };
        put!(out, "\n\nThe filesystem under path '{path}' has {many} CORRUPT files\n\n");
    }
}

fn exists(nn: &NameNode, call: &Call<'_>, path: &str) -> bool {
    let found = nn.plan(call, |namespace, context| {
        namespace.get_file_info(context, path.as_bytes(), true, false)
    });
    found.is_ok_and(|status| status.is_some())
}

/// The path of a file in each snapshot of the directories above it.
///
/// Hadoop: org.apache.hadoop.hdfs.server.namenode.FSDirSnapshotOp.getSnapshotFiles (3.5.0)
fn in_snapshots(
    nn: &NameNode,
    call: &Call<'_>,
    path: &str,
    directories: &[Vec<u8>],
) -> Vec<String> {
    let mut paths = Vec::new();
    for directory in directories {
        let name = String::from_utf8_lossy(directory);
        let name = name.trim_end_matches('/');
        let Some(rest) = path.strip_prefix(name).filter(|rest| rest.starts_with('/')) else {
            continue;
        };
        let snapshots =
            nn.plan(call, |namespace, context| namespace.get_snapshot_listing(context, directory));
        for snapshot in snapshots.unwrap_or_default() {
            let snapshot = String::from_utf8_lossy(&snapshot.status.name).into_owned();
            paths.push(format!("{name}/.snapshot/{snapshot}{rest}"));
        }
    }
    paths
}
