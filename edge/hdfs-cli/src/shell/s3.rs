//! Buckets of S3 (`s3a://`) as file systems of the shell.
//!
//! A directory is what has keys below it, or an empty object whose key ends in a slash. Such a marker is made by mkdir,
//! and where a delete or rename takes the last entry away; it stays when files come. A rename copies and deletes, object
//! by object: it is not atomic. Owner, mode, times and replication of what is stored can't be set: as with S3A, setting
//! them does nothing.
//!
//! Hadoop: org.apache.hadoop.fs.s3a.S3AFileSystem (3.5.0)

mod conf;
mod names;
mod requests;
mod streams;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use hdfs_client::{ContentSummary, QuotaUsage};
use hdfs_conf::Configuration;
use hdfs_types::{Error, ErrorKind, FsAction, FsPermission};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::{
    BackoffConfig, ClientOptions, ObjectStore as _, ObjectStoreExt as _, RetryConfig,
};
use tokio::runtime::Runtime;

use super::failure::{Failure, Outcome};
use super::files::{Create, FileSystem, Kind, Reader, Space, Stat, Writer};
use super::path;
use super::trash::now_ms;
use conf::BucketConf;
use names::{child_of, key_of, object, path_of, prefix_of};
use requests::{PAGE, Requests, root_cause};
use streams::{ObjectReader, ObjectWriter};

/// Objects that are copied or deleted at the same time.
const PARALLEL: usize = 16;

/// One bucket.
pub(crate) struct S3 {
    bucket: Arc<Bucket>,
    user: String,
}

/// The connection to a bucket.
struct Bucket {
    conf: Arc<BucketConf>,
    store: AmazonS3,
    requests: Requests,
    runtime: Runtime,
}

impl S3 {
    /// The bucket of this name.
    pub(crate) fn connect(bucket: &str, conf: &Configuration) -> Outcome<Self> {
        let conf = Arc::new(BucketConf::new(bucket, conf)?);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("s3-client")
            .enable_all()
            .build()?;
        let store = store(&conf)?;
        let requests = Requests::new(Arc::clone(&conf))?;
        let user = hdfs_rt::users::current_user();
        Ok(Self { bucket: Arc::new(Bucket { conf, store, requests, runtime }), user })
    }

    fn directory(&self, path: &str) -> Stat {
        Stat {
            path: path.to_owned(),
            kind: Kind::Directory,
            length: 0,
            replication: 1,
            block_size: 0,
            modified_ms: now_ms(),
            accessed_ms: 0,
            permission: FsPermission(0o777),
            owner: self.user.clone(),
            group: self.user.clone(),
            has_acl: false,
            erasure_coded: false,
        }
    }

    fn file(&self, path: String, length: u64, modified_ms: u64) -> Stat {
        Stat {
            kind: Kind::File,
            length,
            block_size: self.bucket.conf.block_size,
            modified_ms,
            permission: FsPermission(0o666),
            ..self.directory(&path)
        }
    }

    fn full(&self, path: &str) -> String {
        format!("s3a://{}{path}", self.bucket.conf.bucket)
    }

    fn missing(&self, path: &str) -> Failure {
        let message = format!("No such file or directory: {}", self.full(path));
        Failure::Io(Error::new(ErrorKind::FileNotFound, message))
    }

    /// The folder of what went away stays, as a marker when nothing else is in it.
    fn keep_parent(&self, path: &str) -> Outcome<()> {
        let Some(parent) = path::parent(path).filter(|parent| *parent != "/") else {
            return Ok(());
        };
        let bucket = &self.bucket;
        let prefix = prefix_of(parent);
        bucket.wait(async {
            if bucket.requests.list(&prefix, true, 1).await?.is_empty() {
                bucket.requests.put_empty(&prefix).await?;
            }
            Ok(())
        })
    }

    /// What a rename makes of the target's name; `None` when Hadoop's rename answers false.
    fn rename_target(&self, from: &Stat, to: &str) -> Outcome<Option<String>> {
        let exists = |why: &str| {
            let (from, to) = (self.full(&from.path), self.full(to));
            let message = format!("Failed to rename {from} to {to}; {why}");
            Err(Failure::Io(Error::new(ErrorKind::FileAlreadyExists, message)))
        };
        match self.stat(to)? {
            Some(target) if target.is_dir() && from.is_file() => {
                Ok(Some(path::join(to, path::name(&from.path))))
            }
            Some(target) if target.is_dir() => Ok(self.list(to)?.is_empty().then(|| to.to_owned())),
            Some(_) if from.is_dir() => exists("source is a directory and dest is a file"),
            Some(_) => exists("destination file exists"),
            None => {
                match path::parent(to).filter(|parent| path::parent(&from.path) != Some(parent)) {
                    Some(parent) if self.stat(parent)?.is_some_and(|stat| stat.is_file()) => {
                        Ok(None)
                    }
                    _ => Ok(Some(to.to_owned())),
                }
            }
        }
    }
}

