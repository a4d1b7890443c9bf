//! `-count`.
//!
//! Hadoop: org.apache.hadoop.fs.shell.Count, org.apache.hadoop.fs.ContentSummary, QuotaUsage (3.5.0)

use hdfs_client::{ContentSummary, QuotaUsage, TypeQuota};
use hdfs_types::StorageType;

use crate::shell::Shell;
use crate::shell::arguments::Options;
use crate::shell::failure::{Failure, Outcome};
use crate::shell::format::size;
use crate::shell::walk::{Command, PathData};

/// `-count`.
#[derive(Default)]
pub(crate) struct Count {
    quotas: bool,
    usage_only: bool,
    human_readable: bool,
    without_snapshots: bool,
    ec_policy: bool,
    snapshots: bool,
    /// Quotas of these kinds of storage instead.
    types: Option<Vec<StorageType>>,
}

/// The kinds that quotas may be set for, in Hadoop's order.
const TYPES: [StorageType; 5] = [
    StorageType::Ssd,
    StorageType::Disk,
    StorageType::Archive,
    StorageType::Provided,
    StorageType::Nvdimm,
];

fn parse_types(text: &str) -> Outcome<Vec<StorageType>> {
    if text.is_empty() || text.eq_ignore_ascii_case("all") {
        return Ok(TYPES.to_vec());
    }
    text.split(',')
        .map(|name| {
            StorageType::from_name(name).ok_or_else(|| {
                let class = "No enum constant org.apache.hadoop.fs.StorageType.";
                Failure::Illegal(format!("{class}{}", name.to_uppercase()))
            })
        })
        .collect()
}

impl Count {
    fn header(&self) -> String {
        let mut header = match &self.types {
            Some(types) => types
                .iter()
                .map(|kind| {
                    format!(
                        "{:>14} {:>18} ",
                        format!("{}_QUOTA", kind.name()),
                        format!("REM_{}_QUOTA", kind.name())
                    )
                })
                .collect(),
            None => {
                let quotas =
                    quota_columns(["QUOTA", "REM_QUOTA", "SPACE_QUOTA", "REM_SPACE_QUOTA"]);
                let sums = sum_columns(["DIR_COUNT", "FILE_COUNT", "CONTENT_SIZE"]);
                match (self.usage_only, self.quotas) {
                    (true, _) => quotas,
                    (false, true) => quotas + &sums,
                    (false, false) => sums,
                }
            }
        };
        if self.ec_policy {
            header.push_str(&format!("{:>20} ", "ERASURECODING_POLICY"));
        }
        if self.snapshots {
            header.push_str(&snapshot_columns([
                "SNAPSHOT_LENGTH",
                "SNAPSHOT_FILE_COUNT",
                "SNAPSHOT_DIR_COUNT",
                "SNAPSHOT_SPACE_CONSUMED",
            ]));
        }
        header + "PATHNAME"
    }

    fn sums(&self, summary: &ContentSummary) -> String {
        let less = |all: u64, in_snapshots: u64| {
            let number =
                if self.without_snapshots { all as i64 - in_snapshots as i64 } else { all as i64 };
            size(number, self.human_readable)
        };
        let directories = less(summary.directory_count, summary.snapshot_directory_count);
        let files = less(summary.file_count, summary.snapshot_file_count);
        let length = less(summary.length, summary.snapshot_length);
        sum_columns([&directories, &files, &length])
    }

    fn quotas(&self, names: (Option<u64>, u64), space: (Option<u64>, u64)) -> String {
        // A quota of 0 names does not count as one; of 0 bytes it does.
        let names = (names.0.filter(|quota| *quota > 0), names.1);
        let [quota, rest] = self.quota_and_rest(names);
        let [space_quota, space_rest] = self.quota_and_rest(space);
        quota_columns([&quota, &rest, &space_quota, &space_rest])
    }

    fn quota_and_rest(&self, (quota, used): (Option<u64>, u64)) -> [String; 2] {
        match quota {
            Some(quota) => {
                let rest = quota as i64 - used as i64;
                [size(quota as i64, self.human_readable), size(rest, self.human_readable)]
            }
            None => ["none".into(), "inf".into()],
        }
    }

    fn type_quotas(&self, types: &[StorageType], known: &[TypeQuota]) -> String {
        let one = |kind: &StorageType| {
            let found = known.iter().find(|quota| quota.storage_type == *kind);
            let (quota, consumed) = found.map_or((None, 0), |found| (found.quota, found.consumed));
            let [quota, rest] = self.quota_and_rest((quota, consumed));
            format!("{quota:>14} {rest:>18} ")
        };
        types.iter().map(one).collect()
    }

    fn usage(&self, usage: &QuotaUsage) -> String {
        match &self.types {
            Some(types) => self.type_quotas(types, &usage.type_quotas),
            None => self.quotas(
                (usage.quota, usage.file_and_directory_count),
                (usage.space_quota, usage.space_consumed),
            ),
        }
    }
}

fn quota_columns([a, b, c, d]: [&str; 4]) -> String {
    format!("{a:>12} {b:>15} {c:>15} {d:>15} ")
}

fn sum_columns([a, b, c]: [&str; 3]) -> String {
    format!("{a:>12} {b:>12} {c:>18} ")
}

fn snapshot_columns([a, b, c, d]: [&str; 4]) -> String {
    format!("{a:>18} {b:>24} {c:>24} {d:>28} ")
}

impl Command for Count {
    fn configure(
        &mut self,
        shell: &mut Shell,
        options: &Options,
        args: &mut Vec<String>,
    ) -> Outcome<()> {
        if args.is_empty() {
            args.push(".".into());
        }
        self.quotas = options.has("q");
        self.human_readable = options.has("h");
        self.usage_only = options.has("u");
        self.without_snapshots = options.has("x");
        self.ec_policy = options.has("e");
        self.snapshots = options.has("s");
        if self.quotas || self.usage_only {
            self.types = options.value("t").map(parse_types).transpose()?;
            if self.without_snapshots {
                shell.out.line("q or u option is given, the -x option is ignored.");
                self.without_snapshots = false;
            }
        }
        if options.has("v") {
            let header = self.header();
            shell.out.line(header);
        }
        Ok(())
    }

    fn visit(&mut self, shell: &mut Shell, item: &PathData) -> Outcome<()> {
        let mut line = if self.usage_only || self.types.is_some() {
            self.usage(&item.fs.quota_usage(&item.path)?)
        } else {
            let summary = item.fs.content_summary(&item.path)?;
            let names = (summary.quota, summary.file_count + summary.directory_count);
            let space = (summary.space_quota, summary.space_consumed);
            let quotas = if self.quotas { self.quotas(names, space) } else { String::new() };
            quotas + &self.sums(&summary)
        };
        if self.ec_policy || self.snapshots {
            let summary = item.fs.content_summary(&item.path)?;
            if self.ec_policy {
                let policy = match summary.erasure_coding_policy.as_str() {
                    "Replicated" => "Replicated".to_owned(),
                    policy => format!("EC:{policy}"),
                };
                line.push_str(&format!("{policy:>20} "));
            }
            if self.snapshots {
                let number = |number: u64| size(number as i64, self.human_readable);
                line.push_str(&snapshot_columns([
                    &number(summary.snapshot_length),
                    &number(summary.snapshot_file_count),
                    &number(summary.snapshot_directory_count),
                    &number(summary.snapshot_space_consumed),
                ]));
            }
        }
        shell.out.line(line + &item.text);
        Ok(())
    }
}
