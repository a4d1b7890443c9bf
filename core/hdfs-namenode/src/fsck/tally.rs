//! The sums of a check, and how Hadoop prints them.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.NamenodeFsck.{Result, ReplicationResult, ErasureCodingResult} (3.5.0)

use std::fmt::Write;

use hdfs_blocks::ReplicaCounts;

use super::file::replicas;
use super::put;

/// Sums over files of one kind. Sizes in bytes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Tally {
    pub(super) missing: u64,
    pub(super) missing_size: u64,
    pub(super) corrupt_files: u64,
    pub(super) corrupt_blocks: u64,
    pub(super) corrupt_size: u64,
    pub(super) missing_replicas: u64,
    pub(super) decommissioned: u64,
    pub(super) decommissioning: u64,
    pub(super) entering_maintenance: u64,
    pub(super) in_maintenance: u64,
    pub(super) under_minimum: u64,
    pub(super) over_replicated: u64,
    pub(super) under_replicated: u64,
    pub(super) badly_placed: u64,
    pub(super) at_minimum: u64,
    pub(super) blocks: u64,
    pub(super) expected_replicas: u64,
    pub(super) open_blocks: u64,
    pub(super) files: u64,
    pub(super) open_files: u64,
    pub(super) size: u64,
    pub(super) open_size: u64,
    pub(super) replicas: u64,
    pub(super) queued: u64,
}

/// The words for one kind of files.
pub(super) struct Words {
    total: &'static str,
    average: &'static str,
    open: &'static str,
    under_minimum: &'static str,
    missing_banner: &'static str,
    corrupt_banner: &'static str,
    at_minimum: &'static str,
    over: &'static str,
    under: &'static str,
    misplaced: &'static str,
    per_block: &'static str,
    missing: &'static str,
    corrupt: &'static str,
    missing_replicas: &'static str,
    decommissioned: &'static str,
    decommissioning: &'static str,
}

pub(super) const REPLICATED: Words = Words {
    total: " Total blocks (validated):\t",
    average: " (avg. block size ",
    open: " (Total open file blocks (not validated): ",
    under_minimum: "UNDER MIN REPL'D BLOCKS:\t",
    missing_banner: "MISSING BLOCKS:\t",
    corrupt_banner: "CORRUPT BLOCKS: \t",
    at_minimum: " Minimally replicated blocks:\t",
    over: " Over-replicated blocks:\t",
    under: " Under-replicated blocks:\t",
    misplaced: " Mis-replicated blocks:\t\t",
    per_block: " Average block replication:\t",
    missing: " Missing blocks:\t\t",
    corrupt: " Corrupt blocks:\t\t",
    missing_replicas: " Missing replicas:\t\t",
    decommissioned: " DecommissionedReplicas:\t",
    decommissioning: " DecommissioningReplicas:\t",
};

pub(super) const ERASURE_CODED: Words = Words {
    total: " Total block groups (validated):\t",
    average: " (avg. block group size ",
    open: " (Total open file block groups (not validated): ",
    under_minimum: "UNRECOVERABLE BLOCK GROUPS:\t",
    missing_banner: "MISSING BLOCK GROUPS:\t",
    corrupt_banner: "CORRUPT BLOCK GROUPS: \t",
    at_minimum: " Minimally erasure-coded block groups:\t",
    over: " Over-erasure-coded block groups:\t",
    under: " Under-erasure-coded block groups:\t",
    misplaced: " Unsatisfactory placement block groups:\t",
    per_block: " Average block group size:\t",
    missing: " Missing block groups:\t\t",
    corrupt: " Corrupt block groups:\t\t",
    missing_replicas: " Missing internal blocks:\t",
    decommissioned: " Decommissioned internal blocks:\t",
    decommissioning: " Decommissioning internal blocks:\t",
};

const STARS: &str = "  ********************************\n";

impl Tally {
    /// Every block has a good replica.
    pub(super) fn is_healthy(&self) -> bool {
        self.missing == 0 && self.corrupt_blocks == 0
    }

    /// Counts the replicas of a block that wants so many; true when it lacks some and is not lost.
    pub(super) fn add_block(&mut self, counts: &ReplicaCounts, target: u16, minimum: u16) -> bool {
        let (found, target) = (u64::from(replicas(counts)), u64::from(target));
        self.decommissioned += u64::from(counts.decommissioned);
        self.decommissioning += u64::from(counts.decommissioning);
        self.entering_maintenance += u64::from(counts.entering_maintenance);
        self.in_maintenance += u64::from(counts.in_maintenance);
        self.replicas += found;
        self.expected_replicas += target;
        self.under_minimum += u64::from(found < u64::from(minimum));
        self.at_minimum += u64::from(found >= u64::from(minimum));
        self.over_replicated += u64::from(u64::from(counts.live) > target);
        let lacking = found != 0 && found < target;
        if lacking {
            self.missing_replicas += target - found;
            self.under_replicated += 1;
        }
        lacking
    }

