//! `hdfs oev` and, in `oiv` and `oiv_legacy`, `hdfs oiv`: viewers of edit logs and images, which need no cluster.
//!
//! Hadoop: OfflineEditsViewer (3.5.0)

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};

use crate::output::{complain, print, say};
use hdfs_format::edits::xml as edits;

pub(crate) mod oiv;
pub(crate) mod oiv_legacy;

pub(crate) const OEV_USAGE: &str = include_str!("offline/oev.txt");

/// Options with a value, and without one, by the letter that stands for them.
struct Known {
    valued: &'static [(&'static str, &'static str)],
    flags: &'static [(&'static str, &'static str)],
}

/// Reads options in the forms `-i FILE`, `-iFILE`, `--inputFile FILE`, `--inputFile=FILE`.
fn parse(args: &[String], known: &Known) -> Result<BTreeMap<&'static str, String>, String> {
    let mut given = BTreeMap::new();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let (name, attached) = match arg.strip_prefix("--").and_then(|long| long.split_once('=')) {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (arg.trim_start_matches('-'), None),
        };
        // Java's parser gathers what is no option, and nobody asks for it.
        if !arg.starts_with('-') {
            continue;
        }
        let is = |(short, long): &&(&str, &str)| *short == name || *long == name;
        if let Some((short, _)) = known.flags.iter().find(is) {
            given.insert(*short, String::new());
        } else if let Some((short, _)) = known.valued.iter().find(is) {
            let value = attached.or_else(|| args.next().cloned());
            given.insert(
                *short,
                value.ok_or_else(|| format!("Missing argument for option: {short}"))?,
            );
        } else {
            let glued =
                known.valued.iter().find(|(short, _)| short.len() == 1 && name.starts_with(short));
            let (short, _) = glued.ok_or_else(|| format!("Unrecognized option: {arg}"))?;
            given.insert(*short, name[1..].to_owned());
        }
    }
    Ok(given)
}

fn read(path: &str) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("{path} ({error})"))
}

/// Standard output for `-`, else a new file.
fn output(path: &str) -> Result<Box<dyn Write>, String> {
    if path == "-" {
        return Ok(Box::new(BufWriter::new(std::io::stdout())));
    }
    let file = File::create(path).map_err(|error| format!("{path} ({error})"))?;
    Ok(Box::new(BufWriter::with_capacity(1 << 16, file)))
}

fn wants_help(args: &[String]) -> bool {
    matches!(args, [one] if one == "-h" || one == "--help")
}

fn exiting(result: Result<(), String>) -> i32 {
    match result {
        Ok(()) => 0,
        Err(message) => {
            complain!("Encountered exception. Exiting: {message}");
            255
        }
    }
}

/// Runs `hdfs oev ARGS…`; the exit status.
pub(crate) fn oev(args: Vec<String>) -> i32 {
    if args.is_empty() || wants_help(&args) {
        print(OEV_USAGE);
        return 0;
    }
    let known = Known {
        valued: &[
            ("i", "inputFilename"),
            ("o", "outputFilename"),
            ("p", "processor"),
            ("i", "inputFile"),
            ("o", "outputFile"),
        ],
        flags: &[("v", "verbose"), ("f", "fix-txids"), ("r", "recover"), ("h", "help")],
    };
    let given = match parse(&args, &known) {
        Ok(given) => given,
        Err(message) => return refuse_oev(&message),
    };
    if given.contains_key("h") {
        print(OEV_USAGE);
        return 255;
    }
    let (Some(input), Some(out)) = (given.get("i"), given.get("o")) else {
        let missing: Vec<&str> =
            ["o", "i"].into_iter().filter(|name| !given.contains_key(name)).collect();
        let plural = if missing.len() > 1 { "s" } else { "" };
        return refuse_oev(&format!("Missing required option{plural}: {}", missing.join(", ")));
    };
    if given.contains_key("v") {
        say!("input  [{input}]\noutput [{out}]");
    }
    let processor = given.get("p").map_or("xml", String::as_str).to_ascii_lowercase();
    let xml_input = input.to_ascii_lowercase().ends_with(".xml");
    if xml_input && processor == "xml" {
        complain!("XML format input file is not allowed to be processed by XML processor.");
        return 255;
    }
    if !xml_input && processor == "binary" {
        complain!("Binary format input file is not allowed to be processed by Binary processor.");
        return 255;
    }
    let format = if xml_input { edits::Format::Xml } else { edits::Format::Binary };
    let options =
        edits::Options { fix_txids: given.contains_key("f"), recover: given.contains_key("r") };
    let to_screen = given.contains_key("v");
    exiting(view_edits(input, out, &processor, format, options, to_screen))
}

fn refuse_oev(message: &str) -> i32 {
    say!("Error parsing command-line options: {message}");
    print(OEV_USAGE);
    255
}

fn view_edits(
    input: &str,
    out: &str,
    processor: &str,
    format: edits::Format,
    options: edits::Options,
    to_screen: bool,
) -> Result<(), String> {
    let processor = match processor {
        "xml" => edits::Processor::Xml,
        "stats" => edits::Processor::Stats,
        "binary" => edits::Processor::Binary,
        _ => {
            let valid = "(valid processors: xml, binary, stats)";
            return Err(format!("Unknown processor {processor} {valid}"));
        }
    };
    let bytes = read(input)?;
    let mut to: Box<dyn Write> = output(out)?;
    // As Hadoop: a segment is never shown, text is.
    if to_screen && out != "-" && processor != edits::Processor::Binary {
        to = Box::new(Twice { file: to, screen: std::io::stdout() });
    }
    edits::view(input, &bytes, format, processor, options, to, |damage| {
        complain!("skipped: {damage}");
    })
    .map_err(|error| error.to_string())
}

/// Writes to a file and to the screen.
struct Twice {
    file: Box<dyn Write>,
    screen: std::io::Stdout,
}

impl Write for Twice {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.file.write_all(bytes)?;
        self.screen.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()?;
        self.screen.flush()
    }
}
