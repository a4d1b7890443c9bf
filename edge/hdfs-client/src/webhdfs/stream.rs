//! Reading and writing files over HTTP.
//!
//! A read keeps one answer open and takes its body as it comes; when that breaks, the client asks again from where it
//! was, for another DataNode. A write is one request whose body is fed by [`WebWriter::write`].
//!
//! **Invariant:** a body ends only in [`WebWriter::close`]. A writer that is dropped breaks its connection, so that the
//! server never takes a part for the whole.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use futures_util::stream;
use hdfs_types::{Error, ErrorKind, FsPermission, Result};
use reqwest::{Response, StatusCode};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::WebHdfsClient;
use super::request::{Request, broken, location, node_of, node_of_url, refusal, silent};
use crate::write::CreateOptions;

/// Attempts in a row that bring no byte.
const READ_ATTEMPTS: u32 = 3;
/// A seek forward by no more than this reads over the bytes in between.
const SKIP_LIMIT_BYTES: u64 = 256 * 1024;
/// Pieces of a body that may wait to be sent.
const PIECES_IN_FLIGHT: usize = 8;
/// Mode of a file that is made without saying one, before the umask.
const FILE_MODE: FsPermission = FsPermission(0o666);

/// An open file.
pub struct WebReader {
    client: WebHdfsClient,
    path: String,
    position: u64,
    /// The end of the file, once an answer said its length.
    end: Option<u64>,
    body: Option<Response>,
    /// What came and was not taken yet.
    waiting: VecDeque<Bytes>,
    /// DataNodes that failed, as `host:port`.
    excluded: Vec<String>,
}

impl fmt::Debug for WebReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebReader")
            .field("path", &self.path)
            .field("position", &self.position)
            .finish_non_exhaustive()
    }
}

impl WebHdfsClient {
    /// Opens a file for reading.
    ///
    /// # Errors
    /// `FileNotFound`, `AccessControl`.
    pub async fn open(&self, path: &str) -> Result<WebReader> {
        let mut reader = WebReader {
            client: self.clone(),
            path: path.to_owned(),
            position: 0,
            end: None,
            body: None,
            waiting: VecDeque::new(),
            excluded: Vec::new(),
        };
        reader.connect().await?;
        Ok(reader)
    }

    /// Creates a file, and the folders above it.
    ///
    /// # Errors
    /// `FileAlreadyExists`, `AccessControl`, quotas.
    pub async fn create(&self, path: &str, options: CreateOptions) -> Result<WebWriter> {
        let whole = options.permission.unwrap_or(FILE_MODE);
        let request = Request::put("CREATE", path)
            .with("permission", format!("{:o}", whole.apply_umask(self.conf().umask).0))
            .with("unmaskedpermission", format!("{:o}", whole.0))
            .with("overwrite", options.overwrite)
            .with("replication", options.replication.unwrap_or_else(|| self.conf().replication))
            .with("blocksize", options.block_size.unwrap_or_else(|| self.conf().block_size));
        self.write_with(request).await
    }

    /// Opens a file to add to its end.
    ///
    /// # Errors
    /// `FileNotFound`, `AlreadyBeingCreated`, `AccessControl`.
    pub async fn append(&self, path: &str) -> Result<WebWriter> {
        self.write_with(Request::post("APPEND", path)).await
    }

    async fn write_with(&self, request: Request) -> Result<WebWriter> {
        let answer = self.send(&request).await?;
        let Some(target) = location(&answer)? else {
            let message = "the server took a write without redirecting it: no data was sent";
            return Err(Error::io(format!("{}: {message}", node_of(&answer))));
        };
        let (pieces, body) = mpsc::channel::<Bytes>(PIECES_IN_FLIGHT);
        let complete = Arc::new(AtomicBool::new(false));
        let body = reqwest::Body::wrap_stream(pieces_of(body, Arc::clone(&complete)));
        let node = node_of_url(&target);
        let operation = request.operation();
        let sent = self
            .http(request.method(), &target)
            .header(reqwest::header::CONTENT_TYPE, "application/octet-stream")
            .body(body);
        let failed_at = node.clone();
        let task = tokio::spawn(async move {
            let response = sent.send().await.map_err(|error| broken(&failed_at, &error))?;
            match response.status() {
                StatusCode::OK | StatusCode::CREATED => Ok(()),
                _ => Err(refusal(response, operation).await),
            }
        });
        Ok(WebWriter {
            client: self.clone(),
            node,
            pieces: Some(pieces),
            complete,
            task: Some(task),
        })
    }
}

/// The body of a write: pieces until the channel closes, and an error there unless the file is complete.
fn pieces_of(
    pieces: mpsc::Receiver<Bytes>,
    complete: Arc<AtomicBool>,
) -> impl stream::Stream<Item = Result<Bytes>> {
    stream::unfold((pieces, complete), |(mut pieces, complete)| async move {
        match pieces.recv().await {
            Some(piece) => Some((Ok(piece), (pieces, complete))),
            None if complete.load(Ordering::Acquire) => None,
            None => Some((Err(Error::io("the file was not closed")), (pieces, complete))),
        }
    })
}

