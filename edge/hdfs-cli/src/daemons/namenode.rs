//! `hdfs namenode`, and `hdfs namenode -format`.

use hdfs_conf::Configuration;
use hdfs_daemon::namenode::{self, FormatOptions, Formatted};
use hdfs_rt::signals::ShutdownSignals;
use hdfs_types::{Error, Result};

use super::{
    exit_status, refuse, shutdown_message, startup_message, tell_ready, tell_stopping, waiter,
};

pub(crate) const USAGE: &str = "\
Usage: hdfs namenode [-regular] | 
\t[-format [-clusterid cid ] [-force] [-nonInteractive] ] | 
\t[-recover [ -force] ]";

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
enum Task {
    Run,
    Format(FormatOptions),
    Recover { force: bool },
}

/// Runs `hdfs namenode ARGS…`; the exit status.
pub(crate) fn run(conf: Configuration, args: Vec<String>) -> i32 {
    match parse(&args) {
        Some(Task::Run) => {
            startup_message("NameNode", &args);
            let status = exit_status("namenode", serve(&conf));
            shutdown_message("NameNode");
            status
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
        None => refuse(&args, USAGE),
    }
}

/// Options in any case of letters; `None` when they make no sense.
fn parse(args: &[String]) -> Option<Task> {
    let Some((first, rest)) = args.split_first() else { return Some(Task::Run) };
    match first.to_ascii_lowercase().as_str() {
        "-regular" if rest.is_empty() => Some(Task::Run),
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

fn serve(conf: &Configuration) -> Result<i32> {
    let handle = namenode::start(conf)?;
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
        assert_eq!(parsed(""), Some(Task::Run));
        for wrong in [
            "-format -clusterid",
            "-format -clusterid -force",
            "-format x",
            "-recover x",
            "-regular x",
        ] {
            assert_eq!(parsed(wrong), None, "{wrong}");
        }
    }
}
