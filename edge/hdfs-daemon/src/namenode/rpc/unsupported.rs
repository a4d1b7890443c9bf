//! The methods of ClientProtocol that wait for a later feature. Hadoop has them, so the answer is not "no such method".
//!
//! Proto: ClientNamenodeProtocol.proto

use hdfs_rt::rpc::server::{Reply, RpcCall};
use hdfs_types::{Error, ErrorKind};

/// Method and the feature that it waits for.
const WAITING: &[(&str, &str)] =
    &[("renewDelegationToken", "security"), ("cancelDelegationToken", "security")];

/// Methods that Hadoop refuses too, as long as their feature is switched off; class and text are Hadoop's.
const SWITCHED_OFF: &[(&str, &str, &str)] = &[
    ("createSymlink", "java.lang.UnsupportedOperationException", "Symlinks not supported"),
    (
        "satisfyStoragePolicy",
        "org.apache.hadoop.hdfs.server.namenode.UnsupportedActionException",
        "Cannot request to satisfy storage policy when storage policy satisfier feature has been disabled by admin. Seek \
         for an admin help to enable it or use Mover tool.",
    ),
];

/// Answers a method that is not built yet; `None` when Hadoop has no such method either.
pub(super) fn call(call: &RpcCall<'_>) -> Option<Reply> {
    if let Some((_, class, text)) = SWITCHED_OFF.iter().find(|of| of.0 == call.method) {
        return Some(Reply::error(Error::new(ErrorKind::from_java_class(class), *text)));
    }
    let (_, feature) = WAITING.iter().find(|(method, _)| *method == call.method)?;
    Some(Reply::error(Error::new(
        ErrorKind::UnsupportedOperation,
        format!("{} is not supported yet (it comes with {feature})", call.method),
    )))
}
