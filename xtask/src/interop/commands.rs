//! Command lines: Apache's tools and ours answer the same with the same status, each on a cluster of ours of its own; and
//! Apache's tools answer the same on a cluster of Apache's and on one of ours.
//!
//! `conformance/commands.txt` and `conformance/namespace.txt` hold the commands, in order; what one leaves behind, the next
//! one finds. Apache's tools run in one process (`testdata/hadoop-3.5.0/commands/Commands.java`), ours one process a
//! command. What differs from run to run (ports, times, generated ids) is masked. The form of the files:
//!
//! ```text
//! # …                  a comment
//! @as NAME             the commands below run as this user; without a name, as the superuser
//! @local NAME TEXT     writes a local file where the commands run; TEXT may hold \n, \t, \\ and \xHH
//! @folder NAME         makes a local folder there
//! @testdata FOLDER     copies the files of a folder below testdata/ there
//! @stdin TEXT          standard input of the next command
//! @differs WHY         our tool is known to answer the next command otherwise, and WHY says why that is right
//! @server-differs WHY  the same for our server
//! @unordered           the lines of the next command's answer may come in any order
//! dfs -ls /            a command; words may stand in '…' or "…"; $NN and $WEB are host:port of the
//!                      NameNode's RPC and web server, $ME is the superuser, $CWD is where commands run
//! ```

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use regex::Regex;

use super::cluster::{Cluster, apache, output, scratch};
use super::peer_cluster::PeerCluster;
use crate::ci::Count;

/// Settings of both clusters.
const SETTINGS: &[&str] = &[
    "dfs.replication=1",
    "dfs.namenode.fs-limits.min-block-size=0",
    "dfs.blocksize=1048576",
    // So that reports come in parts.
    "dfs.namenode.snapshotdiff.listing.limit=2",
];

/// Commands for both tools.
const COMMANDS: &str = "conformance/commands.txt";
/// Commands for both tools and both servers.
const NAMESPACE: &str = "conformance/namespace.txt";

/// First port of Apache's cluster.
const PEER_PORT: u16 = 23_500;

/// Lines of an answer that are shown when it differs.
const SHOWN_LINES: usize = 12;

/// A command and what is around it.
struct Case {
    line: usize,
    text: String,
    user: String,
    stdin: Vec<u8>,
    args: Vec<String>,
    differs: Option<String>,
    server_differs: Option<String>,
    unordered: bool,
}

/// What a command answered, masked.
#[derive(PartialEq, Eq)]
struct Answer {
    status: i32,
    out: String,
    errors: String,
}

impl Answer {
    /// Our server sends no stack traces with its errors, nor the name of the call that a superuser only may make.
    fn without_traces(self) -> Self {
        let plain = |text: String| {
            let lines = text.lines().filter(|line| !line.is_empty());
            let named = |line: &str| match line.split_once(" is required for operation ") {
                Some((start, _)) => format!("{start} is required"),
                None => line.to_owned(),
            };
            lines.map(named).collect::<Vec<_>>().join("\n")
        };
        Self { errors: plain(self.errors), ..self }
    }
}

/// The servers of a side; dropped, they are stopped.
enum Servers {
    Ours(Cluster),
    Apache(PeerCluster),
}

/// One side: a cluster, and the folder where commands run.
struct Side {
    servers: Servers,
    folder: PathBuf,
    namenode: String,
    web: String,
}

impl Servers {
    /// The folder with the clients' configuration.
    fn conf(&self) -> PathBuf {
        match self {
            Self::Ours(cluster) => cluster.conf(),
            Self::Apache(cluster) => cluster.conf(),
        }
    }
}

impl Side {
    fn start(name: &str) -> Result<Self> {
        let cluster = Cluster::start(&format!("commands-{name}"), 1, SETTINGS)?;
        Self::of(name, Servers::Ours(cluster))
    }

    /// On a cluster of Apache's.
    fn start_apache(name: &str) -> Result<Self> {
        let cluster = PeerCluster::up(&format!("commands-{name}"), "", 1, PEER_PORT, SETTINGS)?;
        Self::of(name, Servers::Apache(cluster))
    }

