//! READ_BLOCK.

use std::sync::atomic::Ordering;
use std::time::Instant;

use hdfs_format::datatransfer::{block_op_response, encode_delimited, extended_block};
use hdfs_proto::hdfs::{
    BlockOpResponseProto, ChecksumProto, ClientReadStatusProto, OpReadBlockProto,
    ReadOpChecksumInfoProto, Status,
};
use hdfs_types::{Error, ErrorKind, Result};

use super::super::sender::{SendError, Sender};
use super::super::wire;
use super::{After, Xceiver};

/// The answer that opens a stream of packets.
pub(super) fn success_with_checksums(sender: &Sender) -> BlockOpResponseProto {
    let spec = sender.spec();
    BlockOpResponseProto {
        status: Status::Success as i32,
        read_op_checksum_info: Some(ReadOpChecksumInfoProto {
            checksum: ChecksumProto {
                r#type: i32::from(spec.kind as u8),
                bytes_per_checksum: spec.bytes_per_checksum,
            },
            chunk_offset: sender.offset(),
        }),
        ..BlockOpResponseProto::default()
    }
}

impl Xceiver<'_> {
    pub(super) fn read_block(&mut self, request: &OpReadBlockProto) -> Result<After> {
        let block = extended_block(&request.header.base_header.block);
        let opened = self.shared.dataset.pool(&block.pool).and_then(|pool| {
            let checksums = request.send_checksums.unwrap_or(true);
            let length = request.len.cast_signed();
            Sender::open(&pool, &block, request.offset, length, checksums)
        });
        let sender = match opened {
            Ok(sender) => sender,
            Err(error) => {
                let class = error.kind.java_class();
                let text = format!("opReadBlock {block} received exception {class}: {error}");
                tracing::info!(peer = %self.peer, "{text}");
                self.respond(&block_op_response(Status::Error, Some(&text)))?;
                match error.kind {
                    // Files gone or a header destroyed: the NameNode hears of it and decides; nothing is deleted here
                    // (HDFS-17342).
                    ErrorKind::Checksum | ErrorKind::FileNotFound => {
                        self.shared.report_bad_block(&block, &error);
                    }
                    ErrorKind::DiskError => self.shared.check_volumes(),
                    _ => {}
                }
                return Ok(After::Close);
            }
        };
        let response = encode_delimited(&success_with_checksums(&sender));
        wire::send(&self.input.stream, &response)?;
        let counters = &self.shared.counters;
        counters.blocks_read.fetch_add(1, Ordering::Relaxed);
        let began = Instant::now();
        match sender.send(&self.input.stream, counters) {
            Ok(bytes) => counters.read(bytes, began.elapsed(), &self.input.stream),
            // Readers that have enough simply close.
            Err(SendError::Peer(error)) if wire::is_end(&error) => return Ok(After::Close),
            Err(SendError::Peer(error)) => return Err(error.into()),
            Err(SendError::Disk(error)) => {
                self.shared.report_bad_block(&block, &error);
                return Err(error);
            }
        }
        // The reader has checked the whole range and says so.
        match self.input.read_message::<ClientReadStatusProto>("ClientReadStatusProto") {
            Ok(_) => Ok(After::Keep),
            Err(Error { .. }) => Ok(After::Close),
        }
    }
}
