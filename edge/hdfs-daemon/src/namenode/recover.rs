//! `hdfs namenode -recover`: starts from name folders whose edit log is damaged, and loses what can't be read.
//!
//! Nothing is written before the log was read to its end, or to where the administrator stopped it. Then an image of what
//! was recovered is saved under a transaction that no segment goes beyond, so that no later start reads past the damage
//! again, and the damaged files are set aside as `.corrupt`.
//!
//! As long as any copy of a segment has the next transaction, nothing is asked. Then the questions are Hadoop's.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.{NameNode.doRecovery, MetaRecoveryContext, FSEditLogLoader} (3.5.0)
// Differs: "stop" abandons the edits of later segments too, as its text says; Hadoop goes on with the next segment.

use std::collections::BTreeSet;
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hdfs_conf::Configuration;
use hdfs_format::edits::{EditOp, Expected, SegmentError, SegmentReader};
use hdfs_namenode::{Identity, NameNode};
use hdfs_rt::disk::rename_durable;
use hdfs_types::{Error, Result, TxId};

use super::conf::NameNodeConf;
use super::durable::{failed, with_suffix};
use super::identity;
use super::image_store::ImageStore;
use super::inventory::{ImageFile, Inventory, SegmentFile};
use super::progress::StartupProgress;
use super::replay::{candidates, finalize_unfinished};
use super::shell::now;
use super::start_option::StartOption;
use super::startup;
use super::storage::NameDirs;
use super::upgrade;

/// What became of a recovery.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Recovered {
    /// An image of what was recovered is saved.
    Done,
    /// The administrator did not want to begin. Nothing was changed.
    Aborted,
    /// The administrator ended it. Nothing was changed.
    Quit,
}

/// The answer to a question about damage.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Choice {
    Continue,
    Stop,
    Quit,
}

/// Asks the administrator.
struct Dialog<R, W> {
    input: R,
    /// Questions go to standard error, as in Hadoop.
    questions: W,
    /// The first choice is taken without an answer.
    always: bool,
}

/// Recovers the name folders of a configuration. With `force` the first choice is taken in every question about damage.
///
/// # Errors
/// When no image can be loaded, or the result can't be saved.
pub fn recover(conf: &Configuration, force: bool) -> Result<Recovered> {
    let settings = NameNodeConf::new(conf)?;
    let input = std::io::stdin().lock();
    let mut dialog = Dialog { input, questions: std::io::stderr(), always: force };
    if !dialog.is_ready()? {
        return Ok(Recovered::Aborted);
    }
    tracing::info!("starting recovery...");
    let outcome = recover_with(&settings, &mut |problem, continuing| {
        tracing::error!("{problem}");
        dialog.choose(continuing)
    });
    match &outcome {
        Ok(Recovered::Quit) => tracing::error!("Exiting on user request."),
        Ok(_) => tracing::info!("RECOVERY COMPLETE"),
        Err(error) => tracing::info!("RECOVERY FAILED: caught exception: {error}"),
    }
    outcome
}

/// What is asked: the problem, and what going on means.
type Ask<'a> = dyn FnMut(&str, &str) -> Result<Choice> + 'a;

fn recover_with(conf: &NameNodeConf, ask: &mut Ask<'_>) -> Result<Recovered> {
    let dirs = Arc::new(NameDirs::lock(&conf.dirs, conf.minimum_edits_dirs)?);
    upgrade::recover_all(&dirs)?;
    let identity = identity::read(&dirs)?;
    identity::check_layout(identity.layout_version, &StartOption::Regular)?;
    let inventory = Inventory::of(&dirs)?;
    let progress = StartupProgress::new();
    let (mut first_error, rolling) = (None, !inventory.rollback_images.is_empty());
    let loaded = inventory.all_images().into_iter().rev().find_map(|image| {
        match read_image(conf, &identity, image, rolling, &progress) {
            Ok(machine) => Some((machine, image.txid)),
            Err(error) => {
                tracing::error!("Failed to load image from {}: {error}", image.path.display());
                first_error.get_or_insert(error);
                None
            }
        }
    });
    let Some((machine, image)) = loaded else {
        return Err(first_error.unwrap_or_else(|| {
            Error::io("No valid image files found in dfs.namenode.name.dir: restore an fsimage_… file with its .md5")
        }));
    };
    let mut recovery = Recovery {
        inventory: &inventory,
        max_op_bytes: conf.max_op_bytes,
        machine,
        last: image,
        count: 0,
        passed: BTreeSet::new(),
        damaged: BTreeSet::new(),
        ask,
    };
    if recovery.replay()? == Choice::Quit {
        return Ok(Recovered::Quit);
    }
    let Recovery { machine, last, count, damaged, .. } = recovery;
    let end = last.max(last_anywhere(&inventory)?);
    tracing::info!(
        "recovered {count} transactions up to {last}; the image is that of transaction {end}"
    );
    let images = ImageStore::new(dirs, image, conf);
    images.save(end, |writer, crew| machine.save_image(writer, end, crew))?;
    for path in damaged {
        if path.exists() {
            tracing::warn!("{} is damaged and set aside", path.display());
            rename_durable(&path, &with_suffix(&path, ".corrupt"))?;
        }
    }
    finalize_unfinished(&Inventory::of(images.dirs())?)?;
    Ok(Recovered::Done)
}

