//! What only reads the tree.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.FSDirStatAndListingOp (3.5.0)

use hdfs_namespace::{FileStatus, Listing, QUOTA_KINDS, SummaryCursor, TypeSpace};
use hdfs_proto::hdfs as p;
use hdfs_types::{Error, ErrorKind, FsAction, INodeId, Result};
use prost::Message;

use crate::call::Call;
use crate::machine::NameNode;
use crate::policies::{self, StoragePolicy};

impl NameNode {
    /// Proto: getFileInfo.
    pub fn get_file_info(
        &self,
        call: &Call<'_>,
        request: &p::GetFileInfoRequestProto,
    ) -> Result<p::GetFileInfoResponseProto> {
        let fs = self.info(call, &request.src, true, false)?;
        Ok(p::GetFileInfoResponseProto { fs })
    }

    /// Proto: getFileLinkInfo.
    pub fn get_file_link_info(
        &self,
        call: &Call<'_>,
        request: &p::GetFileLinkInfoRequestProto,
    ) -> Result<p::GetFileLinkInfoResponseProto> {
        let fs = self.info(call, &request.src, false, false)?;
        Ok(p::GetFileLinkInfoResponseProto { fs })
    }

    /// Proto: getLocatedFileInfo.
    pub fn get_located_file_info(
        &self,
        call: &Call<'_>,
        request: &p::GetLocatedFileInfoRequestProto,
    ) -> Result<p::GetLocatedFileInfoResponseProto> {
        let path = request.src.as_deref().unwrap_or_default();
        let fs = self.info(call, path, true, true)?;
        Ok(p::GetLocatedFileInfoResponseProto { fs })
    }

    fn info(
        &self,
        call: &Call<'_>,
        path: &str,
        resolve_link: bool,
        located: bool,
    ) -> Result<Option<p::HdfsFileStatusProto>> {
        let found = self.plan(call, |namespace, context| {
            namespace.get_file_info(context, path.as_bytes(), resolve_link, located)
        })?;
        Ok(found.map(|status| self.status_proto(call, status)))
    }

    /// Proto: getBlockLocations. The second part is the file when its access time is to be looked at.
    pub fn get_block_locations(
        &self,
        call: &Call<'_>,
        request: &p::GetBlockLocationsRequestProto,
    ) -> Result<(p::GetBlockLocationsResponseProto, Option<INodeId>)> {
        // The wire's numbers are unsigned, Java's are not.
        if request.offset.cast_signed() < 0 {
            return Err(Error::new(
                ErrorKind::IllegalArgument,
                "Negative offset is not supported. File: ".to_owned() + &request.src,
            ));
        }
        if request.length.cast_signed() < 0 {
            return Err(Error::new(
                ErrorKind::IllegalArgument,
                "Negative length is not supported. File: ".to_owned() + &request.src,
            ));
        }
        let file = self.plan(call, |namespace, context| {
            namespace.get_blocks(context, request.src.as_bytes())
        })?;
        let reader = Some(call.client_machine);
        let located = self.located_blocks(call, &file, request.offset, request.length, reader);
        // The DataNodes have not reported yet: "no replica" would be taken for a lost block.
        if located.blocks.iter().any(|block| block.locs.is_empty()) {
            let what = format!("Zero blocklocations for {}", request.src);
            self.check_writable(&what, call.now.mono)?;
        }
        let due = file.snapshot_length.is_none()
            && self
                .plan(call, |namespace, context| namespace.plan_access_time(context, file.inode))
                .is_some();
        let answer = p::GetBlockLocationsResponseProto { locations: Some(located) };
        Ok((answer, due.then_some(file.inode)))
    }

    /// Proto: getListing.
    pub fn get_listing(
        &self,
        call: &Call<'_>,
        request: &p::GetListingRequestProto,
    ) -> Result<p::GetListingResponseProto> {
        let listing = self.list(call, &request.src, &request.start_after, request.need_location)?;
        let dir_list = listing.map(|listing| p::DirectoryListingProto {
            remaining_entries: u32::try_from(listing.remaining).unwrap_or(u32::MAX),
            partial_listing: self.entries(call, listing.entries),
        });
        Ok(p::GetListingResponseProto { dir_list })
    }

