//! The `hdfs` command: every role and every tool of HDFS in one program.
//!
//! `hdfs COMMAND …` finds the command in the table of [`commands`]; called under the name `hadoop` it is Hadoop's other
//! script (`hadoop fs …`). Options before and after the command are read here once, commands get a configuration.

mod admin_tool;
mod bench;
mod cacheadmin;
mod commands;
mod completion;
mod crypto;
mod daemons;
mod debug;
mod dfsadmin;
mod doctor;
mod ec;
mod environment;
mod fetchdt;
mod fsck;
mod generic;
mod getconf;
mod groups;
mod haadmin;
mod host_names;
mod jmxget;
mod key;
mod launcher;
mod offline;
mod output;
mod shell;
mod snapshot;
mod snapshots;
mod storagepolicies;
mod table_listing;
mod version;

use std::process::ExitCode;

fn main() -> ExitCode {
    // HTTP clients find their cryptography here. Nobody has chosen one before.
    #[cfg(feature = "s3a")]
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut args = std::env::args_os().map(|arg| arg.to_string_lossy().into_owned());
    let program = args.next().unwrap_or_default();
    let name = program.rsplit('/').next().unwrap_or_default();
    let status = commands::run(name, args.collect());
    // A status beyond one byte would be cut by the system; there is none.
    ExitCode::from(u8::try_from(status).unwrap_or(u8::MAX))
}
