//! `-createSnapshot`, `-deleteSnapshot`, `-renameSnapshot`.
//!
//! Hadoop: org.apache.hadoop.fs.shell.SnapshotCommands (3.5.0)

use super::Shell;
use super::arguments::Options;
use super::failure::{Failure, Outcome};
use super::walk::{Command, PathData};

/// What is done to a snapshot.
enum Action {
    Create { name: Option<String> },
    Delete { name: String },
    Rename { old: String, new: String },
}

/// Which command this is.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// `-createSnapshot`.
    Create,
    /// `-deleteSnapshot`.
    Delete,
    /// `-renameSnapshot`.
    Rename,
}

/// A command about snapshots.
pub(crate) struct Snapshot {
    kind: Kind,
    action: Action,
}

impl Snapshot {
    /// The command of this kind.
    pub(crate) fn new(kind: Kind) -> Self {
        Self { kind, action: Action::Create { name: None } }
    }
}

impl Command for Snapshot {
    fn configure(
        &mut self,
        _shell: &mut Shell,
        _options: &Options,
        args: &mut Vec<String>,
    ) -> Outcome<()> {
        let wrong = |message: &str| Err(Failure::Illegal(message.into()));
        let mut words = std::mem::take(args).into_iter();
        let (root, first, second) = (words.next(), words.next(), words.next());
        let more = words.next().is_some();
        self.action = match (self.kind, &root, first, second) {
            (Kind::Create, None, ..) => return wrong("<snapshotDir> is missing."),
            (Kind::Create, _, name, None) => Action::Create { name },
            (Kind::Create, ..) => return wrong("Too many arguments."),
            (Kind::Delete, _, Some(name), None) => Action::Delete { name },
            (Kind::Rename, _, Some(old), Some(new)) if !more => Action::Rename { old, new },
            _ => return wrong("Incorrect number of arguments."),
        };
        args.extend(root);
        Ok(())
    }

    fn arguments(&mut self, shell: &mut Shell, items: Vec<PathData>) -> Outcome<()> {
        self.each_argument(shell, items.clone())?;
        let [root] = items.as_slice() else { return Ok(()) };
        if shell.errors > 0 {
            return Ok(());
        }
        let done = match &self.action {
            Action::Create { name } => {
                let path = root.fs.create_snapshot(&root.path, name.as_deref())?;
                format!("Created snapshot {path}")
            }
            Action::Delete { name } => {
                root.fs.delete_snapshot(&root.path, name)?;
                format!("Deleted snapshot {name} under {}", root.qualified())
            }
            Action::Rename { old, new } => {
                root.fs.rename_snapshot(&root.path, old, new)?;
                format!("Renamed snapshot {old} to {new} under {}", root.qualified())
            }
        };
        shell.out.line(done);
        Ok(())
    }

    fn visit(&mut self, _shell: &mut Shell, item: &PathData) -> Outcome<()> {
        if item.is_dir() { Ok(()) } else { Err(Failure::is_no_directory(&item.text)) }
    }
}
