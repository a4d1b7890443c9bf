//! Reading the files of a configuration in Hadoop's order.
//!
//! Later files win over earlier ones, but not over what an earlier one declared `final`; `-D` overrides win over
//! everything. Hadoop puts its defaults of HDFS between core-site.xml and hdfs-site.xml, so a key that has a default in
//! hdfs-default.xml cannot be set in core-site.xml: we keep to that, and warn.

use std::collections::{BTreeMap, BTreeSet};

use hdfs_types::{Error, Result};

use crate::configuration::Value;
use crate::xml::{self, Item, Property};
use crate::{Configuration, Environment, Warning, keys, unknown};

/// Includes inside includes; a file that includes itself ends here.
const MAX_INCLUDE_DEPTH: usize = 16;
/// The source of values given on the command line, as Hadoop names it.
const COMMAND_LINE: &str = "from command line";

/// Reads files for [`load`].
pub trait Source {
    /// The bytes of a file, or `None` when there is none.
    ///
    /// # Errors
    /// When the file exists and cannot be read; the message names it.
    fn read(&mut self, path: &str) -> Result<Option<Vec<u8>>>;
}

impl<F: FnMut(&str) -> Result<Option<Vec<u8>>>> Source for F {
    fn read(&mut self, path: &str) -> Result<Option<Vec<u8>>> {
        self(path)
    }
}

/// What to load.
#[derive(Clone, Debug, Default)]
pub struct Load {
    /// Folders that are searched for core-site.xml and hdfs-site.xml; the first that has the file counts.
    pub directories: Vec<String>,
    /// More files (`-conf`), which must exist.
    pub files: Vec<String>,
    /// `-D key=value`.
    pub overrides: Vec<(String, String)>,
    /// The process, for `${var}`.
    pub environment: Environment,
}

/// Loads a configuration.
///
/// # Errors
/// When a file cannot be read or is no configuration, or when a value's variables go round in circles. The message names
/// the file and the line, or the key.
pub fn load(request: Load, source: &mut dyn Source) -> Result<Configuration> {
    let mut loader = Loader { source, layers: Layers::default() };
    for name in ["core-site.xml", "hdfs-site.xml"] {
        for directory in &request.directories {
            let path = format!("{}/{name}", directory.trim_end_matches('/'));
            if let Some(bytes) = loader.source.read(&path)? {
                loader.file(&path, &bytes, 0)?;
                break;
            }
        }
        if name == "core-site.xml" {
            loader.layers.apply_hdfs_defaults();
        }
    }
    for path in &request.files {
        let bytes = loader.source.read(path)?;
        let bytes =
            bytes.ok_or_else(|| Error::io(format!("configuration file {path} not found")))?;
        loader.file(path, &bytes, 0)?;
    }
    let Layers { values, mut warnings, .. } = loader.layers;
    let mut configuration = Configuration::from_parts(request.environment, values)?;
    for (name, value) in &request.overrides {
        warnings.extend(odd_name(name, COMMAND_LINE));
        configuration.set_from(name, value, COMMAND_LINE)?;
    }
    warnings.extend(configuration.check_values());
    configuration.warnings = warnings;
    Ok(configuration)
}

struct Loader<'a> {
    source: &'a mut dyn Source,
    layers: Layers,
}

impl Loader<'_> {
    fn file(&mut self, path: &str, bytes: &[u8], depth: usize) -> Result<()> {
        let text = std::str::from_utf8(bytes)
            .map_err(|error| Error::io(format!("{path}: not UTF-8: {error}")).with_source(error))?;
        let items = xml::parse(text.trim_start_matches('\u{feff}')).map_err(|error| {
            Error::io(format!("error parsing conf {path}, line {}: {}", error.line, error.message))
        })?;
        self.items(path, items, depth)
    }

    fn items(&mut self, path: &str, items: Vec<Item>, depth: usize) -> Result<()> {
        for item in items {
            match item {
                Item::Property(property) => self.layers.add(property, path),
                Item::Include { href, fallback } => self.include(path, &href, fallback, depth)?,
            }
        }
        Ok(())
    }

    fn include(
        &mut self,
        path: &str,
        href: &str,
        fallback: Option<Vec<Item>>,
        depth: usize,
    ) -> Result<()> {
        if depth >= MAX_INCLUDE_DEPTH {
            return Err(Error::io(format!(
                "{path}: more than {MAX_INCLUDE_DEPTH} includes inside each other"
            )));
        }
        let included = relative(path, href);
        match (self.source.read(&included)?, fallback) {
            (Some(bytes), _) => self.file(&included, &bytes, depth + 1),
            (None, Some(items)) => self.items(path, items, depth),
            (None, None) => Err(Error::io(format!(
                "Fetch fail on include for '{href}' with no fallback while loading '{path}'"
            ))),
        }
    }
}

/// The path of an included file: below the folder of the file that includes it, unless it is absolute.
fn relative(path: &str, href: &str) -> String {
    let href = href.strip_prefix("file://").or_else(|| href.strip_prefix("file:")).unwrap_or(href);
    match path.rsplit_once('/') {
        Some((folder, _)) if !href.starts_with('/') => format!("{folder}/{href}"),
        _ => href.to_owned(),
    }
}

/// What is to be said about a key's name.
fn odd_name(name: &str, source: &str) -> Option<Warning> {
    let (name, source) = (name.to_owned(), source.to_owned());
    if let Some(current) = keys::renamed(&name) {
        return Some(Warning::Deprecated { name, current, source });
    }
    let odd = unknown::has_our_prefix(&name) && !unknown::is_known(&name);
    odd.then(|| Warning::Unknown { nearest: unknown::nearest(&name), name, source })
}

/// What the files so far say.
#[derive(Default)]
struct Layers {
    values: BTreeMap<String, Value>,
    finals: BTreeSet<String>,
    warnings: Vec<Warning>,
}

impl Layers {
    fn add(&mut self, property: Property, path: &str) {
        let Property { name, value, is_final } = property;
        self.warnings.extend(odd_name(&name, path));
        let key = keys::renamed(&name).map_or(name, str::to_owned);
        if let Some(raw) = value {
            if !self.finals.contains(&key) {
                self.values.insert(key.clone(), Value { raw, source: path.to_owned() });
            } else if self.values.get(&key).is_none_or(|kept| kept.raw != raw) {
                self.warnings.push(Warning::Final { name: key.clone(), source: path.to_owned() });
            }
        }
        if is_final {
            self.finals.insert(key);
        }
    }

    /// The defaults of hdfs-default.xml replace what core-site.xml says about the same keys, unless it is final.
    fn apply_hdfs_defaults(&mut self) {
        let finals = &self.finals;
        let hidden: Vec<String> = self
            .values
            .keys()
            .filter(|name| !finals.contains(*name) && unknown::has_hdfs_default(name))
            .cloned()
            .collect();
        for name in hidden {
            if let Some(value) = self.values.remove(&name) {
                self.warnings.push(Warning::Hidden { name, source: value.source });
            }
        }
    }
}
