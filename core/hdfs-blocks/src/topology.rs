//! Racks and distances.
//!
//! Hadoop: org.apache.hadoop.net.NetworkTopology (3.5.0). A location is `/rack` or `/datacenter/rack`; all nodes lie
//! equally deep.

use std::collections::BTreeMap;

use crate::datanode::DatanodeSlot;

/// The nodes that can be chosen, by rack.
#[derive(Clone, Debug, Default)]
pub(crate) struct Topology {
    racks: BTreeMap<String, Vec<DatanodeSlot>>,
    nodes: Vec<DatanodeSlot>,
    ever_multi_rack: bool,
}

impl Topology {
    pub(crate) fn add(&mut self, node: DatanodeSlot, location: &str) {
        if self.nodes.contains(&node) {
            return;
        }
        self.nodes.push(node);
        self.racks.entry(location.to_owned()).or_default().push(node);
        self.ever_multi_rack |= self.racks.len() > 1;
    }

    pub(crate) fn remove(&mut self, node: DatanodeSlot, location: &str) {
        self.nodes.retain(|other| *other != node);
        if let Some(rack) = self.racks.get_mut(location) {
            rack.retain(|other| *other != node);
            if rack.is_empty() {
                self.racks.remove(location);
            }
        }
    }

    pub(crate) fn nodes(&self) -> &[DatanodeSlot] {
        &self.nodes
    }

    pub(crate) fn rack(&self, location: &str) -> &[DatanodeSlot] {
        self.racks.get(location).map_or(&[], Vec::as_slice)
    }

    /// Racks with nodes.
    pub(crate) fn rack_count(&self) -> usize {
        self.racks.len()
    }

    /// Two racks had nodes at some time: from then on, blocks should span two.
    pub(crate) fn ever_multi_rack(&self) -> bool {
        self.ever_multi_rack
    }
}

/// Hops between two nodes on different hosts: up to the nearest common place and down again.
pub(crate) fn distance(location: &str, other: &str) -> u32 {
    let parts = |text: &str| text.split('/').filter(|part| !part.is_empty()).count() as u32;
    let common = location
        .split('/')
        .filter(|part| !part.is_empty())
        .zip(other.split('/').filter(|part| !part.is_empty()))
        .take_while(|(left, right)| left == right)
        .count() as u32;
    parts(location) + 1 - common + parts(other) + 1 - common
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_hadoops() {
        assert_eq!(distance("/r1", "/r1"), 2);
        assert_eq!(distance("/r1", "/r2"), 4);
        assert_eq!(distance("/d1/r1", "/d1/r2"), 4);
        assert_eq!(distance("/d1/r1", "/d2/r1"), 6);
    }
}
