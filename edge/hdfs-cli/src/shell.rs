//! `hdfs dfs`: Hadoop's file-system shell.
//!
//! One table ([`table::COMMANDS`]) says which commands there are, what they accept and who runs them; usage and help come
//! from it. Output, error texts and exit statuses are Hadoop's.
//!
//! Hadoop: org.apache.hadoop.fs.FsShell (3.5.0)

mod acl;
mod arguments;
mod attributes;
mod copy;
mod display;
mod failure;
mod files;
mod find;
pub(crate) mod format;
mod glob;
mod help;
mod list;
mod local;
mod mode;
mod modify;
mod move_files;
pub(crate) mod path;
mod progress;
mod remote;
mod remove;
#[cfg(feature = "s3a")]
mod s3;
mod snapshot;
mod space;
mod stat;
mod table;
mod text;
mod trash;
mod walk;
#[cfg(feature = "webhdfs")]
mod web;
mod xattr;

use std::collections::BTreeMap;
use std::sync::Arc;

pub(crate) use acl::full_acl;

use hdfs_client::blocking::HdfsClient;
use hdfs_conf::{Configuration, keys};
use hdfs_types::{Error, ErrorKind};

use crate::output::Output;
use failure::{Failure, Outcome};
use files::FileSystem;
use path::ParsedPath;
use table::Spec;

/// Java's -1 as a process's exit status.
const FAILED: i32 = 255;

/// The state of one run: configuration, file systems, what was printed and counted.
pub(crate) struct Shell {
    conf: Configuration,
    file_systems: BTreeMap<String, Arc<dyn FileSystem>>,
    local: Option<Arc<dyn FileSystem>>,
    out: Output,
    /// The command without its dash: what stands in front of errors.
    name: String,
    errors: u32,
    /// Status of a command that met no error.
    exit: i32,
    /// How deep a recursive command is below its argument.
    depth: usize,
}

/// Runs `hdfs dfs ARGS…`; the exit status.
pub(crate) fn run(conf: Configuration, args: Vec<String>) -> i32 {
    let mut shell = Shell::new(conf);
    let status = shell.main(args);
    shell.out.flush();
    status
}

impl Shell {
    fn new(conf: Configuration) -> Self {
        Self {
            conf,
            file_systems: BTreeMap::new(),
            local: None,
            out: Output::new(),
            name: String::new(),
            errors: 0,
            exit: 0,
            depth: 0,
        }
    }

    fn main(&mut self, mut args: Vec<String>) -> i32 {
        // Hadoop's parser of generic options drops a dash alone.
        if args.first().is_some_and(|first| first == "-") {
            args.remove(0);
        }
        if args.is_empty() {
            self.print_all_usages();
            return FAILED;
        }
        let command = args.remove(0);
        let Some(spec) = table::find(&command) else {
            self.show_error(&command, "Unknown command");
            self.print_all_usages();
            return FAILED;
        };
        self.name = spec.name.to_owned();
        match self.run_command(spec, args) {
            Ok(()) if self.errors > 0 => 1,
            Ok(()) => self.exit,
            Err(Failure::Io(error)) => {
                self.print_error(&error.message);
                1
            }
            Err(Failure::Illegal(message)) => {
                self.show_error(&command, &message);
                self.print_all_usages();
                self.out.error_line(help::usage_line(spec));
                FAILED
            }
            Err(Failure::Fatal(message)) => {
                self.show_error(&command, "Fatal internal error");
                self.out.error_line(message);
                FAILED
            }
        }
    }

    fn run_command(&mut self, spec: &'static Spec, mut args: Vec<String>) -> Outcome<()> {
        if let Some(instead) = spec.replaced_by {
            self.warn(&format!("DEPRECATED: Please use '{instead}' instead."));
        }
        let mut command = (spec.new)();
        command.prepare(self, &mut args)?;
        let options = match &spec.format {
            Some(format) => format.parse(&mut args)?,
            None => arguments::Options::default(),
        };
        command.configure(self, &options, &mut args)?;
        command.run(self, args)?;
        command.finish(self)
    }

