//! Quotas, access control lists, extended attributes, storage policies.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.{FSDirAttrOp, FSDirAclOp, FSDirXAttrOp} (3.5.0)

use hdfs_format::edits::{AclEntry, AclEntryScope, AclEntryType, XAttr, XAttrNamespace};
use hdfs_format::layout_version::Feature;
use hdfs_namespace::{AclChange, XAttrSetFlags};
use hdfs_proto::hdfs as p;
use hdfs_types::{Error, ErrorKind, FsAction, Result, StorageType};
use p::acl_entry_proto::{AclEntryScopeProto, AclEntryTypeProto};
use p::x_attr_proto::XAttrNamespaceProto;

use crate::call::Call;
use crate::machine::NameNode;

impl NameNode {
    /// Proto: setQuota.
    pub fn set_quota(
        &mut self,
        call: &Call<'_>,
        request: &p::SetQuotaRequestProto,
    ) -> Result<p::SetQuotaResponseProto> {
        self.check_writable(&format!("Cannot set quota on {}", request.path), call.now.mono)?;
        let kind = request.storage_type.and_then(StorageType::from_wire);
        if kind.is_some() {
            self.check_layout_feature(Feature::QuotaByStorageType, "QUOTA_BY_STORAGE_TYPE")?;
        }
        if kind == Some(StorageType::Nvdimm) {
            self.check_layout_feature(Feature::NvdimmSupport, "NVDIMM_SUPPORT")?;
        }
        // The wire's numbers are unsigned; -1 clears a quota.
        let names = request.namespace_quota.cast_signed();
        let space = request.storagespace_quota.cast_signed();
        let planned = self.plan(call, |namespace, context| {
            namespace.plan_set_quota(context, request.path.as_bytes(), names, space, kind)
        })?;
        self.commit(planned, call.now);
        Ok(p::SetQuotaResponseProto {})
    }

    /// Proto: setStoragePolicy.
    pub fn set_storage_policy(
        &mut self,
        call: &Call<'_>,
        request: &p::SetStoragePolicyRequestProto,
    ) -> Result<p::SetStoragePolicyResponseProto> {
        let what = format!("Cannot set storage policy for {}", request.src);
        self.policy(call, &what, &request.src, Some(&request.policy_name))?;
        Ok(p::SetStoragePolicyResponseProto {})
    }

    /// Proto: unsetStoragePolicy.
    pub fn unset_storage_policy(
        &mut self,
        call: &Call<'_>,
        request: &p::UnsetStoragePolicyRequestProto,
    ) -> Result<p::UnsetStoragePolicyResponseProto> {
        let what = format!("Cannot unset storage policy for {}", request.src);
        self.policy(call, &what, &request.src, None)?;
        Ok(p::UnsetStoragePolicyResponseProto {})
    }

    fn policy(
        &mut self,
        call: &Call<'_>,
        what: &str,
        path: &str,
        name: Option<&str>,
    ) -> Result<()> {
        self.check_writable(what, call.now.mono)?;
        let planned = self.plan(call, |namespace, context| {
            namespace.plan_set_storage_policy(context, path.as_bytes(), name)
        })?;
        self.commit(planned, call.now);
        Ok(())
    }

    /// Proto: modifyAclEntries.
    pub fn modify_acl_entries(
        &mut self,
        call: &Call<'_>,
        request: &p::ModifyAclEntriesRequestProto,
    ) -> Result<p::ModifyAclEntriesResponseProto> {
        let change = AclChange::Modify(acl_spec(&request.acl_spec)?);
        self.change_acl(call, "Cannot modify ACL entries on", &request.src, &change)?;
        Ok(p::ModifyAclEntriesResponseProto {})
    }

    /// Proto: removeAclEntries.
    pub fn remove_acl_entries(
        &mut self,
        call: &Call<'_>,
        request: &p::RemoveAclEntriesRequestProto,
    ) -> Result<p::RemoveAclEntriesResponseProto> {
        let change = AclChange::Remove(acl_spec(&request.acl_spec)?);
        self.change_acl(call, "Cannot remove ACL entries on", &request.src, &change)?;
        Ok(p::RemoveAclEntriesResponseProto {})
    }

