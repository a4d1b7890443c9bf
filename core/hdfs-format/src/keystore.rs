//! Java's keystore of the kind JCEKS, as Hadoop's key provider keeps its keys in one.
//!
//! ```text
//! 0xCECECECE u32 | version u32 = 2 | entries u32 | { tag u32 = 3 | alias utf | created i64 ms | sealed object }*
//! | SHA-1 of (password as UTF-16, "Mighty Aphrodite", all of the above)                all big-endian; utf: u16 length
//! ```
//!
//! A sealed object ([`java_object`]) holds a serialized key, encrypted by the password ([`sealing`]). A key of Hadoop is
//! stored as one entry `NAME` with its metadata, JSON, and one entry `NAME@0`, `NAME@1`, … a version with the bytes.
//! Other kinds of entries, private keys and certificates, are refused.
//!
//! Hadoop: org.apache.hadoop.crypto.key.JavaKeyStoreProvider (3.5.0); com.sun.crypto.provider.JceKeyStore (Java 17)

mod java_object;
mod sealing;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use hdfs_types::{Error, Result};
use sha1::{Digest, Sha1};

use crate::java_hash;
pub use sealing::SALT_BYTES;
use sealing::Sealed;

const MAGIC: u32 = 0xCECE_CECE;
const VERSION: u32 = 2;
const SECRET_KEY: u32 = 3;
const DIGEST_BYTES: usize = 20;
const WHITENER: &[u8] = b"Mighty Aphrodite";
/// Far beyond what Java itself can load in reasonable time.
const MAX_ENTRIES: u32 = 1 << 20;

/// What an entry holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Key {
    /// The bytes of one version of a key.
    Secret {
        /// Its cipher, as `AES/CTR/NoPadding`.
        algorithm: String,
        /// Its bytes.
        material: Bytes,
    },
    /// What Hadoop keeps of a key besides: JSON.
    Metadata(Bytes),
}

impl Key {
    /// From Java's serialization, as an entry holds it sealed.
    ///
    /// # Errors
    /// Io when it is damaged, or no key that Hadoop knows.
    pub fn decode(plain: Bytes) -> Result<Self> {
        java_object::read_key(plain)
    }

    /// As Java serializes it.
    pub fn encode(&self) -> Vec<u8> {
        let mut plain = Vec::new();
        java_object::write_key(&mut plain, self);
        plain
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Entry {
    alias: String,
    created_ms: i64,
    sealed: Sealed,
}

/// A keystore with its entries still sealed.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct KeyStore {
    /// In the order in which they were put.
    entries: Vec<Entry>,
}

impl KeyStore {
    /// Reads a file.
    ///
    /// # Errors
    /// Io with Java's words: `Invalid keystore format`, or for a wrong password `Keystore was tampered with, or password
    /// was incorrect`.
    pub fn decode(bytes: &Bytes, password: &str) -> Result<Self> {
        let mut input = Input(bytes.clone());
        if (input.u32()?, input.u32()?) != (MAGIC, VERSION) {
            return Err(Error::io("Invalid keystore format"));
        }
        let count = input.u32()?;
        if count > MAX_ENTRIES {
            return Err(Error::io(format!("a keystore of {count} entries is damaged")));
        }
        let mut store = Self::default();
        for _ in 0..count {
            if input.u32()? != SECRET_KEY {
                return Err(Error::io(
                    "the keystore holds entries that are no secret keys: not supported",
                ));
            }
            let alias = input.utf()?;
            let created_ms = input.u64()?.cast_signed();
            let sealed = java_object::read_sealed(&mut input)?;
            store.put(Entry { alias, created_ms, sealed });
        }
        let body = bytes.len() - input.0.len();
        let digest = input.take(DIGEST_BYTES)?;
        if digest[..] != digest_of(password, bytes.get(..body).unwrap_or_default()) {
            return Err(Error::io("Keystore was tampered with, or password was incorrect"));
        }
        Ok(store)
    }

