//! `-mv` and `-moveToLocal`.
//!
//! Hadoop: org.apache.hadoop.fs.shell.MoveCommands (3.5.0)

use super::Shell;
use super::arguments::Options;
use super::copy::destination::Destination;
use super::failure::{Failure, Outcome};
use super::walk::{Command, PathData};

/// `-mv`.
#[derive(Default)]
pub(crate) struct Mv {
    destination: Destination,
}

impl Command for Mv {
    fn configure(
        &mut self,
        shell: &mut Shell,
        _options: &Options,
        args: &mut Vec<String>,
    ) -> Outcome<()> {
        self.destination = Destination::any(shell, args)?;
        Ok(())
    }

    fn arguments(&mut self, shell: &mut Shell, items: Vec<PathData>) -> Outcome<()> {
        self.destination.check(&items)?;
        self.each_argument(shell, items)
    }

    fn existing(&mut self, shell: &mut Shell, item: PathData) -> Outcome<()> {
        shell.depth = 0;
        self.destination.refuse_inside(&item)?;
        self.items(shell, None, vec![item])
    }

    fn visit(&mut self, shell: &mut Shell, item: &PathData) -> Outcome<()> {
        let target = self.destination.target(shell.depth, item)?;
        if item.fs.uri() != target.fs.uri() {
            return Err(Failure::path(&item.text, "Does not match target filesystem"));
        }
        if target.exists() {
            return Err(Failure::exists(&target.text));
        }
        if target.fs.rename(&item.path, &target.path)? {
            Ok(())
        } else {
            Err(Failure::input_output(&item.text))
        }
    }
}

/// `-moveToLocal`, which Hadoop lists and does not have.
pub(crate) struct MoveToLocal;

impl Command for MoveToLocal {
    fn configure(
        &mut self,
        _shell: &mut Shell,
        _options: &Options,
        _args: &mut Vec<String>,
    ) -> Outcome<()> {
        Err(Failure::io("Option '-moveToLocal' is not implemented yet."))
    }

    fn visit(&mut self, _shell: &mut Shell, _item: &PathData) -> Outcome<()> {
        Ok(())
    }
}
