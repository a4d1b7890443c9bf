//! A keystore in a local file, with the files beside it that tell of a write which did not end.
//!
//! A write moves the file away to `NAME_OLD`, writes `NAME_NEW`, renames it to `NAME`, removes `NAME_OLD`. Whoever opens
//! the keystore completes or undoes what he finds. Java's local file system keeps checksums in `.NAME.crc`, and refuses a
//! file that does not have them: they go along.
//!
//! A process that has the keystore open sees what another one has written: the file is read again when it has changed.
//!
//! Hadoop: org.apache.hadoop.crypto.key.JavaKeyStoreProvider (3.5.0)
// Differs: Hadoop's NameNode reads the keystore once, and learns of a new version of a key at its next start.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind as IoKind, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use hdfs_format::keystore::{Key, KeyStore, SALT_BYTES};
use hdfs_types::{Error, ErrorKind, Result};
use parking_lot::Mutex;

use super::metadata::{KeyMetadata, KeyOptions};
use super::{KeyProviderConf, KeyVersion, PASSWORD_VARIABLE, fill_random, version_name};
use crate::{clock, conf_files, disk};

const DEFAULT_PASSWORD: &str = "none";
const DEFAULT_MODE: u32 = 0o600;
/// A keystore of a hundred thousand keys is smaller.
const MAX_BYTES: u64 = 256 << 20;
const CRC_MAGIC: &[u8] = b"crc\0";
const CRC_CHUNK_BYTES: u32 = 512;

/// A keystore file, open.
pub(super) struct KeystoreFile {
    path: PathBuf,
    uri: String,
    /// None: the default one.
    password: Option<String>,
    state: Mutex<State>,
}

/// What identifies a content of the file.
type Stamp = Option<(u64, i64, i64, u64)>;

#[derive(Default)]
struct State {
    store: KeyStore,
    stamp: Stamp,
    mode: u32,
    /// Unsealed, by name: unsealing takes long.
    metadata: BTreeMap<String, KeyMetadata>,
    versions: BTreeMap<String, KeyVersion>,
}

impl fmt::Debug for KeystoreFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeystoreFile").field("path", &self.path).finish_non_exhaustive()
    }
}

impl KeystoreFile {
    /// Opens it; one that is not there is empty.
    pub(super) fn open(path: &str, conf: &KeyProviderConf) -> Result<Self> {
        let file = Self {
            path: PathBuf::from(path),
            uri: conf.uri.clone(),
            password: locate_password(&conf.password_file)?,
            state: Mutex::default(),
        };
        *file.state.lock() = file.locate()?;
        Ok(file)
    }

    fn password(&self) -> &str {
        self.password.as_deref().unwrap_or(DEFAULT_PASSWORD)
    }

    pub(super) fn has_default_password(&self) -> bool {
        self.password.is_none()
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = self.path.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    }

    /// Reads the file, or what an interrupted write left.
    fn locate(&self) -> Result<State> {
        let (old, new) = (self.beside("_OLD"), self.beside("_NEW"));
        if !self.path.exists() {
            return self.locate_interrupted(&old, &new);
        }
        if new.exists() {
            let (path, new) = (java_path(&self.path), java_path(&new));
            return Err(Error::io(format!(
                "Keystore not loaded due to some inconsistency ('{path}' and '{new}' should not exist together)!!"
            )));
        }
        match self.load(&self.path) {
            Ok(state) => {
                remove(&old)?;
                Ok(state)
            }
            // A damaged file gives way to what it was before; a wrong password changes nothing.
            Err(error) if is_wrong_password(&error) || !old.exists() => Err(error),
            Err(_) => {
                let mut state = self.load(&old)?;
                rename(&self.path, &self.beside(&format!("_CORRUPTED_{}", clock::wall().0)))?;
                rename(&old, &self.path)?;
                state.stamp = stamp(&self.path);
                Ok(state)
            }
        }
    }

    fn locate_interrupted(&self, old: &Path, new: &Path) -> Result<State> {
        for (whole, other) in [(new, old), (old, new)] {
            if !whole.exists() {
                continue;
            }
            match self.load(whole) {
                Ok(mut state) => {
                    rename(whole, &self.path)?;
                    remove(other)?;
                    state.stamp = stamp(&self.path);
                    return Ok(state);
                }
                Err(error) if is_wrong_password(&error) => return Err(error),
                Err(error) => {
                    tracing::warn!(file = %whole.display(), %error, "read keystore");
                }
            }
        }
        Ok(State { mode: DEFAULT_MODE, ..State::default() })
    }

    fn load(&self, path: &Path) -> Result<State> {
        let failed = |error: std::io::Error| match error.kind() {
            IoKind::NotFound => {
                let text = format!("File {} does not exist", java_path(path));
                Error::new(ErrorKind::FileNotFound, text)
            }
            _ => Error::io(format!("{} ({error})", path.display())),
        };
        let about = fs::metadata(path).map_err(failed)?;
        if about.len() > MAX_BYTES {
            return Err(Error::io(format!("{} is too long for a keystore", path.display())));
        }
        let bytes = Bytes::from(fs::read(path).map_err(failed)?);
        Ok(State {
            store: KeyStore::decode(&bytes, self.password())?,
            stamp: stamp_of(&about),
            mode: about.permissions().mode() & 0o777,
            ..State::default()
        })
    }

