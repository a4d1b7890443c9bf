//! How every command walks over its arguments: expand globs, visit each path, descend, go on after an error.
//!
//! Hadoop: org.apache.hadoop.fs.shell.Command, PathData (3.5.0)

use std::sync::Arc;

use super::Shell;
use super::arguments::Options;
use super::failure::{Failure, Outcome};
use super::files::{FileSystem, Stat};
use super::path::{self, ParsedPath};

/// Entries of a directory that a recursive listing handles at a time.
const GROUP: usize = 100;

/// A path, what it names, and how the user wrote it.
#[derive(Clone)]
pub(crate) struct PathData {
    pub fs: Arc<dyn FileSystem>,
    /// As it was written, or as it follows from that: what messages show.
    pub text: String,
    /// Absolute path inside `fs`.
    pub path: String,
    /// `None` when there is nothing.
    pub stat: Option<Stat>,
}

impl PathData {
    pub(crate) fn exists(&self) -> bool {
        self.stat.is_some()
    }

    pub(crate) fn is_dir(&self) -> bool {
        self.stat.as_ref().is_some_and(Stat::is_dir)
    }

    pub(crate) fn is_file(&self) -> bool {
        self.stat.as_ref().is_some_and(Stat::is_file)
    }

    /// What is known about an existing path.
    pub(crate) fn known(&self) -> Outcome<&Stat> {
        self.stat.as_ref().ok_or_else(|| Failure::not_found(&self.text))
    }

    /// Looks again.
    pub(crate) fn refresh(&mut self) -> Outcome<()> {
        self.stat = self.fs.stat(&self.path)?;
        if self.exists() { Ok(()) } else { Err(Failure::not_found(&self.text)) }
    }

    /// `hdfs://host:port/path`.
    pub(crate) fn qualified(&self) -> String {
        format!("{}{}", self.fs.prefix(), self.path)
    }

    /// The same as a URI, which has three slashes for a local file that was written from the root on.
    pub(crate) fn uri(&self) -> String {
        let prefix = self.fs.prefix();
        let from_root = self.text.starts_with('/') || self.text.starts_with("file:///");
        let slashes = if prefix == "file:" && from_root { "//" } else { "" };
        format!("{prefix}{slashes}{}", self.path)
    }

    /// True when the text ends as only directories do.
    pub(crate) fn looks_like_directory(&self) -> bool {
        matches!(path::name(&self.text), "" | "." | "..")
    }

    pub(crate) fn parent_exists(&self) -> Outcome<bool> {
        let path = match path::parent(&self.path) {
            Some(parent) if !self.looks_like_directory() => parent,
            _ => &self.path,
        };
        Ok(self.fs.stat(path)?.is_some())
    }

    fn child_text(&self, name: &str) -> String {
        if self.text == "." { name.to_owned() } else { path::join(&self.text, name) }
    }

    /// The path of this name below this directory.
    pub(crate) fn child(&self, name: &str) -> Outcome<Self> {
        match &self.stat {
            None => return Err(Failure::not_found(&self.text)),
            Some(stat) if !stat.is_dir() => return Err(Failure::is_no_directory(&self.text)),
            Some(_) => {}
        }
        let path = path::join(&self.path, name);
        let stat = self.fs.stat(&path)?;
        Ok(Self { fs: Arc::clone(&self.fs), text: self.child_text(name), path, stat })
    }

    /// An entry of this directory.
    fn child_of(&self, stat: Stat) -> Self {
        Self {
            fs: Arc::clone(&self.fs),
            text: self.child_text(path::name(&stat.path)),
            path: stat.path.clone(),
            stat: Some(stat),
        }
    }

    /// The entries of this directory, in the order of their file system.
    pub(crate) fn children(&self) -> Outcome<Vec<Self>> {
        Ok(self.fs.list(&self.path)?.into_iter().map(|stat| self.child_of(stat)).collect())
    }
}

impl Shell {
    /// The path itself, without globbing.
    pub(crate) fn literal(&mut self, text: &str) -> Outcome<PathData> {
        let parsed = ParsedPath::parse(text)?;
        let fs = self.file_system(&parsed)?;
        let path = parsed.absolute(&fs.working_directory());
        let stat = fs.stat(&path)?;
        Ok(PathData { fs, text: text.to_owned(), path, stat })
    }

    /// A path on the local file system, whatever the default one is; `file:` in front is allowed.
    pub(crate) fn local(&mut self, text: &str) -> Outcome<PathData> {
        let plain = match ParsedPath::parse(text)? {
            ParsedPath { scheme: None, .. } => text.to_owned(),
            parsed => parsed.absolute("/"),
        };
        let fs = self.local_file_system();
        let parsed = ParsedPath { scheme: None, authority: None, path: path::normalize(&plain) };
        let path = parsed.absolute(&fs.working_directory());
        let stat = fs.stat(&path)?;
        Ok(PathData { fs, text: plain, path, stat })
    }

