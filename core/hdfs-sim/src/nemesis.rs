//! What goes wrong, and when: drawn from the seed.
//!
//! The atlas keeps one rule: whatever is acknowledged keeps a good copy. So a machine whose disk loses bytes (a power cut,
//! rot, lost writes) is the only one of its kind until it is whole again, unless the whole cluster loses power at once,
//! which syncs must survive.

use std::rc::Rc;
use std::time::Duration;

use crate::client::Client;
use crate::cluster::{Cluster, Crash};
use crate::disk::{Disk, DiskFaults};
use crate::kernel::{NAMENODE, NodeId};

/// How rough this world is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weather {
    loss: u64,
    duplication: u64,
    corruption: u64,
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
            corruption: up_to(10_000),
            delay_us: 300 + up_to(40_000),
            calm: Duration::from_millis(500 + sim.below(8_000)),
        }
    }

    /// Puts it over the network.
    pub(crate) fn begin(self, cluster: &Cluster) {
        let net = &mut cluster.sim.kernel().net;
        net.loss = self.loss;
        net.duplication = self.duplication;
        net.corruption = self.corruption;
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
        cluster.look_at_replicas();
        if cluster.sim.now().mono < end {
            strike(cluster);
        }
    }
}

/// Restarts processes that ended by themselves: a DataNode does when its only volume failed.
pub(crate) fn watch(cluster: &Rc<Cluster>) {
    for node in cluster.datanodes.clone() {
        let lost = cluster.disk(node).has_lost_a_sync();
        let failed = cluster.datanode(node).is_some_and(|process| process.pool.has_failed());
        if cluster.sim.machine(node).up && (lost || failed) {
            cluster.crash(node, Crash::Killed);
            if lost {
                // What the failed sync dropped is gone, as after a power cut.
                cluster.truth.borrow_mut().lose_power();
            }
            restart_later(cluster, node);
        }
    }
    if cluster.namenode().is_some_and(|process| process.has_failed()) {
        cluster.crash(NAMENODE, Crash::Killed);
    }
    if !cluster.sim.machine(NAMENODE).up && cluster.sim.chance(300_000) {
        cluster.start_namenode();
    }
}

fn strike(cluster: &Rc<Cluster>) {
    let sim = &cluster.sim;
    match sim.below(20) {
        0..=1 => {
            let how = if sim.chance(500_000) { Crash::Killed } else { Crash::PowerCut };
            if sim.machine(NAMENODE).up {
                cluster.crash(NAMENODE, how);
                restart_later(cluster, NAMENODE);
            }
        }
        2 => {
            let node = any_client(cluster);
            cluster.crash(node, Crash::Killed);
            Client::start(cluster, node);
        }
        3..=4 => partition(cluster),
        5 => pause(cluster),
        6 => slow(cluster),
        7 => {
            let by = i64::try_from(sim.below(7_200_000)).unwrap_or(0) - 3_600_000;
            sim.note(format_args!("the wall clocks jump by {by} ms"));
            sim.jump_wall_clock(by);
        }
        8 => disk_trouble(cluster, &cluster.namenode_disk.clone(), "the namenode"),
        9..=10 => {
            let node = any_datanode(cluster);
            let name = format!("{node:?}");
            disk_trouble(cluster, &cluster.disk(node).clone(), &name);
        }
        11 => rot(cluster),
        12 => blackout(cluster),
        _ => {
            let node = any_datanode(cluster);
            let how = if sim.chance(600_000) { Crash::Killed } else { Crash::PowerCut };
            if sim.machine(node).up {
                cluster.crash(node, how);
                restart_later(cluster, node);
            }
        }
    }
}

fn restart_later(cluster: &Rc<Cluster>, node: NodeId) {
    let sim = &cluster.sim;
    let down = sim.between(Duration::from_millis(50), Duration::from_secs(20));
    let cluster = Rc::clone(cluster);
    sim.after(down, move |sim| {
        if sim.machine(node).up {
            return;
        }
        if node == NAMENODE {
            cluster.start_namenode();
        } else {
            cluster.start_datanode(node);
        }
    });
}

/// All machines of the cluster lose power at once.
fn blackout(cluster: &Rc<Cluster>) {
    cluster.sim.note(format_args!("blackout"));
    for node in std::iter::once(NAMENODE).chain(cluster.datanodes.iter().copied()) {
        cluster.crash(node, Crash::PowerCut);
        restart_later(cluster, node);
    }
}

fn slow(cluster: &Rc<Cluster>) {
    let sim = &cluster.sim;
    let node = any_machine(cluster);
    let factor = 2 + u32::try_from(sim.below(100)).unwrap_or(0);
    sim.note(format_args!("{node:?} is {factor} times slower"));
    sim.kernel().net.slow.insert(node, factor);
    let calm = sim.between(Duration::from_secs(1), Duration::from_secs(20));
    sim.after(calm, move |sim| {
        sim.kernel().net.slow.remove(&node);
    });
}

/// A bit of a finalized replica turns over, where another good copy is there.
fn rot(cluster: &Rc<Cluster>) {
    let sim = &cluster.sim;
    // Nor while closed files change: then the rotten replica may be the only one that takes part.
    if cluster.truth.borrow().files.values().any(|file| file.changing) {
        return;
    }
    let Some(process) = cluster.datanode(any_datanode(cluster)) else { return };
    let replicas = process.pool.replicas();
    if replicas.is_empty() {
        return;
    }
    let index = usize::try_from(sim.below(replicas.len() as u64)).unwrap_or(0);
    let block = replicas[index].block;
    // Once for each block: with as many corrupt replicas as spare nodes there is no place for a new one.
    if !cluster.rotten.borrow_mut().insert(block.id) {
        return;
    }
    let is_complete = cluster.namenode().is_some_and(|process| {
        let nn = process.machine();
        let info = nn.blocks().block(block.id);
        info.is_some_and(|info| info.state == hdfs_blocks::BlockState::Complete)
    });
    if !is_complete {
        return;
    }
    let good = cluster.good_copies(block.id);
    let same = good.iter().filter(|(_, of)| *of == block).count();
    if same < 2 || !good.iter().any(|(node, of)| *node == process.node && *of == block) {
        return;
    }
    let (data, meta) = hdfs_datanode::layout::file_names(&block);
    let name = if sim.chance(700_000) { data } else { meta };
    let path = format!("finalized/{name}");
    sim.note(format_args!("{:?}: a bit of {path} turns over", process.node));
    cluster.disk(process.node).rot(&path, sim.below(u64::MAX));
}

fn any_datanode(cluster: &Cluster) -> NodeId {
    let index = cluster.sim.below(cluster.datanodes.len() as u64);
    cluster.datanodes[usize::try_from(index).unwrap_or(0)]
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

/// Writes or syncs fail, or nothing fits.
fn disk_trouble(cluster: &Rc<Cluster>, disk: &Disk, whose: &str) {
    let sim = &cluster.sim;
    let mut faults = disk.faults();
    match sim.below(3) {
        0 => faults.sync_error = 200_000,
        1 => faults.write_error = 100_000,
        _ => faults.full = true,
    }
    sim.note(format_args!("the disk of {whose}: {faults:?}"));
    disk.set_faults(faults);
    let disk = disk.clone();
    let length = sim.between(Duration::from_millis(100), Duration::from_secs(5));
    sim.after(length, move |_| disk.set_faults(DiskFaults::default()));
}
