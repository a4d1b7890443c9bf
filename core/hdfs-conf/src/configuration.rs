//! The configuration and its typed getters.

use std::collections::BTreeMap;
use std::time::Duration;

use hdfs_types::{Error, ErrorKind, Result};

use crate::value::{self, Refusal};
use crate::{Key, Kind, TimeUnit, Warning, expand, keys};

/// What `${var}` may refer to besides keys.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// The process's environment, for `${env.NAME}`.
    pub variables: BTreeMap<String, String>,
    /// What Java calls system properties: `user.name`, `user.home`, `java.io.tmpdir`, `hadoop.log.dir` …
    pub properties: BTreeMap<String, String>,
}

/// A value as it was written, and where.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    pub raw: String,
    pub source: String,
}

/// A loaded configuration.
///
/// **Invariant:** `expanded` holds every key that is set or has a default, with its variables expanded.
#[derive(Clone, Debug, Default)]
pub struct Configuration {
    environment: Environment,
    values: BTreeMap<String, Value>,
    expanded: BTreeMap<String, String>,
    pub(crate) warnings: Vec<Warning>,
}

impl Configuration {
    /// A configuration that holds the defaults only.
    ///
    /// # Panics
    /// Never: the defaults expand.
    pub fn new() -> Self {
        Self::from_parts(Environment::default(), BTreeMap::new())
            .expect("the defaults refer to each other without circles")
    }

    pub(crate) fn from_parts(
        environment: Environment,
        values: BTreeMap<String, Value>,
    ) -> Result<Self> {
        let mut configuration =
            Self { environment, values, expanded: BTreeMap::new(), warnings: Vec::new() };
        configuration.expand()?;
        Ok(configuration)
    }

    /// Sets a key, as the program itself: it wins over files, even where they say `final`.
    ///
    /// # Errors
    /// When variables go round in circles now.
    pub fn set(&mut self, name: &str, value: &str) -> Result<()> {
        self.set_from(name, value, "programmatically")
    }

    pub(crate) fn set_from(&mut self, name: &str, value: &str, source: &str) -> Result<()> {
        let name = current_name(name).to_owned();
        self.values.insert(name, Value { raw: value.to_owned(), source: source.to_owned() });
        self.expand()
    }

    fn expand(&mut self) -> Result<()> {
        let mut expanded = BTreeMap::new();
        let defaults = keys::all().filter_map(|key| Some((key.name, key.default?)));
        let explicit = self.values.iter().map(|(name, value)| (name.as_str(), value.raw.as_str()));
        for (name, raw) in defaults.chain(explicit) {
            let lookup = |other: &str| self.get_raw(other).map(str::to_owned);
            let text =
                expand::expand(raw, &self.environment, lookup).map_err(|expand::TooDeep| {
                    let source = self.source(name).unwrap_or("the defaults");
                    let message = format!(
                        "Variable substitution depth too large: 20 {raw} (in {name}, {source})"
                    );
                    Error::new(ErrorKind::IllegalState, message)
                })?;
            expanded.insert(name.to_owned(), text);
        }
        self.expanded = expanded;
        Ok(())
    }

