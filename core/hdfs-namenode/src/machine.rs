//! The composed machine: namespace, block manager, retry cache, safe mode, and the log of what was decided.
//!
//! A call plans, applies and logs under one exclusive borrow; the shell takes the operations with
//! [`NameNode::pending_ops`] before it lets go of the lock, and answers when [`NameNode::last_txid`] is durable.
//!
//! **Invariant:** every change of the namespace goes through [`NameNode::commit`], live, or [`NameNode::replay`], at start:
//! both call the one `apply` of the namespace and carry its effects to the block manager by the same function.

use std::io;
use std::time::Duration;

use hdfs_blocks::{BlockEvent, BlockManager, BlocksConf, FsStats, Now, StorageSlot, StripedUnits};
use hdfs_format::edits::{EditOp, RetryKey};
use hdfs_format::fsimage::ImageWriter;
use hdfs_namespace::{BlockChange, Effects, Namespace, NamespaceConf, PlanContext, Planned};
use hdfs_proto::hdfs::{CheckpointSignatureProto, FsServerDefaultsProto};
use hdfs_types::{Block, BlockId, INodeId, Mono, Result, TxId, Workers};

use crate::call::Call;
use crate::facts::Facts;
use crate::identity::Identity;
use crate::replay::BlocksLater;
use crate::retry_cache::{Cached, CachedAnswer, RetryCache};
use crate::safe_mode::{Reported, SafeMode, SafeModeConf};

/// The version that this software names to its peers: that of the Hadoop whose protocols it speaks.
pub const SOFTWARE_VERSION: &str = "3.5.0";

/// Settings of the machine.
#[derive(Clone, Debug, Default)]
pub struct MachineConf {
    /// Of the namespace.
    pub namespace: NamespaceConf,
    /// Of the block manager.
    pub blocks: BlocksConf,
    /// When safe mode ends.
    pub safe_mode: SafeModeConf,
    /// What clients use that set nothing themselves.
    pub server_defaults: FsServerDefaultsProto,
    /// `dfs.namenode.retrycache.expirytime.millis`; zero switches the cache off.
    pub retry_cache_expiry: Duration,
    /// `dfs.namenode.max-corrupt-file-blocks-returned`.
    pub max_corrupt_files: usize,
    /// `dfs.batched.ls.limit`.
    pub batched_listing_limit: usize,
    /// The name of this host in messages.
    pub host: String,
    /// Seed of the random choices (placement).
    pub seed: u64,
}

/// A NameNode. See the module's description.
pub struct NameNode {
    pub(crate) conf: MachineConf,
    pub(crate) identity: Identity,
    pub(crate) namespace: Namespace,
    pub(crate) blocks: BlockManager,
    /// While replay goes on and the block manager has no blocks yet.
    pub(crate) blocks_later: Option<BlocksLater>,
    pub(crate) retry: RetryCache,
    pub(crate) safe_mode: SafeMode,
    /// No state before an upgrade is kept.
    pub(crate) upgrade_finalized: bool,
    pub(crate) last_txid: TxId,
    segment_start: TxId,
    pending: Vec<(TxId, EditOp)>,
    news: Vec<INodeId>,
    reclaim: bool,
    queues_started: bool,
    /// Snapshottable directories may lack their trash.
    trash_roots_due: bool,
    /// When safe mode ended.
    safe_mode_left: Option<Mono>,
    /// Inodes that calls removed since start.
    removed_inodes: u64,
    retry_hits: u64,
}

/// How the effects of an operation are to be carried out.
pub(crate) enum Source<'a> {
    /// The operation was just decided; a block that it adds goes to these storages.
    Live { now: Now, targets: &'a [StorageSlot] },
    /// The operation comes from the log.
    Replay,
}

