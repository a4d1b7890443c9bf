//! From checked parameters to what is to be done: a call of ClientProtocol and how its answer is shown, a redirect, or
//! one of the few operations that are more than one call.

use hdfs_proto::hdfs as p;
use hdfs_types::{Error, ErrorKind, FsAction, Result};
use prost::Message;

use super::op::Op;
use super::params::Params;
use super::query::{form_encode, quote_path};
use super::{acl_spec, json, locations, policies, snapshots, status, token, xattr_value};

/// What the server's configuration adds to a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// `dfs.replication`.
    pub replication: u32,
    /// `dfs.blocksize`.
    pub block_size: u64,
    /// The holder of the lease that a truncate may need, fresh for each request: `DFSClient_<random>`.
    pub client_name: String,
}

/// A body, and with it the type of the answer. The status is 200.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// JSON.
    Json(String),
    /// Nothing, of the type of bytes.
    Empty,
    /// Nothing, of no type.
    Untyped,
}

type Show = Box<dyn FnOnce(&[u8]) -> Result<Answer> + Send>;

/// A call of ClientProtocol.
pub struct Call {
    /// The method.
    pub method: &'static str,
    /// The request message, encoded.
    pub request: Vec<u8>,
    show: Show,
}

impl Call {
    /// Shows the encoded answer of the call.
    ///
    /// # Errors
    /// When the answer means one, or is no such message.
    pub fn answer(self, response: &[u8]) -> Result<Answer> {
        (self.show)(response)
    }
}

/// What a DataNode does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Redirect {
    /// OPEN, GETFILECHECKSUM, CREATE or APPEND.
    pub op: Op,
    /// Where reading begins.
    pub offset: i64,
    /// Size of a block that will be written.
    pub block_size: u64,
    /// DataNodes that are not wanted: hosts, or addresses with ports, with commas between them.
    pub exclude: Option<String>,
    /// The parameters that the DataNode needs, each after a `&`.
    pub query: String,
    /// Answer with JSON instead of a redirect.
    pub no_redirect: bool,
}

/// What to do.
pub enum Step {
    /// One call.
    Call(Call),
    /// Send the client to a DataNode.
    Redirect(Redirect),
    /// List a directory, part by part.
    ListStatus,
    /// `{"Path":…}` of the caller's home.
    HomeDirectory,
    /// `{"Path":…}` of the trash that belongs to the path.
    TrashRoot,
    /// Statuses of trash roots: of the caller, or of all users.
    TrashRoots {
        /// Of all users.
        all_users: bool,
    },
    /// A delegation token, which there is none of without security.
    DelegationToken,
}

/// Decides what an operation takes.
///
/// # Errors
/// `IllegalArgument` when a parameter that the operation needs is missing, `UnsupportedOperation` without operation.
pub fn step(params: &Params, path: &str, settings: &Settings) -> Result<Step> {
    let op = params.op();
    if op.redirects() {
        return Ok(Step::Redirect(redirect(params, settings)));
    }
    let call = match op {
        Op::ListStatus => return Ok(Step::ListStatus),
        Op::GetHomeDirectory => return Ok(Step::HomeDirectory),
        Op::GetTrashRoot => return Ok(Step::TrashRoot),
        Op::GetTrashRoots => return Ok(Step::TrashRoots { all_users: params.is("allusers") }),
        Op::GetDelegationToken if params.text("delegation").is_some() => {
            return Err(illegal("delegation parameter is not null."));
        }
        Op::GetDelegationToken => return Ok(Step::DelegationToken),
        _ => get(params, path)
            .or_else(|| get_attributes(params, path))
            .or_else(|| get_policies(params, path))
            .or_else(|| get_snapshots(params, path))
            .or_else(|| put(params, path, settings))
            .or_else(|| put_attributes(params, path))
            .or_else(|| put_policies(params, path))
            .or_else(|| post_and_delete(params, path, settings)),
    };
    // Hadoop's message for PUT has two spaces.
    let space = if op == Op::NullPut { " " } else { "" };
    let unsupported = || {
        let message = format!("op={}{space} is not supported", op.name());
        Err(Error::new(ErrorKind::UnsupportedOperation, message))
    };
    call.unwrap_or_else(unsupported).map(Step::Call)
}

