//! The check of one file, block by block.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.NamenodeFsck.{collectFileSummary, collectBlocksSummary} (3.5.0)

use std::fmt::Write;

use hdfs_blocks::{AdminState, BlockState, PlacementViolation, ReplicaCounts, StorageSlot};
use hdfs_namespace::{FileBlocks, FileStatus};
use hdfs_types::{Block, BlockId, ErrorKind, ExtendedBlock, Result};

use super::{DOT_SNAPSHOT, Fsck, FsckAction, put};
use crate::call::Call;
use crate::machine::NameNode;
use crate::policies;

/// A file whose blocks are being looked at.
pub(super) struct FileCheck {
    path: String,
    replication: u16,
    policy: u8,
    coded: bool,
    open: bool,
    blocks: Vec<Block>,
    next: usize,
    /// The last block, while it is being written.
    writing: Option<BlockId>,
    number: usize,
    report: String,
    missing: (u64, u64),
    corrupt: (u64, u64),
    under_replicated: bool,
    misplaced: Vec<BlockId>,
    any_misplaced: bool,
}

impl Fsck {
    /// Counts a file and begins to look at its blocks, unless it is being written and such files are left out.
    pub(super) fn enter_file(
        &mut self,
        nn: &NameNode,
        call: &Call<'_>,
        path: &[u8],
        status: &FileStatus,
        out: &mut String,
    ) -> Result<()> {
        let Some(file) = blocks_of(nn, call, path, status)? else { return Ok(()) };
        let text = String::from_utf8_lossy(path).into_owned();
        let open = file.writer.is_some();
        let stored: Vec<_> = file.blocks.iter().map(|block| nn.stored_block(*block)).collect();
        let blocks: Vec<Block> =
            crate::status::overlapping(&stored, 0, status.length).map(|(block, _)| block).collect();
        let count = blocks.len() as u64;
        let coded = file.ec_policy != 0;
        let tally = if coded { &mut self.erasure_coded } else { &mut self.replicated };
        if open && !self.options.open_for_write {
            tally.open_size += status.length;
            tally.open_blocks += count;
            tally.open_files += 1;
            return Ok(());
        }
        tally.files += 1;
        tally.size += status.length;
        tally.blocks += count;
        let dot = tally.files.is_multiple_of(100);
        if self.options.files || open {
            let redundancy = redundancy(nn, &file, status.replication);
            let length = status.length;
            let tail = if open { ", OPENFORWRITE: " } else { ": " };
            put!(out, "{text} {length} bytes, {redundancy}, {count} block(s){tail}");
        } else if dot {
            out.push('.');
        }
        let writing = stored.last().filter(|of| !of.1).map(|of| of.0.id);
        self.file = Some(FileCheck {
            path: text,
            replication: status.replication,
            policy: if status.storage_policy == 0 { policies::HOT } else { status.storage_policy },
            coded,
            open,
            blocks,
            next: 0,
            writing,
            number: 0,
            report: String::new(),
            missing: (0, 0),
            corrupt: (0, 0),
            under_replicated: false,
            misplaced: Vec::new(),
            any_misplaced: false,
        });
        Ok(())
    }

    /// Looks at up to `budget` blocks of the file in hand; returns at how many.
    pub(super) fn check_file(
        &mut self,
        nn: &NameNode,
        call: &Call<'_>,
        budget: usize,
        out: &mut String,
    ) -> usize {
        let Some(mut file) = self.file.take() else { return 0 };
        let end = file.blocks.len().min(file.next + budget);
        let looked = (end - file.next).max(1);
        for index in file.next..end {
            let block = file.blocks[index];
            // The last block of an open file is told of at the end.
            if file.writing != Some(block.id) {
                self.check_one(nn, call, &mut file, block, out);
            }
        }
        file.next = end;
        if end == file.blocks.len() {
            self.finish_file(nn, call, file, out);
        } else {
            self.file = Some(file);
        }
        looked
    }

