//! A DataNode with a stand-in NameNode, spoken to in raw bytes of the data-transfer protocol.

#[path = "datanode/disks.rs"]
mod disks;
#[path = "datanode/harness.rs"]
mod harness;

use std::fs;
use std::io::Read;
use std::path::Path;

use harness::{Answer, Cluster, SetUp, block, packet, random};
use hdfs_datapath::ack::{AckVerdict, judge};
use hdfs_datapath::packet::PacketWriter;
use hdfs_datapath::{ChecksumSpec, checksum};
use hdfs_proto::hdfs::datanode::block_command_proto::Action;
use hdfs_proto::hdfs::datanode::datanode_command_proto::Type;
use hdfs_proto::hdfs::datanode::{
    BlockCommandProto, BlockRecoveryCommandProto, DatanodeCommandProto,
};
use hdfs_proto::hdfs::op_write_block_proto::BlockConstructionStage as Stage;
use hdfs_proto::hdfs::{
    BlockProto, DatanodeInfosProto, LocatedBlockProto, RecoveringBlockProto, Status,
    StorageTypesProto,
};
use hdfs_types::{Rng, SplitMix64};

#[test]
fn a_block_is_written_finalized_reported_and_read_back() {
    for length in [0, 1, 511, 512, 513, 65_535, 1_500_000] {
        let cluster = Cluster::start(1);
        let data = random(length);
        let written = cluster.write(&[0], 1, &data);
        assert_eq!(written, Ok(()), "length {length}");
        let dn = &cluster.datanodes[0];
        assert_eq!(dn.read(&block(1, 1_001, length), 0, length), Answer::Bytes(data.clone()));
        assert_eq!(cluster.namenode.wait_for_received(1, 1), (length as u64, 1_001));
        let (stored, meta) = dn.finalized(1, 1_001);
        assert_eq!(fs::read(stored).unwrap(), data);
        let mut expected = ChecksumSpec::default().encode_header().to_vec();
        checksum::append_sums(ChecksumSpec::default(), &data, &mut expected);
        assert_eq!(fs::read(meta).unwrap(), expected);
    }
}

#[test]
fn a_pipeline_of_three_acknowledges_what_all_have() {
    let cluster = Cluster::start(3);
    let data = random(3_000_000);
    assert_eq!(cluster.write(&[0, 1, 2], 7, &data), Ok(()));
    cluster.namenode.wait_for_received(7, 3);
    for dn in &cluster.datanodes {
        assert_eq!(
            dn.read(&block(7, 1_001, data.len()), 0, data.len()),
            Answer::Bytes(data.clone())
        );
    }
}

#[test]
fn a_range_is_answered_from_its_chunks_start() {
    let cluster = Cluster::start(1);
    let data = random(10_000);
    cluster.write(&[0], 1, &data).unwrap();
    let dn = &cluster.datanodes[0];
    for (offset, length) in [(0, 1), (511, 2), (512, 512), (700, 5_000), (9_999, 1), (10_000, 0)] {
        let expected = data[offset..offset + length].to_vec();
        assert_eq!(dn.read(&block(1, 1_001, 10_000), offset, length), Answer::Bytes(expected));
    }
    let Answer::Refused(text) = dn.read(&block(1, 1_001, 10_000), 9_000, 1_001) else { panic!() };
    assert!(text.contains(" Offset 9000 and length 1001 don't match block BP-"), "{text}");
    let Answer::Refused(text) = dn.read(&block(1, 1_002, 10_000), 0, 1) else { panic!() };
    assert!(text.contains("Replica gen stamp < block genstamp"), "{text}");
    let Answer::Refused(text) = dn.read(&block(2, 1_001, 1), 0, 1) else { panic!() };
    assert!(text.contains("ReplicaNotFoundException: Replica not found for BP-"), "{text}");
}

