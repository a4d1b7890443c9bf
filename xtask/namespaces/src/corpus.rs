//! First inputs for the fuzz targets: Apache's samples, and namespaces of a few seeds.

use std::path::Path;

use anyhow::{Context as _, Result};
use hdfs_format::edits::{Expected, SegmentReader};
use hdfs_format::fsimage::{Image, xml::write_xml};

use crate::property::half_and_half;

/// Calls of a namespace: small, so that a fuzzer is fast.
const STEPS: u64 = 40;
/// Namespaces.
const SEEDS: u64 = 6;

/// Writes `DIR/TARGET/NAME` for the targets whose input is a file of a name folder or a part of one.
pub(crate) fn write(dir: &Path) -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/hadoop-3.5.0");
    let mut files = Vec::new();
    for folder in ["namenode", "namespace"] {
        for entry in std::fs::read_dir(root.join(folder))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            files.push((name, std::fs::read(entry.path())?));
        }
    }
    for seed in 0..SEEDS {
        let (_, folder) = half_and_half(seed, STEPS);
        files.extend(
            folder.files.into_iter().map(|(name, bytes)| (format!("{name}-seed-{seed}"), bytes)),
        );
    }
    for (name, bytes) in &files {
        if name.contains(".md5") {
            continue;
        }
        if name.starts_with("edits_") && name.contains(".xml") {
            add(dir, "edits_xml", name, bytes)?;
        } else if name.starts_with("edits_") {
            add(dir, "edits", name, bytes)?;
            bodies(dir, name, bytes)?;
        } else if name.starts_with("fsimage_") && !name.contains(".xml") {
            add(dir, "fsimage", name, bytes)?;
            let mut view = Vec::new();
            write_xml(&Image::parse(name, bytes)?, "revision", &mut view)?;
            add(dir, "fsimage_xml", name, &view)?;
        }
    }
    Ok(())
}

/// One input of each opcode for `edits_body`, and the whole segment for `replay`.
fn bodies(dir: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    let mut reader = SegmentReader::open(name, bytes, Expected::default())?;
    let mut replay = vec![0];
    let mut seen = [false; 256];
    while let Some(frame) = reader.next_frame()? {
        let Ok(length) = u16::try_from(frame.body.len()) else { continue };
        replay.extend(length.to_be_bytes());
        replay.push(frame.opcode);
        replay.extend(frame.body);
        if !name.contains("seed") && !std::mem::replace(&mut seen[usize::from(frame.opcode)], true)
        {
            let input = [&[0, frame.opcode], frame.body].concat();
            add(dir, "edits_body", &format!("{name}-{}", frame.opcode), &input)?;
        }
    }
    add(dir, "replay", name, &replay)
}

fn add(dir: &Path, target: &str, name: &str, bytes: &[u8]) -> Result<()> {
    let folder = dir.join(target);
    std::fs::create_dir_all(&folder)?;
    let file = folder.join(name);
    std::fs::write(&file, bytes).with_context(|| file.display().to_string())
}
