//! The checkers: one file for each promise.
//!
//! | Checker | Promise | Source |
//! |---|---|---|
//! | `tree` | every call has the effect it was said to have, once, over crashes and repeated calls | at-most-once |
//! | `bytes` | every reader gets what was acknowledged, and nothing that was not written | append/read model |
//! | `replicas` | no order deletes the last good copy; a replica's stamp only grows | replica safety |
//! | `replay` | the log alone gives the state that is live | namespace equivalence (B11) |
//! | `accounts` | counters equal a recount | accounting |
//! | `healing` | when the faults end everything becomes whole, in bounded time | liveness |
//!
//! That a seed gives one history is checked by whoever runs it.

pub(crate) mod accounts;
pub(crate) mod bytes;
pub(crate) mod healing;
pub(crate) mod replay;
pub(crate) mod replicas;
pub(crate) mod tree;