fn illegal(message: &str) -> Error {
    Error::new(ErrorKind::IllegalArgument, message)
}

/// A call whose answer `show` turns into a body.
fn call<M: Message + Default + 'static>(
    method: &'static str,
    request: &impl Message,
    show: impl FnOnce(M) -> Result<Answer> + Send + 'static,
) -> Result<Call> {
    let show: Show = Box::new(move |response| {
        let decoded = M::decode(response);
        show(decoded.map_err(|error| Error::io(format!("{method}: {error}")))?)
    });
    Ok(Call { method, request: request.encode_to_vec(), show })
}

/// A call whose answer says nothing.
fn quiet(method: &'static str, request: &impl Message) -> Result<Call> {
    call(method, request, |_: p::RenewLeaseResponseProto| Ok(Answer::Empty))
}

fn show(json: String) -> Result<Answer> {
    Ok(Answer::Json(json))
}

fn show_bool(result: bool) -> Result<Answer> {
    show(json::wrapped("boolean", |out| out.push_str(if result { "true" } else { "false" })))
}

fn show_path(path: &str) -> Result<Answer> {
    show(json::wrapped("Path", |out| json::text(out, path)))
}

fn required<T>(found: Option<T>, missing: impl FnOnce() -> String) -> Result<T> {
    found.ok_or_else(|| Error::new(ErrorKind::FileNotFound, missing()))
}

fn get(params: &Params, path: &str) -> Option<Result<Call>> {
    let src = path.to_owned();
    let absent = format!("File does not exist: {path}");
    Some(match params.op() {
        Op::GetFileStatus => {
            let request = p::GetFileInfoRequestProto { src };
            call("getFileInfo", &request, |of: p::GetFileInfoResponseProto| {
                show(status::file_status(&required(of.fs, || absent)?))
            })
        }
        Op::GetFileLinkStatus => {
            let request = p::GetFileLinkInfoRequestProto { src };
            call("getFileLinkInfo", &request, |of: p::GetFileLinkInfoResponseProto| {
                show(status::file_status(&required(of.fs, || absent)?))
            })
        }
        Op::GetLinkTarget => {
            let request = p::GetLinkTargetRequestProto { path: src };
            call("getLinkTarget", &request, |of: p::GetLinkTargetResponseProto| {
                show_path(of.target_path())
            })
        }
        Op::ListStatusBatch => {
            let start_after = params.text("startafter").unwrap_or_default().to_owned();
            let absent = format!("File {path} does not exist.");
            let request = p::GetListingRequestProto {
                src,
                start_after: start_after.into(),
                need_location: false,
            };
            call("getListing", &request, |of: p::GetListingResponseProto| {
                show(status::partial_listing(&required(of.dir_list, || absent)?))
            })
        }
        Op::GetContentSummary => {
            let request = p::GetContentSummaryRequestProto { path: src };
            call("getContentSummary", &request, |of: p::GetContentSummaryResponseProto| {
                show(status::content_summary(&of.summary))
            })
        }
        Op::GetQuotaUsage => {
            let request = p::GetQuotaUsageRequestProto { path: src };
            call("getQuotaUsage", &request, |of: p::GetQuotaUsageResponseProto| {
                show(status::quota_usage(&of.usage))
            })
        }
        Op::GetBlockLocations | Op::GetFileBlockLocations => block_locations(params, src),
        Op::GetServerDefaults => {
            let request = p::GetServerDefaultsRequestProto {};
            call("getServerDefaults", &request, |of: p::GetServerDefaultsResponseProto| {
                show(status::server_defaults(&of.server_defaults))
            })
        }
        Op::GetStatus => {
            let request = p::GetFsStatusRequestProto {};
            call("getFsStats", &request, |of: p::GetFsStatsResponseProto| {
                show(status::fs_status(&of))
            })
        }
        _ => return None,
    })
}

