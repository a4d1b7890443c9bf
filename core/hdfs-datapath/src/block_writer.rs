//! One DataNode's part in writing a block: which packets it takes, what goes to disk, and in which order it forwards,
//! writes, syncs, completes and acknowledges.
//!
//! The shell, or a simulation, moves the bytes: it hands over batches of packets, performs [`Step`]s, and gives a
//! [`BlockSink`] that writes. Nothing is copied and nothing is allocated for a packet of whole chunks.
//!
//! **Invariant:** a byte is forwarded and acknowledged only after its checksum was verified here, and the last packet only
//! after the block is durable.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.datanode.BlockReceiver (3.5.0)

use std::io::IoSlice;

use hdfs_format::datatransfer::{PACKET_LENGTHS_BYTES, PacketHeader, PacketLengths};
use hdfs_proto::hdfs::Status;
use hdfs_types::{Error, ErrorKind, Planted, PlantedBug, Result};

use crate::ack::PendingPacket;
use crate::receive::{check_packet, plan_write};
use crate::{ChecksumSpec, checksum};

/// One packet in a buffer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PacketSpan {
    /// Its header.
    pub header: PacketHeader,
    /// Where its checksums are.
    pub sums: (usize, usize),
    /// Where its data is.
    pub data: (usize, usize),
    /// First byte after it.
    pub end: usize,
}

impl PacketSpan {
    /// First byte of the block after its data.
    pub fn end_offset(&self) -> u64 {
        self.header.offset_in_block + u64::from(self.header.data_len)
    }

    /// The packet while it waits for its acknowledgement, with what this DataNode says about it.
    pub fn pending(&self, status: Status) -> PendingPacket {
        PendingPacket {
            seqno: self.header.seqno,
            end_offset: self.end_offset(),
            last: self.header.last_packet_in_block,
            status,
        }
    }
}

/// Finds the complete packets of a buffer, up to the one that ends the block; answers how many bytes the next incomplete one
/// needs.
///
/// # Errors
/// When a header is impossible.
pub fn parse(bytes: &[u8], packets: &mut Vec<PacketSpan>) -> Result<usize> {
    let mut at = 0;
    loop {
        let rest = &bytes[at..];
        let Some(lengths) = rest.first_chunk::<PACKET_LENGTHS_BYTES>() else {
            return Ok(PACKET_LENGTHS_BYTES);
        };
        let lengths = PacketLengths::decode(*lengths)?;
        if rest.len() < lengths.total() {
            return Ok(lengths.total());
        }
        let body = PACKET_LENGTHS_BYTES + lengths.header;
        let header = PacketHeader::decode(&rest[PACKET_LENGTHS_BYTES..body], lengths.body)?;
        let end = at + lengths.total();
        let data = end - header.data_len as usize;
        packets.push(PacketSpan { header, sums: (at + body, data), data: (data, end), end });
        at = end;
        if header.last_packet_in_block {
            return Ok(0);
        }
    }
}

/// What is done with a batch of good packets, in this order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Pass them to the next node.
    Forward,
    /// Write them: [`BlockWriter::write`].
    Write,
    /// Sync both files, and with `with_folder` their names; then say so: [`BlockWriter::synced`].
    Sync {
        /// For the first time.
        with_folder: bool,
    },
    /// Complete the block.
    Finalize {
        /// So that it survives a power cut.
        durable: bool,
    },
    /// Acknowledge them.
    Acknowledge,
}

/// At most one of each kind.
pub type Steps = [Option<Step>; 5];

/// Where the bytes go.
pub trait BlockSink {
    /// Writes the slices to the block file, from `at` on.
    ///
    /// # Errors
    /// When the disk refuses.
    fn write_data(&mut self, data: &mut Vec<IoSlice<'_>>, at: u64) -> Result<()>;
    /// The block file survives a power cut as it is now.
    ///
    /// # Errors
    /// When the disk refuses.
    fn sync_data(&mut self) -> Result<()>;
    /// Writes checksums to the `.meta` file, from `at` on.
    ///
    /// # Errors
    /// When the disk refuses.
    fn write_sums(&mut self, sums: &[u8], at: u64) -> Result<()>;
}

/// The state of one block that is being written here.
#[derive(Debug)]
pub struct BlockWriter {
    /// The checksums that the writer sends.
    client_spec: ChecksumSpec,
    /// Those on disk.
    disk_spec: ChecksumSpec,
    verify: bool,
    on_disk: u64,
    /// Bytes that may have been promised to survive a power cut.
    promised: u64,
    /// Bytes of the partial last chunk on disk.
    partial: Vec<u8>,
    synced_folder: bool,
    sums: Vec<u8>,
    planted: Planted,
}

impl BlockWriter {
    /// Continues at `on_disk` bytes, of which `partial` are the bytes of a partial last chunk. Without `verify` checksums go
    /// to disk as they come, where the client's are those on disk.
    pub fn new(
        client_spec: ChecksumSpec,
        disk_spec: ChecksumSpec,
        verify: bool,
        on_disk: u64,
        partial: Vec<u8>,
    ) -> Self {
        let (synced_folder, sums, planted) = (false, Vec::new(), Planted::NONE);
        Self {
            client_spec,
            disk_spec,
            verify,
            on_disk,
            promised: on_disk,
            partial,
            synced_folder,
            sums,
            planted,
        }
    }

