//! The property at the heart, over the first seeds; `namespaces property` runs as many as one likes.

#[test]
fn the_tree_equals_its_replay_and_its_images_after_every_call() {
    let mut made = 0;
    for seed in 0..4 {
        let generator =
            hdfs_generate::run_seed(hdfs_generate::Generator::new(seed), seed, 120, |_, step| {
                made += usize::from(step.refused.is_none());
            });
        if let Err(error) = generator {
            panic!("{error}\nagain: cargo run -p namespaces -- property {seed} 1 120 --show");
        }
    }
    // Most calls must be made, or the property says nothing.
    assert!(made > 4 * 120 / 2, "{made} calls were made");
}
