//! `hdfs dfsadmin`: the administrator's commands of a NameNode.
//!
//! Usage, help, messages and statuses are Hadoop's. What a server does not support yet is asked for all the same, and its
//! error is printed.
//!
//! Hadoop: org.apache.hadoop.hdfs.tools.DFSAdmin (3.5.0)

mod nodes;
mod quota;
mod reconfig;
mod report;
mod upgrade;

use std::sync::OnceLock;
use std::time::Duration;

use hdfs_client::SafeModeAction;
use hdfs_client::blocking::HdfsClient;
use hdfs_conf::{Configuration, keys, parse_bytes};
use hdfs_types::{Error, ErrorKind, Result};

pub(crate) use upgrade::web_address;

use crate::output::{complain, print, say};
use crate::shell;

const USAGE: &str = include_str!("dfsadmin/usage.txt");
const HELP: &str = include_str!("dfsadmin/help.txt");

/// What a command is given.
struct Call<'a> {
    conf: &'a Configuration,
    spec: &'static Spec,
    args: &'a [String],
    client: OnceLock<HdfsClient>,
}

impl Call<'_> {
    /// The NameNode of the default file system.
    fn client(&self) -> Result<&HdfsClient> {
        if self.client.get().is_none() {
            let made = connect(self.conf)?;
            return Ok(self.client.get_or_init(|| made));
        }
        Ok(self.client.get().expect("it was looked at"))
    }

    /// Prints how the command is used; the status of a command that was not understood.
    fn usage(&self) -> i32 {
        complain!("Usage: hdfs dfsadmin {}", self.spec.usage);
        255
    }
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

