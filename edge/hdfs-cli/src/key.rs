//! `hadoop key`: the keys of encryption zones in a provider.
//!
//! Hadoop: org.apache.hadoop.crypto.key.KeyShell (3.5.0)

use hdfs_conf::Configuration;
use hdfs_rt::clock;
use hdfs_rt::key_provider::{KeyMetadata, KeyOptions, KeyProvider, KeyProviderConf};
use hdfs_types::{Error, ErrorKind, Result};

use crate::output::{complain, confirmed, print_error, say};
use crate::shell::GENERIC_OPTIONS;
use crate::shell::format::java_date;

const NO_VALID_PROVIDERS: &str = "\
There are no valid (non-transient) providers configured.
No action has been taken. Use the -provider option to specify
a provider. If you want to use a transient provider then you
MUST use the -provider argument.";

const PASSWORD_PLACES: &str = "    * In the environment variable HADOOP_KEYSTORE_PASSWORD
    * In a file referred to by the configuration entry
      hadoop.security.keystore.java-keystore-provider.password-file.
Please review the documentation regarding provider passwords in
the keystore passwords section of the Credential Provider API
";
const NO_PASSWORD_WARNING: &str = "\
WARNING: You have accepted the use of the default provider password
by not configuring a password in one of the two following locations:
";
const NO_PASSWORD_ERROR: &str = "\
ERROR: The provider cannot find a password in the expected locations.
Please supply a password using one of the following two mechanisms:
";

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Action {
    Create,
    Roll,
    Delete,
    List,
    InvalidateCache,
}

impl Action {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "create" => Self::Create,
            "roll" => Self::Roll,
            "delete" => Self::Delete,
            "list" => Self::List,
            "invalidateCache" => Self::InvalidateCache,
            _ => return None,
        })
    }

    fn usage(self) -> &'static str {
        match self {
            Self::Create => {
                "create <keyname> [-cipher <cipher>] [-size <size>]
                     [-description <description>]
                     [-attr <attribute=value>]
                     [-provider <provider>] [-strict]
                     [-help]"
            }
            Self::Roll => "roll <keyname> [-provider <provider>] [-strict] [-help]",
            Self::Delete => "delete <keyname> [-provider <provider>] [-strict] [-f] [-help]",
            Self::List => "list [-provider <provider>] [-strict] [-metadata] [-help]",
            Self::InvalidateCache => "invalidateCache <keyname> [-provider <provider>] [-help]",
        }
    }

    fn about(self) -> &'static str {
        match self {
            Self::Create => {
                "\
The create subcommand creates a new key for the name specified
by the <keyname> argument within the provider specified by the
-provider argument. You may specify a cipher with the -cipher
argument. The default cipher is currently \"AES/CTR/NoPadding\".
The default keysize is 128. You may specify the requested key
length using the -size argument. Arbitrary attribute=value
style attributes may be specified using the -attr argument.
-attr may be specified multiple times, once per attribute.
"
            }
            Self::Roll => {
                "\
The roll subcommand creates a new version for the specified key
within the provider indicated using the -provider argument.
If -strict is supplied, fail immediately if the provider requires
a password and none is given."
            }
            Self::Delete => {
                "\
The delete subcommand deletes all versions of the key
specified by the <keyname> argument from within the
provider specified by -provider. The command asks for
user confirmation unless -f is specified. If -strict is
supplied, fail immediately if the provider requires a
password and none is given."
            }
            Self::List => {
                "\
The list subcommand displays the keynames contained within
a particular provider as configured in core-site.xml or
specified with the -provider argument. -metadata displays
the metadata. If -strict is supplied, fail immediately if
the provider requires a password and none is given."
            }
            Self::InvalidateCache => {
                "\
The invalidateCache subcommand invalidates the cached key versions
of the specified key, on the provider indicated using the -provider argument.
"
            }
        }
    }
}

const ACTIONS: [Action; 5] =
    [Action::Create, Action::Roll, Action::Delete, Action::List, Action::InvalidateCache];

/// The usage of all of it.
pub(crate) fn usage() -> String {
    let mut text = "Usage: hadoop key [generic options]\n   [-help]\n".to_owned();
    for action in ACTIONS {
        text += &format!("   [{}]\n", action.usage());
    }
    for action in ACTIONS {
        text += &format!("{}\n{}:\n\n{}\n", "=".repeat(66), action.usage(), action.about());
    }
    text
}

/// What the command line asks for.
struct Request {
    action: Option<Action>,
    key: String,
    options: KeyOptions,
    provider: Option<String>,
    metadata: bool,
    forced: bool,
    strict: bool,
}

