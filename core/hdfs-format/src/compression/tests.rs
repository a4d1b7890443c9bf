use super::*;

const ALL_CODECS: [Codec; 6] =
    [Codec::Bzip2, Codec::Deflate, Codec::Gzip, Codec::Lz4, Codec::Snappy, Codec::Zstandard];

/// Compressed in writes of uneven lengths.
fn encoded(codec: Codec, bytes: &[u8]) -> Vec<u8> {
    let mut encoder = Encoder::new(codec);
    let mut out = Vec::new();
    for piece in bytes.chunks(100_003) {
        encoder.write(piece).expect("a Vec grows");
        encoder.drain_into(&mut out);
    }
    out.append(&mut encoder.finish().expect("a Vec grows"));
    out
}

/// Text that compresses somewhat.
fn sample(len: usize) -> Vec<u8> {
    let mut state = 7_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        b"directory/0123456789"[(state >> 16) as usize % 20]
    };
    (0..len).map(|_| next()).collect()
}

#[test]
fn every_codec_gives_back_what_it_got() {
    for codec in ALL_CODECS {
        for len in [0, 1, 1_000, 300_001] {
            let bytes = sample(len);
            let packed = encoded(codec, &bytes);
            assert!(!packed.is_empty(), "{codec:?}: even nothing is a stream");
            assert_eq!(codec.decode(&packed).expect("it is whole"), bytes, "{codec:?} {len}");
        }
        assert_eq!(Codec::of_class(&codec.class()), Some(codec));
    }
}

#[test]
fn streams_that_follow_each_other_are_one() {
    for codec in ALL_CODECS {
        let packed = [&b"first "[..], b"", b"second"].map(|bytes| encoded(codec, bytes)).concat();
        assert_eq!(codec.decode(&packed).expect("it is whole"), b"first second", "{codec:?}");
    }
}

#[test]
fn a_stream_gives_no_more_than_is_allowed() {
    for codec in ALL_CODECS {
        let packed = encoded(codec, &vec![b'x'; 1_000_000]);
        assert!(codec.decode_at_most(&packed, 999_999).is_err(), "{codec:?}");
        assert_eq!(codec.decode_at_most(&packed, 1_000_000).expect("it fits").len(), 1_000_000);
    }
}

#[test]
fn damage_is_an_error_or_other_bytes_and_never_a_panic() {
    for codec in ALL_CODECS {
        let packed = encoded(codec, &sample(3_000));
        for position in (0..packed.len()).step_by(11) {
            let mut damaged = packed.clone();
            damaged[position] ^= 0x41;
            let _ = codec.decode_at_most(&damaged, 1 << 20);
            let _ = codec.decode_at_most(&packed[..position], 1 << 20);
        }
    }
}
