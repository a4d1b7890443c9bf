//! Reading a file: every byte verified, replicas tried in turn, corrupt ones reported.

use std::time::Duration;

use hdfs_datapath::block_writer::parse;
use hdfs_datapath::{ChecksumSpec, checksum};
use hdfs_format::datatransfer::{extended_block, status_of};
use hdfs_proto::hdfs as p;
use hdfs_proto::hdfs::Status;
use hdfs_types::{Error, ErrorKind, Result};

use super::Client;
use crate::datanode::{Frame, machine_at};

const LIMIT: Duration = Duration::from_secs(20);

impl Client {
    /// The bytes of a file, as far as they are visible.
    ///
    /// # Errors
    /// When the file is not there, or a block has no replica that answers with right bytes.
    pub(crate) async fn read_file(&self, path: &str) -> Result<Vec<u8>> {
        let mut last = Error::io("not tried");
        for round in 0..4 {
            if round > 0 {
                self.sim().sleep(Duration::from_secs(3)).await;
            }
            match self.read_once(path).await {
                Err(error) if error.kind == ErrorKind::FileNotFound => return Err(error),
                Err(error) => last = error,
                read => return read,
            }
        }
        Err(last)
    }

    async fn read_once(&self, path: &str) -> Result<Vec<u8>> {
        let request = p::GetBlockLocationsRequestProto {
            src: path.to_owned(),
            offset: 0,
            length: u64::MAX >> 1,
        };
        let answer = self.ask(move |nn, call| nn.get_block_locations(call, &request)).await?.0;
        let not_found = || Error::new(ErrorKind::FileNotFound, path.to_owned());
        let located = answer.locations.ok_or_else(not_found)?;
        let mut blocks = located.blocks;
        if let Some(mut open) = located.last_block.filter(|_| !located.is_last_block_complete) {
            let id = open.b.block_id;
            blocks.retain(|block| block.b.block_id != id);
            open.b.num_bytes = Some(self.visible_length(&open).await?);
            blocks.push(open);
        }
        let mut bytes = Vec::new();
        for block in blocks {
            self.read_block(&block, &mut bytes).await?;
        }
        Ok(bytes)
    }

    /// Of a block that is being written.
    async fn visible_length(&self, located: &p::LocatedBlockProto) -> Result<u64> {
        let block = extended_block(&located.b);
        let mut error = None;
        for node in &located.locs {
            let (to, block) = (machine_at(&node.id.ip_addr), block.clone());
            let answer =
                self.cluster.call_datanode(self.node, to, move |dn| dn.visible_length(&block));
            match answer.await {
                Ok(length) => return Ok(length),
                Err(missing) if missing.kind == ErrorKind::ReplicaNotFound => {}
                Err(other) => error = Some(other),
            }
        }
        match error {
            // After a restart the NameNode knows neither places nor length of a block that is being written.
            None if located.locs.is_empty() => {
                Err(Error::io("Could not obtain the last block locations."))
            }
            None => Ok(0),
            Some(error) => Err(error),
        }
    }

    async fn read_block(&self, located: &p::LocatedBlockProto, bytes: &mut Vec<u8>) -> Result<()> {
        let length = located.b.num_bytes();
        if length == 0 {
            return Ok(());
        }
        let mut corrupt = 0;
        let mut last = Error::io(format!("no replica of {}", located.b.block_id));
        for (index, node) in located.locs.iter().enumerate() {
            let mut read = self.read_replica(located, node, length).await;
            if read.as_ref().is_err_and(|error| error.kind == ErrorKind::Checksum) {
                read = self.read_replica(located, node, length).await;
            }
            match read {
                Ok(read) => {
                    bytes.extend_from_slice(&read);
                    return Ok(());
                }
                Err(error) => {
                    if error.kind == ErrorKind::Checksum {
                        corrupt += 1;
                        if corrupt < located.locs.len() || located.locs.len() == 1 {
                            self.report_bad(located, index).await;
                        }
                    }
                    last = error;
                }
            }
        }
        Err(last)
    }

    async fn report_bad(&self, located: &p::LocatedBlockProto, index: usize) {
        let mut bad = located.clone();
        bad.storage_i_ds = located.storage_i_ds.get(index).cloned().into_iter().collect();
        bad.locs = vec![located.locs[index].clone()];
        bad.storage_types.truncate(1);
        bad.is_cached.truncate(1);
        let request = p::ReportBadBlocksRequestProto { blocks: vec![bad] };
        let _ = self.ask(move |nn, call| nn.report_bad_blocks(call, &request)).await;
    }

    async fn read_replica(
        &self,
        located: &p::LocatedBlockProto,
        node: &p::DatanodeInfoProto,
        length: u64,
    ) -> Result<Vec<u8>> {
        let gone = |gone: crate::net::Gone| Error::io(format!("{gone:?}"));
        let to = machine_at(&node.id.ip_addr);
        let socket = self.cluster.connect(self.node, to, LIMIT).await.map_err(gone)?;
        let block = extended_block(&located.b);
        socket.send(Frame::Read(block, 0, length)).map_err(gone)?;
        match socket.receive(LIMIT).await.map_err(gone)? {
            Frame::Response(answer) if status_of(answer.status) == Status::Success => {}
            Frame::Response(answer) => return Err(Error::io(answer.message().to_owned())),
            _ => return Err(Error::io("an answer was expected")),
        }
        let wanted = usize::try_from(length).unwrap_or(usize::MAX);
        let mut bytes: Vec<u8> = Vec::new();
        while bytes.len() < wanted {
            let Frame::Data(packet) = socket.receive(LIMIT).await.map_err(gone)? else {
                return Err(Error::io("a packet was expected"));
            };
            let mut spans = Vec::new();
            parse(&packet, &mut spans)?;
            let span = spans.first().ok_or_else(|| Error::io("half a packet"))?;
            if span.header.offset_in_block != bytes.len() as u64 {
                return Err(Error::io("a packet out of order"));
            }
            let data = &packet[span.data.0..span.data.1];
            let sums = &packet[span.sums.0..span.sums.1];
            checksum::verify(ChecksumSpec::default(), data, sums)
                .map_err(|error| Error::new(ErrorKind::Checksum, error.to_string()))?;
            bytes.extend_from_slice(data);
        }
        bytes.truncate(wanted);
        Ok(bytes)
    }
}
