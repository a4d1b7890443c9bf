//! Trees through images.

use hdfs_format::compression::Codec;
use hdfs_format::edits::{Expected, SegmentReader};
use hdfs_format::fsimage::legacy::{self, LegacyOptions};
use hdfs_format::fsimage::{Image, ImageOptions, ImageWriter, SAVE_ORDER, SectionName, xml};
use hdfs_proto::hdfs::fsimage::file_summary::Section;
use hdfs_types::{INodeId, TxId};

use super::machine::{Machine, create_request};
use crate::{AddBlockPlan, AddBlockRequest, Attempt, Namespace, NamespaceConf};

/// The bytes of an image of a tree.
pub(super) fn saved(namespace: &Namespace) -> Vec<u8> {
    let mut writer = ImageWriter::new(Vec::new());
    let id = if namespace.carried.namespace_id == 0 { 7 } else { namespace.carried.namespace_id };
    namespace.save(&mut writer, id, namespace.last_txid()).expect("a Vec can be written");
    writer.finish().expect("a Vec can be written").0
}

/// The tree of an image.
pub(super) fn loaded(bytes: &[u8]) -> Namespace {
    let image = Image::parse("image", bytes).expect("the container is right");
    Namespace::load(&image, &NamespaceConf::default()).expect("the tree is right")
}

#[test]
fn a_tree_comes_back_from_its_image_and_saves_the_same_bytes() {
    let script = "mkdirs /a/b 1777
        chown /a alice users
        create /a/f c1
        add_block /a/f c1 -
        add_block /a/f c1 1024
        complete /a/f c1 5
        create /open c2
        add_block /open c2 -
        create /empty c1
        complete /empty c1 -
        mkdirs /gone
        delete /gone";
    let mut namespace = Machine::new().with_script(script).namespace;
    while namespace.reclaim_step(100).reclaim_pending {}
    let bytes = saved(&namespace);
    let back = loaded(&bytes);
    assert_eq!(back.dump(), namespace.dump());
    assert_eq!(back.last_txid(), namespace.last_txid());
    back.check_invariants().expect("a loaded tree is whole");
    assert_eq!(saved(&back), bytes);
    let mut blocks = Vec::new();
    back.visit_blocks(|block| blocks.push((block.owner.0, block.complete)));
    assert_eq!(blocks, [(16_388, true), (16_388, true), (16_389, false)]);
}

#[test]
fn a_formatted_tree_is_an_image() {
    let namespace = Namespace::format("hdfs", "supergroup");
    let back = loaded(&saved(&namespace));
    assert_eq!(back.dump(), namespace.dump());
    assert_eq!(back.last_txid(), TxId(0));
}

#[test]
fn a_damaged_image_is_an_error_and_never_a_panic() {
    let machine = Machine::new().with_script(
        "mkdirs /a/b
         create /a/f c1
         add_block /a/f c1 -",
    );
    let bytes = saved(&machine.namespace);
    for position in 8..bytes.len() {
        for flip in [0x01, 0x80] {
            if let Some(namespace) = load_damaged(&bytes, position, flip) {
                namespace.check_invariants().expect("what loads is whole");
            }
        }
        assert!(Image::parse("image", &bytes[..position]).is_err(), "it is cut at {position}");
    }
}

/// Snapshots, references and compressed sections. What snapshots count is believed, as Hadoop does: a damaged number of
/// children changes nothing else.
#[test]
fn a_damaged_image_with_every_feature_is_an_error_and_never_a_panic() {
    for (round, (_, codec, _, bytes)) in KINDS.into_iter().enumerate() {
        // Damage in a compressed section is mostly seen by the codec.
        let step = if codec.is_some() { 61 } else { 11 };
        for position in (8 + round..bytes.len()).step_by(step) {
            load_damaged(bytes, position, 1 << ((position + round) % 8));
        }
    }
}

/// What loads in spite of the damage, which can be saved and loaded again.
fn load_damaged(bytes: &[u8], position: usize, flip: u8) -> Option<Namespace> {
    let mut damaged = bytes.to_vec();
    damaged[position] ^= flip;
    let image = Image::parse("image", &damaged).ok()?;
    let namespace = Namespace::load(&image, &NamespaceConf::default()).ok()?;
    assert_eq!(loaded(&saved(&namespace)).dump(), namespace.dump());
    Some(namespace)
}

