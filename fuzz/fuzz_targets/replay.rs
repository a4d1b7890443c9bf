//! Operations, each a length of two bytes, an opcode and a body, replayed on a tree: what fails changes nothing, what is
//! applied leaves a tree that is whole, and its image loads again.
#![no_main]

use hdfs_format::edits::decode_body;
use hdfs_format::layout_version::Layout;
use hdfs_generate::{Generator, image_of, load_image};
use hdfs_types::TxId;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut generator = Generator::new(u64::from(bytes.first().copied().unwrap_or(0) % 4));
    for _ in 0..20 {
        generator.step();
    }
    let conf = generator.conf().clone();
    let first = generator.log().len() as u64 + 1;
    let namespace = generator.namespace_mut();
    let mut rest = bytes.get(1..).unwrap_or_default();
    let mut txid = first;
    while let [high, low, opcode, body @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(body.len());
        let (body, after) = body.split_at(length);
        rest = after;
        let Ok(op) = decode_body(*opcode, body, Layout::CURRENT) else { continue };
        if namespace.replay(TxId(txid), &op).is_ok() {
            txid += 1;
        }
    }
    while namespace.reclaim_step(1_000).reclaim_pending {}
    namespace.check_invariants().expect("operations leave a whole tree");
    let image = image_of(namespace, TxId(txid));
    let loaded = load_image(&image.bytes, &conf).expect("what was saved is loaded");
    loaded.check_invariants().expect("a loaded tree is whole");
    assert_eq!(loaded.dump(), namespace.dump());
});