    /// Writes the sums, without the last end of line. `replication`: wanted by default, and least, of replicated
    /// blocks.
    pub(super) fn write(&self, words: &Words, replication: Option<(u16, u16)>, out: &mut String) {
        put!(out, " Total size:\t{} B", self.size);
        if self.open_size != 0 {
            put!(out, " (Total open files size: {} B)", self.open_size);
        }
        put!(out, "\n Total files:\t{}", self.files);
        if self.open_files != 0 {
            put!(out, " (Files currently being written: {})", self.open_files);
        }
        put!(out, "\n{}{}", words.total, self.blocks);
        if let Some(average) = self.size.checked_div(self.blocks) {
            put!(out, "{}{average} B)", words.average);
        }
        if self.open_blocks != 0 {
            put!(out, "{}{})", words.open, self.open_blocks);
        }
        out.push('\n');
        if self.corrupt_files > 0 || self.under_minimum > 0 {
            self.write_banner(words, replication, out);
        }
        for (label, count) in [
            (words.at_minimum, self.at_minimum),
            (words.over, self.over_replicated),
            (words.under, self.under_replicated),
            (words.misplaced, self.badly_placed),
        ] {
            put!(out, "{label}{count}");
            self.share_of_blocks(count, out);
            out.push('\n');
        }
        if let Some((default, _)) = replication {
            put!(out, " Default replication factor:\t{default}\n");
        }
        let average =
            if self.blocks == 0 { 0.0 } else { self.replicas as f32 / self.blocks as f32 };
        put!(out, "{}{}\n", words.per_block, java_float(average));
        put!(out, "{}{}\n{}{}\n", words.missing, self.missing, words.corrupt, self.corrupt_blocks);
        put!(out, "{}{}", words.missing_replicas, self.missing_replicas);
        if self.replicas > 0 {
            put!(out, " ({} %)", percent(self.missing_replicas, self.expected_replicas));
        }
        for (label, count) in [
            (words.decommissioned, self.decommissioned),
            (words.decommissioning, self.decommissioning),
            (" EnteringMaintenanceReplicas:\t", self.entering_maintenance),
            (" InMaintenanceReplicas:\t", self.in_maintenance),
        ] {
            if count > 0 {
                put!(out, "\n{label}{count}");
            }
        }
        put!(out, "\n Blocks queued for replication:\t{}", self.queued);
    }

    fn write_banner(&self, words: &Words, replication: Option<(u16, u16)>, out: &mut String) {
        out.push_str(STARS);
        if self.under_minimum > 0 {
            put!(out, "  {}{}", words.under_minimum, self.under_minimum);
            self.share_of_blocks(self.under_minimum, out);
            out.push('\n');
            if let Some((_, least)) = replication {
                put!(out, "  MINIMAL BLOCK REPLICATION:\t{least}\n");
            }
        }
        if self.corrupt_files > 0 {
            put!(out, "  CORRUPT FILES:\t{}\n", self.corrupt_files);
            if self.missing_size > 0 {
                put!(out, "  {}{}\n", words.missing_banner, self.missing);
                put!(out, "  MISSING SIZE:\t\t{} B\n", self.missing_size);
            }
            if self.corrupt_blocks > 0 {
                put!(out, "  {}{}\n", words.corrupt_banner, self.corrupt_blocks);
                put!(out, "  CORRUPT SIZE:\t\t{} B\n", self.corrupt_size);
            }
        }
        out.push_str(STARS);
    }

    fn share_of_blocks(&self, count: u64, out: &mut String) {
        if self.blocks > 0 {
            put!(out, " ({} %)", percent(count, self.blocks));
        }
    }
}

fn percent(count: u64, of: u64) -> String {
    java_float((count * 100) as f32 / of as f32)
}

/// A number as Java prints a `float`.
fn java_float(value: f32) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let plain = value == 0.0 || (1e-3..1e7).contains(&value.abs());
    let text = if plain { format!("{value}") } else { format!("{value:E}") };
    let (mantissa, exponent) = text.split_once('E').map_or((text.as_str(), ""), |parts| parts);
    let point = if mantissa.contains('.') { "" } else { ".0" };
    let mark = if plain { "" } else { "E" };
    format!("{mantissa}{point}{mark}{exponent}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_printed_as_java_does() {
        let cases = [
            (0.0, "0.0"),
            (100.0, "100.0"),
            (33.333_332, "33.333332"),
            (0.001, "0.001"),
            (0.000_5, "5.0E-4"),
            (0.000_123, "1.23E-4"),
            (9_999_999.0, "9999999.0"),
            (12_345_678.0, "1.2345678E7"),
        ];
        for (value, text) in cases {
            assert_eq!(java_float(value), text);
        }
    }
}
