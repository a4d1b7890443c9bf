//! An image from before protobuf: walked through, made one of today, loaded.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hdfs_generate::check_legacy(bytes));
