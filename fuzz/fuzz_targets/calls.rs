//! Calls whose paths are made of reserved names, snapshots, ids and plain components, one after the other on one tree.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hdfs_generate::check_calls(bytes));
