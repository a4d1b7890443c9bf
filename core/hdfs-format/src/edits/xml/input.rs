//! Reading the XML of the viewer: elements, and Hadoop's escape for characters that XML can't hold.

use super::ViewError;
use super::parse::parse_op;
use crate::edits::EditOp;
use hdfs_types::TxId;
use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events;
use std::io;

/// Deepest element: EDITS, RECORD, DATA, PERMISSION_STATUS, USERNAME are five.
const MAX_DEPTH: usize = 16;

/// What a document holds, in its order.
pub(super) enum Event<'a> {
    Version(i32),
    Operation(TxId, &'a EditOp),
}

/// An element of an operation.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Stanza {
    pub(super) name: String,
    pub(super) text: String,
    pub(super) children: Vec<Stanza>,
}

impl Stanza {
    /// The children with this name.
    pub(super) fn all<'a>(
        &'a self,
        name: &'static str,
    ) -> impl Iterator<Item = &'a Self> + use<'a> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text of the child with this name, if it is there.
    pub(super) fn optional(&self, name: &str) -> Option<&str> {
        let child = self.children.iter().find(|child| child.name == name)?;
        Some(&child.text)
    }

    /// The text of the child with this name.
    pub(super) fn text(&self, name: &str) -> Result<&str, String> {
        self.optional(name).ok_or_else(|| format!("no entry found for {name}"))
    }
}

/// Reads a document, operation by operation.
pub(super) fn read(
    bytes: &[u8],
    mut each: impl FnMut(Event<'_>) -> io::Result<()>,
) -> Result<(), ViewError> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| ViewError::Xml(format!("the file is not UTF-8: {error}")))?;
    let mut reader = Reader::from_str(text);
    let mut stack: Vec<Stanza> = Vec::new();
    let mut done = false;
    let failed = |reason: String| ViewError::Xml(reason);
    loop {
        let event = reader.read_event().map_err(|error| {
            failed(format!("XML parsing error at byte {}: {error}", reader.error_position()))
        })?;
        match event {
            events::Event::Start(start) => {
                let name = start.name().as_ref().to_owned();
                check_start(&stack, done, &name).map_err(failed)?;
                stack.push(Stanza { name, ..Stanza::default() });
            }
            events::Event::Empty(start) => {
                let name = start.name().as_ref().to_owned();
                check_start(&stack, done, &name).map_err(failed)?;
                stack.push(Stanza { name, ..Stanza::default() });
                done |= end(&mut stack, &mut each)?;
            }
            events::Event::End(_) => done |= end(&mut stack, &mut each)?,
            events::Event::Text(text) => push(&mut stack, &text.xml10_content()),
            events::Event::CData(text) => push(&mut stack, &text.xml10_content()),
            events::Event::GeneralRef(reference) => {
                let character = reference.resolve_char_ref();
                let character = character.map_err(|error| failed(error.to_string()))?;
                let name = reference.xml10_content();
                match (character, resolve_predefined_entity(&name)) {
                    (Some(character), _) => push(&mut stack, character.encode_utf8(&mut [0; 4])),
                    (None, Some(text)) => push(&mut stack, text),
                    (None, None) => return Err(failed(format!("unknown entity {name}"))),
                }
            }
            events::Event::DocType(_) => {
                return Err(failed("a document type is not allowed".to_owned()));
            }
            events::Event::Eof if done => return Ok(()),
            events::Event::Eof => return Err(failed("expecting </EDITS>".to_owned())),
            events::Event::Comment(_) | events::Event::Decl(_) | events::Event::PI(_) => {}
        }
    }
}

fn push(stack: &mut [Stanza], text: &str) {
    if let Some(top) = stack.last_mut() {
        top.text.push_str(text);
    }
}

fn check_start(stack: &[Stanza], done: bool, name: &str) -> Result<(), String> {
    let wanted: &[&str] = match stack {
        _ if done => return Err("not expecting anything after </EDITS>".to_owned()),
        [] => &["EDITS"],
        [_] => &["EDITS_VERSION", "RECORD"],
        [_, record] if record.name == "RECORD" => &["OPCODE", "DATA"],
        _ if stack.len() >= MAX_DEPTH => return Err("elements are nested too deep".to_owned()),
        _ => return Ok(()),
    };
    if wanted.contains(&name) {
        return Ok(());
    }
    Err(format!("expected <{}>, got <{name}>", wanted.join("> or <")))
}

/// Ends the element on top; true after the root.
fn end(
    stack: &mut Vec<Stanza>,
    each: &mut impl FnMut(Event<'_>) -> io::Result<()>,
) -> Result<bool, ViewError> {
    let Some(mut stanza) = stack.pop() else { return Ok(false) };
    stanza.text = unmangle(&stanza.text).map_err(ViewError::Xml)?;
    stanza.text = stanza.text.trim_matches(|character| character <= ' ').to_owned();
    match stanza.name.as_str() {
        "EDITS_VERSION" if stack.len() == 1 => {
            let version = stanza.text.parse().map_err(|_| {
                ViewError::Xml(format!("EDITS_VERSION is \"{}\", not a number", stanza.text))
            })?;
            each(Event::Version(version))?;
        }
        "RECORD" if stack.len() == 1 => {
            let (txid, op) = parse_record(&stanza).map_err(ViewError::Xml)?;
            each(Event::Operation(txid, &op))?;
        }
        _ => {
            if let Some(parent) = stack.last_mut().filter(|parent| parent.name != "EDITS") {
                parent.children.push(stanza);
            }
        }
    }
    Ok(stack.is_empty())
}

fn parse_record(record: &Stanza) -> Result<(TxId, EditOp), String> {
    let opcode = record.text("OPCODE")?;
    let data = record.all("DATA").next().ok_or("expected a <DATA> tag")?;
    let txid = data.text("TXID")?;
    let number: i64 = txid.parse().map_err(|_| format!("TXID is \"{txid}\", not a number"))?;
    let op = parse_op(opcode, data)
        .map_err(|reason| format!("transaction {txid}, {opcode}: {reason}"))?;
    Ok((TxId(number.cast_unsigned()), op))
}

/// Undoes Hadoop's escape. Hadoop: XMLUtils.unmangleXmlString.
pub(crate) fn unmangle(text: &str) -> Result<String, String> {
    let mut parts = text.split('\\');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (digits, rest) = part
            .split_once(';')
            .filter(|(digits, _)| digits.len() == 4)
            .ok_or("unterminated code point escape: expected semicolon at end.")?;
        let character = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32);
        out.push(character.ok_or("error parsing unmangling escape code")?);
        out.push_str(rest);
    }
    Ok(out)
}
