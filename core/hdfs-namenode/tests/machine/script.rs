//! A NameNode without an edge: a clock that moves when it is told to, DataNodes that report when they are told to, and an
//! edit log that is replayed at a restart.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use hdfs_blocks::Now;
use hdfs_format::edits::EditOp;
use hdfs_namenode::{
    Call, CallKey, Caller, Fsck, FsckOptions, FsckOutcome, FsckStep, Identity, MachineConf,
    NameNode,
};
use hdfs_namespace::{FileKeySource, Namespace};
use hdfs_proto::hdfs as p;
use hdfs_proto::hdfs::datanode as d;
use hdfs_types::constants::NAMENODE_LAYOUT_VERSION;
use hdfs_types::{BlockPoolId, CallId, ClientId, Mono, Result, TxId, WallMillis};

pub(crate) struct Script {
    nn: NameNode,
    now: Now,
    caller: Arc<Caller>,
    nodes: u32,
    /// Of machines that start from now on: `dfs.namenode.snapshot.trashroot.enabled`.
    trash_roots: bool,
    log: Vec<(TxId, EditOp)>,
    /// Every block that was given, in order.
    blocks: Vec<p::ExtendedBlockProto>,
    /// The recovery that a node was told to lead.
    recovering: Option<(p::ExtendedBlockProto, u64)>,
    inode: u64,
    told: String,
}

const POOL: &str = "BP-1-127.0.0.1-1";

fn conf() -> MachineConf {
    let mut conf = MachineConf {
        retry_cache_expiry: Duration::from_secs(600),
        host: "nn".to_owned(),
        batched_listing_limit: 100,
        max_corrupt_files: 100,
        ..MachineConf::default()
    };
    conf.namespace.owner = "root".to_owned();
    conf.namespace.min_block_size = 0;
    conf
}

fn machine(trash_roots: bool) -> NameNode {
    let identity = Identity {
        layout_version: NAMENODE_LAYOUT_VERSION,
        namespace_id: 1,
        cluster_id: "CID-1".to_owned(),
        c_time: 0,
        block_pool_id: BlockPoolId::from(POOL),
    };
    let namespace = Namespace::new(&conf().namespace);
    let mut conf = conf();
    conf.server_defaults.snapshot_trash_root_enabled = Some(trash_roots);
    NameNode::new(conf, identity, namespace, TxId(0)).unwrap()
}

impl Script {
    /// A cluster with so many DataNodes.
    pub(crate) fn new(nodes: u32) -> Self {
        let mut this = Self {
            nn: machine(false),
            now: Now { mono: Mono(1_000_000_000), wall: WallMillis(1_000_000) },
            caller: Arc::new(Caller {
                user: "root".to_owned(),
                groups: Vec::new(),
                superuser: true,
            }),
            nodes,
            trash_roots: false,
            log: Vec::new(),
            blocks: Vec::new(),
            recovering: None,
            inode: 0,
            told: String::new(),
        };
        this.nn.start(this.now).unwrap();
        this.join();
        this
    }

    /// The live machine.
    pub(crate) fn machine(&self) -> &NameNode {
        &self.nn
    }

    /// Blocks that were given.
    pub(crate) fn block_count(&self) -> u64 {
        self.blocks.len() as u64
    }

    /// A machine built from the log alone.
    pub(crate) fn replayed(&self) -> NameNode {
        let mut nn = machine(self.trash_roots);
        self.replay(&mut nn);
        nn.add_blocks().unwrap();
        nn
    }

    /// The same, its blocks changed by one operation after the other.
    pub(crate) fn replayed_with_blocks(&self) -> NameNode {
        let mut nn = machine(self.trash_roots);
        nn.add_blocks().unwrap();
        self.replay(&mut nn);
        nn
    }

    fn replay(&self, nn: &mut NameNode) {
        for (txid, op) in &self.log {
            nn.replay(*txid, op, self.now).unwrap();
        }
    }

