//! `/logs/`: the folder of log files (`HADOOP_LOG_DIR`), listed and downloaded.
//!
//! **Invariant:** nothing outside of the folder is served, by whatever path or link it is asked for.
//!
//! Hadoop: org.apache.hadoop.http.{HttpServer2.addDefaultApps, AdminAuthorizedServlet} (3.5.0)

use std::fs::File;
use std::io::Read;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path as UrlPath, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use futures_util::stream;
use hdfs_conf::Configuration;

use super::{html, refuse_stranger};
use crate::clock::universal_time;

const PART_BYTES: usize = 256 << 10;

struct Logs {
    conf: Arc<Configuration>,
    folder: Option<PathBuf>,
}

pub(super) fn router(conf: Arc<Configuration>) -> Router {
    let folder = std::env::var_os("HADOOP_LOG_DIR").filter(|path| !path.is_empty());
    router_of(conf, folder.map(PathBuf::from))
}

fn router_of(conf: Arc<Configuration>, folder: Option<PathBuf>) -> Router {
    Router::new()
        .route("/logs", get(|| async { Redirect::temporary("/logs/") }))
        .route("/logs/", get(top))
        .route("/logs/{*path}", get(below))
        .with_state(Arc::new(Logs { conf, folder }))
}

async fn top(State(logs): State<Arc<Logs>>) -> Response {
    answer(&logs, "").await
}

async fn below(State(logs): State<Arc<Logs>>, UrlPath(path): UrlPath<String>) -> Response {
    answer(&logs, &path).await
}

async fn answer(logs: &Logs, path: &str) -> Response {
    if let Some(refused) = refuse_stranger(&logs.conf) {
        return refused;
    }
    let Some(folder) = logs.folder.clone() else {
        let text = "This daemon writes no log files: start it with HADOOP_LOG_DIR set.";
        return (StatusCode::NOT_FOUND, text).into_response();
    };
    let path = path.to_owned();
    let opened = tokio::task::spawn_blocking(move || open(&folder, &path)).await;
    match opened {
        Ok(Some(Opened::File(file, length))) => file_response(file, length),
        Ok(Some(Opened::Listing(text))) => {
            ([(header::CONTENT_TYPE, "text/html;charset=utf-8")], text).into_response()
        }
        Ok(None) | Err(_) => (StatusCode::NOT_FOUND, "Not Found").into_response(),
    }
}

enum Opened {
    File(File, u64),
    Listing(String),
}

/// What lies at a path below the folder; `None` for whatever is not there or not below it.
fn open(folder: &Path, path: &str) -> Option<Opened> {
    let relative = Path::new(path);
    if !relative.components().all(|part| matches!(part, Component::Normal(_))) {
        return None;
    }
    let folder = folder.canonicalize().ok()?;
    let found = folder.join(relative).canonicalize().ok()?;
    if !found.starts_with(&folder) {
        return None;
    }
    let metadata = std::fs::metadata(&found).ok()?;
    if metadata.is_dir() {
        return Some(Opened::Listing(listing(&found, path)?));
    }
    if !metadata.is_file() {
        return None;
    }
    let file = File::open(&found).ok()?;
    let length = file.metadata().ok()?.len();
    Some(Opened::File(file, length))
}

fn listing(folder: &Path, path: &str) -> Option<String> {
    let mut rows: Vec<(String, u64, String)> = std::fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let metadata = entry.metadata().ok()?;
            let slash = if metadata.is_dir() { "/" } else { "" };
            let modified = metadata.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
            let [year, month, day, hour, minute, second] = universal_time(modified.as_secs());
            let time =
                format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC");
            Some((format!("{}{slash}", entry.file_name().to_str()?), metadata.len(), time))
        })
        .collect();
    rows.sort();
    let title = html(&format!("Directory: /logs/{path}"));
    let base = if path.is_empty() || path.ends_with('/') {
        String::new()
    } else {
        format!("{}/", path.rsplit('/').next().unwrap_or(path))
    };
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title></head><body>\n\
         <h1>{title}</h1>\n<table>\n<tr><th>Name</th><th>Bytes</th><th>Last modified</th></tr>\n"
    );
    for (name, bytes, time) in rows {
        let link = percent_encoded(&format!("{base}{name}"));
        let name = html(&name);
        out.push_str(&format!(
            "<tr><td><a href=\"{link}\">{name}</a></td><td>{bytes}</td><td>{time}</td></tr>\n"
        ));
    }
    out.push_str("</table>\n</body></html>\n");
    Some(out)
}

fn percent_encoded(path: &str) -> String {
    let mut out = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
                out.push(char::from(byte));
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

/// The file as it was long when it was opened: a log grows while it is read.
fn file_response(file: File, length: u64) -> Response {
    let parts = stream::unfold((file, length), |(mut file, left)| async move {
        if left == 0 {
            return None;
        }
        let read = tokio::task::spawn_blocking(move || {
            let mut part = vec![0; PART_BYTES.min(usize::try_from(left).unwrap_or(PART_BYTES))];
            let count = file.read(&mut part)?;
            part.truncate(count);
            Ok::<_, std::io::Error>((file, part))
        });
        match read.await.unwrap_or_else(|error| Err(std::io::Error::other(error))) {
            Ok((_, part)) if part.is_empty() => None,
            Ok((file, part)) => {
                let left = left - part.len() as u64;
                Some((Ok::<_, std::io::Error>(Bytes::from(part)), (file, left)))
            }
            Err(error) => {
                tracing::warn!("read a log file for the web: {error}");
                None
            }
        }
    });
    let body = Body::from_stream(parts);
    ([(header::CONTENT_TYPE, "text/plain;charset=utf-8")], body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_outside_of_the_folder_is_opened() {
        let root = std::env::temp_dir().join(format!("tusk-logs-{}", std::process::id()));
        let logs = root.join("logs");
        std::fs::create_dir_all(logs.join("old")).unwrap();
        std::fs::write(root.join("secret"), "x").unwrap();
        std::fs::write(logs.join("a&b.log"), "line\n").unwrap();
        std::fs::write(logs.join("old/c.log"), "line\n").unwrap();
        std::os::unix::fs::symlink(root.join("secret"), logs.join("link")).unwrap();
        let is_file = |path: &str| matches!(open(&logs, path), Some(Opened::File(_, 5)));
        assert!(is_file("a&b.log") && is_file("old/c.log"));
        for path in ["../secret", "old/../../secret", "/etc/passwd", "link", "none", "./a&b.log/.."]
        {
            assert!(open(&logs, path).is_none(), "{path}");
        }
        let Some(Opened::Listing(text)) = open(&logs, "") else { panic!("the folder is listed") };
        assert!(text.contains("<a href=\"a%26b.log\">a&amp;b.log</a></td><td>5</td>"), "{text}");
        assert!(text.contains("<a href=\"old/\">"), "{text}");
        std::fs::remove_dir_all(&root).unwrap();
    }
}
