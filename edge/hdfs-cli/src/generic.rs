//! Options that every command takes: those of Hadoop's scripts (`--config`, `--loglevel`, `--daemon`) and those of Hadoop's
//! GenericOptionsParser (`-D`, `-conf`, `-fs`).

use std::path::PathBuf;

use crate::launcher::Mode;
use crate::output::complain;
use hdfs_conf::{Configuration, Warning};
use hdfs_types::Result;

/// What was given.
#[derive(Debug, Default)]
pub(crate) struct Generic {
    pub config_dir: Option<PathBuf>,
    pub log_level: Option<String>,
    pub help: bool,
    /// The name of the command was read: from then on `-h` is the command's.
    pub after_command: bool,
    pub daemon: Option<Mode>,
    files: Vec<String>,
    overrides: Vec<(String, String)>,
}

/// Options of MapReduce jobs and of tokens that no command here understands.
const NOT_SUPPORTED: [&str; 5] = ["jt", "libjars", "files", "archives", "tokenCacheFile"];

impl Generic {
    /// Takes the options in front of the first other argument.
    ///
    /// # Errors
    /// A text, for an option without its argument or one that is not supported.
    pub(crate) fn take(&mut self, args: &mut Vec<String>) -> std::result::Result<(), String> {
        while let Some(first) = args.first().cloned() {
            let (name, attached) = match first.strip_prefix("-D").filter(|rest| !rest.is_empty()) {
                Some(rest) => ("-D", Some(rest.to_owned())),
                None => (first.as_str(), None),
            };
            match name {
                "--daemon" => {
                    args.remove(0);
                    let mode = if args.is_empty() { None } else { Mode::parse(&args.remove(0)) };
                    self.daemon = Some(mode.ok_or(
                        "--daemon must be followed by either \"start\", \"stop\", or \"status\".",
                    )?);
                }
                "--buildpaths" => {
                    args.remove(0);
                    complain!(
                        "WARNING: --buildpaths: there is no class path here; nothing is added"
                    );
                }
                "--workers" | "--hosts" | "--hostnames" => {
                    return Err(format!(
                        "{name} is not supported: this program starts nothing on other hosts; run it there, as in \
                         `ssh HOST hdfs --daemon start datanode`"
                    ));
                }
                "--config" | "--loglevel" | "-D" | "-conf" | "-fs" => {
                    args.remove(0);
                    let value = match attached {
                        Some(value) => value,
                        None if args.is_empty() => {
                            return Err(format!(
                                "Missing argument for option: {}",
                                name.trim_start_matches('-')
                            ));
                        }
                        None => args.remove(0),
                    };
                    self.set(name, value);
                }
                "--debug" => {
                    args.remove(0);
                    self.log_level = Some("DEBUG".into());
                }
                "--help" | "-h" | "--h" if !self.after_command => {
                    args.remove(0);
                    self.help = true;
                }
                other => {
                    let option = other.strip_prefix('-').unwrap_or_default();
                    if NOT_SUPPORTED.contains(&option) {
                        return Err(format!(
                            "the option {other} is not supported: there are no jobs and no class path here"
                        ));
                    }
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn set(&mut self, name: &str, value: String) {
        match name {
            "--config" => self.config_dir = Some(value.into()),
            "--loglevel" => self.log_level = Some(value),
            "-conf" => self.files.push(value),
            "-fs" => self.overrides.push(("fs.defaultFS".into(), value)),
            // Without "=", Hadoop ignores it as well.
            _ => {
                if let Some((key, value)) = value.split_once('=') {
                    self.overrides.push((key.to_owned(), value.to_owned()));
                }
            }
        }
    }

    /// Loads the configuration that these options ask for.
    ///
    /// # Errors
    /// When a file of it cannot be read or understood.
    pub(crate) fn configuration(&self) -> Result<Configuration> {
        // A daemon may be asked to read its files again.
        hdfs_rt::conf_files::remember_sources(
            self.config_dir.as_deref(),
            &self.files,
            &self.overrides,
        );
        let dir = self.config_dir.as_deref();
        hdfs_rt::conf_files::load_configuration_with(dir, &self.files, &self.overrides)
    }
}

/// Tells what is odd about a configuration. A daemon logs all of it; a client prints only probable slips of its user, and
/// logs the rest where nobody sees it who did not ask (`--loglevel INFO`).
pub(crate) fn tell_warnings(conf: &Configuration, in_daemon: bool) {
    for warning in conf.warnings() {
        match warning {
            Warning::Deprecated { .. } => tracing::info!("{warning}"),
            _ if in_daemon => tracing::warn!("{warning}"),
            Warning::Unknown { nearest: Some(_), .. } => {
                complain!("WARN conf.Configuration: {warning}")
            }
            _ => tracing::info!("{warning}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generic_options_end_at_the_first_other_argument() {
        let line = "--config /c -D a=1 -Db=2=3 -fs hdfs://x -D none -ls -D c=4";
        let mut args: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let mut generic = Generic::default();
        generic.take(&mut args).expect("valid");
        assert_eq!(args, ["-ls", "-D", "c=4"]);
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(
            generic.overrides,
            [pair("a", "1"), pair("b", "2=3"), pair("fs.defaultFS", "hdfs://x")]
        );
        assert_eq!(generic.config_dir, Some("/c".into()));
    }

    #[test]
    fn a_missing_argument_is_an_error() {
        let error = Generic::default().take(&mut vec!["-conf".into()]).expect_err("no file");
        assert_eq!(error, "Missing argument for option: conf");
    }
}
