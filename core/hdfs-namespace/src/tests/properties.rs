//! Random calls: the live tree, the replay of its log, and its image with later operations are one and the same.

use hdfs_types::{Block, FsPermission, INodeId, TxId};
use proptest::prelude::*;

use super::images::{loaded, saved};
use super::machine::{Machine, create_request};
use crate::store::record::Flag;
use crate::*;

#[derive(Clone, Debug)]
enum Call {
    Mkdirs(String),
    Create(String, bool),
    AddBlock(String, u64),
    Abandon(String),
    Fsync(String, i64),
    Close(String, u64),
    Append(String, bool),
    Truncate(String, u64),
    Rename(String, String),
    Rename2(String, String, bool),
    Delete(String),
    Concat(String, String),
    Chmod(String, u16),
    Chown(String, u8),
    Setrep(String, u16),
    Times(String, i64),
    Reassign(String),
    Quota(String, i64),
    Policy(String, u8),
    Allow(String, bool),
    Snapshot(String, u8),
    RenameSnapshot(String, u8, u8),
    DeleteSnapshot(String, u8),
}

fn path() -> impl Strategy<Value = String> {
    proptest::collection::vec(0_u8..4, 1..4).prop_map(|components| {
        components
            .iter()
            .map(|number| format!("/{}", ["a", "b", "part-0", "_x"][*number as usize]))
            .collect()
    })
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        2 => path().prop_map(Call::Mkdirs),
        6 => (path(), any::<bool>()).prop_map(|(path, overwrite)| Call::Create(path, overwrite)),
        8 => (path(), 0_u64..1_025).prop_map(|(path, length)| Call::AddBlock(path, length)),
        1 => path().prop_map(Call::Abandon),
        1 => (path(), 0_i64..900).prop_map(|(path, length)| Call::Fsync(path, length)),
        6 => (path(), 1_u64..1_025).prop_map(|(path, length)| Call::Close(path, length)),
        3 => (path(), any::<bool>()).prop_map(|(path, new)| Call::Append(path, new)),
        3 => (path(), 0_u64..2_000).prop_map(|(path, length)| Call::Truncate(path, length)),
        3 => (path(), path()).prop_map(|(src, dst)| Call::Rename(src, dst)),
        3 => (path(), path(), any::<bool>()).prop_map(|(src, dst, over)| Call::Rename2(src, dst, over)),
        2 => path().prop_map(Call::Delete),
        3 => (path(), path()).prop_map(|(trg, src)| Call::Concat(trg, src)),
        1 => (path(), 0_u16..0o2000).prop_map(|(path, mode)| Call::Chmod(path, mode)),
        1 => (path(), 0_u8..4).prop_map(|(path, who)| Call::Chown(path, who)),
        1 => (path(), 1_u16..6).prop_map(|(path, replication)| Call::Setrep(path, replication)),
        1 => (path(), 0_i64..9_999).prop_map(|(path, time)| Call::Times(path, time)),
        1 => path().prop_map(Call::Reassign),
        1 => (path(), -1_i64..30).prop_map(|(path, names)| Call::Quota(path, names)),
        1 => (path(), 0_u8..4).prop_map(|(path, policy)| Call::Policy(path, policy)),
        2 => (path(), 0_u8..5).prop_map(|(path, no)| Call::Allow(path, no > 0)),
        4 => (path(), 0_u8..4).prop_map(|(path, name)| Call::Snapshot(path, name)),
        1 => (path(), 0_u8..4, 0_u8..4).prop_map(|(path, old, new)| Call::RenameSnapshot(path, old, new)),
        3 => (path(), 0_u8..4).prop_map(|(path, name)| Call::DeleteSnapshot(path, name)),
    ]
}

fn id(machine: &Machine, path: &str) -> INodeId {
    let slot = machine.namespace.find(path.as_bytes());
    slot.map_or(INodeId(1), |slot| machine.namespace.record(slot).id())
}

fn writer(machine: &Machine, path: &str) -> String {
    let slot = machine.namespace.find(path.as_bytes());
    slot.filter(|slot| machine.namespace.record(*slot).is_file())
        .and_then(|slot| machine.namespace.under_construction(slot))
        .map_or_else(String::new, |open| open.client_name.to_string())
}

fn done<T>(machine: &mut Machine, plan: hdfs_types::Result<Planned<T>>) {
    if let Ok(plan) = plan {
        machine.apply(plan);
    }
}

fn tried<T>(machine: &mut Machine, attempt: hdfs_types::Result<Attempt<T>>) {
    if let Ok(Attempt::Planned(plan)) = attempt {
        machine.apply(plan);
    }
}

