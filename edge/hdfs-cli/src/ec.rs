//! `hdfs ec`: erasure-coding policies.
//!
//! Hadoop: org.apache.hadoop.hdfs.tools.ECAdmin (3.5.0)

mod policy_file;

use hdfs_client::blocking::HdfsClient;
use hdfs_proto::hdfs as proto;
use hdfs_types::erasure::{SYSTEM_CELL_BYTES, system_policy};
use hdfs_types::{Error, ErrorKind};

use crate::admin_tool::{
    AdminCommand, AdminTool, Arguments, Outcome, PATH_ERRORS, Stop, Unwrapped, failed, pretty,
};
use crate::output::{complain, say};

pub(crate) static TOOL: AdminTool = AdminTool { name: "ec", commands: &COMMANDS };

const POLICY: &[(&str, &str)] = &[("<policy>", "The name of the erasure coding policy")];

static COMMANDS: [AdminCommand; 10] = [
    AdminCommand {
        name: "-listPolicies",
        options: "",
        about: "Get the list of all erasure coding policies.\n",
        rows: &[],
        notes: "",
        run: list,
    },
    AdminCommand {
        name: "-addPolicies",
        options: " -policyFile <file>",
        about: "Add a list of user defined erasure coding policies.\n",
        rows: &[("<file>", "The path of the xml file which defines the EC policies to add")],
        notes: "",
        run: add,
    },
    AdminCommand {
        name: "-getPolicy",
        options: " -path <path>",
        about: "Get the erasure coding policy of a file/directory.\n\n",
        rows: &[("<path>", "The path of the file/directory for getting the erasure coding policy")],
        notes: "",
        run: get,
    },
    AdminCommand {
        name: "-removePolicy",
        options: " -policy <policy>",
        about: "Remove an user defined erasure coding policy.\n",
        rows: POLICY,
        notes: "",
        run: remove,
    },
    AdminCommand {
        name: "-setPolicy",
        options: " -path <path> [-policy <policy>] [-replicate]",
        about: "Set the erasure coding policy for a file/directory.\n\n",
        rows: &[
            ("<path>", "The path of the file/directory to set the erasure coding policy"),
            ("<policy>", "The name of the erasure coding policy"),
            ("-replicate", "force 3x replication scheme on the directory"),
        ],
        notes: "\n-replicate and -policy are optional arguments. They cannot been used at the same time.\n",
        run: set,
    },
    AdminCommand {
        name: "-unsetPolicy",
        options: " -path <path>",
        about: "Unset the erasure coding policy for a directory.\n\n",
        rows: &[(
            "<path>",
            "The path of the directory from which the erasure coding policy will be unset.",
        )],
        notes: "",
        run: unset,
    },
    AdminCommand {
        name: "-listCodecs",
        options: "",
        about: "Get the list of supported erasure coding codecs and coders.\n\
                A coder is an implementation of a codec. A codec can have different implementations, \
                thus different coders.\nThe coders for a codec are listed in a fall back order.\n",
        rows: &[],
        notes: "",
        run: codecs,
    },
    AdminCommand {
        name: "-enablePolicy",
        options: " -policy <policy>",
        about: "Enable the erasure coding policy.\n\n",
        rows: POLICY,
        notes: "",
        run: enable,
    },
    AdminCommand {
        name: "-disablePolicy",
        options: " -policy <policy>",
        about: "Disable the erasure coding policy.\n\n",
        rows: POLICY,
        notes: "",
        run: disable,
    },
    AdminCommand {
        name: "-verifyClusterSetup",
        options: " [-policy <policy>...<policy>]",
        about: "Verify if the cluster setup can support all enabled erasure coding policies. If optional \
                parameter -policy is specified, verify if the cluster setup can support the given policy.\n",
        rows: &[],
        notes: "",
        run: verify,
    },
];

/// What the calls about policies themselves unwrap.
const POLICY_ERRORS: Unwrapped = Unwrapped::These(&[ErrorKind::AccessControl, ErrorKind::SafeMode]);
/// What the lists unwrap: nothing.
const LIST_ERRORS: Unwrapped = Unwrapped::These(&[]);
const NO_POLICY_SET: &str = "NoECPolicySetException";

/// The name of a policy; servers send the built-in ones by number.
fn name(policy: &proto::ErasureCodingPolicyProto) -> &str {
    match (&policy.name, system_policy(policy.id)) {
        (Some(name), _) => name,
        (None, Some(built_in)) => built_in.name,
        (None, None) => "",
    }
}

