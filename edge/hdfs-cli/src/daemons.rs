//! `hdfs namenode` and `hdfs datanode`: start a daemon, and end it cleanly on a signal.
//!
//! Nothing is decided here: the daemons are `hdfs_daemon`'s.

use std::time::Duration;

use hdfs_conf::Configuration;
use hdfs_daemon::{datanode, namenode};
use hdfs_types::Result;
use tokio::runtime::Runtime;

const DATANODE_USAGE: &str = "Usage: hdfs datanode [-regular]\n    -regular                 : Normal DataNode startup (default).";
const NAMENODE_USAGE: &str = "\
Usage: hdfs namenode [-regular] | 
\t[-format [-clusterid cid ] [-force] [-nonInteractive] ]";
/// Start-up options of Hadoop's daemons that are not built yet.
const ABSENT: [&str; 11] = [
    "-backup",
    "-checkpoint",
    "-upgrade",
    "-upgradeonly",
    "-rollback",
    "-rollingupgrade",
    "-importcheckpoint",
    "-initializesharededits",
    "-bootstrapstandby",
    "-recover",
    "-metadataversion",
];

/// What `hdfs namenode` is asked to do.
#[derive(Debug, PartialEq, Eq)]
enum NameNodeTask {
    Run,
    Format(namenode::FormatOptions),
}

/// Runs `hdfs datanode ARGS…`; the exit status.
pub(crate) fn datanode(conf: Configuration, args: Vec<String>) -> i32 {
    match args.as_slice() {
        [] => {}
        [option] if option.eq_ignore_ascii_case("-regular") => {}
        _ => return refuse(&args, DATANODE_USAGE),
    }
    exit_status("datanode", run_datanode(&conf))
}

/// Runs `hdfs namenode ARGS…`; the exit status.
pub(crate) fn namenode(conf: Configuration, args: Vec<String>) -> i32 {
    match parse_namenode(&args) {
        Some(NameNodeTask::Run) => exit_status("namenode", run_namenode(&conf)),
        Some(NameNodeTask::Format(options)) => {
            let formatted = namenode::format(&conf, &options);
            let status = formatted.map(|done| match done {
                namenode::Formatted::Done => 0,
                namenode::Formatted::Aborted => 1,
            });
            exit_status("namenode", status)
        }
        None => refuse(&args, NAMENODE_USAGE),
    }
}

/// Options of `hdfs namenode`, in any case of letters; `None` when they make no sense.
fn parse_namenode(args: &[String]) -> Option<NameNodeTask> {
    let Some((first, rest)) = args.split_first() else { return Some(NameNodeTask::Run) };
    match first.to_ascii_lowercase().as_str() {
        "-regular" if rest.is_empty() => Some(NameNodeTask::Run),
        "-format" => {
            let mut options = namenode::FormatOptions::default();
            let mut rest = rest.iter();
            while let Some(option) = rest.next() {
                match option.to_ascii_lowercase().as_str() {
                    "-clusterid" => {
                        let id = rest.next().map(|id| id.trim()).filter(|id| !id.is_empty())?;
                        // An option in its place means that the id was forgotten.
                        options.cluster_id = Some(id).filter(|id| !id.starts_with('-')).map(str::to_owned);
                        options.cluster_id.as_ref()?;
                    }
                    "-force" => options.force = true,
                    "-noninteractive" => options.non_interactive = true,
                    _ => return None,
                }
            }
            Some(NameNodeTask::Format(options))
        }
        _ => None,
    }
}

fn refuse(args: &[String], usage: &str) -> i32 {
    if let [option] = args {
        if matches!(option.as_str(), "-h" | "-help" | "--help") {
            println!("{usage}");
            return 0;
        }
    }
    if let Some(option) = args.iter().find(|arg| ABSENT.contains(&arg.to_ascii_lowercase().as_str())) {
        eprintln!("{option} is not supported yet");
    }
    eprintln!("{usage}");
    1
}

fn exit_status(role: &str, result: Result<i32>) -> i32 {
    result.unwrap_or_else(|error| {
        tracing::error!("Failed to start {role}: {error}");
        1
    })
}

fn waiter() -> Result<Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

fn run_datanode(conf: &Configuration) -> Result<i32> {
    let handle = datanode::start(conf)?;
    let asked = async {
        while !handle.is_shutdown_requested() && !handle.is_rejected() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let status = waiter()?.block_on(async {
        tokio::select! {
            signal = hdfs_rt::signals::shutdown_signal() => signal.map(|_| 0),
            () = asked => Ok(i32::from(handle.is_rejected() && !handle.is_shutdown_requested())),
        }
    });
    handle.stop();
    status
}

fn run_namenode(conf: &Configuration) -> Result<i32> {
    let handle = namenode::start(conf)?;
    let failed = waiter()?.block_on(async {
        tokio::select! {
            signal = hdfs_rt::signals::shutdown_signal() => signal.map(|_| None),
            reason = handle.failed() => Ok(Some(reason)),
        }
    })?;
    if let Some(reason) = failed {
        tracing::error!("Exiting: {reason}");
        return Ok(1);
    }
    handle.stop()?;
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Option<NameNodeTask> {
        let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        parse_namenode(&args)
    }

    #[test]
    fn format_takes_its_options_in_any_order_and_case() {
        let options = namenode::FormatOptions {
            cluster_id: Some("CID-1".into()),
            force: true,
            non_interactive: true,
        };
        let parsed = parse("-format -nonInteractive -clusterId CID-1 -FORCE");
        assert_eq!(parsed, Some(NameNodeTask::Format(options)));
        assert_eq!(parse(""), Some(NameNodeTask::Run));
        for wrong in ["-format -clusterid", "-format -clusterid -force", "-format x", "-recover", "-regular x"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
