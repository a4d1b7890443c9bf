//! Acknowledgements of a pipeline, as a DataNode passes them on and as a client judges them.
//!
//! A DataNode acknowledges a packet when its own disk has it and every node below has acknowledged it: one reply of its
//! own in front of those from below. When the next node is gone it says so (`SUCCESS, ERROR`) and lets the client rebuild
//! the pipeline.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.datanode.BlockReceiver.PacketResponder,
//! org.apache.hadoop.hdfs.DataStreamer.ResponseProcessor (3.5.0)

use hdfs_format::datatransfer::{AckFlag, Ecn, Slow, UNKNOWN_SEQNO, pipeline_ack, reply_flags};
use hdfs_proto::hdfs::{PipelineAckProto, Status};
use std::collections::VecDeque;

/// A packet that this DataNode has on disk, or refused, and that is not acknowledged upstream yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PendingPacket {
    /// Its sequence number; -1 for a heartbeat.
    pub seqno: i64,
    /// First byte after its data, counted in the block.
    pub end_offset: u64,
    /// True for the packet that ends the block.
    pub last: bool,
    /// What this DataNode says about it.
    pub status: Status,
}

/// What to do after an event.
#[derive(Clone, PartialEq, Debug)]
pub enum AckAction {
    /// Send this upstream. `acked`: every node has so many bytes. `last`: the block is done.
    Send {
        /// The acknowledgement.
        ack: PipelineAckProto,
        /// Bytes that every node acknowledged, when all did.
        acked: Option<u64>,
        /// True when this ends the block.
        last: bool,
    },
    /// The node below says that what this node sent is corrupt: end the write without a word, so that upstream blames
    /// this node and not the one below.
    SelfDestruct,
    /// The node below acknowledged another packet than the oldest one: it is broken.
    OutOfOrder {
        /// The oldest packet here.
        expected: i64,
        /// The packet that was acknowledged.
        received: i64,
    },
}

/// The acknowledgements of one DataNode in one pipeline that has nodes below it.
#[derive(Clone, Debug, Default)]
pub struct MirrorAcks {
    pending: VecDeque<PendingPacket>,
}

impl MirrorAcks {
    /// No packet pending.
    pub fn new() -> Self {
        Self::default()
    }

    /// A packet is on this node's disk (or was refused), and sent to the node below.
    pub fn push(&mut self, packet: PendingPacket) {
        self.pending.push_back(packet);
    }

    /// The oldest packet that waits.
    pub fn head(&self) -> Option<&PendingPacket> {
        self.pending.front()
    }

    /// True when everything is acknowledged.
    pub fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// An acknowledgement came from below. For one with a packet's number, [`Self::head`] must exist.
    pub fn handle_downstream(&mut self, ack: &PipelineAckProto) -> AckAction {
        let below = reply_flags(ack);
        if ack.seqno == UNKNOWN_SEQNO {
            // Out of band, or "the node below me is gone": it belongs to no packet and goes up at once.
            let flags = with_own(Status::Success, &below);
            let ack = pipeline_ack(UNKNOWN_SEQNO, &flags, 0);
            return AckAction::Send { ack, acked: None, last: false };
        }
        let Some(packet) = self.pending.front().copied() else {
            return AckAction::OutOfOrder { expected: UNKNOWN_SEQNO, received: ack.seqno };
        };
        if packet.seqno != ack.seqno {
            return AckAction::OutOfOrder { expected: packet.seqno, received: ack.seqno };
        }
        if below.first().is_some_and(|flag| flag.status() == Status::ErrorChecksum) {
            return AckAction::SelfDestruct;
        }
        self.pending.pop_front();
        own_reply(packet, &below)
    }
}

/// The acknowledgement of the last node of a pipeline.
pub fn last_node_ack(packet: PendingPacket) -> AckAction {
    own_reply(packet, &[])
}

/// What goes up when the next node is gone: "I am well, the next one is not". It belongs to no packet.
pub fn mirror_lost() -> PipelineAckProto {
    pipeline_ack(UNKNOWN_SEQNO, &[plain(Status::Success), plain(Status::Error)], 0)
}

fn own_reply(packet: PendingPacket, below: &[AckFlag]) -> AckAction {
    let flags = with_own(packet.status, below);
    let success = flags.iter().all(|flag| flag.status() == Status::Success);
    AckAction::Send {
        ack: pipeline_ack(packet.seqno, &flags, 0),
        acked: success.then_some(packet.end_offset),
        last: packet.last,
    }
}

fn with_own(own: Status, below: &[AckFlag]) -> Vec<AckFlag> {
    let mut flags = Vec::with_capacity(below.len() + 1);
    flags.push(plain(own));
    flags.extend_from_slice(below);
    flags
}

