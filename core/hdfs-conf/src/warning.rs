//! What a loader has to say about a configuration that works all the same.

use std::fmt;

/// Something odd in a configuration. Its text is one line for a log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Warning {
    /// No such key is known, here or in Hadoop.
    Unknown {
        /// The key.
        name: String,
        /// The known key that is spelled most alike, if any is.
        nearest: Option<&'static str>,
        /// The file.
        source: String,
    },
    /// The key has another name today.
    Deprecated {
        /// The old name.
        name: String,
        /// The new name.
        current: &'static str,
        /// The file.
        source: String,
    },
    /// An earlier file declares the key final.
    Final {
        /// The key.
        name: String,
        /// The file whose value is ignored.
        source: String,
    },
    /// core-site.xml sets a key whose default in hdfs-default.xml wins.
    Hidden {
        /// The key.
        name: String,
        /// The file whose value is ignored.
        source: String,
    },
    /// A boolean is neither true nor false.
    NoBoolean {
        /// The key.
        name: &'static str,
        /// What was written.
        value: String,
        /// What counts instead.
        default: &'static str,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { name, nearest: Some(nearest), source } => {
                write!(f, "{source}: unknown key {name} is ignored; did you mean {nearest}?")
            }
            Self::Unknown { name, nearest: None, source } => {
                write!(f, "{source}: unknown key {name} is ignored")
            }
            Self::Deprecated { name, current, .. } => {
                write!(f, "{name} is deprecated. Instead, use {current}")
            }
            Self::Final { name, source } => {
                write!(f, "{source}:an attempt to override final parameter: {name};  Ignoring.")
            }
            Self::Hidden { name, source } => {
                write!(
                    f,
                    "{source}: {name} has no effect here, as in Hadoop, whose hdfs-default.xml overrides it; set it in hdfs-site.xml"
                )
            }
            Self::NoBoolean { name, value, default } => {
                write!(
                    f,
                    "Invalid value for boolean: {value}, choose default value: {default} for {name}"
                )
            }
        }
    }
}