    /// Reads the file again when somebody else wrote it. While he does so there is no file: what was known holds.
    fn refresh(&self, state: &mut State) -> Result<()> {
        let now = stamp(&self.path);
        if now.is_some() && now != state.stamp {
            *state = self.load(&self.path)?;
        }
        Ok(())
    }

    pub(super) fn names(&self) -> Result<Vec<String>> {
        let mut state = self.state.lock();
        self.refresh(&mut state)?;
        Ok(state.store.aliases().filter(|alias| !alias.contains('@')).map(str::to_owned).collect())
    }

    pub(super) fn metadata(&self, name: &str) -> Result<Option<KeyMetadata>> {
        let mut state = self.state.lock();
        self.refresh(&mut state)?;
        self.metadata_of(&mut state, name)
    }

    fn metadata_of(&self, state: &mut State, name: &str) -> Result<Option<KeyMetadata>> {
        if let Some(known) = state.metadata.get(name) {
            return Ok(Some(known.clone()));
        }
        match state.store.key(name, self.password())? {
            None => Ok(None),
            Some(Key::Metadata(json)) => {
                let metadata = KeyMetadata::parse(&json)?;
                state.metadata.insert(name.to_owned(), metadata.clone());
                Ok(Some(metadata))
            }
            Some(Key::Secret { .. }) => Err(Error::io(format!(
                "Can't cast key for {name} in keystore {} to a KeyMetadata. Key may have been added using  keytool or \
                 some other non-Hadoop method.",
                java_path(&self.path)
            ))),
        }
    }

    pub(super) fn version(&self, version_name: &str) -> Result<Option<KeyVersion>> {
        let mut state = self.state.lock();
        self.refresh(&mut state)?;
        if let Some(known) = state.versions.get(version_name) {
            return Ok(Some(known.clone()));
        }
        match state.store.key(version_name, self.password())? {
            None => Ok(None),
            Some(Key::Secret { material, .. }) => {
                let version = KeyVersion { name: version_name.to_owned(), material };
                state.versions.insert(version_name.to_owned(), version.clone());
                Ok(Some(version))
            }
            Some(Key::Metadata(_)) => {
                Err(Error::io(format!("No version in key path {version_name}")))
            }
        }
    }

    pub(super) fn create(
        &self,
        name: &str,
        options: &KeyOptions,
        material: &[u8],
        now_ms: i64,
    ) -> Result<()> {
        if name.chars().any(char::is_uppercase) {
            let text = format!("Uppercase key names are unsupported: {name}");
            return Err(Error::new(ErrorKind::IllegalArgument, text));
        }
        check_text(name)?;
        check_text(&options.cipher)?;
        let mut state = self.state.lock();
        self.refresh(&mut state)?;
        if state.store.contains(name) {
            return Err(Error::io(format!("Key {name} already exists in {}", self.uri)));
        }
        let metadata = KeyMetadata {
            cipher: options.cipher.clone(),
            bit_length: options.bit_length,
            created_ms: now_ms,
            description: options.description.clone(),
            attributes: options.attributes().to_vec(),
            versions: 1,
        };
        let mut store = state.store.clone();
        self.put(&mut store, name, &metadata, material, now_ms)?;
        self.write(&mut state, store)
    }

    /// Puts the newest version of a key, and its metadata.
    fn put(
        &self,
        store: &mut KeyStore,
        name: &str,
        metadata: &KeyMetadata,
        material: &[u8],
        now_ms: i64,
    ) -> Result<()> {
        let newest = Key::Secret {
            algorithm: metadata.cipher.clone(),
            material: Bytes::copy_from_slice(material),
        };
        let version = version_name(name, metadata.versions - 1);
        for (alias, key) in [(version.as_str(), newest), (name, Key::Metadata(metadata.json()))] {
            let mut salt = [0; SALT_BYTES];
            fill_random(&mut salt)?;
            store.set(alias, &key, now_ms, salt, self.password());
        }
        Ok(())
    }

    pub(super) fn roll(&self, name: &str, material: &[u8], now_ms: i64) -> Result<String> {
        let mut state = self.state.lock();
        self.refresh(&mut state)?;
        let unknown = || Error::io(format!("Key {name} not found"));
        let mut metadata = self.metadata_of(&mut state, name)?.ok_or_else(unknown)?;
        metadata.versions += 1;
        let mut store = state.store.clone();
        self.put(&mut store, name, &metadata, material, now_ms)?;
        self.write(&mut state, store)?;
        Ok(version_name(name, metadata.versions - 1))
    }