fn store(conf: &BucketConf) -> Outcome<AmazonS3> {
    let retry = RetryConfig {
        max_retries: conf.attempts.saturating_sub(1) as usize,
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(200),
            ..BackoffConfig::default()
        },
        ..RetryConfig::default()
    };
    let options = ClientOptions::new()
        .with_allow_http(true)
        .with_connect_timeout(conf.connect_timeout)
        .with_read_timeout(conf.read_timeout)
        .with_timeout_disabled();
    let endpoint = match conf.virtual_host {
        true => conf.url.clone(),
        false => {
            conf.url.strip_suffix(&format!("/{}", conf.bucket)).unwrap_or(&conf.url).to_owned()
        }
    };
    let builder = AmazonS3Builder::new()
        .with_bucket_name(&conf.bucket)
        .with_region(&conf.region)
        .with_endpoint(endpoint)
        .with_virtual_hosted_style_request(conf.virtual_host)
        .with_client_options(options)
        .with_retry(retry);
    let builder = match &conf.credential {
        None => builder.with_skip_signature(true),
        Some(credential) => {
            let builder = builder
                .with_access_key_id(&credential.key_id)
                .with_secret_access_key(&credential.secret_key);
            match &credential.token {
                Some(token) => builder.with_token(token),
                None => builder,
            }
        }
    };
    builder.build().map_err(|error| Failure::io(format!("s3a://{}: {error}", conf.bucket)))
}

impl Bucket {
    fn wait<F: Future>(&self, call: F) -> F::Output {
        self.runtime.block_on(call)
    }

    /// An error of the S3 library as the shell has them.
    fn failure(&self, key: &str, error: &object_store::Error) -> Failure {
        let path = format!("s3a://{}/{key}", self.conf.bucket);
        let kind = match error {
            object_store::Error::NotFound { .. } => ErrorKind::FileNotFound,
            object_store::Error::PermissionDenied { .. }
            | object_store::Error::Unauthenticated { .. } => ErrorKind::AccessControl,
            object_store::Error::Precondition { .. } => {
                let message = "the object was changed while it was read: read it again";
                return Failure::path(&path, message);
            }
            _ => ErrorKind::Io,
        };
        let reason = root_cause(error);
        let reason = reason.split_whitespace().collect::<Vec<_>>().join(" ");
        Failure::Io(Error::new(kind, format!("{path}: {reason}")))
    }

    /// Every key below a prefix, markers included.
    async fn keys_below(&self, prefix: &str) -> Outcome<Vec<requests::Entry>> {
        let mut page = self.requests.list(prefix, false, PAGE).await?;
        let mut entries = std::mem::take(&mut page.objects);
        while let Some(mut next) = self.requests.next(prefix, false, &page).await? {
            entries.append(&mut next.objects);
            page = next;
        }
        Ok(entries)
    }

    async fn delete_keys(&self, keys: Vec<String>) -> Outcome<()> {
        let (markers, objects): (Vec<_>, Vec<_>) =
            keys.into_iter().partition(|key| key.ends_with('/'));
        let locations = objects.iter().map(|key| object(key)).collect::<Outcome<Vec<_>>>()?;
        let mut deleted =
            self.store.delete_stream(stream::iter(locations.into_iter().map(Ok)).boxed());
        while let Some(one) = deleted.next().await {
            one.map_err(|error| self.failure("", &error))?;
        }
        let markers =
            stream::iter(markers).map(|key| async move { self.requests.delete(&key).await });
        markers.buffer_unordered(PARALLEL).try_collect::<()>().await
    }

    async fn copy_object(&self, from: &str, to: &str) -> Outcome<()> {
        let copied = self.store.copy(&object(from)?, &object(to)?).await;
        copied.map_err(|error| self.failure(from, &error))
    }

    /// Copies everything below a prefix to another one, then deletes it.
    async fn move_below(&self, from: &str, to: &str) -> Outcome<()> {
        let entries = self.keys_below(from).await?;
        let copies = stream::iter(&entries).map(|entry| async move {
            let target = format!("{to}{}", &entry.key[from.len()..]);
            match target.ends_with('/') {
                true => self.requests.put_empty(&target).await,
                false => self.copy_object(&entry.key, &target).await,
            }
        });
        copies.buffer_unordered(PARALLEL).try_collect::<()>().await?;
        self.delete_keys(entries.into_iter().map(|entry| entry.key).collect()).await
    }
}

