//! JSON in the layout of Hadoop's servlets: scripts search it for `"NumLiveDataNodes" : 3,`.
//!
//! ```text
//! {
//!   "beans" : [ {
//!     "name" : "Hadoop:service=NameNode,name=NameNodeStatus",
//!     "Values" : [ 1, 2 ]
//!   } ]
//! }
//! ```

use serde_json::Value;

/// Writes a value as Jackson's default pretty printer does.
pub fn hadoop_json(value: &Value) -> String {
    let mut out = String::new();
    write_value(&mut out, value, 0);
    out
}

fn write_value(out: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Object(fields) if fields.is_empty() => out.push_str("{ }"),
        Value::Object(fields) => {
            out.push('{');
            for (index, (name, field)) in fields.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                line_break(out, depth + 1);
                write_text(out, name);
                out.push_str(" : ");
                write_value(out, field, depth + 1);
            }
            line_break(out, depth);
            out.push('}');
        }
        Value::Array(items) if items.is_empty() => out.push_str("[ ]"),
        Value::Array(items) => {
            out.push_str("[ ");
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                // Arrays stay on one line, so they do not count for the depth.
                write_value(out, item, depth);
            }
            out.push_str(" ]");
        }
        Value::String(text) => write_text(out, text),
        other => out.push_str(&other.to_string()),
    }
}

fn write_text(out: &mut String, text: &str) {
    out.push_str(&Value::from(text).to_string());
}

fn line_break(out: &mut String, depth: usize) {
    out.push('\n');
    for _ in 0..depth {
        out.push_str("  ");
    }
}
