//! Where the keys of encryption zones come from, and what is done with them without the machine's lock.
//!
//! A file's key is made before the call that creates the file takes the lock; when the path became, meanwhile, part of
//! another zone, the client is told to call again.
//!
//! Hadoop: org.apache.hadoop.hdfs.DFSUtil.createKeyProviderCryptoExtension,
//! org.apache.hadoop.hdfs.server.namenode.FSDirEncryptionZoneOp (3.5.0)

use std::sync::Arc;

use bytes::Bytes;
use hdfs_conf::Configuration;
use hdfs_namenode::{FileKey, FileKeySource, KeyCipher, NameNode};
use hdfs_proto::hdfs as p;
use hdfs_rt::key_provider::{KeyProvider, KeyProviderConf};
use hdfs_rt::rpc::server::{Reply, RpcCall};
use hdfs_types::{Error, ErrorKind, Result};

use super::audit::Audit;
use super::shell::Shell;

/// The key provider of a NameNode.
#[derive(Debug)]
pub(crate) enum Keys {
    /// None is configured.
    None,
    /// One that is not supported yet; why.
    Unsupported(String),
    /// This one.
    Provider(KeyProvider),
}

impl Keys {
    /// The provider that the configuration names.
    ///
    /// # Errors
    /// When it is one that should work and doesn't.
    pub(crate) fn from_configuration(conf: &Configuration) -> Result<Self> {
        let conf = KeyProviderConf::from_configuration(conf);
        if conf.uri.is_empty() {
            return Ok(Self::None);
        }
        match KeyProvider::open(&conf) {
            Ok(provider) => {
                tracing::info!(provider = provider.uri(), "use key provider");
                Ok(Self::Provider(provider))
            }
            Err(error) if error.kind == ErrorKind::UnsupportedOperation => {
                tracing::warn!(why = error.message, "use no key provider");
                Ok(Self::Unsupported(error.message))
            }
            Err(error) => Err(error),
        }
    }

    /// The provider; none when none is configured.
    ///
    /// # Errors
    /// UnsupportedOperation.
    pub(crate) fn provider(&self) -> Result<Option<&KeyProvider>> {
        match self {
            Self::None => Ok(None),
            Self::Unsupported(why) => {
                Err(Error::new(ErrorKind::UnsupportedOperation, why.as_str()))
            }
            Self::Provider(provider) => Ok(Some(provider)),
        }
    }

    /// What the provider says about the cipher of a key; `None` when there is no provider. The key is ready afterwards.
    pub(crate) fn cipher_of(&self, key: &str) -> Option<KeyCipher> {
        let provider = match self.provider() {
            Ok(provider) => provider?,
            Err(error) => return Some(Err(error)),
        };
        let metadata = provider.metadata(key);
        if matches!(metadata, Ok(Some(_))) {
            warm_up(provider, &[key.to_owned()]);
        }
        Some(metadata.map(|metadata| metadata.map(|metadata| metadata.cipher)))
    }
}

/// Makes the newest versions of keys ready: that takes a while, which the first file of a zone needn't wait for.
pub(crate) fn warm_up(provider: &KeyProvider, names: &[String]) {
    for name in names {
        match provider.current_key(name) {
            Ok(Some(_)) => tracing::debug!(key = name, "warmed up key"),
            Ok(None) => tracing::warn!(key = name, "key of an encryption zone is unknown"),
            Err(error) => tracing::warn!(key = name, %error, "warm up key"),
        }
    }
}

/// Proto: ClientNamenodeProtocol.proto create
pub(super) fn create(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Reply {
    let key = match new_file_key(shell, call) {
        Ok(key) => key,
        Err(error) => return Reply::error(error),
    };
    shell.write(
        call,
        Audit::new("create", |q: &p::CreateRequestProto| (&q.src, "")),
        move |nn, context, request| nn.create(context, request, key.source()),
    )
}

enum NewFileKey {
    NoProvider,
    NotInZone,
    Made(FileKey),
}

impl NewFileKey {
    fn source(&self) -> FileKeySource<'_> {
        match self {
            Self::NoProvider => FileKeySource::NoProvider,
            Self::NotInZone => FileKeySource::NotInZone,
            Self::Made(key) => FileKeySource::Made(key),
        }
    }
}

/// The key of the file that a create is about to make.
fn new_file_key(shell: &Arc<Shell>, call: &RpcCall<'_>) -> Result<NewFileKey> {
    if matches!(shell.keys, Keys::None) {
        return Ok(NewFileKey::NoProvider);
    }
    if shell.read_machine().namespace().encryption_zone_count() == 0 {
        return Ok(NewFileKey::NotInZone);
    }
    let request = call.decode::<p::CreateRequestProto>()?;
    let caller = shell.callers.get(call.caller);
    let ip = call.remote.ip().to_string();
    let context = shell.context(call, &caller, &ip);
    let zone_key = |nn: &NameNode| nn.zone_key_of_new_file(&context, &request);
    let Some(name) = zone_key(&shell.read_machine())? else { return Ok(NewFileKey::NotInZone) };
    let Some(provider) = shell.keys.provider()? else { return Ok(NewFileKey::NoProvider) };
    let made = provider.generate_encrypted_key(&name)?;
    Ok(NewFileKey::Made(FileKey {
        zone_key: made.key_name,
        version: made.version_name,
        iv: Bytes::copy_from_slice(&made.iv),
        encrypted: made.encrypted,
    }))
}