    fn check_one(
        &mut self,
        nn: &NameNode,
        call: &Call<'_>,
        file: &mut FileCheck,
        block: Block,
        out: &mut String,
    ) {
        // A block that was deleted meanwhile is none of the file's any more.
        let (Some(counts), Some(info)) =
            (nn.blocks.replica_counts(block.id), nn.blocks.block(block.id))
        else {
            return;
        };
        let minimum = nn.blocks.conf().min_replication;
        let tally = if file.coded { &mut self.erasure_coded } else { &mut self.replicated };
        let wanted = if file.coded { info.replication } else { file.replication };
        let lacking = tally.add_block(&counts, wanted, minimum);
        let located = nn.blocks.locate(call.now.mono, block.id, None, 0);
        let name = ExtendedBlock { pool: nn.identity.block_pool_id.clone(), block: info.block };
        let length = info.block.num_bytes;
        if located.corrupt {
            tally.corrupt_blocks += 1;
            tally.corrupt_size += length;
            file.corrupt = (file.corrupt.0 + 1, file.corrupt.1 + length);
            let (path, pool) = (&file.path, nn.identity.block_pool_id.as_str());
            put!(out, "\n{path}: CORRUPT blockpool {pool} block blk_{}\n", block.id);
        }
        let missing = replicas(&counts) == 0 && !located.corrupt;
        if missing {
            tally.missing += 1;
            tally.missing_size += length;
            file.missing = (file.missing.0 + 1, file.missing.1 + length);
        }
        if lacking {
            file.under_replicated = true;
            if !self.options.files {
                put!(out, "\n{}: ", file.path);
            }
            put!(out, " Under replicated {name}. Target Replicas is {wanted} but found ");
            put_found(&counts, self.options.maintenance, out);
        }
        self.check_placement(nn, file, (&name, wanted), &located.locations, out);
        if let Some(policies) = &mut self.policies {
            let kinds =
                located.locations.iter().map(|storage| nn.blocks.storage(*storage).storage_type());
            policies.add(file.policy, kinds);
        }
        if self.options.files && self.options.blocks {
            put!(file.report, "{}. {name} len={length}", file.number);
            if missing {
                file.report.push_str(" MISSING!");
            } else {
                put!(file.report, " Live_repl={}", counts.live);
                self.put_replicas(nn, call, info.state, block.id, &mut file.report);
            }
            file.report.push('\n');
        }
        file.number += 1;
    }

    /// Whether a block lies on enough racks.
    fn check_placement(
        &mut self,
        nn: &NameNode,
        file: &mut FileCheck,
        (name, wanted): (&ExtendedBlock, u16),
        locations: &[StorageSlot],
        out: &mut String,
    ) {
        let Some(violation) = nn.blocks.placement_violation(locations, wanted, file.coded) else {
            return;
        };
        let tally = if file.coded { &mut self.erasure_coded } else { &mut self.replicated };
        tally.badly_placed += 1;
        file.any_misplaced = true;
        if !self.options.files {
            if !file.under_replicated {
                out.push('\n');
            }
            put!(out, "{}: ", file.path);
        }
        put!(out, " Replica placement policy is violated for {name}. {}\n", reason(&violation));
        if self.options.replicate {
            file.misplaced.push(name.block.id);
        }
    }

    /// The replicas of a block, in brackets, if they were asked for.
    fn put_replicas(
        &self,
        nn: &NameNode,
        call: &Call<'_>,
        state: BlockState,
        id: BlockId,
        text: &mut String,
    ) {
        if !self.options.lists_replicas() {
            return;
        }
        let storages = if state == BlockState::Complete {
            nn.blocks.stored_replicas(id)
        } else {
            nn.blocks.expected_locations(id)
        };
        let all: Vec<String> =
            storages.iter().map(|storage| self.replica_text(nn, call, id, *storage)).collect();
        put!(text, "  [{}]", all.join(", "));
    }

    fn replica_text(
        &self,
        nn: &NameNode,
        call: &Call<'_>,
        id: BlockId,
        storage: StorageSlot,
    ) -> String {
        let node = nn.blocks.datanode_of(storage);
        let held = nn.blocks.storage(storage);
        let address = node.registration.xfer_addr();
        let mut text = if self.options.racks {
            format!("{}/{address}", node.location)
        } else {
            let (uuid, kind) = (held.uuid().as_str(), held.storage_type().name());
            format!("DatanodeInfoWithStorage[{address},{uuid},{kind}]")
        };
        if self.options.upgrade_domains {
            put!(text, "(ud={})", node.upgrade_domain.as_deref().unwrap_or("undefined"));
        }
        if self.options.replica_details {
            let health = nn.blocks.replica_health(call.now.mono, id, storage);
            let tells_maintenance = self.options.maintenance;
            let state = match health.admin {
                AdminState::Decommissioned => "DECOMMISSIONED",
                AdminState::DecommissionInProgress => "DECOMMISSIONING",
                AdminState::EnteringMaintenance if tells_maintenance => "ENTERING MAINTENANCE",
                AdminState::InMaintenance if tells_maintenance => "IN MAINTENANCE",
                _ if health.corrupt.is_some() => "CORRUPT",
                _ if health.excess => "EXCESS",
                _ if health.stale_node => "STALE_NODE",
                _ if health.stale_contents => "STALE_BLOCK_CONTENT",
                _ => "LIVE",
            };
            put!(text, "({state})");
        }
        text
    }

