//! DataNodes with a stand-in NameNode that accepts everything and remembers what it was told.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hdfs_conf::Configuration;
use hdfs_daemon::datanode::{self, DataNodeHandle, StartOption};
use hdfs_datapath::ack::{AckVerdict, judge};
use hdfs_datapath::packet::{PacketWriter, append_packet};
use hdfs_datapath::{ChecksumSpec, checksum};
use hdfs_format::block_list::BlockListDecoder;
use hdfs_format::datatransfer::{
    Op, PACKET_LENGTHS_BYTES, PacketHeader, PacketLengths, Prefix, decode_prefix, encode_delimited,
    encode_op,
};
use hdfs_proto::hdfs::datanode::{
    BlockReceivedAndDeletedRequestProto, BlockReceivedAndDeletedResponseProto,
    BlockReportRequestProto, BlockReportResponseProto, CommitBlockSynchronizationRequestProto,
    CommitBlockSynchronizationResponseProto, DatanodeCommandProto, HeartbeatRequestProto,
    HeartbeatResponseProto, RegisterDatanodeRequestProto, RegisterDatanodeResponseProto,
    ReportBadBlocksRequestProto, ReportBadBlocksResponseProto,
};
use hdfs_proto::hdfs::op_write_block_proto::BlockConstructionStage as Stage;
use hdfs_proto::hdfs::{
    BaseHeaderProto, BlockOpResponseProto, ChecksumProto, ClientOperationHeaderProto,
    ClientReadStatusProto, DatanodeIdProto, DatanodeInfoProto, ExtendedBlockProto,
    NamespaceInfoProto, NnhaStatusHeartbeatProto, OpReadBlockProto, OpReplaceBlockProto,
    OpWriteBlockProto, PipelineAckProto, RollingUpgradeStatusProto, Status, StorageInfoProto,
    VersionResponseProto,
};
use hdfs_rt::rpc::server::{Protocol, Reply, RpcCall, RpcService, Server, ServerConf};
use hdfs_types::{ReplicaState, Result, Rng, SplitMix64};
use parking_lot::{Condvar, Mutex};
use prost::Message;

/// The pool of testdata/hadoop-3.5.0/volume, with its namespace and cluster.
const POOL: &str = "BP-1743102183-127.0.0.1-1795258412836";
const NAMESPACE_ID: u32 = 1_652_623_689;
const CLUSTER_ID: &str = "CID-1eaab666-4bd4-469b-9e25-9bb12b1adbfb";
const STAMP: u64 = 1_001;
const PATIENCE: Duration = Duration::from_secs(20);

/// Bytes that do not repeat.
pub(crate) fn random(length: usize) -> Vec<u8> {
    let mut rng = SplitMix64(length as u64 + 99);
    (0..length).map(|_| rng.next_u64() as u8).collect()
}

/// A block of the pool.
pub(crate) fn block(id: u64, stamp: u64, length: usize) -> ExtendedBlockProto {
    ExtendedBlockProto {
        pool_id: POOL.to_owned(),
        block_id: id,
        generation_stamp: stamp,
        num_bytes: Some(length as u64),
    }
}

/// One packet with default checksums.
pub(crate) fn packet(offset: u64, seqno: i64, data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    append_packet(ChecksumSpec::default(), offset, seqno, false, false, data, &mut out);
    out
}

/// Writes everything.
pub(crate) fn send(mut stream: &TcpStream, bytes: &[u8]) {
    stream.write_all(bytes).expect("the DataNode takes bytes");
}

/// Writes until the DataNode takes no more.
pub(crate) fn send_what_is_taken(mut stream: &TcpStream, bytes: &[u8]) {
    let _ = stream.write_all(bytes);
}

/// A READ_BLOCK request.
pub(crate) fn read_request(block: &ExtendedBlockProto, offset: usize, length: usize) -> Vec<u8> {
    let request = OpReadBlockProto {
        header: ClientOperationHeaderProto {
            base_header: BaseHeaderProto { block: block.clone(), ..BaseHeaderProto::default() },
            client_name: "test".to_owned(),
        },
        offset: offset as u64,
        len: length as u64,
        send_checksums: Some(true),
        caching_strategy: None,
    };
    encode_op(Op::ReadBlock, &request)
}

