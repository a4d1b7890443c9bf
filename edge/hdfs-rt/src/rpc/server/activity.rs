//! The `/jmx` bean of one RPC server.
//!
//! Hadoop: org.apache.hadoop.ipc.metrics.RpcMetrics (3.5.0)

use std::sync::atomic::{AtomicU64, Ordering};

use super::metrics::{HistogramSnapshot, ServerMetrics};
use crate::host::host_name;
use crate::http::Bean;

/// The bean `Hadoop:service=<service>,name=RpcActivityForPort<port>`. Times are milliseconds, as in Hadoop; averages are
/// over the server's whole life.
pub fn activity_bean(service: &str, port: u16, metrics: &ServerMetrics) -> Bean {
    let name = format!("RpcActivityForPort{port}");
    let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let (queue, processing) = (metrics.queue_time.snapshot(), metrics.processing_time.snapshot());
    let requests = read(&metrics.successes) + read(&metrics.failures);
    Bean::new(format!("Hadoop:service={service},name={name}"), name)
        .with("tag.port", port.to_string())
        .with("tag.Context", "rpc")
        .with("tag.Hostname", host_name())
        .with("ReceivedBytes", read(&metrics.received_bytes))
        .with("SentBytes", read(&metrics.sent_bytes))
        .with("RpcQueueTimeNumOps", queue.count)
        .with("RpcQueueTimeAvgTime", average_ms(&queue))
        .with("RpcProcessingTimeNumOps", processing.count)
        .with("RpcProcessingTimeAvgTime", average_ms(&processing))
        .with("RpcAuthenticationFailures", 0)
        .with("RpcAuthenticationSuccesses", 0)
        .with("RpcAuthorizationFailures", read(&metrics.authorization_failures))
        .with("RpcAuthorizationSuccesses", read(&metrics.authorization_successes))
        .with("RpcCallSuccesses", read(&metrics.successes))
        .with("NumInProcessHandler", read(&metrics.calls_in_flight))
        .with("NumOpenConnections", read(&metrics.open_connections))
        .with("NumDroppedConnections", read(&metrics.refused_connections))
        .with("CallQueueLength", 0)
        .with("TotalRequests", requests)
}

fn average_ms(times: &HistogramSnapshot) -> f64 {
    if times.count == 0 { 0.0 } else { times.total.as_secs_f64() * 1_000.0 / times.count as f64 }
}
