//! Reading and writing objects.
//!
//! **Invariant:** an object appears whole, when its writer is closed, or not at all.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    GetOptions, GetRange, ObjectStore as _, ObjectStoreExt as _, PutPayload, WriteMultipart,
};

use super::Bucket;
use crate::shell::failure::{Failure, Outcome};
use crate::shell::files::{Reader, Writer};

pub(super) struct ObjectReader {
    bucket: Arc<Bucket>,
    key: Path,
    length: u64,
    /// Version of the object that was opened.
    e_tag: Option<String>,
    position: u64,
    body: Option<BoxStream<'static, object_store::Result<Bytes>>>,
    piece: Bytes,
}

impl ObjectReader {
    pub(super) fn open(bucket: &Arc<Bucket>, key: Path) -> Outcome<Self> {
        let answer = bucket.wait(bucket.store.get_opts(&key, GetOptions::default()));
        let answer = answer.map_err(|error| bucket.failure(key.as_ref(), &error))?;
        Ok(Self {
            length: answer.meta.size,
            e_tag: answer.meta.e_tag.clone(),
            position: 0,
            body: Some(answer.into_stream()),
            piece: Bytes::new(),
            bucket: Arc::clone(bucket),
            key,
        })
    }

    /// Asks for the object from the position on; another version of it is an error.
    fn reopen(&mut self) -> Outcome<()> {
        let options = GetOptions {
            range: Some(GetRange::Offset(self.position)),
            if_match: self.e_tag.clone(),
            ..GetOptions::default()
        };
        let answer = self.bucket.wait(self.bucket.store.get_opts(&self.key, options));
        let answer = answer.map_err(|error| self.bucket.failure(self.key.as_ref(), &error))?;
        self.body = Some(answer.into_stream());
        Ok(())
    }
}

impl Reader for ObjectReader {
    fn read(&mut self, buffer: &mut [u8]) -> Outcome<usize> {
        while self.piece.is_empty() {
            if self.position >= self.length {
                return Ok(0);
            }
            if self.body.is_none() {
                self.reopen()?;
            }
            let Some(body) = &mut self.body else { return Ok(0) };
            match self.bucket.wait(body.next()) {
                Some(Ok(piece)) => self.piece = piece,
                Some(Err(error)) => return Err(self.bucket.failure(self.key.as_ref(), &error)),
                None => {
                    let text = format!("{}: the object ended at {}", self.key, self.position);
                    return Err(Failure::io(text));
                }
            }
        }
        let count = self.piece.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.piece.split_to(count));
        self.position += count as u64;
        Ok(count)
    }

    fn seek(&mut self, position: u64) -> Outcome<()> {
        if position != self.position {
            self.position = position;
            self.piece = Bytes::new();
            self.body = None;
        }
        Ok(())
    }
}

pub(super) struct ObjectWriter {
    bucket: Arc<Bucket>,
    key: Path,
    /// What is not sent yet, while it is less than a part.
    pieces: Vec<Bytes>,
    waiting: u64,
    /// Once there is more than a part.
    upload: Option<WriteMultipart>,
}

impl ObjectWriter {
    pub(super) fn new(bucket: &Arc<Bucket>, key: Path) -> Self {
        Self { bucket: Arc::clone(bucket), key, pieces: Vec::new(), waiting: 0, upload: None }
    }

    async fn push(&mut self, bytes: Bytes) -> object_store::Result<()> {
        let conf = &self.bucket.conf;
        if let Some(upload) = &mut self.upload {
            upload.wait_for_capacity(conf.active_parts).await?;
            upload.put(bytes);
            return Ok(());
        }
        self.waiting += bytes.len() as u64;
        self.pieces.push(bytes);
        if self.waiting <= conf.part_size {
            return Ok(());
        }
        let upload = self.bucket.store.put_multipart(&self.key).await?;
        let size = usize::try_from(conf.part_size).unwrap_or(usize::MAX);
        let mut upload = WriteMultipart::new_with_chunk_size(upload, size);
        for piece in self.pieces.drain(..) {
            upload.put(piece);
        }
        self.upload = Some(upload);
        Ok(())
    }
}

impl Writer for ObjectWriter {
    fn write(&mut self, bytes: &[u8]) -> Outcome<()> {
        let bucket = Arc::clone(&self.bucket);
        let pushed = bucket.wait(self.push(Bytes::copy_from_slice(bytes)));
        pushed.map_err(|error| bucket.failure(self.key.as_ref(), &error))
    }

    fn close(mut self: Box<Self>) -> Outcome<()> {
        let bucket = Arc::clone(&self.bucket);
        let done = match self.upload.take() {
            Some(upload) => bucket.wait(upload.finish()),
            None => {
                let payload = PutPayload::from_iter(std::mem::take(&mut self.pieces));
                bucket.wait(bucket.store.put(&self.key, payload))
            }
        };
        done.map(drop).map_err(|error| bucket.failure(self.key.as_ref(), &error))
    }
}

impl Drop for ObjectWriter {
    fn drop(&mut self) {
        if let Some(upload) = self.upload.take() {
            // Parts of an upload that nobody ends cost money; if this fails, the bucket's own rules remove them.
            let _ = self.bucket.wait(upload.abort());
        }
    }
}
