//! The check of files and blocks that `hdfs fsck` asks for: walks a tree in slices, judges every block, adds up, and
//! writes Hadoop's text.
//!
//! [`Fsck::step`] does a bounded piece of work on a machine that may change between two steps, and appends what
//! there is to say; the shell holds the lock for one step and sends the text on before the next. What a check is to change
//! (salvage, delete, copy) is an [`FsckAction`] for the shell, which tells how it went.
//!
//! What vanishes between two steps is left out, as Hadoop leaves out a file that was deleted meanwhile.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.NamenodeFsck (3.5.0)

mod block;
mod corrupt;
mod file;
mod options;
mod policy_summary;
mod tally;

use std::collections::VecDeque;
use std::fmt::Write;

use hdfs_blocks::{DatanodeReportType, Now};
use hdfs_format::storage_dir::CivilTime;
use hdfs_namespace::{FileStatus, INodeKind};
use hdfs_types::{BlockId, Error, Result};

use self::corrupt::CorruptList;
use self::file::FileCheck;
use self::policy_summary::PolicySummary;
use self::tally::{ERASURE_CODED, REPLICATED, Tally};
use crate::admin::LIST_CORRUPT;
use crate::call::Call;
use crate::machine::NameNode;

pub use self::options::FsckOptions;

/// Entries, blocks or replicas that one step looks at.
const STEP_BUDGET: usize = 256;
/// A step ends when it has written so much, in bytes.
const STEP_TEXT: usize = 64 << 10;

/// Below it are the snapshots of a directory.
pub(crate) const DOT_SNAPSHOT: &[u8] = b".snapshot";

/// Writes text; writing to a String can't fail.
macro_rules! put {
    ($out:expr, $($text:tt)*) => {{
        let _ = write!($out, $($text)*);
    }};
}
pub(crate) use put;

/// What follows a step.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FsckStep {
    /// Another step.
    More,
    /// This, then [`Fsck::acted`], then another step.
    Act(FsckAction),
    /// Nothing: the report is complete.
    Done,
}

/// A change that the options ask for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FsckAction {
    /// Copy the readable blocks of this file below `/lost+found`.
    Salvage {
        /// The damaged file.
        path: String,
    },
    /// Delete this damaged file.
    Delete {
        /// The damaged file.
        path: String,
    },
    /// Schedule copies of these badly placed blocks ([`NameNode::fsck_replicate`]).
    Replicate(Vec<BlockId>),
}

/// What became of an action.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FsckOutcome {
    /// Done.
    Done,
    /// So many blocks were taken.
    Queued(usize),
    /// It failed; the whole check will say so at its end.
    Failed,
}

enum Phase {
    Start,
    Blocks { next: usize },
    Walk,
    Corrupt(CorruptList),
    Finished,
}

/// A directory that is being listed.
struct Frame {
    path: Vec<u8>,
    waiting: VecDeque<FileStatus>,
    last: Vec<u8>,
    more: bool,
    /// It was counted and named: not before its snapshots were looked into.
    begun: bool,
}

impl Frame {
    fn of(path: Vec<u8>) -> Self {
        Self { path, waiting: VecDeque::new(), last: Vec::new(), more: true, begun: false }
    }
}

/// One check. See the module's description.
pub struct Fsck {
    options: FsckOptions,
    /// As Java prints it: `user (auth:SIMPLE)`.
    user: String,
    remote: String,
    began: Now,
    phase: Phase,
    frames: Vec<Frame>,
    file: Option<FileCheck>,
    actions: VecDeque<FsckAction>,
    dirs: u64,
    symlinks: u64,
    replicated: Tally,
    erasure_coded: Tally,
    policies: Option<PolicySummary>,
    /// Directories whose snapshots are looked into.
    snapshottable: Vec<Vec<u8>>,
    internal_error: bool,
}

impl Fsck {
    /// A check that this user asked for from this address.
    pub fn new(options: FsckOptions, user: &str, remote: &str, now: Now) -> Self {
        Self {
            policies: options.storage_policies.then(PolicySummary::default),
            options,
            user: format!("{user} (auth:SIMPLE)"),
            remote: format!("/{remote}"),
            began: now,
            phase: Phase::Start,
            frames: Vec::new(),
            file: None,
            actions: VecDeque::new(),
            dirs: 0,
            symlinks: 0,
            replicated: Tally::default(),
            erasure_coded: Tally::default(),
            snapshottable: Vec::new(),
            internal_error: false,
        }
    }

