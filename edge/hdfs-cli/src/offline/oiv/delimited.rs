//! A line of text for every inode.
//!
//! Hadoop: org.apache.hadoop.hdfs.tools.offlineImageViewer.PBImageDelimitedTextWriter (3.5.0)

use std::fmt::Write as _;
use std::io::Write;

use chrono::{DateTime, Local};
use hdfs_format::fsimage::{
    INodeKind, INodeRecord, Messages, NameTable, PackedPermission, StringTable, acl_entries,
    x_attrs,
};
use hdfs_proto::hdfs::XAttrProto;
use hdfs_proto::hdfs::x_attr_proto::XAttrNamespaceProto;
use hdfs_types::erasure::system_policy;

use super::tree::{Paths, Tree, join};
use super::{Failure, Input, Options, number};
use crate::output::complain;

/// Inodes that a thread turns into text at a time.
const PART_INODES: usize = 64 * 1024;
/// Bytes that are gathered before they go to the output.
const BUFFER_BYTES: usize = 256 * 1024;
const STORAGE_POLICY: &str = "hsm.block.storage.policy.id";
const ERASURE_CODING_POLICY: &str = "hdfs.erasurecoding.policy";
/// Seconds since 1970 after which every time zone is whole minutes away from UTC (Liberia was last, in 1972).
const WHOLE_MINUTES_SINCE: i64 = 1 << 27;

/// What stands in a line.
#[derive(Clone, Copy)]
struct Columns<'o> {
    delimiter: &'o str,
    storage_policy: bool,
    ec_policy: bool,
}

/// Writes the whole text.
pub(super) fn write(
    options: &Options,
    threads: i32,
    image: impl FnOnce() -> Result<Input, Failure>,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let columns = Columns {
        delimiter: options.value("delimiter", "\t"),
        storage_policy: options.has("sp"),
        ec_policy: options.has("ec"),
    };
    let input = image()?;
    let image = input.image()?;
    let names = image.string_table()?;
    let mut tree = Tree::read(&image, options.value("t", ""))?;
    tree.link(&image, |_, _| {})?;
    writeln!(out, "{}", columns.header())?;
    let ignored = match usize::try_from(threads) {
        Ok(threads) if threads > 1 => in_parallel(&tree, &names, columns, threads, out)?,
        _ => {
            let mut lines = Lines::new(&tree, &names, columns);
            lines.of(tree.inodes(), |text| out.write_all(text))?;
            lines.ignored
        }
    };
    if ignored > 0 {
        complain!("WARN oiv: Ignored {ignored} nodes, including {ignored} in snapshots.");
    }
    Ok(())
}

/// Parts are turned into text at the same time and written in their order.
fn in_parallel(
    tree: &Tree<'_>,
    names: &StringTable,
    columns: Columns<'_>,
    threads: usize,
    out: &mut dyn Write,
) -> Result<u64, Failure> {
    let parts = tree.inodes().split(PART_INODES)?;
    let (mut ignored, mut total) = (0, 0);
    for round in parts.chunks(threads) {
        let texts = std::thread::scope(|scope| {
            let work = |part: Messages<'_>| {
                let mut lines = Lines::new(tree, names, columns);
                let mut text = Vec::new();
                lines.of(part, |more| text.write_all(more))?;
                Ok::<_, Failure>((text, lines.ignored, lines.total))
            };
            let threads: Vec<_> =
                round.iter().map(|part| scope.spawn(move || work(*part))).collect();
            let join = |thread: std::thread::ScopedJoinHandle<'_, _>| {
                thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            threads.into_iter().map(join).collect::<Result<Vec<_>, Failure>>()
        })?;
        for (text, ignored_here, inodes) in texts {
            out.write_all(&text)?;
            ignored += ignored_here;
            total += inodes;
        }
    }
    if total != tree.count() {
        let expected = tree.count();
        return Err(Failure::Io(format!(
            "Expected to parse {expected} in parallel, but parsed {total}. The image may be corrupt."
        )));
    }
    Ok(ignored)
}

impl Columns<'_> {
    fn header(self) -> String {
        let mut names = vec![
            "Path",
            "Replication",
            "ModificationTime",
            "AccessTime",
            "PreferredBlockSize",
            "BlocksCount",
            "FileSize",
            "NSQUOTA",
            "DSQUOTA",
            "Permission",
            "UserName",
            "GroupName",
        ];
        names.extend(self.storage_policy.then_some("StoragePolicyId"));
        names.extend(self.ec_policy.then_some("ErasureCodingPolicy"));
        names.join(self.delimiter)
    }
}

/// The fields of a line that depend on the kind of the inode.
#[derive(Default)]
struct Entry {
    replication: i32,
    modification_time: u64,
    access_time: u64,
    preferred_block_size: i64,
    blocks: i32,
    size: i64,
    ns_quota: i64,
    ds_quota: i64,
    is_directory: bool,
    has_acl: bool,
    permission: u64,
    storage_policy: i32,
    ec_policy: Option<String>,
}

