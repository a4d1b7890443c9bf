//! `hdfs doctor`: why a block is missing, corrupt or lacks replicas, from what the NameNode knows, and what to do.
//!
//! The text is for people. Its last line says `is HEALTHY`, or how many blocks need something.

use std::collections::BTreeMap;
use std::fmt::Write;

use hdfs_blocks::{
    AdminState, BlockExplanation, BlockState, DatanodeReportType, DatanodeSlot, Hindrance,
    ReplicaExplanation, Unsuitable,
};
use hdfs_namespace::FileBlocks;
use hdfs_types::{BlockId, Error, ErrorKind, Mono, Result};

use crate::call::Call;
use crate::machine::NameNode;

/// Blocks of one file that are told about.
const TOLD_BLOCKS: usize = 100;
/// Nodes that one line names.
const NAMED_NODES: usize = 8;

/// Writing to a String can't fail.
macro_rules! line {
    ($out:expr, $($text:tt)*) => {{
        let _ = writeln!($out, $($text)*);
    }};
}

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnosis {
    /// For a person to read.
    pub text: String,
    /// Everything is as it should be.
    pub healthy: bool,
}

impl NameNode {
    /// Says what is wrong with a file, or with a block (`blk_…`), and what to do.
    ///
    /// # Errors
    /// As for reading the file; only the superuser may ask for a block. FileNotFound.
    pub fn diagnose(&self, call: &Call<'_>, target: &str) -> Result<Diagnosis> {
        if let Some(id) = block_id(target) {
            call.caller.check_superuser_for("doctor")?;
            return self.diagnose_block(call.now.mono, id, target);
        }
        let file =
            self.plan(call, |namespace, context| namespace.get_blocks(context, target.as_bytes()))?;
        Ok(self.diagnose_file(call.now.mono, &file))
    }

    fn diagnose_block(&self, now: Mono, id: BlockId, target: &str) -> Result<Diagnosis> {
        let explained = self.explain(now, id).ok_or_else(|| {
            let text = format!(
                "{target} is unknown to the NameNode: its file was deleted, or it never belonged to this namespace"
            );
            Error::new(ErrorKind::FileNotFound, text)
        })?;
        let mut out = String::new();
        let path = self.path_text(explained.info.owner);
        match &path {
            Some(path) => line!(out, "{target} belongs to {path}"),
            None => line!(out, "{target} belongs to a file that is only in snapshots now"),
        }
        let healthy = is_healthy(&explained);
        self.tell(now, &explained, "", &mut out);
        if healthy {
            line!(out, "{target} is HEALTHY");
        } else {
            line!(out, "{target} needs attention");
        }
        Ok(Diagnosis { text: out, healthy })
    }

    fn diagnose_file(&self, now: Mono, file: &FileBlocks) -> Diagnosis {
        let mut out = String::new();
        let path = String::from_utf8_lossy(&file.path).into_owned();
        let total = file.blocks.len();
        line!(out, "{path}: {total} block(s), {} replica(s) wanted of each", file.replication);
        if let Some(writer) = &file.writer {
            line!(
                out,
                "It is being written by {} on {}. If that writer is gone: hdfs debug recoverLease -path {path}",
                writer.client_name,
                writer.client_machine
            );
        }
        let mut sick = 0;
        for (place, block) in file.blocks.iter().enumerate() {
            let Some(explained) = self.explain(now, block.id) else { continue };
            let open = explained.info.state != BlockState::Complete && file.writer.is_some();
            if open || is_healthy(&explained) {
                continue;
            }
            sick += 1;
            if sick <= TOLD_BLOCKS {
                let name = format!(", block {} of {total}", place + 1);
                self.tell(now, &explained, &name, &mut out);
            }
        }
        if sick > TOLD_BLOCKS {
            line!(out, "{} more block(s) need attention, too", sick - TOLD_BLOCKS);
        }
        if sick == 0 {
            line!(out, "{path} is HEALTHY");
        } else {
            line!(out, "{sick} of {total} block(s) of {path} need attention");
        }
        Diagnosis { text: out, healthy: sick == 0 }
    }

