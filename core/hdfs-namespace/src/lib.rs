//! The tree of files and directories: every change is an edit op.
//!
//! [`Namespace`] holds the inodes, the leases and the counters from which identities are given. A call is planned
//! (`plan_*`, reading only), its operations are applied ([`Namespace::apply_planned`]) and logged by the caller; a restart
//! replays the same operations ([`Namespace::replay`]) or loads an image. What an operation means for blocks comes back as
//! [`Effects`]; this crate never sees the block manager.
//!
//! **Invariants**, recounted by [`Namespace::check_invariants`]:
//! - every attached inode is reached from `/` by exactly one name, and children are sorted by name;
//! - the index knows every inode, attached or waiting to be reclaimed, by its id;
//! - a file has a lease if and only if it is under construction;
//! - identities only grow;
//! - the tree after replaying operations equals the tree that was changed live.
//!
//! What it does not do: it reads no clock, does no IO, keeps no block locations and gives no tokens.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.{FSDirectory, FSDir*Op, INode*, LeaseManager} (3.5.0)

mod apply;
mod cache;
mod effects;
mod erasure;
mod image;
mod lease;
mod namespace;
mod old_layout;
mod op;
mod permission;
mod plan;
mod query;
mod quota;
mod resolve;
mod snapshot;
mod status;
mod store;
#[cfg(test)]
mod tests;

pub use apply::ReplayError;
pub use cache::{directive_proto, pool_info, pool_proto};
pub use effects::{BlockChange, Effects};
pub use erasure::ErasureCodingPolicy;
pub use lease::{ExpiredLease, LeaseHolders};
pub use namespace::{BlockOfFile, Counts, Identities, Namespace};
pub use op::acl_change::{AclChange, AclStatus};
pub use op::add_block::{AddBlockPlan, AddBlockRequest, NewBlock};
pub use op::append::{AppendRequest, Appended};
pub use op::cache::{CacheDirectiveEntry, CacheDirectiveRequest, CacheExpiration, CachePoolEntry};
pub use op::close::CompletePlan;
pub use op::create::{CreateFlags, CreateRequest};
pub use op::delete_checked::RemovalCheck;
pub use op::ordered_deletion::CollectedSnapshot;
pub use op::reencryption::{BatchLimits, ReencryptedFile, Reencryption, ReencryptionBatch};
pub use op::rename::RenameFlags;
pub use op::rolling_upgrade::RollingUpgrade;
pub use op::truncate::{TruncateRequest, Truncated};
pub use op::xattr::XAttrSetFlags;
pub use op::zone::{CipherSuite, FileKey, FileKeySource};
pub use plan::{
    AllComplete, Attempt, BlockFacts, BlockStage, Caller, LeasePurpose, LeaseRelease,
    NamespaceConf, PlanContext, Planned,
};
pub use query::{
    DiffCursor, DiffEntry, DiffKind, DiffListing, DiffListingEntry, DiffReport, DiffReportCursor,
    QUOTA_KINDS, SnapshotStatus, SnapshottableDirectory, SummaryCursor, snapshot_path,
};
pub use snapshot::INLINE_STEPS;
pub use status::{
    ContentSummary, FileBlocks, FileStatus, INodeKind, Listing, OpenFile, QuotaUsage, TypeSpace,
    Writer,
};
