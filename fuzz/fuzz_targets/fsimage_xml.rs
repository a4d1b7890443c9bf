//! XML of the image viewer: making an image of it never panics, and that image can be parsed and shown.
#![no_main]

use hdfs_format::fsimage::{Image, xml};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut made = Vec::new();
    if xml::read_xml(bytes, &mut made).is_err() {
        return;
    }
    let image = Image::parse("image", &made).expect("what was made is an image");
    let _ = xml::write_xml(&image, "revision", &mut Vec::new());
});
