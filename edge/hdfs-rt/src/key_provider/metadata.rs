//! What is kept of a key beside its bytes.
//!
//! Hadoop: org.apache.hadoop.crypto.key.KeyProvider.{Metadata, Options} (3.5.0)

use bytes::Bytes;
use hdfs_conf::{Configuration, keys};
use hdfs_format::java_hash::{copied_buckets, hash_map_order};
use hdfs_types::{Error, Result};
use serde_json::{Map, Value};

/// Buckets of a Java map that was made empty.
const DEFAULT_BUCKETS: usize = 16;

/// What is kept of a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyMetadata {
    /// Its cipher.
    pub cipher: String,
    /// Its length in bits.
    pub bit_length: u32,
    /// Milliseconds since 1970.
    pub created_ms: i64,
    /// What it is for.
    pub description: Option<String>,
    /// Whatever else is told of it, in Java's order.
    pub attributes: Vec<(String, String)>,
    /// How many versions it had.
    pub versions: u32,
}

/// What is wanted of a new key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyOptions {
    /// Its cipher.
    pub cipher: String,
    /// Its length in bits.
    pub bit_length: u32,
    /// What it is for.
    pub description: Option<String>,
    /// Whatever else is told of it, in the order of [`Self::set_attributes`].
    attributes: Vec<(String, String)>,
}

impl KeyOptions {
    /// As the configuration has it.
    ///
    /// # Errors
    /// IllegalArgument for a length that is no number.
    pub fn from_configuration(conf: &Configuration) -> Result<Self> {
        Ok(Self {
            cipher: conf.get_str(&keys::HADOOP_SECURITY_KEY_DEFAULT_CIPHER).to_owned(),
            bit_length: conf.get_u32(&keys::HADOOP_SECURITY_KEY_DEFAULT_BITLENGTH)?,
            description: None,
            attributes: Vec::new(),
        })
    }

    /// Sets the attributes, given in any order: a copy of a Java map is kept.
    pub fn set_attributes(&mut self, attributes: Vec<(String, String)>) {
        let count = attributes.len();
        let first = in_java_order(attributes, DEFAULT_BUCKETS);
        self.attributes = in_java_order(first, copied_buckets(count));
    }

    /// The attributes in Java's order.
    pub fn attributes(&self) -> &[(String, String)] {
        &self.attributes
    }
}

fn in_java_order(pairs: Vec<(String, String)>, buckets: usize) -> Vec<(String, String)> {
    let names: Vec<&str> = pairs.iter().map(|(name, _)| name.as_str()).collect();
    hash_map_order(&names, buckets).into_iter().map(|index| pairs[index].clone()).collect()
}

impl KeyMetadata {
    /// From the JSON in a keystore.
    pub(super) fn parse(json: &[u8]) -> Result<Self> {
        let damaged = || Error::io("the metadata of a key is damaged");
        let Ok(Value::Object(fields)) = serde_json::from_slice(json) else {
            return Err(damaged());
        };
        let text = |name: &str| fields.get(name).and_then(Value::as_str).map(str::to_owned);
        let number = |name: &str| fields.get(name).and_then(Value::as_i64);
        let attributes = match fields.get("attributes") {
            Some(Value::Object(map)) => attributes_of(map).ok_or_else(damaged)?,
            Some(_) => return Err(damaged()),
            None => Vec::new(),
        };
        Ok(Self {
            cipher: text("cipher").ok_or_else(damaged)?,
            bit_length: number("bitLength").map_or(Ok(0), u32::try_from).map_err(|_| damaged())?,
            created_ms: number("created").unwrap_or(0),
            description: text("description"),
            attributes: in_java_order(attributes, DEFAULT_BUCKETS),
            versions: number("versions")
                .and_then(|versions| u32::try_from(versions).ok())
                .filter(|versions| *versions > 0)
                .ok_or_else(damaged)?,
        })
    }

    /// The JSON as Hadoop writes it.
    pub(super) fn json(&self) -> Bytes {
        let quoted = |text: &str| Value::from(text).to_string();
        let mut out = format!("{{\"cipher\":{}", quoted(&self.cipher));
        if self.bit_length != 0 {
            out += &format!(",\"bitLength\":{}", self.bit_length);
        }
        out += &format!(",\"created\":{}", self.created_ms);
        if let Some(description) = &self.description {
            out += &format!(",\"description\":{}", quoted(description));
        }
        if !self.attributes.is_empty() {
            let pair =
                |(name, value): &(String, String)| format!("{}:{}", quoted(name), quoted(value));
            let pairs: Vec<String> = self.attributes.iter().map(pair).collect();
            out += &format!(",\"attributes\":{{{}}}", pairs.join(","));
        }
        out += &format!(",\"versions\":{}}}", self.versions);
        out.into()
    }
}

fn attributes_of(map: &Map<String, Value>) -> Option<Vec<(String, String)>> {
    map.iter().map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
}
