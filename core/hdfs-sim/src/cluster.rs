//! The machines of one world and what starts and stops them.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use hdfs_namenode::{Call, CallKey, NameNode};
use hdfs_types::{Block, BlockId, Planted, ReplicaState, Result};

use crate::check::replicas::{Stamps, check_deletion};
use crate::datanode::{DataNode, DataSocket};
use crate::disk::Disk;
use crate::kernel::{NAMENODE, NodeId, Sim};
use crate::namenode::Process;
use crate::net::{Gone, Later};
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
    pub(crate) datanodes: Vec<NodeId>,
    pub(crate) clients: Vec<NodeId>,
    disks: Vec<Disk>,
    processes: RefCell<BTreeMap<NodeId, Rc<DataNode>>>,
    pub(crate) stamps: RefCell<Stamps>,
    /// Blocks of which a replica rotted.
    pub(crate) rotten: RefCell<BTreeSet<BlockId>>,
    /// The bug that is to be found, if any.
    pub(crate) planted: Planted,
}

/// How long a call to the NameNode may take.
pub(crate) const CALL_LIMIT: Duration = Duration::from_secs(20);

impl Cluster {
    /// A world with so many DataNodes and clients; nothing runs yet.
    pub(crate) fn new(
        sim: &Sim,
        seed: u64,
        datanodes: usize,
        clients: usize,
        planted: Planted,
    ) -> Rc<Self> {
        let first = 1 + datanodes;
        Rc::new(Self {
            sim: sim.clone(),
            seed,
            truth: RefCell::default(),
            namenode_disk: Disk::new(sim, 64 << 20),
            namenode: RefCell::default(),
            datanodes: (1..first).map(NodeId).collect(),
            clients: (first..first + clients).map(NodeId).collect(),
            disks: (0..datanodes).map(|_| Disk::new(sim, crate::DISK_BYTES)).collect(),
            processes: RefCell::default(),
            stamps: RefCell::default(),
            rotten: RefCell::default(),
            planted,
        })
    }

    /// The process of the NameNode, while it runs.
    pub(crate) fn namenode(&self) -> Option<Rc<Process>> {
        self.namenode.borrow().clone()
    }

    /// Starts the NameNode.
    pub(crate) fn start_namenode(&self) {
        self.power_up(NAMENODE);
        match Process::start(&self.sim, &self.namenode_disk, self.seed, self.planted) {
            Ok(process) => *self.namenode.borrow_mut() = Some(process),
            // A disk that fails now is tried again later; anything else is damage that nobody did.
            Err(why) if why.starts_with("Io") || why.starts_with("Full") => {
                self.sim.note(format_args!("the namenode does not start: {why}"));
                self.crash(NAMENODE, Crash::Killed);
            }
            Err(why) => self.sim.violation(format!("the NameNode refuses to start: {why}")),
        }
    }

    /// Takes the world apart: its tasks hold it, and it holds them.
    pub(crate) fn end(&self) {
        let machines = self.sim.kernel().machines.len();
        for node in 0..machines {
            self.sim.end_tasks(NodeId(node));
        }
        self.sim.clear();
        let (namenode, datanodes) = (self.namenode.take(), self.processes.take());
        drop((namenode, datanodes));
    }

    /// The disk of a DataNode.
    pub(crate) fn disk(&self, node: NodeId) -> &Disk {
        &self.disks[node.0 - 1]
    }

    /// The process of a DataNode, while it runs.
    pub(crate) fn datanode(&self, node: NodeId) -> Option<Rc<DataNode>> {
        self.processes.borrow().get(&node).cloned()
    }

    /// Starts a DataNode.
    pub(crate) fn start_datanode(self: &Rc<Self>, node: NodeId) {
        self.power_up(node);
        match DataNode::start(self, node, self.disk(node)) {
            Ok(process) => {
                self.processes.borrow_mut().insert(node, process);
            }
            Err(error) => {
                self.sim.note(format_args!("{node:?} does not start: {error}"));
                self.crash(node, Crash::Killed);
            }
        }
    }

