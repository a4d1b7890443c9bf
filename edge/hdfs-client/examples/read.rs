//! Prints a file of HDFS: `read PATH`, or `read PATH OFFSET LENGTH`. `HADOOP_CONF_DIR` names the cluster.

use std::io::{Read, Seek, SeekFrom, Write};

use hdfs_client::blocking::HdfsClient;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [path, range @ ..] = args.as_slice() else {
        return Err("usage: read PATH [OFFSET LENGTH]".into());
    };
    let conf = hdfs_rt::conf_files::load_configuration(None, &[])?;
    let client = HdfsClient::connect(&conf)?;
    let mut file = client.open(path)?;
    let mut left = file.len();
    if let [offset, length] = range {
        file.seek(SeekFrom::Start(offset.parse()?))?;
        left = length.parse()?;
    }
    let mut out = std::io::stdout().lock();
    let mut buffer = vec![0; 1 << 20];
    while left > 0 {
        let wanted = left.min(buffer.len() as u64) as usize;
        let count = file.read(&mut buffer[..wanted])?;
        if count == 0 {
            break;
        }
        out.write_all(&buffer[..count])?;
        left -= count as u64;
    }
    Ok(())
}
