//! The checkers: one file for each promise.
//!
//! | Checker | Promise | Source |
//! |---|---|---|
//! | `tree` | every call has the effect it was said to have, once, over crashes and repeated calls | at-most-once |
//! | `replay` | the log alone gives the state that is live | namespace equivalence (B11) |
//! | `accounts` | counters equal a recount | accounting |

pub(crate) mod accounts;
pub(crate) mod replay;
pub(crate) mod tree;
