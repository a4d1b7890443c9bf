//! The shell over S3, WebHDFS, HDFS and local files, and between them: our command against a mini cluster and a real S3
//! server on loopback (moto, a Python package; installed into the build folder when `moto_server` is not there).

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use hdfs_daemon::minicluster::{MiniCluster, MiniClusterOptions};

/// What the S3 server needs of its package.
const PACKAGES: [&str; 3] = ["moto[s3]==5.2.5", "flask", "flask-cors"];
/// How long it may take to start.
const START: Duration = Duration::from_secs(60);

/// A folder that goes away with the value.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("make a folder");
        Self(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_string_lossy().into_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A running S3 server with one bucket, `bkt`.
struct S3Server {
    process: Child,
    port: u16,
}

impl S3Server {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("its number").port();
        drop(listener);
        let process = Command::new(moto_server())
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("start moto_server");
        let server = Self { process, port };
        let deadline = Instant::now() + START;
        while !server.make_bucket() {
            assert!(Instant::now() < deadline, "moto_server does not answer on port {port}");
            std::thread::sleep(Duration::from_millis(50));
        }
        server
    }

    fn make_bucket(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) else { return false };
        let request = "PUT /bkt HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        let mut answer = String::new();
        stream.write_all(request.as_bytes()).is_ok()
            && stream.read_to_string(&mut answer).is_ok()
            && answer.starts_with("HTTP/1.1 200")
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The program: from the path, or from an environment of its own below the build folder.
fn moto_server() -> PathBuf {
    if Command::new("moto_server")
        .arg("--help")
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|done| done.success())
    {
        return "moto_server".into();
    }
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("moto");
    let program = home.join("bin/moto_server");
    if !program.exists() {
        let run = |command: &mut Command| {
            let done = command.status().expect("run python3");
            assert!(done.success(), "install moto: python3 with venv and pip is needed");
        };
        run(Command::new("python3").args(["-m", "venv"]).arg(&home));
        run(Command::new(home.join("bin/pip")).args(["install", "-q"]).args(PACKAGES));
    }
    program
}

/// Runs shell commands with one configuration.
struct Shell {
    conf_dir: PathBuf,
    options: Vec<String>,
}

impl Shell {
    /// Standard output, standard error, status.
    fn run(&self, args: &[&str]) -> (String, String, i32) {
        let output = Command::new(env!("CARGO_BIN_EXE_hdfs"))
            .arg("dfs")
            .args(&self.options)
            .args(args)
            .env("HADOOP_CONF_DIR", &self.conf_dir)
            .stdin(Stdio::null())
            .output()
            .expect("run hdfs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (text(&output.stdout), text(&output.stderr), output.status.code().unwrap_or(-1))
    }

    /// Standard output of a command that succeeds.
    fn ok(&self, args: &[&str]) -> String {
        let (out, err, status) = self.run(args);
        assert_eq!((status, err.as_str()), (0, ""), "{args:?} printed {out}");
        out
    }

    /// Standard error of a command that fails.
    fn refused(&self, args: &[&str]) -> String {
        let (out, err, status) = self.run(args);
        assert_eq!(status, 1, "{args:?} printed {out} {err}");
        err
    }

    /// The paths of a recursive listing.
    fn tree(&self, path: &str) -> Vec<String> {
        let mut paths: Vec<_> =
            self.ok(&["-ls", "-R", "-C", path]).lines().map(str::to_owned).collect();
        paths.sort();
        paths
    }
}

fn s3_options(port: u16) -> Vec<String> {
    let pairs = [
        ("endpoint", format!("http://127.0.0.1:{port}")),
        ("path.style.access", "true".into()),
        ("access.key", "k".into()),
        ("secret.key", "s".into()),
        ("multipart.size", "5M".into()),
    ];
    pairs
        .iter()
        .flat_map(|(name, value)| ["-D".to_owned(), format!("fs.s3a.{name}={value}")])
        .collect()
}

/// Bytes without a period that a lost or repeated part could hide behind.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 88_172_645_463_325_252_u64;
    let next = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..length).map(next).collect()
}

