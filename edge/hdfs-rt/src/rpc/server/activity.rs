//! The `/jmx` beans of one RPC server.
//!
//! Hadoop: org.apache.hadoop.ipc.metrics.{RpcMetrics, RpcDetailedMetrics} (3.5.0)

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::metrics::{MethodSnapshot, ServerMetrics, ServerSnapshot};
use crate::host::host_name;
use crate::http::Bean;
use crate::metrics::{Averages, HistogramSnapshot};

/// How a server shows in `/jmx`.
#[derive(Clone, Copy, Debug)]
pub struct ActivityNames {
    /// `NameNode`.
    pub service: &'static str,
    /// `tag.serverName`: the first protocol served.
    pub server_name: &'static str,
    /// Methods that are shown before their first call.
    pub methods: &'static [&'static str],
}

/// The beans `RpcActivityForPort<port>` and `RpcDetailedActivityForPort<port>`. Times are milliseconds, as in Hadoop.
pub fn activity_beans(
    names: ActivityNames,
    port: u16,
    metrics: &ServerMetrics,
    averages: &Averages,
) -> [Bean; 2] {
    let snapshot = metrics.snapshot();
    [
        activity_bean(names, port, metrics, &snapshot, averages),
        detailed_bean(names, port, &snapshot, averages),
    ]
}

fn activity_bean(
    names: ActivityNames,
    port: u16,
    metrics: &ServerMetrics,
    all: &ServerSnapshot,
    averages: &Averages,
) -> Bean {
    let name = format!("RpcActivityForPort{port}");
    let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let connections: serde_json::Map<_, _> = all
        .connections_by_user
        .iter()
        .map(|(user, count)| (user.clone(), serde_json::Value::from(*count)))
        .collect();
    let requests = all.requests();
    let zero = HistogramSnapshot::default();
    let rate = |bean: Bean, of: &str, count: u64, times: &HistogramSnapshot| {
        let average = averages.millis(&format!("{name}.{of}"), times);
        bean.with(format!("{of}NumOps"), count).with(format!("{of}AvgTime"), average)
    };
    let lock_wait = HistogramSnapshot {
        count: requests,
        total: all.lock_wait.total,
        ..HistogramSnapshot::default()
    };
    let mut bean = Bean::new(format!("Hadoop:service={},name={name}", names.service), &name)
        .with("tag.port", port.to_string())
        .with("tag.serverName", names.server_name)
        .with("tag.Context", "rpc")
        .with("tag.NumOpenConnectionsPerUser", serde_json::Value::Object(connections).to_string())
        .with("tag.Hostname", host_name());
    bean = rate(bean, "DeferredRpcProcessingTime", 0, &zero)
        .with("ReceivedBytes", all.received_bytes)
        // Counted by Hadoop for SASL only, which this server does not require.
        .with("RpcAuthenticationFailures", 0)
        .with("RpcAuthenticationSuccesses", 0)
        .with("RpcAuthorizationFailures", read(&metrics.authorization_failures))
        .with("RpcAuthorizationSuccesses", read(&metrics.authorization_successes))
        .with("RpcCallSuccesses", all.successes)
        // A call that can't run waits in its connection, which is not read: nothing is sent back or requeued.
        .with("RpcClientBackoff", 0)
        .with("RpcClientBackoffDisconnected", 0);
    // There is no queue between the connections and the calls: a call is put nowhere.
    bean = rate(bean, "RpcEnQueueTime", requests, &zero);
    bean = rate(bean, "RpcLockWaitTime", requests, &lock_wait);
    bean = rate(bean, "RpcProcessingTime", requests, &all.processing_time);
    bean = rate(bean, "RpcQueueTime", requests, &all.queue_time);
    bean = bean.with("RpcRequeueCalls", 0);
    rate(bean, "RpcResponseTime", requests, &all.response_time)
        .with("RpcSlowCalls", 0)
        .with("SentBytes", all.sent_bytes)
        .with("NumInProcessHandler", all.in_flight)
        .with("TotalRequests", requests)
        .with("TotalRequestsPerSecond", metrics.requests_per_second())
        .with("NumOpenConnections", read(&metrics.open_connections))
        .with("CallQueueLength", 0)
        .with("NumDroppedConnections", read(&metrics.refused_connections))
}

fn detailed_bean(
    names: ActivityNames,
    port: u16,
    all: &ServerSnapshot,
    averages: &Averages,
) -> Bean {
    let name = format!("RpcDetailedActivityForPort{port}");
    let mut calls: BTreeMap<&str, (HistogramSnapshot, Duration)> = BTreeMap::new();
    for method in names.methods {
        calls.entry(method).or_default();
    }
    let answered = |of: &(&String, &MethodSnapshot)| of.1.time.count > 0;
    for (method, of) in all.methods.iter().chain(&all.exceptions).filter(answered) {
        let (times, overall) = calls.entry(method).or_default();
        times.add(&of.time);
        *overall += of.overall;
    }
    let mut bean = Bean::new(format!("Hadoop:service={},name={name}", names.service), &name)
        .with("tag.port", port.to_string())
        .with("tag.Context", "rpcdetailed")
        .with("tag.Hostname", host_name());
    // Calls are deferred by no handler: a reply that comes later holds none.
    for method in names.methods {
        let shown = format!("Deferred{}", capitalized(method));
        bean = bean.with(format!("{shown}NumOps"), 0).with(format!("{shown}AvgTime"), 0.0);
    }
    for (method, (times, overall)) in &calls {
        let shown = format!("Overall{}", capitalized(method));
        let total = overall.as_secs_f64() * 1_000.0;
        let average = averages.of(&format!("{name}.{shown}"), times.count, total);
        bean = bean
            .with(format!("{shown}NumOps"), times.count)
            .with(format!("{shown}AvgTime"), average);
    }
    for (method, (times, _)) in &calls {
        let shown = capitalized(method);
        let average = averages.millis(&format!("{name}.{shown}"), times);
        bean = bean
            .with(format!("{shown}NumOps"), times.count)
            .with(format!("{shown}AvgTime"), average);
    }
    bean
}

fn capitalized(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().collect::<String>() + letters.as_str()
    })
}
