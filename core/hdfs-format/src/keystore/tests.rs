//! A keystore that Apache's `hadoop key` made: read, and written again byte by byte.

use super::*;

const GOLDEN: &[u8] = include_bytes!("../../../../testdata/hadoop-3.5.0/keystore/keys.jceks");
const PASSWORD: &str = "none";

fn golden() -> KeyStore {
    KeyStore::decode(&Bytes::from_static(GOLDEN), PASSWORD).expect("Apache wrote it")
}

fn secret(store: &KeyStore, alias: &str) -> Bytes {
    match store.key(alias, PASSWORD).expect("it opens") {
        Some(Key::Secret { algorithm, material }) if algorithm == "AES/CTR/NoPadding" => material,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_apache_wrote_is_read_and_written_again_to_the_byte() {
    let store = golden();
    let aliases: Vec<&str> = store.aliases().collect();
    assert_eq!(aliases, ["mykey@0", "second", "second@1", "second@0", "mykey"]);
    assert_eq!(store.encode(PASSWORD), GOLDEN);
    assert_eq!(secret(&store, "mykey@0").len(), 16);
    assert_eq!(secret(&store, "second@1").len(), 32);
    let Some(Key::Metadata(json)) = store.key("SECOND", PASSWORD).expect("it opens") else {
        panic!("a name without a version has metadata");
    };
    assert_eq!(
        std::str::from_utf8(&json).unwrap(),
        "{\"cipher\":\"AES/CTR/NoPadding\",\"bitLength\":256,\"created\":1795288225540,\
         \"description\":\"a second key\",\"attributes\":{\"cost\":\"9\",\"team\":\"blue\"},\"versions\":2}"
    );
    assert_eq!(store.key("third", PASSWORD).expect("it may be asked"), None);
}

#[test]
fn keys_are_sealed_as_java_seals_them() {
    let store = golden();
    let mut again = store.clone();
    for entry in &store.entries {
        let key = store.key(&entry.alias, PASSWORD).unwrap().unwrap();
        let salt = entry.sealed.parameters()[4..12].try_into().unwrap();
        again.set(&entry.alias, &key, entry.created_ms, salt, PASSWORD);
    }
    assert_eq!(again, store);
    assert!(again.remove("mykey@0") && !again.contains("MYKEY@0"));
}

#[test]
fn a_wrong_password_and_every_damage_are_told() {
    let message = |bytes: &[u8], password| {
        KeyStore::decode(&Bytes::copy_from_slice(bytes), password)
            .expect_err("it is refused")
            .message
    };
    let wrong = "Keystore was tampered with, or password was incorrect";
    assert_eq!(message(GOLDEN, "other"), wrong);
    assert_eq!(message(b"\xCE\xCE\xCE\xCE\0\0\0\x03\0\0\0\0", PASSWORD), "Invalid keystore format");
    for length in (0..GOLDEN.len()).step_by(3) {
        message(&GOLDEN[..length], PASSWORD);
    }
    for index in (0..GOLDEN.len()).step_by(3) {
        let mut bytes = GOLDEN.to_vec();
        bytes[index] ^= 0x10;
        message(&bytes, PASSWORD);
    }
    let text = golden().key("mykey", "other").expect_err("another password").message;
    assert_eq!(text, "the keystore holds a damaged key, or one with another password");
}

#[test]
fn a_long_password_is_hashed_in_more_than_one_block() {
    let password = "a password that fills more than one block of the hash";
    let mut store = KeyStore::default();
    let key = Key::Metadata(Bytes::from_static(b"{}"));
    store.set("k", &key, 1, [7; SALT_BYTES], password);
    let again =
        KeyStore::decode(&store.encode(password).into(), password).expect("it was written so");
    assert_eq!(again.key("k", password).unwrap(), Some(key));
}