/// A machine in which every operation changes blocks at once, so that one that does not fit them is asked about.
fn read_image(
    conf: &NameNodeConf,
    identity: &Identity,
    image: &ImageFile,
    rolling: bool,
    progress: &StartupProgress,
) -> Result<NameNode> {
    let mut machine = startup::read_image(conf, identity, image, rolling, progress)?;
    machine.add_blocks()?;
    Ok(machine)
}

/// The last transaction that any file holds or names, and that the log ever began a segment with: a later start must not
/// read those that were given up.
fn last_anywhere(inventory: &Inventory) -> Result<TxId> {
    let mut last = inventory.seen;
    for segment in &inventory.segments {
        last = last.max(segment.first).max(segment.last.unwrap_or_default());
        if segment.last.is_some() {
            continue;
        }
        let bytes = read(&segment.path)?;
        let name = segment.path.display().to_string();
        let Ok(reader) = SegmentReader::open(&name, &bytes, Expected::default()) else { continue };
        let mut reader = reader.with_any_order();
        loop {
            match reader.next_frame() {
                Ok(Some(frame)) => last = last.max(frame.txid),
                Ok(None) => break,
                Err(_) if reader.skip_damage() => {}
                Err(_) => break,
            }
        }
    }
    Ok(last)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|e| failed("read", path, e))
}

/// Reading the log with somebody to ask.
struct Recovery<'a> {
    inventory: &'a Inventory,
    max_op_bytes: usize,
    machine: NameNode,
    /// The last transaction that was applied or given up.
    last: TxId,
    count: u64,
    /// Damage that the administrator decided to skip, by file and place.
    passed: BTreeSet<(PathBuf, u64)>,
    damaged: BTreeSet<PathBuf>,
    ask: &'a mut Ask<'a>,
}

/// Why reading a copy ended.
enum CopyEnd {
    /// At its end, or at a torn one.
    End,
    /// It goes on with a later transaction than the next.
    Gap(TxId),
    /// It is damaged here.
    Damage(u64),
    /// The administrator has decided.
    Decided(Choice),
}

