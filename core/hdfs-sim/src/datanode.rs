//! A DataNode's process: the machines of `hdfs-datanode` and `hdfs-datapath` over a simulated disk and simulated streams.
//!
//! What is decided is decided there; this file moves bytes, waits, and calls.

mod orders;
mod service;
mod store;
mod write;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use hdfs_datanode::report::{BlockEvent, Event, IncrementalReports};
use hdfs_datanode::schedule::{Intervals, Schedule};
use hdfs_datanode::store::Store;
use hdfs_datanode::suspects::Suspects;
use hdfs_datanode::{Place, VolumeIndex, transition};
use hdfs_format::datatransfer::{block_op_response, extended_block};
use hdfs_proto::hdfs::datanode::DatanodeRegistrationProto;
use hdfs_proto::hdfs::{
    self as p, BlockOpResponseProto, OpTransferBlockProto, OpWriteBlockProto, PipelineAckProto,
    Status,
};
use hdfs_types::{Block, ErrorKind, ExtendedBlock, Result};

use crate::cluster::{Cluster, address};
use crate::disk::Disk;
use crate::kernel::{NodeId, Sim, Waiters};
use crate::net::{Later, Segment, Socket};
use store::Pool;
pub(crate) use write::transfer_address;

/// What flows through a data connection.
#[derive(Clone, Debug)]
pub(crate) enum Frame {
    /// WRITE_BLOCK.
    Write(Box<OpWriteBlockProto>),
    /// READ_BLOCK: block, first byte, bytes.
    Read(ExtendedBlock, u64, u64),
    /// TRANSFER_BLOCK.
    Transfer(Box<OpTransferBlockProto>),
    /// The answer to an operation.
    Response(Box<BlockOpResponseProto>),
    /// A packet of a client's write, as it is on the wire.
    Packet(Vec<u8>),
    /// One of a read or a copy. No bit of it turns over: a good replica would be taken for a bad one.
    Data(Vec<u8>),
    /// An acknowledgement.
    Ack(PipelineAckProto),
}

impl Segment for Frame {
    fn accuses(&self) -> bool {
        matches!(self, Self::Data(_))
    }

    fn corrupt(&mut self, random: u64) {
        if let Self::Packet(bytes) | Self::Data(bytes) = self {
            // Lengths and header stay: a broken frame breaks the connection, which is another fault.
            let start = 40.min(bytes.len());
            let bits = (bytes.len() - start) as u64 * 8;
            if bits > 0 {
                let bit = random % bits;
                let at = start + usize::try_from(bit / 8).unwrap_or(0);
                bytes[at] ^= 1 << (bit % 8);
            }
        }
    }
}

pub(crate) type DataSocket = Socket<Frame>;

/// The process. It lives from one start to the next crash.
pub(crate) struct DataNode {
    pub(crate) sim: Sim,
    pub(crate) cluster: Rc<Cluster>,
    pub(crate) node: NodeId,
    pub(crate) pool: Pool,
    reports: RefCell<IncrementalReports>,
    schedule: RefCell<Schedule>,
    wake: Waiters,
    registered: RefCell<Option<DatanodeRegistrationProto>>,
    transfers: Cell<u32>,
    suspects: RefCell<Suspects>,
}

/// The identity of a DataNode.
pub(crate) fn datanode_id(node: NodeId) -> p::DatanodeIdProto {
    p::DatanodeIdProto {
        ip_addr: address(node),
        host_name: format!("dn{}", node.0),
        datanode_uuid: uuid(node),
        xfer_port: 9_866,
        info_port: 9_864,
        ipc_port: 9_867,
        info_secure_port: None,
    }
}

pub(crate) fn uuid(node: NodeId) -> String {
    format!("node-{}", node.0)
}

/// The storage of a DataNode: it has one.
pub(crate) fn storage_uuid(node: NodeId) -> String {
    format!("disk-{}", node.0)
}

/// The machine at an address.
pub(crate) fn machine_at(ip: &str) -> NodeId {
    let last = ip.rsplit('.').next().and_then(|part| part.parse::<usize>().ok());
    NodeId(last.unwrap_or(1).saturating_sub(1))
}

impl DataNode {
    /// Starts over what the disk holds.
    ///
    /// # Errors
    /// When the disk refuses.
    pub(crate) fn start(cluster: &Rc<Cluster>, node: NodeId, disk: &Disk) -> Result<Rc<Self>> {
        let sim = &cluster.sim;
        let pool = Pool::scan(sim, disk, cluster.planted)?;
        let intervals = Intervals {
            heartbeat: std::time::Duration::from_secs(3),
            block_report: std::time::Duration::from_secs(120),
            initial_delay: std::time::Duration::ZERO,
        };
        let this = Rc::new(Self {
            sim: sim.clone(),
            cluster: Rc::clone(cluster),
            node,
            pool,
            reports: RefCell::default(),
            schedule: RefCell::new(Schedule::new(intervals, sim.now().mono)),
            wake: Waiters::default(),
            registered: RefCell::default(),
            transfers: Cell::new(0),
            suspects: RefCell::default(),
        });
        sim.note(format_args!("{node:?} starts with {} replicas", this.pool.count()));
        sim.spawn(node, Rc::clone(&this).serve_namenode());
        Ok(this)
    }

