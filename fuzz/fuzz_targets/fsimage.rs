//! An image: shown, loaded, saved, loaded again.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hdfs_generate::check_image(bytes));
