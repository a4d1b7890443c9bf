//! The faulty network.
//!
//! | Fault | Calls | Streams |
//! |---|---|---|
//! | delay, reorder | each message takes its own time; two calls may overtake each other | each segment takes its time, in order |
//! | loss | request or answer vanishes: the caller hears of a broken connection, or nothing | a late retransmission |
//! | duplication | a call that has at most one effect is delivered twice, or long after its caller gave up | none (TCP) |
//! | partition | nothing passes in that direction, for as long as it lasts | the same; nothing is lost when it heals in time |
//! | crash | the caller hears of a reset | the peer hears the end |
//! | power cut | the caller hears nothing | the peer hears nothing until the machine is back and resets |
//! | corruption | none (a call with a wrong frame breaks its connection: loss) | a bit of a packet's data turns over |
//!
//! Messages are closures over the machines' own protocol types: what the wire bytes look like is tested elsewhere.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use hdfs_types::Mono;

use crate::kernel::{NodeId, Sim, Waiters};

/// What the links do now.
#[derive(Default)]
pub(crate) struct Links {
    /// From here to there nothing passes.
    pub(crate) blocked: BTreeSet<(NodeId, NodeId)>,
    /// Messages to and from this machine take so many times longer.
    pub(crate) slow: BTreeMap<NodeId, u32>,
    /// So many messages of a million are lost.
    pub(crate) loss: u64,
    /// So many calls of a million come twice.
    pub(crate) duplication: u64,
    /// So many segments of a million get a wrong bit.
    pub(crate) corruption: u64,
    /// Until then no stored bytes are corrupted on their way.
    pub(crate) spared_until: Mono,
    /// The longest usual way, in microseconds.
    pub(crate) delay_us: u64,
}

/// Why a call or a connection got nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Gone {
    /// Nobody listens there.
    Refused,
    /// The connection ended.
    Reset,
    /// Nothing was heard in time.
    Silent,
}

/// How long what a machine can't hear keeps trying.
const RETRANSMISSION: Duration = Duration::from_millis(200);

pub(crate) type Later<T> = Pin<Box<dyn Future<Output = T>>>;

type Slot<T> = Rc<RefCell<Option<Result<T, Gone>>>>;

struct Answer<T> {
    sim: Sim,
    slot: Slot<T>,
    arrived: Waiters,
    /// From the server back.
    way: (NodeId, NodeId),
    sent: bool,
}

impl<T> Answer<T> {
    /// Nobody answers for this machine.
    fn forget(mut self) {
        self.sent = true;
    }
}

impl<T: 'static> Answer<T> {
    fn send(&mut self, what: Result<T, Gone>) {
        self.sent = true;
        let (from, to) = self.way;
        if self.sim.vanishes(from, to) {
            return;
        }
        let (slot, arrived) = (Rc::clone(&self.slot), self.arrived.clone());
        let delay = self.sim.delay(from, to);
        self.sim.after(delay, move |sim| {
            slot.borrow_mut().get_or_insert(what);
            arrived.wake(sim);
        });
    }
}

/// A server that dies resets its connections; one without power does not.
impl<T> Drop for Answer<T> {
    fn drop(&mut self) {
        if self.sent || self.sim.machine(self.way.0).dark {
            return;
        }
        let (slot, arrived) = (Rc::clone(&self.slot), self.arrived.clone());
        // Never sent: the slot's type is not needed to be 'static here, so the answer is put down at once.
        slot.borrow_mut().get_or_insert(Err(Gone::Reset));
        arrived.wake(&self.sim);
    }
}

impl Sim {
    /// How long the way takes now.
    pub(crate) fn delay(&self, from: NodeId, to: NodeId) -> Duration {
        let kernel = &mut *self.kernel();
        let most = kernel.net.delay_us.max(1);
        let factor = [from, to].iter().filter_map(|node| kernel.net.slow.get(node)).max();
        let factor = u64::from(factor.copied().unwrap_or(1));
        let roll = hdfs_types::Rng::below(&mut kernel.rng, 100);
        let spread = hdfs_types::Rng::below(&mut kernel.rng, most);
        // Once in a while a message is much later than the others.
        let late = if roll == 0 { 20 } else { 1 };
        Duration::from_micros((50 + spread) * late * factor)
    }

    fn vanishes(&self, from: NodeId, to: NodeId) -> bool {
        let (loss, blocked) = {
            let net = &self.kernel().net;
            (net.loss, net.blocked.contains(&(from, to)))
        };
        blocked || (loss > 0 && self.chance(loss))
    }

