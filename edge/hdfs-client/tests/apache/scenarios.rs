//! What a client is put through, on any cluster: the same bodies run against Apache's programs and against ours.

#![allow(dead_code, reason = "each cluster runs the scenarios that it can")]

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use hdfs_client::blocking::HdfsClient;
use hdfs_client::{
    CreateOptions, DatanodeReportType, FileKind, RenameOptions, SafeModeAction, SyncOptions, Times,
};
use hdfs_conf::Configuration;
use hdfs_rt::rpc::client::Ugi;
use hdfs_types::{ErrorKind, FsAction, FsPermission, WallMillis};

pub(crate) const MIB: usize = 1 << 20;

/// A cluster of four DataNodes.
pub(crate) trait Cluster {
    /// The clients' configuration with further settings.
    fn configuration(&self, overrides: &[(&str, &str)]) -> Configuration;
    /// Runs a program of Apache's and gives what it prints; `None` where there is none.
    fn hadoop(&self, args: &[&str]) -> Option<Vec<u8>>;
    /// A local folder for files of tests.
    fn local_dir(&self) -> PathBuf;
    /// Where the DataNode with this transfer port keeps its blocks.
    fn data_dir(&self, xfer_port: u16) -> PathBuf;
    /// Loses the DataNode with this transfer port.
    fn lose(&self, xfer_port: u16);
    /// Brings it back, where that can be done.
    fn restore(&self, xfer_port: u16);

    /// Our client, with further settings.
    fn client(&self, overrides: &[(&str, &str)]) -> HdfsClient {
        HdfsClient::connect(&self.configuration(overrides)).unwrap()
    }

    /// Our client as another user.
    fn client_of(&self, user: &str) -> HdfsClient {
        let conf = self.configuration(&[]);
        let uri = conf.get_str(&hdfs_conf::keys::FS_DEFAULT_FS);
        HdfsClient::for_user(uri, &conf, Ugi::new(user)).unwrap()
    }

    /// An empty local folder.
    fn scratch(&self, name: &str) -> PathBuf {
        let dir = self.local_dir().join("scratch").join(name);
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).unwrap();
        dir
    }

    /// Flips a byte of a replica on a DataNode's disk.
    fn damage(&self, block_id: i64, xfer_port: u16) {
        let file = find(&self.data_dir(xfer_port), &format!("blk_{block_id}")).unwrap();
        let mut bytes = std::fs::read(&file).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&file, bytes).unwrap();
    }
}

fn find(dir: &Path, name: &str) -> Option<PathBuf> {
    std::fs::read_dir(dir).ok()?.flatten().find_map(|entry| {
        let path = entry.path();
        if path.is_dir() { find(&path, name) } else { (path.file_name()? == name).then_some(path) }
    })
}

/// A scenario by name.
pub(crate) type Scenario = (&'static str, fn(&dyn Cluster));

/// Runs scenarios in order; `TUSK_SCENARIO` keeps those whose name contains its value.
pub(crate) fn run(cluster: &dyn Cluster, scenarios: &[Scenario]) {
    // A cluster that was up already may hold files of an earlier run.
    let client = cluster.client(&[]);
    for status in client.list("/").map(Result::unwrap).collect::<Vec<_>>() {
        client.delete(&status.path, true).unwrap();
    }
    let only = std::env::var("TUSK_SCENARIO").unwrap_or_default();
    for (name, scenario) in scenarios {
        if name.contains(&only) {
            let started = std::time::Instant::now();
            scenario(cluster);
            println!("ok: {name} ({:.1} s)", started.elapsed().as_secs_f64());
        }
    }
}

/// Bytes that do not repeat by chunk, packet or block.
pub(crate) fn data(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        bytes.extend_from_slice(&(state >> 16).to_le_bytes()[..6]);
    }
    bytes.truncate(length);
    bytes
}

pub(crate) fn small_blocks(replication: u16) -> CreateOptions {
    CreateOptions {
        block_size: Some(MIB as u64),
        replication: Some(replication),
        ..CreateOptions::default()
    }
}

