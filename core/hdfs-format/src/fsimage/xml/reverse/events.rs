//! The document as tags and trees of elements, with Hadoop's words about what is wrong.

use super::hash_order::hash_order;
use crate::edits::xml::unmangle;
use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;
use std::str::FromStr;

/// Deepest element: fsimage, SnapshotSection, snapshot, root, xattrs, xattr, name are seven.
const MAX_DEPTH: usize = 32;

/// What stands next in the document.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Token {
    Start(String),
    End(String),
    Text(String),
    EndOfDocument,
}

impl Token {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Start(name) | Self::End(name) => name,
            Self::Text(_) | Self::EndOfDocument => "",
        }
    }
}

/// Reads tokens.
pub(super) struct Events<'a> {
    reader: Reader<&'a [u8]>,
    peeked: Option<Token>,
}

impl<'a> Events<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let mut reader = Reader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        Self { reader, peeked: None }
    }

    fn next(&mut self, expected: &str) -> Result<Token, String> {
        if let Some(token) = self.peeked.take() {
            return Ok(token);
        }
        loop {
            let event = self.reader.read_event().map_err(|error| {
                let at = self.reader.error_position();
                format!("Expecting {expected}, but got XMLStreamException at byte {at}: {error}")
            })?;
            return Ok(match event {
                Event::Start(start) => Token::Start(start.local_name().as_ref().to_owned()),
                Event::End(end) => Token::End(end.local_name().as_ref().to_owned()),
                // Differs: Java's parser makes a line feed of a carriage return, and with it another value of an attribute
                // that holds one (the length of a policy's name, for one).
                Event::Text(text) => Token::Text((*text).to_owned()),
                Event::CData(text) => Token::Text(text.xml10_content().into_owned()),
                Event::GeneralRef(reference) => {
                    let character =
                        reference.resolve_char_ref().map_err(|error| error.to_string())?;
                    let name = reference.xml10_content();
                    Token::Text(match (character, resolve_predefined_entity(&name)) {
                        (Some(character), _) => character.to_string(),
                        (None, Some(text)) => text.to_owned(),
                        (None, None) => {
                            return Err(format!("Undeclared general entity \"{name}\""));
                        }
                    })
                }
                Event::Eof => Token::EndOfDocument,
                _ => continue,
            });
        }
    }

    /// The next start or end of an element. A start must have this name, unless the name is in brackets.
    pub(super) fn tag(&mut self, expected: &str) -> Result<Token, String> {
        loop {
            match self.next(expected)? {
                Token::Text(text) if text.trim_matches(|c| c <= ' ').is_empty() => {}
                Token::Text(text) => {
                    return Err(format!(
                        "Got unxpected characters while looking for {expected}: {text}"
                    ));
                }
                Token::Start(name) if !expected.starts_with('[') && name != expected => {
                    return Err(format!("Failed to find <{expected}>; got {name} instead."));
                }
                Token::EndOfDocument => {
                    return Err(format!("Expecting {expected}, but the document ends"));
                }
                tag => return Ok(tag),
            }
        }
    }

    /// The next tag must start this element.
    pub(super) fn start_of(&mut self, expected: &str) -> Result<(), String> {
        match self.tag(expected)? {
            Token::Start(_) => Ok(()),
            _ => Err(format!("Got unexpected end event while looking for {expected}")),
        }
    }

    /// The next tag must end this element.
    pub(super) fn end_of(&mut self, expected: &str) -> Result<(), String> {
        match self.tag(expected)? {
            Token::End(name) if name == expected => Ok(()),
            Token::End(name) => Err(format!(
                "Expected tag end event for {expected}, but got tag end event for {name}"
            )),
            other => {
                Err(format!("Expected tag end event for {expected}, but got: <{}>", other.name()))
            }
        }
    }

    /// The rest of the element whose start was read, with its end.
    pub(super) fn tree(&mut self, expected: &str) -> Result<Node, String> {
        let mut stack = vec![Node::default()];
        loop {
            let depth = stack.len();
            match self.next(expected)? {
                Token::Start(_) if depth >= MAX_DEPTH => {
                    return Err(format!("Elements are nested too deep in {expected}"));
                }
                Token::Start(name) => stack.push(Node { name, ..Node::default() }),
                Token::End(_) => {
                    let mut node = stack.pop().unwrap_or_default();
                    node.finish()?;
                    match stack.last_mut() {
                        Some(parent) => parent.children.push(Some(node)),
                        None => return Ok(node),
                    }
                }
                Token::Text(text) => {
                    if let Some(node) = stack.last_mut() {
                        node.text.push_str(&text);
                    }
                }
                Token::EndOfDocument => {
                    return Err(format!("Expecting {expected}, but the document ends"));
                }
            }
        }
    }

    /// The children of the element whose start was read, up to the first of these names or up to its end, which stay.
    pub(super) fn head(&mut self, expected: &str, stops: &[&str]) -> Result<Node, String> {
        let mut head = Node::default();
        loop {
            match self.next(expected)? {
                Token::Start(name) if stops.contains(&name.as_str()) => {
                    self.peeked = Some(Token::Start(name));
                    break;
                }
                Token::Start(name) => {
                    let child = Node { name, ..self.tree(expected)? };
                    head.children.push(Some(child));
                }
                end @ Token::End(_) => {
                    self.peeked = Some(end);
                    break;
                }
                Token::Text(_) => {}
                Token::EndOfDocument => {
                    return Err(format!("Expecting {expected}, but the document ends"));
                }
            }
        }
        head.total = head.children.len();
        Ok(head)
    }
}

