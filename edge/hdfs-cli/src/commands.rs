//! The table of commands: it finds them and prints the help.

use hdfs_conf::Configuration;

use crate::generic::{self, Generic};
use crate::output::{complain, print, print_error};
use crate::{bench, completion, daemons, debug, dfsadmin, fsck, getconf, offline, shell, version};

/// A command of `hdfs`.
struct Spec {
    name: &'static str,
    /// What it does, in one line.
    summary: &'static str,
    group: Group,
    run: Run,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Group {
    Client,
    Admin,
    Daemon,
}

#[derive(Clone, Copy)]
enum Run {
    /// With a configuration and what is left of the arguments.
    Configured(fn(Configuration, Vec<String>) -> i32),
    /// The same, and it logs what it does.
    Daemon(fn(Configuration, Vec<String>) -> i32),
    /// Needs no configuration.
    Plain(fn(Vec<String>) -> i32),
    /// Hadoop has it; we do not yet.
    Absent,
}

const fn spec(name: &'static str, group: Group, summary: &'static str, run: Run) -> Spec {
    Spec { name, summary, group, run }
}

const COMMANDS: &[Spec] = {
    use Group::{Admin, Client, Daemon};
    use Run::{Absent, Configured, Plain};
    &[
        spec("dfs", Client, "run a file-system command", Configured(shell::run)),
        spec(
            "getconf",
            Client,
            "get values of the configuration",
            Configured(|conf, args| getconf::run(&conf, &args)),
        ),
        spec(
            "completion",
            Client,
            "print a script that completes commands in a shell",
            Plain(completion::run),
        ),
        spec("version", Client, "print the version", Plain(|_| version::print())),
        spec("groups", Client, "get the groups that users belong to", Absent),
        spec("fetchdt", Client, "fetch a delegation token", Absent),
        spec("snapshotDiff", Client, "diff two snapshots of a directory", Absent),
        spec("lsSnapshottableDir", Client, "list the user's snapshottable directories", Absent),
        spec("lsSnapshot", Client, "list the snapshots of a directory", Absent),
        spec("bench", Admin, "measure a NameNode or DataNodes under load", Configured(bench::run)),
        spec("dfsadmin", Admin, "run an administrator's command", Configured(dfsadmin::run)),
        spec("oev", Admin, "view an edit log", Plain(offline::oev)),
        spec("oiv", Admin, "view an image of the namespace", Plain(offline::oiv)),
        spec(
            "fsck",
            Admin,
            "check files and blocks",
            Configured(|conf, args| fsck::run(&conf, &args)),
        ),
        spec("haadmin", Admin, "administer high availability", Absent),
        spec("ec", Admin, "administer erasure coding", Absent),
        spec("cacheadmin", Admin, "administer the cache", Absent),
        spec("crypto", Admin, "administer encryption zones", Absent),
        spec("storagepolicies", Admin, "administer storage policies", Absent),
        spec(
            "debug",
            Admin,
            "check block files, recover leases",
            Configured(|conf, args| debug::run(&conf, args)),
        ),
        spec("namenode", Daemon, "run a NameNode", Run::Daemon(daemons::namenode::run)),
        spec("datanode", Daemon, "run a DataNode", Run::Daemon(daemons::datanode::run)),
        spec(
            "minicluster",
            Daemon,
            "run a NameNode and DataNodes in one process and one folder",
            Plain(daemons::minicluster::run),
        ),
        spec("balancer", Daemon, "balance the DataNodes", Absent),
        spec("mover", Daemon, "move replicas to where storage policies want them", Absent),
        spec("diskbalancer", Daemon, "balance the disks of a DataNode", Absent),
        spec("journalnode", Daemon, "run a JournalNode", Absent),
        spec("zkfc", Daemon, "run a failover controller", Absent),
        spec("secondarynamenode", Daemon, "run a checkpointing daemon", Absent),
        spec("dfsrouter", Daemon, "run a router", Absent),
        spec("httpfs", Daemon, "run an HTTP gateway", Run::Daemon(daemons::httpfs::run)),
    ]
};

/// Names and summaries of the commands that are built.
pub(crate) fn built() -> impl Iterator<Item = (&'static str, &'static str)> {
    let built = COMMANDS.iter().filter(|spec| !matches!(spec.run, Run::Absent));
    built.map(|spec| (spec.name, spec.summary))
}

/// The usage text of a command, for completion; those with commands of their own have theirs.
pub(crate) fn usage(name: &str) -> Option<&'static str> {
    Some(match name {
        "bench" => bench::USAGE,
        "completion" => completion::USAGE,
        "datanode" => daemons::datanode::USAGE,
        "fsck" => fsck::USAGE,
        "getconf" => getconf::USAGE,
        "httpfs" => daemons::httpfs::USAGE,
        "minicluster" => daemons::minicluster::USAGE,
        "namenode" => daemons::namenode::USAGE,
        "oev" => offline::OEV_USAGE,
        "oiv" => offline::OIV_USAGE,
        _ => return None,
    })
}