impl WebReader {
    /// Where the next read begins.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Moves there; what lies beyond the end reads as nothing.
    pub fn seek(&mut self, position: u64) {
        let mut skip = position.checked_sub(self.position).filter(|skip| *skip <= SKIP_LIMIT_BYTES);
        while let (Some(left @ 1..), Some(piece)) = (skip, self.waiting.front_mut()) {
            let taken = usize::try_from(left).unwrap_or(usize::MAX).min(piece.len());
            let _ = piece.split_to(taken);
            if piece.is_empty() {
                self.waiting.pop_front();
            }
            skip = Some(left - taken as u64);
        }
        if skip != Some(0) {
            self.waiting.clear();
            self.body = None;
        }
        self.position = position;
    }

    /// The next bytes as they came from the network; empty at the end of the file.
    ///
    /// # Errors
    /// `FileNotFound` when the file is gone, or what the connections to several DataNodes gave.
    pub async fn next_piece(&mut self) -> Result<Bytes> {
        let mut failures = 0;
        loop {
            if let Some(piece) = self.waiting.pop_front() {
                self.position += piece.len() as u64;
                return Ok(piece);
            }
            if self.end.is_some_and(|end| self.position >= end) {
                return Ok(Bytes::new());
            }
            let failed = match self.receive().await {
                Ok(Some(piece)) if piece.is_empty() => continue,
                Ok(Some(piece)) => {
                    self.waiting.push_back(piece);
                    continue;
                }
                Ok(None) => {
                    self.end = Some(self.position);
                    continue;
                }
                Err(error) => error,
            };
            failures += 1;
            self.body = None;
            let lasting = matches!(
                failed.kind,
                ErrorKind::FileNotFound | ErrorKind::AccessControl | ErrorKind::Standby
            );
            if failures >= READ_ATTEMPTS || lasting {
                return Err(failed);
            }
        }
    }

    /// The next piece of the body, from a new connection if there is none.
    async fn receive(&mut self) -> Result<Option<Bytes>> {
        if self.body.is_none() {
            match self.connect().await {
                Err(error) if error.message.contains("out of the range") => return Ok(None),
                other => other?,
            }
        }
        let Some(body) = &mut self.body else { return Ok(None) };
        let node = node_of(body);
        let failed = match tokio::time::timeout(self.client.conf().read_timeout, body.chunk()).await
        {
            Ok(Ok(piece)) => return Ok(piece),
            Ok(Err(error)) => broken(&node, &error),
            Err(_) => silent(&node),
        };
        self.excluded.push(node);
        Err(failed)
    }

    /// Asks for the file from the position on.
    async fn connect(&mut self) -> Result<()> {
        let excluded = Some(self.excluded.join(",")).filter(|nodes| !nodes.is_empty());
        let request = Request::get("OPEN", &self.path)
            .with_some("offset", Some(self.position).filter(|position| *position > 0))
            .with_some("excludedatanodes", excluded);
        let answer = self.client.send(&request).await?;
        let target = location(&answer)?.map(|target| node_of_url(&target));
        let answer = match self.client.follow(&request, answer).await {
            Ok(answer) => answer,
            Err(error) => {
                self.excluded.extend(target);
                return Err(error);
            }
        };
        if let Some(length) = answer.content_length() {
            self.end = Some(self.position + length);
        }
        self.body = Some(answer);
        Ok(())
    }
}

/// A file being written. Dropping it without [`WebWriter::close`] leaves it incomplete.
pub struct WebWriter {
    client: WebHdfsClient,
    node: String,
    /// `None` once closed.
    pieces: Option<mpsc::Sender<Bytes>>,
    complete: Arc<AtomicBool>,
    /// The request; it ends with the server's answer. `None` once that was taken.
    task: Option<JoinHandle<Result<()>>>,
}

impl fmt::Debug for WebWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebWriter").field("node", &self.node).finish_non_exhaustive()
    }
}

impl WebWriter {
    /// Takes these bytes; waits while many are on their way.
    ///
    /// # Errors
    /// The server's, as soon as it gave one.
    pub async fn write(&mut self, bytes: Bytes) -> Result<()> {
        let Some(pieces) = &self.pieces else { return Err(Error::io("the file is closed")) };
        if bytes.is_empty() {
            return Ok(());
        }
        let sent = pieces.send(bytes);
        match tokio::time::timeout(self.client.conf().read_timeout, sent).await {
            Ok(Ok(())) => Ok(()),
            // The request has ended: its answer says why.
            Ok(Err(_)) => Err(self.answer().await.err().unwrap_or_else(|| {
                Error::io(format!("{}: the server ended the write early", self.node))
            })),
            Err(_) => Err(silent(&self.node)),
        }
    }

    /// Ends the file and waits for the server to say that it is complete.
    ///
    /// # Errors
    /// What the server answers, or what the connection gives.
    pub async fn close(mut self) -> Result<()> {
        self.complete.store(true, Ordering::Release);
        self.pieces = None;
        self.answer().await
    }

    async fn answer(&mut self) -> Result<()> {
        self.pieces = None;
        let Some(mut task) = self.task.take() else { return Err(Error::io("the file is closed")) };
        match tokio::time::timeout(self.client.conf().read_timeout, &mut task).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => Err(Error::io(format!("{}: {error}", self.node))),
            Err(_) => {
                task.abort();
                Err(silent(&self.node))
            }
        }
    }
}

impl Drop for WebWriter {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}
