//! Listing a directory, page by page.
//!
//! A page holds what the server allows (`dfs.ls.limit`, 1,000 entries by default); the next one starts after the last
//! name of the one before, so that a directory that changes meanwhile is neither skipped nor repeated as a whole.

use std::collections::VecDeque;

use bytes::Bytes;
use hdfs_proto::hdfs as proto;
use hdfs_types::{Error, ErrorKind, Result};

use crate::HdfsClient;
use crate::metadata::not_found;
use crate::status::FileStatus;

/// The entries of a directory, in the order of their names; of a file, the file itself.
///
/// Ask with [`Self::next`] until it gives `None`.
#[derive(Debug)]
pub struct Listing {
    client: HdfsClient,
    path: String,
    located: bool,
    start_after: Bytes,
    page: VecDeque<FileStatus>,
    more: bool,
}

impl Listing {
    /// The next entry.
    ///
    /// # Errors
    /// `FileNotFound` when the directory does not exist (or is gone by now), `AccessControl`.
    pub async fn next(&mut self) -> Result<Option<FileStatus>> {
        while self.page.is_empty() && self.more {
            self.fetch().await?;
        }
        Ok(self.page.pop_front())
    }

    /// The rest of the entries at once.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub async fn collect(mut self) -> Result<Vec<FileStatus>> {
        let mut all = Vec::from(std::mem::take(&mut self.page));
        while self.more {
            self.fetch().await?;
            all.extend(self.page.drain(..));
        }
        Ok(all)
    }

    async fn fetch(&mut self) -> Result<()> {
        let request = proto::GetListingRequestProto {
            src: self.path.clone(),
            start_after: self.start_after.clone(),
            need_location: self.located,
        };
        let answer: proto::GetListingResponseProto =
            self.client.namenode().call("getListing", &request).await?;
        let listing = answer.dir_list.ok_or_else(|| not_found(&self.path))?;
        if let Some(last) = listing.partial_listing.last() {
            self.start_after = last.path.clone();
        }
        self.more = listing.remaining_entries > 0 && !listing.partial_listing.is_empty();
        let path = &self.path;
        self.page.extend(
            listing.partial_listing.into_iter().map(|status| FileStatus::from_proto(status, path)),
        );
        Ok(())
    }
}

impl HdfsClient {
    /// The entries of a directory.
    ///
    /// Proto: ClientNamenodeProtocol.proto getListing
    pub fn list(&self, path: &str) -> Listing {
        self.listing(path, false)
    }

    /// The entries of a directory, files with their blocks.
    pub fn list_located(&self, path: &str) -> Listing {
        self.listing(path, true)
    }

    /// The entries of several directories, with fewer calls than one listing each; a directory that can't be listed
    /// has an error in its place.
    ///
    /// Proto: ClientNamenodeProtocol.proto getBatchedListing
    ///
    /// # Errors
    /// What the connection gives, or `HadoopIllegalArgument` for more paths than the server allows at once.
    pub async fn list_batched(&self, paths: &[&str]) -> Result<Vec<Result<Vec<FileStatus>>>> {
        let mut listings: Vec<Result<Vec<FileStatus>>> =
            paths.iter().map(|_| Ok(Vec::new())).collect();
        let mut request = proto::GetBatchedListingRequestProto {
            paths: paths.iter().map(|path| (*path).to_owned()).collect(),
            start_after: Bytes::new(),
            need_location: false,
        };
        loop {
            let answer: proto::GetBatchedListingResponseProto =
                self.namenode().call("getBatchedListing", &request).await?;
            for part in answer.listings {
                let index = part.parent_idx as usize;
                let (Some(path), Some(listing)) = (paths.get(index), listings.get_mut(index))
                else {
                    return Err(Error::io(format!(
                        "the NameNode lists path {index}, not asked for"
                    )));
                };
                if let Some(exception) = part.exception {
                    let kind = ErrorKind::from_java_class(&exception.class_name);
                    *listing = Err(Error::new(kind, exception.message.unwrap_or_default()));
                } else if let Ok(entries) = listing {
                    let statuses = part.partial_listing.into_iter();
                    entries.extend(statuses.map(|status| FileStatus::from_proto(status, path)));
                }
            }
            if !answer.has_more {
                return Ok(listings);
            }
            request.start_after = answer.start_after;
        }
    }

    fn listing(&self, path: &str, located: bool) -> Listing {
        Listing {
            client: self.clone(),
            path: path.to_owned(),
            located,
            start_after: Bytes::new(),
            page: VecDeque::new(),
            more: true,
        }
    }
}
