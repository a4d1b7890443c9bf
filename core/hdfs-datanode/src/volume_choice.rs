//! The choice of a volume for a new replica.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.datanode.fsdataset.{RoundRobinVolumeChoosingPolicy,
//! AvailableSpaceVolumeChoosingPolicy} (3.5.0)

use crate::replica::VolumeIndex;
use hdfs_types::{Error, ErrorKind, Result, Rng};

/// A volume as the choice sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct VolumeSpace {
    /// Which one.
    pub index: VolumeIndex,
    /// Bytes for new blocks: free, without what is reserved.
    pub available: u64,
}

/// The policy (`dfs.datanode.fsdataset.volume.choosing.policy`).
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub enum VolumePolicy {
    /// One after the other.
    #[default]
    RoundRobin,
    /// Those with more space get more blocks, when they differ by more than `threshold`.
    AvailableSpace {
        /// `dfs.datanode.available-space-volume-choosing-policy.balanced-space-threshold` (10 GiB).
        threshold: u64,
        /// `….balanced-space-preference-fraction` (0.75), in thousandths.
        preference_per_mille: u64,
    },
}

/// Chooses volumes; remembers where the round stands.
#[derive(Clone, Debug)]
pub struct VolumeChooser {
    policy: VolumePolicy,
    next: [usize; 3],
}

/// Rounds: over all volumes, over those with much space, over those with little.
const ALL: usize = 0;
const HIGH: usize = 1;
const LOW: usize = 2;

impl VolumeChooser {
    /// With this policy.
    pub fn new(policy: VolumePolicy) -> Self {
        Self { policy, next: [0; 3] }
    }

    /// A volume with room for `bytes`. `volumes` are those of the wanted storage type, in order.
    ///
    /// # Errors
    /// `DiskOutOfSpace` when none has room.
    pub fn choose(
        &mut self,
        volumes: &[VolumeSpace],
        bytes: u64,
        rng: &mut dyn Rng,
    ) -> Result<VolumeIndex> {
        let VolumePolicy::AvailableSpace { threshold, preference_per_mille } = self.policy else {
            return self.round(ALL, volumes, bytes);
        };
        let most = volumes.iter().map(|volume| volume.available).max().unwrap_or(0);
        let least = volumes.iter().map(|volume| volume.available).min().unwrap_or(0);
        if most.saturating_sub(least) <= threshold {
            return self.round(ALL, volumes, bytes);
        }
        let (low, high): (Vec<VolumeSpace>, Vec<VolumeSpace>) =
            volumes.iter().partition(|volume| volume.available <= least.saturating_add(threshold));
        // As in Hadoop: the preference is weighted by how many volumes each side has.
        let high_weight = high.len() as u64 * preference_per_mille;
        let low_weight = low.len() as u64 * 1_000_u64.saturating_sub(preference_per_mille);
        let low_has_room = low.iter().any(|volume| volume.available > bytes);
        if !low_has_room || rng.below((high_weight + low_weight).max(1)) < high_weight {
            self.round(HIGH, &high, bytes)
        } else {
            self.round(LOW, &low, bytes)
        }
    }

    fn round(&mut self, round: usize, volumes: &[VolumeSpace], bytes: u64) -> Result<VolumeIndex> {
        let count = volumes.len();
        let mut most = 0;
        for step in 0..count {
            let at = (self.next[round] + step) % count;
            let volume = volumes[at];
            if volume.available > bytes {
                self.next[round] = at + 1;
                return Ok(volume.index);
            }
            most = most.max(volume.available);
        }
        Err(Error::new(
            ErrorKind::DiskOutOfSpace,
            if count == 0 {
                "No more available volumes".to_owned()
            } else {
                format!(
                    "Out of space: The volume with the most available space (={most} B) is less than the block \
                     size (={bytes} B)."
                )
            },
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hdfs_types::SplitMix64;

    fn volumes(available: &[u64]) -> Vec<VolumeSpace> {
        let indexed = (0..).map(VolumeIndex).zip(available);
        indexed.map(|(index, available)| VolumeSpace { index, available: *available }).collect()
    }

    #[test]
    fn round_robin_passes_full_volumes_over() {
        let mut chooser = VolumeChooser::new(VolumePolicy::RoundRobin);
        let mut rng = SplitMix64(1);
        let volumes = volumes(&[100, 5, 100]);
        let mut choose = |bytes| chooser.choose(&volumes, bytes, &mut rng).map(|index| index.0);
        assert_eq!([choose(10).unwrap(), choose(10).unwrap(), choose(10).unwrap()], [0, 2, 0]);
        assert_eq!(choose(1).unwrap(), 1);
        let error = choose(100).unwrap_err();
        assert_eq!(error.kind, ErrorKind::DiskOutOfSpace);
    }

    #[test]
    fn the_emptier_volume_gets_most_blocks() {
        let policy = VolumePolicy::AvailableSpace { threshold: 10, preference_per_mille: 750 };
        let mut chooser = VolumeChooser::new(policy);
        let mut rng = SplitMix64(7);
        let volumes = volumes(&[1_000, 100]);
        let chosen = (0..1_000).map(|_| chooser.choose(&volumes, 1, &mut rng).unwrap());
        let emptier = chosen.filter(|index| index.0 == 0).count();
        assert!((700..800).contains(&emptier), "{emptier}");
    }
}
