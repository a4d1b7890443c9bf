//! A NameNode in this process, called over RPC, dropped as if it were killed, and started again on its folders.

#![allow(clippy::unwrap_used, reason = "a test that meets None or an error has failed")]

#[path = "namenode/site.rs"]
mod site;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hdfs_daemon::namenode::{self, FormatOptions, Formatted};
use hdfs_proto::hdfs as p;
use hdfs_types::ErrorKind;
use site::{Site, client, exists, mkdirs, owner, safe_mode, save_namespace};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_acknowledged_call_is_there_after_kills_under_load() {
    let site = Site::new("kill");
    let mut acknowledged = vec![0; 8];
    for round in 0..5_u64 {
        let handle = site.start();
        let counters: Vec<_> =
            acknowledged.iter().map(|of| Arc::new(AtomicU64::new(*of))).collect();
        let writers: Vec<_> = counters
            .iter()
            .enumerate()
            .map(|(writer, counter)| {
                let (client, counter) = (client(&handle, &owner()), counter.clone());
                tokio::spawn(async move {
                    loop {
                        let next = counter.load(Ordering::SeqCst) + 1;
                        if mkdirs(&client, &format!("/w{writer}/{next}")).await.is_err() {
                            return;
                        }
                        counter.store(next, Ordering::SeqCst);
                    }
                })
            })
            .collect();
        let wanted = acknowledged.iter().sum::<u64>() + 300 + 100 * round;
        while counters.iter().map(|of| of.load(Ordering::SeqCst)).sum::<u64>() < wanted {
            tokio::task::yield_now().await;
        }
        // Without stop(): the segment stays open, as after kill -9.
        drop(handle);
        for writer in &writers {
            writer.abort();
        }
        acknowledged = counters.iter().map(|of| of.load(Ordering::SeqCst)).collect();
    }
    let handle = site.start();
    let client = client(&handle, &owner());
    for (writer, count) in acknowledged.iter().enumerate() {
        for number in 1..=*count {
            assert!(exists(&client, &format!("/w{writer}/{number}")).await, "/w{writer}/{number}");
        }
    }
    handle.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn checkpoints_replace_edits_and_old_ones_are_purged() {
    let site = Site::new("checkpoint");
    let handle = site.start();
    let admin = client(&handle, &owner());
    for number in 0..3 {
        assert!(mkdirs(&admin, &format!("/{number}")).await.unwrap());
        save_namespace(&admin).await.unwrap();
    }
    assert!(mkdirs(&admin, "/last").await.unwrap());
    drop(handle);
    // Each round logs a folder, the end of its segment and the start of the next.
    let images = ["fsimage_0000000000000000006", "fsimage_0000000000000000009"];
    assert_eq!(site.files("a", "fsimage"), images);
    assert_eq!(site.files("b", "fsimage"), images);
    assert_eq!(
        site.files("a", "edits"),
        ["edits_0000000000000000007-0000000000000000009", "edits_inprogress_0000000000000000010"]
    );
    // One folder is lost: it is filled again from the other one.
    std::fs::remove_dir_all(site.root.join("a/current")).unwrap();
    let handle = site.start();
    let admin = client(&handle, &owner());
    for path in ["/0", "/1", "/2", "/last"] {
        assert!(exists(&admin, path).await, "{path}");
    }
    handle.stop().unwrap();
    assert!(!site.files("a", "fsimage").is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_image_falls_back_to_the_older_one_with_its_edits() {
    let mut site = Site::new("fallback");
    site.conf.set("dfs.namenode.num.extra.edits.retained", "1000").unwrap();
    let handle = site.start();
    let admin = client(&handle, &owner());
    assert!(mkdirs(&admin, "/a").await.unwrap());
    save_namespace(&admin).await.unwrap();
    assert!(mkdirs(&admin, "/b").await.unwrap());
    drop(handle);
    for dir in ["a", "b"] {
        damage(&site.root.join(dir).join("current/fsimage_0000000000000000003"));
    }
    let handle = site.start();
    let admin = client(&handle, &owner());
    assert!(exists(&admin, "/a").await && exists(&admin, "/b").await);
    handle.stop().unwrap();
    for dir in ["a", "b"] {
        damage(&site.root.join(dir).join("current/fsimage_0000000000000000000"));
    }
    let error = namenode::start(&site.conf).err().expect("no image is whole");
    assert!(error.message.contains("is corrupt with MD5 checksum"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn images_are_compressed_and_cut_when_the_settings_say_so() {
    let mut site = Site::new("compressed");
    for (key, value) in [
        ("dfs.image.compress", "true"),
        ("dfs.image.compression.codec", "org.apache.hadoop.io.compress.GzipCodec"),
        ("dfs.image.parallel.load", "true"),
        ("dfs.image.parallel.inode.threshold", "1"),
    ] {
        site.conf.set(key, value).unwrap();
    }
    let handle = site.start();
    let admin = client(&handle, &owner());
    assert!(mkdirs(&admin, "/a/b").await.unwrap());
    save_namespace(&admin).await.unwrap();
    handle.stop().unwrap();
    let image = site.files("b", "fsimage").pop().unwrap();
    let bytes = std::fs::read(site.root.join("b/current").join(&image)).unwrap();
    let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds("org.apache.hadoop.io.compress.GzipCodec") && holds("INODE_DIR_SUB"));
    // The codec of an image is its own: the settings are about writing.
    site.conf.set("dfs.image.compress", "false").unwrap();
    let handle = site.start();
    assert!(exists(&client(&handle, &owner()), "/a/b").await);
    handle.stop().unwrap();

    site.conf.set("dfs.image.compress", "true").unwrap();
    site.conf.set("dfs.image.compression.codec", "org.example.Codec").unwrap();
    let error = namenode::start(&site.conf).err().expect("nobody knows that codec");
    assert_eq!(error.message, "Not a supported codec: org.example.Codec");
}

fn damage(image: &Path) {
    let mut bytes = std::fs::read(image).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(image, bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn others_may_neither_administer_nor_write_where_they_have_no_right() {
    let site = Site::new("rights");
    let handle = site.start();
    let other = client(&handle, "somebody");
    let error = mkdirs(&other, "/x").await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::AccessControl);
    assert!(
        error.message.starts_with("Permission denied: user=somebody, access=WRITE, inode=\"/\":"),
        "{error}"
    );
    let error = safe_mode(&other, p::SafeModeActionProto::SafemodeEnter).await.unwrap_err();
    assert_eq!(
        error.message.lines().next(),
        Some("Access denied for user somebody. Superuser privilege is required")
    );
    assert!(!safe_mode(&other, p::SafeModeActionProto::SafemodeGet).await.unwrap());
    handle.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_built_answers_so_and_never_success() {
    let site = Site::new("unsupported");
    let handle = site.start();
    let admin = client(&handle, &owner());
    let answer = admin.call::<_, ()>("cancelDelegationToken", &()).await;
    assert_eq!(answer.unwrap_err().kind, ErrorKind::UnsupportedOperation);
    let answer = admin.call::<_, ()>("noSuchCall", &()).await;
    assert_eq!(answer.unwrap_err().kind, ErrorKind::RpcNoSuchMethod);
    handle.stop().unwrap();
}

#[test]
fn a_second_namenode_on_the_same_folders_is_refused() {
    let site = Site::new("twice");
    let handle = site.start();
    let error = namenode::start(&site.conf).err().expect("the folders are in use");
    assert!(error.message.contains("already locked"), "{error}");
    handle.stop().unwrap();
    site.start().stop().unwrap();
}

#[test]
fn formatting_again_needs_force_or_consent() {
    let site = Site::new("reformat");
    let careful = FormatOptions { non_interactive: true, ..FormatOptions::default() };
    assert_eq!(namenode::format(&site.conf, &careful).unwrap(), Formatted::Aborted);
    let before = std::fs::read(site.root.join("a/current/VERSION")).unwrap();
    let forced = FormatOptions { force: true, cluster_id: Some("CID-x".to_owned()), ..careful };
    assert_eq!(namenode::format(&site.conf, &forced).unwrap(), Formatted::Done);
    let after = std::fs::read(site.root.join("a/current/VERSION")).unwrap();
    assert_ne!(before, after);
    assert!(String::from_utf8(after).unwrap().contains("clusterID=CID-x"));
}
