//! A keystore on a disk: made by Apache, made here, and left behind by a write that did not end.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use super::*;

const GOLDEN: &[u8] = include_bytes!("../../../../testdata/hadoop-3.5.0/keystore/keys.jceks");

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("tusk-keys-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn open(&self) -> Result<KeyProvider> {
        let uri = format!("jceks://file{}", self.file("keys.jceks").display());
        KeyProvider::open(&KeyProviderConf { uri, ..KeyProviderConf::default() })
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(&self.0)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn options() -> KeyOptions {
    KeyOptions::from_configuration(&Configuration::new()).unwrap()
}

#[test]
fn keys_of_apache_are_there_and_one_rolled_here_encrypts_anew() {
    let folder = Folder::new("apache");
    fs::write(folder.file("keys.jceks"), GOLDEN).unwrap();
    fs::set_permissions(folder.file("keys.jceks"), fs::Permissions::from_mode(0o640)).unwrap();
    let provider = folder.open().unwrap();
    assert_eq!(provider.key_names().unwrap(), ["second", "mykey"]);
    let metadata = provider.metadata("second").unwrap().unwrap();
    let pairs: Vec<_> = metadata.attributes.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!((metadata.versions, metadata.bit_length, pairs), (2, 256, vec!["cost", "team"]));

    let old = provider.generate_encrypted_key("mykey").unwrap();
    assert_eq!((old.version_name.as_str(), old.encrypted.len()), ("mykey@0", 16));
    let file_key = provider.decrypt(&old).unwrap();
    assert_ne!(file_key, old.encrypted);
    // Somebody else rolls it.
    assert_eq!(folder.open().unwrap().roll("mykey", 7).unwrap(), "mykey@1");
    let new = provider.reencrypt(&old).unwrap();
    assert_eq!((new.version_name.as_str(), new.iv), ("mykey@1", old.iv));
    assert_eq!(provider.decrypt(&new).unwrap(), file_key);
    assert_eq!(provider.reencrypt(&new).unwrap(), new);
    let mode = fs::metadata(folder.file("keys.jceks")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    assert_eq!(folder.names(), [".keys.jceks.crc", "keys.jceks"]);
}

#[test]
fn keys_are_made_and_deleted_with_hadoops_words() {
    let folder = Folder::new("made");
    let provider = folder.open().unwrap();
    let mut wanted = options();
    wanted.set_attributes(vec![("team".into(), "blue".into()), ("cost".into(), "9".into())]);
    provider.create("k", &wanted, 5).unwrap();
    let uri = provider.uri().to_owned();
    let message = |result: Result<()>| result.unwrap_err().message;
    let again = message(provider.create("k", &options(), 5));
    assert_eq!(again, format!("Key k already exists in {uri}"));
    let capitals = message(provider.create("Key", &options(), 5));
    assert_eq!(capitals, "Uppercase key names are unsupported: Key");
    let mut wrong = options();
    wrong.bit_length = 100;
    let length = message(provider.create("l", &wrong, 5));
    assert_eq!(length, "Wrong keysize: must be equal to 128, 192 or 256");
    let read = folder.open().unwrap().metadata("k").unwrap().unwrap();
    assert_eq!((read.created_ms, read.attributes.len()), (5, 2));
    provider.delete("k").unwrap();
    assert_eq!(message(provider.delete("k")), format!("Key k does not exist in {uri}"));
    assert_eq!(folder.open().unwrap().key_names().unwrap(), Vec::<String>::new());
}

#[test]
fn what_an_interrupted_write_left_is_completed_or_undone() {
    let folder = Folder::new("interrupted");
    fs::write(folder.file("keys.jceks_OLD"), GOLDEN).unwrap();
    fs::write(folder.file("keys.jceks_NEW"), &GOLDEN[..100]).unwrap();
    assert_eq!(folder.open().unwrap().key_names().unwrap().len(), 2);
    assert_eq!(folder.names(), ["keys.jceks"]);
    fs::rename(folder.file("keys.jceks"), folder.file("keys.jceks_NEW")).unwrap();
    fs::write(folder.file("keys.jceks_OLD"), GOLDEN).unwrap();
    assert_eq!(folder.open().unwrap().key_names().unwrap().len(), 2);
    assert_eq!(folder.names(), ["keys.jceks"]);
    fs::write(folder.file("keys.jceks_NEW"), GOLDEN).unwrap();
    let message = folder.open().unwrap_err().message;
    assert!(message.contains("should not exist together"), "{message}");
    fs::rename(folder.file("keys.jceks_NEW"), folder.file("keys.jceks_OLD")).unwrap();
    fs::write(folder.file("keys.jceks"), &GOLDEN[..100]).unwrap();
    assert_eq!(folder.open().unwrap().key_names().unwrap().len(), 2);
    let names = folder.names();
    assert!(names.len() == 2 && names[1].starts_with("keys.jceks_CORRUPTED_"), "{names:?}");
}

#[test]
fn other_providers_are_refused_clearly() {
    let message = |uri: &str| {
        let conf = KeyProviderConf { uri: uri.to_owned(), ..KeyProviderConf::default() };
        KeyProvider::open(&conf).unwrap_err().message
    };
    assert_eq!(
        message("kms://http@localhost:9600/kms"),
        "The key provider kms://http@localhost:9600/kms is not supported yet"
    );
    assert_eq!(
        message("user:///"),
        "KeyProvider user:/// was found but it is a transient provider."
    );
    assert!(
        message("jceks://hdfs@nn:8020/k").ends_with("keystores are local files, jceks://file/PATH")
    );
    assert_eq!(
        message("nowhere"),
        "No KeyProviderFactory for nowhere in hadoop.security.key.provider.path"
    );
}
