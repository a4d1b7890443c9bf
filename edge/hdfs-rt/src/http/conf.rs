//! `/conf`: the configuration that a daemon runs with.
//!
//! Hadoop: org.apache.hadoop.conf.ConfServlet (3.5.0)

use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hdfs_conf::Configuration;
use serde_json::json;

/// The route `/conf`, with Hadoop's parameters `format` and `name`. Values that look like secrets are hidden.
pub fn conf_router(conf: Arc<Configuration>) -> Router {
    Router::new().route("/conf", get(show)).with_state(conf)
}

async fn show(
    State(conf): State<Arc<Configuration>>,
    Query(parameters): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Response {
    let parameter = |name: &str| {
        parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    };
    let name = parameter("name").filter(|name| !name.is_empty());
    if let Some(missing) = name.filter(|name| conf.get(name).is_none()) {
        return (StatusCode::NOT_FOUND, format!("Property {missing} not found")).into_response();
    }
    let accepts_json = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("json"));
    match parameter("format") {
        Some("json") => json_answer(&conf, name),
        Some("xml") => xml_answer(&conf, name),
        None if accepts_json => json_answer(&conf, name),
        None => xml_answer(&conf, name),
        Some(other) => (StatusCode::BAD_REQUEST, format!("Bad format: {other}")).into_response(),
    }
}

/// Keys and values to show, with where each comes from.
fn entries<'a>(
    conf: &'a Configuration,
    only: Option<&'a str>,
) -> impl Iterator<Item = (&'a str, &'a str, &'a str)> {
    let wanted = move |(key, _): &(&str, &str)| only.is_none_or(|name| name == *key);
    conf.iter().filter(wanted).map(|(key, value)| {
        let shown = if is_secret(key) { "<redacted>" } else { value };
        (key, shown, conf.source(key).unwrap_or_else(|| default_source(key)))
    })
}

/// The keys that Hadoop's `hadoop.security.sensitive-config-keys` names by default.
fn is_secret(key: &str) -> bool {
    let ends = ["secret", "password", "ssl.keystore.pass", "credential", "sensitive-config-keys"];
    let holds = |first: &str, then: &str| {
        key.find(first).is_some_and(|at| key[at + first.len()..].contains(then))
    };
    ends.iter().any(|end| key.ends_with(end))
        || key.starts_with("fs.s3.") && (key.ends_with("ecret.key") || key.ends_with("ecretKey"))
        || key.starts_with("fs.s3a.")
            && (key.ends_with("ecret.key")
                || key.ends_with("session.token")
                || key.ends_with("encryption.key"))
        || key.starts_with("fs.azure.") && key.contains("account.key")
        || ["secret", "password", "token"].iter().any(|word| holds("oauth", word))
        || ["secret.", "password.", "credential."].iter().any(|word| key.contains(word))
}

fn json_answer(conf: &Configuration, only: Option<&str>) -> Response {
    let properties: Vec<_> = entries(conf, only)
        .map(|(key, value, source)| {
            json!({"key": key, "value": value, "isFinal": false, "resource": source})
        })
        .collect();
    let body = match (only, properties.first()) {
        (Some(_), Some(property)) => json!({ "property": property }),
        _ => json!({ "properties": properties }),
    };
    ([(header::CONTENT_TYPE, "application/json;charset=utf-8")], body.to_string()).into_response()
}

fn xml_answer(conf: &Configuration, only: Option<&str>) -> Response {
    let mut body =
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?><configuration>\n".to_owned();
    for (key, value, source) in entries(conf, only) {
        body.push_str(&format!(
            "<property><name>{}</name><value>{}</value><final>false</final><source>{}</source>\
             </property>\n",
            escape(key),
            escape(value),
            escape(source)
        ));
    }
    body.push_str("</configuration>\n");
    ([(header::CONTENT_TYPE, "text/xml;charset=utf-8")], body).into_response()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The file of Hadoop that has a default, or `tusk` for keys of our own.
fn default_source(key: &str) -> &'static str {
    if key.starts_with("tusk.") {
        "tusk"
    } else if key.starts_with("dfs.") {
        "hdfs-default.xml"
    } else {
        "core-default.xml"
    }
}
