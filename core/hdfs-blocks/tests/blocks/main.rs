//! Tests of the block manager through its public calls: scripts of events against a small cluster.

mod balance;
mod cluster;
mod dump;
mod explain;
mod life;
mod maintenance;
mod memory;
mod nodes;
mod placement;
mod placement_policies;
mod property;
mod recovery;
mod redundancy;
mod reports;
mod rules;
mod slow;
mod striped;
