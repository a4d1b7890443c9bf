//! The `hdfs` command.

fn main() {}
