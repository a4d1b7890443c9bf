//! What processes cost: CPU time and memory, of this one and of the servers (`--server-pids`).

use std::time::Duration;

/// CPU time and memory of a server at one moment.
#[derive(Clone, Debug)]
struct Usage {
    cpu: Duration,
    resident_bytes: u64,
}

/// A server that is watched.
#[derive(Clone, Debug)]
pub(super) struct Server {
    pid: u32,
    before: Usage,
}

/// What a server used for the work between two moments.
#[derive(Clone, Debug)]
pub(super) struct ServerUse {
    pub pid: u32,
    pub cpu: Duration,
    /// At the end.
    pub resident_bytes: u64,
}

/// Remembers what the servers have used so far.
///
/// # Errors
/// A text, when one of them does not run here.
pub(super) fn watch(pids: &[u32]) -> Result<Vec<Server>, String> {
    pids.iter().map(|&pid| Ok(Server { pid, before: usage(pid)? })).collect()
}

/// What they have used since.
///
/// # Errors
/// As [`watch`]: a server died.
pub(super) fn used(servers: &[Server]) -> Result<Vec<ServerUse>, String> {
    servers
        .iter()
        .map(|server| {
            let now = usage(server.pid)?;
            Ok(ServerUse {
                pid: server.pid,
                cpu: now.cpu.saturating_sub(server.before.cpu),
                resident_bytes: now.resident_bytes,
            })
        })
        .collect()
}

/// CPU time of this process, to the nanosecond.
pub(super) fn own_cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

fn usage(pid: u32) -> Result<Usage, String> {
    let read = |file: &str| {
        let path = format!("/proc/{pid}/{file}");
        std::fs::read_to_string(&path).map_err(|error| {
            format!("--server-pids: {path}: {error}; the server must run on this machine")
        })
    };
    let odd = || format!("--server-pids: /proc/{pid} has an unknown form");
    Ok(Usage {
        cpu: cpu_of(&read("stat")?).ok_or_else(odd)?,
        resident_bytes: resident_of(&read("status")?).ok_or_else(odd)?,
    })
}

/// Time in user and in kernel mode of all threads: fields 14 and 15; the name in field 2 may hold blanks.
fn cpu_of(stat: &str) -> Option<Duration> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    let ticks_per_second = rustix::param::clock_ticks_per_second();
    Some(Duration::from_secs_f64((user + system) as f64 / ticks_per_second as f64))
}

fn resident_of(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_blanks_and_brackets_does_not_shift_the_fields() {
        let stat = "7 (a ) (b) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0 8 0 100";
        assert_eq!(cpu_of(stat), Some(Duration::from_secs(3)));
        assert_eq!(resident_of("Name:\tx\nVmRSS:\t  2048 kB\n"), Some(2 << 20));
    }

    #[test]
    fn this_process_is_seen_to_work_and_a_missing_one_is_an_error() {
        let server = watch(&[std::process::id()]).expect("it runs");
        let start = own_cpu();
        while own_cpu() - start < Duration::from_millis(50) {}
        let used = used(&server).expect("it still runs");
        assert!(used[0].cpu >= Duration::from_millis(30), "{used:?}");
        assert!(used[0].resident_bytes > 1 << 20);
        assert!(watch(&[u32::MAX]).expect_err("none").contains("/proc/4294967295"));
    }
}
