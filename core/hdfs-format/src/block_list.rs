//! The block list of a full block report.
//!
//! ```text
//! buffers (a protobuf `repeated bytes`, cut anywhere, 64 KiB each): for every replica four varints
//!         zigzag(block id) | length (low 48 bits) | generation stamp | state (low 4 bits)
//! longs   (before Hadoop 2.6; also written to a NameNode without the capability)
//!         finalized count, under-construction count, (id, length, stamp) × finalized, -1, -1, -1,
//!         (id, length, stamp, state) × under construction
//! ```
//!
//! Hadoop: org.apache.hadoop.hdfs.protocol.BlockListAsLongs (3.5.0)

use bytes::Bytes;
use hdfs_types::{Block, BlockId, GenerationStamp, ReplicaState};
use std::fmt;

/// Bytes of one buffer; a varint may cross from one to the next.
const BUFFER_BYTES: usize = 64 * 1024;
const LENGTH_MASK: u64 = u64::MAX >> 16;
const STATE_MASK: u64 = 0xF;

/// One line of a block report.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReportedReplica {
    /// Identity, length on disk and version.
    pub block: Block,
    /// State.
    pub state: ReplicaState,
}

/// Why a report does not decode. The report is refused as a whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum BlockListError {
    /// The buffers end inside a replica, or hold fewer than announced.
    Short,
    /// A varint has more than ten bytes.
    Varint,
    /// No state has this number.
    State(u64),
    /// The counts of a list of longs do not fit its length.
    Counts,
}

impl fmt::Display for BlockListError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short => f.write_str("block report ends inside a replica"),
            Self::Varint => f.write_str("block report holds an overlong number"),
            Self::State(state) => write!(f, "block report holds unknown replica state {state}"),
            Self::Counts => f.write_str("block report counts do not fit its length"),
        }
    }
}

impl std::error::Error for BlockListError {}

/// Builds the buffers of a report, one replica after the other.
#[derive(Clone, Debug, Default)]
pub struct BlockListEncoder {
    full: Vec<Bytes>,
    current: Vec<u8>,
    count: u64,
}

impl BlockListEncoder {
    /// An empty report.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a replica.
    pub fn push(&mut self, replica: &ReportedReplica) {
        let id = replica.block.id.0;
        self.varint((id << 1 ^ id >> 63).cast_unsigned());
        self.varint(replica.block.num_bytes & LENGTH_MASK);
        self.varint(replica.block.generation_stamp.0);
        self.varint(replica.state as u64);
        self.count += 1;
    }

    /// Replicas so far.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The buffers: at least one, as Hadoop sends.
    pub fn finish(mut self) -> Vec<Bytes> {
        if !self.current.is_empty() || self.full.is_empty() {
            self.full.push(Bytes::from(self.current));
        }
        self.full
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.byte((value & 0x7F) as u8 | 0x80);
            value >>= 7;
        }
        self.byte((value & 0x7F) as u8);
    }

    fn byte(&mut self, byte: u8) {
        if self.current.len() == BUFFER_BYTES {
            let full = std::mem::take(&mut self.current);
            self.full.push(Bytes::from(full));
        }
        self.current.push(byte);
    }
}

/// Reads the replicas of a report as they come, without building a list.
#[derive(Clone, Debug)]
pub struct BlockListDecoder<'a> {
    source: Source<'a>,
    failed: bool,
}

#[derive(Clone, Debug)]
enum Source<'a> {
    Buffers { current: &'a [u8], rest: &'a [Bytes], remaining: u64 },
    Longs { finalized: &'a [u64], under_construction: &'a [u64] },
}

impl<'a> BlockListDecoder<'a> {
    /// Over `buffers` that announce `count` replicas.
    pub fn from_buffers(count: u64, buffers: &'a [Bytes]) -> Self {
        let source = Source::Buffers { current: &[], rest: buffers, remaining: count };
        Self { source, failed: false }
    }

    /// Over a list of longs; an empty one is an empty report.
    ///
    /// # Errors
    /// When the counts do not fit the length.
    pub fn from_longs(longs: &'a [u64]) -> Result<Self, BlockListError> {
        let source = match longs {
            [] => Source::Longs { finalized: &[], under_construction: &[] },
            [finalized, under_construction, rest @ ..] => {
                let finalized = usize::try_from(*finalized).ok();
                let finalized = finalized.and_then(|count| count.checked_mul(3));
                let under_construction = usize::try_from(*under_construction).ok();
                let under_construction = under_construction.and_then(|count| count.checked_mul(4));
                let (finalized, rest) = finalized
                    .and_then(|length| rest.split_at_checked(length))
                    .ok_or(BlockListError::Counts)?;
                match (under_construction, rest) {
                    (Some(0), []) => Source::Longs { finalized, under_construction: &[] },
                    (Some(length), [_, _, _, rest @ ..]) if rest.len() == length => {
                        Source::Longs { finalized, under_construction: rest }
                    }
                    _ => return Err(BlockListError::Counts),
                }
            }
            [_] => return Err(BlockListError::Counts),
        };
        Ok(Self { source, failed: false })
    }

