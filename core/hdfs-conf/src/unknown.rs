//! Which key names exist, here or in Hadoop, and which one a misspelt name probably means.

use crate::keys;

/// The names in Hadoop's two default files, and those that only its code knows, each part after a line "## title".
const HADOOPS_NAMES: &str = include_str!("known_keys.txt");
/// Prefixes below which a name that nobody knows is a mistake. Other prefixes belong to other programs.
const OUR_PREFIXES: [&str; 7] =
    ["dfs.", "ipc.", "fs.", "hadoop.security.", "io.", "net.topology.", "tusk."];
/// Families whose names carry a class, a scheme, a port, a user or a nameservice of the cluster.
const OPEN_PREFIXES: [&str; 12] = [
    "dfs.ha.",
    "dfs.client.failover.",
    "dfs.federation.",
    "dfs.namenode.plugins",
    "dfs.storage.policy.",
    "fs.viewfs.",
    "fs.AbstractFileSystem.",
    "fs.s3a.",
    "fs.azure.",
    "fs.gs.",
    "hadoop.security.crypto.",
    "hadoop.security.group.mapping.",
];
/// More wrong letters than this are another word, not a slip.
const MAX_DISTANCE: usize = 4;

fn hadoops_names() -> impl Iterator<Item = &'static str> {
    HADOOPS_NAMES.lines().filter(|line| !line.starts_with('#'))
}

/// True when hdfs-default.xml gives the key a value.
pub(crate) fn has_hdfs_default(name: &str) -> bool {
    let in_file = HADOOPS_NAMES
        .lines()
        .skip_while(|line| *line != "## hdfs-default.xml")
        .skip(1)
        .take_while(|line| !line.starts_with("##"));
    in_file.into_iter().any(|known| known == name)
        && keys::find(name).is_none_or(|key| key.default.is_some())
}

/// True when a mistake in this name would be ours to point out.
pub(crate) fn has_our_prefix(name: &str) -> bool {
    OUR_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// True for a key of the table or of Hadoop, also with a nameservice, a NameNode or a port in it.
pub(crate) fn is_known(name: &str) -> bool {
    let literally =
        |name: &str| keys::find(name).is_some() || hadoops_names().any(|known| known == name);
    if literally(name) || OPEN_PREFIXES.iter().any(|prefix| name.starts_with(prefix)) {
        return true;
    }
    // fs.<scheme>.impl and the like, ipc.<port>.…, and a NameNode's key with its nameservice and its own id.
    let scheme_class = name.starts_with("fs.")
        && (name.ends_with(".impl") || name.ends_with(".impl.disable.cache"));
    let port = name.strip_prefix("ipc.").and_then(|rest| rest.split_once('.'));
    let of_port = port.is_some_and(|(port, rest)| {
        port.bytes().all(|byte| byte.is_ascii_digit())
            && (literally(&format!("ipc.{rest}"))
                || literally(&format!("ipc.[port_number].{rest}")))
    });
    let without_suffix = |name: &'_ str| name.rfind('.').map(|at| name[..at].to_owned());
    let of_nameservice = ["dfs.namenode.", "dfs.secondary.namenode.", "dfs.journalnode."];
    let suffixed = of_nameservice.iter().any(|prefix| name.starts_with(prefix))
        && without_suffix(name).is_some_and(|one| {
            literally(&one) || without_suffix(&one).is_some_and(|two| literally(&two))
        });
    scheme_class || of_port || suffixed
}

/// The known name with the fewest wrong letters, if that is a slip at all.
pub(crate) fn nearest(name: &str) -> Option<&'static str> {
    let names = keys::all().map(|key| key.name).chain(hadoops_names());
    let limit = MAX_DISTANCE.min(name.len() / 4);
    names
        .filter(|known| known.len().abs_diff(name.len()) <= limit)
        .map(|known| (distance(name, known), known))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, known)| known)
}

/// Levenshtein's distance, by bytes.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in one.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in other.bytes().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_the_key_that_was_meant() {
        assert_eq!(nearest("dfs.replicaton"), Some("dfs.replication"));
        assert_eq!(nearest("dfs.namenode.handler.counts"), Some("dfs.namenode.handler.count"));
        assert_eq!(nearest("dfs.entirely.made.up.by.me"), None);
    }

    #[test]
    fn names_with_parts_of_the_cluster_are_known() {
        for name in [
            "dfs.replication",
            "dfs.namenode.rpc-address.ns1.nn1",
            "fs.hdfs.impl",
            "ipc.8020.callqueue.impl",
            "dfs.balancer.address",
            "dfs.ha.namenodes.ns1",
        ] {
            assert!(is_known(name), "{name}");
        }
        assert!(!is_known("dfs.replicaton"));
        assert!(!is_known("ipc.8020.nonsense"));
        assert!(!is_known("dfs.replication.min.x"));
    }

    #[test]
    fn only_defaults_of_hdfs_hide_core_site() {
        assert!(has_hdfs_default("dfs.replication"));
        assert!(!has_hdfs_default("fs.defaultFS"));
        assert!(!has_hdfs_default("dfs.hosts"));
    }
}