fn get_attributes(params: &Params, path: &str) -> Option<Result<Call>> {
    let src = path.to_owned();
    Some(match params.op() {
        Op::CheckAccess => check_access(params, src),
        Op::GetAclStatus => {
            let request = p::GetAclStatusRequestProto { src };
            call("getAclStatus", &request, |of: p::GetAclStatusResponseProto| {
                show(status::acl_status(&of.result))
            })
        }
        Op::GetXAttrs => get_xattrs(params, src),
        Op::ListXAttrs => {
            let request = p::ListXAttrsRequestProto { src };
            call("listXAttrs", &request, |of: p::ListXAttrsResponseProto| {
                show(status::xattr_names(&of.x_attrs))
            })
        }
        _ => return None,
    })
}

fn block_locations(params: &Params, src: String) -> Result<Call> {
    let length = params.number("length").unwrap_or(i64::MAX);
    let request = p::GetBlockLocationsRequestProto {
        src,
        offset: params.number("offset").unwrap_or(0).cast_unsigned(),
        length: length.cast_unsigned(),
    };
    let private = params.op() == Op::GetBlockLocations;
    call("getBlockLocations", &request, move |of: p::GetBlockLocationsResponseProto| {
        show(match &of.locations {
            Some(located) if private => locations::located_blocks(located),
            Some(located) => locations::block_locations(located),
            None => "null".to_owned(),
        })
    })
}

fn check_access(params: &Params, path: String) -> Result<Call> {
    let symbol = params.required("fsaction")?;
    let mode = (0_u8..8).find(|bits| FsAction(*bits).symbol() == symbol).unwrap_or(0);
    let request = p::CheckAccessRequestProto { path, mode: i32::from(mode) };
    call("checkAccess", &request, |_: p::CheckAccessResponseProto| Ok(Answer::Untyped))
}

fn get_xattrs(params: &Params, src: String) -> Result<Call> {
    let encoding = params.required("encoding")?.to_owned();
    let names = params.texts("xattr.name").iter();
    let x_attrs = names.map(|name| xattr_value::named(name, None)).collect::<Result<_>>()?;
    let request = p::GetXAttrsRequestProto { src, x_attrs };
    call("getXAttrs", &request, move |of: p::GetXAttrsResponseProto| {
        show(status::xattrs(&of.x_attrs, &encoding))
    })
}

fn get_policies(params: &Params, path: &str) -> Option<Result<Call>> {
    let src = path.to_owned();
    Some(match params.op() {
        Op::GetAllStoragePolicy => {
            let request = p::GetStoragePoliciesRequestProto {};
            call("getStoragePolicies", &request, |of: p::GetStoragePoliciesResponseProto| {
                show(policies::storage_policies(&of.policies))
            })
        }
        Op::GetStoragePolicy => {
            let request = p::GetStoragePolicyRequestProto { path: src };
            call("getStoragePolicy", &request, |of: p::GetStoragePolicyResponseProto| {
                show(policies::storage_policy(&of.storage_policy))
            })
        }
        Op::GetEcPolicy => {
            let request = p::GetErasureCodingPolicyRequestProto { src };
            let method = "getErasureCodingPolicy";
            call(method, &request, |of: p::GetErasureCodingPolicyResponseProto| {
                show(policies::ec_policy_of_path(of.ec_policy.as_ref()))
            })
        }
        Op::GetEcPolicies => {
            let request = p::GetErasureCodingPoliciesRequestProto {};
            let method = "getErasureCodingPolicies";
            call(method, &request, |of: p::GetErasureCodingPoliciesResponseProto| {
                show(policies::ec_policies(&of.ec_policies))
            })
        }
        Op::GetEcCodecs => {
            let request = p::GetErasureCodingCodecsRequestProto {};
            let method = "getErasureCodingCodecs";
            call(method, &request, |of: p::GetErasureCodingCodecsResponseProto| {
                show(policies::ec_codecs(&of.codec))
            })
        }
        _ => return None,
    })
}

