//! Names that were free in old layouts and mean something today: an upgrade renames them, or is refused.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.FSImageFormat (3.5.0)

use std::borrow::Cow;

use hdfs_types::{Error, ErrorKind, Result};

use crate::layout_version::{Feature, Layout};

/// The name of the folder of snapshots.
pub const DOT_SNAPSHOT: &str = ".snapshot";
/// The name below the root for paths that name no place in the tree.
pub const DOT_RESERVED: &str = ".reserved";

/// What is said about a reserved name when the upgrade was not told to rename. Hadoop: IllegalReservedPathException
pub const RESERVED_PATH: &str = "/.reserved is a reserved path and .snapshot is a reserved path component in this version of \
    HDFS. Please rollback and delete or rename this path, or upgrade with the -renameReserved [key-value pairs] option to \
    automatically rename these paths during upgrade.";

/// What reserved names are called after an upgrade (`-renameReserved`).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ReservedNames {
    /// What `.snapshot` and, below the root, `.reserved` become; none when the upgrade was not told to rename.
    renamed: Option<(String, String)>,
}

impl ReservedNames {
    /// The names of `-renameReserved PAIRS`, as in `.snapshot=.my-snapshot,.reserved=.my-reserved`; a name that is not
    /// given gets Hadoop's.
    ///
    /// # Errors
    /// When a pair is none, names no reserved component, or its new name is none for a component.
    pub fn parse(pairs: &str) -> Result<Self> {
        let wrong = |text: String| Error::new(ErrorKind::IllegalArgument, text);
        let default = |name: &str| format!("{name}.{}.UPGRADE_RENAMED", Layout::CURRENT.version());
        let (mut snapshot, mut reserved) = (default(DOT_SNAPSHOT), default(DOT_RESERVED));
        for pair in pairs.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let Some((name, new)) = pair.split_once('=').filter(|(_, new)| !new.contains('='))
            else {
                return Err(wrong(format!("Could not parse key-value pair {pair}")));
            };
            let place = match name {
                DOT_SNAPSHOT => &mut snapshot,
                DOT_RESERVED => &mut reserved,
                _ => return Err(wrong(format!("Unknown reserved path {name}"))),
            };
            let invalid = matches!(new, "" | "." | ".." | DOT_SNAPSHOT | DOT_RESERVED)
                || new.contains([':', '/']);
            if invalid {
                return Err(wrong(format!("Invalid rename path for {name}: {new}")));
            }
            new.clone_into(place);
        }
        Ok(Self { renamed: Some((snapshot, reserved)) })
    }

    /// The name that a file or directory of an old layout gets; none when it keeps its own. `below_root`: its parent is
    /// the root.
    ///
    /// # Errors
    /// When the name is reserved, and the upgrade was not told to rename.
    pub fn rename_component(
        &self,
        name: &[u8],
        below_root: bool,
        layout: Layout,
    ) -> Result<Option<&str>, String> {
        let is_snapshot = name == DOT_SNAPSHOT.as_bytes() && !layout.supports(Feature::Snapshot);
        let is_reserved =
            below_root && name == DOT_RESERVED.as_bytes() && !layout.supports(Feature::AddInodeId);
        if !is_snapshot && !is_reserved {
            return Ok(None);
        }
        let Some((snapshot, reserved)) = &self.renamed else {
            return Err(RESERVED_PATH.to_owned());
        };
        Ok(Some(if is_snapshot { snapshot } else { reserved }))
    }

    /// The path that a path of an old layout becomes; none when it stays.
    ///
    /// # Errors
    /// When it holds a reserved name, and the upgrade was not told to rename.
    pub fn rename(&self, path: &[u8], layout: Layout) -> Result<Option<Vec<u8>>, String> {
        let mut changed = false;
        let mut components: Vec<Cow<'_, [u8]>> = Vec::new();
        for (index, component) in path.split(|byte| *byte == b'/').enumerate() {
            let renamed = self
                .rename_component(component, index == 1, layout)
                .map_err(|reason| format!("{reason} ({})", String::from_utf8_lossy(path)))?;
            changed |= renamed.is_some();
            components.push(renamed.map_or(component, str::as_bytes).into());
        }
        Ok(changed.then(|| components.join(&b'/')))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_were_free_are_renamed_or_refused() {
        let names = ReservedNames::parse(".snapshot=.old-snapshot").expect("a pair");
        let rename = |path: &str, layout| {
            let renamed = names.rename(path.as_bytes(), Layout::of(layout)).expect("it may");
            renamed.map(|path| String::from_utf8(path).expect("it was text"))
        };
        let free = "/.reserved/.snapshot/.reserved";
        let named = "/.reserved.-67.UPGRADE_RENAMED/.old-snapshot/.reserved";
        assert_eq!(rename(free, -39).as_deref(), Some(named));
        assert_eq!(rename("/a/.snapshot", -42).as_deref(), Some("/a/.old-snapshot"));
        assert_eq!(rename("/.reserved/a", -42), None);
        assert_eq!(rename(free, -43), None);
        assert_eq!(rename("/", -16), None);
        for wrong in ["a=b", ".snapshot", ".snapshot=a=b", ".reserved=a/b", ".snapshot=.reserved"] {
            assert!(ReservedNames::parse(wrong).is_err(), "{wrong}");
        }
        let untold = ReservedNames::default().rename(b"/a/.snapshot", Layout::of(-39));
        assert_eq!(untold, Err(format!("{RESERVED_PATH} (/a/.snapshot)")));
    }
}
