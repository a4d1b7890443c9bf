//! Files in an encryption zone: encrypted on the DataNodes, whole for those who have the key, encrypted anew on demand and
//! after a restart.

#![expect(clippy::unwrap_used, reason = "the whole file is a test")]

use std::io::Write as _;
use std::time::{Duration, Instant};

use hdfs_client::CreateOptions;
use hdfs_client::blocking::HdfsClient;
use hdfs_conf::Configuration;
use hdfs_daemon::minicluster::{MiniCluster, MiniClusterOptions};
use hdfs_rt::key_provider::{KeyOptions, KeyProvider, KeyProviderConf};

fn read(client: &HdfsClient, path: &str) -> Vec<u8> {
    let reader = client.open(path).unwrap();
    let mut bytes = vec![0; reader.len() as usize];
    reader.read_exact_at(0, &mut bytes).unwrap();
    bytes
}

fn version(client: &HdfsClient, path: &str) -> String {
    client.file_encryption_info(path).unwrap().expect("it is in a zone").ez_key_version_name
}

#[test]
fn files_in_a_zone_are_encrypted_and_their_keys_follow_the_zones() {
    let dir = std::env::temp_dir().join(format!("tusk-zones-{}", std::process::id()));
    let uri = format!("jceks://file{}/keys.jceks", dir.display());
    let conf = KeyProviderConf { uri: uri.clone(), ..KeyProviderConf::default() };
    let keys = KeyProvider::open(&conf).unwrap();
    keys.create("k", &KeyOptions::from_configuration(&Configuration::new()).unwrap(), 1).unwrap();
    let start = || {
        let mut options = MiniClusterOptions::new(&dir);
        options.datanodes = 1;
        options.settings.push(("hadoop.security.key.provider.path".into(), uri.clone()));
        MiniCluster::start(options).unwrap()
    };
    let cluster = start();
    let client = HdfsClient::connect(cluster.conf()).unwrap();
    client.mkdirs("/z", None, true).unwrap();
    let unknown = client.create_encryption_zone("/z", "unknown").unwrap_err();
    assert_eq!(unknown.message, "Key unknown doesn't exist.");
    client.create_encryption_zone("/z", "k").unwrap();

    let plain: Vec<u8> = (0..100_000_u32).map(|index| (index * 7 % 251) as u8).collect();
    let mut writer = client.create("/z/f", CreateOptions::default()).unwrap();
    writer.write_all(&plain[..70_001]).unwrap();
    writer.close().unwrap();
    let mut writer = client.append("/z/f", false).unwrap();
    writer.write_all(&plain[70_001..]).unwrap();
    writer.close().unwrap();
    assert!(read(&client, "/z/f") == plain);
    let mut some = [0; 100];
    client.open("/z/f").unwrap().read_exact_at(69_950, &mut some).unwrap();
    assert_eq!(some, plain[69_950..70_050]);
    let raw = read(&client, "/.reserved/raw/z/f");
    assert!(raw.len() == plain.len() && raw != plain);

    assert_eq!(version(&client, "/z/f"), "k@0");
    keys.roll("k", 2).unwrap();
    client.reencrypt_encryption_zone("/z", false).unwrap();
    cluster.stop().unwrap();
    let cluster = start();
    let client = HdfsClient::connect(cluster.conf()).unwrap();
    let since = Instant::now();
    while client.reencryption_status().unwrap()[0].completion_time.is_none() {
        assert!(since.elapsed() < Duration::from_secs(30), "it goes on");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(version(&client, "/z/f"), "k@1");
    assert!(read(&client, "/z/f") == plain);
    assert!(read(&client, "/.reserved/raw/z/f") == raw);
    cluster.stop().unwrap();
    std::fs::remove_dir_all(dir).unwrap();
}