/// Turns inodes into lines.
struct Lines<'t, 'a> {
    paths: Paths<'t, 'a>,
    names: &'t StringTable,
    columns: Columns<'t>,
    text: String,
    times: [Minute; 2],
    owner: Owner,
    ignored: u64,
    total: u64,
}

impl<'t, 'a> Lines<'t, 'a> {
    fn new(tree: &'t Tree<'a>, names: &'t StringTable, columns: Columns<'t>) -> Self {
        let times = [Minute::default(), Minute::default()];
        let text = String::with_capacity(BUFFER_BYTES + 4096);
        let owner = Owner::default();
        Self { paths: tree.paths(), names, columns, text, times, owner, ignored: 0, total: 0 }
    }

    fn of(
        &mut self,
        mut messages: Messages<'a>,
        mut write: impl FnMut(&[u8]) -> std::io::Result<()>,
    ) -> Result<(), Failure> {
        while let Some(inode) = messages.next_inode()? {
            self.total += 1;
            match self.paths.of_parent(inode.id)? {
                Some(parent) => {
                    let entry = self.entry(&inode).map_err(|reason| messages.damaged(&reason))?;
                    self.line(&join(&parent, &String::from_utf8_lossy(inode.name)), &entry);
                }
                None => self.ignored += 1,
            }
            if self.text.len() >= BUFFER_BYTES {
                write(self.text.as_bytes())?;
                self.text.clear();
            }
        }
        write(self.text.as_bytes())?;
        self.text.clear();
        Ok(())
    }

    fn entry(&self, inode: &INodeRecord<'_>) -> Result<Entry, String> {
        let has_acl = |acl: Option<&[u8]>| match acl {
            Some(acl) => Ok(!acl_entries(acl, self.names)?.is_empty()),
            None => Ok::<_, String>(false),
        };
        let mut entry = Entry::default();
        match &inode.kind {
            INodeKind::File(file) => {
                entry.replication = file.replication.unwrap_or_default().cast_signed();
                entry.modification_time = file.modification_time;
                entry.access_time = file.access_time;
                entry.preferred_block_size = file.preferred_block_size.cast_signed();
                for block in file.blocks.iter() {
                    entry.blocks += 1;
                    entry.size = entry.size.wrapping_add(block.num_bytes.cast_signed());
                }
                entry.permission = file.permission;
                entry.has_acl = has_acl(file.acl)?;
                entry.storage_policy = file.storage_policy_id.cast_signed();
                // Java holds the number in a byte and knows the built-in policies only; 0, replication, is none of them.
                let id = file.erasure_coding_policy_id.filter(|_| self.columns.ec_policy);
                let built_in = id.and_then(|id| system_policy(id & 0xFF)).filter(|it| it.id != 0);
                entry.ec_policy = built_in.map(|policy| policy.name.to_owned());
            }
            INodeKind::Directory(directory) => {
                entry.modification_time = directory.modification_time;
                entry.ns_quota = directory.ns_quota;
                entry.ds_quota = directory.ds_quota;
                entry.is_directory = true;
                entry.permission = directory.permission;
                entry.has_acl = has_acl(directory.acl)?;
                let attributes = match directory.x_attrs {
                    Some(encoded) => x_attrs(encoded, self.names)?,
                    None => Vec::new(),
                };
                entry.storage_policy = storage_policy(&attributes);
                entry.ec_policy = erasure_coding_policy(&attributes);
            }
            INodeKind::Symlink(link) => {
                entry.modification_time = link.modification_time;
                entry.access_time = link.access_time;
                entry.permission = link.permission;
            }
        }
        Ok(entry)
    }

    fn line(&mut self, path: &str, entry: &Entry) {
        let start = self.text.len();
        self.field(path);
        self.number(entry.replication.into());
        self.time(0, entry.modification_time);
        self.time(1, entry.access_time);
        self.number(entry.preferred_block_size);
        self.number(entry.blocks.into());
        self.number(entry.size);
        self.number(entry.ns_quota);
        self.number(entry.ds_quota);
        self.text.push_str(self.columns.delimiter);
        self.owner.see(entry.permission, self.names, self.columns.delimiter);
        self.text.push(if entry.is_directory { 'd' } else { '-' });
        self.text.push_str(&self.owner.mode);
        if entry.has_acl {
            self.text.push('+');
        }
        self.text.push_str(&self.owner.names);
        if self.columns.storage_policy {
            self.number(entry.storage_policy.into());
        }
        if self.columns.ec_policy {
            self.field(entry.ec_policy.as_deref().unwrap_or("-"));
        }
        self.text.push('\n');
        // As Hadoop: of the delimiter before the line one character is cut off, however long it is.
        if let Some(first) = self.text.get(start..).and_then(|line| line.chars().next()) {
            self.text.replace_range(start..start + first.len_utf8(), "");
        }
    }

