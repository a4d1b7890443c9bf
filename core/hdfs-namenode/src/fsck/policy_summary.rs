//! Which kinds of storage hold the blocks, and whether that is what their policies ask for.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.StoragePolicySummary (3.5.0)

use std::collections::BTreeMap;
use std::fmt::Write;

use hdfs_types::StorageType;

use super::put;
use crate::policies::{STORAGE_POLICIES, StoragePolicy};

/// Blocks by their policy and by the kinds of storage that hold their replicas.
#[derive(Clone, Debug, Default)]
pub(super) struct PolicySummary {
    counts: BTreeMap<(u8, Vec<u8>), u64>,
    total: u64,
}

/// The kinds, in the order of Java's enum, which sorts them.
const JAVA_ORDER: [StorageType; 6] = [
    StorageType::RamDisk,
    StorageType::Ssd,
    StorageType::Disk,
    StorageType::Archive,
    StorageType::Provided,
    StorageType::Nvdimm,
];

fn rank(kind: StorageType) -> u8 {
    JAVA_ORDER.iter().position(|other| *other == kind).unwrap_or(0) as u8
}

impl PolicySummary {
    /// Counts a block of a file with this policy.
    pub(super) fn add(&mut self, policy: u8, kinds: impl Iterator<Item = StorageType>) {
        let mut kinds: Vec<u8> = kinds.map(rank).collect();
        kinds.sort_unstable();
        *self.counts.entry((policy, kinds)).or_default() += 1;
        self.total += 1;
    }

    /// Writes the two tables; the most frequent first.
    pub(super) fn write(&self, out: &mut String) {
        let mut rows: Vec<_> = self.counts.iter().collect();
        rows.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let mut fine = String::from(
            "\nBlocks satisfying the specified storage policy:\nStorage Policy                  # of blocks       % of \
             blocks\n",
        );
        let mut wrong = String::new();
        for ((policy, kinds), count) in rows {
            let specified = StoragePolicy::by_id(*policy);
            let actual = policy_of(kinds);
            let held = allocation(kinds, actual);
            let share = format!("{:.4}%", *count as f64 * 100.0 / self.total as f64);
            if actual.is_some() && actual == specified {
                put!(fine, "{held:<25} {count:>10}  {share:>20}\n");
                continue;
            }
            if wrong.is_empty() {
                wrong.push_str(
                    "\nBlocks NOT satisfying the specified storage policy:\nStorage Policy                  Specified \
                     Storage Policy      # of blocks       % of blocks\n",
                );
            }
            let name = specified.map_or("", |policy| policy.name);
            put!(wrong, "{held:<35} {name:<20} {count:>10}  {share:>20}\n");
        }
        if wrong.is_empty() {
            wrong.push_str("\nAll blocks satisfy specified storage policy.\n");
        }
        out.push_str(&fine);
        out.push_str(&wrong);
    }
}

/// `DISK:2,ARCHIVE:1(WARM)`.
fn allocation(kinds: &[u8], actual: Option<&StoragePolicy>) -> String {
    let counted = JAVA_ORDER.iter().filter_map(|kind| {
        let count = kinds.iter().filter(|other| **other == rank(*kind)).count();
        (count > 0).then(|| format!("{}:{count}", kind.name()))
    });
    let text = counted.collect::<Vec<_>>().join(",");
    match actual {
        Some(policy) => format!("{text}({})", policy.name),
        None => text,
    }
}

/// The first policy that these kinds, sorted, fit: its own ones, the last of them repeated.
fn policy_of(kinds: &[u8]) -> Option<&'static StoragePolicy> {
    STORAGE_POLICIES.iter().find(|policy| {
        let mut wanted: Vec<u8> = policy.types.iter().map(|kind| rank(*kind)).collect();
        wanted.sort_unstable();
        let Some(last) = wanted.last() else { return false };
        kinds.len() >= wanted.len()
            && kinds.starts_with(&wanted)
            && kinds.iter().skip(wanted.len()).all(|kind| kind == last)
    })
}
