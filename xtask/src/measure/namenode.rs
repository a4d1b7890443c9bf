//! One NameNode process on a folder of its own, ours or Apache's, watched from outside.

use std::fmt;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

use super::{Phases, Sample};
use crate::interop::{apache, binary, output};

/// Bytes of an Apache heap for this many bytes of edits: 1.8 GB of them make 2.2 GB live.
const APACHE_HEAP: &str = "-Xmx6g";
/// How long a start may take.
const PATIENCE: Duration = Duration::from_secs(1_800);
/// Clock ticks a second in /proc (sysconf(_SC_CLK_TCK) on every Linux of today).
const TICKS: f64 = 100.0;

/// Whose NameNode.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Program {
    Ours,
    Apache,
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ours => "ours",
            Self::Apache => "Apache",
        })
    }
}

/// Folders and ports of one NameNode.
pub(super) struct Home {
    conf: PathBuf,
    pub(super) name: PathBuf,
    log: PathBuf,
    port: u16,
    http_port: u16,
}

impl Home {
    /// True when the folder holds an image of more than the first transactions.
    pub(super) fn holds_new_image(&self) -> Result<bool> {
        for entry in std::fs::read_dir(self.name.join("current"))? {
            let name = entry?.file_name();
            let txid = name.to_string_lossy().strip_prefix("fsimage_").map(str::parse::<u64>);
            if matches!(txid, Some(Ok(1..))) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Apache makes the edits of a namespace; the file of them.
pub(super) fn make_edits(dir: &Path, files: u64) -> Result<PathBuf> {
    let made = dir.join("edits");
    let conf = dir.join("conf-edits");
    std::fs::create_dir_all(&conf)?;
    let class = "org.apache.hadoop.hdfs.server.namenode.CreateEditsLog";
    output(apache(class, &conf).args(["-f", &files.to_string(), "1", "1", "-d"]).arg(&made))?;
    let mut found = Vec::new();
    let mut folders = vec![made];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if name.starts_with("edits_0") && !name.contains("inprogress") {
                found.push(path);
            }
        }
    }
    ensure!(found.len() == 1, "CreateEditsLog left {} segments", found.len());
    // What is still on its way to the disk would slow the first program down.
    std::fs::File::open(&found[0])?.sync_all()?;
    Ok(found.remove(0))
}

/// A formatted folder with those edits behind the empty image.
pub(super) fn prepare(dir: &Path, program: Program, edits: &Path) -> Result<Home> {
    let home = dir.join(program.to_string());
    let (conf, name) = (home.join("conf"), home.join("name"));
    std::fs::create_dir_all(&conf)?;
    let (port, http_port) = (free_port()?, free_port()?);
    let property = |key: &str, value: &str| {
        format!("  <property><name>{key}</name><value>{value}</value></property>\n")
    };
    let file = |lines: &[String]| format!("<configuration>\n{}</configuration>\n", lines.concat());
    let core = file(&[property("fs.defaultFS", &format!("hdfs://127.0.0.1:{port}"))]);
    let hdfs = file(&[
        property("dfs.namenode.name.dir", &format!("file://{}", name.display())),
        property("dfs.namenode.http-address", &format!("127.0.0.1:{http_port}")),
    ]);
    std::fs::write(conf.join("core-site.xml"), core)?;
    std::fs::write(conf.join("hdfs-site.xml"), hdfs)?;
    let home = Home { conf, name, log: home.join("log"), port, http_port };
    output(command(&home, program).args(["-format", "-force", "-nonInteractive"]))?;
    let current = home.name.join("current");
    for entry in std::fs::read_dir(&current)? {
        let path = entry?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("edits_")) {
            std::fs::remove_file(path)?;
        }
    }
    let file = edits.file_name().context("a file has a name")?;
    std::fs::hard_link(edits, current.join(file))?;
    Ok(home)
}

/// Removes what a NameNode left.
pub(super) fn clean(dir: &Path, program: Program) {
    let home = dir.join(program.to_string());
    if let Err(error) = std::fs::remove_dir_all(&home) {
        eprintln!("could not remove {}: {error}", home.display());
    }
}

fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