    /// Every usage, to standard error.
    fn print_all_usages(&mut self) {
        let text = help::all_usages();
        self.out.error_line(text.strip_suffix('\n').unwrap_or(&text));
    }

    fn show_error(&mut self, command: &str, message: &str) {
        for line in message.split('\n') {
            self.out.error_line(format!("{command}: {line}"));
            if !command.starts_with('-') && table::find(&format!("-{command}")).is_some() {
                let hint = format!("Did you mean -{command}?  This command begins with a dash.");
                self.out.error_line(hint);
            }
        }
    }

    /// Prints a failure and goes on, unless it ends the whole command.
    pub(crate) fn report(&mut self, failure: Failure) -> Outcome<()> {
        match failure {
            Failure::Io(error) => {
                self.print_error(&error.message);
                Ok(())
            }
            other => Err(other),
        }
    }

    /// The same for a result.
    pub(crate) fn or_report(&mut self, result: Outcome<()>) -> Outcome<()> {
        result.or_else(|failure| self.report(failure))
    }

    fn print_error(&mut self, message: &str) {
        self.errors += 1;
        self.warn(message.split('\n').next().unwrap_or_default());
    }

    /// A line after the command's name on standard error.
    pub(crate) fn warn(&mut self, message: &str) {
        let line = format!("{}: {message}", self.name);
        self.out.error_line(line);
    }

    /// What Hadoop's shell logs about its trash, on standard error.
    pub(crate) fn inform(&mut self, message: &str) {
        self.out.error_line(format!("INFO fs.TrashPolicyDefault: {message}"));
    }

    /// The file system that a path lies on.
    pub(crate) fn file_system(&mut self, path: &ParsedPath) -> Outcome<Arc<dyn FileSystem>> {
        if path.scheme.is_none() && path.authority.is_some() {
            return Err(Failure::io("No FileSystem for scheme \"null\""));
        }
        let default_uri = default_uri(&self.conf);
        let default = ParsedPath::parse(&default_uri)?;
        let scheme = path.scheme.as_deref().or(default.scheme.as_deref()).unwrap_or("file");
        let same_scheme = path.scheme.is_none() || path.scheme == default.scheme;
        let authority = match &path.authority {
            Some(authority) => authority.clone(),
            None if same_scheme => default.authority.clone().unwrap_or_default(),
            None => String::new(),
        };
        match scheme {
            "file" => match &path.authority {
                Some(authority) => Err(Failure::Illegal(format!(
                    "Wrong FS: file://{authority}{}, expected: file:///",
                    path.path
                ))),
                None => Ok(self.local_file_system()),
            },
            "hdfs" if authority.is_empty() => {
                Err(Failure::io("Incomplete HDFS URI, no host: ".to_owned() + &full_text(path)))
            }
            "hdfs" => {
                let uri = format!("hdfs://{authority}");
                if let Some(known) = self.file_systems.get(&uri) {
                    return Ok(Arc::clone(known));
                }
                self.check_authority(path, &authority)?;
                // Nothing is asked yet: what fails is a setting.
                let client = HdfsClient::for_uri(&uri, &self.conf)
                    .map_err(|error| Failure::Illegal(error.message))?;
                let fs: Arc<dyn FileSystem> = Arc::new(remote::Remote::new(client));
                self.file_systems.insert(uri, Arc::clone(&fs));
                Ok(fs)
            }
            "webhdfs" => self.web_file_system(&authority),
            "s3a" => self.s3_file_system(&authority),
            "swebhdfs" => Err(Failure::io(
                "swebhdfs:// is not supported yet: use webhdfs:// where the cluster allows plain HTTP",
            )),
            other => Err(Failure::io(format!("No FileSystem for scheme \"{other}\""))),
        }
    }

    #[cfg(feature = "webhdfs")]
    fn web_file_system(&mut self, authority: &str) -> Outcome<Arc<dyn FileSystem>> {
        let uri = format!("webhdfs://{authority}");
        if let Some(known) = self.file_systems.get(&uri) {
            return Ok(Arc::clone(known));
        }
        let fs: Arc<dyn FileSystem> = Arc::new(web::Web::connect(&uri, &self.conf)?);
        self.file_systems.insert(uri, Arc::clone(&fs));
        Ok(fs)
    }

