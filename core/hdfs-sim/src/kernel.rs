//! Time, tasks and chance of one simulated world.
//!
//! Whatever runs on a simulated machine is a task: a future that belongs to a node and is dropped when that node crashes.
//! One thread runs them in a fixed order; time moves only when nobody can go on. The same seed gives the same world.
//!
//! Tasks wait with [`Sim::sleep`] and [`Sim::until`]; a wake-up without a reason is allowed, so every wait looks again.

use std::cell::{RefCell, RefMut};
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use hdfs_blocks::Now;
use hdfs_types::{Mono, Rng, SplitMix64, WallMillis};

/// A machine of the simulated world.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct NodeId(pub(crate) usize);

/// The NameNode.
pub(crate) const NAMENODE: NodeId = NodeId(0);

/// One run of a future; numbers are never used twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct TaskId(u64);

struct Task {
    node: NodeId,
    future: Pin<Box<dyn Future<Output = ()>>>,
}

enum Wake {
    Task(TaskId),
    Call(Box<dyn FnOnce(&Sim)>),
}

/// What the world knows about a machine.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Machine {
    /// Its process runs.
    pub(crate) up: bool,
    /// Its process stands still: nothing of it runs, its sockets stay.
    pub(crate) paused: bool,
    /// How often its process was started.
    pub(crate) incarnation: u32,
    /// The machine is without power: nobody answers for it, not even with a refusal.
    pub(crate) dark: bool,
}

pub(crate) struct Kernel {
    now: Mono,
    wall_offset_ms: i64,
    pub(crate) rng: SplitMix64,
    sequence: u64,
    timers: BTreeMap<(Mono, u64), Wake>,
    tasks: BTreeMap<TaskId, Option<Task>>,
    ready: VecDeque<TaskId>,
    /// Tasks of paused machines that could go on.
    held: Vec<TaskId>,
    current: Option<TaskId>,
    pub(crate) machines: Vec<Machine>,
    pub(crate) net: super::net::Links,
    trace: Trace,
    /// What no run may ever show.
    violations: Vec<String>,
}

/// The history of a run: its hash, and its lines when somebody reads along.
struct Trace {
    hash: u64,
    lines: u64,
    print: Option<fn(&str)>,
}

impl fmt::Write for Trace {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
        }
        Ok(())
    }
}

/// The world, shared by all that lives in it.
#[derive(Clone)]
pub(crate) struct Sim(Rc<RefCell<Kernel>>);

impl Sim {
    /// A world with so many machines, all down. `print` is given every line of the history.
    pub(crate) fn new(seed: u64, machines: usize, print: Option<fn(&str)>) -> Self {
        Self(Rc::new(RefCell::new(Kernel {
            now: Mono(1_000_000_000),
            wall_offset_ms: 1_700_000_000_000,
            rng: SplitMix64(seed),
            sequence: 0,
            timers: BTreeMap::new(),
            tasks: BTreeMap::new(),
            ready: VecDeque::new(),
            held: Vec::new(),
            current: None,
            machines: vec![Machine::default(); machines],
            net: super::net::Links::default(),
            trace: Trace { hash: 0xCBF2_9CE4_8422_2325, lines: 0, print },
            violations: Vec::new(),
        })))
    }

