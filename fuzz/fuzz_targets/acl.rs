//! A list of entries in text, as `-setfacl` and WebHDFS take it: reading it never panics, and what a tree takes of it changes
//! nothing when it is set again.
#![no_main]

use hdfs_generate::check_acl;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, &str)| check_acl(input.0, input.1));
