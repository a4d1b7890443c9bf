//! `hdfs namenode`, and what it does to the name folders before it serves, or instead: `-format`, `-upgrade`, `-rollback`,
//! ….
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.NameNode.{parseArguments, createNameNode} (3.5.0)

use std::io::BufRead;

use hdfs_conf::Configuration;
use hdfs_daemon::namenode::{self, FormatOptions, Formatted, StartOption, UpgradeOptions};
use hdfs_format::reserved_names::ReservedNames;
use hdfs_rt::signals::ShutdownSignals;
use hdfs_types::{Error, ErrorKind, Result};

use crate::output::{complain, say};

use super::{
    exit_status, refuse, shutdown_message, startup_message, tell_ready, tell_stopping, waiter,
};

pub(crate) const USAGE: &str = "\
Usage: hdfs namenode [-regular] | 
\t[-format [-clusterid cid ] [-force] [-nonInteractive] ] | 
\t[-upgrade [-clusterid cid] [-renameReserved<k-v pairs>] ] | 
\t[-upgradeOnly [-clusterid cid] [-renameReserved<k-v pairs>] ] | 
\t[-rollback] | 
\t[-rollingUpgrade <rollback|started> ] | 
\t[-importCheckpoint] | 
\t[-recover [ -force] ] | 
\t[-metadataVersion ]";

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
enum Task {
    Run(StartOption),
    Format(FormatOptions),
    Recover {
        force: bool,
    },
    UpgradeOnly(UpgradeOptions),
    Rollback,
    MetadataVersion,
    /// An option has no sense.
    Fail(String),
}

/// Runs `hdfs namenode ARGS…`; the exit status.
pub(crate) fn run(conf: Configuration, args: Vec<String>) -> i32 {
    match parse(&args) {
        Some(Task::Run(option)) => with_messages(&args, || serve(&conf, &option)),
        Some(Task::UpgradeOnly(options)) => {
            with_messages(&args, || upgrade_only(&conf, StartOption::Upgrade(options)))
        }
        Some(Task::Rollback) => with_messages(&args, || rollback(&conf)),
        Some(Task::MetadataVersion) => {
            let versions = namenode::metadata_version(&conf).map(|(stored, ours)| {
                say!("HDFS Image Version: {stored}\nSoftware format version: {ours}");
                0
            });
            exit_status("namenode", versions)
        }
        Some(Task::Format(options)) => {
            let status = namenode::format(&conf, &options).map(|done| match done {
                Formatted::Done => 0,
                Formatted::Aborted => 1,
            });
            exit_status("namenode", status)
        }
        Some(Task::Recover { force }) => {
            startup_message("NameNode", &args);
            exit_status("namenode", namenode::recover(&conf, force).map(|_| 0))
        }
        Some(Task::Fail(reason)) => {
            startup_message("NameNode", &args);
            exit_status("namenode", Err(Error::new(ErrorKind::IllegalArgument, reason)))
        }
        None => refuse(&args, USAGE),
    }
}

/// Options in any case of letters; `None` when they make no sense.
fn parse(args: &[String]) -> Option<Task> {
    let Some((first, rest)) = args.split_first() else {
        return Some(Task::Run(StartOption::Regular));
    };
    match first.to_ascii_lowercase().as_str() {
        "-upgrade" => upgrade_task(rest, |options| Task::Run(StartOption::Upgrade(options))),
        "-upgradeonly" => upgrade_task(rest, Task::UpgradeOnly),
        "-rollingupgrade" => parse_rolling_upgrade(rest).map(Task::Run),
        "-regular" if rest.is_empty() => Some(Task::Run(StartOption::Regular)),
        "-importcheckpoint" if rest.is_empty() => Some(Task::Run(StartOption::ImportCheckpoint)),
        "-rollback" if rest.is_empty() => Some(Task::Rollback),
        "-metadataversion" if rest.is_empty() => Some(Task::MetadataVersion),
        "-format" => parse_format(rest).map(Task::Format),
        "-recover" => {
            let known = rest.iter().all(|option| option.eq_ignore_ascii_case("-force"));
            known.then_some(Task::Recover { force: !rest.is_empty() })
        }
        _ => None,
    }
}

fn parse_format(args: &[String]) -> Option<FormatOptions> {
    let mut options = FormatOptions::default();
    let mut args = args.iter();
    while let Some(option) = args.next() {
        match option.to_ascii_lowercase().as_str() {
            "-clusterid" => {
                // An option in its place means that the id was forgotten.
                let id = args.next().map(|id| id.trim());
                let id = id.filter(|id| !id.is_empty() && !id.starts_with('-'))?;
                options.cluster_id = Some(id.to_owned());
            }
            "-force" => options.force = true,
            "-noninteractive" => options.non_interactive = true,
            _ => return None,
        }
    }
    Some(options)
}

fn upgrade_task(args: &[String], task: impl FnOnce(UpgradeOptions) -> Task) -> Option<Task> {
    Some(parse_upgrade(args)?.map_or_else(|error| Task::Fail(error.message), task))
}

/// The inner error is about pairs of names.
fn parse_upgrade(args: &[String]) -> Option<Result<UpgradeOptions>> {
    let mut options = UpgradeOptions::default();
    let mut args = args.iter();
    while let Some(option) = args.next() {
        if option.eq_ignore_ascii_case("-renameReserved") {
            // Whatever comes next are the pairs, as in Hadoop.
            let pairs = args.next().map_or("", String::as_str);
            match ReservedNames::parse(pairs) {
                Ok(names) => options.reserved_names = names,
                Err(error) => return Some(Err(error)),
            }
            continue;
        }
        if !option.eq_ignore_ascii_case("-clusterid") {
            complain!("Unknown upgrade flag: {option}");
            return None;
        }
        let Some(id) = args.next() else {
            complain!("Must specify a valid cluster ID after the -clusterid flag");
            return None;
        };
        options.cluster_id = Some(id.clone());
    }
    Some(Ok(options))
}