    /// The same with a bug, for the simulation to find.
    #[must_use]
    pub fn with_planted(mut self, planted: Planted) -> Self {
        self.planted = planted;
        self
    }

    /// Bytes on disk.
    pub fn on_disk(&self) -> u64 {
        self.on_disk
    }

    /// How many packets of a batch are good, and what is wrong with the next one: a `Checksum` error is told upstream.
    pub fn check(&self, bytes: &[u8], packets: &[PacketSpan]) -> (usize, Option<Error>) {
        let mut received = self.on_disk;
        for (index, packet) in packets.iter().enumerate() {
            if let Err(error) = self.check_one(bytes, packet, received) {
                return (index, Some(error));
            }
            received = received.max(packet.end_offset());
        }
        (packets.len(), None)
    }

    fn check_one(&self, bytes: &[u8], packet: &PacketSpan, received: u64) -> Result<()> {
        let sums = &bytes[packet.sums.0..packet.sums.1];
        check_packet(self.client_spec, &packet.header, sums.len(), received)
            .map_err(|error| Error::io(error.to_string()))?;
        let unsigned = sums.is_empty() && packet.header.data_len > 0;
        if unsigned || (!self.verify && self.client_spec == self.disk_spec) {
            return Ok(());
        }
        if self.planted.is(PlantedBug::PacketsNotVerified) {
            return Ok(());
        }
        let data = &bytes[packet.data.0..packet.data.1];
        checksum::verify(self.client_spec, data, sums)
            .map_err(|error| Error::new(ErrorKind::Checksum, error.to_string()))
    }

    /// What to do with good packets. `finalize`: this node completes the block at its end; `durable_close`: durably.
    pub fn steps(&mut self, good: &[PacketSpan], finalize: bool, durable_close: bool) -> Steps {
        let sync = good.iter().any(|packet| {
            packet.header.sync_block
                && (packet.header.data_len > 0 || !packet.header.last_packet_in_block)
        });
        let last = good.last().filter(|packet| packet.header.last_packet_in_block && finalize);
        let with_folder = !self.synced_folder && !self.planted.is(PlantedBug::FolderNotSynced);
        self.synced_folder |= sync;
        let sync = sync && !self.planted.is(PlantedBug::SyncForgotten);
        let durable = |packet: &PacketSpan| {
            (durable_close || packet.header.sync_block)
                && !self.planted.is(PlantedBug::CloseNotDurable)
        };
        let mut steps = [
            Some(Step::Forward),
            Some(Step::Write),
            sync.then_some(Step::Sync { with_folder }),
            last.map(|packet| Step::Finalize { durable: durable(packet) }),
            Some(Step::Acknowledge),
        ];
        if self.planted.is(PlantedBug::AcknowledgedBeforeWritten) && last.is_none() {
            steps.swap(1, 4);
        }
        steps
    }