    fn list(
        &self,
        call: &Call<'_>,
        path: &str,
        after: &[u8],
        located: bool,
    ) -> Result<Option<Listing>> {
        self.plan(call, |namespace, context| {
            namespace.get_listing(context, path.as_bytes(), after, located)
        })
    }

    fn entries(&self, call: &Call<'_>, entries: Vec<FileStatus>) -> Vec<p::HdfsFileStatusProto> {
        entries.into_iter().map(|entry| self.status_proto(call, entry)).collect()
    }

    /// Proto: getBatchedListing.
    pub fn get_batched_listing(
        &self,
        call: &Call<'_>,
        request: &p::GetBatchedListingRequestProto,
    ) -> Result<p::GetBatchedListingResponseProto> {
        let limit = self.conf.batched_listing_limit;
        let paths = &request.paths;
        if paths.len() > limit {
            return Err(Error::new(
                ErrorKind::IllegalArgument,
                format!("Too many source paths ({} > {limit})", paths.len()),
            ));
        }
        let (mut index, mut after) = batch_start(paths, &request.start_after)?;
        let mut listings = Vec::new();
        let mut count = 0;
        while index < paths.len() {
            let listing = self.list(call, &paths[index], &after, request.need_location);
            let listing = listing.and_then(|listing| {
                listing.ok_or_else(|| {
                    let text = format!("Path {} does not exist", paths[index]);
                    Error::new(ErrorKind::FileNotFound, text)
                })
            });
            let parent_idx = u32::try_from(index).unwrap_or(u32::MAX);
            after = Vec::new();
            let more = match listing {
                Ok(Listing { entries, remaining }) => {
                    count += entries.len();
                    if remaining > 0 {
                        after = entries.last().map(|last| last.name.clone()).unwrap_or_default();
                    }
                    let partial_listing = self.entries(call, entries);
                    listings.push(p::BatchedDirectoryListingProto {
                        partial_listing,
                        parent_idx,
                        exception: None,
                    });
                    remaining > 0
                }
                // In Java this one is no exception, and passes by who gathers them.
                Err(error) if error.kind.java_class() == "java.lang.AssertionError" => {
                    return Err(error);
                }
                Err(error) => {
                    listings.push(failed_listing(parent_idx, error));
                    false
                }
            };
            if more {
                break;
            }
            index += 1;
            if count >= self.conf.namespace.ls_limit {
                break;
            }
        }
        let has_more = index < paths.len();
        let start_after = if has_more { batch_key(paths, index, after) } else { Vec::new() };
        Ok(p::GetBatchedListingResponseProto {
            listings,
            has_more,
            start_after: start_after.into(),
        })
    }

    /// Proto: getContentSummary, first slice.
    pub fn begin_content_summary(
        &self,
        call: &Call<'_>,
        request: &p::GetContentSummaryRequestProto,
    ) -> Result<SummaryCursor> {
        self.plan(call, |namespace, context| {
            namespace.begin_content_summary(context, request.path.as_bytes())
        })
    }

    /// Proto: getContentSummary, each further slice; the answer after the last one.
    pub fn continue_content_summary(
        &self,
        call: &Call<'_>,
        cursor: &mut SummaryCursor,
    ) -> Result<Option<p::GetContentSummaryResponseProto>> {
        let budget = self.conf.namespace.content_summary_limit;
        let summary = self.plan(call, |namespace, context| {
            namespace.continue_content_summary(context, cursor, budget)
        })?;
        Ok(summary.map(|summary| p::GetContentSummaryResponseProto {
            summary: p::ContentSummaryProto {
                length: summary.length,
                file_count: summary.files,
                directory_count: summary.directories,
                quota: summary.quota.cast_unsigned(),
                space_consumed: summary.space_consumed,
                space_quota: summary.space_quota.cast_unsigned(),
                type_quota_infos: type_infos(&summary.type_quota, &summary.type_consumed),
                snapshot_length: Some(summary.snapshot_length),
                snapshot_file_count: Some(summary.snapshot_files),
                snapshot_directory_count: Some(summary.snapshot_directories),
                snapshot_space_consumed: Some(summary.snapshot_space_consumed),
                erasure_coding_policy: Some(summary.erasure_coding_policy),
            },
        }))
    }

