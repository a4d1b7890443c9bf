//! Progress of a command that copies: one line for the whole, and one for each file that is being copied.
//!
//! Only on a terminal, and only for transfers that somebody would wait for. An interrupt takes the lines away; what was
//! copied stays.

use std::io::IsTerminal as _;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Transfers below this are done before anybody could look.
const LARGE_BYTES: u64 = 32 << 20;
/// Lines of running files at a time.
const MOST_LINES: usize = 8;
/// Pictures in a second.
const FRAMES: u8 = 8;
/// What a shell reports for a program that an interrupt ended.
const INTERRUPTED: i32 = 130;

const WHOLE: &str =
    "{wide_msg} {bytes} of {total_bytes} [{bar:16}] {binary_bytes_per_sec}, {eta} left";
const UNKNOWN: &str = "{wide_msg} {bytes} {binary_bytes_per_sec} {elapsed}";
const ONE_FILE: &str = "  {wide_msg} {percent:>3}%";

/// Nothing is drawn any more: the process is about to end.
static ENDING: AtomicBool = AtomicBool::new(false);
/// Longer than a line takes to be drawn.
const DRAWN: Duration = Duration::from_millis(20);

/// Progress of one command; nothing unless it was started.
#[derive(Default)]
pub(super) struct Progress(OnceLock<Lines>);

struct Lines {
    all: MultiProgress,
    whole: ProgressBar,
    /// Files have lines of their own.
    several: bool,
}

/// Progress of one file.
#[derive(Default)]
pub(super) struct FileProgress {
    whole: Option<ProgressBar>,
    own: Option<ProgressBar>,
    /// Bytes that are still to come.
    left: u64,
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template);
    style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> ")
}

/// True when somebody looks at a terminal.
pub(super) fn is_watched() -> bool {
    std::io::stderr().is_terminal()
}

impl Progress {
    /// Starts to show a transfer of so many bytes; `None` when nobody knows how many.
    pub(super) fn start(&self, what: String, bytes: Option<u64>, several: bool) {
        if !is_watched() || bytes.is_some_and(|bytes| bytes < LARGE_BYTES) {
            return;
        }
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(FRAMES));
        let bar = bytes.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
        let template = if bytes.is_some() { WHOLE } else { UNKNOWN };
        let whole = all.add(bar.with_style(style(template)).with_message(what));
        clear_on_interrupt(all.clone());
        // Started once for each command: a second start would change nothing.
        let _ = self.0.set(Lines { all, whole, several });
    }

    /// A file of this length begins.
    pub(super) fn file(&self, name: &str, length: u64) -> FileProgress {
        let Some(lines) = self.0.get() else { return FileProgress::default() };
        let shown = lines.several && length >= LARGE_BYTES / 4;
        let own = shown.then(|| {
            let bar = ProgressBar::new(length).with_style(style(ONE_FILE));
            lines.all.insert_before(&lines.whole, bar.with_message(name.to_owned()))
        });
        FileProgress { whole: Some(lines.whole.clone()), own, left: length }
    }

    /// Takes the lines away, so that an error can be printed; they come back with the next bytes.
    pub(super) fn make_room(&self) {
        if let Some(lines) = self.0.get() {
            let _ = lines.all.clear();
        }
    }

    /// Takes the lines away for good.
    pub(super) fn finish(&self) {
        if let Some(lines) = self.0.get() {
            lines.whole.finish_and_clear();
            let _ = lines.all.clear();
        }
    }
}

impl FileProgress {
    pub(super) fn add(&mut self, bytes: u64) {
        if ENDING.load(Ordering::Relaxed) {
            return;
        }
        self.left = self.left.saturating_sub(bytes);
        for bar in [&self.whole, &self.own].into_iter().flatten() {
            bar.inc(bytes);
        }
    }
}

impl Drop for FileProgress {
    fn drop(&mut self) {
        if let Some(own) = &self.own {
            own.finish_and_clear();
        }
        // What did not come will not come: it is no part of the whole any more.
        if let (Some(whole), left @ 1..) = (&self.whole, self.left)
            && whole.length().is_some()
        {
            whole.dec_length(left);
        }
    }
}

/// How many files may have a line.
pub(super) fn has_lines(threads: usize) -> bool {
    (2..=MOST_LINES).contains(&threads)
}

/// Ends the process on an interrupt, with a clean terminal.
fn clear_on_interrupt(lines: MultiProgress) {
    let wait = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let Ok(runtime) = runtime else { return };
        if runtime.block_on(tokio::signal::ctrl_c()).is_err() {
            return;
        }
        ENDING.store(true, Ordering::Relaxed);
        std::thread::sleep(DRAWN);
        let _ = lines.clear();
        std::process::exit(INTERRUPTED);
    };
    // Without the thread an interrupt ends the process all the same.
    let _ = std::thread::Builder::new().name("interrupt".into()).spawn(wait);
}
