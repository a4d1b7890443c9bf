//! kill -9 at any moment, under load: what was acknowledged is there afterwards.
//!
//! `TUSK_KILL_ROUNDS` sets the number of kills; the gate runs a few.

use std::time::Duration;

use hdfs_types::{Rng as _, SplitMix64};

use crate::load::Load;
use crate::site::Site;

fn rounds() -> u64 {
    std::env::var("TUSK_KILL_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(4)
}

/// Lets the writers get some operations through, then a little more.
fn let_run(load: &Load, rng: &mut SplitMix64) {
    let before = load.acknowledged();
    let started = std::time::Instant::now();
    while load.acknowledged() < before + 20 {
        assert!(started.elapsed() < Duration::from_secs(120), "the writers make no progress");
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(rng.below(300)));
}

#[test]
fn killing_the_namenode_loses_nothing_acknowledged() {
    let mut site = Site::running("kill-namenode", 3, &[]);
    let mut rng = SplitMix64(7);
    let load = Load::start(&site, 4);
    for _ in 0..rounds() {
        let_run(&load, &mut rng);
        site.kill("namenode");
        std::thread::sleep(Duration::from_millis(rng.below(200)));
        site.start("namenode");
        site.wait_until_writable();
    }
    let_run(&load, &mut rng);
    let acknowledged = load.acknowledged();
    let compared = load.verify(&site);
    println!(
        "{} kills, {acknowledged} operations acknowledged, {compared} paths compared",
        rounds()
    );
    assert!(compared > 20, "only {compared} paths were compared");
}

#[test]
fn killing_a_datanode_loses_nothing_acknowledged() {
    let mut site = Site::running("kill-datanode", 3, &[]);
    let mut rng = SplitMix64(11);
    let load = Load::start(&site, 4);
    for _ in 0..rounds() {
        let_run(&load, &mut rng);
        let victim = format!("datanode{}", 1 + rng.below(3));
        site.kill(&victim);
        std::thread::sleep(Duration::from_millis(rng.below(500)));
        site.start(&victim);
        site.wait_until_writable();
    }
    let_run(&load, &mut rng);
    let acknowledged = load.acknowledged();
    let compared = load.verify(&site);
    println!(
        "{} kills, {acknowledged} operations acknowledged, {compared} paths compared",
        rounds()
    );
    assert!(compared > 20, "only {compared} paths were compared");
}
