//! `hdfs fetchdt`: delegation tokens and the files that keep them.
//!
//! Hadoop: org.apache.hadoop.hdfs.tools.DelegationTokenFetcher (3.5.0)

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use hdfs_client::blocking::HdfsClient;
use hdfs_conf::Configuration;
use hdfs_format::credentials::{Credentials, DelegationTokenIdentifier, HDFS_DELEGATION_KIND};
use hdfs_types::{Error, ErrorKind, Result};

use crate::output::{complain, print, print_error, say};
use crate::shell;

pub(crate) const USAGE: &str = "\
fetchdt retrieves delegation tokens from the NameNode

fetchdt <opts> <token file>
Options:
  --webservice <url>  URL to contact NN on (starts with http:// or https://), or other filesystem URL
  --renewer <name>    Name of the delegation token renewer
  --cancel            Cancel the delegation token
  --renew             Renew the delegation token.  Delegation token must have been fetched using the --renewer <name> option.
  --print [--verbose] Print the delegation token, when --verbose is passed, print more information about the token

";
/// A file longer than this is none of tokens.
const MAX_FILE_BYTES: u64 = 16 << 20;

#[derive(Default)]
struct Options {
    web: Option<String>,
    renewer: Option<String>,
    cancel: bool,
    renew: bool,
    print: bool,
    verbose: bool,
    help: bool,
    files: Vec<String>,
}

/// Runs `hdfs fetchdt ARGS…`; the exit status.
pub(crate) fn run(conf: &Configuration, args: &[String]) -> i32 {
    let options = match parse(args) {
        Ok(options) => options,
        Err(message) => {
            complain!("ERROR: {message}");
            return usage(false);
        }
    };
    if options.help {
        return usage(true);
    }
    if u8::from(options.cancel) + u8::from(options.renew) + u8::from(options.print) > 1 {
        complain!("ERROR: Only specify cancel, renew or print.");
        return usage(false);
    }
    let [file] = options.files.as_slice() else {
        complain!("ERROR: Must specify exactly one token file");
        return usage(false);
    };
    let done = if options.print {
        print_tokens(Path::new(file), options.verbose)
    } else if options.cancel || options.renew {
        manage(conf, Path::new(file), options.cancel)
    } else {
        fetch(conf, &options, Path::new(file))
    };
    match done {
        Ok(()) => 0,
        Err(error) => {
            complain!("fetchdt: {}", error.message);
            1
        }
    }
}

/// Status 1 in any case, as Hadoop's.
fn usage(asked_for: bool) -> i32 {
    let text = format!("{USAGE}{}", shell::GENERIC_OPTIONS);
    if asked_for {
        print(&text)
    } else {
        print_error(&text)
    }
    1
}

fn parse(args: &[String]) -> std::result::Result<Options, String> {
    let mut options = Options::default();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let (name, attached) = match arg.split_once('=') {
            Some((name, value)) if name.starts_with('-') => (name, Some(value.to_owned())),
            _ => (arg.as_str(), None),
        };
        let mut value = || {
            let value = attached.clone().or_else(|| args.next().cloned());
            value.ok_or_else(|| {
                format!("Missing argument for option: {}", name.trim_start_matches('-'))
            })
        };
        match name.strip_prefix('-').map(|name| name.strip_prefix('-').unwrap_or(name)) {
            Some("webservice") => options.web = Some(value()?),
            Some("renewer") => options.renewer = Some(value()?),
            Some("cancel") => options.cancel = true,
            Some("renew") => options.renew = true,
            Some("print") => options.print = true,
            Some("verbose") => options.verbose = true,
            Some("h" | "help") => options.help = true,
            Some(_) => return Err(format!("Unrecognized option: {arg}")),
            None => options.files.push(arg.clone()),
        }
    }
    Ok(options)
}

