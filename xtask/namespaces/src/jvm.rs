//! One JVM with Apache's classes, which answers line by line.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};

/// The class of `java/RoundTrips.java`.
const CLASS: &str = "org.apache.hadoop.hdfs.server.namenode.RoundTrips";

/// The running program.
pub(crate) struct Jvm {
    child: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Jvm {
    /// Compiles the program into a folder and starts it. Its log goes to `jvm.log` there.
    pub(crate) fn start(dir: &Path) -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let checkout =
            root.ancestors().nth(2).context("the crate lies two folders below the root")?;
        let hadoop =
            checkout.parent().context("a checkout lies in a folder")?.join("shared/peer/hadoop");
        let home = std::env::var_os("PEER_HOME")
            .map_or_else(|| std::env::temp_dir().join("hadoop-peer"), PathBuf::from);
        let jars = home.join("3.5.0");
        ensure!(jars.exists(), "{} is missing: run shared/peer/hadoop once", jars.display());
        let classes = dir.join("classes");
        std::fs::create_dir_all(&classes)?;
        let compiled = Command::new("javac")
            .arg("-cp")
            .arg(jars.join("*"))
            .arg("-d")
            .arg(&classes)
            .arg(root.join("java/RoundTrips.java"))
            .status()
            .context("run javac")?;
        ensure!(compiled.success(), "javac ended with {compiled}");
        let log = std::fs::File::create(dir.join("jvm.log"))?;
        let mut child = Command::new(&hadoop)
            .arg(CLASS)
            .env("PEER_CP", &classes)
            .env("PEER_OPTS", "-Xmx768m -XX:+UseSerialGC")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .with_context(|| hadoop.display().to_string())?;
        let requests = child.stdin.take().context("stdin is piped")?;
        let answers = BufReader::new(child.stdout.take().context("stdout is piped")?);
        Ok(Self { child, requests: Some(requests), answers })
    }

    /// Loads the folder `DIR/current` with Apache's code, which saves an image there: its path.
    pub(crate) fn load(&mut self, dir: &Path) -> Result<PathBuf> {
        self.ask(&format!("load {}", dir.display())).map(PathBuf::from)
    }

    /// Apache's view of an image.
    pub(crate) fn xml(&mut self, image: &Path) -> Result<String> {
        let out = image.with_extension("xml");
        self.ask(&format!("xml {} {}", image.display(), out.display()))?;
        std::fs::read_to_string(&out).with_context(|| out.display().to_string())
    }

    /// Apache's edits viewer.
    pub(crate) fn edits(&mut self, input: &Path, out: &Path, processor: &str) -> Result<Vec<u8>> {
        self.ask(&format!("edits {} {} {processor}", input.display(), out.display()))?;
        std::fs::read(out).with_context(|| out.display().to_string())
    }

    fn ask(&mut self, request: &str) -> Result<String> {
        let requests = self.requests.as_mut().context("the program takes requests")?;
        writeln!(requests, "{request}")?;
        requests.flush()?;
        loop {
            let mut line = String::new();
            if self.answers.read_line(&mut line)? == 0 {
                bail!("Apache: {request}: the program ended");
            }
            // Other lines are the JVM's own.
            if let Some(answer) = line.strip_prefix("ok ") {
                return Ok(answer.trim_end().to_owned());
            }
            if let Some(trace) = line.strip_prefix("error ") {
                bail!("Apache: {request}: {}", trace.trim_end().replace(" | ", "\n"));
            }
        }
    }
}

impl Drop for Jvm {
    fn drop(&mut self) {
        // The end of its input ends the program.
        self.requests = None;
        let _ = self.child.wait();
    }
}
