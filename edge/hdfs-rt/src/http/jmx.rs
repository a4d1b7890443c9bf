//! `/jmx`: the beans of a daemon.
//!
//! Hadoop: org.apache.hadoop.jmx.JMXJsonServlet (3.5.0)

use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::Value;

use super::json::hadoop_json;

/// One bean: a name and attributes in order.
#[derive(Clone, PartialEq, Debug)]
pub struct Bean {
    /// `Hadoop:service=NameNode,name=FSNamesystemState`.
    pub name: String,
    /// The Java class that carries it.
    pub modeler_type: String,
    /// Names and values.
    pub attributes: Vec<(String, Value)>,
}

impl Bean {
    /// A bean without attributes yet.
    pub fn new(name: impl Into<String>, modeler_type: impl Into<String>) -> Self {
        Self { name: name.into(), modeler_type: modeler_type.into(), attributes: Vec::new() }
    }

    /// The bean with one more attribute.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.attributes.push((name.into(), value.into()));
        self
    }
}

/// Tells a daemon's beans. Called for every request.
pub trait JmxSource: Send + Sync + 'static {
    /// All beans, as they are now.
    fn beans(&self) -> Vec<Bean>;
}

impl<F: Fn() -> Vec<Bean> + Send + Sync + 'static> JmxSource for F {
    fn beans(&self) -> Vec<Bean> {
        self()
    }
}

/// The route `/jmx`, with Hadoop's parameters `qry` and `get`.
pub fn jmx_router(source: Arc<dyn JmxSource>) -> Router {
    Router::new().route("/jmx", get(jmx)).with_state(source)
}

async fn jmx(
    State(source): State<Arc<dyn JmxSource>>,
    Query(parameters): Query<Vec<(String, String)>>,
) -> Response {
    let parameter = |name: &str| {
        parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    };
    let body = answer(&*source, parameter("qry"), parameter("get"));
    let mut response = (StatusCode::OK, body).into_response();
    let headers = response.headers_mut();
    let mut set = |name, value| headers.insert(name, HeaderValue::from_static(value));
    set(header::CONTENT_TYPE, "application/json; charset=utf8");
    set(header::CACHE_CONTROL, "no-cache");
    set(header::ACCESS_CONTROL_ALLOW_METHODS, "GET");
    set(header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    response
}

/// The text for a request. Errors too have the status 200: so it is with Hadoop, whose text is on its way before.
fn answer(source: &dyn JmxSource, query: Option<&str>, get: Option<&str>) -> String {
    let (query, attribute) = match get {
        None => (query.unwrap_or("*:*"), None),
        Some(text) => match text.split("::").collect::<Vec<_>>()[..] {
            [name, attribute] => (name, Some(attribute)),
            _ => return error_text("query format is not as expected."),
        },
    };
    let Some(pattern) = Pattern::parse(query) else {
        return "{ }".to_owned();
    };
    let mut shown = Vec::new();
    for bean in source.beans() {
        if !pattern.matches(&bean.name) {
            continue;
        }
        let mut fields = vec![
            ("name".to_owned(), bean.name.into()),
            ("modelerType".to_owned(), bean.modeler_type.into()),
        ];
        match attribute {
            None => fields.extend(bean.attributes),
            Some(wanted) => match bean.attributes.into_iter().find(|(name, _)| name == wanted) {
                Some(found) => fields.push(found),
                None => {
                    let message = format!("No attribute with name {wanted} was found.");
                    fields.push(("result".to_owned(), "ERROR".into()));
                    fields.push(("message".to_owned(), message.into()));
                    shown.push(fields);
                    break;
                }
            },
        }
        shown.push(fields);
    }
    print_beans(&shown)
}

/// Prints in order; `serde_json`'s own maps would sort the attributes.
fn print_beans(beans: &[Vec<(String, Value)>]) -> String {
    if beans.is_empty() {
        return "{\n  \"beans\" : [ ]\n}".to_owned();
    }
    let mut out = "{\n  \"beans\" : [ ".to_owned();
    for (index, fields) in beans.iter().enumerate() {
        out.push_str(if index > 0 { ", {" } else { "{" });
        for (index, (name, value)) in fields.iter().enumerate() {
            let comma = if index > 0 { "," } else { "" };
            let text = hadoop_json(value).replace('\n', "\n    ");
            out.push_str(&format!("{comma}\n    {} : {text}", Value::from(name.as_str())));
        }
        out.push_str("\n  }");
    }
    out.push_str(" ]\n}");
    out
}

fn error_text(message: &str) -> String {
    format!("{{\n  \"result\" : \"ERROR\",\n  \"message\" : {}\n}}", Value::from(message))
}

/// The pattern of a `qry`: `domain:key=value,…`, with `*` and `?`, and `*` alone for "any more keys".
struct Pattern<'a> {
    domain: &'a str,
    keys: Vec<(&'a str, &'a str)>,
    more_keys: bool,
}

