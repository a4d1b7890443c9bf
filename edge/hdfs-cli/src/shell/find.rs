//! `-find`.
//!
//! The only operator is "and", so an expression is a list of tests and actions that are tried in their order.
//!
//! Hadoop: org.apache.hadoop.fs.shell.find.Find (3.5.0)

use std::collections::VecDeque;

use super::Shell;
use super::arguments::Options;
use super::failure::{Failure, Outcome};
use super::files::Kind;
use super::glob::Component;
use super::path;
use super::walk::{Command, PathData};

/// `-find`.
#[derive(Default)]
pub(crate) struct Find {
    expression: Vec<Primary>,
    /// `-L`, `-H`.
    follow: bool,
    follow_arguments: bool,
}

/// A test or an action.
enum Primary {
    Name { pattern: Component, any_case: bool },
    Print { end: u8 },
}

/// Tests and actions that are tried in this order until one fails.
type Conjunction = Vec<Primary>;

/// The two stacks of Hadoop's parser, of which one holds "and"s only.
#[derive(Default)]
struct Stacks {
    operands: VecDeque<Conjunction>,
    operators: usize,
}

impl Stacks {
    /// Joins operands until no operator waits.
    fn reduce(&mut self) -> Outcome<()> {
        while self.operators > 0 {
            self.operators -= 1;
            let (last, first) = (self.operands.pop_front(), self.operands.pop_front());
            let (Some(last), Some(mut first)) = (last, first) else {
                return Err(no_such_element());
            };
            first.extend(last);
            self.operands.push_front(first);
        }
        Ok(())
    }
}

/// What Java throws where a word is missing.
fn no_such_element() -> Failure {
    Failure::Fatal("java.util.NoSuchElementException".into())
}

impl Find {
    fn parse(&mut self, words: Vec<String>) -> Outcome<()> {
        self.expression = conjunction(&mut words.into_iter())?;
        if !self.expression.iter().any(|primary| matches!(primary, Primary::Print { .. })) {
            self.expression.push(Primary::Print { end: b'\n' });
        }
        Ok(())
    }
}

/// Reads up to the closing bracket or the end. Groups side by side are not joined: only the first counts, as in Hadoop.
fn conjunction(words: &mut std::vec::IntoIter<String>) -> Outcome<Conjunction> {
    let mut stacks = Stacks::default();
    let mut after_operator = true;
    while let Some(word) = words.next() {
        let primary = match word.as_str() {
            "(" => {
                stacks.operands.push_back(conjunction(words)?);
                after_operator = false;
                continue;
            }
            ")" => break,
            "-a" | "-and" => {
                stacks.reduce()?;
                stacks.operators += 1;
                after_operator = true;
                continue;
            }
            "-print" => Primary::Print { end: b'\n' },
            "-print0" => Primary::Print { end: 0 },
            "-name" | "-iname" => {
                let pattern = words.next().ok_or_else(no_such_element)?;
                let any_case = word == "-iname";
                let pattern = if any_case { pattern.to_lowercase() } else { pattern };
                Primary::Name { pattern: Component::parse(&pattern)?, any_case }
            }
            _ => return Err(Failure::io(format!("Unexpected argument: {word}"))),
        };
        if !after_operator {
            stacks.reduce()?;
            stacks.operators += 1;
        }
        stacks.operands.push_front(vec![primary]);
        after_operator = false;
    }
    stacks.reduce()?;
    Ok(stacks.operands.pop_front().unwrap_or_else(|| vec![Primary::Print { end: b'\n' }]))
}

impl Command for Find {
    fn configure(
        &mut self,
        _shell: &mut Shell,
        options: &Options,
        args: &mut Vec<String>,
    ) -> Outcome<()> {
        self.follow = options.has("L");
        self.follow_arguments = options.has("H");
        let paths = args.iter().position(|arg| arg.starts_with('-')).unwrap_or(args.len());
        let words = args.split_off(paths);
        if args.is_empty() {
            args.push(".".into());
        }
        self.parse(words)
    }

    fn is_recursive(&self) -> bool {
        true
    }

    fn visit(&mut self, shell: &mut Shell, item: &PathData) -> Outcome<()> {
        let follows = self.follow || (self.follow_arguments && shell.depth == 0);
        if follows && item.known()?.kind == Kind::Symlink {
            return Err(Failure::path(&item.text, "cannot follow a symbolic link"));
        }
        for primary in &self.expression {
            match primary {
                Primary::Print { end } => {
                    shell.out.bytes(item.text.as_bytes());
                    shell.out.bytes(&[*end]);
                }
                Primary::Name { pattern, any_case } => {
                    let name = path::name(&item.path);
                    let fits = match any_case {
                        true => pattern.matches(&name.to_lowercase()),
                        false => pattern.matches(name),
                    };
                    if !fits {
                        break;
                    }
                }
            }
        }
        Ok(())
    }
}
