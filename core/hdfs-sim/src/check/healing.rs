//! When the faults are over everything becomes whole by itself: safe mode ends, silent writers' files are closed, every block
//! has its replicas, corrupt ones are replaced.

use std::rc::Rc;

use hdfs_blocks::BlockState;

use crate::cluster::Cluster;

/// What is still broken, if anything.
pub(crate) fn why_not_whole(cluster: &Rc<Cluster>) -> Option<String> {
    let Some(process) = cluster.namenode() else { return Some("the NameNode is down".to_owned()) };
    let nn = process.machine();
    let now = cluster.sim.now().mono;
    if nn.in_safe_mode() {
        return Some(format!("safe mode does not end: {}", nn.safe_mode_tip(now)));
    }
    let open = nn.open_file_count();
    if open > 0 {
        return Some(format!("{open} files are still open"));
    }
    let mut wrong = None;
    nn.namespace().visit_blocks(|of| {
        if wrong.is_some() {
            return;
        }
        let Some(info) = nn.blocks().block(of.block.id) else {
            wrong = Some(format!("{} is in the namespace only", of.block));
            return;
        };
        if info.state != BlockState::Complete {
            wrong = Some(format!("{} is {:?}", info.block, info.state));
            return;
        }
        let live = nn.blocks().live_replicas(of.block.id).len();
        if live < usize::from(info.replication) {
            let good = cluster.good_copies(of.block.id);
            wrong = Some(format!(
                "{} has {live} live replicas instead of {}; good copies: {good:?}",
                info.block, info.replication
            ));
        }
    });
    wrong
}
