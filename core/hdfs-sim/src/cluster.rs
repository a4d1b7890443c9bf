//! The machines of one world and what starts and stops them.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use hdfs_namenode::{Call, CallKey, NameNode};
use hdfs_types::Result;

use crate::disk::Disk;
use crate::kernel::{NAMENODE, NodeId, Sim};
use crate::namenode::Process;
use crate::net::Gone;
use crate::truth::Truth;

/// How a process ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Crash {
    /// kill -9: the machine stays.
    Killed,
    /// The machine loses power.
    PowerCut,
}

/// Everything.
pub(crate) struct Cluster {
    pub(crate) sim: Sim,
    pub(crate) seed: u64,
    pub(crate) truth: RefCell<Truth>,
    pub(crate) namenode_disk: Disk,
    namenode: RefCell<Option<Rc<Process>>>,
    pub(crate) clients: Vec<NodeId>,
}

/// How long a call to the NameNode may take.
pub(crate) const CALL_LIMIT: Duration = Duration::from_secs(20);

impl Cluster {
    /// A world with so many DataNodes and clients; nothing runs yet.
    pub(crate) fn new(sim: &Sim, seed: u64, datanodes: usize, clients: usize) -> Rc<Self> {
        let first = 1 + datanodes;
        Rc::new(Self {
            sim: sim.clone(),
            seed,
            truth: RefCell::default(),
            namenode_disk: Disk::new(sim, 64 << 20),
            namenode: RefCell::default(),
            clients: (first..first + clients).map(NodeId).collect(),
        })
    }

    /// The process of the NameNode, while it runs.
    pub(crate) fn namenode(&self) -> Option<Rc<Process>> {
        self.namenode.borrow().clone()
    }

    /// Starts the NameNode.
    pub(crate) fn start_namenode(&self) {
        self.power_up(NAMENODE);
        match Process::start(&self.sim, &self.namenode_disk, self.seed) {
            Ok(process) => *self.namenode.borrow_mut() = Some(process),
            // A disk that fails now is tried again later; anything else is damage that nobody did.
            Err(why) if why.starts_with("Io") || why.starts_with("Full") => {
                self.sim.note(format_args!("the namenode does not start: {why}"));
                self.crash(NAMENODE, Crash::Killed);
            }
            Err(why) => self.sim.violation(format!("the NameNode refuses to start: {why}")),
        }
    }

    /// Marks a machine as running.
    pub(crate) fn power_up(&self, node: NodeId) {
        let kernel = &mut *self.sim.kernel();
        let machine = &mut kernel.machines[node.0];
        machine.up = true;
        machine.dark = false;
        machine.paused = false;
        machine.incarnation += 1;
    }

    /// Ends a machine's process.
    pub(crate) fn crash(&self, node: NodeId, how: Crash) {
        self.sim.note(format_args!("{node:?} {how:?}"));
        {
            let kernel = &mut *self.sim.kernel();
            let machine = &mut kernel.machines[node.0];
            machine.up = false;
            machine.dark = how == Crash::PowerCut;
        }
        self.sim.pause(node, false);
        self.sim.end_tasks(node);
        if node == NAMENODE {
            *self.namenode.borrow_mut() = None;
            if how == Crash::PowerCut {
                self.namenode_disk.power_cut();
            }
        }
    }

    /// Calls the NameNode once. With `again` the network may deliver the call twice, or late: its key makes that harmless.
    ///
    /// # Errors
    /// When no answer came. What was asked for may have happened all the same.
    pub(crate) async fn call_namenode<T: 'static>(
        self: &Rc<Self>,
        from: NodeId,
        key: Option<CallKey>,
        again: Option<Rc<Cell<bool>>>,
        request: impl Fn(&mut NameNode, &Call<'_>) -> Result<T> + Clone + 'static,
    ) -> std::result::Result<Result<T>, Gone> {
        let cluster = Rc::clone(self);
        let address = address(from);
        let answer = self.sim.call(from, NAMENODE, CALL_LIMIT, again, move || {
            let (process, request) = (cluster.namenode(), request.clone());
            let address = address.clone();
            Box::pin(async move { process?.serve(address, key, request).await })
        });
        answer.await?.ok_or(Gone::Reset)
    }
}

/// The address of a machine.
pub(crate) fn address(node: NodeId) -> String {
    format!("10.0.0.{}", node.0 + 1)
}
