//! What a check is asked to do.

/// The parameters of `/fsck`. Each is on when it is there, whatever its value, as in Hadoop.
///
/// Hadoop: org.apache.hadoop.hdfs.server.namenode.NamenodeFsck (3.5.0)
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FsckOptions {
    /// Where to start.
    pub path: String,
    /// Salvage what is left of damaged files.
    pub salvage: bool,
    /// Delete damaged files.
    pub delete: bool,
    /// Print each file.
    pub files: bool,
    /// Print each block.
    pub blocks: bool,
    /// Print where each replica is.
    pub locations: bool,
    /// With its rack.
    pub racks: bool,
    /// With its state.
    pub replica_details: bool,
    /// With the upgrade domain of its node.
    pub upgrade_domains: bool,
    /// Tell of nodes in maintenance.
    pub maintenance: bool,
    /// Sum up where blocks are and where their policies want them.
    pub storage_policies: bool,
    /// An option without effect, which Hadoop warns of.
    pub show_progress: bool,
    /// Check files that are being written, too.
    pub open_for_write: bool,
    /// Only list the blocks without any good replica.
    pub list_corrupt: bool,
    /// Where that list goes on.
    pub start_after: Option<String>,
    /// Only tell about these blocks.
    pub block_ids: Option<Vec<String>>,
    /// Schedule copies of badly placed blocks.
    pub replicate: bool,
    /// Look into the snapshots of snapshottable directories, too.
    pub include_snapshots: bool,
}

impl FsckOptions {
    /// Reads the parameters; the first of several with one name counts. Unknown ones mean nothing.
    pub fn from_parameters<'a>(parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut options = Self::default();
        let mut path = None;
        for (name, value) in parameters {
            match name {
                "path" => {
                    path.get_or_insert_with(|| value.to_owned());
                }
                "move" => options.salvage = true,
                "delete" => options.delete = true,
                "files" => options.files = true,
                "blocks" => options.blocks = true,
                "locations" => options.locations = true,
                "racks" => options.racks = true,
                "replicadetails" => options.replica_details = true,
                "upgradedomains" => options.upgrade_domains = true,
                "maintenance" => options.maintenance = true,
                "storagepolicies" => options.storage_policies = true,
                "showprogress" => options.show_progress = true,
                "openforwrite" => options.open_for_write = true,
                "listcorruptfileblocks" => options.list_corrupt = true,
                "startblockafter" => {
                    options.start_after.get_or_insert_with(|| value.to_owned());
                }
                "blockId" => {
                    options.block_ids.get_or_insert_with(|| split_ids(value));
                }
                "replicate" => options.replicate = true,
                "includeSnapshots" => options.include_snapshots = true,
                _ => {}
            }
        }
        options.path = path.unwrap_or_else(|| "/".to_owned());
        options
    }

    /// Whether replicas are listed behind a block.
    pub(super) fn lists_replicas(&self) -> bool {
        self.locations || self.racks || self.replica_details || self.upgrade_domains
    }
}

/// As Java splits at single spaces: empty parts at the end do not count, but there is always one part.
fn split_ids(text: &str) -> Vec<String> {
    let mut ids: Vec<String> = text.split(' ').map(str::to_owned).collect();
    while ids.len() > 1 && ids.last().is_some_and(String::is_empty) {
        ids.pop();
    }
    ids
}
