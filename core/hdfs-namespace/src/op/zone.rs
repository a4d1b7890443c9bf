//! Encryption zones: directories below which every file has a key of its own.
//!
//! A zone is an attribute of its directory, and so is its re-encryption; a file's key is an attribute of the file, encrypted
//! with the zone's. Keys are made elsewhere: here are only their names.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.{EncryptionZoneManager, FSDirEncryptionZoneOp} (3.5.0)

use std::ops::Bound;

use bytes::Bytes;
use hdfs_format::edits::{EditOp, SetXAttrOp, XAttr, XAttrNamespace};
use hdfs_proto::hdfs::{
    CipherSuiteProto, CryptoProtocolVersionProto, EncryptionZoneProto, FileEncryptionInfoProto,
    PerFileEncryptionInfoProto, ReencryptionStateProto, ZoneEncryptionInfoProto,
    ZoneReencryptionStatusProto,
};
use hdfs_types::{Error, ErrorKind, FsAction, INodeId, Result};
use prost::Message;

use super::create::CreateRequest;
use crate::namespace::Namespace;
use crate::permission::Access;
use crate::plan::{PlanContext, Planned};
use crate::resolve::{Purpose, Resolved, text};
use crate::snapshot::model::SnapshotId;
use crate::store::record::Slot;

/// Attribute of a zone's directory, in the namespace `raw`.
const ZONE_XATTR: &str = "hdfs.crypto.encryption.zone";
/// Attribute of a file in a zone, in the namespace `raw`.
const FILE_XATTR: &str = "hdfs.crypto.file.encryption.info";

/// A cipher for which there are zones.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CipherSuite {
    /// AES/CTR/NoPadding
    AesCtr,
    /// SM4/CTR/NoPadding
    Sm4Ctr,
}

impl CipherSuite {
    /// The suite with Java's name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "AES/CTR/NoPadding" => Some(Self::AesCtr),
            "SM4/CTR/NoPadding" => Some(Self::Sm4Ctr),
            _ => None,
        }
    }

    fn to_wire(self) -> i32 {
        match self {
            Self::AesCtr => CipherSuiteProto::AesCtrNopadding as i32,
            Self::Sm4Ctr => CipherSuiteProto::Sm4CtrNopadding as i32,
        }
    }
}

/// The key of a file in a zone, encrypted with a version of the zone's, as a key provider made it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileKey {
    /// Name of the zone's key.
    pub zone_key: String,
    /// Its version.
    pub version: String,
    /// Initialization vector of the file.
    pub iv: Bytes,
    /// The file's key, encrypted.
    pub encrypted: Bytes,
}

impl FileKey {
    pub(super) fn xattr(&self) -> XAttr {
        let info = PerFileEncryptionInfoProto {
            key: self.encrypted.clone(),
            iv: self.iv.clone(),
            ez_key_version_name: self.version.clone(),
        };
        XAttr {
            namespace: XAttrNamespace::Raw,
            name: FILE_XATTR.to_owned(),
            value: Some(info.encode_to_vec()),
        }
    }
}

/// Where the key of a new file comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum FileKeySource<'a> {
    /// Nobody makes keys: there are no new files in zones.
    #[default]
    NoProvider,
    /// When the key was to be made, the path was in no zone.
    NotInZone,
    /// It was made for the zone that the path was in.
    Made(&'a FileKey),
}

/// The attribute that makes a directory a zone.
pub(super) fn zone_xattr(zone: &ZoneEncryptionInfoProto) -> XAttr {
    XAttr {
        namespace: XAttrNamespace::Raw,
        name: ZONE_XATTR.to_owned(),
        value: Some(zone.encode_to_vec()),
    }
}

/// True for the attribute that makes a directory a zone.
pub(crate) fn is_zone_xattr(xattr: &XAttr) -> bool {
    xattr.namespace == XAttrNamespace::Raw && xattr.name == ZONE_XATTR
}

impl Namespace {
    /// The zone that begins at an inode.
    pub(super) fn own_zone(&self, slot: Slot, at: SnapshotId) -> Option<ZoneEncryptionInfoProto> {
        if self.zones.is_empty() || !self.record(slot).is_directory() {
            return None;
        }
        let xattr = self.xattrs_at(slot, at).iter().find(|xattr| is_zone_xattr(xattr))?;
        ZoneEncryptionInfoProto::decode(xattr.value.as_deref()?).ok()
    }