fn read_message<M: Message + Default>(stream: &mut TcpStream) -> Option<M> {
    let mut bytes = Vec::new();
    loop {
        if let Ok(Prefix::Complete { length, .. }) = decode_prefix(&bytes) {
            let mut body = vec![0; length];
            stream.read_exact(&mut body).ok()?;
            return M::decode(&body[..]).ok();
        }
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        bytes.push(byte[0]);
    }
}

#[derive(Default)]
struct Told {
    /// Receptions of each block: how many, and the last length and stamp.
    received: BTreeMap<u64, (usize, u64, u64)>,
    reported: BTreeMap<u64, (u64, ReplicaState)>,
    bad: Vec<u64>,
    lease: u64,
    deleted: Vec<u64>,
    /// Given with the next heartbeat's answer to the DataNode with this UUID, or to anyone.
    orders: Vec<(Option<String>, DatanodeCommandProto)>,
    /// Ends of block recoveries: block, new stamp, new length, holders.
    recovered: Vec<(u64, u64, u64, usize)>,
    /// Storages of the last heartbeat, and how many had failed.
    storages: (usize, u32),
    /// Whether a rolling upgrade runs or is final.
    rolling_upgrade: Option<bool>,
    heartbeats: usize,
}

/// The stand-in NameNode.
#[derive(Default)]
pub(crate) struct NameNode {
    standby: bool,
    told: Mutex<Told>,
    changed: Condvar,
}

const PROTOCOLS: &[Protocol] = &[Protocol {
    java_name: "org.apache.hadoop.hdfs.server.protocol.DatanodeProtocol",
    version: 1,
}];

impl NameNode {
    fn wait<T>(&self, what: &str, mut look: impl FnMut(&Told) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        let mut told = self.told.lock();
        loop {
            if let Some(found) = look(&told) {
                return found;
            }
            let late = self.changed.wait_until(&mut told, deadline).timed_out();
            assert!(!late, "the NameNode was not told about {what}");
        }
    }

    /// Waits until so many DataNodes said that they received the block; answers its length and stamp.
    pub(crate) fn wait_for_received(&self, id: u64, count: usize) -> (u64, u64) {
        self.wait("a received block", |told| {
            let (seen, length, stamp) = *told.received.get(&id)?;
            (seen >= count).then_some((length, stamp))
        })
    }

    /// Waits until a full report holds the block; answers its length and state.
    pub(crate) fn wait_for_reported(&self, id: u64) -> (u64, ReplicaState) {
        self.wait("a block", |told| told.reported.get(&id).copied())
    }

    /// Waits until a heartbeat reports so many storages and so many failed ones.
    pub(crate) fn wait_for_storages(&self, good: usize, failed: u32) {
        self.wait("its storages", |told| (told.storages == (good, failed)).then_some(()));
    }

    /// Says from now on whether a rolling upgrade runs (`false`) or is final, and waits until it was said.
    pub(crate) fn set_rolling_upgrade(&self, finalized: bool) {
        let said = {
            let mut told = self.told.lock();
            told.rolling_upgrade = Some(finalized);
            told.heartbeats
        };
        // The answer of the first heartbeat was heard when the second comes.
        self.wait("heartbeats", |told| (told.heartbeats > said + 1).then_some(()));
    }

    /// Gives this order with the next heartbeat, and waits until it was given.
    pub(crate) fn order(&self, order: DatanodeCommandProto) {
        self.order_one(None, order);
    }

    fn order_one(&self, uuid: Option<String>, order: DatanodeCommandProto) {
        self.told.lock().orders.push((uuid, order));
        self.wait("its orders", |told| told.orders.is_empty().then_some(()));
    }

    /// Gives this order with the next heartbeat.
    pub(crate) fn give(&self, order: DatanodeCommandProto) {
        self.told.lock().orders.push((None, order));
    }

    /// How often the block was received.
    pub(crate) fn received(&self, id: u64) -> usize {
        self.told.lock().received.get(&id).map_or(0, |(times, ..)| *times)
    }

    /// Waits until the block was deleted.
    pub(crate) fn wait_for_deleted(&self, id: u64) {
        self.wait("a deleted block", |told| told.deleted.contains(&id).then_some(()));
    }

