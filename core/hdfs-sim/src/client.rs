//! A client: one task after another works in a directory of its own and compares every answer with what it must be.

mod files;
mod reader;
mod writer;

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use hdfs_namenode::{Call, CallKey, NameNode};
use hdfs_namespace::FileKeySource;
use hdfs_proto::hdfs as p;
use hdfs_types::{CallId, ClientId, ErrorKind, Result};

use crate::cluster::Cluster;
use crate::kernel::{NodeId, Sim};
use crate::truth::{Entry, FileId};

/// One client process.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) cluster: Rc<Cluster>,
    pub(crate) node: NodeId,
    /// Its name for leases, and the directory that it works in.
    pub(crate) name: String,
    pub(crate) home: String,
    id: ClientId,
    calls: Rc<Cell<i32>>,
}

impl Client {
    /// Starts the process of this machine anew: other name, other directory.
    pub(crate) fn start(cluster: &Rc<Cluster>, node: NodeId) -> Self {
        let this = Self::observer(cluster, node);
        cluster.sim.note(format_args!("{} starts", this.name));
        cluster.sim.spawn(node, this.clone().work());
        cluster.sim.spawn(node, this.clone().renew_lease());
        this
    }

    /// One that does nothing by itself.
    pub(crate) fn observer(cluster: &Rc<Cluster>, node: NodeId) -> Self {
        cluster.power_up(node);
        let incarnation = cluster.sim.machine(node).incarnation;
        let mut id = [0; 16];
        id[0] = u8::try_from(node.0).unwrap_or(u8::MAX);
        id[1..5].copy_from_slice(&incarnation.to_be_bytes());
        id[15] = 1;
        Self {
            cluster: Rc::clone(cluster),
            node,
            name: format!("client-{}-{incarnation}", node.0),
            home: format!("/c{}-{incarnation}", node.0),
            id: ClientId(id),
            calls: Rc::default(),
        }
    }

    pub(crate) fn sim(&self) -> &Sim {
        &self.cluster.sim
    }

    /// Calls the NameNode until it answers.
    pub(crate) async fn ask<T: 'static>(
        &self,
        request: impl Fn(&mut NameNode, &Call<'_>) -> Result<T> + Clone + 'static,
    ) -> Result<T> {
        self.ask_with(None, request).await
    }

    /// The same for a call that the retry cache knows: it may arrive twice, and late.
    pub(crate) async fn ask_once<T: 'static>(
        &self,
        request: impl Fn(&mut NameNode, &Call<'_>) -> Result<T> + Clone + 'static,
    ) -> Result<T> {
        self.ask_with(Some(Rc::default()), request).await
    }

