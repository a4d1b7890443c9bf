//! Whose the name folders are: VERSION, read from every one of them, and written.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.NNStorage, org.apache.hadoop.hdfs.server.common.Storage (3.5.0)

use hdfs_format::layout_version::{Feature, Layout, OLDEST_UPGRADABLE_LAYOUT};
use hdfs_format::storage_dir::{NameNodeVersion, VERSION, new_block_pool_id, new_cluster_id};
use hdfs_namenode::Identity;
use hdfs_rt::disk::{create_dir_all_durable, write_file_atomic};
use hdfs_rt::{clock, host};
use hdfs_types::constants::NAMENODE_LAYOUT_VERSION;
use hdfs_types::{Error, ErrorKind, Result, SplitMix64, WallMillis};

use super::durable::failed;
use super::format::random_seed;
use super::start_option::{StartOption, UpgradeOptions};
use super::storage::NameDirs;

/// Hadoop: Storage.LAST_PRE_UPGRADE_LAYOUT_VERSION
const LAST_PRE_UPGRADE_LAYOUT: i32 = -3;

/// The identity of the folders that are formatted. They must be of one file system; when an upgrade reached only some of
/// them, the newest counts, and [`complete`] brings the others along.
///
/// # Errors
/// When none is formatted, or they are of different file systems, or of a layout that is newer than this software.
pub(crate) fn read(dirs: &NameDirs) -> Result<Identity> {
    let mut newest: Option<(Identity, String)> = None;
    for dir in dirs.all() {
        let Some((this, name)) = read_one(dir)? else { continue };
        match &newest {
            Some((known, known_name)) => {
                if !same_file_system(known, &this) {
                    return Err(Error::new(
                        ErrorKind::InconsistentFSState,
                        format!(
                            "{name} belongs to another file system than {known_name}; check dfs.namenode.name.dir and \
                             dfs.namenode.edits.dir"
                        ),
                    ));
                }
                if known.c_time < this.c_time {
                    newest = Some((this, name));
                }
            }
            None => newest = Some((this, name)),
        }
    }
    newest.map(|(identity, _)| identity).ok_or_else(|| {
        Error::io("NameNode is not formatted. Run `hdfs namenode -format` once to make a new file system.")
    })
}

fn read_one(dir: &super::storage::NameDir) -> Result<Option<(Identity, String)>> {
    let path = dir.current().join(VERSION);
    let name = path.display().to_string();
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed("read", &path, error)),
    };
    let version = NameNodeVersion::parse(&name, &bytes)?;
    let layout = version.layout_version;
    if layout == 0 {
        return Err(Error::io(format!(
            "NameNode directory {} is not formatted.",
            dir.spec.root.display()
        )));
    }
    if layout < NAMENODE_LAYOUT_VERSION {
        return Err(Error::new(
            ErrorKind::IncorrectVersion,
            format!(
                "Unexpected version of storage directory {}. Reported: {layout}. Expecting = {NAMENODE_LAYOUT_VERSION}.",
                dir.spec.root.display()
            ),
        ));
    }
    let identity = Identity {
        layout_version: layout,
        namespace_id: version.namespace_id,
        cluster_id: version.cluster_id,
        c_time: version.c_time.0,
        block_pool_id: version.block_pool,
    };
    Ok(Some((identity, name)))
}

/// Folders before federation name neither cluster nor block pool: those agree with any.
fn same_file_system(a: &Identity, b: &Identity) -> bool {
    let agree = |a: &str, b: &str| a.is_empty() || b.is_empty() || a == b;
    a.namespace_id == b.namespace_id
        && agree(&a.cluster_id, &b.cluster_id)
        && agree(a.block_pool_id.as_str(), b.block_pool_id.as_str())
}