    /// Runs every line; returns what was answered.
    pub(crate) fn run(&mut self, script: &str) -> String {
        for line in script.lines().map(str::trim) {
            self.line(line);
            self.log.append(self.nn.pending_ops());
        }
        std::mem::take(&mut self.told)
    }

    fn say(&mut self, line: &str, answer: &str) {
        writeln!(self.told, "{line}: {answer}").unwrap();
    }

    fn line(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        let key =
            words.iter().position(|word| *word == "as").map(|at| words[at + 1].parse().unwrap());
        match words[..] {
            ["ops"] => self.ops(),
            ["join"] => self.join(),
            ["tick"] => {
                let notes = self.nn.tick(self.now);
                self.say(line, &notes.join(", "));
            }
            ["trash", "roots"] => self.trash_roots = true,
            ["restart"] => self.restart(line),
            ["news"] => {
                let news: Vec<_> =
                    self.nn.files_with_news().drain(..).map(|id| id.to_string()).collect();
                self.say(line, &news.join(" "));
            }
            ["wait", seconds] => {
                self.now.mono.0 += seconds.parse::<u64>().unwrap() * 1_000_000_000;
                self.heartbeats();
            }
            ["leases"] => {
                for note in self.nn.check_leases(self.now) {
                    self.say(line, &note);
                }
            }
            ["safemode"] => {
                let tip = self.nn.safe_mode_tip(self.now.mono);
                let first = tip.lines().next().unwrap_or_default().to_owned();
                let on = self.nn.in_safe_mode();
                self.say(line, &if on { format!("on, {first}") } else { "off".to_owned() });
            }
            ["enter"] => self.safe_mode(p::SafeModeActionProto::SafemodeEnter),
            ["leave"] => self.safe_mode(p::SafeModeActionProto::SafemodeLeave),
            ["heartbeat", node] => self.heartbeat(line, node.parse().unwrap()),
            ["receiving", node, block] => self.report(node, block, 1),
            ["received", node, block] => self.report(node, block, 2),
            ["lost", node, block] => self.report(node, block, 3),
            ["corrupt", node, block] => self.corrupt(node.parse().unwrap(), block),
            ["doctor", target] => self.doctor(target),
            ["fsck", ..] => self.fsck(line.trim_start_matches("fsck ")),
            ["recovered", length] => self.recovered(length.parse().unwrap()),
            ["register", how] => self.register_odd(line, how),
            _ => self.client(line, &words, key),
        }
    }

    fn doctor(&mut self, target: &str) {
        let call =
            Call { caller: &self.caller, client_machine: "10.0.0.9", key: None, now: self.now };
        match self.nn.diagnose(&call, target) {
            Ok(diagnosis) => {
                self.told.push_str(&diagnosis.text);
                let end = if diagnosis.healthy { "=> healthy" } else { "=> sick" };
                writeln!(self.told, "{end}").unwrap();
            }
            Err(error) => writeln!(self.told, "doctor {target}: {}", error.message).unwrap(),
        }
    }

