//! One call after the other.

use hdfs_format::edits::{EditOp, RetryKey};
use hdfs_namespace::{
    AllComplete, Attempt, Caller, Namespace, NamespaceConf, PlanContext, Planned, QuotaUsage,
};
use hdfs_types::{CallId, ClientId, FsPermission, Mono, Result, Rng, SplitMix64, TxId, WallMillis};

use crate::secrets::Secrets;
use crate::snapshot_views::Snapshots;
use crate::{attributes, cluster, files, secrets, snapshots, tree};

/// What one step did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// The call, as text.
    pub call: String,
    /// Why it was refused; such a call changes nothing.
    pub refused: Option<String>,
    /// Operations that it logged.
    pub ops: usize,
}

/// Users that call, with their groups; the first one is the superuser.
const CALLERS: [(&str, &[&str]); 3] =
    [("hdfs", &["supergroup"]), ("alice", &["users", "staff"]), ("bob", &["users"])];

/// Makes a call of its kind; what it does is said by [`Generator::say`].
pub(crate) type Call = fn(&mut Generator) -> Result<()>;

/// Calls of the namespace, the more often the larger the number.
const FAMILIES: [&[(u32, Call)]; 6] = [
    tree::CALLS,
    files::CALLS,
    attributes::CALLS,
    secrets::CALLS,
    cluster::CALLS,
    snapshots::CALLS,
];

/// A random namespace that grows call by call.
#[derive(Debug)]
pub struct Generator {
    pub(crate) namespace: Namespace,
    pub(crate) rng: SplitMix64,
    /// Milliseconds; grows with every step.
    pub(crate) now: u64,
    pub(crate) secrets: Secrets,
    pub(crate) snapshots: Snapshots,
    conf: NamespaceConf,
    caller: usize,
    log: Vec<EditOp>,
    said: String,
    calls: u32,
}

impl Generator {
    /// A formatted namespace, and the log's first operation, which starts its first segment.
    pub fn new(seed: u64) -> Self {
        let conf = NamespaceConf { min_block_size: 1, ..NamespaceConf::default() };
        let mut generator = Self {
            namespace: Namespace::new(&conf),
            rng: SplitMix64(seed),
            now: 1_700_000_000_000,
            secrets: Secrets::default(),
            snapshots: Snapshots::default(),
            conf,
            caller: 0,
            log: Vec::new(),
            said: String::new(),
            calls: 0,
        };
        generator.apply_ops(&[EditOp::StartLogSegment]);
        generator
    }

    /// Deletes snapshots in order: later ones are marked, and collected by and by. There is a directory for them.
    #[must_use]
    pub fn deleting_in_order(mut self) -> Self {
        self.conf.ordered_snapshot_deletion = true;
        self.namespace.configure(&self.conf);
        let path = b"/o".as_slice();
        let mode = FsPermission(0o755);
        self.call(|namespace, ctx| namespace.plan_mkdirs(ctx, path, mode, None, true))
            .and_then(|_| self.call(|namespace, ctx| namespace.plan_allow_snapshot(ctx, path)))
            .expect("an empty tree lets anything be made");
        self
    }

    /// The tree as it is.
    pub fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    /// The tree, for slices of reclaiming.
    pub fn namespace_mut(&mut self) -> &mut Namespace {
        &mut self.namespace
    }

    /// What a directory of a tree with these settings uses, as the superuser asks for it.
    ///
    /// # Errors
    /// When it does not exist.
    pub fn quota_usage(&self, tree: &Namespace, path: &[u8]) -> Result<QuotaUsage> {
        self.with_caller(0, |_, ctx| tree.get_quota_usage(ctx, path))
    }

    /// Settings of the namespace.
    pub fn conf(&self) -> &NamespaceConf {
        &self.conf
    }

    /// Every operation; the first has transaction id 1.
    pub fn log(&self) -> &[EditOp] {
        &self.log
    }

    /// Makes one call.
    pub fn step(&mut self) -> Step {
        let before = self.log.len();
        self.now += 1 + self.rng.below(2_000);
        // Now and then hours go by, so that access times and leases are due.
        if self.one_in(40) {
            self.now += 7_200_000;
        }
        self.caller = if self.one_in(12) { 1 + self.rng.below(2) as usize } else { 0 };
        self.said.clear();
        let call = self.draw_call();
        let refused = call(self).err().map(|error| error.message);
        Step { call: self.said.clone(), refused, ops: self.log.len() - before }
    }