    /// Proto: getQuotaUsage.
    pub fn get_quota_usage(
        &self,
        call: &Call<'_>,
        request: &p::GetQuotaUsageRequestProto,
    ) -> Result<p::GetQuotaUsageResponseProto> {
        let usage = self.plan(call, |namespace, context| {
            namespace.get_quota_usage(context, request.path.as_bytes())
        })?;
        Ok(p::GetQuotaUsageResponseProto {
            usage: p::QuotaUsageProto {
                file_and_directory_count: usage.file_and_directory_count.cast_unsigned(),
                quota: usage.quota.cast_unsigned(),
                space_consumed: usage.space_consumed.cast_unsigned(),
                space_quota: usage.space_quota.cast_unsigned(),
                type_quota_infos: type_infos(&usage.type_quota, &usage.type_consumed),
            },
        })
    }

    /// Proto: checkAccess.
    pub fn check_access(
        &self,
        call: &Call<'_>,
        request: &p::CheckAccessRequestProto,
    ) -> Result<p::CheckAccessResponseProto> {
        let action = u8::try_from(request.mode).ok().filter(|mode| *mode < 8).ok_or_else(|| {
            Error::new(ErrorKind::IllegalArgument, format!("{} is no access mode", request.mode))
        })?;
        self.plan(call, |namespace, context| {
            namespace.check_access_to(context, request.path.as_bytes(), FsAction(action))
        })?;
        Ok(p::CheckAccessResponseProto {})
    }

    /// Proto: isFileClosed.
    pub fn is_file_closed(
        &self,
        call: &Call<'_>,
        request: &p::IsFileClosedRequestProto,
    ) -> Result<p::IsFileClosedResponseProto> {
        let result = self.plan(call, |namespace, context| {
            namespace.is_file_closed(context, request.src.as_bytes())
        })?;
        Ok(p::IsFileClosedResponseProto { result })
    }

    /// Proto: getPreferredBlockSize.
    pub fn get_preferred_block_size(
        &self,
        call: &Call<'_>,
        request: &p::GetPreferredBlockSizeRequestProto,
    ) -> Result<p::GetPreferredBlockSizeResponseProto> {
        let bsize = self.plan(call, |namespace, context| {
            namespace.get_preferred_block_size(context, request.filename.as_bytes())
        })?;
        Ok(p::GetPreferredBlockSizeResponseProto { bsize })
    }

    /// Proto: getLinkTarget.
    pub fn get_link_target(
        &self,
        call: &Call<'_>,
        request: &p::GetLinkTargetRequestProto,
    ) -> Result<p::GetLinkTargetResponseProto> {
        let target = self.plan(call, |namespace, context| {
            namespace.get_link_target(context, request.path.as_bytes())
        })?;
        let target_path = Some(String::from_utf8_lossy(&target).into_owned());
        Ok(p::GetLinkTargetResponseProto { target_path })
    }

    /// Proto: getEnclosingRoot.
    pub fn get_enclosing_root(
        &self,
        call: &Call<'_>,
        request: &p::GetEnclosingRootRequestProto,
    ) -> Result<p::GetEnclosingRootResponseProto> {
        let path = request.filename.as_deref().unwrap_or_default();
        let root = self.plan(call, |namespace, context| {
            namespace.get_enclosing_root(context, path.as_bytes())
        })?;
        let enclosing_root_path = Some(String::from_utf8_lossy(&root).into_owned());
        Ok(p::GetEnclosingRootResponseProto { enclosing_root_path })
    }

    /// Proto: getStoragePolicy.
    pub fn get_storage_policy(
        &self,
        call: &Call<'_>,
        request: &p::GetStoragePolicyRequestProto,
    ) -> Result<p::GetStoragePolicyResponseProto> {
        let id = self.plan(call, |namespace, context| {
            namespace.get_storage_policy(context, request.path.as_bytes())
        })?;
        let id = if id == 0 { policies::HOT } else { id };
        let policy = StoragePolicy::by_id(id)
            .ok_or_else(|| Error::io(format!("{} has the unknown policy {id}", request.path)))?;
        Ok(p::GetStoragePolicyResponseProto { storage_policy: policy.to_proto() })
    }

