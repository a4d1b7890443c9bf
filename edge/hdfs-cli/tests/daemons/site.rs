//! A cluster of separate processes with its folders and configuration.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use hdfs_client::DatanodeReportType;
use hdfs_client::SafeModeAction;
use hdfs_client::blocking::HdfsClient;
use hdfs_conf::Configuration;

/// The folders and ports of one cluster; dropped, its processes are killed and its folder removed.
pub(crate) struct Site {
    pub(crate) dir: PathBuf,
    datanodes: usize,
    pub(crate) namenode_port: u16,
    processes: Vec<(String, Child)>,
}

impl Site {
    /// Writes the configuration of a cluster that is not formatted yet. Settings are `key`, `value`.
    pub(crate) fn new(name: &str, datanodes: usize, settings: &[(&str, &str)]) -> Self {
        let dir = std::env::temp_dir().join(format!("tusk-{name}-{}", std::process::id()));
        if dir.exists() {
            std::fs::remove_dir_all(&dir).expect("remove the folder of an earlier run");
        }
        let namenode_port = free_port();
        let mut shared = vec![
            ("fs.defaultFS".to_owned(), format!("hdfs://127.0.0.1:{namenode_port}")),
            ("dfs.namenode.http-address".to_owned(), "127.0.0.1:0".to_owned()),
            ("dfs.namenode.name.dir".to_owned(), format!("file://{}/name", dir.display())),
            ("dfs.namenode.safemode.extension".to_owned(), "0".to_owned()),
            ("dfs.replication".to_owned(), datanodes.clamp(1, 3).to_string()),
            ("dfs.heartbeat.interval".to_owned(), "1".to_owned()),
            ("dfs.namenode.heartbeat.recheck-interval".to_owned(), "1000".to_owned()),
        ];
        for (key, value) in settings {
            shared.retain(|(known, _)| known != key);
            shared.push(((*key).to_owned(), (*value).to_owned()));
        }
        write_conf(&dir.join("conf"), &shared);
        for number in 1..=datanodes {
            let mut own = shared.clone();
            own.push((
                "dfs.datanode.data.dir".into(),
                format!("file://{}/data{number}", dir.display()),
            ));
            // The same ports after a restart, so that clients and NameNode know the node again.
            for key in
                ["dfs.datanode.address", "dfs.datanode.http.address", "dfs.datanode.ipc.address"]
            {
                own.push((key.into(), format!("127.0.0.1:{}", free_port())));
            }
            write_conf(&dir.join(format!("conf{number}")), &own);
        }
        Self { dir, datanodes, namenode_port, processes: Vec::new() }
    }

    /// A formatted, running cluster.
    pub(crate) fn running(name: &str, datanodes: usize, settings: &[(&str, &str)]) -> Self {
        let mut site = Self::new(name, datanodes, settings);
        let format = site.hdfs(&["namenode", "-format", "-nonInteractive"]);
        assert!(format.status.success(), "format: {}", String::from_utf8_lossy(&format.stderr));
        site.start("namenode");
        for number in 1..=datanodes {
            site.start(&format!("datanode{number}"));
        }
        site.wait_until_writable();
        site
    }

    /// Runs `hdfs` with the NameNode's configuration to its end.
    pub(crate) fn hdfs(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_hdfs"))
            .args(args)
            .env("HADOOP_CONF_DIR", self.dir.join("conf"))
            .stdin(Stdio::null())
            .output()
            .expect("the program was built")
    }

    /// Starts `namenode` or `datanodeK`.
    pub(crate) fn start(&mut self, role: &str) {
        let (command, conf) = match role.strip_prefix("datanode") {
            Some(number) => ("datanode", format!("conf{number}")),
            None => ("namenode", "conf".to_owned()),
        };
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.log(role))
            .expect("open the log");
        let child = Command::new(env!("CARGO_BIN_EXE_hdfs"))
            .arg(command)
            .env("HADOOP_CONF_DIR", self.dir.join(conf))
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            .spawn()
            .expect("the program was built");
        self.processes.push((role.to_owned(), child));
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self, role: &str) {
        let position = self.processes.iter().position(|(name, _)| name == role);
        let (_, mut child) = self.processes.remove(position.expect("the role runs"));
        child.kill().expect("the process is ours");
        child.wait().expect("the process is ours");
    }

    /// Waits until a process ends by itself.
    pub(crate) fn wait_for_end(&mut self, role: &str, limit: Duration) -> Option<ExitStatus> {
        let started = Instant::now();
        let (_, child) = self.processes.iter_mut().find(|(name, _)| name == role)?;
        while started.elapsed() < limit {
            if let Some(status) = child.try_wait().expect("the process is ours") {
                return Some(status);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        None
    }

    pub(crate) fn log(&self, role: &str) -> PathBuf {
        self.dir.join(format!("{role}.log"))
    }

    pub(crate) fn log_text(&self, role: &str) -> String {
        std::fs::read_to_string(self.log(role)).unwrap_or_default()
    }

    pub(crate) fn client(&self) -> HdfsClient {
        let mut conf = Configuration::new();
        let uri = format!("hdfs://127.0.0.1:{}", self.namenode_port);
        conf.set("fs.defaultFS", &uri).expect("a valid setting");
        conf.set("dfs.replication", &self.datanodes.clamp(1, 3).to_string()).expect("valid");
        conf.set("ipc.client.connect.max.retries", "100").expect("a valid setting");
        conf.set("ipc.client.connect.retry.interval", "50").expect("a valid setting");
        HdfsClient::connect(&conf).expect("a client")
    }

    /// Waits until every DataNode is live and safe mode is off.
    pub(crate) fn wait_until_writable(&self) {
        let client = self.client();
        let started = Instant::now();
        loop {
            let live = client.datanode_report(DatanodeReportType::Live).map(|nodes| nodes.len());
            let safe = client.set_safe_mode(SafeModeAction::Get);
            if let (Ok(live), Ok(false)) = (&live, &safe)
                && *live >= self.datanodes
            {
                return;
            }
            assert!(
                started.elapsed() < Duration::from_secs(60),
                "not writable: live {live:?}, safe mode {safe:?}; NameNode's log ends:\n{}",
                tail(&self.log_text("namenode"))
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        for (_, child) in &mut self.processes {
            if child.kill().is_ok() {
                drop(child.wait());
            }
        }
        if std::thread::panicking() {
            eprintln!("the cluster's folder is kept: {}", self.dir.display());
        } else if let Err(error) = std::fs::remove_dir_all(&self.dir) {
            eprintln!("could not remove {}: {error}", self.dir.display());
        }
    }
}

fn tail(text: &str) -> &str {
    let mut start = text.len().saturating_sub(3_000);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    &text[start..]
}

/// A port that was free a moment ago, below the range that outgoing connections use.
fn free_port() -> u16 {
    use std::sync::atomic::{AtomicU16, Ordering};
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let base = 24_000 + (std::process::id() % 800) as u16 * 10;
    loop {
        let port = base + NEXT.fetch_add(1, Ordering::Relaxed);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

fn write_conf(dir: &Path, settings: &[(String, String)]) {
    std::fs::create_dir_all(dir).expect("make the configuration folder");
    let mut xml = String::from("<configuration>\n");
    for (key, value) in settings {
        xml.push_str(&format!("<property><name>{key}</name><value>{value}</value></property>\n"));
    }
    xml.push_str("</configuration>\n");
    std::fs::write(dir.join("core-site.xml"), &xml).expect("write core-site.xml");
    std::fs::write(dir.join("hdfs-site.xml"), &xml).expect("write hdfs-site.xml");
}
