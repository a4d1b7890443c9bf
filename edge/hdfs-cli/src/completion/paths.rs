//! Paths on the cluster that begin with what was typed.

use std::sync::mpsc;
use std::time::Duration;

use hdfs_client::blocking::HdfsClient;
use hdfs_conf::keys;

use crate::generic::Generic;

/// Nobody waits longer for a completion.
const LIMIT: Duration = Duration::from_secs(1);
/// Nobody reads more candidates; nor is a huge directory walked to its end for them.
const MOST: usize = 500;
const MOST_LISTED: usize = 20_000;

/// The paths, directories with a slash at the end; none when the cluster does not answer in time. Nothing is said about
/// an error: the line that is being typed stands where the message would.
pub(super) fn starting_with(generic: &Generic, typed: &str) -> Vec<String> {
    let Ok(conf) = generic.configuration() else { return Vec::new() };
    let (uri, _) = split(typed);
    let target =
        if uri.is_empty() { conf.get_str(&keys::FS_DEFAULT_FS).to_owned() } else { uri.to_owned() };
    let typed = typed.to_owned();
    let (sender, answer) = mpsc::channel();
    // It ends with the process when it takes too long.
    let listing = std::thread::Builder::new().name("list".into()).spawn(move || {
        let found = HdfsClient::for_uri(&target, &conf).map(|client| list(&client, &typed));
        // The receiver may have given up.
        let _ = sender.send(found.unwrap_or_default());
    });
    match listing {
        Ok(_) => answer.recv_timeout(LIMIT).unwrap_or_default(),
        Err(_) => Vec::new(),
    }
}

fn list(client: &HdfsClient, typed: &str) -> Vec<String> {
    let (uri, path) = split(typed);
    let (folder, begun) = path.rsplit_once('/').map_or(("", path), |(folder, begun)| {
        (if folder.is_empty() { "/" } else { folder }, begun)
    });
    let absolute = if folder.starts_with('/') {
        folder.to_owned()
    } else {
        format!("{}/{folder}", client.home_directory()).trim_end_matches('/').to_owned()
    };
    let written = &typed[..typed.len() - begun.len()];
    debug_assert!(written.starts_with(uri));
    let entries = client.list(&absolute).take(MOST_LISTED).map_while(Result::ok);
    // A hidden name is offered to who typed its dot.
    let wanted = entries.filter(|entry| {
        let name = entry.name();
        name.starts_with(begun) && (begun.starts_with('.') || !name.starts_with('.'))
    });
    let slash = |is_dir: bool| if is_dir { "/" } else { "" };
    wanted
        .take(MOST)
        .map(|entry| format!("{written}{}{}", entry.name(), slash(entry.is_dir())))
        .collect()
}

/// `hdfs://authority`, if it is there whole, and the path.
fn split(typed: &str) -> (&str, &str) {
    let Some(rest) = typed.strip_prefix("hdfs://") else { return ("", typed) };
    match rest.find('/') {
        Some(at) => typed.split_at("hdfs://".len() + at),
        None => ("", ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_is_told_from_its_path() {
        assert_eq!(split("hdfs://nn:8020/a/b"), ("hdfs://nn:8020", "/a/b"));
        assert_eq!(split("/a"), ("", "/a"));
        assert_eq!(split("a/b"), ("", "a/b"));
        assert_eq!(split("hdfs://n"), ("", ""));
    }

    #[test]
    fn a_cluster_that_is_not_there_offers_nothing_in_time() {
        let mut generic = Generic::default();
        let mut args = vec!["-fs".to_owned(), "hdfs://127.0.0.1:1".to_owned()];
        generic.take(&mut args).expect("valid");
        let started = std::time::Instant::now();
        assert!(starting_with(&generic, "/").is_empty());
        assert!(started.elapsed() < 2 * LIMIT);
    }
}
