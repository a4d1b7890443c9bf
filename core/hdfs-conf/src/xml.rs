//! The XML of a configuration file, as a list of properties.
//!
//! Like Hadoop's reader it goes by local element names and does not care where they stand. No DTD is read and no entity
//! but the five of XML and character references is known, so a file cannot grow by expansion.
//!
//! Hadoop: org.apache.hadoop.conf.Configuration.Parser (3.5.0)

use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};

/// What a file says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Item {
    Property(Property),
    /// `xi:include`, with the properties of its `xi:fallback` if there is one.
    Include {
        href: String,
        fallback: Option<Vec<Item>>,
    },
}

/// One `<property>` that has a name.
#[derive(Debug, PartialEq, Eq, Default)]
pub(crate) struct Property {
    pub name: String,
    /// `None` when the element is missing or empty: the key keeps what it had.
    pub value: Option<String>,
    pub is_final: bool,
}

/// Why a file is no configuration, and on which line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct XmlError {
    pub line: usize,
    pub message: String,
}

/// Reads a file.
pub(crate) fn parse(text: &str) -> Result<Vec<Item>, XmlError> {
    let mut reader = Reader::from_str(text);
    // Hadoop's reader takes an empty element for a start and an end, and so do we.
    reader.config_mut().expand_empty_elements = true;
    let mut parser = Parser::default();
    loop {
        let event = reader.read_event().map_err(|error| error.to_string());
        let done = event.and_then(|event| parser.handle(event));
        match done {
            Ok(false) => {}
            Ok(true) => return Ok(parser.items),
            Err(message) => {
                let at = usize::try_from(reader.error_position().max(reader.buffer_position()));
                let before = text.as_bytes().iter().take(at.unwrap_or(0));
                return Err(XmlError {
                    line: 1 + before.filter(|byte| **byte == b'\n').count(),
                    message,
                });
            }
        }
    }
}

/// An `xi:include` that is open, and the list that its fallback replaces meanwhile.
struct OpenInclude {
    href: Option<String>,
    outer: Vec<Item>,
    in_fallback: bool,
}

#[derive(Default)]
struct Parser {
    items: Vec<Item>,
    includes: Vec<OpenInclude>,
    property: Option<Property>,
    /// Text of the element that is being read.
    token: String,
    in_token: bool,
    depth: usize,
    seen_root: bool,
}

impl Parser {
    /// True at the end of the file.
    fn handle(&mut self, event: Event<'_>) -> Result<bool, String> {
        match event {
            Event::Start(start) => self.start(&start)?,
            Event::End(end) => {
                self.depth = self.depth.saturating_sub(1);
                self.end(end.local_name().as_ref());
            }
            Event::Text(text) if self.in_token => self.token.push_str(&text.xml10_content()),
            Event::CData(text) if self.in_token => self.token.push_str(&text.xml10_content()),
            Event::GeneralRef(reference) => {
                let resolved = match reference.resolve_char_ref().map_err(|e| e.to_string())? {
                    Some(character) => character.to_string(),
                    None => {
                        quick_xml::escape::resolve_predefined_entity(&reference.xml10_content())
                            .ok_or_else(|| {
                                format!(
                                    "Undeclared general entity \"{}\"",
                                    reference.xml10_content()
                                )
                            })?
                            .to_owned()
                    }
                };
                if self.in_token {
                    self.token.push_str(&resolved);
                }
            }
            Event::Eof if self.depth > 0 => {
                return Err("Unexpected end of file: an element is not closed".into());
            }
            Event::Eof if !self.seen_root => {
                return Err("Unexpected end of file: there is no root element".into());
            }
            Event::Eof => return Ok(true),
            _ => {}
        }
        Ok(false)
    }

