//! A bar on the terminal while a large file is copied; nothing anywhere else.

use std::io::IsTerminal as _;

use indicatif::{ProgressBar, ProgressStyle};

/// Files below this are copied before anybody could look.
const LARGE: u64 = 8 << 20;

/// Progress of one file.
pub(super) struct Progress(Option<ProgressBar>);

impl Progress {
    /// Shows a bar when standard error is a terminal and the file is large, or of unknown size.
    pub(super) fn start(name: &str, length: Option<u64>) -> Self {
        if !std::io::stderr().is_terminal() || length.is_some_and(|length| length < LARGE) {
            return Self(None);
        }
        let template = match length {
            Some(_) => "{msg} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec} {eta}",
            None => "{msg} {spinner} {bytes} {bytes_per_sec}",
        };
        let bar = length.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
        let style = ProgressStyle::with_template(template);
        let bar = style.map_or_else(|_| bar.clone(), |style| bar.clone().with_style(style));
        Self(Some(bar.with_message(name.to_owned())))
    }

    pub(super) fn add(&self, bytes: u64) {
        if let Some(bar) = &self.0 {
            bar.inc(bytes);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
