//! Pools: who may cache, how much, how long.

use hdfs_proto::hdfs as proto;
use hdfs_types::FsPermission;

use super::{NEVER_MS, duration_text, parse_time};
use crate::admin_tool::{AdminCommand, Arguments, Outcome, Stop, Unwrapped, failed, parse};
use crate::output::{print, say};
use crate::table_listing::{Align, TableListing};

const OPTIONS: &str = " <name> [-owner <owner>] [-group <group>] [-mode <mode>] [-limit <limit>] \
                       [-defaultReplication <defaultReplication>] [-maxTtl <maxTtl>]";
/// `CachePoolInfo.LIMIT_UNLIMITED`.
const UNLIMITED: i64 = i64::MAX;

pub(super) const ADD: AdminCommand = AdminCommand {
    name: "-addPool",
    options: OPTIONS,
    about: "Add a new cache pool.\n\n",
    rows: &[
        ("<name>", "Name of the new pool."),
        ("<owner>", "Username of the owner of the pool. Defaults to the current user."),
        ("<group>", "Group of the pool. Defaults to the primary group name of the current user."),
        (
            "<mode>",
            "UNIX-style permissions for the pool. Permissions are specified in octal, e.g. 0755. By \
             default, this is set to 0755.",
        ),
        (
            "<limit>",
            "The maximum number of bytes that can be cached by directives in this pool, in aggregate. By \
             default, no limit is set.",
        ),
        (
            "<defaultReplication>",
            "The default replication number for cache directive in the pool. If not set, the replication \
             is set to 1",
        ),
        (
            "<maxTtl>",
            "The maximum allowed time-to-live for directives being added to the pool. This can be \
             specified in seconds, minutes, hours, and days, e.g. 120s, 30m, 4h, 2d. Valid units are \
             [smhd]. By default, no maximum is set. A value of \"never\" specifies that there is no limit.",
        ),
    ],
    notes: "",
    run: add,
};

pub(super) const MODIFY: AdminCommand = AdminCommand {
    name: "-modifyPool",
    options: OPTIONS,
    about: "Modifies the metadata of an existing cache pool. See usage of -addPool for more\ndetails.\n\n",
    rows: &[
        ("<name>", "Name of the pool to modify."),
        ("<owner>", "Username of the owner of the pool"),
        ("<group>", "Groupname of the group of the pool."),
        ("<mode>", "Unix-style permissions of the pool in octal."),
        ("<limit>", "Maximum number of bytes that can be cached by this pool."),
        ("<defaultReplication>", "Default replication num for directives in this pool"),
        ("<maxTtl>", "The maximum allowed time-to-live for directives being added to the pool."),
    ],
    notes: "",
    run: modify,
};

pub(super) const REMOVE: AdminCommand = AdminCommand {
    name: "-removePool",
    options: " <name>",
    about: "Remove a cache pool. This also uncaches paths associated with the pool.\n\n\
            <name>  Name of the cache pool to remove.\n",
    rows: &[],
    notes: "",
    run: remove,
};

pub(super) const LIST: AdminCommand = AdminCommand {
    name: "-listPools",
    options: " [-stats] [<name>]",
    about: "Display information about one or more cache pools, e.g. name, owner, group,\npermissions, etc.\n\n",
    rows: &[
        ("-stats", "Display additional cache pool statistics."),
        ("<name>", "If specified, list only the named cache pool."),
    ],
    notes: "",
    run: list,
};

/// The options of a pool, taken out of the arguments; and how `-maxTtl` was written.
fn attributes(
    args: &mut Arguments<'_>,
) -> Result<(proto::CachePoolInfoProto, Option<String>), Stop> {
    let owner_name = args.value("-owner")?;
    let group_name = args.value("-group")?;
    let mode = args.value("-mode")?.map(|text| octal(&text)).transpose()?;
    let limit = match args.value("-limit")? {
        None => None,
        Some(text) if text.eq_ignore_ascii_case("unlimited") => Some(UNLIMITED),
        Some(text) => Some(parse::<i64>(&text)?),
    };
    let default_replication = args.short("-defaultReplication")?;
    let max_ttl = args.value("-maxTtl")?;
    let max_relative_expiry = parse_time(max_ttl.as_deref(), "maxTtl")?;
    let info = proto::CachePoolInfoProto {
        pool_name: None,
        owner_name,
        group_name,
        mode,
        limit,
        max_relative_expiry,
        default_replication,
    };
    Ok((info, max_ttl))
}

fn octal(text: &str) -> Result<i32, Stop> {
    let mode = i32::from_str_radix(text, 8).ok().filter(|mode| (0..=0o1777).contains(mode));
    mode.ok_or_else(|| {
        let message = format!("NumberFormatException: For input string: \"{text}\" under radix 8");
        Stop::Said(255, message)
    })
}

