//! `hdfs storagepolicies`.
//!
//! Hadoop: org.apache.hadoop.hdfs.tools.StoragePolicyAdmin (3.5.0)

use hdfs_client::StoragePolicy;
use hdfs_types::ErrorKind;

use crate::admin_tool::{
    AdminCommand, AdminTool, Arguments, Outcome, PATH_ERRORS, Stop, Unwrapped, failed,
};
use crate::output::say;

pub(crate) static TOOL: AdminTool = AdminTool {
    name: "storagepolicies",
    commands: &[
        AdminCommand {
            name: "-listPolicies",
            options: "",
            about: "List all the existing block storage policies.\n",
            rows: &[],
            notes: "",
            run: list,
        },
        AdminCommand {
            name: "-setStoragePolicy",
            options: " -path <path> -policy <policy>",
            about: "Set the storage policy to a file/directory.\n\n",
            rows: &[
                ("<path>", "The path of the file/directory to set storage policy"),
                ("<policy>", "The name of the block storage policy"),
            ],
            notes: "",
            run: set,
        },
        AdminCommand {
            name: "-getStoragePolicy",
            options: " -path <path>",
            about: "Get the storage policy of a file/directory.\n\n",
            rows: &[("<path>", "The path of the file/directory for getting the storage policy")],
            notes: "",
            run: get,
        },
        AdminCommand {
            name: "-unsetStoragePolicy",
            options: " -path <path>",
            about: "Unset the storage policy set for a file/directory.\n\n",
            rows: &[(
                "<path>",
                "The path of the file/directory from which the storage policy will be unset.",
            )],
            notes: "",
            run: unset,
        },
        AdminCommand {
            name: "-satisfyStoragePolicy",
            options: " -path <path>",
            about: "Schedule blocks to move based on file/directory policy.\n\n",
            rows: &[("<path>", "The path of the file/directory to satisfy storage policy")],
            notes: "",
            run: satisfy,
        },
    ],
};

/// `BlockStoragePolicy{HOT:7, storageTypes=[DISK], creationFallbacks=[], replicationFallbacks=[ARCHIVE]}`.
fn text(policy: &StoragePolicy) -> String {
    let types = |types: &[hdfs_types::StorageType]| {
        types.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ")
    };
    format!(
        "BlockStoragePolicy{{{}:{}, storageTypes=[{}], creationFallbacks=[{}], replicationFallbacks=[{}]}}",
        policy.name,
        policy.id,
        types(&policy.storage_types),
        types(&policy.creation_fallbacks),
        types(&policy.replication_fallbacks),
    )
}

fn list(args: &mut Arguments<'_>) -> Outcome {
    let policies = args.client()?.storage_policies().map_err(failed(2, PATH_ERRORS))?;
    say!("Block Storage Policies:");
    for policy in &policies {
        say!("\t{}", text(policy));
    }
    Ok(0)
}

fn get(args: &mut Arguments<'_>) -> Outcome {
    let path = args.value("-path")?;
    let path = path.ok_or_else(|| args.missing("Please specify the path with -path."))?;
    let (client, inner) = args.client_of(&path)?;
    let status = client.file_info(&inner).map_err(failed(2, PATH_ERRORS))?;
    let Some(status) = status else {
        return Err(Stop::Said(2, format!("File/Directory does not exist: {path}")));
    };
    if status.storage_policy == 0 {
        say!("The storage policy of {path} is unspecified");
        return Ok(0);
    }
    let policies = client.storage_policies().map_err(failed(2, PATH_ERRORS))?;
    let policy = policies.iter().find(|policy| policy.id == status.storage_policy);
    let Some(policy) = policy else {
        let text = format!("-getStoragePolicy is not supported for filesystem hdfs on path {path}");
        return Err(Stop::Said(2, text));
    };
    say!("The storage policy of {path}:\n{}", text(policy));
    Ok(0)
}

/// What setting and unsetting a policy unwraps.
const SET_ERRORS: Unwrapped = Unwrapped::These(&[
    ErrorKind::AccessControl,
    ErrorKind::FileNotFound,
    ErrorKind::SafeMode,
    ErrorKind::NsQuotaExceeded,
    ErrorKind::UnresolvedLink,
    ErrorKind::SnapshotAccessControl,
]);

fn set(args: &mut Arguments<'_>) -> Outcome {
    let path = args.value("-path")?;
    let path = path
        .ok_or_else(|| args.missing("Please specify the path for setting the storage policy."))?;
    let policy = args.value("-policy")?;
    let policy = policy.ok_or_else(|| args.missing("Please specify the policy name."))?;
    let (client, inner) = args.client_of(&path)?;
    client.set_storage_policy(&inner, &policy).map_err(failed(2, SET_ERRORS))?;
    say!("Set storage policy {policy} on {path}");
    Ok(0)
}

fn unset(args: &mut Arguments<'_>) -> Outcome {
    let path = args.value("-path")?;
    let sentence = "Please specify the path from which the storage policy will be unset.";
    let path = path.ok_or_else(|| args.missing(sentence))?;
    let (client, inner) = args.client_of(&path)?;
    client.unset_storage_policy(&inner).map_err(failed(2, SET_ERRORS))?;
    say!("Unset storage policy from {path}");
    Ok(0)
}

fn satisfy(args: &mut Arguments<'_>) -> Outcome {
    let path = args.value("-path")?;
    let path = path
        .ok_or_else(|| args.missing("Please specify the path for setting the storage policy."))?;
    let (client, inner) = args.client_of(&path)?;
    client.satisfy_storage_policy(&inner).map_err(failed(2, PATH_ERRORS))?;
    say!("Scheduled blocks to move based on the current storage policy on {path}");
    Ok(0)
}
