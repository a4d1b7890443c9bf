//! Java's keystores: any file is read or refused; one that is read is written again, and read the same. The hash at the
//! end is set right first, or no change of the fuzzer would come further.
#![no_main]

use hdfs_format::keystore::KeyStore;
use libfuzzer_sys::fuzz_target;
use sha1::{Digest, Sha1};

/// The password is hashed a million times at most: a fuzzer has no time for that.
const PASSWORD: &str = "none";

fuzz_target!(|body: &[u8]| {
    let mut sha = Sha1::new();
    for unit in PASSWORD.encode_utf16() {
        sha.update(unit.to_be_bytes());
    }
    sha.update(b"Mighty Aphrodite");
    sha.update(body);
    let file = [body, &sha.finalize()].concat();
    let Ok(store) = KeyStore::decode(&file.into(), PASSWORD) else { return };
    let again = KeyStore::decode(&store.encode(PASSWORD).into(), PASSWORD);
    let again = again.expect("what is written is read");
    let aliases = |store: &KeyStore| store.aliases().map(str::to_owned).collect::<Vec<_>>();
    let (mut before, mut after) = (aliases(&store), aliases(&again));
    before.sort();
    after.sort();
    assert_eq!(before, after);
});
