//! Calls a NameNode with the RPC client and prints what it says: `cargo run --example probe -- 127.0.0.1:8020 /path`

use std::sync::Arc;

use hdfs_proto::hdfs::{
    GetFileInfoRequestProto, GetFileInfoResponseProto, GetListingRequestProto,
    GetListingResponseProto, VersionRequestProto, VersionResponseProto,
};
use hdfs_rt::addr::HostPort;
use hdfs_rt::rpc::client::{ClientConf, Proxy, RpcClient, Ugi};
use hdfs_rt::rpc::server::Protocol;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), hdfs_types::Error> {
    let mut arguments = std::env::args().skip(1);
    let text = arguments.next().unwrap_or_else(|| "127.0.0.1:8020".to_owned());
    let addr = HostPort::parse(&text, Some(8020))?;
    let path = arguments.next().unwrap_or_else(|| "/".to_owned());
    let client = RpcClient::new(ClientConf { connect_max_retries: 0, ..ClientConf::default() });
    let ugi = Arc::new(Ugi::new("root"));
    let proxy =
        |java_name, version| Proxy::new(&addr, Protocol { java_name, version }, &client, &ugi);
    let namenode = proxy("org.apache.hadoop.hdfs.protocol.ClientProtocol", 1);
    let info: Result<GetFileInfoResponseProto, _> =
        namenode.call("getFileInfo", &GetFileInfoRequestProto { src: path.clone() }).await;
    println!("getFileInfo {info:?}\n");
    let listing = GetListingRequestProto {
        src: path.clone(),
        start_after: Vec::new().into(),
        need_location: false,
    };
    let entries: Result<GetListingResponseProto, _> = namenode.call("getListing", &listing).await;
    println!("getListing {entries:?}\n");
    let unknown: Result<GetListingResponseProto, _> = namenode.call("sing", &listing).await;
    println!("unknown method {unknown:?}\n");
    let datanode = proxy("org.apache.hadoop.hdfs.server.protocol.DatanodeProtocol", 1);
    let version: Result<VersionResponseProto, _> =
        datanode.call("versionRequest", &VersionRequestProto {}).await;
    println!("versionRequest {version:?}\n");
    for (name, number) in
        [("no.such.Protocol", 1), ("org.apache.hadoop.hdfs.protocol.ClientProtocol", 7)]
    {
        let refused: Result<VersionResponseProto, _> =
            proxy(name, number).call("versionRequest", &VersionRequestProto {}).await;
        println!("{name} {number}: {refused:?}\n");
    }
    Ok(())
}