    /// The innermost zone on a path, among its first `count` inodes.
    fn zone_on(
        &self,
        resolved: &Resolved<'_>,
        count: usize,
    ) -> Option<(Slot, ZoneEncryptionInfoProto)> {
        if self.zones.is_empty() {
            return None;
        }
        let on_path = &resolved.slots[..count.min(resolved.slots.len())];
        on_path
            .iter()
            .rev()
            .find_map(|slot| self.own_zone(*slot, resolved.at).map(|zone| (*slot, zone)))
    }

    /// The directory of the zone that an inode of the current tree is in.
    pub(crate) fn zone_of(&self, slot: Slot) -> Option<Slot> {
        if self.zones.is_empty() {
            return None;
        }
        self.ancestry(slot).find(|slot| self.zones.contains(&self.record(*slot).id()))
    }

    /// The key of a file in the zone with this key.
    pub(super) fn file_key(&self, slot: Slot, zone_key: &str) -> Option<FileKey> {
        let info = self.file_info(slot, SnapshotId::CURRENT)?;
        Some(FileKey {
            zone_key: zone_key.to_owned(),
            version: info.ez_key_version_name,
            iv: info.iv,
            encrypted: info.key,
        })
    }

    fn file_info(&self, slot: Slot, at: SnapshotId) -> Option<PerFileEncryptionInfoProto> {
        let is_info =
            |xattr: &&XAttr| xattr.namespace == XAttrNamespace::Raw && xattr.name == FILE_XATTR;
        let xattr = self.xattrs_at(slot, at).iter().find(is_info)?;
        PerFileEncryptionInfoProto::decode(xattr.value.as_deref()?).ok()
    }

    /// The key of a file in a zone; None for a file without one.
    pub(crate) fn file_encryption(
        &self,
        slot: Slot,
        at: SnapshotId,
        zone: Slot,
    ) -> Option<Box<FileEncryptionInfoProto>> {
        if !self.record(slot).is_file() {
            return None;
        }
        let zone = self.own_zone(zone, at).or_else(|| self.own_zone(zone, SnapshotId::CURRENT))?;
        let file = self.file_info(slot, at)?;
        Some(Box::new(FileEncryptionInfoProto {
            suite: zone.suite,
            crypto_protocol_version: zone.crypto_protocol_version,
            key: file.key,
            iv: file.iv,
            key_name: zone.key_name,
            ez_key_version_name: file.ez_key_version_name,
        }))
    }

    /// Makes an empty directory the top of a zone.
    ///
    /// # Errors
    /// FileNotFound, AccessControl, Io with Hadoop's reasons.
    pub fn plan_create_encryption_zone(
        &self,
        ctx: &PlanContext<'_>,
        path: &[u8],
        suite: CipherSuite,
        key_name: &str,
    ) -> Result<Planned<()>> {
        let resolved = self.resolve(ctx, path, Purpose::Write)?;
        let path = resolved.text();
        let slot = resolved.last().ok_or_else(|| not_found(format!("cannot find {path}")))?;
        if !self.record(slot).is_directory() {
            return Err(Error::io("Attempt to create an encryption zone for a file."));
        }
        if self.zones.contains(&self.record(slot).id()) {
            return Err(Error::io(format!("Directory {path} is already an encryption zone.")));
        }
        if self.is_non_empty_directory(slot) {
            return Err(Error::io(
                "Attempt to create an encryption zone for a non-empty directory.",
            ));
        }
        let zone = ZoneEncryptionInfoProto {
            suite: suite.to_wire(),
            crypto_protocol_version: CryptoProtocolVersionProto::EncryptionZones as i32,
            key_name: key_name.to_owned(),
            reencryption_proto: None,
        };
        let x_attrs = vec![zone_xattr(&zone)];
        let op = SetXAttrOp { src: resolved.path(), x_attrs, retry: ctx.retry_key() };
        Ok(Planned::one(ctx, EditOp::SetXAttr(op), ()))
    }

    /// The zone that a path is in.
    ///
    /// # Errors
    /// AccessControl.
    pub fn get_encryption_zone(
        &self,
        ctx: &PlanContext<'_>,
        path: &[u8],
    ) -> Result<Option<EncryptionZoneProto>> {
        let resolved = self.resolve(ctx, path, Purpose::Read)?;
        self.check_access(ctx, &resolved, Access::last(FsAction::READ))?;
        let zone = self.zone_on(&resolved, usize::MAX);
        Ok(zone.map(|(slot, zone)| self.zone_proto(slot, zone)))
    }

