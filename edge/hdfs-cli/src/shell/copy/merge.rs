//! `-getmerge`.
//!
//! Hadoop: org.apache.hadoop.fs.shell.CopyCommands.Merge (3.5.0)

use super::BUFFER;
use crate::shell::Shell;
use crate::shell::arguments::Options;
use crate::shell::failure::{Failure, Outcome};
use crate::shell::files::Create;
use crate::shell::walk::{Command, PathData};

/// `-getmerge`.
#[derive(Default)]
pub(crate) struct Merge {
    newline: bool,
    skip_empty: bool,
    target: Option<PathData>,
    sources: Vec<PathData>,
}

impl Command for Merge {
    fn configure(
        &mut self,
        shell: &mut Shell,
        options: &Options,
        args: &mut Vec<String>,
    ) -> Outcome<()> {
        self.newline = options.has("nl");
        self.skip_empty = options.has("skip-empty-file");
        let target = shell.local(&args.pop().unwrap_or_default())?;
        if target.is_dir() {
            return Err(Failure::is_directory(&target.text));
        }
        self.target = Some(target);
        Ok(())
    }

    fn arguments(&mut self, shell: &mut Shell, items: Vec<PathData>) -> Outcome<()> {
        self.each_argument(shell, items)?;
        let (0, Some(target)) = (shell.exit, &self.target) else { return Ok(()) };
        let how = Create { overwrite: true, lazy_persist: false, checksum_file: true };
        let mut writer = target.fs.create(&target.path, how)?;
        let mut buffer = vec![0; BUFFER];
        for source in &self.sources {
            let empty = source.known()?.length == 0;
            if !empty {
                let mut reader = source.fs.open(&source.path)?;
                loop {
                    match reader.read(&mut buffer)? {
                        0 => break,
                        count => writer.write(&buffer[..count])?,
                    }
                }
            }
            if self.newline && !(empty && self.skip_empty) {
                writer.write(b"\n")?;
            }
        }
        writer.close()
    }

    fn missing(&mut self, shell: &mut Shell, item: PathData) -> Outcome<()> {
        shell.exit = 1;
        Err(Failure::not_found(&item.text))
    }

    fn visit(&mut self, shell: &mut Shell, item: &PathData) -> Outcome<()> {
        if !item.is_dir() {
            self.sources.push(item.clone());
        } else if shell.depth == 0 {
            self.descend(shell, item)?;
        }
        Ok(())
    }
}
