//! Random histories: nodes that come, report, die and return, blocks that are written, appended, recovered and deleted.
//! After every step all counters, sets and queues agree with a recount.

use std::time::Duration;

use hdfs_blocks::{
    AdminState, BlocksConf, DatanodeCommand, DefaultPorts, HostEntry, HostsLists, NO_ACK,
    ReportedReplica,
};
use hdfs_types::{Block, BlockId, GenerationStamp, ReplicaState, WallMillis};
use proptest::prelude::*;

use crate::cluster::{Cluster, OWNER, block, finalized};

const NODES: usize = 6;

#[derive(Clone, Debug)]
enum Step {
    Write { replication: u16, finalize: u8 },
    Report { node: usize, which: u8, stamp_back: bool, short: bool, status: u8 },
    Commit { which: u8 },
    Append { which: u8 },
    UpdatePipeline { which: u8 },
    Recover { which: u8 },
    FinishRecovery { which: u8, close: bool },
    Delete { which: u8 },
    SetReplication { which: u8, replication: u16 },
    Bad { which: u8, node: usize },
    FullReport { node: usize, skip: u8 },
    Heartbeat { node: usize },
    Silence { seconds: u16 },
    Register { node: usize },
    Exclude { nodes: u8 },
    Work,
    Standby,
    Failover,
}

fn step() -> impl Strategy<Value = Step> {
    let node = 0..NODES;
    let which = any::<u8>();
    prop_oneof![
        3 => (1..5u16, any::<u8>())
            .prop_map(|(replication, finalize)| Step::Write { replication, finalize }),
        4 => (node.clone(), which, any::<bool>(), any::<bool>(), 0..4u8).prop_map(
            |(node, which, stamp_back, short, status)| Step::Report {
                node, which, stamp_back, short, status
            }
        ),
        3 => which.prop_map(|which| Step::Commit { which }),
        1 => which.prop_map(|which| Step::Append { which }),
        1 => which.prop_map(|which| Step::UpdatePipeline { which }),
        1 => which.prop_map(|which| Step::Recover { which }),
        1 => (which, any::<bool>())
            .prop_map(|(which, close)| Step::FinishRecovery { which, close }),
        1 => which.prop_map(|which| Step::Delete { which }),
        1 => (which, 1..6u16)
            .prop_map(|(which, replication)| Step::SetReplication { which, replication }),
        1 => (which, node.clone()).prop_map(|(which, node)| Step::Bad { which, node }),
        3 => (node.clone(), any::<u8>()).prop_map(|(node, skip)| Step::FullReport { node, skip }),
        5 => node.clone().prop_map(|node| Step::Heartbeat { node }),
        1 => (1..400u16).prop_map(|seconds| Step::Silence { seconds }),
        2 => node.prop_map(|node| Step::Register { node }),
        1 => (0..64u8).prop_map(|nodes| Step::Exclude { nodes }),
        3 => Just(Step::Work),
        1 => Just(Step::Standby),
        2 => Just(Step::Failover),
    ]
}

/// The test's own idea of the world: ids in use, and a clock of stamps.
struct World {
    c: Cluster,
    ids: Vec<BlockId>,
    next: u64,
}

impl World {
    fn new() -> Self {
        let racks = ["/r0", "/r0", "/r1", "/r1", "/r2", "/r2"];
        Self { c: Cluster::with(BlocksConf::default(), &racks), ids: Vec::new(), next: 1_001 }
    }

    fn pick(&self, which: u8) -> Option<BlockId> {
        let index = usize::from(which).checked_rem(self.ids.len())?;
        self.ids.get(index).copied()
    }

    fn stored(&self, id: BlockId) -> Block {
        self.c.bm.block(id).expect("the test forgets what it deletes").block
    }

    fn stamp(&mut self) -> GenerationStamp {
        self.next += 1;
        GenerationStamp(self.next)
    }

    fn registered(&self, node: usize) -> bool {
        let slot = self.c.bm.find_datanode(&format!("dn-{node}"));
        slot.is_some_and(|slot| self.c.bm.datanode(slot).is_registered())
    }

