//! The nodes: registration, look-up, lists, and forgetting them.

use hdfs_types::{DatanodeUuid, Error, ErrorKind, Mono, Result};

use super::{BlockManager, DatanodeReportType};
use crate::datanode::{AdminState, Datanode, DatanodeSlot, Storage, StorageSlot};
use crate::hosts::HostEntry;
use crate::registration::{DatanodeRegistration, DatanodeStorage, Now, StorageState};

impl BlockManager {
    /// Registers a node, or takes new facts of a known one. `location` is its rack from the topology; None: the default
    /// rack.
    ///
    /// Another node known at this address is forgotten: it came back with empty folders, under a new identity. A known
    /// identity at another address has moved.
    ///
    /// Hadoop: org.apache.hadoop.hdfs.server.blockmanagement.DatanodeManager.registerDatanode (3.5.0)
    ///
    /// # Errors
    /// DisallowedDatanode when the include list does not name it.
    pub fn register_datanode(
        &mut self,
        now: Now,
        registration: DatanodeRegistration,
        location: Option<&str>,
    ) -> Result<DatanodeSlot> {
        if !self.hosts.is_included(&registration) {
            return Err(disallowed(&registration));
        }
        let location = location.unwrap_or(&self.conf.default_location).to_owned();
        let addr = (registration.ip.clone(), registration.xfer_port);
        let known = self.by_uuid.get(registration.uuid.as_str()).copied();
        if let Some(other) = self.by_addr.get(&addr).copied().filter(|other| known != Some(*other))
        {
            self.wipe(other);
        }
        let slot = match known {
            Some(slot) => {
                self.unindex(slot);
                self.exclude_load(slot);
                let node = self.datanode_mut(slot);
                node.registration = registration;
                node.location = location;
                node.disallowed = false;
                node.force_registration = false;
                node.heartbeated_since_registration = false;
                for storage in self.datanode(slot).storages.clone() {
                    self.storage_mut(storage).block_report_count = 0;
                }
                slot
            }
            None => {
                let slot = DatanodeSlot(u32::try_from(self.datanodes.len()).expect("few nodes"));
                self.by_uuid.insert(registration.uuid.as_str().to_owned(), slot);
                self.datanodes.push(Datanode::new(registration, location));
                slot
            }
        };
        let was_alive = self.datanode(slot).alive;
        let node = self.datanode_mut(slot);
        node.alive = true;
        if !was_alive {
            node.last_update = now.mono;
            node.last_update_wall = now.wall;
        }
        for storage in self.datanode(slot).storages.clone() {
            self.to_purge.remove(&storage);
        }
        self.index(slot);
        self.include_load(slot);
        self.apply_hosts_to(now, slot);
        if !was_alive {
            self.recount_replicas_of(slot);
        }
        Ok(slot)
    }

    /// Replicas of a node that were not forgotten yet count again: the node came back.
    fn recount_replicas_of(&mut self, slot: DatanodeSlot) {
        for storage in self.datanode(slot).storages.clone() {
            for block in self.storage(storage).blocks.iter().collect::<Vec<_>>() {
                self.refresh_safe(block);
                self.update_needed(block);
            }
        }
    }

    fn index(&mut self, slot: DatanodeSlot) {
        let registration = self.datanode(slot).registration.clone();
        let location = self.datanode(slot).location.clone();
        self.by_addr.insert((registration.ip.clone(), registration.xfer_port), slot);
        for name in [registration.ip, registration.host_name] {
            let nodes = self.by_host.entry(name).or_default();
            if !nodes.contains(&slot) {
                nodes.push(slot);
            }
        }
        self.topology.add(slot, &location);
    }

