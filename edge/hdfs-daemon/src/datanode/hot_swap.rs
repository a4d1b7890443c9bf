//! Volumes that come and go while the DataNode runs: `dfsadmin -reconfig` of `dfs.datanode.data.dir`.
//!
//! **Invariant:** a change is made as a whole or not at all: new folders are opened, locked and read before anybody sees them,
//! and only then do others go.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.datanode.DataNode.refreshVolumes (3.5.0)
//! Differs: Hadoop keeps those of several new folders that can be used.

use std::sync::Arc;

use hdfs_conf::{Configuration, StorageLocation, keys};
use hdfs_datanode::Replica;
use hdfs_types::{Error, ErrorKind, Result};

use super::Shared;
use super::conf::DataNodeConf;
use super::dataset::Pool;
use super::upgrade::StartOption;
use super::volume::{self, Volume};

/// A volume that was read and is not in use yet.
struct Prepared {
    volume: Arc<Volume>,
    found: Vec<(Arc<Pool>, Vec<Replica>)>,
}

/// Puts the folders of a configuration into use, and others out of it.
///
/// # Errors
/// When a folder cannot be used, or none would be left; nothing has changed then.
pub(super) fn apply(shared: &Arc<Shared>, configuration: &Configuration) -> Result<()> {
    let text = configuration.get_str(&keys::DFS_DATANODE_DATA_DIR).to_owned();
    let mut in_force = shared.data_dirs.lock();
    if *in_force == text {
        return Ok(());
    }
    let wanted = DataNodeConf::new(configuration)?.volumes;
    if wanted.is_empty() {
        return Err(Error::new(ErrorKind::IllegalArgument, "No directory is specified."));
    }
    let in_use: Vec<Arc<Volume>> = shared.dataset.volumes.iter().cloned().collect();
    let is_kept = |volume: &Volume| {
        let location = wanted.iter().find(|location| volume.is_at(location));
        match location {
            Some(location) if location.storage_type != volume.storage_type => {
                Err(Error::io("Changing storage type is not allowed."))
            }
            // One that failed is opened again.
            found => Ok(found.is_some() && !volume.has_failed()),
        }
    };
    let mut going = Vec::new();
    let mut kept: Vec<&Arc<Volume>> = Vec::new();
    for volume in &in_use {
        if is_kept(volume)? {
            kept.push(volume);
        } else {
            going.push(Arc::clone(volume));
        }
    }
    // The lock of a folder that failed is let go, so that it can be taken again.
    going.iter().filter(|volume| volume.has_failed()).for_each(|volume| volume.unlock());
    let new = wanted.iter().filter(|location| !kept.iter().any(|volume| volume.is_at(location)));
    let mut prepared = Vec::new();
    for location in new {
        match prepare(shared, location) {
            Ok(ready) => prepared.push(ready),
            Err(error) => {
                prepared.iter().for_each(|ready: &Prepared| ready.volume.unlock());
                return Err(Error::io(format!(
                    "FAILED TO ADD: {}: {}",
                    location.path, error.message
                )));
            }
        }
    }
    for volume in going {
        tracing::info!("Deactivating volume {}", volume.root.display());
        shared.dataset.take_out(&volume);
    }
    for ready in prepared {
        tracing::info!("Added volume {}", ready.volume.root.display());
        ready.volume.put_in();
        for (pool, replicas) in ready.found {
            pool.take_in(replicas);
        }
    }
    shared.dataset.forget_failures_at_start();
    *in_force = text;
    drop(in_force);
    for actor in shared.actors() {
        actor.trigger_report(true);
        actor.trigger_report(false);
    }
    Ok(())
}

/// Opens, locks and reads a folder.
fn prepare(shared: &Arc<Shared>, location: &StorageLocation) -> Result<Prepared> {
    let opened = volume::open(location.clone(), shared.conf.data_dir_mode)?;
    if let Some(version) = opened.version() {
        let owner = version.datanode_uuid.as_ref().map(|uuid| uuid.as_str());
        if owner.is_some_and(|owner| owner != shared.uuid) {
            return Err(Error::io("it belongs to another DataNode"));
        }
        if shared
            .dataset
            .volumes
            .iter()
            .any(|of| of.uuid == version.storage_uuid && !of.has_failed())
        {
            return Err(Error::io("it is a copy of a volume that is in use"));
        }
    }
    let reserved = (shared.conf.reserved_bytes, shared.conf.reserved_percent);
    let volume = shared
        .dataset
        .volumes
        .add(|index| Volume::new(opened, index, reserved.0, reserved.1).taken_out())?;
    let result = read(shared, &volume);
    if result.is_err() {
        volume.unlock();
    }
    Ok(Prepared { found: result?, volume })
}

fn read(shared: &Arc<Shared>, volume: &Arc<Volume>) -> Result<Vec<(Arc<Pool>, Vec<Replica>)>> {
    let cluster = shared.cluster_id();
    let mut found = Vec::new();
    for pool in shared.dataset.pools() {
        volume.check_cluster(&cluster)?;
        volume.format(&cluster, &shared.uuid, &pool.version, StartOption::Regular)?;
        let replicas = pool.open_volume(volume)?;
        found.push((pool, replicas));
    }
    Ok(found)
}