fn get_snapshots(params: &Params, path: &str) -> Option<Result<Call>> {
    let src = path.to_owned();
    let text = |name| params.text(name).unwrap_or_default().to_owned();
    Some(match params.op() {
        Op::GetSnapshotDiff => {
            let request = p::GetSnapshotDiffReportRequestProto {
                snapshot_root: src,
                from_snapshot: text("oldsnapshotname"),
                to_snapshot: text("snapshotname"),
            };
            call("getSnapshotDiffReport", &request, |of: p::GetSnapshotDiffReportResponseProto| {
                show(snapshots::diff_report(&of.diff_report))
            })
        }
        Op::GetSnapshotDiffListing => {
            let index = params.number("snapshotdiffindex").and_then(|of| i32::try_from(of).ok());
            let request = p::GetSnapshotDiffReportListingRequestProto {
                snapshot_root: src,
                from_snapshot: text("oldsnapshotname"),
                to_snapshot: text("snapshotname"),
                cursor: Some(p::SnapshotDiffReportCursorProto {
                    start_path: text("snapshotdiffstartpath").into(),
                    index: index.unwrap_or(-1),
                }),
            };
            let method = "getSnapshotDiffReportListing";
            call(method, &request, |of: p::GetSnapshotDiffReportListingResponseProto| {
                show(snapshots::diff_listing(&of.diff_report))
            })
        }
        Op::GetSnapshottableDirectoryList => {
            let request = p::GetSnapshottableDirListingRequestProto {};
            let method = "getSnapshottableDirListing";
            call(method, &request, |of: p::GetSnapshottableDirListingResponseProto| {
                let list = of.snapshottable_dir_list.map(|of| of.snapshottable_dir_listing);
                show(snapshots::snapshottable(list.as_deref()))
            })
        }
        Op::GetSnapshotList => {
            let request = p::GetSnapshotListingRequestProto { snapshot_root: src };
            call("getSnapshotListing", &request, |of: p::GetSnapshotListingResponseProto| {
                let list = of.snapshot_list.map(|of| of.snapshot_listing);
                show(snapshots::snapshots(list.as_deref()))
            })
        }
        _ => return None,
    })
}

/// Mode bits of a parameter.
fn mode(params: &Params, name: &str) -> Option<p::FsPermissionProto> {
    let bits = params.number(name).and_then(|bits| u32::try_from(bits).ok());
    bits.map(|perm| p::FsPermissionProto { perm })
}

const DIRECTORY: p::FsPermissionProto = p::FsPermissionProto { perm: 0o755 };

fn put(params: &Params, path: &str, settings: &Settings) -> Option<Result<Call>> {
    let src = path.to_owned();
    Some(match params.op() {
        Op::Mkdirs => {
            let masked = mode(params, "permission").unwrap_or(DIRECTORY);
            let unmasked = mode(params, "unmaskedpermission");
            let request = p::MkdirsRequestProto { src, masked, create_parent: true, unmasked };
            call("mkdirs", &request, |of: p::MkdirsResponseProto| show_bool(of.result))
        }
        Op::CreateSymlink => params.required("destination").and_then(|target| {
            let request = p::CreateSymlinkRequestProto {
                target: target.to_owned(),
                link: src,
                dir_perm: p::FsPermissionProto { perm: 0o777 },
                create_parent: params.is("createparent"),
            };
            quiet("createSymlink", &request)
        }),
        Op::Rename => params.required("destination").and_then(|target| rename(params, src, target)),
        Op::SetReplication => {
            let given = params.number("replication").and_then(|of| u32::try_from(of).ok());
            let replication = given.unwrap_or(settings.replication);
            let request = p::SetReplicationRequestProto { src, replication };
            call("setReplication", &request, |of: p::SetReplicationResponseProto| {
                show_bool(of.result)
            })
        }
        Op::RenewDelegationToken => {
            params.required("token").and_then(token::decode).and_then(|token| {
                let request = hdfs_proto::common::RenewDelegationTokenRequestProto { token };
                let method = "renewDelegationToken";
                call(
                    method,
                    &request,
                    |of: hdfs_proto::common::RenewDelegationTokenResponseProto| {
                        show(json::wrapped("long", |out| {
                            out.push_str(&of.new_expiry_time.to_string())
                        }))
                    },
                )
            })
        }
        Op::CancelDelegationToken => {
            params.required("token").and_then(token::decode).and_then(|token| {
                let request = hdfs_proto::common::CancelDelegationTokenRequestProto { token };
                quiet("cancelDelegationToken", &request)
            })
        }
        _ => return None,
    })
}