pub(crate) fn write(client: &HdfsClient, path: &str, bytes: &[u8], step: usize) {
    let mut file = client.create(path, small_blocks(2)).unwrap();
    for piece in bytes.chunks(step) {
        file.write_all(piece).unwrap();
    }
    file.close().unwrap();
}

pub(crate) fn read(client: &HdfsClient, path: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    client.open(path).unwrap().read_to_end(&mut bytes).unwrap();
    bytes
}

pub(crate) fn names_are_made_changed_and_described(cluster: &dyn Cluster) {
    let client = cluster.client(&[]);
    assert!(client.mkdirs("/names/a/b", Some(FsPermission(0o777)), true).unwrap());
    let dir = client.status("/names/a/b").unwrap();
    assert_eq!((dir.kind, dir.permission), (FileKind::Directory, FsPermission(0o755)));
    assert_eq!((dir.path.as_str(), dir.name()), ("/names/a/b", "b"));
    write(&client, "/names/a/file", &data(1_000, 1), 100);
    let file = client.status("/names/a/file").unwrap();
    assert_eq!((file.length, file.replication, file.block_size), (1_000, 2, MIB as u64));
    assert_eq!((file.permission, file.owner.as_str()), (FsPermission(0o644), client.user()));
    let names: Vec<String> = client.list("/names/a").map(|status| status.unwrap().path).collect();
    assert_eq!(names, ["/names/a/b", "/names/a/file"]);
    let batched = client.list_batched(&["/names/a", "/names/none", "/names"]).unwrap();
    assert_eq!(batched[0].as_ref().unwrap()[1].path, "/names/a/file");
    assert_eq!(batched[1].as_ref().unwrap_err().kind, ErrorKind::FileNotFound);
    assert_eq!(batched[2].as_ref().unwrap().len(), 1);
    let located: Vec<_> = client.list_located("/names/a").map(Result::unwrap).collect();
    let blocks = located[1].locations.as_ref().unwrap();
    assert_eq!((blocks.blocks.len(), blocks.blocks[0].locations.len()), (1, 2));

    assert!(client.rename("/names/a/file", "/names/a/b").unwrap());
    assert!(client.exists("/names/a/b/file").unwrap());
    write(&client, "/names/other", b"other", 5);
    let overwrite = RenameOptions { overwrite: true, to_trash: false };
    client.rename_with("/names/other", "/names/a/b/file", overwrite).unwrap();
    assert_eq!(read(&client, "/names/a/b/file"), b"other");

    client.set_permission("/names/a", FsPermission(0o1750)).unwrap();
    client.set_owner("/names/a", Some("ann"), Some("staff")).unwrap();
    let times = Times { modification: Some(WallMillis(1_000_000)), access: None };
    client.set_times("/names/a/b/file", times).unwrap();
    assert!(client.set_replication("/names/a/b/file", 1).unwrap());
    let dir = client.status("/names/a").unwrap();
    assert_eq!(dir.permission, FsPermission(0o1750));
    assert_eq!((dir.owner.as_str(), dir.group.as_str()), ("ann", "staff"));
    let file = client.status("/names/a/b/file").unwrap();
    assert_eq!((file.modification_time, file.replication), (WallMillis(1_000_000), 1));

    let summary = client.content_summary("/names").unwrap();
    assert_eq!((summary.file_count, summary.directory_count, summary.length), (1, 3, 5));
    assert_eq!((summary.quota, summary.space_quota), (None, None));
    assert_eq!(client.quota_usage("/names").unwrap().file_and_directory_count, 4);
    client.check_access("/names/a/b/file", FsAction::READ).unwrap();
    assert!(client.is_file_closed("/names/a/b/file").unwrap());
    assert_eq!(client.preferred_block_size("/names/a/b/file").unwrap(), MIB as u64);
    assert_eq!(client.enclosing_root("/names/a").unwrap(), "/");
    assert_eq!(client.storage_policy("/names/a").unwrap().name, "HOT");

    for part in ["one", "two"] {
        write(&client, &format!("/names/{part}"), &data(MIB, 3), MIB);
    }
    client.concat("/names/one", &["/names/two"]).unwrap();
    assert_eq!(client.status("/names/one").unwrap().length, 2 * MIB as u64);
    assert!(client.delete("/names", true).unwrap());
    assert!(!client.delete("/names", true).unwrap());
    assert!(client.file_info("/names").unwrap().is_none());
}

