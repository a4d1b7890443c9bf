//! Bugs that are there on purpose, for the simulation to find: they show that it looks where it should.
//!
//! Without the feature `planted`, which nothing but the simulation turns on, [`Planted`] is empty and never says yes: the
//! compiler removes the question.

/// A rule that is broken on purpose.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum PlantedBug {
    /// A DataNode takes packets whose checksums are wrong.
    PacketsNotVerified,
    /// The first hsync syncs both files, but not the folder that has their names (HDFS-11915).
    FolderNotSynced,
    /// hsync does not sync.
    SyncForgotten,
    /// The last packet is acknowledged without a sync (`dfs.datanode.synconclose=false`).
    CloseNotDurable,
    /// Packets are acknowledged before they are written.
    AcknowledgedBeforeWritten,
    /// A packet that continues a partial chunk leaves its own checksum, without the bytes before it (HDFS-4660).
    LastChecksumNotRecomputed,
    /// The checksum of a partial chunk that was synced is replaced before the bytes that it covers are safe.
    SumsBeforeData,
    /// Completed blocks are renamed, and the folders are not synced (HDFS-5042).
    RenameNotSynced,
    /// After a restart a replica that was being written claims all the bytes of its file.
    UnprovenBytesClaimed,
    /// A DataNode acknowledges what the next one has not acknowledged yet.
    AcknowledgedForOthers,
    /// The NameNode remembers no answers: a repeated call has a second effect (HDFS-16322).
    RetryCacheOff,
    /// The client counts an acknowledgement that names a failed node.
    FailedAckCounted,
    /// The client keeps the old generation stamp when it rebuilds a pipeline, and tells nobody.
    StampKept,
    /// The NameNode answers before the edit log is synced.
    AnsweredBeforeSynced,
}

impl PlantedBug {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::PacketsNotVerified,
        Self::FolderNotSynced,
        Self::SyncForgotten,
        Self::CloseNotDurable,
        Self::AcknowledgedBeforeWritten,
        Self::LastChecksumNotRecomputed,
        Self::SumsBeforeData,
        Self::RenameNotSynced,
        Self::UnprovenBytesClaimed,
        Self::AcknowledgedForOthers,
        Self::RetryCacheOff,
        Self::FailedAckCounted,
        Self::StampKept,
        Self::AnsweredBeforeSynced,
    ];
}

/// The bug that a machine has, if any.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Planted {
    #[cfg(feature = "planted")]
    bug: Option<PlantedBug>,
}

impl Planted {
    /// No bug.
    pub const NONE: Self = Self {
        #[cfg(feature = "planted")]
        bug: None,
    };

    /// This one.
    #[cfg(feature = "planted")]
    pub fn bug(bug: PlantedBug) -> Self {
        Self { bug: Some(bug) }
    }

    /// True when the machine has this bug.
    #[inline]
    pub fn is(self, bug: PlantedBug) -> bool {
        #[cfg(feature = "planted")]
        {
            self.bug == Some(bug)
        }
        #[cfg(not(feature = "planted"))]
        {
            let _ = bug;
            false
        }
    }
}
