//! Watching the namespace: what happens to it, as a stream of events.
//!
//! Only a superuser may watch. Events come in batches, one a transaction, in the order of the edit log, and only once they
//! are durable. The stream asks the NameNode; there is no connection that waits. A reader that falls too far behind
//! loses events, because old edits are purged: it is told so once, and goes on after the gap.
//!
//! Hadoop: org.apache.hadoop.hdfs.DFSInotifyEventInputStream, org.apache.hadoop.hdfs.inotify.Event (3.5.0)

use std::collections::VecDeque;
use std::time::Duration;

use hdfs_format::edits::XAttrNamespace;
use hdfs_proto::hdfs as proto;
use hdfs_types::{Error, ErrorKind, FsPermission, Result, TxId, WallMillis};
use prost::Message;
use tokio::time::Instant;

use crate::HdfsClient;
use crate::acl::{AclEntry, entry_from_proto};
use crate::namenode::NameNode;

pub use hdfs_format::edits::XAttr as EventXAttr;

/// First pause of a reader that waits.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
/// Longest pause of a reader that waits.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What a created inode is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CreatedKind {
    /// A file.
    File {
        /// Replicas of each block.
        replication: u16,
        /// Preferred length of a block, in bytes.
        block_size: u64,
        /// It was to replace another one.
        overwrite: bool,
        /// It is erasure-coded.
        erasure_coded: bool,
    },
    /// A directory.
    Directory,
    /// A symbolic link to this path.
    Symlink(String),
}

/// What changed about an inode.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MetadataChange {
    /// Times, in milliseconds; negative: unchanged.
    Times {
        /// Modification time.
        mtime: i64,
        /// Access time.
        atime: i64,
    },
    /// The number of replicas.
    Replication(u16),
    /// Owner and group; absent: unchanged.
    Owner {
        /// Owner.
        owner: Option<String>,
        /// Group.
        group: Option<String>,
    },
    /// The mode.
    Permission(FsPermission),
    /// The whole access control list.
    Acl(Vec<AclEntry>),
    /// These attributes were set.
    XAttrsSet(Vec<EventXAttr>),
    /// These attributes were removed.
    XAttrsRemoved(Vec<EventXAttr>),
}

/// Something happened.
///
/// Proto: inotify.proto EventProto
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A file, directory or link was made.
    Create {
        /// Its path.
        path: String,
        /// What it is.
        kind: CreatedKind,
        /// When.
        time: WallMillis,
        /// Its owner.
        owner: String,
        /// Its group.
        group: String,
        /// Its mode.
        permission: FsPermission,
    },
    /// A file was closed.
    Close {
        /// Its path.
        path: String,
        /// Its length in bytes, if the log says it.
        length: Option<u64>,
        /// When.
        time: WallMillis,
    },
    /// A file was opened to append.
    Append {
        /// Its path.
        path: String,
        /// To a new block.
        new_block: bool,
    },
    /// Something got another path.
    Rename {
        /// The old one.
        source: String,
        /// The new one.
        target: String,
        /// When.
        time: WallMillis,
    },
    /// Attributes changed.
    Metadata {
        /// The path.
        path: String,
        /// How.
        change: MetadataChange,
    },
    /// Something was removed, with all below.
    Unlink {
        /// Its path.
        path: String,
        /// When.
        time: WallMillis,
    },
    /// A file was cut.
    Truncate {
        /// Its path.
        path: String,
        /// Its length in bytes.
        length: u64,
        /// When.
        time: WallMillis,
    },
}

/// The events of one transaction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EventBatch {
    /// The transaction.
    pub txid: TxId,
    /// What happened; more than one event for a concat only.
    pub events: Vec<Event>,
}

/// Reads events. Not to be shared: it keeps its place.
#[derive(Debug)]
pub struct EventStream {
    namenode: NameNode,
    /// The last transaction that was read; none until the NameNode has said which one is its last.
    last_read: Option<TxId>,
    synced: Option<TxId>,
    batches: VecDeque<EventBatch>,
}

impl HdfsClient {
    /// Watches what happens after now.
    ///
    /// Proto: ClientNamenodeProtocol.proto getCurrentEditLogTxid
    ///
    /// # Errors
    /// `AccessControl` for who is no superuser.
    pub async fn watch(&self) -> Result<EventStream> {
        let mut stream = EventStream {
            namenode: self.namenode().clone(),
            last_read: None,
            synced: None,
            batches: VecDeque::new(),
        };
        stream.find_start().await?;
        Ok(stream)
    }