pub(crate) fn errors_have_hadoops_class_and_message(cluster: &dyn Cluster) {
    let client = cluster.client(&[]);
    client.mkdirs("/errors/dir", None, true).unwrap();
    write(&client, "/errors/dir/file", b"x", 1);
    let error = client.open("/errors/none").unwrap_err();
    assert_eq!(error.kind, ErrorKind::FileNotFound);
    assert_eq!(error.message.lines().next(), Some("File does not exist: /errors/none"));
    let error = client.delete("/errors/dir", false).unwrap_err();
    assert_eq!(error.kind, ErrorKind::PathIsNotEmptyDirectory);
    let keep = CreateOptions { overwrite: false, ..CreateOptions::default() };
    let error = client.create("/errors/dir/file", keep).unwrap_err();
    assert_eq!(error.kind, ErrorKind::FileAlreadyExists);
    let error = client.mkdirs("/errors/dir/file/below", None, true).unwrap_err();
    assert_eq!(error.kind, ErrorKind::ParentNotDirectory);
    let alone = CreateOptions { create_parent: false, ..CreateOptions::default() };
    let error = client.create("/errors/no/file", alone).unwrap_err();
    assert_eq!(error.kind, ErrorKind::FileNotFound);
    let odd = CreateOptions { block_size: Some(1_000), ..CreateOptions::default() };
    let error = client.create("/errors/odd", odd).unwrap_err();
    assert_eq!(
        error.message,
        "Invalid values: dfs.bytes-per-checksum (=512) must divide block size (=1000)."
    );
    let stranger = cluster.client_of("stranger");
    let error = stranger.delete("/errors/dir/file", false).unwrap_err();
    assert_eq!(error.kind, ErrorKind::AccessControl);
    assert!(error.message.starts_with("Permission denied: user=stranger, access=WRITE"));
    let mut open = client.create("/errors/open", small_blocks(1)).unwrap();
    let second = cluster.client(&[]);
    let keep = CreateOptions { overwrite: false, ..small_blocks(1) };
    let error = second.create("/errors/open", keep).unwrap_err();
    assert_eq!(error.kind, ErrorKind::AlreadyBeingCreated);
    open.write_all(b"1").unwrap();
    open.close().unwrap();
    client.delete("/errors", true).unwrap();
}

pub(crate) fn administrators_calls_answer(cluster: &dyn Cluster) {
    let client = cluster.client(&[]);
    let live = client.datanode_report(DatanodeReportType::Live).unwrap();
    assert_eq!(live.len(), 4);
    assert!(live.iter().all(|node| node.capacity > 0 && node.location == "/default-rack"));
    let storages = client.datanode_storage_report(DatanodeReportType::Live).unwrap();
    assert!(storages.iter().all(|report| report.storages.len() == 1));
    assert!(client.fs_stats().unwrap().capacity > 0);
    assert_eq!(client.replicated_block_stats().unwrap().missing_blocks, 0);
    assert_eq!(client.server_defaults().unwrap().bytes_per_checksum, 512);
    assert!(client.storage_policies().unwrap().iter().any(|policy| policy.name == "COLD"));
    let mut open = client.create("/open", small_blocks(1)).unwrap();
    open.write_all(b"1").unwrap();
    open.hflush().unwrap();
    let files = client.list_open_files(None, false).unwrap();
    assert!(files.iter().any(|file| file.path == "/open"));
    open.close().unwrap();
    assert!(!client.set_safe_mode(SafeModeAction::Get).unwrap());
    assert!(client.set_safe_mode(SafeModeAction::Enter).unwrap());
    let error = client.mkdirs("/safe", None, true).unwrap_err();
    assert_eq!(error.kind, ErrorKind::SafeMode);
    assert!(client.save_namespace(0, 0).unwrap());
    assert!(!client.set_safe_mode(SafeModeAction::Leave).unwrap());
    assert!(client.roll_edits().unwrap().0 > 1);
    client.refresh_nodes().unwrap();
    client.msync().unwrap();
    // There is no state without high availability.
    assert_eq!(client.ha_service_state().unwrap_err().kind, ErrorKind::ServiceFailed);
    client.delete("/open", false).unwrap();
}

