//! What a client does with files: writes, appends, cuts and reads them, and keeps the truth up to date.

use std::time::Duration;

use hdfs_proto::hdfs as p;
use hdfs_types::ErrorKind;

use super::Client;
use super::writer::Writer;
use crate::check;
use crate::truth::{Entry, FileId};

/// Longest piece of one write.
const PIECE: u64 = 2_500;

impl Client {
    /// A new file, written in pieces with flushes between, and closed.
    pub(super) async fn write_new(&self, path: &str) {
        if self.expect_create(path).is_err() {
            return;
        }
        let replication = 1 + u32::try_from(self.sim().below(3)).unwrap_or(0);
        let top = self.top_missing(path);
        self.begin(&[&top]);
        let created = self.create(path, replication).await;
        let truth = match created {
            Ok(_) => self.enter_file(path, replication),
            Err(error) => {
                return self.wrong(&format!("create {path}"), "a file", &error.to_string());
            }
        };
        self.end(&[&top]);
        let Ok(file_id) = created else { return };
        let writer = Writer::new(self, path, file_id, truth, None);
        self.fill(writer, path).await;
    }

    async fn fill(&self, mut writer: Writer<'_>, path: &str) {
        for _ in 0..self.sim().below(6) {
            let size = usize::try_from(1 + self.sim().below(PIECE)).unwrap_or(1);
            let start = self.sim().below(u64::MAX);
            // Bytes that differ from any others, so that a byte of another place shows.
            let bytes: Vec<u8> = (0..size as u64)
                .map(|at| (start.wrapping_add(at).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8)
                .collect();
            let mut done = writer.write(&bytes).await;
            if done.is_ok() && self.sim().chance(400_000) {
                let sync = self.sim().chance(500_000);
                done = writer.flush(sync).await;
            }
            if let Err(error) = done {
                self.sim().note(format_args!("{} write {path}: {error}", self.name));
                return self.give_up(path).await;
            }
            let pause = self.sim().between(Duration::from_millis(1), Duration::from_millis(300));
            self.sim().sleep(pause).await;
        }
        if let Err(error) = writer.close().await {
            self.sim().note(format_args!("{} close {path}: {error}", self.name));
            self.give_up(path).await;
        } else {
            self.sim().note(format_args!("{} closed {path}", self.name));
        }
    }

    /// A write failed: the file is left to the recovery of its lease.
    async fn give_up(&self, path: &str) {
        for _ in 0..30 {
            let request = p::RecoverLeaseRequestProto {
                src: path.to_owned(),
                client_name: self.name.clone(),
            };
            match self.ask(move |nn, call| nn.recover_lease(call, &request)).await {
                Ok(answer) if answer.result => return,
                Err(error) if error.kind == ErrorKind::FileNotFound => return,
                _ => self.sim().sleep(Duration::from_secs(4)).await,
            }
        }
    }

    /// Goes on with a closed file.
    pub(super) async fn append(&self, path: &str) {
        let Some(truth) = self.closed_file(path) else { return };
        let request = p::AppendRequestProto {
            src: path.to_owned(),
            client_name: self.name.clone(),
            flag: Some(4),
        };
        // From here on it may be open.
        {
            let mut all = self.cluster.truth.borrow_mut();
            let file = all.file(truth);
            (file.closed, file.changing) = (false, true);
        }
        let answer = self.ask_once(move |nn, call| nn.append(call, &request)).await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                self.sim().note(format_args!("{} append {path}: {error}", self.name));
                return;
            }
        };
        let file_id = answer.stat.and_then(|stat| stat.file_id).unwrap_or(0);
        let writer = Writer::new(self, path, file_id, truth, answer.block);
        self.fill(writer, path).await;
    }

    /// Cuts a closed file.
    pub(super) async fn truncate(&self, path: &str) {
        let Some(truth) = self.closed_file(path) else { return };
        let length = self.cluster.truth.borrow_mut().file(truth).bytes.len();
        if length == 0 {
            return;
        }
        let cut = usize::try_from(self.sim().below(length as u64)).unwrap_or(0);
        {
            let mut all = self.cluster.truth.borrow_mut();
            let file = all.file(truth);
            file.perhaps_cut = Some(cut);
            (file.closed, file.changing) = (false, true);
            file.cuts += 1;
        }
        let request = p::TruncateRequestProto {
            src: path.to_owned(),
            new_length: cut as u64,
            client_name: self.name.clone(),
        };
        match self.ask_once(move |nn, call| nn.truncate(call, &request)).await {
            Ok(_) => {}
            Err(error) => {
                self.sim().note(format_args!("{} truncate {path}: {error}", self.name));
                let mut all = self.cluster.truth.borrow_mut();
                let file = all.file(truth);
                file.perhaps_cut = None;
                file.cuts += 1;
                return;
            }
        }
        {
            let mut all = self.cluster.truth.borrow_mut();
            let file = all.file(truth);
            file.bytes.truncate(cut);
            (file.visible, file.durable) = (cut, cut);
            file.perhaps_cut = None;
            file.cuts += 1;
        }
        for _ in 0..60 {
            let request = p::IsFileClosedRequestProto { src: path.to_owned() };
            if let Ok(answer) = self.ask(move |nn, call| nn.is_file_closed(call, &request)).await
                && answer.result
            {
                let mut all = self.cluster.truth.borrow_mut();
                let file = all.file(truth);
                (file.closed, file.changing) = (true, false);
                return;
            }
            self.sim().sleep(Duration::from_secs(3)).await;
        }
    }

    fn closed_file(&self, path: &str) -> Option<FileId> {
        // Where bits have rotted nothing is changed any more: an append that only the rotten replica takes would leave no
        // good copy.
        if !self.cluster.rotten.borrow().is_empty() {
            return None;
        }
        let mut truth = self.cluster.truth.borrow_mut();
        let Some(Entry::File(id)) = truth.tree.get(path).copied() else { return None };
        truth.file(id).closed.then_some(id)
    }

    /// Reads a file of this client and compares it.
    pub(super) async fn read(&self, path: &str) {
        let before = {
            let mut truth = self.cluster.truth.borrow_mut();
            let Some(Entry::File(id)) = truth.tree.get(path).copied() else { return };
            (id, truth.file(id).clone())
        };
        let (id, known) = before;
        match self.read_file(path).await {
            Ok(bytes) => {
                let mut truth = self.cluster.truth.borrow_mut();
                truth.reads += 1;
                let now = truth.file(id).clone();
                drop(truth);
                if let Err(wrong) = check::bytes::check(&bytes, &known, &now) {
                    self.sim().violation(format!("{}: {path}: {wrong}", self.name));
                }
            }
            Err(error) => {
                self.sim().note(format_args!("{} read {path}: {error}", self.name));
            }
        }
    }
}
