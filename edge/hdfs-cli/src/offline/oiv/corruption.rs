//! Inodes that directories list and the image lacks.
//!
//! Hadoop: org.apache.hadoop.hdfs.tools.offlineImageViewer.PBImageCorruptionDetector (3.5.0)

use std::collections::{BTreeMap, HashSet};
use std::io::Write;

use super::delimited::push_field;
use super::tree::Tree;
use super::{Failure, Input, Options};
use crate::output::complain;

/// What is wrong with an id.
#[derive(Default)]
struct Corruption {
    /// A directory lists it, or it has entries, but there is no such inode.
    is_missing: bool,
    /// So many of its children are missing.
    missing_children: u64,
}

impl Corruption {
    fn kind(&self) -> &'static str {
        match (self.is_missing, self.missing_children > 0) {
            (true, true) => "CorruptNodeWithMissingChild",
            (true, false) => "CorruptNode",
            (false, _) => "MissingChild",
        }
    }
}

/// Writes what is found.
pub(super) fn write(
    options: &Options,
    image: impl FnOnce() -> Result<Input, Failure>,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let delimiter = options.value("delimiter", "\t");
    let input = image()?;
    let image = input.image()?;
    let mut tree = Tree::read(&image, options.value("t", ""))?;
    // By number as Java orders it.
    let mut found: BTreeMap<i64, Corruption> = BTreeMap::new();
    tree.link(&image, |tree, entry| {
        let parent = entry.parent();
        if !tree.has(parent) {
            found.entry(parent.cast_signed()).or_default().is_missing = true;
        }
        let mut missing = 0;
        for child in entry.children.iter().filter(|child| !tree.has(**child)) {
            found.entry(child.cast_signed()).or_default().is_missing = true;
            missing += 1;
        }
        if missing > 0 {
            found.entry(parent.cast_signed()).or_default().missing_children = missing;
        }
    })?;
    let mut report = Report {
        references: tree.references().iter().copied().collect(),
        tree: &tree,
        delimiter,
        found,
    };
    report.write(out)
}

struct Report<'t, 'a> {
    tree: &'t Tree<'a>,
    references: HashSet<u64>,
    delimiter: &'t str,
    found: BTreeMap<i64, Corruption>,
}

impl Report<'_, '_> {
    fn write(&mut self, out: &mut dyn Write) -> Result<(), Failure> {
        let header = [
            "CorruptionType",
            "Id",
            "IsSnapshot",
            "ParentPath",
            "ParentId",
            "Name",
            "NodeType",
            "CorruptChildren",
        ];
        writeln!(out, "{}", header.join(self.delimiter))?;
        let (mut messages, mut paths) = (self.tree.inodes(), self.tree.paths());
        let mut ignored = 0_u64;
        while let Some(inode) = messages.next_inode()? {
            let Some(parent) = paths.of_parent(inode.id)? else {
                ignored += 1;
                continue;
            };
            let id = inode.id.0;
            if let Some(corruption) = self.found.remove(&id.cast_signed()) {
                let name = String::from_utf8_lossy(inode.name);
                writeln!(out, "{}", self.line(id, &corruption, false, &parent, &name))?;
            }
        }
        if ignored > 0 {
            complain!("WARN oiv: Ignored {ignored} nodes, including {ignored} in snapshots.");
        }
        // What has no path.
        for (id, corruption) in &self.found {
            let id = id.cast_unsigned();
            let name = self.tree.directory_name(id)?.unwrap_or_default();
            writeln!(out, "{}", self.line(id, corruption, true, "", &name))?;
        }
        Ok(())
    }

    fn line(
        &self,
        id: u64,
        corruption: &Corruption,
        is_snapshot: bool,
        parent_path: &str,
        name: &str,
    ) -> String {
        let parent_id = self.tree.parent(id).map(u64::cast_signed);
        let parent_id = parent_id.map_or_else(|| "Missing".to_owned(), |id| id.to_string());
        let kind = match id {
            id if self.tree.has(id) => "Node",
            id if self.references.contains(&id) => "Ref",
            _ => "Unknown",
        };
        let mut line = corruption.kind().to_owned();
        let fields: [&str; 7] = [
            &id.cast_signed().to_string(),
            if is_snapshot { "true" } else { "false" },
            parent_path,
            &parent_id,
            name,
            kind,
            &corruption.missing_children.to_string(),
        ];
        for field in fields {
            line.push_str(self.delimiter);
            push_field(&mut line, field);
        }
        line
    }
}