impl Recovery<'_> {
    /// Applies what can be read; how it ended.
    fn replay(&mut self) -> Result<Choice> {
        loop {
            let (before, next) = (self.last, TxId(self.last.0 + 1));
            let (mut damage, mut later) = (Vec::new(), None::<TxId>);
            for segment in candidates(&self.inventory.segments, next) {
                match self.read_copy(segment)? {
                    CopyEnd::End => {}
                    CopyEnd::Gap(found) => later = Some(later.map_or(found, |by| by.min(found))),
                    CopyEnd::Damage(offset) => damage.push((segment.path.clone(), offset)),
                    CopyEnd::Decided(choice) => return Ok(choice),
                }
                if self.last > before {
                    break;
                }
            }
            if self.last > before {
                continue;
            }
            if !damage.is_empty() {
                let problem = format!("We failed to read txId {next}");
                let choice = (self.ask)(&problem, "skipping the bad section in the log")?;
                if choice != Choice::Continue {
                    return Ok(choice);
                }
                self.passed.extend(damage);
                continue;
            }
            let starts = self.inventory.segments.iter().map(|segment| segment.first);
            let Some(found) = starts.filter(|first| *first > next).chain(later).min() else {
                return Ok(Choice::Continue);
            };
            let problem = format!(
                "There appears to be a gap in the edit log.  We expected txid {next}, but got txid {found}."
            );
            let choice = (self.ask)(&problem, "ignoring missing  transaction IDs")?;
            if choice != Choice::Continue {
                return Ok(choice);
            }
            self.last = TxId(found.0 - 1);
        }
    }

    /// Applies what a copy has from the next transaction on.
    fn read_copy(&mut self, segment: &SegmentFile) -> Result<CopyEnd> {
        let bytes = read(&segment.path)?;
        let name = segment.path.display().to_string();
        let expected = Expected { first: None, last: segment.last };
        let mut reader = match SegmentReader::open(&name, &bytes, expected) {
            Ok(reader) => reader.with_max_op_bytes(self.max_op_bytes).with_any_order(),
            Err(SegmentError::NoHeader { .. }) => return Ok(CopyEnd::End),
            Err(error) => {
                return Ok(self.meet(segment, 0, &error).map_or(CopyEnd::End, CopyEnd::Damage));
            }
        };
        let mut previous = None;
        loop {
            let (txid, op) = match reader.next() {
                Ok(Some(read)) => read,
                Ok(None) | Err(SegmentError::TornTail { .. }) => return Ok(CopyEnd::End),
                Err(error) => match self.meet(segment, reader.position(), &error) {
                    Some(offset) => return Ok(CopyEnd::Damage(offset)),
                    None if reader.skip_damage() => continue,
                    None => return Ok(CopyEnd::End),
                },
            };
            if previous.is_some_and(|previous| txid <= previous) {
                let place = (segment.path.clone(), reader.position());
                if self.passed.insert(place) {
                    let problem = format!(
                        "There appears to be an out-of-order edit in the edit log.  We expected txid {}, but got txid \
                         {txid}.",
                        previous.map_or(0, |previous| previous.0 + 1)
                    );
                    let choice = (self.ask)(&problem, "skipping the out-of-order edit")?;
                    if choice != Choice::Continue {
                        return Ok(CopyEnd::Decided(choice));
                    }
                }
                continue;
            }
            previous = Some(txid);
            if txid <= self.last {
                continue;
            }
            if txid.0 > self.last.0 + 1 {
                return Ok(CopyEnd::Gap(txid));
            }
            if let Some(choice) = self.apply(txid, &op)? {
                return Ok(CopyEnd::Decided(choice));
            }
        }
    }

    /// Notes damage; where it is, unless it is to be skipped.
    fn meet(&mut self, segment: &SegmentFile, offset: u64, error: &SegmentError) -> Option<u64> {
        if self.damaged.insert(segment.path.clone()) {
            tracing::warn!("{error}");
        }
        (!self.passed.contains(&(segment.path.clone(), offset))).then_some(offset)
    }

    fn apply(&mut self, txid: TxId, op: &EditOp) -> Result<Option<Choice>> {
        if let Err(error) = self.machine.replay(txid, op, now()) {
            let problem =
                format!("Failed to apply edit log operation {} {txid}: error {error}", op.name());
            let choice = (self.ask)(&problem, "applying edits")?;
            if choice != Choice::Continue {
                return Ok(Some(choice));
            }
        } else {
            self.count += 1;
        }
        self.last = txid;
        Ok(None)
    }
}

impl<R: BufRead, W: Write> Dialog<R, W> {
    /// The question before everything.
    fn is_ready(&mut self) -> Result<bool> {
        loop {
            write!(
                self.questions,
                "You have selected Metadata Recovery mode.  This mode is intended to recover lost metadata on a corrupt \
                 filesystem.  Metadata recovery mode often permanently deletes data from your HDFS filesystem.  Please \
                 back up your edit log and fsimage before trying this!\n\nAre you ready to proceed? (Y/N)\n (Y or N) "
            )?;
            self.questions.flush()?;
            let answer = self.answer()?;
            match answer.as_deref().map(str::to_ascii_lowercase).as_deref() {
                Some("y" | "yes") => return Ok(true),
                Some("n" | "no") | None => {
                    writeln!(self.questions, "Recovery aborted at user request.\n")?;
                    return Ok(false);
                }
                Some(_) => {
                    writeln!(self.questions, "Invalid input: {}", answer.unwrap_or_default())?;
                }
            }
        }
    }

    fn choose(&mut self, continuing: &str) -> Result<Choice> {
        loop {
            write!(
                self.questions,
                "\nEnter 'c' to continue, {continuing}\nEnter 's' to stop reading the edit log here, abandoning any \
                 later edits\nEnter 'q' to quit without saving\nEnter 'a' to always select the first choice in the \
                 future without prompting. (c/s/q/a)\n"
            )?;
            self.questions.flush()?;
            if self.always {
                // As Hadoop: the questions go to standard error, this to standard output.
                writeln!(std::io::stdout(), "automatically choosing c")?;
                return Ok(Choice::Continue);
            }
            match self.answer()?.as_deref().map(str::to_ascii_lowercase).as_deref() {
                Some("c") => return Ok(Choice::Continue),
                Some("s") => return Ok(Choice::Stop),
                // Nobody is there to answer.
                Some("q") | None => return Ok(Choice::Quit),
                Some("a") => {
                    self.always = true;
                    return Ok(Choice::Continue);
                }
                Some(_) => {
                    writeln!(self.questions, "I'm sorry, I cannot understand your response.")?;
                }
            }
        }
    }

    /// A line; none at the end of the input.
    fn answer(&mut self) -> Result<Option<String>> {
        let mut line = String::new();
        let read = self.input.read_line(&mut line)?;
        Ok((read > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned()))
    }
}

#[cfg(test)]
mod tests;
