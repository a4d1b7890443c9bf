//! `-stat` and `-test`.
//!
//! Hadoop: org.apache.hadoop.fs.shell.Stat, Test (3.5.0)

use hdfs_types::FsAction;

use super::Shell;
use super::arguments::{Format, Options};
use super::failure::{Failure, Outcome};
use super::files::Kind;
use super::format::local_time;
use super::path;
use super::walk::{Command, PathData};

/// `-stat`.
pub(crate) struct Stat {
    recursive: bool,
    format: String,
}

impl Default for Stat {
    fn default() -> Self {
        Self { recursive: false, format: "%y".into() }
    }
}

impl Command for Stat {
    fn configure(
        &mut self,
        _shell: &mut Shell,
        options: &Options,
        args: &mut Vec<String>,
    ) -> Outcome<()> {
        self.recursive = options.has("R");
        if args[0].contains('%') {
            self.format = args.remove(0);
        }
        // A path must be left, and options may stand behind the format.
        let again = Format::new(1, &["R"]).parse(args)?;
        self.recursive |= again.has("R");
        Ok(())
    }

    fn is_recursive(&self) -> bool {
        self.recursive
    }

    fn visit(&mut self, shell: &mut Shell, item: &PathData) -> Outcome<()> {
        let stat = item.known()?;
        let time = |millis| local_time(millis, "%Y-%m-%d %H:%M:%S");
        let mut line = String::new();
        let mut chars = self.format.chars();
        while let Some(c) = chars.next() {
            if c != '%' {
                line.push(c);
                continue;
            }
            let Some(field) = chars.next() else { break };
            line.push_str(&match field {
                'a' => format!("{:o}", stat.permission.0),
                'A' => stat.permission.to_string(),
                'b' => stat.length.to_string(),
                'F' => match stat.kind {
                    Kind::Directory => "directory".into(),
                    Kind::File => "regular file".into(),
                    Kind::Symlink => "symlink".into(),
                },
                'g' => stat.group.clone(),
                'n' => path::name(&item.path).to_owned(),
                'o' => stat.block_size.to_string(),
                'r' => stat.replication.to_string(),
                'u' => stat.owner.clone(),
                'x' => time(stat.accessed_ms),
                'X' => stat.accessed_ms.to_string(),
                'y' => time(stat.modified_ms),
                'Y' => stat.modified_ms.to_string(),
                other => other.to_string(),
            });
        }
        shell.out.line(line);
        Ok(())
    }
}

/// `-test`: the answer is the exit status.
#[derive(Default)]
pub(crate) struct Test {
    question: &'static str,
}

impl Command for Test {
    fn configure(
        &mut self,
        _shell: &mut Shell,
        options: &Options,
        _args: &mut Vec<String>,
    ) -> Outcome<()> {
        self.question = match options.given().as_slice() {
            [] => return Err(Failure::Illegal("No test flag given".into())),
            [one] => one,
            _ => return Err(Failure::Illegal("Only one test flag is allowed".into())),
        };
        Ok(())
    }

    fn missing(&mut self, shell: &mut Shell, _item: PathData) -> Outcome<()> {
        shell.exit = 1;
        Ok(())
    }

    fn visit(&mut self, shell: &mut Shell, item: &PathData) -> Outcome<()> {
        let stat = item.known()?;
        let allowed = |action| match item.fs.access(&item.path, action) {
            Ok(()) => Ok(true),
            Err(failure) if failure.is_denied() || failure.is_not_found() => Ok(false),
            Err(failure) => Err(failure),
        };
        let yes = match self.question {
            "e" => true,
            "d" => stat.is_dir(),
            "f" => stat.is_file(),
            "s" => stat.length > 0,
            "z" => stat.length == 0,
            "w" => allowed(FsAction::WRITE)?,
            _ => allowed(FsAction::READ)?,
        };
        if !yes {
            shell.exit = 1;
        }
        Ok(())
    }
}
