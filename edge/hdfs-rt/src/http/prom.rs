//! `/prom`: numbers for Prometheus, in its text format.
//!
//! Names follow Prometheus's rules: base units (seconds, bytes), `_total` for what only grows, one family for each
//! quantity with labels for its kinds. They are made from the same counts as the beans of `/jmx`.
//!
//! Hadoop: org.apache.hadoop.http.PrometheusServlet (3.5.0). Differs: on by default, and named for Prometheus instead of
//! after the beans.

use std::fmt::Write;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;

use super::HttpStatistics;
use crate::metrics::{Histogram, HistogramSnapshot};
use crate::process::{self, ProcessStats};
use crate::rpc::server::ServerMetrics;

/// Tells a daemon's numbers. Called for every request.
pub trait PromSource: Send + Sync + 'static {
    /// All of them, as they are now.
    fn write(&self, text: &mut PromText);
}

/// The route `/prom`.
pub fn prom_router(source: Arc<dyn PromSource>) -> Router {
    Router::new().route("/prom", get(page)).with_state(source)
}

async fn page(State(source): State<Arc<dyn PromSource>>) -> impl IntoResponse {
    let mut text = PromText::default();
    source.write(&mut text);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text.out)
}

/// The text in the making.
#[derive(Default, Debug)]
pub struct PromText {
    out: String,
}

/// Names and values of labels.
pub type Labels<'a> = &'a [(&'a str, &'a str)];

impl PromText {
    /// What was written.
    pub fn as_str(&self) -> &str {
        &self.out
    }

    /// A quantity that goes up and down.
    pub fn gauge(&mut self, name: &str, help: &str, value: f64) {
        self.family(name, "gauge", help);
        self.sample(name, &[], value);
    }

