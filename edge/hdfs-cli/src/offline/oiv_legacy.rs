//! `hdfs oiv_legacy`: an image from before protobuf as text.
//!
//! Hadoop: org.apache.hadoop.hdfs.tools.offlineImageViewer.OfflineImageViewer (3.5.0)

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use hdfs_format::fsimage::legacy::view::{self, Stopped, Value, Visitor};
use hdfs_rt::mapped::MappedFile;

use super::oiv::options::{Options, Table};
use crate::output::{complain, print, say};

mod counts;
mod text;

pub(crate) const USAGE: &str = include_str!("oiv_legacy.txt");

const OPTIONS: Table = Table {
    known: &[
        ("i", "inputFile", true),
        ("o", "outputFile", true),
        ("p", "processor", true),
        ("h", "help", false),
        ("maxSize", "", true),
        ("step", "", true),
        ("format", "", false),
        ("skipBlocks", "", false),
        ("printToScreen", "", false),
        ("delimiter", "", true),
    ],
    required: &["i", "o"],
};

/// A visitor that knows how to begin and end.
trait Processor: Visitor {
    /// Before the first element.
    fn start(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// After the last one.
    fn finish(&mut self) -> io::Result<()>;

    /// After an error in the image.
    fn finish_early(&mut self) -> io::Result<()>;
}

/// The output file, and the screen if that is wanted.
struct Out {
    file: BufWriter<File>,
    to_screen: bool,
}

impl Out {
    fn put(&mut self, text: &str) -> io::Result<()> {
        if self.to_screen {
            print(text);
        }
        self.file.write_all(text.as_bytes())
    }

    fn close(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// An exception of Java that its viewer does not catch: class and message.
struct Uncaught(&'static str, String);

/// Runs `hdfs oiv_legacy ARGS…`; the exit status. As with Hadoop it is 0 for an image that can't be read, too.
pub(crate) fn run(args: Vec<String>) -> i32 {
    if args.is_empty() {
        print(USAGE);
        return 0;
    }
    let Some(options) = Options::parse_as(&args, &OPTIONS) else {
        say!("Error parsing command-line options: ");
        print(USAGE);
        return 0;
    };
    if options.has("h") {
        print(USAGE);
        return 0;
    }
    if options.has("delimiter") && options.value("p", "Ls") != "Delimited" {
        say!("Can only specify -delimiter with Delimited processor");
        print(USAGE);
        return 0;
    }
    match process(&options) {
        Ok(()) => 0,
        Err(Uncaught(class, message)) => {
            complain!("Exception in thread \"main\" {class}: {message}");
            1
        }
    }
}

fn process(options: &Options) -> Result<(), Uncaught> {
    let mut skips_blocks = options.has("skipBlocks");
    let kind = options.value("p", "Ls");
    let sizes = match kind {
        "FileDistribution" => Some(counts::Sizes::parse(options)?),
        _ => None,
    };
    let out = open(options.value("o", ""), options.has("printToScreen") && sizes.is_none())?;
    let mut processor: Box<dyn Processor> = match kind {
        "Indented" => Box::new(text::Indented::new(out)),
        "XML" => Box::new(text::Xml::new(out)),
        "Delimited" => {
            skips_blocks = false;
            Box::new(text::Delimited::new(out, options.value("delimiter", "\t")))
        }
        "NameDistribution" => Box::new(counts::Names::new(out)),
        _ => match sizes {
            Some(sizes) => Box::new(counts::FileDistribution::new(out, sizes)),
            None => {
                skips_blocks = false;
                Box::new(text::Ls::new(out))
            }
        },
    };
    if let Err(message) = show(options.value("i", ""), skips_blocks, processor.as_mut()) {
        complain!("{message}");
    }
    Ok(())
}

fn open(path: &str, to_screen: bool) -> Result<Out, Uncaught> {
    let file = File::create(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Uncaught("java.nio.file.NoSuchFileException", path.to_owned()),
        io::ErrorKind::PermissionDenied => {
            Uncaught("java.nio.file.AccessDeniedException", path.to_owned())
        }
        _ => Uncaught("java.nio.file.FileSystemException", format!("{path}: {error}")),
    })?;
    Ok(Out { file: BufWriter::with_capacity(1 << 16, file), to_screen })
}

/// The error is what Hadoop's viewer says.
fn show(file: &str, skips_blocks: bool, processor: &mut dyn Processor) -> Result<(), String> {
    let exiting =
        |reason: &dyn std::fmt::Display| format!("Encountered exception.  Exiting: {reason}");
    let bytes = MappedFile::open(Path::new(file)).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => exiting(&file),
        _ => exiting(&format!("{file}: {error}")),
    })?;
    let mut begun = Begun { processor, started: false };
    let walked = view::walk(&bytes, skips_blocks, &mut begun);
    let Begun { processor, .. } = begun;
    match walked {
        Ok(()) => processor.finish().map_err(|error| exiting(&error)),
        Err(Stopped::Unknown(reason)) => Err(exiting(&reason)),
        Err(Stopped::Output(error)) => Err(exiting(&error)),
        Err(Stopped::Image { offset, reason, ended }) => {
            tracing::error!("image loading failed at offset {offset}");
            processor.finish_early().map_err(|error| exiting(&error))?;
            match ended {
                true => Err("Input file ended unexpectedly.  Exiting".to_owned()),
                false => Err(exiting(&reason)),
            }
        }
    }
}

/// Starts a processor at the first element: an unknown image has none.
struct Begun<'p> {
    processor: &'p mut dyn Processor,
    started: bool,
}

impl Visitor for Begun<'_> {
    fn visit(&mut self, element: &'static str, value: Value) -> io::Result<()> {
        self.processor.visit(element, value)
    }

    fn enter(&mut self, element: &'static str, key: Option<(&'static str, i64)>) -> io::Result<()> {
        if !std::mem::replace(&mut self.started, true) {
            self.processor.start()?;
        }
        self.processor.enter(element, key)
    }

    fn leave(&mut self) -> io::Result<()> {
        self.processor.leave()
    }
}

/// A value as most viewers show it.
fn shown(value: Value) -> String {
    match value {
        Value::Text(text) => text,
        Value::Number(number) | Value::Time(number) => number.to_string(),
        Value::Date(millis) => chrono::DateTime::from_timestamp_millis(millis)
            .unwrap_or_default()
            .with_timezone(&chrono::Local)
            .format("%Y-%m-%d %H:%M")
            .to_string(),
    }
}