    pub(crate) fn kernel(&self) -> RefMut<'_, Kernel> {
        self.0.borrow_mut()
    }

    /// The time now, of both clocks.
    pub(crate) fn now(&self) -> Now {
        let kernel = self.0.borrow();
        let wall = (kernel.now.0 / 1_000_000).saturating_add_signed(kernel.wall_offset_ms);
        Now { mono: kernel.now, wall: WallMillis(wall) }
    }

    /// An administrator, or a broken time server, sets the wall clocks.
    pub(crate) fn jump_wall_clock(&self, by_ms: i64) {
        self.kernel().wall_offset_ms += by_ms;
    }

    /// A number below `bound`, which is not 0.
    pub(crate) fn below(&self, bound: u64) -> u64 {
        self.kernel().rng.below(bound)
    }

    /// True so many times in a million.
    pub(crate) fn chance(&self, per_million: u64) -> bool {
        self.below(1_000_000) < per_million
    }

    /// A time between the two.
    pub(crate) fn between(&self, least: Duration, most: Duration) -> Duration {
        let spread = u64::try_from((most - least).as_nanos()).unwrap_or(u64::MAX).max(1);
        least + Duration::from_nanos(self.below(spread))
    }

    /// Adds a line to the history.
    pub(crate) fn note(&self, line: fmt::Arguments<'_>) {
        let kernel = &mut *self.kernel();
        let _ = fmt::Write::write_fmt(&mut kernel.trace, line);
        kernel.trace.lines += 1;
        if let Some(print) = kernel.trace.print {
            let at = kernel.now.0 / 1_000;
            print(&format!("{:>6}.{:06} {line}", at / 1_000_000, at % 1_000_000));
        }
    }

    /// Hash and length of the history.
    pub(crate) fn trace(&self) -> (u64, u64) {
        let kernel = self.0.borrow();
        (kernel.trace.hash, kernel.trace.lines)
    }

    /// A promise was broken.
    pub(crate) fn violation(&self, what: String) {
        self.note(format_args!("VIOLATION {what}"));
        self.kernel().violations.push(what);
    }

    /// Every broken promise so far.
    pub(crate) fn violations(&self) -> Vec<String> {
        self.0.borrow().violations.clone()
    }

    /// True after the first broken promise.
    pub(crate) fn has_failed(&self) -> bool {
        !self.0.borrow().violations.is_empty()
    }

    /// What is known about a machine.
    pub(crate) fn machine(&self, node: NodeId) -> Machine {
        self.0.borrow().machines[node.0]
    }

    /// Starts a task on a machine.
    pub(crate) fn spawn(&self, node: NodeId, future: impl Future<Output = ()> + 'static) {
        let kernel = &mut *self.kernel();
        kernel.sequence += 1;
        let id = TaskId(kernel.sequence);
        kernel.tasks.insert(id, Some(Task { node, future: Box::pin(future) }));
        kernel.ready.push_back(id);
    }

    /// Calls this at a time.
    pub(crate) fn after(&self, delay: Duration, call: impl FnOnce(&Self) + 'static) {
        let kernel = &mut *self.kernel();
        kernel.sequence += 1;
        let key = (kernel.now.after(delay), kernel.sequence);
        kernel.timers.insert(key, Wake::Call(Box::new(call)));
    }

    /// The task that runs now, to be woken later.
    pub(crate) fn current(&self) -> Option<TaskId> {
        self.0.borrow().current
    }

    /// Lets a task look again.
    pub(crate) fn wake(&self, task: TaskId) {
        self.kernel().ready.push_back(task);
    }

    /// Resolves after this time.
    pub(crate) fn sleep(&self, duration: Duration) -> Sleep {
        let until = self.0.borrow().now.after(duration);
        Sleep { sim: self.clone(), until, armed: false }
    }

    /// Resolves when `look` gives something, or with `None` after `limit`. Whoever changes what it looks at wakes the tasks
    /// that [`Waiters`] remembers.
    pub(crate) fn until<T, F: FnMut() -> Option<T> + Unpin>(
        &self,
        limit: Duration,
        waiters: &Waiters,
        look: F,
    ) -> Until<F> {
        Until { sim: self.clone(), sleep: self.sleep(limit), waiters: waiters.clone(), look }
    }

    /// Ends every task of a machine.
    pub(crate) fn end_tasks(&self, node: NodeId) {
        let ended: Vec<Task> = {
            let kernel = &mut *self.kernel();
            let of_node = kernel.tasks.iter().filter_map(|(id, task)| {
                task.as_ref().is_some_and(|task| task.node == node).then_some(*id)
            });
            let ids: Vec<TaskId> = of_node.collect();
            ids.iter().filter_map(|id| kernel.tasks.remove(id).flatten()).collect()
        };
        // Without a borrow: what they own may talk to the world when it is dropped.
        drop(ended);
    }

    /// Stops or continues a machine's process.
    pub(crate) fn pause(&self, node: NodeId, paused: bool) {
        let kernel = &mut *self.kernel();
        kernel.machines[node.0].paused = paused;
        let held = std::mem::take(&mut kernel.held);
        kernel.ready.extend(held);
    }

    /// Runs the world for this long; ends early after a broken promise.
    pub(crate) fn run(&self, duration: Duration) {
        let end = self.0.borrow().now.after(duration);
        loop {
            while self.run_ready() {}
            if self.has_failed() {
                return;
            }
            let wake = {
                let kernel = &mut *self.kernel();
                let Some(entry) = kernel.timers.first_entry() else { return };
                if entry.key().0 > end {
                    kernel.now = end;
                    return;
                }
                let ((at, _), wake) = entry.remove_entry();
                kernel.now = kernel.now.max(at);
                wake
            };
            match wake {
                Wake::Task(task) => self.wake(task),
                Wake::Call(call) => call(self),
            }
        }
    }

    /// Drops what still waits for a time: it may hold the world that holds it.
    pub(crate) fn clear(&self) {
        let timers = std::mem::take(&mut self.kernel().timers);
        drop(timers);
    }

    fn run_ready(&self) -> bool {
        let (id, mut task) = {
            let kernel = &mut *self.kernel();
            let Some(id) = kernel.ready.pop_front() else { return false };
            let Some(slot) = kernel.tasks.get_mut(&id) else { return true };
            let Some(task) = slot.take() else { return true };
            if kernel.machines[task.node.0].paused {
                *slot = Some(task);
                if !kernel.held.contains(&id) {
                    kernel.held.push(id);
                }
                return true;
            }
            kernel.current = Some(id);
            (id, task)
        };
        let done = task.future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready();
        let kernel = &mut *self.kernel();
        kernel.current = None;
        if done {
            kernel.tasks.remove(&id);
        } else if let Some(slot) = kernel.tasks.get_mut(&id) {
            *slot = Some(task);
            return true;
        }
        drop_later(kernel, task);
        true
    }
}

