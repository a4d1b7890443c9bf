//! Starting and stopping a NameNode.

use std::net::SocketAddr;
use std::sync::Arc;

use hdfs_conf::{Configuration, HostPort};
use hdfs_rt::host;
use hdfs_rt::rpc::server::{Server, ServerConf};
use hdfs_types::{Error, Result};
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::background;
use super::conf::{NameNodeConf, warn_of_ignored};
use super::edit_log::EditLog;
use super::hosts;
use super::progress::StartupProgress;
use super::reencryption;
use super::rpc::NameNodeService;
use super::shell::{Shell, now};
use super::start_option::StartOption;
use super::startup;
use super::trash_emptier;
use super::web::{self, WebServer};

/// A running NameNode. It stops when it is dropped, as after a kill; [`NameNodeHandle::stop`] ends its edit log first.
pub struct NameNodeHandle {
    shell: Arc<Shell>,
    servers: Vec<Server>,
    web: Option<WebServer>,
    tasks: Mutex<JoinSet<()>>,
    failure: watch::Receiver<Option<String>>,
    /// Runs what is not on a connection's task; ours unless the caller has one.
    runtime: Option<tokio::runtime::Runtime>,
}

/// Starts a NameNode: loads its folders, opens a segment of the edit log, serves. Blocks until it serves; inside of a tokio
/// runtime its background tasks run there, otherwise on a thread of their own.
///
/// # Errors
/// When a port is taken, a folder is missing, unreadable, in use or not formatted, or image or edits are damaged. The
/// message says what to do; nothing was lost.
pub fn start(conf: &Configuration) -> Result<NameNodeHandle> {
    start_with(conf, &StartOption::Regular)
}

/// The same, after the name folders became what `option` wants.
///
/// # Errors
/// As [`start`], and when the option does not fit the folders.
pub fn start_with(conf: &Configuration, option: &StartOption) -> Result<NameNodeHandle> {
    hdfs_rt::process::limit_free_memory();
    let settings = NameNodeConf::new(conf)?;
    warn_of_ignored(conf);
    let (runtime, handle) = runtime()?;
    // The ports first: a second NameNode must not touch the folders, and a long load must not end in an occupied port.
    let listener = bind_web(resolve(&settings.http_bind)?, &handle)?;
    for bind in settings.rpc_binds() {
        check_port(resolve(bind.1)?, bind.0)?;
    }
    let progress = Arc::new(StartupProgress::new());
    let loaded = startup::load(&settings, option, &progress)?;
    hdfs_rt::process::release_free_memory();
    hdfs_rt::process::join_free_memory_at_once();
    let (send, failure) = watch::channel(None);
    let dirs = loaded.images.dirs().clone();
    let layout = loaded.machine.effective_layout_version();
    let log = EditLog::start(dirs, loaded.last, layout, move |why| {
        send.send_replace(Some(why.to_owned()));
    })?;
    let shell = Arc::new(Shell::new(loaded.machine, log, loaded.images, settings, progress)?);
    let lists = hosts::read(&shell.conf.hosts)?;
    let ((), first) = shell.write_with(|nn| {
        nn.set_hosts(now(), lists);
        nn.open_segment();
    });
    shell.log.wait_synced(first)?;
    let servers = serve(&shell, conf).inspect_err(|_| shell.log.stop())?;
    *shell.rpc_limits.lock() = servers.iter().map(Server::limits).collect();
    let web = web::serve(listener, shell.clone(), &servers, &handle)?;
    let mut tasks = background::spawn(&shell, &handle);
    trash_emptier::spawn(&mut tasks, conf, servers[0].local_addr(), &handle)?;
    reencryption::spawn(&mut tasks, &shell, &handle)?;
    let tasks = Mutex::new(tasks);
    let handle = NameNodeHandle { shell, servers, web: Some(web), tasks, failure, runtime };
    tracing::info!("NameNode RPC up at: {}, web at: {}", handle.rpc_addr(), handle.http_addr());
    Ok(handle)
}

fn serve(shell: &Arc<Shell>, conf: &Configuration) -> Result<Vec<Server>> {
    let service = Arc::new(NameNodeService::new(shell.clone()));
    let start = |(key, bind): (&str, &HostPort)| {
        let mut server_conf = ServerConf::from_configuration(resolve(bind)?, conf)?;
        server_conf.authorizer = Some(shell.proxies.clone());
        Server::start(server_conf, vec![service.clone()]).map_err(|mut error| {
            error.message = format!("{key}: {}", error.message);
            error
        })
    };
    shell.conf.rpc_binds().map(start).collect()
}