    fn client(&mut self, line: &str, words: &[&str], key: Option<i32>) {
        let caller = self.caller.clone();
        let call = Call {
            caller: &caller,
            client_machine: "10.0.0.9",
            key: key.and_then(|key| CallKey::new(ClientId([1; 16]), CallId(key))),
            now: self.now,
        };
        let answer = match words {
            ["create", path, ..] => self.create(&call, path),
            ["add", path] => self.add(&call, path, None),
            ["add", path, previous] => self.add(&call, path, Some(previous)),
            ["complete", path, last] => self.complete(&call, path, last),
            ["mkdirs", path] => {
                let request = p::MkdirsRequestProto {
                    src: (*path).to_owned(),
                    masked: p::FsPermissionProto { perm: 0o755 },
                    create_parent: true,
                    unmasked: None,
                };
                self.nn.mkdirs(&call, &request).map(|of| of.result.to_string())
            }
            ["delete", path, ..] => {
                let request = p::DeleteRequestProto { src: (*path).to_owned(), recursive: true };
                self.nn.delete(&call, &request).map(|of| of.result.to_string())
            }
            ["rename", src, dst, ..] => {
                let (src, dst) = ((*src).to_owned(), (*dst).to_owned());
                let request = p::RenameRequestProto { src, dst };
                self.nn.rename(&call, &request).map(|of| of.result.to_string())
            }
            ["truncate", path, length, ..] => {
                let request = p::TruncateRequestProto {
                    src: (*path).to_owned(),
                    new_length: length.parse().unwrap(),
                    client_name: "client".to_owned(),
                };
                self.nn.truncate(&call, &request).map(|of| of.result.to_string())
            }
            ["allow", path] => {
                let request = p::AllowSnapshotRequestProto { snapshot_root: (*path).to_owned() };
                self.nn.allow_snapshot(&call, &request).map(|_| "done".to_owned())
            }
            ["snapshot", path, name] => {
                let request = p::CreateSnapshotRequestProto {
                    snapshot_root: (*path).to_owned(),
                    snapshot_name: Some((*name).to_owned()),
                };
                self.nn.create_snapshot(&call, &request).map(|of| of.snapshot_path)
            }
            ["recover", path] => {
                let request = p::RecoverLeaseRequestProto {
                    src: (*path).to_owned(),
                    client_name: "other".to_owned(),
                };
                self.nn.recover_lease(&call, &request).map(|of| of.result.to_string())
            }
            ["drop", path, name] => {
                let request = p::DeleteSnapshotRequestProto {
                    snapshot_root: (*path).to_owned(),
                    snapshot_name: (*name).to_owned(),
                };
                self.nn.delete_snapshot(&call, &request).map(|_| "done".to_owned())
            }
            ["list-corrupt", path, cookie @ ..] => {
                let request = p::ListCorruptFileBlocksRequestProto {
                    path: (*path).to_owned(),
                    cookie: cookie.first().map(|cookie| (*cookie).to_owned()),
                };
                let told = self.nn.list_corrupt_file_blocks(&call, &request);
                told.map(|of| format!("{} {}", of.corrupt.files.join(" "), of.corrupt.cookie))
            }
            ["write", path, length] => self.write(&call, path, length.parse().unwrap()),
            ["append", path] => {
                let request = p::AppendRequestProto {
                    src: (*path).to_owned(),
                    client_name: "client".to_owned(),
                    flag: Some(4),
                };
                self.nn.append(&call, &request).map(|_| "done".to_owned())
            }
            ["replicate", path, replication] => {
                let request = p::SetReplicationRequestProto {
                    src: (*path).to_owned(),
                    replication: replication.parse().unwrap(),
                };
                self.nn.set_replication(&call, &request).map(|of| of.result.to_string())
            }
            ["concat", target, source] => {
                let request = p::ConcatRequestProto {
                    trg: (*target).to_owned(),
                    srcs: vec![(*source).to_owned()],
                };
                self.nn.concat(&call, &request).map(|_| "done".to_owned())
            }
            ["info", path] => {
                let request = p::GetFileInfoRequestProto { src: (*path).to_owned() };
                self.nn.get_file_info(&call, &request).map(|of| {
                    of.fs.map_or_else(
                        || "none".to_owned(),
                        |fs| {
                            format!(
                                "{} bytes, {} replicas",
                                fs.length,
                                fs.block_replication.unwrap_or(0)
                            )
                        },
                    )
                })
            }
            other => panic!("no such line: {other:?}"),
        };
        let answer = answer.unwrap_or_else(|error| format!("{:?}", error.kind));
        self.say(line, &answer);
    }