#[test]
fn one_flipped_bit_on_disk_is_never_taken_for_data() {
    let cluster = Cluster::start(1);
    let data = random(5_000);
    cluster.write(&[0], 1, &data).unwrap();
    let dn = &cluster.datanodes[0];
    let (stored, meta) = dn.finalized(1, 1_001);
    for (file, places) in [(&stored, vec![0, 700, 4_999]), (&meta, vec![7, 20, 46])] {
        for place in places {
            let good = fs::read(file).unwrap();
            let mut bad = good.clone();
            bad[place] ^= 0x10;
            fs::write(file, &bad).unwrap();
            let answer = dn.read(&block(1, 1_001, 5_000), 0, 5_000);
            // The last checksum is held in memory while the files are open: then the flip does no harm.
            let harmless = *file == meta && answer == Answer::Bytes(data.clone());
            assert!(harmless || answer == Answer::ChecksumError, "{answer:?}");
            fs::write(file, &good).unwrap();
            assert_eq!(dn.read(&block(1, 1_001, 5_000), 0, 5_000), Answer::Bytes(data.clone()));
        }
    }
}

#[test]
fn hdfs_14706_a_replica_with_a_damaged_meta_header_is_refused_and_reported() {
    let mut cluster = Cluster::start(1);
    let data = random(2_000);
    cluster.write(&[0], 1, &data).unwrap();
    let (_, meta) = cluster.datanodes[0].finalized(1, 1_001);
    fs::write(&meta, [0, 1, 2]).unwrap();
    cluster.restart(0);
    let answer = cluster.datanodes[0].read(&block(1, 1_001, 2_000), 0, 2_000);
    assert!(matches!(answer, Answer::Refused(_)), "{answer:?}");
    assert_eq!(cluster.namenode.wait_for_bad_block(), 1);
}

#[test]
fn bytes_that_do_not_match_their_checksums_are_refused_and_not_stored() {
    let cluster = Cluster::start(1);
    let mut stream = cluster.begin_write(&[0], 1);
    let mut writer = PacketWriter::new(ChecksumSpec::default(), 65_536, 0);
    let mut packets = Vec::new();
    writer.write(&random(4_096), &mut packets);
    packets.extend(writer.flush(false));
    stream.send(&packets[0].bytes);
    assert_eq!(judge(&stream.ack()), AckVerdict::Acked);
    writer.write(&random(4_096), &mut packets);
    let mut bad = writer.flush(false).unwrap().bytes;
    *bad.last_mut().unwrap() ^= 1;
    stream.send(&bad);
    let verdict = judge(&stream.ack());
    assert_eq!(verdict, AckVerdict::BadNode { index: 0, status: Status::ErrorChecksum });
    assert_eq!(fs::read(cluster.datanodes[0].rbw(1)).unwrap().len(), 4_096);
}

#[test]
fn difference_2_the_first_node_refuses_corrupt_bytes_before_the_others_see_them() {
    let cluster = Cluster::start(2);
    let mut stream = cluster.begin_write(&[0, 1], 1);
    let mut bad = packet(0, 0, &random(4_096));
    *bad.last_mut().unwrap() ^= 1;
    stream.send(&bad);
    let verdict = judge(&stream.ack());
    assert_eq!(verdict, AckVerdict::BadNode { index: 0, status: Status::ErrorChecksum });
    for dn in &cluster.datanodes {
        assert_eq!(fs::read(dn.rbw(1)).unwrap(), b"");
    }
}

#[test]
fn flushed_bytes_are_readable_while_the_block_grows() {
    let cluster = Cluster::start(2);
    let mut stream = cluster.begin_write(&[0, 1], 1);
    let mut writer = PacketWriter::new(ChecksumSpec::default(), 65_536, 0);
    let data = random(3_000);
    let mut at = 0;
    for step in [100, 412, 600, 1, 1_887] {
        let mut packets = Vec::new();
        writer.write(&data[at..at + step], &mut packets);
        packets.extend(writer.flush(false));
        at += step;
        for packet in packets {
            stream.send(&packet.bytes);
            assert_eq!(judge(&stream.ack()), AckVerdict::Acked);
        }
        for dn in &cluster.datanodes {
            let read = dn.read(&block(1, 1_001, at), 0, at);
            assert_eq!(read, Answer::Bytes(data[..at].to_vec()), "after {at} bytes");
        }
    }
}