fn rename(params: &Params, src: String, target: &str) -> Result<Call> {
    let dst = target.to_owned();
    let options = params.flags("renameoptions");
    if options.is_empty() {
        let request = p::RenameRequestProto { src, dst };
        return call("rename", &request, |of: p::RenameResponseProto| show_bool(of.result));
    }
    let request = p::Rename2RequestProto {
        src,
        dst,
        overwrite_dest: options.contains(&"OVERWRITE"),
        move_to_trash: Some(options.contains(&"TO_TRASH")),
    };
    quiet("rename2", &request)
}

fn put_attributes(params: &Params, path: &str) -> Option<Result<Call>> {
    let src = path.to_owned();
    let acl = |with_permission| {
        let spec = params.required("aclspec")?;
        let entries = acl_spec::parse(spec, with_permission)?;
        Ok(entries.into_iter().map(acl_spec::to_proto).collect())
    };
    Some(match params.op() {
        Op::SetOwner => {
            let text = |name| params.text(name).map(str::to_owned);
            let (username, groupname) = (text("owner"), text("group"));
            if username.is_none() && groupname.is_none() {
                return Some(Err(illegal("Both owner and group are empty.")));
            }
            quiet("setOwner", &p::SetOwnerRequestProto { src, username, groupname })
        }
        Op::SetPermission => {
            let permission = mode(params, "permission").unwrap_or(DIRECTORY);
            quiet("setPermission", &p::SetPermissionRequestProto { src, permission })
        }
        Op::SetTimes => {
            let time = |name| params.number(name).unwrap_or(-1).cast_unsigned();
            let (mtime, atime) = (time("modificationtime"), time("accesstime"));
            quiet("setTimes", &p::SetTimesRequestProto { src, mtime, atime })
        }
        Op::ModifyAclEntries => acl(true).and_then(|acl_spec| {
            quiet("modifyAclEntries", &p::ModifyAclEntriesRequestProto { src, acl_spec })
        }),
        Op::RemoveAclEntries => acl(false).and_then(|acl_spec| {
            quiet("removeAclEntries", &p::RemoveAclEntriesRequestProto { src, acl_spec })
        }),
        Op::SetAcl => {
            acl(true).and_then(|acl_spec| quiet("setAcl", &p::SetAclRequestProto { src, acl_spec }))
        }
        Op::RemoveDefaultAcl => quiet("removeDefaultAcl", &p::RemoveDefaultAclRequestProto { src }),
        Op::RemoveAcl => quiet("removeAcl", &p::RemoveAclRequestProto { src }),
        Op::SetXAttr => set_xattr(params, src),
        Op::RemoveXAttr => params.required("xattr.name").and_then(|name| {
            let x_attr = Some(xattr_value::named(name, None)?);
            quiet("removeXAttr", &p::RemoveXAttrRequestProto { src, x_attr })
        }),
        _ => return None,
    })
}

fn set_xattr(params: &Params, src: String) -> Result<Call> {
    let name = params.required("xattr.name")?;
    let flags = params.flags("flag");
    if flags.is_empty() {
        return Err(params.missing("flag"));
    }
    let value = params.text("xattr.value").map(xattr_value::decode).transpose()?;
    let x_attr = Some(xattr_value::named(name, value.map(Into::into))?);
    let bit = |flag, bit: p::XAttrSetFlagProto| if flags.contains(&flag) { bit as u32 } else { 0 };
    let flag = bit("CREATE", p::XAttrSetFlagProto::XattrCreate)
        | bit("REPLACE", p::XAttrSetFlagProto::XattrReplace);
    quiet("setXAttr", &p::SetXAttrRequestProto { src, x_attr, flag: Some(flag) })
}

