//! `hdfs debug`: block and meta files on a local disk, and the recovery of a lease.
//!
//! Hadoop: org.apache.hadoop.hdfs.tools.DebugAdmin (3.5.0)

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, ErrorKind, Read, Write as _};
use std::path::Path;
use std::time::Duration;

use hdfs_client::blocking::HdfsClient;
use hdfs_conf::{Configuration, keys};
use hdfs_datapath::checksum;
use hdfs_format::block_meta::{ChecksumSpec, ChecksumType, META_HEADER_BYTES};
use hdfs_types::ErrorKind as Kind;

use crate::output::{complain, print, say};
use crate::shell;

/// Checksums that are read, or computed, at a time.
const CHUNKS_AT_A_TIME: usize = 32 * 1024;
/// Between two tries of `recoverLease`.
const RETRY_PAUSE: Duration = Duration::from_millis(5_000);

/// A command: name, usage, help, and what runs it.
struct Spec {
    name: &'static str,
    usage: &'static str,
    help: &'static str,
    run: fn(&Configuration, Vec<String>) -> Result<i32, String>,
}

const COMMANDS: [Spec; 4] = [
    Spec {
        name: "verifyMeta",
        usage: "verifyMeta -meta <metadata-file> [-block <block-file>]",
        help: "  Verify HDFS metadata and block files.  If a block file is specified, we\n  \
               will verify that the checksums in the metadata file match the block\n  file.",
        run: verify_meta,
    },
    Spec {
        name: "computeMeta",
        usage: "computeMeta -block <block-file> -out <output-metadata-file>",
        help: "  Compute HDFS metadata from the specified block file, and save it to\n  \
               the specified output metadata file.\n\n\
               **NOTE: Use at your own risk!\n \
               If the block file is corrupt and you overwrite it's meta file, \n \
               it will show up as good in HDFS, but you can't read the data.\n \
               Only use as a last measure, and when you are 100% certain the block file is good.",
        run: compute_meta,
    },
    Spec {
        name: "recoverLease",
        usage: "recoverLease -path <path> [-retries <num-retries>]",
        help: "  Recover the lease on the specified path.  The path must reside on an\n  \
               HDFS filesystem.  The default number of retries is 1.",
        run: recover_lease,
    },
    Spec {
        name: "verifyEC",
        usage: "verifyEC -file <file> [-blockId <blk_Id>] [-skipFailureBlocks]",
        help: "  -file Verify HDFS erasure coding on all block groups of the file.\n  \
               -skipFailureBlocks specify will skip any block group failures during verify,  \
               and continues verify all block groups of the file,\n  \
               the default is not to skip failure blocks.\n  \
               -blockId specify blk_Id to verify for a specific one block group.",
        run: verify_ec,
    },
];

/// Runs `hdfs debug ARGS…`; the exit status.
pub(crate) fn run(conf: &Configuration, mut args: Vec<String>) -> i32 {
    let Some(name) = args.first().cloned() else {
        return usage();
    };
    args.remove(0);
    let bare = name.strip_prefix('-').unwrap_or(&name);
    if bare == "help" {
        return help(&args);
    }
    let Some(spec) = find(&name) else {
        return usage();
    };
    if args.is_empty() || (spec.name == "verifyEC" && args.len() < 2) {
        say!("{}\n{}\n", spec.usage, spec.help);
        return 1;
    }
    match (spec.run)(conf, args) {
        Ok(status) => status,
        Err(message) => {
            complain!("{message}");
            1
        }
    }
}

fn find(name: &str) -> Option<&'static Spec> {
    let bare = name.strip_prefix('-').unwrap_or(name);
    COMMANDS.iter().find(|spec| spec.name == bare)
}

/// Names and usages of the commands.
pub(crate) fn usages() -> impl Iterator<Item = (&'static str, &'static str)> {
    COMMANDS.iter().map(|spec| (spec.name, spec.usage))
}

fn usage() -> i32 {
    let lines: Vec<&str> = COMMANDS.iter().map(|spec| spec.usage).collect();
    print(&format!(
        "Usage: hdfs debug <command> [arguments]\n\nThese commands are for advanced users only.\n\n\
         Incorrect usages may result in data loss. Use at your own risk.\n\n{}\n\n{}\n",
        lines.join("\n"),
        shell::GENERIC_OPTIONS,
    ));
    0
}

fn help(args: &[String]) -> i32 {
    match args.first().map(|name| (name, find(name))) {
        Some((_, Some(spec))) => say!("{}\n{}\n", spec.usage, spec.help),
        Some((name, None)) if name == "help" => {
            say!("help [command-name]\n  Get help about a command.\n");
        }
        _ => return usage(),
    }
    0
}

