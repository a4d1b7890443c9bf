//! `-setQuota`, `-clrQuota`, `-setSpaceQuota`, `-clrSpaceQuota`.

use hdfs_client::QuotaChange;
use hdfs_conf::parse_bytes;
use hdfs_types::{Error, Result, StorageType};

use super::{Call, illegal, pop_value};
use crate::output::complain;
use crate::shell::expand_paths;

/// What a command changes.
#[derive(Clone, Copy)]
enum Change {
    Names(QuotaChange),
    Space(QuotaChange),
    Type(StorageType, QuotaChange),
}

/// Changes the quota of each directory; an error of one does not stop the others.
fn change(call: &Call<'_>, patterns: &[String], change: Change) -> Result<i32> {
    if let Change::Type(StorageType::RamDisk, _) = change {
        return Err(illegal("Don't support Quota for storage type : RAM_DISK"));
    }
    let client = call.client()?;
    let set = |path: &str| match change {
        Change::Names(names) => client.set_quota(path, names, QuotaChange::Keep),
        Change::Space(space) => client.set_quota(path, QuotaChange::Keep, space),
        Change::Type(kind, bytes) => client.set_quota_by_storage_type(path, kind, bytes),
    };
    let mut status = 0;
    for pattern in patterns {
        let changed: Result<()> = expand_paths(call.conf, pattern)
            .and_then(|paths| paths.iter().try_for_each(|p| set(p)));
        if let Err(error) = changed {
            let first = error.message.split('\n').next().unwrap_or_default();
            complain!("{}: {first}", call.spec.name);
            status = 255;
        }
    }
    Ok(status)
}

/// Refuses options that the command does not have, and too few arguments: `fewest` of them.
fn check(args: &[String], fewest: usize) -> Result<()> {
    // A lone "-" is a name, and nothing after the first name is an option.
    if let Some(option) = args.first().filter(|arg| arg.starts_with('-') && arg.len() > 1) {
        return Err(illegal(format!("Illegal option {option}")));
    }
    if args.len() < fewest {
        return Err(illegal(format!(
            "Not enough arguments: expected {fewest} but got {}",
            args.len()
        )));
    }
    Ok(())
}

/// A quota; a text with a wrong suffix has a message of its own.
fn limit(text: &str, otherwise: &str) -> Result<u64> {
    let refuse = |message: String| match message {
        own if own.starts_with("Invalid size prefix")
            || own.ends_with(" does not fit in a Long") =>
        {
            illegal(own)
        }
        _ => illegal(otherwise),
    };
    let number = parse_bytes(text).map_err(refuse)?;
    u64::try_from(number).map_err(|_| illegal(otherwise))
}

pub(super) fn set_names(call: &Call<'_>) -> Result<i32> {
    check(call.args, 2)?;
    let text = &call.args[0];
    let quota = limit(text, &format!("For input string: \"{text}\""))?;
    if quota == 0 {
        return Err(illegal(format!("Invalid values for quota : 0 and {}", i64::MAX)));
    }
    change(call, &call.args[1..], Change::Names(QuotaChange::Set(quota)))
}

pub(super) fn clear_names(call: &Call<'_>) -> Result<i32> {
    check(call.args, 1)?;
    change(call, call.args, Change::Names(QuotaChange::Clear))
}

pub(super) fn set_space(call: &Call<'_>) -> Result<i32> {
    check(call.args, 2)?;
    let mut args = call.args.to_vec();
    let text = args.remove(0).trim().to_owned();
    let quota = limit(&text, &format!("\"{text}\" is not a valid value for a quota."))?;
    let unknown = |name: &str| -> Error {
        illegal(format!(
            "Storage type {name} is not available. Available storage types are [SSD, DISK, ARCHIVE, PROVIDED, NVDIMM]"
        ))
    };
    let kind = match pop_value("-storageType", &mut args)? {
        Some(name) => Some(StorageType::from_name(&name).ok_or_else(|| unknown(&name))?),
        None => None,
    };
    let quota = QuotaChange::Set(quota);
    change(call, &args, kind.map_or(Change::Space(quota), |kind| Change::Type(kind, quota)))
}

pub(super) fn clear_space(call: &Call<'_>) -> Result<i32> {
    let mut args = call.args.to_vec();
    let mut kind = None;
    if args.first().is_some_and(|arg| arg == "-storageType") {
        args.remove(0);
        if !args.is_empty() {
            let name = args.remove(0);
            let found = StorageType::from_name(&name).ok_or_else(|| {
                let name = name.to_ascii_uppercase();
                illegal(format!("No enum constant org.apache.hadoop.fs.StorageType.{name}"))
            })?;
            kind = Some(found);
        }
    }
    check(&args, 1)?;
    let clear = QuotaChange::Clear;
    change(call, &args, kind.map_or(Change::Space(clear), |kind| Change::Type(kind, clear)))
}
