//! What surrounds every web page of a daemon: counts and times of requests, and Hadoop's common headers.
//!
//! Hadoop: org.apache.hadoop.http.{HttpServer2, HttpServer2Metrics, NoCacheFilter} (3.5.0)

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use futures_util::StreamExt;
use hdfs_conf::{Configuration, keys};
use parking_lot::Mutex;

use super::Bean;
use crate::clock::universal_time;
use crate::host::host_name;

/// Counts of one web server.
#[derive(Debug)]
pub struct HttpStatistics {
    /// Set when the port is known.
    port: AtomicU64,
    since: Mutex<Instant>,
    requests: AtomicU64,
    active: AtomicU64,
    active_most: AtomicU64,
    /// Answers by the first digit of their status.
    responses: [AtomicU64; 5],
    bytes: Arc<AtomicU64>,
    times: Mutex<Times>,
    x_frame_options: Option<HeaderValue>,
}

/// Milliseconds that requests took: enough for mean and deviation.
#[derive(Clone, Copy, Default, Debug)]
struct Times {
    count: u64,
    most: f64,
    sum: f64,
    sum_of_squares: f64,
}

impl Times {
    fn add(&mut self, elapsed: Duration) {
        let millis = elapsed.as_secs_f64() * 1_000.0;
        self.count += 1;
        self.most = self.most.max(millis);
        self.sum += millis;
        self.sum_of_squares += millis * millis;
    }

    fn mean(&self) -> f64 {
        if self.count == 0 { 0.0 } else { self.sum / self.count as f64 }
    }

    fn deviation(&self) -> f64 {
        if self.count == 0 {
            return 0.0;
        }
        (self.sum_of_squares / self.count as f64 - self.mean() * self.mean()).max(0.0).sqrt()
    }
}

impl HttpStatistics {
    /// Nothing counted yet; the headers are as the configuration says.
    pub fn new(conf: &Configuration) -> Self {
        let framing = conf.get_bool(&keys::DFS_XFRAME_ENABLED);
        let value = HeaderValue::from_str(conf.get_str(&keys::DFS_XFRAME_VALUE));
        let x_frame_options = value.ok().filter(|_| framing);
        Self {
            port: AtomicU64::new(0),
            since: Mutex::new(Instant::now()),
            requests: AtomicU64::new(0),
            active: AtomicU64::new(0),
            active_most: AtomicU64::new(0),
            responses: Default::default(),
            bytes: Arc::default(),
            times: Mutex::default(),
            x_frame_options,
        }
    }

    /// The port that the server got.
    pub fn set_port(&self, port: u16) {
        self.port.store(u64::from(port), Ordering::Relaxed);
    }

    /// Surrounds a router with the counts and the headers.
    pub fn around(self: &Arc<Self>, router: Router) -> Router {
        router.layer(from_fn_with_state(Arc::clone(self), surround))
    }

    /// Answers so far, by the first digit of their status.
    pub fn responses(&self) -> [u64; 5] {
        std::array::from_fn(|index| self.responses[index].load(Ordering::Relaxed))
    }

    /// Bytes of all answers so far, without headers.
    pub fn response_bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// The bean `HttpServer2-<port>`. No request is put aside (Java's asynchronous ones): all are, in Java's sense,
    /// dispatched once.
    pub(super) fn bean(&self, service: &str) -> Bean {
        let name = format!("HttpServer2-{}", self.port.load(Ordering::Relaxed));
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let times = *self.times.lock();
        let mut bean = Bean::new(format!("Hadoop:service={service},name={name}"), name)
            .with("tag.Context", "http")
            .with("tag.Hostname", host_name())
            .with("Dispatched", read(&self.requests))
            .with("AsyncRequestsWaiting", 0)
            .with("AsyncDispatches", 0)
            .with("AsyncRequests", 0)
            .with("AsyncRequestsWaitingMax", 0);
        for (kind, what) in [("Dispatched", "Dispatched"), ("Requests", "Request")] {
            bean = bean
                .with(format!("{kind}Active"), read(&self.active))
                .with(format!("{kind}ActiveMax"), read(&self.active_most))
                .with(format!("{what}TimeMax"), times.most.round() as u64)
                .with(format!("{what}TimeMean"), times.mean())
                .with(format!("{what}TimeStdDev"), times.deviation())
                .with(format!("{what}TimeTotal"), times.sum.round() as u64);
        }
        for (index, count) in self.responses().into_iter().enumerate() {
            bean = bean.with(format!("Responses{}xx", index + 1), count);
        }
        let on = u64::try_from(self.since.lock().elapsed().as_millis()).unwrap_or(u64::MAX);
        bean.with("ResponsesBytesTotal", self.response_bytes())
            .with("StatsOnMs", on)
            .with("Expires", 0)
            .with("Requests", read(&self.requests))
    }
}

