//! `hdfs haadmin`: state and health of the NameNodes of a nameservice.
//!
//! Without high availability there is no nameservice and Hadoop's words say so. `-failover` waits for that feature.
//!
//! Hadoop: org.apache.hadoop.hdfs.tools.DFSHAAdmin, org.apache.hadoop.ha.HAAdmin (3.5.0)

use hdfs_client::{HaState, ServerAdmin};
use hdfs_conf::{Configuration, HostPort, NAMENODE_RPC_DEFAULT_PORT, keys};
use hdfs_types::{Error, ErrorKind, Result};

use crate::output::{complain, confirmed, print, print_error, say};
use crate::shell;

const USAGE: &str = "Usage: haadmin [-ns <nameserviceId>]";

/// A command: name, arguments in the usage, help.
struct Spec {
    name: &'static str,
    args: &'static str,
    help: &'static str,
    /// Options that it takes, without dashes.
    options: &'static [&'static str],
    run: fn(&Target<'_>, &Given<'_>) -> Result<i32>,
}

const COMMANDS: [Spec; 8] = [
    Spec {
        name: "-checkHealth",
        args: "<serviceId>",
        help: "Requests that the service perform a health check.\nThe HAAdmin tool will exit with a non-zero exit \
               code\nif the check fails.",
        options: &[],
        run: check_health,
    },
    Spec {
        name: "-failover",
        args: "[--forcefence] [--forceactive] <serviceId> <serviceId>",
        help: "Failover from the first service to the second.\nUnconditionally fence services if the --forcefence \
               option is used.\nTry to failover to the target service even if it is not ready if the \
               --forceactive option is \
               used.",
        options: &["forcefence", "forceactive", FORCE_MANUAL],
        run: failover,
    },
    Spec {
        name: "-getAllServiceState",
        args: "",
        help: "Returns the state of all the services",
        options: &[],
        run: all_states,
    },
    Spec {
        name: "-getServiceState",
        args: "<serviceId>",
        help: "Returns the state of the service",
        options: &[],
        run: state,
    },
    Spec {
        name: "-help",
        args: "<command>",
        help: "Displays help on the specified command",
        options: &[],
        run: |_, _| Ok(0),
    },
    Spec {
        name: "-transitionToActive",
        args: "[--forceactive] <serviceId>",
        help: "Transitions the service into Active state",
        options: &["forceactive", FORCE_MANUAL],
        run: to_active,
    },
    Spec {
        name: "-transitionToObserver",
        args: "<serviceId>",
        help: "Transitions the service into Observer state",
        options: &[FORCE_MANUAL],
        run: |target, given| transition(target, given, HaState::Observer),
    },
    Spec {
        name: "-transitionToStandby",
        args: "<serviceId>",
        help: "Transitions the service into Standby state",
        options: &[FORCE_MANUAL],
        run: |target, given| transition(target, given, HaState::Standby),
    },
];

const FORCE_MANUAL: &str = "forcemanual";
const DANGER: &str = "\
You have specified the --forcemanual flag. This flag is dangerous, as it can induce a split-brain scenario that WILL \
CORRUPT your HDFS namespace, possibly irrecoverably.

It is recommended not to use this flag, but instead to shut down the cluster and disable automatic failover if you \
prefer to manually manage your HA state.

You may abort safely by answering 'n' or hitting ^C now.

Are you sure you want to continue?";

/// Options and arguments of one command.
struct Given<'a> {
    spec: &'a Spec,
    options: Vec<String>,
    args: Vec<String>,
}

impl Given<'_> {
    fn has(&self, option: &str) -> bool {
        self.options.iter().any(|given| given == option)
    }

    /// The one argument, or `None` after the usage was printed.
    fn one(&self) -> Option<&str> {
        if let [one] = self.args.as_slice() {
            return Some(one);
        }
        complain!("{}: incorrect number of arguments", &self.spec.name[1..]);
        complain!("{}", usage_of(self.spec));
        None
    }
}

/// The nameservice that commands are about.
struct Target<'a> {
    conf: &'a Configuration,
    nameservice: Option<String>,
}

