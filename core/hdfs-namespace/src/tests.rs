//! Machine tests, properties, images.

mod caching;
mod checks_in_slices;
mod deletions_in_steps;
mod erasure;
mod features;
mod images;
mod machine;
mod memory;
mod ordered_deletion;
mod properties;
mod scripts;
mod snapshot_reads;
mod snapshots;
mod zones;