    fn of(name: &str, servers: Servers) -> Result<Self> {
        let conf = servers.conf();
        let folder = scratch(&format!("commands-{name}-files"))?;
        let mut command = Command::new(super::binary());
        command.args(["getconf", "-confKey", "fs.defaultFS"]);
        let uri = output(command.env("HADOOP_CONF_DIR", &conf))?;
        let namenode = uri.trim().trim_start_matches("hdfs://").to_owned();
        let mut command = Command::new(super::binary());
        command.args(["getconf", "-confKey", "dfs.namenode.http-address"]);
        let web = output(command.env("HADOOP_CONF_DIR", &conf))?.trim().to_owned();
        Ok(Self { servers, folder, namenode, web })
    }

    /// A word of the file as this side needs it.
    fn word(&self, word: &str) -> String {
        let folder = self.folder.to_string_lossy();
        let word = word.replace("$NN", &self.namenode).replace("$WEB", &self.web);
        word.replace("$CWD", &folder).replace("$ME", &superuser())
    }
}

impl Drop for Side {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.folder) {
            eprintln!("could not remove {}: {error}", self.folder.display());
        }
    }
}

fn superuser() -> String {
    std::env::var("HADOOP_USER_NAME")
        .or_else(|_| std::env::var("USER"))
        .unwrap_or_else(|_| "root".into())
}

/// Both tools, on servers of ours.
pub(super) fn run() -> Result<Count> {
    let mut sum = Count::default();
    for file in [COMMANDS, NAMESPACE] {
        let (cases, files) = read(file)?;
        let (peer, ours) = (Side::start("peer")?, Side::start("ours")?);
        files.write(&peer.folder)?;
        files.write(&ours.folder)?;
        let mask = Mask::new()?;
        let (wanted, got) = std::thread::scope(|scope| {
            let wanted = scope.spawn(|| run_peer(&peer, &cases, &mask));
            let got = run_ours(&ours, &cases, &mask);
            (wanted.join().expect("the thread does not panic"), got)
        });
        sum += compare(file, &cases, |case| &case.differs, &wanted?, &got?);
    }
    Ok(sum)
}

/// Apache's tools, on both servers.
pub(super) fn run_servers() -> Result<Count> {
    let (cases, files) = read(NAMESPACE)?;
    let (peer, ours) = (Side::start_apache("apache")?, Side::start("ours")?);
    files.write(&peer.folder)?;
    files.write(&ours.folder)?;
    let mask = Mask::new()?;
    let plain = |answers: Vec<Answer>| -> Vec<Answer> {
        answers.into_iter().map(Answer::without_traces).collect()
    };
    let wanted = plain(run_peer(&peer, &cases, &mask)?);
    let got = plain(run_peer(&ours, &cases, &mask)?);
    Ok(compare(NAMESPACE, &cases, |case| &case.server_differs, &wanted, &got))
}

fn read(file: &str) -> Result<(Vec<Case>, Files)> {
    let text = std::fs::read_to_string(crate::root().join(file))?;
    parse(&text).with_context(|| file.to_owned())
}

/// Local files that the commands find.
#[derive(Default)]
struct Files {
    folders: Vec<String>,
    files: Vec<(String, Vec<u8>)>,
}

impl Files {
    fn write(&self, to: &Path) -> Result<()> {
        for folder in &self.folders {
            std::fs::create_dir_all(to.join(folder))?;
        }
        for (name, bytes) in &self.files {
            std::fs::write(to.join(name), bytes).with_context(|| name.clone())?;
        }
        Ok(())
    }
}

