//! A reader of Rust that knows just enough: what is code, what is a test, where a function ends.

/// The text with comments, strings and character literals blanked out; line breaks stay where they are.
pub(super) fn code_only(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let end = literal_end(bytes, at);
        if end == at {
            code.push(bytes[at]);
            at += 1;
        } else {
            code.extend(
                bytes[at..end].iter().map(|byte| if *byte == b'\n' { b'\n' } else { b' ' }),
            );
            at = end;
        }
    }
    String::from_utf8_lossy(&code).into_owned()
}

/// The end of the comment or literal that starts at `at`, or `at` when none does.
fn literal_end(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    let find = |needle: &[u8], from: usize| {
        let found = bytes[from..].windows(needle.len()).position(|window| window == needle);
        found.map_or(bytes.len(), |position| from + position + needle.len())
    };
    if rest.starts_with(b"//") {
        return bytes[at..]
            .iter()
            .position(|byte| *byte == b'\n')
            .map_or(bytes.len(), |line| at + line);
    }
    if rest.starts_with(b"/*") {
        return find(b"*/", at + 2);
    }
    let in_word = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
    if rest[0] == b'r' && (!in_word || bytes[at - 1] == b'b') {
        let hashes = rest[1..].iter().take_while(|byte| **byte == b'#').count();
        if rest.get(1 + hashes) == Some(&b'"') {
            let mut close = vec![b'"'];
            close.resize(1 + hashes, b'#');
            return find(&close, at + 2 + hashes);
        }
    }
    match rest[0] {
        b'"' => escaped_end(bytes, at + 1, b'"'),
        // 'x' and '\n' are characters, 'name is a lifetime.
        b'\'' if rest.get(1) == Some(&b'\\') => escaped_end(bytes, at + 1, b'\''),
        b'\'' => {
            let close = rest.iter().skip(2).take(4).position(|byte| *byte == b'\'');
            let character = close.filter(|length| *length == 0 || !rest[1].is_ascii());
            character.map_or(at, |length| at + 3 + length)
        }
        _ => at,
    }
}

/// The position after the next `close` that no backslash escapes.
fn escaped_end(bytes: &[u8], mut at: usize, close: u8) -> usize {
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            byte if byte == close => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// The code without its `#[cfg(test)]` items, which end the file or a brace.
pub(super) fn without_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut rest = code;
    let mut kept = String::new();
    while let Some(start) = rest.find(MARK) {
        kept.push_str(&rest[..start]);
        let item = &rest[start + MARK.len()..];
        rest = match item.find(['{', ';']) {
            Some(open) if item.as_bytes()[open] == b'{' => &item[block_end(item, open)..],
            Some(semicolon) => &item[semicolon + 1..],
            None => "",
        };
    }
    kept.push_str(rest);
    kept
}

/// The position after the `}` that closes the `{` at `open`.
fn block_end(code: &str, open: usize) -> usize {
    let mut depth = 0_usize;
    for (position, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return position + 1;
        }
    }
    code.len()
}

/// Name, first line and number of lines of every function that has a body.
pub(super) fn functions(code: &str) -> Vec<(String, usize, usize)> {
    let mut functions = Vec::new();
    for (start, _) in code.match_indices("fn ") {
        let in_word = code[..start].ends_with(|last: char| last.is_alphanumeric() || last == '_');
        let rest = &code[start + 3..];
        let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        if in_word || name.is_empty() {
            continue;
        }
        let Some(open) = body_start(code, start) else { continue };
        let lines = |text: &str| text.bytes().filter(|byte| *byte == b'\n').count();
        let first = 1 + lines(&code[..start]);
        functions.push((name, first, 1 + lines(&code[start..block_end(code, open)])));
    }
    functions
}

/// The `{` of a function's body; `None` when a `;` comes first. Brackets of the signature are skipped.
fn body_start(code: &str, start: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (position, byte) in code.bytes().enumerate().skip(start) {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.saturating_sub(1),
            b'{' if depth == 0 => return Some(position),
            b';' if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

/// True for files that hold tests only.
pub(super) fn is_test_file(name: &str) -> bool {
    name.contains("/tests/") || name.ends_with("/tests.rs") || name.contains("/benches/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_and_comments_are_no_code() {
        let text = "let a = \"{ // \\\" }\"; // {\nlet b = '{'; let c: &'static str = r#\"\"{\"#; /* { */ let d = '\\'';";
        let code = code_only(text);
        assert!(!code.contains('{'), "{code}");
        assert_eq!(code.lines().count(), 2);
        assert!(code.contains("&'static str") && code.ends_with("let d =     ;"), "{code}");
    }

    #[test]
    fn functions_are_measured_from_their_name_to_their_brace() {
        let code = "fn one();\npub fn two(a: [u8; 3]) -> u8 {\n if a {\n }\n}\n#[cfg(test)]\nmod tests {\n fn three() {}\n}\n";
        assert_eq!(functions(&without_tests(code)), [("two".to_owned(), 2, 4)]);
    }
}