    fn unindex(&mut self, slot: DatanodeSlot) {
        let registration = self.datanode(slot).registration.clone();
        let location = self.datanode(slot).location.clone();
        self.by_addr.remove(&(registration.ip.clone(), registration.xfer_port));
        for name in [registration.ip, registration.host_name] {
            if let Some(nodes) = self.by_host.get_mut(&name) {
                nodes.retain(|other| *other != slot);
                if nodes.is_empty() {
                    self.by_host.remove(&name);
                }
            }
        }
        self.topology.remove(slot, &location);
    }

    /// Forgets a node for good.
    fn wipe(&mut self, slot: DatanodeSlot) {
        self.exclude_load(slot);
        self.unindex(slot);
        self.leases.remove(slot);
        let uuid = self.datanode(slot).uuid().clone();
        self.by_uuid.remove(uuid.as_str());
        let node = self.datanode_mut(slot);
        node.alive = false;
        node.present = false;
        node.admin_state = AdminState::Normal;
        self.forget_work_of(slot);
        self.drop_held_of(slot);
        for storage in self.datanode(slot).storages.clone() {
            self.purge_storage(storage, usize::MAX);
            self.storage_mut(storage).present = false;
        }
    }

    /// A node is silent or was told to go: nothing is asked of it any more, and nothing on it counts.
    pub(crate) fn set_dead(&mut self, slot: DatanodeSlot) {
        if !self.datanode(slot).alive {
            return;
        }
        self.exclude_load(slot);
        let location = self.datanode(slot).location.clone();
        self.topology.remove(slot, &location);
        self.leases.remove(slot);
        self.datanode_mut(slot).alive = false;
        self.forget_work_of(slot);
        self.drop_held_of(slot);
        if self.datanode(slot).is_maintenance() {
            // Its replicas are expected back.
            return;
        }
        self.purge_dead(slot);
    }

    /// The replicas of a dead node are forgotten, in slices.
    pub(crate) fn purge_dead(&mut self, slot: DatanodeSlot) {
        for storage in self.datanode(slot).storages.clone() {
            if !self.storage(storage).blocks.is_empty() {
                self.to_purge.insert(storage);
            }
        }
    }

    fn forget_work_of(&mut self, slot: DatanodeSlot) {
        let node = self.datanode_mut(slot);
        node.invalidate.clear();
        node.recoveries.clear();
        let transfers = std::mem::take(&mut node.transfers);
        for storage in transfers.into_iter().flat_map(|task| task.targets) {
            self.unschedule(storage);
        }
    }

    /// Forgets up to `limit` replicas of a storage; true when none is left.
    pub(crate) fn purge_storage(&mut self, storage: StorageSlot, limit: usize) -> bool {
        let blocks: Vec<u32> = self.storage(storage).blocks.iter().take(limit).collect();
        let node = self.storage(storage).datanode;
        for block in blocks {
            let id = self.map.id(block);
            self.remove_stored(block, storage);
            self.datanode_mut(node).invalidate.remove(&id);
        }
        let done = self.storage(storage).blocks.is_empty();
        if done {
            self.to_purge.remove(&storage);
        }
        done
    }

    /// The storage of a node that a report or heartbeat names; learns new ones and new states.
    pub(crate) fn learn_storage(
        &mut self,
        node: DatanodeSlot,
        info: &DatanodeStorage,
        failed: bool,
    ) -> StorageSlot {
        let mut info = info.clone();
        if failed {
            info.state = StorageState::Failed;
        }
        if let Some(slot) = self.storage_of_node(node, info.uuid.as_str()) {
            let known = self.storage_mut(slot);
            let recovered = known.info.state == StorageState::Failed && !failed;
            if known.info != info {
                known.info = info;
                if recovered {
                    self.to_purge.remove(&slot);
                }
            }
            return slot;
        }
        let slot = StorageSlot(u32::try_from(self.storages.len()).expect("few storages"));
        self.storages.push(Storage::new(node, info));
        self.datanode_mut(node).storages.push(slot);
        slot
    }

    pub(crate) fn storage_of_node(&self, node: DatanodeSlot, id: &str) -> Option<StorageSlot> {
        let storages = &self.datanode(node).storages;
        storages.iter().copied().find(|slot| self.storage(*slot).uuid().as_str() == id)
    }