    /// Waits for the end of a block recovery: block, new stamp, new length, holders.
    pub(crate) fn wait_for_recovered(&self) -> (u64, u64, u64, usize) {
        self.wait("a recovered block", |told| told.recovered.first().copied())
    }

    /// Waits for a report of a bad block; answers its id.
    pub(crate) fn wait_for_bad_block(&self) -> u64 {
        self.wait("a bad block", |told| told.bad.first().copied())
    }

    fn answer(&self, call: &RpcCall<'_>) -> Result<Bytes> {
        fn bytes(message: &impl Message) -> Bytes {
            Bytes::from(message.encode_to_vec())
        }
        let mut told = self.told.lock();
        let answer = match call.method {
            "versionRequest" => bytes(&VersionResponseProto {
                info: NamespaceInfoProto {
                    block_pool_id: POOL.to_owned(),
                    storage_info: StorageInfoProto {
                        layout_version: (-67_i32).cast_unsigned(),
                        namespce_id: NAMESPACE_ID,
                        cluster_id: CLUSTER_ID.to_owned(),
                        c_time: 1_795_258_412_839,
                    },
                    software_version: "3.5.0".to_owned(),
                    capabilities: Some(1),
                    ..NamespaceInfoProto::default()
                },
            }),
            "registerDatanode" => {
                let request: RegisterDatanodeRequestProto = call.decode()?;
                bytes(&RegisterDatanodeResponseProto { registration: request.registration })
            }
            "sendHeartbeat" => {
                let request: HeartbeatRequestProto = call.decode()?;
                told.lease += 1;
                told.heartbeats += 1;
                told.storages = (request.reports.len(), request.failed_volumes.unwrap_or(0));
                let from = &request.registration.datanode_id.datanode_uuid;
                let for_it = |uuid: &Option<String>| uuid.as_ref().is_none_or(|uuid| uuid == from);
                let (given, kept): (Vec<_>, Vec<_>) =
                    told.orders.drain(..).partition(|(uuid, _)| for_it(uuid));
                told.orders = kept;
                let cmds = given.into_iter().map(|(_, order)| order).collect();
                let wanted = request.request_full_block_report_lease == Some(true);
                bytes(&HeartbeatResponseProto {
                    cmds,
                    ha_status: NnhaStatusHeartbeatProto { state: i32::from(self.standby), txid: 1 },
                    full_block_report_lease_id: wanted.then_some(told.lease),
                    rolling_upgrade_status_v2: told.rolling_upgrade.map(|finalized| {
                        RollingUpgradeStatusProto {
                            block_pool_id: POOL.to_owned(),
                            finalized: Some(finalized),
                        }
                    }),
                    ..HeartbeatResponseProto::default()
                })
            }
            "blockReport" => {
                let request: BlockReportRequestProto = call.decode()?;
                for report in &request.reports {
                    let count = report.number_of_blocks.unwrap_or(0);
                    for line in BlockListDecoder::from_buffers(count, &report.blocks_buffers) {
                        let line = line.expect("a report decodes");
                        let id = line.block.id.0.cast_unsigned();
                        told.reported.insert(id, (line.block.num_bytes, line.state));
                    }
                }
                bytes(&BlockReportResponseProto::default())
            }
            "blockReceivedAndDeleted" => {
                let request: BlockReceivedAndDeletedRequestProto = call.decode()?;
                for event in request.blocks.iter().flat_map(|storage| &storage.blocks) {
                    if event.status == 3 {
                        told.deleted.push(event.block.block_id);
                    } else if event.status == 2 {
                        let block = &event.block;
                        let entry = told.received.entry(block.block_id).or_default();
                        *entry = (entry.0 + 1, block.num_bytes.unwrap_or(0), block.gen_stamp);
                    }
                }
                bytes(&BlockReceivedAndDeletedResponseProto::default())
            }
            "reportBadBlocks" => {
                let request: ReportBadBlocksRequestProto = call.decode()?;
                told.bad.extend(request.blocks.iter().map(|block| block.b.block_id));
                bytes(&ReportBadBlocksResponseProto::default())
            }
            "commitBlockSynchronization" => {
                let request: CommitBlockSynchronizationRequestProto = call.decode()?;
                told.recovered.push((
                    request.block.block_id,
                    request.new_gen_stamp,
                    request.new_length,
                    request.new_taragets.len(),
                ));
                bytes(&CommitBlockSynchronizationResponseProto::default())
            }
            other => panic!("the DataNode called {other}"),
        };
        drop(told);
        self.changed.notify_all();
        Ok(answer)
    }
}

