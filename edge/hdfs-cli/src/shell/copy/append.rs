//! `-appendToFile`.
//!
//! Hadoop: org.apache.hadoop.fs.shell.CopyCommands.AppendToFile (3.5.0)

use super::BUFFER;
use super::destination::Destination;
use super::transfer::Stdin;
use crate::shell::Shell;
use crate::shell::arguments::{Format, Options};
use crate::shell::failure::{Failure, Outcome};
use crate::shell::files::{Create, Reader, Writer};
use crate::shell::walk::{Command, PathData};

/// `-appendToFile`.
#[derive(Default)]
pub(crate) struct AppendToFile {
    new_block: bool,
    from_stdin: bool,
    destination: Destination,
}

fn copy(reader: &mut dyn Reader, writer: &mut dyn Writer) -> Outcome<()> {
    let mut buffer = vec![0; BUFFER];
    loop {
        match reader.read(&mut buffer)? {
            0 => return Ok(()),
            count => writer.write(&buffer[..count])?,
        }
    }
}

impl Command for AppendToFile {
    fn configure(
        &mut self,
        shell: &mut Shell,
        _options: &Options,
        args: &mut Vec<String>,
    ) -> Outcome<()> {
        if args.len() < 2 {
            return Err(Failure::io("missing destination argument"));
        }
        let options = Format::new(2, &["n"]).parse(args)?;
        self.new_block = options.has("n");
        self.destination = Destination::any(shell, args)?;
        Ok(())
    }

    fn expand(&mut self, shell: &mut Shell, arg: &str) -> Outcome<Vec<PathData>> {
        if arg == "-" {
            self.from_stdin = true;
            return Ok(Vec::new());
        }
        Ok(vec![shell.local(arg)?])
    }

    fn arguments(&mut self, _shell: &mut Shell, items: Vec<PathData>) -> Outcome<()> {
        let Some(target) = &self.destination.path else { return Ok(()) };
        if !target.exists() {
            let how = Create { overwrite: false, lazy_persist: false, checksum_file: true };
            target.fs.create(&target.path, how)?.close()?;
        }
        let mut writer = target.fs.append(&target.path, self.new_block)?;
        let done = self.copy_all(&items, &mut *writer);
        // Closed in any case: what was appended before an error stays, as in Hadoop.
        let closed = writer.close();
        done.and(closed)
    }

    fn visit(&mut self, _shell: &mut Shell, _item: &PathData) -> Outcome<()> {
        Ok(())
    }
}

impl AppendToFile {
    fn copy_all(&self, items: &[PathData], writer: &mut dyn Writer) -> Outcome<()> {
        if self.from_stdin {
            if !items.is_empty() {
                return Err(Failure::io("stdin (-) must be the sole input argument when present"));
            }
            copy(&mut Stdin, writer)?;
        }
        for item in items {
            // Java's NoSuchFileException says no more than the path.
            if !item.exists() {
                return Err(Failure::io(item.path.clone()));
            }
            copy(&mut *item.fs.open(&item.path)?, writer)?;
        }
        Ok(())
    }
}
