//! Names of the files of the edit log.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.{NNStorage, FileJournalManager} (3.5.0)

use hdfs_types::TxId;

/// A file of the edit log, by its name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum EditsFile {
    /// `edits_<first>-<last>`.
    Finalized {
        /// First transaction.
        first: TxId,
        /// Last transaction.
        last: TxId,
    },
    /// `edits_inprogress_<first>`.
    InProgress {
        /// First transaction.
        first: TxId,
    },
    /// `edits_inprogress_<first>.empty`, `.corrupt`, `.trash`, …: set aside, never read.
    SetAside {
        /// First transaction.
        first: TxId,
    },
}

impl EditsFile {
    /// What a name says; none for names of other files (temporary ones among them).
    pub fn parse(name: &str) -> Option<Self> {
        let rest = name.strip_prefix("edits_")?;
        if let Some(rest) = rest.strip_prefix("inprogress_") {
            return match rest.split_once('.') {
                None => Some(Self::InProgress { first: number(rest)? }),
                Some((first, _)) => Some(Self::SetAside { first: number(first)? }),
            };
        }
        let (first, last) = rest.split_once('-')?;
        let (first, last) = (number(first)?, number(last)?);
        (first <= last).then_some(Self::Finalized { first, last })
    }

    /// The first transaction.
    pub fn first(self) -> TxId {
        match self {
            Self::Finalized { first, .. }
            | Self::InProgress { first }
            | Self::SetAside { first } => first,
        }
    }
}

fn number(text: &str) -> Option<TxId> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().map(TxId)
}

/// `edits_<first>-<last>`, 19 digits each.
pub fn finalized_name(first: TxId, last: TxId) -> String {
    format!("edits_{:019}-{:019}", first.0, last.0)
}

/// `edits_inprogress_<first>`, 19 digits.
pub fn in_progress_name(first: TxId) -> String {
    format!("edits_inprogress_{:019}", first.0)
}

/// `edits_tmp_<first>-<last>_<time>`: a segment while it is fetched from another node.
pub fn temporary_name(first: TxId, last: TxId, millis: u64) -> String {
    format!("edits_tmp_{:019}-{:019}_{millis:019}", first.0, last.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_a_file_holds() {
        let (first, last) = (TxId(1), TxId(42));
        assert_eq!(finalized_name(first, last), "edits_0000000000000000001-0000000000000000042");
        assert_eq!(
            EditsFile::parse(&finalized_name(first, last)),
            Some(EditsFile::Finalized { first, last })
        );
        assert_eq!(
            EditsFile::parse(&in_progress_name(last)),
            Some(EditsFile::InProgress { first: last })
        );
        assert_eq!(
            EditsFile::parse("edits_inprogress_0000000000000000042.empty"),
            Some(EditsFile::SetAside { first: last })
        );
        for other in [
            "edits_",
            "edits_1",
            "edits_2-1",
            "edits_+1-2",
            "edits_tmp_1-2_3",
            "fsimage_1",
            "edits_inprogress_",
            "edits_inprogress_x",
            "edits_1-99999999999999999999999",
        ] {
            assert_eq!(EditsFile::parse(other), None, "{other}");
        }
    }
}
