//! Keys of the WebHDFS client.

use super::keys;

keys! { HTTP_CLIENT:
    /// Time limit of connecting to a WebHDFS server.
    DFS_WEBHDFS_SOCKET_CONNECT_TIMEOUT = "dfs.webhdfs.socket.connect-timeout", Time(Millis), "60s";
    /// How long a WebHDFS server may be silent.
    DFS_WEBHDFS_SOCKET_READ_TIMEOUT = "dfs.webhdfs.socket.read-timeout", Time(Millis), "60s";
    /// Header that tells a WebHDFS server that a request does not come from a foreign page.
    DFS_WEBHDFS_REST_CSRF_CUSTOM_HEADER = "dfs.webhdfs.rest-csrf.custom-header", Text, "X-XSRF-HEADER";
    /// HTTP methods that need no such header.
    DFS_WEBHDFS_REST_CSRF_METHODS_TO_IGNORE = "dfs.webhdfs.rest-csrf.methods-to-ignore", List, "GET,OPTIONS,HEAD,TRACE";
    /// How often a WebHDFS client changes to the next NameNode before it gives up.
    DFS_HTTP_CLIENT_FAILOVER_MAX_ATTEMPTS = "dfs.http.client.failover.max.attempts", Int, "15";
    /// First pause between those changes; it doubles.
    DFS_HTTP_CLIENT_FAILOVER_SLEEP_BASE_MILLIS = "dfs.http.client.failover.sleep.base.millis", Time(Millis), "500";
    /// Longest pause between those changes.
    DFS_HTTP_CLIENT_FAILOVER_SLEEP_MAX_MILLIS = "dfs.http.client.failover.sleep.max.millis", Time(Millis), "15000";
}
