//! Re-encryption of a zone: the keys of its files, encrypted anew with the newest version of the zone's key.
//!
//! How far it is stands in the zone's attribute, so that it goes on after a restart. Files are visited in the order of
//! their paths, a batch at a time; whoever has the keys encrypts a batch anew, and gives it back. Files with the wanted
//! version are passed over: a batch that was done twice changes nothing.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.{ReencryptionHandler, ReencryptionUpdater} (3.5.0)

use bytes::Bytes;
use hdfs_format::edits::{EditOp, SetXAttrOp};
use hdfs_proto::hdfs::{ReencryptionInfoProto, ZoneEncryptionInfoProto};
use hdfs_types::{Error, ErrorKind, INodeId, Result, WallMillis};

use super::zone::{FileKey, zone_xattr};
use crate::namespace::Namespace;
use crate::plan::{PlanContext, Planned};
use crate::resolve::{Purpose, text};
use crate::snapshot::model::SnapshotId;
use crate::store::children::Children;
use crate::store::record::Slot;

/// A re-encryption that is not done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reencryption {
    /// The zone.
    pub zone: INodeId,
    /// Name of its key.
    pub key_name: String,
    /// Version of the key that its files are to have.
    pub version: String,
    /// When it was asked for.
    pub submitted_ms: u64,
    /// The last file that is done, below the zone; empty: none.
    pub after: Vec<u8>,
}

/// Files of a zone with an older version of its key.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ReencryptionBatch {
    /// The files with their keys.
    pub files: Vec<(INodeId, FileKey)>,
    /// The last file that was looked at, below the zone.
    pub last: Option<Vec<u8>>,
    /// Where the next batch begins: after that file, or in a directory, whose path ends in a slash then.
    pub next: Vec<u8>,
    /// No file comes after these.
    pub is_last: bool,
}

/// A file's key, encrypted anew.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReencryptedFile {
    /// The file.
    pub inode: INodeId,
    /// Its key as it was.
    pub old: Bytes,
    /// As it is to be.
    pub new: FileKey,
}

/// How much one look at a zone does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BatchLimits {
    /// Files whose keys are given back.
    pub files: usize,
    /// Files and directories that are looked at.
    pub visits: usize,
}

impl Namespace {
    /// The directory that a request about a zone names: the zone's top.
    fn zone_root(
        &self,
        ctx: &PlanContext<'_>,
        path: &[u8],
        purpose: Purpose,
    ) -> Result<(Slot, ZoneEncryptionInfoProto, Vec<u8>)> {
        let resolved = self.resolve(ctx, path, purpose)?;
        let name = resolved.text();
        let slot = resolved.last().ok_or_else(|| {
            Error::new(ErrorKind::FileNotFound, format!("INode does not exist for {name}"))
        })?;
        let zone = self.own_zone(slot, SnapshotId::CURRENT).ok_or_else(|| {
            Error::io(format!("Path {name} is not the root of an encryption zone."))
        })?;
        Ok((slot, zone, resolved.path()))
    }

    /// The key of the zone that begins at a path.
    ///
    /// # Errors
    /// FileNotFound; Io when no zone begins there.
    pub fn key_of_zone(&self, ctx: &PlanContext<'_>, path: &[u8]) -> Result<String> {
        self.zone_root(ctx, path, Purpose::Read).map(|(_, zone, _)| zone.key_name)
    }

    /// Submits a zone for re-encryption with this version of its key.
    ///
    /// # Errors
    /// FileNotFound; Io when no zone begins there, or it is being encrypted anew.
    pub fn plan_start_reencryption(
        &self,
        ctx: &PlanContext<'_>,
        path: &[u8],
        version: &str,
    ) -> Result<Planned<()>> {
        let (_, mut zone, path) = self.zone_root(ctx, path, Purpose::Write)?;
        if running(&zone).is_some() {
            return Err(Error::io(format!(
                "Zone {} is already submitted for re-encryption.",
                text(&path)
            )));
        }
        zone.reencryption_proto = Some(ReencryptionInfoProto {
            ez_key_version_name: version.to_owned(),
            submission_time: ctx.now.0,
            canceled: false,
            num_reencrypted: 0,
            num_failures: 0,
            completion_time: None,
            last_file: None,
        });
        Ok(Planned::one(ctx, set_zone(ctx, path, &zone), ()))
    }

