//! Packets carry every byte once, in order, at the right place.

use super::*;
use hdfs_format::datatransfer::{PACKET_LENGTHS_BYTES, PacketLengths};
use proptest::prelude::*;

fn parse(spec: ChecksumSpec, bytes: &[u8]) -> (PacketHeader, Vec<u8>) {
    let lengths = PacketLengths::decode(*bytes.first_chunk().unwrap()).unwrap();
    assert_eq!(lengths.total(), bytes.len());
    let (header, body) = bytes[PACKET_LENGTHS_BYTES..].split_at(lengths.header);
    let header = PacketHeader::decode(header, lengths.body).unwrap();
    let (sums, data) = body.split_at(body.len() - header.data_len as usize);
    assert_eq!(sums.len() as u64, spec.checksum_bytes(data.len() as u64));
    assert_eq!(checksum::verify(spec, data, sums), Ok(()));
    (header, data.to_vec())
}

proptest! {
    #[test]
    fn packets_carry_every_byte_at_its_place(
        start in 0..1_500_u64,
        steps in prop::collection::vec((0..3_000_usize, any::<bool>()), 0..12),
        packet_bytes in 600..3_000_usize,
    ) {
        let spec = ChecksumSpec::default();
        let mut writer = PacketWriter::new(spec, packet_bytes, start);
        let mut written: Vec<u8> = Vec::new();
        let mut packets = Vec::new();
        for (length, flush) in steps {
            let data: Vec<u8> = (0..length).map(|n| (n + written.len()) as u8).collect();
            written.extend_from_slice(&data);
            writer.write(&data, &mut packets);
            if flush {
                packets.extend(writer.flush(false));
                prop_assert_eq!(writer.unsent(), 0);
            }
        }
        writer.finish(false, &mut packets);
        let mut stored: Vec<u8> = Vec::new();
        for (index, packet) in packets.iter().enumerate() {
            let (header, data) = parse(spec, &packet.bytes);
            prop_assert_eq!(header.seqno, index as i64);
            prop_assert_eq!(header.last_packet_in_block, index + 1 == packets.len());
            prop_assert_eq!(header.offset_in_block + data.len() as u64, packet.end_offset);
            prop_assert!(packet.bytes.len() <= packet_bytes.max(31 + 516) + 2);
            if header.offset_in_block % 512 != 0 {
                prop_assert!(header.offset_in_block % 512 + data.len() as u64 <= 512);
            }
            let at = usize::try_from(header.offset_in_block - start.min(header.offset_in_block)).unwrap();
            prop_assert!(header.offset_in_block >= start && at <= stored.len());
            stored.truncate(at);
            stored.extend_from_slice(&data);
        }
        prop_assert_eq!(stored, written);
    }
}

#[test]
fn hadoop_puts_126_chunks_into_a_packet() {
    assert_eq!(data_bytes_per_packet(ChecksumSpec::default(), 65_536), 126 * 512);
}

#[test]
fn a_heartbeat_is_an_empty_packet() {
    let (header, data) = parse(ChecksumSpec::default(), &heartbeat());
    assert_eq!((header.seqno, data.len()), (-1, 0));
}