pub(crate) fn an_erasure_coded_file_without_bytes_is_made_and_read(cluster: &dyn Cluster) {
    let client = cluster.client(&[]);
    let policy = "XOR-2-1-1024k";
    client.enable_erasure_coding_policy(policy).unwrap();
    client.mkdirs("/coded", None, true).unwrap();
    client.set_erasure_coding_policy("/coded", Some(policy)).unwrap();
    client.create("/coded/empty", CreateOptions::default()).unwrap().close().unwrap();
    assert_eq!(read(&client, "/coded/empty"), b"");
    assert!(client.list_open_files(None, false).unwrap().iter().all(|f| f.path != "/coded/empty"));
    let mut full = client.create("/coded/full", CreateOptions::default()).unwrap();
    let refused = full.write_all(b"1").and_then(|()| full.flush()).unwrap_err();
    assert!(refused.to_string().contains("not supported yet"), "{refused}");
    drop(full);
    client.delete("/coded", true).unwrap();
}

pub(crate) fn an_append_may_begin_at_any_byte_of_a_chunk(cluster: &dyn Cluster) {
    let blocking = cluster.client(&[]);
    let client = blocking.inner().clone();
    let expected = data(5_000, 4);
    // Apache's NameNode makes a client wait 400 ms at most closes; so many files at a time.
    blocking.block_on(async {
        let mut tasks = tokio::task::JoinSet::new();
        for length in 0..514_usize {
            let (client, expected) = (client.clone(), expected.clone());
            tasks.spawn(async move {
                let path = format!("/append/{length}");
                let mut file = client.create(&path, small_blocks(1)).await.unwrap();
                file.write(&expected[..length]).await.unwrap();
                file.close().await.unwrap();
                let mut file = client.append(&path, false).await.unwrap();
                assert_eq!(file.position(), length as u64);
                // Inside the chunk, with flushes, and beyond it.
                let mut at = length;
                for step in [1, 30, 200, 700, 1_400] {
                    file.write(&expected[at..at + step]).await.unwrap();
                    file.hflush().await.unwrap();
                    at += step;
                }
                file.write(&expected[at..]).await.unwrap();
                file.close().await.unwrap();
                let reader = client.open(&path).await.unwrap();
                let mut got = vec![0; 5_000];
                assert_eq!(reader.read_at(0, &mut got).await.unwrap(), 5_000);
                assert!(got == expected, "appended at {length}");
            });
            if tasks.len() >= 64 {
                tasks.join_next().await.unwrap().unwrap();
            }
        }
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
    });
    // Java verifies the checksums that the DataNodes made.
    let local = cluster.scratch("append");
    if cluster.hadoop(&["fs", "-get", "/append/*", local.to_str().unwrap()]).is_some() {
        for length in 0..514 {
            assert!(std::fs::read(local.join(length.to_string())).unwrap() == expected, "{length}");
        }
    }
    // A full last block, and a new block on demand.
    write(&blocking, "/append/full", &data(MIB, 5), MIB);
    for new_block in [false, true] {
        let mut file = blocking.append("/append/full", new_block).unwrap();
        file.write_all(b"more").unwrap();
        file.close().unwrap();
    }
    let got = read(&blocking, "/append/full");
    assert!(got[..MIB] == data(MIB, 5) && &got[MIB..] == b"moremore");
    let blocks = blocking.block_locations("/append/full", 0, u64::MAX >> 1).unwrap().blocks;
    assert_eq!(blocks.len(), 3);
    blocking.delete("/append", true).unwrap();
}

