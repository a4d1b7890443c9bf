//! The table of commands: it finds them and prints the help.

use hdfs_conf::Configuration;

use crate::admin_tool::AdminTool;
use crate::generic::{self, Generic};
use crate::output::{complain, print, print_error};
use crate::{
    bench, cacheadmin, completion, crypto, daemons, debug, dfsadmin, doctor, ec, environment,
    fetchdt, fsck, getconf, groups, haadmin, jmxget, key, launcher, offline, shell, snapshot,
    snapshots, storagepolicies, version,
};

/// A command of `hdfs`.
struct Spec {
    name: &'static str,
    /// What it does, in one line.
    summary: &'static str,
    group: Group,
    run: Run,
}

impl Spec {
    fn is_built(&self) -> bool {
        !matches!(self.run, Run::Later(_) | Run::Never(_))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Group {
    Client,
    Admin,
    Daemon,
    /// Of the script `hadoop` only.
    Hadoop,
}

#[derive(Clone, Copy)]
enum Run {
    /// With a configuration and what is left of the arguments.
    Configured(fn(Configuration, Vec<String>) -> i32),
    /// The same, and it logs what it does.
    Daemon(fn(Configuration, Vec<String>) -> i32),
    /// Needs no configuration.
    Plain(fn(Vec<String>) -> i32),
    /// It comes with this.
    Later(&'static str),
    /// It makes no sense here, and why.
    Never(&'static str),
}

const fn spec(name: &'static str, group: Group, summary: &'static str, run: Run) -> Spec {
    Spec { name, summary, group, run }
}

const COMMANDS: &[Spec] = {
    use Group::{Admin, Client, Daemon, Hadoop};
    use Run::{Configured, Later, Never, Plain};
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
        spec("groups", Client, "get the groups that users belong to", {
            Configured(|conf, args| groups::run(&conf, &args))
        }),
        spec("classpath", Client, "print the class path: an empty line", {
            Plain(|args| environment::classpath(&args))
        }),
        spec("envvars", Client, "print the variables that scripts ask for", {
            Configured(|conf, _| environment::envvars(&conf))
        }),
        spec("fetchdt", Client, "fetch, print, renew or cancel a delegation token", {
            Configured(|conf, args| fetchdt::run(&conf, &args))
        }),
        spec("jmxget", Admin, "get the beans' attributes of a daemon", {
            Configured(|conf, args| jmxget::run(&conf, &args))
        }),
        spec(
            "snapshotDiff",
            Client,
            "diff two snapshots of a directory",
            Configured(|conf, args| snapshots::diff(&conf, &args)),
        ),
        spec(
            "lsSnapshottableDir",
            Client,
            "list the user's snapshottable directories",
            Configured(|conf, args| snapshots::directories(&conf, &args)),
        ),
        spec(
            "lsSnapshot",
            Client,
            "list the snapshots of a directory",
            Configured(|conf, args| snapshots::snapshots(&conf, &args)),
        ),
        spec(
            "snapshot",
            Client,
            "restore a directory from a snapshot, or prune snapshots",
            Configured(|conf, args| snapshot::run(&conf, &args)),
        ),
        spec("bench", Admin, "measure a NameNode or DataNodes under load", Configured(bench::run)),
        spec("dfsadmin", Admin, "run an administrator's command", Configured(dfsadmin::run)),
        spec("oev", Admin, "view an edit log", Plain(offline::oev)),
        spec("oiv", Admin, "view an image of the namespace", Plain(offline::oiv::run)),
        spec(
            "doctor",
            Admin,
            "explain what is wrong with a file or block",
            Configured(|conf, args| doctor::run(&conf, &args)),
        ),
        spec(
            "fsck",
            Admin,
            "check files and blocks",
            Configured(|conf, args| fsck::run(&conf, &args)),
        ),
        spec(
            "haadmin",
            Admin,
            "tell and change which NameNode is active",
            Configured(|conf, args| haadmin::run(&conf, &args)),
        ),
        spec(
            "ec",
            Admin,
            "administer erasure coding",
            Configured(|conf, args| ec::TOOL.run(&conf, args)),
        ),
        spec(
            "cacheadmin",
            Admin,
            "administer the cache",
            Configured(|conf, args| cacheadmin::TOOL.run(&conf, args)),
        ),
        spec(
            "crypto",
            Admin,
            "administer encryption zones",
            Configured(|conf, args| crypto::TOOL.run(&conf, args)),
        ),
        spec(
            "storagepolicies",
            Admin,
            "administer storage policies",
            Configured(|conf, args| storagepolicies::TOOL.run(&conf, args)),
        ),
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
            "run a whole cluster in one process and one folder",
            Plain(daemons::minicluster::run),
        ),
        spec("balancer", Daemon, "balance the DataNodes", Later("balancing")),
        spec(
            "mover",
            Daemon,
            "move replicas to where storage policies want them",
            Later("balancing"),
        ),
        spec("diskbalancer", Daemon, "balance the disks of a DataNode", Later("balancing")),
        spec("journalnode", Daemon, "run a JournalNode", Later("high availability")),
        spec("zkfc", Daemon, "run a failover controller", Later("high availability")),
        spec(
            "secondarynamenode",
            Daemon,
            "run a checkpointing daemon",
            Run::Daemon(daemons::secondarynamenode::run),
        ),
        spec("dfsrouter", Daemon, "run a router", Later("federation")),
        spec("dfsrouteradmin", Admin, "administer a router", Later("federation")),
        spec("fedbalance", Admin, "move folders between nameservices", Later("federation")),
        spec("sps", Daemon, "satisfy storage policies from outside", Later("balancing")),
        spec("nfs3", Daemon, "run an NFS version 3 gateway", Never("use fuse_dfs or WebHDFS")),
        spec("portmap", Daemon, "run a portmap service", Never("NFS is not served")),
        spec(
            "oiv_legacy",
            Admin,
            "view an image of before Hadoop 2.4",
            Plain(offline::oiv_legacy::run),
        ),
        spec("distcp", Hadoop, "copy files between file systems", Later("a later release")),
        spec("archive", Hadoop, "make an archive", Never("it is a MapReduce job")),
        spec("checknative", Hadoop, "check Java's native libraries", Never("there is no Java")),
        spec("conftest", Hadoop, "check configuration files", Never("`hdfs getconf` reads them")),
        spec("credential", Hadoop, "administer credentials", Later("security")),
        spec(
            "daemonlog",
            Hadoop,
            "get or set a daemon's log level",
            Never("use its /logLevel page"),
        ),
        spec("dtutil", Hadoop, "administer token files", Later("security")),
        spec("jar", Hadoop, "run a jar file", Never("there is no Java")),
        spec("jnipath", Hadoop, "print Java's library path", Never("there is no Java")),
        spec("kdiag", Hadoop, "diagnose Kerberos", Later("security")),
        spec("kerbname", Hadoop, "show how a principal maps to a user", Later("security")),
        spec(
            "key",
            Hadoop,
            "administer keys of encryption zones",
            Configured(|conf, args| key::run(&conf, &args)),
        ),
        spec("kms", Hadoop, "run a key server", Later("security")),
        spec("httpfs", Daemon, "run an HTTP gateway", Run::Daemon(daemons::httpfs::run)),
    ]
};

/// Names and summaries of the commands that are built.
pub(crate) fn built() -> impl Iterator<Item = (&'static str, &'static str)> {
    let built = COMMANDS.iter().filter(|spec| spec.is_built());
    built.map(|spec| (spec.name, spec.summary))
}

/// Names and usages of a tool's own commands, for completion.
pub(crate) fn tool(name: &str) -> Option<Vec<(String, String)>> {
    let admin = |tool: &'static AdminTool| {
        tool.commands
            .iter()
            .map(|command| (command.name.to_owned(), command.short_usage()))
            .collect()
    };
    Some(match name {
        "cacheadmin" => admin(&cacheadmin::TOOL),
        "crypto" => admin(&crypto::TOOL),
        "debug" => {
            debug::usages().map(|(name, usage)| (name.to_owned(), usage.to_owned())).collect()
        }
        "dfsadmin" => {
            dfsadmin::usages().map(|(name, usage)| (format!("-{name}"), usage.to_owned())).collect()
        }
        "ec" => admin(&ec::TOOL),
        "storagepolicies" => admin(&storagepolicies::TOOL),
        _ => return None,
    })
}

/// The usage text of a command, for completion; those with commands of their own have theirs.
pub(crate) fn usage(name: &str) -> Option<&'static str> {
    Some(match name {
        "bench" => bench::USAGE,
        "completion" => completion::USAGE,
        "classpath" => environment::CLASSPATH_USAGE,
        "datanode" => daemons::datanode::USAGE,
        "doctor" => doctor::USAGE,
        "fetchdt" => fetchdt::USAGE,
        "fsck" => fsck::USAGE,
        "getconf" => getconf::USAGE,
        "httpfs" => daemons::httpfs::USAGE,
        "secondarynamenode" => daemons::secondarynamenode::USAGE,
        "jmxget" => jmxget::USAGE,
        "minicluster" => daemons::minicluster::USAGE,
        "namenode" => daemons::namenode::USAGE,
        "oev" => offline::OEV_USAGE,
        "oiv" => offline::oiv::USAGE,
        "oiv_legacy" => offline::oiv_legacy::USAGE,
        _ => return None,
    })
}