    /// Ends a re-encryption before its end.
    ///
    /// # Errors
    /// FileNotFound; Io when no zone begins there, or it is not being encrypted anew.
    pub fn plan_cancel_reencryption(
        &self,
        ctx: &PlanContext<'_>,
        path: &[u8],
    ) -> Result<Planned<()>> {
        let (_, mut zone, path) = self.zone_root(ctx, path, Purpose::Write)?;
        if running(&zone).is_none() {
            return Err(Error::io(format!("Zone {} is not under re-encryption", text(&path))));
        }
        finish(&mut zone, ctx.now, true);
        Ok(Planned::one(ctx, set_zone(ctx, path, &zone), ()))
    }

    /// The re-encryption that is due: that of the first zone by id.
    pub fn next_reencryption(&self) -> Option<Reencryption> {
        self.zones.iter().find_map(|id| self.reencryption_of(*id))
    }

    /// The re-encryption of a zone, while it is not done.
    pub fn reencryption_of(&self, zone: INodeId) -> Option<Reencryption> {
        let slot = self.attached(zone)?;
        let info = self.own_zone(slot, SnapshotId::CURRENT)?;
        let status = running(&info)?;
        let below = |last: &String| {
            let root = self.path_of(slot);
            let root = root.strip_suffix(b"/").unwrap_or(&root);
            let rest = last.as_bytes().strip_prefix(root)?.strip_prefix(b"/")?;
            Some(rest.to_vec())
        };
        Some(Reencryption {
            zone,
            key_name: info.key_name.clone(),
            version: status.ez_key_version_name.clone(),
            submitted_ms: status.submission_time,
            // When the zone has another name by now it begins anew, and passes over what is done.
            after: status.last_file.as_ref().and_then(below).unwrap_or_default(),
        })
    }

    /// The next files of a zone whose keys have another version than the wanted one; none when the zone is gone.
    pub fn reencryption_batch(
        &self,
        job: &Reencryption,
        after: &[u8],
        limits: BatchLimits,
    ) -> Option<ReencryptionBatch> {
        let root = self.attached(job.zone)?;
        let mut batch = ReencryptionBatch { next: after.to_vec(), ..ReencryptionBatch::default() };
        let mut walk = self.walk_after(root, after);
        for _ in 0..limits.visits {
            if batch.files.len() >= limits.files {
                return Some(batch);
            }
            let Some((children, path)) = walk.last_mut() else {
                batch.is_last = true;
                return Some(batch);
            };
            let Some(child) = children.next() else {
                walk.pop();
                continue;
            };
            let mut path = path.clone();
            if !path.is_empty() {
                path.push(b'/');
            }
            path.extend_from_slice(self.name_of(child));
            let record = self.record(child);
            if record.is_directory() {
                // A zone in the zone has another key.
                if self.zones.contains(&record.id()) {
                    batch.next = path;
                } else {
                    batch.next = [&path[..], b"/"].concat();
                    walk.push((Box::new(self.children_of(child).iter()), path));
                }
                continue;
            }
            let key = self.file_key(child, &job.key_name);
            if let Some(key) = key.filter(|key| key.version != job.version) {
                batch.files.push((record.id(), key));
            }
            batch.next.clone_from(&path);
            batch.last = Some(path);
        }
        Some(batch)
    }

