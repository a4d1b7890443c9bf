//! JSON as Jackson writes it: no spaces, fields in the order in which they are given.

use std::fmt::{Display, Write};

/// Writes an object.
pub fn object(out: &mut String, fill: impl FnOnce(&mut Fields<'_>)) {
    out.push('{');
    fill(&mut Fields { out, is_first: true });
    out.push('}');
}

/// Writes an object with one field, as Hadoop wraps every answer.
pub(super) fn wrapped(name: &str, fill: impl FnOnce(&mut String)) -> String {
    let mut out = String::new();
    object(&mut out, |fields| fields.with(name, fill));
    out
}

/// The fields of an object that is being written.
pub struct Fields<'a> {
    out: &'a mut String,
    is_first: bool,
}

impl Fields<'_> {
    /// A field whose value `fill` writes.
    pub fn with(&mut self, name: &str, fill: impl FnOnce(&mut String)) {
        if !self.is_first {
            self.out.push(',');
        }
        self.is_first = false;
        text(self.out, name);
        self.out.push(':');
        fill(self.out);
    }

    /// A number, or anything else that JSON writes as it is shown.
    pub fn plain(&mut self, name: &str, value: impl Display) {
        // Writing to a String can't fail.
        self.with(name, |out| {
            let _ = write!(out, "{value}");
        });
    }

    /// A text.
    pub fn text(&mut self, name: &str, value: &str) {
        self.with(name, |out| text(out, value));
    }

    /// An object.
    pub fn object(&mut self, name: &str, fill: impl FnOnce(&mut Fields<'_>)) {
        self.with(name, |out| object(out, fill));
    }

    /// An array.
    pub fn array<T>(
        &mut self,
        name: &str,
        items: impl IntoIterator<Item = T>,
        each: impl FnMut(&mut String, T),
    ) {
        self.with(name, |out| array(out, items, each));
    }
}

/// Writes an array.
pub(super) fn array<T>(
    out: &mut String,
    items: impl IntoIterator<Item = T>,
    mut each: impl FnMut(&mut String, T),
) {
    out.push('[');
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        each(out, item);
    }
    out.push(']');
}

/// Writes a text in quotes, with Jackson's escapes.
pub fn text(out: &mut String, value: &str) {
    out.push('"');
    for c in value.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            // Writing to a String can't fail.
            c if u32::from(c) < 0x20 => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Writes bytes of a name, which are UTF-8 unless a broken client wrote them.
pub(super) fn bytes(out: &mut String, value: &[u8]) {
    text(out, &String::from_utf8_lossy(value));
}
