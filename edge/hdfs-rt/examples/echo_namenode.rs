//! A server that answers `getFileInfo` with the same directory for every path: to measure the RPC server alone, and to
//! try a client on it. `cargo run --example echo_namenode -- 127.0.0.1:23110`

use std::sync::Arc;

use hdfs_proto::hdfs::hdfs_file_status_proto::FileType;
use hdfs_proto::hdfs::{
    FsPermissionProto, GetFileInfoRequestProto, GetFileInfoResponseProto, HdfsFileStatusProto,
};
use hdfs_rt::rpc::server::{Protocol, Reply, RpcCall, RpcService, Server, ServerConf, Workers};
use prost::Message;

struct Echo;

const PROTOCOLS: [Protocol; 1] =
    [Protocol { java_name: "org.apache.hadoop.hdfs.protocol.ClientProtocol", version: 1 }];

impl RpcService for Echo {
    fn protocols(&self) -> &[Protocol] {
        &PROTOCOLS
    }

    fn call(&self, call: RpcCall<'_>) -> Reply {
        match call.method {
            "getFileInfo" => match call.decode::<GetFileInfoRequestProto>() {
                Ok(request) if request.src.starts_with("/later") => Reply::later(async {
                    tokio::task::yield_now().await;
                    let answer = GetFileInfoResponseProto { fs: Some(status()) };
                    Ok(answer.encode_to_vec().into())
                }),
                Ok(_) => Reply::message(&GetFileInfoResponseProto { fs: Some(status()) }),
                Err(error) => Reply::error(error),
            },
            _ => call.no_such_method(),
        }
    }
}

fn status() -> HdfsFileStatusProto {
    HdfsFileStatusProto {
        file_type: FileType::IsDir.into(),
        permission: FsPermissionProto { perm: 0o755 },
        owner: "hdfs".to_owned(),
        group: "supergroup".to_owned(),
        modification_time: 1_700_000_000_000,
        ..HdfsFileStatusProto::default()
    }
}

fn main() -> Result<(), hdfs_types::Error> {
    let text = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:23110".to_owned());
    let bind = text.parse().map_err(|_| hdfs_types::Error::io(format!("no address: {text}")))?;
    let mut conf = ServerConf::new(bind);
    // To compare: single-threaded runtimes with pinned connections.
    if std::env::args().nth(2).is_some_and(|mode| mode == "pinned") {
        conf.workers = Some(Workers::new(2, "pinned")?);
    }
    let server = Server::start(conf, vec![Arc::new(Echo)])?;
    println!("listening on {}", server.local_addr());
    loop {
        std::thread::park();
    }
}