impl NameNodeHandle {
    /// Where clients reach it.
    pub fn rpc_addr(&self) -> SocketAddr {
        self.servers[0].local_addr()
    }

    /// Where its web server is.
    pub fn http_addr(&self) -> SocketAddr {
        self.web.as_ref().map_or_else(|| SocketAddr::from(([0, 0, 0, 0], 0)), |web| web.local_addr)
    }

    #[cfg(test)]
    pub(crate) fn shell(&self) -> &Arc<Shell> {
        &self.shell
    }

    /// True while the namespace may not change.
    pub fn in_safe_mode(&self) -> bool {
        self.shell.read_machine().in_safe_mode()
    }

    /// DataNodes that heartbeat.
    pub fn live_datanodes(&self) -> usize {
        let stats = self.shell.read_machine().block_stats(now().mono);
        stats.live_datanodes as usize
    }

    /// Resolves, with the reason, when the NameNode can't go on: its edit log is lost. The process must end.
    pub async fn failed(&self) -> String {
        let mut failure = self.failure.clone();
        loop {
            if let Some(reason) = failure.borrow_and_update().clone() {
                return reason;
            }
            if failure.changed().await.is_err() {
                // The log was stopped on purpose.
                std::future::pending::<()>().await;
            }
        }
    }

    /// Stops serving, ends the segment of the edit log and lets the folders go.
    ///
    /// # Errors
    /// When the log can't be ended. Nothing is lost: the next start recovers the open segment.
    pub fn stop(mut self) -> Result<()> {
        for server in &self.servers {
            server.stop();
        }
        self.web = None;
        self.tasks.lock().abort_all();
        self.shell.close()
    }
}

impl Drop for NameNodeHandle {
    fn drop(&mut self) {
        for server in &self.servers {
            server.stop();
        }
        self.tasks.lock().abort_all();
        self.shell.log.stop();
        self.shell.images.dirs().unlock();
        if let Some(runtime) = self.runtime.take() {
            // Dropping it would wait, which no task of another runtime may.
            runtime.shutdown_background();
        }
    }
}

fn runtime() -> Result<(Option<tokio::runtime::Runtime>, tokio::runtime::Handle)> {
    if let Ok(handle) = tokio::runtime::Handle::try_current() {
        return Ok((None, handle));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("namenode")
        .enable_all()
        .build()
        .map_err(|e| Error::io(format!("Cannot start the threads of the NameNode: {e}")))?;
    let handle = runtime.handle().clone();
    Ok((Some(runtime), handle))
}

/// Takes the port of the web server. As [`hdfs_rt::http::bind`], for a caller that can't wait.
fn bind_web(
    address: SocketAddr,
    runtime: &tokio::runtime::Handle,
) -> Result<tokio::net::TcpListener> {
    let bound = std::net::TcpListener::bind(address).and_then(|listener| {
        listener.set_nonblocking(true)?;
        let _inside = runtime.enter();
        tokio::net::TcpListener::from_std(listener)
    });
    bound.map_err(|error| {
        let text = format!(
            "Port in use or not available: {address} (dfs.namenode.http-address; {error}); configure another address or \
             stop the process that listens there"
        );
        Error::io(text).with_source(error)
    })
}

/// Finds out early that a port is taken; the server binds it later.
fn check_port(address: SocketAddr, key: &str) -> Result<()> {
    match std::net::TcpListener::bind(address) {
        Ok(_) => Ok(()),
        Err(error) => {
            let text = format!(
                "Port in use or not available: {address} ({key}; {error}); configure another address or stop the \
                 process that listens there"
            );
            Err(Error::io(text).with_source(error))
        }
    }
}

fn resolve(address: &HostPort) -> Result<SocketAddr> {
    let found = host::resolve(&address.host, address.port);
    found.ok().and_then(|all| all.first().copied()).ok_or_else(|| {
        Error::new(
            hdfs_types::ErrorKind::UnknownHost,
            format!(
                "{address} does not resolve; check dfs.namenode.rpc-address, dfs.namenode.http-address and fs.defaultFS"
            ),
        )
    })
}
