//! Acknowledgements of a pipeline: one reply a DataNode, the nearest first.
//!
//! ```text
//! flag bits   0–3 Status | 4 reserved | 5–6 ECN | 7–8 SLOW
//! ```
//!
//! Hadoop: org.apache.hadoop.hdfs.protocol.datatransfer.PipelineAck (3.5.0)

use hdfs_proto::hdfs::{PipelineAckProto, Status};

/// Sequence number of an acknowledgement that belongs to no packet: out-of-band messages and broken pipelines.
pub const UNKNOWN_SEQNO: i64 = -2;

/// Congestion, as a DataNode reports it with each reply.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Ecn {
    /// The DataNode does not say.
    #[default]
    Disabled = 0,
    /// Not congested.
    Supported = 1,
    /// Not congested (second code point).
    Supported2 = 2,
    /// Congested: the writer should slow down.
    Congested = 3,
}

/// Slowness, as a DataNode reports it about itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Slow {
    /// The DataNode does not say.
    #[default]
    Disabled = 0,
    /// Not slow.
    Normal = 1,
    /// Slow.
    Slow = 2,
    /// Not used.
    Reserved = 3,
}

/// One reply: status and hints in the bits of PipelineAckProto.flag.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AckFlag(pub u32);

impl AckFlag {
    /// Status and hints together.
    pub fn new(status: Status, ecn: Ecn, slow: Slow) -> Self {
        Self((status as i32).cast_unsigned() | (ecn as u32) << 5 | (slow as u32) << 7)
    }

    /// The status; an unknown number counts as an error.
    pub fn status(self) -> Status {
        Status::try_from((self.0 & 0xF).cast_signed()).unwrap_or(Status::Error)
    }

    /// The congestion hint.
    pub fn ecn(self) -> Ecn {
        [Ecn::Disabled, Ecn::Supported, Ecn::Supported2, Ecn::Congested]
            .into_iter()
            .find(|ecn| *ecn as u32 == self.0 >> 5 & 3)
            .unwrap_or_default()
    }

    /// The slowness hint.
    pub fn slow(self) -> Slow {
        [Slow::Disabled, Slow::Normal, Slow::Slow, Slow::Reserved]
            .into_iter()
            .find(|slow| *slow as u32 == self.0 >> 7 & 3)
            .unwrap_or_default()
    }
}

/// An acknowledgement for `seqno` with these replies.
pub fn pipeline_ack(seqno: i64, flags: &[AckFlag], downstream_nanos: u64) -> PipelineAckProto {
    PipelineAckProto {
        seqno,
        reply: flags.iter().map(|flag| flag.status() as i32).collect(),
        downstream_ack_time_nanos: Some(downstream_nanos),
        flag: flags.iter().map(|flag| flag.0).collect(),
    }
}

/// The replies of an acknowledgement; a peer that sends no flags sends statuses only.
pub fn reply_flags(ack: &PipelineAckProto) -> Vec<AckFlag> {
    if ack.flag.is_empty() {
        let statuses = ack.reply.iter().map(|reply| Status::try_from(*reply));
        statuses
            .map(|status| {
                AckFlag::new(status.unwrap_or(Status::Error), Ecn::Disabled, Slow::Disabled)
            })
            .collect()
    } else {
        ack.flag.iter().map(|flag| AckFlag(*flag)).collect()
    }
}

/// The status with this number; an unknown one counts as an error.
pub fn status_of(number: i32) -> Status {
    Status::try_from(number).unwrap_or(Status::Error)
}