fn read(path: &Path) -> Result<Credentials> {
    let failed = |error: std::io::Error| {
        let kind = match error.kind() {
            std::io::ErrorKind::NotFound => ErrorKind::FileNotFound,
            _ => ErrorKind::Io,
        };
        Error::new(kind, format!("Exception reading {}: {error}", path.display()))
            .with_source(error)
    };
    if std::fs::metadata(path).map_err(failed)?.len() > MAX_FILE_BYTES {
        return Err(Error::io(format!("{} is too long for a token file", path.display())));
    }
    Credentials::decode(&std::fs::read(path).map_err(failed)?)
}

fn print_tokens(path: &Path, verbose: bool) -> Result<()> {
    for (_, token) in read(path)?.tokens {
        let identifier = DelegationTokenIdentifier::decode(&token.identifier);
        let text = match identifier {
            Ok(id) if verbose => id.to_string(),
            Ok(id) => format!(
                "{} token {} for {} with renewer {}",
                token.kind,
                id.sequence_number,
                id.short_owner(),
                id.renewer
            ),
            Err(_) => format!("{} of {} bytes", token.kind, token.identifier.len()),
        };
        say!("Token ({text}) for {}", token.service);
    }
    Ok(())
}

/// Renews or cancels the NameNodes' tokens of a file, each at the NameNode that gave it.
fn manage(conf: &Configuration, path: &Path, cancel: bool) -> Result<()> {
    for (_, token) in read(path)?.tokens {
        if token.kind != HDFS_DELEGATION_KIND {
            continue;
        }
        let service = token.service.strip_prefix("ha-hdfs:").unwrap_or(&token.service);
        let client = HdfsClient::for_uri(&format!("hdfs://{service}"), conf)?;
        if cancel {
            client.cancel_delegation_token(token)?;
        } else {
            let until = client.renew_delegation_token(token)?;
            tracing::debug!("renewed the token until {} ms since 1970", until.0);
        }
    }
    Ok(())
}

fn fetch(conf: &Configuration, options: &Options, path: &Path) -> Result<()> {
    if options.web.is_some() {
        // What Hadoop's client says as long as the cluster has no security.
        return Err(Error::new(
            ErrorKind::AccessControl,
            "The client is configured to only allow connecting to secure cluster",
        ));
    }
    let client = HdfsClient::for_uri(&shell::default_uri(conf), conf)?;
    let renewer = options.renewer.as_deref().unwrap_or_default();
    let Some(mut token) = client.delegation_token(renewer)? else {
        complain!("ERROR: Failed to fetch token from {}", client.uri());
        return Ok(());
    };
    // The NameNode does not know by which address it is called.
    token.service = service(client.uri());
    let credentials = Credentials { tokens: vec![(token.service.clone(), token)] };
    let failed = |error: std::io::Error| Error::io(format!("write {}: {error}", path.display()));
    // A token is a password: nobody else may read it.
    let mut open = std::fs::OpenOptions::new();
    let mut file =
        open.write(true).create(true).truncate(true).mode(0o600).open(path).map_err(failed)?;
    file.write_all(&credentials.encode()).map_err(failed)
}

/// `address:port` of a file system, as tokens name it.
fn service(uri: &str) -> String {
    let authority = uri.trim_start_matches("hdfs://");
    let (host, port) = authority.rsplit_once(':').unwrap_or((authority, "8020"));
    let address = hdfs_rt::host::resolve(host, 0).ok().and_then(|all| all.first().copied());
    address.map_or_else(|| authority.to_owned(), |address| format!("{}:{port}", address.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_have_one_dash_or_two() {
        let parsed =
            |line: &str| parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        let options = parsed("--renewer=me -print f").expect("valid");
        assert_eq!((options.renewer.as_deref(), options.print), (Some("me"), true));
        assert_eq!(options.files, ["f"]);
        assert!(parsed("--webservice").is_err());
        assert!(parsed("--nonsense f").is_err());
    }
}