/// `ErasureCodingPolicy=[Name=…, Schema=[ECSchema=[…]], CellSize=…, Id=…], State=…`.
fn text(policy: &proto::ErasureCodingPolicyProto) -> String {
    let built_in = system_policy(policy.id);
    let schema = policy.schema.clone().unwrap_or_else(|| proto::EcSchemaProto {
        codec_name: built_in.map_or("", |of| of.codec).to_owned(),
        data_units: built_in.map_or(0, |of| of.data_units),
        parity_units: built_in.map_or(0, |of| of.parity_units),
        options: Vec::new(),
    });
    let options: String =
        schema.options.iter().map(|option| format!(", {}={}", option.key, option.value)).collect();
    format!(
        "ErasureCodingPolicy=[Name={}, Schema=[ECSchema=[Codec={}, numDataUnits={}, numParityUnits={}\
         {options}]], CellSize={}, Id={}], State={}",
        name(policy),
        schema.codec_name,
        schema.data_units,
        schema.parity_units,
        policy.cell_size.unwrap_or(SYSTEM_CELL_BYTES),
        policy.id,
        policy.state().as_str_name(),
    )
}

fn list(args: &mut Arguments<'_>) -> Outcome {
    args.no_more()?;
    let policies = args.client()?.erasure_coding_policies().map_err(failed(2, LIST_ERRORS))?;
    if policies.is_empty() {
        say!("There is no erasure coding policies in the cluster.");
        return Ok(0);
    }
    say!("Erasure Coding Policies:");
    for policy in &policies {
        say!("{}", text(policy));
    }
    Ok(0)
}

fn add(args: &mut Arguments<'_>) -> Outcome {
    let file = args.value("-policyFile")?;
    let file = file.ok_or_else(|| args.missing("Please specify the path with -policyFile."))?;
    args.no_more()?;
    let client = args.client()?;
    let policies = policy_file::read(&file).map_err(|error| match error {
        policy_file::Bad::Argument(message) => Stop::Illegal(message),
        policy_file::Bad::File(message) => Stop::Said(1, format!("RuntimeException: {message}")),
    })?;
    if policies.is_empty() {
        say!("No EC policy parsed out from {file}");
        return Ok(0);
    }
    let answers = client.add_erasure_coding_policies(policies).map_err(failed(2, POLICY_ERRORS))?;
    for answer in &answers {
        let name = name(&answer.policy);
        if answer.succeed {
            say!("Add ErasureCodingPolicy {name} succeed.");
        } else {
            let reason = answer.error_msg.as_deref().unwrap_or("null");
            say!("Add ErasureCodingPolicy {name} failed and error message is {reason}");
        }
    }
    Ok(0)
}

fn get(args: &mut Arguments<'_>) -> Outcome {
    let path = args.value("-path")?;
    let path = path.ok_or_else(|| args.missing("Please specify the path with -path."))?;
    args.no_more()?;
    let (client, inner) = args.client_of(&path)?;
    let policy = client.erasure_coding_policy(&inner).map_err(failed(2, PATH_ERRORS))?;
    match policy {
        Some(policy) => say!("{}", name(&policy)),
        None => say!("The erasure coding policy of {path} is unspecified"),
    }
    Ok(0)
}

/// The option `-policy`, which must be there, alone.
fn policy_name(args: &mut Arguments<'_>) -> Result<String, Stop> {
    let policy = args.value("-policy")?;
    let policy = policy.ok_or_else(|| args.missing("Please specify the policy name."))?;
    args.no_more()?;
    Ok(policy)
}

fn remove(args: &mut Arguments<'_>) -> Outcome {
    let policy = policy_name(args)?;
    let client = args.client()?;
    client.remove_erasure_coding_policy(&policy).map_err(failed(2, POLICY_ERRORS))?;
    // Without a blank, as Hadoop prints it.
    say!("Erasure coding policy {policy}is removed");
    Ok(0)
}