/// Takes an option and its value out of the arguments; what comes after `--` is no option.
fn take(name: &str, args: &mut Vec<String>) -> Result<Option<String>, String> {
    let end = args.iter().position(|arg| arg == "--").unwrap_or(args.len());
    let Some(at) = args[..end].iter().position(|arg| arg == name) else { return Ok(None) };
    args.remove(at);
    if at == args.len() {
        let class = "java.lang.IllegalArgumentException";
        return Err(format!("RuntimeException: {class}: option {name} requires 1 argument."));
    }
    Ok(Some(args.remove(at)))
}

/// "path (No such file or directory)", as Java says it.
fn failed(path: &str, error: &std::io::Error) -> String {
    let text = error.to_string();
    let reason = text.split(" (os error").next().unwrap_or_default();
    let class = match error.kind() {
        ErrorKind::NotFound | ErrorKind::PermissionDenied | ErrorKind::IsADirectory => {
            "java.io.FileNotFoundException"
        }
        _ => "java.io.IOException",
    };
    format!("{class}: {path} ({reason})")
}

fn name_of(kind: ChecksumType) -> &'static str {
    match kind {
        ChecksumType::Null => "NULL",
        ChecksumType::Crc32 => "CRC32",
        ChecksumType::Crc32c => "CRC32C",
    }
}

fn verify_meta(_conf: &Configuration, mut args: Vec<String>) -> Result<i32, String> {
    let block = take("-block", &mut args)?;
    let meta = take("-meta", &mut args)?.ok_or("You must specify a meta file with -meta")?;
    let header =
        |reason: String| format!("Failed to read HDFS metadata file header for {meta}: {reason}");
    let mut sums = File::open(&meta).map_err(|error| header(failed(&meta, &error)))?;
    let mut bytes = [0; META_HEADER_BYTES];
    sums.read_exact(&mut bytes).map_err(|_| header("java.io.EOFException".to_owned()))?;
    let spec = ChecksumSpec::decode_header(&bytes)
        .map_err(|error| header(format!("java.io.IOException: {error}")))?;
    let kind = name_of(spec.kind);
    say!("Checksum type: DataChecksum(type={kind}, chunkSize={})", spec.bytes_per_checksum);
    let Some(block) = block else { return Ok(0) };
    let mut data = File::open(&block).map_err(|error| {
        format!("Failed to open HDFS block file for {block}: {}", failed(&block, &error))
    })?;
    match compare(spec, &mut data, &mut sums, &block, &meta)? {
        None => {
            say!("Checksum verification succeeded on block file {block}");
            Ok(0)
        }
        Some(mismatch) => {
            say!("verifyChunkedSums error: {mismatch}");
            Ok(1)
        }
    }
}

/// Compares a block with its checksums; the first difference, as Hadoop words it.
fn compare(
    spec: ChecksumSpec,
    data: &mut File,
    sums: &mut File,
    block: &str,
    meta: &str,
) -> Result<Option<String>, String> {
    let chunk = spec.bytes_per_checksum as usize;
    let mut buffer =
        vec![0; chunk.saturating_mul(CHUNKS_AT_A_TIME.min((8 << 20) / chunk.max(1)).max(1))];
    let mut sums_buffer = vec![0; buffer.len().div_ceil(chunk) * spec.kind.size()];
    let mut offset = 0_u64;
    loop {
        let length = read_full(data, &mut buffer).map_err(|error| {
            let reason = failed(block, &error);
            format!(
                "Got I/O error reading block file {block}from disk at offset {offset}: {reason}"
            )
        })?;
        if length == 0 {
            return Ok(None);
        }
        let wanted = length.div_ceil(chunk) * spec.kind.size();
        let found = read_full(sums, &mut sums_buffer[..wanted]).map_err(|error| {
            let reason = failed(meta, &error);
            format!(
                "Got I/O error reading metadata file {meta}from disk at offset {offset}: {reason}"
            )
        })?;
        if found < wanted {
            return Ok(Some(format!(
                "org.apache.hadoop.fs.ChecksumException: {meta} ends before the checksums of \
                 {block} at position {offset}"
            )));
        }
        if let Err(bad) = checksum::verify(spec, &buffer[..length], &sums_buffer[..wanted]) {
            return Ok(Some(format!(
                "org.apache.hadoop.fs.ChecksumException: Checksum {} not matched for file {block} \
                 at position {}: expected={:X} but computed={:X}",
                name_of(spec.kind),
                offset + bad.offset as u64,
                bad.expected,
                bad.found,
            )));
        }
        offset += length as u64;
    }
}

