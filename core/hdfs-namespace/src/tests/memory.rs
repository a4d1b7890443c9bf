//! What a file costs in memory: counted from the structures themselves.

use super::machine::{Machine, create_request};
use crate::{AddBlockPlan, AddBlockRequest, Attempt};
use hdfs_types::{Block, INodeId};

#[test]
fn a_file_with_one_block_costs_less_than_130_bytes() {
    let mut machine = Machine::new();
    for number in 0..20_000 {
        let path = format!("/dir{:03}/a-file-name-{number:08}", number / 1_000).into_bytes();
        let request = create_request(&path, "c1", false);
        let plan = machine.plan(|ns, ctx| ns.plan_create(ctx, &request)).expect("it is new");
        let Attempt::Planned(plan) = plan else { panic!("nobody writes it") };
        machine.apply(plan);
        let request =
            AddBlockRequest { path: &path, file_id: INodeId(0), client_name: "c1", previous: None };
        let plan = machine.plan(|ns, ctx| ns.plan_add_block(ctx, &request)).expect("it is open");
        let AddBlockPlan::New(plan) = plan else { panic!("it has no block") };
        let (new, _) = machine.apply(plan);
        let last = Some(Block { num_bytes: 100, ..new.block });
        let plan = machine.plan(|ns, ctx| ns.plan_close_file(ctx, new.inode, last));
        machine.apply(plan.expect("it is open"));
    }
    let memory = machine.namespace.memory();
    // Capacity that doubling leaves unused is not touched: count what is in use.
    let used: usize = memory
        .iter()
        .map(|(what, bytes)| match *what {
            "records" => 64 * 20_021,
            "names allocated" | "values" => 0,
            _ => *bytes,
        })
        .sum();
    let per_file = used / 20_000;
    assert!((70..130).contains(&per_file), "{per_file} bytes a file: {memory:?}");
}
