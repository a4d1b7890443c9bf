//! Images as lists, indented text and XML.
//!
//! Hadoop: org.apache.hadoop.hdfs.tools.offlineImageViewer.{LsImageVisitor, IndentedImageVisitor, XmlImageVisitor,
//! DelimitedImageVisitor} (3.5.0)

use std::io;

use hdfs_format::edits::xml::mangle_with_entities;
use hdfs_format::fsimage::legacy::view::{Value, Visitor};

use super::{Out, Processor, shown};
use crate::output::say;
use crate::shell::format::java_date;

const INODE: &str = "INODE";

/// As `hdfs dfs -ls -R` once showed a tree.
pub(super) struct Ls {
    out: Out,
    open: Vec<&'static str>,
    in_inode: bool,
    blocks: i64,
    permissions: String,
    replication: i64,
    user: String,
    group: String,
    size: i64,
    modified: String,
    path: String,
    target: String,
}

impl Ls {
    pub(super) fn new(out: Out) -> Self {
        Self {
            out,
            open: Vec::new(),
            in_inode: false,
            blocks: 0,
            permissions: String::new(),
            replication: 0,
            user: String::new(),
            group: String::new(),
            size: 0,
            modified: String::new(),
            path: String::new(),
            target: String::new(),
        }
    }

    fn begin_line(&mut self) {
        (self.blocks, self.size, self.replication) = (0, 0, 0);
        for text in [
            &mut self.permissions,
            &mut self.user,
            &mut self.group,
            &mut self.path,
            &mut self.target,
        ] {
            text.clear();
        }
        self.in_inode = true;
    }

    fn end_line(&mut self) -> io::Result<()> {
        if !self.target.is_empty() {
            self.path = format!("{} -> {}", self.path, self.target);
        }
        let kind = if self.blocks < 0 { 'd' } else { '-' };
        let replication = match self.replication {
            1.. => self.replication.to_string(),
            _ => "-".to_owned(),
        };
        self.in_inode = false;
        self.out.put(&format!(
            "{kind}{} {replication:>2} {:>8} {:>10} {:>10} {:>10} {}\n",
            self.permissions, self.user, self.group, self.size, self.modified, self.path
        ))
    }
}

impl Visitor for Ls {
    fn visit(&mut self, element: &'static str, value: Value) -> io::Result<()> {
        if !self.in_inode {
            return Ok(());
        }
        match (element, value) {
            ("REPLICATION", Value::Number(number)) => self.replication = number,
            ("NUM_BYTES", Value::Number(number)) => self.size = self.size.wrapping_add(number),
            ("INODE_PATH", path) => self.path = rooted(shown(path)),
            ("PERMISSION_STRING", text) => self.permissions = shown(text),
            ("USER_NAME", text) => self.user = shown(text),
            ("GROUP_NAME", text) => self.group = shown(text),
            ("MODIFICATION_TIME", text) => self.modified = shown(text),
            ("SYMLINK", text) => self.target = shown(text),
            _ => {}
        }
        Ok(())
    }

    fn enter(&mut self, element: &'static str, key: Option<(&'static str, i64)>) -> io::Result<()> {
        self.open.push(element);
        match (element, key) {
            (INODE, _) => self.begin_line(),
            ("BLOCKS", Some((_, blocks))) => self.blocks = blocks,
            _ => {}
        }
        Ok(())
    }

    fn leave(&mut self) -> io::Result<()> {
        match self.open.pop() {
            Some(INODE) => self.end_line(),
            _ => Ok(()),
        }
    }
}

impl Processor for Ls {
    fn finish(&mut self) -> io::Result<()> {
        self.out.close()
    }

    fn finish_early(&mut self) -> io::Result<()> {
        say!("Input ended unexpectedly.");
        self.out.close()
    }
}

/// The path of the root is empty in an image.
fn rooted(path: String) -> String {
    if path.is_empty() { "/".to_owned() } else { path }
}

/// Every element, two spaces deeper than the one around it.
pub(super) struct Indented {
    out: Out,
    depth: usize,
}

impl Indented {
    pub(super) fn new(out: Out) -> Self {
        Self { out, depth: 0 }
    }

    fn line(&mut self, text: &str) -> io::Result<()> {
        // As Hadoop: beyond six levels a level is one space.
        let spaces = if self.depth <= 6 { 2 * self.depth } else { self.depth };
        self.out.put(&format!("{:spaces$}{text}\n", ""))
    }
}

impl Visitor for Indented {
    fn visit(&mut self, element: &'static str, value: Value) -> io::Result<()> {
        let text = match value {
            Value::Time(millis) => java_date(millis.cast_unsigned()),
            other => shown(other),
        };
        self.line(&format!("{element} = {text}"))
    }