fn put_policies(params: &Params, path: &str) -> Option<Result<Call>> {
    let src = path.to_owned();
    let snapshot_root = path.to_owned();
    let text = |name| params.text(name).map(str::to_owned);
    let ec_policy = || params.required("ecpolicy").map(str::to_owned);
    Some(match params.op() {
        Op::AllowSnapshot => {
            quiet("allowSnapshot", &p::AllowSnapshotRequestProto { snapshot_root })
        }
        Op::DisallowSnapshot => {
            quiet("disallowSnapshot", &p::DisallowSnapshotRequestProto { snapshot_root })
        }
        Op::CreateSnapshot => {
            let snapshot_name = text("snapshotname");
            let request = p::CreateSnapshotRequestProto { snapshot_root, snapshot_name };
            call("createSnapshot", &request, |of: p::CreateSnapshotResponseProto| {
                show_path(&of.snapshot_path)
            })
        }
        Op::RenameSnapshot => params.required("oldsnapshotname").and_then(|old| {
            let request = p::RenameSnapshotRequestProto {
                snapshot_root,
                snapshot_old_name: old.to_owned(),
                snapshot_new_name: params.required("snapshotname")?.to_owned(),
            };
            quiet("renameSnapshot", &request)
        }),
        Op::SetStoragePolicy => match text("storagepolicy") {
            None => Err(illegal("Storage policy name is empty.")),
            Some(policy_name) => {
                quiet("setStoragePolicy", &p::SetStoragePolicyRequestProto { src, policy_name })
            }
        },
        Op::SatisfyStoragePolicy => {
            quiet("satisfyStoragePolicy", &p::SatisfyStoragePolicyRequestProto { src })
        }
        Op::EnableEcPolicy => ec_policy().and_then(|ec_policy_name| {
            let request = p::EnableErasureCodingPolicyRequestProto { ec_policy_name };
            quiet("enableErasureCodingPolicy", &request)
        }),
        Op::DisableEcPolicy => ec_policy().and_then(|ec_policy_name| {
            let request = p::DisableErasureCodingPolicyRequestProto { ec_policy_name };
            quiet("disableErasureCodingPolicy", &request)
        }),
        Op::SetEcPolicy => ec_policy().and_then(|name| {
            let ec_policy_name = Some(name);
            let request = p::SetErasureCodingPolicyRequestProto { src, ec_policy_name };
            quiet("setErasureCodingPolicy", &request)
        }),
        Op::SetQuota | Op::SetQuotaByStorageType => set_quota(params, src),
        _ => return None,
    })
}

fn set_quota(params: &Params, path: String) -> Result<Call> {
    let quota = |name| params.number(name).ok_or_else(|| params.missing(name));
    let (mut names, mut storage_type) = (i64::MAX, None);
    if params.op() == Op::SetQuota {
        names = quota("namespacequota")?;
    }
    let space = quota("storagespacequota")?;
    if params.op() == Op::SetQuotaByStorageType {
        let name = params.required("storagetype")?.to_uppercase();
        let known = p::StorageTypeProto::from_str_name(&name).ok_or_else(|| {
            illegal(&format!("No enum constant org.apache.hadoop.fs.StorageType.{name}"))
        });
        storage_type = Some(known? as i32);
    }
    let request = p::SetQuotaRequestProto {
        path,
        namespace_quota: names.cast_unsigned(),
        storagespace_quota: space.cast_unsigned(),
        storage_type,
    };
    quiet("setQuota", &request)
}