    /// Proto: removeDefaultAcl.
    pub fn remove_default_acl(
        &mut self,
        call: &Call<'_>,
        request: &p::RemoveDefaultAclRequestProto,
    ) -> Result<p::RemoveDefaultAclResponseProto> {
        let change = AclChange::RemoveDefault;
        self.change_acl(call, "Cannot remove default ACL entries on", &request.src, &change)?;
        Ok(p::RemoveDefaultAclResponseProto {})
    }

    /// Proto: removeAcl.
    pub fn remove_acl(
        &mut self,
        call: &Call<'_>,
        request: &p::RemoveAclRequestProto,
    ) -> Result<p::RemoveAclResponseProto> {
        self.change_acl(call, "Cannot remove ACL on", &request.src, &AclChange::RemoveAll)?;
        Ok(p::RemoveAclResponseProto {})
    }

    /// Proto: setAcl.
    pub fn set_acl(
        &mut self,
        call: &Call<'_>,
        request: &p::SetAclRequestProto,
    ) -> Result<p::SetAclResponseProto> {
        let change = AclChange::Set(acl_spec(&request.acl_spec)?);
        self.change_acl(call, "Cannot set ACL on", &request.src, &change)?;
        Ok(p::SetAclResponseProto {})
    }

    fn change_acl(
        &mut self,
        call: &Call<'_>,
        what: &str,
        path: &str,
        change: &AclChange,
    ) -> Result<()> {
        self.check_writable(&format!("{what} {path}"), call.now.mono)?;
        let planned = self.plan(call, |namespace, context| {
            namespace.plan_change_acl(context, path.as_bytes(), change)
        })?;
        self.commit(planned, call.now);
        Ok(())
    }

    /// Proto: getAclStatus.
    pub fn get_acl_status(
        &self,
        call: &Call<'_>,
        request: &p::GetAclStatusRequestProto,
    ) -> Result<p::GetAclStatusResponseProto> {
        let status = self.plan(call, |namespace, context| {
            namespace.get_acl_status(context, request.src.as_bytes())
        })?;
        Ok(p::GetAclStatusResponseProto {
            result: p::AclStatusProto {
                owner: status.owner.to_string(),
                group: status.group.to_string(),
                sticky: status.permission.sticky(),
                entries: status.entries.into_iter().map(acl_entry_proto).collect(),
                permission: Some(p::FsPermissionProto { perm: u32::from(status.permission.0) }),
            },
        })
    }

    /// Proto: setXAttr.
    pub fn set_xattr(
        &mut self,
        call: &Call<'_>,
        request: &p::SetXAttrRequestProto,
    ) -> Result<p::SetXAttrResponseProto> {
        self.change_once(
            call,
            &format!("Cannot set XAttr on {}", request.src),
            |namespace, context| {
                let xattr = one_xattr(request.x_attr.as_ref())?;
                let has = |flag: p::XAttrSetFlagProto| {
                    request.flag.unwrap_or(0) & (flag as i32).cast_unsigned() != 0
                };
                let flags = XAttrSetFlags {
                    create: has(p::XAttrSetFlagProto::XattrCreate),
                    replace: has(p::XAttrSetFlagProto::XattrReplace),
                };
                namespace.plan_set_xattr(context, request.src.as_bytes(), &xattr, flags)
            },
        )?;
        Ok(p::SetXAttrResponseProto {})
    }

    /// Proto: removeXAttr.
    pub fn remove_xattr(
        &mut self,
        call: &Call<'_>,
        request: &p::RemoveXAttrRequestProto,
    ) -> Result<p::RemoveXAttrResponseProto> {
        self.change_once(
            call,
            &format!("Cannot remove XAttr entry on {}", request.src),
            |namespace, context| {
                let xattr = one_xattr(request.x_attr.as_ref())?;
                namespace.plan_remove_xattr(context, request.src.as_bytes(), &xattr)
            },
        )?;
        Ok(p::RemoveXAttrResponseProto {})
    }