    /// Calls a server: `serve` runs there, perhaps without an answer. With `again` it may run twice, and after the caller has
    /// given up: a message of a connection that is long dead. It does not outlive the server's process, nor the flag, which
    /// the caller sets when it heard that the call had no effect.
    pub(crate) async fn call<T: 'static>(
        &self,
        from: NodeId,
        to: NodeId,
        limit: Duration,
        again: Option<Rc<Cell<bool>>>,
        serve: impl Fn() -> Later<T> + 'static,
    ) -> Result<T, Gone> {
        let serve = Rc::new(serve);
        let slot: Slot<T> = Rc::default();
        let arrived = Waiters::default();
        let copies = self.kernel().net.duplication;
        let twice = again.is_some() && copies > 0 && self.chance(copies);
        let given_up: Rc<Cell<bool>> = Rc::default();
        let stale = again.unwrap_or_else(|| Rc::clone(&given_up));
        let incarnation = self.machine(to).incarnation;
        for copy in 0..1 + u32::from(twice) {
            let delay = self.delay(from, to) * (1 + 40 * copy);
            if self.vanishes(from, to) {
                if self.chance(500_000) {
                    let (slot, arrived) = (Rc::clone(&slot), arrived.clone());
                    self.after(delay, move |sim| {
                        slot.borrow_mut().get_or_insert(Err(Gone::Reset));
                        arrived.wake(sim);
                    });
                }
                continue;
            }
            let (serve, slot, arrived) = (Rc::clone(&serve), Rc::clone(&slot), arrived.clone());
            let stale = Rc::clone(&stale);
            self.after(delay, move |sim| {
                let machine = sim.machine(to);
                if stale.get() || (machine.up && machine.incarnation != incarnation) {
                    return;
                }
                let way = (to, from);
                let mut answer = Answer { sim: sim.clone(), slot, arrived, way, sent: false };
                if machine.dark {
                    answer.forget();
                } else if machine.up {
                    sim.spawn(to, async move {
                        if stale.get() {
                            return;
                        }
                        let served = serve().await;
                        answer.send(Ok(served));
                    });
                } else {
                    answer.send(Err(Gone::Refused));
                }
            });
        }
        let taken = self.until(limit, &arrived, || slot.borrow_mut().take()).await;
        given_up.set(true);
        taken.unwrap_or(Err(Gone::Silent))
    }

    /// Opens a stream to a server, which runs `accept` with its end.
    pub(crate) async fn connect<M: Segment>(
        &self,
        from: NodeId,
        to: NodeId,
        limit: Duration,
        accept: impl FnOnce(Socket<M>) -> Later<()> + 'static,
    ) -> Result<Socket<M>, Gone> {
        let (here, there) = Socket::pair(self, from, to);
        let accepted: Slot<()> = Rc::default();
        let arrived = Waiters::default();
        let way = (to, from);
        let mut answer = Answer {
            sim: self.clone(),
            slot: Rc::clone(&accepted),
            arrived: arrived.clone(),
            way,
            sent: false,
        };
        if self.vanishes(from, to) {
            answer.sent = true;
            // A lost connection request is sent again: late, not never.
            self.sleep(RETRANSMISSION * 5).await;
            if self.kernel().net.blocked.contains(&(from, to)) {
                self.sleep(limit).await;
                return Err(Gone::Silent);
            }
            answer.sent = false;
        }
        let delay = self.delay(from, to);
        self.after(delay, move |sim| {
            let machine = sim.machine(to);
            if machine.dark {
                answer.forget();
            } else if machine.up {
                answer.send(Ok(()));
                sim.spawn(to, accept(there));
            } else {
                answer.send(Err(Gone::Refused));
            }
        });
        match self.until(limit, &arrived, || accepted.borrow_mut().take()).await {
            Some(Ok(())) => Ok(here),
            Some(Err(gone)) => Err(gone),
            None => Err(Gone::Silent),
        }
    }
}

/// What flows through a stream.
pub(crate) trait Segment: 'static {
    /// A bit turns over on the way; this one says which. Only what carries its own checksums changes.
    fn corrupt(&mut self, random: u64);

    /// True for bytes whose second failure in a row accuses their sender's disk: they are not corrupted twice in a minute.
    fn accuses(&self) -> bool;
}

struct Direction<M> {
    way: (NodeId, NodeId),
    /// What the receiver's machine was when the stream was opened.
    incarnation: u32,
    /// On the way; `None` is the end.
    flying: VecDeque<(Mono, Option<M>)>,
    pumping: bool,
    arrived: VecDeque<M>,
    /// The sender has ended.
    ended: bool,
    /// The receiver does not want more.
    refused: bool,
    /// The sender knows that.
    reset: bool,
    waiters: Waiters,
}

type Shared<M> = Rc<RefCell<Direction<M>>>;

/// One end of a stream. Dropping it ends the stream.
pub(crate) struct Socket<M: Segment> {
    sim: Sim,
    node: NodeId,
    incarnation: u32,
    out: Shared<M>,
    into: Shared<M>,
}

impl<M: Segment> Socket<M> {
    fn pair(sim: &Sim, from: NodeId, to: NodeId) -> (Self, Self) {
        let direction = |from: NodeId, to: NodeId| {
            Rc::new(RefCell::new(Direction {
                way: (from, to),
                incarnation: sim.machine(to).incarnation,
                flying: VecDeque::new(),
                pumping: false,
                arrived: VecDeque::new(),
                ended: false,
                refused: false,
                reset: false,
                waiters: Waiters::default(),
            }))
        };
        let (there, back) = (direction(from, to), direction(to, from));
        let end = |node, out: &Shared<M>, into: &Shared<M>| Self {
            sim: sim.clone(),
            node,
            incarnation: sim.machine(node).incarnation,
            out: Rc::clone(out),
            into: Rc::clone(into),
        };
        (end(from, &there, &back), end(to, &back, &there))
    }