#[test]
fn hdfs_4660_an_append_continues_the_partial_last_chunk() {
    for length in [0, 1, 511, 512, 513, 700] {
        let cluster = Cluster::start(2);
        let data = random(5_000);
        cluster.write(&[0, 1], 1, &data[..length]).unwrap();
        let append = SetUp::new(Stage::PipelineSetupAppend, 1_002, length as u64, 0);
        let mut pipeline = cluster.set_up(&[0, 1], &block(1, 1_001, length), append).unwrap();
        pipeline.write(2, length as u64, &data[length..]).unwrap();
        for dn in &cluster.datanodes {
            let (_, meta) = dn.finalized(1, 1_002);
            let mut expected = ChecksumSpec::default().encode_header().to_vec();
            checksum::append_sums(ChecksumSpec::default(), &data, &mut expected);
            assert_eq!(fs::read(meta).unwrap(), expected, "append at {length}");
            assert_eq!(dn.read(&block(1, 1_002, 5_000), 0, 5_000), Answer::Bytes(data.clone()));
        }
    }
}

#[test]
fn an_append_with_other_chunks_is_refused() {
    let cluster = Cluster::start(1);
    cluster.write(&[0], 1, &random(700)).unwrap();
    let append = SetUp::new(Stage::PipelineSetupAppend, 1_002, 700, 0);
    let append = SetUp { bytes_per_checksum: 4_096, ..append };
    let refused = cluster.set_up(&[0], &block(1, 1_001, 700), append).err().unwrap();
    assert!(refused.contains("different chunk size: 512"), "{refused}");
    let read = cluster.datanodes[0].read(&block(1, 1_001, 700), 0, 700);
    assert_eq!(read, Answer::Bytes(random(700)));
}

#[test]
fn an_append_to_a_corrupt_last_chunk_is_refused() {
    let cluster = Cluster::start(1);
    cluster.write(&[0], 1, &random(700)).unwrap();
    let (stored, _) = cluster.datanodes[0].finalized(1, 1_001);
    let mut bad = fs::read(&stored).unwrap();
    bad[699] ^= 1;
    fs::write(&stored, bad).unwrap();
    let append = SetUp::new(Stage::PipelineSetupAppend, 1_002, 700, 0);
    let refused = cluster.set_up(&[0], &block(1, 1_001, 700), append).err().unwrap();
    assert!(refused.contains("Partial CRC"), "{refused}");
}

#[test]
fn a_recovered_pipeline_displaces_the_old_writer_and_ends_with_one_stamp() {
    let cluster = Cluster::start(2);
    let data = random(9_000);
    let mut old = cluster.begin_write(&[0, 1], 1);
    old.send(&packet(0, 0, &data[..1_000]));
    assert_eq!(judge(&old.ack()), AckVerdict::Acked);
    let recover = SetUp::new(Stage::PipelineSetupStreamingRecovery, 1_002, 1_000, 9_000);
    let mut new = cluster.set_up(&[0], &block(1, 1_001, 0), recover).unwrap();
    assert!(old.is_cut());
    // The client sends again from the last chunk's start what it does not know to be stored.
    let resent = &data[512..];
    new.write(1, 512, resent).unwrap();
    let dn = &cluster.datanodes[0];
    assert_eq!(dn.read(&block(1, 1_002, 9_000), 0, 9_000), Answer::Bytes(data));
    let stale = cluster.set_up(&[0], &block(1, 1_001, 0), recover).err().unwrap();
    assert!(stale.contains("Cannot recover a non-RBW replica"), "{stale}");
}

