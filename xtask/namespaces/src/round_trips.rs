//! Round trips: our image and edits through Apache's NameNode, and its image through ours.
//!
//! For each seed:
//! 1. Apache's NameNode loads our image and our edits, and saves an image. Its view (`oiv -p XML`) equals that of the image
//!    that we save of the same tree.
//!    Both count the same use for every quota. Both edits viewers show our edits alike, and make the same
//!    bytes of what they show.
//! 2. Apache's image loads in ours and is the same tree; its image saved by us has the same view again.
//! 3. Our view of Apache's image is Apache's view of it, and the image that we make of that view has it again.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use hdfs_format::edits::{EditOp, xml as edits};
use hdfs_format::fsimage::{
    Image,
    xml::{read_xml, write_xml},
};
use hdfs_format::storage_dir::ImageFile;
use hdfs_generate::{Folder, Generator, image_of, load_image};
use hdfs_namespace::Namespace;
use hdfs_types::{INodeId, StorageType, TxId};

use crate::compare::{difference, normal};
use crate::jvm::Jvm;
use crate::property::{half_and_half, write};

/// Differences shown in full; the others are counted.
const SHOWN: u64 = 10;

/// Runs seeds.
pub(crate) fn run(first: u64, seeds: u64, steps: u64) -> Result<()> {
    let dir = std::env::temp_dir().join(format!("round-trips-{}", std::process::id()));
    std::fs::create_dir_all(&dir)?;
    let mut jvm = Jvm::start(&dir)?;
    let mut failed = 0;
    for seed in first..first + seeds {
        let folder = dir.join(seed.to_string());
        match round_trip(&mut jvm, seed, steps, &folder) {
            Ok(()) => std::fs::remove_dir_all(&folder)?,
            Err(error) => {
                failed += 1;
                if failed <= SHOWN {
                    println!(
                        "seed {seed}: {error:#}\n  files: {}\n  again: cargo run -p namespaces -- round-trips {seed} 1 {steps}",
                        folder.display()
                    );
                } else {
                    std::fs::remove_dir_all(&folder)?;
                }
            }
        }
    }
    drop(jvm);
    println!(
        "round trips of {seeds} namespaces from seed {first} of {steps} calls: {failed} differ"
    );
    ensure!(failed == 0, "round trips differ; the files are in {}", dir.display());
    std::fs::remove_dir_all(&dir)?;
    Ok(())
}

fn round_trip(jvm: &mut Jvm, seed: u64, steps: u64, dir: &Path) -> Result<()> {
    let (generator, folder) = half_and_half(seed, steps);
    write(&folder, dir)?;
    let namespace = generator.namespace();
    let txid = namespace.last_txid();
    let ours = dir.join("ours");
    std::fs::write(&ours, image_of(namespace, txid).bytes)?;
    let theirs: PathBuf = jvm.load(dir)?;
    let (our_view, their_view) = (jvm.xml(&ours)?, jvm.xml(&theirs)?);
    let known = without_leases_of_snapshots(&their_view, namespace);
    same("Apache's replay of our edits", &our_view, &known)?;
    let restarted = restart(&generator, &folder)?;
    restarted.check_invariants().map_err(|error| anyhow!("after a restart: {error}"))?;
    compare_usage(&generator, &restarted, &std::fs::read_to_string(dir.join("usage"))?)?;
    compare_edits(jvm, &generator, &folder, dir)?;

    let bytes = std::fs::read(&theirs).with_context(|| theirs.display().to_string())?;
    let loaded = load_image(&bytes, generator.conf()).map_err(|error| anyhow!("{error}"))?;
    loaded.check_invariants().map_err(|error| anyhow!("Apache's image: {error}"))?;
    if let Some(text) = difference(&normal(&namespace.dump()), &normal(&loaded.dump())) {
        bail!("Apache's image is another tree:\n{text}");
    }
    let again = dir.join("again");
    std::fs::write(&again, image_of(&loaded, txid).bytes)?;
    same("our save of Apache's image", &jvm.xml(&again)?, &known)?;
    exactly("our view of Apache's image", &view(&bytes, &their_view)?, &their_view)?;

    let mut made = Vec::new();
    read_xml(their_view.as_bytes(), &mut made)
        .map_err(|error| anyhow!("Apache's view can't be made an image again: {error:?}"))?;
    exactly("our image of Apache's view", &view(&made, &their_view)?, &their_view)
}

/// Apache keeps the lease of an open file that a rename replaced, when only snapshots show it since. We end it: nobody can
/// write the file.
fn without_leases_of_snapshots(view: &str, namespace: &Namespace) -> String {
    let section = "FileUnderConstructionSection";
    let (start, end) = (format!("<{section}>"), format!("</{section}>"));
    let Some((before, rest)) = view.split_once(&start) else { return view.to_owned() };
    let Some((inside, after)) = rest.split_once(&end) else { return view.to_owned() };
    let is_kept = |element: &&str| {
        let id = element.split_once("<id>").and_then(|(_, rest)| rest.split_once('<'));
        let id = id.and_then(|(id, _)| id.parse().ok()).map(INodeId);
        id.is_none_or(|id| namespace.leases().holder(id).is_some())
    };
    let kept: String = inside.split_inclusive("</inode>").filter(is_kept).collect();
    format!("{before}{start}{kept}{end}{after}")
}

