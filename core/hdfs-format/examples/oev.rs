//! An edits viewer: `cargo run -p hdfs-format --example oev -- [xml|stats|binary|check] FILE`.
//!
//! `xml` (the default), `stats` and `binary` print what `hdfs oev -p …` of Apache Hadoop prints; FILE is a segment, or XML
//! when its name ends in `.xml`. `check` reads a segment as a NameNode would and says where it ends.

use hdfs_format::edits::xml::{Format, Options, Processor, view};
use hdfs_format::edits::{Expected, SegmentReader};
use std::error::Error;
use std::io::{BufWriter, Write, stdout};
use std::process::ExitCode;

fn show(processor: &str, file: &str) -> Result<(), Box<dyn Error>> {
    #[allow(clippy::disallowed_methods)] // The library does no IO; an example may.
    let bytes = std::fs::read(file)?;
    let mut out = BufWriter::new(stdout().lock());
    let format = if file.ends_with(".xml") { Format::Xml } else { Format::Binary };
    let show = |processor, out: &mut dyn Write| {
        view(file, &bytes, format, processor, Options::default(), out, |_| {})
    };
    match processor {
        "xml" => show(Processor::Xml, &mut out)?,
        "stats" => show(Processor::Stats, &mut out)?,
        "binary" => show(Processor::Binary, &mut out)?,
        "check" => {
            let mut reader = SegmentReader::open(file, &bytes, Expected::default())?;
            let mut operations = 0_u64;
            while reader.next()?.is_some() {
                operations += 1;
            }
            writeln!(
                out,
                "layout {}, {operations} operations, last transaction {:?}, {} of {} bytes used",
                reader.layout_version(),
                reader.last_txid(),
                reader.position(),
                bytes.len(),
            )?;
        }
        other => return Err(format!("what is {other}? xml, stats, binary or check").into()),
    }
    Ok(())
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match args.as_slice() {
        [file] => show("xml", file),
        [processor, file] => show(processor, file),
        _ => Err("usage: oev [xml|stats|binary|check] FILE".into()),
    };
    if let Err(error) = outcome {
        eprintln!("oev: {error}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
