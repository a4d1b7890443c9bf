//! What the role keeps: its folders, whose they are, and the namespace as of its newest image; and how that moves on.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.SecondaryNameNode.{CheckpointStorage, doMerge} (3.5.0)

use std::sync::Arc;

use hdfs_format::fsimage::Image;
use hdfs_format::storage_dir::ImageFile;
use hdfs_namenode::{Identity, MINIMUM_COMPATIBLE_LAYOUT_VERSION, check_signature};
use hdfs_namespace::Namespace;
use hdfs_proto::hdfs::{CheckpointSignatureProto, RemoteEditLogManifestProto};
use hdfs_rt::disk::create_dir_all_durable;
use hdfs_types::constants::NAMENODE_LAYOUT_VERSION;
use hdfs_types::{Error, Result, TxId};
use parking_lot::Mutex;

use super::super::conf::NameNodeConf;
use super::super::durable::failed;
use super::super::identity;
use super::super::image_store::{self, ImageStore};
use super::super::image_transfer::TransferHost;
use super::super::inventory::Inventory;
use super::super::progress::StartupProgress;
use super::super::replay;
use super::super::storage::NameDirs;
use super::super::storage_state::delete_dir;
use super::super::upgrade;
use super::transfer::Source;

/// Inodes that are reclaimed at a time.
const INODES_A_SLICE: usize = 10_000;

/// See the module.
pub(super) struct Checkpoint {
    settings: NameNodeConf,
    source: Source,
    host: Arc<Host>,
    /// The namespace, and its last transaction.
    loaded: Option<(Namespace, TxId)>,
    merge_failed: bool,
}

/// What the web server shares.
pub(super) struct Host {
    images: ImageStore,
    /// None in a folder that never held a checkpoint.
    identity: Mutex<Option<Identity>>,
}

impl TransferHost for Host {
    fn images(&self) -> &ImageStore {
        &self.images
    }

    fn storage_info(&self) -> String {
        self.identity.lock().as_ref().map_or_else(String::new, Identity::to_colon_separated)
    }
}

impl Checkpoint {
    pub(super) fn open(settings: NameNodeConf, source: Source, format: bool) -> Result<Self> {
        for dir in &settings.dirs {
            create_dir_all_durable(&dir.root)?;
        }
        let dirs = Arc::new(NameDirs::lock(&settings.dirs, 1)?);
        if format {
            for dir in dirs.all() {
                tracing::info!("Formatting storage directory {}", dir.spec.root.display());
                delete_dir(&dir.current())?;
                create_dir_all_durable(&dir.current())?;
            }
        }
        let states = upgrade::recover_all(&dirs)?;
        let formatted = states
            .iter()
            .any(|state| *state != hdfs_format::storage_dir::state::StorageState::NotFormatted);
        let identity = if formatted { Some(identity::read(&dirs)?) } else { None };
        delete_temporary_edits(&dirs)?;
        let newest = Inventory::of(&dirs)?.images.last().map_or(TxId(0), |image| image.txid);
        let images = ImageStore::new(dirs, newest, &settings);
        let host = Arc::new(Host { images, identity: Mutex::new(identity) });
        Ok(Self { settings, source, host, loaded: None, merge_failed: false })
    }

    pub(super) fn host(&self) -> Arc<Host> {
        self.host.clone()
    }

    /// The transaction of the newest image here.
    pub(super) fn latest(&self) -> TxId {
        self.host.images.latest()
    }

    /// Did the last attempt end in the merge?
    pub(super) fn merge_failed(&self) -> bool {
        self.merge_failed
    }

    pub(super) fn ensure_current(&self) -> Result<()> {
        let dirs = self.host.images.dirs();
        dirs.live().try_for_each(|(_, dir)| Ok(create_dir_all_durable(&dir.current())?))
    }

    /// Takes over whose the NameNode is, when nothing is known yet, or after its upgrade.
    ///
    /// # Errors
    /// When it is of another file system than what is here.
    pub(super) fn adopt_identity(&mut self, signature: &CheckpointSignatureProto) -> Result<()> {
        let info = &signature.storage_info;
        let theirs = Identity {
            layout_version: info.layout_version.cast_signed(),
            namespace_id: info.namespce_id,
            cluster_id: info.cluster_id.clone(),
            c_time: info.c_time,
            block_pool_id: signature.block_pool_id.as_str().into(),
        };
        let mut known = self.host.identity.lock();
        let same_file_system = known.as_ref().is_none_or(|ours| {
            (ours.namespace_id, &ours.cluster_id, &ours.block_pool_id)
                == (theirs.namespace_id, &theirs.cluster_id, &theirs.block_pool_id)
        });
        if same_file_system && known.as_ref() != Some(&theirs) {
            *known = Some(theirs);
            self.loaded = None;
        }
        match known.as_ref() {
            Some(ours) => check_signature(signature, ours),
            None => Err(Error::io("the NameNode does not say whose it is")),
        }
    }