struct Service(Arc<NameNode>);

impl RpcService for Service {
    fn protocols(&self) -> &[Protocol] {
        PROTOCOLS
    }

    fn call(&self, call: RpcCall<'_>) -> Reply {
        Reply::Now(self.0.answer(&call))
    }
}

/// What a read brought.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// These bytes, all verified.
    Bytes(Vec<u8>),
    /// The DataNode said no.
    Refused(String),
    /// Bytes came that do not match their checksums.
    ChecksumError,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Self::Refused(text) => write!(f, "refused: {text}"),
            Self::ChecksumError => f.write_str("checksum error"),
        }
    }
}

/// One DataNode and its folder.
pub(crate) struct Node {
    handle: Option<DataNodeHandle>,
    folder: PathBuf,
    namenode: SocketAddr,
    extra: Vec<(String, String)>,
}

impl Node {
    fn configuration(&self) -> Configuration {
        let mut conf = Configuration::new();
        let folder = self.folder.to_string_lossy();
        let namenode = self.namenode.to_string();
        for (key, value) in [
            ("fs.defaultFS", format!("hdfs://{namenode}").as_str()),
            ("dfs.namenode.rpc-address.ns.one", &namenode),
            ("dfs.datanode.data.dir", &folder),
            ("dfs.datanode.address", "127.0.0.1:0"),
            ("dfs.datanode.ipc.address", "127.0.0.1:0"),
            ("dfs.datanode.http.address", "127.0.0.1:0"),
            ("dfs.heartbeat.interval", "1"),
        ] {
            conf.set(key, value).expect("a valid key");
        }
        for (key, value) in &self.extra {
            conf.set(key, value).expect("a valid key");
        }
        conf
    }

    fn start(&mut self, option: StartOption) {
        let handle =
            datanode::start_with(&self.configuration(), option).expect("the DataNode starts");
        let deadline = Instant::now() + PATIENCE;
        while !handle.is_registered() {
            assert!(Instant::now() < deadline, "the DataNode did not register");
            std::thread::sleep(Duration::from_millis(2));
        }
        self.handle = Some(handle);
    }

    /// How other nodes know this one.
    pub(crate) fn info(&self) -> DatanodeInfoProto {
        let handle = self.handle.as_ref().expect("the DataNode runs");
        let id = DatanodeIdProto {
            ip_addr: "127.0.0.1".to_owned(),
            xfer_port: u32::from(handle.data_address().port()),
            ipc_port: u32::from(handle.ipc_address().port()),
            datanode_uuid: handle.uuid().to_owned(),
            ..DatanodeIdProto::default()
        };
        DatanodeInfoProto { id, ..DatanodeInfoProto::default() }
    }

    /// A connection to the data port.
    pub(crate) fn connect(&self) -> TcpStream {
        let handle = self.handle.as_ref().expect("the DataNode runs");
        let stream = TcpStream::connect(handle.data_address()).expect("the data port is open");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout can be set");
        stream
    }

    /// Changes `dfs.datanode.data.dir` while the DataNode runs.
    pub(crate) fn set_volumes(&self, folders: &str) -> Result<()> {
        let handle = self.handle.as_ref().expect("the DataNode runs");
        let mut conf = self.configuration();
        conf.set("dfs.datanode.data.dir", folders).expect("a valid key");
        handle.set_volumes(&conf)
    }