fn command(home: &Home, program: Program) -> Command {
    match program {
        Program::Apache => {
            let mut command = apache("namenode", &home.conf);
            let options = command.get_envs().find(|(key, _)| *key == "PEER_OPTS");
            let options = options.and_then(|(_, value)| value).unwrap_or_default();
            let options = options.to_string_lossy().replace("-Xmx512m", APACHE_HEAP);
            command.env("PEER_OPTS", options);
            command
        }
        Program::Ours => {
            let mut command = Command::new(binary());
            command.arg("namenode").env("HADOOP_CONF_DIR", &home.conf);
            command
        }
    }
}

/// A NameNode that runs; dropped, it is killed.
pub(super) struct NameNode<'a> {
    child: Child,
    home: &'a Home,
    started: Instant,
}

impl<'a> NameNode<'a> {
    /// Starts it.
    pub(super) fn start(home: &'a Home, program: Program) -> Result<Self> {
        let log = std::fs::File::create(&home.log)?;
        let started = Instant::now();
        let child = command(home, program)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("start the NameNode of {program}"))?;
        Ok(Self { child, home, started })
    }

    /// Waits until it answers a client that asks for the root directory.
    pub(super) fn until_first_answer(&mut self) -> Result<Sample> {
        while TcpStream::connect(("127.0.0.1", self.home.port)).is_err() {
            if let Some(status) = self.child.try_wait()? {
                let log = std::fs::read_to_string(&self.home.log).unwrap_or_default();
                let end: Vec<&str> = log.lines().rev().take(5).collect();
                bail!("the NameNode ended with {status}: {}", end.join("\n"));
            }
            ensure!(self.started.elapsed() < PATIENCE, "no answer in {PATIENCE:?}");
            std::thread::sleep(Duration::from_millis(10));
        }
        self.client(&["dfs", "-stat", "%F", "/"])?;
        self.sample(self.started.elapsed(), 0.0)
    }

    /// How long the phases of its start took, as it says itself. It must have answered before.
    pub(super) fn phases(&self) -> Result<Phases> {
        let query = "/jmx?qry=Hadoop:service=NameNode,name=StartupProgress";
        let beans: Value = serde_json::from_str(&self.get(query)?).context("beans are JSON")?;
        let bean = &beans["beans"][0];
        let phase = |name: &str| {
            let attribute = format!("{name}ElapsedTime");
            let millis = bean[&attribute].as_u64();
            let millis = millis.with_context(|| format!("no {attribute} in {beans}"))?;
            anyhow::Ok(Duration::from_millis(millis))
        };
        Ok(Phases {
            image: phase("LoadingFsImage")?,
            edits: phase("LoadingEdits")?,
            checkpoint: phase("SavingCheckpoint")?,
        })
    }

    /// The body of a page of its web server.
    fn get(&self, path: &str) -> Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.home.http_port))?;
        write!(stream, "GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").context("an answer has a head")?;
        ensure!(head.contains(" 200"), "{path}: {}", head.lines().next().unwrap_or_default());
        Ok(body.to_owned())
    }

    /// Saves its namespace: it is in safe mode, for no DataNode reports.
    pub(super) fn save_namespace(&mut self) -> Result<Sample> {
        let before = self.cpu()?;
        let began = Instant::now();
        self.client(&["dfsadmin", "-saveNamespace"])?;
        self.sample(began.elapsed(), before)
    }

    /// Ends it and waits until it is gone.
    pub(super) fn stop(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    fn client(&self, args: &[&str]) -> Result<String> {
        output(Command::new(binary()).args(args).env("HADOOP_CONF_DIR", &self.home.conf))
    }

    fn sample(&self, wall: Duration, cpu_before: f64) -> Result<Sample> {
        let cpu = self.cpu()? - cpu_before;
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = resident.and_then(|rest| rest.trim().strip_suffix(" kB"));
        let resident = kilobytes.context("no VmRSS")?.trim().parse::<u64>()? * 1024;
        Ok(Sample { wall, cpu, resident })
    }

    /// User and system time so far, in seconds.
    fn cpu(&self) -> Result<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name in parentheses may hold blanks; utime and stime are the 12th and 13th fields behind it.
        let (_, rest) = stat.rsplit_once(')').context("no name in /proc/PID/stat")?;
        let ticks: u64 = rest
            .split_whitespace()
            .skip(11)
            .take(2)
            .map(str::parse::<u64>)
            .sum::<Result<u64, _>>()?;
        Ok(ticks as f64 / TICKS)
    }
}

impl Drop for NameNode<'_> {
    fn drop(&mut self) {
        // It may have ended by itself; then both calls only say so.
        if self.child.kill().is_ok() {
            drop(self.child.wait());
        }
    }
}
