//! Whatever a file holds: loading it ends, with a configuration or with an error that names the file.

use hdfs_conf::{Kind, Load, keys, load};
use proptest::prelude::*;

/// Pieces that files are made of, and pieces that should not be in them.
fn piece() -> impl Strategy<Value = String> {
    let known = prop::sample::select(vec![
        "<configuration>",
        "</configuration>",
        "<property>",
        "</property>",
        "<name>",
        "</name>",
        "<value>",
        "</value>",
        "<final>true</final>",
        "<property name='a' value='${b}'/>",
        "<xi:include href='x.xml'/>",
        "<include>",
        "<xi:fallback>",
        "</xi:fallback>",
        "<![CDATA[",
        "]]>",
        "<!--",
        "-->",
        "&amp;",
        "&#x41;",
        "&#0;",
        "&x;",
        "${",
        "}",
        "${env.A:-b}",
        "dfs.replication",
        "fs.default.name",
        "<!DOCTYPE a [<!ENTITY b 'c'>]>",
        "<?xml version='1.0'?>",
    ]);
    prop_oneof![4 => known.prop_map(str::to_owned), 1 => any::<String>()]
}

proptest! {
    #[test]
    fn loading_any_file_ends(pieces in prop::collection::vec(piece(), 0..40)) {
        let text = pieces.concat();
        let request = Load { files: vec!["x.xml".into()], ..Load::default() };
        match load(request, &mut |_: &str| Ok(Some(text.clone().into_bytes()))) {
            Ok(conf) => prop_assert!(conf.iter().count() > 300),
            Err(error) => prop_assert!(!error.message.is_empty()),
        }
    }

    #[test]
    fn reading_any_value_ends(value in "[-+0-9a-fA-FxXkKmMgG${}. ]{0,12}|\\PC{0,12}") {
        for key in [&keys::DFS_REPLICATION, &keys::DFS_BLOCK_SIZE, &keys::DFS_HEARTBEAT_INTERVAL, &keys::FS_TRASH_INTERVAL] {
            let overrides = vec![(key.name.to_owned(), value.clone())];
            let request = Load { overrides, ..Load::default() };
            let conf = load(request, &mut |_: &str| Ok(None)).expect("one value is no circle");
            let refused = match key.kind {
                Kind::Time(_) => conf.get_duration(key).err().or_else(|| conf.get_millis(key).err()),
                Kind::Float => conf.get_f64(key).err(),
                _ => conf.get_u64(key).err().or_else(|| conf.get_u16(key).err()),
            };
            if let Some(error) = refused {
                prop_assert!(error.message.contains(key.name), "{}", error.message);
            }
        }
    }
}
