//! Directives: which paths are cached, in which pool, how often and how long.

use hdfs_proto::hdfs as proto;

use super::{NEVER_MS, duration_text, parse_time};
use crate::admin_tool::{AdminCommand, Arguments, Outcome, Stop, Unwrapped, failed, parse, pretty};
use crate::output::{complain, print, say};
use crate::table_listing::{Align, TableListing};

const TTL: &str = "How long the directive is valid. Can be specified in minutes, hours, and days, e.g. 30m, 4h, 2d. \
                   Valid units are [smhd]. \"never\" indicates a directive that never expires.";
const NEW_TTL: &str = "How long the directive is valid. Can be specified in minutes, hours, and days, e.g. 30m, 4h, 2d. \
                       Valid units are [smhd]. \"never\" indicates a directive that never expires. If unspecified, the \
                       directive never expires.";
/// What the lists unwrap: nothing.
const LIST_ERRORS: Unwrapped = Unwrapped::These(&[]);

pub(super) const ADD: AdminCommand = AdminCommand {
    name: "-addDirective",
    options: " -path <path> -pool <pool-name> [-force] [-replication <replication>] [-ttl <time-to-live>]",
    about: "Add a new cache directive.\n\n",
    rows: &[
        ("<path>", "A path to cache. The path can be a directory or a file."),
        (
            "<pool-name>",
            "The pool to which the directive will be added. You must have write permission on the cache \
             pool in order to add new directives.",
        ),
        ("-force", "Skips checking of cache pool resource limits."),
        ("<replication>", "The cache replication factor to use. Defaults to 1."),
        ("<time-to-live>", NEW_TTL),
    ],
    notes: "",
    run: add,
};

pub(super) const MODIFY: AdminCommand = AdminCommand {
    name: "-modifyDirective",
    options: " -id <id> [-path <path>] [-force] [-replication <replication>] [-pool <pool-name>] [-ttl <time-to-live>]",
    about: "Modify a cache directive.\n\n",
    rows: &[
        ("<id>", "The ID of the directive to modify (required)"),
        ("<path>", "A path to cache. The path can be a directory or a file. (optional)"),
        ("-force", "Skips checking of cache pool resource limits."),
        ("<replication>", "The cache replication factor to use. (optional)"),
        (
            "<pool-name>",
            "The pool to which the directive will be added. You must have write permission on the cache \
             pool in order to move a directive into it. (optional)",
        ),
        ("<time-to-live>", TTL),
    ],
    notes: "",
    run: modify,
};

pub(super) const LIST: AdminCommand = AdminCommand {
    name: "-listDirectives",
    options: " [-stats] [-path <path>] [-pool <pool>] [-id <id>]",
    about: "List cache directives.\n\n",
    rows: &[
        ("-stats", "List path-based cache directive statistics."),
        (
            "<path>",
            "List only cache directives with this path. Note that if there is a cache directive for <path> \
             in a cache pool that we don't have read access for, it will not be listed.",
        ),
        ("<pool>", "List only path cache directives in that pool."),
        ("<id>", "List the cache directive with this id."),
    ],
    notes: "",
    run: list,
};

pub(super) const REMOVE: AdminCommand = AdminCommand {
    name: "-removeDirective",
    options: " <id>",
    about: "Remove a cache directive.\n\n",
    rows: &[(
        "<id>",
        "The id of the cache directive to remove.  You must have write permission on the pool of the \
         directive in order to remove it.  To see a list of cache directive IDs, use the -listDirectives \
         command.",
    )],
    notes: "",
    run: remove,
};

pub(super) const REMOVE_ALL: AdminCommand = AdminCommand {
    name: "-removeDirectives",
    options: " -path <path>",
    about: "Remove every cache directive with the specified path.\n\n",
    rows: &[(
        "-path <path>",
        "The path of the cache directives to remove.  You must have write permission on the pool of the \
         directive in order to remove it.  To see a list of cache directives, use the -listDirectives \
         command.",
    )],
    notes: "",
    run: remove_all,
};

fn expiration(
    text: Option<&str>,
) -> Result<Option<proto::CacheDirectiveInfoExpirationProto>, Stop> {
    let millis = parse_time(text, "ttl")?;
    Ok(millis.map(|millis| proto::CacheDirectiveInfoExpirationProto { millis, is_relative: true }))
}

fn add(args: &mut Arguments<'_>) -> Outcome {
    let said = |text: &str| Stop::Said(1, text.to_owned());
    let path = args.value("-path")?.ok_or_else(|| said("You must specify a path with -path."))?;
    let pool =
        args.value("-pool")?.ok_or_else(|| said("You must specify a pool name with -pool."))?;
    let force = args.flag("-force");
    let replication = args.short("-replication")?;
    let ttl = args.value("-ttl")?;
    let expiration = expiration(ttl.as_deref())?;
    args.understood()?;
    let (client, inner) = args.client_of(&path)?;
    let info = proto::CacheDirectiveInfoProto {
        id: None,
        path: Some(inner),
        replication,
        pool: Some(pool),
        expiration,
    };
    let id = client.add_cache_directive(info, force).map_err(failed(2, Unwrapped::All))?;
    say!("Added cache directive {id}");
    Ok(0)
}