/// Runs `hdfs haadmin ARGS…`; the exit status.
pub(crate) fn run(conf: &Configuration, args: &[String]) -> i32 {
    let mut target = Target { conf, nameservice: None };
    let mut args = args;
    if args.first().is_some_and(|first| first == "-ns") {
        let Some(name) = args.get(1) else { return refuse("Missing nameservice ID") };
        target.nameservice = Some(name.clone());
        args = &args[2..];
        if args.is_empty() {
            return refuse("Missing command");
        }
    }
    let Some((name, rest)) = args.split_first() else {
        print_error(&usage());
        return 255;
    };
    if !name.starts_with('-') {
        return refuse(&format!("Bad command '{name}': expected command starting with '-'"));
    }
    let Some(spec) = find(name) else {
        return refuse(&format!("{}: Unknown command", &name[1..]));
    };
    if spec.name == "-help" {
        return help(spec, rest);
    }
    let Some(given) = parse(spec, rest) else {
        complain!("{}: incorrect arguments", &spec.name[1..]);
        complain!("{}", usage_of(spec));
        return 255;
    };
    if given.has(FORCE_MANUAL) && !confirmed(DANGER) {
        complain!("Aborted");
        return 255;
    }
    (spec.run)(&target, &given).unwrap_or_else(|error| {
        let text = error.message.lines().next().unwrap_or_default();
        match error.kind {
            ErrorKind::IllegalArgument => complain!("Illegal argument: {text}"),
            _ => complain!("Operation failed: {text}"),
        }
        255
    })
}

fn find(name: &str) -> Option<&'static Spec> {
    COMMANDS.iter().find(|spec| spec.name == name)
}

fn usage() -> String {
    let mut text = format!("{USAGE}\n");
    for spec in &COMMANDS {
        let blank = if spec.args.is_empty() { "" } else { " " };
        text.push_str(&format!("    [{}{blank}{}]\n", spec.name, spec.args));
    }
    format!("{text}\n{}", shell::GENERIC_OPTIONS)
}

fn usage_of(spec: &Spec) -> String {
    let blank = if spec.args.is_empty() { "" } else { " " };
    format!("{USAGE} [{}{blank}{}]", spec.name, spec.args)
}

fn refuse(text: &str) -> i32 {
    complain!("{text}");
    print_error(&usage());
    255
}

fn help(spec: &Spec, args: &[String]) -> i32 {
    let name = match args {
        [] => {
            print(&usage());
            return 0;
        }
        [name] if name.starts_with('-') => name.clone(),
        [name] => format!("-{name}"),
        _ => {
            complain!("{}", usage_of(spec));
            return 255;
        }
    };
    match find(&name) {
        Some(found) if found.args.is_empty() => say!("{}: {}", found.name, found.help),
        Some(found) => say!("{} [{}]: {}", found.name, found.args, found.help),
        None => return refuse(&format!("{name}: Unknown command")),
    }
    0
}

/// Options may stand anywhere, with one dash or two; `None`: one is unknown.
fn parse<'a>(spec: &'a Spec, args: &[String]) -> Option<Given<'a>> {
    let mut given = Given { spec, options: Vec::new(), args: Vec::new() };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        if arg == "--" {
            given.args.extend(args.cloned());
            break;
        }
        let Some(option) = arg.strip_prefix('-').filter(|rest| !rest.is_empty()) else {
            given.args.push(arg.clone());
            continue;
        };
        let option = option.strip_prefix('-').unwrap_or(option);
        if !spec.options.contains(&option) {
            return None;
        }
        given.options.push(option.to_owned());
    }
    Some(given)
}

impl Target<'_> {
    /// The only nameservice, unless one was named.
    fn nameservice(&self) -> Option<&str> {
        self.nameservice.as_deref().or_else(|| {
            match self.conf.get_list(&keys::DFS_NAMESERVICES).as_slice() {
                [one] => Some(*one),
                _ => None,
            }
        })
    }

    /// The NameNodes of the nameservice.
    fn ids(&self) -> Vec<&str> {
        let ids = self
            .nameservice()
            .and_then(|name| self.conf.get_suffixed(&keys::DFS_HA_NAMENODES, &[name]));
        let ids = ids.unwrap_or_default().split(',').map(str::trim);
        ids.filter(|id| !id.is_empty()).collect()
    }

    /// Where a NameNode takes the calls of services.
    fn address(&self, id: &str) -> Result<HostPort> {
        let illegal = |message: String| Error::new(ErrorKind::IllegalArgument, message);
        let Some(nameservice) = self.nameservice() else {
            let all = self.conf.get_list(&keys::DFS_NAMESERVICES);
            let mut text = "Unable to determine the name service ID.".to_owned();
            if all.len() > 1 {
                text.push_str(&format!(
                    " This is an HA configuration with multiple name services configured. dfs.nameservices is set to \
                     [{}]. Please re-run with the -ns option.",
                    all.join(", ")
                ));
            }
            return Err(illegal(text));
        };
        let of = |key| self.conf.get_suffixed(key, &[nameservice, id]);
        let found = of(&keys::DFS_NAMENODE_SERVICERPC_ADDRESS)
            .or_else(|| of(&keys::DFS_NAMENODE_RPC_ADDRESS));
        let found = found.ok_or_else(|| {
            illegal(format!("Unable to determine service address for namenode '{id}'"))
        })?;
        HostPort::parse(found, Some(NAMENODE_RPC_DEFAULT_PORT))
    }

    fn server(&self, id: &str) -> Result<ServerAdmin> {
        ServerAdmin::new(self.address(id)?, self.conf)
    }

    /// False, after it was said, where controllers decide which NameNode is active.
    fn may_decide(&self, id: &str, forced: bool) -> Result<bool> {
        const KEY: &str = "dfs.ha.automatic-failover.enabled";
        let own = self.nameservice().and_then(|name| self.conf.get(&format!("{KEY}.{name}")));
        let automatic =
            own.or_else(|| self.conf.get(KEY)).is_some_and(|text| text.trim() == "true");
        if !automatic || forced {
            return Ok(true);
        }
        complain!(
            "Automatic failover is enabled for NameNode at {}\nRefusing to manually manage HA state, since it may \
             cause\na split-brain scenario or other incorrect state.\nIf you are very sure you know what you are \
             doing, please \
             \nspecify the --{FORCE_MANUAL} flag.",
            self.address(id)?
        );
        Ok(false)
    }
}

