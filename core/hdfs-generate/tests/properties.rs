//! The property at the heart, over the first seeds; `namespaces property` runs as many as one likes.

use hdfs_generate::Generator;

#[test]
fn the_tree_equals_its_replay_and_its_images_after_every_call() {
    let mut made = 0;
    for seed in 0..4 {
        let generator = Generator::new(seed);
        let generator = hdfs_generate::run_seed(generator, seed, 120, |_, step| {
            made += usize::from(step.refused.is_none());
        });
        if let Err(error) = generator {
            panic!("{error}\nagain: cargo run -p namespaces -- property {seed} 1 120 --show");
        }
    }
    // Most calls must be made, or the property says nothing.
    assert!(made > 4 * 120 / 2, "{made} calls were made");
}

/// A directory that was renamed out of one snapshot, and of which a snapshot is taken then, without a change between.
#[test]
fn a_snapshot_of_what_another_snapshot_shows_elsewhere_gives_it_its_time_as_hadoop_does() {
    let generator = Generator::new(7016);
    let checked = hdfs_generate::run_seed(generator, 7016, 152, |_, _| {});
    assert!(checked.is_ok(), "{}", checked.err().unwrap_or_default());
}

#[test]
fn the_same_holds_when_snapshots_are_deleted_in_order() {
    let mut collected = 0;
    for seed in 0..4 {
        let generator = Generator::new(seed).deleting_in_order();
        let generator = hdfs_generate::run_seed(generator, seed, 120, |_, step| {
            collected += usize::from(step.call.ends_with("collect a snapshot") && step.ops > 0);
        });
        if let Err(error) = generator {
            panic!("{error}");
        }
    }
    assert!(collected > 0, "no seed collects a snapshot");
}
