//! The log alone gives the state that is live: the tree byte for byte as an image, and the blocks of closed files.

use hdfs_format::fsimage::ImageWriter;
use hdfs_namenode::NameNode;

fn image(nn: &NameNode) -> Result<Vec<u8>, String> {
    let mut writer = ImageWriter::new(Vec::new());
    nn.save_image(&mut writer, nn.last_txid(), &hdfs_types::Alone)
        .map_err(|error| error.to_string())?;
    writer.finish().map(|(bytes, ..)| bytes).map_err(|error| error.to_string())
}

fn closed_blocks(nn: &NameNode) -> Vec<String> {
    let mut blocks = Vec::new();
    nn.namespace().visit_blocks(|of| {
        let file = nn.namespace().blocks_of_inode(of.owner);
        if file.map_or(of.complete, |file| file.writer.is_none()) {
            blocks.push(format!("{:?}", nn.blocks().block(of.block.id)));
        }
    });
    blocks
}

/// Compares the live machine with one that was built from the log.
pub(crate) fn check(live: &NameNode, replayed: &NameNode) -> Result<(), String> {
    if image(live)? != image(replayed)? {
        return Err(format!(
            "the tree at transaction {} is not what its log gives (transaction {})",
            live.last_txid(),
            replayed.last_txid()
        ));
    }
    let (live, replayed) = (closed_blocks(live), closed_blocks(replayed));
    if live != replayed {
        return Err(format!("blocks of closed files: live {live:?}, replayed {replayed:?}"));
    }
    Ok(())
}