/// One request: the count goes down however it ends.
struct Active<'a>(&'a HttpStatistics);

impl Drop for Active<'_> {
    fn drop(&mut self) {
        self.0.active.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn surround(
    State(statistics): State<Arc<HttpStatistics>>,
    request: Request,
    next: Next,
) -> Response {
    statistics.requests.fetch_add(1, Ordering::Relaxed);
    let active = statistics.active.fetch_add(1, Ordering::Relaxed) + 1;
    statistics.active_most.fetch_max(active, Ordering::Relaxed);
    let guard = Active(&statistics);
    let began = Instant::now();
    let asks_options = request.method() == Method::OPTIONS;
    let mut response = next.run(request).await;
    // Java's servlets answer OPTIONS everywhere, and its clients ask so who they are before anything else.
    if asks_options && response.status() == StatusCode::METHOD_NOT_ALLOWED {
        *response.status_mut() = StatusCode::OK;
    }
    statistics.times.lock().add(began.elapsed());
    drop(guard);
    let kind = usize::from(response.status().as_u16() / 100);
    if let Some(counter) = kind.checked_sub(1).and_then(|index| statistics.responses.get(index)) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
    add_headers(response.headers_mut(), statistics.x_frame_options.as_ref());
    count_bytes(response, &statistics.bytes)
}

/// Counts a body: at once when its length is known, else as it goes out.
fn count_bytes(response: Response, bytes: &Arc<AtomicU64>) -> Response {
    if let Some(length) = response.body().size_hint().exact() {
        bytes.fetch_add(length, Ordering::Relaxed);
        return response;
    }
    let (head, body) = response.into_parts();
    let bytes = Arc::clone(bytes);
    let counted = body.into_data_stream().inspect(move |part| {
        if let Ok(part) = part {
            bytes.fetch_add(part.len() as u64, Ordering::Relaxed);
        }
    });
    Response::from_parts(head, Body::from_stream(counted))
}

/// Headers that a page set itself stay.
fn add_headers(headers: &mut HeaderMap, x_frame_options: Option<&HeaderValue>) {
    let mut add = |name: HeaderName, value: HeaderValue| {
        headers.entry(name).or_insert(value);
    };
    add(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    add(header::X_XSS_PROTECTION, HeaderValue::from_static("1; mode=block"));
    if let Some(value) = x_frame_options {
        add(header::X_FRAME_OPTIONS, value.clone());
    }
    if headers.contains_key(header::CACHE_CONTROL) && headers.contains_key(header::EXPIRES) {
        return;
    }
    if !headers.contains_key(header::CACHE_CONTROL) || is_no_cache(headers) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
        if let Ok(now) = HeaderValue::from_str(&http_date(crate::clock::wall().0 / 1_000)) {
            headers.insert(header::EXPIRES, now);
        }
    }
}

fn is_no_cache(headers: &HeaderMap) -> bool {
    headers.get(header::CACHE_CONTROL).is_some_and(|value| value == "no-cache")
}

/// `Sat, 21 Nov 2026 12:45:38 GMT`, of seconds since 1970.
pub fn http_date(seconds: u64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let [year, month, day, hour, minute, second] = universal_time(seconds);
    let (weekday, month) = (DAYS[(seconds / 86_400 % 7) as usize], MONTHS[month as usize - 1]);
    format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} GMT")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The last one is a header that Apache's NameNode sent with that time.
    #[test]
    fn dates_are_those_of_http() {
        assert_eq!(http_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(http_date(951_782_400), "Tue, 29 Feb 2000 00:00:00 GMT");
        assert_eq!(http_date(1_795_265_138), "Sat, 21 Nov 2026 12:45:38 GMT");
    }
}