    fn zone_proto(&self, slot: Slot, zone: ZoneEncryptionInfoProto) -> EncryptionZoneProto {
        EncryptionZoneProto {
            id: self.record(slot).id().0.cast_signed(),
            path: text(&self.path_of(slot)),
            suite: zone.suite,
            crypto_protocol_version: zone.crypto_protocol_version,
            key_name: zone.key_name,
        }
    }

    /// Zones after an inode; true: there are more.
    pub fn list_encryption_zones(
        &self,
        ctx: &PlanContext<'_>,
        after: i64,
    ) -> (Vec<EncryptionZoneProto>, bool) {
        self.list_zones(ctx.conf.max_encryption_zones_listed, after, |slot, zone| {
            Some(self.zone_proto(slot, zone))
        })
    }

    /// Zones that are, or were, encrypted anew, after an inode; true: there are more.
    pub fn list_reencryption_status(
        &self,
        ctx: &PlanContext<'_>,
        after: i64,
    ) -> (Vec<ZoneReencryptionStatusProto>, bool) {
        self.list_zones(ctx.conf.max_reencryption_status_listed, after, |slot, zone| {
            let status = zone.reencryption_proto?;
            let state = match status.completion_time {
                Some(_) => ReencryptionStateProto::Completed,
                None if status.last_file.is_some() => ReencryptionStateProto::Processing,
                None => ReencryptionStateProto::Submitted,
            };
            Some(ZoneReencryptionStatusProto {
                id: self.record(slot).id().0.cast_signed(),
                path: text(&self.path_of(slot)),
                state: state as i32,
                ez_key_version_name: status.ez_key_version_name,
                submission_time: status.submission_time.cast_signed(),
                canceled: status.canceled,
                num_reencrypted: status.num_reencrypted,
                num_failures: status.num_failures,
                completion_time: status.completion_time.map(u64::cast_signed),
                last_file: status.last_file,
            })
        })
    }

    fn list_zones<T>(
        &self,
        limit: usize,
        after: i64,
        entry: impl Fn(Slot, ZoneEncryptionInfoProto) -> Option<T>,
    ) -> (Vec<T>, bool) {
        let after = INodeId(u64::try_from(after).unwrap_or(0));
        let waiting = self.zones.range((Bound::Excluded(after), Bound::Unbounded));
        let mut entries = waiting.filter_map(|id| {
            // What is left of a zone in snapshots only is not listed.
            let slot = self.attached(*id)?;
            entry(slot, self.own_zone(slot, SnapshotId::CURRENT)?)
        });
        let listed = entries.by_ref().take(limit).collect();
        (listed, entries.next().is_some())
    }

    /// Names of the keys of all zones.
    pub fn zone_keys(&self) -> Vec<String> {
        let zones = self.zones.iter().filter_map(|id| self.attached(*id));
        let names = zones.filter_map(|slot| self.own_zone(slot, SnapshotId::CURRENT));
        let mut names: Vec<String> = names.map(|zone| zone.key_name).collect();
        names.sort();
        names.dedup();
        names
    }

    /// Zones, those of snapshots included.
    pub fn encryption_zone_count(&self) -> usize {
        self.zones.len()
    }

    /// `checkMoveValidity`: nothing is renamed out of a zone, into one, or from one to another.
    pub(crate) fn check_zones(
        &self,
        source: &Resolved<'_>,
        destination: &Resolved<'_>,
    ) -> Result<()> {
        if self.zones.is_empty() {
            return Ok(());
        }
        let path = source.text();
        let from = self.zone_on(source, source.components.len());
        let to = self.zone_on(destination, destination.components.len());
        let (from, to) = match (from, to) {
            (None, None) => return Ok(()),
            (Some(_), None) => {
                return Err(Error::io(format!("{path} can't be moved from an encryption zone.")));
            }
            (None, Some(_)) => {
                return Err(Error::io(format!("{path} can't be moved into an encryption zone.")));
            }
            (Some(from), Some(to)) => (from, to),
        };
        let name = |slot: Slot| text(&self.path_of(slot));
        if from.0 != to.0 {
            return Err(Error::io(format!(
                "{path} can't be moved from encryption zone {} to encryption zone {}.",
                name(from.0),
                name(to.0)
            )));
        }
        let status = from.1.reencryption_proto;
        if status.is_some_and(|status| status.completion_time.is_none()) {
            return Err(Error::io(format!(
                "{path} can't be moved because encryption zone {} is currently under re-encryption",
                name(from.0)
            )));
        }
        Ok(())
    }