    fn finish_file(
        &mut self,
        nn: &NameNode,
        call: &Call<'_>,
        mut file: FileCheck,
        out: &mut String,
    ) {
        if let Some(block) = file.writing.and_then(|id| nn.blocks.block(id))
            && block.state != BlockState::Complete
        {
            let name =
                ExtendedBlock { pool: nn.identity.block_pool_id.clone(), block: block.block };
            let expected = nn.blocks.expected_locations(block.block.id).len();
            put!(
                file.report,
                "\nUnder Construction Block:\n{}. {name} len={} Expected_repl={expected}",
                file.number,
                block.block.num_bytes
            );
            let id = block.block.id;
            self.put_replicas(nn, call, block.state, id, &mut file.report);
        }
        let damaged = file.missing.0 > 0 || file.corrupt.0 > 0;
        let kinds = [("MISSING", file.missing), ("CORRUPT", file.corrupt)];
        if damaged {
            self.note_damaged(&file, &kinds, out);
        }
        if self.options.files {
            if damaged {
                for (what, (count, size)) in kinds.into_iter().filter(|(_, found)| found.0 > 0) {
                    put!(out, " {what} {count} blocks of total size {size} B\n");
                }
            } else if !file.under_replicated && !file.any_misplaced {
                out.push_str(" OK\n");
            }
            if self.options.blocks {
                put!(out, "{}\n", file.report);
            }
        }
        if !file.misplaced.is_empty() {
            self.actions.push_back(FsckAction::Replicate(file.misplaced));
        }
    }

    fn note_damaged(
        &mut self,
        file: &FileCheck,
        kinds: &[(&str, (u64, u64)); 2],
        out: &mut String,
    ) {
        if !self.options.files {
            for (what, (count, size)) in kinds.iter().filter(|(_, found)| found.0 > 0) {
                put!(out, "\n{}: {what} {count} blocks of total size {size} B.", file.path);
            }
        }
        let tally = if file.coded { &mut self.erasure_coded } else { &mut self.replicated };
        tally.corrupt_files += 1;
        // What is still being written is left alone.
        if !file.open {
            let path = &file.path;
            if self.options.salvage {
                self.actions.push_back(FsckAction::Salvage { path: path.clone() });
            }
            if self.options.delete {
                self.actions.push_back(FsckAction::Delete { path: path.clone() });
            }
        }
    }
}

/// The blocks of a file that the caller may read; `None` when it was deleted meanwhile.
fn blocks_of(
    nn: &NameNode,
    call: &Call<'_>,
    path: &[u8],
    status: &FileStatus,
) -> Result<Option<FileBlocks>> {
    let in_snapshot = path.split(|byte| *byte == b'/').any(|name| name == DOT_SNAPSHOT);
    if call.caller.superuser && !in_snapshot {
        return Ok(nn.namespace.blocks_of_inode(status.inode));
    }
    let found = nn.plan(call, |namespace, context| namespace.get_blocks(context, path));
    match found {
        Err(error) if error.kind == ErrorKind::FileNotFound => Ok(None),
        found => found.map(Some),
    }
}

fn redundancy(nn: &NameNode, file: &FileBlocks, replication: u16) -> String {
    if file.ec_policy == 0 {
        return format!("replicated: replication={replication}");
    }
    let policy = nn.namespace.erasure_coding_policy(file.ec_policy);
    format!("erasure-coded: policy={}", policy.map_or("", |policy| &policy.name))
}

/// Replicas that are there, in service or leaving it.
pub(super) fn replicas(counts: &ReplicaCounts) -> u32 {
    counts.live
        + counts.decommissioned
        + counts.decommissioning
        + counts.entering_maintenance
        + counts.in_maintenance
}

/// The end of the line about a block that lacks replicas.
/// Hadoop: getErrorDescription of BlockPlacementStatusDefault and BlockPlacementStatusWithUpgradeDomain (3.5.0)
fn reason(violation: &PlacementViolation) -> String {
    let mut sentences = Vec::new();
    if violation.missing_racks > 0 {
        sentences.push(format!(
            "Block should be additionally replicated on {} more rack(s). Total number of racks in the cluster: {}",
            violation.missing_racks, violation.racks
        ));
    }
    if let Some((replicas, domains)) = &violation.domains {
        sentences.push(format!(
            "The block has {replicas} replicas. But it only has {} upgrade domains [{}].",
            domains.len(),
            domains.join(", ")
        ));
    }
    sentences.join(" ")
}

fn put_found(counts: &ReplicaCounts, maintenance: bool, out: &mut String) {
    put!(
        out,
        "{} live replica(s), {} decommissioned replica(s), {} decommissioning replica(s)",
        counts.live,
        counts.decommissioned,
        counts.decommissioning
    );
    if maintenance {
        put!(
            out,
            "{}, entering maintenance replica(s) and {} in maintenance replica(s).\n",
            counts.entering_maintenance,
            counts.in_maintenance
        );
    } else {
        out.push_str(".\n");
    }
}