fn parse(text: &str) -> Result<(Vec<Case>, Files)> {
    let (mut cases, mut files) = (Vec::new(), Files::default());
    let (mut user, mut stdin) = (superuser(), Vec::new());
    let (mut differs, mut server_differs) = (None, None);
    let mut unordered = false;
    for (index, line) in text.lines().enumerate() {
        let line_number = index + 1;
        let line = line.trim();
        let Some(directive) = line.strip_prefix('@') else {
            if !line.is_empty() && !line.starts_with('#') {
                cases.push(Case {
                    line: line_number,
                    text: line.to_owned(),
                    user: user.clone(),
                    stdin: std::mem::take(&mut stdin),
                    args: words(line).with_context(|| format!("line {line_number}"))?,
                    differs: differs.take(),
                    server_differs: server_differs.take(),
                    unordered: std::mem::take(&mut unordered),
                });
            }
            continue;
        };
        let (name, rest) = directive.split_once(' ').unwrap_or((directive, ""));
        match name {
            "as" if rest.is_empty() => user = superuser(),
            "as" => user = rest.to_owned(),
            "local" => {
                let (name, text) = rest.split_once(' ').unwrap_or((rest, ""));
                files.files.push((name.to_owned(), unescape(text)?));
            }
            "testdata" => {
                for entry in std::fs::read_dir(crate::root().join("testdata").join(rest))? {
                    let path = entry?.path();
                    let name = path.file_name().context("a file has a name")?.to_string_lossy();
                    files.files.push((name.into_owned(), std::fs::read(&path)?));
                }
            }
            "folder" => files.folders.push(rest.to_owned()),
            "stdin" => stdin = unescape(rest)?,
            "differs" => differs = Some(rest.to_owned()),
            "server-differs" => server_differs = Some(rest.to_owned()),
            "unordered" => unordered = true,
            _ => bail!("line {line_number}: @{name} is not known"),
        }
    }
    Ok((cases, files))
}

/// The words of a line; quotes of both kinds keep spaces.
fn words(line: &str) -> Result<Vec<String>> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in line.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            None if c == '\'' || c == '"' => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            None if c == ' ' => words.extend(word.take()),
            _ => word.get_or_insert_default().push(c),
        }
    }
    if quote.is_some() {
        bail!("a quote is not closed");
    }
    words.extend(word);
    Ok(words)
}

fn unescape(text: &str) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            bytes.extend(c.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        match chars.next() {
            Some('n') => bytes.push(b'\n'),
            Some('t') => bytes.push(b'\t'),
            Some('\\') => bytes.push(b'\\'),
            Some('x') => {
                let digits: String = chars.by_ref().take(2).collect();
                bytes.push(u8::from_str_radix(&digits, 16)?);
            }
            other => bail!("\\{other:?} is no escape"),
        }
    }
    Ok(bytes)
}

/// Apache's class for a tool.
fn main_class(tool: &str) -> Result<&'static str> {
    Ok(match tool {
        "dfs" => "org.apache.hadoop.fs.FsShell",
        "dfsadmin" => "org.apache.hadoop.hdfs.tools.DFSAdmin",
        "fsck" => "org.apache.hadoop.hdfs.tools.DFSck",
        "groups" => "org.apache.hadoop.hdfs.tools.GetGroups",
        "getconf" => "org.apache.hadoop.hdfs.tools.GetConf",
        "storagepolicies" => "org.apache.hadoop.hdfs.tools.StoragePolicyAdmin",
        "ec" => "org.apache.hadoop.hdfs.tools.ECAdmin",
        "cacheadmin" => "org.apache.hadoop.hdfs.tools.CacheAdmin",
        "crypto" => "org.apache.hadoop.hdfs.tools.CryptoAdmin",
        "debug" => "org.apache.hadoop.hdfs.tools.DebugAdmin",
        "haadmin" => "org.apache.hadoop.hdfs.tools.DFSHAAdmin",
        "snapshotDiff" => "org.apache.hadoop.hdfs.tools.snapshot.SnapshotDiff",
        "lsSnapshottableDir" => "org.apache.hadoop.hdfs.tools.snapshot.LsSnapshottableDir",
        "lsSnapshot" => "org.apache.hadoop.hdfs.tools.snapshot.LsSnapshot",
        "fetchdt" => "org.apache.hadoop.hdfs.tools.DelegationTokenFetcher",
        "jmxget" => "org.apache.hadoop.hdfs.tools.JMXGet",
        "oiv" => "org.apache.hadoop.hdfs.tools.offlineImageViewer.OfflineImageViewerPB",
        "oev" => "org.apache.hadoop.hdfs.tools.offlineEditsViewer.OfflineEditsViewer",
        "diskbalancer" => "org.apache.hadoop.hdfs.tools.DiskBalancerCLI",
        other => bail!("no class of Apache's is known for {other}"),
    })
}

