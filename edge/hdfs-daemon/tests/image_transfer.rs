//! `/imagetransfer` and NamenodeProtocol: what nodes that make checkpoints take from a NameNode, and bring to it.

#![allow(clippy::unwrap_used, reason = "a test that meets None or an error has failed")]

#[path = "namenode/site.rs"]
mod site;

use std::time::Duration;

use hdfs_conf::HostPort;
use hdfs_daemon::namenode::NameNodeHandle;
use hdfs_proto::hdfs as p;
use hdfs_proto::hdfs::namenode as n;
use hdfs_rt::http::client::{self, Response};
use hdfs_rt::rpc::client::Proxy;
use hdfs_rt::rpc::server::Protocol;
use hdfs_types::ErrorKind;
use site::{Site, mkdirs, owner, proxy, save_namespace};

const NAMENODE: Protocol =
    Protocol { java_name: "org.apache.hadoop.hdfs.server.protocol.NamenodeProtocol", version: 1 };

fn web(handle: &NameNodeHandle) -> HostPort {
    HostPort::new("127.0.0.1", handle.http_addr().port())
}

fn body(response: Response) -> Vec<u8> {
    let mut out = Vec::new();
    response.copy_to(&mut out).unwrap();
    out
}

async fn get(handle: &NameNodeHandle, query: &str) -> Response {
    let (web, path) = (web(handle), format!("/imagetransfer?{query}"));
    tokio::task::spawn_blocking(move || client::get(&web, &path).unwrap()).await.unwrap()
}

/// Sends an image; the status of the answer, and its reason phrase.
async fn put(handle: &NameNodeHandle, query: String, md5: String, image: Vec<u8>) -> (u16, String) {
    let (web, path) = (web(handle), format!("/imagetransfer?{query}"));
    let send = move || {
        let limits = (Duration::from_secs(10), Duration::from_secs(10));
        let length = image.len() as u64;
        let headers = [("X-MD5-Digest", md5.as_str())];
        client::put_within(&web, &path, &headers, (&mut image.as_slice(), length), limits).unwrap()
    };
    let response = tokio::task::spawn_blocking(send).await.unwrap();
    (response.status, response.reason)
}

async fn signature(namenode: &Proxy) -> p::CheckpointSignatureProto {
    let request = n::RollEditLogRequestProto {};
    let answer: n::RollEditLogResponseProto = namenode.call("rollEditLog", &request).await.unwrap();
    answer.signature
}