    fn read(&mut self) -> Result<Option<ReportedReplica>, BlockListError> {
        let (id, length, stamp, state) = match &mut self.source {
            Source::Longs { finalized, under_construction } => {
                if let [id, length, stamp, rest @ ..] = *finalized {
                    *finalized = rest;
                    (id.cast_signed(), *length, *stamp, ReplicaState::Finalized as u64)
                } else if let [id, length, stamp, state, rest @ ..] = *under_construction {
                    *under_construction = rest;
                    (id.cast_signed(), *length, *stamp, *state)
                } else {
                    return Ok(None);
                }
            }
            Source::Buffers { remaining: 0, .. } => return Ok(None),
            Source::Buffers { current, rest, remaining } => {
                *remaining -= 1;
                let id = varint(current, rest)?;
                let id = (id >> 1).cast_signed() ^ -(id & 1).cast_signed();
                (id, varint(current, rest)?, varint(current, rest)?, varint(current, rest)?)
            }
        };
        let state = state & STATE_MASK;
        let state = ReplicaState::from_number(state).ok_or(BlockListError::State(state))?;
        let block = Block {
            id: BlockId(id),
            num_bytes: length & LENGTH_MASK,
            generation_stamp: GenerationStamp(stamp),
        };
        Ok(Some(ReportedReplica { block, state }))
    }
}

impl Iterator for BlockListDecoder<'_> {
    type Item = Result<ReportedReplica, BlockListError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let item = self.read().transpose();
        self.failed = matches!(item, Some(Err(_)));
        item
    }
}

fn varint<'a>(current: &mut &'a [u8], rest: &mut &'a [Bytes]) -> Result<u64, BlockListError> {
    let mut value = 0_u64;
    for shift in (0..70).step_by(7) {
        let byte = loop {
            if let [byte, tail @ ..] = *current {
                *current = tail;
                break *byte;
            }
            let [next, tail @ ..] = *rest else { return Err(BlockListError::Short) };
            *current = next;
            *rest = tail;
        };
        value |= u64::from(byte & 0x7F).checked_shl(shift).unwrap_or(0);
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(BlockListError::Varint)
}

/// A report as longs, for a NameNode without the buffers capability.
pub fn encode_longs(replicas: &[ReportedReplica]) -> Vec<u64> {
    let finalized = |replica: &&ReportedReplica| replica.state == ReplicaState::Finalized;
    let count = replicas.iter().filter(finalized).count();
    let mut out = vec![count as u64, (replicas.len() - count) as u64];
    let push = |out: &mut Vec<u64>, block: &Block| {
        out.extend([block.id.0.cast_unsigned(), block.num_bytes, block.generation_stamp.0]);
    };
    for replica in replicas.iter().filter(finalized) {
        push(&mut out, &replica.block);
    }
    out.extend([u64::MAX; 3]);
    for replica in replicas.iter().filter(|replica| !finalized(replica)) {
        push(&mut out, &replica.block);
        out.push(replica.state as u64);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn replica() -> impl Strategy<Value = ReportedReplica> {
        (any::<i64>(), 0..=LENGTH_MASK, any::<u64>(), 0..5_u64).prop_map(
            |(id, num_bytes, stamp, state)| ReportedReplica {
                block: Block {
                    id: BlockId(id),
                    num_bytes,
                    generation_stamp: GenerationStamp(stamp),
                },
                state: ReplicaState::from_number(state).unwrap(),
            },
        )
    }

    proptest! {
        #[test]
        fn reports_survive_both_encodings(
            replicas in prop::collection::vec(replica(), 0..40),
            cut in 1..50_usize,
        ) {
            let mut encoder = BlockListEncoder::new();
            replicas.iter().for_each(|replica| encoder.push(replica));
            prop_assert_eq!(encoder.count(), replicas.len() as u64);
            let whole: Vec<u8> = encoder.finish().concat();
            let buffers: Vec<Bytes> = whole.chunks(cut).map(Bytes::copy_from_slice).collect();
            let decoder = BlockListDecoder::from_buffers(replicas.len() as u64, &buffers);
            let decoded: Result<Vec<_>, _> = decoder.collect();
            prop_assert_eq!(decoded.as_ref(), Ok(&replicas));

            let longs = encode_longs(&replicas);
            let mut sorted = replicas;
            sorted.sort_by_key(|replica| replica.state != ReplicaState::Finalized);
            let decoded: Result<Vec<_>, _> =
                BlockListDecoder::from_longs(&longs).unwrap().collect();
            prop_assert_eq!(decoded, Ok(sorted));
        }

        #[test]
        fn arbitrary_buffers_end_without_panic(bytes: Vec<u8>, count in 0..100_u64, longs: Vec<u64>) {
            let buffers = [Bytes::from(bytes)];
            prop_assert!(BlockListDecoder::from_buffers(count, &buffers).count() <= 100);
            let _ = BlockListDecoder::from_longs(&longs).map(Iterator::count);
        }
    }

    #[test]
    fn the_bytes_are_those_of_hadoop() {
        let mut encoder = BlockListEncoder::new();
        encoder.push(&ReportedReplica {
            block: Block {
                id: BlockId(1_073_741_825),
                num_bytes: 300,
                generation_stamp: GenerationStamp(1_001),
            },
            state: ReplicaState::Finalized,
        });
        let bytes = encoder.finish().concat();
        assert_eq!(bytes, [0x82, 0x80, 0x80, 0x80, 0x08, 0xAC, 0x02, 0xE9, 0x07, 0x00]);
    }

    #[test]
    fn a_huge_announced_count_ends_at_the_end_of_the_bytes() {
        let mut decoder = BlockListDecoder::from_buffers(u64::MAX, &[]);
        assert_eq!(decoder.next(), Some(Err(BlockListError::Short)));
        assert_eq!(decoder.next(), None);
    }
}
