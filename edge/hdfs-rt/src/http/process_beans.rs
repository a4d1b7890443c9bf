//! The beans that every daemon has: `java.lang:*`, as far as a process without a JVM has such numbers, and those of
//! Hadoop's common sources.
//!
//! The resident memory stands for the heap, since that is what readers of these beans watch. What only a JVM has
//! (collectors, class loading, compilation, pools of its memory) is left out; there is no collector, so the counts of
//! collections are true zeros.
//!
//! Hadoop: org.apache.hadoop.metrics2.source.JvmMetrics, org.apache.hadoop.security.UserGroupInformation.UgiMetrics (3.5.0)

use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Bean;
use super::statistics::HttpStatistics;
use crate::host::host_name;
use crate::metrics::{Averages, Histogram};
use crate::process::{self, MachineStats, ProcessStats};
use crate::users;

/// What makes these beans.
#[derive(Debug)]
pub struct ProcessBeans {
    service: &'static str,
    averages: Averages,
    /// Time that making all beans of the daemon took.
    snapshots: Histogram,
    load: Mutex<Load>,
}

/// Processor time used until a moment, to tell the share of what came after.
#[derive(Debug)]
struct Load {
    at: Instant,
    cpu: Duration,
    share: f64,
}

const MIB: f64 = 1_048_576.0;

impl ProcessBeans {
    /// Of this daemon: `NameNode` or `DataNode`.
    pub fn new(service: &'static str) -> Self {
        let load = Load { at: Instant::now(), cpu: ProcessStats::read().cpu, share: 0.0 };
        let (averages, snapshots) = (Averages::default(), Histogram::default());
        Self { service, averages, snapshots, load: Mutex::new(load) }
    }

    /// The averages of this daemon's rates.
    pub fn averages(&self) -> &Averages {
        &self.averages
    }

    /// Adds the beans of the process to those of the daemon, which `daemon` makes.
    pub fn with(&self, http: &HttpStatistics, daemon: impl FnOnce() -> Vec<Bean>) -> Vec<Bean> {
        let timing = self.snapshots.time();
        let mut beans = daemon();
        let stats = ProcessStats::read();
        let machine = MachineStats::read();
        beans.extend([
            self.jvm(&stats, &machine),
            self.ugi(),
            http.bean(self.service),
            runtime(),
            memory(&stats),
            threading(&stats),
            self.operating_system(&stats, &machine),
        ]);
        drop(timing);
        let is_source =
            |bean: &&Bean| bean.attributes.iter().any(|(name, _)| name == "tag.Context");
        let sources = beans.iter().filter(is_source).count();
        beans.push(self.system_stats(sources));
        beans.push(Bean::new(
            format!("Hadoop:service={},name=MetricsSystem,sub=Control", self.service),
            "org.apache.hadoop.metrics2.impl.MetricsSystemImpl",
        ));
        beans
    }

    fn jvm(&self, stats: &ProcessStats, machine: &MachineStats) -> Bean {
        let resident = stats.resident_bytes as f64 / MIB;
        let most = machine.memory_bytes as f64 / MIB;
        let states: Vec<char> = process::threads().iter().map(|thread| thread.state).collect();
        let count = |wanted: char| states.iter().filter(|state| **state == wanted).count();
        Bean::new(format!("Hadoop:service={},name=JvmMetrics", self.service), "JvmMetrics")
            .with("tag.Context", "jvm")
            .with("tag.ProcessName", self.service)
            .with("tag.SessionId", Value::Null)
            .with("tag.Hostname", host_name())
            .with("MemNonHeapUsedM", 0.0)
            .with("MemNonHeapCommittedM", 0.0)
            .with("MemNonHeapMaxM", -1.0)
            .with("MemHeapUsedM", resident)
            .with("MemHeapCommittedM", resident)
            .with("MemHeapMaxM", most)
            .with("MemMaxM", most)
            .with("GcCount", 0)
            .with("GcTimeMillis", 0)
            .with("GcNumWarnThresholdExceeded", 0)
            .with("GcNumInfoThresholdExceeded", 0)
            .with("GcTimePercentage", 0)
            .with("ThreadsNew", 0)
            .with("ThreadsRunnable", count('R'))
            .with("ThreadsBlocked", count('D'))
            .with("ThreadsWaiting", count('S'))
            .with("ThreadsTerminated", count('Z'))
    }

    fn ugi(&self) -> Bean {
        let groups = users::lookups().snapshot();
        Bean::new(format!("Hadoop:service={},name=UgiMetrics", self.service), "UgiMetrics")
            .with("tag.Context", "ugi")
            .with("tag.Hostname", host_name())
            .with("GetGroupsNumOps", groups.count)
            .with("GetGroupsAvgTime", self.averages.millis("GetGroups", &groups))
            // Logins are Kerberos's.
            .with("LoginFailureNumOps", 0)
            .with("LoginFailureAvgTime", 0.0)
            .with("LoginSuccessNumOps", 0)
            .with("LoginSuccessAvgTime", 0.0)
            .with("RenewalFailures", 0)
            .with("RenewalFailuresTotal", 0)
    }

