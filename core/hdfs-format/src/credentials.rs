//! Token files, as `hdfs fetchdt` writes them and `HADOOP_TOKEN_FILE_LOCATION` names them.
//!
//! ```text
//! "HDTS" | format u8
//!   0: vint tokens  { text alias, token }*  | vint secrets { text alias, bytes }*
//!   1: a delimited CredentialsProto
//! token: bytes identifier | bytes password | text kind | text service      bytes, text: vint length, then so many bytes
//! ```
//!
//! Hadoop: org.apache.hadoop.security.Credentials, org.apache.hadoop.security.token.Token (3.5.0)

use std::fmt;

use hdfs_proto::common::{CredentialsProto, TokenProto};
use hdfs_types::{Error, Result};
use prost::Message;

const MAGIC: &[u8] = b"HDTS";
const WRITABLE: u8 = 0;
const PROTOBUF: u8 = 1;
/// The kind of the NameNode's delegation tokens.
pub const HDFS_DELEGATION_KIND: &str = "HDFS_DELEGATION_TOKEN";

/// The tokens of a user, each under a name, which for the NameNode's is its service. Secret keys are not kept.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Credentials {
    /// Name and token.
    pub tokens: Vec<(String, TokenProto)>,
}

impl Credentials {
    /// The file, in the older of the two formats, which every Hadoop reads.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = [MAGIC, &[WRITABLE]].concat();
        put_length(&mut out, self.tokens.len());
        for (alias, token) in &self.tokens {
            put_bytes(&mut out, alias.as_bytes());
            put_bytes(&mut out, &token.identifier);
            put_bytes(&mut out, &token.password);
            put_bytes(&mut out, token.kind.as_bytes());
            put_bytes(&mut out, token.service.as_bytes());
        }
        put_length(&mut out, 0);
        out
    }

    /// Reads a file of either format.
    ///
    /// # Errors
    /// When it is no token file, or ends early.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let rest = bytes.strip_prefix(MAGIC);
        let rest = rest.ok_or_else(|| Error::io("Bad header found in token storage."))?;
        match rest.split_first() {
            Some((&WRITABLE, rest)) => Self::decode_writable(Reader(rest)),
            Some((&PROTOBUF, rest)) => {
                let proto = CredentialsProto::decode_length_delimited(rest)
                    .map_err(|error| Error::io(format!("the token file is damaged: {error}")))?;
                let tokens = proto.tokens.into_iter();
                let tokens = tokens.filter_map(|entry| Some((entry.alias, entry.token?)));
                Ok(Self { tokens: tokens.collect() })
            }
            Some((other, _)) => Err(Error::io(format!("No matching format for value {other}"))),
            None => Err(ended()),
        }
    }

    fn decode_writable(mut reader: Reader<'_>) -> Result<Self> {
        let mut tokens = Vec::new();
        for _ in 0..reader.number()? {
            let alias = reader.text()?;
            let identifier = reader.bytes()?.to_vec().into();
            let password = reader.bytes()?.to_vec().into();
            let (kind, service) = (reader.text()?, reader.text()?);
            tokens.push((alias, TokenProto { identifier, password, kind, service }));
        }
        for _ in 0..reader.number()? {
            reader.text()?;
            reader.bytes()?;
        }
        Ok(Self { tokens })
    }
}

/// What the identifier of the NameNode's delegation token says.
///
/// Hadoop: org.apache.hadoop.security.token.delegation.AbstractDelegationTokenIdentifier (3.5.0)
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DelegationTokenIdentifier {
    /// Whose token it is.
    pub owner: String,
    /// Who may renew it.
    pub renewer: String,
    /// Who asked for it, when that was somebody else.
    pub real_user: String,
    /// Milliseconds since 1970.
    pub issue_date: i64,
    /// Milliseconds since 1970; no renewal reaches beyond.
    pub max_date: i64,
    /// Number of the token.
    pub sequence_number: i64,
    /// The key that it is signed with.
    pub master_key_id: i64,
}

impl DelegationTokenIdentifier {
    /// Reads an identifier.
    ///
    /// # Errors
    /// When it is none.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = match bytes.split_first() {
            Some((0, rest)) => Reader(rest),
            Some((version, _)) => {
                return Err(Error::io(format!("Unknown version of delegation token {version}")));
            }
            None => return Err(ended()),
        };
        Ok(Self {
            owner: reader.text()?,
            renewer: reader.text()?,
            real_user: reader.text()?,
            issue_date: reader.number()?,
            max_date: reader.number()?,
            sequence_number: reader.number()?,
            master_key_id: reader.number()?,
        })
    }

    /// The short name of whoever the token stands for.
    pub fn short_owner(&self) -> &str {
        self.owner.split(['/', '@']).next().unwrap_or_default()
    }
}

