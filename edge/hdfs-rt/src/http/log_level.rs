//! `/logLevel`: shows and sets log levels, for people and for `hadoop daemonlog`.
//!
//! Hadoop: org.apache.hadoop.log.LogLevel.Servlet (3.5.0)

use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hdfs_conf::Configuration;

use super::{html, refuse_stranger};
use crate::logging::{levels, parse_level};

/// Begins the lines that Hadoop's command prints, without their tags.
const MARKER: &str = "<!-- OUTPUT -->";

const HEAD: &str = "<html>\n<link rel='stylesheet' type='text/css' href='/static/hadoop.css'>\n<title>Log \
                    Level</title>\n<body>\n<h1>Log Level</h1>\n\n";

const FORMS: &str = "\n<br /><hr /><h3>Get / Set</h3>\n<form>Class Name: <input type='text' size='50' name='log' /> \
                     <input type='submit' value='Get Log Level' /></form>\n<form>Class Name: <input type='text' \
                     size='50' name='log' /> Level: <input type='text' name='level' /> <input type='submit' value='Set \
                     Log Level' /></form>\n<hr />\n</body></html>\n";

pub(super) fn router(conf: Arc<Configuration>) -> Router {
    Router::new().route("/logLevel", get(page)).with_state(conf)
}

async fn page(
    State(conf): State<Arc<Configuration>>,
    Query(parameters): Query<Vec<(String, String)>>,
) -> Response {
    if let Some(refused) = refuse_stranger(&conf) {
        return refused;
    }
    let parameter = |name: &str| {
        let found = parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.trim());
        found.filter(|value| !value.is_empty())
    };
    let mut body = HEAD.to_owned();
    if let Some(logger) = parameter("log") {
        body.push_str(&results(logger, parameter("level")));
    }
    body.push_str(FORMS);
    ([(header::CONTENT_TYPE, "text/html;charset=utf-8")], body).into_response()
}

fn results(logger: &str, level: Option<&str>) -> String {
    let mut lines = vec![
        "<br /><hr /><h3>Results</h3>".to_owned(),
        format!("{MARKER}Submitted Class Name: <b>{}</b><br />", html(logger)),
        format!("{MARKER}Log Class: <b>tracing</b><br />"),
    ];
    if let Some(level) = level {
        lines.push(format!("{MARKER}Submitted Level: <b>{}</b><br />", html(level)));
        lines.push(match parse_level(level) {
            Err(_) => format!("{MARKER}Bad Level : <b>{}</b><br />", html(level)),
            Ok(parsed) if levels::set(logger, parsed) => {
                tracing::info!(logger, level, "log level set over HTTP");
                format!("{MARKER}Setting Level to {} ...<br />", html(level))
            }
            Ok(_) => format!("{MARKER}This process does not log; nothing was set.<br />"),
        });
    }
    let effective = levels::name(levels::effective(logger));
    lines.push(format!("{MARKER}Effective Level: <b>{effective}</b><br />"));
    lines.join("\n") + "\n"
}
