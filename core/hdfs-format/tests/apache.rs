//! Files of Apache Hadoop: read, shown as Apache's viewers show them, written again byte for byte.

#![allow(clippy::unwrap_used)] // Clippy does not see that helpers of tests are tests.

use hdfs_format::edits::{self, Expected, SegmentReader, encode_header, encode_op};
use hdfs_format::fsimage::{
    self, Blocks, FileRecord, INodeEncoder, INodeKind, INodeRecord, Image, ImageWriter, SectionName,
};
use hdfs_format::storage_dir::{
    BlockPoolVersion, DataNodeVersion, ImageFile, NameNodeVersion, parse_md5, parse_number,
    print_md5, print_number,
};
use hdfs_proto::hdfs as pb;
use hdfs_proto::hdfs::fsimage as image;
use hdfs_types::{Block, TxId, WallMillis};
use std::collections::BTreeSet;

macro_rules! sample {
    ($name:literal) => {
        include_bytes!(concat!("../../../testdata/hadoop-3.5.0/", $name)).as_slice()
    };
}

const EDITS: &[u8] = sample!("namenode/edits_0000000000000000001-0000000000000000208");
const IMAGE: &[u8] = sample!("namenode/fsimage_0000000000000000210");

fn assert_same_text(ours: &[u8], apache: &[u8]) {
    let (ours, apache) = (String::from_utf8_lossy(ours), String::from_utf8_lossy(apache));
    for (number, (ours, apache)) in ours.lines().zip(apache.lines()).enumerate() {
        assert_eq!(ours, apache, "line {}", number + 1);
    }
    assert_eq!(ours.len(), apache.len());
}

#[test]
fn every_operation_is_written_again_byte_for_byte() {
    let expected = Expected { first: Some(TxId(1)), last: Some(TxId(208)) };
    let mut reader = SegmentReader::open("edits", EDITS, expected).unwrap();
    let mut again = Vec::new();
    encode_header(&mut again);
    let mut opcodes = BTreeSet::new();
    while let Some((txid, op)) = reader.next().unwrap() {
        let start = again.len();
        encode_op(&mut again, txid, &op);
        assert_eq!(again[start..], EDITS[start..again.len()], "{op:?}");
        opcodes.insert(op.opcode());
        assert_eq!(op.check_strings(), Ok(()));
    }
    assert_eq!(again, EDITS);
    // The obsolete ones (10, 11, 12) and rolling upgrades (41, 42) are in the next test.
    let missing: Vec<u8> = edits::EditOp::OPCODES
        .iter()
        .map(|(code, _)| *code)
        .filter(|code| !opcodes.contains(code))
        .collect();
    assert_eq!(missing, [10, 11, 12, 41, 42]);
}

#[test]
fn operations_that_no_client_causes_are_those_of_apache_too() {
    let samples = [
        (sample!("edits/rare.edits"), sample!("edits/rare.xml"), vec![24, 10, 41, 42, 23]),
        (sample!("edits/quota.edits"), sample!("edits/quota.xml"), vec![11, 12]),
    ];
    for (segment, text, opcodes) in samples {
        let mut reader = SegmentReader::open("edits", segment, Expected::default()).unwrap();
        let (mut again, mut found) = (Vec::new(), Vec::new());
        encode_header(&mut again);
        while let Some((txid, op)) = reader.next().unwrap() {
            encode_op(&mut again, txid, &op);
            found.push(op.opcode());
        }
        assert_eq!((again.as_slice(), found), (segment, opcodes));
        let mut shown = Vec::new();
        edits::xml::write_xml("edits", segment, &mut shown).unwrap();
        assert_same_text(&shown, text);
    }
}

#[test]
fn edits_are_shown_as_by_apache() {
    let mut out = Vec::new();
    edits::xml::write_xml("edits", EDITS, &mut out).unwrap();
    assert_same_text(&out, sample!("namenode/edits_0000000000000000001-0000000000000000208.xml"));
}

#[test]
fn segments_follow_each_other() {
    let second = sample!("namenode/edits_0000000000000000209-0000000000000000210");
    let expected = Expected { first: Some(TxId(209)), last: Some(TxId(210)) };
    let summary = SegmentReader::open("edits", second, expected).unwrap().scan();
    assert_eq!((summary.first, summary.last), (Some(TxId(209)), Some(TxId(210))));
    assert_eq!((summary.end, summary.error), (second.len() as u64, None));
}

#[test]
fn an_image_is_shown_as_by_apache() {
    let image = Image::parse("fsimage", IMAGE).unwrap();
    let mut out = Vec::new();
    let revision = "dbcc7cd797100e6b32cd84f85b53a5193a5f9af0";
    fsimage::xml::write_xml(&image, revision, &mut out).unwrap();
    assert_same_text(&out, sample!("namenode/fsimage_0000000000000000210.xml"));
}