/// Runs the program under this name with these arguments; the exit status.
pub(crate) fn run(program: &str, mut args: Vec<String>) -> i32 {
    let program = if program == "hadoop" { "hadoop" } else { "hdfs" };
    let typed = args.clone();
    let mut generic = Generic::default();
    if let Err(message) = generic.take(&mut args) {
        complain!("ERROR: {message}\n");
        print_error(&help(program));
        return 1;
    }
    if generic.help {
        print(&help(program));
        return 0;
    }
    if args.is_empty() {
        print_error(&help(program));
        return 1;
    }
    let name = args.remove(0);
    generic.after_command = true;
    // Hadoop's scripts are two: `hadoop fs` is what `hdfs dfs` is.
    let wanted = if name == "fs" { "dfs" } else { name.as_str() };
    let Some(spec) = COMMANDS.iter().find(|spec| spec.name == wanted) else {
        complain!("ERROR: {name} is not COMMAND nor fully qualified CLASSNAME.");
        print_error(&help(program));
        return 1;
    };
    match spec.run {
        Run::Plain(_) if generic.daemon.is_some() => no_daemon(&name),
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
            if let Some(mode) = generic.daemon {
                return match in_daemon {
                    true => launcher::run(mode, &name, &without_daemon(typed)),
                    false => no_daemon(&name),
                };
            }
            match start(&generic, in_daemon) {
                Ok(conf) => run(conf, args),
                Err(message) => {
                    complain!("{name}: {message}");
                    1
                }
            }
        }
        Run::Later(feature) => {
            complain!("ERROR: {name} is not supported yet (it comes with {feature}).");
            1
        }
        Run::Never(why) => {
            complain!("ERROR: {name} is not supported: {why}.");
            1
        }
    }
}