    #[cfg(not(feature = "webhdfs"))]
    fn web_file_system(&mut self, _authority: &str) -> Outcome<Arc<dyn FileSystem>> {
        Err(Failure::io("this hdfs was built without webhdfs://"))
    }

    /// Refuses, as Java's URIs and addresses do, what can be no host and port.
    fn check_authority(&self, path: &ParsedPath, authority: &str) -> Outcome<()> {
        if self.conf.get_suffixed(&keys::DFS_HA_NAMENODES, &[authority]).is_some() {
            return Ok(());
        }
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, port),
            _ => (authority, ""),
        };
        let is_name = |c: char| c.is_ascii_alphanumeric() || "-.[]:%".contains(c);
        let is_host = !host.is_empty() && host.chars().all(is_name);
        if !is_host || !port.chars().all(|digit| digit.is_ascii_digit()) {
            let place = if path.authority.is_some() { path.path.as_str() } else { "" };
            let uri = format!("hdfs://{authority}{place}");
            return Err(Failure::io(format!("Incomplete HDFS URI, no host: {uri}")));
        }
        if !port.is_empty() && port.parse::<u16>().is_err() {
            return Err(Failure::Illegal(format!("port out of range:{port}")));
        }
        let bare = host.trim_matches(['[', ']']);
        match hdfs_rt::host::resolve(bare, 0) {
            Ok(_) => Ok(()),
            Err(_) => Err(Failure::Illegal(format!("java.net.UnknownHostException: {host}"))),
        }
    }

    #[cfg(feature = "s3a")]
    fn s3_file_system(&mut self, bucket: &str) -> Outcome<Arc<dyn FileSystem>> {
        if bucket.is_empty() {
            return Err(Failure::Illegal("bucket is null/empty".into()));
        }
        let uri = format!("s3a://{bucket}");
        if let Some(known) = self.file_systems.get(&uri) {
            return Ok(Arc::clone(known));
        }
        let fs: Arc<dyn FileSystem> = Arc::new(s3::S3::connect(bucket, &self.conf)?);
        self.file_systems.insert(uri, Arc::clone(&fs));
        Ok(fs)
    }

    #[cfg(not(feature = "s3a"))]
    fn s3_file_system(&mut self, _bucket: &str) -> Outcome<Arc<dyn FileSystem>> {
        Err(Failure::io("this hdfs was built without s3a://"))
    }

    pub(crate) fn local_file_system(&mut self) -> Arc<dyn FileSystem> {
        Arc::clone(self.local.get_or_insert_with(|| Arc::new(local::Local::new())))
    }
}

fn full_text(path: &ParsedPath) -> String {
    format!("{}://{}", path.scheme.as_deref().unwrap_or("hdfs"), path.path)
}

pub(crate) use help::GENERIC as GENERIC_OPTIONS;
pub(crate) use help::{summaries, usage_of};

/// The absolute paths that a pattern matches; without wildcards the path itself, whether it exists or not.
///
/// # Errors
/// What the file system answers, and Java's message for what is no path.
pub(crate) fn expand_paths(conf: &Configuration, pattern: &str) -> Result<Vec<String>, Error> {
    let found = Shell::new(conf.clone()).glob(pattern);
    let paths = |found: Vec<walk::PathData>| found.into_iter().map(|item| item.path).collect();
    found.map(paths).map_err(|failure| match failure {
        Failure::Io(error) => error,
        other => Error::new(ErrorKind::IllegalArgument, other.message()),
    })
}

/// `fs.defaultFS`, with Hadoop's abbreviations written out.
pub(crate) fn default_uri(conf: &Configuration) -> String {
    match conf.get_str(&keys::FS_DEFAULT_FS) {
        "local" => "file:///".to_owned(),
        uri if !uri.contains('/') => format!("hdfs://{uri}"),
        uri => uri.to_owned(),
    }
}
