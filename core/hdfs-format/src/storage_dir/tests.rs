use super::*;
use hdfs_types::{SplitMix64, TxId, WallMillis};

const NOW: WallMillis = WallMillis(1_795_253_399_000);

#[test]
fn version_files_come_back() {
    let mut rng = SplitMix64(7);
    let (namespace_id, cluster_id) = (new_namespace_id(&mut rng), new_cluster_id(&mut rng));
    let block_pool = new_block_pool_id(&mut rng, "127.0.0.1", NOW);
    let (storage, datanode) = (new_storage_uuid(&mut rng), new_datanode_uuid(&mut rng));

    let name_node = NameNodeVersion::new(namespace_id, cluster_id.clone(), block_pool.clone());
    let printed = name_node.print(NOW);
    assert!(printed.starts_with("#Sat Nov 21 09:29:59 UTC 2026\nnamespaceID="), "{printed}");
    assert_eq!(NameNodeVersion::parse("VERSION", printed.as_bytes()), Ok(name_node));

    let data_node = DataNodeVersion::new(cluster_id, storage, datanode);
    let printed = data_node.print(NOW);
    assert_eq!(DataNodeVersion::parse("VERSION", printed.as_bytes()), Ok(data_node));
    let error = NameNodeVersion::parse("name/VERSION", printed.as_bytes()).unwrap_err().to_string();
    assert!(error.contains("storageType is DATA_NODE, expected NAME_NODE"), "{error}");

    let pool = BlockPoolVersion::new(namespace_id, NOW, block_pool);
    assert_eq!(BlockPoolVersion::parse("VERSION", pool.print(NOW).as_bytes()), Ok(pool));
}

#[test]
fn a_version_file_without_a_key_names_it() {
    let text = b"layoutVersion=-67\nstorageType=NAME_NODE\nnamespaceID=x\n";
    let error = NameNodeVersion::parse("VERSION", text).unwrap_err().to_string();
    assert!(error.contains("namespaceID is \"x\", not a number"), "{error}");
    let text = b"layoutVersion=-67\nstorageType=NAME_NODE\nnamespaceID=1\n";
    let error = NameNodeVersion::parse("VERSION", text).unwrap_err().to_string();
    assert!(error.contains("clusterID is missing"), "{error}");
}

#[test]
fn uuids_are_of_version_4() {
    let uuid = random_uuid(&mut SplitMix64(1));
    assert_eq!(uuid.len(), 36);
    assert_eq!(uuid.as_bytes()[14], b'4');
    assert!(b"89ab".contains(&uuid.as_bytes()[19]), "{uuid}");
}

#[test]
fn small_files_come_back_and_damage_is_named() {
    assert_eq!(parse_number("seen_txid", print_number(42).as_bytes()), Ok(42));
    for damaged in [&b""[..], b"-1\n", b"4 2\n", b"\n"] {
        assert!(parse_number("seen_txid", damaged).is_err());
    }
    let (md5, image) = ([0xAB; 16], ImageFile::Image(TxId(42)));
    assert_eq!(image.name(), "fsimage_0000000000000000042");
    let printed = print_md5(&md5, &image.name());
    assert_eq!(printed, "abababababababababababababababab *fsimage_0000000000000000042\n");
    assert_eq!(parse_md5("x.md5", printed.as_bytes(), &image.name()), Ok(md5));
    assert!(parse_md5("x.md5", printed.as_bytes(), "fsimage_0000000000000000043").is_err());
    assert!(parse_md5("x.md5", b"abab *f", "f").is_err());
}

#[test]
fn names_of_images_are_told_apart() {
    for file in
        [ImageFile::Image(TxId(1)), ImageFile::Checkpoint(TxId(2)), ImageFile::Rollback(TxId(3))]
    {
        assert_eq!(ImageFile::parse(&file.name()), Some(file));
        assert_eq!(ImageFile::parse(&file.md5_name()), None);
    }
}
