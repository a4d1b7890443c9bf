//! A SecondaryNameNode beside a NameNode: what it takes, merges and sends back.

#![allow(clippy::unwrap_used, reason = "a test that meets None or an error has failed")]

#[path = "namenode/site.rs"]
mod site;

use hdfs_conf::Configuration;
use hdfs_daemon::namenode::{self, NameNodeHandle, SecondaryNameNode, StartOption};
use hdfs_types::TxId;
use site::{Site, client, exists, mkdirs, owner};
use tokio::sync::watch;

/// The configuration of a secondary of this NameNode.
fn secondary_conf(site: &Site, handle: &NameNodeHandle) -> Configuration {
    let mut conf = site.conf.clone();
    for (key, value) in [
        ("fs.defaultFS", format!("hdfs://{}", handle.rpc_addr())),
        ("dfs.namenode.http-address", handle.http_addr().to_string()),
        ("dfs.namenode.secondary.http-address", "127.0.0.1:0".to_owned()),
        ("dfs.namenode.checkpoint.dir", format!("{}/ckpt", site.root.display())),
    ] {
        conf.set(key, &value).unwrap();
    }
    conf
}

/// Makes directories in a NameNode.
fn make(handle: &NameNodeHandle, paths: &[&str]) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = client(handle, &owner());
    for path in paths {
        assert!(runtime.block_on(mkdirs(&client, path)).unwrap());
    }
}

fn images(site: &Site, dir: &str) -> Vec<String> {
    site.files(dir, "fsimage_")
}

#[test]
fn checkpoints_take_what_is_new_and_come_back_as_images() {
    let mut site = Site::new("secondary");
    // Every image is welcome, however young the last one is.
    site.conf.set("dfs.namenode.checkpoint.txns", "1").unwrap();
    let handle = site.start();
    make(&handle, &["/a", "/b"]);
    let secondary = SecondaryNameNode::new(&secondary_conf(&site, &handle), false).unwrap();
    assert_eq!(secondary.uncheckpointed().unwrap(), 3);
    let first = secondary.checkpoint().unwrap();
    assert_eq!(first, TxId(4), "the segment's start, two directories, its end");
    let name = |txid: TxId| format!("fsimage_{:019}", txid.0);
    for dir in ["a", "b", "ckpt"] {
        assert_eq!(images(&site, dir), [name(TxId(0)), name(first)], "{dir}");
    }
    // The second one goes on from memory: no image travels.
    make(&handle, &["/c"]);
    let second = secondary.checkpoint().unwrap();
    assert_eq!(images(&site, "ckpt"), [name(first), name(second)]);
    assert_eq!(images(&site, "a"), [name(first), name(second)]);
    drop(secondary);
    // A new process starts from what is in the folder.
    make(&handle, &["/d"]);
    let secondary = SecondaryNameNode::new(&secondary_conf(&site, &handle), false).unwrap();
    let third = secondary.checkpoint().unwrap();
    assert!(images(&site, "b").contains(&name(third)));
    drop(secondary);
    handle.stop().unwrap();

    // The image is what a restart loads, and what fills empty folders.
    let handle = site.start();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for path in ["/a", "/b", "/c", "/d"] {
        assert!(runtime.block_on(exists(&client(&handle, &owner()), path)), "{path}");
    }
    handle.stop().unwrap();
    let mut conf = site.conf.clone();
    let (new, ckpt) = (site.root.join("new"), site.root.join("ckpt"));
    std::fs::create_dir(&new).unwrap();
    conf.set("dfs.namenode.name.dir", new.to_str().unwrap()).unwrap();
    conf.set("dfs.namenode.checkpoint.dir", ckpt.to_str().unwrap()).unwrap();
    let handle = namenode::start_with(&conf, &StartOption::ImportCheckpoint).unwrap();
    assert!(runtime.block_on(exists(&client(&handle, &owner()), "/d")));
    handle.stop().unwrap();
}

#[test]
fn the_checkpoints_of_another_file_system_are_left_alone() {
    let (site, other) = (Site::new("secondary-ours"), Site::new("secondary-other"));
    let handle = site.start();
    let conf = secondary_conf(&site, &handle);
    SecondaryNameNode::new(&conf, false).unwrap().checkpoint().unwrap();
    let before = images(&site, "ckpt");
    handle.stop().unwrap();
    let handle = other.start();
    let mut conf = secondary_conf(&other, &handle);
    conf.set("dfs.namenode.checkpoint.dir", &format!("{}/ckpt", site.root.display())).unwrap();
    let secondary = SecondaryNameNode::new(&conf, false).unwrap();
    let message = secondary.checkpoint().unwrap_err().message;
    assert!(message.starts_with("Inconsistent checkpoint fields.\nLV = -67"), "{message}");
    assert_eq!(images(&site, "ckpt"), before);
    drop(secondary);
    // Unless they are to go.
    SecondaryNameNode::new(&conf, true).unwrap().checkpoint().unwrap();
    handle.stop().unwrap();
}

#[test]
fn checkpoints_are_made_as_transactions_come_in() {
    let site = Site::new("secondary-serve");
    let handle = site.start();
    let mut conf = secondary_conf(&site, &handle);
    conf.set("dfs.namenode.checkpoint.check.period", "10ms").unwrap();
    let secondary = SecondaryNameNode::new(&conf, false).unwrap();
    let (stop, stopped) = watch::channel(false);
    std::thread::scope(|scope| {
        let served = scope.spawn(|| secondary.serve(stopped));
        // The first one is due at once.
        while !site.root.join("ckpt/current/VERSION").exists() {
            std::thread::yield_now();
        }
        stop.send_replace(true);
        assert_eq!(served.join().unwrap().unwrap(), 0);
    });
    handle.stop().unwrap();
}
