//! The parameters of a request: one table for each HTTP method, checked in its order whatever the operation is.
//!
//! Hadoop: org.apache.hadoop.hdfs.web.resources.Param and its subclasses (3.5.0)

use std::collections::BTreeMap;

use hdfs_types::{Error, ErrorKind, Result};

use super::op::{HttpMethod, Op};
use super::query::Query;

/// Whether a whole text matches a pattern.
pub type Matcher = Box<dyn Fn(&str) -> bool + Send + Sync>;

/// The patterns that an administrator may change.
pub struct Patterns {
    /// `dfs.webhdfs.user.provider.user.pattern`, for messages.
    pub user_text: String,
    /// Whether a name matches it.
    pub is_user: Matcher,
    /// `dfs.webhdfs.acl.provider.permission.pattern`, for messages.
    pub acl_text: String,
    /// Whether a list matches it.
    pub is_acl: Matcher,
}

/// What a value must be.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// The operation.
    Op,
    /// Anything; the text that means "none".
    Text(&'static str),
    /// A text that may come several times.
    Texts,
    /// `true` or `false`; the default.
    Bool(bool),
    /// A 64-bit number.
    Long { default: Option<i64>, min: i64 },
    /// A 32-bit number.
    Int { default: Option<i64>, min: i64 },
    /// A 16-bit number.
    Short { radix: u32, min: i64, max: i64 },
    /// An absolute path.
    Destination,
    /// A user's name.
    User,
    /// An access control list.
    Acl,
    /// `rwx` with `-` for what is missing.
    Action,
    /// One of these; the Java class of the enum.
    Enum(&'static str, &'static [&'static str]),
    /// A set of these.
    Flags(&'static str, &'static [&'static str]),
}

const QUOTA: Kind = Kind::Long { default: Some(i64::MAX), min: -1 };
const PERMISSION: Kind = Kind::Short { radix: 8, min: 0, max: 0o1777 };
const BUFFER_SIZE: (&str, Kind) = ("buffersize", Kind::Int { default: None, min: 1 });
const NO_REDIRECT: (&str, Kind) = ("noredirect", Kind::Bool(false));
const RENAME_OPTIONS: Kind =
    Kind::Flags("org.apache.hadoop.fs.Options.Rename", &["NONE", "OVERWRITE", "TO_TRASH"]);
const XATTR_FLAGS: Kind = Kind::Flags("org.apache.hadoop.fs.XAttrSetFlag", &["CREATE", "REPLACE"]);
const XATTR_CODEC: Kind = Kind::Enum("org.apache.hadoop.fs.XAttrCodec", &["TEXT", "HEX", "BASE64"]);
const CREATE_FLAGS: Kind = Kind::Flags(
    "org.apache.hadoop.fs.CreateFlag",
    &[
        "CREATE",
        "OVERWRITE",
        "APPEND",
        "SYNC_BLOCK",
        "LAZY_PERSIST",
        "NEW_BLOCK",
        "NO_LOCAL_WRITE",
        "SHOULD_REPLICATE",
        "IGNORE_CLIENT_LOCALITY",
        "NO_LOCAL_RACK",
    ],
);

const COMMON: &[(&str, Kind)] = &[
    ("delegation", Kind::Text("")),
    ("user.name", Kind::User),
    ("doas", Kind::Text("")),
    ("op", Kind::Op),
];

const GET: &[(&str, Kind)] = &[
    ("offset", Kind::Long { default: Some(0), min: 0 }),
    ("length", Kind::Long { default: None, min: 0 }),
    ("renewer", Kind::Text("null")),
    BUFFER_SIZE,
    ("xattr.name", Kind::Texts),
    ("encoding", XATTR_CODEC),
    ("excludedatanodes", Kind::Text("")),
    ("fsaction", Kind::Action),
    ("snapshotname", Kind::Text("")),
    ("oldsnapshotname", Kind::Text("")),
    ("snapshotdiffstartpath", Kind::Text("")),
    ("snapshotdiffindex", Kind::Int { default: Some(-1), min: -1 }),
    ("kind", Kind::Text("null")),
    ("service", Kind::Text("null")),
    NO_REDIRECT,
    ("startafter", Kind::Text("")),
    ("allusers", Kind::Bool(false)),
];

const PUT: &[(&str, Kind)] = &[
    ("destination", Kind::Destination),
    ("owner", Kind::Text("")),
    ("group", Kind::Text("")),
    ("permission", PERMISSION),
    ("unmaskedpermission", PERMISSION),
    ("overwrite", Kind::Bool(false)),
    BUFFER_SIZE,
    ("replication", Kind::Short { radix: 10, min: 1, max: i64::MAX }),
    ("blocksize", Kind::Long { default: None, min: 1 }),
    ("modificationtime", Kind::Long { default: Some(-1), min: -1 }),
    ("accesstime", Kind::Long { default: Some(-1), min: -1 }),
    ("renameoptions", RENAME_OPTIONS),
    ("createparent", Kind::Bool(true)),
    ("token", Kind::Text("")),
    ("aclspec", Kind::Acl),
    ("xattr.name", Kind::Text("")),
    ("xattr.value", Kind::Text("")),
    ("flag", XATTR_FLAGS),
    ("snapshotname", Kind::Text("")),
    ("oldsnapshotname", Kind::Text("")),
    ("excludedatanodes", Kind::Text("")),
    ("createflag", CREATE_FLAGS),
    NO_REDIRECT,
    ("storagepolicy", Kind::Text("")),
    ("ecpolicy", Kind::Text("")),
    ("namespacequota", QUOTA),
    ("storagespacequota", QUOTA),
    ("storagetype", Kind::Text("")),
];

const POST: &[(&str, Kind)] = &[
    ("sources", Kind::Text("")),
    BUFFER_SIZE,
    ("excludedatanodes", Kind::Text("")),
    ("newlength", Kind::Long { default: None, min: 0 }),
    NO_REDIRECT,
];

const DELETE: &[(&str, Kind)] =
    &[("recursive", Kind::Bool(false)), ("snapshotname", Kind::Text(""))];

/// A checked value.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Value {
    Text(String),
    Texts(Vec<String>),
    Bool(bool),
    Number { value: i64, radix: u32 },
    Flags(Vec<&'static str>),
}

/// The checked parameters of one request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Params {
    op: Op,
    values: BTreeMap<&'static str, Value>,
}

impl Params {
    /// Checks a request's parameters as the NameNode does. Those that its HTTP method does not know count for nothing.
    ///
    /// # Errors
    /// `IllegalArgument` with Hadoop's text for the first one that is wrong.
    pub fn parse(method: HttpMethod, query: &Query, patterns: &Patterns) -> Result<Self> {
        Self::parse_as(method, query, patterns, &|name, why| {
            format!(
                "Invalid value for webhdfs parameter \"{name}\": java.lang.IllegalArgumentException: {why}"
            )
        })
    }

    /// The same as a DataNode does, whose messages have no preamble.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_bare(method: HttpMethod, query: &Query, patterns: &Patterns) -> Result<Self> {
        Self::parse_as(method, query, patterns, &|_, why| why.to_owned())
    }

    fn parse_as(
        method: HttpMethod,
        query: &Query,
        patterns: &Patterns,
        message: &dyn Fn(&str, &str) -> String,
    ) -> Result<Self> {
        let of_method = match method {
            HttpMethod::Get => GET,
            HttpMethod::Put => PUT,
            HttpMethod::Post => POST,
            HttpMethod::Delete => DELETE,
        };
        let refuse =
            |name: &str, why: &str| Error::new(ErrorKind::IllegalArgument, message(name, why));
        let mut values = BTreeMap::new();
        let mut op = None;
        for (name, kind) in COMMON.iter().chain(of_method) {
            let value = match (kind, query.get(name)) {
                (Kind::Op, text) => {
                    let text = text.filter(|text| !text.is_empty()).unwrap_or("null");
                    let found = Op::find(method, text).ok_or_else(|| {
                        refuse(name, &format!("{text} is not a valid {} operation.", method.name()))
                    });
                    op = Some(found?);
                    None
                }
                (Kind::Texts, _) => {
                    let all = query.all(name).filter(|text| !text.is_empty()).map(str::to_owned);
                    Some(Value::Texts(all.collect()))
                }
                // Java's web server takes the default for an empty value, too.
                (kind, None | Some("")) => kind.default(),
                (kind, Some(text)) => {
                    kind.parse(name, text, patterns).map_err(|why| refuse(name, &why))?
                }
            };
            values.extend(value.map(|value| (*name, value)));
        }
        let op = op.expect("every table begins with the common parameters, and op is one");
        Ok(Self { op, values })
    }

    /// The operation.
    pub fn op(&self) -> Op {
        self.op
    }

    /// A text, when it is there.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.values.get(name)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Every text of a parameter that may come several times.
    pub fn texts(&self, name: &str) -> &[String] {
        match self.values.get(name) {
            Some(Value::Texts(texts)) => texts,
            _ => &[],
        }
    }

    /// A number, when it is there or has a default.
    pub fn number(&self, name: &str) -> Option<i64> {
        match self.values.get(name)? {
            Value::Number { value, .. } => Some(*value),
            _ => None,
        }
    }

    /// A yes or no.
    pub fn is(&self, name: &str) -> bool {
        matches!(self.values.get(name), Some(Value::Bool(true)))
    }

    /// The members of a set, in the order of their Java enum.
    pub fn flags(&self, name: &str) -> &[&'static str] {
        match self.values.get(name) {
            Some(Value::Flags(flags)) => flags,
            _ => &[],
        }
    }

    /// A text that the operation needs.
    ///
    /// # Errors
    /// `IllegalArgument` in Hadoop's words.
    pub fn required(&self, name: &str) -> Result<&str> {
        self.text(name).filter(|text| !text.is_empty()).ok_or_else(|| self.missing(name))
    }

    /// Hadoop's error for a parameter that the operation needs.
    pub fn missing(&self, name: &str) -> Error {
        let op = self.op.name();
        Error::new(
            ErrorKind::IllegalArgument,
            format!("Required param {name} for op: {op} is null or empty"),
        )
    }

    /// The value as a redirect repeats it; `None` for an absent one.
    pub(super) fn shown(&self, name: &str) -> Option<String> {
        Some(match self.values.get(name)? {
            Value::Text(text) => text.clone(),
            Value::Texts(texts) => texts.join(","),
            Value::Bool(value) => value.to_string(),
            Value::Number { value, radix } => show_number(*value, *radix),
            Value::Flags(flags) => flags.join(","),
        })
    }
}

fn show_number(value: i64, radix: u32) -> String {
    match radix {
        8 if value < 0 => format!("-{:o}", value.unsigned_abs()),
        8 => format!("{value:o}"),
        _ => value.to_string(),
    }
}

impl Kind {
    fn default(self) -> Option<Value> {
        match self {
            Self::Bool(value) => Some(Value::Bool(value)),
            Self::Long { default, .. } | Self::Int { default, .. } => {
                default.map(|value| Value::Number { value, radix: 10 })
            }
            Self::Flags(..) => Some(Value::Flags(Vec::new())),
            _ => None,
        }
    }

    /// The value, `None` for one that means "none", or why it is wrong.
    fn parse(self, name: &str, text: &str, patterns: &Patterns) -> Result<Option<Value>, String> {
        let plain = || Some(Value::Text(text.to_owned()));
        let matching = |is_valid: bool, pattern: &str| match is_valid {
            true => Ok(plain()),
            false => {
                Err(format!("Invalid value: \"{text}\" does not belong to the domain {pattern}"))
            }
        };
        match self {
            Self::Op | Self::Texts => Ok(None),
            Self::Text(none) => Ok(if text.is_empty() || text == none { None } else { plain() }),
            Self::Bool(_) if text.eq_ignore_ascii_case("true") => Ok(Some(Value::Bool(true))),
            Self::Bool(_) if text.eq_ignore_ascii_case("false") => Ok(Some(Value::Bool(false))),
            Self::Bool(_) => Err(format!("Failed to parse \"{text}\" to Boolean.")),
            Self::Long { min, .. } => {
                parse_number(name, text, 10, "long integer", i64::MIN..=i64::MAX, min..=i64::MAX)
            }
            Self::Int { min, .. } => {
                let all = i64::from(i32::MIN)..=i64::from(i32::MAX);
                parse_number(name, text, 10, "integer", all, min..=i64::MAX)
            }
            Self::Short { radix, min, max } => {
                let all = i64::from(i16::MIN)..=i64::from(i16::MAX);
                parse_number(name, text, radix, "short integer", all, min..=max)
            }
            Self::Destination => parse_destination(name, text),
            Self::User | Self::Acl | Self::Enum(..) if text.is_empty() => Ok(None),
            Self::User => matching((patterns.is_user)(text), &patterns.user_text),
            Self::Acl => matching((patterns.is_acl)(text), &patterns.acl_text),
            Self::Action if text == "null" => Ok(None),
            Self::Action => matching(is_action(text), "[r-][w-][x-]"),
            Self::Enum(class, all) => Ok(Some(Value::Text(constant(class, all, text)?.to_owned()))),
            Self::Flags(_, _) if text.is_empty() => Ok(Some(Value::Flags(Vec::new()))),
            Self::Flags(class, all) => {
                let given = text.split(',').map(|part| constant(class, all, part.trim()));
                let given: Vec<&str> = given.collect::<Result<_, String>>()?;
                let flags = all.iter().copied().filter(|flag| given.contains(flag));
                Ok(Some(Value::Flags(flags.collect())))
            }
        }
    }
}

fn is_action(text: &str) -> bool {
    let letters = text.chars().zip("rwx".chars());
    text.chars().count() == 3 && letters.into_iter().all(|(c, letter)| c == '-' || c == letter)
}

fn constant(class: &str, all: &'static [&'static str], text: &str) -> Result<&'static str, String> {
    let upper = text.to_uppercase();
    let found = all.iter().copied().find(|constant| *constant == upper);
    found.ok_or_else(|| format!("No enum constant {class}.{upper}"))
}

