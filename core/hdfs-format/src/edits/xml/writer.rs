//! XML as Java's serializer writes it: UTF-8, indented by two spaces.
//!
//! Two escapes apply to text. First Hadoop's own: a character that XML can't hold, and the backslash, is written as
//! `\`, four or more hexadecimal digits and `;`. Then that of the serializer, which names characters beyond U+FFFF and
//! control characters by number.
//!
//! Hadoop: org.apache.hadoop.hdfs.util.XMLUtils.mangleXmlString (3.5.0)

use std::io::{self, Write};

/// Writes elements. Text stands on the line of its element.
#[derive(Debug)]
pub struct XmlWriter<W> {
    out: W,
    depth: usize,
    /// A start tag is not closed by `>` yet: the element may still turn out to be empty.
    open: bool,
    line: String,
}

impl<W: Write> XmlWriter<W> {
    /// Starts a document.
    ///
    /// # Errors
    /// When the output can't be written.
    pub fn new(mut out: W) -> io::Result<Self> {
        out.write_all(b"<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n")?;
        Ok(Self { out, depth: 0, open: false, line: String::new() })
    }

    /// Starts an element that holds elements.
    ///
    /// # Errors
    /// When the output can't be written.
    pub fn start(&mut self, tag: &str) -> io::Result<()> {
        self.close_start_tag();
        self.indent();
        self.line.push('<');
        self.line.push_str(tag);
        self.open = true;
        self.depth += 1;
        Ok(())
    }

    /// Ends the element that was started last.
    ///
    /// # Errors
    /// When the output can't be written.
    pub fn end(&mut self, tag: &str) -> io::Result<()> {
        self.depth = self.depth.saturating_sub(1);
        if self.open {
            self.line.push_str("/>");
            self.open = false;
        } else {
            self.indent();
            self.line.push_str("</");
            self.line.push_str(tag);
            self.line.push('>');
        }
        self.end_line()
    }

    /// Writes an element that holds text.
    ///
    /// # Errors
    /// When the output can't be written.
    pub fn leaf(&mut self, tag: &str, text: &str) -> io::Result<()> {
        self.close_start_tag();
        self.indent();
        self.line.push('<');
        self.line.push_str(tag);
        if text.is_empty() {
            self.line.push_str("/>");
        } else {
            self.line.push('>');
            text.chars().for_each(|character| push_serialized(&mut self.line, character));
            self.line.push_str("</");
            self.line.push_str(tag);
            self.line.push('>');
        }
        self.end_line()
    }

    /// Java breaks no line after the root: an element that follows it (an error) stands beside it.
    fn end_line(&mut self) -> io::Result<()> {
        if self.depth > 0 {
            self.line.push('\n');
        }
        self.out.write_all(self.line.as_bytes())?;
        self.line.clear();
        Ok(())
    }

    /// Writes an element whose text is bytes of a path.
    ///
    /// # Errors
    /// When the output can't be written.
    pub fn path(&mut self, tag: &str, path: &[u8]) -> io::Result<()> {
        self.leaf(tag, &String::from_utf8_lossy(path))
    }

    /// Ends the document.
    ///
    /// # Errors
    /// When the output can't be written.
    pub fn finish(mut self) -> io::Result<()> {
        self.out.write_all(b"\n")?;
        self.out.flush()
    }

    fn indent(&mut self) {
        self.line.extend(std::iter::repeat_n("  ", self.depth));
    }

    fn close_start_tag(&mut self) {
        if self.open {
            self.line.push_str(">\n");
            self.open = false;
        }
    }
}

/// True for what Hadoop writes as a number between backslash and semicolon. Rust's strings hold no lone surrogates.
fn is_mangled(character: char) -> bool {
    match character {
        '\t' | '\n' | '\r' => false,
        '\u{FFFE}' | '\u{FFFF}' | '\\' => true,
        other => other < ' ',
    }
}

fn push_mangled(out: &mut String, character: char) {
    out.push('\\');
    push_hex(out, u32::from(character));
    out.push(';');
}

fn push_hex(out: &mut String, number: u32) {
    for shift in [12, 8, 4, 0] {
        out.push(char::from_digit(number >> shift & 0xF, 16).unwrap_or('0'));
    }
}

fn push_serialized(out: &mut String, character: char) {
    match character {
        other if is_mangled(other) => push_mangled(out, other),
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '\r' | '\u{7F}'..='\u{9F}' | '\u{1_0000}'.. => {
            out.push_str("&#");
            out.push_str(&u32::from(character).to_string());
            out.push(';');
        }
        other => out.push(other),
    }
}

/// Hadoop's escape with entities instead of the serializer's, as `hdfs oiv` writes text.
pub fn mangle_with_entities(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            other if is_mangled(other) => push_mangled(out, other),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_indented_and_text_is_escaped_twice() {
        let mut out = Vec::new();
        let mut xml = XmlWriter::new(&mut out).unwrap();
        xml.start("A").unwrap();
        xml.leaf("B", "\u{1}\\<\u{85}\u{1F600}\"").unwrap();
        xml.leaf("C", "").unwrap();
        xml.start("D").unwrap();
        xml.end("D").unwrap();
        xml.end("A").unwrap();
        xml.finish().unwrap();
        let text = String::from_utf8(out).unwrap();
        let body = text.split_once('\n').unwrap().1;
        assert_eq!(
            body,
            "<A>\n  <B>\\0001;\\005c;&lt;&#133;&#128512;\"</B>\n  <C/>\n  <D/>\n</A>\n"
        );
    }
}
