//! Replicas and the map that holds them.
//!
//! The map is one shard: the edge keeps many, each behind a lock of its own, chosen by block id.

use hdfs_types::{Block, BlockId, GenerationStamp, ReplicaState};
use std::collections::BTreeMap;
use std::fmt;

/// A volume of this DataNode, by its place in the list of volumes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct VolumeIndex(pub u16);

/// One writer of one replica; numbers are never used twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct WriterId(pub u64);

/// The folder that holds a replica's files.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// `finalized/subdirX/subdirY`.
    Finalized,
    /// `rbw`.
    Rbw,
    /// `tmp`.
    Tmp,
}

/// What only replicas in a pipeline have.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct InPipeline {
    /// Bytes written to the block file.
    pub bytes_on_disk: u64,
    /// Bytes that every node of the pipeline acknowledged: what readers see.
    pub bytes_acked: u64,
    /// Checksum of the partial last chunk at `bytes_on_disk`. `None`: the `.meta` file has it, or the end is aligned.
    pub last_sum: Option<u32>,
    /// Who writes, if anybody.
    pub writer: Option<WriterId>,
}

/// What only replicas under recovery have: how they were before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnderRecovery {
    /// The stamp that the recovery gives.
    pub recovery_id: GenerationStamp,
    /// State before.
    pub original_state: ReplicaState,
    /// Bytes in the block file before.
    pub bytes_on_disk: u64,
    /// What readers saw before.
    pub visible: Option<u64>,
}

/// State, with what belongs to it. Boxed: nearly all replicas are finalized.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum State {
    /// Complete.
    Finalized,
    /// Being written by a client's pipeline.
    Rbw(Box<InPipeline>),
    /// Was being written when the DataNode stopped.
    Rwr,
    /// Under recovery.
    Rur(Box<UnderRecovery>),
    /// Being copied here.
    Temporary(Box<InPipeline>),
}

/// One replica.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Replica {
    /// Identity, version, and length: bytes received, for one in a pipeline.
    pub block: Block,
    /// The volume that holds its files.
    pub volume: VolumeIndex,
    /// The folder that holds its files.
    pub place: Place,
    /// State.
    pub state: State,
}

impl Replica {
    /// A finalized one.
    pub fn finalized(block: Block, volume: VolumeIndex) -> Self {
        Self { block, volume, place: Place::Finalized, state: State::Finalized }
    }

    /// An empty one that a client's pipeline starts to write.
    pub fn rbw(block: Block, volume: VolumeIndex, writer: WriterId) -> Self {
        let pipeline = InPipeline { writer: Some(writer), ..InPipeline::default() };
        let block = Block { num_bytes: 0, ..block };
        Self { block, volume, place: Place::Rbw, state: State::Rbw(Box::new(pipeline)) }
    }

    /// An empty one that another DataNode starts to copy here.
    pub fn temporary(block: Block, volume: VolumeIndex, writer: WriterId) -> Self {
        let pipeline = InPipeline { writer: Some(writer), ..InPipeline::default() };
        let block = Block { num_bytes: 0, ..block };
        Self { block, volume, place: Place::Tmp, state: State::Temporary(Box::new(pipeline)) }
    }

    /// One that was found in `rbw` at start; `block.num_bytes` is the length that its checksums prove.
    pub fn waiting(block: Block, volume: VolumeIndex) -> Self {
        Self { block, volume, place: Place::Rbw, state: State::Rwr }
    }

    /// The state without what belongs to it.
    pub fn state(&self) -> ReplicaState {
        match self.state {
            State::Finalized => ReplicaState::Finalized,
            State::Rbw(_) => ReplicaState::Rbw,
            State::Rwr => ReplicaState::Rwr,
            State::Rur(_) => ReplicaState::Rur,
            State::Temporary(_) => ReplicaState::Temporary,
        }
    }

    /// True for what a crash left of a replica before its checksum file was durable: nobody knows of which version it was, and
    /// nothing of it was acknowledged as durable.
    pub fn proves_nothing(&self) -> bool {
        self.state == State::Rwr
            && self.block.num_bytes == 0
            && self.block.generation_stamp == GenerationStamp::GRANDFATHER
    }

    /// Bytes in the block file.
    pub fn bytes_on_disk(&self) -> u64 {
        match &self.state {
            State::Rbw(pipeline) | State::Temporary(pipeline) => pipeline.bytes_on_disk,
            State::Rur(recovery) => recovery.bytes_on_disk,
            State::Finalized | State::Rwr => self.block.num_bytes,
        }
    }

