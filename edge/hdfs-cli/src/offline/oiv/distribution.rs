//! How many files have which size.
//!
//! Hadoop: org.apache.hadoop.hdfs.tools.offlineImageViewer.FileDistributionCalculator (3.5.0)

use std::collections::BTreeMap;
use std::io::Write;

use hdfs_format::fsimage::{INodeKind, Image};
use hdfs_types::byte_desc;

use super::{Failure, Options, number};

const MAX_SIZE_DEFAULT: i64 = 1 << 37;
const STEP_DEFAULT: i32 = 1 << 21;
const MAX_INTERVALS: i64 = 1 << 27;
/// A line of progress comes after so many inodes.
const PROGRESS: u64 = 1 << 20;

/// What is counted. Java's overflow is kept.
#[derive(Default)]
struct Totals {
    files: i32,
    directories: i32,
    blocks: i32,
    space: i64,
    longest: i64,
}

/// The buckets of sizes.
struct Buckets {
    max_size: i64,
    step: i32,
    /// Number of the last one.
    last: i64,
    counts: BTreeMap<i64, i32>,
}

/// Reads `-maxSize` and `-step`, which is done before the image is opened.
pub(super) fn write(
    options: &Options,
    image: impl FnOnce() -> Result<super::Input, Failure>,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let max_size: i64 = number(options.value("maxSize", "0"))?;
    let step: i32 = number(options.value("step", "0"))?;
    let mut buckets = Buckets::new(max_size, step)?;
    let input = image()?;
    let image = input.image()?;
    let totals = count(&image, &mut buckets, out)?;
    show(&buckets, &totals, options.has("format"), out)?;
    Ok(())
}

impl Buckets {
    fn new(max_size: i64, step: i32) -> Result<Self, Failure> {
        let max_size = if max_size == 0 { MAX_SIZE_DEFAULT } else { max_size };
        let step = if step == 0 { STEP_DEFAULT } else { step };
        let intervals = max_size / i64::from(step);
        if intervals > MAX_INTERVALS {
            let text = format!(
                "Too many distribution intervals (maxSize/step): {intervals}, should be less than {}.",
                MAX_INTERVALS + 1
            );
            return Err(Failure::uncaught("java.lang.IllegalStateException", text));
        }
        // Java's cast, then the size of an array.
        let length = (intervals as i32).wrapping_add(1);
        if length < 0 {
            let class = "java.lang.NegativeArraySizeException";
            return Err(Failure::uncaught(class, length.to_string()));
        }
        Ok(Self { max_size, step, last: i64::from(length) - 1, counts: BTreeMap::new() })
    }

    fn add(&mut self, size: i64) -> Result<(), Failure> {
        let bucket = if size > self.max_size {
            self.last
        } else {
            ((size as f64 / f64::from(self.step)).ceil() as i64).min(self.last)
        };
        if bucket < 0 {
            let text = format!("Index {bucket} out of bounds for length {}", self.last + 1);
            return Err(Failure::uncaught("java.lang.ArrayIndexOutOfBoundsException", text));
        }
        let count = self.counts.entry(bucket).or_default();
        *count = count.wrapping_add(1);
        Ok(())
    }
}

fn count(image: &Image<'_>, buckets: &mut Buckets, out: &mut dyn Write) -> Result<Totals, Failure> {
    let (head, mut messages) = image.inodes()?;
    let mut totals = Totals::default();
    for index in 0..head.num_inodes() {
        let inode = messages.next_inode()?.ok_or(Failure::Ended)?;
        match inode.kind {
            INodeKind::File(file) => {
                let mut size = 0_i64;
                for block in file.blocks.iter() {
                    size = size.wrapping_add(block.num_bytes.cast_signed());
                    totals.blocks = totals.blocks.wrapping_add(1);
                }
                let replication = file.replication.unwrap_or_default().cast_signed();
                totals.files = totals.files.wrapping_add(1);
                totals.space = totals.space.wrapping_add(size.wrapping_mul(replication.into()));
                totals.longest = totals.longest.max(size);
                buckets.add(size)?;
            }
            INodeKind::Directory(_) => totals.directories = totals.directories.wrapping_add(1),
            INodeKind::Symlink(_) => {}
        }
        if index % PROGRESS == 0 {
            writeln!(out, "Processed {index} inodes.")?;
        }
    }
    Ok(totals)
}

fn show(
    buckets: &Buckets,
    totals: &Totals,
    readable: bool,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    writeln!(out, "{}\tNumFiles", if readable { "Size Range" } else { "Size" })?;
    let edge = |bucket: i64| bucket.wrapping_mul(i64::from(buckets.step));
    for (&bucket, count) in &buckets.counts {
        if readable {
            let bracket = if bucket == 0 { '[' } else { '(' };
            let low = byte_desc(edge((bucket - 1).max(0)));
            let is_last = bucket == buckets.last;
            let high = byte_desc(if is_last { totals.longest } else { edge(bucket) });
            writeln!(out, "{bracket}{low}, {high}]\t{count}")?;
        } else {
            writeln!(out, "{}\t{count}", edge(bucket))?;
        }
    }
    let Totals { files, directories, blocks, space, longest } = totals;
    write!(
        out,
        "totalFiles = {files}\ntotalDirectories = {directories}\ntotalBlocks = {blocks}\n\
         totalSpace = {space}\nmaxFileSize = {longest}\n"
    )
}
