//! Files in encryption zones: their keys are decrypted by the key provider, their bytes here.
//!
//! The provider is the one that the NameNode names; a NameNode of before Hadoop 3 names none, and then it is the
//! configuration's. Providers are shared by all clients of the process, and so are the keys that they have decrypted.
//!
//! Hadoop: org.apache.hadoop.hdfs.{HdfsKMSUtil, KeyProviderCache} (3.5.0)

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use hdfs_format::encryption::{self, AesCtr, Iv};
use hdfs_proto::hdfs as proto;
use hdfs_proto::hdfs::{CipherSuiteProto, CryptoProtocolVersionProto};
use hdfs_rt::key_provider::{EncryptedKey, KeyProvider, KeyProviderConf};
use hdfs_types::{Error, ErrorKind, Result};
use parking_lot::Mutex;

use crate::HdfsClient;

/// Versions of the encryption that [`FileCipher`] knows.
pub(crate) const CRYPTO_PROTOCOL_VERSIONS: [i32; 1] =
    [CryptoProtocolVersionProto::EncryptionZones as i32];

/// URI and password file of a provider, and the provider.
static PROVIDERS: Mutex<BTreeMap<(String, String), Arc<KeyProvider>>> = Mutex::new(BTreeMap::new());

/// Key and initialization vector of one file.
#[derive(Clone)]
pub(crate) struct FileCipher {
    key: Bytes,
    iv: Iv,
}

impl fmt::Debug for FileCipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FileCipher")
    }
}

impl FileCipher {
    /// What encrypts or decrypts one stream of the file's bytes.
    pub(crate) fn start(&self) -> AesCtr {
        AesCtr::new(&self.key, &self.iv).expect("a key of this length was made before")
    }
}

impl HdfsClient {
    /// What the bytes of a file are encrypted with; none for one that isn't.
    pub(crate) async fn file_cipher(
        &self,
        info: Option<&proto::FileEncryptionInfoProto>,
    ) -> Result<Option<FileCipher>> {
        let Some(info) = info else { return Ok(None) };
        if !CRYPTO_PROTOCOL_VERSIONS.contains(&info.crypto_protocol_version) {
            let text = format!("unknown crypto protocol version {}", info.crypto_protocol_version);
            return Err(Error::new(ErrorKind::UnknownCryptoProtocolVersion, text));
        }
        if info.suite != CipherSuiteProto::AesCtrNopadding as i32 {
            let suite = match CipherSuiteProto::try_from(info.suite) {
                Ok(CipherSuiteProto::Sm4CtrNopadding) => "SM4/CTR/NoPadding",
                _ => "Unknown",
            };
            let text = format!("The cipher suite {suite} is not supported");
            return Err(Error::new(ErrorKind::UnsupportedOperation, text));
        }
        let iv = encryption::iv(&info.iv)?;
        let encrypted = EncryptedKey {
            key_name: info.key_name.clone(),
            version_name: info.ez_key_version_name.clone(),
            iv,
            encrypted: info.key.clone(),
        };
        let conf = self.key_provider_conf().await?;
        // The first look at a key hashes the password for tens of milliseconds.
        let key = tokio::task::spawn_blocking(move || provider(conf)?.decrypt(&encrypted)).await;
        let key = key.map_err(|error| Error::io(format!("decrypt a file's key: {error}")))??;
        AesCtr::new(&key, &iv)?;
        Ok(Some(FileCipher { key, iv }))
    }

    async fn key_provider_conf(&self) -> Result<KeyProviderConf> {
        let configured = &self.conf().key_provider;
        let named = self.key_provider_uri().get_or_try_init(|| async {
            let named = self.server_defaults().await?.key_provider_uri;
            Ok::<_, Error>(named.unwrap_or_else(|| configured.uri.clone()))
        });
        let uri = named.await?.trim().to_owned();
        if uri.is_empty() {
            return Err(Error::io("No KeyProvider is configured, cannot access an encrypted file"));
        }
        Ok(KeyProviderConf { uri, password_file: configured.password_file.clone() })
    }
}

fn provider(conf: KeyProviderConf) -> Result<Arc<KeyProvider>> {
    let mut providers = PROVIDERS.lock();
    let name = (conf.uri.clone(), conf.password_file.clone());
    if let Some(known) = providers.get(&name) {
        return Ok(Arc::clone(known));
    }
    let provider = Arc::new(KeyProvider::open(&conf)?);
    providers.insert(name, Arc::clone(&provider));
    Ok(provider)
}
