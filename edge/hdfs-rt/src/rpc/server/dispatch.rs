//! From a protocol's name to the service that answers it.

use std::sync::Arc;

use hdfs_format::rpc::{ErrorReply, MethodHeader};
use hdfs_proto::common::rpc_response_header_proto::{RpcErrorCodeProto, RpcStatusProto};
use hdfs_types::{Error, ErrorKind};

use super::meta::MetaInfo;
use super::{Protocol, RpcService};

/// The services of one server; the first that declares a protocol answers it.
pub(super) struct Dispatch {
    entries: Vec<(Protocol, Arc<dyn RpcService>)>,
}

impl Dispatch {
    pub(super) fn new(services: Vec<Arc<dyn RpcService>>) -> Self {
        let mut entries: Vec<(Protocol, Arc<dyn RpcService>)> = Vec::new();
        for service in services {
            for protocol in service.protocols() {
                entries.push((*protocol, Arc::clone(&service)));
            }
        }
        let meta: Arc<dyn RpcService> =
            Arc::new(MetaInfo::new(entries.iter().map(|(protocol, _)| *protocol).collect()));
        for protocol in meta.protocols() {
            entries.push((*protocol, Arc::clone(&meta)));
        }
        Self { entries }
    }

    /// The service for a call.
    ///
    /// # Errors
    /// `RpcNoSuchProtocol` or `RpcVersionMismatch`, in Hadoop's words.
    pub(super) fn find(&self, method: &MethodHeader<'_>) -> Result<&Arc<dyn RpcService>, Error> {
        let mut highest = None;
        for (protocol, service) in &self.entries {
            if protocol.java_name == method.protocol {
                if protocol.version == method.version {
                    return Ok(service);
                }
                highest = highest.max(Some(protocol.version));
            }
        }
        let name = method.protocol;
        Err(match highest {
            None => Error::new(ErrorKind::RpcNoSuchProtocol, format!("Unknown protocol: {name}")),
            Some(server) => Error::new(
                ErrorKind::RpcVersionMismatch,
                format!(
                    "Protocol {name} version mismatch. (client = {}, server = {server})",
                    method.version
                ),
            ),
        })
    }
}

/// How an error of a call goes to the client.
pub(super) fn error_reply(error: &Error) -> ErrorReply<'_> {
    let detail = match error.kind {
        ErrorKind::RpcNoSuchMethod => RpcErrorCodeProto::ErrorNoSuchMethod,
        ErrorKind::RpcNoSuchProtocol => RpcErrorCodeProto::ErrorNoSuchProtocol,
        ErrorKind::RpcServer => RpcErrorCodeProto::ErrorRpcServer,
        ErrorKind::RpcVersionMismatch => RpcErrorCodeProto::ErrorRpcVersionMismatch,
        _ => RpcErrorCodeProto::ErrorApplication,
    };
    ErrorReply {
        status: RpcStatusProto::Error,
        detail,
        class: error.kind.java_class(),
        message: &error.message,
    }
}
