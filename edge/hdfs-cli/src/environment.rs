//! `hdfs classpath` and `hdfs envvars`: what programs that start Hadoop's own ask for.

use std::path::PathBuf;

use hdfs_conf::Configuration;

use crate::output::{complain, say};

pub(crate) const CLASSPATH_USAGE: &str = "\
Usage: hdfs classpath [--glob|--jar <path>|-h|--help]
Prints the class path that a JVM would need. There is none: this program is not Java, so the line is empty.
  --glob       the same, with wildcards expanded
  --jar PATH   not supported: there is nothing to put into a jar";

/// Runs `hdfs classpath ARGS…`; the exit status.
pub(crate) fn classpath(args: &[String]) -> i32 {
    match args {
        [] => say!(""),
        [option] if option == "--glob" => say!(""),
        [option] if matches!(option.as_str(), "-h" | "--help") => say!("{CLASSPATH_USAGE}"),
        [option, ..] if option == "--jar" => {
            complain!("classpath: --jar: there is no class path here that a jar could name");
            return 1;
        }
        [option, ..] => {
            complain!("classpath: unrecognized option: {option}");
            return 1;
        }
    }
    0
}

/// Runs `hdfs envvars`; the exit status.
pub(crate) fn envvars(_: &Configuration) -> i32 {
    let of = |name: &str| std::env::var(name).unwrap_or_default();
    let home = match of("HADOOP_HDFS_HOME") {
        home if !home.is_empty() => home,
        _ => match of("HADOOP_HOME") {
            home if !home.is_empty() => home,
            _ => own_home().map_or_else(String::new, |home| home.display().to_string()),
        },
    };
    let conf = hdfs_rt::conf_files::configuration_directories().join(":");
    for (name, value) in [
        ("JAVA_HOME", of("JAVA_HOME")),
        ("HADOOP_HDFS_HOME", home),
        ("HDFS_DIR", String::new()),
        ("HDFS_LIB_JARS_DIR", String::new()),
        ("HADOOP_CONF_DIR", conf),
        ("HADOOP_TOOLS_HOME", of("HADOOP_TOOLS_HOME")),
        ("HADOOP_TOOLS_DIR", of("HADOOP_TOOLS_DIR")),
        ("HADOOP_TOOLS_LIB_JARS_DIR", of("HADOOP_TOOLS_LIB_JARS_DIR")),
    ] {
        say!("{name}='{value}'");
    }
    0
}

/// The folder above the `bin` that holds this program.
fn own_home() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let folder = program.parent()?;
    let home = if folder.ends_with("bin") { folder.parent()? } else { folder };
    Some(home.to_owned())
}
