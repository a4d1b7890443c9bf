//! XML of the edits viewer: reading it never panics; what it means is the same after it was shown again.
#![no_main]

use hdfs_format::edits::xml::{Format, Options, Processor, view};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut segment = Vec::new();
    let options = Options::default();
    if view("edits.xml", bytes, Format::Xml, Processor::Binary, options, &mut segment, |_| {})
        .is_err()
    {
        return;
    }
    let mut shown = Vec::new();
    if view("segment", &segment, Format::Binary, Processor::Xml, options, &mut shown, |_| {})
        .is_err()
    {
        return;
    }
    let mut again = Vec::new();
    view("edits.xml", &shown, Format::Xml, Processor::Binary, options, &mut again, |_| {})
        .expect("our own XML is read");
    assert_eq!(again, segment);
});
