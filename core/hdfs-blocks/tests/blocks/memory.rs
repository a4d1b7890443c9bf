//! What a block costs.

use hdfs_blocks::{BlockManager, BlockState, BlocksConf};

use crate::cluster::{Cluster, OWNER, block, finalized, registration, storage_of, uuid};

/// Two hundred thousand blocks with three replicas on thirty nodes: below 60 bytes each, sets of the storages included.
#[test]
fn a_block_with_three_replicas_takes_less_than_sixty_bytes() {
    const BLOCKS: i64 = 200_000;
    let mut c = Cluster { bm: BlockManager::new(BlocksConf::default(), 1), seconds: 1 };
    for id in 1..=BLOCKS {
        c.bm.add_block(block(id, 1_001, 1 << 27), OWNER, 3, BlockState::Complete).expect("new");
    }
    let now = c.now();
    for node in 0..30 {
        c.bm.register_datanode(now, registration(node), None).expect("nobody is excluded");
        let begun = c.bm.begin_full_report(now, &uuid(node), &storage_of(node));
        let mut report = begun.expect("registered").expect("the first one");
        let replicas: Vec<_> = (1..=BLOCKS)
            .filter(|id| (0..3).any(|r| (id * 7 + r * 11) % 30 == node as i64))
            .map(|id| finalized(block(id, 1_001, 1 << 27)))
            .collect();
        c.bm.apply_full_report(now, &mut report, &replicas);
        c.bm.finish_full_report(now, report).expect("nobody else reported");
    }
    assert_eq!(c.bm.safe_counts().safe, BLOCKS as u64);
    let bytes = c.bm.heap_bytes() as f64 / BLOCKS as f64;
    println!("{bytes:.1} bytes a block");
    assert!(bytes < 60.0, "{bytes:.1} bytes a block");
}
