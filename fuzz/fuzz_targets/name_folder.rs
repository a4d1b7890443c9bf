//! The small files of name folders and of users: VERSION of any layout, MD5 files, numbers, names of files, token files. What
//! is read is read again as it was written.
#![no_main]

use hdfs_format::block_meta::ChecksumSpec;
use hdfs_format::credentials::{Credentials, DelegationTokenIdentifier};
use hdfs_format::edits::EditsFile;
use hdfs_format::layout_version::{Feature, Layout};
use hdfs_format::reserved_names::ReservedNames;
use hdfs_format::storage_dir::{
    BlockPoolVersion, DataNodeVersion, ImageFile, JournalNodeVersion, NameNodeVersion, Properties,
    parse_md5, parse_number, print_md5, print_number,
};
use hdfs_types::WallMillis;
use libfuzzer_sys::fuzz_target;

const FILE: &str = "file";
const TIME: WallMillis = WallMillis(1_795_253_399_999);
const LAYOUTS: [i32; 6] = [-67, -43, -42, -39, -30, -16];

macro_rules! version {
    ($type:ty, $bytes:expr) => {
        if let Ok(version) = <$type>::parse(FILE, $bytes) {
            let again = <$type>::parse(FILE, version.print(TIME).as_bytes());
            // Old layouts have less in their files than those of today.
            if Layout::of(version.layout_version).supports(Feature::Federation) {
                assert_eq!(again, Ok(version));
            }
        }
    };
}

fuzz_target!(|bytes: &[u8]| {
    let [which, bytes @ ..] = bytes else { return };
    match which {
        0 => version!(NameNodeVersion, bytes),
        1 => version!(DataNodeVersion, bytes),
        2 => version!(BlockPoolVersion, bytes),
        3 => version!(JournalNodeVersion, bytes),
        4 => {
            if let Ok(md5) = parse_md5(FILE, bytes, "fsimage_1") {
                let printed = print_md5(&md5, "fsimage_1");
                assert_eq!(parse_md5(FILE, printed.as_bytes(), "fsimage_1"), Ok(md5));
            }
        }
        5 => {
            if let Ok(number) = parse_number(FILE, bytes) {
                assert_eq!(parse_number(FILE, print_number(number).as_bytes()), Ok(number));
            }
        }
        6 => {
            if let Ok(properties) = Properties::parse(bytes) {
                let printed = properties.print(TIME);
                assert_eq!(Properties::parse(printed.as_bytes()), Ok(properties));
            }
        }
        7 => {
            if let Ok(credentials) = Credentials::decode(bytes) {
                let again = Credentials::decode(&credentials.encode());
                assert_eq!(again.expect("what is written is read"), credentials);
            }
        }
        8 => {
            if let Ok(identifier) = DelegationTokenIdentifier::decode(bytes) {
                let _ = identifier.to_string();
            }
        }
        9 => drop(ChecksumSpec::decode_header(bytes)),
        _ => names(&String::from_utf8_lossy(bytes)),
    }
});

fn names(text: &str) {
    if let Some(image) = ImageFile::parse(text) {
        assert_eq!(ImageFile::parse(&image.name()), Some(image));
    }
    if let Some(edits) = EditsFile::parse(text) {
        let _ = edits.first();
    }
    let _ = hdfs_conf::parse_bytes(text);
    let (pairs, path) = text.split_once(' ').unwrap_or((text, text));
    let names = ReservedNames::parse(pairs).unwrap_or_default();
    for layout in LAYOUTS.map(Layout::of) {
        if let Ok(Some(renamed)) = names.rename(path.as_bytes(), layout) {
            assert_ne!(renamed, path.as_bytes());
        }
    }
}