/// An image as `hdfs oiv -p XML` shows it.
pub(super) fn shown(bytes: &[u8]) -> String {
    let image = Image::parse("image", bytes).expect("the container is right");
    let mut text = Vec::new();
    xml::write_xml(&image, "revision", &mut text).expect("a Vec can be written");
    String::from_utf8(text).expect("XML is UTF-8")
}

#[test]
fn every_feature_of_apaches_image_comes_back() {
    let bytes =
        include_bytes!("../../../../testdata/hadoop-3.5.0/namenode/fsimage_0000000000000000210");
    let namespace = loaded(bytes);
    let (apaches, ours) = (shown(bytes), shown(&saved(&namespace)));
    assert!(apaches.contains("<refChild>") && apaches.contains("<deletedInoderef>"));
    for (apache, our) in apaches.lines().zip(ours.lines()) {
        assert_eq!(our, apache);
    }
    assert_eq!(ours.len(), apaches.len());
    assert_eq!(shown(&saved(&loaded(&saved(&namespace)))), ours);
}

/// An image from before protobuf, and what Apache's NameNode saved after its upgrade, as XML.
macro_rules! legacy {
    ($($layout:literal),*) => {
        [$(($layout,
            include_bytes!(concat!("../../../../testdata/hadoop-3.5.0/legacy/layout", $layout)).as_slice(),
            include_str!(concat!("../../../../testdata/hadoop-3.5.0/legacy/layout", $layout, ".xml")),
        )),*]
    };
}

#[test]
fn an_image_from_before_protobuf_is_upgraded_as_by_apache() {
    for (layout, bytes, apaches) in
        legacy!("-51", "-45", "-44", "-43", "-42", "-41", "-36", "-33", "-18")
    {
        let converted = legacy::convert("image", bytes, &LegacyOptions::default());
        let namespace = loaded(&converted.expect("the image is whole"));
        namespace.check_invariants().expect("the tree is whole");
        let ours = shown(&saved(&namespace));
        let apaches = apaches.replace("dbcc7cd797100e6b32cd84f85b53a5193a5f9af0", "revision");
        for (apache, our) in apaches.lines().zip(ours.lines()) {
            assert_eq!(our, apache, "{layout}");
        }
        assert_eq!(ours.len(), apaches.len(), "{layout}");
    }
}

/// Images of Apache's in one codec or none, whole or cut into four parts.
const KINDS: [(&str, Option<Codec>, bool, &[u8]); 7] = [
    ("none", None, false, include_bytes!("../../../../testdata/hadoop-3.5.0/images/none")),
    ("none.cut", None, true, include_bytes!("../../../../testdata/hadoop-3.5.0/images/none.cut")),
    (
        "DefaultCodec",
        Some(Codec::Deflate),
        false,
        include_bytes!("../../../../testdata/hadoop-3.5.0/images/DefaultCodec"),
    ),
    (
        "DefaultCodec.cut",
        Some(Codec::Deflate),
        true,
        include_bytes!("../../../../testdata/hadoop-3.5.0/images/DefaultCodec.cut"),
    ),
    (
        "GzipCodec.cut",
        Some(Codec::Gzip),
        true,
        include_bytes!("../../../../testdata/hadoop-3.5.0/images/GzipCodec.cut"),
    ),
    (
        "BZip2Codec.cut",
        Some(Codec::Bzip2),
        true,
        include_bytes!("../../../../testdata/hadoop-3.5.0/images/BZip2Codec.cut"),
    ),
    (
        "SnappyCodec.cut",
        Some(Codec::Snappy),
        true,
        include_bytes!("../../../../testdata/hadoop-3.5.0/images/SnappyCodec.cut"),
    ),
];