/// Runs `hadoop key ARGS…`; the exit status.
pub(crate) fn run(conf: &Configuration, args: &[String]) -> i32 {
    let options = match KeyOptions::from_configuration(conf) {
        Ok(options) => options,
        Err(error) => {
            print_exception(&error);
            return 1;
        }
    };
    let mut request = Request {
        action: None,
        key: String::new(),
        options,
        provider: None,
        metadata: false,
        forced: false,
        strict: false,
    };
    let is_understood = request.parse(args);
    let Some(action) = request.action.filter(|_| is_understood) else {
        print_usage(request.action);
        return i32::from(!is_understood);
    };
    let Some(provider) = request.provider(conf) else {
        print_usage(Some(action));
        return 1;
    };
    match request.execute(action, &provider) {
        Ok(true) => 0,
        Ok(false) => {
            print_usage(Some(action));
            1
        }
        Err(error) => {
            print_usage(Some(action));
            print_exception(&error);
            1
        }
    }
}

fn print_usage(action: Option<Action>) {
    match action {
        Some(action) => say!("{}:\n\n{}", action.usage(), action.about()),
        None => say!("{}", usage()),
    }
}

fn print_exception(error: &Error) {
    let class = error.kind.java_class().rsplit(['.', '$']).next().unwrap_or_default();
    let first = error.message.lines().next().unwrap_or_default();
    complain!("Executing command failed with the following exception: {class}: {first}");
}

impl Request {
    /// False: the usage is to be printed.
    fn parse(&mut self, args: &[String]) -> bool {
        let mut attributes: Vec<(String, String)> = Vec::new();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            if let Some(action) = Action::parse(arg) {
                self.action = Some(action);
                if action != Action::List {
                    match args.next() {
                        Some(key) if key != "-help" => self.key.clone_from(key),
                        _ => return false,
                    }
                }
                continue;
            }
            let valued =
                ["-size", "-cipher", "-description", "-attr", "-provider"].contains(&arg.as_str());
            match (arg.as_str(), if valued { args.next() } else { None }) {
                ("-size", Some(size)) => match size.parse() {
                    Ok(bits) => self.options.bit_length = bits,
                    Err(_) => {
                        complain!(
                            "Executing command failed with the following exception: \
                             NumberFormatException: For input string: \"{size}\""
                        );
                        return false;
                    }
                },
                ("-cipher", Some(cipher)) => self.options.cipher.clone_from(cipher),
                ("-description", Some(text)) => self.options.description = Some(text.clone()),
                ("-attr", Some(pair)) => match attribute(pair, &attributes) {
                    Ok(pair) => attributes.push(pair),
                    Err(text) => {
                        say!("{text}");
                        return false;
                    }
                },
                ("-provider", Some(uri)) => self.provider = Some(uri.clone()),
                ("-metadata", _) => self.metadata = true,
                ("-f" | "-force", _) => self.forced = true,
                ("-strict", _) => self.strict = true,
                ("-help", _) => return false,
                _ => {
                    print_error(GENERIC_OPTIONS);
                    return false;
                }
            }
        }
        if !attributes.is_empty() {
            self.options.set_attributes(attributes);
        }
        true
    }

    /// The provider that was named, or the first of the configuration that keeps what it is given.
    fn provider(&self, conf: &Configuration) -> Option<KeyProvider> {
        let configured = KeyProviderConf::from_configuration(conf);
        let named = self.provider.as_deref().unwrap_or(&configured.uri);
        let mut uris = named.split(',').map(str::trim).filter(|uri| !uri.is_empty());
        let is_named = self.provider.is_some();
        let chosen = uris.find(|uri| is_named || !uri.starts_with("user:"));
        let conf_of = |uri: &str| KeyProviderConf { uri: uri.to_owned(), ..configured.clone() };
        match chosen.map(|uri| KeyProvider::open(&conf_of(uri))) {
            Some(Ok(provider)) => return Some(provider),
            Some(Err(error)) => complain!("{}: {}", error.kind.java_class(), error.message),
            None => {}
        }
        say!("{NO_VALID_PROVIDERS}");
        None
    }

    /// False: the usage is to be printed.
    fn execute(&self, action: Action, provider: &KeyProvider) -> Result<bool> {
        let (key, uri) = (&self.key, provider.uri());
        let now_ms = clock::wall().0.cast_signed();
        match action {
            Action::Create => return self.create(provider, now_ms),
            Action::Roll => {
                say!("Rolling key version from KeyProvider: {uri}\n  for key name: {key}");
                provider.roll(key, now_ms).inspect_err(|_| {
                    say!("Cannot roll key: {key} within KeyProvider: {uri}.");
                })?;
                say!("{key} has been successfully rolled.");
            }
            Action::Delete => {
                let question = format!(
                    "You are about to DELETE all versions of  key {key} from KeyProvider {uri}. Continue? "
                );
                if !self.forced && !confirmed(&question) {
                    say!("{key} has not been deleted.");
                    return Ok(false);
                }
                say!("Deleting key: {key} from KeyProvider: {uri}");
                provider.delete(key).inspect_err(|_| say!("{key} has not been deleted."))?;
                say!("{key} has been successfully deleted.");
            }
            Action::List => return self.list(provider).map(|()| true),
            // Nothing is kept of a keystore that another process could hold on to.
            Action::InvalidateCache => {
                say!("Invalidating cache on KeyProvider: {uri}\n  for key name: {key}");
                say!("Cached keyversions of {key} has been successfully invalidated.");
            }
        }
        say!("{uri} has been updated.");
        Ok(true)
    }

    fn create(&self, provider: &KeyProvider, now_ms: i64) -> Result<bool> {
        if provider.has_default_password() {
            if self.strict {
                say!("{NO_PASSWORD_ERROR}{PASSWORD_PLACES}");
                return Ok(false);
            }
            say!(
                "{NO_PASSWORD_WARNING}{PASSWORD_PLACES}Continuing with the default provider password.\n"
            );
        }
        let (key, options) = (&self.key, &self.options);
        provider.create(key, options, now_ms).inspect_err(|error| {
            // Hadoop doesn't catch what it says of capitals.
            if error.kind != ErrorKind::IllegalArgument {
                say!("{key} has not been created.");
            }
        })?;
        let description = options.description.as_deref().unwrap_or("null");
        let attributes = match options.attributes() {
            [] => "null".to_owned(),
            pairs => {
                let pairs: Vec<String> =
                    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
                format!("{{{}}}", pairs.join(", "))
            }
        };
        say!(
            "{key} has been successfully created with options Options{{cipher='{}', bitLength={}, \
             description='{description}', attributes={attributes}}}.",
            options.cipher,
            options.bit_length
        );
        say!("{} has been updated.", provider.uri());
        Ok(true)
    }

    fn list(&self, provider: &KeyProvider) -> Result<()> {
        let failed = || say!("Cannot list keys for KeyProvider: {}", provider.uri());
        let names = provider.key_names().inspect_err(|_| failed())?;
        say!("Listing keys for KeyProvider: {}", provider.uri());
        for name in names {
            if !self.metadata {
                say!("{name}");
                continue;
            }
            if let Some(metadata) = provider.metadata(&name).inspect_err(|_| failed())? {
                say!("{name} : {}", metadata_text(&metadata));
            }
        }
        Ok(())
    }
}

