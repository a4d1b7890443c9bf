//! Cache pools and directives: calls in, operations, answers out.

use hdfs_format::edits::CachePoolInfo;
use hdfs_types::{FsPermission, Result};

use super::machine::Machine;
use crate::*;

fn change<T>(
    machine: &mut Machine,
    plan: impl FnOnce(&Namespace, &PlanContext<'_>) -> Result<Planned<T>>,
) -> Result<T> {
    let planned = machine.plan(plan)?;
    Ok(machine.apply(planned).0)
}

fn pool(name: &str) -> CachePoolInfo {
    CachePoolInfo { pool_name: name.to_owned(), ..CachePoolInfo::default() }
}

fn wanted<'a>(path: &'a str, pool: &'a str) -> CacheDirectiveRequest<'a> {
    CacheDirectiveRequest { path: Some(path), pool: Some(pool), ..CacheDirectiveRequest::default() }
}

fn add(machine: &mut Machine, request: &CacheDirectiveRequest<'_>) -> Result<i64> {
    change(machine, |ns, ctx| ns.plan_add_cache_directive(ctx, request))
}

#[test]
fn a_pool_pays_for_its_directives_as_far_as_its_limit_goes() {
    let mut machine = Machine::new().with_script(
        "create /d/f c1
         add_block /d/f c1 -
         complete /d/f c1 1000",
    );
    let small = CachePoolInfo { limit: Some(2_500), default_replication: Some(2), ..pool("small") };
    change(&mut machine, |ns, ctx| ns.plan_add_cache_pool(ctx, &small)).expect("it is new");
    let error = change(&mut machine, |ns, ctx| ns.plan_add_cache_pool(ctx, &small));
    assert_eq!(error.expect_err("it is there").message, "Cache pool small already exists.");

    assert_eq!(add(&mut machine, &wanted("hdfs://nn//x/.././d/", "small")).ok(), Some(1));
    let error = add(&mut machine, &wanted("/d/f", "small")).expect_err("it does not fit");
    assert_eq!(
        error.message,
        "Caching path /d/f of size 1000 bytes at replication 2 would exceed pool small's remaining capacity of 500 bytes."
    );
    let forced = CacheDirectiveRequest { force: true, ..wanted("/d/f", "small") };
    assert_eq!(add(&mut machine, &forced).ok(), Some(2));
    let error = add(&mut machine, &wanted("relative", "small")).expect_err("it is not absolute");
    assert_eq!(error.message, "Invalid path 'relative'.");
    let error = add(&mut machine, &wanted("/d", "none")).expect_err("there is no such pool");
    assert_eq!(error.message, "Unknown pool none");

    let (pools, more) = machine.plan(|ns, ctx| ns.list_cache_pools(ctx, ""));
    assert!(!more);
    let sums = (pools[0].bytes_needed, pools[0].bytes_overlimit, pools[0].files_needed);
    assert_eq!(sums, (4_000, 1_500, 2));
    assert_eq!(pools[0].info.group_name.as_deref(), Some("supergroup"));

    let end = CacheExpiration { millis: 1, is_relative: true };
    let soon = CacheDirectiveRequest {
        id: Some(2),
        expiration: Some(end),
        ..CacheDirectiveRequest::default()
    };
    change(&mut machine, |ns, ctx| ns.plan_modify_cache_directive(ctx, &soon))
        .expect("it is there");
    machine.now += 10;
    let list = |machine: &Machine| {
        machine.plan(|ns, ctx| ns.list_cache_directives(ctx, 0, &CacheDirectiveRequest::default()))
    };
    let (entries, _) = list(&machine).expect("a superuser asks");
    let needs: Vec<_> =
        entries.iter().map(|of| (of.info.id, of.bytes_needed, of.has_expired)).collect();
    assert_eq!(needs, [(1, 2_000, false), (2, 0, true)]);

    change(&mut machine, |ns, ctx| ns.plan_remove_cache_pool(ctx, "small")).expect("it is there");
    assert_eq!(list(&machine).expect("a superuser asks").0, []);
    machine.replay_equals_live();
}

#[test]
fn who_may_not_read_a_pool_sees_its_name_only() {
    let mut machine = Machine::new();
    let closed = CachePoolInfo { mode: Some(FsPermission(0o700)), ..pool("closed") };
    change(&mut machine, |ns, ctx| ns.plan_add_cache_pool(ctx, &closed)).expect("it is new");
    assert_eq!(add(&mut machine, &wanted("/a", "closed")).ok(), Some(1));
    machine = machine.with_script("as bob users");
    let (pools, _) = machine.plan(|ns, ctx| ns.list_cache_pools(ctx, ""));
    assert_eq!(pools[0].info, pool("closed"));
    let (entries, _) = machine
        .plan(|ns, ctx| ns.list_cache_directives(ctx, 0, &CacheDirectiveRequest::default()))
        .expect("anybody may ask");
    assert_eq!(entries, []);
    let error = add(&mut machine, &wanted("/a", "closed")).expect_err("bob may not write");
    assert_eq!(
        error.message,
        "Permission denied while accessing pool closed: user bob does not have WRITE permissions."
    );
    let error = change(&mut machine, |ns, ctx| ns.plan_remove_cache_pool(ctx, "closed"));
    assert_eq!(
        error.expect_err("bob is no superuser").message,
        "Access denied for user bob. Superuser privilege is required for operation removeCachePool"
    );
}
