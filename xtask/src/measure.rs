//! Figures of our daemons beside Apache's from one run: the machine is shared, so that only figures side by side count.

mod namenode;

use std::time::Duration;

use anyhow::{Result, bail, ensure};

use crate::interop::scratch;
use namenode::{NameNode, Program};

/// The programs take turns; of each figure the median counts.
pub(crate) const ROUNDS: usize = 3;

/// What one NameNode needed for the life of one namespace.
#[derive(Clone, Copy, Debug, Default)]
struct Figures {
    /// From the start of the process to the first answer, everything replayed from edits.
    replay: Sample,
    /// The phases of that start: it replays, and saves an image of what it replayed.
    replay_phases: Phases,
    /// Until the client that asked for a checkpoint has its answer.
    save: Sample,
    /// From the start of the process to the first answer, everything loaded from that image.
    restart: Sample,
    /// The phases of that start.
    restart_phases: Phases,
}

/// How long the phases of a start took on the clock, as the bean `StartupProgress` says.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Phases {
    pub(crate) image: Duration,
    pub(crate) edits: Duration,
    pub(crate) checkpoint: Duration,
}

/// One measured piece of work.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sample {
    /// On the clock.
    pub(crate) wall: Duration,
    /// Of the process, user and system, in seconds.
    pub(crate) cpu: f64,
    /// Resident memory of the process afterwards, in bytes.
    pub(crate) resident: u64,
}

/// Replay, image save, restart from the image and memory, for `files` files of one block, ours beside Apache's.
///
/// The edits are Apache's (`CreateEditsLog`), 2 transactions a file and some for directories.
pub(crate) fn namespace(files: u64, rounds: usize) -> Result<()> {
    ensure!((1_000..=50_000_000).contains(&files), "1,000 to 50,000,000 files");
    let dir = scratch("measure")?;
    let result = measure(&dir, files, rounds);
    std::fs::remove_dir_all(&dir)?;
    result
}

fn measure(dir: &std::path::Path, files: u64, rounds: usize) -> Result<()> {
    println!("making the edits of {files} files with Apache's CreateEditsLog");
    let edits = namenode::make_edits(dir, files)?;
    let (mut ours, mut apache) = (Vec::new(), Vec::new());
    for round in 1..=rounds {
        for (program, all) in [(Program::Ours, &mut ours), (Program::Apache, &mut apache)] {
            println!("{program}, round {round} of {rounds}: replay, save, restart");
            let figures = life(dir, program, &edits);
            namenode::clean(dir, program);
            all.push(figures?);
        }
    }
    print(&ours, &apache);
    Ok(())
}

fn life(dir: &std::path::Path, program: Program, edits: &std::path::Path) -> Result<Figures> {
    let home = namenode::prepare(dir, program, edits)?;
    let mut figures = Figures::default();
    touch_memory();
    let mut first = NameNode::start(&home, program)?;
    figures.replay = first.until_first_answer()?;
    figures.replay_phases = first.phases()?;
    figures.save = first.save_namespace()?;
    first.stop()?;
    if !home.holds_new_image()? {
        bail!("{program} saved no image in {}", home.name.display());
    }
    touch_memory();
    let mut second = NameNode::start(&home, program)?;
    figures.restart = second.until_first_answer()?;
    figures.restart_phases = second.phases()?;
    second.stop()?;
    Ok(figures)
}

/// Uses as much memory as the larger of the two programs does, and gives it back. A virtual machine that gave free memory
/// back to its host gets it again at half a gigabyte a second, which would count for whichever program comes first.
fn touch_memory() {
    const BYTES: usize = 7 << 30;
    let mut memory: Vec<u8> = vec![0; BYTES];
    memory.iter_mut().step_by(4_096).for_each(|byte| *byte = 1);
    std::hint::black_box(&memory);
}

fn print(ours: &[Figures], apache: &[Figures]) {
    println!("{:<34} {:>12} {:>12} {:>8}", "median", "ours", "Apache", "ratio");
    let row = |what: &str, digits: usize, figure: &dyn Fn(&Figures) -> f64| {
        line(what, [ours, apache].map(|all| median(all.iter().map(figure).collect())), digits);
    };
    row("replay of edits, s", 2, &|of| of.replay_phases.edits.as_secs_f64());
    row("image save at start, s", 2, &|of| of.replay_phases.checkpoint.as_secs_f64());
    row("image load, s", 2, &|of| loaded(of).as_secs_f64());
    let sampled = |what: &str, sample: &dyn Fn(&Figures) -> Sample| {
        row(&format!("{what}, s"), 2, &|of| sample(of).wall.as_secs_f64());
        row(&format!("{what}, CPU s"), 2, &|of| sample(of).cpu);
        row("  resident after it, MB", 0, &|of| sample(of).resident as f64 / 1e6);
    };
    sampled("replay to first answer", &|of| of.replay);
    sampled("image save", &|of| of.save);
    sampled("image load to first answer", &|of| of.restart);
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// An image with the few edits after it: ours adds blocks when replay is at its end.
fn loaded(figures: &Figures) -> Duration {
    figures.restart_phases.image + figures.restart_phases.edits
}

fn line(what: &str, [ours, apache]: [f64; 2], digits: usize) {
    let ratio = if ours > 0.0 { format!("{:.1}", apache / ours) } else { "-".to_owned() };
    println!("{what:<34} {ours:>12.digits$} {apache:>12.digits$} {ratio:>8}");
}
