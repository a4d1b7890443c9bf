//! `-find`.
//!
//! The only operator is "and", so an expression is a list of tests and actions that are tried in their order.
//!
//! Hadoop: org.apache.hadoop.fs.shell.find.Find (3.5.0)

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

impl Find {
    fn parse(&mut self, words: Vec<String>) -> Outcome<()> {
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "-a" | "-and" | "(" | ")" => {}
                "-print" => self.expression.push(Primary::Print { end: b'\n' }),
                "-print0" => self.expression.push(Primary::Print { end: 0 }),
                "-name" | "-iname" => {
                    let pattern = words.next();
                    let pattern = pattern
                        .ok_or_else(|| Failure::Fatal("java.util.NoSuchElementException".into()))?;
                    let any_case = word == "-iname";
                    let pattern = if any_case { pattern.to_lowercase() } else { pattern };
                    let pattern = Component::parse(&pattern)?;
                    self.expression.push(Primary::Name { pattern, any_case });
                }
                _ => return Err(Failure::io(format!("Unexpected argument: {word}"))),
            }
        }
        if !self.expression.iter().any(|primary| matches!(primary, Primary::Print { .. })) {
            self.expression.push(Primary::Print { end: b'\n' });
        }
        Ok(())
    }
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