    /// The node with this identity.
    pub fn find_datanode(&self, uuid: &str) -> Option<DatanodeSlot> {
        self.by_uuid.get(uuid).copied()
    }

    pub(crate) fn registered_node(&self, uuid: &DatanodeUuid) -> Result<DatanodeSlot> {
        self.by_uuid.get(uuid.as_str()).copied().ok_or_else(|| {
            let text = format!("Unregistered server: DatanodeID {uuid}");
            Error::new(ErrorKind::UnregisteredNode, text)
        })
    }

    /// A node at this address or with this host name; the first of them when several run there.
    pub fn find_datanode_by_host(&self, ip_or_host: &str) -> Option<DatanodeSlot> {
        self.by_host.get(ip_or_host).and_then(|nodes| nodes.first()).copied()
    }

    /// Every node at this address or with this host name.
    pub(crate) fn datanodes_on_host(&self, ip_or_host: &str) -> &[DatanodeSlot] {
        self.by_host.get(ip_or_host).map_or(&[], Vec::as_slice)
    }

    /// A node by `host:port` or `ip:port`, or by host alone.
    pub(crate) fn find_datanode_by_addr(&self, addr: &str) -> Option<DatanodeSlot> {
        let Some((host, port)) = addr.rsplit_once(':') else {
            return self.find_datanode_by_host(addr);
        };
        let nodes = self.by_host.get(host)?;
        let Ok(port) = port.parse::<u16>() else { return nodes.first().copied() };
        nodes.iter().copied().find(|slot| self.datanode(*slot).registration.xfer_port == port)
    }

    /// The storage of a node with this identity.
    pub fn find_storage(&self, datanode: &str, storage: &str) -> Option<StorageSlot> {
        self.find_datanode(datanode).and_then(|node| self.storage_of_node(node, storage))
    }

    /// The storages that a client or node names by node and storage id (updatePipeline, commitBlockSynchronization).
    /// Unknown ones are left out, as Hadoop does.
    ///
    /// # Errors
    /// HadoopIllegalArgument when there are not as many ids as nodes.
    pub fn resolve_storages(
        &self,
        datanodes: &[DatanodeUuid],
        storage_ids: &[String],
    ) -> Result<Vec<StorageSlot>> {
        if datanodes.len() != storage_ids.len() {
            return Err(Error::new(
                ErrorKind::HadoopIllegalArgument,
                format!(
                    "Length mismatched: storageIDs.length={} !=  datanodeID.length={}",
                    storage_ids.len(),
                    datanodes.len()
                ),
            ));
        }
        let pairs = datanodes.iter().zip(storage_ids);
        Ok(pairs.filter_map(|(node, id)| self.find_storage(node.as_str(), id)).collect())
    }

