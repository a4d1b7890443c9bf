//! Random histories of calls. After each of them a second machine, built from the log alone, must be the same: the tree
//! byte for byte as an image, and every block of a closed file.
//!
//! This is B11 (edit-log operations in the wrong order, or for files that are gone) and the checker `replay_equals_live`.

use hdfs_format::fsimage::ImageWriter;
use hdfs_namenode::NameNode;
use hdfs_types::{Rng, SplitMix64};

use crate::script::Script;

const PATHS: [&str; 7] = ["/a", "/b", "/d", "/d/a", "/d/b", "/e/f/g", "/e"];

fn image(nn: &NameNode) -> Vec<u8> {
    let mut writer = ImageWriter::new(Vec::new());
    nn.save_image(&mut writer, nn.last_txid(), &hdfs_types::Alone).unwrap();
    writer.finish().unwrap().0
}

/// Files that are closed, with the state of each block, as the block manager has it.
fn closed_blocks(nn: &NameNode) -> Vec<String> {
    let mut blocks = Vec::new();
    nn.namespace().visit_blocks(|of| {
        // None: only snapshots show the file.
        let file = nn.namespace().blocks_of_inode(of.owner);
        if file.map_or(of.complete, |file| file.writer.is_none()) {
            blocks.push(format!("{:?}", nn.blocks().block(of.block.id)));
        }
    });
    blocks
}

/// Every block, and the recovery that it waits for.
fn all_blocks(nn: &NameNode) -> Vec<String> {
    let mut blocks = Vec::new();
    nn.namespace().visit_blocks(|of| {
        let (block, id) = (nn.blocks().block(of.block.id), of.block.id);
        blocks.push(format!("{block:?} {:?}", nn.blocks().recovery_stamp(id)));
    });
    blocks
}

fn step(rng: &mut SplitMix64, script: &mut Script) -> String {
    let path = PATHS[rng.below(PATHS.len() as u64) as usize];
    let other = PATHS[rng.below(PATHS.len() as u64) as usize];
    let number = script.block_count().max(1);
    let block = format!("{}:{}", 1 + rng.below(number), rng.below(900));
    match rng.below(23) {
        0..=3 => format!("create {path}"),
        4..=6 => format!("add {path}"),
        7 => format!("add {path} {block}"),
        8..=9 => format!("received {} {block}", rng.below(3)),
        10..=11 => format!("write {path} {}", rng.below(900)),
        12 => format!("mkdirs {path}"),
        13 => format!("delete {path} as {}", rng.below(1 << 30)),
        14..=15 => format!("rename {path} {other} as {}", rng.below(1 << 30)),
        16 => format!("truncate {path} {} as {}", rng.below(1_500), rng.below(1 << 30)),
        17 => format!("append {path}"),
        20 => "allow /d".to_owned(),
        21 => format!("snapshot /d s{}", rng.below(3)),
        22 => format!("drop /d s{}", rng.below(3)),
        18 => format!("replicate {path} {}", 1 + rng.below(3)),
        _ => format!("concat {path} {other}"),
    }
}

#[test]
fn a_machine_built_from_the_log_equals_the_live_one() {
    for seed in 0..25 {
        let mut rng = SplitMix64(seed);
        let mut script = Script::new(3);
        let mut history = Vec::new();
        for round in 0..120 {
            let line = step(&mut rng, &mut script);
            let told = script.run(&line);
            history.push(told);
            if round % 10 != 9 {
                continue;
            }
            let replayed = script.replayed();
            let live = script.machine();
            assert!(
                image(live) == image(&replayed),
                "seed {seed}: the trees differ after\n{}",
                history.concat()
            );
            assert_eq!(
                closed_blocks(live),
                closed_blocks(&replayed),
                "seed {seed}: the blocks differ after\n{}",
                history.concat()
            );
            live.blocks().check_invariants().unwrap();
            replayed.blocks().check_invariants().unwrap();
            let one_by_one = script.replayed_with_blocks();
            assert_eq!(
                all_blocks(&replayed),
                all_blocks(&one_by_one),
                "seed {seed}: adding blocks at the end differs after\n{}",
                history.concat()
            );
            assert_eq!(replayed.blocks().safe_counts(), one_by_one.blocks().safe_counts());
        }
    }
}
