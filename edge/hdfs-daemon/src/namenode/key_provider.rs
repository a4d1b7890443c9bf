//! Where encryption keys come from: nowhere yet. A NameNode without a provider says so in Hadoop's words; one whose
//! configuration names a provider says that it can't use it.
//!
//! Hadoop: org.apache.hadoop.hdfs.DFSUtil.createKeyProviderCryptoExtension (3.5.0)

use hdfs_conf::{Configuration, keys};
use hdfs_namenode::KeyCipher;
use hdfs_types::{Error, ErrorKind};

/// True when the configuration names a provider.
pub(super) fn is_configured(conf: &Configuration) -> bool {
    !conf.get_str(&keys::HADOOP_SECURITY_KEY_PROVIDER_PATH).trim().is_empty()
}

/// What the provider says about the cipher of a key; `None` when there is no provider.
pub(super) fn cipher_of(conf: &Configuration) -> Option<KeyCipher> {
    is_configured(conf).then(|| {
        let provider = conf.get_str(&keys::HADOOP_SECURITY_KEY_PROVIDER_PATH);
        Err(Error::new(
            ErrorKind::UnsupportedOperation,
            format!("The key provider {provider} is not supported yet"),
        ))
    })
}
