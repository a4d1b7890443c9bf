//! The XML of S3: listings and errors.

use std::fmt::Display;

use quick_xml::events::Event;

use super::{Entry, Page};
use crate::shell::failure::{Failure, Outcome};

fn malformed(error: impl Display) -> Failure {
    Failure::io(format!("S3 sent an answer that can't be read: {error}"))
}

/// Calls `visit` with the path of every element that ends, and its text.
fn walk(xml: &[u8], mut visit: impl FnMut(&[String], &str) -> Outcome<()>) -> Outcome<()> {
    let mut reader = quick_xml::Reader::from_reader(xml);
    let mut path: Vec<String> = Vec::new();
    let mut text = String::new();
    loop {
        match reader.read_event().map_err(malformed)? {
            Event::Start(start) => {
                path.push(start.local_name().as_ref().to_owned());
                text.clear();
            }
            Event::Text(piece) => text.push_str(&piece),
            Event::CData(piece) => text.push_str(&piece),
            Event::GeneralRef(name) => {
                let whole = format!("&{};", &*name);
                text.push_str(&quick_xml::escape::unescape(&whole).map_err(malformed)?);
            }
            Event::End(_) => {
                visit(&path, &text)?;
                path.pop();
                text.clear();
            }
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

/// Code and message of an error; empty when there is none.
pub(super) fn error(xml: &[u8]) -> (String, String) {
    let (mut code, mut message) = (String::new(), String::new());
    // A body that is no XML says nothing: the HTTP status has to do.
    let _ = walk(xml, |path, text| {
        match path.last().map(String::as_str) {
            Some("Code") => text.clone_into(&mut code),
            Some("Message") => text.clone_into(&mut message),
            _ => {}
        }
        Ok(())
    });
    (code, message)
}

/// A `ListBucketResult`.
pub(super) fn parse_page(xml: &[u8]) -> Outcome<Page> {
    let mut page = Page::default();
    let mut truncated = false;
    let (mut key, mut length, mut modified_ms) = (String::new(), 0, 0);
    walk(xml, |path, text| {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        match path.as_slice() {
            [_, "Contents", "Key"] => text.clone_into(&mut key),
            [_, "Contents", "Size"] => length = text.parse().map_err(malformed)?,
            [_, "Contents", "LastModified"] => {
                let time = chrono::DateTime::parse_from_rfc3339(text).map_err(malformed)?;
                modified_ms = u64::try_from(time.timestamp_millis()).unwrap_or(0);
            }
            [_, "Contents"] => {
                page.objects.push(Entry { key: std::mem::take(&mut key), length, modified_ms });
            }
            [_, "CommonPrefixes", "Prefix"] => page.prefixes.push(text.to_owned()),
            [_, "IsTruncated"] => truncated = text == "true",
            [_, "NextContinuationToken"] => page.next = Some(text.to_owned()),
            _ => {}
        }
        Ok(())
    })?;
    if truncated && page.next.is_none() {
        return Err(malformed("a listing goes on, and does not say where"));
    }
    page.next = page.next.filter(|_| truncated);
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_holds_objects_prefixes_and_where_to_go_on() {
        let xml = r#"<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
            <Name>b</Name><Prefix>a/</Prefix><IsTruncated>true</IsTruncated>
            <NextContinuationToken>t=</NextContinuationToken><Contents><Key>a/</Key><Size>0</Size>
            <LastModified>2026-11-21T12:00:00.500Z</LastModified><Owner><ID>1</ID></Owner></Contents>
            <Contents><Key>a/x &amp; y&#x41;</Key><Size>7</Size><LastModified>2026-11-21T12:00:01Z</LastModified>
            </Contents><CommonPrefixes><Prefix>a/sub/</Prefix></CommonPrefixes></ListBucketResult>"#;
        let page = parse_page(xml.as_bytes()).unwrap();
        let objects = page.objects.iter();
        let objects: Vec<_> =
            objects.map(|one| (one.key.as_str(), one.length, one.modified_ms % 1_000)).collect();
        assert_eq!(objects, [("a/", 0, 500), ("a/x & yA", 7, 0)]);
        assert_eq!(page.prefixes, ["a/sub/"]);
        assert_eq!(page.next.as_deref(), Some("t="));
    }

    #[test]
    fn answers_that_make_no_sense_are_errors() {
        let size = "<a><Contents><Size>x</Size></Contents></a>";
        for xml in ["<a><b></a>", size, "<a><IsTruncated>true</IsTruncated></a>"] {
            assert!(parse_page(xml.as_bytes()).is_err(), "{xml}");
        }
        let denied = b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>";
        assert_eq!(error(denied), ("AccessDenied".to_owned(), "no".to_owned()));
        assert_eq!(error(b"<html"), (String::new(), String::new()));
    }
}
