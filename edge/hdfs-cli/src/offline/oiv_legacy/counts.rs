//! How many files have which size, and how often names are used.
//!
//! Hadoop: org.apache.hadoop.hdfs.tools.offlineImageViewer.{FileDistributionVisitor, NameDistributionVisitor} (3.5.0)

use std::collections::{BTreeMap, HashMap};
use std::io;

use hdfs_format::fsimage::legacy::view::{Value, Visitor};
use hdfs_types::byte_desc;

use super::{Options, Out, Processor, Uncaught, shown};
use crate::output::say;

const MAX_SIZE_DEFAULT: i64 = 0x20_0000_0000;
const STEP_DEFAULT: i32 = 0x20_0000;
/// A line of progress comes after so many files.
const PROGRESS: i32 = 1_000_000;

/// What sizes are counted.
pub(super) struct Sizes {
    max_size: i64,
    step: i32,
    /// Number of the last bucket.
    last: i64,
    readable: bool,
}

impl Sizes {
    pub(super) fn parse(options: &Options) -> Result<Self, Uncaught> {
        let wrong = |text: &str| {
            let message = format!("For input string: \"{text}\"");
            Uncaught("java.lang.NumberFormatException", message)
        };
        let (max_size, step) = (options.value("maxSize", "0"), options.value("step", "0"));
        let max_size: i64 = max_size.parse().map_err(|_| wrong(max_size))?;
        let step: i32 = step.parse().map_err(|_| wrong(step))?;
        let max_size = if max_size == 0 { MAX_SIZE_DEFAULT } else { max_size };
        let step = if step == 0 { STEP_DEFAULT } else { step };
        let intervals = max_size / i64::from(step);
        if intervals >= i64::from(i32::MAX) {
            let message = format!("Too many distribution intervals {intervals}");
            return Err(Uncaught("java.io.IOException", message));
        }
        let length = (intervals as i32).wrapping_add(1);
        if length < 0 {
            return Err(Uncaught("java.lang.NegativeArraySizeException", length.to_string()));
        }
        let readable = options.has("format");
        Ok(Self { max_size, step, last: i64::from(length) - 1, readable })
    }

    fn bucket(&self, size: i64) -> i64 {
        if size > self.max_size {
            return self.last;
        }
        ((size as f64 / f64::from(self.step)).ceil() as i64).clamp(0, self.last)
    }
}

#[derive(Default)]
struct Current {
    path: String,
    size: i64,
    blocks: i64,
    replication: i64,
}

/// How many files have which size. Java's overflow is kept.
pub(super) struct FileDistribution {
    out: Out,
    sizes: Sizes,
    open: Vec<&'static str>,
    in_inode: bool,
    current: Current,
    counts: BTreeMap<i64, i32>,
    files: i32,
    directories: i32,
    blocks: i32,
    space: i64,
    longest: i64,
}

impl FileDistribution {
    pub(super) fn new(out: Out, sizes: Sizes) -> Self {
        Self {
            out,
            sizes,
            open: Vec::new(),
            in_inode: false,
            current: Current::default(),
            counts: BTreeMap::new(),
            files: 0,
            directories: 0,
            blocks: 0,
            space: 0,
            longest: 0,
        }
    }

    fn show(&mut self) -> io::Result<()> {
        let heading = if self.sizes.readable { "Size Range" } else { "Size" };
        self.out.put(&format!("{heading}\tNumFiles\n"))?;
        let edge = |bucket: i64| bucket.wrapping_mul(i64::from(self.sizes.step));
        for (&bucket, count) in &self.counts {
            let line = if self.sizes.readable {
                let bracket = if bucket == 0 { '[' } else { '(' };
                let is_last = bucket == self.sizes.last;
                // As Hadoop, which multiplies these as 32 bits.
                let high = edge(bucket) as i32;
                let high = byte_desc(if is_last { self.longest } else { i64::from(high) });
                format!("{bracket}{}, {high}]\t{count}\n", byte_desc(edge((bucket - 1).max(0))))
            } else {
                format!("{}\t{count}\n", edge(bucket))
            };
            self.out.put(&line)?;
        }
        let Self { files, directories, blocks, space, longest, .. } = self;
        say!("totalFiles = {files}\ntotalDirectories = {directories}\ntotalBlocks = {blocks}");
        say!("totalSpace = {space}\nmaxFileSize = {longest}");
        self.out.close()
    }
}

