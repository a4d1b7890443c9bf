//! Random namespaces, each from one seed: for properties, for round trips with Apache, for corpora of fuzzers.
//!
//! A [`Generator`] makes one call after the other, mostly valid ones, on few names, so that calls meet each other. It drives a
//! [`Namespace`] by its plans, as the NameNode does, and keeps the operations with their transaction ids. Operations for
//! which there is no call (symbolic links, tokens, obsolete ones) it plans itself. [`Follower`]s check that the tree equals
//! the replay of its log; a [`Folder`] is the name folder of such a tree, as bytes.
//!
//! The same seed gives the same calls until a call, a weight or the namespace's answers change.
//!
//! What it does not do: it does no IO, and it is no part of the product.

mod attributes;
mod check;
mod cluster;
mod files;
mod folder;
mod generator;
mod inputs;
mod pick;
mod scripts;
mod secrets;
mod snapshot_views;
mod snapshots;
mod tree;

pub use check::{Follower, Image, image_of, load_image, run_seed};
pub use folder::{Folder, NAMESPACE_ID};
pub use generator::{Generator, Step};
pub use inputs::{check_image, check_legacy, check_replay};
pub use scripts::{check_acl, check_calls, check_section};
