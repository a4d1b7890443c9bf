//! Compressed bytes of any codec: decoding never panics and never gives more than it may.
#![no_main]

use hdfs_format::compression::Codec;
use libfuzzer_sys::fuzz_target;

const CODECS: [Codec; 6] =
    [Codec::Bzip2, Codec::Deflate, Codec::Gzip, Codec::Lz4, Codec::Snappy, Codec::Zstandard];
const MOST: u64 = 1 << 20;

fuzz_target!(|bytes: &[u8]| {
    let [codec, compressed @ ..] = bytes else { return };
    let codec = CODECS[usize::from(*codec) % CODECS.len()];
    if let Ok(plain) = codec.decode_at_most(compressed, MOST) {
        assert!(plain.len() as u64 <= MOST);
    }
});