    /// Puts something on the way.
    ///
    /// # Errors
    /// When the other end is known to be gone.
    pub(crate) fn send(&self, what: M) -> Result<(), Gone> {
        if self.out.borrow().reset {
            return Err(Gone::Reset);
        }
        self.put(Some(what));
        Ok(())
    }

    fn put(&self, what: Option<M>) {
        let way = self.out.borrow().way;
        let mut delay = self.sim.delay(way.0, way.1);
        if self.sim.vanishes(way.0, way.1) {
            delay += RETRANSMISSION;
        }
        let at = self.sim.now().mono.after(delay);
        let start = {
            let mut out = self.out.borrow_mut();
            let at = out.flying.back().map_or(at, |(last, _)| at.max(*last));
            out.flying.push_back((at, what));
            !std::mem::replace(&mut out.pumping, true)
        };
        if start {
            pump(&self.sim, &self.out);
        }
    }

    /// The next message.
    ///
    /// # Errors
    /// When the stream has ended, or nothing comes in time.
    pub(crate) async fn receive(&self, limit: Duration) -> Result<M, Gone> {
        let waiters = self.into.borrow().waiters.clone();
        let into = Rc::clone(&self.into);
        let look = move || {
            let mut into = into.borrow_mut();
            match into.arrived.pop_front() {
                Some(message) => Some(Ok(message)),
                None if into.ended || into.reset => Some(Err(Gone::Reset)),
                None => None,
            }
        };
        self.sim.until(limit, &waiters, look).await.unwrap_or(Err(Gone::Silent))
    }

    /// What has arrived already.
    pub(crate) fn try_receive(&self) -> Option<Result<M, Gone>> {
        let mut into = self.into.borrow_mut();
        match into.arrived.pop_front() {
            Some(message) => Some(Ok(message)),
            None if into.ended || into.reset => Some(Err(Gone::Reset)),
            None => None,
        }
    }

    /// Cuts both directions from this side, so that whoever uses this end hears it at once.
    pub(crate) fn cutter(&self) -> Cutter {
        let (out, into, sim) = (Rc::clone(&self.out), Rc::clone(&self.into), self.sim.clone());
        Cutter(Rc::new(move || {
            out.borrow_mut().reset = true;
            let waiters = {
                let mut into = into.borrow_mut();
                into.reset = true;
                into.arrived.clear();
                into.waiters.clone()
            };
            waiters.wake(&sim);
        }))
    }
}

/// Ends a stream from another task of the same machine.
#[derive(Clone)]
pub(crate) struct Cutter(Rc<dyn Fn()>);

impl Cutter {
    /// Does it.
    pub(crate) fn cut(&self) {
        (self.0)();
    }
}

impl<M: Segment> Drop for Socket<M> {
    fn drop(&mut self) {
        self.into.borrow_mut().refused = true;
        let machine = self.sim.machine(self.node);
        // Without power nobody says goodbye.
        if !(machine.dark || machine.incarnation != self.incarnation) {
            self.put(None);
        }
    }
}

/// Moves what has had its time to the receiver, and comes again for the rest.
fn pump<M: Segment>(sim: &Sim, direction: &Shared<M>) {
    loop {
        let mut this = direction.borrow_mut();
        let now = sim.now().mono;
        let Some((at, _)) = this.flying.front() else {
            this.pumping = false;
            return;
        };
        let (from, to) = this.way;
        let blocked = sim.kernel().net.blocked.contains(&(from, to));
        let wait = if *at > now {
            Some(at.since(now))
        } else if blocked {
            Some(RETRANSMISSION)
        } else {
            None
        };
        if let Some(wait) = wait {
            drop(this);
            let direction = Rc::clone(direction);
            sim.after(wait, move |sim| pump(sim, &direction));
            return;
        }
        let machine = sim.machine(to);
        let Some((_, message)) = this.flying.pop_front() else { return };
        if machine.dark {
            continue;
        }
        if this.refused || !machine.up || machine.incarnation != this.incarnation {
            this.reset = true;
            let waiters = this.waiters.clone();
            drop(this);
            waiters.wake(sim);
            continue;
        }
        match message {
            Some(mut message) => {
                let corruption = sim.kernel().net.corruption;
                let spared = message.accuses() && now < sim.kernel().net.spared_until;
                if corruption > 0 && !spared && sim.chance(corruption) {
                    message.corrupt(sim.below(u64::MAX));
                    if message.accuses() {
                        sim.kernel().net.spared_until = now.after(Duration::from_secs(60));
                    }
                }
                this.arrived.push_back(message);
            }
            None => this.ended = true,
        }
        let waiters = this.waiters.clone();
        drop(this);
        waiters.wake(sim);
    }
}