fn no_daemon(name: &str) -> i32 {
    complain!("ERROR: {name} is no daemon: it runs without --daemon");
    1
}

/// What was typed, without `--daemon` and its word.
fn without_daemon(mut args: Vec<String>) -> Vec<String> {
    if let Some(at) = args.iter().position(|arg| arg == "--daemon") {
        args.drain(at..(at + 2).min(args.len()));
    }
    args
}

/// Logging and configuration, as the options ask for.
fn start(generic: &Generic, in_daemon: bool) -> Result<Configuration, String> {
    let level = match &generic.log_level {
        Some(level) => level.clone(),
        None => level_of_environment(in_daemon),
    };
    let level = hdfs_rt::logging::parse_level(&level).map_err(|error| error.message)?;
    match launcher::own_log_file().filter(|_| in_daemon) {
        Some(file) => {
            launcher::detach();
            hdfs_rt::logging::init_file(level, &file).map_err(|error| error.message)?;
        }
        None => hdfs_rt::logging::init(level),
    }
    let conf = generic.configuration().map_err(|error| error.message)?;
    generic::tell_warnings(&conf, in_daemon);
    Ok(conf)
}

/// The level in `HADOOP_ROOT_LOGGER` (`INFO,console`), or for daemons `HADOOP_DAEMON_ROOT_LOGGER`; else the default.
fn level_of_environment(in_daemon: bool) -> String {
    let (name, default) = match in_daemon {
        true => ("HADOOP_DAEMON_ROOT_LOGGER", "INFO"),
        false => ("HADOOP_ROOT_LOGGER", "WARN"),
    };
    let value = std::env::var(name).unwrap_or_default();
    let level = value.split(',').next().map(str::trim).filter(|level| !level.is_empty());
    level.unwrap_or(default).to_owned()
}

const OPTIONS: &str = "  --config DIR             folder with core-site.xml and hdfs-site.xml
                           (default: $HADOOP_CONF_DIR)
  --loglevel LEVEL         OFF, ERROR, WARN, INFO, DEBUG or TRACE
  --debug                  the same as --loglevel DEBUG
  --daemon MODE            start, stop or status: a daemon in the background
  --help                   this text
  -D KEY=VALUE             set a key of the configuration
  -conf FILE               read one more configuration file
  -fs URI                  set the default file system
";

/// The help: options, then commands in aligned groups; what is not there yet comes last, in one paragraph.
fn help(program: &str) -> String {
    let mut text = format!(
        "Usage: {program} [OPTIONS] SUBCOMMAND [SUBCOMMAND OPTIONS]\n\n  OPTIONS is none or any of:\n\n{OPTIONS}"
    );
    for (group, title) in
        [(Group::Client, "Client"), (Group::Admin, "Admin"), (Group::Daemon, "Daemon")]
    {
        text.push_str(&format!("\n    {title} Commands:\n\n"));
        for spec in COMMANDS.iter().filter(|spec| spec.group == group && spec.is_built()) {
            let name = if program == "hadoop" && spec.name == "dfs" { "fs" } else { spec.name };
            text.push_str(&format!("{name:<23} {}\n", spec.summary));
        }
    }
    let later = COMMANDS.iter().filter(|spec| matches!(spec.run, Run::Later(_)));
    let later: Vec<&str> = later.map(|spec| spec.name).collect();
    if !later.is_empty() {
        text.push_str("\nNot built yet:");
        let mut column = 14;
        for name in later {
            if column + 1 + name.len() > 79 {
                text.push_str("\n ");
                column = 1;
            }
            text.push_str(&format!(" {name}"));
            column += 1 + name.len();
        }
        text.push('\n');
    }
    text.push_str("\nSUBCOMMAND may print help when invoked w/o parameters or with -h.\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_fits_a_terminal_and_names_every_command_once() {
        for program in ["hdfs", "hadoop"] {
            let text = help(program);
            assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        }
        let names: std::collections::BTreeSet<_> = COMMANDS.iter().map(|spec| spec.name).collect();
        assert_eq!(names.len(), COMMANDS.len());
    }
}
