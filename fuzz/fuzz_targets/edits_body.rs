//! The body of one operation, without the checksum that keeps mutations out: layout, opcode, body. What decodes in the
//! layout of today is the same after it was written and read again.
#![no_main]

use hdfs_format::edits::{Expected, SegmentReader, decode_body, encode_header, encode_op};
use hdfs_format::layout_version::Layout;
use hdfs_types::TxId;
use libfuzzer_sys::fuzz_target;

const LAYOUTS: [i32; 12] = [-67, -66, -65, -64, -63, -60, -57, -50, -40, -30, -20, -16];

fuzz_target!(|bytes: &[u8]| {
    let [layout, opcode, body @ ..] = bytes else { return };
    let layout = Layout::of(LAYOUTS[usize::from(*layout) % LAYOUTS.len()]);
    let Ok(op) = decode_body(*opcode, body, layout) else { return };
    if op.check_strings().is_err() {
        return;
    }
    let mut segment = Vec::new();
    encode_header(&mut segment);
    encode_op(&mut segment, TxId(1), &op);
    let mut reader =
        SegmentReader::open("segment", &segment, Expected::default()).expect("it has a header");
    let (_, again) =
        reader.next().expect("what was written is read").expect("there is one operation");
    let mut written = Vec::new();
    encode_header(&mut written);
    encode_op(&mut written, TxId(1), &again);
    assert_eq!(written, segment, "{op:?} became {again:?}");
});