const fn spec(
    name: &'static str,
    counts: (usize, usize),
    usage: &'static str,
    run: fn(&Call<'_>) -> Result<i32>,
) -> Spec {
    Spec { name, counts, usage, run }
}

const MANY: usize = usize::MAX;
/// Commands that Hadoop knows in any case of letters.
const ANY_CASE: [&str; 3] = ["allowSnapshot", "disallowSnapshot", "provisionSnapshotTrash"];
#[rustfmt::skip]
const COMMANDS: &[Spec] = &[
    spec("report", (0, 6), "[-report] [-live] [-dead] [-decommissioning] [-enteringmaintenance] [-inmaintenance] [-slownodes]", report::run),
    spec("safemode", (1, 1), "[-safemode enter | leave | get | wait | forceExit]", safe_mode),
    spec("saveNamespace", (0, 1), "[-saveNamespace [-beforeShutdown]]", save_namespace),
    spec("rollEdits", (0, 0), "[-rollEdits]", roll_edits),
    spec("restoreFailedStorage", (1, 1), "[-restoreFailedStorage true|false|check ]", restore_failed_storage),
    spec("refreshNodes", (0, 0), "[-refreshNodes]", refresh_nodes),
    spec("setQuota", (0, MANY), "[-setQuota <quota> <dirname>...<dirname>]", quota::set_names),
    spec("clrQuota", (0, MANY), "[-clrQuota <dirname>...<dirname>]", quota::clear_names),
    spec("setSpaceQuota", (0, MANY), "[-setSpaceQuota <quota> [-storageType <storagetype>] <dirname>...<dirname>]", quota::set_space),
    spec("clrSpaceQuota", (0, MANY), "[-clrSpaceQuota [-storageType <storagetype>] <dirname>...<dirname>]", quota::clear_space),
    spec("finalizeUpgrade", (0, 0), "[-finalizeUpgrade]", upgrade::finalize),
    spec("rollingUpgrade", (0, 1), "[-rollingUpgrade [<query|prepare|finalize>]]", upgrade::rolling),
    spec("upgrade", (1, 1), "[-upgrade query | finalize]", upgrade::upgrade),
    spec("refreshServiceAcl", (0, 0), "[-refreshServiceAcl]", refresh_service_acl),
    spec("refreshUserToGroupsMappings", (0, 0), "[-refreshUserToGroupsMappings]", refresh_groups),
    spec("refreshSuperUserGroupsConfiguration", (0, MANY), "[-refreshSuperUserGroupsConfiguration]", refresh_super_users),
    spec("refreshCallQueue", (0, MANY), "[-refreshCallQueue]", refresh_call_queue),
    spec("refresh", (2, MANY), "[-refresh <hostname:ipc_port> <resource_identifier> [arg1..argn]", nodes::generic_refresh),
    spec("reconfig", (3, 3), "[-reconfig <namenode|datanode> <host:ipc_port|livenodes|decomnodes> <start|status|properties>]", reconfig::run),
    spec("printTopology", (0, 0), "[-printTopology]", report::topology),
    spec("refreshNamenodes", (1, 1), "[-refreshNamenodes datanode-host:ipc_port]", nodes::refresh_namenodes),
    spec("getVolumeReport", (1, 1), "[-getVolumeReport datanode-host:ipc_port]", nodes::volume_report),
    spec("deleteBlockPool", (2, 3), "[-deleteBlockPool datanode-host:ipc_port blockpoolId [force]]", nodes::delete_block_pool),
    spec("setBalancerBandwidth", (1, 1), "[-setBalancerBandwidth <bandwidth in bytes per second>]", set_balancer_bandwidth),
    spec("getBalancerBandwidth", (1, 1), "[-getBalancerBandwidth <datanode_host:ipc_port>]", nodes::balancer_bandwidth),
    spec("fetchImage", (1, 1), "[-fetchImage <local directory>]", upgrade::fetch_image),
    spec("allowSnapshot", (1, 1), "[-allowSnapshot <snapshotDir>]", upgrade::allow_snapshot),
    spec("disallowSnapshot", (1, 1), "[-disallowSnapshot <snapshotDir>]", upgrade::disallow_snapshot),
    spec("provisionSnapshotTrash", (1, 1), "[-provisionSnapshotTrash <snapshotDir> [-all]]", upgrade::provision_trash),
    spec("shutdownDatanode", (1, 2), "[-shutdownDatanode <datanode_host:ipc_port> [upgrade]]", nodes::shutdown),
    spec("evictWriters", (1, MANY), "[-evictWriters <datanode_host:ipc_port>]", nodes::evict_writers),
    spec("getDatanodeInfo", (1, 1), "[-getDatanodeInfo <datanode_host:ipc_port>]", nodes::datanode_info),
    spec("metasave", (1, 1), "[-metasave filename]", meta_save),
    spec("triggerBlockReport", (1, 4), "[-triggerBlockReport [-incremental] <datanode_host:ipc_port> [-namenode <namenode_host:ipc_port>]]", nodes::trigger_block_report),
    spec("listOpenFiles", (0, 3), "[-listOpenFiles [-blockingDecommission] [-path <path>]]", list_open_files),
];

/// Names and usages of the commands.
pub(crate) fn usages() -> impl Iterator<Item = (&'static str, &'static str)> {
    COMMANDS.iter().map(|spec| (spec.name, spec.usage))
}

/// Runs `hdfs dfsadmin ARGS…`; the exit status.
pub(crate) fn run(conf: Configuration, args: Vec<String>) -> i32 {
    let Some((typed, rest)) = args.split_first() else {
        print_usage();
        return 255;
    };
    // Hadoop cuts the first character off, whichever it is.
    let name = typed.char_indices().nth(1).map_or("", |(at, _)| &typed[at..]);
    if typed == "-help" {
        print(&rest.first().map_or_else(|| HELP.to_owned(), |command| help_of(command)));
        return 0;
    }
    let is = |spec: &&Spec| {
        let any_case = ANY_CASE.contains(&spec.name) && spec.name.eq_ignore_ascii_case(name);
        typed.starts_with('-') && (spec.name == name || any_case)
    };
    let Some(spec) = COMMANDS.iter().find(is) else {
        complain!("{name}: Unknown command");
        print_usage();
        return 255;
    };
    let call = Call { conf: &conf, spec, args: rest, client: OnceLock::new() };
    let (fewest, most) = spec.counts;
    if rest.len() < fewest || rest.len() > most {
        return call.usage();
    }
    (spec.run)(&call).unwrap_or_else(|error| {
        complain!("{name}: {}", error.message.split('\n').next().unwrap_or_default());
        if error.kind == ErrorKind::IllegalArgument {
            call.usage();
        }
        255
    })
}

fn illegal(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::IllegalArgument, message)
}

