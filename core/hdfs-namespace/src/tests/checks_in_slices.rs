//! Deletions whose permissions were checked in slices before.

use hdfs_types::Result;

use super::machine::Machine;

const TREE: &str = "
    chmod / 777
    mkdirs /t
    chown /t alice users
    as alice users
    mkdirs /t/a/a1
    mkdirs /t/a/a2
    mkdirs /t/b/b1
    create /t/a/a1/f c1
    create /t/a/f c1
    create /t/b/f c1
    mkdirs /t/open 1777
    mkdirs /t/sticky 1777
    create /t/sticky/f c1
    as hdfs supergroup
    chmod /t/open 777
    chmod /t/sticky 1777
    mkdirs /elsewhere/deep/shut 700
    create /elsewhere/deep/shut/f c1
    mkdirs /t/b/empty 700
    chown /t/b bob users
    chmod /t/b 777";

/// What a deletion by alice comes to when `change` happens after so many slices of its check, and without slices.
fn outcomes(change: &str, slices: usize) -> (String, String) {
    let mut machine = Machine::new().with_script(TREE).with_script("as alice users");
    let mut check = machine
        .plan(|ns, ctx| ns.begin_removal_check(ctx, b"/t"))
        .expect("alice may go there")
        .expect("it is there");
    machine.namespace.watch_removal_check();
    let mut done = false;
    for slice in 0.. {
        if slice == slices {
            machine = machine.with_script(&format!("as hdfs supergroup\n{change}\nas alice users"));
        }
        done = done || machine.plan(|ns, ctx| ns.continue_removal_check(ctx, &mut check, 1));
        if done && slice >= slices {
            break;
        }
    }
    let text = |result: Result<crate::Planned<bool>>| match result {
        Ok(planned) => format!("{:?}", planned.ops),
        Err(error) => error.message,
    };
    let checked =
        machine.plan(|ns, ctx| text(ns.plan_checked_delete(ctx, b"/t", true, Some(&check))));
    let whole = machine.plan(|ns, ctx| text(ns.plan_delete(ctx, b"/t", true)));
    machine.namespace.end_removal_check(check);
    (checked, whole)
}

#[test]
fn a_deletion_sees_what_got_stricter_during_its_check() {
    let changes = [
        ("", true),
        ("create /t/b/empty/f c2", false),
        ("chmod /t/a/a1 700\nchown /t/a/a1 bob users", false),
        ("chown /t/a bob users\nchmod /t/a 755", false),
        ("rename /elsewhere/deep /t/open", false),
        ("mkdirs /t/open/new/below 700", false),
        ("create /t/sticky/g c2\nchown /t/sticky bob users", false),
        ("chown /t/sticky/f bob users\nchown /t/sticky bob users", false),
        ("chmod /t/a 000\nchmod /t/a 755", true),
        ("mkdirs /elsewhere/shut 700\ncreate /elsewhere/shut/f c2", true),
        ("delete /t/a -r", true),
    ];
    for (change, allowed) in changes {
        for slices in 0..14 {
            let (checked, whole) = outcomes(change, slices);
            assert_eq!(checked.is_empty(), whole.is_empty());
            assert_eq!(whole.starts_with("[Delete("), allowed, "{change}: {whole}");
            assert_eq!(
                checked.starts_with("[Delete("),
                allowed,
                "{change} after {slices}: {checked}"
            );
        }
    }
}

#[test]
fn a_deletion_that_is_denied_says_the_same_with_a_check_before() {
    for change in
        ["chmod /t/a/a1 500\nchown /t/a/a1 bob users", "chown /t/b/f bob users\nchmod /t/b 1777"]
    {
        let (checked, whole) = outcomes(change, 0);
        assert_eq!(checked, whole);
        assert!(whole.starts_with("Permission denied"), "{whole}");
    }
}