/// Refuses folders of an older layout, unless they are to be upgraded.
///
/// # Errors
/// With what to do.
pub(crate) fn check_layout(layout: i32, option: &StartOption) -> Result<()> {
    if layout > OLDEST_UPGRADABLE_LAYOUT {
        return Err(Error::io(format!(
            "*********** Upgrade is not supported from this  older version {layout} of storage to the current version. \
             Please upgrade to Hadoop-0.18 or a later version and then upgrade to current version. Old layout version is \
             {layout} and latest layout version this software version can upgrade from is {OLDEST_UPGRADABLE_LAYOUT}. \
             ************"
        )));
    }
    if option.takes_old_layouts()
        || layout >= LAST_PRE_UPGRADE_LAYOUT
        || layout == NAMENODE_LAYOUT_VERSION
    {
        return Ok(());
    }
    Err(Error::io(format!(
        "\nFile system image contains an old layout version {layout}.\nAn upgrade to version {NAMENODE_LAYOUT_VERSION} is \
         required.\nPlease restart NameNode with the \"-rollingUpgrade started\" option if a rolling upgrade is already \
         started; or restart NameNode with the \"-upgrade\" option to start a new upgrade."
    )))
}

/// The identity after an upgrade, with a cluster and a block pool if there were none.
///
/// Hadoop: NNStorage.processStartupOptionsForUpgrade
///
/// # Errors
/// When the system gives no random bits.
pub(crate) fn upgraded(old: &Identity, options: &UpgradeOptions) -> Result<Identity> {
    let now = clock::wall();
    let mut new =
        Identity { layout_version: NAMENODE_LAYOUT_VERSION, c_time: now.0, ..old.clone() };
    if Layout::of(old.layout_version).supports(Feature::Federation) {
        if let Some(given) = options.cluster_id.as_ref().filter(|given| **given != old.cluster_id) {
            tracing::warn!(
                "Clusterid mismatch - current clusterid: {}, Ignoring given clusterid: {given}",
                old.cluster_id
            );
        }
    } else {
        let mut rng = SplitMix64(random_seed()?);
        new.cluster_id = options.cluster_id.clone().unwrap_or_else(|| new_cluster_id(&mut rng));
        new.block_pool_id = new_block_pool_id(&mut rng, &own_address(), now);
    }
    tracing::info!("Using clusterid: {}", new.cluster_id);
    Ok(new)
}

/// An address of this host, for the name of a block pool.
pub(crate) fn own_address() -> String {
    host::resolve(host::host_name(), 0)
        .ok()
        .and_then(|all| all.first().map(|address| address.ip().to_string()))
        .unwrap_or_else(|| "127.0.0.1".to_owned())
}

/// The VERSION file of an identity.
pub(crate) fn version(identity: &Identity) -> NameNodeVersion {
    NameNodeVersion {
        layout_version: identity.layout_version,
        namespace_id: identity.namespace_id,
        cluster_id: identity.cluster_id.clone(),
        c_time: WallMillis(identity.c_time),
        block_pool: identity.block_pool_id.clone(),
    }
}

/// Writes VERSION to every folder that has none, or an older one: a folder that was added to the configuration becomes a
/// full one.
///
/// # Errors
/// When one can't be written.
pub(crate) fn complete(dirs: &NameDirs, identity: &Identity) -> Result<()> {
    for (_, dir) in dirs.live() {
        match read_one(dir)? {
            Some((known, _)) if known == *identity => continue,
            Some(_) => tracing::warn!(
                "name folder {} missed an upgrade: it is brought along now",
                dir.spec.root.display()
            ),
            None => {
                tracing::warn!("name folder {} is new: it is filled now", dir.spec.root.display());
                create_dir_all_durable(&dir.current())?;
            }
        }
        write_to(dir, identity)?;
    }
    Ok(())
}

/// Writes VERSION to every folder.
///
/// # Errors
/// When one can't be written.
pub(crate) fn write_all(dirs: &NameDirs, identity: &Identity) -> Result<()> {
    dirs.live().try_for_each(|(_, dir)| write_to(dir, identity))
}

fn write_to(dir: &super::storage::NameDir, identity: &Identity) -> Result<()> {
    let text = version(identity).print(clock::wall());
    Ok(write_file_atomic(&dir.current().join(VERSION), text.as_bytes())?)
}
