//! `hdfs oiv`: an image of the namespace as text, and back.
//!
//! Hadoop: org.apache.hadoop.hdfs.tools.offlineImageViewer.OfflineImageViewerPB (3.5.0)

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::str::FromStr;

use hdfs_format::fsimage::xml::{self, ViewError};
use hdfs_format::fsimage::{Image, MAGIC};
use hdfs_format::storage_dir::Corrupt;
use hdfs_rt::mapped::MappedFile;

use crate::output::{complain, print};
use options::Options;

mod corruption;
mod delimited;
mod distribution;
mod namespace;
pub(super) mod options;
mod reverse;
mod tree;
mod web;

pub(crate) const USAGE: &str = include_str!("oiv.txt");
/// The revision of Apache's viewer whose output ours equals.
const REVISION: &str = "dbcc7cd797100e6b32cd84f85b53a5193a5f9af0";

/// Why a processor stopped.
#[derive(Debug)]
enum Failure {
    /// Java's IOException.
    Io(String),
    /// Java's EOFException.
    Ended,
    /// What Hadoop's viewer does not catch: its class and message.
    Uncaught(&'static str, String),
    /// The document of ReverseXML is wrong, or the image can't be written.
    Reverse(String),
    /// The output can't be written.
    Output,
}

impl Failure {
    fn uncaught(class: &'static str, message: String) -> Self {
        Self::Uncaught(class, message)
    }

    /// As Java names a file that it can't open.
    fn file(path: &Path, error: &io::Error) -> Self {
        let text = error.to_string();
        let reason = text.split(" (os error").next().unwrap_or_default();
        Self::Io(format!("{} ({reason})", path.display()))
    }

    /// Tells the user; the exit status.
    fn report(&self) -> i32 {
        match self {
            Self::Io(message) => complain!("Encountered exception.  Exiting: {message}"),
            Self::Ended => complain!("Input file ended unexpectedly. Exiting"),
            Self::Uncaught(class, message) => {
                complain!("Exception in thread \"main\" {class}: {message}");
                return 1;
            }
            Self::Reverse(message) => {
                complain!("OfflineImageReconstructor failed: {message}");
                return 1;
            }
            Self::Output => {
                complain!(
                    "CRITICAL FAILURE: PrintStream reported a write error (e.g., Disk Full)."
                );
            }
        }
        255
    }
}

impl From<Corrupt> for Failure {
    fn from(corrupt: Corrupt) -> Self {
        Self::Io(corrupt.to_string())
    }
}

impl From<ViewError> for Failure {
    fn from(error: ViewError) -> Self {
        match error {
            ViewError::Output(_) => Self::Output,
            ViewError::Image(corrupt) => corrupt.into(),
            other => Self::Io(other.to_string()),
        }
    }
}

/// Only outputs give one: images are mapped, not read.
impl From<io::Error> for Failure {
    fn from(_: io::Error) -> Self {
        Self::Output
    }
}

/// An image on disk.
struct Input {
    file: String,
    bytes: MappedFile,
}

impl Input {
    fn open(file: &str) -> Result<Self, Failure> {
        let path = Path::new(file);
        let bytes = MappedFile::open(path).map_err(|error| Failure::file(path, &error))?;
        if bytes.get(..MAGIC.len()) != Some(MAGIC.as_slice()) {
            return Err(Failure::Io("Unrecognized FSImage".to_owned()));
        }
        Ok(Self { file: file.to_owned(), bytes })
    }

    fn image(&self) -> Result<Image<'_>, Failure> {
        Ok(Image::parse(&self.file, &self.bytes)?)
    }
}

/// A number as Java reads it.
fn number<T: FromStr>(text: &str) -> Result<T, Failure> {
    text.parse().map_err(|_| {
        let class = "java.lang.NumberFormatException";
        Failure::uncaught(class, format!("For input string: \"{text}\""))
    })
}

/// Standard output for `-`, else a new file.
fn output(path: &str) -> Result<Box<dyn Write>, Failure> {
    if path == "-" {
        return Ok(Box::new(BufWriter::with_capacity(1 << 16, io::stdout())));
    }
    let file = File::create(path).map_err(|error| Failure::file(Path::new(path), &error))?;
    Ok(Box::new(BufWriter::with_capacity(1 << 16, file)))
}

/// Runs `hdfs oiv ARGS…`; the exit status.
pub(crate) fn run(args: Vec<String>) -> i32 {
    let is_help = |arg: &str| ["-h", "--help"].iter().any(|help| help.eq_ignore_ascii_case(arg));
    if args.is_empty() || matches!(args.as_slice(), [only] if is_help(only)) {
        print(USAGE);
        return 0;
    }
    let Some(options) = Options::parse(&args) else {
        print(&format!("Error parsing command-line options: \n{USAGE}"));
        return 255;
    };
    if options.has("h") {
        print(USAGE);
        return 255;
    }
    match process(&options) {
        Ok(status) => status,
        Err(failure) => failure.report(),
    }
}

fn process(options: &Options) -> Result<i32, Failure> {
    let threads = delimited::threads(options)?;
    let processor = options.value("p", "Web");
    let file = options.value("i", "");
    let image = || Input::open(file);
    let kind = processor.to_uppercase();
    if kind == "REVERSEXML" {
        return reverse::run(file, options.value("o", "-"));
    }
    let mut out = output(options.value("o", "-"))?;
    match kind.as_str() {
        "FILEDISTRIBUTION" => distribution::write(options, image, &mut out)?,
        "XML" => xml::write_xml(&image()?.image()?, REVISION, &mut out)?,
        "DELIMITED" => delimited::write(options, threads, image, &mut out)?,
        "DETECTCORRUPTION" => corruption::write(options, image, &mut out)?,
        "WEB" => return web::run(options.value("addr", "localhost:5978"), image()?),
        _ => {
            complain!("Invalid processor specified : {processor}");
            print(USAGE);
            return Ok(255);
        }
    }
    out.flush()?;
    Ok(0)
}
