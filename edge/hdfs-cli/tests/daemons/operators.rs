//! What an operator does to daemons: start and stop them in the background, take a folder in again, change a setting.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::site::Site;

/// Runs `hdfs --daemon MODE NAME` with the site's configuration, and pid and log files in its folder.
fn daemon(site: &Site, mode: &str, name: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hdfs"))
        .args(["--config".as_ref(), site.dir.join("conf").as_os_str()])
        .args(["--daemon", mode, name])
        .env("HADOOP_PID_DIR", site.dir.join("pid"))
        .env("HADOOP_LOG_DIR", site.dir.join("log"))
        .env("HADOOP_IDENT_STRING", "me")
        .stdin(Stdio::null())
        .output()
        .expect("the program was built")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_daemon_in_the_background_keeps_hadoops_pid_and_log_files() {
    let site = Site::new("background", 1, &[]);
    let status = |wanted: i32| {
        let got = daemon(&site, "status", "namenode");
        assert_eq!(got.status.code(), Some(wanted), "{}", text(&got.stdout));
    };
    status(3);
    // Not formatted: it ends, and the log's words are repeated.
    let failed = daemon(&site, "start", "namenode");
    assert_eq!(failed.status.code(), Some(1));
    let told = text(&failed.stderr);
    assert!(told.contains("hdfs namenode -format"), "{told}");
    status(3);
    assert!(site.hdfs(&["namenode", "-format", "-nonInteractive"]).status.success());
    let started = daemon(&site, "start", "namenode");
    assert!(started.status.success(), "{}", text(&started.stderr));
    status(0);
    let again = daemon(&site, "start", "namenode");
    assert_eq!(again.status.code(), Some(1));
    assert!(text(&again.stderr).starts_with("namenode is running as process "));
    let pid_file = site.dir.join("pid/hadoop-me-namenode.pid");
    let pid: u32 =
        std::fs::read_to_string(&pid_file).expect("it").trim().parse().expect("a number");
    assert!(Path::new(&format!("/proc/{pid}")).exists());
    let stopped = daemon(&site, "stop", "namenode");
    assert!(stopped.status.success(), "{}", text(&stopped.stderr));
    status(3);
    assert!(!pid_file.exists() && !Path::new(&format!("/proc/{pid}/exe")).exists());
    let logs = std::fs::read_dir(site.dir.join("log")).expect("the logs");
    let logs: Vec<_> = logs.map(|entry| entry.expect("a file").path()).collect();
    let log = logs.iter().find(|path| path.extension().is_some_and(|end| end == "log"));
    let log = std::fs::read_to_string(log.expect("a log")).expect("it is text");
    assert!(log.contains("STARTUP_MSG: Starting NameNode\n"), "{log}");
    assert!(log.contains("RECEIVED SIGNAL 15: SIGTERM"), "{log}");
    assert!(log.contains("SHUTDOWN_MSG: Shutting down NameNode at "), "{log}");
    // A file of a process that was killed counts for nothing.
    std::fs::write(&pid_file, "4194303\n").expect("the folder is there");
    status(1);
    assert!(daemon(&site, "start", "namenode").status.success());
    assert!(daemon(&site, "stop", "namenode").status.success());
}

#[test]
fn a_name_folder_that_comes_back_is_used_from_the_next_segment_on() {
    let dirs = std::env::temp_dir().join(format!("tusk-restore-dirs-{}", std::process::id()));
    let (one, two) = (dirs.join("one"), dirs.join("two"));
    let folders = format!("file://{},file://{}", one.display(), two.display());
    let site = Site::running("restore", 1, &[("dfs.namenode.name.dir", &folders)]);
    let run = |args: &[&str]| {
        let got = site.hdfs(args);
        assert!(got.status.success(), "{args:?}: {}", text(&got.stderr));
        text(&got.stdout)
    };
    // The folder goes, as when a disk is unmounted: the next segment can't be opened there.
    let away = dirs.join("away");
    std::fs::rename(&two, &away).expect("a rename");
    run(&["dfsadmin", "-rollEdits"]);
    std::fs::rename(&away, &two).expect("a rename");
    run(&["dfs", "-mkdir", "/without"]);
    assert_eq!(
        run(&["dfsadmin", "-restoreFailedStorage", "check"]),
        "restoreFailedStorage is set to false\n"
    );
    run(&["dfsadmin", "-rollEdits"]);
    let segments = |folder: &Path| -> Vec<String> {
        let entries = std::fs::read_dir(folder.join("current")).expect("a folder");
        let names = entries.map(|entry| entry.expect("a file").file_name());
        let mut names: Vec<_> = names.map(|name| name.to_string_lossy().into_owned()).collect();
        names.retain(|name| name.starts_with("edits_inprogress_"));
        names.sort();
        names
    };
    assert_ne!(segments(&one), segments(&two), "nobody allowed it yet");
    assert_eq!(
        run(&["dfsadmin", "-restoreFailedStorage", "true"]),
        "restoreFailedStorage is set to true\n"
    );
    run(&["dfsadmin", "-rollEdits"]);
    run(&["dfs", "-mkdir", "/with"]);
    let open: Vec<_> = segments(&two).into_iter().filter(|name| !name.contains('.')).collect();
    assert_eq!(open, segments(&one));
    drop(site);
    std::fs::remove_dir_all(&dirs).expect("the folders go");
}

#[test]
fn a_setting_changes_while_the_namenode_runs() {
    let site = Site::running("reconfig", 1, &[]);
    let namenode = format!("127.0.0.1:{}", site.namenode_port);
    let file = site.dir.join("conf/hdfs-site.xml");
    let property = "<property><name>dfs.namenode.fs-limits.max-directory-items</name><value>2</value></property>";
    let old = std::fs::read_to_string(&file).expect("the configuration");
    std::fs::write(&file, old.replace("</configuration>", &format!("{property}</configuration>")))
        .expect("written");
    let run = |args: &[&str]| {
        let got = site.hdfs(args);
        assert!(got.status.success(), "{args:?}: {}", text(&got.stderr));
        text(&got.stdout)
    };
    run(&["dfs", "-mkdir", "/a", "/b"]);
    run(&["dfsadmin", "-reconfig", "namenode", &namenode, "start"]);
    let mut told = String::new();
    while !told.contains("finished at") {
        told = run(&["dfsadmin", "-reconfig", "namenode", &namenode, "status"]);
    }
    assert!(
        told.ends_with(
            "SUCCESS: Changed property dfs.namenode.fs-limits.max-directory-items\n\tFrom: \"1048576\"\n\tTo: \"2\"\n"
        ),
        "{told}"
    );
    let refused = site.hdfs(&["dfs", "-mkdir", "/c"]);
    assert!(text(&refused.stderr).contains("limit=2 items=2"), "{}", text(&refused.stderr));
}
