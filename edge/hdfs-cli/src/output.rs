//! Standard output, buffered: a listing of a million files must not cost a million system calls.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

/// A line to standard output. Unlike `println!` it ends the process quietly when nobody reads any more.
macro_rules! say {
    ($($arg:tt)*) => { $crate::output::print(&(format!($($arg)*) + "\n")) };
}

/// A line to standard error. Unlike `eprintln!` it does not mind when nobody reads.
macro_rules! complain {
    ($($arg:tt)*) => { $crate::output::print_error(&(format!($($arg)*) + "\n")) };
}

pub(crate) use {complain, say};

/// Text to standard output.
pub(crate) fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    must(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
}

/// Text to standard error.
pub(crate) fn print_error(text: &str) {
    // Nobody is left to be told when standard error cannot be written.
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// Asks at the terminal until the answer is yes or no; no answer is no.
pub(crate) fn confirmed(question: &str) -> bool {
    let mut lines = std::io::stdin().lock().lines();
    loop {
        print_error(&format!("{question} (Y or N) "));
        let Some(Ok(line)) = lines.next() else { return false };
        match line.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" => return true,
            "n" | "no" => return false,
            other => complain!("Invalid input: {other}"),
        }
    }
}

/// Ends the process when nobody reads its output (`hdfs dfs -cat … | head`), or when it cannot be written.
fn must(result: std::io::Result<()>) {
    if let Err(error) = result {
        if error.kind() != std::io::ErrorKind::BrokenPipe {
            print_error(&format!("write to standard output: {error}\n"));
        }
        std::process::exit(1);
    }
}

/// Standard output and standard error, kept in the order of what was printed.
pub(crate) struct Output {
    out: std::io::BufWriter<std::io::Stdout>,
    line_by_line: bool,
}

impl Output {
    pub(crate) fn new() -> Self {
        let stdout = std::io::stdout();
        let line_by_line = stdout.is_terminal();
        Self { out: std::io::BufWriter::with_capacity(64 * 1024, stdout), line_by_line }
    }

    /// A line to standard output.
    pub(crate) fn line(&mut self, text: impl AsRef<str>) {
        self.bytes(text.as_ref().as_bytes());
        self.bytes(b"\n");
        if self.line_by_line {
            self.flush();
        }
    }

    /// Bytes to standard output.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        let written = self.out.write_all(bytes);
        must(written);
    }

    /// A line to standard error, after what went to standard output before it.
    pub(crate) fn error_line(&mut self, text: impl AsRef<str>) {
        self.flush();
        print_error(&format!("{}\n", text.as_ref()));
    }

    pub(crate) fn flush(&mut self) {
        let flushed = self.out.flush();
        must(flushed);
    }
}