fn post_and_delete(params: &Params, path: &str, settings: &Settings) -> Option<Result<Call>> {
    let src = path.to_owned();
    let untyped =
        |of: Result<Call>| of.map(|call| Call { show: Box::new(|_| Ok(Answer::Untyped)), ..call });
    Some(match params.op() {
        Op::Concat => untyped(params.required("sources").and_then(|sources| {
            let srcs = sources.split(',').map(str::to_owned).collect();
            quiet("concat", &p::ConcatRequestProto { trg: src, srcs })
        })),
        Op::Truncate => {
            let Some(new_length) = params.number("newlength") else {
                return Some(Err(params.missing("newlength")));
            };
            let request = p::TruncateRequestProto {
                src,
                new_length: new_length.cast_unsigned(),
                client_name: settings.client_name.clone(),
            };
            call("truncate", &request, |of: p::TruncateResponseProto| show_bool(of.result))
        }
        Op::UnsetStoragePolicy => {
            untyped(quiet("unsetStoragePolicy", &p::UnsetStoragePolicyRequestProto { src }))
        }
        Op::UnsetEcPolicy => {
            let request = p::UnsetErasureCodingPolicyRequestProto { src };
            untyped(quiet("unsetErasureCodingPolicy", &request))
        }
        Op::Delete => {
            let request = p::DeleteRequestProto { src, recursive: params.is("recursive") };
            call("delete", &request, |of: p::DeleteResponseProto| show_bool(of.result))
        }
        Op::DeleteSnapshot => params.required("snapshotname").and_then(|name| {
            let (snapshot_root, snapshot_name) = (src, name.to_owned());
            let request = p::DeleteSnapshotRequestProto { snapshot_root, snapshot_name };
            quiet("deleteSnapshot", &request)
        }),
        _ => return None,
    })
}

fn redirect(params: &Params, settings: &Settings) -> Redirect {
    let names: &[&str] = match params.op() {
        Op::Open => &["buffersize", "length", "offset"],
        Op::Append => &["buffersize"],
        Op::Create => &[
            "blocksize",
            "buffersize",
            "createflag",
            "createparent",
            "overwrite",
            "permission",
            "replication",
            "unmaskedpermission",
        ],
        _ => &[],
    };
    let mut query = String::new();
    for name in names {
        if let Some(value) = params.shown(name) {
            // As in Hadoop, whose DataNodes decode this one twice.
            let value = form_encode(&value).replace('%', "%25");
            query.extend(["&", *name, "=", value.as_str()]);
        }
    }
    let block_size = params.number("blocksize").and_then(|size| u64::try_from(size).ok());
    Redirect {
        op: params.op(),
        offset: params.number("offset").unwrap_or(0),
        block_size: block_size.unwrap_or(settings.block_size),
        exclude: params.text("excludedatanodes").map(str::to_owned),
        query,
        no_redirect: params.is("noredirect"),
    }
}

/// The address of the DataNode's answer. In a header it must be ASCII.
///
/// `datanode` is `host:port` of its web server, `namenode` `host:port` of the NameNode's RPC.
// Differs: Hadoop encodes the values of `doas` and `user.name` twice, and its DataNode then refuses `user$`.
pub fn location(
    redirect: &Redirect,
    params: &Params,
    path: &str,
    (datanode, namenode): (&str, &str),
    ascii: bool,
) -> String {
    let mut out = format!("http://{datanode}{}{}", super::PREFIX, quote_path(path, ascii));
    out.extend(["?op=", redirect.op.name()]);
    for name in ["doas", "user.name"] {
        if let Some(value) = params.text(name) {
            out.extend(["&", name, "=", form_encode(value).as_str()]);
        }
    }
    out.extend(["&namenoderpcaddress=", namenode, redirect.query.as_str()]);
    out
}

impl Answer {
    /// `{"Path":…}`.
    pub fn path(path: &str) -> Self {
        Self::Json(json::wrapped("Path", |out| json::text(out, path)))
    }

    /// `{"Location":…}`.
    pub fn location(location: &str) -> Self {
        Self::Json(json::wrapped("Location", |out| json::text(out, location)))
    }

    /// `{"Token":null}`.
    pub fn no_token() -> Self {
        Self::Json("{\"Token\":null}".to_owned())
    }

    /// `{"Paths":…}` of directories with their statuses.
    pub fn trash_roots(roots: &[(String, p::HdfsFileStatusProto)]) -> Self {
        Self::Json(json::wrapped("Paths", |out| {
            if roots.is_empty() {
                return out.push_str("null");
            }
            json::array(out, roots, |out, (path, of)| status::write_plain_status(out, path, of));
        }))
    }
}
