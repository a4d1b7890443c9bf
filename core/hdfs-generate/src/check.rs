//! The property: the live tree equals the replay of its log, and an image with the operations after it.

use std::fmt::Write;

use hdfs_format::edits::EditOp;
use hdfs_format::fsimage::{Image as Container, ImageWriter};
use hdfs_namespace::{Namespace, NamespaceConf};
use hdfs_types::{Rng, SplitMix64, TxId};

use crate::Generator;
use crate::folder::NAMESPACE_ID;

/// An image.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Image {
    /// The last transaction that it holds.
    pub txid: TxId,
    /// The file.
    pub bytes: Vec<u8>,
    /// Its digest.
    pub md5: [u8; 16],
}

/// The image of a tree, as of a transaction.
pub fn image_of(namespace: &Namespace, txid: TxId) -> Image {
    let mut writer = ImageWriter::new(Vec::new());
    namespace.save(&mut writer, NAMESPACE_ID, txid).expect("a Vec can be written");
    let (bytes, digest) = writer.finish().expect("a Vec can be written");
    Image { txid, bytes, md5: digest.md5 }
}

/// The tree of an image.
///
/// # Errors
/// What is wrong with it.
pub fn load_image(bytes: &[u8], conf: &NamespaceConf) -> Result<Namespace, String> {
    let image = Container::parse("image", bytes).map_err(|error| error.to_string())?;
    Namespace::load(&image, conf).map_err(|error| error.to_string())
}

/// A second tree that replays the log of the first.
#[derive(Debug)]
pub struct Follower {
    name: &'static str,
    namespace: Namespace,
    applied: usize,
}

impl Follower {
    /// From a tree that has applied so many operations.
    pub fn new(name: &'static str, namespace: Namespace, applied: usize) -> Self {
        Self { name, namespace, applied }
    }

    /// Applies what came since, and compares.
    ///
    /// # Errors
    /// What differs.
    pub fn follow(&mut self, live: &Namespace, log: &[EditOp]) -> Result<(), String> {
        for op in &log[self.applied..] {
            self.applied += 1;
            self.namespace
                .replay(TxId(self.applied as u64), op)
                .map_err(|error| format!("{}: {error}", self.name))?;
        }
        self.namespace.check_invariants().map_err(|error| format!("{}: {error}", self.name))?;
        compare(self.name, &self.namespace.dump(), &live.dump())
    }
}

/// The first lines that differ.
fn compare(name: &str, found: &str, expected: &str) -> Result<(), String> {
    if found == expected {
        return Ok(());
    }
    let mut message = format!("{name} differs:");
    let (mut found, mut expected) = (found.lines(), expected.lines());
    let mut shown = 0;
    loop {
        let pair = (found.next(), expected.next());
        if pair == (None, None) || shown == 3 {
            return Err(message);
        }
        if pair.0 != pair.1 {
            let (found, live) = (pair.0.unwrap_or("nothing"), pair.1.unwrap_or("nothing"));
            let _ = write!(message, "\n  {name}: {found}\n  live: {live}");
            shown += 1;
        }
    }
}

/// Runs the calls of a seed. After each one the invariants hold, and these are the same tree: the live one, the replay of its
/// log, its image, and an earlier image with the operations since. `told` hears of every step.
///
/// The live tree does the work of its deletions in small slices, between which it answers as it does in the end; and now
/// and then the next call comes before the end.
///
/// # Errors
/// What does not hold, and after which call.
pub fn run_seed(
    mut generator: Generator,
    seed: u64,
    steps: usize,
    mut told: impl FnMut(usize, &crate::Step),
) -> Result<Generator, String> {
    let mut when = SplitMix64(!seed);
    let mut replayed = Follower::new("the replay", Namespace::new(generator.conf()), 0);
    let mut imaged =
        Follower::new("the image and later edits", Namespace::new(generator.conf()), 0);
    for number in 0..steps {
        generator.namespace_mut().set_inline_steps(when.below(4) as usize);
        let step = generator.step();
        told(number, &step);
        let mut checked = generator.check_snapshots();
        let in_between = generator.namespace().is_cleaning();
        if in_between && number + 1 < steps && when.below(3) == 0 {
            continue;
        }
        if in_between {
            checked = checked.and_then(|()| finish_in_slices(&mut generator, &mut when));
        }
        checked
            .and_then(|()| check(&generator, &mut replayed, &mut imaged, when.below(10) == 0))
            .map_err(|error| format!("seed {seed}, step {number}, {}: {error}", step.call))?;
    }
    Ok(generator)
}

/// Slice by slice, and what the tree and its snapshots show stays the same.
fn finish_in_slices(generator: &mut Generator, when: &mut SplitMix64) -> Result<(), String> {
    generator.as_superuser();
    let shown = generator.shown_now()?;
    while generator.namespace().is_cleaning() {
        generator.namespace_mut().reclaim_step(1 + when.below(3) as usize);
        generator.check_snapshots().map_err(|error| format!("after a slice: {error}"))?;
        if when.below(4) == 0 {
            same_tree(&shown, &generator.shown_now()?)?;
        }
    }
    same_tree(&shown, &generator.shown_now()?)?;
    while generator.namespace_mut().reclaim_step(1_000).reclaim_pending {}
    Ok(())
}

fn same_tree(before: &[String], after: &[String]) -> Result<(), String> {
    if before == after {
        return Ok(());
    }
    let changed = before.iter().zip(after).find(|(before, after)| before != after);
    Err(format!("the tree changed with a slice: {changed:?}"))
}

fn check(
    generator: &Generator,
    replayed: &mut Follower,
    imaged: &mut Follower,
    another_image: bool,
) -> Result<(), String> {
    let live = generator.namespace();
    live.check_invariants()?;
    replayed.follow(live, generator.log())?;
    imaged.follow(live, generator.log())?;
    let txid = live.last_txid();
    let image = image_of(live, txid);
    if image_of(&replayed.namespace, txid) != image {
        return Err("the image of the replay has other bytes".to_owned());
    }
    let loaded = load_image(&image.bytes, generator.conf())?;
    loaded.check_invariants().map_err(|error| format!("the image: {error}"))?;
    compare("the image", &loaded.dump(), &live.dump())?;
    // Loading forgets names that no inode has any more, so numbers of names change once.
    let again = image_of(&loaded, txid);
    if image_of(&load_image(&again.bytes, generator.conf())?, txid) != again {
        return Err("the image of a loaded image has other bytes".to_owned());
    }
    if another_image {
        *imaged = Follower::new(imaged.name, loaded, generator.log().len());
    }
    Ok(())
}