/// The bytes of an image of a tree, compressed or cut.
fn saved_as(namespace: &Namespace, codec: Option<Codec>, cut: bool) -> Vec<u8> {
    let target_sections = cut.then_some(4);
    let options =
        ImageOptions { codec, target_sections, inode_threshold: 1, ..ImageOptions::default() };
    let mut writer = ImageWriter::with_options(Vec::new(), options);
    let id = namespace.carried.namespace_id;
    namespace.save(&mut writer, id, namespace.last_txid()).expect("a Vec can be written");
    writer.finish().expect("a Vec can be written").0
}

/// Names of sections and parts, with their lengths when these do not depend on a codec or on names that nobody has.
/// Apache ends parts without anything in them too early for its own reader when the codec frames blocks: they are not
/// counted.
fn layout(bytes: &[u8]) -> Vec<(String, u64)> {
    let image = Image::parse("image", bytes).expect("the container is right");
    let summary = image.summary();
    let codec = summary.codec.as_deref().and_then(Codec::of_class);
    let framed = codec.is_some_and(Codec::is_framed);
    let entry = |section: &Section| {
        let counts = codec.is_none() && section.name() != SectionName::StringTable.as_str();
        (section.name().to_owned(), if counts { section.length() } else { section.length().min(1) })
    };
    let is_empty_part =
        |section: &&Section| framed && section.name().ends_with("_SUB") && section.length() == 4;
    summary.sections.iter().filter(|section| !is_empty_part(section)).map(entry).collect()
}

fn names_users(section: SectionName) -> bool {
    use SectionName::{Inode, Snapshot, SnapshotDiff, StringTable};
    matches!(section, Inode | Snapshot | SnapshotDiff | StringTable)
}

#[test]
fn images_of_every_kind_are_read_and_written_as_apache_does() {
    let whole = shown(KINDS[0].3);
    for (name, codec, cut, bytes) in KINDS {
        assert_eq!(shown(bytes), whole, "{name}");
        let namespace = loaded(bytes);
        namespace.check_invariants().expect("a loaded tree is whole");
        let ours = saved_as(&namespace, codec, cut);
        assert_eq!(shown(&ours), whole, "{name}");
        assert_eq!(layout(&ours), layout(bytes), "{name}");
        // Sections that name no user are the same to the byte.
        let (ours, apaches) = (Image::parse("ours", &ours), Image::parse("apaches", bytes));
        for section in SAVE_ORDER.into_iter().filter(|section| !names_users(*section)) {
            let bytes = |image: &Result<Image<'_>, _>| {
                let image = image.as_ref().expect("the container is right");
                image.section(section).map(|section| section.bytes().to_vec())
            };
            assert_eq!(bytes(&ours), bytes(&apaches), "{name} {section:?}");
        }
    }
    for codec in [Codec::Lz4, Codec::Zstandard] {
        let namespace = loaded(KINDS[0].3);
        let ours = saved_as(&namespace, Some(codec), true);
        assert_eq!(shown(&ours), whole, "{codec:?}");
        let apaches = if codec.is_framed() { KINDS[6].3 } else { KINDS[3].3 };
        assert_eq!(layout(&ours), layout(apaches), "{codec:?}");
    }
}

/// Apache's files: see PROVENANCE.md beside them.
macro_rules! sample {
    ($name:literal) => {
        include_bytes!(concat!("../../../../testdata/hadoop-3.5.0/namespace/", $name)).as_slice()
    };
}

#[test]
fn apaches_edits_lead_from_apaches_first_image_to_apaches_last() {
    let mut namespace = loaded(sample!("fsimage_0000000000000000000"));
    let formatted = Namespace::format("root", "supergroup");
    assert_eq!(namespace.dump(), formatted.dump(), "our format is Apache's");

    let edits = sample!("edits_0000000000000000001-0000000000000000188");
    let expected = Expected { first: Some(TxId(1)), ..Expected::default() };
    let mut reader = SegmentReader::open("edits", edits, expected).expect("the header is right");
    while let Some((txid, op)) = reader.next().expect("every operation decodes") {
        namespace.replay(txid, &op).expect("every operation applies");
        namespace.check_invariants().expect("the tree is whole after every operation");
    }
    let last = loaded(sample!("fsimage_0000000000000000188"));
    assert_eq!(namespace.dump(), last.dump());
    assert_eq!(namespace.counts(), last.counts());
    assert_eq!(loaded(&saved(&namespace)).dump(), last.dump());
    // Apache looks children up in the order in which the image lists them, so ours must be Apache's.
    let order = |namespace: &Namespace| {
        let bytes = saved(namespace);
        let image = Image::parse("image", &bytes).expect("the container is right");
        image.section(SectionName::InodeDir).map(|section| section.bytes().to_vec())
    };
    let apaches = sample!("fsimage_0000000000000000188");
    let image = Image::parse("image", apaches).expect("the container is right");
    let section = image.section(SectionName::InodeDir).map(|section| section.bytes().to_vec());
    assert_eq!(order(&namespace), section);
}

