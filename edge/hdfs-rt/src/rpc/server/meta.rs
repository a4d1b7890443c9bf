//! `ProtocolMetaInfoPB`: which versions of which protocols a server has. Every server answers it.

use hdfs_proto::common::{
    GetProtocolSignatureRequestProto, GetProtocolSignatureResponseProto,
    GetProtocolVersionsRequestProto, GetProtocolVersionsResponseProto, ProtocolSignatureProto,
    ProtocolVersionProto,
};
use hdfs_types::Result;

use super::{Protocol, Reply, RpcCall, RpcService};

const NAME: &str = "org.apache.hadoop.ipc.ProtocolMetaInfoPB";
const PROTOBUF_KIND: &str = "RPC_PROTOCOL_BUFFER";

/// The service.
///
/// Proto: ProtocolInfo.proto ProtocolInfoService
pub(super) struct MetaInfo {
    served: Vec<Protocol>,
    own: [Protocol; 1],
}

impl MetaInfo {
    pub(super) fn new(served: Vec<Protocol>) -> Self {
        Self { served, own: [Protocol { java_name: NAME, version: 1 }] }
    }

    /// Versions of a protocol, named as a client names it: by the annotated name or by the Java class that carries it.
    fn versions(&self, asked: &str) -> Vec<u64> {
        let all = self.served.iter().chain(&self.own);
        let is_asked = |protocol: &&Protocol| {
            protocol.java_name == asked || simple_name(protocol.java_name) == simple_name(asked)
        };
        all.filter(is_asked).map(|found| found.version).collect()
    }

    fn get_protocol_versions(
        &self,
        request: &GetProtocolVersionsRequestProto,
    ) -> GetProtocolVersionsResponseProto {
        GetProtocolVersionsResponseProto {
            protocol_versions: vec![ProtocolVersionProto {
                rpc_kind: PROTOBUF_KIND.to_owned(),
                versions: self.versions(&request.protocol),
            }],
        }
    }

    // Differs: no method hashes. They are Java's hash codes of Java's signatures; no client of HDFS asks for them outside
    // of tests, and an empty list reads as "not supported".
    fn get_protocol_signature(
        &self,
        request: &GetProtocolSignatureRequestProto,
    ) -> GetProtocolSignatureResponseProto {
        let mut versions = self.versions(&request.protocol);
        if request.rpc_kind != PROTOBUF_KIND {
            versions.clear();
        }
        let signature = |version| ProtocolSignatureProto { version, methods: Vec::new() };
        GetProtocolSignatureResponseProto {
            protocol_signature: versions.into_iter().map(signature).collect(),
        }
    }

    fn answer(&self, call: &RpcCall<'_>) -> Result<Option<Reply>> {
        Ok(match call.method {
            "getProtocolVersions" => {
                Some(Reply::message(&self.get_protocol_versions(&call.decode()?)))
            }
            "getProtocolSignature" => {
                Some(Reply::message(&self.get_protocol_signature(&call.decode()?)))
            }
            _ => None,
        })
    }
}

impl RpcService for MetaInfo {
    fn protocols(&self) -> &[Protocol] {
        &self.own
    }

    fn call(&self, call: RpcCall<'_>) -> Reply {
        match self.answer(&call) {
            Ok(Some(reply)) => reply,
            Ok(None) => call.no_such_method(),
            Err(error) => Reply::error(error),
        }
    }
}

/// The last part of the protocol name that a Java class carries as `@ProtocolInfo(protocolName = …)`: the classes are
/// named after their protocols, with `PB` behind, except one.
fn simple_name(class: &str) -> &str {
    let simple = class.rsplit('.').next().unwrap_or(class);
    match simple.strip_suffix("PB") {
        Some("ClientNamenodeProtocol") => "ClientProtocol",
        Some("ProtocolMetaInfo") | None => simple,
        Some(protocol) => protocol,
    }
}
