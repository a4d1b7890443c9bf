//! `hdfs crypto`: encryption zones.
//!
//! Hadoop: org.apache.hadoop.hdfs.tools.CryptoAdmin (3.5.0)

use hdfs_client::blocking::HdfsClient;
use hdfs_proto::hdfs as proto;
use hdfs_types::{ErrorKind, FsPermission};

use crate::admin_tool::{
    AdminCommand, AdminTool, Arguments, Outcome, PATH_ERRORS, Stop, Unwrapped, failed,
};
use crate::output::say;
use crate::table_listing::{Align, TableListing};

pub(crate) static TOOL: AdminTool = AdminTool { name: "crypto", commands: &COMMANDS };

static COMMANDS: [AdminCommand; 6] = [
    AdminCommand {
        name: "-createZone",
        options: " -keyName <keyName> -path <path>",
        about: "Create a new encryption zone.\n\n",
        rows: &[
            (
                "<path>",
                "The path of the encryption zone to create. It must be an empty directory. A trash \
                 directory is provisioned under this path.",
            ),
            ("<keyName>", "Name of the key to use for the encryption zone."),
        ],
        notes: "",
        run: create,
    },
    AdminCommand {
        name: "-listZones",
        options: "",
        about: "List all encryption zones. Requires superuser permissions.\n\n",
        rows: &[],
        notes: "",
        run: list,
    },
    AdminCommand {
        name: "-provisionTrash",
        options: " -path <path>",
        about: "Provision a trash directory for an encryption zone.\n\n",
        rows: &[("<path>", "The path to the root of the encryption zone. ")],
        notes: "",
        run: trash,
    },
    AdminCommand {
        name: "-getFileEncryptionInfo",
        options: " -path <path>",
        about: "Get encryption info of a file.\n\n",
        rows: &[("<path>", "The path to the file to show encryption info.")],
        notes: "",
        run: info,
    },
    AdminCommand {
        name: "-reencryptZone",
        options: " <action> -path <zone>",
        about: "Issue a re-encryption command for an encryption zone. Requires superuser permissions.\n\n",
        rows: &[
            ("<action>", "The re-encrypt action to perform. Must be -start or -cancel."),
            ("<zone>", "The path to the zone to be re-encrypted."),
        ],
        notes: "",
        run: reencrypt,
    },
    AdminCommand {
        name: "-listReencryptionStatus",
        options: "",
        about: "List re-encryption statuses of encryption zones. Requires superuser permissions.\n\n",
        rows: &[],
        notes: "",
        run: status,
    },
];

/// What the calls that change a zone unwrap.
const ZONE_ERRORS: Unwrapped =
    Unwrapped::These(&[ErrorKind::AccessControl, ErrorKind::SafeMode, ErrorKind::UnresolvedLink]);
/// What the lists unwrap: nothing.
const LIST_ERRORS: Unwrapped = Unwrapped::These(&[]);
/// Of a trash directory: everybody makes one in it, nobody removes another's.
const TRASH_PERMISSION: FsPermission = FsPermission(0o1777);

/// An option that must be there.
fn needed(args: &mut Arguments<'_>, option: &str, text: &str) -> Result<String, Stop> {
    args.value(option)?.ok_or_else(|| Stop::Said(1, text.to_owned()))
}

fn create(args: &mut Arguments<'_>) -> Outcome {
    let path = needed(args, "-path", "You must specify a path with -path.")?;
    let key = needed(args, "-keyName", "You must specify a key name with -keyName.")?;
    args.understood()?;
    let (client, inner) = args.client_of(&path)?;
    client.create_encryption_zone(&inner, &key).map_err(failed(2, ZONE_ERRORS))?;
    provision_trash(&client, &inner)?;
    say!("Added encryption zone {path}");
    Ok(0)
}

fn provision_trash(client: &HdfsClient, path: &str) -> Result<(), Stop> {
    let zone = client.encryption_zone(path).map_err(failed(2, PATH_ERRORS))?;
    let zone = zone.ok_or_else(|| Stop::Illegal(format!("{path} is not an encryption zone.")))?;
    if zone.path != path {
        let text = "is not the root of an encryption zone. Do you mean";
        return Err(Stop::Illegal(format!("{path} {text} {}?", zone.path)));
    }
    let trash = format!("{}/.Trash", path.trim_end_matches('/'));
    if client.exists(&trash).map_err(failed(2, PATH_ERRORS))? {
        return Err(Stop::Said(
            2,
            format!(
                "FileAlreadyExistsException: Will not provision new trash directory for encryption \
                 zone {path}. Path already exists."
            ),
        ));
    }
    client.mkdirs(&trash, Some(TRASH_PERMISSION), false).map_err(failed(2, PATH_ERRORS))?;
    client.set_permission(&trash, TRASH_PERMISSION).map_err(failed(2, PATH_ERRORS))
}