    /// Watches what happens after a transaction. The call asks nobody: the first read finds out whether it is allowed.
    pub fn watch_from(&self, last_read: TxId) -> EventStream {
        EventStream {
            namenode: self.namenode().clone(),
            last_read: Some(last_read),
            synced: None,
            batches: VecDeque::new(),
        }
    }
}

impl EventStream {
    async fn find_start(&mut self) -> Result<()> {
        let answer: proto::GetCurrentEditLogTxidResponseProto = self
            .namenode
            .call("getCurrentEditLogTxid", &proto::GetCurrentEditLogTxidRequestProto {})
            .await?;
        self.last_read = u64::try_from(answer.txid).ok().map(TxId);
        Ok(())
    }

    /// The next batch; none when there is none yet.
    ///
    /// Proto: ClientNamenodeProtocol.proto getEditsFromTxid
    ///
    /// # Errors
    /// `MissingEvents` once after events were lost: a further call goes on after them. Otherwise what the call meets.
    pub async fn poll(&mut self) -> Result<Option<EventBatch>> {
        if let Some(batch) = self.batches.pop_front() {
            return Ok(Some(batch));
        }
        let Some(last_read) = self.last_read else {
            self.find_start().await?;
            return Ok(None);
        };
        let expected = last_read.0.cast_signed() + 1;
        let answer: proto::GetEditsFromTxidResponseProto = self
            .namenode
            .call("getEditsFromTxid", &proto::GetEditsFromTxidRequestProto { txid: expected })
            .await?;
        let list = answer.events_list;
        let Some(last) = u64::try_from(list.last_txid).ok().map(TxId) else { return Ok(None) };
        if !list.events.is_empty() {
            return Err(Error::io("Can't handle old inotify server response."));
        }
        self.batches = list.batch.into_iter().map(batch).collect::<Result<_>>()?;
        self.synced = u64::try_from(list.sync_txid).ok().map(TxId);
        self.last_read = Some(last);
        if list.first_txid != expected {
            return Err(Error::new(
                ErrorKind::MissingEvents,
                format!(
                    "We expected the next batch of events to start with transaction ID {expected}, but it instead \
                     started with transaction ID {}. Most likely the intervening transactions were cleaned up as part of \
                     checkpointing.",
                    list.first_txid
                ),
            ));
        }
        Ok(self.batches.pop_front())
    }