#[test]
fn an_image_is_written_again_byte_for_byte() {
    let image = Image::parse("fsimage", IMAGE).unwrap();
    let mut writer = ImageWriter::new(Vec::new());
    for section in &image.summary().sections {
        let name = SectionName::from_name(section.name()).unwrap();
        copy_section(&image, name, &mut writer);
        writer.end_section(name).expect("a Vec can be written");
    }
    let (again, digest) = writer.finish().unwrap();
    assert_eq!(again, IMAGE);
    let file = ImageFile::Image(TxId(210));
    let md5 = sample!("namenode/fsimage_0000000000000000210.md5");
    assert_eq!(parse_md5("md5", md5, &file.name()), Ok(digest.md5));
    assert_eq!(print_md5(&digest.md5, &file.name()).as_bytes(), md5);
    assert_eq!(digest.num_bytes, IMAGE.len() as u64);
}

/// Decodes and encodes every message of a section.
fn copy_section(image: &Image<'_>, name: SectionName, writer: &mut ImageWriter<Vec<u8>>) {
    let mut messages = image.messages(name);
    macro_rules! copy {
        ($type:ty) => {{
            let message: $type = messages.required().unwrap();
            writer.message(&message).unwrap();
            message
        }};
    }
    macro_rules! copy_all {
        ($type:ty) => {
            while let Some(message) = messages.next_message::<$type>().unwrap() {
                writer.message(&message).unwrap();
            }
        };
    }
    match name {
        SectionName::NsInfo => copy_all!(image::NameSystemSection),
        SectionName::ErasureCoding => copy_all!(image::ErasureCodingSection),
        SectionName::Inode => {
            copy!(image::INodeSection);
            copy_all!(image::i_node_section::INode);
        }
        SectionName::InodeDir => copy_all!(image::i_node_directory_section::DirEntry),
        SectionName::FilesUnderConstruction => {
            copy_all!(image::files_under_construction_section::FileUnderConstructionEntry);
        }
        SectionName::Snapshot => {
            copy!(image::SnapshotSection);
            copy_all!(image::snapshot_section::Snapshot);
        }
        SectionName::SnapshotDiff => {
            use image::snapshot_diff_section as diff;
            while let Some(entry) = messages.next_message::<diff::DiffEntry>().unwrap() {
                writer.message(&entry).unwrap();
                for _ in 0..entry.num_of_diff() {
                    if entry.r#type() == diff::diff_entry::Type::Filediff {
                        copy!(diff::FileDiff);
                    } else {
                        let directory = copy!(diff::DirectoryDiff);
                        for _ in 0..directory.created_list_size() {
                            copy!(diff::CreatedListEntry);
                        }
                    }
                }
            }
        }
        SectionName::InodeReference => copy_all!(image::i_node_reference_section::INodeReference),
        SectionName::SecretManager => {
            let head = copy!(image::SecretManagerSection);
            for _ in 0..head.num_keys() {
                copy!(image::secret_manager_section::DelegationKey);
            }
            copy_all!(image::secret_manager_section::PersistToken);
        }
        SectionName::CacheManager => {
            let head = copy!(image::CacheManagerSection);
            for _ in 0..head.num_pools {
                copy!(pb::CachePoolInfoProto);
            }
            copy_all!(pb::CacheDirectiveInfoProto);
        }
        SectionName::StringTable => {
            copy!(image::StringTableSection);
            copy_all!(image::string_table_section::Entry);
        }
        other => panic!("Apache does not write {other:?} by default"),
    }
}

#[test]
fn a_section_may_be_cut_into_parts() {
    use image::i_node_section::INode;
    let image = Image::parse("fsimage", IMAGE).unwrap();
    let (head, messages) = image.inodes().unwrap();
    let all: Vec<INode> = messages.decode().map(Result::unwrap).collect();
    assert_eq!(all.len() as u64, head.num_inodes());
    let parts: Vec<_> = messages.batches(7).map(Result::unwrap).collect();
    assert_eq!(parts.len(), all.len().div_ceil(7));
    let joined: Vec<INode> =
        parts.into_iter().flat_map(|part| part.decode()).map(Result::unwrap).collect();
    assert_eq!(joined, all);
}

