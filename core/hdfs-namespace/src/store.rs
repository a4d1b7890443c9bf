//! Where the tree lies in memory: records, what they share, names, children, blocks, the index by id.
//!
//! Nothing here knows about paths, permissions or operations.

pub(crate) mod children;
pub(crate) mod id_index;
pub(crate) mod interned;
pub(crate) mod name_block;
pub(crate) mod name_pool;
pub(crate) mod record;
pub(crate) mod shared;
pub(crate) mod slab;
