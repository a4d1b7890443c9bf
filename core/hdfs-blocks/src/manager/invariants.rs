//! Recounting everything: for tests and for a debugging command.

use std::collections::BTreeSet;

use super::{BlockManager, Load};
use crate::datanode::StorageSlot;

type Check = Result<(), String>;

fn ensure(holds: bool, what: impl FnOnce() -> String) -> Check {
    if holds { Ok(()) } else { Err(what()) }
}

impl BlockManager {
    /// Recounts everything; the first thing that is wrong, as text. Slow: it walks all blocks.
    ///
    /// # Errors
    /// What does not hold.
    pub fn check_invariants(&self) -> Check {
        self.check_blocks()?;
        self.check_storages()?;
        self.check_queues()?;
        self.check_nodes()
    }

    fn check_blocks(&self) -> Check {
        let (mut complete, mut safe, mut count) = (0, 0, 0);
        for slot in self.map.slots() {
            count += 1;
            let entry = self.map.entry(slot);
            let id = self.map.id(slot);
            ensure(self.map.find(id) == Some(slot), || format!("block {id} is not found"))?;
            let storages = self.map.storages(slot);
            let nodes: BTreeSet<_> = storages.iter().map(|s| self.storage(*s).datanode).collect();
            ensure(nodes.len() == storages.len(), || format!("block {id} twice on a node"))?;
            for storage in &storages {
                ensure(self.storage(*storage).blocks.contains(slot), || {
                    format!("{storage:?} does not know that it holds block {id}")
                })?;
            }
            complete += u64::from(entry.is_complete());
            safe += u64::from(entry.is_safe());
            let open = self.under_construction.contains_key(&id);
            ensure(open != entry.is_complete(), || {
                format!("block {id} is {} with record: {open}", entry.state().name())
            })?;
            self.check_safe_mark(slot)?;
        }
        ensure(count == self.map.len(), || format!("{count} blocks, map says {}", self.map.len()))?;
        ensure(complete == self.complete_blocks, || {
            format!("{complete} complete blocks, counted {}", self.complete_blocks)
        })?;
        ensure(safe == self.safe_blocks, || {
            format!("{safe} safe blocks, counted {}", self.safe_blocks)
        })
    }

    fn check_safe_mark(&self, slot: u32) -> Check {
        let entry = self.map.entry(slot);
        let purging = |s: &StorageSlot| self.to_purge.contains(s);
        if self.map.storages(slot).iter().any(purging) {
            return Ok(());
        }
        let counts = self.count(slot);
        let present = counts.live + counts.excess + counts.out_of_service();
        let min = u32::from(self.conf.safe_mode_min_replication.max(1));
        let is = entry.is_complete() && present >= min;
        ensure(is == entry.is_safe(), || format!("block {} safe: {is}", self.map.id(slot)))
    }

    fn check_storages(&self) -> Check {
        for (index, storage) in self.storages.iter().enumerate() {
            let own = StorageSlot(index as u32);
            for slot in storage.blocks.iter() {
                ensure(self.map.storages(slot).contains(&own), || {
                    format!("{own:?} claims block {}", self.map.id(slot))
                })?;
            }
            ensure(storage.present || storage.blocks.is_empty(), || {
                format!("{own:?} is gone and holds blocks")
            })?;
        }
        Ok(())
    }

    fn check_queues(&self) -> Check {
        self.needed.check()?;
        for (id, all) in &self.corrupt {
            let slot = self.map.find(*id).ok_or_else(|| format!("corrupt {id} is unknown"))?;
            for corrupt in all {
                ensure(self.storage_on(slot, corrupt.node).is_some(), || {
                    format!("corrupt {id} is not on {:?}", corrupt.node)
                })?;
            }
        }
        for (node, id) in self.excess.keys() {
            let slot = self.map.find(*id).ok_or_else(|| format!("excess {id} is unknown"))?;
            ensure(self.storage_on(slot, *node).is_some(), || {
                format!("excess {id} is not on {node:?}")
            })?;
        }
        for id in self.pending.keys().chain(&self.postponed).chain(self.recovery_attempts.keys()) {
            ensure(self.map.find(*id).is_some(), || format!("queued block {id} is unknown"))?;
        }
        for slot in self.map.slots() {
            let entry = self.map.entry(slot);
            if self.needed.contains(self.map.id(slot)) {
                ensure(entry.is_complete(), || {
                    format!("open block {} is queued", self.map.id(slot))
                })?;
            }
            self.check_last_copy(slot)?;
        }
        Ok(())
    }

    /// A block that has good replicas keeps one that nobody was told to delete.
    fn check_last_copy(&self, slot: u32) -> Check {
        let good: Vec<StorageSlot> = self.map.storages(slot).to_vec();
        let good: Vec<StorageSlot> = good
            .into_iter()
            .filter(|s| !self.is_corrupt_on(self.map.id(slot), self.storage(*s).datanode))
            .collect();
        let kept = good.iter().filter(|s| {
            !self.is_queued_for_deletion(self.storage(**s).datanode, self.map.block(slot))
        });
        ensure(good.is_empty() || kept.count() > 0, || {
            format!("every good replica of block {} is to be deleted", self.map.id(slot))
        })
    }

    fn check_nodes(&self) -> Check {
        let mut load = Load::default();
        let mut alive = BTreeSet::new();
        for slot in self.datanodes() {
            let node = self.datanode(slot);
            ensure(self.by_uuid.get(node.uuid().as_str()) == Some(&slot), || {
                format!("{slot:?} is not found by its identity")
            })?;
            if node.alive {
                alive.insert(slot);
            }
            if node.alive && node.is_in_service() {
                load.nodes += 1;
                load.xceivers += u64::from(node.xceiver_count);
            }
        }
        ensure(load == self.load, || format!("load {load:?}, counted {:?}", self.load))?;
        let topology: BTreeSet<_> = self.topology.nodes().iter().copied().collect();
        ensure(topology == alive, || format!("alive {alive:?}, in the topology {topology:?}"))
    }
}
