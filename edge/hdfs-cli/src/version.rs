//! `hdfs version`.

use crate::output::say;

/// The release of Apache Hadoop whose protocols and formats this program speaks.
pub(crate) const HADOOP: &str = "3.5.0";

/// Prints the versions. The first line is what scripts parse.
pub(crate) fn print() -> i32 {
    say!("Hadoop {HADOOP}");
    say!("Tusk {}", env!("CARGO_PKG_VERSION"));
    say!("Wire: IPC 9, DataTransfer 28. Disk: NameNode layout -67, DataNode layout -57.");
    say!("This command was run using {}", program());
    0
}

fn program() -> String {
    std::env::current_exe().map_or_else(|_| "hdfs".into(), |path| path.display().to_string())
}