    /// The directories on the way to a path below a directory, each with what comes after it.
    fn walk_after<'a>(&'a self, root: Slot, after: &[u8]) -> Vec<Walk<'a>> {
        if after.is_empty() {
            return vec![(Box::new(self.children_of(root).iter()), Vec::new())];
        }
        let mut walk: Vec<Walk<'a>> = Vec::new();
        let (mut directory, mut path) = (root, Vec::new());
        for name in after.split(|byte| *byte == b'/') {
            let children = self.children_of(directory);
            let (start, child) = match self.find_child_position(directory, name) {
                Ok((position, child)) => (Children::after(position), Some(child)),
                Err(position) => (position, None),
            };
            walk.push((Box::new(children.iter_from(start)), path.clone()));
            let Some(child) = child.filter(|child| self.record(*child).is_directory()) else {
                break;
            };
            if !path.is_empty() {
                path.push(b'/');
            }
            path.extend_from_slice(name);
            directory = child;
        }
        walk
    }

    /// Gives files of a zone their new keys, where nobody changed them meanwhile, and notes how far it is. The answer is
    /// how many there are; none when the re-encryption was canceled or another one asked for.
    pub fn plan_reencrypted(
        &self,
        ctx: &PlanContext<'_>,
        job: &Reencryption,
        files: &[ReencryptedFile],
        failures: u64,
        last: Option<&[u8]>,
    ) -> Option<Planned<u64>> {
        let (slot, mut zone) = self.running_zone(job)?;
        let mut planned = Planned::nothing(ctx, 0_u64);
        for file in files {
            let Some(slot) = self.attached(file.inode) else { continue };
            let is_same =
                |key: &FileKey| key.encrypted == file.old && key.version != file.new.version;
            if !self.record(slot).is_file()
                || !self.file_key(slot, &zone.key_name).as_ref().is_some_and(is_same)
            {
                continue;
            }
            planned.ops.push(EditOp::SetXAttr(SetXAttrOp {
                src: self.path_of(slot),
                x_attrs: vec![file.new.xattr()],
                retry: ctx.retry_key(),
            }));
            planned.result += 1;
        }
        let root = self.path_of(slot);
        let status = zone.reencryption_proto.as_mut()?;
        status.num_reencrypted += planned.result.cast_signed();
        status.num_failures += failures.cast_signed();
        let path = last.map(|last| [root.strip_suffix(b"/").unwrap_or(&root), last].join(&b'/'));
        // The attribute holds text; a name that is none is not noted.
        if let Some(Ok(path)) = path.map(String::from_utf8) {
            status.last_file = Some(path);
        }
        planned.ops.push(set_zone(ctx, root, &zone));
        Some(planned)
    }

    /// Ends a re-encryption; none when it has ended already.
    pub fn plan_finish_reencryption(
        &self,
        ctx: &PlanContext<'_>,
        job: &Reencryption,
    ) -> Option<Planned<()>> {
        let (slot, mut zone) = self.running_zone(job)?;
        finish(&mut zone, ctx.now, false);
        Some(Planned::one(ctx, set_zone(ctx, self.path_of(slot), &zone), ()))
    }

    /// The zone of a re-encryption that still runs.
    fn running_zone(&self, job: &Reencryption) -> Option<(Slot, ZoneEncryptionInfoProto)> {
        let slot = self.attached(job.zone)?;
        let zone = self.own_zone(slot, SnapshotId::CURRENT)?;
        let status = running(&zone)?;
        let is_same =
            status.submission_time == job.submitted_ms && status.ez_key_version_name == job.version;
        is_same.then_some((slot, zone))
    }
}

/// A directory's children that are to come, and its path.
type Walk<'a> = (Box<dyn Iterator<Item = Slot> + 'a>, Vec<u8>);

fn running(zone: &ZoneEncryptionInfoProto) -> Option<&ReencryptionInfoProto> {
    zone.reencryption_proto.as_ref().filter(|status| status.completion_time.is_none())
}

fn finish(zone: &mut ZoneEncryptionInfoProto, now: WallMillis, canceled: bool) {
    if let Some(status) = &mut zone.reencryption_proto {
        status.canceled = canceled;
        status.completion_time = Some(now.0);
        status.last_file = None;
    }
}

fn set_zone(ctx: &PlanContext<'_>, path: Vec<u8>, zone: &ZoneEncryptionInfoProto) -> EditOp {
    let x_attrs = vec![zone_xattr(zone)];
    EditOp::SetXAttr(SetXAttrOp { src: path, x_attrs, retry: ctx.retry_key() })
}
