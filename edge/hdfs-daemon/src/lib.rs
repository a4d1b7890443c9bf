//! The daemons: thin shells that decode requests, call the machines of `core/`, and perform what those decide.

pub mod datanode;
mod history;
pub mod httpfs;
pub mod minicluster;
pub mod namenode;
mod reconfiguration;
mod throttle;
mod webhdfs;
mod webui;
