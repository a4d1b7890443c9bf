//! Two views of images, line by line.

use std::fmt::Write as _;

/// Lines shown of a difference.
const SHOWN: usize = 4;

/// What differs; none when the views say the same.
pub(crate) fn difference(ours: &str, apache: &str) -> Option<String> {
    if ours == apache {
        return None;
    }
    let (ours, apache) = (lines(ours), lines(apache));
    let mut text = String::new();
    let mut shown = 0;
    for line in ours.iter().filter(|line| !apache.contains(line)).take(SHOWN) {
        let _ = writeln!(text, "  ours:   {line}");
        shown += 1;
    }
    for line in apache.iter().filter(|line| !ours.contains(line)).take(SHOWN) {
        let _ = writeln!(text, "  Apache: {line}");
        shown += 1;
    }
    if shown == 0 {
        text.push_str("  the same lines in another order, or as often\n");
        for (ours, apache) in ours.iter().zip(&apache).filter(|(a, b)| a != b).take(2) {
            let _ = writeln!(text, "  ours:   {ours}\n  Apache: {apache}");
        }
    }
    Some(text)
}

/// What Apache is free to say in two ways:
/// - A directory with quotas by kind of storage only: once its image is loaded, "no limit of names" is no longer -1.
/// - What a directory with quotas was in a snapshot has, once its image is loaded, limits of 0 for every kind of storage when
///   it had none (INodeDirectoryAttributes.CopyWithQuota without kinds). No call of ours sets a limit of 0.
/// - Its image does not say from which block a cut copies.
/// - It keeps no difference between an attribute without a value and one with an empty value.
/// - It does not save the default replication of a cache pool.
/// - The order of open files, keys and tokens is that of hash tables.
pub(crate) fn normal(view: &str) -> String {
    let view = view
        .replace("<nsquota>9223372036854775807</nsquota>", "<nsquota>-1</nsquota>")
        .replace("{ names: 9223372036854775807,", "{ names: -1,")
        .replace(" QuotaCounts { names: -1, space: -1, types: [-1, -1, -1, -1, -1, -1] }", "")
        .replace("types: [0, 0, 0, -1, 0, 0]", "types: [-1, -1, -1, -1, -1, -1]")
        .replace(
            "Some(QuotaCounts { names: -1, space: -1, types: [-1, -1, -1, -1, -1, -1] })",
            "None",
        )
        .replace("value: Some([])", "value: None");
    let view = ["SSD", "DISK", "ARCHIVE", "PROVIDED", "NVDIMM"].iter().fold(view, |view, kind| {
        view.replace(&format!("<typeQuota><type>{kind}</type><quota>0</quota></typeQuota>"), "")
    });
    let view = without_sources(&view);
    let view = ["default_replication: 2", "default_replication: 3"]
        .iter()
        .fold(view, |view, replication| view.replace(replication, "default_replication: 1"));
    let view = sorted(view, "FileUnderConstructionSection", "inode");
    sorted(view, "SecretManagerSection", "token")
}

/// Without the blocks from which cuts copy.
fn without_sources(dump: &str) -> String {
    let mut parts = dump.split(" of blk_");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |kept, part| {
        let rest = part.find([' ', '\n']).map_or("", |end| &part[end..]);
        kept + rest
    })
}

/// A section with its elements of one name, which come last, in order.
fn sorted(view: String, section: &str, element: &str) -> String {
    let (start, end) = (format!("<{section}>"), format!("</{section}>"));
    let Some((before, rest)) = view.split_once(&start) else { return view };
    let Some((inside, after)) = rest.split_once(&end) else { return view };
    let first = inside.find(&format!("<{element}>")).unwrap_or(inside.len());
    let (head, elements) = inside.split_at(first);
    let mut elements: Vec<&str> =
        elements.split_inclusive(&format!("</{element}>")).map(str::trim).collect();
    elements.retain(|element| !element.is_empty());
    let head = head.trim_end();
    elements.sort_unstable();
    format!("{before}{start}{head}{}{end}{after}", elements.join("\n"))
}

/// Elements that hold others in a row are cut into lines, so that a difference is short.
fn lines(view: &str) -> Vec<String> {
    view.replace("><", ">\n<")
        .lines()
        .scan(String::new(), |inode, line| {
            if line.starts_with("<id>") {
                *inode = line.to_owned();
            }
            Some(format!("{inode} {line}"))
        })
        .collect()
}