    fn field(&mut self, text: &str) {
        self.text.push_str(self.columns.delimiter);
        push_field(&mut self.text, text);
    }

    fn number(&mut self, number: i64) {
        self.text.push_str(self.columns.delimiter);
        push_number(&mut self.text, number);
    }

    fn time(&mut self, which: usize, millis: u64) {
        let Self { text, times, columns, .. } = self;
        text.push_str(columns.delimiter);
        if let Some(minute) = times.get_mut(which) {
            text.push_str(minute.show(millis.cast_signed()));
        }
    }
}

/// The permission that was shown last: neighbours in an image often have the same one.
#[derive(Default)]
struct Owner {
    packed: Option<u64>,
    mode: String,
    /// User and group, each with the delimiter before it.
    names: String,
}

impl Owner {
    fn see(&mut self, packed: u64, table: &StringTable, delimiter: &str) {
        if self.packed == Some(packed) {
            return;
        }
        let permission = PackedPermission::unpack(packed);
        self.packed = Some(packed);
        self.mode = permission.mode.to_string();
        self.names.clear();
        for (kind, id) in [(NameTable::User, permission.user), (NameTable::Group, permission.group)]
        {
            self.names.push_str(delimiter);
            push_field(&mut self.names, table.name(kind, id).map_or("null", |name| name));
        }
    }
}

/// A number in decimal digits.
fn push_number(out: &mut String, number: i64) {
    let mut digits = [0; 20];
    let (mut at, mut rest) = (digits.len(), number.unsigned_abs());
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        out.push('-');
    }
    out.extend(digits[at..].iter().map(|digit| char::from(*digit)));
}

/// The minute that was shown last: neighbours in an image were often written in the same one.
#[derive(Default)]
struct Minute {
    number: Option<i64>,
    shown: String,
}

impl Minute {
    /// `2026-11-21 09:59` in the local time zone.
    fn show(&mut self, millis: i64) -> &str {
        let seconds = millis.div_euclid(1000);
        let number = (seconds >= WHOLE_MINUTES_SINCE).then(|| seconds.div_euclid(60));
        if number.is_none() || number != self.number {
            self.number = number;
            self.shown.clear();
            let time = DateTime::from_timestamp_millis(millis);
            let local = time.map(|time| time.with_timezone(&Local));
            // Writing to a String can't fail. What is beyond the calendar is shown as the number that it is.
            let _ = match local {
                Some(local) => write!(self.shown, "{}", local.format("%Y-%m-%d %H:%M")),
                None => write!(self.shown, "{millis}"),
            };
        }
        &self.shown
    }
}

/// A field as a CSV file has it, and without line breaks.
pub(super) fn push_field(out: &mut String, field: &str) {
    if !field.contains([',', '"', '\r', '\n']) {
        out.push_str(field);
        return;
    }
    let quoted = format!("\"{}\"", field.replace('"', "\"\""));
    if quoted.contains("\r\n") {
        out.push_str(&quoted.replace("\r\n", "%x0D%x0A"));
    } else {
        out.push_str(&quoted.replace('\n', "%x0A"));
    }
}

fn system<'x>(attributes: &'x [XAttrProto], name: &str) -> Option<&'x [u8]> {
    let is_it = |attribute: &&XAttrProto| {
        attribute.namespace() == XAttrNamespaceProto::System && attribute.name == name
    };
    attributes.iter().find(is_it).map(XAttrProto::value)
}

fn storage_policy(attributes: &[XAttrProto]) -> i32 {
    let value = system(attributes, STORAGE_POLICY).and_then(<[u8]>::first);
    value.map_or(0, |policy| i32::from(policy.cast_signed()))
}

/// The name in the attribute: four bytes of length, then UTF-8.
fn erasure_coding_policy(attributes: &[XAttrProto]) -> Option<String> {
    let (length, name) = system(attributes, ERASURE_CODING_POLICY)?.split_first_chunk::<4>()?;
    let length = usize::try_from(i32::from_be_bytes(*length)).ok()?;
    Some(String::from_utf8_lossy(name.get(..length)?).into_owned())
}

/// Checks `-m` as Hadoop does, before anything else.
pub(super) fn threads(options: &Options) -> Result<i32, Failure> {
    number(options.value("m", "1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_every_digit_and_fields_no_line_break() {
        let mut text = String::new();
        for number in [0, 7, -1, 10, i64::MAX, i64::MIN] {
            text.push(' ');
            push_number(&mut text, number);
        }
        assert_eq!(text, " 0 7 -1 10 9223372036854775807 -9223372036854775808");
        let field = |field: &str| {
            let mut out = String::new();
            push_field(&mut out, field);
            out
        };
        assert_eq!(field("plain name"), "plain name");
        assert_eq!(field("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(field("a\nb"), "\"a%x0Ab\"");
        assert_eq!(field("a\r\nb\nc"), "\"a%x0D%x0Ab\nc\"");
    }
}