    fn explain(&self, now: Mono, id: BlockId) -> Option<BlockExplanation> {
        let owner = self.blocks.block(id)?.owner;
        self.blocks.explain(now, id, self.namespace.storage_policy_of(owner))
    }

    /// One block: its replicas, what is wrong, what to do.
    fn tell(&self, now: Mono, explained: &BlockExplanation, place: &str, out: &mut String) {
        let (info, counts) = (&explained.info, &explained.counts);
        line!(
            out,
            "\n{}{place}: {} bytes, {} of {} good replica(s)",
            info.block,
            info.block.num_bytes,
            counts.live,
            info.replication
        );
        for replica in &explained.replicas {
            self.tell_replica(replica, out);
        }
        if explained.postponed {
            line!(
                out,
                "  Replicas too many, or corrupt ones, are deleted after every DataNode that holds one has reported"
            );
        }
        if let Some(hindrance) = &explained.hindrance {
            let (why, advice) = self.reason(now, explained, hindrance);
            line!(out, "  Why: {why}\n  To do: {advice}");
        }
        if counts.corrupt > 0 && counts.live > 0 {
            line!(
                out,
                "  {} replica(s) are corrupt. They are deleted when enough good ones are there; disks that corrupt more than \
                 once should be replaced",
                counts.corrupt
            );
        }
    }

    fn tell_replica(&self, replica: &ReplicaExplanation, out: &mut String) {
        let storage = self.blocks.storage(replica.storage);
        let node = self.blocks.datanode(storage.datanode);
        let health = &replica.health;
        let state = match (health.corrupt, health.admin) {
            _ if !replica.reachable && !node.is_maintenance() => "not reachable".to_owned(),
            (Some(reason), _) => format!("corrupt ({reason})"),
            (None, AdminState::Normal) if health.excess || replica.to_be_deleted => {
                "one too many, to be deleted".to_owned()
            }
            (None, AdminState::Normal) if health.stale_node => {
                "good, but its DataNode has been silent for a while".to_owned()
            }
            (None, AdminState::Normal) if health.stale_contents => {
                "good, by what was known before this NameNode was active".to_owned()
            }
            (None, AdminState::Normal) => "good".to_owned(),
            (None, leaving) => leaving.text().to_lowercase(),
        };
        let (address, rack) = (node.registration.xfer_addr(), &node.location);
        line!(out, "  {address} {rack} {}: {state}", storage.storage_type().name());
    }

    /// Why, and what to do.
    fn reason(
        &self,
        now: Mono,
        explained: &BlockExplanation,
        hindrance: &Hindrance,
    ) -> (String, String) {
        let text = |why: &str, advice: &str| (why.to_owned(), advice.to_owned());
        match hindrance {
            Hindrance::BeingWritten => text(
                "it is being written, or its last writer's lease is being recovered",
                "wait for the writer; if it is gone, run hdfs debug recoverLease -path FILE",
            ),
            Hindrance::NotLookedFor => text(
                "the NameNode has started and does not look for such blocks yet",
                "wait until it has left safe mode: hdfs dfsadmin -safemode get",
            ),
            Hindrance::SafeMode => text(
                "the NameNode is in safe mode: nothing is copied",
                "see hdfs dfsadmin -safemode get, and leave it when its reason is gone",
            ),
            Hindrance::NoSource => self.nothing_to_copy_from(now, explained),
            Hindrance::SourcesBusy => text(
                "the DataNodes that hold it are sending as many copies as they may",
                "wait; more copies at a time: dfs.namenode.replication.max-streams",
            ),
            Hindrance::NoTarget(reasons) => no_target(explained, reasons),
            Hindrance::OnTheirWay => {
                let nodes = explained.pending.iter().map(|s| self.blocks.storage(*s).datanode);
                (format!("copies are on their way to {}", self.names(nodes)), "wait".to_owned())
            }
            Hindrance::Waiting if explained.counts.live < explained.required => text(
                "it waits for its turn: blocks with fewer replicas are copied first",
                "wait; faster: dfs.namenode.replication.work.multiplier.per.iteration",
            ),
            Hindrance::Waiting => text("it lies on too few racks, and waits for its turn", "wait"),
            Hindrance::Group => text(
                "blocks of the group are missing, and this NameNode does not rebuild them yet",
                "bring back the DataNodes that held them; while data and parity suffice, copy the file",
            ),
        }
    }

