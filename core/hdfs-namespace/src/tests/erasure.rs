//! Erasure coding: policies, directories that have one, and the files made there.

use hdfs_format::edits::ErasureCodingPolicyDefinition;
use hdfs_types::{ErrorKind, Result};

use super::machine::{Machine, create_request};
use crate::*;

fn change<T>(
    machine: &mut Machine,
    plan: impl FnOnce(&Namespace, &PlanContext<'_>) -> Result<Planned<T>>,
) -> Result<T> {
    let planned = machine.plan(plan)?;
    Ok(machine.apply(planned).0)
}

fn set(machine: &mut Machine, path: &str, name: &str) -> Result<()> {
    change(machine, |ns, ctx| ns.plan_set_erasure_coding_policy(ctx, path.as_bytes(), name))
}

fn policy(machine: &Machine, path: &str) -> Option<String> {
    machine.plan(|ns, ctx| {
        let policy = ns.get_erasure_coding_policy(ctx, path.as_bytes()).expect("it may be read");
        policy.map(|policy| policy.name.clone())
    })
}

fn create(machine: &mut Machine, request: &CreateRequest<'_>) -> Result<FileStatus> {
    let Attempt::Planned(planned) = machine.plan(|ns, ctx| ns.plan_create(ctx, request))? else {
        panic!("nobody else writes it");
    };
    let (inode, _) = machine.apply(planned);
    Ok(machine.namespace.status_of(inode, false).expect("it was made"))
}

#[test]
fn files_take_the_policy_of_the_nearest_directory_that_has_one() {
    let mut machine = Machine::new().with_script("mkdirs /ec/a\nmkdirs /ec/plain");
    set(&mut machine, "/ec", "RS-6-3-1024k").expect("it is enabled by default");
    set(&mut machine, "/ec/plain", "replication").expect("it is always there");
    assert_eq!(policy(&machine, "/ec/a").as_deref(), Some("RS-6-3-1024k"));
    assert_eq!(policy(&machine, "/ec/plain"), None);

    let path = |path: &'static str| CreateRequest {
        block_size: 1 << 20,
        ..create_request(path.as_bytes(), "client", false)
    };
    let status = create(&mut machine, &path("/ec/a/f")).expect("it can be made");
    assert_eq!((status.ec_policy, status.replication), (1, 1));
    let status = create(&mut machine, &path("/ec/plain/f")).expect("it can be made");
    assert_eq!((status.ec_policy, status.replication), (0, 3));
    let flags = CreateFlags { create: true, should_replicate: true, ..CreateFlags::default() };
    let status = create(&mut machine, &CreateRequest { flags, ..path("/ec/a/g") });
    assert_eq!(status.expect("it can be made").ec_policy, 0);

    let small = CreateRequest { block_size: 1 << 19, ..path("/ec/a/h") };
    let error = create(&mut machine, &small).expect_err("a block is smaller than a cell");
    assert_eq!(
        error.message,
        "Specified block size (524288) is less than the cell size (1048576) of the erasure coding policy \
         (ErasureCodingPolicy=[Name=RS-6-3-1024k, Schema=[ECSchema=[Codec=rs, numDataUnits=6, numParityUnits=3]], \
         CellSize=1048576, Id=1])."
    );
    let named = CreateRequest { ec_policy_name: "XOR-2-1-1024k", ..path("/ec/a/i") };
    let error = create(&mut machine, &named).expect_err("it is not enabled");
    assert_eq!(
        error.message,
        "Policy 'XOR-2-1-1024k' does not match any enabled erasure coding policies: [RS-6-3-1024k]. An erasure coding \
         policy can be enabled by enableErasureCodingPolicy API."
    );
    // A striped file has no replication to set.
    let set = machine.plan(|ns, ctx| ns.plan_set_replication(ctx, b"/ec/a/f", 2));
    assert!(!set.expect("it may be asked").result);

    let unset = |machine: &mut Machine, path: &'static str| {
        change(machine, |ns, ctx| ns.plan_unset_erasure_coding_policy(ctx, path.as_bytes()))
    };
    unset(&mut machine, "/ec").expect("it has one");
    assert_eq!(policy(&machine, "/ec/a"), None);
    assert_eq!(policy(&machine, "/ec/a/f").as_deref(), Some("RS-6-3-1024k"));
    let error = unset(&mut machine, "/ec").expect_err("it has none");
    assert!(error.kind.java_class().ends_with("NoECPolicySetException"));
    machine.replay_equals_live();
}

#[test]
fn policies_are_added_enabled_disabled_and_removed() {
    let mut machine = Machine::new();
    let definition = |data| ErasureCodingPolicyDefinition {
        codec_name: "rs".to_owned(),
        num_data_units: data,
        num_parity_units: 2,
        cell_size: 65_536,
        extra_options: Vec::new(),
    };
    let added = change(&mut machine, |ns, ctx| {
        ns.plan_add_erasure_coding_policies(ctx, &[definition(4), definition(20), definition(4)])
    })
    .expect("each has its own answer");
    let ids: Vec<_> = added.iter().map(|of| of.as_ref().map(|of| of.id).ok()).collect();
    assert_eq!(ids, [Some(64), None, Some(64)]);

    let mut toggle = |enable: bool, name: &str| {
        change(&mut machine, |ns, ctx| match enable {
            true => ns.plan_enable_erasure_coding_policy(ctx, name),
            false => ns.plan_disable_erasure_coding_policy(ctx, name),
        })
    };
    assert!(toggle(true, "RS-4-2-64k").expect("it is there"));
    assert!(!toggle(true, "RS-4-2-64k").expect("it is there"));
    assert!(toggle(true, "RS-6-3-1024k").expect("the default one is logged again"));
    assert!(toggle(false, "RS-6-3-1024k").expect("it is there"));
    assert!(!toggle(false, "RS-6-3-1024k").expect("it is there"));
    let error = toggle(true, "RS-4-4-64k").expect_err("it is not there");
    assert_eq!(error.message, "The policy name RS-4-4-64k does not exist");

    let remove = |machine: &mut Machine, name: &str| {
        change(machine, |ns, ctx| ns.plan_remove_erasure_coding_policy(ctx, name))
    };
    remove(&mut machine, "RS-4-2-64k").expect("it is a user's");
    let error = remove(&mut machine, "XOR-2-1-1024k").expect_err("it is built in");
    assert_eq!(error.kind, ErrorKind::HadoopIllegalArgument);
    let states: Vec<_> = machine
        .namespace
        .erasure_coding_policies()
        .map(|(policy, state)| format!("{} {}", policy.name, state.as_str_name()))
        .collect();
    assert_eq!(states[0], "RS-10-4-1024k DISABLED");
    assert_eq!(states[2], "RS-4-2-64k REMOVED");
    assert_eq!(states[3], "RS-6-3-1024k DISABLED");
    machine.replay_equals_live();
}
