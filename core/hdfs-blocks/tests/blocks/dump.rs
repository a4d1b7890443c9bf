//! The text of `metasave`.

use hdfs_blocks::DumpNames;

use crate::cluster::Cluster;

#[test]
fn the_dump_shows_what_waits_and_every_node_in_hadoops_words() {
    let mut c = Cluster::of(1);
    c.closed_block(1, &[0], 2);
    let names = DumpNames {
        path: &|_| Some("/f".to_owned()),
        date: &|_| "(date)".to_owned(),
        time: &|_| "(time)".to_owned(),
    };
    let mut text = String::new();
    c.bm.dump(c.now(), &names, &mut text);
    let expected = "\
Live Datanodes: 1
Dead Datanodes: 0
Metasave: Blocks waiting for reconstruction: 1
/f: blk_1_1001 (replicas: live: 1 decommissioning and decommissioned: 0 corrupt: 0 in excess: 0 maintenance mode: 0)  \
10.0.0.0:9866 :\u{20}
Metasave: Blocks currently missing: 0
Mis-replicated blocks that have been postponed:
Metasave: Blocks being reconstructed: 0
Metasave: Blocks 0 waiting deletion from 0 datanodes.
Corrupt Blocks:
Metasave: Number of datanodes: 1
10.0.0.0:9866 IN 1073741824000(1000 GB) 0(0 B) 0.00% 536870912000(500 GB) 0(0 B) 0(0 B) 100.00% 0(0 B) (date)
";
    assert_eq!(text, expected);
}
