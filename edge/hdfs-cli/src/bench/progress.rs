//! One line on the terminal while something runs, and Ctrl-C.

use std::io::{IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// A line of standard error that is written again and again; nothing when that is no terminal.
pub(super) struct Line {
    on: bool,
}

impl Line {
    pub(super) fn new() -> Self {
        Self { on: std::io::stderr().is_terminal() }
    }

    pub(super) fn show(&self, text: &str) {
        if self.on {
            let text: String = text.chars().take(79).collect();
            self.write(&format!("\r\x1b[K{text}"));
        }
    }

    fn write(&self, text: &str) {
        // Nobody is left to be told when standard error cannot be written.
        let _ = std::io::stderr().write_all(text.as_bytes());
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if self.on {
            self.write("\r\x1b[K");
        }
    }
}

/// True once Ctrl-C was pressed: the work ends, is cleaned up, and its part is told.
pub(super) fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// Watches for SIGINT on a thread of its own; the second one ends the process at once.
pub(super) fn watch_interrupt() {
    // Without it Ctrl-C ends the process as always, and leaves the directory.
    let _ = std::thread::Builder::new().name("interrupt".into()).spawn(|| {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
            return;
        };
        runtime.block_on(async {
            while tokio::signal::ctrl_c().await.is_ok() {
                if INTERRUPTED.swap(true, Ordering::Relaxed) {
                    std::process::exit(super::INTERRUPTED);
                }
            }
        });
    });
}
