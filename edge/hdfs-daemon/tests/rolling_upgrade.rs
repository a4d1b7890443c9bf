//! Rolling upgrades and imported checkpoints, by RPC and restarts.

#![allow(clippy::unwrap_used, reason = "a test that meets None or an error has failed")]

#[path = "namenode/site.rs"]
mod site;

use hdfs_daemon::namenode::{self, NameNodeHandle, StartOption};
use hdfs_proto::hdfs as p;
use hdfs_rt::rpc::client::Proxy;
use hdfs_types::Result;
use site::{Site, client, exists, mkdirs, owner, safe_mode, save_namespace};

type Action = p::RollingUpgradeActionProto;

async fn rolling(client: &Proxy, action: Action) -> Result<Option<p::RollingUpgradeInfoProto>> {
    let request = p::RollingUpgradeRequestProto { action: action as i32 };
    let answer: p::RollingUpgradeResponseProto = client.call("rollingUpgrade", &request).await?;
    Ok(answer.rolling_upgrade_info)
}

/// A NameNode with `/before`, a rolling upgrade, then `/after`.
async fn upgrading(site: &Site) -> (NameNodeHandle, Proxy, p::RollingUpgradeInfoProto) {
    let handle = site.start();
    let client = client(&handle, &owner());
    mkdirs(&client, "/before").await.unwrap();
    safe_mode(&client, p::SafeModeActionProto::SafemodeEnter).await.unwrap();
    let info = rolling(&client, Action::Start).await.unwrap().unwrap();
    // Safe mode is left by the start.
    mkdirs(&client, "/after").await.unwrap();
    (handle, client, info)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_upgrade_outlives_restarts_and_can_be_taken_back() {
    let site = Site::new("rolling-back");
    let handle = site.start();
    let first = client(&handle, &owner());
    assert_eq!(rolling(&first, Action::Query).await.unwrap(), None);
    let message = rolling(&first, Action::Start).await.unwrap_err().message;
    assert_eq!(message, "Safe mode should be turned ON in order to create namespace image.");
    handle.stop().unwrap();

    let (handle, upgraded, info) = upgrading(&site).await;
    assert!(info.created_rollback_images && info.status.finalized == Some(false));
    assert_eq!(rolling(&upgraded, Action::Query).await.unwrap(), Some(info.clone()));
    assert_eq!(
        rolling(&upgraded, Action::Start).await.unwrap(),
        Some(info.clone()),
        "no second one"
    );
    let rollback = site.files("a", "fsimage_rollback_");
    assert_eq!(rollback.len(), 1);
    drop(handle);

    // From the edits, then from an image.
    for _ in 0..2 {
        let handle = site.start();
        let client = client(&handle, &owner());
        assert_eq!(rolling(&client, Action::Query).await.unwrap(), Some(info.clone()));
        assert!(exists(&client, "/after").await);
        save_namespace(&client).await.unwrap();
        handle.stop().unwrap();
    }
    assert_eq!(site.files("a", "fsimage_rollback_"), rollback);

    let handle = namenode::start_with(&site.conf, &StartOption::RollingUpgradeRollback).unwrap();
    let back = client(&handle, &owner());
    assert!(exists(&back, "/before").await && !exists(&back, "/after").await);
    assert_eq!(rolling(&back, Action::Query).await.unwrap(), None);
    mkdirs(&back, "/again").await.unwrap();
    assert_eq!(site.files("b", "fsimage_rollback_"), [""; 0]);
    drop(handle);
    let handle = site.start();
    let again = client(&handle, &owner());
    assert!(exists(&again, "/again").await && !exists(&again, "/after").await);
    handle.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_final_rolling_upgrade_has_no_way_back() {
    let site = Site::new("rolling-final");
    let (handle, upgraded, info) = upgrading(&site).await;
    let done = rolling(&upgraded, Action::Finalize).await.unwrap().unwrap();
    assert_eq!((done.start_time, done.status.finalized), (info.start_time, Some(true)));
    assert!(done.finalize_time >= done.start_time && !done.created_rollback_images);
    assert_eq!(rolling(&upgraded, Action::Query).await.unwrap(), None);
    assert_eq!(rolling(&upgraded, Action::Finalize).await.unwrap(), None);
    assert_eq!(site.files("a", "fsimage_rollback_"), [""; 0]);
    drop(handle);
    let refused = namenode::start_with(&site.conf, &StartOption::RollingUpgradeRollback);
    let message = refused.err().unwrap().message;
    assert!(message.contains("there is no fsimage_rollback_"), "{message}");
    let handle = site.start();
    let restarted = client(&handle, &owner());
    assert!(exists(&restarted, "/after").await);
    assert_eq!(rolling(&restarted, Action::Query).await.unwrap(), None);
    handle.stop().unwrap();
}

/// The layouts of the open segments.
fn open_segments(site: &Site) -> Vec<i32> {
    let files = ["a", "b"].map(|dir| (dir, site.files(dir, "edits_inprogress_")));
    let path =
        |(dir, names): (&str, Vec<String>)| site.root.join(dir).join("current").join(&names[0]);
    let header = |path| std::fs::read(path).unwrap()[..4].try_into().unwrap();
    files.map(path).map(header).map(i32::from_be_bytes).into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_layout_is_kept_until_the_rolling_upgrade_is_final() {
    let site = Site::new("rolling-layout");
    let (handle, _, _) = upgrading(&site).await;
    handle.stop().unwrap();
    let versions = ["a", "b"].map(|dir| site.root.join(dir).join("current/VERSION"));
    for path in &versions {
        let text = std::fs::read_to_string(path).unwrap();
        std::fs::write(path, text.replace("layoutVersion=-67", "layoutVersion=-65")).unwrap();
    }
    let refused = namenode::start(&site.conf).err().unwrap().message;
    assert!(refused.contains("with the \"-rollingUpgrade started\" option"), "{refused}");
    let handle = namenode::start_with(&site.conf, &StartOption::RollingUpgradeStarted).unwrap();
    let client = client(&handle, &owner());
    assert_eq!(open_segments(&site), [-65, -65]);
    mkdirs(&client, "/in-old-layout").await.unwrap();
    save_namespace(&client).await.unwrap();
    assert_eq!(open_segments(&site), [-65, -65]);
    rolling(&client, Action::Finalize).await.unwrap().unwrap();
    for path in &versions {
        assert!(std::fs::read_to_string(path).unwrap().contains("layoutVersion=-67"));
    }
    save_namespace(&client).await.unwrap();
    assert_eq!(open_segments(&site), [-67, -67]);
    drop(handle);
    let handle = site.start();
    assert!(exists(&site::client(&handle, &owner()), "/in-old-layout").await);
    handle.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkpoint_fills_empty_folders_and_only_those() {
    let site = Site::new("import");
    let (handle, _, _) = upgrading(&site).await;
    handle.stop().unwrap();
    let mut conf = site.conf.clone();
    conf.set("dfs.namenode.checkpoint.dir", &format!("{}/a", site.root.display())).unwrap();
    let new = site.root.join("new");
    std::fs::create_dir(&new).unwrap();
    let refused = namenode::start_with(&conf, &StartOption::ImportCheckpoint).err().unwrap();
    assert!(refused.message.contains("already contains an image in"), "{}", refused.message);
    conf.set("dfs.namenode.name.dir", new.to_str().unwrap()).unwrap();
    let handle = namenode::start_with(&conf, &StartOption::ImportCheckpoint).unwrap();
    let imported = client(&handle, &owner());
    assert!(exists(&imported, "/before").await && exists(&imported, "/after").await);
    handle.stop().unwrap();
    let version = |dir: &str| std::fs::read_to_string(site.root.join(dir).join("current/VERSION"));
    let without_date = |text: String| text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(without_date(version("new").unwrap()), without_date(version("a").unwrap()));
    let handle = namenode::start(&conf).unwrap();
    assert!(exists(&client(&handle, &owner()), "/after").await);
    handle.stop().unwrap();
}
