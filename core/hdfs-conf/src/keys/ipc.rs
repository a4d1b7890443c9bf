//! Keys of Hadoop's RPC, client and server.

use super::keys;

keys! { IPC:
    /// Time limit of one connection attempt.
    IPC_CLIENT_CONNECT_TIMEOUT = "ipc.client.connect.timeout", Time(Millis), "20000";
    /// Attempts after a refused connection.
    IPC_CLIENT_CONNECT_MAX_RETRIES = "ipc.client.connect.max.retries", Int, "10";
    /// Attempts after a connection that timed out.
    IPC_CLIENT_CONNECT_MAX_RETRIES_ON_TIMEOUTS = "ipc.client.connect.max.retries.on.timeouts", Int, "45";
    /// Attempts after a failed SASL handshake.
    IPC_CLIENT_CONNECT_MAX_RETRIES_ON_SASL = "ipc.client.connect.max.retries.on.sasl", Int, "5";
    /// Pause between two connection attempts.
    IPC_CLIENT_CONNECT_RETRY_INTERVAL = "ipc.client.connect.retry.interval", Time(Millis), "1000";
    /// An idle connection is closed after this time.
    IPC_CLIENT_CONNECTION_MAXIDLETIME = "ipc.client.connection.maxidletime", Time(Millis), "10000";
    /// How often a server looks for idle connections.
    IPC_CLIENT_CONNECTION_IDLE_SCAN_INTERVAL_MS = "ipc.client.connection.idle-scan-interval.ms", Time(Millis), "10000";
    /// Connections above which a server closes idle ones.
    IPC_CLIENT_IDLETHRESHOLD = "ipc.client.idlethreshold", Int, "4000";
    /// Most idle connections closed at a time.
    IPC_CLIENT_KILL_MAX = "ipc.client.kill.max", Int, "10";
    /// Whether a waiting client pings instead of timing out.
    IPC_CLIENT_PING = "ipc.client.ping", Bool, "true";
    /// Time between two pings.
    IPC_PING_INTERVAL = "ipc.ping.interval", Time(Millis), "60000";
    /// Time limit of a call; 0 for none.
    IPC_CLIENT_RPC_TIMEOUT_MS = "ipc.client.rpc-timeout.ms", Time(Millis), "120000";
    /// Whether clients disable Nagle's algorithm.
    IPC_CLIENT_TCPNODELAY = "ipc.client.tcpnodelay", Bool, "true";
    /// Whether clients ask for low latency in the IP header.
    IPC_CLIENT_LOW_LATENCY = "ipc.client.low-latency", Bool, "false";
    /// Whether clients bind to the wildcard address.
    IPC_CLIENT_BIND_WILDCARD_ADDR = "ipc.client.bind.wildcard.addr", Bool, "false";
    /// Whether a secure client may talk to an insecure server.
    IPC_CLIENT_FALLBACK_TO_SIMPLE_AUTH_ALLOWED = "ipc.client.fallback-to-simple-auth-allowed", Bool, "false";
    /// Most calls that a client has under way at once.
    IPC_CLIENT_ASYNC_CALLS_MAX = "ipc.client.async.calls.max", Int, "100";
    /// Largest request that a server accepts, in bytes.
    IPC_MAXIMUM_DATA_LENGTH = "ipc.maximum.data.length", Int, "134217728";
    /// Largest answer that a client accepts, in bytes.
    IPC_MAXIMUM_RESPONSE_LENGTH = "ipc.maximum.response.length", Int, "134217728";
    /// An answer that is larger is logged, in bytes.
    IPC_SERVER_MAX_RESPONSE_SIZE = "ipc.server.max.response.size", Int, "1048576";
    /// Backlog of listening sockets.
    IPC_SERVER_LISTEN_QUEUE_SIZE = "ipc.server.listen.queue.size", Int, "256";
    /// Queued calls for each handler.
    IPC_SERVER_HANDLER_QUEUE_SIZE = "ipc.server.handler.queue.size", Int, "100";
    /// Threads that read requests.
    IPC_SERVER_READ_THREADPOOL_SIZE = "ipc.server.read.threadpool.size", Int, "1";
    /// Connections waiting for each reading thread.
    IPC_SERVER_READ_CONNECTION_QUEUE_SIZE = "ipc.server.read.connection-queue.size", Int, "100";
    /// Most connections of a server; 0 for no limit.
    IPC_SERVER_MAX_CONNECTIONS = "ipc.server.max.connections", Int, "0";
    /// Whether servers disable Nagle's algorithm.
    IPC_SERVER_TCPNODELAY = "ipc.server.tcpnodelay", Bool, "true";
    /// Whether listening sockets set SO_REUSEADDR.
    IPC_SERVER_REUSEADDR = "ipc.server.reuseaddr", Bool, "true";
    /// Whether unusually slow calls are logged.
    IPC_SERVER_LOG_SLOW_RPC = "ipc.server.log.slow.rpc", Bool, "false";
    /// Least time of a call that counts as slow.
    IPC_SERVER_LOG_SLOW_RPC_THRESHOLD_MS = "ipc.server.log.slow.rpc.threshold.ms", Time(Millis), "0";
    /// How often a server drops calls and answers that nobody waits for.
    IPC_SERVER_PURGE_INTERVAL = "ipc.server.purge.interval", Time(Minutes), "15";
    /// How often server metrics are collected.
    IPC_SERVER_METRICS_UPDATE_RUNNER_INTERVAL = "ipc.server.metrics.update.runner.interval", Time(Millis), "5000";
    /// Whether a full call queue tells clients to back off.
    IPC_BACKOFF_ENABLE = "ipc.backoff.enable", Bool, "false";
    /// Class of the call queue.
    IPC_CALLQUEUE_IMPL = "ipc.callqueue.impl", Text, "java.util.concurrent.LinkedBlockingQueue";
    /// Class of the call scheduler.
    IPC_SCHEDULER_IMPL = "ipc.scheduler.impl", Text, "org.apache.hadoop.ipc.DefaultRpcScheduler";
}