    /// Waits until the DataNode asks for its end by itself.
    pub(crate) fn wait_for_end(&self) {
        let handle = self.handle.as_ref().expect("the DataNode runs");
        let deadline = Instant::now() + PATIENCE;
        while !handle.is_shutdown_requested() {
            assert!(Instant::now() < deadline, "the DataNode does not end");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn pool(&self) -> PathBuf {
        self.folder.join("current").join(POOL).join("current")
    }

    /// The files of a finalized replica with a small id.
    pub(crate) fn finalized(&self, id: u64, stamp: u64) -> (PathBuf, PathBuf) {
        let dir = self.pool().join("finalized/subdir0/subdir0");
        (dir.join(format!("blk_{id}")), dir.join(format!("blk_{id}_{stamp}.meta")))
    }

    /// The block file of a replica that is being written.
    pub(crate) fn rbw(&self, id: u64) -> PathBuf {
        self.pool().join(format!("rbw/blk_{id}"))
    }

    /// Reads a range as a client does: verifies every chunk.
    pub(crate) fn read(&self, block: &ExtendedBlockProto, offset: usize, length: usize) -> Answer {
        let mut stream = self.connect();
        send(&stream, &read_request(block, offset, length));
        let response: BlockOpResponseProto = read_message(&mut stream).expect("an answer");
        if response.status != Status::Success as i32 {
            return Answer::Refused(response.message.unwrap_or_default());
        }
        let info = response.read_op_checksum_info.expect("checksums are announced");
        let mut at = usize::try_from(info.chunk_offset).expect("a small offset");
        let mut bytes = Vec::new();
        loop {
            let (header, sums, data) = read_packet(&mut stream);
            if checksum::verify(ChecksumSpec::default(), &data, &sums).is_err() {
                return Answer::ChecksumError;
            }
            assert_eq!(header.offset_in_block, at as u64);
            for byte in data {
                if (offset..offset + length).contains(&at) {
                    bytes.push(byte);
                }
                at += 1;
            }
            if header.last_packet_in_block {
                break;
            }
        }
        let status = ClientReadStatusProto { status: Status::ChecksumOk as i32 };
        send(&stream, &encode_delimited(&status));
        Answer::Bytes(bytes)
    }
}

fn read_packet(stream: &mut TcpStream) -> (PacketHeader, Vec<u8>, Vec<u8>) {
    let mut lengths = [0; PACKET_LENGTHS_BYTES];
    stream.read_exact(&mut lengths).expect("a packet follows");
    let lengths = PacketLengths::decode(lengths).expect("valid lengths");
    let mut header = vec![0; lengths.header];
    stream.read_exact(&mut header).expect("a header follows");
    let header = PacketHeader::decode(&header, lengths.body).expect("a valid header");
    let mut sums = vec![0; lengths.body];
    stream.read_exact(&mut sums).expect("checksums and data follow");
    let data = sums.split_off(lengths.body - header.data_len as usize);
    (header, sums, data)
}

/// How a pipeline begins.
#[derive(Clone, Copy)]
pub(crate) struct SetUp {
    /// Why it is set up.
    pub(crate) stage: Stage,
    /// The stamp it gives the block; 0 for a new one.
    pub(crate) new_stamp: u64,
    /// Bytes that the client knows to be acknowledged.
    pub(crate) min: u64,
    /// Bytes that the client sent.
    pub(crate) max: u64,
    /// Bytes of a chunk.
    pub(crate) bytes_per_checksum: u32,
}

impl SetUp {
    /// With Hadoop's chunks.
    pub(crate) fn new(stage: Stage, new_stamp: u64, min: u64, max: u64) -> Self {
        Self { stage, new_stamp, min, max, bytes_per_checksum: 512 }
    }
}

/// A pipeline that is being written.
pub(crate) struct Pipeline {
    stream: TcpStream,
}

impl Pipeline {
    /// Sends bytes.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        send(&self.stream, bytes);
    }

    /// True once the DataNode has closed the connection.
    pub(crate) fn is_cut(&mut self) -> bool {
        matches!(self.stream.read(&mut [0]), Ok(0) | Err(_))
    }

    /// The next acknowledgement.
    pub(crate) fn ack(&mut self) -> PipelineAckProto {
        read_message(&mut self.stream).expect("an acknowledgement")
    }
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder can be made");
    for entry in std::fs::read_dir(from).expect("a folder can be read") {
        let entry = entry.expect("an entry can be read");
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).expect("a file can be copied");
        }
    }
}

/// DataNodes with their NameNode.
pub(crate) struct Cluster {
    /// The stand-in: the active one.
    pub namenode: Arc<NameNode>,
    /// A standby, when there is one.
    pub standby: Option<Arc<NameNode>>,
    /// The DataNodes.
    pub datanodes: Vec<Node>,
    root: PathBuf,
    _servers: Vec<Server>,
}

