//! This client against real Apache HDFS, beside Apache's own client.
//!
//! Runs when `TUSK_PEER` names the folder with the programs `cluster` and `hadoop`, which run published Hadoop; without
//! it the test only says so. One cluster of four DataNodes serves all scenarios, in order: some of them kill DataNodes.
//! `TUSK_PEER_DIR` names a cluster that is up already, to save the start.

#![expect(clippy::unwrap_used, reason = "the whole file is a test")]

#[path = "apache/peer.rs"]
mod peer;
#[path = "apache/scenarios.rs"]
mod scenarios;

use std::io::{Read, Seek, SeekFrom};

use peer::Peer;
use scenarios::*;

/// Around chunks, packets and blocks of 1 MiB.
const SIZES: [usize; 14] = [
    0,
    1,
    511,
    512,
    513,
    64_511,
    64_512,
    64_513,
    65_535,
    65_536,
    65_537,
    MIB,
    MIB + 1,
    3 * MIB + 100,
];

const SCENARIOS: [Scenario; 17] = [
    ("names are made, changed and described", names_are_made_changed_and_described),
    ("who watches is told what happens", who_watches_is_told_what_happens),
    ("errors have Hadoop's class and message", errors_have_hadoops_class_and_message),
    ("administrators' calls answer", administrators_calls_answer),
    ("java reads what we wrote", java_reads_what_we_wrote),
    ("we read what java wrote", we_read_what_java_wrote),
    ("checksums are those of java", checksums_are_those_of_java),
    ("an erasure-coded file without bytes", an_erasure_coded_file_without_bytes_is_made_and_read),
    ("an append may begin at any byte of a chunk", an_append_may_begin_at_any_byte_of_a_chunk),
    ("flushed bytes are visible", flushed_bytes_are_visible),
    ("an idle writer keeps its pipeline", an_idle_writer_keeps_its_pipeline),
    ("a truncated file is read to its new end", a_truncated_file_is_read_to_its_new_end),
    ("a cut leaves snapshots as they were", a_cut_leaves_snapshots_as_they_were),
    ("a corrupt replica is left for another", a_corrupt_replica_is_left_for_another),
    ("a write survives a killed datanode", a_write_survives_a_killed_datanode),
    ("a flushed write gets another datanode", a_flushed_write_gets_another_datanode),
    ("a read survives a killed datanode", a_read_survives_a_killed_datanode),
];

#[test]
fn this_client_against_apache() {
    match Peer::start() {
        Some(peer) => run(&peer, &SCENARIOS),
        None => eprintln!("skipped: TUSK_PEER does not name the folder of Apache's programs"),
    }
}

fn java_reads_what_we_wrote(cluster: &dyn Cluster) {
    let client = cluster.client(&[]);
    let local = cluster.scratch("ours");
    for (size, step) in
        SIZES.into_iter().zip([7, 1, 100, 512, 513, 64_512, MIB].into_iter().cycle())
    {
        write(
            &client,
            &format!("/ours/{size}"),
            &data(size, 1),
            step.min(size.max(1)).max(size / 5_000),
        );
    }
    cluster.hadoop(&["fs", "-get", "/ours/*", local.to_str().unwrap()]);
    for size in SIZES {
        let got = std::fs::read(local.join(size.to_string())).unwrap();
        assert!(got == data(size, 1), "{size} bytes");
    }
}

fn we_read_what_java_wrote(cluster: &dyn Cluster) {
    let client = cluster.client(&[]);
    let local = cluster.scratch("java");
    for size in SIZES {
        std::fs::write(local.join(size.to_string()), data(size, 2)).unwrap();
    }
    cluster.hadoop(&["fs", "-D", "dfs.blocksize=1048576", "-put", local.to_str().unwrap(), "/"]);
    for size in SIZES {
        let expected = data(size, 2);
        let path = format!("/java/{size}");
        assert!(read(&client, &path) == expected, "{size} bytes at once");
        let mut file = client.open(&path).unwrap();
        assert_eq!(file.len(), size as u64);
        let mut got = Vec::new();
        let mut buffer = vec![0; 777];
        loop {
            let count = file.read(&mut buffer).unwrap();
            if count == 0 {
                break;
            }
            got.extend_from_slice(&buffer[..count]);
        }
        assert!(got == expected, "{size} bytes in small pieces");
        for position in [0, 1, 511, 512, 65_535, size / 2, size.saturating_sub(3)] {
            let position = position.min(size);
            let mut buffer = vec![0; 70_000];
            let count = file.read_at(position as u64, &mut buffer).unwrap();
            assert_eq!(count, (size - position).min(70_000));
            assert!(
                buffer[..count] == expected[position..position + count],
                "{size} at {position}"
            );
            file.seek(SeekFrom::Start(position as u64)).unwrap();
            let wanted = (size - position).min(3_000);
            file.read_exact(&mut buffer[..wanted]).unwrap();
            assert!(buffer[..wanted] == expected[position..position + wanted]);
        }
        assert!(file.seek(SeekFrom::Start(size as u64 + 1)).is_err());
    }
}

fn checksums_are_those_of_java(cluster: &dyn Cluster) {
    for mode in ["MD5MD5CRC", "COMPOSITE_CRC"] {
        let client = cluster.client(&[("dfs.checksum.combine.mode", mode)]);
        let option = format!("dfs.checksum.combine.mode={mode}");
        let printed = cluster.hadoop(&["fs", "-D", &option, "-checksum", "/ours/*"]).unwrap();
        let printed = String::from_utf8(printed).unwrap();
        let mut seen = 0;
        for line in printed.lines().filter(|line| line.starts_with("/ours/")) {
            let mut fields = line.split('\t');
            let path = fields.next().unwrap();
            let sum = client.file_checksum(path).unwrap().unwrap();
            let hex: String = sum.bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(Some(sum.algorithm.as_str()), fields.next(), "{path}");
            assert_eq!(Some(hex.as_str()), fields.next(), "{path}");
            seen += 1;
        }
        assert_eq!(seen, SIZES.len(), "{printed}");
    }
}