#[test]
fn inodes_are_read_and_written_without_messages() {
    use hdfs_proto::prost::Message;
    use image::i_node_section::INode;
    let image = Image::parse("fsimage", IMAGE).unwrap();
    let (_, mut messages) = image.inodes().unwrap();
    let mut typed = messages.decode::<INode>();
    let mut encoder = INodeEncoder::default();
    let mut kinds = BTreeSet::new();
    while let Some(inode) = messages.next_inode().unwrap() {
        let message = typed.next().unwrap().unwrap();
        let mut ours = Vec::new();
        encoder.encode(&inode, &mut ours);
        assert_eq!(ours, message.encode_length_delimited_to_vec(), "{message:?}");
        assert_eq!((inode.id.0, inode.name), (message.id, message.name()));
        if let INodeKind::File(file) = inode.kind {
            let blocks: Vec<Block> = file.blocks.iter().collect();
            assert_eq!(blocks.len(), message.file.unwrap().blocks.len());
            let given = INodeKind::File(FileRecord { blocks: Blocks::Given(&blocks), ..file });
            let mut again = Vec::new();
            encoder.encode(&INodeRecord { kind: given, ..inode }, &mut again);
            assert_eq!(again, ours);
        }
        kinds.insert(message.r#type);
        for length in 0..ours.len() - 1 {
            let _ = INodeRecord::decode(&ours[1..length + 1]);
        }
    }
    assert!(typed.next().is_none());
    assert_eq!(kinds.len(), 3);
}

#[test]
fn small_files_are_written_again() {
    /// Everything after the date, which is in the time zone of the writer.
    fn body(text: &[u8]) -> &str {
        std::str::from_utf8(text).unwrap().split_once('\n').unwrap().1
    }
    let file = sample!("namenode/VERSION");
    let version = NameNodeVersion::parse("VERSION", file).unwrap();
    assert_eq!(version.layout_version, -67);
    assert_eq!(body(version.print(WallMillis(0)).as_bytes()), body(file));
    let file = sample!("datanode/VERSION");
    let version = DataNodeVersion::parse("VERSION", file).unwrap();
    assert_eq!(body(version.print(WallMillis(0)).as_bytes()), body(file));
    let file = sample!("datanode/BP-VERSION");
    let version = BlockPoolVersion::parse("VERSION", file).unwrap();
    assert_eq!(body(version.print(WallMillis(0)).as_bytes()), body(file));
    let file = sample!("namenode/seen_txid");
    let seen = parse_number("seen_txid", file).unwrap();
    assert_eq!((seen, print_number(seen).as_bytes()), (211, file));
}

#[test]
fn a_damaged_image_is_refused_with_its_place() {
    for length in 0..IMAGE.len() {
        assert!(Image::parse("fsimage", &IMAGE[..length]).is_err(), "cut to {length}");
    }
    let mut out = Vec::new();
    for index in 0..IMAGE.len() {
        let mut damaged = IMAGE.to_vec();
        damaged[index] ^= 0x55;
        // The MD5 beside the file finds every flipped byte; here nothing may panic.
        if let Ok(image) = Image::parse("fsimage", &damaged) {
            out.clear();
            let _ = fsimage::xml::write_xml(&image, "", &mut out);
        }
    }
    let error = Image::parse("name/fsimage", &IMAGE[..100]).unwrap_err().to_string();
    assert!(error.starts_with("name/fsimage is damaged at offset 96: "), "{error}");
}

#[test]
fn xml_of_apache_becomes_the_segment_again() {
    use hdfs_format::edits::xml::{Format, Options, Processor, view};
    let xml = sample!("namenode/edits_0000000000000000001-0000000000000000208.xml");
    let view = |bytes, format, processor, options| {
        let mut out = Vec::new();
        view("edits", bytes, format, processor, options, &mut out, |_| {}).unwrap();
        out
    };
    let again = view(xml, Format::Xml, Processor::Binary, Options::default());
    assert_eq!(again, EDITS);
    let stats = view(xml, Format::Xml, Processor::Stats, Options::default());
    assert_eq!(stats, view(EDITS, Format::Binary, Processor::Stats, Options::default()));

    // A damaged operation is skipped, and the rest gets new numbers.
    let mut damaged = EDITS.to_vec();
    damaged[100] ^= 1;
    let options = Options { fix_txids: true, recover: true };
    let recovered = view(&damaged, Format::Binary, Processor::Binary, options);
    let summary = SegmentReader::open("edits", &recovered, Expected::default()).unwrap().scan();
    assert_eq!((summary.first, summary.last), (Some(TxId(1)), Some(TxId(207))));
}

#[test]
fn xml_that_is_not_a_log_is_refused_with_a_reason() {
    use hdfs_format::edits::xml::{Format, Options, Processor, view};
    let view = |text: &str| {
        let (format, processor) = (Format::Xml, Processor::Binary);
        let options = Options::default();
        view("x", text.as_bytes(), format, processor, options, Vec::new(), |_| {})
            .unwrap_err()
            .to_string()
    };
    assert_eq!(view("<EDIT/>"), "expected <EDITS>, got <EDIT>");
    assert_eq!(view(""), "expecting </EDITS>");
    let record = |data: &str| {
        view(&format!(
            "<EDITS><EDITS_VERSION>-67</EDITS_VERSION><RECORD><OPCODE>OP_MKDIR</OPCODE>\
             <DATA><TXID>3</TXID>{data}</DATA></RECORD></EDITS>"
        ))
    };
    assert_eq!(record(""), "transaction 3, OP_MKDIR: no entry found for INODEID");
    assert!(record("<INODEID>x</INODEID>").ends_with("INODEID is \"x\", not a number that fits"));
    assert!(record("<INODEID>\\12</INODEID>").contains("unterminated code point escape"));
    assert!(view("<!DOCTYPE x><EDITS/>").contains("document type"));
}
