//! What goes wrong, and when: drawn from the seed.
//!
//! The atlas keeps one rule: whatever is acknowledged keeps a good copy. So a machine whose disk loses bytes (a power cut,
//! rot, lost writes) is the only one of its kind until it is whole again, unless the whole cluster loses power at once,
//! which syncs must survive.

use std::rc::Rc;
use std::time::Duration;

use crate::client::Client;
use crate::cluster::{Cluster, Crash};
use crate::kernel::{NAMENODE, NodeId};

/// How rough this world is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weather {
    loss: u64,
    duplication: u64,
    delay_us: u64,
    /// Mean time between faults.
    calm: Duration,
}

impl Weather {
    /// Draws one; every tenth world is fair.
    pub(crate) fn draw(cluster: &Cluster) -> Self {
        let sim = &cluster.sim;
        let fair = sim.chance(100_000);
        let up_to = |most: u64| if fair || sim.chance(300_000) { 0 } else { sim.below(most) };
        Self {
            loss: up_to(30_000),
            duplication: up_to(50_000),
            delay_us: 300 + up_to(40_000),
            calm: Duration::from_millis(500 + sim.below(8_000)),
        }
    }

    /// Puts it over the network.
    pub(crate) fn begin(self, cluster: &Cluster) {
        let net = &mut cluster.sim.kernel().net;
        net.loss = self.loss;
        net.duplication = self.duplication;
        net.delay_us = self.delay_us;
    }

    /// Lets the sun out.
    pub(crate) fn end(cluster: &Cluster) {
        let net = &mut cluster.sim.kernel().net;
        net.loss = 0;
        net.duplication = 0;
        net.corruption = 0;
        net.delay_us = 300;
        net.blocked.clear();
        net.slow.clear();
    }
}

/// Breaks things for this long.
pub(crate) fn rage(cluster: &Rc<Cluster>, weather: Weather, duration: Duration) {
    let end = cluster.sim.now().mono.after(duration);
    loop {
        let left = end.since(cluster.sim.now().mono);
        if left.is_zero() || cluster.sim.has_failed() {
            return;
        }
        let calm = cluster.sim.between(weather.calm / 4, weather.calm * 2);
        cluster.sim.run(calm.min(left));
        watch(cluster);
        if cluster.sim.now().mono < end {
            strike(cluster);
        }
    }
}

/// Restarts processes that ended by themselves.
pub(crate) fn watch(cluster: &Rc<Cluster>) {
    if cluster.namenode().is_some_and(|process| process.has_failed()) {
        cluster.crash(NAMENODE, Crash::Killed);
    }
    if !cluster.sim.machine(NAMENODE).up && cluster.sim.chance(300_000) {
        cluster.start_namenode();
    }
}

fn strike(cluster: &Rc<Cluster>) {
    let sim = &cluster.sim;
    match sim.below(10) {
        0..=1 => {
            let how = if sim.chance(500_000) { Crash::Killed } else { Crash::PowerCut };
            if sim.machine(NAMENODE).up {
                cluster.crash(NAMENODE, how);
                let cluster = Rc::clone(cluster);
                let down = sim.between(Duration::from_millis(50), Duration::from_secs(10));
                sim.after(down, move |sim| {
                    if !sim.machine(NAMENODE).up {
                        cluster.start_namenode();
                    }
                });
            }
        }
        2 => {
            let node = any_client(cluster);
            cluster.crash(node, Crash::Killed);
            Client::start(cluster, node);
        }
        3..=4 => partition(cluster),
        5 => pause(cluster),
        6 => {
            let node = any_machine(cluster);
            let factor = 2 + u32::try_from(sim.below(100)).unwrap_or(0);
            sim.note(format_args!("{node:?} is {factor} times slower"));
            sim.kernel().net.slow.insert(node, factor);
            let calm = sim.between(Duration::from_secs(1), Duration::from_secs(20));
            sim.after(calm, move |sim| {
                sim.kernel().net.slow.remove(&node);
            });
        }
        7 => {
            let by = i64::try_from(sim.below(7_200_000)).unwrap_or(0) - 3_600_000;
            sim.note(format_args!("the wall clocks jump by {by} ms"));
            sim.jump_wall_clock(by);
        }
        _ => disk_trouble(cluster),
    }
}

fn any_client(cluster: &Cluster) -> NodeId {
    let index = cluster.sim.below(cluster.clients.len() as u64);
    cluster.clients[usize::try_from(index).unwrap_or(0)]
}

fn any_machine(cluster: &Cluster) -> NodeId {
    let count = cluster.sim.kernel().machines.len() as u64;
    NodeId(usize::try_from(cluster.sim.below(count)).unwrap_or(0))
}

/// Between two machines, or one and all others; both ways or one; steady or flapping.
fn partition(cluster: &Rc<Cluster>) {
    let sim = &cluster.sim;
    let (one, other) = (any_machine(cluster), any_machine(cluster));
    let alone = sim.chance(400_000);
    let both_ways = sim.chance(600_000);
    let count = sim.kernel().machines.len();
    let mut ways = Vec::new();
    for node in (0..count).map(NodeId).filter(|node| *node != one) {
        if alone || node == other {
            ways.push((one, node));
            if both_ways {
                ways.push((node, one));
            }
        }
    }
    let flaps = if sim.chance(300_000) { 1 + sim.below(6) } else { 0 };
    sim.note(format_args!("partition {ways:?}, {flaps} flaps"));
    for flap in 0..=flaps {
        let base = Duration::from_millis(flap * 700);
        let length = if flaps > 0 {
            Duration::from_millis(400)
        } else {
            sim.between(Duration::from_millis(100), Duration::from_secs(40))
        };
        let (begin, end) = (ways.clone(), ways.clone());
        sim.after(base, move |sim| sim.kernel().net.blocked.extend(begin));
        sim.after(base + length, move |sim| {
            for way in end {
                sim.kernel().net.blocked.remove(&way);
            }
        });
    }
}

fn pause(cluster: &Rc<Cluster>) {
    let sim = &cluster.sim;
    let node = any_machine(cluster);
    if !sim.machine(node).up {
        return;
    }
    let length = sim.between(Duration::from_millis(10), Duration::from_secs(60));
    sim.note(format_args!("{node:?} stands still for {} ms", length.as_millis()));
    sim.pause(node, true);
    sim.after(length, move |sim| sim.pause(node, false));
}

fn disk_trouble(cluster: &Rc<Cluster>) {
    let sim = &cluster.sim;
    let mut faults = cluster.namenode_disk.faults();
    match sim.below(3) {
        0 => faults.sync_error = 200_000,
        1 => faults.write_error = 100_000,
        _ => faults.full = true,
    }
    sim.note(format_args!("the namenode's disk: {faults:?}"));
    cluster.namenode_disk.set_faults(faults);
    let disk = cluster.namenode_disk.clone();
    let length = sim.between(Duration::from_millis(100), Duration::from_secs(5));
    sim.after(length, move |_| disk.set_faults(crate::disk::DiskFaults::default()));
}
