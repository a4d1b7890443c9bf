//! Hadoop's globs: `*`, `?`, `[a-c]`, `[^x]`, `{a,b}` and `\` before a character that means itself.
//!
//! Hadoop: org.apache.hadoop.fs.Globber, GlobExpander, GlobPattern (3.5.0)

use super::failure::{Failure, Outcome};
use super::files::{FileSystem, Stat};
use super::path::{ParsedPath, join, name};

/// What a pattern names: `None` when it has no wildcard and names nothing.
pub(crate) fn glob(fs: &dyn FileSystem, pattern: &ParsedPath) -> Outcome<Option<Vec<Stat>>> {
    let flat = expand_slashes(&pattern.path)?;
    let mut saw_wildcard = false;
    let mut found = Vec::new();
    for path in &flat {
        let absolute = ParsedPath { path: path.clone(), ..pattern.clone() };
        let absolute = absolute.absolute(&fs.working_directory());
        found.extend(glob_one(fs, &absolute, &mut saw_wildcard)?);
    }
    if !saw_wildcard && found.is_empty() && flat.len() <= 1 {
        return Ok(None);
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(Some(found))
}

/// Walks down the components; literal ones in the middle are not looked up.
fn glob_one(fs: &dyn FileSystem, path: &str, saw_wildcard: &mut bool) -> Outcome<Vec<Stat>> {
    let components: Vec<&str> = path.split('/').filter(|component| !component.is_empty()).collect();
    let mut folders = vec!["/".to_owned()];
    for (index, component) in components.iter().enumerate() {
        let matcher = Component::parse(component)?;
        *saw_wildcard |= matcher.has_wildcard;
        let last = index + 1 == components.len();
        if !matcher.has_wildcard {
            // Hadoop takes what stands before a colon for a scheme here as well, and refuses it.
            if !folders.is_empty() && component.contains(':') {
                ParsedPath::parse(&unescape(component))?;
            }
            folders = folders.iter().map(|folder| join(folder, &unescape(component))).collect();
            continue;
        }
        let mut matches = Vec::new();
        for folder in &folders {
            matches.extend(
                children(fs, folder)?
                    .into_iter()
                    .filter(|child| (last || child.is_dir()) && matcher.matches(name(&child.path))),
            );
        }
        if last {
            return Ok(matches);
        }
        folders = matches.into_iter().map(|stat| stat.path).collect();
    }
    let mut found = Vec::new();
    for folder in folders {
        found.extend(fs.stat(&folder)?);
    }
    Ok(found)
}

/// The entries of a directory; none for a file or for nothing.
fn children(fs: &dyn FileSystem, folder: &str) -> Outcome<Vec<Stat>> {
    match fs.list(folder) {
        Err(failure) if failure.is_not_found() => Ok(Vec::new()),
        // A file lists itself.
        Ok(entries) if entries.len() == 1 && entries[0].path == folder => Ok(Vec::new()),
        other => other,
    }
}

/// The text without the backslashes that escape.
pub(crate) fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        plain.push(if c == '\\' { chars.next().unwrap_or('\\') } else { c });
    }
    plain
}

/// Every `{…}` that holds a slash is multiplied out, since a component cannot.
fn expand_slashes(pattern: &str) -> Outcome<Vec<String>> {
    let mut expanded = Vec::new();
    let mut open = vec![pattern.to_owned()];
    while let Some(pattern) = open.pop() {
        match group_with_slash(&pattern)? {
            None => expanded.push(pattern),
            Some((start, end)) => {
                for alternative in split_alternatives(&pattern[start + 1..end]).into_iter().rev() {
                    open.push(format!("{}{alternative}{}", &pattern[..start], &pattern[end + 1..]));
                }
            }
        }
    }
    Ok(expanded)
}

/// Positions of the braces of the first outer group that holds a slash.
fn group_with_slash(pattern: &str) -> Outcome<Option<(usize, usize)>> {
    let (mut depth, mut start, mut slash) = (0_usize, 0, false);
    let mut chars = pattern.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' if chars.next().is_none() => {
                return Err(Failure::io(format!(
                    "Illegal file pattern: An escaped character does not present for glob {pattern} at {}",
                    at + 1
                )));
            }
            '{' => {
                if depth == 0 {
                    (start, slash) = (at, false);
                }
                depth += 1;
            }
            '}' if depth > 0 => {
                depth -= 1;
                if depth == 0 && slash {
                    return Ok(Some((start, at)));
                }
            }
            '/' if depth > 0 => slash = true,
            _ => {}
        }
    }
    Ok(None)
}

