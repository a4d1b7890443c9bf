//! Checksums that Apache's DataNode wrote and Apache's client printed.

use hdfs_datapath::checksum::{append_sums, verify};
use hdfs_datapath::file_checksum::{
    composite_block_crc, composite_file_crc, md5_block_crc, md5_of_md5s, md5md5crc_algorithm,
    md5md5crc_bytes,
};
use hdfs_datapath::{ChecksumSpec, ChecksumType};
use hdfs_format::block_meta::META_HEADER_BYTES;

macro_rules! replica {
    ($id:literal, $stamp:literal) => {{
        macro_rules! path {
            ($name:literal) => {
                concat!(
                    "../../../testdata/hadoop-3.5.0/volume/current/",
                    "BP-1743102183-127.0.0.1-1795258412836/current/finalized/subdir0/subdir0/blk_",
                    $name
                )
            };
        }
        let data: &[u8] = include_bytes!(path!($id));
        let meta: &[u8] = include_bytes!(path!($stamp));
        (data, meta)
    }};
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn blocks_and_files_have_the_checksums_that_apache_prints() {
    let replicas = [
        (
            replica!("1073741825", "1073741825_1001.meta"),
            "dc236201841049096ad31b6213203a90",
            "527d5351",
        ),
        (
            replica!("1073741826", "1073741826_1002.meta"),
            "f00f2403deacead866df85ed37330289",
            "8989c83a",
        ),
        (
            replica!("1073741827", "1073741827_1003.meta"),
            "bf1c950a23581b1c1913e21795dcdde1",
            "68fad3d8",
        ),
        (
            replica!("1073741828", "1073741828_1004.meta"),
            "f882e4b5a5e3d3007e8578363a234cd3",
            "5a2e0a71",
        ),
    ];
    for ((data, meta), md5, composite) in replicas {
        let spec = ChecksumSpec::decode_header(meta).unwrap();
        let sums = &meta[META_HEADER_BYTES..];
        assert_eq!(verify(spec, data, sums), Ok(()));
        let mut written = spec.encode_header().to_vec();
        append_sums(spec, data, &mut written);
        assert_eq!(written, meta);
        let file = md5_of_md5s(&[md5_block_crc(sums)]);
        let printed = format!("000002000000000000000000{md5}");
        assert_eq!(hex(&md5md5crc_bytes(spec.bytes_per_checksum, 0, file)), printed);
        let block = composite_block_crc(spec, sums, data.len() as u64, 0).unwrap();
        let block = u32::from_be_bytes(block.try_into().unwrap());
        let whole = composite_file_crc(spec.kind, &[(block, data.len() as u64)]);
        assert_eq!(hex(&whole.to_be_bytes()), composite);
    }
    let crc32 = ChecksumSpec { kind: ChecksumType::Crc32, bytes_per_checksum: 512 };
    assert_eq!(md5md5crc_algorithm(crc32, 0), "MD5-of-0MD5-of-512CRC32");
}
