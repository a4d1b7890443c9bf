//! What `storagepolicies`, `ec`, `cacheadmin` and `crypto` share: a table of commands that gives usage and help, the
//! search for options among the arguments, and how errors are printed.
//!
//! Hadoop: org.apache.hadoop.hdfs.tools.AdminHelper (3.5.0)

use hdfs_client::blocking::HdfsClient;
use hdfs_conf::Configuration;
use hdfs_types::{Error, ErrorKind};

use crate::output::{complain, print_error};
use crate::shell;
use crate::table_listing::TableListing;

/// A tool: its name after `hdfs`, and its commands in the order of the help.
pub(crate) struct AdminTool {
    pub name: &'static str,
    pub commands: &'static [AdminCommand],
}

/// A command of a tool.
pub(crate) struct AdminCommand {
    /// With its dash.
    pub name: &'static str,
    /// Options and arguments, with a blank in front when there are any.
    pub options: &'static str,
    /// What it does, with the line ends around it.
    pub about: &'static str,
    /// The explained options.
    pub rows: &'static [(&'static str, &'static str)],
    /// What stands below the options.
    pub notes: &'static str,
    pub run: fn(&mut Arguments<'_>) -> Outcome,
}

/// The exit status, or why there is none yet.
pub(crate) type Outcome = Result<i32, Stop>;

/// Why a command ended early.
pub(crate) enum Stop {
    /// This text to standard error, this status.
    Said(i32, String),
    /// Java's IllegalArgumentException.
    Illegal(String),
}

/// The arguments of one command, and what it needs besides.
pub(crate) struct Arguments<'a> {
    pub conf: &'a Configuration,
    rest: Vec<String>,
    command: &'static AdminCommand,
}

impl AdminCommand {
    pub(crate) fn short_usage(&self) -> String {
        format!("[{}{}]\n", self.name, self.options)
    }

    pub(crate) fn long_usage(&self) -> String {
        let table = if self.rows.is_empty() { String::new() } else { table(self.rows) };
        format!("{}\n{}{table}{}", self.short_usage(), self.about, self.notes)
    }
}

fn table(rows: &[(&str, &str)]) -> String {
    let mut table = TableListing::options();
    for (name, about) in rows {
        table.add(vec![(*name).to_owned(), (*about).to_owned()]);
    }
    table.text()
}

const HELP: AdminCommand = AdminCommand {
    name: "-help",
    options: " <command-name>",
    about: "Get detailed help about a command.\n\n",
    rows: &[(
        "<command-name>",
        "The command for which to get detailed help. If no command is specified, print detailed help for all commands",
    )],
    notes: "",
    run: |_| Ok(0),
};

impl AdminTool {
    /// Runs `hdfs TOOL ARGS…`; the exit status.
    pub(crate) fn run(&'static self, conf: &Configuration, mut args: Vec<String>) -> i32 {
        let Some(name) = args.first().cloned() else {
            return self.usage();
        };
        args.remove(0);
        if name == HELP.name {
            return self.help(&args);
        }
        let Some(command) = self.commands.iter().find(|command| command.name == name) else {
            complain!("Can't understand command '{name}'");
            if !name.starts_with('-') {
                complain!("Command names must start with dashes.");
            }
            return self.usage();
        };
        let mut arguments = Arguments { conf, rest: args, command };
        match (command.run)(&mut arguments) {
            Ok(status) => status,
            Err(Stop::Said(status, text)) => {
                complain!("{text}");
                status
            }
            Err(Stop::Illegal(message)) => {
                complain!("IllegalArgumentException: {message}");
                255
            }
        }
    }

    fn usage(&self) -> i32 {
        let mut text = format!("Usage: bin/hdfs {} [COMMAND]\n", self.name);
        for command in self.commands.iter().chain([&HELP]) {
            text.push_str(&format!("          {}", command.short_usage()));
        }
        print_error(&format!("{text}\n{}", shell::GENERIC_OPTIONS));
        1
    }

    fn help(&self, args: &[String]) -> i32 {
        match args {
            [] => {
                for command in self.commands {
                    complain!("{}", command.long_usage());
                }
                1
            }
            [name] => {
                let found = |command: &&AdminCommand| command.name[1..] == **name;
                if let Some(command) = self.commands.iter().find(found) {
                    print_error(&command.long_usage());
                    return 0;
                }
                if name == "help" {
                    print_error(&HELP.long_usage());
                    return 0;
                }
                let names: Vec<&str> =
                    self.commands.iter().map(|command| &command.name[1..]).collect();
                complain!("Unknown command '{name}'.\nValid help command names are:");
                complain!("{}", names.join(", "));
                1
            }
            _ => {
                complain!("You must give exactly one argument to -help.");
                1
            }
        }
    }
}

