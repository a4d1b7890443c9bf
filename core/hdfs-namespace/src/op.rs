//! Operations: one file for each family, with its plan and its application.
//!
//! A plan checks as Hadoop's `FSDir…Op` does, in the same order and with the same messages; an application checks only what
//! a damaged or foreign edit log could get wrong.

pub(crate) mod acl;
pub(crate) mod acl_change;
pub(crate) mod add_block;
pub(crate) mod append;
pub(crate) mod attr;
pub(crate) mod block_update;
pub(crate) mod cache;
pub(crate) mod close;
pub(crate) mod concat;
pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod delete_checked;
pub(crate) mod ec;
pub(crate) mod lease;
pub(crate) mod limits;
pub(crate) mod mkdir;
pub(crate) mod ordered_deletion;
pub(crate) mod policy;
pub(crate) mod quota;
pub(crate) mod reencryption;
pub(crate) mod rename;
pub(crate) mod rolling_upgrade;
pub(crate) mod snapshot;
pub(crate) mod symlink;
pub(crate) mod truncate;
pub(crate) mod xattr;
pub(crate) mod zone;