#[test]
fn a_close_whose_acknowledgement_was_lost_is_recovered() {
    let cluster = Cluster::start(1);
    let data = random(1_234);
    cluster.write(&[0], 1, &data).unwrap();
    let recover = SetUp::new(Stage::PipelineCloseRecovery, 1_002, 1_234, 1_234);
    cluster.set_up(&[0], &block(1, 1_001, 1_234), recover).unwrap();
    let dn = &cluster.datanodes[0];
    assert_eq!(dn.read(&block(1, 1_002, 1_234), 0, 1_234), Answer::Bytes(data));
    let wrong = SetUp { min: 1_233, new_stamp: 1_003, ..recover };
    let refused = cluster.set_up(&[0], &block(1, 1_002, 1_234), wrong).err().unwrap();
    assert!(refused.contains("expected length is 1233"), "{refused}");
}

#[test]
fn the_balancer_moves_a_block() {
    let cluster = Cluster::start(2);
    let data = random(2_000_000);
    cluster.write(&[0], 1, &data).unwrap();
    assert_eq!(cluster.replace(1, 0, 1), Status::Success);
    let read = cluster.datanodes[1].read(&block(1, 1_001, data.len()), 0, data.len());
    assert_eq!(read, Answer::Bytes(data));
    cluster.namenode.wait_for_received(1, 2);
    assert_eq!(cluster.replace(1, 0, 1), Status::Error);
}

#[test]
fn a_killed_writers_replica_waits_with_the_bytes_that_its_checksums_prove() {
    let mut cluster = Cluster::start(1);
    let mut stream = cluster.begin_write(&[0], 1);
    stream.send(&packet(0, 0, &random(1_000)));
    assert_eq!(judge(&stream.ack()), AckVerdict::Acked);
    drop(stream);
    let path = cluster.datanodes[0].rbw(1);
    // HDFS-5728: data beyond the checksums, as a full disk leaves it.
    let mut torn = fs::read(&path).unwrap();
    torn.extend_from_slice(&[0; 700]);
    cluster.stop(0);
    fs::write(&path, torn).unwrap();
    cluster.restart(0);
    let (length, state) = cluster.namenode.wait_for_reported(1);
    // All of what was acknowledged: the checksum of the last chunk proves its start.
    assert_eq!((length, state.name()), (1_000, "RWR"));
    let answer = cluster.datanodes[0].read(&block(1, 1_001, 100), 0, 100);
    assert!(matches!(answer, Answer::Refused(_)), "{answer:?}");
}

#[test]
fn everything_closed_is_there_after_a_restart() {
    let mut cluster = Cluster::start(1);
    let blocks: Vec<Vec<u8>> = (0..20).map(|n| random(n * 331)).collect();
    for (id, data) in (1..).zip(&blocks) {
        cluster.write(&[0], id, data).unwrap();
    }
    cluster.restart(0);
    for (id, data) in (1..).zip(&blocks) {
        let dn = &cluster.datanodes[0];
        assert_eq!(
            dn.read(&block(id, 1_001, data.len()), 0, data.len()),
            Answer::Bytes(data.clone())
        );
        let (length, state) = cluster.namenode.wait_for_reported(id);
        assert_eq!((length, state.name()), (data.len() as u64, "FINALIZED"));
    }
}

#[test]
fn a_volume_of_apaches_datanode_is_taken_over() {
    let volume = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/hadoop-3.5.0/volume");
    let cluster = Cluster::start_with(1, Some(&volume), |_| Vec::new());
    for (id, length) in [(1_073_741_825, 1), (1_073_741_826, 513), (1_073_741_827, 40_001)] {
        let data: Vec<u8> = (0..length).map(|i| (7 * i + i / 251) as u8).collect();
        let stamp = id - 1_073_741_825 + 1_001;
        let answer = cluster.datanodes[0].read(&block(id, stamp, length), 0, length);
        assert_eq!(answer, Answer::Bytes(data));
        let (reported, state) = cluster.namenode.wait_for_reported(id);
        assert_eq!((reported, state.name()), (length as u64, "FINALIZED"));
    }
    let (reported, state) = cluster.namenode.wait_for_reported(1_073_741_829);
    assert_eq!((reported, state.name()), (700, "RWR"));
}