/// The parts between the commas of a group, inner groups left whole.
fn split_alternatives(group: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut depth = 0_usize;
    let mut chars = group.chars();
    while let Some(c) = chars.next() {
        match c {
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        let part = parts.last_mut().expect("parts are never empty");
        part.push(c);
        if c == '\\' {
            part.extend(chars.next());
        }
    }
    parts
}

/// One component of a pattern: the alternatives that its groups multiply out to.
pub(crate) struct Component {
    alternatives: Vec<Vec<Token>>,
    has_wildcard: bool,
}

enum Token {
    Literal(char),
    Any,
    One,
    Class { negated: bool, ranges: Vec<(char, char)> },
}

impl Component {
    pub(crate) fn parse(pattern: &str) -> Outcome<Self> {
        let alternatives = expand_groups(pattern)?;
        let has_wildcard = alternatives.len() > 1
            || alternatives.iter().flatten().any(|token| !matches!(token, Token::Literal(_)))
            || has_open_brace(pattern);
        Ok(Self { alternatives, has_wildcard })
    }

    pub(crate) fn matches(&self, name: &str) -> bool {
        let name: Vec<char> = name.chars().collect();
        self.alternatives.iter().any(|tokens| matches(tokens, &name))
    }
}

fn has_open_brace(pattern: &str) -> bool {
    let mut escaped = false;
    pattern.chars().any(|c| {
        let open = c == '{' && !escaped;
        escaped = c == '\\' && !escaped;
        open
    })
}

fn illegal(what: &str, pattern: &str) -> Failure {
    let position = pattern.chars().count();
    let message = format!("error parsing regexp: {what} at pos {position}: `{pattern}`");
    Failure::io(format!("Illegal file pattern: {message}"))
}

/// Multiplies groups out, innermost last, and reads what is left as tokens.
fn expand_groups(pattern: &str) -> Outcome<Vec<Vec<Token>>> {
    let mut done = Vec::new();
    let mut open = vec![pattern.to_owned()];
    while let Some(pattern) = open.pop() {
        match first_group(&pattern)? {
            None => done.push(tokens(&pattern)?),
            Some((start, end)) => {
                for alternative in split_alternatives(&pattern[start + 1..end]) {
                    open.push(format!("{}{alternative}{}", &pattern[..start], &pattern[end + 1..]));
                }
            }
        }
    }
    Ok(done)
}

fn first_group(pattern: &str) -> Outcome<Option<(usize, usize)>> {
    let (mut depth, mut start) = (0_usize, 0);
    let mut chars = pattern.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => drop(chars.next()),
            '{' => {
                if depth == 0 {
                    start = at;
                }
                depth += 1;
            }
            '}' if depth > 0 => {
                depth -= 1;
                if depth == 0 {
                    return Ok(Some((start, at)));
                }
            }
            _ => {}
        }
    }
    if depth > 0 { Err(illegal("Unclosed group", pattern)) } else { Ok(None) }
}

fn tokens(pattern: &str) -> Outcome<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        tokens.push(match c {
            '*' => Token::Any,
            '?' => Token::One,
            '\\' => Token::Literal(
                chars.next().ok_or_else(|| illegal("Missing escaped character", pattern))?,
            ),
            '[' => {
                let negated = chars.next_if(|c| matches!(c, '^' | '!')).is_some();
                let mut ranges = Vec::new();
                loop {
                    let unclosed = || illegal("Unclosed character class", pattern);
                    let low = match chars.next().ok_or_else(unclosed)? {
                        ']' => break,
                        '\\' => chars.next().ok_or_else(unclosed)?,
                        c => c,
                    };
                    let high = match chars.next_if_eq(&'-') {
                        Some(_) if chars.peek() != Some(&']') => {
                            chars.next().ok_or_else(unclosed)?
                        }
                        Some(_) => {
                            ranges.push(('-', '-'));
                            low
                        }
                        None => low,
                    };
                    ranges.push((low, high));
                }
                Token::Class { negated, ranges }
            }
            c => Token::Literal(c),
        });
    }
    Ok(tokens)
}

/// Greedy matching that remembers the last `*` only: linear space, no recursion.
fn matches(tokens: &[Token], name: &[char]) -> bool {
    let (mut token, mut at) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        let fits = match (tokens.get(token), name.get(at)) {
            (None, None) => return true,
            (Some(Token::Any), _) => {
                retry = Some((token + 1, at));
                token += 1;
                continue;
            }
            (Some(Token::Literal(literal)), Some(c)) => literal == c,
            (Some(Token::One), Some(_)) => true,
            (Some(Token::Class { negated, ranges }), Some(c)) => {
                ranges.iter().any(|(low, high)| low <= c && c <= high) != *negated
            }
            _ => false,
        };
        if fits {
            (token, at) = (token + 1, at + 1);
        } else {
            let Some((after, start)) = retry.filter(|(_, start)| *start < name.len()) else {
                return false;
            };
            retry = Some((after, start + 1));
            (token, at) = (after, start + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(pattern: &str, name: &str) -> bool {
        Component::parse(pattern).expect(pattern).matches(name)
    }

    #[test]
    fn wildcards_match_as_in_hadoop() {
        for (pattern, name) in [
            ("*", "anything"),
            ("a*b*c", "axxbyybc"),
            ("?b", "ab"),
            ("[a-c]x", "bx"),
            ("[^a-c]x", "dx"),
            ("[!a]", "b"),
            ("{ab,c{d,e}}f", "cef"),
            ("{a*,b}", "axyz"),
            ("\\*", "*"),
            ("a.b+c", "a.b+c"),
            ("[a-]", "-"),
        ] {
            assert!(fits(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in
            [("?", ""), ("a*b", "abc"), ("[a-c]", "d"), ("a.b", "axb"), ("{a,b}", "c")]
        {
            assert!(!fits(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn only_real_wildcards_count() {
        assert!(!Component::parse("a\\*b").expect("escaped").has_wildcard);
        assert!(!Component::parse("a}b,c").expect("plain").has_wildcard);
        assert!(Component::parse("{a}").expect("group").has_wildcard);
        assert!(Component::parse("[").is_err() && Component::parse("{a").is_err());
    }

    #[test]
    fn groups_with_slashes_are_multiplied_out() {
        let expanded = expand_slashes("/a/{b/c,d}/{e,f}").expect("valid");
        assert_eq!(expanded, ["/a/b/c/{e,f}", "/a/d/{e,f}"]);
        assert!(expand_slashes("a\\").is_err());
    }
}