    /// Ends the segment and starts another; the transaction id that ended it, at which an image may be taken.
    pub fn roll(&mut self) -> TxId {
        self.apply_ops(&[EditOp::EndLogSegment]);
        let end = TxId(self.log.len() as u64);
        self.apply_ops(&[EditOp::StartLogSegment]);
        end
    }

    fn draw_call(&mut self) -> Call {
        let of_snapshots = self.conf.ordered_snapshot_deletion && self.one_in(4);
        let all: Vec<(u32, Call)> =
            if of_snapshots { snapshots::IN_ORDER.to_vec() } else { FAMILIES.concat() };
        let sum: u32 = all.iter().map(|(weight, _)| weight).sum();
        let mut draw = self.rng.below(sum.into()) as u32;
        for (weight, call) in all {
            match draw.checked_sub(weight) {
                Some(rest) => draw = rest,
                None => return call,
            }
        }
        unreachable!("the draw is below the sum of the weights")
    }

    /// Remembers what the step is.
    pub(crate) fn say(&mut self, call: String) {
        let (user, _) = CALLERS[self.caller];
        self.said = format!("{user}: {call}");
    }

    /// The caller of this step may do everything.
    pub(crate) fn as_superuser(&mut self) {
        self.caller = 0;
    }

    /// Another caller for a while; the one before.
    pub(crate) fn replace_caller(&mut self, caller: usize) -> usize {
        std::mem::replace(&mut self.caller, caller)
    }

    /// Reads or plans as the caller of this step.
    pub(crate) fn with<T>(&self, call: impl FnOnce(&Namespace, &PlanContext<'_>) -> T) -> T {
        self.with_caller(self.caller, call)
    }

    fn with_caller<T>(
        &self,
        caller: usize,
        call: impl FnOnce(&Namespace, &PlanContext<'_>) -> T,
    ) -> T {
        let (user, groups) = CALLERS[caller];
        let groups: Vec<String> = groups.iter().map(|group| (*group).to_owned()).collect();
        let retry = self.calls.is_multiple_of(2);
        let ctx = PlanContext {
            now: WallMillis(self.now),
            mono: Mono(self.now * 1_000_000),
            caller: Caller { user, groups: &groups, is_superuser: caller == 0 },
            retry: retry.then(|| self.retry_key()),
            conf: &self.conf,
            blocks: &AllComplete,
        };
        call(&self.namespace, &ctx)
    }

    /// A key of a call as a client makes it.
    pub(crate) fn retry_key(&self) -> RetryKey {
        RetryKey {
            client_id: ClientId(*b"0123456789abcdef"),
            call_id: CallId(self.calls.cast_signed()),
        }
    }

    /// Plans and applies.
    pub(crate) fn call<T>(
        &mut self,
        plan: impl FnOnce(&Namespace, &PlanContext<'_>) -> Result<Planned<T>>,
    ) -> Result<T> {
        let planned = self.with(plan)?;
        Ok(self.apply(planned))
    }

    /// Plans and applies, unless another one's lease must be released first.
    pub(crate) fn attempt<T>(
        &mut self,
        plan: impl FnOnce(&Namespace, &PlanContext<'_>) -> Result<Attempt<T>>,
    ) -> Result<T> {
        match self.with(plan)? {
            Attempt::Planned(planned) => Ok(self.apply(planned)),
            Attempt::Release(release) => Err(release.in_progress()),
        }
    }

    /// Applies a plan.
    pub(crate) fn apply<T>(&mut self, planned: Planned<T>) -> T {
        let first = TxId(self.log.len() as u64 + 1);
        self.namespace.apply_planned(first, &planned);
        self.log.extend(planned.ops);
        self.calls += 1;
        planned.result
    }

    /// Applies operations that were planned here.
    pub(crate) fn apply_ops(&mut self, ops: &[EditOp]) {
        for op in ops {
            self.log.push(op.clone());
            self.namespace.apply(TxId(self.log.len() as u64), op);
        }
        self.calls += 1;
    }
}
