//! The XML file that defines policies of erasure coding: policies or a reason, and a policy has a name.
#![no_main]

#[path = "../../edge/hdfs-cli/src/ec/policy_file.rs"]
mod policy_file;

libfuzzer_sys::fuzz_target!(|text: &str| {
    for policy in policy_file::read_text("file", text).unwrap_or_default() {
        assert!(policy.name().ends_with('k'), "{policy:?}");
    }
});