    /// Writes good packets. Answers the checksum of a partial last chunk when bytes were written; `None` when all of them
    /// were there already.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn write(
        &mut self,
        bytes: &[u8],
        packets: &[PacketSpan],
        sink: &mut impl BlockSink,
    ) -> Result<Option<Option<u32>>> {
        let spec = self.disk_spec;
        let size = spec.kind.size();
        let per = u64::from(spec.bytes_per_checksum);
        let before = self.on_disk;
        let mut slices: Vec<IoSlice<'_>> = Vec::with_capacity(packets.len());
        let mut sums = std::mem::take(&mut self.sums);
        sums.clear();
        let (mut data_from, mut meta_from) = (self.on_disk, 0);
        for packet in packets {
            let Some(plan) = plan_write(spec, &packet.header, self.on_disk) else { continue };
            if slices.is_empty() {
                meta_from = plan.meta_offset;
            } else if plan.recompute.is_some() || plan.meta_offset != meta_from + sums.len() as u64
            {
                self.put(sink, (&mut slices, data_from), (&sums, meta_from))?;
                slices.clear();
                sums.clear();
                (data_from, meta_from) = (self.on_disk, plan.meta_offset);
            }
            let all = &bytes[packet.data.0..packet.data.1];
            let data = all.get(plan.skip_data..).unwrap_or_default();
            let recompute =
                plan.recompute.filter(|_| !self.planted.is(PlantedBug::LastChecksumNotRecomputed));
            if let Some(partial) = recompute.filter(|_| size > 0) {
                let mut chunk = std::mem::take(&mut self.partial);
                chunk.extend_from_slice(data.get(..partial.from_packet).unwrap_or_default());
                sums.extend_from_slice(&checksum::sum(spec.kind, &chunk).to_be_bytes());
                self.partial = chunk;
            }
            let skip_sums =
                if plan.recompute.is_some() && recompute.is_none() { 0 } else { plan.skip_sums };
            let translated;
            let unsigned = packet.sums.0 == packet.sums.1 && !all.is_empty();
            let packet_sums = if self.client_spec == spec && !unsigned {
                &bytes[packet.sums.0..packet.sums.1]
            } else {
                let mut own = Vec::new();
                checksum::append_sums(spec, all, &mut own);
                translated = own;
                &translated
            };
            sums.extend_from_slice(packet_sums.get(skip_sums * size..).unwrap_or_default());
            slices.push(IoSlice::new(data));
            self.on_disk = packet.end_offset();
            self.keep_partial(all, plan.recompute.is_some(), per);
        }
        let mut written = None;
        if self.on_disk > before {
            self.put(sink, (&mut slices, data_from), (&sums, meta_from))?;
            let last_sum = (!self.on_disk.is_multiple_of(per))
                .then(|| sums.last_chunk::<4>().map(|sum| u32::from_be_bytes(*sum)))
                .flatten();
            written = Some(last_sum);
        }
        self.sums = sums;
        Ok(written)
    }

    /// A sync succeeded: what is on disk is promised from now on.
    pub fn synced(&mut self) {
        self.promised = self.on_disk;
    }

    /// Data, then checksums. The checksum of a chunk of which some bytes are promised replaces the one that proves them: it
    /// must not reach the disk before the data that it covers, or a power cut leaves neither.
    fn put(
        &self,
        sink: &mut impl BlockSink,
        (data, data_at): (&mut Vec<IoSlice<'_>>, u64),
        (sums, sums_at): (&[u8], u64),
    ) -> Result<()> {
        sink.write_data(data, data_at)?;
        if sums.is_empty() {
            return Ok(());
        }
        let replaces = sums_at < self.disk_spec.meta_bytes(self.promised);
        if replaces && !self.planted.is(PlantedBug::SumsBeforeData) {
            sink.sync_data()?;
        }
        sink.write_sums(sums, sums_at)
    }

    /// Remembers the bytes of a partial last chunk: a packet that continues it inside needs them.
    fn keep_partial(&mut self, data: &[u8], extended: bool, per: u64) {
        let partial = usize::try_from(self.on_disk % per).unwrap_or(0);
        if extended && partial != 0 {
            return;
        }
        self.partial.clear();
        if partial != 0 {
            self.partial.extend_from_slice(&data[data.len() - partial..]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ChecksumType;

    /// What was written, of each file.
    #[derive(Default)]
    struct Written {
        data: Vec<u8>,
        sums: Option<Vec<u8>>,
    }

    impl BlockSink for Written {
        fn write_data(&mut self, data: &mut Vec<IoSlice<'_>>, at: u64) -> Result<()> {
            self.data.truncate(at as usize);
            data.iter().for_each(|slice| self.data.extend_from_slice(slice));
            Ok(())
        }

        fn sync_data(&mut self) -> Result<()> {
            Ok(())
        }

        fn write_sums(&mut self, sums: &[u8], _: u64) -> Result<()> {
            self.sums = Some(sums.to_vec());
            Ok(())
        }
    }

    #[test]
    fn a_block_without_checksums_gets_none_when_packets_end_inside_of_chunks() {
        let spec = ChecksumSpec::new(ChecksumType::Null as i32, 10).expect("a spec");
        let mut writer = BlockWriter::new(spec, spec, true, 0, Vec::new());
        let mut sink = Written::default();
        let bytes: Vec<u8> = (0..39).collect();
        // As a writer that flushes: the second packet begins inside of a chunk.
        for (from, to) in [(0, 5), (5, 17), (17, 39)] {
            let header = PacketHeader {
                offset_in_block: from as u64,
                seqno: 0,
                last_packet_in_block: false,
                data_len: (to - from) as u32,
                sync_block: false,
            };
            let packet = PacketSpan { header, sums: (from, from), data: (from, to), end: to };
            writer.write(&bytes, &[packet], &mut sink).expect("written");
        }
        assert_eq!((sink.data, sink.sums), (bytes, None));
    }
}
