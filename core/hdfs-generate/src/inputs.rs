//! What must hold for any bytes: the bodies of the fuzz targets whose findings are kept as tests.

use hdfs_format::edits::{EditOp, decode_body};
use hdfs_format::fsimage::{Image, xml};
use hdfs_format::layout_version::Layout;
use hdfs_namespace::NamespaceConf;
use hdfs_types::{StorageType, TxId};

use crate::{Generator, image_of, load_image};

/// An image: showing and loading it never panics; a tree that loads is whole, and its image is the same tree.
///
/// # Panics
/// When that does not hold.
pub fn check_image(bytes: &[u8]) {
    let Ok(image) = Image::parse("image", bytes) else { return };
    let mut shown = Vec::new();
    if xml::write_xml(&image, "revision", &mut shown).is_ok() {
        let _ = xml::read_xml(&shown, &mut Vec::new());
    }
    let Ok(namespace) = load_image(bytes, &NamespaceConf::default()) else { return };
    if let Err(reason) = namespace.check_invariants() {
        // Hadoop believes an image, too, when it says how many children a directory had in a snapshot.
        assert!(reason.contains(" shows ") && reason.contains(" children, not "), "{reason}");
        return;
    }
    let saved = image_of(&namespace, namespace.last_txid());
    let loaded =
        load_image(&saved.bytes, &NamespaceConf::default()).expect("what was saved is loaded");
    assert_eq!(loaded.dump(), namespace.dump());
}

/// Operations on a small tree, each a length of two bytes, an opcode and a body: what is applied leaves a tree that is
/// whole, and its image is the same tree.
///
/// # Panics
/// When that does not hold.
pub fn check_replay(bytes: &[u8]) {
    let mut generator = Generator::new(u64::from(bytes.first().copied().unwrap_or(0) % 4));
    for _ in 0..20 {
        generator.step();
    }
    let conf = generator.conf().clone();
    let mut txid = generator.log().len() as u64 + 1;
    let namespace = generator.namespace_mut();
    let mut rest = bytes.get(1..).unwrap_or_default();
    while let [high, low, opcode, body @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low])).min(body.len());
        let (body, after) = body.split_at(length);
        rest = after;
        let Ok(op) = decode_body(*opcode, body, Layout::CURRENT) else { continue };
        // Clients refuse a quota of memory; Hadoop's server takes it, and its image forgets it, as ours does.
        if matches!(&op, EditOp::SetQuotaByStorageType(op) if op.storage_type == StorageType::RamDisk)
        {
            continue;
        }
        if namespace.replay(TxId(txid), &op).is_ok() {
            txid += 1;
            if cfg!(test) {
                namespace.check_invariants().unwrap_or_else(|error| panic!("{op:?}: {error}"));
            }
        }
    }
    while namespace.reclaim_step(1_000).reclaim_pending {}
    namespace.check_invariants().expect("operations leave a whole tree");
    let image = image_of(namespace, TxId(txid));
    let loaded = load_image(&image.bytes, &conf).expect("what was saved is loaded");
    loaded.check_invariants().expect("a loaded tree is whole");
    assert_eq!(loaded.dump(), namespace.dump());
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_fuzzers_found_is_mended() {
        super::check_image(include_bytes!("../tests/inputs/image-of-miscounted-blocks"));
        super::check_replay(include_bytes!("../tests/inputs/replay-of-miscounted-space"));
        super::check_replay(include_bytes!("../tests/inputs/replay-of-a-miscounted-directory"));
    }
}