    fn write(&mut self, replication: u16, finalize: u8) {
        let stamp = self.stamp();
        let new = block(i64::try_from(self.next).expect("small"), stamp.0, 0);
        let mono = self.c.mono();
        let request = Cluster::request(usize::from(replication));
        let Ok(targets) = self.c.bm.choose_targets(mono, &request) else { return };
        let mut nodes = self.c.nodes_of(&targets);
        nodes.dedup();
        assert_eq!(nodes.len(), targets.len(), "targets are distinct nodes");
        self.c.bm.add_under_construction(new, OWNER, replication, &targets).expect("new");
        self.ids.push(new.id);
        for (index, target) in targets.iter().enumerate() {
            let node = self.c.node_of(*target);
            if finalize >> index & 1 == 1 && self.registered(node) {
                self.c.received(node, Block { num_bytes: 100, ..new });
            }
        }
    }

    fn report(&mut self, node: usize, which: u8, back: bool, short: bool, status: u8) {
        let Some(id) = self.pick(which).filter(|_| self.registered(node)) else { return };
        let mut reported = self.stored(id);
        reported.generation_stamp.0 -= u64::from(back);
        reported.num_bytes = if short { 7 } else { reported.num_bytes.max(100) };
        match status {
            0 => self.c.deleted(node, reported),
            1 => self.c.receiving(node, reported),
            _ => self.c.received(node, reported),
        }
    }

    fn full_report(&mut self, node: usize, skip: u8) {
        if !self.registered(node) {
            return;
        }
        let storage = self.c.storage(node);
        let held: Vec<ReportedReplica> = self
            .ids
            .iter()
            .filter(|id| self.c.bm.expected_locations(**id).contains(&storage))
            .map(|id| self.stored(*id))
            .enumerate()
            .filter(|(index, _)| u8::try_from(*index).expect("few") != skip)
            .map(|(_, stored)| ReportedReplica {
                block: stored,
                state: if stored.num_bytes == 0 {
                    ReplicaState::Rbw
                } else {
                    ReplicaState::Finalized
                },
            })
            .chain([finalized(block(77_000_000, 1_001, 5))])
            .collect();
        self.c.full_report(node, &held);
    }