impl Visitor for FileDistribution {
    fn visit(&mut self, element: &'static str, value: Value) -> io::Result<()> {
        let current = &mut self.current;
        match (element, value) {
            _ if !self.in_inode => {}
            ("REPLICATION", Value::Number(number)) => current.replication = number,
            ("NUM_BYTES", Value::Number(number)) => {
                current.size = current.size.wrapping_add(number)
            }
            ("INODE_PATH", Value::Text(path)) => {
                current.path = if path.is_empty() { "/".to_owned() } else { path };
            }
            _ => {}
        }
        Ok(())
    }

    fn enter(&mut self, element: &'static str, key: Option<(&'static str, i64)>) -> io::Result<()> {
        self.open.push(element);
        match (element, key) {
            ("INODE" | "INODE_UNDER_CONSTRUCTION", _) => {
                self.current = Current::default();
                self.in_inode = true;
            }
            ("BLOCKS", Some((_, blocks))) => self.current.blocks = blocks,
            _ => {}
        }
        Ok(())
    }

    fn leave(&mut self) -> io::Result<()> {
        if !matches!(self.open.pop(), Some("INODE" | "INODE_UNDER_CONSTRUCTION")) {
            return Ok(());
        }
        self.in_inode = false;
        let Current { size, blocks, replication, .. } = self.current;
        if blocks < 0 {
            self.directories = self.directories.wrapping_add(1);
            return Ok(());
        }
        self.files = self.files.wrapping_add(1);
        self.blocks = self.blocks.wrapping_add(blocks as i32);
        self.space = self.space.wrapping_add(size.wrapping_mul(replication));
        self.longest = self.longest.max(size);
        *self.counts.entry(self.sizes.bucket(size)).or_default() += 1;
        if self.files % PROGRESS == 1 {
            say!("Files processed: {}  Current: {}", self.files, self.current.path);
        }
        Ok(())
    }
}

impl Processor for FileDistribution {
    fn finish(&mut self) -> io::Result<()> {
        self.show()
    }

    fn finish_early(&mut self) -> io::Result<()> {
        say!("*** Image processing finished abnormally.  Ending ***");
        self.show()
    }
}

/// Bytes that Java needs for an array besides its elements.
const BYTEARRAY_OVERHEAD: i64 = 24;
/// Names that are used at least so often are counted together.
const LEAST: [i64; 9] = [100_000, 10_000, 1_000, 100, 10, 5, 4, 3, 2];

/// What Java's maximum of no numbers begins with.
const JAVA_MIN: i64 = i32::MIN as i64;

/// How often names of files are used again.
pub(super) struct Names {
    out: Out,
    counts: HashMap<String, i64>,
}

impl Names {
    pub(super) fn new(out: Out) -> Self {
        Self { out, counts: HashMap::new() }
    }
}

impl Visitor for Names {
    fn visit(&mut self, element: &'static str, value: Value) -> io::Result<()> {
        if element == "INODE_PATH" {
            let path = shown(value);
            let name = path.rsplit('/').next().unwrap_or_default();
            *self.counts.entry(name.to_owned()).or_default() += 1;
        }
        Ok(())
    }

    fn enter(&mut self, _: &'static str, _: Option<(&'static str, i64)>) -> io::Result<()> {
        Ok(())
    }

    fn leave(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Processor for Names {
    fn finish(&mut self) -> io::Result<()> {
        self.out.put(&format!("Total unique file names {}", self.counts.len()))?;
        // Bytes saved, files, names.
        let mut rows = [(0_i64, 0_i64, 0_i64); LEAST.len()];
        for (name, count) in &self.counts {
            let row = LEAST.iter().position(|least| count >= least);
            if let Some((saved, files, names)) = row.and_then(|row| rows.get_mut(row)) {
                let chars = name.encode_utf16().count() as i64;
                *saved += (BYTEARRAY_OVERHEAD + chars) * (count - 1);
                *files += count;
                *names += 1;
            }
        }
        let mut high = self.counts.values().copied().max().unwrap_or(JAVA_MIN);
        let mut total = 0;
        for (least, (saved, files, names)) in LEAST.into_iter().zip(rows) {
            total += saved;
            let range = match high == least {
                true => format!(" {least}"),
                false => format!(" between {least}-{high}"),
            };
            self.out.put(&format!(
                "\n{names} names are used by {files} files{range} times. Heap savings ~{saved} bytes."
            ))?;
            high = least - 1;
        }
        self.out.put(&format!("\n\nTotal saved heap ~{total}bytes.\n"))?;
        self.out.close()
    }

    fn finish_early(&mut self) -> io::Result<()> {
        self.out.close()
    }
}
