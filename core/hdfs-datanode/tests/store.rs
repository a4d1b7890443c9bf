//! The life of replicas over a disk that loses what was not synced.

#![allow(clippy::unwrap_used, reason = "a test that meets None or an error has failed")]

#[path = "store/memory.rs"]
mod memory;

use std::io::IoSlice;

use hdfs_datanode::files::{BlockFile, FileName, Part, proven_length};
use hdfs_datanode::store::{self, NewReplica, OpenForWrite, Store, Written};
use hdfs_datanode::{Place, VolumeIndex};
use hdfs_datapath::ChecksumSpec;
use hdfs_datapath::block_writer::{BlockSink, BlockWriter, Step, parse};
use hdfs_datapath::packet::PacketWriter;
use hdfs_types::{Block, BlockId, ErrorKind, ExtendedBlock, GenerationStamp, Result};
use memory::{Change, MemoryFile, Pool, Shared, path};

const VOLUME: VolumeIndex = VolumeIndex(0);

fn block(stamp: u64, num_bytes: u64) -> Block {
    Block { id: BlockId(7), num_bytes, generation_stamp: GenerationStamp(stamp) }
}

fn named(pool: &Pool, stamp: u64, num_bytes: u64) -> ExtendedBlock {
    pool.extended(block(stamp, num_bytes))
}

fn begin(pool: &Pool) -> OpenForWrite<MemoryFile> {
    let new = || Ok(NewReplica { volume: VOLUME, spec: ChecksumSpec::default() });
    store::create_rbw(pool, &named(pool, 1, 0), GenerationStamp(0), new).unwrap()
}

/// Writes as the DataNode does.
struct Sink<'a>(&'a Pool, &'a OpenForWrite<MemoryFile>);

impl BlockSink for Sink<'_> {
    fn write_data(&mut self, data: &mut Vec<IoSlice<'_>>, mut at: u64) -> Result<()> {
        for slice in data {
            self.1.data.write_at(slice, at)?;
            at += slice.len() as u64;
        }
        Ok(())
    }

    fn sync_data(&mut self) -> Result<()> {
        store::sync_data(self.0, self.1)
    }

    fn write_sums(&mut self, sums: &[u8], at: u64) -> Result<()> {
        self.1.meta.write_at(sums, at)
    }
}

/// A client and its DataNode in one.
struct Writing<'a> {
    pool: &'a Pool,
    open: &'a OpenForWrite<MemoryFile>,
    packets: PacketWriter,
    writer: BlockWriter,
}

impl<'a> Writing<'a> {
    fn new(pool: &'a Pool, open: &'a OpenForWrite<MemoryFile>) -> Self {
        let spec = ChecksumSpec::default();
        let writer = BlockWriter::new(spec, open.spec, true, open.on_disk, open.partial.clone());
        Self { pool, open, packets: PacketWriter::new(spec, 65_536, open.on_disk), writer }
    }

    fn write(&mut self, data: &[u8], sync: bool) -> Result<()> {
        let mut packets = Vec::new();
        self.packets.write(data, &mut packets);
        packets.extend(self.packets.flush(sync));
        for packet in packets {
            let mut spans = Vec::new();
            parse(&packet.bytes, &mut spans).unwrap();
            for step in self.writer.steps(&spans, true, true).into_iter().flatten() {
                match step {
                    Step::Write => {
                        let mut sink = Sink(self.pool, self.open);
                        let last_sum = self.writer.write(&packet.bytes, &spans, &mut sink)?;
                        let (on_disk, last_sum) = (self.writer.on_disk(), last_sum.flatten());
                        store::wrote(self.pool, self.open, Written { on_disk, last_sum })?;
                    }
                    Step::Sync { with_folder } => {
                        store::sync(self.pool, self.open, with_folder)?;
                        self.writer.synced();
                    }
                    _ => {}
                }
            }
        }
        store::acked(self.pool, self.open, self.writer.on_disk())
    }
}

/// What a power cut now leaves, whichever changes it keeps: never fewer than `promised` bytes that are proven.
fn check_every_power_cut(pool: &Pool, promised: u64, what: &str) {
    let name = |part| path(&FileName { place: Place::Rbw, block: block(1, 0), part });
    let (data, meta) = {
        let files = &pool.folders.0.borrow().files;
        (files[&name(Part::Data)].clone(), files[&name(Part::Meta)].clone())
    };
    for keep_data in 0..1 << data.pending.len() {
        for keep_meta in 0..1 << meta.pending.len() {
            let data = Shared::file("data", data.with(keep_data));
            let meta = Shared::file("meta", meta.with(keep_meta));
            let proven = proven_length(&data, &meta).unwrap();
            assert!(proven >= promised, "{what}: {proven} of {promised} bytes are proven");
        }
    }
}