pub(crate) fn invalidate(id: u64) -> DatanodeCommandProto {
    DatanodeCommandProto {
        cmd_type: Type::BlockCommand as i32,
        blk_cmd: Some(BlockCommandProto {
            action: Action::Invalidate as i32,
            block_pool_id: block(id, 1_001, 0).pool_id,
            blocks: vec![BlockProto { block_id: id, gen_stamp: 1_001, num_bytes: Some(0) }],
            ..BlockCommandProto::default()
        }),
        ..DatanodeCommandProto::default()
    }
}

#[test]
fn only_the_active_namenode_gives_orders_and_both_hear_of_blocks() {
    let cluster = Cluster::start_with_standby();
    let standby = cluster.standby.as_ref().unwrap();
    cluster.write(&[0], 1, &random(10)).unwrap();
    cluster.namenode.wait_for_received(1, 1);
    standby.wait_for_received(1, 1);
    standby.order(invalidate(1));
    assert_eq!(cluster.datanodes[0].read(&block(1, 1_001, 10), 0, 10), Answer::Bytes(random(10)));
    cluster.namenode.order(invalidate(1));
    cluster.namenode.wait_for_deleted(1);
    standby.wait_for_deleted(1);
    let gone = cluster.datanodes[0].read(&block(1, 1_001, 10), 0, 10);
    assert!(matches!(gone, Answer::Refused(_)), "{gone:?}");
    assert!(!cluster.datanodes[0].finalized(1, 1_001).0.exists());
}

/// An order to copy a block to the second DataNode.
pub(crate) fn transfer(cluster: &Cluster, id: u64, length: usize) -> DatanodeCommandProto {
    let target = cluster.datanodes[1].info();
    DatanodeCommandProto {
        cmd_type: Type::BlockCommand as i32,
        blk_cmd: Some(BlockCommandProto {
            action: Action::Transfer as i32,
            block_pool_id: block(id, 1_001, 0).pool_id,
            blocks: vec![BlockProto {
                block_id: id,
                gen_stamp: 1_001,
                num_bytes: Some(length as u64),
            }],
            targets: vec![DatanodeInfosProto { datanodes: vec![target] }],
            target_storage_types: vec![StorageTypesProto { storage_types: vec![1] }],
            ..BlockCommandProto::default()
        }),
        ..DatanodeCommandProto::default()
    }
}

#[test]
fn a_block_is_copied_by_order() {
    let cluster = Cluster::start(2);
    let data = random(3_000_000);
    cluster.write(&[0], 1, &data).unwrap();
    cluster.order(0, transfer(&cluster, 1, data.len()));
    cluster.namenode.wait_for_received(1, 2);
    let read = cluster.datanodes[1].read(&block(1, 1_001, data.len()), 0, data.len());
    assert_eq!(read, Answer::Bytes(data));
}

#[test]
fn an_abandoned_block_is_recovered_to_the_shortest_replica() {
    let cluster = Cluster::start(2);
    let data = random(4_000);
    for (node, length) in [(0, 4_000), (1, 3_000)] {
        let mut stream = cluster.begin_write(&[node], 1);
        stream.send(&packet(0, 0, &data[..length]));
        assert_eq!(judge(&stream.ack()), AckVerdict::Acked);
    }
    cluster.order(
        0,
        DatanodeCommandProto {
            cmd_type: Type::BlockRecoveryCommand as i32,
            recovery_cmd: Some(BlockRecoveryCommandProto {
                blocks: vec![RecoveringBlockProto {
                    new_gen_stamp: 1_005,
                    block: LocatedBlockProto {
                        b: block(1, 1_001, 0),
                        locs: cluster.datanodes.iter().map(|node| node.info()).collect(),
                        ..LocatedBlockProto::default()
                    },
                    ..RecoveringBlockProto::default()
                }],
            }),
            ..DatanodeCommandProto::default()
        },
    );
    assert_eq!(cluster.namenode.wait_for_recovered(), (1, 1_005, 3_000, 2));
    for dn in &cluster.datanodes {
        let read = dn.read(&block(1, 1_005, 3_000), 0, 3_000);
        assert_eq!(read, Answer::Bytes(data[..3_000].to_vec()));
    }
}

