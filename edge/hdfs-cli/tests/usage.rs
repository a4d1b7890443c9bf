//! What the command says without a cluster: usage, help, wrong options and arguments, local files.
//!
//! A case is a command line and what it must print: exit status, standard output, standard error. The texts are those of
//! Apache Hadoop 3.5.0 for the same line.

use std::process::{Command, Output};

/// The line, the exit status, what standard output is or starts with, what standard error is or starts with.
type Case = (&'static str, i32, &'static str, &'static str);

const USAGE_PREFIX: &str = "Usage: hadoop fs [generic options]";

/// Ends with "…" where only the start counts.
const CASES: &[Case] = &[
    (
        "dfs -ls -Z /",
        255,
        "",
        "-ls: Illegal option -Z\nUsage: hadoop fs [generic options]\n\t[-appendToFile…",
    ),
    ("namenode -h", 0, "Usage: hdfs namenode [-regular] | \n…", ""),
    (
        "datanode --help",
        0,
        "Usage: hdfs datanode [-regular | -rollback | -rollingupgrade rollback ]\n…",
        "",
    ),
    ("dfs -nosuch", 255, "", "-nosuch: Unknown command\nUsage: hadoop fs…"),
    (
        "dfs ls /",
        255,
        "",
        "ls: Unknown command\nDid you mean -ls?  This command begins with a dash.\nUsage…",
    ),
    ("dfs -mkdir", 255, "", "-mkdir: Not enough arguments: expected 1 but got 0\nUsage…"),
    ("dfs -head a b", 255, "", "-head: Too many arguments: expected 1 but got 2\nUsage…"),
    (
        "dfs -setrep x f",
        255,
        "",
        "setrep: Illegal replication, a positive integer expected\n-setrep: For input string: \"x\"\nUsage…",
    ),
    ("dfs -setrep 0 f", 255, "", "-setrep: replication must be >= 1\nUsage…"),
    ("dfs -truncate -5 f", 255, "", "-truncate: Illegal option -5\nUsage…"),
    (
        "dfs -truncate z f",
        255,
        "",
        "truncate: Illegal length, a non-negative integer expected\n-truncate: For input string: \"z\"\nUsage…",
    ),
    (
        "dfs -chmod xyz f",
        255,
        "",
        "-chmod: chmod : mode 'xyz' does not match the expected pattern.\nUsage…",
    ),
    ("dfs -chown : f", 255, "", "-chown: ':' does not specify owner or group.\nUsage…"),
    (
        "dfs -chown b*b f",
        255,
        "",
        "-chown: 'b*b' does not match expected pattern for [owner][:group].\nUsage…",
    ),
    (
        "dfs -chgrp a:b f",
        255,
        "",
        "-chgrp: 'a:b' does not match expected pattern for group\nUsage…",
    ),
    ("dfs -test f", 255, "", "-test: No test flag given\nUsage…"),
    ("dfs -test -e -d f", 255, "", "-test: Only one test flag is allowed\nUsage…"),
    ("dfs -moveToLocal a b", 1, "", "moveToLocal: Option '-moveToLocal' is not implemented yet.\n"),
    ("dfs -moveFromLocal -t 3 a b", 255, "", "-moveFromLocal: Illegal option -t\nUsage…"),
    ("dfs -appendToFile a", 1, "", "appendToFile: missing destination argument\n"),
    (
        "dfs -concat",
        1,
        "",
        "concat: Target path not specified. <target path> <src path> <src path> ...\n",
    ),
    ("dfs -ls foo:///x", 1, "", "ls: No FileSystem for scheme \"foo\"\n"),
    (
        "dfs -ls foo:bar",
        255,
        "",
        "-ls: java.net.URISyntaxException: Relative path in absolute URI: foo:bar\nUsage…",
    ),
    (
        "dfs -ls file:///no/such/path",
        1,
        "",
        "ls: `file:///no/such/path': No such file or directory\n",
    ),
    ("dfs -cat file:///", 1, "", "cat: `file:///': Is a directory\n"),
    ("dfs -test -e file:///no/such/path", 1, "", ""),
    ("dfs -usage cat", 0, "Usage: hadoop fs [generic options] -cat [-ignoreCrc] <src> ...\n", ""),
    ("dfs -usage nosuch", 255, "", "-usage: `nosuch': Unknown command\nUsage…"),
    (
        "dfs -help touchz",
        0,
        "-touchz <path> ... :\n  Creates a file of zero length at <path> with current time as the timestamp of\n…",
        "",
    ),
    ("dfs -help rmr", 0, "-rmr :\n  (DEPRECATED) Same as '-rm -r'\n", ""),
    ("dfs -conf", 255, "", "dfs: options parsing failed: Missing argument for option: conf\n"),
    ("dfs -conf /no/such.xml -ls /", 1, "", "dfs: configuration file /no/such.xml not found\n"),
    ("--config /no/such dfs -ls /", 1, "", "dfs: /no/such is no configuration folder\n"),
    ("getconf -confKey no.such.key", 255, "", "Configuration no.such.key is missing.\n"),
    ("getconf -D dfs.block.size=1k -confKey dfs.blocksize", 0, "1k\n", ""),
    ("getconf -confKey", 255, "", "usage: -confKey [key]\n"),
    (
        "dfsadmin -nosuch",
        255,
        "",
        "nosuch: Unknown command\nUsage: hdfs dfsadmin\nNote: Administrative…",
    ),
    (
        "dfsadmin -safemode",
        255,
        "",
        "Usage: hdfs dfsadmin [-safemode enter | leave | get | wait | forceExit]\n",
    ),
    (
        "dfsadmin -fetchImage x",
        255,
        "",
        "fetchImage: FileSystem file:/// is not an HDFS file system. The fs class is: \
         org.apache.hadoop.fs.LocalFileSystem\nUsage: hdfs dfsadmin [-fetchImage <local directory>]\n",
    ),
    (
        "dfsadmin -reconfig datanode here status",
        255,
        "",
        "reconfig: Does not contain a valid host:port authority: here\nUsage: hdfs dfsadmin [-reconfig \
         <namenode|datanode> <host:ipc_port|livenodes|decomnodes> <start|status|properties>]\n",
    ),
    ("dfsadmin -triggerBlockReport -incremental", 1, "", "You must specify a host:port pair.\n"),
    ("dfsadmin -help rollEdits", 0, "-rollEdits:\tRolls the edit log.\n\n", ""),
    (
        "oev -i x.xml -o y",
        255,
        "",
        "XML format input file is not allowed to be processed by XML processor.\n",
    ),
    (
        "oev -i x",
        255,
        "Error parsing command-line options: Missing required option: o\nUsage: bin/hdfs oev…",
        "",
    ),
    ("oiv -i x -p Nothing", 255, "Usage: bin/hdfs oiv…", "Invalid processor specified : Nothing\n"),
    ("nosuch", 1, "", "ERROR: nosuch is not COMMAND nor fully qualified CLASSNAME.\nUsage: hdfs…"),
    ("balancer", 1, "", "ERROR: balancer is not supported yet (it comes with balancing).\n"),
    ("version", 0, "Hadoop 3.5.0\nTusk 0…", ""),
];

fn run(line: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hdfs"));
    command.args(line.split_whitespace()).env_remove("HADOOP_CONF_DIR").env_remove("HADOOP_HOME");
    command.output().expect("the program starts")
}

fn fits(text: &str, expected: &str) -> bool {
    match expected.strip_suffix('…') {
        Some(start) => text.starts_with(start),
        None => text == expected,
    }
}

#[test]
fn wrong_lines_are_answered_as_hadoop_answers_them() {
    let mut wrong = Vec::new();
    for (line, status, out, err) in CASES {
        let output = run(line);
        let (stdout, stderr) =
            (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        if output.status.code() != Some(*status) || !fits(&stdout, out) || !fits(&stderr, err) {
            let code = output.status.code();
            wrong.push(format!(
                "hdfs {line}\nexit {code:?}\nstdout {stdout:.300}\nstderr {stderr:.300}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {} lines\n{}", wrong.len(), CASES.len(), wrong.join("\n\n"));
}

#[test]
fn a_wrong_option_shows_the_usage_of_every_command_and_then_of_this_one() {
    let output = run("dfs -rm -Q x");
    let stderr = String::from_utf8_lossy(&output.stderr);
    let last = format!("{USAGE_PREFIX} -rm [-f] [-r|-R] [-skipTrash] [-safely] <src> ...");
    assert_eq!(stderr.lines().last(), Some(last.as_str()));
    assert_eq!(stderr.lines().filter(|line| line.starts_with("\t[-")).count(), 43);
    assert!(stderr.contains("\nGeneric options supported are:\n"));
}

#[test]
fn help_without_a_command_is_aligned() {
    let output = run("--help");
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(stdout.starts_with("Usage: hdfs [OPTIONS] SUBCOMMAND [SUBCOMMAND OPTIONS]\n"));
    assert!(stdout.contains("\ndfs                     run a file-system command\n"));
    assert_eq!(run("").status.code(), Some(1));
}

#[test]
fn a_file_goes_to_the_trash_and_the_trash_is_emptied() {
    let home = std::env::temp_dir().join(format!("tusk-trash-{}", std::process::id()));
    std::fs::create_dir_all(home.join("a")).expect("a folder");
    std::fs::write(home.join("a/f"), "hello").expect("a file");
    let run = |line: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hdfs"));
        command.args(line.split_whitespace()).env_remove("HADOOP_CONF_DIR").env("HOME", &home);
        command.output().expect("the program starts")
    };
    let removed = run(&format!("dfs -D fs.trash.interval=10 -rm file://{}/a/f", home.display()));
    let trashed = home.join(format!(".Trash/Current{}/a/f", home.display()));
    let found = std::fs::read_to_string(&trashed);
    let kept = run("dfs -D fs.trash.interval=10 -expunge");
    let checkpoints = std::fs::read_dir(home.join(".Trash")).expect("the trash").count();
    let emptied = run("dfs -expunge -immediate");
    let left = std::fs::read_dir(home.join(".Trash")).expect("the trash").count();
    std::fs::remove_dir_all(&home).expect("the folder goes");
    assert!(removed.status.success() && removed.stdout.is_empty());
    assert_eq!(found.ok().as_deref(), Some("hello"));
    assert!(kept.status.success() && emptied.status.success());
    assert_eq!((checkpoints, left), (1, 0));
}

#[test]
fn files_are_copied_between_local_folders() {
    let dir = std::env::temp_dir().join(format!("tusk-usage-{}", std::process::id()));
    std::fs::create_dir_all(dir.join("a/b")).expect("a folder");
    std::fs::write(dir.join("a/b/f"), "hello").expect("a file");
    let (from, to) = (format!("file://{}/a", dir.display()), format!("file://{}/c", dir.display()));
    let copied = run(&format!("dfs -cp {from} {to}"));
    let shown = run(&format!("dfs -cat {to}/b/f"));
    let again = run(&format!("dfs -cp {from} {from}/b"));
    std::fs::remove_dir_all(&dir).expect("the folder goes");
    assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
    assert_eq!(shown.stdout, b"hello");
    let expected = format!("cp: `{from}' to `{from}/b/a': is a subdirectory of itself\n");
    assert_eq!(String::from_utf8_lossy(&again.stderr), expected);
}
