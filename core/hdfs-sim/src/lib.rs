//! A whole cluster in one thread on one seed: the NameNode machine, DataNodes and clients over a faulty network, faulty
//! disks and faulty clocks, and checkers that know the truth.
//!
//! A run has two halves. In the first, faults of every kind happen while clients work, and nothing that was promised may be
//! broken: that is safety. Then the faults stop, and within a bounded time everything must be whole again: that is
//! liveness. The faults are drawn so that they leave one good copy of every acknowledged byte.
//!
//! Simulated processes are futures that this crate's own executor runs: the machines themselves know nothing of that.

mod check;
mod client;
mod cluster;
mod datanode;
mod disk;
mod kernel;
mod namenode;
mod nemesis;
mod net;
mod run;
mod truth;

pub use run::{Options, Outcome, run};

/// Bytes of a block of every simulated file.
pub(crate) const BLOCK_BYTES: u64 = 4_096;

/// Bytes of a DataNode's disk.
pub(crate) const DISK_BYTES: u64 = 16 << 20;