    pub(super) fn delete(&self, name: &str) -> Result<()> {
        let mut state = self.state.lock();
        self.refresh(&mut state)?;
        let metadata = self
            .metadata_of(&mut state, name)?
            .ok_or_else(|| Error::io(format!("Key {name} does not exist in {}", self.uri)))?;
        let mut store = state.store.clone();
        for version in 0..metadata.versions {
            store.remove(&version_name(name, version));
        }
        store.remove(name);
        self.write(&mut state, store)
    }

    /// Replaces the file. When it fails the old one is back, and what was known holds.
    fn write(&self, state: &mut State, store: KeyStore) -> Result<()> {
        let (old, new) = (self.beside("_OLD"), self.beside("_NEW"));
        for left in [&new, &old] {
            if left.exists() {
                let mut orphan = left.clone().into_os_string();
                orphan.push(format!("_ORPHANED_{}", clock::wall().0));
                rename(left, Path::new(&orphan))?;
            }
        }
        if let Some(parent) = self.path.parent() {
            disk::create_dir_all_durable(parent)?;
        }
        let had_file = self.path.exists();
        if had_file {
            rename(&self.path, &old)?;
        }
        if let Err(error) = write_file(&new, &store.encode(self.password()), state.mode) {
            if had_file {
                rename(&old, &self.path)?;
            }
            return Err(error);
        }
        rename(&new, &self.path)?;
        remove(&old)?;
        let mode = state.mode;
        *state = State { store, stamp: stamp(&self.path), mode, ..State::default() };
        Ok(())
    }
}

/// The password that the environment or the configuration names.
fn locate_password(name: &str) -> Result<Option<String>> {
    if let Ok(password) = std::env::var(PASSWORD_VARIABLE) {
        return Ok(Some(password));
    }
    if name.is_empty() {
        return Ok(None);
    }
    let folders = conf_files::configuration_directories();
    let file =
        folders.iter().map(|folder| Path::new(folder).join(name)).find(|file| file.is_file());
    let file = file.ok_or_else(|| Error::io("Password file does not exist"))?;
    let text = fs::read_to_string(&file)
        .map_err(|error| Error::io(format!("{} ({error})", file.display())))?;
    Ok(Some(text.trim().to_owned()))
}

/// Java writes text of a keystore in its own kind of UTF-8, which differs in what is refused here, and of no more than
/// 65,535 bytes; a version's number comes behind a name.
fn check_text(text: &str) -> Result<()> {
    const LONGEST_BYTES: usize = 65_000;
    let is_plain = |char: char| char != '\0' && u32::from(char) <= 0xFFFF;
    if text.len() <= LONGEST_BYTES && text.chars().all(is_plain) {
        return Ok(());
    }
    let shown: String = text.chars().take(40).collect();
    Err(Error::new(
        ErrorKind::IllegalArgument,
        format!(
            "a keystore can't hold the name {shown:?}: it is too long, or has characters beyond U+FFFF"
        ),
    ))
}

fn is_wrong_password(error: &Error) -> bool {
    error.message.contains("password was incorrect")
}

/// As Hadoop prints the path of a local file.
fn java_path(path: &Path) -> String {
    format!("file:{}", path.display())
}

fn stamp(path: &Path) -> Stamp {
    stamp_of(&fs::metadata(path).ok()?)
}

fn stamp_of(about: &fs::Metadata) -> Stamp {
    Some((about.ino(), about.mtime(), about.mtime_nsec(), about.len()))
}

/// `.NAME.crc`
fn checksum_file(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.crc"))
}

fn rename(from: &Path, to: &Path) -> Result<()> {
    disk::rename_durable(from, to)?;
    let (sums, to_sums) = (checksum_file(from), checksum_file(to));
    if sums.exists() {
        disk::rename_durable(&sums, &to_sums)?;
        return Ok(());
    }
    disk::remove_file_durable(&to_sums)?;
    Ok(())
}

fn remove(path: &Path) -> Result<()> {
    disk::remove_file_durable(path)?;
    disk::remove_file_durable(&checksum_file(path))?;
    Ok(())
}

fn write_file(path: &Path, content: &[u8], mode: u32) -> Result<()> {
    let mut sums = [CRC_MAGIC, &CRC_CHUNK_BYTES.to_be_bytes()].concat();
    for chunk in content.chunks(CRC_CHUNK_BYTES as usize) {
        let sum = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32IsoHdlc, chunk) as u32;
        sums.extend(sum.to_be_bytes());
    }
    for (path, content) in [(path.to_owned(), content), (checksum_file(path), &sums)] {
        let failed = |error: std::io::Error| Error::io(format!("{} ({error})", path.display()));
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(mode);
        let mut file: File = options.open(&path).map_err(failed)?;
        // Neither a umask nor what was there before decides.
        file.set_permissions(fs::Permissions::from_mode(mode)).map_err(failed)?;
        file.write_all(content).map_err(failed)?;
        disk::fsync_file(&file, &path)?;
    }
    Ok(())
}