fn run(machine: &mut Machine, call: &Call) {
    match call {
        Call::Mkdirs(path) => {
            let plan = machine.plan(|ns, ctx| {
                ns.plan_mkdirs(ctx, path.as_bytes(), FsPermission(0o750), None, true)
            });
            done(machine, plan);
        }
        Call::Create(path, overwrite) => {
            let request = create_request(path.as_bytes(), "c1", *overwrite);
            let plan = machine.plan(|ns, ctx| ns.plan_create(ctx, &request));
            tried(machine, plan);
        }
        Call::AddBlock(path, length) => {
            let previous =
                machine.last_block(path).map(|last| Block { num_bytes: *length, ..last });
            let client = writer(machine, path);
            let request = AddBlockRequest {
                path: path.as_bytes(),
                file_id: INodeId(0),
                client_name: &client,
                previous,
            };
            let plan = machine.plan(|ns, ctx| ns.plan_add_block(ctx, &request));
            if let Ok(AddBlockPlan::New(plan)) = plan {
                machine.apply(plan);
            }
        }
        Call::Abandon(path) => {
            let (client, block) =
                (writer(machine, path), machine.last_block(path).unwrap_or_default());
            let plan = machine.plan(|ns, ctx| {
                ns.plan_abandon_block(ctx, path.as_bytes(), INodeId(0), &client, block)
            });
            done(machine, plan);
        }
        Call::Fsync(path, length) => {
            let client = writer(machine, path);
            let plan = machine
                .plan(|ns, ctx| ns.plan_fsync(ctx, path.as_bytes(), INodeId(0), &client, *length));
            done(machine, plan);
        }
        Call::Close(path, length) => {
            let (inode, last) = (id(machine, path), machine.last_block(path));
            let last = last.map(|last| Block { num_bytes: *length, ..last });
            let plan = machine.plan(|ns, ctx| ns.plan_close_file(ctx, inode, last));
            done(machine, plan);
        }
        Call::Append(path, new_block) => {
            let request = AppendRequest {
                path: path.as_bytes(),
                client_name: "c2",
                client_machine: "host",
                new_block: *new_block,
            };
            let plan = machine.plan(|ns, ctx| ns.plan_append(ctx, &request));
            tried(machine, plan);
        }
        Call::Truncate(path, length) => {
            let request = TruncateRequest {
                path: path.as_bytes(),
                new_length: length.cast_signed(),
                client_name: "c3",
                client_machine: "host",
                upgrading: length % 3 == 0,
            };
            let plan = machine.plan(|ns, ctx| ns.plan_truncate(ctx, &request));
            tried(machine, plan);
        }
        other => run_tree(machine, other),
    }
}

fn run_tree(machine: &mut Machine, call: &Call) {
    match call {
        Call::Rename(src, dst) => {
            let plan = machine.plan(|ns, ctx| ns.plan_rename(ctx, src.as_bytes(), dst.as_bytes()));
            done(machine, plan);
        }
        Call::Rename2(src, dst, overwrite) => {
            let flags = RenameFlags { overwrite: *overwrite, to_trash: false };
            let plan =
                machine.plan(|ns, ctx| ns.plan_rename2(ctx, src.as_bytes(), dst.as_bytes(), flags));
            done(machine, plan);
        }
        Call::Delete(path) => {
            let plan = machine.plan(|ns, ctx| ns.plan_delete(ctx, path.as_bytes(), true));
            done(machine, plan);
        }
        Call::Concat(trg, src) => {
            let plan =
                machine.plan(|ns, ctx| ns.plan_concat(ctx, trg.as_bytes(), &[src.as_bytes()]));
            done(machine, plan);
        }
        Call::Chmod(path, mode) => {
            let mode = FsPermission(*mode);
            let plan = machine.plan(|ns, ctx| ns.plan_set_permission(ctx, path.as_bytes(), mode));
            done(machine, plan);
        }
        Call::Chown(path, who) => {
            let who = format!("user{who}");
            let plan = machine
                .plan(|ns, ctx| ns.plan_set_owner(ctx, path.as_bytes(), Some(&who), Some(&who)));
            done(machine, plan);
        }
        Call::Setrep(path, replication) => {
            let plan =
                machine.plan(|ns, ctx| ns.plan_set_replication(ctx, path.as_bytes(), *replication));
            done(machine, plan);
        }
        Call::Times(path, time) => {
            let plan =
                machine.plan(|ns, ctx| ns.plan_set_times(ctx, path.as_bytes(), *time, *time));
            done(machine, plan);
        }
        Call::Reassign(path) => {
            let inode = id(machine, path);
            let plan = machine.plan(|ns, ctx| ns.plan_reassign_lease(ctx, inode, "nn"));
            done(machine, plan);
        }
        Call::Quota(path, names) => {
            let space = if *names < 0 { -1 } else { names * 4_000 };
            let plan = machine
                .plan(|ns, ctx| ns.plan_set_quota(ctx, path.as_bytes(), *names, space, None));
            done(machine, plan);
        }
        Call::Policy(path, policy) => {
            let policy =
                [None, Some("COLD"), Some("ALL_SSD"), Some("ONE_SSD")][usize::from(*policy)];
            let plan =
                machine.plan(|ns, ctx| ns.plan_set_storage_policy(ctx, path.as_bytes(), policy));
            done(machine, plan);
        }
        other => run_snapshot(machine, other),
    }
}

