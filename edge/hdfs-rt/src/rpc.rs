//! Hadoop IPC version 9 on TCP: the server that daemons embed and the client that everything else calls them with.

pub mod client;
pub mod server;
