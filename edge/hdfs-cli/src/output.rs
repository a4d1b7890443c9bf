//! Standard output, buffered: a listing of a million files must not cost a million system calls.

use std::io::{IsTerminal as _, Write as _};

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
        Self::must(written);
    }

    /// A line to standard error, after what went to standard output before it.
    pub(crate) fn error_line(&mut self, text: impl AsRef<str>) {
        self.flush();
        let mut line = text.as_ref().as_bytes().to_vec();
        line.push(b'\n');
        // Nobody is left to be told when standard error cannot be written.
        let _ = std::io::stderr().write_all(&line);
    }

    pub(crate) fn flush(&mut self) {
        let flushed = self.out.flush();
        Self::must(flushed);
    }

    /// Ends the process when nobody reads its output (`hdfs dfs -cat … | head`), or when it cannot be written.
    fn must(result: std::io::Result<()>) {
        if let Err(error) = result {
            if error.kind() != std::io::ErrorKind::BrokenPipe {
                let _ = writeln!(std::io::stderr(), "write to standard output: {error}");
            }
            std::process::exit(1);
        }
    }
}
