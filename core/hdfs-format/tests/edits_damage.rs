//! Damaged segments, as recovery and viewers read them: whatever is broken, an operation that was not written is never read.

#![allow(clippy::unwrap_used)] // Clippy does not see that helpers of tests are tests.

use hdfs_format::edits::*;
use hdfs_types::{CallId, ClientId, TxId, WallMillis};
use proptest::collection::vec;
use proptest::prelude::*;

fn op(number: u64) -> EditOp {
    let path = format!("/dir{}/file{number}", number % 7).into_bytes();
    let retry =
        RetryKey { client_id: ClientId([number as u8; 16]), call_id: CallId(number as i32) };
    match number % 3 {
        0 => EditOp::Delete(DeleteOp { path, timestamp: WallMillis(number), retry }),
        1 => EditOp::Times(TimesOp { path, mtime: -1, atime: number as i64 }),
        _ => EditOp::SetReplication(SetReplicationOp { path, replication: number as u16 }),
    }
}

/// Transactions 1 to `count`, and unused space.
fn segment(count: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_header(&mut bytes);
    for txid in 1..=count {
        encode_op(&mut bytes, TxId(txid), &op(txid));
    }
    bytes.resize(bytes.len() + 300, FILL);
    bytes
}

/// What happens to a file.
#[derive(Clone, Debug)]
enum Damage {
    Flip(prop::sample::Index, u8),
    Remove(prop::sample::Index, usize),
    Insert(prop::sample::Index, Vec<u8>),
    Zero(prop::sample::Index, usize),
    Cut(prop::sample::Index),
    /// A piece of the file appears once more elsewhere.
    Copy(prop::sample::Index, prop::sample::Index, usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    use any as some;
    type Place = prop::sample::Index;
    prop_oneof![
        (some::<Place>(), 1_u8..).prop_map(|(place, flip)| Damage::Flip(place, flip)),
        (some::<Place>(), 1_usize..200).prop_map(|(place, length)| Damage::Remove(place, length)),
        (some::<Place>(), vec(some::<u8>(), 1..200))
            .prop_map(|(place, bytes)| Damage::Insert(place, bytes)),
        (some::<Place>(), 1_usize..200).prop_map(|(place, length)| Damage::Zero(place, length)),
        some::<Place>().prop_map(Damage::Cut),
        (some::<Place>(), some::<Place>(), 1_usize..200)
            .prop_map(|(from, to, length)| Damage::Copy(from, to, length)),
    ]
}

fn apply(bytes: &mut Vec<u8>, damage: &Damage) {
    if bytes.len() <= HEADER_BYTES {
        return;
    }
    let place =
        |index: &prop::sample::Index| HEADER_BYTES + index.index(bytes.len() - HEADER_BYTES);
    match damage {
        Damage::Flip(at, flip) => {
            let at = place(at);
            bytes[at] ^= flip;
        }
        Damage::Remove(at, length) => {
            let at = place(at);
            bytes.drain(at..(at + length).min(bytes.len()));
        }
        Damage::Insert(at, new) => {
            let at = place(at);
            bytes.splice(at..at, new.iter().copied());
        }
        Damage::Zero(at, length) => {
            let at = place(at);
            let end = (at + length).min(bytes.len());
            bytes[at..end].fill(0);
        }
        Damage::Cut(at) => bytes.truncate(place(at)),
        Damage::Copy(from, to, length) => {
            let (from, to) = (place(from), place(to));
            let piece = bytes[from..(from + length).min(bytes.len())].to_vec();
            bytes.splice(to..to, piece);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn recovery_reads_only_what_was_written(count in 1_u64..30, damages in vec(damage(), 1..6)) {
        let mut bytes = segment(count);
        damages.iter().for_each(|damage| apply(&mut bytes, damage));
        let mut reader =
            SegmentReader::open("edits", &bytes, Expected::default()).unwrap().with_any_order();
        let mut skips = 0;
        loop {
            match reader.next() {
                Ok(Some((txid, found))) => {
                    prop_assert!((1..=count).contains(&txid.0));
                    prop_assert_eq!(found, op(txid.0));
                }
                Ok(None) => break,
                Err(_) if reader.skip_damage() => skips += 1,
                Err(_) => break,
            }
            prop_assert!(skips <= bytes.len(), "it comes to an end");
        }
    }

    #[test]
    fn a_start_reads_a_prefix_and_nothing_behind_damage(
        count in 1_u64..30,
        damages in vec(damage(), 1..6),
        finalized in any::<bool>(),
    ) {
        let mut bytes = segment(count);
        damages.iter().for_each(|damage| apply(&mut bytes, damage));
        let last = finalized.then_some(TxId(count));
        let expected = Expected { first: Some(TxId(1)), last };
        let mut reader = SegmentReader::open("edits", &bytes, expected).unwrap();
        let mut read = 0;
        let error = loop {
            match reader.next() {
                Ok(Some((txid, found))) => {
                    read += 1;
                    prop_assert_eq!((txid.0, found), (read, op(read)));
                }
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
        };
        if finalized && read < count {
            let told = matches!(error, Some(SegmentError::Corrupt(_) | SegmentError::Gap { .. }));
            prop_assert!(told, "{:?}", error);
        }
        if let Some(SegmentError::TornTail { .. }) = error {
            prop_assert!(!reader.mentions_after(TxId(read)), "a torn tail has nothing behind it");
        }
    }
}
