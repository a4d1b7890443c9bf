//! Name folders of a test, a NameNode on them, and what tests ask it.

#![allow(dead_code, reason = "every test program uses a part of it")]

use std::path::PathBuf;
use std::sync::Arc;

use hdfs_conf::Configuration;
use hdfs_daemon::namenode::{self, FormatOptions, Formatted, NameNodeHandle};
use hdfs_proto::hdfs as p;
use hdfs_rt::rpc::client::{ClientConf, Proxy, RpcClient, Ugi};
use hdfs_rt::rpc::server::Protocol;
use hdfs_types::Result;

const CLIENT: Protocol =
    Protocol { java_name: "org.apache.hadoop.hdfs.protocol.ClientProtocol", version: 1 };

/// Name folders of one test, and the configuration that names them.
pub(crate) struct Site {
    pub(crate) root: PathBuf,
    pub(crate) conf: Configuration,
}

impl Site {
    /// Two name folders, formatted.
    pub(crate) fn new(test: &str) -> Self {
        let root =
            std::env::temp_dir().join(format!("tusk-namenode-{test}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&root);
        let mut conf = Configuration::new();
        let dirs = format!("{0}/a,{0}/b", root.display());
        for (key, value) in [
            ("fs.defaultFS", "hdfs://127.0.0.1:0"),
            ("dfs.namenode.http-address", "127.0.0.1:0"),
            ("dfs.namenode.name.dir", &*dirs),
            ("dfs.namenode.resource.du.reserved", "0"),
            ("dfs.namenode.num.extra.edits.retained", "0"),
        ] {
            conf.set(key, value).unwrap();
        }
        let site = Self { root, conf };
        assert_eq!(
            namenode::format(&site.conf, &FormatOptions::default()).unwrap(),
            Formatted::Done
        );
        site
    }

    pub(crate) fn start(&self) -> NameNodeHandle {
        namenode::start(&self.conf).unwrap()
    }

    pub(crate) fn files(&self, dir: &str, prefix: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.root.join(dir).join("current")).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.starts_with(prefix) && !name.ends_with(".md5"))
            .collect();
        names.sort();
        names
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.root);
    }
}

pub(crate) fn client(handle: &NameNodeHandle, user: &str) -> Proxy {
    proxy(handle, user, CLIENT)
}

/// A caller of any protocol.
pub(crate) fn proxy(handle: &NameNodeHandle, user: &str, protocol: Protocol) -> Proxy {
    let ugi = Arc::new(Ugi::new(user));
    Proxy::new(handle.rpc_addr(), protocol, &RpcClient::new(ClientConf::default()), &ugi)
}

pub(crate) fn owner() -> String {
    hdfs_rt::users::current_user()
}

pub(crate) async fn mkdirs(client: &Proxy, path: &str) -> Result<bool> {
    let request = p::MkdirsRequestProto {
        src: path.to_owned(),
        masked: p::FsPermissionProto { perm: 0o755 },
        create_parent: true,
        unmasked: None,
    };
    let answer: p::MkdirsResponseProto = client.call("mkdirs", &request).await?;
    Ok(answer.result)
}

pub(crate) async fn exists(client: &Proxy, path: &str) -> bool {
    let request = p::GetFileInfoRequestProto { src: path.to_owned() };
    let answer: p::GetFileInfoResponseProto = client.call("getFileInfo", &request).await.unwrap();
    answer.fs.is_some()
}

pub(crate) async fn safe_mode(client: &Proxy, action: p::SafeModeActionProto) -> Result<bool> {
    let request = p::SetSafeModeRequestProto { action: action as i32, checked: None };
    let answer: p::SetSafeModeResponseProto = client.call("setSafeMode", &request).await?;
    Ok(answer.result)
}

pub(crate) async fn save_namespace(client: &Proxy) -> Result<()> {
    safe_mode(client, p::SafeModeActionProto::SafemodeEnter).await?;
    let request = p::SaveNamespaceRequestProto { time_window: None, tx_gap: None };
    let _: p::SaveNamespaceResponseProto = client.call("saveNamespace", &request).await?;
    safe_mode(client, p::SafeModeActionProto::SafemodeLeave).await?;
    Ok(())
}