fn the_name(args: &mut Arguments<'_>, doing: &str) -> Result<String, Stop> {
    let text = format!("You must specify a name when {doing} a cache pool.");
    args.first().ok_or(Stop::Said(1, text))
}

fn understood(args: &Arguments<'_>, usage: &AdminCommand) -> Result<(), Stop> {
    args.end(|rest| {
        format!("Can't understand arguments: {}\nUsage is {}", rest.join(" "), usage.short_usage())
    })
}

fn add(args: &mut Arguments<'_>) -> Outcome {
    let name = the_name(args, "creating")?;
    let (info, _) = attributes(args)?;
    understood(args, &ADD)?;
    let info = proto::CachePoolInfoProto { pool_name: Some(name.clone()), ..info };
    args.client()?.add_cache_pool(info).map_err(failed(2, Unwrapped::All))?;
    say!("Successfully added cache pool {name}.");
    Ok(0)
}

fn modify(args: &mut Arguments<'_>) -> Outcome {
    let (info, max_ttl) = attributes(args)?;
    let name = the_name(args, "creating")?;
    understood(args, &MODIFY)?;
    let mut changes = Vec::new();
    changes.extend(info.owner_name.as_ref().map(|owner| format!("owner name {owner}")));
    changes.extend(info.group_name.as_ref().map(|group| format!("group name {group}")));
    changes.extend(info.mode.map(|mode| format!("mode {}", mode_text(mode))));
    changes.extend(info.limit.map(|limit| format!("limit {limit}")));
    changes.extend(info.default_replication.map(|number| format!("replication {number}")));
    changes.extend(max_ttl.map(|text| format!("max time-to-live {text}")));
    if changes.is_empty() {
        let text = "You must specify at least one attribute to change in the cache pool.";
        return Err(Stop::Said(1, text.to_owned()));
    }
    let info = proto::CachePoolInfoProto { pool_name: Some(name.clone()), ..info };
    args.client()?.modify_cache_pool(info).map_err(failed(2, Unwrapped::All))?;
    say!("Successfully modified cache pool {name} to have {}", changes.join(" and "));
    Ok(0)
}

fn mode_text(mode: i32) -> String {
    FsPermission(u16::try_from(mode & 0o1777).unwrap_or(0)).to_string()
}

fn remove(args: &mut Arguments<'_>) -> Outcome {
    let name = the_name(args, "deleting")?;
    understood(args, &REMOVE)?;
    args.client()?.remove_cache_pool(&name).map_err(failed(2, Unwrapped::All))?;
    say!("Successfully removed cache pool {name}.");
    Ok(0)
}

fn list(args: &mut Arguments<'_>) -> Outcome {
    let name = args.first();
    let with_stats = args.flag("-stats");
    understood(args, &LIST)?;
    let mut pools = args.client()?.cache_pools().map_err(failed(2, Unwrapped::All))?;
    if let Some(name) = &name {
        pools.retain(|pool| pool.info.pool_name() == name);
    }
    let mut columns = vec![
        ("NAME", Align::Left),
        ("OWNER", Align::Left),
        ("GROUP", Align::Left),
        ("MODE", Align::Left),
        ("LIMIT", Align::Right),
        ("MAXTTL", Align::Right),
        ("DEFAULT_REPLICATION", Align::Right),
    ];
    if with_stats {
        columns.extend(
            ["BYTES_NEEDED", "BYTES_CACHED", "BYTES_OVERLIMIT", "FILES_NEEDED", "FILES_CACHED"]
                .map(|name| (name, Align::Right)),
        );
    }
    let mut table = TableListing::new(&columns);
    for pool in &pools {
        table.add(row(pool, with_stats));
    }
    let plural = if pools.len() == 1 { "" } else { "s" };
    say!("Found {} result{plural}.", pools.len());
    if !pools.is_empty() {
        print(&table.text());
    }
    Ok(0)
}

fn row(pool: &proto::CachePoolEntryProto, with_stats: bool) -> Vec<String> {
    let (info, stats) = (&pool.info, &pool.stats);
    let mut row = vec![
        info.pool_name().to_owned(),
        info.owner_name().to_owned(),
        info.group_name().to_owned(),
        info.mode.map(mode_text).unwrap_or_default(),
        match info.limit {
            Some(UNLIMITED) => "unlimited".to_owned(),
            Some(limit) => limit.to_string(),
            None => "null".to_owned(),
        },
        match info.max_relative_expiry {
            Some(NEVER_MS) => "never".to_owned(),
            Some(millis) => duration_text(millis),
            None => String::new(),
        },
        info.default_replication.map_or_else(|| "null".to_owned(), |number| number.to_string()),
    ];
    if with_stats {
        let numbers = [
            stats.bytes_needed,
            stats.bytes_cached,
            stats.bytes_overlimit,
            stats.files_needed,
            stats.files_cached,
        ];
        row.extend(numbers.map(|number| number.to_string()));
    }
    row
}
