//! `hdfs fsck` on a file that has lost a block: it says so, saves the rest, deletes the file.

use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::site::Site;

/// Runs `hdfs fsck`: status, standard output.
fn fsck(site: &Site, args: &[&str]) -> (i32, String) {
    let args: Vec<&str> = std::iter::once("fsck").chain(args.iter().copied()).collect();
    let output = site.hdfs(&args);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code().expect("it ends by itself"), text)
}

/// Removes the files of a block below a folder.
fn remove_block(folder: &Path, block: &str) -> usize {
    let mut removed = 0;
    for entry in std::fs::read_dir(folder).expect("a folder of a DataNode") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            removed += remove_block(&path, block);
        } else if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(block)) {
            std::fs::remove_file(&path).expect("it is ours");
            removed += 1;
        }
    }
    removed
}

#[test]
fn fsck_saves_what_is_left_of_a_file_and_deletes_it() {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
    let web = free.expect("a free port").to_string();
    let settings = [
        ("dfs.namenode.http-address", web.as_str()),
        ("dfs.namenode.fs-limits.min-block-size", "0"),
        ("dfs.namenode.safemode.threshold-pct", "0"),
    ];
    let mut site = Site::running("fsck", 1, &settings);
    let text: Vec<u8> = (0..2_500_u32).map(|number| number as u8).collect();
    std::fs::write(site.dir.join("file"), &text).expect("write a local file");
    let local = site.dir.join("file").display().to_string();
    let blocks = ["-D", "dfs.blocksize=1024", "-D", "dfs.bytes-per-checksum=512"];
    let put: Vec<&str> = ["dfs"].into_iter().chain(blocks).chain(["-put", &local, "/f"]).collect();
    assert!(site.hdfs(&put).status.success());

    let (status, told) = fsck(&site, &["/f", "-files", "-blocks"]);
    assert_eq!(status, 0, "{told}");
    let second = told.lines().find(|line| line.starts_with("1. ")).expect("the second block");
    let second = &second[second.find("blk_").expect("its name")..];
    let name: String = second.split('_').take(2).collect::<Vec<_>>().join("_");
    site.kill("datanode1");
    assert_eq!(remove_block(&site.dir.join("data1"), &format!("{name}_")), 1, "its meta file");
    assert_eq!(remove_block(&site.dir.join("data1"), &name), 1, "its block file");
    site.start("datanode1");

    let started = Instant::now();
    let told = loop {
        let (status, told) = fsck(&site, &["/f"]);
        if status == 1 {
            break told;
        }
        assert!(started.elapsed() < Duration::from_secs(30), "still healthy:\n{told}");
        std::thread::sleep(Duration::from_millis(50));
    };
    assert!(told.contains("/f: MISSING 1 blocks of total size 1024 B."), "{told}");
    let (status, listed) = fsck(&site, &["/", "-list-corruptfileblocks"]);
    assert_eq!((status, listed.contains(&format!("{name}\t/f\n"))), (255, true), "{listed}");

    let (status, told) = fsck(&site, &["/f", "-move", "-delete"]);
    assert_eq!(status, 1, "{told}");
    let part = |name: &str| site.hdfs(&["dfs", "-cat", name]).stdout;
    assert_eq!(part("/lost+found/f/0"), &text[..1024]);
    assert_eq!(part("/lost+found/f/1"), &text[2048..]);
    assert!(!site.hdfs(&["dfs", "-test", "-e", "/f"]).status.success(), "it is deleted");
    let (status, told) = fsck(&site, &["/"]);
    assert_eq!(status, 0, "{told}");
}