fn attribute(
    text: &str,
    known: &[(String, String)],
) -> std::result::Result<(String, String), String> {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    let (name, value) = (name.trim(), value.trim());
    if name.is_empty() || value.is_empty() {
        return Err(
            "\nAttributes must be in attribute=value form, or quoted\nlike \"attribute = value\"\n"
                .to_owned(),
        );
    }
    if known.iter().any(|(other, _)| other == name) {
        return Err(format!(
            "\nEach attribute must correspond to only one value:\nattribute \"{name}\" was repeated\n"
        ));
    }
    Ok((name.to_owned(), value.to_owned()))
}

fn metadata_text(metadata: &KeyMetadata) -> String {
    let attributes = match metadata.attributes.as_slice() {
        [] => "null".to_owned(),
        pairs => {
            let pairs: Vec<String> =
                pairs.iter().map(|(name, value)| format!("[{name}={value}]")).collect();
            pairs.join(", ") + " "
        }
    };
    format!(
        "cipher: {}, length: {}, description: {}, created: {}, version: {}, attributes: {attributes}",
        metadata.cipher,
        metadata.bit_length,
        metadata.description.as_deref().unwrap_or("null"),
        java_date(u64::try_from(metadata.created_ms).unwrap_or(0)),
        metadata.versions,
    )
}

#[cfg(test)]
mod tests {
    use hdfs_rt::key_provider::PASSWORD_VARIABLE;

    use super::*;

    #[test]
    fn the_places_of_the_password_name_the_variable_that_is_read() {
        assert!(PASSWORD_PLACES.contains(PASSWORD_VARIABLE));
        assert!(
            usage().starts_with(
                "Usage: hadoop key [generic options]\n   [-help]\n   [create <keyname>"
            )
        );
    }
}