    /// What a pattern matches; a pattern without wildcards gives its path even when nothing is there.
    pub(crate) fn glob(&mut self, pattern: &str) -> Outcome<Vec<PathData>> {
        let parsed = ParsedPath::parse(pattern)?;
        let fs = self.file_system(&parsed)?;
        let Some(found) = super::glob::glob(&*fs, &parsed)? else {
            let text = super::glob::unescape(pattern);
            let path = ParsedPath::parse(&text)?.absolute(&fs.working_directory());
            return Ok(vec![PathData { fs, text, path, stat: None }]);
        };
        let working_directory = fs.working_directory();
        let show = |stat: &Stat| match (&parsed.scheme, &parsed.authority) {
            (Some(_), Some(_)) => format!("{}{}", fs.prefix(), stat.path),
            (Some(scheme), None) => format!("{scheme}://{}", stat.path),
            _ if parsed.path.starts_with('/') => stat.path.clone(),
            _ => path::relativize(&working_directory, &stat.path, stat.is_dir()),
        };
        Ok(found
            .into_iter()
            .map(|stat| PathData {
                fs: Arc::clone(&fs),
                text: show(&stat),
                path: stat.path.clone(),
                stat: Some(stat),
            })
            .collect())
    }

    /// The same, when something must match.
    pub(crate) fn glob_required(&mut self, pattern: &str) -> Outcome<Vec<PathData>> {
        let found = self.glob(pattern)?;
        if found.is_empty() { Err(Failure::not_found(pattern)) } else { Ok(found) }
    }
}

/// A command. Only [`Command::visit`] is always its own; the rest is how most commands walk.
pub(crate) trait Command {
    /// Changes arguments before options are read.
    fn prepare(&mut self, _shell: &mut Shell, _args: &mut Vec<String>) -> Outcome<()> {
        Ok(())
    }

    /// Takes the options, and those arguments that are no paths.
    fn configure(
        &mut self,
        _shell: &mut Shell,
        _options: &Options,
        _args: &mut Vec<String>,
    ) -> Outcome<()> {
        Ok(())
    }

    /// Does the work for these arguments.
    fn run(&mut self, shell: &mut Shell, args: Vec<String>) -> Outcome<()> {
        let mut items = Vec::new();
        for arg in args {
            match self.expand(shell, &arg) {
                Ok(found) => items.extend(found),
                Err(failure) => shell.report(failure)?,
            }
        }
        self.arguments(shell, items)
    }

    fn expand(&mut self, shell: &mut Shell, arg: &str) -> Outcome<Vec<PathData>> {
        shell.glob_required(arg)
    }

    fn arguments(&mut self, shell: &mut Shell, items: Vec<PathData>) -> Outcome<()> {
        self.each_argument(shell, items)
    }

    fn each_argument(&mut self, shell: &mut Shell, items: Vec<PathData>) -> Outcome<()> {
        for item in items {
            let done =
                if item.exists() { self.existing(shell, item) } else { self.missing(shell, item) };
            shell.or_report(done)?;
        }
        Ok(())
    }

    fn existing(&mut self, shell: &mut Shell, item: PathData) -> Outcome<()> {
        shell.depth = 0;
        self.items(shell, None, vec![item])
    }

    fn missing(&mut self, _shell: &mut Shell, item: PathData) -> Outcome<()> {
        Err(Failure::not_found(&item.text))
    }

    /// Visits items: arguments, or entries of `parent`.
    fn items(
        &mut self,
        shell: &mut Shell,
        parent: Option<&PathData>,
        items: Vec<PathData>,
    ) -> Outcome<()> {
        let _ = parent;
        self.each_item(shell, items)
    }

    fn each_item(&mut self, shell: &mut Shell, items: Vec<PathData>) -> Outcome<()> {
        for item in items {
            let done = self.item(shell, &item);
            shell.or_report(done)?;
        }
        Ok(())
    }

    fn item(&mut self, shell: &mut Shell, item: &PathData) -> Outcome<()> {
        self.visit(shell, item)?;
        if self.is_recursive() && item.is_dir() {
            self.descend(shell, item)?;
        }
        self.leave(shell, item)
    }

    fn is_recursive(&self) -> bool {
        false
    }

    /// Entries come in groups of 100 unless this is true.
    fn whole_directories(&self) -> bool {
        true
    }

    /// Entries come by name, and not as their file system has them.
    fn is_sorted(&self) -> bool {
        false
    }

    fn visit(&mut self, shell: &mut Shell, item: &PathData) -> Outcome<()>;

    fn leave(&mut self, _shell: &mut Shell, _item: &PathData) -> Outcome<()> {
        Ok(())
    }

    fn descend(&mut self, shell: &mut Shell, item: &PathData) -> Outcome<()> {
        self.descend_into(shell, item)
    }

    fn descend_into(&mut self, shell: &mut Shell, item: &PathData) -> Outcome<()> {
        if !self.whole_directories() {
            return self.descend_in_groups(shell, item);
        }
        let mut children = item.children()?;
        if self.is_sorted() {
            children.sort_by(|one, other| one.path.cmp(&other.path));
        }
        shell.depth += 1;
        let done = self.items(shell, Some(item), children);
        shell.depth -= 1;
        done
    }

    /// Visits entries while the rest of them is still to come, so that a directory of any size needs little memory.
    fn descend_in_groups(&mut self, shell: &mut Shell, item: &PathData) -> Outcome<()> {
        let mut entries = item.fs.entries(&item.path)?;
        loop {
            let group = entries.by_ref().take(GROUP).collect::<Outcome<Vec<Stat>>>()?;
            if group.is_empty() {
                return Ok(());
            }
            shell.depth += 1;
            let group = group.into_iter().map(|stat| item.child_of(stat)).collect();
            let done = self.items(shell, Some(item), group);
            shell.depth -= 1;
            done?;
        }
    }

    /// What is left when all arguments are done.
    fn finish(&mut self, _shell: &mut Shell) -> Outcome<()> {
        Ok(())
    }
}