    /// Takes what is missing, merges, saves and sends.
    pub(super) fn make(
        &mut self,
        signature: &CheckpointSignatureProto,
        manifest: &RemoteEditLogManifestProto,
    ) -> Result<TxId> {
        let storage_info = self.host.storage_info();
        let image = TxId(signature.most_recent_checkpoint_tx_id);
        self.download(image, manifest, &storage_info)?;
        let failed_before = std::mem::replace(&mut self.merge_failed, true);
        let end = manifest.logs.last().map_or(image, |log| TxId(log.end_tx_id));
        let txid = self.merge(image, end, failed_before).inspect_err(|_| self.loaded = None)?;
        self.merge_failed = false;
        self.source.send_image(&self.host.images, txid, &storage_info)?;
        tracing::warn!("Checkpoint done. New image of transaction {txid}");
        Ok(txid)
    }

    fn download(
        &self,
        image: TxId,
        manifest: &RemoteEditLogManifestProto,
        storage_info: &str,
    ) -> Result<()> {
        let Some(first) = manifest.logs.first() else {
            return Err(Error::io(format!(
                "Found no edit logs to download on NN since txid {image}"
            )));
        };
        let expected = image.0 + 1;
        if first.start_tx_id != expected {
            let logs: Vec<String> = manifest
                .logs
                .iter()
                .map(|log| format!("[{},{}]", log.start_tx_id, log.end_tx_id))
                .collect();
            return Err(Error::io(format!(
                "Bad edit log manifest (expected txid = {expected}: [{}]",
                logs.join(", ")
            )));
        }
        let images = &self.host.images;
        if images.find_image(ImageFile::Image(image)).is_some() {
            tracing::info!("Image has not changed. Will not download image.");
        } else {
            tracing::info!("Image has changed. Downloading updated image from NN.");
            self.source.take_image(images.dirs(), image, storage_info)?;
        }
        for log in &manifest.logs {
            let range = (TxId(log.start_tx_id), TxId(log.end_tx_id));
            self.source.take_edits(images.dirs(), range, storage_info)?;
        }
        Ok(())
    }

    /// Brings the namespace to the last transaction of the log and saves it.
    fn merge(&mut self, image: TxId, end: TxId, failed_before: bool) -> Result<TxId> {
        if self.loaded.as_ref().is_some_and(|(_, last)| *last < image) || failed_before {
            self.loaded = None;
        }
        let (mut namespace, last) = match self.loaded.take() {
            Some(loaded) => loaded,
            None => (self.load(image)?, image),
        };
        let inventory = Inventory::of(self.host.images.dirs())?;
        let progress = StartupProgress::new();
        let max_op_bytes = self.settings.max_op_bytes;
        let replayed = replay::replay(&inventory, last, max_op_bytes, &progress, |txid, op| {
            let applied = namespace.replay(txid, op);
            applied.map(drop).map_err(|error| Error::io(error.to_string()).with_source(error))
        })?;
        if replayed.last < end {
            return Err(Error::io(format!(
                "the edits end at transaction {}, and the NameNode has {end}",
                replayed.last
            )));
        }
        while namespace.reclaim_step(INODES_A_SLICE).reclaim_pending {}
        let identity = self.host.identity.lock().clone();
        let identity =
            identity.ok_or_else(|| Error::io("the NameNode does not say whose it is"))?;
        let stored = identity.layout_version;
        let rolling = namespace.is_rolling_upgrade();
        let effective = if rolling && stored <= MINIMUM_COMPATIBLE_LAYOUT_VERSION {
            stored
        } else {
            NAMENODE_LAYOUT_VERSION
        };
        self.host.images.save(replayed.last, |writer, crew| {
            writer.set_layout_version(effective);
            namespace.save_with(writer, identity.namespace_id, replayed.last, crew)
        })?;
        if !rolling {
            identity::write_all(self.host.images.dirs(), &identity)?;
        }
        self.loaded = Some((namespace, replayed.last));
        Ok(replayed.last)
    }

    fn load(&self, image: TxId) -> Result<Namespace> {
        let path = self.host.images.find_image(ImageFile::Image(image)).ok_or_else(|| {
            Error::io(format!(
                "Couldn't find image file at txid {image} even though it should have just been downloaded"
            ))
        })?;
        let name = path.display().to_string();
        let (conf, crew) = (&self.settings.machine.namespace, &self.settings.image.crew);
        image_store::load(&path, |bytes| {
            Ok(Namespace::load_with(&Image::parse_with(&name, bytes, crew)?, conf, crew)?)
        })
    }
}

/// Deletes segments that an earlier process did not take to their end.
fn delete_temporary_edits(dirs: &NameDirs) -> Result<()> {
    for (_, dir) in dirs.live_edits() {
        let current = dir.current();
        let entries = match std::fs::read_dir(&current) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(failed("read folder", &current, error)),
        };
        for entry in entries {
            let path = entry.map_err(|e| failed("read folder", &current, e))?.path();
            let is_temporary = path
                .file_name()
                .and_then(|name| name.to_str())
                .is_some_and(|name| name.starts_with("edits_tmp_"));
            if is_temporary {
                std::fs::remove_file(&path).map_err(|e| failed("remove", &path, e))?;
            }
        }
    }
    Ok(())
}
