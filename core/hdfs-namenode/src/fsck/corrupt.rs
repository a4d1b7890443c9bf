//! `-list-corruptfileblocks`: a page of the blocks without any good replica.
//!
//! The cookie is how many such blocks were passed, as in Hadoop: its client reads an `int`.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.FSNamesystem.listCorruptFileBlocks (3.5.0)

use std::fmt::Write;

use hdfs_types::{BlockId, Error, Result};

use super::{FsckOptions, put};
use crate::machine::NameNode;

/// Blocks that one step looks at.
const STEP: usize = 2_000;

/// A page that is being collected.
pub(super) struct CorruptList {
    /// Blocks to pass before the page begins.
    skip: u64,
    passed: u64,
    next: BlockId,
    lines: Vec<String>,
    limit: usize,
}

impl CorruptList {
    pub(super) fn new(nn: &NameNode, options: &FsckOptions) -> Result<Self> {
        let missing = nn.blocks.missing_after(BlockId(i64::MIN)).next().is_some();
        if missing && !nn.blocks.is_populating_queues() {
            return Err(Error::io(
                "Cannot run listCorruptFileBlocks because replication queues have not been initialized.",
            ));
        }
        let cookie = options.start_after.as_deref().and_then(|text| text.parse::<i32>().ok());
        let skip = u64::try_from(cookie.unwrap_or(0)).unwrap_or(0);
        let limit = nn.conf.max_corrupt_files;
        let next = BlockId(i64::MIN);
        Ok(Self { skip, passed: 0, next, lines: Vec::new(), limit })
    }

    /// Looks at some more blocks; true when the page is complete.
    pub(super) fn step(&mut self, nn: &NameNode, below: &str) -> bool {
        let below = below.trim_end_matches('/');
        let mut seen = 0;
        for info in nn.blocks.missing_after(self.next).take(STEP) {
            if self.lines.len() >= self.limit {
                return true;
            }
            seen += 1;
            self.passed += 1;
            self.next = BlockId(info.block.id.0.saturating_add(1));
            if self.passed <= self.skip {
                continue;
            }
            let Some(path) = nn.path_text(info.owner) else { continue };
            let inside = path
                .strip_prefix(below)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
            if inside {
                self.lines.push(format!("blk_{}\t{path}", info.block.id));
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
