//! Operations, each a length of two bytes, an opcode and a body, replayed on a tree.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hdfs_generate::check_replay(bytes));
