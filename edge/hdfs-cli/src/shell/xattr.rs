//! `-getfattr` and `-setfattr`.
//!
//! Hadoop: org.apache.hadoop.fs.shell.XAttrCommands, org.apache.hadoop.fs.XAttrCodec (3.5.0)

use hdfs_format::webhdfs::{decode_xattr_value, encode_xattr_value};

use super::Shell;
use super::arguments::Options;
use super::failure::{Failure, Outcome};
use super::walk::{Command, PathData};

/// How values are written.
#[derive(Clone, Copy, Default)]
enum Encoding {
    #[default]
    Text,
    Hex,
    Base64,
}

impl Encoding {
    fn parse(text: &str) -> Outcome<Self> {
        match text.to_ascii_lowercase().as_str() {
            "text" => Ok(Self::Text),
            "hex" => Ok(Self::Hex),
            "base64" => Ok(Self::Base64),
            _ => Err(Failure::Illegal(format!(
                "Invalid/unsupported encoding option specified: {text}"
            ))),
        }
    }

    fn encode(self, value: &[u8]) -> String {
        let name = match self {
            Self::Text => "TEXT",
            Self::Hex => "HEX",
            Self::Base64 => "BASE64",
        };
        encode_xattr_value(value, name)
    }
}

/// Takes `name` and the word after it out of the arguments, up to `--`.
fn take_value(args: &mut Vec<String>, name: &str) -> Outcome<Option<String>> {
    let end = args.iter().position(|arg| arg == "--").unwrap_or(args.len());
    let Some(at) = args[..end].iter().position(|arg| arg == name) else { return Ok(None) };
    args.remove(at);
    if at >= args.len() {
        return Err(Failure::Illegal(format!("option {name} requires 1 argument.")));
    }
    Ok(Some(args.remove(at)))
}

fn take_flag(args: &mut Vec<String>, name: &str) -> bool {
    let end = args.iter().position(|arg| arg == "--").unwrap_or(args.len());
    let at = args[..end].iter().position(|arg| arg == name);
    at.map(|at| args.remove(at)).is_some()
}

fn one_path(args: &[String]) -> Outcome<()> {
    match args.len() {
        0 => Err(Failure::Illegal("<path> is missing.".into())),
        1 => Ok(()),
        _ => Err(Failure::Illegal("Too many arguments.".into())),
    }
}

/// `-getfattr`.
#[derive(Default)]
pub(crate) struct GetXAttr {
    recursive: bool,
    /// `None` for all.
    name: Option<String>,
    encoding: Encoding,
}

impl Command for GetXAttr {
    fn configure(
        &mut self,
        _shell: &mut Shell,
        _options: &Options,
        args: &mut Vec<String>,
    ) -> Outcome<()> {
        self.name = take_value(args, "-n")?;
        if let Some(encoding) = take_value(args, "-e")? {
            self.encoding = Encoding::parse(&encoding)?;
        }
        self.recursive = take_flag(args, "-R");
        let dump = take_flag(args, "-d");
        if !dump && self.name.is_none() {
            return Err(Failure::Illegal("Must specify '-n name' or '-d' option.".into()));
        }
        if dump {
            self.name = None;
        }
        one_path(args)
    }

    fn is_recursive(&self) -> bool {
        self.recursive
    }

    fn visit(&mut self, shell: &mut Shell, item: &PathData) -> Outcome<()> {
        shell.out.line(format!("# file: {}", item.text));
        let found = match &self.name {
            None => java_order(item.fs.xattrs(&item.path, None)?),
            Some(name) => {
                let mut found = item.fs.xattrs(&item.path, Some(name))?;
                // Shown under the name that was asked for, whatever its case.
                found.iter_mut().for_each(|(shown, _)| shown.clone_from(name));
                found
            }
        };
        for (name, value) in found {
            shell.out.line(match value.is_empty() {
                true => name,
                false => format!("{name}={}", self.encoding.encode(&value)),
            });
        }
        Ok(())
    }
}

/// The order in which Java's HashMap, which Hadoop's client fills, gives these names.
fn java_order(mut found: Vec<(String, Vec<u8>)>) -> Vec<(String, Vec<u8>)> {
    let mut buckets = 16_usize;
    while found.len() > buckets / 4 * 3 {
        buckets *= 2;
    }
    let hash = |name: &str| {
        let units = name.encode_utf16();
        let hash =
            units.fold(0_u32, |hash, unit| hash.wrapping_mul(31).wrapping_add(u32::from(unit)));
        (hash ^ hash >> 16) as usize & (buckets - 1)
    };
    found.sort_by_key(|(name, _)| hash(name));
    found
}

/// `-setfattr`.
#[derive(Default)]
pub(crate) struct SetXAttr {
    name: Option<String>,
    value: Option<Vec<u8>>,
    removed: Option<String>,
}

impl Command for SetXAttr {
    fn configure(
        &mut self,
        _shell: &mut Shell,
        _options: &Options,
        args: &mut Vec<String>,
    ) -> Outcome<()> {
        self.name = take_value(args, "-n")?;
        self.value = take_value(args, "-v")?.map(|value| decode_xattr_value(&value)).transpose()?;
        self.removed = take_value(args, "-x")?;
        match (&self.name, &self.removed) {
            (Some(_), Some(_)) => {
                let message = "Can not specify both '-n name' and '-x name' option.";
                return Err(Failure::Illegal(message.into()));
            }
            (None, None) => {
                let message = "Must specify '-n name' or '-x name' option.";
                return Err(Failure::Illegal(message.into()));
            }
            _ => {}
        }
        one_path(args)
    }

    fn visit(&mut self, _shell: &mut Shell, item: &PathData) -> Outcome<()> {
        match (&self.name, &self.removed) {
            (Some(name), _) => item.fs.set_xattr(&item.path, name, self.value.as_deref()),
            (None, Some(name)) => item.fs.remove_xattr(&item.path, name),
            (None, None) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_decoded_by_their_first_characters() {
        for (text, bytes) in [
            ("plain", &b"plain"[..]),
            ("\"quo\"ted\"", b"quo\"ted"),
            ("0x01fF", b"\x01\xff"),
            ("0sAQL/", b"\x01\x02\xff"),
            ("0SYQ==", b"a"),
            ("\"", b"\""),
            ("0", b"0"),
        ] {
            assert_eq!(decode_xattr_value(text).expect(text), bytes, "{text}");
        }
        assert!(decode_xattr_value("0x1").is_err());
        assert!(decode_xattr_value("0xzz").is_err());
    }

    #[test]
    fn base64_pads_what_is_no_multiple_of_three() {
        for (bytes, text) in [
            (&b""[..], ""),
            (b"a", "YQ=="),
            (b"ab", "YWI="),
            (b"abc", "YWJj"),
            (b"\xff\xfe", "//4="),
        ] {
            let text = format!("0s{text}");
            assert_eq!(Encoding::Base64.encode(bytes), text);
            assert_eq!(decode_xattr_value(&text).expect("base64"), bytes);
        }
    }

    #[test]
    fn names_come_in_the_order_of_javas_hash_map() {
        let set = "user.a trusted.b user.z user.b user.attr1 user.attr2 trusted.zz";
        let found = set.split(' ').map(|name| (name.to_owned(), Vec::new())).collect();
        let names: Vec<String> = java_order(found).into_iter().map(|(name, _)| name).collect();
        // What `new HashMap<>()` prints after put in the order of `set`, Java 17.
        let printed = "trusted.zz, user.b, user.a, user.attr2, user.attr1, trusted.b, user.z";
        assert_eq!(names.join(", "), printed);
    }
}