/// Runs the program under this name with these arguments; the exit status.
pub(crate) fn run(program: &str, mut args: Vec<String>) -> i32 {
    let mut generic = Generic::default();
    if let Err(message) = generic.take(&mut args) {
        complain!("{program}: {message}");
        return 1;
    }
    if generic.help {
        print(&help());
        return 0;
    }
    if args.is_empty() {
        print_error(&help());
        return 1;
    }
    let name = args.remove(0);
    // Hadoop's scripts are two: `hadoop fs` is what `hdfs dfs` is.
    let wanted = if name == "fs" { "dfs" } else { name.as_str() };
    let Some(spec) = COMMANDS.iter().find(|spec| spec.name == wanted) else {
        complain!("ERROR: {name} is not COMMAND nor fully qualified CLASSNAME.");
        print_error(&help());
        return 1;
    };
    match spec.run {
        Run::Plain(run) => run(args),
        Run::Configured(run) | Run::Daemon(run) => {
            let in_daemon = matches!(spec.run, Run::Daemon(_));
            // `-files` is an option of MapReduce everywhere else.
            if wanted == "fsck"
                && let Some(status) = fsck::answer_alone(&args)
            {
                return status;
            }
            if let Err(message) = generic.take(&mut args) {
                complain!("{name}: options parsing failed: {message}");
                return 255;
            }
            match start(&generic, in_daemon) {
                Ok(conf) => run(conf, args),
                Err(message) => {
                    complain!("{name}: {message}");
                    1
                }
            }
        }
        Run::Absent => {
            complain!("ERROR: {name} is not supported yet.");
            1
        }
    }
}

/// Logging and configuration, as the options ask for.
fn start(generic: &Generic, in_daemon: bool) -> Result<Configuration, String> {
    let default_level = if in_daemon { "INFO" } else { "WARN" };
    let level = generic.log_level.as_deref().unwrap_or(default_level);
    let level = hdfs_rt::logging::parse_level(level).map_err(|error| error.message)?;
    hdfs_rt::logging::init(level);
    let conf = generic.configuration().map_err(|error| error.message)?;
    generic::tell_warnings(&conf, in_daemon);
    Ok(conf)
}

/// The help: options, then commands in three aligned groups; what is not there yet is not listed.
fn help() -> String {
    let mut text = String::from(
        "\
Usage: hdfs [OPTIONS] SUBCOMMAND [SUBCOMMAND OPTIONS]

  OPTIONS is none or any of:

--config dir            Hadoop config directory (default: HADOOP_CONF_DIR)
--loglevel level        set the log level: ERROR, WARN, INFO, DEBUG, TRACE
--debug                 the same as --loglevel DEBUG
--help                  usage information
-D key=value            set a key of the configuration
-conf file              read another configuration file
-fs uri                 set the default file system
",
    );
    for (group, title) in
        [(Group::Client, "Client"), (Group::Admin, "Admin"), (Group::Daemon, "Daemon")]
    {
        let built = |spec: &&Spec| spec.group == group && !matches!(spec.run, Run::Absent);
        if COMMANDS.iter().any(|spec| built(&spec)) {
            text.push_str(&format!("\n    {title} Commands:\n\n"));
        }
        for spec in COMMANDS.iter().filter(built) {
            text.push_str(&format!("{:<23} {}\n", spec.name, spec.summary));
        }
    }
    text.push_str("\nSUBCOMMAND may print help when invoked w/o parameters or with -h.\n");
    text
}