    /// What is odd about this configuration; to be logged once.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The value of any key by name, old or new, with variables expanded: for command lines and web pages.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.expanded.get(current_name(name.trim())).map(String::as_str)
    }

    /// The same as it was written.
    pub fn get_raw(&self, name: &str) -> Option<&str> {
        let name = current_name(name);
        match self.values.get(name) {
            Some(value) => Some(&value.raw),
            None => keys::find(name).and_then(|key| key.default),
        }
    }

    /// Where a key was set; `None` for a default.
    pub fn source(&self, name: &str) -> Option<&str> {
        self.values.get(current_name(name)).map(|value| value.source.as_str())
    }

    /// Every key that is set or has a default, with its expanded value, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.expanded.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// True when something else than the default table sets the key.
    pub fn is_set(&self, key: &Key) -> bool {
        self.values.contains_key(key.name)
    }

    fn trimmed(&self, key: &Key) -> Option<&str> {
        self.expanded.get(key.name).map(|value| value.trim())
    }

    /// A text, trimmed; empty when it is unset.
    pub fn get_str(&self, key: &Key) -> &str {
        self.trimmed(key).unwrap_or_default()
    }

    /// A text, trimmed; `None` when it is unset or empty.
    pub fn get_opt(&self, key: &Key) -> Option<&str> {
        self.trimmed(key).filter(|value| !value.is_empty())
    }

    /// The value of `<key>.<suffix>.<suffix>…` (empty suffixes are skipped), as nameservices have them.
    pub fn get_suffixed(&self, key: &Key, suffixes: &[&str]) -> Option<&str> {
        let mut name = key.name.to_owned();
        for suffix in suffixes.iter().filter(|suffix| !suffix.is_empty()) {
            name.push('.');
            name.push_str(suffix);
        }
        self.get(&name).map(str::trim).filter(|value| !value.is_empty())
    }

    /// A list of texts between commas, without blanks and empty parts.
    pub fn get_list(&self, key: &Key) -> Vec<&str> {
        value::list(self.get_str(key))
    }

    /// A boolean. As in Hadoop, anything but `true` and `false` means the default ([`Self::warnings`] names it).
    pub fn get_bool(&self, key: &Key) -> bool {
        self.get_opt_bool(key).or_else(|| key.default.and_then(parse_bool)).unwrap_or(false)
    }

    /// A boolean that may be unset.
    pub fn get_opt_bool(&self, key: &Key) -> Option<bool> {
        self.trimmed(key).and_then(parse_bool)
    }

    /// A whole number, or a number of bytes.
    ///
    /// # Errors
    /// When the text is none, or the key is unset and has no default: the message names key, value and file.
    pub fn get_i64(&self, key: &Key) -> Result<i64> {
        self.number(key, |text| match key.kind {
            Kind::Bytes => value::bytes(text),
            _ => value::int(text),
        })
    }

    /// A whole number that is not negative.
    ///
    /// # Errors
    /// As [`Self::get_i64`], and for a negative one.
    pub fn get_u64(&self, key: &Key) -> Result<u64> {
        self.narrow(key)
    }

    /// A whole number that is not negative and fits.
    ///
    /// # Errors
    /// As [`Self::get_u64`].
    pub fn get_u32(&self, key: &Key) -> Result<u32> {
        self.narrow(key)
    }

    /// A whole number that is not negative and fits.
    ///
    /// # Errors
    /// As [`Self::get_u64`].
    pub fn get_u16(&self, key: &Key) -> Result<u16> {
        self.narrow(key)
    }

    /// A whole number that is not negative and fits.
    ///
    /// # Errors
    /// As [`Self::get_u64`].
    pub fn get_usize(&self, key: &Key) -> Result<usize> {
        self.narrow(key)
    }

    /// As [`Self::get_i64`], `None` when the key is unset and has no default.
    ///
    /// # Errors
    /// When the text is no number.
    pub fn get_opt_i64(&self, key: &Key) -> Result<Option<i64>> {
        self.get_opt(key).map(|_| self.get_i64(key)).transpose()
    }

    /// A number.
    ///
    /// # Errors
    /// When the text is none.
    pub fn get_f64(&self, key: &Key) -> Result<f64> {
        self.number(key, value::float)
    }

    /// A time.
    ///
    /// # Errors
    /// When the text is none, or negative.
    pub fn get_duration(&self, key: &Key) -> Result<Duration> {
        let nanos = self.nanos(key)?;
        let nanos = u64::try_from(nanos)
            .map_err(|_| self.refuse(key, "it must be 0 or more, and below 585 years"))?;
        Ok(Duration::from_nanos(nanos))
    }

    /// A time in milliseconds, rounded towards zero; may be negative, which some keys take for "never".
    ///
    /// # Errors
    /// When the text is none.
    pub fn get_millis(&self, key: &Key) -> Result<i64> {
        let millis = self.nanos(key)? / value::nanos_per(TimeUnit::Millis);
        i64::try_from(millis).map_err(|_| self.refuse(key, "it is too long"))
    }

    fn nanos(&self, key: &Key) -> Result<i128> {
        let Kind::Time(unit) = key.kind else { return Err(self.refuse(key, "it is no time")) };
        self.number(key, |text| value::time(text, unit))
    }

    fn narrow<T: TryFrom<i64>>(&self, key: &Key) -> Result<T> {
        T::try_from(self.get_i64(key)?).map_err(|_| self.refuse(key, "it is out of range"))
    }

    fn number<T>(&self, key: &Key, parse: impl Fn(&str) -> Result<T, Refusal>) -> Result<T> {
        parse(self.get_str(key)).map_err(|why| self.refuse(key, &why))
    }

    fn refuse(&self, key: &Key, why: &str) -> Error {
        let message = match (self.source(key.name), self.get_opt(key)) {
            (Some(source), _) => {
                format!(
                    "Invalid value \"{}\" of {} in {source}: {why}",
                    self.get_str(key),
                    key.name
                )
            }
            (None, Some(value)) => format!("Invalid default \"{value}\" of {}: {why}", key.name),
            (None, None) => format!("{} is not set", key.name),
        };
        Error::new(ErrorKind::IllegalArgument, message)
    }

    /// Booleans that are none.
    pub(crate) fn check_values(&self) -> Vec<Warning> {
        keys::all()
            .filter(|key| key.kind == Kind::Bool && self.is_set(key))
            .filter(|key| !self.get_str(key).is_empty() && self.get_opt_bool(key).is_none())
            .map(|key| Warning::NoBoolean {
                name: key.name,
                value: self.get_str(key).to_owned(),
                default: key.default.unwrap_or("unset"),
            })
            .collect()
    }
}

/// The name that a key has today.
fn current_name(name: &str) -> &str {
    keys::renamed(name).unwrap_or(name)
}

fn parse_bool(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}
