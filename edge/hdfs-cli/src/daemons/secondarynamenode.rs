//! `hdfs secondarynamenode`.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.SecondaryNameNode.CommandLineOpts (3.5.0)

use hdfs_conf::Configuration;
use hdfs_daemon::namenode::SecondaryNameNode;
use hdfs_rt::signals::shutdown_signal;
use hdfs_types::Result;
use tokio::sync::watch;

use crate::output::{complain, say};

use super::{exit_status, shutdown_message, startup_message, tell_ready, tell_stopping, waiter};

pub(crate) const USAGE: &str = "\
usage: secondarynamenode
The Secondary NameNode is a helper to the primary NameNode. The Secondary
is responsible for supporting periodic checkpoints of the HDFS metadata.
The current design allows only one Secondary NameNode per HDFS cluster.
 -checkpoint <force>   checkpoint on startup
 -format               format the local storage during startup
 -geteditsize          return the number of uncheckpointed transactions on
                       the NameNode
 -h,--help             get help information";

/// What is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Command {
    Serve,
    Checkpoint { force: bool },
    GetEditSize,
}

/// Runs `hdfs secondarynamenode ARGS…`; the exit status.
pub(crate) fn run(conf: Configuration, args: Vec<String>) -> i32 {
    if args.iter().any(|arg| ["-h", "-help", "--help"].contains(&arg.as_str())) {
        say!("{USAGE}");
        return 0;
    }
    let (command, format) = match parse(&args) {
        Ok(parsed) => parsed,
        Err(text) => {
            complain!("{text}");
            say!("{USAGE}");
            return 1;
        }
    };
    startup_message("SecondaryNameNode", &args);
    let status = exit_status("secondarynamenode", perform(&conf, command, format));
    shutdown_message("SecondaryNameNode");
    status
}

fn parse(args: &[String]) -> Result<(Command, bool), String> {
    let (mut command, mut format) = (None, false);
    let mut args = args.iter().peekable();
    while let Some(arg) = args.next() {
        let this = match arg.trim_start_matches('-') {
            "format" if arg.starts_with('-') => {
                format = true;
                continue;
            }
            "geteditsize" if arg.starts_with('-') => Command::GetEditSize,
            "checkpoint" if arg.starts_with('-') => {
                let value = args.next_if(|next| !next.starts_with('-'));
                match value.map(String::as_str) {
                    None => Command::Checkpoint { force: false },
                    Some("force") => Command::Checkpoint { force: true },
                    Some(_) => {
                        return Err("-checkpoint may only take 'force' as an argument".to_owned());
                    }
                }
            }
            _ => return Err(format!("Unrecognized option: {arg}")),
        };
        if command.replace(this).is_some_and(|other| other != this) {
            return Err("May not pass both geteditsize and checkpoint".to_owned());
        }
    }
    Ok((command.unwrap_or(Command::Serve), format))
}

fn perform(conf: &Configuration, command: Command, format: bool) -> Result<i32> {
    let secondary = SecondaryNameNode::new(conf, format)?;
    match command {
        Command::GetEditSize => {
            let count = secondary.uncheckpointed()?;
            say!("NameNode has {count} uncheckpointed transactions");
        }
        Command::Checkpoint { force } => {
            let (count, wanted) = (secondary.uncheckpointed()?, secondary.txns());
            if count > wanted || force {
                secondary.checkpoint()?;
            } else {
                complain!(
                    "EditLog size {count} transactions is smaller than configured checkpoint interval {wanted} transactions."
                );
                complain!("Skipping checkpoint.");
            }
        }
        Command::Serve => return serve(&secondary),
    }
    Ok(0)
}

/// Serves on a thread of its own until a signal comes.
fn serve(secondary: &SecondaryNameNode) -> Result<i32> {
    let (stop, stopped) = watch::channel(false);
    std::thread::scope(|scope| {
        let (send, receive) = tokio::sync::oneshot::channel();
        scope.spawn(move || {
            // The receiver is gone when a signal came first: nobody asks for the status then.
            let _ = send.send(secondary.serve(stopped));
        });
        tell_ready("SecondaryNameNode", "its web port");
        waiter()?.block_on(async {
            tokio::select! {
                signal = shutdown_signal() => {
                    signal?;
                    tell_stopping("SecondaryNameNode");
                    stop.send_replace(true);
                    Ok(0)
                }
                served = receive => served.unwrap_or(Ok(1)),
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_command_and_a_format_are_read() {
        let of = |line: &str| {
            let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            parse(&args)
        };
        assert_eq!(of(""), Ok((Command::Serve, false)));
        assert_eq!(of("-format"), Ok((Command::Serve, true)));
        assert_eq!(of("-checkpoint"), Ok((Command::Checkpoint { force: false }, false)));
        let forced = Ok((Command::Checkpoint { force: true }, true));
        assert_eq!(of("-checkpoint force -format"), forced);
        assert_eq!(of("-geteditsize"), Ok((Command::GetEditSize, false)));
        for wrong in ["-checkpoint now", "-geteditsize -checkpoint", "-x", "checkpoint"] {
            assert!(of(wrong).is_err(), "{wrong}");
        }
    }
}