    /// Bytes that a reader may see. `None`: it may not read at all.
    pub fn visible_length(&self) -> Option<u64> {
        match &self.state {
            State::Finalized => Some(self.block.num_bytes),
            State::Rbw(pipeline) => Some(pipeline.bytes_acked),
            State::Rur(recovery) => recovery.visible,
            State::Rwr | State::Temporary(_) => None,
        }
    }

    /// Who writes it, if anybody.
    pub fn writer(&self) -> Option<WriterId> {
        self.pipeline().and_then(|pipeline| pipeline.writer)
    }

    /// The pipeline's numbers, when it is in one.
    pub fn pipeline(&self) -> Option<&InPipeline> {
        match &self.state {
            State::Rbw(pipeline) | State::Temporary(pipeline) => Some(pipeline),
            _ => None,
        }
    }

    /// The same to change.
    pub fn pipeline_mut(&mut self) -> Option<&mut InPipeline> {
        match &mut self.state {
            State::Rbw(pipeline) | State::Temporary(pipeline) => Some(pipeline),
            _ => None,
        }
    }

    /// Gives the replica a newer version.
    ///
    /// # Panics
    /// When the stamp would go backward: every caller has checked it (HDFS-7065).
    pub fn bump(&mut self, stamp: GenerationStamp) {
        assert!(stamp >= self.block.generation_stamp, "a generation stamp only grows");
        self.block.generation_stamp = stamp;
    }
}

/// As in Hadoop's messages.
impl fmt::Display for Replica {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let class = match self.state {
            State::Finalized => "FinalizedReplica",
            State::Rbw(_) => "ReplicaBeingWritten",
            State::Rwr => "ReplicaWaitingToBeRecovered",
            State::Rur(_) => "ReplicaUnderRecovery",
            State::Temporary(_) => "LocalReplicaInPipeline",
        };
        let visible = self.visible_length().map_or(-1, u64::cast_signed);
        write!(f, "{class}, {}, {}", self.block, self.state().name())?;
        write!(f, "\n  getNumBytes()     = {}", self.block.num_bytes)?;
        write!(f, "\n  getBytesOnDisk()  = {}", self.bytes_on_disk())?;
        write!(f, "\n  getVisibleLength()= {visible}")?;
        match &self.state {
            State::Rbw(pipeline) | State::Temporary(pipeline) => {
                write!(f, "\n  bytesAcked={}", pipeline.bytes_acked)?;
                write!(f, "\n  bytesOnDisk={}", pipeline.bytes_on_disk)
            }
            State::Rur(recovery) => write!(f, "\n  recoveryId={}", recovery.recovery_id),
            State::Finalized | State::Rwr => Ok(()),
        }
    }
}

/// The replicas of one shard of one block pool.
#[derive(Clone, Debug, Default)]
pub struct ReplicaMap {
    replicas: BTreeMap<BlockId, Replica>,
    /// Those whose files are there and are not trusted before the next start: a sync of theirs failed, or their volume.
    failed: BTreeMap<BlockId, VolumeIndex>,
}

impl ReplicaMap {
    /// An empty map.
    pub fn new() -> Self {
        Self::default()
    }

    /// The replica of this block.
    pub fn get(&self, id: BlockId) -> Option<&Replica> {
        self.replicas.get(&id)
    }

    /// The same to change.
    pub fn get_mut(&mut self, id: BlockId) -> Option<&mut Replica> {
        self.replicas.get_mut(&id)
    }

    /// Adds or replaces a replica.
    pub fn insert(&mut self, replica: Replica) -> Option<Replica> {
        self.replicas.insert(replica.block.id, replica)
    }

    /// Forgets a replica.
    pub fn remove(&mut self, id: BlockId) -> Option<Replica> {
        self.replicas.remove(&id)
    }

    /// Forgets a replica whose files stay as they are, and are not trusted before the next start reads them.
    pub fn fail(&mut self, id: BlockId) -> Option<Replica> {
        let replica = self.replicas.remove(&id)?;
        self.failed.insert(id, replica.volume);
        Some(replica)
    }

    /// The volume that has files of a replica that failed.
    pub fn failed_on(&self, id: BlockId) -> Option<VolumeIndex> {
        self.failed.get(&id).copied()
    }

    /// True when replicas wait for the next start.
    pub fn has_failed(&self) -> bool {
        !self.failed.is_empty()
    }

    /// All replicas, by block id.
    pub fn iter(&self) -> impl Iterator<Item = &Replica> {
        self.replicas.values()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.replicas.len()
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.replicas.is_empty()
    }
}
