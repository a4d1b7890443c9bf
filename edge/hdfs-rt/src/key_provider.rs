//! The key provider of encryption zones: where zones' keys are kept, and what is done with them.
//!
//! A key has a name, metadata, and versions `NAME@0`, `NAME@1`, …; a file's own key is kept encrypted with one of them.
//! Keys of a keystore file are here; those of a key server (`kms://`) are not supported yet.
//!
//! Hadoop: org.apache.hadoop.crypto.key.{KeyProvider, KeyProviderCryptoExtension}, org.apache.hadoop.util.KMSUtil (3.5.0)

mod keystore_file;
mod metadata;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use hdfs_conf::{Configuration, keys};
use hdfs_format::encryption::{self, IV_BYTES, Iv};
use hdfs_types::{Error, ErrorKind, Result};
use rustix::rand::{GetRandomFlags, getrandom};

use keystore_file::KeystoreFile;
pub use metadata::{KeyMetadata, KeyOptions};

/// Names the password of keystores.
pub const PASSWORD_VARIABLE: &str = "HADOOP_KEYSTORE_PASSWORD";

/// One version of a key.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyVersion {
    /// `NAME@NUMBER`
    pub name: String,
    /// The key itself.
    pub material: Bytes,
}

/// A file's key, encrypted with its zone's.
///
/// Hadoop: KeyProviderCryptoExtension.EncryptedKeyVersion
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EncryptedKey {
    /// Name of the zone's key.
    pub key_name: String,
    /// The version that encrypts it.
    pub version_name: String,
    /// Initialization vector of the file.
    pub iv: Iv,
    /// The file's key, encrypted.
    pub encrypted: Bytes,
}

/// What the configuration says of key providers.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct KeyProviderConf {
    /// `hadoop.security.key.provider.path`; empty: none.
    pub uri: String,
    /// File with the password of keystores; empty: none.
    pub password_file: String,
}

impl KeyProviderConf {
    /// As the configuration has it.
    pub fn from_configuration(conf: &Configuration) -> Self {
        let text = |key| conf.get_str(key).trim().to_owned();
        Self {
            uri: text(&keys::HADOOP_SECURITY_KEY_PROVIDER_PATH),
            password_file: text(&keys::HADOOP_SECURITY_KEYSTORE_PASSWORD_FILE),
        }
    }
}

/// A source of keys.
#[derive(Debug)]
pub struct KeyProvider {
    uri: String,
    file: KeystoreFile,
}

impl KeyProvider {
    /// The provider at `jceks://file/PATH`.
    ///
    /// # Errors
    /// Io for a keystore that can't be read; UnsupportedOperation for one elsewhere, and for other providers of Hadoop's.
    pub fn open(conf: &KeyProviderConf) -> Result<Self> {
        let uri = conf.uri.as_str();
        let unsupported = |why: &str| {
            let text = format!("The key provider {uri} is not supported{why}");
            Error::new(ErrorKind::UnsupportedOperation, text)
        };
        let unknown = || {
            let key = keys::HADOOP_SECURITY_KEY_PROVIDER_PATH.name;
            Error::io(format!("No KeyProviderFactory for {uri} in {key}"))
        };
        let (scheme, nested) = uri.split_once("://").ok_or_else(unknown)?;
        match scheme {
            "jceks" => match nested.split_once('/') {
                Some(("file", path)) => {
                    let file = KeystoreFile::open(&format!("/{path}"), conf)?;
                    Ok(Self { uri: uri.to_owned(), file })
                }
                _ => Err(unsupported(": keystores are local files, jceks://file/PATH")),
            },
            "user" => Err(Error::io(format!(
                "KeyProvider {uri} was found but it is a transient provider."
            ))),
            "kms" => Err(unsupported(" yet")),
            _ => Err(unknown()),
        }
    }

    /// Its URI.
    pub fn uri(&self) -> &str {
        &self.uri
    }

    /// Names of the keys, in Java's order.
    ///
    /// # Errors
    /// Io for a keystore that can't be read any more.
    pub fn key_names(&self) -> Result<Vec<String>> {
        self.file.names()
    }

    /// What is kept of a key; none for an unknown one.
    ///
    /// # Errors
    /// Io for a damaged keystore.
    pub fn metadata(&self, name: &str) -> Result<Option<KeyMetadata>> {
        self.file.metadata(name)
    }

    /// A version of a key; none for an unknown one.
    ///
    /// # Errors
    /// Io for a damaged keystore.
    pub fn key_version(&self, version_name: &str) -> Result<Option<KeyVersion>> {
        self.file.version(version_name)
    }

    /// The newest version of a key.
    ///
    /// # Errors
    /// Io for a damaged keystore.
    pub fn current_key(&self, name: &str) -> Result<Option<KeyVersion>> {
        match self.metadata(name)? {
            Some(metadata) => self.key_version(&version_name(name, metadata.versions - 1)),
            None => Ok(None),
        }
    }