impl<'a> Pattern<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (domain, rest) = text.split_once(':')?;
        let mut pattern = Self { domain, keys: Vec::new(), more_keys: false };
        for part in rest.split(',') {
            if part == "*" {
                pattern.more_keys = true;
            } else {
                pattern.keys.push(part.split_once('=').filter(|(key, _)| !key.is_empty())?);
            }
        }
        Some(pattern)
    }

    fn matches(&self, name: &str) -> bool {
        let Some(bean) = Pattern::parse(name) else {
            return false;
        };
        wild(self.domain.as_bytes(), bean.domain.as_bytes())
            && (self.more_keys || self.keys.len() == bean.keys.len())
            && self.keys.iter().all(|(key, value)| {
                bean.keys
                    .iter()
                    .any(|(own, text)| own == key && wild(value.as_bytes(), text.as_bytes()))
            })
    }
}

/// Whether a text fits a pattern with `*` and `?`.
fn wild(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    // Where to go on when a guess about the last star fails.
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                retry = Some((p, t));
                p += 1;
            }
            Some(byte) if *byte == b'?' || *byte == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match retry {
                Some((star, from)) => {
                    retry = Some((star, from + 1));
                    p = star + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beans() -> Vec<Bean> {
        let name = "org.apache.hadoop.hdfs.server.namenode.NameNode";
        vec![
            Bean::new("Hadoop:service=NameNode,name=NameNodeStatus", name)
                .with("State", "active")
                .with("LastHATransitionTime", 0)
                .with("SlowPeersReport", Value::Null),
            Bean::new("Hadoop:service=NameNode,name=FSNamesystemState", "FSNamesystem")
                .with("NumLiveDataNodes", 3)
                .with("Names", vec!["a", "b"]),
        ]
    }

    /// The expected text is what Apache's NameNode 3.5.0 prints, shortened to these attributes.
    #[test]
    fn a_bean_prints_as_apaches() {
        let text = answer(&beans, Some("Hadoop:service=NameNode,name=NameNodeStatus"), None);
        let expected = r#"{
  "beans" : [ {
    "name" : "Hadoop:service=NameNode,name=NameNodeStatus",
    "modelerType" : "org.apache.hadoop.hdfs.server.namenode.NameNode",
    "State" : "active",
    "LastHATransitionTime" : 0,
    "SlowPeersReport" : null
  } ]
}"#;
        assert_eq!(text, expected);
    }

    #[test]
    fn queries_select_by_pattern() {
        let count = |query| answer(&beans, Some(query), None).matches("modelerType").count();
        assert_eq!(count("*:*"), 2);
        assert_eq!(count("Hadoop:*"), 2);
        assert_eq!(count("Hadoop:service=NameNode,*"), 2);
        assert_eq!(count("Hadoop:service=NameNode,name=FS*"), 1);
        assert_eq!(count("Hadoop:service=NameNode"), 0);
        assert_eq!(count("Hadoop:name=NameNodeStatus,service=NameNode"), 1);
        assert_eq!(answer(&beans, Some("Foo:*"), None), "{\n  \"beans\" : [ ]\n}");
        assert_eq!(answer(&beans, Some("bad"), None), "{ }");
    }

    #[test]
    fn one_attribute_can_be_asked_for() {
        let get = |text| answer(&beans, None, Some(text));
        let found = get("Hadoop:service=NameNode,name=FSNamesystemState::NumLiveDataNodes");
        assert!(found.contains("\"NumLiveDataNodes\" : 3\n"), "{found}");
        assert!(!found.contains("\"Names\""), "{found}");
        let missing = get("Hadoop:service=NameNode,name=NameNodeStatus::Foo");
        assert!(missing.contains("\"message\" : \"No attribute with name Foo was found.\""));
        assert!(get("foo").contains("query format is not as expected."));
    }

    #[test]
    fn values_inside_values_are_indented_as_by_jackson() {
        let value = serde_json::json!({"a": [1, 2], "b": {"c": [], "d": {}}});
        let bean = vec![vec![("x".to_owned(), value)]];
        let expected = "{\n  \"beans\" : [ {\n    \"x\" : {\n      \"a\" : [ 1, 2 ],\n      \"b\" : \
            {\n        \"c\" : [ ],\n        \"d\" : { }\n      }\n    }\n  } ]\n}";
        assert_eq!(print_beans(&bean), expected);
    }
}
