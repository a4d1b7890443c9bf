//! A segment of any layout: reading it to the end, with damage skipped, never panics, and what decodes is written again.
#![no_main]

use hdfs_format::edits::{Expected, SegmentReader, encode_op, event_batch};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(mut reader) = SegmentReader::open("segment", bytes, Expected::default()) else { return };
    // Each damage is skipped once: a segment has at most as many as bytes.
    for _ in 0..bytes.len() {
        match reader.next() {
            Ok(Some((txid, op))) => {
                encode_op(&mut Vec::new(), txid, &op);
                let _ = event_batch(txid, &op);
            }
            Ok(None) => return,
            Err(_) if reader.skip_damage() => {}
            Err(_) => return,
        }
    }
});