    /// What the audit log names as the source.
    pub fn audit_source(&self) -> String {
        match &self.options.block_ids {
            Some(ids) => format!("blocksIds=[{}]", ids.join(", ")),
            None => self.options.path.clone(),
        }
    }

    /// Does a bounded piece of work and appends to the report.
    pub fn step(&mut self, nn: &NameNode, call: &Call<'_>, out: &mut String) -> FsckStep {
        if let Some(action) = self.actions.pop_front() {
            return FsckStep::Act(action);
        }
        let went = match &mut self.phase {
            Phase::Start => self.start(nn, call, out),
            Phase::Blocks { .. } => {
                self.check_blocks(nn, call, out);
                Ok(())
            }
            Phase::Walk => self.walk(nn, call, out),
            Phase::Corrupt(list) => {
                if list.step(nn, call, (&self.options.path, &self.snapshottable)) {
                    list.print(&self.options.path, out);
                    self.phase = Phase::Finished;
                }
                Ok(())
            }
            Phase::Finished => return FsckStep::Done,
        };
        if let Err(error) = went {
            self.fail(&error, call.now, out);
        }
        match self.actions.pop_front() {
            Some(action) => FsckStep::Act(action),
            None if matches!(self.phase, Phase::Finished) => FsckStep::Done,
            None => FsckStep::More,
        }
    }

    /// Tells what became of the last action.
    pub fn acted(&mut self, outcome: FsckOutcome) {
        match outcome {
            FsckOutcome::Done => {}
            FsckOutcome::Queued(count) => self.replicated.queued += count as u64,
            FsckOutcome::Failed => self.internal_error = true,
        }
    }

    fn start(&mut self, nn: &NameNode, call: &Call<'_>, out: &mut String) -> Result<()> {
        if self.options.show_progress {
            out.push_str(
                "The fsck switch -showprogress is deprecated and no longer has any effect. Progress is now shown by \
                 default.\n",
            );
        }
        let (user, remote, date) = (&self.user, &self.remote, CivilTime::from(call.now.wall));
        if self.options.block_ids.is_some() {
            nn.plan(call, |_, context| context.caller.check_superuser_for("fsck"))?;
            put!(out, "FSCK started by {user} from {remote} at {date}\n");
            self.phase = Phase::Blocks { next: 0 };
            return Ok(());
        }
        let path = &self.options.path;
        put!(out, "FSCK started by {user} from {remote} for path {path} at {date}\n");
        if self.options.include_snapshots {
            let directories = nn.plan(call, |namespace, context| {
                namespace.snapshottable_directories(&context.caller).unwrap_or_default()
            });
            self.snapshottable = directories
                .iter()
                .map(|directory| child_path(&directory.parent, &directory.status.name))
                .map(|path| if path.is_empty() { b"/".to_vec() } else { path })
                .collect();
        }
        let status = nn.plan(call, |namespace, context| {
            namespace.get_file_info(context, path.as_bytes(), true, false)
        })?;
        let Some(status) = status else {
            put!(out, "\n\nPath '{path}' does not exist");
            self.phase = Phase::Finished;
            return Ok(());
        };
        if self.options.list_corrupt {
            nn.plan(call, |_, context| context.caller.check_superuser_for(LIST_CORRUPT))?;
            self.phase = Phase::Corrupt(CorruptList::new(nn, &self.options)?);
            return Ok(());
        }
        self.phase = Phase::Walk;
        let path = path.clone().into_bytes();
        self.enter(nn, call, path, &status, out)
    }

    /// One slice of the walk.
    fn walk(&mut self, nn: &NameNode, call: &Call<'_>, out: &mut String) -> Result<()> {
        let mut budget = STEP_BUDGET;
        while budget > 0 && out.len() < STEP_TEXT && self.actions.is_empty() {
            if self.file.is_some() {
                budget -= self.check_file(nn, call, budget, out).min(budget);
                continue;
            }
            budget -= 1;
            let Some(frame) = self.frames.last_mut() else {
                self.end(nn, call, out);
                return Ok(());
            };
            if !frame.begun {
                frame.begun = true;
                if self.options.files {
                    put!(out, "{} <dir>\n", String::from_utf8_lossy(&frame.path));
                }
                self.dirs += 1;
                continue;
            }
            if let Some(status) = frame.waiting.pop_front() {
                let path = child_path(&frame.path, &status.name);
                self.enter(nn, call, path, &status, out)?;
            } else if frame.more {
                // A page of a listing is up to a thousand entries: it is a slice of its own.
                list_more(nn, call, frame)?;
                return Ok(());
            } else {
                self.frames.pop();
            }
        }
        Ok(())
    }

