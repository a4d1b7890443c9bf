//! `-chmod`, `-chown`, `-chgrp`, `-setrep`.
//!
//! Hadoop: org.apache.hadoop.fs.FsShellPermissions, org.apache.hadoop.fs.shell.SetReplication (3.5.0)

use std::time::Duration;

use super::Shell;
use super::arguments::Options;
use super::display::no_number;
use super::failure::{Failure, Outcome};
use super::files::Kind;
use super::mode::Mode;
use super::walk::{Command, PathData};

/// `-chmod`.
#[derive(Default)]
pub(crate) struct Chmod {
    recursive: bool,
    mode: Option<Mode>,
}

impl Command for Chmod {
    fn configure(
        &mut self,
        _shell: &mut Shell,
        options: &Options,
        args: &mut Vec<String>,
    ) -> Outcome<()> {
        self.recursive = options.has("R");
        let text = args.remove(0);
        let mode = Mode::parse(&text).ok_or_else(|| {
            Failure::Illegal(format!("chmod : mode '{text}' does not match the expected pattern."))
        })?;
        self.mode = Some(mode);
        Ok(())
    }

    fn is_recursive(&self) -> bool {
        self.recursive
    }

    fn visit(&mut self, _shell: &mut Shell, item: &PathData) -> Outcome<()> {
        let stat = item.known()?;
        let Some(mode) = self.mode else { return Ok(()) };
        let new = mode.apply(stat.permission, stat.is_dir());
        if new == stat.permission {
            return Ok(());
        }
        item.fs.set_permission(&item.path, new).map_err(|failure| {
            Failure::io(format!("changing permissions of '{}': {}", item.text, failure.message()))
        })
    }
}

/// `-chown` and `-chgrp`.
#[derive(Default)]
pub(crate) struct Chown {
    recursive: bool,
    group_only: bool,
    owner: Option<String>,
    group: Option<String>,
}

/// Characters of user and group names.
fn allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-+_./@".contains(c)
}

impl Chown {
    /// `-chgrp`.
    pub(crate) fn group_only() -> Self {
        Self { group_only: true, ..Self::default() }
    }

    fn parse(&mut self, text: &str) -> Outcome<()> {
        let trimmed = text.trim();
        if self.group_only {
            if trimmed.is_empty() || !trimmed.chars().all(allowed) {
                let message = format!("'{text}' does not match expected pattern for group");
                return Err(Failure::Illegal(message));
            }
            self.group = Some(trimmed.to_owned());
            return Ok(());
        }
        let (owner, group) = trimmed.split_once(':').unwrap_or((trimmed, ""));
        if !owner.chars().chain(group.chars()).all(allowed) {
            let message = format!("'{text}' does not match expected pattern for [owner][:group].");
            return Err(Failure::Illegal(message));
        }
        let given = |name: &str| Some(name.to_owned()).filter(|name| !name.is_empty());
        (self.owner, self.group) = (given(owner), given(group));
        if self.owner.is_none() && self.group.is_none() {
            return Err(Failure::Illegal(format!("'{text}' does not specify owner or group.")));
        }
        Ok(())
    }
}

impl Command for Chown {
    fn configure(
        &mut self,
        _shell: &mut Shell,
        options: &Options,
        args: &mut Vec<String>,
    ) -> Outcome<()> {
        self.recursive = options.has("R");
        self.parse(&args.remove(0))
    }

    fn is_recursive(&self) -> bool {
        self.recursive
    }

    fn visit(&mut self, _shell: &mut Shell, item: &PathData) -> Outcome<()> {
        let stat = item.known()?;
        let owner = self.owner.as_deref().filter(|owner| *owner != stat.owner);
        let group = self.group.as_deref().filter(|group| *group != stat.group);
        if owner.is_none() && group.is_none() {
            return Ok(());
        }
        item.fs.set_owner(&item.path, owner, group).map_err(|failure| {
            Failure::io(format!("changing ownership of '{}': {}", item.text, failure.message()))
        })
    }
}

/// `-setrep`.
#[derive(Default)]
pub(crate) struct SetReplication {
    replication: u16,
    wait: bool,
    waiting: Vec<PathData>,
}

/// Pause between two looks at a file whose replicas are awaited.
const LOOK_EVERY: Duration = Duration::from_secs(10);

impl SetReplication {
    fn wait_for(&self, shell: &mut Shell, item: &PathData) -> Outcome<()> {
        shell.out.bytes(format!("Waiting for {} ...", item.text).as_bytes());
        shell.out.flush();
        let wanted = usize::from(self.replication);
        let mut warned = false;
        // A first look at once: usually there is nothing to wait for.
        let mut pause = Duration::from_millis(200);
        loop {
            let odd = item.fs.replicas(&item.path)?.into_iter().find(|count| *count != wanted);
            let Some(count) = odd else { break };
            if count > wanted && !warned {
                shell.out.line(
                    "\nWARNING: the waiting time may be long for DECREASING the number of replications.",
                );
                warned = true;
            }
            shell.out.bytes(b".");
            shell.out.flush();
            std::thread::sleep(pause);
            pause = (pause * 2).min(LOOK_EVERY);
        }
        shell.out.line(" done");
        Ok(())
    }
}

impl Command for SetReplication {
    fn configure(
        &mut self,
        shell: &mut Shell,
        options: &Options,
        args: &mut Vec<String>,
    ) -> Outcome<()> {
        self.wait = options.has("w");
        let text = args.remove(0);
        let number: i32 =
            text.parse().ok().filter(|number| i16::try_from(*number).is_ok()).ok_or_else(|| {
                shell.warn("Illegal replication, a positive integer expected");
                match text.parse::<i64>() {
                    Ok(_) => {
                        Failure::Illegal(format!("Value out of range. Value:\"{text}\" Radix:10"))
                    }
                    Err(_) => no_number(&text),
                }
            })?;
        self.replication = u16::try_from(number)
            .ok()
            .filter(|number| *number > 0)
            .ok_or_else(|| Failure::Illegal("replication must be >= 1".into()))?;
        Ok(())
    }

    fn is_recursive(&self) -> bool {
        true
    }

    fn visit(&mut self, shell: &mut Shell, item: &PathData) -> Outcome<()> {
        let stat = item.known()?;
        match stat.kind {
            Kind::Symlink => return Err(Failure::path(&item.text, "Symlinks unsupported")),
            Kind::Directory => return Ok(()),
            Kind::File => {}
        }
        if stat.erasure_coded {
            let reason = "because it's an erasure coded file.";
            shell.out.line(format!("Did not set replication for: {}, {reason}", item.text));
            return Ok(());
        }
        if !item.fs.set_replication(&item.path, self.replication)? {
            return Err(Failure::io(format!("Could not set replication for: {}", item.text)));
        }
        shell.out.line(format!("Replication {} set: {}", self.replication, item.text));
        if self.wait {
            self.waiting.push(item.clone());
        }
        Ok(())
    }

    fn finish(&mut self, shell: &mut Shell) -> Outcome<()> {
        for item in std::mem::take(&mut self.waiting) {
            self.wait_for(shell, &item)?;
        }
        Ok(())
    }
}