#[test]
fn damaged_requests_and_packets_harm_nobody_else() {
    let cluster = Cluster::start(1);
    let data = random(5_000);
    cluster.write(&[0], 1, &data).unwrap();
    let mut rng = SplitMix64(42);
    let mut packets = packet(0, 0, &random(1_000));
    packets.extend(packet(512, 1, &random(600)));
    for round in 0..300 {
        let mut bytes = match round % 3 {
            0 => harness::read_request(&block(1, 1_001, 5_000), 0, 5_000),
            _ => cluster.write_request(100 + round),
        };
        if round % 3 == 2 {
            // A sound request, then damaged packets.
            let sound = bytes.len();
            bytes.extend_from_slice(&packets);
            damage(&mut bytes[sound..], &mut rng);
        } else {
            damage(&mut bytes[2..], &mut rng);
        }
        let stream = cluster.datanodes[0].connect();
        harness::send_what_is_taken(&stream, &bytes);
        stream.shutdown(std::net::Shutdown::Write).unwrap();
    }
    let read = cluster.datanodes[0].read(&block(1, 1_001, 5_000), 0, 5_000);
    assert_eq!(read, Answer::Bytes(data));
    cluster.write(&[0], 2, &random(10)).unwrap();
}

fn damage(bytes: &mut [u8], rng: &mut SplitMix64) {
    for _ in 0..=rng.below(3) {
        let at = rng.below(bytes.len() as u64) as usize;
        bytes[at] = rng.next_u64() as u8;
    }
}

#[test]
fn a_second_datanode_on_the_same_folder_is_refused() {
    let cluster = Cluster::start(1);
    let error = cluster.start_another_on(0).unwrap_err();
    assert!(error.message.contains("Too many failed volumes"), "{}", error.message);
    assert!(error.message.contains("already locked"), "{}", error.message);
}

#[test]
fn above_the_limit_of_connections_a_request_is_refused_with_a_word_and_the_bad_node_is_named() {
    let limit = |folder: &Path| {
        let threads = if folder.ends_with("dn1") { "1" } else { "64" };
        vec![("dfs.datanode.max.transfer.threads".to_owned(), threads.to_owned())]
    };
    let cluster = Cluster::start_with(2, None, limit);
    cluster.write(&[1], 1, &random(10)).unwrap();
    let create = SetUp::new(Stage::PipelineSetupCreate, 0, 0, 0);
    let mut id = 10;
    let mut held = None;
    let mut begin = |nodes: &[usize]| {
        cluster.await_that("the connection before has ended", || {
            id += 1;
            held = cluster.set_up(nodes, &block(id, 1_001, 0), create).ok();
            held.is_some()
        });
        held.take()
    };
    let pipeline = begin(&[1]);
    let why = "Xceiver count 2 exceeds the limit of concurrent xceivers: 1";
    match cluster.datanodes[1].read(&block(1, 1_001, 10), 0, 10) {
        Answer::Refused(text) => assert_eq!(text, why),
        other => panic!("{other:?}"),
    }
    let refused = cluster.set_up(&[1], &block(3, 1_001, 0), create).err().unwrap();
    assert_eq!(refused, why);
    let (link, bad) = (cluster.refused_link(&[0, 1], 4), cluster.datanodes[1].info().id);
    assert_eq!(link, format!("{}:{}", bad.ip_addr, bad.xfer_port));
    drop(pipeline);
    begin(&[0, 1]);
}

#[test]
fn bytes_that_are_no_operation_end_the_connection_and_nothing_else() {
    let cluster = Cluster::start(1);
    let dn = &cluster.datanodes[0];
    for bytes in
        [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0, 28, 99], &[0, 28, 81, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F]]
    {
        let mut stream = dn.connect();
        harness::send(&stream, bytes);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert_eq!(answer, b"");
    }
    cluster.write(&[0], 1, &random(10)).unwrap();
}