/// Text without tabs, line ends and what is not ASCII.
fn field(bytes: &[u8]) -> String {
    let plain = |byte: u8| (byte.is_ascii_graphic() && byte != b'%') || byte == b' ';
    let one = |byte: &u8| match *byte {
        byte if plain(byte) => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    bytes.iter().map(one).collect()
}

fn run_peer(side: &Side, cases: &[Case], mask: &Mask) -> Result<Vec<Answer>> {
    let source = crate::root().join("testdata/hadoop-3.5.0/commands/Commands.java");
    let classes = scratch("commands-classes")?;
    let mut javac = Command::new("javac");
    javac.args(["-nowarn", "-Xlint:none", "-cp"]).arg(super::calls::jars()?.join("*"));
    output(javac.arg("-d").arg(&classes).arg(source))?;
    let mut lines = String::new();
    for case in cases {
        let mut fields = vec![field(case.user.as_bytes()), field(&case.stdin)];
        fields.push(main_class(&case.args[0])?.to_owned());
        fields.extend(case.args[1..].iter().map(|arg| field(side.word(arg).as_bytes())));
        lines.push_str(&(fields.join("\t") + "\n"));
    }
    let list = classes.join("commands");
    std::fs::write(&list, lines)?;
    let mut command = apache("Commands", &side.servers.conf());
    let options = command.get_envs().find(|(name, _)| *name == "PEER_OPTS");
    let options = options.and_then(|(_, value)| value).unwrap_or_default().to_string_lossy();
    let options =
        format!("{options} -Dhadoop.root.logger=OFF,console -Djava.security.manager=allow");
    command.env("PEER_OPTS", options).env("PEER_CP", &classes).arg(&list);
    command.current_dir(&side.folder).stdin(Stdio::null()).stderr(Stdio::null());
    let printed = command.output()?.stdout;
    std::fs::remove_dir_all(&classes)?;
    answers(&printed, cases, |case, text| mask.apply(side, case, text))
}

/// Reads what the Java program printed.
fn answers(
    mut printed: &[u8],
    cases: &[Case],
    clean: impl Fn(&Case, &[u8]) -> String,
) -> Result<Vec<Answer>> {
    let mut answers = Vec::new();
    for case in cases {
        let ended = || format!("Apache's tools ended before line {}: {}", case.line, case.text);
        let end = printed.iter().position(|byte| *byte == b'\n').with_context(ended)?;
        let head = std::str::from_utf8(&printed[..end])?;
        let numbers: Vec<usize> = head.split(' ').map(str::parse).collect::<Result<_, _>>()?;
        let [status, out, errors] = numbers[..] else { bail!("{head:?} is no head") };
        let rest = printed.get(end + 1..end + 1 + out + errors).with_context(ended)?;
        answers.push(Answer {
            status: i32::try_from(status)?,
            out: clean(case, &rest[..out]),
            errors: clean(case, &rest[out..]),
        });
        printed = &printed[end + 1 + out + errors..];
    }
    Ok(answers)
}

fn run_ours(side: &Side, cases: &[Case], mask: &Mask) -> Result<Vec<Answer>> {
    let mut answers = Vec::new();
    for case in cases {
        let mut command = Command::new(super::binary());
        command.arg(&case.args[0]).args(case.args[1..].iter().map(|arg| side.word(arg)));
        command.env("HADOOP_CONF_DIR", side.servers.conf()).env("HADOOP_USER_NAME", &case.user);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.current_dir(&side.folder).spawn()?;
        let mut stdin = child.stdin.take().expect("standard input was asked for");
        // A command that does not read its input closes it early.
        let _ = stdin.write_all(&case.stdin);
        drop(stdin);
        let output = child.wait_with_output()?;
        answers.push(Answer {
            status: output.status.code().unwrap_or(-1),
            out: mask.apply(side, case, &output.stdout),
            errors: mask.apply(side, case, &output.stderr),
        });
    }
    Ok(answers)
}

/// What is taken out of answers because it differs from run to run.
struct Mask {
    rules: Vec<(Regex, &'static str)>,
    /// Lines that Apache's tools log, and would print with their usual settings only.
    logged: Regex,
}

impl Mask {
    fn new() -> Result<Self> {
        let rules = [
            (r"(?m)^\t(?:at |\.\.\. \d+ more).*\n", ""),
            (r"(?m)^Caused by: .*\n", ""),
            (r"127\.0\.0\.1:\d+", "HOST:PORT"),
            (r"localhost:\d+", "HOST:PORT"),
            (r"[\w.-]+/127\.0\.0\.1", "NAME/127.0.0.1"),
            (r"BP-\d+-[0-9.]+-\d+", "BP"),
            (r"CID-[0-9a-f-]{36}", "CID"),
            (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UUID"),
            (r"blk_-?\d+_\d+", "BLK"),
            (r"DFSClient_NONMAPREDUCE_-?\d+_\d+", "CLIENT"),
            (r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?", "TIME"),
            (r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun) \w{3} \d\d \d\d:\d\d:\d\d \w+ \d{4}", "DATE"),
            (r"\bs\d{8}-\d{6}\.\d{3}\b", "sTIME"),
            (r"\b1[5-9]\d{11}\b", "MILLIS"),
            (r"\b2\d{11}\b", "STAMP"),
            (r"in \d+ milliseconds", "in N milliseconds"),
        ];
        let rule = |(pattern, with)| Ok((Regex::new(pattern)?, with));
        Ok(Self {
            rules: rules.into_iter().map(rule).collect::<Result<_>>()?,
            logged: Regex::new(r"(?m)^(\S+ \S+ +)?(INFO|WARN) [\w.]+: .*\n")?,
        })
    }

    fn apply(&self, side: &Side, case: &Case, bytes: &[u8]) -> String {
        let folder = side.folder.to_string_lossy();
        let mut text = String::from_utf8_lossy(bytes).replace(&*folder, "CWD");
        text = self.logged.replace_all(&text, "").into_owned();
        for (pattern, with) in &self.rules {
            text = pattern.replace_all(&text, *with).into_owned();
        }
        if case.unordered {
            let mut lines: Vec<&str> = text.lines().collect();
            lines.sort_unstable();
            text = lines.join("\n");
        }
        text
    }
}

fn compare(
    file: &str,
    cases: &[Case],
    differs: impl Fn(&Case) -> &Option<String>,
    wanted: &[Answer],
    got: &[Answer],
) -> Count {
    let mut count = Count::default();
    for (case, (wanted, got)) in cases.iter().zip(wanted.iter().zip(got)) {
        match (wanted == got, differs(case)) {
            (true, None) => count.passed += 1,
            (false, Some(_)) => count.skipped += 1,
            (true, Some(_)) => {
                count.passed += 1;
                println!("{file}:{}: equal now, take its @differs out", case.line);
            }
            (false, None) => {
                count.failed += 1;
                println!("FAIL {file}:{} as {}: {}", case.line, case.user, case.text);
                if wanted.status != got.status {
                    println!("  status: Apache {}, ours {}", wanted.status, got.status);
                }
                show("stdout", &wanted.out, &got.out);
                show("stderr", &wanted.errors, &got.errors);
            }
        }
    }
    count
}

/// The lines that only one side printed; where it is only their order, all lines.
fn show(what: &str, wanted: &str, got: &str) {
    if wanted == got {
        return;
    }
    let only = |one: &str, other: &str| -> Vec<String> {
        let others: BTreeSet<&str> = other.split('\n').collect();
        // Usages of all commands only hide the line that matters.
        let wanted = |line: &&str| !others.contains(line) && !line.starts_with("\t[-");
        one.split('\n').filter(wanted).map(str::to_owned).collect()
    };
    let (mut peer, mut ours) = (only(wanted, got), only(got, wanted));
    if peer.is_empty() && ours.is_empty() {
        println!("  {what}: the same lines in another order or number");
        (peer, ours) = (only(wanted, ""), only(got, ""));
    }
    for (name, lines) in [("Apache", peer), ("ours  ", ours)] {
        for line in lines.iter().take(SHOWN_LINES) {
            println!("  {what} {name} |{line}");
        }
        if lines.len() > SHOWN_LINES {
            println!("  {what} {name}  … {} lines more", lines.len() - SHOWN_LINES);
        }
    }
}
