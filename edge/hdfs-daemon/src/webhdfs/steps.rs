//! The operations that are more than one call.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::response::Response;
use futures_util::stream;
use hdfs_format::webhdfs::{Answer, JSON, listing_head, listing_tail, write_status};
use hdfs_proto::hdfs as p;
use hdfs_proto::hdfs::hdfs_file_status_proto::FileType;
use hdfs_types::{Error, ErrorKind, Result};
use prost::Message;

use super::answer::{response, show};
use super::{Gateway, Request, Who};

impl Gateway {
    async fn call<Q: Message, A: Message + Default>(
        &self,
        who: &Who,
        method: &'static str,
        request: &Q,
    ) -> Result<A> {
        let answer = self.calls.call(who, method, request.encode_to_vec()).await?;
        A::decode(answer).map_err(|error| Error::io(format!("{method}: {error}")))
    }

    async fn list(&self, who: &Who, path: &str, after: Bytes) -> Result<p::DirectoryListingProto> {
        let request = p::GetListingRequestProto {
            src: path.to_owned(),
            start_after: after,
            need_location: false,
        };
        let answer: p::GetListingResponseProto = self.call(who, "getListing", &request).await?;
        answer.dir_list.ok_or_else(|| {
            Error::new(ErrorKind::FileNotFound, format!("File {path} does not exist."))
        })
    }

    async fn file_info(&self, who: &Who, path: &str) -> Result<Option<p::HdfsFileStatusProto>> {
        let request = p::GetFileInfoRequestProto { src: path.to_owned() };
        let answer: p::GetFileInfoResponseProto = self.call(who, "getFileInfo", &request).await?;
        Ok(answer.fs)
    }
}

/// A listing that is on its way: what was listed and not sent yet.
struct Listing {
    gateway: Arc<Gateway>,
    who: Who,
    path: String,
    /// The part to send next; none when only the end is missing.
    part: Option<p::DirectoryListingProto>,
    is_first: bool,
    is_ended: bool,
}

impl Listing {
    /// The text of the next part, and the part after it.
    async fn next(mut self) -> Result<Option<(Bytes, Self)>> {
        if self.is_ended {
            return Ok(None);
        }
        let mut text = String::new();
        if self.is_first {
            text.push_str(listing_head());
        }
        let Some(part) = self.part.take() else {
            self.is_ended = true;
            text.push_str(listing_tail());
            return Ok(Some((text.into(), self)));
        };
        for status in &part.partial_listing {
            if !self.is_first {
                text.push_str(",\n");
            }
            self.is_first = false;
            write_status(&mut text, status);
        }
        match part.partial_listing.last() {
            Some(last) if part.remaining_entries > 0 => {
                let more = self.gateway.list(&self.who, &self.path, last.path.clone()).await?;
                self.part = Some(more);
            }
            _ => {
                text.push_str(listing_tail());
                self.is_ended = true;
            }
        }
        Ok(Some((text.into(), self)))
    }
}

/// LISTSTATUS. The first part is there before the answer begins, so that errors are answered as such; an error later
/// breaks the connection, as in Hadoop. One part is in memory at a time.
pub(super) async fn list_status(gateway: &Arc<Gateway>, request: &Request) -> Result<Response> {
    let first = gateway.list(&request.who, &request.path, Bytes::new()).await?;
    let whole = first.remaining_entries == 0;
    let listing = Listing {
        gateway: Arc::clone(gateway),
        who: request.who.clone(),
        path: request.path.clone(),
        part: Some(first),
        is_first: true,
        is_ended: false,
    };
    let body = if whole {
        listing.next().await?.map_or_else(Body::empty, |(text, _)| Body::from(text))
    } else {
        Body::from_stream(stream::try_unfold(listing, Listing::next))
    };
    Ok(response(StatusCode::OK, Some(JSON), body))
}

/// GETHOMEDIRECTORY.
pub(super) fn home_directory(gateway: &Gateway, request: &Request) -> Response {
    show(Answer::path(&gateway.conf.home(&request.who.identity.user)))
}

/// GETTRASHROOT: below the encryption zone of the path, or in the caller's home.
///
/// Snapshottable directories may have trash of their own; that comes with snapshots.
pub(super) async fn trash_root(gateway: &Gateway, request: &Request) -> Result<Response> {
    let user = &request.who.identity.user;
    let parent = match request.path.rsplit_once('/') {
        Some(("", _)) => "/",
        Some((parent, _)) => parent,
        None => &request.path,
    };
    let zone = p::GetEzForPathRequestProto { src: parent.to_owned() };
    let answer: Result<p::GetEzForPathResponseProto> =
        gateway.call(&request.who, "getEZForPath", &zone).await;
    let zone = match answer {
        Ok(answer) => answer.zone,
        // A server without encryption zones has no zone at this path.
        Err(error) if error.kind == ErrorKind::UnsupportedOperation => None,
        Err(error) => return Err(error),
    };
    let root = match zone {
        Some(zone) => format!("{}/.Trash/{user}", zone.path.trim_end_matches('/')),
        None => format!("{}/.Trash", gateway.conf.home(user)),
    };
    Ok(show(Answer::path(&root)))
}

/// GETTRASHROOTS: directories `.Trash` in homes.
///
/// Hadoop: org.apache.hadoop.hdfs.DistributedFileSystem.getTrashRoots (3.5.0)
// Differs: Hadoop asks as the user that runs the NameNode and so shows everybody that user's trash; here the caller asks.
pub(super) async fn trash_roots(
    gateway: &Gateway,
    request: &Request,
    all_users: bool,
) -> Result<Response> {
    let who = &request.who;
    let mut homes = vec![gateway.conf.home(&who.identity.user)];
    if all_users {
        homes.clear();
        let mut after = Bytes::new();
        loop {
            let part = match gateway.list(who, gateway.conf.homes(), after.clone()).await {
                Ok(part) => part,
                Err(error) if error.kind == ErrorKind::FileNotFound => break,
                Err(error) => return Err(error),
            };
            homes.extend(
                part.partial_listing
                    .iter()
                    .map(|status| gateway.conf.home(&String::from_utf8_lossy(&status.path))),
            );
            match part.partial_listing.last() {
                Some(last) if part.remaining_entries > 0 => after = last.path.clone(),
                _ => break,
            }
        }
    }
    let mut roots = Vec::new();
    for home in homes {
        let trash = format!("{home}/.Trash");
        // Homes of others may be closed to the caller.
        match gateway.file_info(who, &trash).await {
            Ok(Some(status)) if status.file_type() == FileType::IsDir => {
                roots.push((trash, status))
            }
            Ok(_) => {}
            Err(error) if all_users && error.kind == ErrorKind::AccessControl => {}
            Err(error) if error.kind == ErrorKind::ParentNotDirectory => {}
            Err(error) => return Err(error),
        }
    }
    Ok(show(Answer::trash_roots(&roots)))
}

/// GETDELEGATIONTOKEN without security.
pub(super) fn no_token() -> Response {
    show(Answer::no_token())
}