impl NameNode {
    /// A machine over a namespace that was loaded from an image (or is empty), at this transaction. Edits are replayed
    /// next, then [`NameNode::start`] is called. Until then there are no blocks; see [`NameNode::add_blocks`].
    ///
    /// # Errors
    /// When the configured default erasure-coding policy does not exist.
    pub fn new(
        conf: MachineConf,
        identity: Identity,
        mut namespace: Namespace,
        txid: TxId,
    ) -> Result<Self> {
        namespace.configure(&conf.namespace);
        // Nobody waits while a log is replayed.
        namespace.set_inline_steps(usize::MAX);
        namespace.check_default_erasure_coding_policy(&conf.namespace)?;
        let blocks = BlockManager::new(conf.blocks.clone(), conf.seed);
        let safe_mode = SafeMode::new(conf.safe_mode.clone(), u64::MAX, conf.host.clone());
        Ok(Self {
            retry: RetryCache::new(conf.retry_cache_expiry),
            conf,
            identity,
            namespace,
            blocks,
            blocks_later: Some(BlocksLater::default()),
            safe_mode,
            upgrade_finalized: true,
            last_txid: txid,
            segment_start: txid,
            pending: Vec::new(),
            news: Vec::new(),
            reclaim: false,
            queues_started: false,
            trash_roots_due: false,
            safe_mode_left: None,
            removed_inodes: 0,
            retry_hits: 0,
        })
    }

    /// The last transaction that was decided, durable or not.
    pub fn last_txid(&self) -> TxId {
        self.last_txid
    }

    /// The first transaction of the current segment of the log.
    pub fn segment_start(&self) -> TxId {
        self.segment_start
    }

    /// True when the current segment has more transactions than this.
    pub fn segment_is_longer_than(&self, count: u64) -> bool {
        self.last_txid.0.saturating_sub(self.segment_start.0) > count
    }

    /// What was decided since this was last called, in order. The shell moves it to the log.
    pub fn pending_ops(&mut self) -> &mut Vec<(TxId, EditOp)> {
        &mut self.pending
    }

    /// The files whose blocks had news since this was last called.
    pub fn files_with_news(&mut self) -> &mut Vec<INodeId> {
        &mut self.news
    }

    /// Who this file system is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The block manager, for statistics.
    pub fn blocks(&self) -> &BlockManager {
        &self.blocks
    }