/// A stand-in that serves on a port of its own.
fn start_namenode(standby: bool) -> (Arc<NameNode>, Server) {
    let namenode = Arc::new(NameNode { standby, ..NameNode::default() });
    let service: Arc<dyn RpcService> = Arc::new(Service(Arc::clone(&namenode)));
    let bind = SocketAddr::from(([127, 0, 0, 1], 0));
    let server = Server::start(ServerConf::new(bind), vec![service]).expect("a free port");
    (namenode, server)
}

impl Cluster {
    /// Starts so many DataNodes in new folders.
    pub(crate) fn start(count: usize) -> Self {
        Self::start_with(count, None, |_| Vec::new())
    }

    /// One DataNode with an active and a standby NameNode.
    pub(crate) fn start_with_standby() -> Self {
        let (standby, server) = start_namenode(true);
        let address = server.local_addr().to_string();
        let mut cluster = Self::start_with(1, None, |_| {
            vec![
                ("dfs.nameservices".to_owned(), "ns".to_owned()),
                ("dfs.ha.namenodes.ns".to_owned(), "one,two".to_owned()),
                ("dfs.namenode.rpc-address.ns.two".to_owned(), address.clone()),
            ]
        });
        cluster.standby = Some(standby);
        cluster._servers.push(server);
        cluster
    }

    /// Starts so many DataNodes, each on a copy of `template`, with further configuration for a folder.
    pub(crate) fn start_with(
        count: usize,
        template: Option<&Path>,
        extra: impl Fn(&Path) -> Vec<(String, String)>,
    ) -> Self {
        let (namenode, server) = start_namenode(false);
        let unique = format!("datanode-test-{}-{}", std::process::id(), server.local_addr().port());
        let root = std::env::temp_dir().join(unique);
        let datanodes = (0..count).map(|index| {
            let folder = root.join(format!("dn{index}"));
            if let Some(template) = template {
                copy_folder(template, &folder);
            }
            let extra = extra(&folder);
            let mut node = Node { handle: None, folder, namenode: server.local_addr(), extra };
            node.start(StartOption::Regular);
            node
        });
        let datanodes = datanodes.collect();
        Self { namenode, standby: None, datanodes, root, _servers: vec![server] }
    }

    /// The folder of a DataNode.
    pub(crate) fn folder(&self, index: usize) -> &Path {
        &self.datanodes[index].folder
    }

    /// Ends a DataNode.
    pub(crate) fn stop(&mut self, index: usize) {
        self.datanodes[index].handle = None;
    }

    /// Ends a DataNode and starts it again on its folder.
    pub(crate) fn restart(&mut self, index: usize) {
        self.restart_with(index, StartOption::Regular);
    }

    /// The same with an option.
    pub(crate) fn restart_with(&mut self, index: usize, option: StartOption) {
        self.stop(index);
        self.datanodes[index].start(option);
    }

