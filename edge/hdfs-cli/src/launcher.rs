//! `hdfs --daemon start|stop|status DAEMON`: daemons in the background, with the files that Hadoop's scripts keep.
//!
//! ```text
//! $HADOOP_PID_DIR/hadoop-$HADOOP_IDENT_STRING-namenode.pid        its process (default folder: /tmp)
//! $HADOOP_LOG_DIR/hadoop-$HADOOP_IDENT_STRING-namenode-HOST.log   its log (default folder: $HADOOP_HOME/logs)
//! $HADOOP_LOG_DIR/hadoop-$HADOOP_IDENT_STRING-namenode-HOST.out   what it prints beside that; five are kept
//! ```
//!
//! `start` returns when the daemon serves, or after a second; `status` is 0 when it runs, 1 when only its pid file is
//! there, 3 when neither is.
//!
//! Hadoop: hadoop-functions.sh (hadoop_daemon_handler), 3.5.0
// Differs: a daemon in the foreground writes no pid file, so that several may run beside each other.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use hdfs_rt::{host, log_file, users};
use rustix::process::{Pid, Signal};

use crate::output::{complain, say};

/// Names the log file to a daemon that `start` runs; such a daemon leaves its terminal.
const LOG_FILE: &str = "TUSK_LOG_FILE";
/// How long `start` waits for the daemon to serve.
const START_PATIENCE: Duration = Duration::from_secs(1);
/// `HADOOP_STOP_TIMEOUT`, in seconds.
const STOP_PATIENCE: u64 = 5;
const LOOK_EVERY: Duration = Duration::from_millis(20);
const KEPT_OUT_FILES: usize = 5;
const MAX_LAST_WORDS_BYTES: u64 = 1 << 20;

/// What `--daemon` asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Mode {
    Start,
    Stop,
    Status,
}

impl Mode {
    /// The mode of this name.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "start" => Some(Self::Start),
            "stop" => Some(Self::Stop),
            "status" => Some(Self::Status),
            _ => None,
        }
    }
}

/// The files of one daemon.
struct Files {
    pid: PathBuf,
    log: PathBuf,
    out: PathBuf,
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

impl Files {
    fn of(daemon: &str) -> Self {
        let ident = variable("HADOOP_IDENT_STRING").or_else(|| variable("USER"));
        let ident = ident.unwrap_or_else(users::system_user);
        let name = format!("hadoop-{ident}-{daemon}");
        let pid_dir = variable("HADOOP_PID_DIR").unwrap_or_else(|| "/tmp".to_owned());
        let log = log_dir().join(format!("{name}-{}.log", host::host_name()));
        Self {
            pid: Path::new(&pid_dir).join(format!("{name}.pid")),
            out: log.with_extension("out"),
            log,
        }
    }

    /// The process of the pid file; `None` without a file that holds one.
    fn process(&self) -> Option<Pid> {
        let text = std::fs::read_to_string(&self.pid).ok()?;
        Pid::from_raw(text.trim().parse().ok()?)
    }
}

/// `HADOOP_LOG_DIR`, or `logs` beside the program's home, or where the user is.
fn log_dir() -> PathBuf {
    if let Some(folder) = variable("HADOOP_LOG_DIR") {
        return folder.into();
    }
    variable("HADOOP_HOME")
        .map_or_else(|| PathBuf::from("logs"), |home| Path::new(&home).join("logs"))
}

fn is_running(process: Pid) -> bool {
    // A zombie is gone, though its number is still taken.
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero()));
    match stat {
        Ok(stat) => !stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z')),
        Err(_) => false,
    }
}

/// The log file that `start` gave to this process.
pub(crate) fn own_log_file() -> Option<PathBuf> {
    variable(LOG_FILE).map(PathBuf::from)
}

/// Leaves the terminal of whoever ran `start`.
pub(crate) fn detach() {
    if own_log_file().is_some() {
        // It fails for the leader of a group only, which then has no terminal to lose.
        let _ = rustix::process::setsid();
    }
}

/// Does to this daemon what `mode` says; `args` are what it is started with, without `--daemon`. The exit status.
pub(crate) fn run(mode: Mode, daemon: &str, args: &[String]) -> i32 {
    let files = Files::of(daemon);
    match mode {
        Mode::Start => start(daemon, &files, args).unwrap_or_else(|message| {
            complain!("ERROR: {message}");
            1
        }),
        Mode::Stop => stop(daemon, &files),
        Mode::Status => status(daemon, &files),
    }
}

fn status(daemon: &str, files: &Files) -> i32 {
    match files.process() {
        Some(process) if is_running(process) => {
            say!("{daemon} is running as process {}.", process.as_raw_nonzero());
            0
        }
        _ if files.pid.exists() => {
            say!("{daemon} does not run, but {} is there.", files.pid.display());
            1
        }
        _ => {
            say!("{daemon} does not run.");
            3
        }
    }
}

fn make_folder(path: &Path) -> Result<(), String> {
    let Some(folder) = path.parent().filter(|folder| !folder.is_dir()) else { return Ok(()) };
    complain!("WARNING: {} does not exist. Creating.", folder.display());
    std::fs::create_dir_all(folder)
        .map_err(|error| format!("Unable to create {}: {error}. Aborting.", folder.display()))
}