    fn start(&mut self, start: &BytesStart<'_>) -> Result<(), String> {
        self.depth += 1;
        self.seen_root = true;
        match start.local_name().as_ref() {
            "property" => self.property = Some(short_form(start)?),
            "name" | "value" | "final" => {
                self.in_token = true;
                self.token.clear();
            }
            "include" => {
                let href = attribute(start, "href")?;
                let outer = std::mem::take(&mut self.items);
                self.includes.push(OpenInclude { href, outer, in_fallback: false });
            }
            "fallback" => {
                if let Some(include) = self.includes.last_mut() {
                    include.in_fallback = true;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, name: &str) {
        match (name, &mut self.property) {
            ("name", Some(property)) if !self.token.is_empty() => {
                property.name = self.token.trim().to_owned();
            }
            ("value", Some(property)) if !self.token.is_empty() => {
                property.value = Some(std::mem::take(&mut self.token));
            }
            ("final", Some(property)) => property.is_final = self.token == "true",
            ("property", _) => {
                let named = self.property.take().filter(|property| !property.name.is_empty());
                self.items.extend(named.map(Item::Property));
            }
            ("include", _) => self.end_include(),
            _ => {}
        }
        self.in_token = false;
    }

    fn end_include(&mut self) {
        let Some(include) = self.includes.pop() else { return };
        let inner = std::mem::replace(&mut self.items, include.outer);
        if let Some(href) = include.href {
            let fallback = include.in_fallback.then_some(inner);
            self.items.push(Item::Include { href, fallback });
        }
    }
}

/// `<property name="…" value="…" final="…"/>`.
fn short_form(start: &BytesStart<'_>) -> Result<Property, String> {
    Ok(Property {
        name: attribute(start, "name")?.unwrap_or_default(),
        value: attribute(start, "value")?,
        is_final: attribute(start, "final")?.as_deref() == Some("true"),
    })
}

fn attribute(start: &BytesStart<'_>, name: &str) -> Result<Option<String>, String> {
    let Some(attribute) = start.try_get_attribute(name).map_err(|error| error.to_string())? else {
        return Ok(None);
    };
    let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|e| e.to_string())?;
    Ok(Some(value.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn property(name: &str, value: Option<&str>, is_final: bool) -> Item {
        Item::Property(Property { name: name.into(), value: value.map(Into::into), is_final })
    }

    #[test]
    fn names_are_trimmed_and_values_are_not() {
        let items = parse(
            "<?xml version='1.0'?><!-- c --><configuration><property><name> a </name>\
             <value> 1 &lt;&#x41;<![CDATA[<&]]> </value><final>true</final></property></configuration>",
        );
        assert_eq!(items, Ok(vec![property("a", Some(" 1 <A<& "), true)]));
    }

    #[test]
    fn an_empty_value_is_no_value_but_an_empty_attribute_is_one() {
        let items = parse(
            "<configuration><property><name>a</name><value></value></property><property><name>b</name><value/></property>\
             <property name='c' value='' final='true'/><property><value>x</value></property></configuration>",
        );
        let expected = vec![
            property("a", None, false),
            property("b", None, false),
            property("c", Some(""), true),
        ];
        assert_eq!(items, Ok(expected));
    }

    #[test]
    fn includes_carry_their_fallback() {
        let items = parse(
            "<configuration xmlns:xi='http://www.w3.org/2001/XInclude'><xi:include href='one.xml'/>\
             <xi:include href='two.xml'><xi:fallback><property name='k' value='v'/></xi:fallback></xi:include>\
             <property name='z' value='1'/></configuration>",
        );
        assert_eq!(
            items,
            Ok(vec![
                Item::Include { href: "one.xml".into(), fallback: None },
                Item::Include {
                    href: "two.xml".into(),
                    fallback: Some(vec![property("k", Some("v"), false)])
                },
                property("z", Some("1"), false),
            ])
        );
    }

    #[test]
    fn entities_of_a_dtd_are_refused_with_their_line() {
        let error = parse(
            "<?xml version='1.0'?>\n<!DOCTYPE c [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>\n<configuration>\n<property><name>a</name><value>&x;</value></property></configuration>",
        );
        let error = error.expect_err("an entity of a DTD must not be expanded");
        assert_eq!((error.line, error.message.as_str()), (4, "Undeclared general entity \"x\""));
    }

    #[test]
    fn broken_files_are_refused() {
        for text in
            ["", "<configuration>", "<configuration><property></configuration>", "<a b=></a>x<"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
