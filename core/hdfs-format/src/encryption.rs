//! The cipher of encryption zones: AES in counter mode, for the bytes of files and for the keys of files themselves.
//!
//! A file's key is encrypted with a version of its zone's key; the initialization vector of that is the file's own, with
//! every bit turned over.
//!
//! Hadoop: org.apache.hadoop.crypto.key.KeyProviderCryptoExtension.DefaultCryptoExtension,
//! org.apache.hadoop.crypto.{AesCtrCryptoCodec, CryptoStreamUtils} (3.5.0)

use aes::{Aes128, Aes192, Aes256};
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit, StreamCipher, StreamCipherSeek};
use hdfs_types::{Error, Result};

/// Bytes of an initialization vector.
pub const IV_BYTES: usize = 16;

/// An initialization vector.
pub type Iv = [u8; IV_BYTES];

/// Encrypts or decrypts, which is the same, the bytes of one file, in any order.
pub struct AesCtr(Cipher);

enum Cipher {
    Aes128(Box<Ctr128BE<Aes128>>),
    Aes192(Box<Ctr128BE<Aes192>>),
    Aes256(Box<Ctr128BE<Aes256>>),
}

impl AesCtr {
    /// With a key of 16, 24 or 32 bytes.
    ///
    /// # Errors
    /// Io for a key of another length, with Java's words.
    pub fn new(key: &[u8], iv: &Iv) -> Result<Self> {
        let wrong = |_| Error::io(format!("Invalid AES key length: {} bytes", key.len()));
        Ok(Self(match key.len() {
            24 => Cipher::Aes192(Box::new(Ctr128BE::new_from_slices(key, iv).map_err(wrong)?)),
            32 => Cipher::Aes256(Box::new(Ctr128BE::new_from_slices(key, iv).map_err(wrong)?)),
            _ => Cipher::Aes128(Box::new(Ctr128BE::new_from_slices(key, iv).map_err(wrong)?)),
        }))
    }

    /// Encrypts or decrypts in place what begins at a position of the file.
    pub fn apply(&mut self, position: u64, bytes: &mut [u8]) {
        match &mut self.0 {
            Cipher::Aes128(cipher) => apply(cipher.as_mut(), position, bytes),
            Cipher::Aes192(cipher) => apply(cipher.as_mut(), position, bytes),
            Cipher::Aes256(cipher) => apply(cipher.as_mut(), position, bytes),
        }
    }
}

impl std::fmt::Debug for AesCtr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AesCtr")
    }
}

fn apply(cipher: &mut (impl StreamCipher + StreamCipherSeek), position: u64, bytes: &mut [u8]) {
    cipher.seek(position);
    cipher.apply_keystream(bytes);
}

/// An initialization vector as it came over the wire.
///
/// # Errors
/// Io for any other length than 16 bytes.
pub fn iv(bytes: &[u8]) -> Result<Iv> {
    let wrong =
        |_| Error::io(format!("Wrong IV length: must be 16 bytes long, and has {}", bytes.len()));
    bytes.try_into().map_err(wrong)
}

/// Encrypts a file's key with a version of its zone's key, or decrypts it.
///
/// # Errors
/// Io for a zone's key that AES does not know.
pub fn wrap_file_key(zone_key: &[u8], file_iv: &Iv, file_key: &mut [u8]) -> Result<()> {
    AesCtr::new(zone_key, &file_iv.map(|byte| !byte))?.apply(0, file_key);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_encrypted_as_the_standard_says_from_any_position() {
        // NIST SP 800-38A, F.5.1 and F.5.5.
        let iv: Iv = std::array::from_fn(|index| 0xf0 + index as u8);
        let key = [
            0x2b, 0x7e, 0x15, 0x16, 0x28, 0xae, 0xd2, 0xa6, 0xab, 0xf7, 0x15, 0x88, 0x09, 0xcf,
            0x4f, 0x3c,
        ];
        let plain = [
            0x6b, 0xc1, 0xbe, 0xe2, 0x2e, 0x40, 0x9f, 0x96, 0xe9, 0x3d, 0x7e, 0x11, 0x73, 0x93,
            0x17, 0x2a,
        ];
        let mut bytes = plain;
        let mut cipher = AesCtr::new(&key, &iv).unwrap();
        cipher.apply(0, &mut bytes);
        assert_eq!(
            bytes,
            [
                0x87, 0x4d, 0x61, 0x91, 0xb6, 0x20, 0xe3, 0x26, 0x1b, 0xef, 0x68, 0x64, 0x99, 0x0d,
                0xb6, 0xce
            ]
        );
        cipher.apply(3, &mut bytes[3..]);
        cipher.apply(0, &mut bytes[..3]);
        assert_eq!(bytes, plain);
        assert_eq!(
            AesCtr::new(&key[1..], &iv).unwrap_err().message,
            "Invalid AES key length: 15 bytes"
        );
    }
}
