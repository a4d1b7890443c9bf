//! Telling the service manager how a daemon is: the datagrams of systemd's `sd_notify`.
//!
//! Only the `NOTIFY_SOCKET` of the environment decides; without it nothing is sent. `hdfs --daemon start` listens on such
//! a socket, too.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// The daemon serves.
pub const READY: &str = "READY=1";
/// The daemon ends.
pub const STOPPING: &str = "STOPPING=1";

/// Sends a state, with a line for people. A manager that does not listen is none of the daemon's business: a failure is
/// logged and no more. `hdfs --daemon start` listens for the first state only.
pub fn notify(state: &str, status: &str) {
    let Some(socket) = std::env::var_os("NOTIFY_SOCKET") else { return };
    let socket = socket.to_string_lossy();
    if let Err(error) = send(&socket, &format!("{state}\nSTATUS={status}\nMAINPID={}\n", pid())) {
        match state {
            READY => tracing::warn!("tell the service manager at {socket}: {error}"),
            _ => tracing::debug!("tell the service manager at {socket}: {error}"),
        }
    }
}

fn pid() -> u32 {
    std::process::id()
}

fn send(socket: &str, message: &str) -> std::io::Result<()> {
    let address = match socket.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(socket)?,
    };
    let sender = UnixDatagram::unbound()?;
    sender.send_to_addr(message.as_bytes(), &address)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_arrives_at_a_socket_with_or_without_a_file() {
        let path = std::env::temp_dir().join(format!("tusk-notify-{}", std::process::id()));
        let name = format!("tusk-notify-{}", std::process::id());
        let file = UnixDatagram::bind(&path).expect("a socket");
        let address = SocketAddr::from_abstract_name(&name).expect("a name");
        let unnamed = UnixDatagram::bind_addr(&address).expect("a socket");
        for (socket, address) in [(file, path.display().to_string()), (unnamed, format!("@{name}"))]
        {
            send(&address, "READY=1\n").expect("somebody listens");
            let mut bytes = [0; 100];
            let length = socket.recv(&mut bytes).expect("it was sent");
            assert_eq!(&bytes[..length], b"READY=1\n");
        }
        std::fs::remove_file(&path).expect("the socket goes");
        assert!(send("/nowhere/at/all", "READY=1").is_err());
    }
}
