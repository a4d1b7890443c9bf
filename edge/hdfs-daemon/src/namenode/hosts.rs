//! The lists of DataNodes that may join, and that are to leave: `dfs.hosts` and `dfs.hosts.exclude`.
//!
//! Hadoop: org.apache.hadoop.util.HostsFileReader (3.5.0): words between blanks; `#` starts a comment.

use std::path::Path;

use hdfs_blocks::HostsLists;
use hdfs_types::Result;

use super::conf::NameNodeConf;
use super::durable::failed;

/// Reads both files; a key that is unset means an empty list.
///
/// # Errors
/// When a file that is named can't be read.
pub(crate) fn read(conf: &NameNodeConf) -> Result<HostsLists> {
    Ok(HostsLists {
        include: list(conf.hosts_include.as_deref())?,
        exclude: list(conf.hosts_exclude.as_deref())?,
    })
}

fn list(path: Option<&Path>) -> Result<Vec<String>> {
    let Some(path) = path else { return Ok(Vec::new()) };
    let text = std::fs::read_to_string(path).map_err(|e| failed("read", path, e))?;
    Ok(words(&text))
}

fn words(text: &str) -> Vec<String> {
    text.lines()
        .flat_map(|line| line.split_whitespace().take_while(|word| !word.starts_with('#')))
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_blanks_count_for_nothing() {
        assert_eq!(words("a b # c\n\n# d\n e:9866"), ["a", "b", "e:9866"]);
    }
}