    fn create(&mut self, call: &Call<'_>, path: &str) -> Result<String> {
        let request = p::CreateRequestProto {
            src: path.to_owned(),
            masked: p::FsPermissionProto { perm: 0o644 },
            client_name: "client".to_owned(),
            create_flag: 1,
            create_parent: true,
            replication: 3,
            block_size: 1_024,
            crypto_protocol_version: Vec::new(),
            unmasked: None,
            ec_policy_name: None,
            storage_policy: None,
        };
        let fs = self.nn.create(call, &request, FileKeySource::NoProvider)?.fs;
        let Some(inode) = fs.and_then(|fs| fs.file_id) else { return Ok("inode none".to_owned()) };
        self.inode = inode;
        Ok(format!("inode {inode}"))
    }

    /// Creates a file with one block that every node has, and closes it.
    fn write(&mut self, call: &Call<'_>, path: &str, length: u64) -> Result<String> {
        self.create(call, path)?;
        self.add(call, path, None)?;
        let block = format!("{}:{length}", self.blocks.len());
        for node in 0..self.nodes {
            self.report(&node.to_string(), &block, 2);
        }
        self.complete(call, path, &block)
    }

    /// `previous` is `number:length`: a block that was given before, and the length that was written to it.
    fn add(&mut self, call: &Call<'_>, path: &str, previous: Option<&str>) -> Result<String> {
        let request = p::AddBlockRequestProto {
            src: path.to_owned(),
            client_name: "client".to_owned(),
            previous: previous.map(|text| self.block(text)),
            exclude_nodes: Vec::new(),
            file_id: Some(self.inode),
            favored_nodes: Vec::new(),
            flags: Vec::new(),
        };
        let block = self.nn.add_block(call, &request)?.block;
        if !self.blocks.contains(&block.b) {
            self.blocks.push(block.b.clone());
        }
        let id = &block.b;
        let (nodes, offset) = (block.locs.len(), block.offset);
        Ok(format!("blk_{}_{} on {nodes} nodes at {offset}", id.block_id, id.generation_stamp))
    }

    fn block(&self, text: &str) -> p::ExtendedBlockProto {
        let (number, length) = text.split_once(':').expect("number:length");
        // A block that nobody was given, for what a confused client says.
        let nobodys = p::ExtendedBlockProto {
            pool_id: POOL.to_owned(),
            block_id: 77,
            generation_stamp: 7,
            num_bytes: None,
        };
        let index = number.parse::<usize>().unwrap() - 1;
        let block = self.blocks.get(index).cloned().unwrap_or(nobodys);
        p::ExtendedBlockProto { num_bytes: Some(length.parse().unwrap()), ..block }
    }

    fn complete(&mut self, call: &Call<'_>, path: &str, last: &str) -> Result<String> {
        let request = p::CompleteRequestProto {
            src: path.to_owned(),
            client_name: "client".to_owned(),
            last: Some(self.block(last)),
            file_id: Some(self.inode),
        };
        self.nn.complete(call, &request).map(|of| of.result.to_string())
    }

    /// Says that a replica failed its checksums.
    fn corrupt(&mut self, node: usize, block: &str) {
        let caller = self.caller.clone();
        let call = self.node_call(&caller);
        let request =
            p::GetBlockLocationsRequestProto { src: format!("/{block}"), offset: 0, length: 1 };
        let mut located =
            self.nn.get_block_locations(&call, &request).unwrap().0.locations.unwrap();
        let mut bad = located.blocks.remove(0);
        let wanted = format!("node-{node}");
        let at = bad.locs.iter().position(|of| of.id.datanode_uuid == wanted).unwrap();
        bad.locs = vec![bad.locs.remove(at)];
        bad.storage_i_ds = vec![bad.storage_i_ds.remove(at)];
        bad.storage_types.truncate(1);
        bad.is_cached.truncate(1);
        let request = p::ReportBadBlocksRequestProto { blocks: vec![bad] };
        let call = Call { now: self.now, ..call };
        self.nn.report_bad_blocks(&call, &request).unwrap();
    }