pub(crate) fn flushed_bytes_are_visible(cluster: &dyn Cluster) {
    let client = cluster.client(&[]);
    let reader = cluster.client(&[]);
    let expected = data(3 * MIB, 6);
    let mut file = client.create("/flush", small_blocks(3)).unwrap();
    let mut at = 0;
    for (index, step) in [1, 510, 2, 70_000, 5, MIB, 900_000].into_iter().enumerate() {
        file.write_all(&expected[at..at + step]).unwrap();
        at += step;
        match index % 3 {
            0 => file.hflush().unwrap(),
            1 => file.hsync().unwrap(),
            _ => file.hsync_with(SyncOptions { update_length: true, end_block: false }).unwrap(),
        }
        let got = read(&reader, "/flush");
        assert_eq!(got.len(), at);
        assert!(got == expected[..at], "after {at} bytes");
        if index % 3 == 2 {
            assert_eq!(reader.status("/flush").unwrap().length, at as u64);
        }
    }
    file.hsync_with(SyncOptions { update_length: true, end_block: true }).unwrap();
    let printed = cluster.hadoop(&["fs", "-cat", "/flush"]);
    assert!(printed.is_none_or(|printed| printed == expected[..at]));
    file.write_all(&expected[at..]).unwrap();
    file.close().unwrap();
    assert!(read(&reader, "/flush") == expected);
    client.delete("/flush", false).unwrap();
}

pub(crate) fn an_idle_writer_keeps_its_pipeline(cluster: &dyn Cluster) {
    // Heartbeats every 100 ms, and a pipeline that is silent for 5.2 s is given up.
    let client = cluster.client(&[("dfs.client.socket-timeout", "200")]);
    let mut file = client.create("/idle", small_blocks(1)).unwrap();
    file.write_all(b"before").unwrap();
    file.hflush().unwrap();
    let generation = || {
        let blocks = client.block_locations("/idle", 0, 1).unwrap().blocks;
        blocks[0].block.block.generation_stamp
    };
    let before = generation();
    std::thread::sleep(Duration::from_millis(6_500));
    file.write_all(b" and after").unwrap();
    file.close().unwrap();
    assert_eq!(generation(), before, "the pipeline was not rebuilt");
    assert_eq!(read(&client, "/idle"), b"before and after");
    client.delete("/idle", false).unwrap();
}

pub(crate) fn a_truncated_file_is_read_to_its_new_end(cluster: &dyn Cluster) {
    let client = cluster.client(&[]);
    let bytes = data(2 * MIB + 1_000, 7);
    for length in [2 * MIB + 999, 2 * MIB, MIB + 513, MIB, 100, 0] {
        write(&client, "/truncate", &bytes, MIB);
        let open = client.open("/truncate").unwrap();
        if !client.truncate("/truncate", length as u64).unwrap() {
            client.wait_for_truncate("/truncate", length as u64).unwrap();
        }
        assert!(read(&client, "/truncate") == bytes[..length], "{length}");
        // A reader from before still reads what is left.
        let mut some = vec![0; length.min(50)];
        open.read_exact_at(0, &mut some).unwrap();
        assert!(some == bytes[..some.len()]);
    }
    client.delete("/truncate", false).unwrap();
}

pub(crate) fn a_cut_leaves_snapshots_as_they_were(cluster: &dyn Cluster) {
    let client = cluster.client(&[]);
    let bytes = data(2 * MIB + 1_000, 9);
    client.mkdirs("/kept", None, true).unwrap();
    client.allow_snapshot("/kept").unwrap();
    write(&client, "/kept/file", &bytes, MIB);
    let lengths = [2 * MIB + 999, 2 * MIB + 998, MIB + 513, MIB, 100];
    for (number, length) in lengths.into_iter().enumerate() {
        client.create_snapshot("/kept", Some(&format!("s{number}"))).unwrap();
        if !client.truncate("/kept/file", length as u64).unwrap() {
            client.wait_for_truncate("/kept/file", length as u64).unwrap();
        }
        assert!(read(&client, "/kept/file") == bytes[..length], "{length}");
    }
    let before = |number: usize| if number == 0 { bytes.len() } else { lengths[number - 1] };
    for number in [2, 0, 4, 1, 3] {
        for number in 0..lengths.len() {
            let path = format!("/kept/.snapshot/s{number}/file");
            if client.exists(&path).unwrap() {
                assert!(read(&client, &path) == bytes[..before(number)], "{number}");
            }
        }
        client.delete_snapshot("/kept", &format!("s{number}")).unwrap();
    }
    assert!(read(&client, "/kept/file") == bytes[..100]);
    client.disallow_snapshot("/kept").unwrap();
    client.delete("/kept", true).unwrap();
}

