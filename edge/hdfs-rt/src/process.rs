//! What the system knows about this process and this machine: memory, threads, processor time, files.
//!
//! Read from `/proc` when asked; a value that can't be read is zero, and its file is named in the log at debug level.

use std::fs;
use std::sync::OnceLock;
use std::time::Duration;

use rustix::param::{clock_ticks_per_second, page_size};
use rustix::process::{Resource, getrlimit};

use crate::clock;

/// Gives memory that was freed back to the system: after work that needed much of it for a while. The allocator keeps it
/// for each thread that ever asked for memory, and would leave it resident.
pub fn release_free_memory() {
    crate::os::trim_heap();
}

/// From here on the allocator keeps at most 2 MiB of free memory for each of its heaps, and buffers of 1 MiB and more go
/// back to the system when they are freed.
pub fn limit_free_memory() {
    crate::os::limit_free_heap(1 << 20, 2 << 20);
}

/// From here on no call pays for the free memory that others left behind: for when calls are answered, since it makes
/// frees a little slower.
pub fn join_free_memory_at_once() {
    crate::os::join_free_heap_at_once();
}

/// Numbers of this process.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct ProcessStats {
    /// Bytes in memory.
    pub resident_bytes: u64,
    /// Bytes of address space.
    pub virtual_bytes: u64,
    /// Processor time, user and system.
    pub cpu: Duration,
    /// Threads.
    pub threads: u64,
    /// Files that are open.
    pub open_files: u64,
    /// Files that may be open.
    pub max_files: u64,
    /// Faults that read from disk.
    pub major_faults: u64,
}

impl ProcessStats {
    /// As of now.
    pub fn read() -> Self {
        let stat = read("/proc/self/stat");
        // The second field is a name in parentheses, which may hold spaces: count from its end.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
        let number = |index: usize| fields.get(index).and_then(|field| field.parse().ok());
        let field = |index: usize| number(index).unwrap_or(0_u64);
        let ticks = field(11) + field(12);
        Self {
            resident_bytes: field(21) * page_size() as u64,
            virtual_bytes: field(20),
            cpu: Duration::from_millis(ticks * 1_000 / clock_ticks_per_second().max(1)),
            threads: field(17),
            open_files: fs::read_dir("/proc/self/fd").map_or(0, |list| list.count() as u64),
            max_files: getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX),
            major_faults: field(9),
        }
    }
}

/// Numbers of the machine.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct MachineStats {
    /// Bytes of memory.
    pub memory_bytes: u64,
    /// Those of them that nothing uses.
    pub free_memory_bytes: u64,
    /// Bytes of swap space.
    pub swap_bytes: u64,
    /// Those of them that nothing uses.
    pub free_swap_bytes: u64,
    /// Runnable threads, on average over a minute.
    pub load_average: f64,
    /// Processors this process may use.
    pub processors: u64,
}

impl MachineStats {
    /// As of now.
    pub fn read() -> Self {
        let memory = read("/proc/meminfo");
        let kibibytes = |name: &str| {
            let line = memory.lines().find_map(|line| line.strip_prefix(name));
            let number =
                line.and_then(|rest| rest.trim_start_matches(':').split_whitespace().next());
            number.and_then(|text| text.parse::<u64>().ok()).unwrap_or(0) * 1_024
        };
        let load = read("/proc/loadavg");
        Self {
            memory_bytes: kibibytes("MemTotal"),
            free_memory_bytes: kibibytes("MemFree"),
            swap_bytes: kibibytes("SwapTotal"),
            free_swap_bytes: kibibytes("SwapFree"),
            load_average: load.split(' ').next().and_then(|text| text.parse().ok()).unwrap_or(0.0),
            processors: std::thread::available_parallelism().map_or(1, |count| count.get() as u64),
        }
    }
}

/// When the process began, in milliseconds since 1970.
pub fn started_millis() -> u64 {
    static STARTED: OnceLock<u64> = OnceLock::new();
    *STARTED.get_or_init(|| {
        let now = clock::wall().0;
        let stat = read("/proc/self/stat");
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
        let ticks = fields.get(19).and_then(|field| field.parse::<u64>().ok());
        let uptime = read("/proc/uptime");
        let uptime = uptime.split(' ').next().and_then(|text| text.parse::<f64>().ok());
        match (ticks, uptime) {
            (Some(ticks), Some(uptime)) => {
                let began = ticks as f64 / clock_ticks_per_second().max(1) as f64;
                now.saturating_sub(((uptime - began).max(0.0) * 1_000.0) as u64)
            }
            _ => now,
        }
    })
}

/// Milliseconds since the process began.
pub fn uptime_millis() -> u64 {
    clock::wall().0.saturating_sub(started_millis())
}

/// One thread of this process.
#[derive(Clone, PartialEq, Debug)]
pub struct ThreadStats {
    /// The kernel's number.
    pub id: u64,
    /// Its name, at most 15 bytes.
    pub name: String,
    /// `R` runs or could, `S` sleeps, `D` waits for a disk, and others.
    pub state: char,
    /// Where it sleeps in the kernel, when the kernel tells.
    pub waits_in: Option<String>,
    /// Processor time in user mode.
    pub user: Duration,
    /// Processor time in the kernel.
    pub system: Duration,
    /// How often it slept.
    pub voluntary_switches: u64,
    /// How often it was interrupted.
    pub involuntary_switches: u64,
}

/// Every thread of this process, by number.
pub fn threads() -> Vec<ThreadStats> {
    let Ok(tasks) = fs::read_dir("/proc/self/task") else { return Vec::new() };
    let ids = tasks.filter_map(|task| task.ok()?.file_name().to_str()?.parse().ok());
    let mut threads: Vec<ThreadStats> = ids.filter_map(thread).collect();
    threads.sort_by_key(|thread| thread.id);
    threads
}

/// `None` when it has ended.
fn thread(id: u64) -> Option<ThreadStats> {
    let base = format!("/proc/self/task/{id}");
    let stat = fs::read_to_string(format!("{base}/stat")).ok()?;
    let (head, tail) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = tail.split_whitespace().collect();
    let ticks = |index: usize| {
        let ticks = fields.get(index).and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
        Duration::from_millis(ticks * 1_000 / clock_ticks_per_second().max(1))
    };
    let status = read(&format!("{base}/status"));
    let switches = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|rest| rest.trim().parse().ok()).unwrap_or(0)
    };
    let waits_in = fs::read_to_string(format!("{base}/wchan")).ok();
    Some(ThreadStats {
        id,
        name: head.split_once('(').map_or("", |(_, name)| name).to_owned(),
        state: fields.first().and_then(|field| field.chars().next()).unwrap_or('?'),
        waits_in: waits_in.filter(|place| !place.is_empty() && place != "0"),
        user: ticks(11),
        system: ticks(12),
        voluntary_switches: switches("voluntary_ctxt_switches:"),
        involuntary_switches: switches("nonvoluntary_ctxt_switches:"),
    })
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| {
        tracing::debug!("read {path}: {error}");
        String::new()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_seen() {
        let stats = ProcessStats::read();
        assert!(stats.resident_bytes > 100_000 && stats.virtual_bytes >= stats.resident_bytes);
        assert!(stats.threads >= 1 && stats.open_files >= 3 && stats.max_files >= stats.open_files);
        assert!(started_millis() <= clock::wall().0 && uptime_millis() < 86_400_000);
        let machine = MachineStats::read();
        assert!(machine.memory_bytes > stats.resident_bytes && machine.processors >= 1);
        let threads = threads();
        assert!(threads.iter().any(|thread| thread.state == 'R' && !thread.name.is_empty()));
    }
}