    fn heartbeat(&mut self, node: usize) {
        let heartbeat = self.c.heartbeat_of(node);
        let now = self.c.now();
        let Ok(reply) = self.c.bm.handle_heartbeat(now, &heartbeat) else { return };
        for command in reply.commands {
            match command {
                DatanodeCommand::Invalidate(blocks) => {
                    for deleted in blocks {
                        let left = self.c.bm.live_replicas(deleted.id);
                        let owned = self.c.bm.block(deleted.id).is_some();
                        assert!(!owned || !left.is_empty(), "{deleted} has no other good replica");
                        if deleted.num_bytes != NO_ACK {
                            self.c.deleted(node, deleted);
                        }
                    }
                }
                DatanodeCommand::Transfer(transfers) => {
                    for transfer in transfers {
                        let targets = self.c.nodes_of(&transfer.targets);
                        for target in targets {
                            if self.registered(target) {
                                self.c.received(target, transfer.block);
                            }
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn apply(&mut self, step: &Step) {
        let mono = self.c.mono();
        let now = self.c.now();
        match *step {
            Step::Write { replication, finalize } => self.write(replication, finalize),
            Step::Report { node, which, stamp_back, short, status } => {
                self.report(node, which, stamp_back, short, status);
            }
            Step::FullReport { node, skip } => self.full_report(node, skip),
            Step::Heartbeat { node } => self.heartbeat(node),
            Step::Silence { seconds } => {
                self.c.pass(Duration::from_secs(u64::from(seconds)));
                while self.c.bm.check_heartbeats(self.c.now(), 2) {}
            }
            Step::Register { node } => self.c.register(node, "/r1"),
            Step::Exclude { nodes } => {
                // Two that leave for good, and one that leaves for a while.
                let entries = (0..NODES).filter(|n| nodes >> n & 1 == 1 && *n < 3).map(|n| {
                    let admin = [AdminState::Decommissioned, AdminState::InMaintenance][n / 2];
                    let maintenance_expires = Some(WallMillis(now.wall.0 + 60_000));
                    let entry = HostEntry::from_line(&format!("host{n}"), true, admin);
                    HostEntry { maintenance_expires, ..entry }
                });
                let lists = HostsLists::new(entries.collect(), true, DefaultPorts::default());
                self.c.bm.refresh_nodes(now, lists);
                self.c.bm.check_decommission(now);
            }
            Step::Work => {
                self.c.bm.compute_work(mono, &|_| 0);
                self.c.bm.check_decommission(now);
            }
            Step::Standby => {
                self.c.bm.set_generation_stamp(GenerationStamp(self.next - 1));
                self.c.bm.set_standby(mono, true);
            }
            Step::Failover => {
                self.c.bm.set_generation_stamp(GenerationStamp(self.next));
                self.c.bm.set_standby(mono, false);
                self.c.bm.mark_all_datanodes_stale();
                self.c.bm.clear_queues();
                self.c.bm.start_redundancy_queues();
            }
            _ => self.apply_to_block(step),
        }
    }

    fn apply_to_block(&mut self, step: &Step) {
        let (Step::Commit { which }
        | Step::Append { which }
        | Step::UpdatePipeline { which }
        | Step::Recover { which }
        | Step::FinishRecovery { which, .. }
        | Step::Delete { which }
        | Step::SetReplication { which, .. }
        | Step::Bad { which, .. }) = *step
        else {
            return;
        };
        let Some(id) = self.pick(which) else { return };
        let stored = self.stored(id);
        let mono = self.c.mono();
        // Some of these are refused, depending on the state: then they must change nothing.
        match *step {
            Step::Commit { .. } => {
                let commit = Block { num_bytes: stored.num_bytes.max(100), ..stored };
                let _ = self.c.bm.commit_or_complete(mono, commit);
            }
            Step::Append { .. } => {
                self.c.bm.convert_to_under_construction(id).expect("known");
            }
            Step::UpdatePipeline { .. } => {
                let targets = self.c.bm.expected_locations(id);
                let generation_stamp = self.stamp();
                let new = Block { generation_stamp, ..stored };
                let _ = self.c.bm.update_pipeline(new, &targets[targets.len() / 2..]);
            }
            Step::Recover { .. } => {
                let stamp = self.stamp();
                let _ = self.c.bm.initialize_recovery(mono, id, stamp, None);
            }
            Step::FinishRecovery { close, .. } => {
                if let Some(stamp) = self.c.bm.recovery_stamp(id) {
                    let targets = self.c.bm.expected_locations(id);
                    let length = stored.num_bytes.max(50);
                    self.c
                        .bm
                        .finish_recovery(mono, id, stamp, length, &targets, close)
                        .expect("the stamp is current");
                }
            }
            Step::Delete { .. } => {
                self.c.bm.remove_block(id);
                self.ids.retain(|other| *other != id);
            }
            Step::SetReplication { replication, .. } => {
                self.c.bm.set_replication(mono, id, replication).expect("known");
            }
            Step::Bad { node, .. } => {
                let uuid = crate::cluster::uuid(node);
                self.c.bm.report_bad_block(mono, stored, &uuid, None, "test").expect("known node");
            }
            _ => unreachable!("the pattern above lists them"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_histories_keep_the_invariants(steps in prop::collection::vec(step(), 1..120)) {
        let mut world = World::new();
        let mut stamps = std::collections::BTreeMap::new();
        for step in &steps {
            world.apply(step);
            if let Err(wrong) = world.c.bm.check_invariants() {
                prop_assert!(false, "after {:?}: {}", step, wrong);
            }
            for id in &world.ids {
                let stamp = world.stored(*id).generation_stamp;
                let before = stamps.insert(*id, stamp).unwrap_or(stamp);
                prop_assert!(stamp >= before, "the stamp of {} went back", id);
            }
        }
    }
}
