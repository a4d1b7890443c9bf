//! Adds lines to a file of HDFS, each visible to readers at once: `append PATH LINE...`. `HADOOP_CONF_DIR` names the
//! cluster. The async client, for a change.

use hdfs_client::HdfsClient;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let path = args.next().ok_or("usage: append PATH LINE...")?;
    let conf = hdfs_rt::conf_files::load_configuration(None, &[])?;
    let client = HdfsClient::connect(&conf)?;
    let mut file = client.append(&path, false).await?;
    for line in args {
        file.write(format!("{line}\n").as_bytes()).await?;
        file.hflush().await?;
    }
    file.close().await?;
    Ok(())
}
