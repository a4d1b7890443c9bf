//! An image: showing and loading it never panics; a tree that loads is whole, and its image is the same tree.
#![no_main]

use hdfs_format::fsimage::{Image, xml};
use hdfs_generate::{image_of, load_image};
use hdfs_namespace::NamespaceConf;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(image) = Image::parse("image", bytes) else { return };
    let mut shown = Vec::new();
    if xml::write_xml(&image, "revision", &mut shown).is_ok() {
        let _ = xml::read_xml(&shown, &mut Vec::new());
    }
    let Ok(namespace) = load_image(bytes, &NamespaceConf::default()) else { return };
    namespace.check_invariants().expect("a loaded tree is whole");
    let saved = image_of(&namespace, namespace.last_txid());
    let loaded =
        load_image(&saved.bytes, &NamespaceConf::default()).expect("what was saved is loaded");
    assert_eq!(loaded.dump(), namespace.dump());
});
