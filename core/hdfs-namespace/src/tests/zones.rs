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

/// A file in a zone, with the key that a provider made for it.
fn create_with_key(machine: &mut Machine, path: &[u8], version: &str) -> Result<()> {
    let key = FileKey {
        zone_key: "mykey".to_owned(),
        version: version.to_owned(),
        iv: vec![2; 16].into(),
        encrypted: path.to_vec().into(),
    };
    let request = CreateRequest {
        file_key: FileKeySource::Made(&key),
        ..create_request(path, "client", false)
    };
    let Attempt::Planned(planned) = machine.plan(|ns, ctx| ns.plan_create(ctx, &request))? else {
        panic!("nobody else writes it")
    };
    machine.apply(planned);
    Ok(())
}

#[test]
fn a_new_file_has_a_key_of_the_zone_it_is_in_when_it_is_made() {
    let mut machine = Machine::new().with_script("mkdirs /z/in");
    machine = machine.with_script("delete /z/in");
    make_zone(&mut machine, "/z").expect("it is empty");
    let request = create_request(b"/z/f", "client", false);
    let key_of =
        |versions: &[i32]| machine.plan(|ns, ctx| ns.key_of_new_file(ctx, &request, versions));
    assert_eq!(key_of(&[2]).expect("the versions fit"), Some("mykey".to_owned()));
    assert_eq!(
        message(key_of(&[1, 3])),
        "No crypto protocol versions provided by the client are supported. Client provided: \
         [CryptoProtocolVersion{description='Unknown', version=1, unknownValue=null}, \
         CryptoProtocolVersion{description='Unknown', version=1, unknownValue=3}] NameNode supports: \
         [CryptoProtocolVersion{description='Unknown', version=1, unknownValue=null}, \
         CryptoProtocolVersion{description='Encryption zones', version=2, unknownValue=null}]"
    );
    let outside = create_request(b"/f", "client", false);
    let key = machine.plan(|ns, ctx| ns.key_of_new_file(ctx, &outside, &[]));
    assert_eq!(key.expect("it is in no zone"), None);
    create_with_key(&mut machine, b"/z/f", "mykey@0").expect("it has a key");
    let late =
        CreateRequest { file_key: FileKeySource::NotInZone, ..create_request(b"/z/g", "c", false) };
    let error = machine.plan(|ns, ctx| ns.plan_create(ctx, &late).map(drop));
    assert_eq!(error.expect_err("it was in no zone").kind, hdfs_types::ErrorKind::RetryStartFile);
    machine.replay_equals_live();
}

#[test]
fn a_zone_is_encrypted_anew_in_batches_and_goes_on_where_it_was() {
    let mut machine = Machine::new().with_script("mkdirs /z");
    make_zone(&mut machine, "/z").expect("it is empty");
    machine = machine.with_script("mkdirs /z/d/empty\nmkdirs /z/e");
    for path in ["/z/a", "/z/d/b", "/z/d/c", "/z/new", "/z/e/f"] {
        let version = if path == "/z/new" { "mykey@1" } else { "mykey@0" };
        create_with_key(&mut machine, path.as_bytes(), version).expect("it has a key");
    }
    let start =
        |ns: &Namespace, ctx: &PlanContext<'_>| ns.plan_start_reencryption(ctx, b"/z", "mykey@1");
    change(&mut machine, start).expect("it is a zone");
    assert_eq!(
        message(change(&mut machine, start)),
        "Zone /z is already submitted for re-encryption."
    );
    let below = message(change(&mut machine, |ns, ctx| ns.plan_cancel_reencryption(ctx, b"/z/d")));
    assert_eq!(below, "Path /z/d is not the root of an encryption zone.");

    let mut names = Vec::new();
    let mut after = Vec::new();
    let limits = BatchLimits { files: 2, visits: 3 };
    loop {
        let job = machine.plan(|ns, _| ns.next_reencryption()).expect("it was submitted");
        let batch = machine.plan(|ns, _| ns.reencryption_batch(&job, &after, limits));
        let batch = batch.expect("the zone is there");
        let files: Vec<ReencryptedFile> = batch
            .files
            .iter()
            .map(|(inode, key)| ReencryptedFile {
                inode: *inode,
                old: key.encrypted.clone(),
                new: FileKey { version: job.version.clone(), ..key.clone() },
            })
            .collect();
        names.extend(
            batch.files.iter().map(|(_, key)| String::from_utf8(key.encrypted.to_vec()).unwrap()),
        );
        let last = batch.last.as_deref();
        let planned = machine.plan(|ns, ctx| ns.plan_reencrypted(ctx, &job, &files, 0, last));
        assert_eq!(machine.apply(planned.expect("it runs")).0, files.len() as u64);
        if batch.is_last {
            let planned = machine.plan(|ns, ctx| ns.plan_finish_reencryption(ctx, &job));
            machine.apply(planned.expect("it runs"));
            break;
        }
        let next = machine.plan(|ns, _| ns.next_reencryption()).expect("it is not done");
        // After a restart it begins behind the last file that was noted.
        assert!(next.after <= batch.next, "{:?} {:?}", next.after, batch.next);
        after = batch.next;
    }
    assert_eq!(names, ["/z/a", "/z/d/b", "/z/d/c", "/z/e/f"]);
    let (statuses, _) = machine.plan(|ns, ctx| ns.list_reencryption_status(ctx, 0));
    assert_eq!((statuses[0].num_reencrypted, statuses[0].canceled), (4, false));
    assert_eq!(machine.plan(|ns, _| ns.next_reencryption()), None);
    machine.replay_equals_live();

    change(&mut machine, start).expect("it may be done again");
    change(&mut machine, |ns, ctx| ns.plan_cancel_reencryption(ctx, b"/z")).expect("it runs");
    let again = message(change(&mut machine, |ns, ctx| ns.plan_cancel_reencryption(ctx, b"/z")));
    assert_eq!(again, "Zone /z is not under re-encryption");
    machine.replay_equals_live();
}