    /// The file. Entries have the order in which Java would write them.
    pub fn encode(&self, password: &str) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend(MAGIC.to_be_bytes());
        out.extend(VERSION.to_be_bytes());
        out.extend(u32::try_from(self.entries.len()).unwrap_or(u32::MAX).to_be_bytes());
        for entry in self.in_order() {
            out.extend(SECRET_KEY.to_be_bytes());
            put_utf(&mut out, &entry.alias);
            out.extend(entry.created_ms.to_be_bytes());
            java_object::write_sealed(&mut out, &entry.sealed);
        }
        let digest = digest_of(password, &out);
        out.extend(digest);
        out
    }

    fn in_order(&self) -> impl Iterator<Item = &Entry> {
        let aliases: Vec<&str> = self.entries.iter().map(|entry| entry.alias.as_str()).collect();
        java_hash::hashtable_order(&aliases).into_iter().filter_map(|index| self.entries.get(index))
    }

    /// Names of the entries, in the order in which Java lists them.
    pub fn aliases(&self) -> impl Iterator<Item = &str> {
        self.in_order().map(|entry| entry.alias.as_str())
    }

    fn find(&self, alias: &str) -> Option<&Entry> {
        let alias = alias.to_lowercase();
        self.entries.iter().find(|entry| entry.alias == alias)
    }

    /// True when there is an entry of this name, in whatever case.
    pub fn contains(&self, alias: &str) -> bool {
        self.find(alias).is_some()
    }

    /// The key of an entry. It takes tens of milliseconds: the password is hashed many times.
    ///
    /// # Errors
    /// Io when the entry is damaged, or sealed with another password, or holds no key that Hadoop knows.
    pub fn key(&self, alias: &str, password: &str) -> Result<Option<Key>> {
        let Some(entry) = self.find(alias) else { return Ok(None) };
        Key::decode(entry.sealed.open(password)?).map(Some)
    }

    /// Sets an entry. `salt` is eight random bytes.
    pub fn set(
        &mut self,
        alias: &str,
        key: &Key,
        created_ms: i64,
        salt: [u8; SALT_BYTES],
        password: &str,
    ) {
        let sealed = Sealed::seal(key.encode(), salt, password);
        self.put(Entry { alias: alias.to_lowercase(), created_ms, sealed });
    }

    fn put(&mut self, entry: Entry) {
        match self.entries.iter_mut().find(|old| old.alias == entry.alias) {
            Some(old) => *old = entry,
            None => self.entries.push(entry),
        }
    }

    /// Removes an entry; false when there is none.
    pub fn remove(&mut self, alias: &str) -> bool {
        let alias = alias.to_lowercase();
        let count = self.entries.len();
        self.entries.retain(|entry| entry.alias != alias);
        self.entries.len() < count
    }
}

fn digest_of(password: &str, body: &[u8]) -> [u8; DIGEST_BYTES] {
    let mut sha = Sha1::new();
    for unit in password.encode_utf16() {
        sha.update(unit.to_be_bytes());
    }
    sha.update(WHITENER);
    sha.update(body);
    sha.finalize().into()
}

/// Reads big-endian numbers and strings; what is taken shares the memory of the file.
#[derive(Clone, Debug)]
struct Input(Bytes);

impl Input {
    fn take(&mut self, count: usize) -> Result<Bytes> {
        if count > self.0.len() {
            return Err(Error::io("the keystore ends too early"));
        }
        Ok(self.0.split_to(count))
    }

    fn u8(&mut self) -> Result<u8> {
        Ok(self.take(1)?.first().copied().unwrap_or_default())
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let bytes = self.take(N)?;
        Ok(<[u8; N]>::try_from(bytes.as_ref()).expect("so many bytes were taken"))
    }

    fn u16(&mut self) -> Result<u16> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    /// So many bytes as the next four say.
    fn block(&mut self) -> Result<Bytes> {
        let length = self.u32()?;
        self.take(length as usize)
    }

    /// Java's `readUTF`, for text that has neither NUL nor characters beyond the first plane: there it is UTF-8.
    fn utf(&mut self) -> Result<String> {
        let length = self.u16()?;
        let bytes = self.take(length.into())?;
        let text = std::str::from_utf8(&bytes);
        text.map(str::to_owned).map_err(|_| Error::io("the keystore holds a damaged name"))
    }
}

/// Java's `writeUTF`, for the same text. Longer ones are cut: Java has none.
fn put_utf(out: &mut Vec<u8>, text: &str) {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    out.extend(length.to_be_bytes());
    out.extend(text.bytes().take(length.into()));
}