/// An element whose children are taken out one by one; what is left in the end is unknown.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Node {
    name: String,
    text: String,
    children: Vec<Option<Node>>,
    /// How many children there were.
    total: usize,
    /// The first ones that are taken already.
    taken: usize,
}

impl Node {
    fn finish(&mut self) -> Result<(), String> {
        if self.text.contains('\\') {
            self.text = unmangle(&self.text)?;
        }
        self.total = self.children.len();
        Ok(())
    }

    /// The text, as it stands.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Takes out the first child of this name.
    pub(super) fn child(&mut self, name: &str) -> Option<Self> {
        while let Some(None) = self.children.get(self.taken) {
            self.taken += 1;
        }
        let mut rest = self.children.iter_mut().skip(self.taken);
        rest.find(|child| child.as_ref().is_some_and(|child| child.name == name))?.take()
    }

    /// Takes out every child of this name.
    pub(super) fn all<'n>(&'n mut self, name: &'n str) -> impl Iterator<Item = Self> + use<'n> {
        let is_one =
            move |child: &Option<Self>| child.as_ref().is_some_and(|child| child.name == name);
        self.children
            .iter_mut()
            .filter_map(move |child| if is_one(child) { child.take() } else { None })
    }

    /// Takes out the text of the first child of this name.
    pub(super) fn string(&mut self, name: &str) -> Result<Option<String>, String> {
        match self.child(name) {
            Some(child) if child.total > 0 => {
                Err(format!("Node {name} contains children of its own."))
            }
            Some(child) => Ok(Some(child.text)),
            None => Ok(None),
        }
    }

    /// Takes out a number.
    pub(super) fn number<T: FromStr>(&mut self, name: &str) -> Result<Option<T>, String> {
        self.string(name)?.map(|text| number(&text)).transpose()
    }

    /// Takes out a 64-bit number, as it stands in an unsigned field.
    pub(super) fn long(&mut self, name: &str) -> Result<Option<u64>, String> {
        Ok(self.number::<i64>(name)?.map(i64::cast_unsigned))
    }

    /// Takes out a 32-bit number, as it stands in an unsigned field.
    pub(super) fn int(&mut self, name: &str) -> Result<Option<u32>, String> {
        Ok(self.number::<i32>(name)?.map(i32::cast_unsigned))
    }

    /// Takes out an element that means yes.
    pub(super) fn flag(&mut self, name: &str) -> Result<bool, String> {
        Ok(self.string(name)?.is_some())
    }

    /// Nothing must be left.
    pub(super) fn end(&self, section: &str) -> Result<(), String> {
        let mut left: Vec<&str> = Vec::new();
        for child in self.children.iter().flatten() {
            if !left.contains(&child.name.as_str()) {
                left.push(&child.name);
            }
        }
        if left.is_empty() {
            return Ok(());
        }
        let left = hash_order(&left, left.len()).join(", ");
        Err(format!("Found unknown XML keys in {section}: {left}"))
    }
}

/// A number as Java reads it.
pub(super) fn number<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("For input string: \"{text}\""))
}