fn modify(args: &mut Arguments<'_>) -> Outcome {
    let said = |text: &str| Stop::Said(1, text.to_owned());
    let id = args.value("-id")?.ok_or_else(|| said("You must specify a directive ID with -id."))?;
    let number: i64 = parse(&id)?;
    let path = args.value("-path")?;
    let force = args.flag("-force");
    let replication = args.short("-replication")?;
    let pool = args.value("-pool")?;
    let ttl = args.value("-ttl")?;
    let expiration = expiration(ttl.as_deref())?;
    args.understood_or_usage()?;
    if path.is_none() && replication.is_none() && pool.is_none() && expiration.is_none() {
        return Err(said("No modifications were specified."));
    }
    let (client, inner) = args.client_of(path.as_deref().unwrap_or("/"))?;
    let info = proto::CacheDirectiveInfoProto {
        id: Some(number),
        path: path.map(|_| inner),
        replication,
        pool,
        expiration,
    };
    client.modify_cache_directive(info, force).map_err(failed(2, Unwrapped::All))?;
    say!("Modified cache directive {id}");
    Ok(0)
}

fn list(args: &mut Arguments<'_>) -> Outcome {
    let path = args.value("-path")?;
    let pool = args.value("-pool")?;
    let with_stats = args.flag("-stats");
    let id = args.number::<i64>("-id")?;
    args.understood()?;
    let (client, inner) = args.client_of(path.as_deref().unwrap_or("/"))?;
    let filter = proto::CacheDirectiveInfoProto {
        id,
        path: path.map(|_| inner),
        pool,
        ..proto::CacheDirectiveInfoProto::default()
    };
    let entries = client.cache_directives(filter).map_err(failed(2, LIST_ERRORS))?;
    let mut columns = vec![
        ("ID", Align::Right),
        ("POOL", Align::Left),
        ("REPL", Align::Right),
        ("EXPIRY", Align::Left),
        ("PATH", Align::Left),
    ];
    if with_stats {
        let names = ["BYTES_NEEDED", "BYTES_CACHED", "FILES_NEEDED", "FILES_CACHED"];
        columns.extend(names.map(|name| (name, Align::Right)));
    }
    let mut table = TableListing::new(&columns);
    for entry in &entries {
        table.add(row(entry, with_stats));
    }
    let plural = if entries.len() == 1 { "y" } else { "ies" };
    say!("Found {} entr{plural}", entries.len());
    if !entries.is_empty() {
        print(&table.text());
    }
    Ok(0)
}

fn row(entry: &proto::CacheDirectiveEntryProto, with_stats: bool) -> Vec<String> {
    let (info, stats) = (&entry.info, &entry.stats);
    let mut row = vec![
        info.id().to_string(),
        info.pool().to_owned(),
        info.replication().to_string(),
        expiry_text(info.expiration.as_ref()),
        info.path().to_owned(),
    ];
    if with_stats {
        let numbers =
            [stats.bytes_needed, stats.bytes_cached, stats.files_needed, stats.files_cached];
        row.extend(numbers.map(|number| number.to_string()));
    }
    row
}

/// The local time it ends, as `2026-11-21T10:00:00+0000`.
fn expiry_text(expiration: Option<&proto::CacheDirectiveInfoExpirationProto>) -> String {
    match expiration {
        None => "never".to_owned(),
        Some(at) if at.millis > NEVER_MS / 2 => "never".to_owned(),
        Some(at) if at.is_relative => duration_text(at.millis),
        Some(at) => chrono::DateTime::from_timestamp_millis(at.millis).map_or_else(
            || at.millis.to_string(),
            |time| time.with_timezone(&chrono::Local).format("%Y-%m-%dT%H:%M:%S%z").to_string(),
        ),
    }
}

fn remove(args: &mut Arguments<'_>) -> Outcome {
    let said = |text: String| Stop::Said(1, text);
    let text = args.first();
    let text = text.ok_or_else(|| said("You must specify a directive ID to remove.".into()))?;
    let id: i64 = text
        .parse()
        .map_err(|_| said(format!("Invalid directive ID {text}: expected a numeric value.")))?;
    if id <= 0 {
        return Err(said(format!("Invalid directive ID {id}: ids must be greater than 0.")));
    }
    args.understood_or_usage()?;
    args.client()?.remove_cache_directive(id).map_err(failed(2, Unwrapped::All))?;
    say!("Removed cached directive {id}");
    Ok(0)
}

fn remove_all(args: &mut Arguments<'_>) -> Outcome {
    let path = args.value("-path")?;
    let path =
        path.ok_or_else(|| Stop::Said(1, "You must specify a path with -path.".to_owned()))?;
    args.understood_or_usage()?;
    let (client, inner) = args.client_of(&path)?;
    let filter = proto::CacheDirectiveInfoProto {
        path: Some(inner),
        ..proto::CacheDirectiveInfoProto::default()
    };
    let entries = client.cache_directives(filter).map_err(failed(2, LIST_ERRORS))?;
    let mut status = 0;
    for entry in &entries {
        let id = entry.info.id();
        match client.remove_cache_directive(id) {
            Ok(()) => say!("Removed cache directive {id}"),
            Err(error) => {
                complain!("{}", pretty(&error, &Unwrapped::All));
                status = 2;
            }
        }
    }
    if status == 0 {
        say!("Removed every cache directive with path {path}");
    }
    Ok(status)
}
