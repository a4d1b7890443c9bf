//! What must hold for any bytes: the bodies of the fuzz targets whose findings are kept as tests.

use std::io;

use hdfs_format::edits::{EditOp, decode_body};
use hdfs_format::fsimage::legacy::{self, LegacyOptions, view};
use hdfs_format::fsimage::{Image, xml};
use hdfs_format::layout_version::Layout;
use hdfs_format::reserved_names::ReservedNames;
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

/// Most elements of an old image that are looked at: each path is shown whole, so that deep trees have long views.
const MOST_ELEMENTS: usize = 20_000;

/// An image from before protobuf: walking through it and making one of today never panics, and what is made can be read.
///
/// # Panics
/// When that does not hold, or as [`check_image`].
pub fn check_legacy(bytes: &[u8]) {
    for skips_blocks in [false, true] {
        let _ = view::walk(bytes, skips_blocks, &mut Elements::default());
    }
    let names = ReservedNames::parse(".snapshot=.was-snapshot").expect("a pair");
    let options = LegacyOptions { names, ..LegacyOptions::default() };
    let Ok(made) = legacy::convert("image", bytes, &options) else { return };
    Image::parse("image", &made).expect("what was made is an image");
    check_image(&made);
}

/// Counts what is entered and left.
#[derive(Default)]
struct Elements {
    open: usize,
    seen: usize,
}

impl Elements {
    fn see(&mut self) -> io::Result<()> {
        self.seen += 1;
        if self.seen > MOST_ELEMENTS { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(()) }
    }
}

impl view::Visitor for Elements {
    fn visit(&mut self, _: &'static str, _: view::Value) -> io::Result<()> {
        assert!(self.open > 0, "everything is in the image");
        self.see()
    }

    fn enter(&mut self, _: &'static str, _: Option<(&'static str, i64)>) -> io::Result<()> {
        self.open += 1;
        self.see()
    }

    fn leave(&mut self) -> io::Result<()> {
        self.open = self.open.checked_sub(1).expect("what is left was entered");
        Ok(())
    }
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
        super::check_replay(include_bytes!(
            "../tests/inputs/replay-of-a-directive-that-is-no-text"
        ));
        super::check_replay(include_bytes!("../tests/inputs/replay-of-a-policy-of-a-link"));
        super::check_replay(include_bytes!("../tests/inputs/replay-of-an-attribute-of-a-link"));
        super::check_replay(include_bytes!("../tests/inputs/replay-of-a-pool-out-of-range"));
    }

    #[test]
    fn old_images_that_are_cut_or_changed_are_refused_or_whole() {
        let image: &[u8] = include_bytes!("../../../testdata/hadoop-3.5.0/legacy/layout-51");
        super::check_legacy(image);
        for at in (4..image.len()).step_by(7) {
            super::check_legacy(&image[..at]);
            let mut changed = image.to_vec();
            changed[at] ^= 0x81;
            super::check_legacy(&changed);
        }
    }
}