fn set(args: &mut Arguments<'_>) -> Outcome {
    let path = args.value("-path")?;
    let sentence = "Please specify the path for setting the EC policy.";
    let path = path.ok_or_else(|| args.missing(sentence))?;
    let mut policy = args.value("-policy")?;
    let replicate = args.flag("-replicate");
    args.no_more()?;
    if replicate {
        if policy.is_some() {
            let text = "-setPolicy: -replicate and -policy cannot been used at the same time";
            return Err(Stop::Said(2, text.to_owned()));
        }
        policy = Some("replication".to_owned());
    }
    let (client, inner) = args.client_of(&path)?;
    client.set_erasure_coding_policy(&inner, policy.as_deref()).map_err(failed(3, PATH_ERRORS))?;
    let policy = policy.as_deref().unwrap_or("default");
    say!("Set {policy} erasure coding policy on {path}");
    if has_entries(&client, &inner, 3)? {
        say!(
            "Warning: setting erasure coding policy on a non-empty directory will not automatically \
             convert existing files to {policy} erasure coding policy"
        );
    }
    Ok(0)
}

fn has_entries(client: &HdfsClient, path: &str, status: i32) -> Result<bool, Stop> {
    match client.list(path).next() {
        Some(Err(error)) => Err(failed(status, PATH_ERRORS)(error)),
        other => Ok(other.is_some()),
    }
}

fn unset(args: &mut Arguments<'_>) -> Outcome {
    let path = args.value("-path")?;
    let path = path.ok_or_else(|| args.missing("Please specify a path."))?;
    args.no_more()?;
    let (client, inner) = args.client_of(&path)?;
    client.unset_erasure_coding_policy(&inner).map_err(|error| refused_unset(&error))?;
    say!("Unset erasure coding policy from {path}");
    if has_entries(&client, &inner, 2)? {
        say!(
            "Warning: unsetting erasure coding policy on a non-empty directory will not automatically \
             convert existing files to replicated data."
        );
    }
    Ok(0)
}

/// A directory without a policy of its own gets advice.
fn refused_unset(error: &Error) -> Stop {
    if !error.kind.java_class().ends_with(NO_POLICY_SET) {
        return Stop::Said(2, pretty(error, &PATH_ERRORS));
    }
    let advice = "Use '-setPolicy -path <PATH> -replicate' to enforce default replication policy \
                  irrespective of EC policy defined on parent.";
    Stop::Said(2, format!("{}\n{advice}", pretty(error, &Unwrapped::All)))
}

fn codecs(args: &mut Arguments<'_>) -> Outcome {
    args.no_more()?;
    let codecs = args.client()?.erasure_coding_codecs().map_err(failed(2, LIST_ERRORS))?;
    if codecs.is_empty() {
        say!("No erasure coding codecs are supported on the cluster.");
        return Ok(0);
    }
    say!("Erasure Coding Codecs: Codec [Coder List]");
    for codec in &codecs {
        say!("\t{} [{}]", codec.codec.to_uppercase(), codec.coders.to_uppercase());
    }
    Ok(0)
}

fn enable(args: &mut Arguments<'_>) -> Outcome {
    let policy = policy_name(args)?;
    let client = args.client()?;
    client.enable_erasure_coding_policy(&policy).map_err(failed(2, POLICY_ERRORS))?;
    say!("Erasure coding policy {policy} is enabled");
    let topology =
        client.erasure_coding_topology(vec![policy.clone()]).map_err(failed(2, POLICY_ERRORS))?;
    if !topology.is_supported {
        complain!(
            "Warning: The cluster setup does not support EC policy {policy}. Reason: {}",
            topology.result_message
        );
    }
    Ok(0)
}

fn disable(args: &mut Arguments<'_>) -> Outcome {
    let policy = policy_name(args)?;
    let client = args.client()?;
    client.disable_erasure_coding_policy(&policy).map_err(failed(2, POLICY_ERRORS))?;
    say!("Erasure coding policy {policy} is disabled");
    Ok(0)
}

fn verify(args: &mut Arguments<'_>) -> Outcome {
    let policies = if args.flag("-policy") {
        let policies = args.rest().to_vec();
        if policies.is_empty() {
            let text = "NotEnoughArgumentsException: Not enough arguments: expected 1 but got 0";
            return Err(Stop::Said(255, text.to_owned()));
        }
        policies
    } else {
        args.no_more()?;
        Vec::new()
    };
    let topology = args.client()?.erasure_coding_topology(policies).map_err(|error| {
        if error.kind == ErrorKind::HadoopIllegalArgument {
            Stop::Said(255, pretty(&error, &Unwrapped::All))
        } else {
            Stop::Said(1, pretty(&error, &POLICY_ERRORS))
        }
    })?;
    say!("{}", topology.result_message);
    Ok(if topology.is_supported { 0 } else { 2 })
}