pub(crate) fn a_corrupt_replica_is_left_for_another(cluster: &dyn Cluster) {
    let client = cluster.client(&[]);
    let bytes = data(300_000, 8);
    let mut file = client.create("/corrupt", small_blocks(2)).unwrap();
    file.write_all(&bytes).unwrap();
    file.close().unwrap();
    let located = client.block_locations("/corrupt", 0, 1).unwrap().blocks.remove(0);
    let port = located.locations[0].datanode.xfer_port;
    cluster.damage(located.block.block.id.0, port);
    // The NameNode mixes the replicas: ask until the damaged one came first, was found out and reported.
    let is_reported = || {
        let now = client.block_locations("/corrupt", 0, 1).unwrap().blocks.remove(0);
        now.locations.iter().all(|place| place.datanode.xfer_port != port)
    };
    for attempt in 0.. {
        assert!(attempt < 100, "the damaged replica was never reported");
        let mut got = vec![0; 1_000];
        client.open("/corrupt").unwrap().read_exact_at(150_000, &mut got).unwrap();
        assert!(got == bytes[150_000..151_000]);
        assert!(read(&client, "/corrupt") == bytes);
        if is_reported() {
            break;
        }
    }
    client.delete("/corrupt", false).unwrap();
}

pub(crate) fn a_write_survives_a_killed_datanode(cluster: &dyn Cluster) {
    let client = cluster.client(&[]);
    let bytes = data(8 * MIB, 9);
    let options = CreateOptions { block_size: Some(16 << 20), ..small_blocks(3) };
    for place in [0, 1, 2] {
        let path = format!("/killed/{place}");
        let mut file = client.create(&path, options.clone()).unwrap();
        file.write_all(&bytes[..3 * MIB + 100]).unwrap();
        file.hflush().unwrap();
        let located = client.block_locations(&path, 0, 1).unwrap().blocks.remove(0);
        let port = located.locations[place].datanode.xfer_port;
        cluster.lose(port);
        file.write_all(&bytes[3 * MIB + 100..]).unwrap();
        file.close().unwrap();
        assert!(read(&client, &path) == bytes, "DataNode {place} of the pipeline");
        cluster.restore(port);
        // The same when only the end of the block is left to be sent.
        let path = format!("/killed/closing{place}");
        let mut file = client.create(&path, options.clone()).unwrap();
        file.write_all(&bytes[..MIB + 7]).unwrap();
        file.hflush().unwrap();
        let located = client.block_locations(&path, 0, 1).unwrap().blocks.remove(0);
        let port = located.locations[place].datanode.xfer_port;
        cluster.lose(port);
        file.close().unwrap();
        assert!(read(&client, &path) == bytes[..MIB + 7], "DataNode {place}, closing");
        cluster.restore(port);
    }
    client.delete("/killed", true).unwrap();
}

pub(crate) fn a_flushed_write_gets_another_datanode(cluster: &dyn Cluster) {
    let client = cluster.client(&[]);
    let bytes = data(4 * MIB, 10);
    let options = CreateOptions { block_size: Some(16 << 20), ..small_blocks(3) };
    let mut file = client.create("/replaced", options).unwrap();
    file.write_all(&bytes[..MIB + 333]).unwrap();
    file.hflush().unwrap();
    let located = client.block_locations("/replaced", 0, 1).unwrap().blocks.remove(0);
    let port = located.locations[1].datanode.xfer_port;
    cluster.lose(port);
    file.write_all(&bytes[MIB + 333..]).unwrap();
    file.hflush().unwrap();
    let now = client.block_locations("/replaced", 0, 1).unwrap().blocks.remove(0);
    assert_eq!(now.locations.len(), 3, "the fourth DataNode joined");
    assert!(now.locations.iter().all(|place| place.datanode.xfer_port != port));
    assert!(now.block.block.generation_stamp > located.block.block.generation_stamp);
    file.close().unwrap();
    assert!(read(&client, "/replaced") == bytes);
    cluster.restore(port);
    client.delete("/replaced", false).unwrap();
}