    /// The namespace, for images and tools.
    pub fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    /// Writes an image of the state after this transaction, which must be the last one that changed anything.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn save_image<W: io::Write>(
        &self,
        writer: &mut ImageWriter<W>,
        txid: TxId,
        workers: &impl Workers,
    ) -> io::Result<()> {
        writer.set_layout_version(self.effective_layout_version());
        self.namespace.save_with(writer, self.identity.namespace_id, txid, workers)
    }

    /// Numbers about blocks and DataNodes.
    pub fn block_stats(&self, now: Mono) -> FsStats {
        self.blocks.stats(now)
    }

    /// Ends the current segment and begins the next one; returns the last and the first transaction of the two.
    ///
    /// # Errors
    /// SafeMode: `what` begins its sentence.
    pub fn roll_edit_log(&mut self, now: Mono, what: &str) -> Result<(TxId, TxId)> {
        self.check_writable(what, now)?;
        Ok(self.roll_edit_log_in_safe_mode())
    }

    /// The same for `saveNamespace`, which needs safe mode.
    pub fn roll_edit_log_in_safe_mode(&mut self) -> (TxId, TxId) {
        let end = self.mark(EditOp::EndLogSegment);
        (end, self.open_segment())
    }

    /// Begins the first segment after start, or the next one.
    pub fn open_segment(&mut self) -> TxId {
        let start = self.mark(EditOp::StartLogSegment);
        self.segment_start = start;
        start
    }

    /// Ends the current segment, when the NameNode stops.
    pub fn close_segment(&mut self) -> TxId {
        self.mark(EditOp::EndLogSegment)
    }

    fn mark(&mut self, op: EditOp) -> TxId {
        self.last_txid.0 += 1;
        self.pending.push((self.last_txid, op));
        self.last_txid
    }

    /// Proto: HdfsServer.proto CheckpointSignatureProto.
    pub fn checkpoint_signature(&self, image: TxId, segment: TxId) -> CheckpointSignatureProto {
        CheckpointSignatureProto {
            block_pool_id: self.identity.block_pool_id.as_str().to_owned(),
            most_recent_checkpoint_tx_id: image.0,
            cur_segment_tx_id: segment.0,
            storage_info: self.identity.to_proto(),
        }
    }

    /// The context of a plan.
    pub(crate) fn plan<T>(
        &self,
        call: &Call<'_>,
        plan: impl FnOnce(&Namespace, &PlanContext<'_>) -> T,
    ) -> T {
        let facts = Facts(&self.blocks);
        let caller = hdfs_namespace::Caller {
            user: &call.caller.user,
            groups: &call.caller.groups,
            is_superuser: call.caller.superuser,
        };
        let context = PlanContext {
            now: call.now.wall,
            mono: call.now.mono,
            caller,
            retry: call.key.map(|key| RetryKey { client_id: key.client_id, call_id: key.call_id }),
            conf: &self.conf.namespace,
            blocks: &facts,
        };
        plan(&self.namespace, &context)
    }

    /// Applies and logs what was planned.
    pub(crate) fn commit<T>(&mut self, planned: Planned<T>, now: Now) -> T {
        self.commit_to(planned, now, &[])
    }

    /// The same; a block that it adds is being written to these storages.
    pub(crate) fn commit_to<T>(
        &mut self,
        planned: Planned<T>,
        now: Now,
        targets: &[StorageSlot],
    ) -> T {
        if planned.ops.is_empty() {
            return planned.result;
        }
        let first = TxId(self.last_txid.0 + 1);
        let effects = self.namespace.apply_planned(first, &planned);
        for (txid, op) in (first.0..).zip(planned.ops) {
            self.last_txid = TxId(txid);
            self.pending.push((self.last_txid, op));
        }
        self.blocks.set_generation_stamp(self.namespace.identities().generation_stamp);
        self.perform(effects, &Source::Live { now, targets })
            .expect("the block manager accepts what the namespace planned with its facts");
        planned.result
    }

    /// Carries the effects of an operation to the block manager.
    pub(crate) fn perform(&mut self, effects: Effects, source: &Source<'_>) -> Result<()> {
        match &mut self.blocks_later {
            Some(later) => effects.blocks.iter().for_each(|change| later.note(change)),
            None => {
                for change in effects.blocks {
                    self.change_block(change, source)?;
                }
            }
        }
        self.reclaim |= effects.reclaim_pending;
        if matches!(source, Source::Live { .. }) {
            self.removed_inodes += effects.removed;
        }
        if let (Some(file), Source::Live { now, .. }) = (effects.closed, source) {
            let blocks = self.namespace.blocks_of_inode(file).map_or_else(Vec::new, |of| of.blocks);
            for block in blocks {
                self.blocks.check_redundancy(now.mono, block.id);
            }
        }
        if let Source::Live { now, .. } = source {
            self.decide_surplus(now.mono);
        }
        Ok(())
    }

    pub(crate) fn change_block(&mut self, change: BlockChange, source: &Source<'_>) -> Result<()> {
        use hdfs_blocks::BlockState::{Complete, UnderConstruction};
        let blocks = &mut self.blocks;
        if let BlockChange::Added { block, owner, complete, .. } = change
            && let Some(units) = striped_units(&self.namespace, block.id, owner)
        {
            let state = if complete { Complete } else { UnderConstruction };
            let targets = match source {
                Source::Live { targets, .. } => targets,
                Source::Replay => &[][..],
            };
            return blocks.add_group(block, owner, units, state, targets);
        }
        let mono = match source {
            Source::Live { now, .. } => now.mono,
            Source::Replay => Mono::default(),
        };
        match change {
            BlockChange::Added { block, owner, replication, complete } => match source {
                Source::Live { targets, .. } if !complete => {
                    blocks.add_under_construction(block, owner, replication, targets)
                }
                _ => {
                    let state = if complete { Complete } else { UnderConstruction };
                    blocks.add_block(block, owner, replication, state)
                }
            },
            BlockChange::Updated { block } => {
                if blocks.block(block.id).is_some_and(|info| info.block != block) {
                    blocks.update_block(block)
                } else {
                    Ok(())
                }
            }
            BlockChange::Completed { id } => match source {
                Source::Live { .. } => Ok(()),
                Source::Replay => blocks.force_complete(id),
            },
            BlockChange::Reopened { id } => blocks.convert_to_under_construction(id).map(|_| ()),
            BlockChange::TruncateScheduled { id, new_length, recovery_stamp } => {
                let cut = Block { id, num_bytes: new_length, generation_stamp: recovery_stamp };
                blocks.initialize_recovery(mono, id, recovery_stamp, Some(cut)).map(|_| ())
            }
            BlockChange::CopyScheduled { id, source, recovery_stamp } => {
                blocks.initialize_recovery(mono, id, recovery_stamp, Some(source)).map(|_| ())
            }
            BlockChange::Replication { id, to, .. } => blocks.set_replication(mono, id, to),
            BlockChange::Owner { id, owner, replication } => {
                blocks.set_owner(id, owner)?;
                blocks.set_replication(mono, id, replication)
            }
            BlockChange::Removed { block } => {
                blocks.remove_block(block.id);
                Ok(())
            }
        }
    }

    /// Runs a call at most once: gives the first answer to a repetition.
    ///
    /// `again` turns a remembered answer into a response, `remember` a response into what is remembered.
    pub(crate) fn once<R>(
        &mut self,
        call: &Call<'_>,
        again: impl FnOnce(&Self, &CachedAnswer) -> Result<R>,
        remember: impl FnOnce(&R) -> CachedAnswer,
        run: impl FnOnce(&mut Self) -> Result<R>,
    ) -> Result<R> {
        if let Some(cached) = self.retry.get(call.key) {
            self.retry_hits += 1;
            return again(self, &cached.answer);
        }
        let response = run(self)?;
        let cached = Cached { answer: remember(&response), txid: self.last_txid };
        self.retry.put(call.key, cached, call.now.mono);
        Ok(response)
    }

    /// Plans and makes a change whose caller hears only that it was done, at most once and not in safe mode; `what` begins
    /// Hadoop's sentence.
    pub(crate) fn change_once<T>(
        &mut self,
        call: &Call<'_>,
        what: &str,
        plan: impl FnOnce(&Namespace, &PlanContext<'_>) -> Result<Planned<T>>,
    ) -> Result<()> {
        self.once(
            call,
            |_, _| Ok(()),
            |()| CachedAnswer::Done,
            |nn| {
                nn.check_writable(what, call.now.mono)?;
                let planned = nn.plan(call, plan)?;
                nn.commit(planned, call.now);
                Ok(())
            },
        )
    }

    /// Refuses a change in safe mode; `what` begins Hadoop's sentence.
    pub(crate) fn check_writable(&self, what: &str, now: Mono) -> Result<()> {
        if self.safe_mode.is_on() {
            return Err(self.safe_mode.error(what, self.reported(), now));
        }
        Ok(())
    }

    /// True while the namespace may not change.
    pub fn in_safe_mode(&self) -> bool {
        self.safe_mode.is_on()
    }

    /// Why safe mode is on.
    pub fn safe_mode_tip(&self, now: Mono) -> String {
        self.safe_mode.tip(self.reported(), now)
    }

    /// True when safe mode is on for lack of disk space.
    pub fn resources_are_low(&self) -> bool {
        self.safe_mode.resources_low()
    }

    /// Turns safe mode on because the name folders are nearly full.
    pub fn set_resources_low(&mut self) {
        self.safe_mode.set_resources_low();
        self.blocks.set_safe_mode(true, false);
    }

    pub(crate) fn enter_safe_mode(&mut self) {
        self.safe_mode.enter();
        self.blocks.set_safe_mode(true, self.safe_mode.is_startup());
    }

    pub(crate) fn leave_safe_mode(&mut self, now: Mono, force: bool) {
        let reported = self.reported();
        if self.safe_mode.leave(reported, force) {
            if force {
                self.blocks.forget_bytes_in_future();
            }
            self.safe_mode_is_over(now);
        }
    }

    pub(crate) fn check_safe_mode(&mut self, now: Mono) {
        if self.safe_mode.is_startup() && self.safe_mode.check(self.reported(), now)
            || !self.safe_mode.is_on() && !self.queues_started
        {
            self.safe_mode_is_over(now);
        }
    }

    fn safe_mode_is_over(&mut self, now: Mono) {
        self.safe_mode_left.get_or_insert(now);
        self.blocks.set_safe_mode(false, false);
        self.trash_roots_due = self.conf.server_defaults.snapshot_trash_root_enabled == Some(true);
        if !self.queues_started {
            self.queues_started = true;
            self.blocks.start_redundancy_queues();
        }
    }

    fn reported(&self) -> Reported {
        let counts = self.blocks.safe_counts();
        Reported {
            total: counts.total,
            safe: counts.safe,
            live_datanodes: u64::from(counts.live_datanodes),
            bytes_in_future: self.blocks.bytes_in_future(),
        }
    }

    /// Takes what happened in the block manager after reports.
    pub(crate) fn settle(&mut self, now: Now) {
        while let Some(event) = self.blocks.poll_event() {
            match event {
                BlockEvent::Completed { owner, .. } | BlockEvent::Finalized { owner, .. } => {
                    self.news.push(owner);
                }
            }
        }
        self.decide_surplus(now.mono);
        self.check_safe_mode(now.mono);
    }

    /// Lets the block manager choose surplus replicas, which goes by the storage policy of their file.
    pub(crate) fn decide_surplus(&mut self, now: Mono) {
        let namespace = &self.namespace;
        self.blocks.decide_surplus(now, &|file| namespace.storage_policy_of(file));
    }

    /// True when [`NameNode::tick`] has something to do.
    pub fn has_work(&self) -> bool {
        self.reclaim || self.safe_mode.is_startup() || self.trash_roots_due
    }

    /// Ends the extension of safe mode, and reclaims a slice of what was deleted. After safe mode it makes the trashes that
    /// snapshottable directories lack, and returns what to write to the log.
    pub fn tick(&mut self, now: Now) -> Vec<String> {
        const INODES_A_SLICE: usize = 10_000;
        self.check_safe_mode(now.mono);
        if self.reclaim {
            let effects = self.namespace.reclaim_step(INODES_A_SLICE);
            self.reclaim = false;
            self.perform(effects, &Source::Live { now, targets: &[] })
                .expect("removing blocks can't fail");
        }
        if self.safe_mode.is_on() || !std::mem::take(&mut self.trash_roots_due) {
            return Vec::new();
        }
        self.provision_trash_roots(now)
    }

    /// True while a deletion is not at its end: a call that changes the namespace would have to end it before, whole.
    pub fn is_cleaning(&self) -> bool {
        self.namespace.is_cleaning()
    }

    /// Goes on with a deletion that is not at its end.
    pub fn clean_slice(&mut self, now: Now) {
        const STEPS_A_SLICE: usize = 500;
        self.clean(now, STEPS_A_SLICE);
    }

    /// Ends it, before an image is written.
    pub fn finish_cleaning(&mut self, now: Now) {
        self.clean(now, usize::MAX);
    }

    fn clean(&mut self, now: Now, steps: usize) {
        if self.is_cleaning() {
            let effects = self.namespace.clean_step(steps);
            self.perform(effects, &Source::Live { now, targets: &[] })
                .expect("removing blocks can't fail");
        }
    }

    /// Inodes.
    pub fn inode_count(&self) -> u64 {
        self.namespace.counts().inodes()
    }

    /// Inodes that calls have removed since start.
    pub fn removed_inode_count(&self) -> u64 {
        self.removed_inodes
    }

    /// When safe mode ended for the first time.
    pub fn safe_mode_left(&self) -> Option<Mono> {
        self.safe_mode_left
    }

    /// Complete blocks that were reported often enough, and all complete blocks: what safe mode waits for.
    pub fn safe_blocks(&self) -> (u64, u64) {
        let reported = self.reported();
        (reported.safe, reported.total)
    }

    /// Bytes of replicas whose generation stamp was never given.
    pub fn bytes_in_future(&self) -> u64 {
        self.blocks.bytes_in_future()
    }

    /// Questions to the retry cache that found an answer, answers put into it, and how often it was emptied.
    pub fn retry_cache_counts(&self) -> (u64, u64, u64) {
        (self.retry_hits, self.retry.updates(), 0)
    }

    /// Files that are being written.
    pub fn open_file_count(&self) -> usize {
        self.namespace.leases().len()
    }

    /// The path of an inode as text, for messages and lists.
    pub(crate) fn path_text(&self, inode: INodeId) -> Option<String> {
        let path = self.namespace.path(inode)?;
        Some(String::from_utf8_lossy(&path).into_owned())
    }
}

/// What a block group is made of; `None` for a replicated block.
pub(crate) fn striped_units(
    namespace: &Namespace,
    id: BlockId,
    owner: INodeId,
) -> Option<StripedUnits> {
    if id.0 >= 0 {
        return None;
    }
    let policy = namespace.erasure_coding_policy_of(owner)?;
    Some(StripedUnits {
        data: u8::try_from(policy.data_units).ok()?,
        parity: u8::try_from(policy.parity_units).ok()?,
        cell_bytes: policy.cell_size,
    })
}