    /// Proto: listOpenFiles.
    pub fn list_open_files(
        &self,
        call: &Call<'_>,
        request: &p::ListOpenFilesRequestProto,
    ) -> Result<p::ListOpenFilesResponseProto> {
        let asked = |kind: p::OpenFilesTypeProto| request.types.contains(&(kind as i32));
        let only_blocking = asked(p::OpenFilesTypeProto::BlockingDecommission)
            && !asked(p::OpenFilesTypeProto::AllOpenFiles);
        let mut after = INodeId(u64::try_from(request.id).unwrap_or(0));
        let below = request.path.as_deref().unwrap_or("/");
        let (files, has_more) = loop {
            let (mut files, has_more) = self.plan(call, |namespace, context| {
                namespace.list_open_files(context, after, below.as_bytes())
            })?;
            after = files.last().map_or(after, |file| file.inode);
            if only_blocking {
                files.retain(|file| self.is_blocking_decommission(file.inode));
            }
            // A client takes an empty page for the last one.
            if !files.is_empty() || !has_more {
                break (files, has_more);
            }
        };
        let entries = files
            .into_iter()
            .map(|file| p::OpenFilesBatchResponseProto {
                id: file.inode.0.cast_signed(),
                path: String::from_utf8_lossy(&file.path).into_owned(),
                client_name: file.client_name.to_string(),
                client_machine: file.client_machine.to_string(),
            })
            .collect();
        Ok(p::ListOpenFilesResponseProto { entries, has_more, types: request.types.clone() })
    }

    fn is_blocking_decommission(&self, file: INodeId) -> bool {
        let blocks = self.namespace.blocks_of_inode(file).map(|view| view.blocks);
        blocks.unwrap_or_default().iter().any(|block| self.blocks.blocks_decommission(block.id))
    }
}

/// Every kind of storage that may have a quota, when any has one or anything is used of any.
///
/// Hadoop: PBHelperClient.convert of QuotaUsage and of ContentSummary (3.5.0)
fn type_infos(quota: &TypeSpace, consumed: &TypeSpace) -> Option<p::StorageTypeQuotaInfosProto> {
    let infos: Vec<_> = QUOTA_KINDS
        .iter()
        .map(|kind| (*kind, *kind as usize - 1))
        .map(|(kind, index)| p::StorageTypeQuotaInfoProto {
            r#type: Some(kind as i32),
            quota: quota[index].cast_unsigned(),
            consumed: consumed[index].cast_unsigned(),
        })
        .collect();
    let known = |info: &p::StorageTypeQuotaInfoProto| {
        info.quota.cast_signed() > 0 || info.consumed.cast_signed() > 0
    };
    infos.iter().any(known).then_some(p::StorageTypeQuotaInfosProto { type_quota_info: infos })
}

fn failed_listing(parent_idx: u32, error: Error) -> p::BatchedDirectoryListingProto {
    p::BatchedDirectoryListingProto {
        partial_listing: Vec::new(),
        parent_idx,
        exception: Some(p::RemoteExceptionProto {
            class_name: error.kind.java_class().to_owned(),
            message: Some(error.message),
        }),
    }
}

/// Where a batched listing goes on: index of the path and name of the last entry.
fn batch_start(paths: &[String], start_after: &[u8]) -> Result<(usize, Vec<u8>)> {
    if start_after.is_empty() {
        return Ok((0, Vec::new()));
    }
    let wrong = |text: &str| Error::new(ErrorKind::IllegalArgument, text.to_owned());
    let key = p::BatchedListingKeyProto::decode(start_after)
        .map_err(|_| wrong("startAfter is no key of a batched listing"))?;
    if *key.checksum != paths_checksum(paths) {
        return Err(wrong("startAfter belongs to a listing of other paths"));
    }
    Ok((key.path_index as usize, key.start_after.to_vec()))
}

fn batch_key(paths: &[String], index: usize, after: Vec<u8>) -> Vec<u8> {
    p::BatchedListingKeyProto {
        checksum: paths_checksum(paths).to_vec().into(),
        path_index: u32::try_from(index).unwrap_or(u32::MAX),
        start_after: after.into(),
    }
    .encode_to_vec()
}

/// Ties a key to its paths. Only this NameNode reads it, so any hash will do: this one is FNV-1a.
fn paths_checksum(paths: &[String]) -> [u8; 8] {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in paths.iter().flat_map(|path| path.bytes().chain([0])) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    hash.to_be_bytes()
}