    /// Proto: getXAttrs.
    pub fn get_xattrs(
        &self,
        call: &Call<'_>,
        request: &p::GetXAttrsRequestProto,
    ) -> Result<p::GetXAttrsResponseProto> {
        let wanted: Vec<XAttr> = request.x_attrs.iter().map(xattr).collect::<Result<_>>()?;
        let found = self.plan(call, |namespace, context| {
            namespace.get_xattrs(context, request.src.as_bytes(), &wanted)
        })?;
        Ok(p::GetXAttrsResponseProto { x_attrs: found.into_iter().map(xattr_proto).collect() })
    }

    /// Proto: listXAttrs.
    pub fn list_xattrs(
        &self,
        call: &Call<'_>,
        request: &p::ListXAttrsRequestProto,
    ) -> Result<p::ListXAttrsResponseProto> {
        let found = self.plan(call, |namespace, context| {
            namespace.list_xattrs(context, request.src.as_bytes())
        })?;
        Ok(p::ListXAttrsResponseProto { x_attrs: found.into_iter().map(xattr_proto).collect() })
    }
}

fn acl_spec(entries: &[p::AclEntryProto]) -> Result<Vec<AclEntry>> {
    entries.iter().map(acl_entry).collect()
}

fn acl_entry(proto: &p::AclEntryProto) -> Result<AclEntry> {
    let kind = match AclEntryTypeProto::try_from(proto.r#type) {
        Ok(AclEntryTypeProto::User) => AclEntryType::User,
        Ok(AclEntryTypeProto::Group) => AclEntryType::Group,
        Ok(AclEntryTypeProto::Mask) => AclEntryType::Mask,
        Ok(AclEntryTypeProto::Other) => AclEntryType::Other,
        Err(_) => return Err(odd("type of an ACL entry", proto.r#type)),
    };
    let scope = match AclEntryScopeProto::try_from(proto.scope) {
        Ok(AclEntryScopeProto::Access) => AclEntryScope::Access,
        Ok(AclEntryScopeProto::Default) => AclEntryScope::Default,
        Err(_) => return Err(odd("scope of an ACL entry", proto.scope)),
    };
    let permission = u8::try_from(proto.permissions)
        .ok()
        .filter(|bits| *bits < 8)
        .ok_or_else(|| odd("permission of an ACL entry", proto.permissions))?;
    let name = proto.name.clone().filter(|name| !name.is_empty());
    Ok(AclEntry { kind, scope, permission: FsAction(permission), name })
}

fn acl_entry_proto(entry: AclEntry) -> p::AclEntryProto {
    p::AclEntryProto {
        r#type: entry.kind as i32,
        scope: entry.scope as i32,
        permissions: i32::from(entry.permission.0),
        name: entry.name,
    }
}

fn one_xattr(proto: Option<&p::XAttrProto>) -> Result<XAttr> {
    let missing =
        || Error::new(ErrorKind::HadoopIllegalArgument, "An XAttr name must be specified.");
    xattr(proto.ok_or_else(missing)?)
}

fn xattr(proto: &p::XAttrProto) -> Result<XAttr> {
    let namespace = match XAttrNamespaceProto::try_from(proto.namespace) {
        Ok(XAttrNamespaceProto::User) => XAttrNamespace::User,
        Ok(XAttrNamespaceProto::Trusted) => XAttrNamespace::Trusted,
        Ok(XAttrNamespaceProto::Security) => XAttrNamespace::Security,
        Ok(XAttrNamespaceProto::System) => XAttrNamespace::System,
        Ok(XAttrNamespaceProto::Raw) => XAttrNamespace::Raw,
        Err(_) => return Err(odd("namespace of an attribute", proto.namespace)),
    };
    let value = proto.value.as_ref().map(|value| value.to_vec());
    Ok(XAttr { namespace, name: proto.name.clone(), value })
}

fn xattr_proto(xattr: XAttr) -> p::XAttrProto {
    p::XAttrProto {
        namespace: xattr.namespace as i32,
        name: xattr.name,
        value: xattr.value.map(Into::into),
    }
}

fn odd(what: &str, number: i32) -> Error {
    Error::new(ErrorKind::IllegalArgument, format!("{number} is no {what}"))
}