fn block_on<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Error::io(format!("start a runtime: {error}")))?.block_on(future)
}

/// As Java prints it: `active`.
fn name_of(state: HaState) -> &'static str {
    match state {
        HaState::Initializing => "initializing",
        HaState::Active => "active",
        HaState::Standby => "standby",
        HaState::Observer => "observer",
    }
}

fn state(target: &Target<'_>, given: &Given<'_>) -> Result<i32> {
    let Some(id) = given.one() else { return Ok(255) };
    say!("{}", name_of(block_on(target.server(id)?.ha_state())?));
    Ok(0)
}

fn all_states(target: &Target<'_>, _: &Given<'_>) -> Result<i32> {
    let ids = target.ids();
    if ids.is_empty() {
        complain!("Failed to get service IDs");
        return Ok(255);
    }
    for id in ids {
        let address = target.address(id)?.to_string();
        let state = match block_on(target.server(id)?.ha_state()) {
            Ok(state) => name_of(state).to_owned(),
            Err(error) => format!("Failed to connect: {}", error.message),
        };
        say!("{address:<50} {state:<10}");
    }
    Ok(0)
}

fn check_health(target: &Target<'_>, given: &Given<'_>) -> Result<i32> {
    let Some(id) = given.one() else { return Ok(255) };
    match block_on(target.server(id)?.check_health()) {
        Ok(()) => Ok(0),
        Err(error)
            if error.kind.java_class() == "org.apache.hadoop.ha.HealthCheckFailedException" =>
        {
            complain!("Health check failed: {}", error.message);
            Ok(255)
        }
        Err(error) => Err(error),
    }
}

fn to_active(target: &Target<'_>, given: &Given<'_>) -> Result<i32> {
    let Some(id) = given.one() else { return Ok(255) };
    if !given.has("forceactive") {
        for other in target.ids().into_iter().filter(|other| *other != id) {
            if !target.may_decide(other, given.has(FORCE_MANUAL))? {
                return Ok(255);
            }
            let problem = match block_on(target.server(other)?.ha_state()) {
                Ok(HaState::Active) => {
                    format!("transitionToActive: Node {other} is already active")
                }
                Ok(_) => continue,
                Err(error) => format!("Unexpected error occurred  {}", error.message),
            };
            complain!("{problem}\n{}", usage_of(given.spec));
            return Ok(255);
        }
    }
    transition(target, given, HaState::Active)
}

fn transition(target: &Target<'_>, given: &Given<'_>, state: HaState) -> Result<i32> {
    let Some(id) = given.one() else { return Ok(255) };
    let server = target.server(id)?;
    let forced = given.has(FORCE_MANUAL);
    if !target.may_decide(id, forced)? {
        return Ok(255);
    }
    block_on(server.transition_to(state, forced))?;
    Ok(0)
}

fn failover(target: &Target<'_>, given: &Given<'_>) -> Result<i32> {
    let [from, to] = given.args.as_slice() else {
        complain!("failover: incorrect arguments\n{}", usage_of(given.spec));
        return Ok(255);
    };
    target.address(from)?;
    target.address(to)?;
    Err(Error::new(
        ErrorKind::UnsupportedOperation,
        "failover is not supported yet (it comes with high availability)",
    ))
}