#[test]
fn synced_bytes_are_proven_after_every_power_cut_while_their_chunk_grows() {
    let bytes: Vec<u8> = (0..3_000_u32).map(|number| (number * 7 + number / 251) as u8).collect();
    for (synced, steps) in [(700, [100, 224, 600]), (188, [1, 1, 1]), (512, [10, 500, 30])] {
        let pool = Pool::default();
        let open = begin(&pool);
        let mut writing = Writing::new(&pool, &open);
        writing.write(&bytes[..synced], true).unwrap();
        let mut at = synced;
        for step in steps {
            writing.write(&bytes[at..at + step], false).unwrap();
            at += step;
            check_every_power_cut(&pool, synced as u64, &format!("{at} written"));
        }
        writing.write(&bytes[at..at + 1], true).unwrap();
        check_every_power_cut(&pool, at as u64 + 1, "synced again");
    }
}

#[test]
fn a_failed_write_is_cut_off_after_the_checksum_of_what_stays_is_safe() {
    let pool = Pool::default();
    let open = begin(&pool);
    Writing::new(&pool, &open).write(&[1; 700], true).unwrap();
    open.data.write_at(&[2; 50], 700).unwrap();
    open.meta.write_at(&[9; 4], 11).unwrap();
    open.data.sync().unwrap();
    store::roll_back(&pool, &open).unwrap();
    check_every_power_cut(&pool, 700, "cut back");
    let cuts = open.data.content(|content| content.pending.clone());
    assert!(matches!(cuts[..], [Change::Cut(700)]), "{cuts:?}");
}

#[test]
fn a_sync_that_failed_is_never_repeated() {
    let pool = Pool::default();
    let open = begin(&pool);
    let mut writing = Writing::new(&pool, &open);
    writing.write(&[1; 100], true).unwrap();
    pool.folders.0.borrow_mut().syncs_fail = true;
    writing.write(&[1; 100], true).unwrap_err();
    pool.folders.0.borrow_mut().syncs_fail = false;
    let before = (pool.folders.0.borrow().syncs, pool.names());

    // An answer "not here" would let the primary give the block up.
    let recovery = store::init_recovery(&pool, &named(&pool, 1, 0), GenerationStamp(2));
    assert!(recovery.unwrap_err().message.contains("not trusted"));
    store::roll_back(&pool, &open).unwrap();
    let (spec, stamp) = (ChecksumSpec::default(), GenerationStamp(2));
    let again = store::recover_rbw(&pool, &named(&pool, 1, 0), stamp, (0, 200), spec);
    assert_eq!(again.map(drop).unwrap_err().kind, ErrorKind::ReplicaNotFound);
    let new = || Ok(NewReplica { volume: VOLUME, spec });
    let new = store::create_rbw(&pool, &named(&pool, 1, 0), stamp, new);
    assert!(new.map(drop).unwrap_err().message.contains("not trusted"));
    assert_eq!((pool.folders.0.borrow().syncs, pool.names()), before);

    // The next start finds what the first sync made safe.
    let found = pool.scan();
    assert_eq!((found.len(), found[0].block), (1, block(1, 100)));
}

#[test]
fn a_replica_whose_folder_could_not_be_synced_is_not_complete() {
    let pool = Pool::default();
    let open = begin(&pool);
    Writing::new(&pool, &open).write(&[1; 100], true).unwrap();
    pool.folders.0.borrow_mut().syncs_fail = true;
    store::finalize(&pool, &open, 100, true, || false).unwrap_err();
    let map = &pool.shard.borrow().map;
    assert_eq!((map.get(BlockId(7)), map.failed_on(BlockId(7))), (None, Some(VOLUME)));
}

#[test]
fn a_truncated_copy_that_was_interrupted_is_no_block() {
    let pool = Pool::default();
    let open = begin(&pool);
    Writing::new(&pool, &open).write(&[1; 1_000], true).unwrap();
    store::finalize(&pool, &open, 1_000, true, || false).unwrap();
    let old = named(&pool, 1, 1_000);
    store::init_recovery(&pool, &old, GenerationStamp(5)).unwrap().unwrap();
    let update = || store::update_recovery(&pool, &old, GenerationStamp(5), BlockId(8), 600);
    pool.folders.0.borrow_mut().renames_left = Some(0);
    update().unwrap_err();
    let copies = |found: &[hdfs_datanode::Replica]| {
        let copies = found.iter().filter(|of| of.block.id == BlockId(8));
        copies.map(|of| of.block.num_bytes).collect::<Vec<_>>()
    };
    assert_eq!(copies(&pool.scan()), [0; 0]);
    pool.folders.0.borrow_mut().renames_left = None;
    update().unwrap();
    assert_eq!(copies(&pool.scan()), [600]);
}
