//! Encryption by password, as Java's keystores do it: PBEWithMD5AndTripleDES.
//!
//! Each half of the salt, hashed with the password as often as the parameters say, gives 16 bytes; of these 32 the first
//! 24 are the key of a triple DES in CBC mode, the others its initialization vector. The parameters are DER:
//! `SEQUENCE { OCTET STRING salt, INTEGER iterations }`.
//!
//! Hadoop: com.sun.crypto.provider.{PBES1Core, KeyProtector} (Java 17)

use bytes::Bytes;
use des::TdesEde3;
use des::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use hdfs_types::{Error, Result};
use md5::block_api::compress;
use md5::{Digest, Md5};

/// Bytes of a salt.
pub const SALT_BYTES: usize = 8;
/// What Java 17 takes.
const ITERATIONS: u32 = 200_000;
/// Java's limit.
const MAX_ITERATIONS: u32 = 5_000_000;
const BLOCK_BYTES: usize = 8;
const HASH_BYTES: usize = 16;
const MD5_BLOCK_BYTES: usize = 64;
const MD5_START: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
const DER_SEQUENCE: u8 = 0x30;
const DER_OCTET_STRING: u8 = 4;
const DER_INTEGER: u8 = 2;

type Block = [u8; BLOCK_BYTES];

/// An encrypted object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Sealed {
    salt: [u8; SALT_BYTES],
    iterations: u32,
    content: Bytes,
}

impl Sealed {
    /// From the two byte arrays of Java's object.
    pub(super) fn new(parameters: &[u8], content: Bytes) -> Result<Self> {
        let damaged = || Error::io("the keystore holds damaged parameters of a cipher");
        let [DER_SEQUENCE, length, DER_OCTET_STRING, salt_length, rest @ ..] = parameters else {
            return Err(damaged());
        };
        let (salt, rest) = rest.split_at_checked(SALT_BYTES).ok_or_else(damaged)?;
        let [DER_INTEGER, integer_length, number @ ..] = rest else { return Err(damaged()) };
        let is_whole = usize::from(*length) == parameters.len() - 2
            && usize::from(*salt_length) == SALT_BYTES
            && usize::from(*integer_length) == number.len()
            && (1..=4).contains(&number.len());
        if !is_whole {
            return Err(damaged());
        }
        let iterations = number.iter().fold(0, |value: u32, byte| value << 8 | u32::from(*byte));
        if !(1..=MAX_ITERATIONS).contains(&iterations) {
            return Err(damaged());
        }
        let salt = salt.try_into().expect("it was split so");
        Ok(Self { salt, iterations, content })
    }

    /// The parameters as Java writes them.
    pub(super) fn parameters(&self) -> Vec<u8> {
        let number = self.iterations.to_be_bytes();
        let mut skipped = 0;
        // A first bit that is set would be a sign.
        while skipped < 3
            && number.get(skipped) == Some(&0)
            && number.get(skipped + 1).is_some_and(|next| *next < 0x80)
        {
            skipped += 1;
        }
        let number = number.get(skipped..).unwrap_or_default();
        let mut out = vec![DER_SEQUENCE, (4 + SALT_BYTES + number.len()) as u8];
        out.extend([DER_OCTET_STRING, SALT_BYTES as u8]);
        out.extend(self.salt);
        out.extend([DER_INTEGER, number.len() as u8]);
        out.extend(number);
        out
    }

    /// The encrypted bytes.
    pub(super) fn content(&self) -> &Bytes {
        &self.content
    }

    /// Encrypts.
    pub(super) fn seal(mut plain: Vec<u8>, salt: [u8; SALT_BYTES], password: &str) -> Self {
        let (cipher, mut last) = cipher(salt, ITERATIONS, password);
        let padding = BLOCK_BYTES - plain.len() % BLOCK_BYTES;
        plain.resize(plain.len() + padding, padding as u8);
        let (blocks, _) = plain.as_chunks_mut::<BLOCK_BYTES>();
        for block in blocks {
            let mut mixed = Array::from(xor(*block, last));
            cipher.encrypt_block(&mut mixed);
            last = mixed.into();
            *block = last;
        }
        Self { salt, iterations: ITERATIONS, content: plain.into() }
    }

    /// Decrypts.
    pub(super) fn open(&self, password: &str) -> Result<Bytes> {
        let damaged =
            || Error::io("the keystore holds a damaged key, or one with another password");
        let (encrypted, []) = self.content.as_chunks::<BLOCK_BYTES>() else {
            return Err(damaged());
        };
        let (cipher, mut last) = cipher(self.salt, self.iterations, password);
        let mut plain = Vec::with_capacity(self.content.len());
        for encrypted in encrypted {
            let mut block = Array::from(*encrypted);
            cipher.decrypt_block(&mut block);
            plain.extend(xor(block.into(), last));
            last = *encrypted;
        }
        let padding = plain.last().copied().map_or(0, usize::from);
        let kept = plain.len().checked_sub(padding).ok_or_else(damaged)?;
        let is_padded = (1..=BLOCK_BYTES).contains(&padding)
            && plain.iter().skip(kept).all(|byte| usize::from(*byte) == padding);
        if !is_padded {
            return Err(damaged());
        }
        plain.truncate(kept);
        Ok(plain.into())
    }
}

fn xor(left: Block, right: Block) -> Block {
    (u64::from_ne_bytes(left) ^ u64::from_ne_bytes(right)).to_ne_bytes()
}

/// The cipher, and the initialization vector.
fn cipher(salt: [u8; SALT_BYTES], iterations: u32, password: &str) -> (TdesEde3, Block) {
    // Java keeps seven bits of a character.
    let password: Vec<u8> = password.encode_utf16().map(|unit| (unit & 0x7f) as u8).collect();
    let [mut s0, mut s1, mut s2, mut s3, rest @ ..] = salt;
    if [s0, s1, s2, s3] == rest {
        // Java means to turn the first half around, and doesn't quite: its second index is a constant.
        (s0, s2) = (s3, s0);
        (s1, s2) = (s2, s1);
        s3 = salt[3];
    }
    let mut derived = Vec::with_capacity(32);
    for half in [[s0, s1, s2, s3], rest] {
        let first = Md5::new().chain_update(half).chain_update(&password).finalize().into();
        derived.extend(hash_again(first, &password, iterations - 1));
    }
    let (key, vector) = derived.split_at(24);
    let cipher = TdesEde3::new_from_slice(key).expect("the key has 24 bytes");
    (cipher, vector.try_into().expect("the other eight bytes"))
}

/// Hashes a hash with the password behind it, so many times.
fn hash_again(mut hash: [u8; HASH_BYTES], password: &[u8], times: u32) -> [u8; HASH_BYTES] {
    let length = HASH_BYTES + password.len();
    let mut block = [0; MD5_BLOCK_BYTES];
    if length >= MD5_BLOCK_BYTES - 8 {
        for _ in 0..times {
            hash = Md5::new().chain_update(hash).chain_update(password).finalize().into();
        }
        return hash;
    }
    // All of it fits into one block: its padding is made once.
    block[HASH_BYTES..length].copy_from_slice(password);
    block[length] = 0x80;
    block[MD5_BLOCK_BYTES - 8..].copy_from_slice(&(length as u64 * 8).to_le_bytes());
    for _ in 0..times {
        block[..HASH_BYTES].copy_from_slice(&hash);
        let mut state = MD5_START;
        compress(&mut state, &[block]);
        for (bytes, word) in hash.chunks_exact_mut(4).zip(state) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
    }
    hash
}