    /// Begins to check what is at a path.
    fn enter(
        &mut self,
        nn: &NameNode,
        call: &Call<'_>,
        path: Vec<u8>,
        status: &FileStatus,
        out: &mut String,
    ) -> Result<()> {
        let (replicated, coded) = (self.replicated.files, self.erasure_coded.files);
        if (self.dirs + self.symlinks + replicated + coded).is_multiple_of(1000) {
            out.push('\n');
        }
        match status.kind {
            INodeKind::Directory => {
                let snapshots =
                    self.snapshottable.contains(&path).then(|| child_path(&path, DOT_SNAPSHOT));
                self.frames.push(Frame::of(path));
                if let Some(snapshots) = snapshots {
                    let status = nn.plan(call, |namespace, context| {
                        namespace.get_file_info(context, &snapshots, true, false)
                    })?;
                    if let Some(status) = status {
                        self.enter(nn, call, snapshots, &status, out)?;
                    }
                }
                Ok(())
            }
            INodeKind::Symlink => {
                if self.options.files {
                    put!(out, "{} <symlink>\n", String::from_utf8_lossy(&path));
                }
                self.symlinks += 1;
                Ok(())
            }
            INodeKind::File => self.enter_file(nn, call, &path, status, out),
        }
    }

    /// The sums and the verdict.
    fn end(&mut self, nn: &NameNode, call: &Call<'_>, out: &mut String) {
        let healthy = self.replicated.is_healthy() && self.erasure_coded.is_healthy();
        put!(out, "\nStatus: {}\n", if healthy { "HEALTHY" } else { "CORRUPT" });
        let live = nn.blocks.list_datanodes(call.now.mono, DatanodeReportType::Live).len();
        put!(out, " Number of data-nodes:\t{live}\n");
        put!(out, " Number of racks:\t\t{}\n", nn.blocks.rack_count());
        put!(out, " Total dirs:\t\t\t{}\n Total symlinks:\t\t{}\n", self.dirs, self.symlinks);
        let conf = nn.blocks.conf();
        out.push_str("\nReplicated Blocks:\n");
        let replication = Some((conf.default_replication, conf.min_replication));
        self.replicated.write(&REPLICATED, replication, out);
        out.push_str("\n\nErasure Coded Block Groups:\n");
        self.erasure_coded.write(&ERASURE_CODED, None, out);
        out.push('\n');
        if let Some(policies) = &self.policies {
            policies.write(out);
        }
        self.phase = Phase::Finished;
        self.say_ended(call.now, out);
        if self.internal_error {
            // Hadoop's text, too, has the line about the end twice in this case.
            self.fail(&Error::io("fsck encountered internal errors!"), call.now, out);
            return;
        }
        let verdict = if healthy { "is HEALTHY" } else { "is CORRUPT" };
        put!(out, "\n\nThe filesystem under path '{}' {verdict}", self.options.path);
    }

    fn say_ended(&self, now: Now, out: &mut String) {
        let took = now.mono.since(self.began.mono).as_millis();
        put!(out, "FSCK ended at {} in {took} milliseconds\n", CivilTime::from(now.wall));
    }

    fn fail(&mut self, error: &Error, now: Now, out: &mut String) {
        self.say_ended(now, out);
        put!(out, "{}\n\n\nFsck on path '{}' FAILED", error.message, self.options.path);
        self.phase = Phase::Finished;
    }
}

/// The next page of a directory; one that vanished has none.
fn list_more(nn: &NameNode, call: &Call<'_>, frame: &mut Frame) -> Result<()> {
    let listing = nn.plan(call, |namespace, context| {
        namespace.get_listing(context, &frame.path, &frame.last, false)
    })?;
    let listing = listing.unwrap_or_default();
    frame.more = listing.remaining > 0 && !listing.entries.is_empty();
    if let Some(last) = listing.entries.last() {
        frame.last.clone_from(&last.name);
    }
    frame.waiting = listing.entries.into();
    Ok(())
}

/// An entry without a name is the path itself.
fn child_path(parent: &[u8], name: &[u8]) -> Vec<u8> {
    let mut path = parent.to_vec();
    if !name.is_empty() {
        if !path.ends_with(b"/") {
            path.push(b'/');
        }
        path.extend_from_slice(name);
    }
    path
}

impl NameNode {
    /// Looks again at blocks that `fsck -replicate` found badly placed; copies follow in the next rounds.
    pub fn fsck_replicate(&mut self, call: &Call<'_>, blocks: &[BlockId]) -> FsckOutcome {
        FsckOutcome::Queued(self.blocks.recheck(call.now.mono, blocks))
    }
}