impl FileSystem for S3 {
    fn uri(&self) -> String {
        format!("s3a://{}", self.bucket.conf.bucket)
    }

    fn prefix(&self) -> String {
        self.uri()
    }

    fn class(&self) -> &'static str {
        "S3AFileSystem"
    }

    fn working_directory(&self) -> String {
        format!("/user/{}", self.user)
    }

    fn stat(&self, path: &str) -> Outcome<Option<Stat>> {
        if path == "/" {
            return Ok(Some(self.directory(path)));
        }
        let bucket = &self.bucket;
        let key = object(key_of(path))?;
        match bucket.wait(bucket.store.head(&key)) {
            Ok(found) => {
                let modified = u64::try_from(found.last_modified.timestamp_millis()).unwrap_or(0);
                return Ok(Some(self.file(path.to_owned(), found.size, modified)));
            }
            Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(bucket.failure(key.as_ref(), &error)),
        }
        let below = bucket.wait(bucket.requests.list(&prefix_of(path), true, 1))?;
        Ok((!below.is_empty()).then(|| self.directory(path)))
    }

    fn list(&self, path: &str) -> Outcome<Vec<Stat>> {
        let bucket = &self.bucket;
        let prefix = prefix_of(path);
        let mut page = bucket.wait(bucket.requests.list(&prefix, true, PAGE))?;
        let nothing = page.is_empty();
        let mut entries = Vec::new();
        loop {
            let objects = page.objects.iter().filter(|entry| entry.key != prefix);
            entries.extend(
                objects
                    .map(|entry| self.file(path_of(&entry.key), entry.length, entry.modified_ms)),
            );
            entries.extend(page.prefixes.iter().map(|prefix| self.directory(&path_of(prefix))));
            match bucket.wait(bucket.requests.next(&prefix, true, &page))? {
                Some(next) => page = next,
                None => break,
            }
        }
        if !nothing || path == "/" {
            return Ok(entries);
        }
        self.stat(path)?.map(|file| vec![file]).ok_or_else(|| self.missing(path))
    }

    fn open(&self, path: &str) -> Outcome<Box<dyn Reader>> {
        Ok(Box::new(ObjectReader::open(&self.bucket, object(key_of(path))?)?))
    }

    fn create(&self, path: &str, how: Create) -> Outcome<Box<dyn Writer>> {
        match self.stat(path)? {
            Some(stat) if stat.is_dir() => {
                let message = format!("{} is a directory", self.full(path));
                return Err(Failure::Io(Error::new(ErrorKind::FileAlreadyExists, message)));
            }
            Some(_) if !how.overwrite => {
                let message = format!("{} already exists", self.full(path));
                return Err(Failure::Io(Error::new(ErrorKind::FileAlreadyExists, message)));
            }
            _ => {}
        }
        Ok(Box::new(ObjectWriter::new(&self.bucket, object(key_of(path))?)))
    }

    fn append(&self, _path: &str, _new_block: bool) -> Outcome<Box<dyn Writer>> {
        Err(Failure::Fatal(
            "java.lang.UnsupportedOperationException: Append is not supported by S3AFileSystem"
                .into(),
        ))
    }

    fn mkdirs_as(&self, path: &str, _permission: Option<FsPermission>) -> Outcome<bool> {
        let refuse = |message| Err(Failure::Io(Error::new(ErrorKind::FileAlreadyExists, message)));
        let mut above = Some(path);
        while let Some(folder) = above.filter(|folder| *folder != "/") {
            match self.stat(folder)? {
                Some(stat) if stat.is_dir() && folder == path => return Ok(true),
                Some(stat) if stat.is_dir() => break,
                Some(_) if folder == path => {
                    return refuse(format!("Path is a file: {}", self.full(path)));
                }
                Some(_) => {
                    let folder = self.full(folder);
                    return refuse(format!(
                        "Can't make directory for path '{folder}' since it is a file."
                    ));
                }
                None => above = path::parent(folder),
            }
        }
        if path != "/" {
            self.bucket.wait(self.bucket.requests.put_empty(&prefix_of(path)))?;
        }
        Ok(true)
    }

    fn delete(&self, path: &str, recursive: bool) -> Outcome<bool> {
        let bucket = &self.bucket;
        let Some(stat) = self.stat(path)? else { return Ok(false) };
        if stat.is_file() {
            let key = key_of(path).to_owned();
            bucket.wait(bucket.requests.delete(&key))?;
        } else {
            let empty = self.list(path)?.is_empty();
            if path == "/" && !empty {
                let why = if recursive { return Ok(false) } else { "Cannot delete root path" };
                return Err(Failure::path(&self.full(path), why));
            }
            if !recursive && !empty {
                let message = format!("`{}': Directory is not empty", self.full(path));
                return Err(Failure::Io(Error::new(ErrorKind::PathIsNotEmptyDirectory, message)));
            }
            bucket.wait(async {
                let entries = bucket.keys_below(&prefix_of(path)).await?;
                bucket.delete_keys(entries.into_iter().map(|entry| entry.key).collect()).await
            })?;
        }
        self.keep_parent(path)?;
        Ok(true)
    }

    fn rename(&self, from: &str, to: &str) -> Outcome<bool> {
        if from == "/" || to == "/" {
            return Ok(false);
        }
        let Some(source) = self.stat(from)? else { return Err(self.missing(from)) };
        if from == to {
            return Ok(source.is_file());
        }
        let Some(target) = self.rename_target(&source, to)? else { return Ok(false) };
        let bucket = &self.bucket;
        if source.is_file() {
            bucket.wait(async {
                bucket.copy_object(key_of(from), key_of(&target)).await?;
                bucket.requests.delete(key_of(from)).await
            })?;
        } else {
            if target.starts_with(&format!("{from}/")) {
                return Ok(false);
            }
            bucket.wait(bucket.move_below(&prefix_of(from), &prefix_of(&target)))?;
        }
        self.keep_parent(from)?;
        Ok(true)
    }

    fn move_to_trash(&self, from: &str, to: &str) -> Outcome<()> {
        match self.stat(to)?.is_none() && self.rename(from, to)? {
            true => Ok(()),
            false => Err(Failure::io(format!("rename to {} failed", self.full(to)))),
        }
    }

    fn trash_root(&self, _path: &str) -> Outcome<String> {
        Ok(format!("/user/{}/.Trash", self.user))
    }

    fn set_permission(&self, _path: &str, _permission: FsPermission) -> Outcome<()> {
        Ok(())
    }

    fn set_owner(&self, _path: &str, _owner: Option<&str>, _group: Option<&str>) -> Outcome<()> {
        Ok(())
    }

    fn set_times(
        &self,
        _path: &str,
        _modified: Option<u64>,
        _accessed: Option<u64>,
    ) -> Outcome<()> {
        Ok(())
    }

    fn truncate(&self, _path: &str, _length: u64) -> Outcome<bool> {
        Err(Failure::Fatal(
            "java.lang.UnsupportedOperationException: \
             Not implemented by the S3AFileSystem FileSystem implementation"
                .into(),
        ))
    }

    fn concat(&self, _target: &str, _sources: &[&str]) -> Outcome<()> {
        Err(Failure::io(
            "`Dest filesystem 's3a' doesn't support concat.': Input/output error: \
             Not implemented by the S3AFileSystem FileSystem implementation",
        ))
    }

    fn content_summary(&self, path: &str) -> Outcome<ContentSummary> {
        let Some(stat) = self.stat(path)? else { return Err(self.missing(path)) };
        let mut folders = BTreeSet::new();
        let (mut length, mut file_count) = (stat.length, 1);
        if stat.is_dir() {
            (length, file_count) = (0, 0);
            let prefix = prefix_of(path);
            folders.insert(prefix.clone());
            for entry in self.bucket.wait(self.bucket.keys_below(&prefix))? {
                let below = &entry.key[prefix.len()..];
                let ends = below.match_indices('/').map(|(at, _)| prefix.len() + at + 1);
                folders.extend(ends.map(|end| entry.key[..end].to_owned()));
                if child_of(&prefix, &entry.key).is_some() {
                    file_count += 1;
                    length += entry.length;
                }
            }
        }
        Ok(ContentSummary {
            length,
            file_count,
            directory_count: folders.len() as u64,
            space_consumed: length,
            quota: None,
            space_quota: None,
            type_quotas: Vec::new(),
            snapshot_length: 0,
            snapshot_file_count: 0,
            snapshot_directory_count: 0,
            snapshot_space_consumed: 0,
            erasure_coding_policy: String::new(),
        })
    }

    fn quota_usage(&self, path: &str) -> Outcome<QuotaUsage> {
        let summary = self.content_summary(path)?;
        Ok(QuotaUsage {
            file_and_directory_count: summary.file_count + summary.directory_count,
            quota: None,
            space_consumed: summary.space_consumed,
            space_quota: None,
            type_quotas: Vec::new(),
        })
    }

    fn space(&self, _path: &str) -> Outcome<Space> {
        // A bucket has no capacity; these are Hadoop's numbers for it.
        Ok(Space { capacity: i64::MAX as u64, used: 0, remaining: i64::MAX as u64 })
    }

    fn access(&self, path: &str, _action: FsAction) -> Outcome<()> {
        self.stat(path)?.map(drop).ok_or_else(|| self.missing(path))
    }
}