/// The snapshottable directory at a path or above it, so that calls hit one.
fn snapshottable(machine: &Machine, path: &str) -> String {
    let namespace = &machine.namespace;
    let above = namespace.find(path.as_bytes()).and_then(|slot| {
        namespace.ancestry(slot).find(|slot| namespace.record(*slot).has(Flag::Snapshottable))
    });
    above.map_or_else(
        || path.to_owned(),
        |slot| String::from_utf8(namespace.path_of(slot)).expect("names are text"),
    )
}

fn run_snapshot(machine: &mut Machine, call: &Call) {
    let name = |number: &u8| format!("s{number}");
    match call {
        Call::Allow(path, allow) => {
            let path = path.as_bytes();
            let plan = machine.plan(|ns, ctx| match allow {
                true => ns.plan_allow_snapshot(ctx, path),
                false => ns.plan_disallow_snapshot(ctx, path),
            });
            done(machine, plan);
        }
        Call::Snapshot(path, number) => {
            let (path, name) = (snapshottable(machine, path), name(number));
            let plan = machine.plan(|ns, ctx| {
                ns.plan_create_snapshot(ctx, path.as_bytes(), Some(name.as_bytes()))
            });
            done(machine, plan);
        }
        Call::RenameSnapshot(path, old, new) => {
            let (path, old, new) = (snapshottable(machine, path), name(old), name(new));
            let plan = machine.plan(|ns, ctx| {
                ns.plan_rename_snapshot(ctx, path.as_bytes(), old.as_bytes(), new.as_bytes())
            });
            done(machine, plan);
        }
        Call::DeleteSnapshot(path, number) => {
            let (path, name) = (snapshottable(machine, path), name(number));
            let plan = machine
                .plan(|ns, ctx| ns.plan_delete_snapshot(ctx, path.as_bytes(), name.as_bytes()));
            done(machine, plan);
        }
        _ => unreachable!("the others are calls on the tree"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 150,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn replay_and_images_equal_the_live_tree(
        calls in proptest::collection::vec(call(), 1..120),
        cut in 0.0..1.0_f64,
        // Few: deletions are under way while other calls come.
        budget in 0_usize..3,
    ) {
        let mut machine = Machine::new();
        machine.namespace.inline_budget = budget;
        for call in &calls {
            run(&mut machine, call);
            machine.namespace.check_invariants().map_err(TestCaseError::fail)?;
        }
        machine.replay_equals_live();
        machine.namespace.check_invariants().map_err(TestCaseError::fail)?;

        let cut = (machine.log.len() as f64 * cut) as usize;
        let mut half = Namespace::new(&machine.conf);
        half.inline_budget = budget;
        for (txid, op) in (1..).zip(&machine.log[..cut]) {
            half.replay(TxId(txid), op).expect("what was logged can be replayed");
        }
        let mut half = loaded(&saved(&half));
        for (txid, op) in (1..).zip(&machine.log).skip(cut) {
            half.replay(TxId(txid), op).expect("an image takes later operations");
        }
        while half.reclaim_step(1_000).reclaim_pending {}
        half.check_invariants().map_err(TestCaseError::fail)?;
        prop_assert_eq!(half.dump(), machine.namespace.dump());
    }

    #[test]
    fn a_log_that_does_not_fit_is_an_error_and_changes_nothing(
        calls in proptest::collection::vec(call(), 1..60),
        order in proptest::collection::vec(any::<prop::sample::Index>(), 1..200),
    ) {
        let mut machine = Machine::new();
        for call in &calls {
            run(&mut machine, call);
        }
        if machine.log.is_empty() {
            return Ok(());
        }
        // The same operations in another order, some of them twice, some never.
        let mut other = Namespace::new(&machine.conf);
        for (txid, index) in (1..).zip(&order) {
            let before = other.dump();
            let op = index.get(&machine.log);
            if other.replay(TxId(txid), op).is_err() {
                prop_assert_eq!(other.dump(), before, "{:?}", op);
            }
            other.check_invariants().map_err(TestCaseError::fail)?;
        }
    }
}