    /// Tells the NameNode about a replica, soon.
    pub(crate) fn notify(&self, block: Block, event: BlockEvent, delete_hint: Option<String>) {
        let event = Event { block, event, delete_hint };
        self.sim.note(format_args!("{:?} {:?} {block}", self.node, event.event));
        self.reports.borrow_mut().push(0, event, self.sim.now().mono);
        self.wake.wake(&self.sim);
    }

    /// Serves one data connection.
    pub(crate) fn accept(self: Rc<Self>, socket: DataSocket) -> Later<()> {
        Box::pin(async move {
            let limit = std::time::Duration::from_secs(60);
            match socket.receive(limit).await {
                Ok(Frame::Write(request)) => {
                    let block = extended_block(&request.header.base_header.block);
                    if let Err(error) = self.write_block(Rc::new(socket), *request).await {
                        self.sim.note(format_args!("{:?} write {block}: {error}", self.node));
                    }
                }
                Ok(Frame::Read(block, offset, length)) => {
                    self.read_block(&socket, &block, offset, length);
                }
                Ok(Frame::Transfer(request)) => {
                    let block = extended_block(&request.header.base_header.block);
                    let answer = match self.transfer_for_recovery(block, &request).await {
                        Ok(()) => block_op_response(Status::Success, None),
                        Err(error) => block_op_response(Status::Error, Some(&error.to_string())),
                    };
                    let _ = socket.send(Frame::Response(Box::new(answer)));
                }
                _ => {}
            }
        })
    }

    /// Bytes that a reader may see.
    pub(crate) fn visible_length(&self, block: &ExtendedBlock) -> Result<u64> {
        self.pool.with_shard(block.block.id, |shard| {
            let replica = hdfs_datanode::store::Shard::map(shard).get(block.block.id);
            let replica = replica.ok_or_else(|| transition::non_existent(block))?;
            transition::check_read(replica, block)
        })
    }

    /// Sends a range in packets of whole chunks, checksums as they are on disk.
    fn read_block(&self, socket: &DataSocket, block: &ExtendedBlock, offset: u64, length: u64) {
        match self.pool.open_range(block, offset, length) {
            Ok(packets) => {
                let answer = block_op_response(Status::Success, None);
                let _ = socket.send(Frame::Response(Box::new(answer)));
                for packet in packets {
                    let _ = socket.send(Frame::Data(packet));
                }
            }
            Err(error) => {
                self.sim.note(format_args!("{:?} read {block}: {error}", self.node));
                let answer = block_op_response(Status::Error, Some(&error.to_string()));
                let _ = socket.send(Frame::Response(Box::new(answer)));
                if matches!(error.kind, ErrorKind::Checksum | ErrorKind::FileNotFound) {
                    self.report_bad(block, self.node);
                }
            }
        }
    }

    /// A replica is corrupt: the NameNode hears of it, and decides.
    pub(crate) fn report_bad(&self, block: &ExtendedBlock, on: NodeId) {
        let located = p::LocatedBlockProto {
            b: hdfs_format::datatransfer::extended_block_proto(block),
            locs: vec![p::DatanodeInfoProto {
                id: datanode_id(on),
                ..p::DatanodeInfoProto::default()
            }],
            storage_i_ds: vec![storage_uuid(on)],
            ..p::LocatedBlockProto::default()
        };
        let request =
            hdfs_proto::hdfs::datanode::ReportBadBlocksRequestProto { blocks: vec![located] };
        let (cluster, node) = (Rc::clone(&self.cluster), self.node);
        self.sim.note(format_args!("{node:?} reports {block} on {on:?} as bad"));
        self.sim.spawn(node, async move {
            for _ in 0..3 {
                let request = request.clone();
                let call = cluster.call_namenode(node, None, None, move |nn, call| {
                    nn.datanode_reports_bad_blocks(call, &request)
                });
                if let Ok(Ok(_)) = call.await {
                    return;
                }
            }
        });
    }

    /// The volume of every replica.
    pub(crate) const VOLUME: VolumeIndex = VolumeIndex(0);

    /// Where a replica's files are.
    pub(crate) fn path_of(place: Place, name: &str) -> String {
        match place {
            Place::Finalized => format!("finalized/{name}"),
            Place::Rbw => format!("rbw/{name}"),
            Place::Tmp => format!("tmp/{name}"),
        }
    }
}
