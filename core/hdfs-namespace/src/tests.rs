//! Machine tests, properties, images.

mod features;
mod images;
mod machine;
mod memory;
mod properties;
mod scripts;
mod snapshots;
