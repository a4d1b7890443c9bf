//! The XML file that defines erasure-coding policies: `layoutversion` 1, `schemas` by id, `policies` of schema and cell.
//!
//! Hadoop: org.apache.hadoop.hdfs.util.ECPolicyLoader (3.5.0)

use std::collections::BTreeMap;

use hdfs_proto::hdfs as proto;
use quick_xml::Reader;
use quick_xml::events::Event;

/// A file larger than this holds no policies.
const MAX_BYTES: u64 = 16 << 20;
/// Elements inside of each other; a policy has four.
const MAX_DEPTH: usize = 64;

/// Why a file gives no policies.
#[derive(Debug, PartialEq)]
pub(super) enum Bad {
    /// A value makes no sense.
    Argument(String),
    /// The file can't be read, or lacks an element.
    File(String),
}

/// An element with its text and what lies in it.
#[derive(Default)]
struct Element {
    name: String,
    id: String,
    text: String,
    children: Vec<Element>,
}

impl Element {
    fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    fn value(&self) -> Result<&str, Bad> {
        if self.text.is_empty() {
            return Err(Bad::Argument(format!("Value of <{}> is null", self.name)));
        }
        Ok(self.text.trim())
    }
}

/// The policies of a file; none when there is no such file, as with Hadoop.
pub(super) fn read(path: &str) -> Result<Vec<proto::ErasureCodingPolicyProto>, Bad> {
    let local = path.strip_prefix("file://").or_else(|| path.strip_prefix("file:")).unwrap_or(path);
    let failed = || Bad::File(format!("Failed to load EC policy file: {path}"));
    match std::fs::metadata(local) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            tracing::warn!("Not found any EC policy file: {path}");
            return Ok(Vec::new());
        }
        Ok(metadata) if metadata.is_file() && metadata.len() <= MAX_BYTES => {}
        _ => return Err(failed()),
    }
    let text = std::fs::read_to_string(local).map_err(|_| failed())?;
    read_text(path, &text)
}

/// The policies that a text defines; `path` is for messages.
pub(super) fn read_text(
    path: &str,
    text: &str,
) -> Result<Vec<proto::ErasureCodingPolicyProto>, Bad> {
    let failed = || Bad::File(format!("Failed to load EC policy file: {path}"));
    policies(&parse(text).ok_or_else(failed)?)
}

/// The root element; `None` when it is no XML, or its elements lie deeper in each other than those of any policy.
fn parse(text: &str) -> Option<Element> {
    let mut reader = Reader::from_str(text);
    let mut open = vec![Element::default()];
    loop {
        match reader.read_event().ok()? {
            Event::Start(_) if open.len() > MAX_DEPTH => return None,
            Event::Start(start) => open.push(element(&start)?),
            Event::Empty(empty) => {
                let element = element(&empty)?;
                open.last_mut()?.children.push(element);
            }
            Event::End(_) => {
                let element = open.pop()?;
                open.last_mut()?.children.push(element);
            }
            Event::Text(text) => open.last_mut()?.text.push_str(&text.xml10_content()),
            Event::Eof => break,
            _ => {}
        }
    }
    let [document] = <[Element; 1]>::try_from(open).ok()?;
    document.children.into_iter().next()
}

fn element(start: &quick_xml::events::BytesStart<'_>) -> Option<Element> {
    let mut element = Element { name: start.name().as_ref().to_owned(), ..Element::default() };
    if let Some(id) = start.try_get_attribute("id").ok()? {
        element.id = id.value.into_owned();
    }
    Some(element)
}

fn policies(root: &Element) -> Result<Vec<proto::ErasureCodingPolicyProto>, Bad> {
    let bad = |what: &str| Bad::File(format!("Bad EC policy configuration file: {what}"));
    if root.name != "configuration" {
        return Err(bad("top-level element not <configuration>"));
    }
    let version = root.child("layoutversion").ok_or_else(|| bad("no <layoutVersion> element"))?;
    let text = version.value()?;
    match text.parse::<i32>() {
        Ok(1) => {}
        Ok(_) => {
            return Err(Bad::File("The parse failed because of bad layoutversion value".into()));
        }
        Err(_) => {
            let message =
                format!("Bad layoutVersion value {text} is found. It should be an integer");
            return Err(Bad::Argument(message));
        }
    }
    let schemas = root.child("schemas").ok_or_else(|| bad("no <schemas> element"))?;
    let mut known: BTreeMap<&str, proto::EcSchemaProto> = BTreeMap::new();
    for element in &schemas.children {
        if element.name != "schema" {
            let name = &element.name;
            return Err(Bad::File(format!("Bad element in EC policy configuration file: {name}")));
        }
        let schema = schema(element)?;
        if known.values().any(|other| *other == schema) {
            let id = &element.id;
            let what = format!("Repetitive schemas in EC policy configuration file: {id}");
            return Err(Bad::File(what));
        }
        known.insert(&element.id, schema);
    }
    let list = root.child("policies").ok_or_else(|| bad("no <policies> element"))?;
    let mut policies: Vec<proto::ErasureCodingPolicyProto> = Vec::new();
    for element in &list.children {
        if element.name != "policy" {
            let name = &element.name;
            return Err(Bad::File(format!("Bad element in EC policy configuration file: {name}")));
        }
        let policy = policy(element, &known)?;
        if policies.contains(&policy) {
            tracing::warn!("the policy {} stands twice in the file", policy.name());
        } else {
            policies.push(policy);
        }
    }
    Ok(policies)
}