    /// Checks files; actions are told and taken as failed.
    fn fsck(&mut self, query: &str) {
        let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "1")));
        let options = FsckOptions::from_parameters(pairs);
        let caller = self.caller.clone();
        let call = self.node_call(&caller);
        let mut fsck = Fsck::new(options, "root", "10.0.0.9", self.now);
        let mut text = String::new();
        loop {
            match fsck.step(&self.nn, &call, &mut text) {
                FsckStep::More => {}
                FsckStep::Act(action) => {
                    writeln!(text, "<{action:?}>").unwrap();
                    fsck.acted(FsckOutcome::Failed);
                }
                FsckStep::Done => break,
            }
        }
        self.told.push_str(&text);
        self.told.push('\n');
    }

    fn ops(&mut self) {
        for (txid, op) in &self.log {
            writeln!(self.told, "{txid} {}", op.name()).unwrap();
        }
    }

    fn restart(&mut self, line: &str) {
        self.nn = self.replayed();
        self.nn.start(self.now).unwrap();
        let count = self.log.len();
        self.say(line, &format!("{count} operations"));
    }

    fn safe_mode(&mut self, action: p::SafeModeActionProto) {
        let caller = self.caller.clone();
        let request = p::SetSafeModeRequestProto { action: action as i32, checked: None };
        self.nn.set_safe_mode(&self.node_call(&caller), &request).unwrap();
    }

    fn node_call<'a>(&self, caller: &'a Arc<Caller>) -> Call<'a> {
        Call { caller, client_machine: "127.0.0.1", key: None, now: self.now }
    }

    fn join(&mut self) {
        let caller = self.caller.clone();
        for node in 0..self.nodes {
            let request = d::RegisterDatanodeRequestProto { registration: registration(node) };
            self.nn.register_datanode(&self.node_call(&caller), &request, None).unwrap();
        }
        self.heartbeats();
        for node in 0..self.nodes {
            let call = self.node_call(&caller);
            let uuid = format!("node-{node}").as_str().into();
            let report =
                self.nn.begin_storage_report(&call, &uuid, &storage(node)).unwrap().unwrap();
            self.nn.finish_storage_report(&call, report).unwrap();
        }
    }

    fn heartbeats(&mut self) {
        for node in 0..self.nodes {
            self.beat(node);
        }
    }

    fn beat(&mut self, node: u32) -> Vec<d::DatanodeCommandProto> {
        let caller = self.caller.clone();
        #[expect(deprecated, reason = "a required field")]
        let report = p::StorageReportProto {
            storage_uuid: format!("disk-{node}"),
            failed: Some(false),
            capacity: Some(1 << 40),
            dfs_used: Some(0),
            remaining: Some(1 << 40),
            block_pool_used: Some(0),
            storage: Some(storage(node)),
            non_dfs_used: Some(0),
            mount: None,
        };
        let request = d::HeartbeatRequestProto {
            registration: registration(node),
            reports: vec![report],
            xmits_in_progress: None,
            xceiver_count: None,
            failed_volumes: None,
            cache_capacity: None,
            cache_used: None,
            volume_failure_summary: None,
            request_full_block_report_lease: None,
            slow_peers: Vec::new(),
            slow_disks: Vec::new(),
        };
        self.nn.send_heartbeat(&self.node_call(&caller), &request).unwrap().cmds
    }

    fn heartbeat(&mut self, line: &str, node: u32) {
        let mut told = Vec::new();
        for command in self.beat(node) {
            for block in command.blk_cmd.iter().flat_map(|of| &of.blocks) {
                told.push(format!("delete blk_{}_{}", block.block_id, block.gen_stamp));
            }
            for block in command.recovery_cmd.iter().flat_map(|of| &of.blocks) {
                let of = &block.block.b;
                let cut = block.truncate_block.as_ref().map(|cut| {
                    let length = cut.num_bytes.unwrap_or_default();
                    match cut.block_id == of.block_id {
                        true => format!(", cut to {length}"),
                        false => format!(", {length} bytes of it as blk_{}", cut.block_id),
                    }
                });
                let cut = cut.unwrap_or_default();
                told.push(format!(
                    "recover blk_{}_{} to {}{cut}",
                    of.block_id, of.generation_stamp, block.new_gen_stamp
                ));
                self.recovering = Some((of.clone(), block.new_gen_stamp));
            }
        }
        self.say(line, &told.join(", "));
    }

    fn report(&mut self, node: &str, block: &str, status: i32) {
        let caller = self.caller.clone();
        let node = node.parse().unwrap();
        let block = self.block(block);
        let line = d::ReceivedDeletedBlockInfoProto {
            block: p::BlockProto {
                block_id: block.block_id,
                gen_stamp: block.generation_stamp,
                num_bytes: block.num_bytes,
            },
            status,
            delete_hint: None,
        };
        #[expect(deprecated, reason = "a required field")]
        let blocks = d::StorageReceivedDeletedBlocksProto {
            storage_uuid: format!("disk-{node}"),
            blocks: vec![line],
            storage: Some(storage(node)),
        };
        let request = d::BlockReceivedAndDeletedRequestProto {
            registration: registration(node),
            block_pool_id: POOL.to_owned(),
            blocks: vec![blocks],
        };
        self.nn.block_received_and_deleted(&self.node_call(&caller), &request).unwrap();
    }

    /// Node 0 ends the recovery that it was told to lead.
    fn recovered(&mut self, length: u64) {
        let caller = self.caller.clone();
        let (block, new_gen_stamp) = self.recovering.take().expect("a recovery");
        let request = d::CommitBlockSynchronizationRequestProto {
            block,
            new_gen_stamp,
            new_length: length,
            close_file: true,
            delete_block: false,
            new_taragets: vec![registration(0).datanode_id],
            new_target_storages: vec!["disk-0".to_owned()],
        };
        self.nn.commit_block_synchronization(&self.node_call(&caller), &request).unwrap();
    }

    fn register_odd(&mut self, line: &str, how: &str) {
        let caller = self.caller.clone();
        let mut registration = registration(9);
        match how {
            "old" => registration.software_version = "2.10.0".to_owned(),
            _ => registration.storage_info.cluster_id = how.to_owned(),
        }
        let request = d::RegisterDatanodeRequestProto { registration: registration.clone() };
        let mut answer =
            self.nn.register_datanode(&self.node_call(&caller), &request, None).map(|_| ());
        if how != "old" {
            let request = d::CacheReportRequestProto {
                registration,
                block_pool_id: POOL.to_owned(),
                blocks: Vec::new(),
            };
            answer = self.nn.cache_report(&self.node_call(&caller), &request).map(|_| ());
        }
        self.say(line, &format!("{:?}", answer.unwrap_err().kind));
    }
}

fn storage(node: u32) -> p::DatanodeStorageProto {
    p::DatanodeStorageProto {
        storage_uuid: format!("disk-{node}"),
        state: None,
        storage_type: None,
    }
}

fn registration(node: u32) -> d::DatanodeRegistrationProto {
    d::DatanodeRegistrationProto {
        datanode_id: p::DatanodeIdProto {
            ip_addr: "127.0.0.1".to_owned(),
            host_name: "localhost".to_owned(),
            datanode_uuid: format!("node-{node}"),
            xfer_port: 9_866 + node,
            info_port: 1,
            ipc_port: 2,
            info_secure_port: None,
        },
        storage_info: p::StorageInfoProto {
            layout_version: (-57_i32).cast_unsigned(),
            namespce_id: 1,
            cluster_id: "CID-1".to_owned(),
            c_time: 0,
        },
        keys: p::ExportedBlockKeysProto::default(),
        software_version: "3.5.0".to_owned(),
    }
}
