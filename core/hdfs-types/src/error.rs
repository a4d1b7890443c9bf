//! The one error that a client can see, and the table of Java exception classes.

use std::fmt;

/// What a caller may do about an error.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Retry {
    /// The same call will fail again.
    Never,
    /// Wait, then ask the same server.
    AfterDelay,
    /// Ask another server of the nameservice.
    Failover,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $class:literal, $retry:ident;)*) => {
        /// The kind of an error: one Java exception class each.
        ///
        /// The class names are what Hadoop's clients match on. A class that is not listed survives as `Remote`.
        #[derive(Clone, PartialEq, Eq, Debug)]
        #[non_exhaustive]
        pub enum ErrorKind {
            $($(#[$doc])* $name,)*
            /// A class that this table does not know, by its Java name.
            Remote(String),
        }

        impl ErrorKind {
            /// The Java class name, as in `RpcResponseHeaderProto.exceptionClassName`.
            pub fn java_class(&self) -> &str {
                match self {
                    $(Self::$name => $class,)*
                    Self::Remote(class) => class,
                }
            }

            /// The kind of a Java class name.
            pub fn from_java_class(class: &str) -> Self {
                match class {
                    $($class => Self::$name,)*
                    other => Self::Remote(other.to_owned()),
                }
            }

            /// What a caller may do about it.
            pub fn retry(&self) -> Retry {
                match self {
                    $(Self::$name => Retry::$retry,)*
                    Self::Remote(_) => Retry::Never,
                }
            }

            /// Every listed kind, for tests and documentation.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];
        }
    };
}

kinds! {
    /// Anything that has no class of its own.
    Io = "java.io.IOException", Never;
    /// The path, or a part of it, does not exist.
    FileNotFound = "java.io.FileNotFoundException", Never;
    /// The target exists.
    FileAlreadyExists = "org.apache.hadoop.fs.FileAlreadyExistsException", Never;
    /// A component on the way is a file.
    ParentNotDirectory = "org.apache.hadoop.fs.ParentNotDirectoryException", Never;
    /// A directory was expected.
    PathIsNotDirectory = "org.apache.hadoop.fs.PathIsNotDirectoryException", Never;
    /// A non-recursive delete met children.
    PathIsNotEmptyDirectory = "org.apache.hadoop.fs.PathIsNotEmptyDirectoryException", Never;
    /// The path is not well-formed.
    InvalidPath = "org.apache.hadoop.fs.InvalidPathException", Never;
    /// A symlink lies on the path.
    UnresolvedLink = "org.apache.hadoop.hdfs.protocol.UnresolvedPathException", Never;
    /// The caller lacks permission.
    AccessControl = "org.apache.hadoop.security.AccessControlException", Never;
    /// The caller may not use this protocol or impersonate this user.
    Authorization = "org.apache.hadoop.security.authorize.AuthorizationException", Never;
    /// Another client writes this file.
    AlreadyBeingCreated = "org.apache.hadoop.hdfs.protocol.AlreadyBeingCreatedException", Never;
    /// The lease of the caller is gone.
    LeaseExpired = "org.apache.hadoop.hdfs.server.namenode.LeaseExpiredException", Never;
    /// Lease recovery has started; try again when it is done.
    RecoveryInProgress = "org.apache.hadoop.hdfs.protocol.RecoveryInProgressException", AfterDelay;
    /// The block before lacks its minimal replication.
    NotReplicatedYet = "org.apache.hadoop.hdfs.server.namenode.NotReplicatedYetException", AfterDelay;
    /// The NameNode is in safe mode.
    SafeMode = "org.apache.hadoop.hdfs.server.namenode.SafeModeException", Never;
    /// The NameNode is a standby.
    Standby = "org.apache.hadoop.ipc.StandbyException", Failover;
    /// The server is busy or starting.
    Retriable = "org.apache.hadoop.ipc.RetriableException", AfterDelay;
    /// A standby that reads may not answer this one; ask the active.
    ObserverRetryOnActive = "org.apache.hadoop.ipc.ObserverRetryOnActiveException", Failover;
    /// An argument makes no sense (Hadoop's own class).
    HadoopIllegalArgument = "org.apache.hadoop.HadoopIllegalArgumentException", Never;
    /// An argument makes no sense.
    IllegalArgument = "java.lang.IllegalArgumentException", Never;
    /// The state does not allow the call.
    IllegalState = "java.lang.IllegalStateException", Never;
    /// The call exists and is not supported here.
    UnsupportedOperation = "java.lang.UnsupportedOperationException", Never;
    /// A value was null where it may not be.
    NullPointer = "java.lang.NullPointerException", Never;
    /// An index is out of range.
    IndexOutOfBounds = "java.lang.IndexOutOfBoundsException", Never;
    /// A name component is over its limit.
    PathComponentTooLong = "org.apache.hadoop.hdfs.protocol.FSLimitException$PathComponentTooLongException", Never;
    /// A directory is full.
    MaxDirectoryItemsExceeded = "org.apache.hadoop.hdfs.protocol.FSLimitException$MaxDirectoryItemsExceededException", Never;
    /// A namespace quota would be exceeded.
    NsQuotaExceeded = "org.apache.hadoop.hdfs.protocol.NSQuotaExceededException", Never;
    /// A space quota would be exceeded.
    DsQuotaExceeded = "org.apache.hadoop.hdfs.protocol.DSQuotaExceededException", Never;
    /// A quota of one storage type would be exceeded.
    QuotaByStorageTypeExceeded = "org.apache.hadoop.hdfs.protocol.QuotaByStorageTypeExceededException", Never;
    /// A snapshot call failed.
    Snapshot = "org.apache.hadoop.hdfs.protocol.SnapshotException", Never;
    /// An ACL call failed.
    Acl = "org.apache.hadoop.hdfs.protocol.AclException", Never;
    /// There is no such cache directive or pool, or it may not be changed so.
    InvalidRequest = "org.apache.hadoop.fs.InvalidRequestException", Never;
    /// The server has no such method.
    RpcNoSuchMethod = "org.apache.hadoop.ipc.RpcNoSuchMethodException", Never;
    /// The server has no such protocol.
    RpcNoSuchProtocol = "org.apache.hadoop.ipc.RpcNoSuchProtocolException", Never;
    /// The request could not be served as RPC.
    RpcServer = "org.apache.hadoop.ipc.RpcServerException", Never;
    /// The client's RPC version differs.
    RpcVersionMismatch = "org.apache.hadoop.ipc.RPC$VersionMismatch", Never;
    /// The server failed in a way that is a bug.
    Runtime = "java.lang.RuntimeException", Never;
    /// The DataNode is not, or no longer, registered under this identity.
    UnregisteredNode = "org.apache.hadoop.hdfs.protocol.UnregisteredNodeException", Never;
    /// The DataNode may not join.
    DisallowedDatanode = "org.apache.hadoop.hdfs.server.protocol.DisallowedDatanodeException", Never;
    /// A rolling upgrade is, or is not, under way.
    RollingUpgrade = "org.apache.hadoop.hdfs.protocol.RollingUpgradeException", Never;
    /// Software or layout versions do not fit.
    IncorrectVersion = "org.apache.hadoop.hdfs.server.common.IncorrectVersionException", Never;
    /// A token is wrong, expired or missing.
    InvalidToken = "org.apache.hadoop.security.token.SecretManager$InvalidToken", Never;
    /// The replica is not on this DataNode.
    ReplicaNotFound = "org.apache.hadoop.hdfs.server.datanode.ReplicaNotFoundException", Never;
    /// The replica is already on this DataNode.
    ReplicaAlreadyExists = "org.apache.hadoop.hdfs.server.datanode.ReplicaAlreadyExistsException", Never;
    /// No volume has room.
    DiskOutOfSpace = "org.apache.hadoop.util.DiskChecker$DiskOutOfSpaceException", Never;
    /// A volume failed.
    DiskError = "org.apache.hadoop.util.DiskChecker$DiskErrorException", Never;
    /// Bytes and checksum differ.
    Checksum = "org.apache.hadoop.fs.ChecksumException", Never;
    /// A connection could not be made.
    Connect = "java.net.ConnectException", AfterDelay;
    /// A socket was silent for too long.
    SocketTimeout = "java.net.SocketTimeoutException", AfterDelay;
    /// A connection broke.
    Eof = "java.io.EOFException", AfterDelay;
    /// A host name does not resolve.
    UnknownHost = "java.net.UnknownHostException", Never;
    /// A health check failed.
    HealthCheckFailed = "org.apache.hadoop.ha.HealthCheckFailedException", Never;
    /// A service could not change its state.
    ServiceFailed = "org.apache.hadoop.ha.ServiceFailedException", Never;
    /// A storage folder is in a state that does not allow to start.
    InconsistentFSState = "org.apache.hadoop.hdfs.server.common.InconsistentFSStateException", Never;
    /// A reader of inotify fell so far behind that events were purged.
    MissingEvents = "org.apache.hadoop.hdfs.inotify.MissingEventsException", Never;
    /// A file below a read-only or snapshot path may not be changed.
    SnapshotAccessControl = "org.apache.hadoop.hdfs.protocol.SnapshotAccessControlException", Never;
    /// An extended attribute does not exist.
    XAttrNotFound = "org.apache.hadoop.hdfs.protocol.XAttrNotFoundException", Never;
    /// An erasure-coding policy does not exist or is disabled.
    NoECPolicySet = "org.apache.hadoop.hdfs.protocol.NoECPolicySetException", Never;
    /// The file's directory became an encryption zone, or another one, while its key was made: create it again.
    RetryStartFile = "org.apache.hadoop.hdfs.server.namenode.RetryStartFileException", Never;
    /// Client and zone have no version of encryption in common.
    UnknownCryptoProtocolVersion = "org.apache.hadoop.hdfs.UnknownCryptoProtocolVersionException", Never;
    /// A file system lacks this call.
    InvalidEncryptionKey = "org.apache.hadoop.hdfs.protocol.datatransfer.InvalidEncryptionKeyException", Never;
}

/// Any failure that a client may see: kind, message, and what lies below.
///
/// The message is Hadoop's where clients parse it. Its first line is what `hdfs dfs` prints.
#[derive(Debug)]
pub struct Error {
    /// The class.
    pub kind: ErrorKind,
    /// What happened, to what, and what to do; no class name in front.
    pub message: String,
    /// The cause.
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// A result whose error a client may see.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of this kind.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// A plain `java.io.IOException`.
    pub fn io(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Io, message)
    }

    /// The same with a cause.
    #[must_use]
    pub fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.source = Some(source.into());
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| &**source as _)
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        let kind = match error.kind() {
            std::io::ErrorKind::NotFound => ErrorKind::FileNotFound,
            std::io::ErrorKind::ConnectionRefused => ErrorKind::Connect,
            std::io::ErrorKind::TimedOut => ErrorKind::SocketTimeout,
            std::io::ErrorKind::UnexpectedEof => ErrorKind::Eof,
            _ => ErrorKind::Io,
        };
        Self { kind, message: error.to_string(), source: Some(Box::new(error)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_maps_to_its_kind_and_back() {
        for kind in ErrorKind::ALL {
            assert_eq!(&ErrorKind::from_java_class(kind.java_class()), kind);
        }
        let unknown = ErrorKind::from_java_class("com.example.Odd");
        assert_eq!(unknown.java_class(), "com.example.Odd");
    }
}
