//! First inputs for the fuzz targets: Apache's samples, and namespaces of a few seeds.

use std::path::Path;

use anyhow::{Context as _, Result};
use hdfs_format::compression::{Codec, Encoder};
use hdfs_format::edits::{Expected, SegmentReader};
use hdfs_format::fsimage::{Image, MAGIC, xml::write_xml};

use crate::property::half_and_half;

/// Calls of a namespace: small, so that a fuzzer is fast.
const STEPS: u64 = 40;
/// Namespaces.
const SEEDS: u64 = 6;

/// As the target `compressed` numbers them.
const CODECS: [Codec; 6] =
    [Codec::Bzip2, Codec::Deflate, Codec::Gzip, Codec::Lz4, Codec::Snappy, Codec::Zstandard];

/// Writes `DIR/TARGET/NAME` for the targets whose input is a file of a name folder or a part of one.
pub(crate) fn write(dir: &Path) -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/hadoop-3.5.0");
    let mut files = Vec::new();
    for folder in ["namenode", "namespace", "images", "edits", "legacy"] {
        for entry in std::fs::read_dir(root.join(folder))? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                continue;
            }
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
        if name.contains(".md5") || name.ends_with(".md") || name.ends_with(".java") {
            continue;
        }
        if bytes.starts_with(MAGIC) && !name.starts_with("fsimage_") {
            add(dir, "fsimage", name, bytes)?;
        }
        let is_text = name.contains(".xml");
        if is_text && (name.starts_with("edits_") || name.starts_with("layout-")) {
            add(dir, "edits_xml", name, bytes)?;
        } else if name.ends_with(".edits") {
            add(dir, "edits", name, bytes)?;
        } else if name.starts_with("layout-") {
            add(dir, "legacy", name, bytes)?;
        } else if name.starts_with("edits_") {
            add(dir, "edits", name, bytes)?;
            bodies(dir, name, bytes)?;
        } else if name.starts_with("fsimage_") && !name.contains(".xml") {
            add(dir, "fsimage", name, bytes)?;
            let mut view = Vec::new();
            write_xml(&Image::parse(name, bytes)?, "revision", &mut view)?;
            add(dir, "fsimage_xml", name, &view)?;
            sections(dir, name, bytes)?;
        }
    }
    small_files(dir, &root)?;
    texts(dir)
}

/// Files of name folders, each after the number that `name_folder` reads; a keystore; a file of policies.
fn small_files(dir: &Path, root: &Path) -> Result<()> {
    let files = [
        (0, "namenode/VERSION"),
        (1, "datanode/VERSION"),
        (2, "datanode/BP-VERSION"),
        (4, "namenode/fsimage_0000000000000000210.md5"),
        (5, "namenode/seen_txid"),
        (6, "namenode/VERSION"),
    ];
    for (number, file) in files {
        let input = [&[number], std::fs::read(root.join(file))?.as_slice()].concat();
        add(dir, "name_folder", &format!("file-{number}"), &input)?;
    }
    let texts: [(u8, &[u8]); 5] = [
        (7, b"HDTS\0\x01\x03a:1\x02id\x02pw\x04KIND\x03a:1\0"),
        (8, b"\0\x05alice\x02rm\0\x01\x02\x03\x04"),
        (9, b"\0\x01\x02\0\0\x02\0"),
        (10, b"edits_0000000000000000001-0000000000000000002"),
        (11, b".snapshot=.old,.reserved=r /.reserved/.snapshot/a"),
    ];
    for (number, text) in texts {
        add(dir, "name_folder", &format!("file-{number}"), &[&[number], text].concat())?;
    }
    let keys = std::fs::read(root.join("keystore/keys.jceks"))?;
    // The target makes the hash at the end.
    let body = keys.len().saturating_sub(20);
    add(dir, "keystore", "keys", keys.get(..body).unwrap_or_default())?;
    let policies = "<configuration><layoutversion>1</layoutversion><schemas><schema id=\"A\"><codec>rs</codec>\
        <k>12</k><m>4</m><options> </options></schema></schemas><policies><policy><schema>A</schema>\
        <cellsize>131072</cellsize></policy></policies></configuration>";
    add(dir, "policy_file", "policies", policies.as_bytes())
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

/// One input of each section for `image_section`, plain and compressed, and for `compressed` of each codec.
fn sections(dir: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    let image = Image::parse(name, bytes)?;
    for (index, section) in image.summary().sections.iter().enumerate() {
        let start = usize::try_from(section.offset())?;
        let plain = &bytes[start..start + usize::try_from(section.length())?];
        let shape = u8::try_from(index % 5)? << 5 | u8::try_from(index % 4)?;
        let input = [&[u8::try_from(index)?, shape], plain].concat();
        add(dir, "image_section", &format!("{name}-{index}"), &input)?;
        let codec = CODECS[index % CODECS.len()];
        let mut encoder = Encoder::new(codec);
        encoder.write(plain)?;
        let number = u8::try_from(index % CODECS.len())?;
        let input = [&[number], encoder.finish()?.as_slice()].concat();
        add(dir, "compressed", &format!("{name}-{index}"), &input)?;
    }
    Ok(())
}

/// Texts, the first of them with the byte that `acl` reads before its list.
fn texts(dir: &Path) -> Result<()> {
    let lists = [
        "user::rwx,user:alice:r-x,group::r--,mask::rwx,other::---",
        "default:user::rwx,default:group:eng:r-x,default:mask::r--,default:other::---",
        "user:alice,default:group:eng:,mask::",
    ];
    for (how, list) in (0_u8..).zip(lists.into_iter().cycle().take(12)) {
        let input = [&[how | (how & 4) << 4], list.as_bytes()].concat();
        add(dir, "acl", &format!("list-{how}"), &input)?;
    }
    let attributes =
        ["user.a=\"text\"", "trusted.b=0x00ff", "security.c=0sAQL/", "System.d=0X1f", "raw.e="];
    for (number, text) in attributes.into_iter().enumerate() {
        add(dir, "xattr", &format!("attribute-{number}"), text.as_bytes())?;
    }
    // Rename below /.reserved/raw, delete by id, a snapshot: see `check_calls`.
    let scripts: [&[u8]; 3] = [
        &[0, 3, 3, 0, 1, 7, 2, 7, 8, 2, 3, 0, 2, 12, 0, 19, 2, 7, 3, 1, 8],
        &[1, 5, 1, 7, 0, 7, 1, 7, 0, 10, 0, 2, 7, 8, 0, 9, 1, 7, 0, 10],
        &[2, 1, 2, 7, 25, 104, 0, 19, 3, 0, 2, 4, 2, 7, 3],
    ];
    for (number, script) in scripts.into_iter().enumerate() {
        add(dir, "calls", &format!("script-{number}"), script)?;
    }
    Ok(())
}

fn add(dir: &Path, target: &str, name: &str, bytes: &[u8]) -> Result<()> {
    let folder = dir.join(target);
    std::fs::create_dir_all(&folder)?;
    let file = folder.join(name);
    std::fs::write(&file, bytes).with_context(|| file.display().to_string())
}