    fn system_stats(&self, sources: usize) -> Bean {
        let name = "MetricsSystem,sub=Stats";
        let snapshots = self.snapshots.snapshot();
        Bean::new(format!("Hadoop:service={},name={name}", self.service), name)
            .with("tag.Context", "metricssystem")
            .with("tag.Hostname", host_name())
            .with("NumActiveSources", sources)
            .with("NumAllSources", sources)
            // Nothing is pushed anywhere: readers ask.
            .with("NumActiveSinks", 0)
            .with("NumAllSinks", 0)
            .with("DroppedPubAll", 0)
            .with("PublishNumOps", 0)
            .with("PublishAvgTime", 0.0)
            .with("SnapshotNumOps", snapshots.count)
            .with("SnapshotAvgTime", self.averages.millis("Snapshot", &snapshots))
    }

    fn operating_system(&self, stats: &ProcessStats, machine: &MachineStats) -> Bean {
        let system = rustix::system::uname();
        Bean::new("java.lang:type=OperatingSystem", "hdfs_rt::process::MachineStats")
            .with("OpenFileDescriptorCount", stats.open_files)
            .with("MaxFileDescriptorCount", i64::try_from(stats.max_files).unwrap_or(i64::MAX))
            .with("CommittedVirtualMemorySize", stats.virtual_bytes)
            .with("TotalSwapSpaceSize", machine.swap_bytes)
            .with("FreeSwapSpaceSize", machine.free_swap_bytes)
            .with("ProcessCpuTime", u64::try_from(stats.cpu.as_nanos()).unwrap_or(u64::MAX))
            .with("FreeMemorySize", machine.free_memory_bytes)
            .with("TotalMemorySize", machine.memory_bytes)
            .with("ProcessCpuLoad", self.process_load(stats, machine))
            .with("FreePhysicalMemorySize", machine.free_memory_bytes)
            .with("TotalPhysicalMemorySize", machine.memory_bytes)
            .with(
                "Arch",
                if cfg!(target_arch = "x86_64") { "amd64" } else { std::env::consts::ARCH },
            )
            .with("SystemLoadAverage", machine.load_average)
            .with("Name", system.sysname().to_string_lossy().into_owned())
            .with("Version", system.release().to_string_lossy().into_owned())
            .with("AvailableProcessors", machine.processors)
            .with("ObjectName", "java.lang:type=OperatingSystem")
    }

    /// The share of all processors that this process used since a reading at least a second ago.
    fn process_load(&self, stats: &ProcessStats, machine: &MachineStats) -> f64 {
        let mut load = self.load.lock().expect("no holder panics");
        let elapsed = load.at.elapsed();
        if elapsed >= Duration::from_secs(1) {
            let used = stats.cpu.saturating_sub(load.cpu).as_secs_f64();
            let share = used / elapsed.as_secs_f64() / machine.processors.max(1) as f64;
            *load = Load { at: Instant::now(), cpu: stats.cpu, share: share.min(1.0) };
        }
        load.share
    }
}

fn runtime() -> Bean {
    let arguments: Vec<String> =
        std::env::args_os().skip(1).map(|text| text.to_string_lossy().into_owned()).collect();
    Bean::new("java.lang:type=Runtime", "hdfs_rt::process")
        .with("Name", format!("{}@{}", std::process::id(), host_name()))
        .with("StartTime", process::started_millis())
        .with("VmName", "Tusk, native code")
        .with("VmVendor", "Tusk")
        .with("VmVersion", env!("CARGO_PKG_VERSION"))
        .with("Uptime", process::uptime_millis())
        .with("InputArguments", arguments)
        .with("Pid", std::process::id())
        .with("ObjectName", "java.lang:type=Runtime")
}

fn memory(stats: &ProcessStats) -> Bean {
    let usage = |used: u64| json!({"committed": used, "init": 0, "max": -1, "used": used});
    Bean::new("java.lang:type=Memory", "hdfs_rt::process::ProcessStats")
        .with("ObjectPendingFinalizationCount", 0)
        .with("HeapMemoryUsage", usage(stats.resident_bytes))
        .with("NonHeapMemoryUsage", usage(0))
        .with("Verbose", false)
        .with("ObjectName", "java.lang:type=Memory")
}

fn threading(stats: &ProcessStats) -> Bean {
    let ids: Vec<u64> = process::threads().iter().map(|thread| thread.id).collect();
    Bean::new("java.lang:type=Threading", "hdfs_rt::process::ThreadStats")
        .with("ThreadCount", stats.threads)
        .with("AllThreadIds", ids)
        .with("ObjectName", "java.lang:type=Threading")
}