/// Fills the buffer but at the end of the file.
fn read_full(file: &mut File, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(length) => filled += length,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

fn compute_meta(conf: &Configuration, mut args: Vec<String>) -> Result<i32, String> {
    let refuse = |status: i32, message: String| {
        complain!("{message}");
        Ok(status)
    };
    let Some(block) = take("-block", &mut args)? else {
        return refuse(2, "You must specify a block file with -block".into());
    };
    if !Path::new(&block).is_file() {
        return refuse(3, format!("Block file <{block}> does not exist or is not a file"));
    }
    let Some(meta) = take("-out", &mut args)? else {
        return refuse(4, "You must specify a output file with -out".into());
    };
    if Path::new(&meta).exists() {
        return refuse(5, "output file already exists!".into());
    }
    let spec = configured_checksum(conf)?;
    write_meta(spec, &block, &meta)
        .map_err(|(path, error)| format!("IOException: {}", failed(&path, &error)))?;
    say!("Checksum calculation succeeded on block file {block} saved metadata to meta file {meta}");
    Ok(0)
}

/// What a client would use: `dfs.checksum.type` and `dfs.bytes-per-checksum`.
fn configured_checksum(conf: &Configuration) -> Result<ChecksumSpec, String> {
    let name = conf.get_str(&keys::DFS_CHECKSUM_TYPE);
    let kind = ChecksumType::from_name(name)
        .ok_or_else(|| format!("dfs.checksum.type: {name} is not NULL, CRC32 or CRC32C"))?;
    let bytes = conf.get_i64(&keys::DFS_BYTES_PER_CHECKSUM).map_err(|error| error.message)?;
    ChecksumSpec::new(kind as i32, bytes).map_err(|error| error.to_string())
}

fn write_meta(spec: ChecksumSpec, block: &str, meta: &str) -> Result<(), (String, std::io::Error)> {
    let of = |path: &str| {
        let path = path.to_owned();
        move |error| (path, error)
    };
    let mut data = File::open(block).map_err(of(block))?;
    let file = OpenOptions::new().write(true).create_new(true).open(meta).map_err(of(meta))?;
    let mut out = BufWriter::new(file);
    out.write_all(&spec.encode_header()).map_err(of(meta))?;
    let chunk = spec.bytes_per_checksum as usize;
    let mut buffer = vec![0; chunk * ((1 << 20) / chunk).max(1)];
    let mut sums = Vec::new();
    loop {
        let length = read_full(&mut data, &mut buffer).map_err(of(block))?;
        if length == 0 {
            break;
        }
        sums.clear();
        checksum::append_sums(spec, &buffer[..length], &mut sums);
        out.write_all(&sums).map_err(of(meta))?;
    }
    let file = out.into_inner().map_err(|error| (meta.to_owned(), error.into_error()))?;
    file.sync_all().map_err(of(meta))
}

fn recover_lease(conf: &Configuration, mut args: Vec<String>) -> Result<i32, String> {
    let path = take("-path", &mut args)?;
    let retries = take("-retries", &mut args)?;
    let path = path.ok_or("You must supply a -path argument to recoverLease.")?;
    let tries: u32 = match &retries {
        None => 1,
        Some(text) => text.parse().map_err(|_| {
            let class = "java.lang.NumberFormatException";
            format!(
                "Failed to parse the argument to -retries: {class}: For input string: \"{text}\""
            )
        })?,
    };
    let (uri, inner) = place(conf, &path)?;
    let client = HdfsClient::for_uri(&uri, conf)
        .map_err(|error| format!("IOException: {}", error.message))?;
    let mut tried = 0;
    loop {
        match client.recover_lease(&inner) {
            Ok(true) => {
                say!("recoverLease SUCCEEDED on {path}");
                return Ok(0);
            }
            Ok(false) => complain!("recoverLease returned false."),
            Err(error) if error.kind == Kind::FileNotFound => {
                complain!("recoverLease got exception: {}", error.message);
                return Err(format!("Giving up on recoverLease for {path} after 1 try"));
            }
            Err(error) => complain!("recoverLease got exception: {}", error.message),
        }
        tried += 1;
        if tried >= tries {
            break;
        }
        complain!("Retrying in {} ms...", RETRY_PAUSE.as_millis());
        std::thread::sleep(RETRY_PAUSE);
        complain!("Retry #{tried}");
    }
    let plural = if tries == 1 { "try." } else { "tries." };
    Err(format!("Giving up on recoverLease for {path} after {tries} {plural}"))
}

/// The cluster and the path in it; only HDFS has leases. A relative path starts at the user's home.
fn place(conf: &Configuration, path: &str) -> Result<(String, String), String> {
    let default = shell::default_uri(conf);
    let default = default.trim_end_matches('/');
    let full = match path {
        _ if path.contains("://") => path.to_owned(),
        _ if path.starts_with('/') => format!("{default}{path}"),
        _ => format!("{default}/user/{}/{path}", hdfs_rt::users::current_user()),
    };
    let (scheme, rest) = full.split_once("://").unwrap_or(("file", ""));
    if scheme != "hdfs" {
        return Err(format!(
            "Invalid filesystem for path {path}: needed scheme hdfs, but got: {scheme}"
        ));
    }
    let authority = rest.split('/').next().unwrap_or_default();
    let inner = rest[authority.len()..].to_owned();
    Ok((format!("hdfs://{authority}"), if inner.is_empty() { "/".into() } else { inner }))
}

fn verify_ec(_conf: &Configuration, _args: Vec<String>) -> Result<i32, String> {
    Err("verifyEC is not supported yet (it comes with erasure coding)".into())
}