/// Runs a call to its end.
fn block_on<F: Future>(call: F) -> Result<F::Output> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(call))
}

/// An error as Java prints an exception: class and message. What a server answered is a RemoteException there.
fn java_text(error: &Error) -> String {
    let class = error.kind.java_class();
    let local = matches!(
        error.kind,
        ErrorKind::Connect | ErrorKind::SocketTimeout | ErrorKind::Eof | ErrorKind::UnknownHost
    );
    if local {
        return format!("{class}: {}", error.message);
    }
    format!("org.apache.hadoop.ipc.RemoteException({class}): {}", error.message)
}

/// Takes an option out of the arguments; true when it was there.
fn pop_option(name: &str, args: &mut Vec<String>) -> bool {
    let end = args.iter().position(|arg| arg == "--").unwrap_or(args.len());
    let found = args[..end].iter().position(|arg| arg == name);
    found.map(|at| args.remove(at)).is_some()
}

/// Takes an option and its value out of the arguments.
fn pop_value(name: &str, args: &mut Vec<String>) -> Result<Option<String>> {
    let end = args.iter().position(|arg| arg == "--").unwrap_or(args.len());
    let Some(at) = args[..end].iter().position(|arg| arg == name) else { return Ok(None) };
    args.remove(at);
    if at == args.len() {
        return Err(illegal(format!("option {name} requires 1 argument.")));
    }
    Ok(Some(args.remove(at)))
}

fn print_usage() {
    complain!("{USAGE}\n{}", shell::GENERIC_OPTIONS.trim_end_matches('\n'));
    complain!("");
}

/// What `-help` does not list and `-help getVolumeReport` tells all the same.
const HELP_OF_VOLUME_REPORT: &str = "\
-getVolumeReport: Takes a datanodehost:ipc_port as argument,For the given datanode,get the volume report.
\t\tThe ipc_port is determined by 'dfs.datanode.ipc.address',default is DFS_DATANODE_IPC_DEFAULT_PORT.

";