impl Arguments<'_> {
    /// Takes an option with its value; what comes after `--` is no option.
    pub(crate) fn value(&mut self, name: &str) -> Result<Option<String>, Stop> {
        let Some(at) = self.find(name) else { return Ok(None) };
        self.rest.remove(at);
        if at == self.rest.len() {
            return Err(Stop::Illegal(format!("option {name} requires 1 argument.")));
        }
        Ok(Some(self.rest.remove(at)))
    }

    /// Takes an option with its value, which is a number.
    pub(crate) fn number<T: std::str::FromStr>(&mut self, name: &str) -> Result<Option<T>, Stop> {
        self.value(name)?.map(|text| parse(&text)).transpose()
    }

    /// Takes an option with its value, a short number of Java's; a negative one goes to the server as Java sends it.
    pub(crate) fn short(&mut self, name: &str) -> Result<Option<u32>, Stop> {
        let Some(number) = self.value(name)? else { return Ok(None) };
        let wide: i32 = parse(&number)?;
        let short = i16::try_from(wide).map_err(|_| {
            let what = "NumberFormatException: Value out of range.";
            Stop::Said(255, format!("{what} Value:\"{number}\" Radix:10"))
        })?;
        Ok(Some(i32::from(short).cast_unsigned()))
    }

    /// Takes an option without a value.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        let found = self.find(name);
        found.map(|at| self.rest.remove(at)).is_some()
    }

    fn find(&self, name: &str) -> Option<usize> {
        let end = self.rest.iter().position(|arg| arg == "--").unwrap_or(self.rest.len());
        self.rest[..end].iter().position(|arg| arg == name)
    }

    /// Takes the first argument that is no option.
    pub(crate) fn first(&mut self) -> Option<String> {
        if let Some(end) = self.rest.iter().position(|arg| arg == "--") {
            return (end + 1 < self.rest.len()).then(|| self.rest.remove(end + 1));
        }
        let at = self.rest.iter().position(|arg| !arg.starts_with('-'))?;
        Some(self.rest.remove(at))
    }

    /// What is left.
    pub(crate) fn rest(&self) -> &[String] {
        &self.rest
    }

    /// Ends the command with this text when anything is left.
    pub(crate) fn end(&self, text: impl FnOnce(&[String]) -> String) -> Result<(), Stop> {
        if self.rest.is_empty() { Ok(()) } else { Err(Stop::Said(1, text(&self.rest))) }
    }

    /// Ends the command as `ec` says it.
    pub(crate) fn no_more(&self) -> Result<(), Stop> {
        self.end(|_| format!("{}: Too many arguments", self.command.name))
    }

    /// Ends the command as `cacheadmin` and `crypto` say it.
    pub(crate) fn understood(&self) -> Result<(), Stop> {
        self.end(|rest| format!("Can't understand argument: {}", rest[0]))
    }

    /// The same with the usage.
    pub(crate) fn understood_or_usage(&self) -> Result<(), Stop> {
        let usage = self.command.short_usage();
        self.end(|rest| format!("Can't understand argument: {}\nUsage is {usage}", rest[0]))
    }

    /// The usage after a sentence, for an option that is missing.
    pub(crate) fn missing(&self, sentence: &str) -> Stop {
        Stop::Said(1, format!("{sentence}\nUsage: {}", self.command.long_usage()))
    }

    /// The cluster of `fs.defaultFS`.
    pub(crate) fn client(&self) -> Result<HdfsClient, Stop> {
        Ok(self.client_of("/")?.0)
    }

    /// The cluster that a path names, and the path in it; a relative one starts at the user's home.
    pub(crate) fn client_of(&self, path: &str) -> Result<(HdfsClient, String), Stop> {
        let default = shell::default_uri(self.conf);
        let default = default.trim_end_matches('/');
        let full = match path {
            _ if path.contains("://") => path.to_owned(),
            _ if path.starts_with('/') => format!("{default}{path}"),
            "" => return Err(Stop::Illegal("Can not create a Path from an empty string".into())),
            _ => format!("{default}/user/{}/{path}", hdfs_rt::users::current_user()),
        };
        let (scheme, rest) = full.split_once("://").unwrap_or(("file", ""));
        if scheme != "hdfs" {
            return Err(Stop::Illegal(format!(
                "FileSystem {scheme}:/// is not an HDFS file system: name one with hdfs:// or with -fs"
            )));
        }
        let authority = rest.split('/').next().unwrap_or_default();
        let inner = shell::path::normalize(&format!("/{}", &rest[authority.len()..]));
        if !hdfs_types::is_valid_name(inner.as_bytes()) {
            let text = format!("Pathname {inner} from {path} is not a valid DFS filename.");
            return Err(Stop::Illegal(text));
        }
        let client = HdfsClient::for_uri(&format!("hdfs://{authority}"), self.conf)
            .map_err(|error| Stop::Illegal(error.message))?;
        Ok((client, inner))
    }
}

/// A number, with Java's message for what is none.
pub(crate) fn parse<T: std::str::FromStr>(text: &str) -> Result<T, Stop> {
    text.parse().map_err(|_| {
        Stop::Said(255, format!("NumberFormatException: For input string: \"{text}\""))
    })
}

/// Which of the NameNode's errors Java's client gives their own class; the others are a `RemoteException`.
pub(crate) enum Unwrapped {
    All,
    These(&'static [ErrorKind]),
}

/// The path-related ones that nearly all calls unwrap.
pub(crate) const PATH_ERRORS: Unwrapped = Unwrapped::These(&[
    ErrorKind::AccessControl,
    ErrorKind::SafeMode,
    ErrorKind::UnresolvedLink,
    ErrorKind::FileNotFound,
]);

/// The class without its package, and the first line of the message.
pub(crate) fn pretty(error: &Error, unwrapped: &Unwrapped) -> String {
    let class = error.kind.java_class();
    let own = match unwrapped {
        Unwrapped::All => true,
        Unwrapped::These(kinds) => kinds.contains(&error.kind),
    };
    // These never come from the NameNode.
    let class = if own || class.starts_with("java.net.") {
        class.rsplit(['.', '$']).next().unwrap_or(class)
    } else {
        "RemoteException"
    };
    format!("{class}: {}", error.message.lines().next().unwrap_or_default())
}

/// Ends a command with the error of a call.
pub(crate) fn failed(status: i32, unwrapped: Unwrapped) -> impl Fn(Error) -> Stop {
    move |error| Stop::Said(status, pretty(&error, &unwrapped))
}