    /// A quantity that only grows; its name ends in `_total`.
    pub fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.family(name, "counter", help);
        self.sample(name, &[], value as f64);
    }

    /// A distribution of times without labels, in seconds.
    pub fn times(&mut self, name: &str, help: &str, times: &HistogramSnapshot) {
        self.family(name, "histogram", help);
        self.histogram(name, &[], times);
    }

    /// Begins a family; its samples follow.
    pub fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a String can't fail.
        let _ = writeln!(self.out, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// One value of the family that was begun.
    pub fn sample(&mut self, name: &str, labels: Labels<'_>, value: f64) {
        self.out.push_str(name);
        self.labels(labels, None);
        let _ = writeln!(self.out, " {value}");
    }

    /// One distribution of the family that was begun.
    pub fn histogram(&mut self, name: &str, labels: Labels<'_>, times: &HistogramSnapshot) {
        // 16 microseconds to 67 seconds, each four times the one before.
        const SHOWN: [usize; 12] = [4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26];
        const { assert!(SHOWN[11] < Histogram::BUCKETS) };
        let mut below = 0;
        let mut from = 0;
        for bucket in SHOWN {
            below += times.buckets[from..=bucket].iter().sum::<u64>();
            from = bucket + 1;
            let limit = (1_u64 << bucket) as f64 / 1e6;
            let _ = write!(self.out, "{name}_bucket");
            self.labels(labels, Some(&limit.to_string()));
            let _ = writeln!(self.out, " {below}");
        }
        let _ = write!(self.out, "{name}_bucket");
        self.labels(labels, Some("+Inf"));
        let _ = writeln!(self.out, " {}", times.count);
        let _ = write!(self.out, "{name}_sum");
        self.labels(labels, None);
        let _ = writeln!(self.out, " {}", times.total.as_secs_f64());
        let _ = write!(self.out, "{name}_count");
        self.labels(labels, None);
        let _ = writeln!(self.out, " {}", times.count);
    }

    fn labels(&mut self, labels: Labels<'_>, limit: Option<&str>) {
        let limit = limit.map(|limit| ("le", limit));
        let mut first = true;
        for (name, value) in labels.iter().copied().chain(limit) {
            self.out.push(if first { '{' } else { ',' });
            first = false;
            let _ = write!(self.out, "{name}=\"");
            for letter in value.chars() {
                match letter {
                    '\\' => self.out.push_str("\\\\"),
                    '"' => self.out.push_str("\\\""),
                    '\n' => self.out.push_str("\\n"),
                    other => self.out.push(other),
                }
            }
            self.out.push('"');
        }
        if !first {
            self.out.push('}');
        }
    }

    /// What every process has, under the names that Prometheus's clients use.
    pub fn process(&mut self, role: &str, version: &str) {
        let stats = ProcessStats::read();
        self.family("hdfs_build_info", "gauge", "Version and role of this daemon; always 1.");
        self.sample("hdfs_build_info", &[("version", version), ("role", role)], 1.0);
        let name = "process_cpu_seconds_total";
        self.family(name, "counter", "Processor time used, user and system.");
        self.sample(name, &[], stats.cpu.as_secs_f64());
        let began = process::started_millis() as f64 / 1_000.0;
        for (name, help, value) in [
            ("process_resident_memory_bytes", "Memory in use.", stats.resident_bytes as f64),
            ("process_virtual_memory_bytes", "Address space in use.", stats.virtual_bytes as f64),
            ("process_open_fds", "Open file descriptors.", stats.open_files as f64),
            ("process_max_fds", "Most file descriptors.", stats.max_files as f64),
            ("process_threads", "Threads.", stats.threads as f64),
            ("process_start_time_seconds", "Start, in seconds since 1970.", began),
        ] {
            self.gauge(name, help, value);
        }
    }

    /// A daemon's web server.
    pub fn http(&mut self, statistics: &HttpStatistics) {
        let name = "hdfs_http_responses_total";
        self.family(name, "counter", "Answers of the web server by class of status.");
        for (index, count) in statistics.responses().into_iter().enumerate() {
            self.sample(name, &[("status", &format!("{}xx", index + 1))], count as f64);
        }
        let help = "Bytes of the web server's answers, without headers.";
        self.counter("hdfs_http_response_bytes_total", help, statistics.response_bytes());
    }

    /// A daemon's RPC servers, by port.
    pub fn rpc(&mut self, servers: &[(u16, Arc<ServerMetrics>)]) {
        use std::sync::atomic::Ordering::Relaxed;
        let all: Vec<_> = servers
            .iter()
            .map(|(port, metrics)| (port.to_string(), metrics, metrics.snapshot()))
            .collect();
        let mut each = |name: &str, kind: &str, help: &str, of: &dyn Fn(usize) -> u64| {
            self.family(name, kind, help);
            for (index, (port, ..)) in all.iter().enumerate() {
                self.sample(name, &[("port", port)], of(index) as f64);
            }
        };
        let count = "counter";
        each("hdfs_rpc_received_bytes_total", count, "Bytes read.", &|of| all[of].2.received_bytes);
        each("hdfs_rpc_sent_bytes_total", count, "Bytes written.", &|of| all[of].2.sent_bytes);
        each("hdfs_rpc_open_connections", "gauge", "Open connections.", &|of| {
            all[of].1.open_connections.load(Relaxed)
        });
        each(
            "hdfs_rpc_refused_connections_total",
            count,
            "Connections refused by a limit.",
            &|of| all[of].1.refused_connections.load(Relaxed),
        );
        each("hdfs_rpc_authorization_failures_total", count, "Users refused.", &|of| {
            all[of].1.authorization_failures.load(Relaxed)
        });
        let help = "Calls whose answer waits: for the edit log or for DataNodes.";
        each("hdfs_rpc_calls_in_flight", "gauge", help, &|of| all[of].2.in_flight);
        let name = "hdfs_rpc_queue_duration_seconds";
        self.family(name, "histogram", "From the arrival of calls to their start.");
        for (port, _, counts) in &all {
            self.histogram(name, &[("port", port)], &counts.queue_time);
        }
        let name = "hdfs_rpc_lock_wait_seconds";
        self.family(name, "histogram", "Waits for the namespace lock, of the calls that waited.");
        for (port, _, counts) in &all {
            self.histogram(name, &[("port", port)], &counts.lock_wait);
        }
        let name = "hdfs_rpc_call_duration_seconds";
        self.family(
            name,
            "histogram",
            "From the start of a call to its answer, of calls that ended well.",
        );
        for (port, _, counts) in &all {
            for (method, of) in counts.methods.iter().filter(|(_, of)| of.time.count > 0) {
                self.histogram(name, &[("port", port), ("method", method)], &of.time);
            }
        }
        let name = "hdfs_rpc_call_failures_total";
        self.family(name, "counter", "Calls that ended with an error, by method.");
        for (port, _, counts) in &all {
            for (method, of) in &counts.methods {
                self.sample(name, &[("port", port), ("method", method)], of.failures as f64);
            }
        }
        let name = "hdfs_rpc_exceptions_total";
        self.family(name, "counter", "Calls that ended with an error, by its class.");
        for (port, _, counts) in &all {
            for (class, of) in &counts.exceptions {
                let labels = [("port", port.as_str()), ("exception", class.as_str())];
                self.sample(name, &labels, of.time.count as f64);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_histogram_counts_up_to_each_limit() {
        let times = Histogram::default();
        for micros in [3, 100, 100_000_000] {
            times.record(Duration::from_micros(micros));
        }
        let mut text = PromText::default();
        text.family("x_seconds", "histogram", "Times.");
        text.histogram("x_seconds", &[("method", "a\"b")], &times.snapshot());
        let lines: Vec<&str> = text.as_str().lines().collect();
        assert_eq!(lines[0], "# HELP x_seconds Times.");
        assert_eq!(lines[1], "# TYPE x_seconds histogram");
        assert_eq!(lines[2], r#"x_seconds_bucket{method="a\"b",le="0.000016"} 1"#);
        assert_eq!(lines[4], r#"x_seconds_bucket{method="a\"b",le="0.000256"} 2"#);
        assert_eq!(lines[13], r#"x_seconds_bucket{method="a\"b",le="67.108864"} 2"#);
        assert_eq!(lines[14], r#"x_seconds_bucket{method="a\"b",le="+Inf"} 3"#);
        assert_eq!(lines[16], r#"x_seconds_count{method="a\"b"} 3"#);
    }
}