fn start(daemon: &str, files: &Files, args: &[String]) -> Result<i32, String> {
    make_folder(&files.pid)?;
    make_folder(&files.log)?;
    if let Some(process) = files.process().filter(|process| is_running(*process)) {
        complain!(
            "{daemon} is running as process {}.  Stop it first and ensure {} file is empty before retry.",
            process.as_raw_nonzero(),
            files.pid.display()
        );
        return Ok(1);
    }
    let write = |path: &Path| {
        let opened = OpenOptions::new().create(true).append(true).open(path);
        opened.map_err(|error| format!("Unable to write in {}: {error}. Aborting.", path.display()))
    };
    let log_length = write(&files.log)?.metadata().map_or(0, |found| found.len());
    log_file::rotate(&files.out, KEPT_OUT_FILES)
        .map_err(|error| format!("Unable to rotate {}: {error}", files.out.display()))?;
    let out = write(&files.out)?;
    let socket = Readiness::bind(files)?;
    let mut child = spawn(files, out, &socket.path, args)?;
    std::fs::write(&files.pid, format!("{}\n", child.id())).map_err(|error| {
        // A daemon that nobody can stop by name must not stay.
        let _ = child.kill();
        format!("Cannot write {daemon} pid {}: {error}.", files.pid.display())
    })?;
    let deadline = Instant::now() + START_PATIENCE;
    while Instant::now() < deadline {
        if socket.is_ready() {
            return Ok(0);
        }
        if let Ok(Some(ended)) = child.try_wait() {
            let _ = std::fs::remove_file(&files.pid);
            complain!("{}", last_words(files, log_length));
            return Err(format!("{daemon} ended at once ({ended}); see {}", files.log.display()));
        }
    }
    Ok(0)
}

fn spawn(files: &Files, out: File, socket: &Path, args: &[String]) -> Result<Child, String> {
    let failed = |error: std::io::Error| format!("Cannot start: {error}");
    let program = std::env::current_exe().map_err(failed)?;
    let errors = out.try_clone().map_err(failed)?;
    let mut command = Command::new(program);
    command.args(args).env(LOG_FILE, &files.log).env("NOTIFY_SOCKET", socket);
    command.env("HADOOP_LOG_DIR", files.log.parent().unwrap_or_else(|| Path::new(".")));
    command.stdin(Stdio::null()).stdout(out).stderr(errors).spawn().map_err(failed)
}

/// What the log says after `from` about why a daemon did not start.
fn last_words(files: &Files, from: u64) -> String {
    let read = |path: &Path, from: u64| -> std::io::Result<String> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(from))?;
        let mut text = String::new();
        file.take(MAX_LAST_WORDS_BYTES).read_to_string(&mut text)?;
        Ok(text)
    };
    let log = read(&files.log, from).unwrap_or_default();
    let out = read(&files.out, 0).unwrap_or_default();
    let telling = |line: &&str| line.contains(" ERROR ") || line.contains(" WARN ");
    let mut lines: Vec<&str> = log.lines().rev().filter(telling).take(3).collect();
    lines.reverse();
    lines.extend(out.lines().rev().take(3).collect::<Vec<_>>().into_iter().rev());
    lines.join("\n")
}

/// Where a starting daemon says that it serves.
struct Readiness {
    path: PathBuf,
    socket: UnixDatagram,
}

impl Readiness {
    fn bind(files: &Files) -> Result<Self, String> {
        let path = files.pid.with_extension(format!("{}.sock", std::process::id()));
        let bound = UnixDatagram::bind(&path).and_then(|socket| {
            socket.set_read_timeout(Some(LOOK_EVERY))?;
            Ok(socket)
        });
        match bound {
            Ok(socket) => Ok(Self { path, socket }),
            Err(error) => Err(format!("Unable to write in {}: {error}. Aborting.", path.display())),
        }
    }

    /// Waits a moment for the daemon's word.
    fn is_ready(&self) -> bool {
        let mut bytes = [0; 1024];
        let length = self.socket.recv(&mut bytes).unwrap_or(0);
        bytes[..length].starts_with(hdfs_rt::notify::READY.as_bytes())
    }
}

impl Drop for Readiness {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

fn stop(daemon: &str, files: &Files) -> i32 {
    if !files.pid.exists() {
        return 0;
    }
    if let Some(process) = files.process().filter(|process| is_running(*process)) {
        let seconds = variable("HADOOP_STOP_TIMEOUT").and_then(|text| text.parse().ok());
        let patience = Duration::from_secs(seconds.unwrap_or(STOP_PATIENCE));
        if !ended(process, Signal::TERM, patience) {
            complain!(
                "WARNING: {daemon} did not stop gracefully after {} seconds: Trying to kill with kill -9",
                patience.as_secs()
            );
            if !ended(process, Signal::KILL, patience) {
                complain!("ERROR: Unable to kill {}", process.as_raw_nonzero());
                return 1;
            }
        }
    }
    if let Err(error) = std::fs::remove_file(&files.pid) {
        complain!("ERROR: remove {}: {error}", files.pid.display());
        return 1;
    }
    0
}

fn ended(process: Pid, signal: Signal, patience: Duration) -> bool {
    // Whether it worked is seen below: the process may have ended by itself meanwhile.
    let _ = rustix::process::kill_process(process, signal);
    let deadline = Instant::now() + patience;
    while is_running(process) {
        if Instant::now() > deadline {
            return false;
        }
        std::thread::sleep(LOOK_EVERY);
    }
    true
}
