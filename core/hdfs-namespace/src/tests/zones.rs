//! Encryption zones: made, listed, and what may not leave or enter one.

use hdfs_format::edits::{XAttr, XAttrNamespace};
use hdfs_proto::hdfs::PerFileEncryptionInfoProto;
use hdfs_types::Result;
use prost::Message;

use super::machine::{Machine, create_request};
use crate::*;

fn change<T>(
    machine: &mut Machine,
    plan: impl FnOnce(&Namespace, &PlanContext<'_>) -> Result<Planned<T>>,
) -> Result<T> {
    let planned = machine.plan(plan)?;
    Ok(machine.apply(planned).0)
}

fn make_zone(machine: &mut Machine, path: &str) -> Result<()> {
    change(machine, |ns, ctx| {
        ns.plan_create_encryption_zone(ctx, path.as_bytes(), CipherSuite::AesCtr, "mykey")
    })
}

fn rename(machine: &mut Machine, src: &str, dst: &str) -> Result<bool> {
    change(machine, |ns, ctx| {
        ns.plan_rename2(ctx, src.as_bytes(), dst.as_bytes(), RenameFlags::default())
    })
}

fn message<T: std::fmt::Debug>(result: Result<T>) -> String {
    result.expect_err("it is refused").message
}

#[test]
fn nothing_is_renamed_across_the_border_of_a_zone() {
    let mut machine = Machine::new().with_script(
        "mkdirs /a
         mkdirs /b
         mkdirs /plain/full",
    );
    make_zone(&mut machine, "/a").expect("it is empty");
    make_zone(&mut machine, "/b").expect("it is empty");
    assert_eq!(
        message(make_zone(&mut machine, "/a")),
        "Directory /a is already an encryption zone."
    );
    assert_eq!(
        message(make_zone(&mut machine, "/plain")),
        "Attempt to create an encryption zone for a non-empty directory."
    );
    machine = machine.with_script("mkdirs /a/in");
    let out = message(rename(&mut machine, "/a/in", "/plain/in"));
    assert_eq!(out, "/a/in can't be moved from an encryption zone.");
    let into = message(rename(&mut machine, "/plain/full", "/a/full"));
    assert_eq!(into, "/plain/full can't be moved into an encryption zone.");
    let across = message(rename(&mut machine, "/a/in", "/b/in"));
    assert_eq!(across, "/a/in can't be moved from encryption zone /a to encryption zone /b.");
    rename(&mut machine, "/a/in", "/a/inside").expect("it stays in its zone");
    rename(&mut machine, "/a", "/c").expect("a zone itself may move");

    let (zones, more) = machine.plan(|ns, ctx| ns.list_encryption_zones(ctx, 0));
    let paths: Vec<_> = zones.iter().map(|zone| zone.path.as_str()).collect();
    assert_eq!((paths, more), (vec!["/c", "/b"], false));
    let zone = machine.plan(|ns, ctx| ns.get_encryption_zone(ctx, b"/c/inside/none"));
    let zone = zone.expect("it may be asked").expect("it is in a zone");
    assert_eq!((zone.path.as_str(), zone.key_name.as_str()), ("/c", "mykey"));
    let root = machine.plan(|ns, ctx| ns.get_enclosing_root(ctx, b"/c/inside"));
    assert_eq!(root.expect("it may be asked"), b"/c");

    machine = machine.with_script("delete /c/inside\ndelete /c");
    assert_eq!(machine.plan(|ns, ctx| ns.list_encryption_zones(ctx, 0)).0.len(), 1);
    machine.replay_equals_live();
}

#[test]
fn a_file_in_a_zone_needs_a_key_and_shows_it_to_those_who_read() {
    let mut machine = Machine::new().with_script("mkdirs /z");
    make_zone(&mut machine, "/z").expect("it is empty");
    let request = create_request(b"/z/f", "client", false);
    assert_eq!(
        message(machine.plan(|ns, ctx| ns.plan_create(ctx, &request).map(|_| ()))),
        "Can't create /z/f in encryption zone /z since no key provider is available."
    );
    // As a copying tool does: the file with its encrypted bytes, then its key.
    let raw = create_request(b"/.reserved/raw/z/f", "client", false);
    let plan = machine.plan(|ns, ctx| ns.plan_create(ctx, &raw)).expect("raw needs no key");
    let Attempt::Planned(plan) = plan else { panic!("nobody else writes it") };
    machine.apply(plan);
    let key = PerFileEncryptionInfoProto {
        key: vec![1; 16].into(),
        iv: vec![2; 16].into(),
        ez_key_version_name: "mykey@0".to_owned(),
    };
    let xattr = XAttr {
        namespace: XAttrNamespace::Raw,
        name: "hdfs.crypto.file.encryption.info".to_owned(),
        value: Some(key.encode_to_vec()),
    };
    let flags = XAttrSetFlags { create: true, replace: false };
    change(&mut machine, |ns, ctx| ns.plan_set_xattr(ctx, b"/.reserved/raw/z/f", &xattr, flags))
        .expect("a superuser may");
    let status = |path: &[u8]| {
        let status = machine.plan(|ns, ctx| ns.get_file_info(ctx, path, true, false));
        status.expect("it may be asked").expect("it is there")
    };
    let shown = status(b"/z/f");
    let info = shown.encryption.expect("it has a key");
    assert_eq!((shown.encrypted, info.key_name.as_str()), (true, "mykey"));
    assert_eq!(info.ez_key_version_name, "mykey@0");
    let raw = status(b"/.reserved/raw/z/f");
    assert_eq!((raw.encrypted, raw.encryption), (true, None));
    assert!(!status(b"/").encrypted);
    let listed = machine.plan(|ns, ctx| ns.get_listing(ctx, b"/", b"", false));
    assert!(listed.expect("it may be asked").expect("it is there").entries[0].encrypted);
    machine.replay_equals_live();
}
