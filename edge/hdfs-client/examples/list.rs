//! Lists a directory of HDFS: `list [PATH]`. `HADOOP_CONF_DIR` names the cluster.

use hdfs_client::blocking::HdfsClient;
use hdfs_types::Result;

fn main() -> Result<()> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "/".to_owned());
    let conf = hdfs_rt::conf_files::load_configuration(None, &[])?;
    let client = HdfsClient::connect(&conf)?;
    for status in client.list(&path) {
        let status = status?;
        let kind = if status.is_dir() { 'd' } else { '-' };
        println!(
            "{kind}{} {:>3} {:<10} {:<10} {:>14} {}",
            status.permission,
            status.replication,
            status.owner,
            status.group,
            status.length,
            status.path
        );
    }
    Ok(())
}