    /// Every node that was not wiped.
    pub fn datanodes(&self) -> impl Iterator<Item = DatanodeSlot> + '_ {
        (0..self.datanodes.len() as u32)
            .map(DatanodeSlot)
            .filter(|slot| self.datanode(*slot).present)
    }

    /// True when a node has been silent for too long.
    pub fn is_dead(&self, now: Mono, slot: DatanodeSlot) -> bool {
        let node = self.datanode(slot);
        !node.alive || now.since(node.last_update) > self.conf.dead_interval()
    }

    /// Nodes for a report, in the order of their addresses.
    pub fn list_datanodes(&self, now: Mono, kind: DatanodeReportType) -> Vec<DatanodeSlot> {
        let mut nodes: Vec<DatanodeSlot> = self
            .datanodes()
            .filter(|slot| !self.datanode(*slot).disallowed)
            .filter(|slot| {
                let node = self.datanode(*slot);
                match kind {
                    DatanodeReportType::All => true,
                    DatanodeReportType::Live => !self.is_dead(now, *slot),
                    DatanodeReportType::Dead => self.is_dead(now, *slot),
                    DatanodeReportType::Decommissioning => node.is_decommissioning(),
                    DatanodeReportType::EnteringMaintenance => {
                        node.admin_state == AdminState::EnteringMaintenance
                    }
                    DatanodeReportType::InMaintenance => {
                        node.admin_state == AdminState::InMaintenance
                    }
                }
            })
            .collect();
        nodes.sort_by_key(|slot| self.datanode(*slot).registration.xfer_addr());
        nodes
    }

    /// Nodes that the files of hosts name and that never registered: dead ones, as they are shown. They come after those of
    /// [`Self::list_datanodes`].
    ///
    /// Hadoop: org.apache.hadoop.hdfs.server.blockmanagement.DatanodeManager.getDatanodeListForReport (3.5.0)
    pub fn never_registered(&self, kind: DatanodeReportType) -> Vec<Datanode> {
        if !matches!(kind, DatanodeReportType::All | DatanodeReportType::Dead) {
            return Vec::new();
        }
        let entries = self.hosts.entries().iter().filter(|entry| entry.included);
        entries.filter(|entry| !self.is_known(entry)).map(|entry| self.stand_in(entry)).collect()
    }

    fn is_known(&self, entry: &HostEntry) -> bool {
        let fits = |node: &DatanodeRegistration| entry.has_port(node.xfer_port);
        let mut names = std::iter::once(&entry.host).chain(&entry.addresses);
        let at_name = |name: &String| {
            let nodes = self.datanodes_on_host(name).iter();
            nodes.map(|slot| &self.datanode(*slot).registration).any(fits)
        };
        // Names of nodes are looked up as they were given: few entries have to be compared with every node.
        names.any(at_name)
            || self.datanodes().map(|slot| &self.datanode(slot).registration).any(|node| {
                let same = |name: &str| entry.host.eq_ignore_ascii_case(name);
                fits(node)
                    && (same(&node.host_name) || node.peer_host_name.as_deref().is_some_and(same))
            })
    }

    fn stand_in(&self, entry: &HostEntry) -> Datanode {
        let ports = self.hosts.ports();
        let registration = DatanodeRegistration {
            ip: entry.addresses.first().unwrap_or(&entry.host).clone(),
            host_name: entry.host.clone(),
            xfer_port: if entry.port == 0 { ports.xfer } else { entry.port },
            info_port: ports.info,
            info_secure_port: ports.info_secure,
            ipc_port: ports.ipc,
            ..DatanodeRegistration::default()
        };
        let excluded = self.hosts.is_excluded(&registration);
        let mut node = Datanode::new(registration, self.conf.default_location.clone());
        if excluded {
            node.admin_state = AdminState::Decommissioned;
        }
        node
    }

    pub(crate) fn exclude_load(&mut self, slot: DatanodeSlot) {
        let node = self.datanode(slot);
        if node.alive && node.is_in_service() {
            let xceivers = u64::from(node.xceiver_count);
            self.load.nodes -= 1;
            self.load.xceivers -= xceivers;
        }
    }

    pub(crate) fn include_load(&mut self, slot: DatanodeSlot) {
        let node = self.datanode(slot);
        if node.alive && node.is_in_service() {
            let xceivers = u64::from(node.xceiver_count);
            self.load.nodes += 1;
            self.load.xceivers += xceivers;
        }
    }
}

pub(crate) fn disallowed(registration: &DatanodeRegistration) -> Error {
    Error::new(
        ErrorKind::DisallowedDatanode,
        format!(
            "Datanode denied communication with namenode because the host is not in the include-list: \
             DatanodeRegistration({}, datanodeUuid={}, infoPort={}, infoSecurePort={}, ipcPort={})",
            registration.xfer_addr(),
            registration.uuid,
            registration.info_port,
            registration.info_secure_port,
            registration.ipc_port
        ),
    )
}