fn schema(element: &Element) -> Result<proto::EcSchemaProto, Bad> {
    let number = |name: &str| -> Result<u32, Bad> {
        let Some(child) = element.child(name) else {
            let text = "No good option for numDataUnits or numParityUnits found ";
            return Err(Bad::Argument(text.to_owned()));
        };
        let text = child.value()?;
        let number = text.parse::<u32>().ok().filter(|number| *number > 0);
        number.ok_or_else(|| {
            Bad::Argument(format!(
                "Option value {text} for <{name}> is found. It should be an integer"
            ))
        })
    };
    let codec = element.child("codec").map(Element::value).transpose()?;
    let codec = codec.ok_or_else(|| Bad::Argument("No codec option is provided".into()))?;
    let given = |name: &str| !["codec", "k", "m", "numDataUnits", "numParityUnits"].contains(&name);
    let mut options = Vec::new();
    for child in element.children.iter().filter(|child| given(&child.name)) {
        let value = child.value()?.to_owned();
        options.push(proto::EcSchemaOptionEntryProto { key: child.name.clone(), value });
    }
    Ok(proto::EcSchemaProto {
        codec_name: codec.to_owned(),
        data_units: number("k")?,
        parity_units: number("m")?,
        options,
    })
}

fn policy(
    element: &Element,
    schemas: &BTreeMap<&str, proto::EcSchemaProto>,
) -> Result<proto::ErasureCodingPolicyProto, Bad> {
    let mut schema = None;
    let mut cell = 0;
    for child in &element.children {
        let value = child.value()?;
        match child.name.as_str() {
            "schema" => schema = schemas.get(value).cloned(),
            "cellsize" => {
                cell = value.parse::<u32>().map_err(|_| {
                    let text = "It should be an integer";
                    Bad::Argument(format!("Bad EC policy cellsize value {value} is found. {text}"))
                })?;
            }
            other => tracing::warn!("Invalid tagName: {other}"),
        }
    }
    let Some(schema) = schema.filter(|_| cell > 0) else {
        return Err(Bad::File("Bad policy is found in EC policy configuration file".into()));
    };
    if cell % 1024 != 0 {
        return Err(Bad::Argument("cellSize must be 1024 aligned".into()));
    }
    let name = format!(
        "{}-{}-{}-{}k",
        schema.codec_name.to_uppercase(),
        schema.data_units,
        schema.parity_units,
        cell / 1024
    );
    Ok(proto::ErasureCodingPolicyProto {
        name: Some(name),
        schema: Some(schema),
        cell_size: Some(cell),
        // Java's -1 in a byte: not numbered yet.
        id: u32::MAX,
        state: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "<configuration><layoutversion>1</layoutversion><schemas><schema id=\"A\">\
        <codec>rs</codec><k>12</k><m>4</m><options> </options></schema></schemas>\
        <policies><policy><schema>A</schema><cellsize>131072</cellsize></policy></policies></configuration>";

    fn read(text: &str) -> Result<Vec<proto::ErasureCodingPolicyProto>, Bad> {
        policies(&parse(text).expect("XML"))
    }

    #[test]
    fn a_policy_is_made_of_schema_and_cell() {
        let policies = read(FILE).unwrap();
        assert_eq!(policies.len(), 1);
        assert_eq!(policies[0].name(), "RS-12-4-128k");
    }

    #[test]
    fn bad_files_are_refused_with_a_reason() {
        let without = FILE.replace("<layoutversion>1</layoutversion>", "");
        assert!(matches!(read(&without), Err(Bad::File(text)) if text.contains("layoutVersion")));
        let odd = FILE.replace("131072", "131073");
        assert!(matches!(read(&odd), Err(Bad::Argument(text)) if text.contains("aligned")));
        let unknown = FILE.replace("<schema>A</schema>", "<schema>B</schema>");
        assert!(matches!(read(&unknown), Err(Bad::File(_))));
        assert!(parse("<configuration>").is_none());
        assert!(parse(&"<a>".repeat(1 << 20)).is_none());
    }
}