    /// The next batch, for which it waits so long; none after that.
    ///
    /// # Errors
    /// As [`Self::poll`].
    pub async fn poll_for(&mut self, patience: Duration) -> Result<Option<EventBatch>> {
        let end = Instant::now() + patience;
        let mut pause = FIRST_PAUSE;
        loop {
            if let Some(batch) = self.poll().await? {
                return Ok(Some(batch));
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            tokio::time::sleep(pause.min(left)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// The next batch, however long it takes.
    ///
    /// # Errors
    /// As [`Self::poll`].
    pub async fn next(&mut self) -> Result<EventBatch> {
        let mut least = FIRST_PAUSE;
        loop {
            if let Some(batch) = self.poll().await? {
                return Ok(batch);
            }
            // Readers that wait for the same event do not ask at the same time.
            tokio::time::sleep(
                least + Duration::from_millis(crate::random::below(least.as_millis() as u64)),
            )
            .await;
            least = (least * 2).min(LONGEST_PAUSE);
        }
    }

    /// The last transaction that was read: where [`HdfsClient::watch_from`] may go on once all batches were taken.
    pub fn last_read(&self) -> Option<TxId> {
        self.last_read
    }

    /// How many transactions the NameNode was ahead at the last read that found any; none before that.
    pub fn txids_behind_estimate(&self) -> Option<u64> {
        Some(self.synced?.0.saturating_sub(self.last_read?.0))
    }
}

fn batch(batch: proto::EventBatchProto) -> Result<EventBatch> {
    Ok(EventBatch {
        txid: TxId(batch.txid.cast_unsigned()),
        events: batch.events.into_iter().map(event).collect::<Result<_>>()?,
    })
}

fn decode<M: Message + Default>(event: &proto::EventProto) -> Result<M> {
    M::decode(event.contents.clone()).map_err(|e| Error::io(format!("event of inotify: {e}")))
}

fn event(event: proto::EventProto) -> Result<Event> {
    use proto::EventType as Type;
    let Ok(kind) = Type::try_from(event.r#type) else {
        let text = format!("Unexpected inotify event type: {}", event.r#type);
        return Err(Error::new(ErrorKind::Runtime, text));
    };
    Ok(match kind {
        Type::EventCreate => created(decode(&event)?),
        Type::EventClose => {
            let event: proto::CloseEventProto = decode(&event)?;
            let length = u64::try_from(event.file_size).ok();
            Event::Close { path: event.path, length, time: millis(event.timestamp) }
        }
        Type::EventAppend => {
            let event: proto::AppendEventProto = decode(&event)?;
            Event::Append { new_block: event.new_block(), path: event.path }
        }
        Type::EventRename => {
            let event: proto::RenameEventProto = decode(&event)?;
            let time = millis(event.timestamp);
            Event::Rename { source: event.src_path, target: event.dest_path, time }
        }
        Type::EventMetadata => {
            let event: proto::MetadataUpdateEventProto = decode(&event)?;
            let path = event.path.clone();
            Event::Metadata { path, change: change(event)? }
        }
        Type::EventUnlink => {
            let event: proto::UnlinkEventProto = decode(&event)?;
            Event::Unlink { path: event.path, time: millis(event.timestamp) }
        }
        Type::EventTruncate => {
            let event: proto::TruncateEventProto = decode(&event)?;
            let length = event.file_size.cast_unsigned();
            Event::Truncate { path: event.path, length, time: millis(event.timestamp) }
        }
    })
}

fn created(event: proto::CreateEventProto) -> Event {
    let kind = match event.r#type() {
        proto::INodeType::ITypeFile => CreatedKind::File {
            replication: event.replication() as u16,
            block_size: event.default_block_size().cast_unsigned(),
            overwrite: event.overwrite(),
            erasure_coded: event.erasure_coded(),
        },
        proto::INodeType::ITypeDirectory => CreatedKind::Directory,
        proto::INodeType::ITypeSymlink => CreatedKind::Symlink(event.symlink_target().to_owned()),
    };
    Event::Create {
        path: event.path,
        kind,
        time: millis(event.ctime),
        owner: event.owner_name,
        group: event.group_name,
        permission: FsPermission(event.perms.perm as u16),
    }
}

fn change(event: proto::MetadataUpdateEventProto) -> Result<MetadataChange> {
    use proto::MetadataUpdateType as Type;
    let named = |name: Option<String>| name.filter(|name| !name.is_empty());
    Ok(match event.r#type() {
        Type::MetaTypeTimes => MetadataChange::Times { mtime: event.mtime(), atime: event.atime() },
        Type::MetaTypeReplication => MetadataChange::Replication(event.replication() as u16),
        Type::MetaTypeOwner => {
            MetadataChange::Owner { owner: named(event.owner_name), group: named(event.group_name) }
        }
        Type::MetaTypePerms => {
            let mode = event.perms.ok_or_else(|| Error::io("an event without its mode"))?;
            MetadataChange::Permission(FsPermission(mode.perm as u16))
        }
        Type::MetaTypeAcls => {
            MetadataChange::Acl(event.acls.into_iter().map(entry_from_proto).collect())
        }
        Type::MetaTypeXattrs => {
            let removed = event.x_attrs_removed();
            let list = event.x_attrs.into_iter().map(x_attr).collect();
            if removed {
                MetadataChange::XAttrsRemoved(list)
            } else {
                MetadataChange::XAttrsSet(list)
            }
        }
    })
}

fn x_attr(attribute: proto::XAttrProto) -> EventXAttr {
    use proto::x_attr_proto::XAttrNamespaceProto as Namespace;
    EventXAttr {
        namespace: match attribute.namespace() {
            Namespace::User => XAttrNamespace::User,
            Namespace::Trusted => XAttrNamespace::Trusted,
            Namespace::Security => XAttrNamespace::Security,
            Namespace::System => XAttrNamespace::System,
            Namespace::Raw => XAttrNamespace::Raw,
        },
        name: attribute.name,
        value: attribute.value.map(|value| value.to_vec()),
    }
}

fn millis(time: i64) -> WallMillis {
    WallMillis(time.cast_unsigned())
}