    /// Name of the zone's key, when a create would make a file in a zone; none as well when it will be refused anyway.
    ///
    /// # Errors
    /// UnknownCryptoProtocolVersion when the client knows none that the zone's files have.
    pub fn key_of_new_file(
        &self,
        ctx: &PlanContext<'_>,
        request: &CreateRequest<'_>,
        versions: &[i32],
    ) -> Result<Option<String>> {
        if self.zones.is_empty() {
            return Ok(None);
        }
        let Ok(resolved) = self.resolve(ctx, request.path, Purpose::Create) else {
            return Ok(None);
        };
        let zone = self.zone_on(&resolved, usize::MAX).filter(|_| !resolved.raw);
        let Some((_, zone)) = zone else { return Ok(None) };
        if self.check_create(ctx, request, &resolved).is_err() {
            return Ok(None);
        }
        if !versions.contains(&zone.crypto_protocol_version) {
            return Err(Error::new(
                ErrorKind::UnknownCryptoProtocolVersion,
                format!(
                    "No crypto protocol versions provided by the client are supported. Client provided: [{}] NameNode \
                     supports: [{}, {}]",
                    versions
                        .iter()
                        .map(|value| version_text(*value))
                        .collect::<Vec<_>>()
                        .join(", "),
                    version_text(CryptoProtocolVersionProto::UnknownProtocolVersion as i32),
                    version_text(CryptoProtocolVersionProto::EncryptionZones as i32),
                ),
            ));
        }
        Ok(Some(zone.key_name))
    }

    /// The attribute that a new file needs: none outside of zones, and below `/.reserved/raw`, where the caller brings it.
    pub(crate) fn encryption_of_new_file(
        &self,
        resolved: &Resolved<'_>,
        key: FileKeySource<'_>,
    ) -> Result<Option<XAttr>> {
        let Some((slot, zone)) = self.zone_on(resolved, usize::MAX).filter(|_| !resolved.raw)
        else {
            return Ok(None);
        };
        match key {
            FileKeySource::NoProvider => Err(Error::io(format!(
                "Can't create {} in encryption zone {} since no key provider is available.",
                resolved.text(),
                text(&self.path_of(slot))
            ))),
            FileKeySource::Made(key) if key.zone_key == zone.key_name => Ok(Some(key.xattr())),
            FileKeySource::NotInZone | FileKeySource::Made(_) => Err(Error::new(
                ErrorKind::RetryStartFile,
                "Preconditions for creating a file failed because of a transient error, retry create later.",
            )),
        }
    }

    /// Files in zones are not joined.
    pub(crate) fn check_concat_zone(&self, resolved: &Resolved<'_>) -> Result<()> {
        if self.zone_on(resolved, usize::MAX).is_none() {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::HadoopIllegalArgument,
            "concat can not be called for files in an encryption zone.",
        ))
    }

    /// The zone's directory around a path, or `/`.
    pub(crate) fn enclosing_root(&self, resolved: &Resolved<'_>) -> Vec<u8> {
        let zone = self.zone_on(resolved, usize::MAX);
        zone.map_or_else(|| b"/".to_vec(), |(slot, _)| self.path_of(slot))
    }
}

/// As Java prints a version of the encryption's protocol.
fn version_text(value: i32) -> String {
    let (description, version, unknown) = match CryptoProtocolVersionProto::try_from(value) {
        Ok(CryptoProtocolVersionProto::EncryptionZones) => {
            ("Encryption zones", 2, "null".to_owned())
        }
        Ok(CryptoProtocolVersionProto::UnknownProtocolVersion) => ("Unknown", 1, "null".to_owned()),
        Err(_) => ("Unknown", 1, value.to_string()),
    };
    format!(
        "CryptoProtocolVersion{{description='{description}', version={version}, unknownValue={unknown}}}"
    )
}

fn not_found(message: String) -> Error {
    Error::new(ErrorKind::FileNotFound, message)
}
