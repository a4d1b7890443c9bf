//! `hdfs dfsadmin`: the administrator's commands of a NameNode.
//!
//! Usage and help are Hadoop's, also for the commands that are not built yet; those fail with a message.
//!
//! Hadoop: org.apache.hadoop.hdfs.tools.DFSAdmin (3.5.0)

mod quota;
mod report;

use std::time::Duration;

use hdfs_client::SafeModeAction;
use hdfs_client::blocking::HdfsClient;
use hdfs_conf::{Configuration, keys};
use hdfs_types::{Error, ErrorKind, Result};

use crate::output::{complain, print, say};
use crate::shell;

const USAGE: &str = include_str!("dfsadmin/usage.txt");
const HELP: &str = include_str!("dfsadmin/help.txt");

/// What a command is given.
struct Call<'a> {
    conf: &'a Configuration,
    client: HdfsClient,
    args: &'a [String],
}

/// A command of `dfsadmin`.
struct Spec {
    name: &'static str,
    /// Fewest and most arguments.
    counts: (usize, usize),
    /// What follows the name in its usage.
    usage: &'static str,
    run: fn(&Call<'_>) -> Result<i32>,
}

const MANY: usize = usize::MAX;
const COMMANDS: &[Spec] = &[
    Spec {
        name: "report",
        counts: (0, 6),
        usage: "[-report] [-live] [-dead] [-decommissioning] [-enteringmaintenance] [-inmaintenance] [-slownodes]",
        run: report::run,
    },
    Spec {
        name: "safemode",
        counts: (1, 1),
        usage: "[-safemode enter | leave | get | wait | forceExit]",
        run: safe_mode,
    },
    Spec {
        name: "saveNamespace",
        counts: (0, 1),
        usage: "[-saveNamespace [-beforeShutdown]]",
        run: save_namespace,
    },
    Spec { name: "rollEdits", counts: (0, 0), usage: "[-rollEdits]", run: roll_edits },
    Spec { name: "refreshNodes", counts: (0, 0), usage: "[-refreshNodes]", run: refresh_nodes },
    Spec {
        name: "restoreFailedStorage",
        counts: (1, 1),
        usage: "[-restoreFailedStorage true|false|check ]",
        run: restore_failed_storage,
    },
    Spec { name: "metasave", counts: (1, 1), usage: "[-metasave filename]", run: meta_save },
    Spec {
        name: "printTopology",
        counts: (0, 0),
        usage: "[-printTopology]",
        run: report::topology,
    },
    Spec {
        name: "listOpenFiles",
        counts: (0, 3),
        usage: "[-listOpenFiles [-blockingDecommission] [-path <path>]]",
        run: list_open_files,
    },
    Spec {
        name: "setQuota",
        counts: (0, MANY),
        usage: "[-setQuota <quota> <dirname>...<dirname>]",
        run: quota::set_names,
    },
    Spec {
        name: "clrQuota",
        counts: (0, MANY),
        usage: "[-clrQuota <dirname>...<dirname>]",
        run: quota::clear_names,
    },
    Spec {
        name: "setSpaceQuota",
        counts: (0, MANY),
        usage: "[-setSpaceQuota <quota> [-storageType <storagetype>] <dirname>...<dirname>]",
        run: quota::set_space,
    },
    Spec {
        name: "clrSpaceQuota",
        counts: (0, MANY),
        usage: "[-clrSpaceQuota [-storageType <storagetype>] <dirname>...<dirname>]",
        run: quota::clear_space,
    },
];

/// Runs `hdfs dfsadmin ARGS…`; the exit status.
pub(crate) fn run(conf: Configuration, args: Vec<String>) -> i32 {
    let Some((typed, rest)) = args.split_first() else {
        print_usage();
        return 255;
    };
    let name = typed.strip_prefix('-').unwrap_or(typed);
    if name == "help" {
        print(&rest.first().map_or_else(|| HELP.to_owned(), |command| help_of(command)));
        return 0;
    }
    let Some(spec) = COMMANDS.iter().find(|spec| format!("-{}", spec.name) == *typed) else {
        if USAGE.contains(&format!("\t[{typed}")) {
            complain!("{name}: not supported yet");
        } else {
            // Hadoop cuts the first character off, whichever it is.
            complain!("{}: Unknown command", typed.get(1..).unwrap_or_default());
            print_usage();
        }
        return 255;
    };
    let (fewest, most) = spec.counts;
    if rest.len() < fewest || rest.len() > most {
        complain!("Usage: hdfs dfsadmin {}", spec.usage);
        return 255;
    }
    let done =
        connect(&conf).and_then(|client| (spec.run)(&Call { conf: &conf, client, args: rest }));
    done.unwrap_or_else(|error| {
        complain!("{name}: {}", error.message.split('\n').next().unwrap_or_default());
        if error.kind == ErrorKind::IllegalArgument {
            complain!("Usage: hdfs dfsadmin {}", spec.usage);
        }
        255
    })
}

fn print_usage() {
    complain!("{USAGE}\n{}", shell::GENERIC_OPTIONS.trim_end_matches('\n'));
    complain!("");
}

/// The part of the help that begins with a command's name.
fn help_of(command: &str) -> String {
    let name = format!("-{}", command.trim_start_matches('-'));
    let starts = |line: &str| {
        line.strip_prefix(name.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', ':']))
    };
    let mut lines = HELP.lines().skip_while(|line| !starts(line));
    let Some(first) = lines.next() else { return HELP.to_owned() };
    let rest = lines.take_while(|line| !line.starts_with('-'));
    let text: Vec<&str> = std::iter::once(first).chain(rest).collect();
    text.join("\n").trim_end().to_owned() + "\n\n"
}

/// The NameNode of the default file system.
fn connect(conf: &Configuration) -> Result<HdfsClient> {
    let uri = shell::default_uri(conf);
    if !uri.starts_with("hdfs:") {
        let message = format!(
            "FileSystem {uri} is not an HDFS file system. The fs class is: org.apache.hadoop.fs.LocalFileSystem"
        );
        return Err(Error::new(ErrorKind::IllegalArgument, message));
    }
    HdfsClient::for_uri(&uri, conf)
}

fn safe_mode(call: &Call<'_>) -> Result<i32> {
    let (action, wait) = match call.args[0].to_ascii_lowercase().as_str() {
        "leave" => (SafeModeAction::Leave, false),
        "enter" => (SafeModeAction::Enter, false),
        "get" => (SafeModeAction::Get, false),
        "wait" => (SafeModeAction::Get, true),
        "forceexit" => (SafeModeAction::ForceExit, false),
        _ => {
            complain!("Usage: hdfs dfsadmin [-safemode enter | leave | get | wait | forceExit]");
            return Ok(0);
        }
    };
    let mut on = call.client.set_safe_mode(action)?;
    // Asked more often than Hadoop does: scripts wait on this.
    while wait && on {
        std::thread::sleep(Duration::from_millis(250));
        on = call.client.set_safe_mode(SafeModeAction::Get)?;
    }
    say!("Safe mode is {}", if on { "ON" } else { "OFF" });
    Ok(0)
}

fn save_namespace(call: &Call<'_>) -> Result<i32> {
    let (mut window, mut gap) = (0, 0);
    if call.args.first().is_some_and(|arg| arg == "-beforeShutdown") {
        let conf = call.conf;
        let missed =
            conf.get_u64(&keys::DFS_NAMENODE_MISSING_CHECKPOINT_PERIODS_BEFORE_SHUTDOWN)?;
        let period = conf.get_duration(&keys::DFS_NAMENODE_CHECKPOINT_PERIOD)?.as_secs();
        window = period * missed;
        gap = conf.get_u64(&keys::DFS_NAMENODE_CHECKPOINT_TXNS)? * missed;
        say!(
            "Do checkpoint if necessary before stopping namenode. The time window is {window} seconds, and the \
             transaction gap is {gap}"
        );
    }
    if call.client.save_namespace(window, gap)? {
        say!("Save namespace successful");
    } else {
        say!("No extra checkpoint has been made");
    }
    Ok(0)
}

fn roll_edits(call: &Call<'_>) -> Result<i32> {
    let first = call.client.roll_edits()?;
    say!("Successfully rolled edit logs.\nNew segment starts at txid {first}");
    Ok(0)
}

fn refresh_nodes(call: &Call<'_>) -> Result<i32> {
    call.client.refresh_nodes()?;
    say!("Refresh nodes successful");
    Ok(0)
}

fn restore_failed_storage(call: &Call<'_>) -> Result<i32> {
    let arg = call.args[0].as_str();
    if !["check", "true", "false"].contains(&arg) {
        complain!("restoreFailedStorage valid args are true|false|check");
        return Ok(255);
    }
    say!("restoreFailedStorage is set to {}", call.client.restore_failed_storage(arg)?);
    Ok(0)
}

fn meta_save(call: &Call<'_>) -> Result<i32> {
    let file = &call.args[0];
    call.client.meta_save(file)?;
    say!("Created metasave file {file} in the log directory of namenode {}", call.client.uri());
    Ok(0)
}

fn list_open_files(call: &Call<'_>) -> Result<i32> {
    let blocking = call.args.iter().any(|arg| arg == "-blockingDecommission");
    let path = match call.args.iter().position(|arg| arg == "-path") {
        Some(at) => Some(call.args.get(at + 1).ok_or_else(|| {
            Error::new(ErrorKind::IllegalArgument, "option -path requires 1 argument.")
        })?),
        None => None,
    };
    let path = path.map(|path| path.trim()).filter(|path| !path.is_empty());
    let files = call.client.list_open_files(path, blocking).inspect_err(|_| {
        complain!("List open files failed.");
    })?;
    say!("{:<20}\t{:<20}\tOpen File Path", "Client Host", "Client Name");
    for file in files {
        say!("{:<20}\t{:<20}\t{:>20}", file.client_machine, file.client_name, file.path);
    }
    Ok(0)
}
