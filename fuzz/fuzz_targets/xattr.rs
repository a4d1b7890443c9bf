//! Name and value of an extended attribute in text, `user.name=0x…`: reading them never panics, and what a value is shown as
//! is read as the same value.
#![no_main]

use hdfs_format::webhdfs::{decode_xattr_value, encode_xattr_value, named_xattr};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    if let Ok(value) = decode_xattr_value(value) {
        for encoding in ["HEX", "BASE64"] {
            let shown = encode_xattr_value(&value, encoding);
            assert_eq!(decode_xattr_value(&shown).ok().as_ref(), Some(&value), "{shown}");
        }
        if std::str::from_utf8(&value).is_ok() {
            let shown = encode_xattr_value(&value, "TEXT");
            assert_eq!(decode_xattr_value(&shown).ok().as_ref(), Some(&value), "{shown}");
        }
        if let Ok(xattr) = named_xattr(name, Some(value.into())) {
            assert!(name.ends_with(&xattr.name));
        }
    }
});