    /// Looks until it is so.
    pub(crate) fn await_that(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is_so() {
            assert!(Instant::now() < deadline, "{what}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Gives an order to one DataNode.
    pub(crate) fn order(&self, index: usize, order: DatanodeCommandProto) {
        let uuid = self.datanodes[index].info().id.datanode_uuid;
        self.namenode.order_one(Some(uuid), order);
    }

    /// Tries to start a second DataNode on a folder in use.
    pub(crate) fn start_another_on(&self, index: usize) -> Result<()> {
        let node = &self.datanodes[index];
        datanode::start(&node.configuration()).map(drop)
    }

    /// Sets a pipeline up for a new block.
    pub(crate) fn begin_write(&self, nodes: &[usize], id: u64) -> Pipeline {
        let set_up = SetUp::new(Stage::PipelineSetupCreate, 0, 0, 0);
        self.set_up(nodes, &block(id, STAMP, 0), set_up).expect("the pipeline is set up")
    }

    /// Sets a pipeline up; the message of the node that refused.
    pub(crate) fn set_up(
        &self,
        nodes: &[usize],
        block: &ExtendedBlockProto,
        set_up: SetUp,
    ) -> std::result::Result<Pipeline, String> {
        let (first, rest) = nodes.split_first().expect("a pipeline has a node");
        let mut stream = self.datanodes[*first].connect();
        send(&stream, &self.pipeline_request(rest, block, set_up, nodes.len()));
        let response: BlockOpResponseProto = read_message(&mut stream).expect("an answer");
        if response.status == Status::Success as i32 {
            Ok(Pipeline { stream })
        } else {
            Err(response.message.unwrap_or_default())
        }
    }

    /// The node that a refused pipeline names.
    pub(crate) fn refused_link(&self, nodes: &[usize], id: u64) -> String {
        let (first, rest) = nodes.split_first().expect("a pipeline has a node");
        let mut stream = self.datanodes[*first].connect();
        let create = SetUp::new(Stage::PipelineSetupCreate, 0, 0, 0);
        let block = block(id, STAMP, 0);
        send(&stream, &self.pipeline_request(rest, &block, create, nodes.len()));
        let response: BlockOpResponseProto = read_message(&mut stream).expect("an answer");
        assert_ne!(response.status, Status::Success as i32);
        response.first_bad_link.unwrap_or_default()
    }

    fn pipeline_request(
        &self,
        rest: &[usize],
        block: &ExtendedBlockProto,
        set_up: SetUp,
        size: usize,
    ) -> Vec<u8> {
        let request = OpWriteBlockProto {
            header: ClientOperationHeaderProto {
                base_header: BaseHeaderProto { block: block.clone(), ..BaseHeaderProto::default() },
                client_name: "test".to_owned(),
            },
            targets: rest.iter().map(|index| self.datanodes[*index].info()).collect(),
            stage: set_up.stage as i32,
            pipeline_size: u32::try_from(size).expect("a short pipeline"),
            min_bytes_rcvd: set_up.min,
            max_bytes_rcvd: set_up.max,
            latest_generation_stamp: set_up.new_stamp,
            requested_checksum: ChecksumProto {
                r#type: 2,
                bytes_per_checksum: set_up.bytes_per_checksum,
            },
            target_storage_types: vec![1; rest.len()],
            ..OpWriteBlockProto::default()
        };
        encode_op(Op::WriteBlock, &request)
    }

    /// A WRITE_BLOCK request for a new block on one DataNode.
    pub(crate) fn write_request(&self, id: u64) -> Vec<u8> {
        let set_up = SetUp::new(Stage::PipelineSetupCreate, 0, 0, 0);
        self.pipeline_request(&[], &block(id, STAMP, 0), set_up, 1)
    }

    /// Asks one DataNode to fetch a block from another, as the balancer does; the last answer.
    pub(crate) fn replace(&self, to: usize, from: usize, id: u64) -> Status {
        let mut stream = self.datanodes[to].connect();
        let request = OpReplaceBlockProto {
            header: BaseHeaderProto { block: block(id, STAMP, 0), ..BaseHeaderProto::default() },
            del_hint: self.datanodes[from].info().id.datanode_uuid,
            source: self.datanodes[from].info(),
            storage_type: Some(1),
            storage_id: None,
        };
        send(&stream, &encode_op(Op::ReplaceBlock, &request));
        loop {
            let response: BlockOpResponseProto = read_message(&mut stream).expect("an answer");
            let status = Status::try_from(response.status).expect("a status");
            if status != Status::InProgress {
                return status;
            }
        }
    }

    /// Writes a whole block; the verdict about the first packet that was not acknowledged.
    pub(crate) fn write(
        &self,
        nodes: &[usize],
        id: u64,
        data: &[u8],
    ) -> std::result::Result<(), AckVerdict> {
        let mut pipeline = self.begin_write(nodes, id);
        pipeline.write(nodes.len(), 0, data)
    }
}

impl Pipeline {
    /// Writes bytes from `offset` on and ends the block.
    pub(crate) fn write(
        &mut self,
        nodes: usize,
        offset: u64,
        data: &[u8],
    ) -> std::result::Result<(), AckVerdict> {
        let mut writer = PacketWriter::new(ChecksumSpec::default(), 65_536, offset);
        let mut packets = Vec::new();
        writer.write(data, &mut packets);
        writer.finish(false, &mut packets);
        for packet in &packets {
            self.send(&packet.bytes);
        }
        for packet in &packets {
            let ack = self.ack();
            match judge(&ack) {
                AckVerdict::Acked => assert_eq!(ack.seqno, packet.seqno),
                other => return Err(other),
            }
            assert_eq!(ack.reply.len(), nodes);
        }
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.datanodes.clear();
        let _ = std::fs::remove_dir_all(&self.root);
    }
}
