//! `-setQuota`, `-clrQuota`, `-setSpaceQuota`, `-clrSpaceQuota`.

use hdfs_client::QuotaChange;
use hdfs_conf::parse_bytes;
use hdfs_types::{Error, ErrorKind, Result};

use super::Call;
use crate::output::complain;
use crate::shell::expand_paths;

fn illegal(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::IllegalArgument, message)
}

fn refuse_types(call: &Call<'_>) -> Result<()> {
    if call.args.iter().any(|arg| arg == "-storageType") {
        return Err(Error::io("quotas by storage type are not supported yet"));
    }
    Ok(())
}

/// Changes the quotas of each directory; an error of one does not stop the others.
fn change(
    call: &Call<'_>,
    command: &str,
    paths: &[String],
    names: QuotaChange,
    space: QuotaChange,
) -> Result<i32> {
    let mut status = 0;
    for pattern in paths {
        let change_all = || {
            for path in expand_paths(call.conf, pattern)? {
                call.client.set_quota(&path, names, space)?;
            }
            Ok(())
        };
        let changed: Result<()> = change_all();
        if let Err(error) = changed {
            complain!("{command}: {}", error.message.split('\n').next().unwrap_or_default());
            status = 255;
        }
    }
    Ok(status)
}

/// The arguments when there are at least this many.
fn at_least<'a>(call: &'a Call<'_>, count: usize) -> Result<&'a [String]> {
    if call.args.len() < count {
        return Err(illegal(format!(
            "Not enough arguments: expected {count} but got {}",
            call.args.len()
        )));
    }
    Ok(call.args)
}

/// A quota; a text with a wrong suffix has a message of its own.
fn limit(text: &str, otherwise: &str) -> Result<u64> {
    let refuse = |message: String| match message.starts_with("Invalid size prefix") {
        true => illegal(message),
        false => illegal(otherwise),
    };
    let number = parse_bytes(text).map_err(refuse)?;
    u64::try_from(number).map_err(|_| illegal(otherwise))
}

pub(super) fn set_names(call: &Call<'_>) -> Result<i32> {
    let args = at_least(call, 2)?;
    let quota = limit(&args[0], &format!("For input string: \"{}\"", args[0]))?;
    if quota == 0 {
        return Err(illegal(format!("Invalid values for quota : 0 and {}", i64::MAX)));
    }
    change(call, "setQuota", &args[1..], QuotaChange::Set(quota), QuotaChange::Keep)
}

pub(super) fn clear_names(call: &Call<'_>) -> Result<i32> {
    change(call, "clrQuota", at_least(call, 1)?, QuotaChange::Clear, QuotaChange::Keep)
}

pub(super) fn set_space(call: &Call<'_>) -> Result<i32> {
    let args = at_least(call, 2)?;
    refuse_types(call)?;
    let otherwise = format!("\"{}\" is not a valid value for a quota.", args[0]);
    let quota = limit(&args[0], &otherwise)?;
    change(call, "setSpaceQuota", &args[1..], QuotaChange::Keep, QuotaChange::Set(quota))
}

pub(super) fn clear_space(call: &Call<'_>) -> Result<i32> {
    refuse_types(call)?;
    change(call, "clrSpaceQuota", at_least(call, 1)?, QuotaChange::Keep, QuotaChange::Clear)
}