    fn enter(&mut self, element: &'static str, key: Option<(&'static str, i64)>) -> io::Result<()> {
        match key {
            None => self.line(element)?,
            Some((key, value)) => self.line(&format!("{element} [{key} = {value}]"))?,
        }
        self.depth += 1;
        Ok(())
    }

    fn leave(&mut self) -> io::Result<()> {
        self.depth = self.depth.saturating_sub(1);
        Ok(())
    }
}

impl Processor for Indented {
    fn finish(&mut self) -> io::Result<()> {
        self.out.close()
    }

    fn finish_early(&mut self) -> io::Result<()> {
        say!("*** Image processing finished abnormally.  Ending ***");
        self.out.close()
    }
}

/// Every element as one of XML.
pub(super) struct Xml {
    out: Out,
    open: Vec<&'static str>,
}

impl Xml {
    pub(super) fn new(out: Out) -> Self {
        Self { out, open: Vec::new() }
    }
}

impl Visitor for Xml {
    fn visit(&mut self, element: &'static str, value: Value) -> io::Result<()> {
        let mut text = format!("<{element}>");
        mangle_with_entities(&mut text, &shown(value));
        self.out.put(&format!("{text}</{element}>\n"))
    }

    fn enter(&mut self, element: &'static str, key: Option<(&'static str, i64)>) -> io::Result<()> {
        self.open.push(element);
        match key {
            None => self.out.put(&format!("<{element}>\n")),
            Some((key, value)) => self.out.put(&format!("<{element} {key}=\"{value}\">\n")),
        }
    }

    fn leave(&mut self) -> io::Result<()> {
        match self.open.pop() {
            Some(element) => self.out.put(&format!("</{element}>\n")),
            None => Ok(()),
        }
    }
}

impl Processor for Xml {
    fn start(&mut self) -> io::Result<()> {
        self.out.put("<?xml version=\"1.0\" ?>\n")
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.close()
    }

    fn finish_early(&mut self) -> io::Result<()> {
        self.out.put("\n<!-- Error processing image file.  Exiting -->\n")?;
        self.out.close()
    }
}

/// The columns of the lines of [`Delimited`].
const COLUMNS: [&str; 12] = [
    "INODE_PATH",
    "REPLICATION",
    "MODIFICATION_TIME",
    "ACCESS_TIME",
    "BLOCK_SIZE",
    "NUM_BLOCKS",
    SIZE,
    "NS_QUOTA",
    "DS_QUOTA",
    "PERMISSION_STRING",
    "USER_NAME",
    "GROUP_NAME",
];
/// Its column is the sum over all blocks.
const SIZE: &str = "NUM_BYTES";

/// A line for each inode, and one for each open file.
pub(super) struct Delimited {
    out: Out,
    delimiter: String,
    open: Vec<&'static str>,
    size: i64,
    values: [Option<String>; COLUMNS.len()],
}

impl Delimited {
    pub(super) fn new(out: Out, delimiter: &str) -> Self {
        Self {
            out,
            delimiter: delimiter.to_owned(),
            open: Vec::new(),
            size: 0,
            values: Default::default(),
        }
    }

    fn set(&mut self, element: &str, value: String) {
        let place = COLUMNS.iter().position(|column| *column == element);
        if let Some(known) = place.and_then(|place| self.values.get_mut(place)) {
            *known = Some(value);
        }
    }
}

impl Visitor for Delimited {
    fn visit(&mut self, element: &'static str, value: Value) -> io::Result<()> {
        match (element, value) {
            (SIZE, Value::Number(bytes)) => self.size = self.size.wrapping_add(bytes),
            ("INODE_PATH", path) => self.set(element, rooted(shown(path))),
            (_, value) => self.set(element, shown(value)),
        }
        Ok(())
    }

    fn enter(&mut self, element: &'static str, key: Option<(&'static str, i64)>) -> io::Result<()> {
        if let Some(("NUM_BLOCKS", blocks)) = key {
            self.set("NUM_BLOCKS", blocks.to_string());
        }
        self.open.push(element);
        Ok(())
    }

    fn leave(&mut self) -> io::Result<()> {
        if !matches!(self.open.pop(), Some(INODE | "INODE_UNDER_CONSTRUCTION")) {
            return Ok(());
        }
        let size = std::mem::take(&mut self.size).to_string();
        self.set(SIZE, size);
        let columns = std::mem::take(&mut self.values).map(Option::unwrap_or_default);
        self.out.put(&(columns.join(&self.delimiter) + "\n"))
    }
}

impl Processor for Delimited {
    fn finish(&mut self) -> io::Result<()> {
        self.out.close()
    }

    fn finish_early(&mut self) -> io::Result<()> {
        self.out.close()
    }
}