    /// Makes a key of random bytes. The file is written.
    ///
    /// # Errors
    /// Io when there is one of this name or the keystore can't be written, IllegalArgument for a name with capitals,
    /// InvalidParameter for a length that its cipher doesn't have.
    pub fn create(&self, name: &str, options: &KeyOptions, now_ms: i64) -> Result<()> {
        let material = material(&options.cipher, options.bit_length)?;
        self.file.create(name, options, &material, now_ms)
    }

    /// Adds a version of random bytes to a key, and gives its name. The file is written.
    ///
    /// # Errors
    /// Io for an unknown key, or when the keystore can't be written.
    pub fn roll(&self, name: &str, now_ms: i64) -> Result<String> {
        let unknown = || Error::io(format!("Can't find Metadata for key {name}"));
        let metadata = self.metadata(name)?.ok_or_else(unknown)?;
        let material = material(&metadata.cipher, metadata.bit_length)?;
        self.file.roll(name, &material, now_ms)
    }

    /// Removes a key with its versions. The file is written.
    ///
    /// # Errors
    /// Io for an unknown key, or when the keystore can't be written.
    pub fn delete(&self, name: &str) -> Result<()> {
        self.file.delete(name)
    }

    /// True when no password was configured.
    pub fn has_default_password(&self) -> bool {
        self.file.has_default_password()
    }

    /// A new key for a file of a zone, encrypted with the newest version of the zone's.
    ///
    /// # Errors
    /// Io for an unknown key or a damaged keystore.
    pub fn generate_encrypted_key(&self, name: &str) -> Result<EncryptedKey> {
        let zone_key = self.current_key(name)?.ok_or_else(|| {
            Error::new(ErrorKind::NullPointer, format!("No KeyVersion exists for key '{name}' "))
        })?;
        let mut iv = [0; IV_BYTES];
        fill_random(&mut iv)?;
        let mut key = vec![0; zone_key.material.len()];
        fill_random(&mut key)?;
        encryption::wrap_file_key(&zone_key.material, &iv, &mut key)?;
        Ok(EncryptedKey {
            key_name: name.to_owned(),
            version_name: zone_key.name,
            iv,
            encrypted: key.into(),
        })
    }

    /// The key of a file.
    ///
    /// # Errors
    /// Io for an unknown version of the zone's key or a damaged keystore.
    pub fn decrypt(&self, key: &EncryptedKey) -> Result<Bytes> {
        let version = &key.version_name;
        let zone_key = self.key_version(version)?.ok_or_else(|| {
            let text = format!("KeyVersion name '{version}' does not exist");
            Error::new(ErrorKind::NullPointer, text)
        })?;
        let mut file_key = key.encrypted.to_vec();
        encryption::wrap_file_key(&zone_key.material, &key.iv, &mut file_key)?;
        Ok(file_key.into())
    }

    /// The same file key, encrypted with the newest version of its zone's.
    ///
    /// # Errors
    /// As [`Self::decrypt`].
    pub fn reencrypt(&self, key: &EncryptedKey) -> Result<EncryptedKey> {
        let name = &key.key_name;
        let zone_key = self.current_key(name)?.ok_or_else(|| {
            Error::new(ErrorKind::NullPointer, format!("Key name '{name}' does not exist"))
        })?;
        if zone_key.name == key.version_name {
            return Ok(key.clone());
        }
        let mut file_key = self.decrypt(key)?.to_vec();
        encryption::wrap_file_key(&zone_key.material, &key.iv, &mut file_key)?;
        Ok(EncryptedKey { version_name: zone_key.name, encrypted: file_key.into(), ..key.clone() })
    }
}

/// The words of a key without its bytes: they don't belong into a log.
impl std::fmt::Debug for KeyVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "key({})", self.name)
    }
}

fn version_name(name: &str, version: u32) -> String {
    format!("{name}@{version}")
}

/// A key of random bytes.
fn material(cipher: &str, bits: u32) -> Result<Vec<u8>> {
    let algorithm = cipher.split('/').next().unwrap_or_default();
    if !algorithm.eq_ignore_ascii_case("AES") {
        let text = format!("{algorithm} KeyGenerator not available");
        return Err(Error::new(ErrorKind::Remote(NO_SUCH_ALGORITHM.to_owned()), text));
    }
    if !matches!(bits, 128 | 192 | 256) {
        let text = "Wrong keysize: must be equal to 128, 192 or 256";
        return Err(Error::new(ErrorKind::Remote(INVALID_PARAMETER.to_owned()), text));
    }
    let mut material = vec![0; bits as usize / 8];
    fill_random(&mut material)?;
    Ok(material)
}

const NO_SUCH_ALGORITHM: &str = "java.security.NoSuchAlgorithmException";
const INVALID_PARAMETER: &str = "java.security.InvalidParameterException";

/// Fills with random bytes that nobody can guess.
///
/// # Errors
/// Io when the system has none.
pub fn fill_random(mut bytes: &mut [u8]) -> Result<()> {
    while !bytes.is_empty() {
        let count = getrandom(&mut *bytes, GetRandomFlags::empty())
            .map_err(|error| Error::io(format!("the system has no random bytes: {error}")))?;
        bytes = &mut bytes[count..];
    }
    Ok(())
}