pub(crate) fn who_watches_is_told_what_happens(cluster: &dyn Cluster) {
    let client = cluster.client(&[]);
    let mut watcher = client.watch().unwrap();
    let start = watcher.last_read().unwrap();
    client.mkdirs("/watched", Some(FsPermission(0o750)), true).unwrap();
    write(&client, "/watched/a", &data(1000, 12), 1000);
    client.rename("/watched/a", "/watched/b").unwrap();
    // The log goes on in another file.
    client.roll_edits().unwrap();
    client.set_permission("/watched/b", FsPermission(0o600)).unwrap();
    client.set_owner("/watched/b", Some("else"), None).unwrap();
    client.delete("/watched", true).unwrap();
    let told = events_until_unlinked(&mut watcher);
    let expected = [
        "create /watched Directory 750",
        "create /watched/a File 644",
        "close /watched/a Some(1000)",
        "rename /watched/a /watched/b",
        "metadata /watched/b Permission(FsPermission(384))",
        "metadata /watched/b Owner { owner: Some(\"else\"), group: None }",
        "unlink /watched",
    ];
    assert_eq!(told, expected);
    assert!(watcher.txids_behind_estimate().is_some());
    assert_eq!(watcher.poll().unwrap(), None);
    assert_eq!(events_until_unlinked(&mut client.watch_from(start)), expected, "as the log has it");
    let error = cluster.client_of("nobody-special").watch().unwrap_err();
    assert_eq!(error.kind, ErrorKind::AccessControl, "{error}");
}

/// Events about `/watched`, until it is gone.
fn events_until_unlinked(watcher: &mut hdfs_client::blocking::EventStream) -> Vec<String> {
    use hdfs_client::{CreatedKind, Event};
    let mut told = Vec::new();
    while told.last().is_none_or(|last| last != "unlink /watched") {
        let batch = watcher.poll_for(Duration::from_secs(20)).unwrap().expect("events are late");
        told.extend(batch.events.into_iter().map(|event| match event {
            Event::Create { path, kind, permission, .. } => {
                let kind = if kind == CreatedKind::Directory { "Directory" } else { "File" };
                format!("create {path} {kind} {:o}", permission.0)
            }
            Event::Close { path, length, .. } => format!("close {path} {length:?}"),
            Event::Rename { source, target, .. } => format!("rename {source} {target}"),
            Event::Metadata { path, change } => format!("metadata {path} {change:?}"),
            Event::Unlink { path, .. } => format!("unlink {path}"),
            other => format!("{other:?}"),
        }));
        told.retain(|event| event.contains("/watched"));
    }
    told
}

pub(crate) fn a_read_survives_a_killed_datanode(cluster: &dyn Cluster) {
    let client = cluster.client(&[]);
    let bytes = data(6 * MIB, 11);
    let options = CreateOptions { block_size: Some(8 << 20), ..small_blocks(2) };
    let mut file = client.create("/survives", options).unwrap();
    file.write_all(&bytes).unwrap();
    file.close().unwrap();
    let mut reader = client.open("/survives").unwrap();
    let mut got = vec![0; 100_000];
    reader.read_exact(&mut got).unwrap();
    let located = client.block_locations("/survives", 0, 1).unwrap().blocks.remove(0);
    let port = located.locations[0].datanode.xfer_port;
    cluster.lose(port);
    std::thread::sleep(Duration::from_millis(200));
    let mut rest = Vec::new();
    reader.read_to_end(&mut rest).unwrap();
    got.extend(rest);
    assert!(got == bytes);
    let mut some = vec![0; 5_000];
    client.open("/survives").unwrap().read_exact_at(4 << 20, &mut some).unwrap();
    assert!(some == bytes[4 << 20..(4 << 20) + 5_000]);
    cluster.restore(port);
    client.delete("/survives", false).unwrap();
}
