//! The shared web handlers over a real socket.

use std::net::SocketAddr;
use std::sync::Arc;

use hdfs_conf::Configuration;
use hdfs_rt::http::{self, Bean, conf_router, jmx_router};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

fn beans() -> Vec<Bean> {
    let state = "Hadoop:service=NameNode,name=FSNamesystemState";
    vec![
        Bean::new(state, "FSNamesystem").with("NumLiveDataNodes", 3).with("FSState", "Operational"),
    ]
}

async fn get(addr: SocketAddr, target: &str) -> Result<String, std::io::Error> {
    let mut stream = TcpStream::connect(addr).await?;
    let request = format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

#[tokio::test]
async fn a_daemon_shows_its_beans_and_its_configuration() {
    let mut conf = Configuration::new();
    conf.set("dfs.replication", "2").unwrap();
    conf.set("my.keystore.password", "sesame").unwrap();
    let router = jmx_router(Arc::new(beans)).merge(conf_router(Arc::new(conf)));
    let listener = http::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let addr = listener.local_addr().unwrap();
    let server = tokio::spawn(http::serve(listener, router));

    let jmx = get(addr, "/jmx?qry=Hadoop:service=NameNode,name=FSNamesystemState").await.unwrap();
    assert!(jmx.starts_with("HTTP/1.1 200 OK\r\n"), "{jmx}");
    assert!(jmx.contains("content-type: application/json; charset=utf8\r\n"), "{jmx}");
    assert!(jmx.contains("\n    \"NumLiveDataNodes\" : 3,\n"), "{jmx}");
    let encoded = get(addr, "/jmx?qry=Hadoop%3Aservice%3DNameNode%2Cname%3D*").await.unwrap();
    assert!(encoded.contains("\"FSState\" : \"Operational\""), "{encoded}");

    let one = get(addr, "/conf?name=dfs.replication&format=json").await.unwrap();
    assert!(
        one.contains("\"key\":\"dfs.replication\"") && one.contains("\"value\":\"2\""),
        "{one}"
    );
    let all = get(addr, "/conf").await.unwrap();
    assert!(all.contains("<name>dfs.replication</name><value>2</value>"), "{all}");
    assert!(all.contains("&lt;redacted&gt;") && !all.contains("sesame"), "{all}");
    let missing = get(addr, "/conf?name=no.such.key").await.unwrap();
    assert!(
        missing.starts_with("HTTP/1.1 404") && missing.contains("Property no.such.key not found")
    );
    assert!(get(addr, "/stacks").await.unwrap().starts_with("HTTP/1.1 404"));
    server.abort();
}

#[tokio::test]
async fn a_taken_web_port_is_a_clear_error() {
    let first = http::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let addr = first.local_addr().unwrap();
    let error = http::bind(addr).await.unwrap_err();
    assert!(error.message.contains(&addr.to_string()), "{error}");
    assert!(error.message.contains("another address"), "{error}");
}