    fn nothing_to_copy_from(&self, now: Mono, explained: &BlockExplanation) -> (String, String) {
        let dead = self.blocks.list_datanodes(now, DatanodeReportType::Dead);
        let failed = self
            .blocks
            .list_datanodes(now, DatanodeReportType::Live)
            .into_iter()
            .filter(|slot| self.blocks.datanode(*slot).failed_volumes > 0);
        let (dead, failed) = (self.names(dead), self.names(failed));
        let mut advice = Vec::new();
        if !dead.is_empty() {
            advice.push(format!("start the dead DataNode(s) {dead}"));
        }
        if !failed.is_empty() {
            advice.push(format!("look at the failed volumes of {failed}"));
        }
        let why = if explained.counts.corrupt > 0 {
            advice.push("save what can be read: hdfs dfs -get -ignoreCrc FILE".to_owned());
            "every replica that was reported is corrupt".to_owned()
        } else if explained.counts.in_maintenance > 0 {
            advice.push("bring back the nodes in maintenance".to_owned());
            "only nodes in maintenance hold it".to_owned()
        } else {
            "no DataNode that is alive has reported a good replica".to_owned()
        };
        let end = "write the file anew from elsewhere, and delete this one: hdfs fsck FILE -delete";
        let otherwise = if advice.is_empty() { "" } else { "if that does not help, " };
        advice.push(format!("{otherwise}{end}"));
        (why, advice.join("; "))
    }

    /// Addresses of some nodes.
    fn names(&self, nodes: impl IntoIterator<Item = DatanodeSlot>) -> String {
        let mut nodes = nodes.into_iter();
        let some: Vec<String> = nodes
            .by_ref()
            .take(NAMED_NODES)
            .map(|slot| self.blocks.datanode(slot).registration.xfer_addr())
            .collect();
        let more = nodes.count();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        some.join(", ") + &more
    }
}

fn is_healthy(explained: &BlockExplanation) -> bool {
    explained.hindrance.is_none() && explained.counts.corrupt == 0
}

fn no_target(
    explained: &BlockExplanation,
    reasons: &BTreeMap<Unsuitable, usize>,
) -> (String, String) {
    let shown: Vec<String> = reasons
        .iter()
        .map(|(reason, count)| {
            let what = match reason {
                Unsuitable::HoldsReplica => "hold a replica of it",
                Unsuitable::LeavesService => "leave service",
                Unsuitable::Stale => "have been silent for a while",
                Unsuitable::Slow => "are slow",
                Unsuitable::Busy => "are much busier than the others",
                Unsuitable::NoRoom => "have no room on storage of the right kind",
                Unsuitable::TooClose => "are too close to its replicas",
            };
            format!("{count} {what}")
        })
        .collect();
    let advice = if reasons.contains_key(&Unsuitable::NoRoom) {
        "add DataNodes or volumes, or make room"
    } else if reasons.contains_key(&Unsuitable::Busy) || reasons.contains_key(&Unsuitable::Stale) {
        "wait until these nodes are less busy, or add DataNodes"
    } else if explained.misplaced > 0 && explained.counts.live >= explained.required {
        "add DataNodes on other racks or in other upgrade domains"
    } else {
        "add DataNodes, or ask for fewer replicas: hdfs dfs -setrep N FILE"
    };
    (format!("no DataNode can take a copy: {}", shown.join(", ")), advice.to_owned())
}

/// `blk_ID`, with or without its generation stamp.
fn block_id(target: &str) -> Option<BlockId> {
    let digits = target.strip_prefix("blk_")?;
    let digits = digits.split_once('_').map_or(digits, |(id, _)| id);
    digits.parse().ok().map(BlockId)
}