    /// Opens a data connection to a DataNode.
    ///
    /// # Errors
    /// When nobody answers.
    pub(crate) async fn connect(
        self: &Rc<Self>,
        from: NodeId,
        to: NodeId,
        limit: Duration,
    ) -> std::result::Result<DataSocket, Gone> {
        let cluster = Rc::clone(self);
        let accept = move |socket: DataSocket| -> Later<()> {
            match cluster.datanode(to) {
                Some(process) => process.accept(socket),
                None => Box::pin(async move { drop(socket) }),
            }
        };
        self.sim.connect(from, to, limit, accept).await
    }

    /// Calls another DataNode.
    ///
    /// # Errors
    /// What it says; an IO error when nobody answers.
    pub(crate) async fn call_datanode<T: 'static>(
        self: &Rc<Self>,
        from: NodeId,
        to: NodeId,
        request: impl Fn(&Rc<DataNode>) -> Result<T> + Clone + 'static,
    ) -> Result<T> {
        let cluster = Rc::clone(self);
        let answer = self.sim.call(from, to, CALL_LIMIT, None, move || {
            let (process, request) = (cluster.datanode(to), request.clone());
            Box::pin(async move {
                let stopped = || hdfs_types::Error::io("the DataNode is stopping");
                request(&process.ok_or_else(stopped)?)
            })
        });
        answer.await.unwrap_or_else(|gone| Err(hdfs_types::Error::io(format!("{to:?}: {gone:?}"))))
    }

    /// Copies of a block, on machines that run, whose checksums prove all their bytes.
    pub(crate) fn good_copies(&self, id: BlockId) -> Vec<(NodeId, Block)> {
        let processes = self.processes.borrow();
        let good = processes.iter().filter_map(|(node, process)| {
            let replica = process.pool.replica(id)?;
            (replica.state() == ReplicaState::Finalized).then_some(())?;
            process.pool.proven_bytes(&replica)?;
            Some((*node, replica.block))
        });
        good.collect()
    }

    /// A DataNode is about to delete a replica by order.
    pub(crate) fn before_deletion(&self, node: &Rc<DataNode>, block: &Block) {
        let Some(process) = self.namenode() else { return };
        let machine = process.machine();
        // A block that no file has any more may go wholly.
        let Some(info) = machine.blocks().block(block.id) else { return };
        if info.state != hdfs_blocks::BlockState::Complete {
            return;
        }
        let good: Vec<NodeId> = self
            .good_copies(block.id)
            .into_iter()
            .filter(|(_, of)| of.generation_stamp == info.block.generation_stamp)
            .map(|(node, _)| node)
            .collect();
        let held = node.pool.replica(block.id).map(|of| of.block.generation_stamp);
        let is_good = held == Some(block.generation_stamp) && good.contains(&node.node);
        // Machines that are down keep their copies.
        let all_up = self.datanodes.iter().all(|node| self.sim.machine(*node).up);
        if !all_up {
            return;
        }
        let wanted = usize::from(info.replication);
        if let Err(wrong) = check_deletion(block.id, is_good, good.len(), wanted) {
            drop(machine);
            self.sim.violation(wrong);
        }
    }

    /// Looks at every replica.
    pub(crate) fn look_at_replicas(&self) {
        let processes: Vec<Rc<DataNode>> = self.processes.borrow().values().cloned().collect();
        let mut stamps = self.stamps.borrow_mut();
        for process in processes {
            for replica in process.pool.replicas() {
                let block = replica.block;
                if let Err(wrong) = stamps.see(process.node, block.id, block.generation_stamp) {
                    self.sim.violation(wrong);
                }
            }
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
        let process = self.processes.borrow_mut().remove(&node);
        drop(process);
        if self.datanodes.contains(&node) {
            self.stamps.borrow_mut().forget(node);
            if how == Crash::PowerCut {
                self.disk(node).power_cut();
                self.truth.borrow_mut().lose_power();
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
