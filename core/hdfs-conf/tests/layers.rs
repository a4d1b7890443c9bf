//! Loading as a whole: files, includes, `final`, overrides, warnings. Files are a map in memory.

use std::collections::BTreeMap;
use std::time::Duration;

use hdfs_conf::{Configuration, Environment, Load, keys, load};
use hdfs_types::{ErrorKind, Result};

fn property(name: &str, value: &str) -> String {
    format!("<property><name>{name}</name><value>{value}</value></property>")
}

fn file(properties: &[String]) -> String {
    format!(
        "<?xml version=\"1.0\"?>\n<configuration>\n{}\n</configuration>\n",
        properties.join("\n")
    )
}

fn load_files(files: &[(&str, String)], overrides: &[(&str, &str)]) -> Result<Configuration> {
    let files: BTreeMap<&str, &String> = files.iter().map(|(path, text)| (*path, text)).collect();
    let mut environment = Environment::default();
    environment.properties.insert("user.name".into(), "anna".into());
    let request = Load {
        directories: vec!["/conf".into(), "/more".into()],
        overrides: overrides.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect(),
        environment,
        ..Load::default()
    };
    load(request, &mut |path: &str| Ok(files.get(path).map(|text| text.as_bytes().to_vec())))
}

fn warnings(conf: &Configuration) -> Vec<String> {
    conf.warnings().iter().map(ToString::to_string).collect()
}

#[test]
fn later_files_win_but_not_over_final_and_overrides_win_over_all() {
    let core = file(&[
        property("fs.defaultFS", "hdfs://nn1:9000"),
        "<property><name>hadoop.tmp.dir</name><value>/t</value><final>true</final></property>"
            .into(),
    ]);
    let hdfs = file(&[property("hadoop.tmp.dir", "/other"), property("dfs.replication", "2")]);
    let files = [("/conf/core-site.xml", core), ("/conf/hdfs-site.xml", hdfs)];
    let conf = load_files(&files, &[]).expect("valid");
    assert_eq!(conf.get_str(&keys::HADOOP_TMP_DIR), "/t");
    assert_eq!(conf.get_str(&keys::DFS_NAMENODE_NAME_DIR), "file:///t/dfs/name");
    assert_eq!(conf.get_u16(&keys::DFS_REPLICATION).expect("number"), 2);
    assert_eq!(conf.source("dfs.replication"), Some("/conf/hdfs-site.xml"));
    assert_eq!(
        warnings(&conf),
        ["/conf/hdfs-site.xml:an attempt to override final parameter: hadoop.tmp.dir;  Ignoring."]
    );
    let conf =
        load_files(&files, &[("hadoop.tmp.dir", "/x"), ("dfs.replication", "1")]).expect("valid");
    assert_eq!(conf.get("dfs.namenode.edits.dir"), Some("file:///x/dfs/name"));
    assert_eq!(conf.get_u16(&keys::DFS_REPLICATION).expect("number"), 1);
}

#[test]
fn the_first_folder_that_has_a_file_counts() {
    let one = file(&[property("dfs.replication", "1")]);
    let two = file(&[property("dfs.replication", "2"), property("dfs.hosts", "/h")]);
    let conf = load_files(&[("/conf/hdfs-site.xml", one), ("/more/hdfs-site.xml", two)], &[]);
    let conf = conf.expect("valid");
    assert_eq!(conf.get("dfs.replication"), Some("1"));
    assert_eq!(conf.get_opt(&keys::DFS_HOSTS), None);
}

#[test]
fn a_default_of_hdfs_hides_core_site_as_in_hadoop() {
    let core = file(&[property("dfs.replication", "2"), property("dfs.hosts", "/h")]);
    let conf = load_files(&[("/conf/core-site.xml", core)], &[]).expect("valid");
    assert_eq!(conf.get_u32(&keys::DFS_REPLICATION).expect("number"), 3);
    assert_eq!(conf.get_opt(&keys::DFS_HOSTS), Some("/h"));
    assert!(warnings(&conf)[0].contains("dfs.replication has no effect here"));
}

