//! What a keystore's entries hold once they are unsealed: any bytes are a key or are refused, and a key is written as it
//! was read.
#![no_main]

use bytes::Bytes;
use hdfs_format::keystore::Key;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(key) = Key::decode(Bytes::copy_from_slice(bytes)) {
        assert_eq!(Key::decode(key.encode().into()).expect("what is written is read"), key);
    }
});
