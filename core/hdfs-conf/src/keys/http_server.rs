//! Keys of WebHDFS servers and of the filters in front of web pages.

use super::keys;

keys! { HTTP_SERVER:
    /// Valid access control lists of WebHDFS, as a regular expression.
    DFS_WEBHDFS_ACL_PROVIDER_PERMISSION_PATTERN = "dfs.webhdfs.acl.provider.permission.pattern", Text, "^(default:)?(user|group|mask|other):[[A-Za-z_][A-Za-z0-9._-]]*:([rwx-]{3})?(,(default:)?(user|group|mask|other):[[A-Za-z_][A-Za-z0-9._-]]*:([rwx-]{3})?)*$";
    /// User agents that count as browsers, as regular expressions.
    DFS_WEBHDFS_REST_CSRF_BROWSER_USERAGENTS_REGEX = "dfs.webhdfs.rest-csrf.browser-useragents-regex", List, "^Mozilla.*,^Opera.*";
    /// Origins whose pages may read web answers: names, with `*` for any text, or `regex:…`.
    HADOOP_HTTP_CROSS_ORIGIN_ALLOWED_ORIGINS = "hadoop.http.cross-origin.allowed-origins", List, "*";
    /// HTTP methods that such pages may use.
    HADOOP_HTTP_CROSS_ORIGIN_ALLOWED_METHODS = "hadoop.http.cross-origin.allowed-methods", List, "GET,POST,HEAD";
    /// Headers that such pages may send.
    HADOOP_HTTP_CROSS_ORIGIN_ALLOWED_HEADERS = "hadoop.http.cross-origin.allowed-headers", List, "X-Requested-With,Content-Type,Accept,Origin";
    /// Seconds that a browser may remember such permissions.
    HADOOP_HTTP_CROSS_ORIGIN_MAX_AGE = "hadoop.http.cross-origin.max-age", Text, "1800";
    /// Host or address that the HttpFS gateway listens at.
    HTTPFS_HTTP_HOSTNAME = "httpfs.http.hostname", Text, "0.0.0.0";
    /// Port of the HttpFS gateway.
    HTTPFS_HTTP_PORT = "httpfs.http.port", Int, "14000";
}