fn storage_info(signature: &p::CheckpointSignatureProto) -> String {
    let info = &signature.storage_info;
    let layout = info.layout_version.cast_signed();
    format!("{layout}:{}:{}:{}", info.namespce_id, info.c_time, info.cluster_id)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn images_and_edits_are_sent_with_name_length_and_digest() {
    let site = Site::new("transfer-get");
    let handle = site.start();
    let (client, namenode) = (site::client(&handle, &owner()), proxy(&handle, &owner(), NAMENODE));
    mkdirs(&client, "/d").await.unwrap();
    let signature = signature(&namenode).await;
    let request = n::GetEditLogManifestRequestProto { since_tx_id: 1 };
    let manifest: n::GetEditLogManifestResponseProto =
        namenode.call("getEditLogManifest", &request).await.unwrap();
    let logs = manifest.manifest.logs;
    assert_eq!(logs.len(), 1);
    let range = (logs[0].start_tx_id, logs[0].end_tx_id);
    assert_eq!(manifest.manifest.committed_txn_id, Some(range.1));
    assert_eq!(signature.cur_segment_tx_id, range.1 + 1);

    let edits = get(&handle, &format!("getedit=1&startTxId={}&endTxId={}", range.0, range.1)).await;
    assert_eq!(edits.status, 200);
    let name = edits.header("x-image-edits-name").unwrap().to_owned();
    let on_disk = std::fs::read(site.root.join("a/current").join(name)).unwrap();
    assert_eq!(body(edits), on_disk);

    let info = storage_info(&signature);
    let image = get(&handle, &format!("getimage=1&txid=0&storageInfo={info}")).await;
    assert_eq!(image.header("x-image-edits-name"), Some("fsimage_0000000000000000000"));
    let digest = image.header("x-md5-digest").unwrap().to_owned();
    let line = std::fs::read_to_string(site.root.join("b/current/fsimage_0000000000000000000.md5"));
    assert!(line.unwrap().starts_with(&digest));
    let image = body(image);
    let latest = body(get(&handle, "getimage=1&txid=latest").await);
    assert_eq!(image, latest);

    for (query, status, reason) in [
        ("getimage=1&txid=7", 410, "Could not find image with txid 7"),
        ("getedit=1&startTxId=1&endTxId=999", 410, "No edits file for range 1-999"),
        ("getimage=1&getedit=1", 410, "Illegal parameters to TransferFsImage"),
        ("getimage=1&txid=0&storageInfo=-1:2:3:x", 403, "but the secondary expected -1:2:3:x"),
    ] {
        let refused = get(&handle, query).await;
        assert_eq!(refused.status, status, "{query}");
        assert!(refused.reason.contains(reason), "{query}: {}", refused.reason);
    }
    handle.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_image_is_taken_once_whole_and_of_this_file_system() {
    let mut site = Site::new("transfer-put");
    site.conf.set("dfs.namenode.checkpoint.txns", "1").unwrap();
    let handle = site.start();
    let (client, namenode) = (site::client(&handle, &owner()), proxy(&handle, &owner(), NAMENODE));
    mkdirs(&client, "/d").await.unwrap();
    save_namespace(&client).await.unwrap();
    let latest = get(&handle, "getimage=1&txid=latest").await;
    let (digest, image) = (latest.header("x-md5-digest").unwrap().to_owned(), body(latest));
    let signature = signature(&namenode).await;
    let info = storage_info(&signature);
    // What an image of a later transaction says inside is its maker's business: here it is an older one's bytes.
    let txid = signature.cur_segment_tx_id - 1;
    let query = |info: &str, length: usize| {
        format!("txid={txid}&imageFile=IMAGE&File-Length={length}&storageInfo={info}")
    };
    let length = image.len();
    let of = |status: u16, reason: &'static str| (status, reason);
    for (query, digest, (status, reason)) in [
        (query(&info, length + 1), digest.clone(), of(410, "is not of the advertised size")),
        (query(&info, length), "0".repeat(32), of(410, "does not match advertised digest")),
        (query("-67:1:1:x", length), digest.clone(), of(403, "but the secondary expected")),
        (query(&info, length), "xyz".to_owned(), of(410, "Wrong MD5")),
    ] {
        let (found, text) = put(&handle, query, digest, image.clone()).await;
        assert_eq!(found, status, "{text}");
        assert!(text.contains(reason), "{text}");
        assert_eq!(site.files("a", "fsimage.ckpt"), [""; 0], "nothing is left behind");
    }
    let (status, _) = put(&handle, query(&info, length), digest.clone(), image.clone()).await;
    assert_eq!(status, 200);
    for dir in ["a", "b"] {
        assert!(site.files(dir, "fsimage_").contains(&format!("fsimage_{txid:019}")));
    }
    let request = n::GetMostRecentCheckpointTxIdRequestProto {};
    let answer: n::GetMostRecentCheckpointTxIdResponseProto =
        namenode.call("getMostRecentCheckpointTxId", &request).await.unwrap();
    assert_eq!(answer.tx_id, txid);
    let (status, text) = put(&handle, query(&info, length), digest, image).await;
    assert_eq!(status, 409, "{text}");
    handle.stop().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkpoint_node_registers_and_is_told_to_begin() {
    let site = Site::new("subordinate");
    let handle = site.start();
    let namenode = proxy(&handle, &owner(), NAMENODE);
    let signature = signature(&namenode).await;
    let registration = p::NamenodeRegistrationProto {
        rpc_address: "127.0.0.1:50100".to_owned(),
        http_address: "127.0.0.1:50105".to_owned(),
        storage_info: signature.storage_info.clone(),
        role: Some(p::namenode_registration_proto::NamenodeRoleProto::Checkpoint as i32),
    };
    let request = n::RegisterRequestProto { registration: registration.clone() };
    let own: n::RegisterResponseProto =
        namenode.call("registerSubordinateNamenode", &request).await.unwrap();
    assert_eq!(own.registration.storage_info, signature.storage_info);
    let request = n::StartCheckpointRequestProto { registration: registration.clone() };
    let begun: n::StartCheckpointResponseProto =
        namenode.call("startCheckpoint", &request).await.unwrap();
    assert_eq!(begun.command.action, 51);
    let signature = begun.command.checkpoint_cmd.unwrap().signature;
    let request = n::EndCheckpointRequestProto { registration: registration.clone(), signature };
    let _: n::EndCheckpointResponseProto = namenode.call("endCheckpoint", &request).await.unwrap();

    let mut stranger = registration;
    stranger.storage_info.namespce_id += 1;
    let request = n::StartCheckpointRequestProto { registration: stranger.clone() };
    let refused = namenode.call::<_, n::StartCheckpointResponseProto>("startCheckpoint", &request);
    assert_eq!(refused.await.unwrap_err().kind, ErrorKind::UnregisteredNode);
    let request = n::RegisterRequestProto { registration: stranger };
    let refused =
        namenode.call::<_, n::RegisterResponseProto>("registerSubordinateNamenode", &request);
    let message = refused.await.unwrap_err().message;
    assert!(message.starts_with("Incompatible namespaceIDs:"), "{message}");
    handle.stop().unwrap();
}
