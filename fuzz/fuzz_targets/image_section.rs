//! An image of which one section, or one part of a section, holds other bytes, plain or compressed: the lengths around it are
//! right, so that mutations reach what is inside.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hdfs_generate::check_section(bytes));
