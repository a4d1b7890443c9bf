//! Who may depend on whom (STYLE 3.2): any other edge in a Cargo.toml is a finding.

use super::Tree;

/// Crate, and the crates of the workspace that it may depend on.
const EDGES: &[(&str, &[&str])] = &[
    ("hdfs-types", &[]),
    ("hdfs-proto", &[]),
    ("hdfs-conf", &["hdfs-types"]),
    ("hdfs-format", &["hdfs-types", "hdfs-proto"]),
    ("hdfs-auth", &FORMATS),
    ("hdfs-namespace", &FORMATS),
    ("hdfs-blocks", &FORMATS),
    ("hdfs-quorum", &FORMATS),
    ("hdfs-datapath", &FORMATS),
    ("hdfs-router", &FORMATS),
    ("hdfs-generate", &["hdfs-types", "hdfs-format", "hdfs-namespace"]),
    (
        "hdfs-namenode",
        &[
            "hdfs-types",
            "hdfs-proto",
            "hdfs-conf",
            "hdfs-format",
            "hdfs-auth",
            "hdfs-namespace",
            "hdfs-blocks",
        ],
    ),
    (
        "hdfs-datanode",
        &["hdfs-types", "hdfs-proto", "hdfs-conf", "hdfs-format", "hdfs-auth", "hdfs-datapath"],
    ),
    (
        "hdfs-sim",
        &[
            "hdfs-types",
            "hdfs-proto",
            "hdfs-format",
            "hdfs-namespace",
            "hdfs-blocks",
            "hdfs-datapath",
            "hdfs-namenode",
            "hdfs-datanode",
        ],
    ),
];
const FORMATS: [&str; 3] = ["hdfs-types", "hdfs-proto", "hdfs-format"];
/// The crates of `edge/`, lowest first: each may use those before it, and all of `core/` but what is forbidden below.
const EDGE_ORDER: [&str; 7] =
    ["hdfs-faults", "hdfs-rt", "hdfs-client", "hdfs-capi", "hdfs-daemon", "hdfs-cli", "hdfs-bench"];
/// Machines that the crate in front must not see: it talks to them over the wire only.
const FORBIDDEN: &[(&str, &[&str])] = &[
    ("hdfs-rt", &["hdfs-namespace", "hdfs-blocks", "hdfs-namenode", "hdfs-datanode"]),
    ("hdfs-client", &["hdfs-namespace", "hdfs-blocks", "hdfs-namenode", "hdfs-datanode"]),
    (
        "hdfs-capi",
        &["hdfs-namespace", "hdfs-blocks", "hdfs-namenode", "hdfs-datanode", "hdfs-daemon"],
    ),
];
/// External crates that `core/` may use: containers, protobuf, checksums, compression, XML. A new one needs a decision
/// record.
const CORE_EXTERNAL: [&str; 19] = [
    "aes",
    "bytes",
    "bzip2",
    "crc-fast",
    "crc32fast",
    "ctr",
    "des",
    "flate2",
    "foldhash",
    "hashbrown",
    "lz4_flex",
    "md-5",
    "prost",
    "prost-types",
    "quick-xml",
    "ruzstd",
    "sha1",
    "smallvec",
    "snap",
];

pub(super) fn check(tree: &Tree) -> Vec<String> {
    tree.iter()
        .filter_map(|(name, text)| Some((name, name.strip_suffix("/Cargo.toml")?, text)))
        .flat_map(|(name, folder, text)| match folder.split_once('/') {
            Some(("core", krate)) => check_core(name, krate, text),
            Some(("edge", krate)) => check_edge(name, krate, text),
            _ => Vec::new(),
        })
        .collect()
}

fn check_core(name: &str, krate: &str, text: &str) -> Vec<String> {
    let Some((_, allowed)) = EDGES.iter().find(|(known, _)| *known == krate) else {
        return vec![format!("{name}: {krate} has no line in xtask/src/tidy/layers.rs")];
    };
    dependencies(text)
        .filter(|used| !allowed.contains(used) && !CORE_EXTERNAL.contains(used))
        .map(|used| format!("{name}: {krate} must not depend on {used}"))
        .collect()
}

fn check_edge(name: &str, krate: &str, text: &str) -> Vec<String> {
    let Some(own) = EDGE_ORDER.iter().position(|known| *known == krate) else {
        return vec![format!("{name}: {krate} has no place in xtask/src/tidy/layers.rs")];
    };
    let forbidden =
        FORBIDDEN.iter().find(|(known, _)| *known == krate).map_or(&[][..], |(_, list)| list);
    dependencies(text)
        .filter(|used| {
            let above =
                EDGE_ORDER.iter().position(|known| known == used).is_some_and(|at| at >= own);
            above || forbidden.contains(used)
        })
        .map(|used| format!("{name}: {krate} must not depend on {used}"))
        .collect()
}

/// Names under `[dependencies]`; tests may use what they like.
fn dependencies(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .skip_while(|line| line.trim() != "[dependencies]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split(['.', '=', ' ']).next())
        .filter(|name| !name.is_empty())
}