fn s3_directories_files_and_errors_are_hadoops(shell: &Shell, small: &str) {
    shell.ok(&["-mkdir", "-p", "s3a://bkt/x/y"]);
    shell.ok(&["-mkdir", "s3a://bkt/a"]);
    shell.ok(&["-put", small, "s3a://bkt/a/f"]);
    assert!(
        shell.refused(&["-put", small, "s3a://bkt/a/f"]).contains("`s3a://bkt/a/f': File exists")
    );
    assert!(
        shell
            .refused(&["-mkdir", "s3a://bkt/n/m"])
            .contains("`s3a://bkt/n': No such file or directory")
    );
    assert!(shell.refused(&["-cat", "s3a://bkt/a"]).contains("Is a directory"));
    assert!(shell.refused(&["-ls", "s3a://none-such/"]).contains("NoSuchBucket"));
    shell.ok(&["-cp", "s3a://bkt/a/f", "s3a://bkt/a/odd name+%.txt"]);
    shell.ok(&["-mv", "s3a://bkt/a/f", "s3a://bkt/a/g"]);
    assert_eq!(shell.ok(&["-cat", "s3a://bkt/a/g"]), "hello\n");
    assert_eq!(shell.ok(&["-du", "-s", "s3a://bkt/a"]), "12  12  s3a://bkt/a\n");
    assert_eq!(
        shell.ok(&["-count", "s3a://bkt/"]),
        "           4            2                 12 s3a://bkt/\n"
    );
    assert_eq!(shell.ok(&["-find", "s3a://bkt/", "-name", "g"]), "s3a://bkt/a/g\n");
    assert_eq!(shell.ok(&["-stat", "%F %b %r %a %n", "s3a://bkt/a/g"]), "regular file 6 1 666 g\n");
    assert_eq!(shell.run(&["-test", "-d", "s3a://bkt/x/y"]).2, 0);
    assert_eq!(shell.run(&["-test", "-e", "s3a://bkt/none"]).2, 1);
    shell.ok(&["-mv", "s3a://bkt/a", "s3a://bkt/x"]);
    let moved = ["a", "a/g", "a/odd name+%.txt", "y"].map(|name| format!("s3a://bkt/x/{name}"));
    assert_eq!(shell.tree("s3a://bkt/x"), moved);
    assert!(shell.refused(&["-rmdir", "s3a://bkt/x"]).contains("Directory is not empty"));
    shell.ok(&["-rm", "-r", "s3a://bkt/x/a", "s3a://bkt/x/y"]);
    // The last entries are gone: the directory stays.
    assert_eq!(shell.tree("s3a://bkt/"), ["s3a://bkt/x"]);
}

fn bytes_survive_a_tour_over_every_file_system(shell: &Shell, web: &str, folder: &Folder) {
    let bytes = noise(12 << 20);
    std::fs::write(folder.file("large"), &bytes).expect("write a file");
    let tour = [
        "s3a://bkt/large",
        "/large",
        &format!("{web}/web"),
        "s3a://bkt/back",
        "/tree/one",
        "/tree/two",
    ];
    shell.ok(&["-mkdir", "/tree"]);
    shell.ok(&["-put", &folder.file("large"), tour[0]]);
    for pair in tour.windows(2) {
        shell.ok(&["-cp", pair[0], pair[1]]);
    }
    shell.ok(&["-cp", "-t", "3", "/tree", "s3a://bkt/tree"]);
    shell.ok(&["-get", "-t", "2", "s3a://bkt/tree", &folder.file("got")]);
    for name in ["got/one", "got/two"] {
        assert!(std::fs::read(folder.file(name)).expect("read it") == bytes, "{name} differs");
    }
    let tail = shell.run(&["-tail", tour[3]]);
    assert_eq!((tail.2, tail.1.as_str()), (0, ""));
}

fn webhdfs_is_hdfs(shell: &Shell, web: &str, small: &str) {
    shell.ok(&["-mkdir", "-p", &format!("{web}/w/d")]);
    shell.ok(&["-put", small, &format!("{web}/w/f ü%")]);
    shell.ok(&["-chmod", "640", &format!("{web}/w/f ü%")]);
    shell.ok(&["-appendToFile", small, &format!("{web}/w/f ü%")]);
    assert_eq!(shell.ok(&["-cat", "/w/f ü%"]), "hello\nhello\n");
    assert_eq!(shell.ok(&["-stat", "%b %a %n", "/w/*ü*"]), "12 640 f ü%\n");
    assert_eq!(
        shell.ok(&["-count", &format!("{web}/w")]),
        format!("           2            1                 12 {web}/w\n")
    );
    let sums = shell.ok(&["-checksum", "/w/f ü%", &format!("{web}/w/f ü%")]);
    let sums: Vec<_> = sums.lines().filter_map(|line| line.rsplit('\t').next()).collect();
    assert_eq!(sums[0], sums[1]);
    assert!(shell.refused(&["-cat", &format!("{web}/none")]).contains("No such file or directory"));
    assert!(shell.refused(&["-rmdir", &format!("{web}/w")]).contains("Directory is not empty"));
    shell.ok(&["-mv", &format!("{web}/w/f ü%"), &format!("{web}/w/d/g")]);
    shell.ok(&["-rm", "-r", "-skipTrash", &format!("{web}/w/d")]);
    assert_eq!(shell.tree("/w"), Vec::<String>::new());
}

#[test]
fn the_shell_works_on_s3_and_webhdfs_as_hadoops_does() {
    let folder = Folder::new("backends");
    let server = S3Server::start();
    let mut options = MiniClusterOptions::new(folder.0.join("cluster"));
    options.datanodes = 1;
    options.settings.push(("dfs.replication".into(), "1".into()));
    let cluster = MiniCluster::start(options).expect("start a cluster");
    let http = cluster.namenode.http_addr();
    let web = format!("webhdfs://{http}");
    let shell = Shell { conf_dir: cluster.conf_dir().to_owned(), options: s3_options(server.port) };
    let small = folder.file("small");
    std::fs::write(&small, "hello\n").expect("write a file");

    s3_directories_files_and_errors_are_hadoops(&shell, &small);
    webhdfs_is_hdfs(&shell, &web, &small);
    bytes_survive_a_tour_over_every_file_system(&shell, &web, &folder);

    drop(server);
    cluster.stop().expect("stop the cluster");
}