fn list(args: &mut Arguments<'_>) -> Outcome {
    args.understood()?;
    let zones = args.client()?.encryption_zones().map_err(failed(2, LIST_ERRORS))?;
    let mut table = TableListing::pairs();
    for zone in zones {
        table.add(vec![zone.path, zone.key_name]);
    }
    say!("{}", table.text());
    Ok(0)
}

fn trash(args: &mut Arguments<'_>) -> Outcome {
    let path = needed(args, "-path", "You must specify a path with -path.")?;
    args.understood()?;
    let (client, inner) = args.client_of(&path)?;
    provision_trash(&client, &inner)?;
    say!("Created a trash directory for {path}");
    Ok(0)
}

fn info(args: &mut Arguments<'_>) -> Outcome {
    let path = needed(args, "-path", "You must specify a path with -path.")?;
    args.understood()?;
    let (client, inner) = args.client_of(&path)?;
    let info = client.file_encryption_info(&inner).map_err(failed(3, PATH_ERRORS))?;
    let Some(info) = info else {
        return Err(Stop::Said(2, format!("No FileEncryptionInfo found for path {path}")));
    };
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let suite = match info.suite() {
        proto::CipherSuiteProto::AesCtrNopadding => "AES/CTR/NoPadding",
        proto::CipherSuiteProto::Sm4CtrNopadding => "SM4/CTR/NoPadding",
        proto::CipherSuiteProto::Unknown => "Unknown",
    };
    let version = match info.crypto_protocol_version() {
        proto::CryptoProtocolVersionProto::EncryptionZones => {
            "CryptoProtocolVersion{description='Encryption zones', version=2, unknownValue=null}"
        }
        proto::CryptoProtocolVersionProto::UnknownProtocolVersion => {
            "CryptoProtocolVersion{description='Unknown', version=1, unknownValue=null}"
        }
    };
    say!(
        "{{cipherSuite: {{name: {suite}, algorithmBlockSize: 16}}, cryptoProtocolVersion: {version}, \
         edek: {}, iv: {}, keyName: {}, ezKeyVersionName: {}}}",
        hex(&info.key),
        hex(&info.iv),
        info.key_name,
        info.ez_key_version_name
    );
    Ok(0)
}

fn reencrypt(args: &mut Arguments<'_>) -> Outcome {
    let path = args.value("-path")?;
    let (start, cancel) = (args.flag("-start"), args.flag("-cancel"));
    args.understood()?;
    if start == cancel {
        let text = "You must specify either [-start] or [-cancel]. ";
        return Err(Stop::Said(2, text.to_owned()));
    }
    let path = path.ok_or_else(|| {
        Stop::Said(3, "You must specify a zone directory with [-path]. ".to_owned())
    })?;
    let (client, inner) = args.client_of(&path)?;
    client.reencrypt_encryption_zone(&inner, cancel).map_err(failed(4, ZONE_ERRORS))?;
    let action = if cancel { "CANCEL" } else { "START" };
    say!("re-encrypt command successfully submitted for zone: {path} action: {action}");
    Ok(0)
}

fn status(args: &mut Arguments<'_>) -> Outcome {
    let zones = args.client()?.reencryption_status().map_err(failed(2, LIST_ERRORS))?;
    let mut table = TableListing::new(
        &[
            "Zone Name",
            "Status",
            "EZKey Version Name",
            "Submission Time",
            "Is Canceled?",
            "Completion Time",
            "Number of files re-encrypted",
            "Number of failures",
            "Last File Checkpointed",
        ]
        .map(|title| (title, Align::Left)),
    );
    let failures = zones.iter().any(|zone| zone.num_failures > 0);
    for zone in zones {
        let completion = zone.completion_time();
        let state = zone.state().as_str_name();
        table.add(vec![
            zone.path.clone(),
            capitalized(state),
            zone.ez_key_version_name.clone(),
            time_text(zone.submission_time),
            zone.canceled.to_string(),
            if completion == 0 { "N/A".to_owned() } else { time_text(completion) },
            zone.num_reencrypted.to_string(),
            zone.num_failures.to_string(),
            zone.last_file().to_owned(),
        ]);
    }
    say!("{}", table.text());
    if failures {
        say!(
            "There are re-encryption failures. Files that are failed to re-encrypt are still using the \
             old EDEKs. Please check NameNode log to see which files failed, then either fix the error \
             and re-encrypt again, or manually copy the failed files to use new EDEKs."
        );
    }
    Ok(0)
}

/// `Submitted`, `Processing`, `Completed`.
fn capitalized(state: &str) -> String {
    let lower = state.to_ascii_lowercase();
    let mut chars = lower.chars();
    chars
        .next()
        .map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + chars.as_str())
}

/// `2026-11-21 10:00:00,123+0000`, in local time.
fn time_text(millis: i64) -> String {
    chrono::DateTime::from_timestamp_millis(millis).map_or_else(
        || millis.to_string(),
        |time| time.with_timezone(&chrono::Local).format("%Y-%m-%d %H:%M:%S,%3f%z").to_string(),
    )
}
