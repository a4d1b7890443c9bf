//! A few seeds in every test run; the gate runs a thousand.

use hdfs_sim::{Options, run};
use hdfs_types::Planted;

#[test]
fn some_worlds_keep_every_promise() {
    for seed in 1..=6 {
        let outcome = run(Options { seed, print: None, planted: Planted::NONE });
        assert_eq!(outcome.violations, Vec::<String>::new(), "cargo xtask sim --seed {seed}");
    }
}

#[test]
fn the_same_seed_gives_the_same_history() {
    for seed in [3, 77] {
        let (first, second) = (
            run(Options { seed, print: None, planted: Planted::NONE }),
            run(Options { seed, print: None, planted: Planted::NONE }),
        );
        assert_eq!(first, second);
        assert!(first.calls > 0 && first.lines > 3, "{first:?}");
    }
    let (one, other) = (
        run(Options { seed: 1, print: None, planted: Planted::NONE }),
        run(Options { seed: 2, print: None, planted: Planted::NONE }),
    );
    assert_ne!(one.trace, other.trace);
}