fn parse_destination(name: &str, text: &str) -> Result<Option<Value>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    if !text.starts_with('/') {
        return Err(format!(
            "Invalid parameter value: {name} = \"{text}\" is not an absolute path."
        ));
    }
    // As Hadoop's Path does: slashes once, none at the end, and what follows two slashes is an authority.
    let authority = text.strip_prefix("//").filter(|rest| !rest.is_empty());
    let text = authority.map_or(text, |rest| rest.find('/').map_or("", |end| rest.split_at(end).1));
    let components = text.split('/').filter(|component| !component.is_empty());
    let path: String = components.flat_map(|component| ["/", component]).collect();
    Ok(Some(Value::Text(if path.is_empty() { "/".to_owned() } else { path })))
}

/// Numbers as Java reads them; `null` is none.
fn parse_number(
    name: &str,
    text: &str,
    radix: u32,
    what: &str,
    of_type: std::ops::RangeInclusive<i64>,
    allowed: std::ops::RangeInclusive<i64>,
) -> Result<Option<Value>, String> {
    if text == "null" {
        return Ok(None);
    }
    let parsed = i64::from_str_radix(text, radix).ok().filter(|value| of_type.contains(value));
    let value =
        parsed.ok_or_else(|| format!("Failed to parse \"{text}\" as a radix-{radix} {what}."))?;
    let (relation, bound) = if value < *allowed.start() {
        ('<', *allowed.start())
    } else if value > *allowed.end() {
        ('>', *allowed.end())
    } else {
        return Ok(Some(Value::Number { value, radix }));
    };
    Err(format!(
        "Invalid parameter range: {name} = {} {relation} {}",
        show_number(value, radix),
        show_number(bound, radix)
    ))
}