#[test]
fn includes_are_relative_to_their_file_and_fall_back() {
    let hdfs = "<configuration xmlns:xi='http://www.w3.org/2001/XInclude'>\
        <xi:include href='sub/shared.xml'/>\
        <xi:include href='missing.xml'><xi:fallback><property name='dfs.hosts' value='/fallback'/></xi:fallback></xi:include>\
        </configuration>";
    let shared = "<configuration><include href='deeper.xml'/></configuration>";
    let deeper = file(&[property("dfs.blocksize", "64m")]);
    let files = [
        ("/conf/hdfs-site.xml", hdfs.to_owned()),
        ("/conf/sub/shared.xml", shared.to_owned()),
        ("/conf/sub/deeper.xml", deeper),
    ];
    let conf = load_files(&files, &[]).expect("valid");
    assert_eq!(conf.get_u64(&keys::DFS_BLOCK_SIZE).expect("size"), 64 << 20);
    assert_eq!(conf.source("dfs.blocksize"), Some("/conf/sub/deeper.xml"));
    assert_eq!(conf.get_opt(&keys::DFS_HOSTS), Some("/fallback"));
}

#[test]
fn a_missing_include_a_circle_of_includes_and_broken_xml_are_errors_that_name_the_file() {
    let include = |href: &str| format!("<configuration><include href='{href}'/></configuration>");
    for (text, expected) in [
        (
            include("gone.xml"),
            "Fetch fail on include for 'gone.xml' with no fallback while loading '/conf/hdfs-site.xml'",
        ),
        (include("hdfs-site.xml"), "/conf/hdfs-site.xml: more than 16 includes inside each other"),
        ("<configuration>\n<property>".into(), "error parsing conf /conf/hdfs-site.xml, line 2: "),
    ] {
        let error = load_files(&[("/conf/hdfs-site.xml", text)], &[]).expect_err(expected);
        assert!(error.message.starts_with(expected), "{}", error.message);
    }
}

#[test]
fn old_names_set_new_keys_and_misspelt_names_get_a_hint() {
    let hdfs = file(&[
        property("dfs.block.size", "1m"),
        property("dfs.replicaton", "2"),
        property("my.key", "1"),
    ]);
    let conf =
        load_files(&[("/conf/hdfs-site.xml", hdfs)], &[("ipc.client.pong", "1")]).expect("valid");
    assert_eq!(conf.get_u64(&keys::DFS_BLOCK_SIZE).expect("size"), 1 << 20);
    assert_eq!(conf.get("dfs.block.size"), Some("1m"));
    assert_eq!(
        warnings(&conf),
        [
            "dfs.block.size is deprecated. Instead, use dfs.blocksize",
            "/conf/hdfs-site.xml: unknown key dfs.replicaton is ignored; did you mean dfs.replication?",
            "from command line: unknown key ipc.client.pong is ignored; did you mean ipc.client.ping?"
        ]
    );
}

#[test]
fn bad_values_name_key_value_and_file() {
    let hdfs = file(&[
        property("dfs.replication", "three"),
        property("dfs.heartbeat.interval", "-1"),
        property("dfs.permissions.enabled", "yes"),
    ]);
    let conf = load_files(&[("/conf/hdfs-site.xml", hdfs)], &[])
        .expect("values are checked when they are used");
    let error = conf.get_u32(&keys::DFS_REPLICATION).expect_err("no number");
    assert_eq!(error.kind, ErrorKind::IllegalArgument);
    assert_eq!(
        error.message,
        "Invalid value \"three\" of dfs.replication in /conf/hdfs-site.xml: For input string: \"three\""
    );
    assert!(conf.get_duration(&keys::DFS_HEARTBEAT_INTERVAL).is_err());
    assert_eq!(conf.get_millis(&keys::DFS_HEARTBEAT_INTERVAL).expect("a number"), -1_000);
    assert!(conf.get_bool(&keys::DFS_PERMISSIONS_ENABLED));
    assert_eq!(
        warnings(&conf),
        ["Invalid value for boolean: yes, choose default value: true for dfs.permissions.enabled"]
    );
}

#[test]
fn times_and_sizes_have_suffixes() {
    let overrides = [("dfs.heartbeat.interval", "500ms"), ("dfs.datanode.du.reserved", "1g")];
    let conf = load_files(&[], &overrides).expect("valid");
    let heartbeat = conf.get_duration(&keys::DFS_HEARTBEAT_INTERVAL).expect("time");
    assert_eq!(heartbeat, Duration::from_millis(500));
    assert_eq!(conf.get_u64(&keys::DFS_DATANODE_DU_RESERVED).expect("size"), 1 << 30);
    assert_eq!(conf.source("dfs.heartbeat.interval"), Some("from command line"));
}

#[test]
fn a_circle_of_variables_is_refused_when_it_is_loaded() {
    let error = load_files(&[], &[("a", "${b}"), ("b", "${a}")]).expect_err("circle");
    assert_eq!(error.kind, ErrorKind::IllegalState);
    assert!(error.message.contains("from command line"), "{}", error.message);
}