/// Our view of an image.
fn view(image: &[u8], their_view: &str) -> Result<String> {
    let mut shown = Vec::new();
    write_xml(&Image::parse("Apache's image", image)?, revision(their_view), &mut shown)?;
    Ok(String::from_utf8(shown)?)
}

/// The tree after a restart with a folder. Not quite the live one: an image does not say whether the last block of an open
/// file was complete, and a block that is not counts in full.
fn restart(generator: &Generator, folder: &Folder) -> Result<Namespace> {
    let image =
        folder.files.iter().find_map(|(name, bytes)| Some((ImageFile::parse(name)?, bytes)));
    let (file, bytes) = image.context("a folder has an image")?;
    let mut namespace = load_image(bytes, generator.conf()).map_err(|error| anyhow!("{error}"))?;
    for (txid, op) in (1..).zip(generator.log()).skip(file.txid().0 as usize) {
        namespace.replay(TxId(txid), op)?;
    }
    namespace.recount_names();
    Ok(namespace)
}

/// Every directory with a quota uses as much for Apache as for us.
fn compare_usage(generator: &Generator, tree: &Namespace, usage: &str) -> Result<()> {
    for line in usage.lines() {
        let mut words = line.split(' ');
        let mut number = || -> Result<i64> { Ok(words.next().context("a short line")?.parse()?) };
        let (id, names, space) = (number()?, number()?, number()?);
        let path = tree.path(INodeId(id.cast_unsigned()));
        let path = path.with_context(|| format!("Apache has the directory {id}"))?;
        let ours = generator.quota_usage(tree, &path).map_err(|error| anyhow!(error.message))?;
        ensure!(
            (ours.file_and_directory_count, ours.space_consumed) == (names, space),
            "{} uses {ours:?} for us, {line} for Apache",
            String::from_utf8_lossy(&path)
        );
        // Limits of kinds of storage that an image brought, and that were taken away since: Apache's NameNode has read "no
        // limit of names" as a limit, and goes on to count. We know none, and sum up the files in another way.
        if ours.quota == -1 && ours.space_quota == -1 && ours.type_quota == [-1; 6] {
            continue;
        }
        for (kind, ours) in StorageType::ALL.iter().zip(ours.type_consumed) {
            let name = format!("{}=", kind.name());
            let apache = line.split(' ').find_map(|word| word.strip_prefix(&name));
            ensure!(
                apache.is_none_or(|apache| apache == ours.to_string()),
                "{} uses {ours} of {kind:?} for us, {line} for Apache",
                String::from_utf8_lossy(&path)
            );
        }
    }
    Ok(())
}

/// Our view of our edits is Apache's, and we make the same edits of it again (that view leaves out a few fields).
fn compare_edits(jvm: &mut Jvm, generator: &Generator, folder: &Folder, dir: &Path) -> Result<()> {
    for (name, bytes) in folder.files.iter().filter(|(name, _)| name.starts_with("edits_")) {
        let (input, view, back) =
            (dir.join("edits"), dir.join("edits.xml"), dir.join("edits.again"));
        std::fs::write(&input, bytes)?;
        let theirs = jvm.edits(&input, &view, "xml")?;
        let mut ours = Vec::new();
        edits::write_xml(name, bytes, &mut ours)?;
        exactly(
            "our view of edits",
            &String::from_utf8_lossy(&ours),
            std::str::from_utf8(&theirs)?,
        )?;
        std::fs::write(&view, &ours)?;
        let mut again = Vec::new();
        let (xml, binary) = (edits::Format::Xml, edits::Processor::Binary);
        edits::view(name, &ours, xml, binary, edits::Options::default(), &mut again, |_| {})?;
        // Apache's viewer does not write obsolete operations, and does not read the block of its own OP_TRUNCATE.
        let ours = String::from_utf8(ours)?;
        let obsolete = ["OP_SET_NS_QUOTA", "OP_CLEAR_NS_QUOTA", "OP_TRUNCATE"];
        // XML has no storage policy of a new file; Apache's viewer takes the one of the operation before.
        let has_policy = |op: &EditOp| matches!(op, EditOp::Add(op) if op.storage_policy_id != 0);
        let stale = generator.log().iter().any(has_policy);
        if stale || obsolete.iter().any(|name| ours.contains(name)) {
            continue;
        }
        let back = jvm.edits(&view, &back, "binary")?;
        ensure!(back == again, "Apache makes other edits of our view: {}", view.display());
    }
    Ok(())
}

/// The very same text.
fn exactly(what: &str, ours: &str, apache: &str) -> Result<()> {
    match difference(ours, apache) {
        None => Ok(()),
        Some(text) => bail!("{what}:\n{text}"),
    }
}

fn same(what: &str, ours: &str, apache: &str) -> Result<()> {
    exactly(what, &normal(ours), &normal(apache))
}

/// The revision that Apache's viewer names.
fn revision(view: &str) -> &str {
    let start = view.split_once("<oivRevision>").map_or("", |(_, rest)| rest);
    start.split_once('<').map_or("", |(revision, _)| revision)
}
