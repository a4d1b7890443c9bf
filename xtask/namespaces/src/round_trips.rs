//! Round trips: our image and edits through Apache's NameNode, and its image through ours.
//!
//! For each seed:
//! 1. Apache's NameNode loads our image and our edits, and saves an image. Its view (`oiv -p XML`) equals that of the image
//!    that we save of the same tree.
//! 2. Apache's image loads in ours and is the same tree; its image saved by us has the same view again.
//! 3. Our view of Apache's image is Apache's view of it.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use hdfs_format::fsimage::{Image, xml::write_xml};
use hdfs_generate::{image_of, load_image};

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
    same("Apache's replay of our edits", &our_view, &their_view)?;

    let bytes = std::fs::read(&theirs).with_context(|| theirs.display().to_string())?;
    let loaded = load_image(&bytes, generator.conf()).map_err(|error| anyhow!("{error}"))?;
    loaded.check_invariants().map_err(|error| anyhow!("Apache's image: {error}"))?;
    if let Some(text) = difference(&normal(&namespace.dump()), &normal(&loaded.dump())) {
        bail!("Apache's image is another tree:\n{text}");
    }
    let again = dir.join("again");
    std::fs::write(&again, image_of(&loaded, txid).bytes)?;
    same("our save of Apache's image", &jvm.xml(&again)?, &their_view)?;

    let mut shown = Vec::new();
    let image = Image::parse("Apache's image", &bytes)?;
    write_xml(&image, revision(&their_view), &mut shown)?;
    same("our view of Apache's image", &String::from_utf8_lossy(&shown), &their_view)
}

fn same(what: &str, ours: &str, apache: &str) -> Result<()> {
    match difference(&normal(ours), &normal(apache)) {
        None => Ok(()),
        Some(text) => bail!("{what}:\n{text}"),
    }
}

/// The revision that Apache's viewer names.
fn revision(view: &str) -> &str {
    let start = view.split_once("<oivRevision>").map_or("", |(_, rest)| rest);
    start.split_once('<').map_or("", |(revision, _)| revision)
}
