//! Calls to the NameNode, and when a call is sent again.
//!
//! Hadoop marks every method of ClientProtocol as idempotent or as "at most once"; either way a call whose connection
//! broke may be sent again under the call id of the first attempt: the server's retry cache answers those of the second
//! kind that were executed already.
//!
//! Hadoop: org.apache.hadoop.io.retry.RetryPolicies.FailoverOnNetworkExceptionRetry,
//! org.apache.hadoop.hdfs.server.namenode.ha.ConfiguredFailoverProxyProvider (3.5.0)
// Differs: without high availability Hadoop gives up on the first broken connection; here the call is sent again, a
// few times. What was acknowledged stays acknowledged, and less fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hdfs_rt::rpc::client::{CallOptions, Proxy};
use hdfs_rt::rpc::server::Protocol;
use hdfs_types::{Error, ErrorKind, Result, Retry};
use prost::Message;

/// How often and how long to try.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct RetryConf {
    /// Failovers before giving up (`dfs.client.failover.max.attempts`).
    pub(crate) max_failovers: u32,
    /// Retries on the same server before giving up (`dfs.client.retry.max.attempts`).
    pub(crate) max_retries: u32,
    /// First pause (`dfs.client.failover.sleep.base.millis`).
    pub(crate) sleep_base: Duration,
    /// Longest pause (`dfs.client.failover.sleep.max.millis`).
    pub(crate) sleep_max: Duration,
}

/// The NameNodes of one nameservice, of which one is active.
#[derive(Clone, Debug)]
pub(crate) struct NameNode {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    proxies: Vec<Proxy>,
    current: AtomicUsize,
    retry: RetryConf,
}

impl NameNode {
    /// The NameNodes behind these proxies, tried in this order.
    ///
    /// # Panics
    /// Without a proxy.
    pub(crate) fn new(proxies: Vec<Proxy>, retry: RetryConf) -> Self {
        assert!(!proxies.is_empty(), "a nameservice has a NameNode");
        let current = AtomicUsize::new(0);
        Self { shared: Arc::new(Shared { proxies, current, retry }) }
    }

    /// The same NameNodes through another protocol.
    pub(crate) fn speaking(&self, protocol: Protocol) -> Self {
        let other = |proxy: &Proxy| Proxy::new(proxy.addr(), protocol, proxy.client(), proxy.ugi());
        let proxies = self.shared.proxies.iter().map(other).collect();
        Self::new(proxies, self.shared.retry.clone())
    }

    /// The one that calls go to now.
    pub(crate) fn current(&self) -> &hdfs_rt::addr::HostPort {
        let index = self.shared.current.load(Ordering::Relaxed);
        self.shared.proxies[index % self.shared.proxies.len()].addr()
    }

    /// Calls a method, on another NameNode or again where that is safe.
    pub(crate) async fn call<Req, Resp>(&self, method: &str, request: &Req) -> Result<Resp>
    where
        Req: Message,
        Resp: Message + Default,
    {
        let mut attempts = Attempts::default();
        // Every proxy belongs to the same client, so a number serves on all of them.
        let call_id = Some(self.shared.proxies[0].client().next_call_id());
        let mut options = CallOptions { call_id, ..CallOptions::default() };
        loop {
            let index = self.shared.current.load(Ordering::Relaxed);
            let proxy = &self.shared.proxies[index % self.shared.proxies.len()];
            let error = match proxy.call_with(method, request, options.clone()).await {
                Ok(answer) => return Ok(answer.message),
                Err(error) => error,
            };
            let Some(pause) = self.next_attempt(&error, index, &mut attempts) else {
                return Err(error);
            };
            tracing::debug!(method, %error, ?pause, "call the NameNode again");
            options.retry_count += 1;
            tokio::time::sleep(pause).await;
        }
    }

    /// How long to wait before the next attempt, or `None` when the error is final. Switches to the next NameNode.
    fn next_attempt(
        &self,
        error: &Error,
        index: usize,
        attempts: &mut Attempts,
    ) -> Option<Duration> {
        let conf = &self.shared.retry;
        let alone = self.shared.proxies.len() == 1;
        let failover = match error.kind {
            ErrorKind::Retriable => false,
            ErrorKind::Eof => !alone,
            // The RPC client has tried a refused connection as often as it should, and waited as long.
            ErrorKind::Connect | ErrorKind::SocketTimeout if alone => return None,
            ErrorKind::Connect | ErrorKind::SocketTimeout => true,
            _ if error.kind.retry() == Retry::Failover && !alone => true,
            _ => return None,
        };
        if failover {
            attempts.failovers += 1;
            if attempts.failovers > conf.max_failovers {
                return None;
            }
            // Only the first of several callers that saw it fail moves on.
            let current = &self.shared.current;
            let _ =
                current.compare_exchange(index, index + 1, Ordering::Relaxed, Ordering::Relaxed);
            // The first switch costs nothing; after that every NameNode may be on its way to active.
            return Some(if attempts.failovers == 1 {
                Duration::ZERO
            } else {
                backoff(conf, attempts.failovers - 1)
            });
        }
        attempts.retries += 1;
        (attempts.retries <= conf.max_retries).then(|| backoff(conf, attempts.retries))
    }
}

/// What one call has tried so far.
#[derive(Default)]
struct Attempts {
    failovers: u32,
    retries: u32,
}

/// Exponential, between half and the whole of it, at most the longest pause.
fn backoff(conf: &RetryConf, attempt: u32) -> Duration {
    let full = conf.sleep_base.saturating_mul(1 << attempt.min(16).saturating_sub(1));
    let full = full.min(conf.sleep_max);
    let spread = crate::random::below(1_000) as u32;
    full / 2 + (full / 2).mul_f64(f64::from(spread) / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_stay_under_their_limit() {
        let conf = RetryConf {
            max_failovers: 15,
            max_retries: 10,
            sleep_base: Duration::from_millis(500),
            sleep_max: Duration::from_secs(15),
        };
        for attempt in 1..40 {
            let pause = backoff(&conf, attempt);
            assert!(pause <= conf.sleep_max);
            assert!(pause >= Duration::from_millis(250));
        }
        assert!(backoff(&conf, 1) <= Duration::from_millis(500));
        assert!(backoff(&conf, 10) >= Duration::from_millis(7_500));
    }
}