/// As Java prints it.
impl fmt::Display for DelegationTokenIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "token for {}: {HDFS_DELEGATION_KIND} owner={}, renewer={}, realUser={}, issueDate={}, maxDate={}, \
             sequenceNumber={}, masterKeyId={}",
            self.short_owner(),
            self.owner,
            self.renewer,
            self.real_user,
            self.issue_date,
            self.max_date,
            self.sequence_number,
            self.master_key_id
        )
    }
}

fn ended() -> Error {
    Error::io("the token file ends early")
}

/// What is left to read.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or_else(ended)?;
        self.0 = rest;
        Ok(taken)
    }

    /// Hadoop's variable-length number.
    fn number(&mut self) -> Result<i64> {
        let first = self.take(1)?.first().copied().unwrap_or_default().cast_signed();
        let (negative, length) = match first {
            -120..=-113 => (false, first.abs_diff(-112)),
            -128..=-121 => (true, first.abs_diff(-120)),
            small => return Ok(i64::from(small)),
        };
        let bytes = self.take(usize::from(length))?;
        let value = bytes.iter().fold(0, |value: i64, byte| value << 8 | i64::from(*byte));
        Ok(if negative { !value } else { value })
    }

    fn bytes(&mut self) -> Result<&'a [u8]> {
        let length = usize::try_from(self.number()?).map_err(|_| ended())?;
        self.take(length)
    }

    fn text(&mut self) -> Result<String> {
        let bytes = self.bytes()?.to_vec();
        String::from_utf8(bytes)
            .map_err(|_| Error::io("the token file holds a text that is not UTF-8"))
    }
}

fn put_length(out: &mut Vec<u8>, length: usize) {
    match u8::try_from(length) {
        Ok(small @ 0..=127) => out.push(small),
        _ => {
            let bytes = length.to_be_bytes();
            let used: Vec<u8> = bytes.into_iter().skip_while(|byte| *byte == 0).collect();
            let count = u8::try_from(used.len()).unwrap_or(8);
            out.push(0x90_u8.wrapping_sub(count));
            out.extend_from_slice(&used);
        }
    }
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_length(out, bytes.len());
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use hdfs_proto::common::CredentialsKvProto;

    use super::*;

    fn token(password: usize) -> TokenProto {
        TokenProto {
            identifier: vec![0, 2, b'm', b'e'].into(),
            password: vec![7; password].into(),
            kind: HDFS_DELEGATION_KIND.to_owned(),
            service: "127.0.0.1:8020".to_owned(),
        }
    }

    #[test]
    fn token_files_of_both_formats_are_read() {
        for password in [0, 20, 127, 128, 300, 70_000] {
            let kept = Credentials { tokens: vec![("nn".to_owned(), token(password))] };
            let bytes = kept.encode();
            assert_eq!(Credentials::decode(&bytes).unwrap(), kept);
            for end in 0..bytes.len().min(200) {
                assert!(Credentials::decode(&bytes[..end]).is_err(), "{end}");
            }
        }
        let entry = CredentialsKvProto {
            alias: "nn".to_owned(),
            token: Some(token(3)),
            ..CredentialsKvProto::default()
        };
        let proto = CredentialsProto { tokens: vec![entry], secrets: Vec::new() };
        let bytes = [b"HDTS\x01".as_slice(), &proto.encode_length_delimited_to_vec()].concat();
        assert_eq!(Credentials::decode(&bytes).unwrap().tokens, [("nn".to_owned(), token(3))]);
        let error = Credentials::decode(b"HDTX\0\0\0").unwrap_err();
        assert_eq!(error.message, "Bad header found in token storage.");
    }

    #[test]
    fn an_identifier_is_read() {
        let mut bytes = vec![0];
        for text in ["hdfs/nn@R", "yarn", ""] {
            put_bytes(&mut bytes, text.as_bytes());
        }
        // 1 700 000 000 000 in six bytes, then -1, 300 and 2.
        bytes.extend([0x8A, 0x01, 0x8B, 0xCF, 0xE5, 0x68, 0x00, 0xFF, 0x8E, 0x01, 0x2C, 2]);
        let found = DelegationTokenIdentifier::decode(&bytes).unwrap();
        assert_eq!((found.issue_date, found.max_date), (1_700_000_000_000, -1));
        assert_eq!((found.sequence_number, found.master_key_id), (300, 2));
        assert!(
            found.to_string().starts_with("token for hdfs: HDFS_DELEGATION_TOKEN owner=hdfs/nn@R")
        );
        assert!(DelegationTokenIdentifier::decode(&bytes[..20]).is_err());
    }
}
