//! The table's defaults against core-default.xml and hdfs-default.xml inside Apache's published jars.

#![allow(clippy::disallowed_methods, reason = "this test reads Apache's jars")]

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::PathBuf;

use hdfs_conf::{Kind, keys};

/// Keys whose default differs from Hadoop's files on purpose, ours first, and why.
const ON_PURPOSE: &[(&str, Option<&str>, Option<&str>, &str)] = &[];

/// Keys that Hadoop's files do not list.
const NOT_IN_HADOOPS_FILES: &[(&str, &str)] = &[
    (
        "dfs.datanode.synconclose",
        "only in DFSConfigKeys, there false; a close is durable here (DESIGN, difference 1)",
    ),
    ("fs.s3a.endpoint.region", "only in the sources of S3A (org.apache.hadoop.fs.s3a.Constants)"),
    ("httpfs.http.hostname", "in httpfs-default.xml, which is in another jar"),
    ("httpfs.http.port", "in httpfs-default.xml, which is in another jar"),
    ("dfs.namenode.snapshot.deletion.ordered", "only in the code (SnapshotManager)"),
    (
        "dfs.namenode.snapshot.deletion.ordered.gc.period.ms",
        "only in the code (SnapshotDeletionGc)",
    ),
    ("dfs.namenode.snapshot.trashroot.enabled", "only in the code (DFSConfigKeys)"),
    (
        "hadoop.security.keystore.java-keystore-provider.password-file",
        "only in the code (JavaKeyStoreProvider)",
    ),
    ("dfs.ha.namenodes", "listed with an example nameservice as its suffix"),
];

fn jars() -> PathBuf {
    let home = std::env::var_os("PEER_HOME")
        .map(PathBuf::from)
        .unwrap_or_else(|| std::env::temp_dir().join("hadoop-peer"));
    home.join("3.5.0")
}

/// Name to value; an empty or missing value is `None`.
fn defaults_of(jar: &str, file: &str) -> BTreeMap<String, Option<String>> {
    let path = jars().join(jar);
    let opened = std::fs::File::open(&path).unwrap_or_else(|error| {
        panic!(
            "{}: {error}. Run ../shared/peer/hadoop once: it downloads Apache's jars",
            path.display()
        )
    });
    let mut archive = zip::ZipArchive::new(opened).expect("a jar is a zip archive");
    let mut text = String::new();
    let mut entry = archive.by_name(file).expect("the jar holds its defaults");
    entry.read_to_string(&mut text).expect("the file is text");
    let request = hdfs_conf::Load { files: vec![file.into()], ..Default::default() };
    let conf = hdfs_conf::load(request, &mut |_: &str| Ok(Some(text.clone().into_bytes())))
        .expect("Hadoop's own file loads");
    text.split("<name>")
        .skip(1)
        .filter_map(|rest| rest.split_once("</name>"))
        .map(|(name, _)| name.trim())
        .map(|name| {
            let set = conf.source(name).and_then(|_| conf.get_raw(name));
            (name.to_owned(), set.map(str::to_owned).filter(|value| !value.trim().is_empty()))
        })
        .collect()
}

fn hadoops_defaults() -> BTreeMap<String, Option<String>> {
    let mut all = defaults_of("hadoop-common-3.5.0.jar", "core-default.xml");
    all.extend(defaults_of("hadoop-hdfs-3.5.0.jar", "hdfs-default.xml"));
    assert!(all.len() > 1_000, "the files hold {} keys", all.len());
    all
}

#[test]
fn every_default_is_hadoops_or_differs_on_purpose() {
    let theirs = hadoops_defaults();
    let mut odd = Vec::new();
    for key in keys::all().filter(|key| !key.name.starts_with("tusk.")) {
        let excused = NOT_IN_HADOOPS_FILES.iter().any(|(name, _)| *name == key.name);
        let Some(default) = theirs.get(key.name) else {
            if !excused {
                odd.push(format!("{} is not in Hadoop's files", key.name));
            }
            continue;
        };
        let (ours, default) = (key.default, default.as_deref());
        let differs = ON_PURPOSE.iter().find(|(name, ..)| *name == key.name);
        match differs {
            Some((_, our, their, _)) if (*our, *their) == (ours, default) => {}
            None if ours == default && !excused => {}
            _ => odd.push(format!("{}: ours {ours:?}, Hadoop's {default:?}", key.name)),
        }
    }
    assert!(odd.is_empty(), "{}", odd.join("\n"));
}

#[test]
fn the_list_of_known_names_is_hadoops() {
    let listed = include_str!("../src/known_keys.txt");
    let listed: std::collections::BTreeSet<&str> = listed
        .lines()
        .take_while(|line| *line != "## only in the code")
        .filter(|line| !line.starts_with('#'))
        .collect();
    let theirs = hadoops_defaults();
    let theirs: std::collections::BTreeSet<&str> = theirs.keys().map(String::as_str).collect();
    assert_eq!(listed, theirs);
}

#[test]
fn every_default_reads_as_its_keys_type() {
    let conf = hdfs_conf::Configuration::new();
    let mut names = std::collections::BTreeSet::new();
    for key in keys::all() {
        assert!(names.insert(key.name), "{} is there twice", key.name);
        assert!(!key.doc.is_empty() && key.doc.trim_end().ends_with(['.', ';']), "{}", key.name);
        if key.default.is_none() {
            continue;
        }
        match key.kind {
            Kind::Bool => assert!(conf.get_opt_bool(key).is_some(), "{}", key.name),
            Kind::Int | Kind::Bytes => drop(conf.get_i64(key).unwrap()),
            Kind::Float => drop(conf.get_f64(key).unwrap()),
            Kind::Time(_) => drop(conf.get_millis(key).unwrap()),
            Kind::Text | Kind::List => assert!(!conf.get_str(key).is_empty(), "{}", key.name),
        }
        for old in key.deprecated {
            assert_eq!(keys::renamed(old), Some(key.name));
            assert!(keys::find(old).is_none(), "{old} is current and deprecated");
        }
    }
}