/// The part of the help that begins with a command's name; all of it for a command that does not exist.
fn help_of(command: &str) -> String {
    let command = command.trim_start_matches('-');
    if command == "getVolumeReport" {
        return HELP_OF_VOLUME_REPORT.to_owned();
    }
    let any_case = ANY_CASE.iter().find(|name| name.eq_ignore_ascii_case(command));
    let name = format!("-{}", any_case.unwrap_or(&command));
    let starts = |line: &str| {
        line.strip_prefix(name.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', ':']))
    };
    let mut lines = HELP.lines().skip_while(|line| !starts(line));
    let Some(first) = lines.next() else { return HELP.to_owned() };
    let rest = lines.take_while(|line| !line.starts_with('-') && !line.starts_with("Generic"));
    let text: Vec<&str> = std::iter::once(first).chain(rest).collect();
    // As Hadoop: every text but these has a line end of its own.
    let bare = [
        "clrQuota",
        "clrSpaceQuota",
        "listOpenFiles",
        "rollingUpgrade",
        "setSpaceQuota",
        "upgrade",
    ]
    .contains(&command);
    let end = if bare { "\n" } else { "\n\n" };
    text.join("\n").trim_end_matches('\n').to_owned() + end
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
    let mut on = call.client()?.set_safe_mode(action)?;
    // Asked more often than Hadoop does: scripts wait on this.
    while wait && on {
        std::thread::sleep(Duration::from_millis(250));
        on = call.client()?.set_safe_mode(SafeModeAction::Get)?;
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
    if call.client()?.save_namespace(window, gap)? {
        say!("Save namespace successful");
    } else {
        say!("No extra checkpoint has been made");
    }
    Ok(0)
}

fn roll_edits(call: &Call<'_>) -> Result<i32> {
    let first = call.client()?.roll_edits()?;
    say!("Successfully rolled edit logs.\nNew segment starts at txid {first}");
    Ok(0)
}

fn refresh_nodes(call: &Call<'_>) -> Result<i32> {
    call.client()?.refresh_nodes()?;
    say!("Refresh nodes successful");
    Ok(0)
}

fn restore_failed_storage(call: &Call<'_>) -> Result<i32> {
    let arg = call.args[0].as_str();
    if !["check", "true", "false"].contains(&arg) {
        complain!("restoreFailedStorage valid args are true|false|check");
        return Ok(255);
    }
    say!("restoreFailedStorage is set to {}", call.client()?.restore_failed_storage(arg)?);
    Ok(0)
}

fn meta_save(call: &Call<'_>) -> Result<i32> {
    let file = &call.args[0];
    call.client()?.meta_save(file)?;
    say!("Created metasave file {file} in the log directory of namenode {}", call.client()?.uri());
    Ok(0)
}

fn list_open_files(call: &Call<'_>) -> Result<i32> {
    let mut args = call.args.to_vec();
    let blocking = pop_option("-blockingDecommission", &mut args);
    let path = pop_value("-path", &mut args)?;
    let path = path.as_deref().map(str::trim).filter(|path| !path.is_empty());
    let client = call.client()?;
    // As Hadoop: the head is printed before the NameNode is asked.
    say!("{:<20}\t{:<20}\tOpen File Path", "Client Host", "Client Name");
    let files = client.list_open_files(path, blocking).inspect_err(|_| {
        complain!("List open files failed.");
    })?;
    for file in files {
        say!("{:<20}\t{:<20}\t{:>20}", file.client_machine, file.client_name, file.path);
    }
    Ok(0)
}

fn refresh_service_acl(call: &Call<'_>) -> Result<i32> {
    call.client()?.refresh_service_acl()?;
    say!("Refresh service acl successful");
    Ok(0)
}

fn refresh_groups(call: &Call<'_>) -> Result<i32> {
    call.client()?.refresh_user_to_groups_mappings()?;
    say!("Refresh user to groups mapping successful");
    Ok(0)
}

fn refresh_super_users(call: &Call<'_>) -> Result<i32> {
    call.client()?.refresh_super_user_groups()?;
    say!("Refresh super user groups configuration successful");
    Ok(0)
}

fn refresh_call_queue(call: &Call<'_>) -> Result<i32> {
    call.client()?.refresh_call_queue()?;
    say!("Refresh call queue successful");
    Ok(0)
}

fn set_balancer_bandwidth(call: &Call<'_>) -> Result<i32> {
    let text = call.args[0].as_str();
    let bandwidth = parse_bytes(text).map_err(illegal)?;
    let Ok(bandwidth) = u64::try_from(bandwidth) else {
        complain!("Bandwidth should be a non-negative integer");
        return Ok(255);
    };
    call.client()?.set_balancer_bandwidth(bandwidth).inspect_err(|_| {
        complain!("Balancer bandwidth is set failed.");
    })?;
    say!("Balancer bandwidth is set to {bandwidth}");
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_taken_out_of_the_arguments() {
        let mut args: Vec<String> = ["-a", "1", "-b", "--", "-c"].map(str::to_owned).into();
        assert_eq!(pop_value("-a", &mut args).expect("it has a value").as_deref(), Some("1"));
        assert!(pop_option("-b", &mut args));
        assert!(!pop_option("-c", &mut args), "what follows -- is no option");
        let missing = pop_value("-c", &mut vec!["-c".to_owned()]).expect_err("no value");
        assert_eq!(missing.message, "option -c requires 1 argument.");
    }

    #[test]
    fn every_command_has_its_line_in_usage_and_help() {
        for spec in COMMANDS {
            assert!(USAGE.contains(&format!("\t[-{}", spec.name)), "{}", spec.name);
            assert_ne!(help_of(spec.name), HELP, "{}", spec.name);
        }
    }
}