/// A task's values may use the world when they are dropped: that happens after the borrow.
fn drop_later(kernel: &mut Kernel, task: Task) {
    kernel.sequence += 1;
    let key = (kernel.now, kernel.sequence);
    kernel.timers.insert(key, Wake::Call(Box::new(move |_| drop(task))));
}

/// See [`Sim::sleep`].
pub(crate) struct Sleep {
    sim: Sim,
    until: Mono,
    armed: bool,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let kernel = &mut *this.sim.kernel();
        if kernel.now >= this.until {
            return Poll::Ready(());
        }
        if !std::mem::replace(&mut this.armed, true)
            && let Some(task) = kernel.current
        {
            kernel.sequence += 1;
            kernel.timers.insert((this.until, kernel.sequence), Wake::Task(task));
        }
        Poll::Pending
    }
}

/// Tasks that wait for a change of something.
#[derive(Clone, Default)]
pub(crate) struct Waiters(Rc<RefCell<Vec<TaskId>>>);

impl Waiters {
    /// It changed: everybody looks again.
    pub(crate) fn wake(&self, sim: &Sim) {
        let waiting = std::mem::take(&mut *self.0.borrow_mut());
        sim.kernel().ready.extend(waiting);
    }

    fn add(&self, task: TaskId) {
        let mut waiting = self.0.borrow_mut();
        if !waiting.contains(&task) {
            waiting.push(task);
        }
    }
}

/// See [`Sim::until`].
pub(crate) struct Until<F> {
    sim: Sim,
    sleep: Sleep,
    waiters: Waiters,
    look: F,
}

impl<T, F: FnMut() -> Option<T> + Unpin> Future for Until<F> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let this = &mut *self;
        if let Some(found) = (this.look)() {
            return Poll::Ready(Some(found));
        }
        if Pin::new(&mut this.sleep).poll(context).is_ready() {
            return Poll::Ready(None);
        }
        if let Some(task) = this.sim.current() {
            this.waiters.add(task);
        }
        Poll::Pending
    }
}
