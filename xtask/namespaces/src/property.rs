//! The property over many seeds, and the folder of one.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use hdfs_format::storage_dir::ImageFile;
use hdfs_generate::{Folder, Generator, image_of};
use hdfs_types::TxId;

/// Runs seeds; the command that runs a failing one again is printed.
pub(crate) fn run(first: u64, seeds: u64, steps: u64, options: &[&str]) -> Result<()> {
    let show = options.contains(&"--show");
    let mut failed = 0;
    let (mut made, mut refused) = (0_u64, 0_u64);
    for seed in first..first + seeds {
        let generator = Generator::new(seed);
        let told = |number: usize, step: &hdfs_generate::Step| {
            match &step.refused {
                None => made += 1,
                Some(_) => refused += 1,
            }
            if show {
                let refused = step.refused.as_ref();
                let end =
                    refused.map_or_else(|| format!("{} ops", step.ops), |text| format!("! {text}"));
                println!("{number}: {} -> {end}", step.call);
            }
        };
        if let Err(error) = hdfs_generate::run_seed(generator, seed, steps as usize, told) {
            failed += 1;
            println!(
                "{error}\nagain: cargo run -p namespaces -- property {seed} 1 {steps} --show {}",
                options.join(" ")
            );
        }
    }
    println!("{seeds} seeds, {made} calls made, {refused} refused, {failed} seeds failed");
    if failed > 0 {
        bail!("the property does not hold");
    }
    Ok(())
}

/// Half of the calls of a seed in an image, the others in edits.
pub(crate) fn half_and_half(seed: u64, steps: u64) -> (Generator, Folder) {
    let mut generator = Generator::new(seed);
    for _ in 0..steps / 2 {
        generator.step();
    }
    let txid: TxId = generator.roll();
    let image = image_of(generator.namespace(), txid);
    // During a rolling upgrade a name folder has an image to roll back to; without, Apache's NameNode takes the upgrade for
    // ended, and its truncations copy no blocks.
    let is_upgrading = generator.namespace().is_rolling_upgrade();
    for _ in steps / 2..steps {
        generator.step();
    }
    let mut folder = Folder::new(&image, generator.log());
    if is_upgrading {
        folder.add_image(ImageFile::Rollback(TxId(1)), &image);
    }
    (generator, folder)
}

/// Writes the name folder of a seed.
pub(crate) fn write_folder(seed: u64, steps: u64, dir: &Path) -> Result<()> {
    let (_, folder) = half_and_half(seed, steps);
    write(&folder, dir)
}

/// Writes the files of a folder below `DIR/current`.
pub(crate) fn write(folder: &Folder, dir: &Path) -> Result<()> {
    let current = dir.join("current");
    std::fs::create_dir_all(&current).with_context(|| current.display().to_string())?;
    for (name, bytes) in &folder.files {
        let file = current.join(name);
        std::fs::write(&file, bytes).with_context(|| file.display().to_string())?;
    }
    Ok(())
}
