//! Copies the standard input into a new file of HDFS: `write PATH`. `HADOOP_CONF_DIR` names the cluster.

use std::io::{Read, Write};

use hdfs_client::CreateOptions;
use hdfs_client::blocking::HdfsClient;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("usage: write PATH < DATA")?;
    let conf = hdfs_rt::conf_files::load_configuration(None, &[])?;
    let client = HdfsClient::connect(&conf)?;
    let mut file = client.create(&path, CreateOptions::default())?;
    let mut input = std::io::stdin().lock();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let count = input.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        file.write_all(&buffer[..count])?;
    }
    // Only a file that was closed is complete.
    file.close()?;
    Ok(())
}