fn parse_rolling_upgrade(args: &[String]) -> Option<StartOption> {
    let [option] = args else {
        complain!("Must specify a rolling upgrade startup option <rollback|started>");
        return None;
    };
    match option.to_ascii_lowercase().as_str() {
        "rollback" => Some(StartOption::RollingUpgradeRollback),
        "started" => Some(StartOption::RollingUpgradeStarted),
        "downgrade" => {
            complain!(
                "The \"downgrade\" option is no longer supported since it may incorrectly finalize an ongoing rolling \
                 upgrade. For downgrade instruction, please see the documentation (http://hadoop.apache.org/docs/current/\
                 hadoop-project-dist/hadoop-hdfs/HdfsRollingUpgrade.html#Downgrade)."
            );
            None
        }
        _ => {
            complain!("Failed to convert \"{option}\" to RollingUpgradeStartupOption");
            None
        }
    }
}

/// Runs a task between Hadoop's first and last words.
fn with_messages(args: &[String], task: impl FnOnce() -> Result<i32>) -> i32 {
    startup_message("NameNode", args);
    let status = exit_status("namenode", task());
    shutdown_message("NameNode");
    status
}

/// Upgrades the name folders and ends, once the edit log has begun in the new ones.
fn upgrade_only(conf: &Configuration, option: StartOption) -> Result<i32> {
    namenode::start_with(conf, &option)?.stop()?;
    Ok(0)
}

fn rollback(conf: &Configuration) -> Result<i32> {
    eprint!(
        "\"rollBack\" will remove the current state of the file system,\nreturning you to the state prior to initiating your \
         recent.\nupgrade. This action is permanent and cannot be undone. If you\nare performing a rollback in an HA \
         environment, you should be\ncertain that no NameNode process is running on any host."
    );
    if !confirm("Roll back file system state?")? {
        complain!("Rollback aborted.");
        return Ok(1);
    }
    namenode::rollback(conf)?;
    Ok(0)
}

/// Asks until the answer is yes or no; the end of input is a no.
///
/// Hadoop: org.apache.hadoop.util.ToolRunner.confirmPrompt (3.5.0)
fn confirm(question: &str) -> Result<bool> {
    loop {
        eprint!("{question} (Y or N) ");
        let mut answer = String::new();
        let read = std::io::stdin().lock().read_line(&mut answer)?;
        match answer.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" => return Ok(true),
            "n" | "no" => return Ok(false),
            _ if read == 0 => return Ok(false),
            _ => complain!("Invalid input: {}", answer.trim()),
        }
    }
}

fn serve(conf: &Configuration, option: &StartOption) -> Result<i32> {
    let handle = namenode::start_with(conf, option)?;
    let failed = waiter()?.block_on(async {
        // Who hears that it serves may end it at once: the signals are watched before.
        let mut signals = ShutdownSignals::watch()?;
        tell_ready("NameNode", handle.rpc_addr());
        Ok::<_, Error>(tokio::select! {
            _ = signals.received() => None,
            reason = handle.failed() => Some(reason),
        })
    })?;
    if let Some(reason) = failed {
        tracing::error!("Exiting: {reason}");
        return Ok(1);
    }
    tell_stopping("NameNode");
    handle.stop()?;
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Option<Task> {
        let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        parse(&args)
    }

    #[test]
    fn format_takes_its_options_in_any_order_and_case() {
        let options =
            FormatOptions { cluster_id: Some("CID-1".into()), force: true, non_interactive: true };
        let task = parsed("-format -nonInteractive -clusterId CID-1 -FORCE");
        assert_eq!(task, Some(Task::Format(options)));
        assert_eq!(parsed(""), Some(Task::Run(StartOption::Regular)));
        for wrong in [
            "-format -clusterid",
            "-format -clusterid -force",
            "-format x",
            "-recover x",
            "-regular x",
            "-upgrade -clusterid",
            "-upgrade -force",
            "-rollingUpgrade",
            "-rollingUpgrade downgrade",
            "-rollback x",
        ] {
            assert_eq!(parsed(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn options_about_the_name_folders_are_read_in_any_case() {
        let start = |option| Some(Task::Run(option));
        let of = |id: &str| UpgradeOptions {
            cluster_id: Some(id.to_owned()),
            ..UpgradeOptions::default()
        };
        assert_eq!(parsed("-UPGRADE"), start(StartOption::Upgrade(UpgradeOptions::default())));
        assert_eq!(parsed("-upgrade -clusterId CID-1"), start(StartOption::Upgrade(of("CID-1"))));
        assert_eq!(parsed("-upgradeOnly -clusterid x"), Some(Task::UpgradeOnly(of("x"))));
        assert_eq!(parsed("-rollingUpgrade STARTED"), start(StartOption::RollingUpgradeStarted));
        assert_eq!(parsed("-rollingupgrade rollback"), start(StartOption::RollingUpgradeRollback));
        assert_eq!(parsed("-importCheckpoint"), start(StartOption::ImportCheckpoint));
        assert_eq!(parsed("-rollback"), Some(Task::Rollback));
        assert_eq!(parsed("-metadataVersion"), Some(Task::MetadataVersion));
    }
}
