//! Machine tests, properties, images.

mod images;
mod machine;
mod memory;
mod properties;
mod scripts;
