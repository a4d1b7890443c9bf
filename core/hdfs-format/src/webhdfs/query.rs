//! The percent-encoded parts of a request: path and query.

use std::borrow::Cow;
use std::fmt::Write;

/// The parameters of a request, decoded, in their order; names as they came.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    /// Splits the part after the question mark. `+` is a space; what is not valid percent-encoding stays as it is.
    pub fn parse(query: &str) -> Self {
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode_form(name), decode_form(value))
        });
        Self { pairs: pairs.collect() }
    }

    /// The first value of a parameter. Names count exactly, as since Hadoop 3.5 (`OP=` is not `op=`).
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Percent-decodes the values of a parameter once more.
    pub fn decode_again(&mut self, name: &str) {
        for (_, value) in self.pairs.iter_mut().filter(|pair| pair.0 == name) {
            *value = decode(value).into_owned();
        }
    }

    /// Every value of a parameter.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let pairs = self.pairs.iter();
        pairs.filter(move |pair| pair.0 == name).map(|pair| pair.1.as_str())
    }
}

fn decode_form(text: &str) -> String {
    decode(&text.replace('+', " ")).into_owned()
}

/// The path of a request's target behind [`super::PREFIX`], decoded; `+` is a plus. Repeated slashes stay: most calls
/// don't mind them, but a file must not be created so.
pub fn decode_path(encoded: &str) -> String {
    if encoded.is_empty() { "/".to_owned() } else { decode(encoded).into_owned() }
}

/// Percent-decodes to UTF-8; bytes that are none become U+FFFD.
fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let code = after.split_first_chunk::<2>().filter(|_| byte == b'%');
        let digits = code.and_then(|(digits, after)| Some((hex_byte(*digits)?, after)));
        let (byte, after) = digits.unwrap_or((byte, after));
        bytes.push(byte);
        rest = after;
    }
    match String::from_utf8(bytes) {
        Ok(decoded) => Cow::Owned(decoded),
        Err(broken) => Cow::Owned(String::from_utf8_lossy(broken.as_bytes()).into_owned()),
    }
}

/// The byte of two hexadecimal digits.
pub(super) fn hex_byte(digits: [u8; 2]) -> Option<u8> {
    let value = |digit: u8| char::from(digit).to_digit(16);
    let [high, low] = digits;
    u8::try_from((value(high)? << 4) | value(low)?).ok()
}

/// Encodes a value of a query as `java.net.URLEncoder` does.
pub fn form_encode(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'*' | b'_' => {
                out.push(char::from(byte));
            }
            b' ' => out.push('+'),
            // Writing to a String can't fail.
            other => {
                let _ = write!(out, "%{other:02X}");
            }
        }
    }
    out
}

/// Encodes a path as `java.net.URI` does. It leaves characters beyond ASCII alone unless `ascii` is set.
pub fn quote_path(path: &str, ascii: bool) -> String {
    const LEGAL: &str = "/_-!.~'()*,;:$&+=@";
    let mut out = String::with_capacity(path.len());
    for c in path.chars() {
        let is_plain = c.is_ascii_alphanumeric() || LEGAL.contains(c) || (!ascii && is_other(c));
        if is_plain {
            out.push(c);
            continue;
        }
        let mut bytes = [0; 4];
        for byte in c.encode_utf8(&mut bytes).bytes() {
            // Writing to a String can't fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Java's "other" characters: beyond ASCII, no control and no space.
fn is_other(c: char) -> bool {
    !c.is_ascii() && !c.is_control() && !c.is_whitespace()
}
