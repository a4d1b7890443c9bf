//! Bytes and limits of the data-transfer protocol.

use super::*;
use hdfs_proto::hdfs::{PacketHeaderProto, PipelineAckProto};
use proptest::prelude::*;

proptest! {
    #[test]
    fn packet_headers_are_what_protobuf_writes(
        offset_in_block in 0..u64::MAX / 2, seqno: i64, last_packet_in_block: bool,
        data_len in 0..65_536_u32, sync_block: bool, checksum_len in 0..1_024_usize,
    ) {
        let header =
            PacketHeader { offset_in_block, seqno, last_packet_in_block, data_len, sync_block };
        let proto = PacketHeaderProto {
            offset_in_block: offset_in_block.cast_signed(),
            seqno,
            last_packet_in_block,
            data_len: data_len.cast_signed(),
            sync_block: sync_block.then_some(true),
        };
        let encoded = header.encode(checksum_len);
        let encoded = &encoded[..header.encoded_len()];
        prop_assert_eq!(&encoded[6..], proto.encode_to_vec());
        let lengths = PacketLengths::decode(encoded[..6].try_into().unwrap()).unwrap();
        prop_assert_eq!(lengths.body, checksum_len + data_len as usize);
        prop_assert_eq!(lengths.header, encoded.len() - 6);
        prop_assert_eq!(PacketHeader::decode(&encoded[6..], lengths.body), Ok(header));
    }

    #[test]
    fn no_bytes_make_a_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        let _ = decode_prefix(&bytes);
        let _ = PacketHeader::decode(&bytes, 100);
        let _ = decode_message::<PipelineAckProto>("ack", &bytes);
        if let Some(first) = bytes.first_chunk() {
            let _ = PacketLengths::decode(*first);
        }
    }
}

#[test]
fn lengths_outside_the_limits_are_refused() {
    let lengths = |payload: i32, header: i16| {
        let mut bytes = [0; 6];
        bytes[..4].copy_from_slice(&payload.to_be_bytes());
        bytes[4..].copy_from_slice(&header.to_be_bytes());
        PacketLengths::decode(bytes)
    };
    assert_eq!(lengths(3, 25), Err(TransferDecodeError::PacketLength(3)));
    assert_eq!(lengths(i32::MAX, 25), Err(TransferDecodeError::PacketLength(i32::MAX)));
    assert_eq!(lengths(i32::MIN, 25), Err(TransferDecodeError::PacketLength(i32::MIN)));
    assert_eq!(lengths(4, -1), Err(TransferDecodeError::HeaderLength(-1)));
    assert_eq!(lengths(4, 25).map(PacketLengths::total), Ok(31));
}

#[test]
fn a_data_length_beyond_the_packet_is_refused() {
    let header = PacketHeader { data_len: 101, ..PacketHeader::default() };
    let encoded = header.encode(0);
    let decoded = PacketHeader::decode(&encoded[6..header.encoded_len()], 100);
    assert_eq!(decoded, Err(TransferDecodeError::DataLength(101)));
}

#[test]
fn operations_carry_version_code_and_length() {
    let message = hdfs_proto::hdfs::ClientReadStatusProto { status: 6 };
    assert_eq!(encode_op(Op::ReadBlock, &message), [0, 28, 81, 2, 8, 6]);
    assert_eq!(decode_op([0, 28, 81]), Ok(Op::ReadBlock));
    assert_eq!(decode_op([0, 27, 81]), Err(TransferDecodeError::Version(27)));
    assert_eq!(decode_op([0, 28, 1]), Err(TransferDecodeError::UnknownOp(1)));
    assert_eq!(decode_op([0xDE, 0xAD, 0xBE]), Err(TransferDecodeError::Sasl));
}

#[test]
fn prefixes_are_incomplete_or_limited() {
    assert_eq!(decode_prefix(&[]), Ok(Prefix::Incomplete));
    assert_eq!(decode_prefix(&[0x80]), Ok(Prefix::Incomplete));
    assert_eq!(decode_prefix(&[0x80, 0x01]), Ok(Prefix::Complete { prefix: 2, length: 128 }));
    assert_eq!(
        decode_prefix(&[0x80, 0x80, 0x04]),
        Ok(Prefix::Complete { prefix: 3, length: 65_536 })
    );
    assert!(decode_prefix(&[0x81, 0x80, 0x04]).is_err());
    assert!(decode_prefix(&[0x80; 5]).is_err());
}

#[test]
fn ack_flags_hold_status_and_hints() {
    let flag = AckFlag::new(Status::ErrorChecksum, Ecn::Congested, Slow::Slow);
    assert_eq!(flag.0, 2 | 3 << 5 | 2 << 7);
    assert_eq!(
        (flag.status(), flag.ecn(), flag.slow()),
        (Status::ErrorChecksum, Ecn::Congested, Slow::Slow)
    );
    let ack = pipeline_ack(7, &[flag], 0);
    assert_eq!(ack.reply, [2]);
    assert_eq!(reply_flags(&ack), [flag]);
    let old = PipelineAckProto { flag: Vec::new(), ..ack };
    assert_eq!(reply_flags(&old), [AckFlag(2)]);
}
