//! The states of a storage folder between formats, upgrades, rollbacks and checkpoints.
//!
//! ```text
//! upgrade   current ─rename→ previous.tmp, a new current is written, VERSION last; previous.tmp ─rename→ previous
//! rollback  current ─rename→ removed.tmp, previous ─rename→ current; removed.tmp is deleted
//! finalize  previous ─rename→ finalized.tmp; finalized.tmp is deleted
//! ```
//! At any moment at most one temporary folder is there, and it says, with VERSION and `previous`, whether the step that
//! was begun is completed or undone.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.common.Storage.StorageDirectory.analyzeStorage (3.5.0)

/// The state before an upgrade that is not final.
pub const PREVIOUS: &str = "previous";
/// The same while an upgrade is under way.
pub const PREVIOUS_TMP: &str = "previous.tmp";
/// The state that a rollback removes.
pub const REMOVED_TMP: &str = "removed.tmp";
/// The state before an upgrade that is being made final.
pub const FINALIZED_TMP: &str = "finalized.tmp";
/// The state before a checkpoint of releases before 2.0.
pub const LAST_CHECKPOINT_TMP: &str = "lastcheckpoint.tmp";
/// The same after it.
pub const PREVIOUS_CHECKPOINT: &str = "previous.checkpoint";

/// What of it a storage folder holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Present {
    /// `current/VERSION`.
    pub version: bool,
    /// [`PREVIOUS`].
    pub previous: bool,
    /// [`PREVIOUS_TMP`].
    pub previous_tmp: bool,
    /// [`REMOVED_TMP`].
    pub removed_tmp: bool,
    /// [`FINALIZED_TMP`].
    pub finalized_tmp: bool,
    /// [`LAST_CHECKPOINT_TMP`].
    pub last_checkpoint_tmp: bool,
}

/// The state of a storage folder.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StorageState {
    /// Nothing was ever formatted here.
    NotFormatted,
    /// Nothing is under way.
    Normal,
    /// An upgrade wrote everything: `previous.tmp` becomes `previous`.
    CompleteUpgrade,
    /// An upgrade did not get so far: `previous.tmp` becomes `current` again.
    RecoverUpgrade,
    /// A rollback is done: `removed.tmp` is deleted.
    CompleteRollback,
    /// A rollback did not get so far: `removed.tmp` becomes `current` again.
    RecoverRollback,
    /// `finalized.tmp` is deleted.
    CompleteFinalize,
    /// `lastcheckpoint.tmp` becomes `previous.checkpoint`.
    CompleteCheckpoint,
    /// `lastcheckpoint.tmp` becomes `current` again.
    RecoverCheckpoint,
}

impl StorageState {
    /// The state that is told by what is there.
    ///
    /// # Errors
    /// What contradicts itself, in Hadoop's words.
    pub fn of(present: Present) -> Result<Self, &'static str> {
        let Present { version, previous, .. } = present;
        let temporary = [
            present.previous_tmp,
            present.removed_tmp,
            present.finalized_tmp,
            present.last_checkpoint_tmp,
        ];
        match temporary.into_iter().filter(|there| *there).count() {
            0 if version => return Ok(Self::Normal),
            0 if previous => return Err("version file in current directory is missing."),
            0 => return Ok(Self::NotFormatted),
            1 => {}
            _ => return Err("too many temporary directories."),
        }
        if present.last_checkpoint_tmp {
            return Ok(if version { Self::CompleteCheckpoint } else { Self::RecoverCheckpoint });
        }
        if present.finalized_tmp {
            if previous {
                return Err("previous and finalized.tmpcannot exist together.");
            }
            return Ok(Self::CompleteFinalize);
        }
        if present.previous_tmp {
            if previous {
                return Err("previous and previous.tmp cannot exist together.");
            }
            return Ok(if version { Self::CompleteUpgrade } else { Self::RecoverUpgrade });
        }
        if version == previous {
            return Err(
                "one and only one directory current or previous must be present when removed.tmp exists.",
            );
        }
        Ok(if version { Self::CompleteRollback } else { Self::RecoverRollback })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(words: &str) -> Result<StorageState, &'static str> {
        let has = |word| words.split(' ').any(|of| of == word);
        StorageState::of(Present {
            version: has("V"),
            previous: has("previous"),
            previous_tmp: has("previous.tmp"),
            removed_tmp: has("removed.tmp"),
            finalized_tmp: has("finalized.tmp"),
            last_checkpoint_tmp: has("lastcheckpoint.tmp"),
        })
    }

    #[test]
    fn every_moment_of_a_transition_says_where_it_goes_on() {
        use StorageState::*;
        for (words, expected) in [
            ("", NotFormatted),
            ("V", Normal),
            ("V previous", Normal),
            ("previous.tmp", RecoverUpgrade),
            ("V previous.tmp", CompleteUpgrade),
            ("previous removed.tmp", RecoverRollback),
            ("V removed.tmp", CompleteRollback),
            ("V finalized.tmp", CompleteFinalize),
            ("V lastcheckpoint.tmp", CompleteCheckpoint),
            ("lastcheckpoint.tmp", RecoverCheckpoint),
        ] {
            assert_eq!(state(words), Ok(expected), "{words}");
        }
    }

    #[test]
    fn what_no_transition_leaves_is_refused() {
        for (words, expected) in [
            ("previous", "version file in current directory is missing."),
            ("V previous.tmp removed.tmp", "too many temporary directories."),
            ("V previous finalized.tmp", "previous and finalized.tmpcannot exist together."),
            ("V previous previous.tmp", "previous and previous.tmp cannot exist together."),
            (
                "removed.tmp",
                "one and only one directory current or previous must be present when removed.tmp exists.",
            ),
            (
                "V previous removed.tmp",
                "one and only one directory current or previous must be present when removed.tmp exists.",
            ),
        ] {
            assert_eq!(state(words), Err(expected), "{words}");
        }
    }
}
