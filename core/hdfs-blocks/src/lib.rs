//! The block side of a NameNode: where every replica is, and what to do about it.
//!
//! [`BlockManager`] is a machine: calls come in with the time as an argument, answers and commands go out, nothing else
//! happens. It keeps the DataNodes and their storages, the block map, the life of each block (under construction,
//! committed, complete, under recovery), reports, placement, redundancy, deletion and decommissioning.
//!
//! It never sees the namespace: blocks carry the id of the inode that owns them, and the NameNode carries facts from one
//! to the other. It keeps nothing on disk: all of it is rebuilt from the image, the edits and the reports.
//!
//! **Invariants**, recounted by [`BlockManager::check_invariants`]:
//! - a storage's set of blocks and the block map's storages of each block say the same;
//! - a node holds at most one replica of a block;
//! - counters (safe, complete, missing, …) equal a recount;
//! - a generation stamp never goes back, and a replica with an older stamp never counts;
//! - no replica is deleted to repair a block unless enough good ones, reported since this NameNode became active, stay.

mod block_map;
mod command;
mod conf;
mod datanode;
mod event;
mod hosts;
mod low_redundancy;
mod manager;
mod placement_policy;
mod registration;
mod report_lease;
mod slot_set;
mod storage_policy;
mod topology;
mod under_construction;

pub use block_map::{BlockState, FIELD_LIMIT};
pub use command::{DatanodeCommand, HeartbeatReply, NO_ACK, RecoveringBlock, Transfer};
pub use conf::BlocksConf;
pub use datanode::{AdminState, Datanode, DatanodeSlot, LeavingService, Storage, StorageSlot};
pub use event::BlockEvent;
pub use hosts::{DefaultPorts, HostEntry, HostsLists};
pub use manager::{
    BlockExplanation, BlockInfo, BlockManager, BlockOnNode, BlocksWanted, CommitOutcome,
    DatanodeReportType, DumpNames, FsStats, FullReport, GroupStats, Hindrance, LocatedReplicas,
    PlacementFlags, PlacementViolation, ReplicaCounts, ReplicaExplanation, ReplicaHealth,
    SafeCounts, SlowNode, StorageTypeStats, StripedUnits, TargetRequest, Unsuitable,
};
pub use placement_policy::{PlacementPolicy, SpacePreference};
pub use registration::{
    DatanodeRegistration, DatanodeStorage, Heartbeat, IncrementalBlock, Now, PeerLatency,
    ReceivedDeleted, ReportContext, ReportedReplica, SlowDisk, SlowPeer, StorageReport,
    StorageState, VolumeFailures,
};
pub use storage_policy::{DEFAULT_POLICY, STORAGE_POLICIES, StoragePolicy};
