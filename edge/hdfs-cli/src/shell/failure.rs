//! Why a shell command failed, in the words that Hadoop's shell prints.

use hdfs_types::{Error, ErrorKind};

/// What ends a command, or one path of it.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Java's IOException: its first line is printed after the command's name, and the next path follows.
    Io(Error),
    /// Java's IllegalArgumentException: the command ends, and its usage is printed.
    Illegal(String),
    /// Any other RuntimeException: "Fatal internal error".
    Fatal(String),
}

pub(crate) type Outcome<T> = Result<T, Failure>;

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Io(error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error.into())
    }
}

impl Failure {
    /// A failure with this text.
    pub(crate) fn io(message: impl Into<String>) -> Self {
        Self::Io(Error::io(message))
    }

    /// An error about a path: "`path': message".
    pub(crate) fn path(path: &str, message: &str) -> Self {
        Self::io(format!("`{path}': {message}"))
    }

    pub(crate) fn not_found(path: &str) -> Self {
        let message = format!("`{path}': No such file or directory");
        Self::Io(Error::new(ErrorKind::FileNotFound, message))
    }

    pub(crate) fn exists(path: &str) -> Self {
        Self::path(path, "File exists")
    }

    pub(crate) fn is_directory(path: &str) -> Self {
        Self::path(path, "Is a directory")
    }

    pub(crate) fn is_no_directory(path: &str) -> Self {
        Self::path(path, "Is not a directory")
    }

    /// Hadoop's PathIOException without a message of its own.
    pub(crate) fn input_output(path: &str) -> Self {
        Self::path(path, "Input/output error")
    }

    /// The whole text.
    pub(crate) fn message(&self) -> &str {
        match self {
            Self::Io(error) => &error.message,
            Self::Illegal(message) | Self::Fatal(message) => message,
        }
    }

    /// True when something does not exist.
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Self::Io(error) if error.kind == ErrorKind::FileNotFound)
    }

    /// True when something is not allowed.
    pub(crate) fn is_denied(&self) -> bool {
        matches!(self, Self::Io(error) if error.kind == ErrorKind::AccessControl)
    }
}