/// Such an image numbers its names from 0, in one table.
#[test]
fn an_image_made_of_xml_loads_as_the_one_that_the_xml_shows() {
    let apaches = sample!("fsimage_0000000000000000188");
    let image = Image::parse("image", apaches).expect("the container is right");
    let (mut document, mut reversed) = (Vec::new(), Vec::new());
    xml::write_xml(&image, "revision", &mut document).expect("memory takes it");
    xml::read_xml(&document, &mut reversed).expect("it is what the viewer writes");
    assert_eq!(loaded(&reversed).dump(), loaded(apaches).dump());
}

#[test]
fn a_huge_directory_is_gone_at_once_and_reclaimed_in_slices() {
    let mut machine = Machine::new();
    for number in 0..1_000 {
        let path = format!("/huge/{}/{number}", number % 10).into_bytes();
        let request = create_request(&path, "c1", false);
        let plan = machine.plan(|ns, ctx| ns.plan_create(ctx, &request)).expect("it is new");
        let Attempt::Planned(plan) = plan else { panic!("nobody writes it") };
        let (inode, _) = machine.apply(plan);
        let request =
            AddBlockRequest { path: b"", file_id: inode, client_name: "c1", previous: None };
        let plan = machine.plan(|ns, ctx| ns.plan_add_block(ctx, &request)).expect("it is open");
        let AddBlockPlan::New(plan) = plan else { panic!("it has no block") };
        machine.apply(plan);
    }
    machine = machine.with_script("mkdirs /kept");
    let inode =
        machine.namespace.find(b"/huge/3/33").map(|slot| machine.namespace.record(slot).id());
    let plan = machine.plan(|ns, ctx| ns.plan_delete(ctx, b"/huge", true)).expect("it is there");
    let (_, first) = machine.apply(plan);
    assert!(first.reclaim_pending && !first.blocks.is_empty() && first.blocks.len() < 1_000);
    machine.namespace.check_invariants().expect("what is attached is whole");

    // Nothing leads to what was deleted, by path, by id, by lease or by image.
    let inode = inode.expect("it was there");
    assert_eq!(machine.namespace.path(inode), None);
    let request =
        AddBlockRequest { path: b"/huge/3/33", file_id: inode, client_name: "c1", previous: None };
    let error =
        machine.plan(|ns, ctx| ns.plan_add_block(ctx, &request)).expect_err("it is deleted");
    assert!(error.message.starts_with("File does not exist: /huge/3/33"), "{}", error.message);
    let (open, _) = machine
        .plan(|ns, ctx| ns.list_open_files(ctx, INodeId(0), b"/"))
        .expect("a superuser asks");
    assert!(open.is_empty());
    let saved_early = loaded(&saved(&machine.namespace));
    let mut blocks = 0;
    machine.namespace.visit_blocks(|_| blocks += 1);
    assert_eq!(blocks, 0);

    // Its name is free again while slices go on.
    machine = machine.with_script("create /huge/new c2");
    let mut removed = first.blocks.len();
    loop {
        let effects = machine.namespace.reclaim_step(100);
        assert!(effects.blocks.len() <= 100);
        removed += effects.blocks.len();
        if !effects.reclaim_pending {
            break;
        }
    }
    assert!((990..=1_000).contains(&removed), "the creation above took some: {removed}");
    machine.namespace.check_invariants().expect("counts and quotas are settled");
    machine.replay_equals_live();
    assert_eq!(saved_early.counts().inodes(), 2);
}