fn plain(status: Status) -> AckFlag {
    AckFlag::new(status, Ecn::Disabled, Slow::Disabled)
}

/// True for the statuses that announce something outside the order of packets.
pub fn is_out_of_band(status: Status) -> bool {
    matches!(
        status,
        Status::OobRestart | Status::OobReserved1 | Status::OobReserved2 | Status::OobReserved3
    )
}

/// What a client learns from one acknowledgement.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AckVerdict {
    /// Every node has the packet.
    Acked,
    /// A heartbeat came back: the pipeline is alive.
    Heartbeat,
    /// The node at this index failed.
    BadNode {
        /// Place in the pipeline, 0 the nearest.
        index: usize,
        /// What it, or the node above it, said.
        status: Status,
    },
    /// The node at this index restarts soon; wait for it.
    Restarting {
        /// Place in the pipeline, 0 the nearest.
        index: usize,
    },
}

/// Judges an acknowledgement: the failed node nearest to the end of the pipeline is the bad one.
pub fn judge(ack: &PipelineAckProto) -> AckVerdict {
    let flags = reply_flags(ack);
    for (index, flag) in flags.iter().enumerate().rev() {
        match flag.status() {
            Status::Success => {}
            Status::OobRestart => return AckVerdict::Restarting { index },
            status => return AckVerdict::BadNode { index, status },
        }
    }
    if ack.seqno == hdfs_format::datatransfer::HEARTBEAT_SEQNO {
        AckVerdict::Heartbeat
    } else {
        AckVerdict::Acked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(seqno: i64) -> PendingPacket {
        PendingPacket {
            seqno,
            end_offset: 512 * (seqno.cast_unsigned() + 1),
            last: false,
            status: Status::Success,
        }
    }

    fn ack_from_below(seqno: i64, statuses: &[Status]) -> PipelineAckProto {
        let flags: Vec<AckFlag> = statuses.iter().map(|status| plain(*status)).collect();
        pipeline_ack(seqno, &flags, 0)
    }

    #[test]
    fn replies_from_below_follow_the_own_one() {
        let mut acks = MirrorAcks::new();
        acks.push(packet(0));
        acks.push(packet(1));
        let action =
            acks.handle_downstream(&ack_from_below(0, &[Status::Success, Status::Success]));
        let AckAction::Send { ack, acked, last } = action else { panic!("{action:?}") };
        assert_eq!((ack.seqno, ack.reply, acked, last), (0, vec![0, 0, 0], Some(512), false));
        let action = acks.handle_downstream(&ack_from_below(1, &[Status::Success, Status::Error]));
        let AckAction::Send { ack, acked, .. } = action else { panic!("{action:?}") };
        assert_eq!(acked, None);
        assert_eq!(judge(&ack), AckVerdict::BadNode { index: 2, status: Status::Error });
    }

    #[test]
    fn a_wrong_number_from_below_is_out_of_order() {
        let mut acks = MirrorAcks::new();
        acks.push(packet(3));
        assert_eq!(
            acks.handle_downstream(&ack_from_below(4, &[Status::Success])),
            AckAction::OutOfOrder { expected: 3, received: 4 }
        );
    }

    #[test]
    fn hdfs_3875_a_node_that_sent_corrupt_bytes_blames_itself() {
        let mut acks = MirrorAcks::new();
        acks.push(packet(0));
        let ack = ack_from_below(0, &[Status::ErrorChecksum]);
        assert_eq!(acks.handle_downstream(&ack), AckAction::SelfDestruct);
    }

    #[test]
    fn a_lost_mirror_is_the_bad_node() {
        let ack = mirror_lost();
        assert_eq!(judge(&ack), AckVerdict::BadNode { index: 1, status: Status::Error });
        let mut above = MirrorAcks::new();
        above.push(packet(7));
        let action = above.handle_downstream(&ack);
        let AckAction::Send { ack, acked: None, .. } = action else { panic!("{action:?}") };
        assert_eq!(judge(&ack), AckVerdict::BadNode { index: 2, status: Status::Error });
        assert_eq!(above.head(), Some(&packet(7)));
    }

    #[test]
    fn a_restart_is_passed_on_and_understood() {
        let mut acks = MirrorAcks::new();
        acks.push(packet(0));
        let oob = ack_from_below(UNKNOWN_SEQNO, &[Status::Success, Status::OobRestart]);
        let action = acks.handle_downstream(&oob);
        let AckAction::Send { ack, .. } = action else { panic!("{action:?}") };
        assert_eq!(judge(&ack), AckVerdict::Restarting { index: 2 });
        assert!(!acks.is_empty());
    }
}