    async fn ask_with<T: 'static>(
        &self,
        again: Option<Rc<Cell<bool>>>,
        request: impl Fn(&mut NameNode, &Call<'_>) -> Result<T> + Clone + 'static,
    ) -> Result<T> {
        self.calls.set(self.calls.get() + 1);
        let key = CallKey::new(self.id, CallId(self.calls.get()));
        let mut pause = Duration::from_millis(100);
        loop {
            match self.cluster.call_namenode(self.node, key, again.clone(), request.clone()).await {
                Ok(Err(error)) if error.kind == ErrorKind::SafeMode => {
                    self.sim().sleep(Duration::from_secs(1)).await;
                }
                Ok(answer) => {
                    if let (Err(_), Some(stale)) = (&answer, &again) {
                        stale.set(true);
                    }
                    self.cluster.truth.borrow_mut().calls += 1;
                    return answer;
                }
                Err(_) => {
                    self.sim().sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(4));
                }
            }
        }
    }

    /// The answer was another one than the truth.
    pub(crate) fn wrong(&self, what: &str, expected: &str, got: &str) {
        self.sim().violation(format!("{}: {what}: expected {expected}, got {got}", self.name));
    }

    async fn work(self) {
        self.mkdirs(&self.home.clone()).await;
        loop {
            let pause = self.sim().between(Duration::from_millis(1), Duration::from_millis(800));
            self.sim().sleep(pause).await;
            self.step().await;
        }
    }

    /// A path in the client's directory: one of a few names, so that operations meet.
    pub(crate) fn some_path(&self) -> String {
        let sim = self.sim();
        let (first, second) = (sim.below(4), sim.below(4));
        if sim.chance(600_000) {
            format!("{}/n{first}", self.home)
        } else {
            format!("{}/n{first}/m{second}", self.home)
        }
    }

    async fn step(&self) {
        let path = self.some_path();
        match self.sim().below(20) {
            0..=1 => self.mkdirs(&path).await,
            2 => self.create_empty(&path).await,
            3 => {
                let to = self.some_path();
                self.rename(&path, &to).await;
            }
            4 => self.delete(&path).await,
            5..=6 => self.look(&path).await,
            7..=10 => self.write_new(&path).await,
            11..=12 => self.append(&path).await,
            13 => self.truncate(&path).await,
            _ => self.read(&path).await,
        }
    }

    /// A file was made at this path, with the directories above it.
    fn enter_file(&self, path: &str, replication: u32) -> FileId {
        let mut truth = self.cluster.truth.borrow_mut();
        let id = truth.new_file(replication);
        for (at, _) in path.match_indices('/').skip(1) {
            truth.tree.insert(path[..at].to_owned(), Entry::Directory);
        }
        truth.tree.insert(path.to_owned(), Entry::File(id));
        id
    }

    async fn renew_lease(self) {
        loop {
            self.sim().sleep(Duration::from_secs(20)).await;
            let request = p::RenewLeaseRequestProto {
                client_name: self.name.clone(),
                namespaces: Vec::new(),
            };
            let _ = self.ask(move |nn, call| nn.renew_lease(call, &request)).await;
        }
    }

    fn entry(&self, path: &str) -> Option<Entry> {
        self.cluster.truth.borrow().tree.get(path).copied()
    }

    fn parent_is_file(&self, path: &str) -> bool {
        let truth = self.cluster.truth.borrow();
        path.match_indices('/')
            .skip(1)
            .any(|(at, _)| matches!(truth.tree.get(&path[..at]), Some(Entry::File(_))))
    }

    /// From before a call to after its answer nobody knows what is at these paths.
    fn begin(&self, paths: &[&str]) {
        let mut truth = self.cluster.truth.borrow_mut();
        for path in paths {
            truth.forget(path);
        }
    }

    fn end(&self, paths: &[&str]) {
        let mut truth = self.cluster.truth.borrow_mut();
        for path in paths {
            truth.unknown.remove(*path);
        }
    }

    async fn mkdirs(&self, path: &str) {
        let blocked = self.parent_is_file(path) || matches!(self.entry(path), Some(Entry::File(_)));
        let request = p::MkdirsRequestProto {
            src: path.to_owned(),
            masked: p::FsPermissionProto { perm: 0o755 },
            create_parent: true,
            unmasked: None,
        };
        let top = self.top_missing(path);
        self.begin(&[&top]);
        let answer = self.ask(move |nn, call| nn.mkdirs(call, &request)).await;
        match answer {
            Ok(_) if !blocked => {
                let mut truth = self.cluster.truth.borrow_mut();
                for (at, _) in path.match_indices('/').skip(1) {
                    truth.tree.insert(path[..at].to_owned(), Entry::Directory);
                }
                truth.tree.insert(path.to_owned(), Entry::Directory);
            }
            Err(_) if blocked => {}
            other => {
                let got = other.map_or_else(|error| error.to_string(), |_| "success".to_owned());
                let expected = if blocked { "an error" } else { "success" };
                self.wrong(&format!("mkdirs {path}"), expected, &got);
            }
        }
        self.end(&[&top]);
    }

    /// The topmost directory that a call would make.
    fn top_missing(&self, path: &str) -> String {
        let truth = self.cluster.truth.borrow();
        let missing = path
            .match_indices('/')
            .skip(1)
            .map(|(at, _)| &path[..at])
            .find(|above| !truth.tree.contains_key(*above));
        missing.unwrap_or(path).to_owned()
    }

    async fn create_empty(&self, path: &str) {
        let expected = self.expect_create(path);
        let top = self.top_missing(path);
        self.begin(&[&top]);
        let created = self.create(path, 3).await;
        match (&created, expected) {
            (Ok(_), Ok(())) => {
                self.enter_file(path, 3);
            }
            (Err(_), Err(())) => return self.end(&[&top]),
            _ => {
                let got =
                    created.as_ref().map_or_else(ToString::to_string, |_| "a file".to_owned());
                let expected = if expected.is_ok() { "a file" } else { "an error" };
                return self.wrong(&format!("create {path}"), expected, &got);
            }
        }
        self.end(&[&top]);
        let Ok(file_id) = created else { return };
        let request = p::CompleteRequestProto {
            src: path.to_owned(),
            client_name: self.name.clone(),
            last: None,
            file_id: Some(file_id),
        };
        match self.ask(move |nn, call| nn.complete(call, &request)).await {
            Ok(answer) if answer.result => {
                let mut truth = self.cluster.truth.borrow_mut();
                if let Some(Entry::File(id)) = truth.tree.get(path).copied() {
                    truth.file(id).closed = true;
                }
            }
            Ok(_) => self.wrong(&format!("complete {path}"), "true", "false"),
            Err(error) => self.wrong(&format!("complete {path}"), "true", &error.to_string()),
        }
    }

    /// What a create without overwriting must answer.
    pub(crate) fn expect_create(&self, path: &str) -> std::result::Result<(), ()> {
        if self.entry(path).is_some() || self.parent_is_file(path) { Err(()) } else { Ok(()) }
    }

    /// Proto: create. Answers the file's number.
    pub(crate) async fn create(&self, path: &str, replication: u32) -> Result<u64> {
        let request = p::CreateRequestProto {
            src: path.to_owned(),
            masked: p::FsPermissionProto { perm: 0o644 },
            client_name: self.name.clone(),
            create_flag: 1,
            create_parent: true,
            replication,
            block_size: crate::BLOCK_BYTES,
            crypto_protocol_version: Vec::new(),
            unmasked: None,
            ec_policy_name: None,
            storage_policy: None,
        };
        let answer = self
            .ask_once(move |nn, call| nn.create(call, &request, FileKeySource::NoProvider))
            .await?;
        Ok(answer.fs.and_then(|fs| fs.file_id).unwrap_or(0))
    }

    async fn rename(&self, from: &str, to: &str) {
        let source = self.entry(from);
        let target_parent = to.rsplit_once('/').map_or("", |(parent, _)| parent).to_owned();
        let target = match self.entry(to) {
            // Into that directory, under its own name.
            Some(Entry::Directory) => {
                format!("{to}/{}", from.rsplit('/').next().unwrap_or_default())
            }
            _ => to.to_owned(),
        };
        let inside = target == from || target.starts_with(&format!("{from}/"));
        let parent_ok = matches!(self.entry(&target_parent), Some(Entry::Directory));
        let same = from == target;
        let expected = source.is_some() && parent_ok && !inside && self.entry(&target).is_none();
        // Hadoop calls what is moved onto itself moved.
        let expected = expected || (same && source.is_some());
        let request = p::RenameRequestProto { src: from.to_owned(), dst: to.to_owned() };
        self.begin(&[from, &target]);
        let answer = self.ask_once(move |nn, call| nn.rename(call, &request)).await;
        match answer {
            Ok(answer) if answer.result == expected => {
                if expected && !same {
                    self.cluster.truth.borrow_mut().rename(from, &target);
                }
            }
            Err(_) if !expected => {}
            other => {
                let got = other
                    .map_or_else(|error| error.to_string(), |answer| answer.result.to_string());
                self.wrong(&format!("rename {from} to {to}"), &expected.to_string(), &got);
            }
        }
        self.end(&[from, &target]);
    }

    async fn delete(&self, path: &str) {
        let expected = self.entry(path).is_some();
        let request = p::DeleteRequestProto { src: path.to_owned(), recursive: true };
        self.begin(&[path]);
        let answer = self.ask_once(move |nn, call| nn.delete(call, &request)).await;
        match answer {
            Ok(answer) if answer.result == expected => {
                self.cluster.truth.borrow_mut().delete(path);
            }
            Err(_) if !expected && self.parent_is_file(path) => {}
            other => {
                let got = other
                    .map_or_else(|error| error.to_string(), |answer| answer.result.to_string());
                self.wrong(&format!("delete {path}"), &expected.to_string(), &got);
            }
        }
        self.end(&[path]);
    }

    async fn look(&self, path: &str) {
        let expected = self.entry(path);
        let request = p::GetFileInfoRequestProto { src: path.to_owned() };
        let answer = self.ask(move |nn, call| nn.get_file_info(call, &request)).await;
        let got = match answer {
            Ok(answer) => answer.fs.map(|fs| fs.file_type),
            Err(_) if self.parent_is_file(path) => None,
            Err(error) => {
                return self.wrong(&format!("look at {path}"), "an answer", &error.to_string());
            }
        };
        let wanted = expected.map(|entry| match entry {
            Entry::Directory => p::hdfs_file_status_proto::FileType::IsDir as i32,
            Entry::File(_) => p::hdfs_file_status_proto::FileType::IsFile as i32,
        });
        if got != wanted {
            self.wrong(&format!("look at {path}"), &format!("{wanted:?}"), &format!("{got:?}"));
        }
    }
}
