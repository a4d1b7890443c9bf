//! Sections as XML.

use super::{ViewError, Writer};
use crate::edits::xml::hex;
use crate::fsimage::{Image, Messages, SectionName};
use crate::storage_dir::{CivilTime, Corrupt};
use hdfs_proto::hdfs as pb;
use hdfs_proto::hdfs::fsimage as image;
use hdfs_types::WallMillis;
use image::snapshot_diff_section as diff;
use std::io::Write;

impl<W: Write> Writer<W> {
    pub(super) fn section(
        &mut self,
        image: &Image<'_>,
        name: SectionName,
    ) -> Result<(), ViewError> {
        let mut messages = image.messages(name);
        match name {
            SectionName::NsInfo => self.name_system(&image.name_system()?),
            SectionName::StringTable => self.names = image.string_table()?,
            SectionName::ErasureCoding => self.policies(&image.erasure_coding()?),
            SectionName::Inode => self.inodes(messages)?,
            SectionName::InodeReference => self.references(messages)?,
            SectionName::Snapshot => self.snapshots(messages)?,
            SectionName::InodeDir => self.directories(messages)?,
            SectionName::FilesUnderConstruction => self.open_files(messages)?,
            SectionName::SnapshotDiff => {
                self.open("SnapshotDiffSection");
                while let Some(entry) = messages.next_message::<diff::DiffEntry>()? {
                    self.diff_entry(&entry, &mut messages)?;
                    self.flush_when_full()?;
                }
                self.close_line("SnapshotDiffSection");
            }
            SectionName::SecretManager => self.secret_manager(messages)?,
            SectionName::CacheManager => self.cache_manager(messages)?,
            SectionName::ExtendedAcl
            | SectionName::InodeSub
            | SectionName::InodeReferenceSub
            | SectionName::InodeDirSub
            | SectionName::SnapshotDiffSub => {}
        }
        self.flush_when_full()?;
        Ok(())
    }

    fn name_system(&mut self, section: &image::NameSystemSection) {
        self.open("NameSection");
        self.int("namespaceId", section.namespace_id());
        self.long("genstampV1", section.genstamp_v1());
        self.long("genstampV2", section.genstamp_v2());
        self.long("genstampV1Limit", section.genstamp_v1_limit());
        self.long("lastAllocatedBlockId", section.last_allocated_block_id());
        self.long("txid", section.transaction_id());
        self.close_line("NameSection");
    }

    fn policies(&mut self, section: &image::ErasureCodingSection) {
        if section.policies.is_empty() {
            return;
        }
        self.raw("<ErasureCodingSection>\n");
        section.policies.iter().for_each(|policy| self.policy(policy));
        self.raw("</ErasureCodingSection>\n\n");
    }

    fn inodes(&mut self, mut messages: Messages<'_>) -> Result<(), ViewError> {
        let head: image::INodeSection = messages.required()?;
        self.open("INodeSection");
        self.long("lastInodeId", head.last_inode_id());
        self.long("numInodes", head.num_inodes());
        for _ in 0..head.num_inodes() {
            let inode: image::i_node_section::INode = messages.required()?;
            self.open("inode");
            self.inode(&inode);
            self.close_line("inode");
            self.flush_when_full()?;
        }
        self.close_line("INodeSection");
        Ok(())
    }

    fn references(&mut self, messages: Messages<'_>) -> Result<(), ViewError> {
        self.open("INodeReferenceSection");
        for reference in messages.decode::<image::i_node_reference_section::INodeReference>() {
            let reference = reference?;
            self.open("ref");
            self.long("referredId", reference.referred_id());
            self.bytes("name", reference.name());
            self.int("dstSnapshotId", reference.dst_snapshot_id());
            self.int("lastSnapshotId", reference.last_snapshot_id());
            self.close_line("ref");
            self.flush_when_full()?;
        }
        self.close("INodeReferenceSection");
        Ok(())
    }

    fn snapshots(&mut self, mut messages: Messages<'_>) -> Result<(), ViewError> {
        let head: image::SnapshotSection = messages.required()?;
        self.open("SnapshotSection");
        self.int("snapshotCounter", head.snapshot_counter());
        self.int("numSnapshots", head.num_snapshots());
        if !head.snapshottable_dir.is_empty() {
            self.open("snapshottableDir");
            head.snapshottable_dir.iter().for_each(|id| self.long("dir", *id));
            self.close_line("snapshottableDir");
        }
        for _ in 0..head.num_snapshots() {
            let snapshot: image::snapshot_section::Snapshot = messages.required()?;
            self.open("snapshot");
            self.int("id", snapshot.snapshot_id());
            self.open("root");
            self.inode(&snapshot.root.unwrap_or_default());
            self.close("root");
            self.close("snapshot");
            self.flush_when_full()?;
        }
        self.close_line("SnapshotSection");
        Ok(())
    }

    fn directories(&mut self, messages: Messages<'_>) -> Result<(), ViewError> {
        self.open("INodeDirectorySection");
        for entry in messages.decode::<image::i_node_directory_section::DirEntry>() {
            let entry = entry?;
            self.open("directory");
            self.long("parent", entry.parent());
            entry.children.iter().for_each(|child| self.long("child", *child));
            entry.ref_children.iter().for_each(|child| self.int("refChild", *child));
            self.close_line("directory");
            self.flush_when_full()?;
        }
        self.close_line("INodeDirectorySection");
        Ok(())
    }

    fn open_files(&mut self, messages: Messages<'_>) -> Result<(), ViewError> {
        self.open("FileUnderConstructionSection");
        type Entry = image::files_under_construction_section::FileUnderConstructionEntry;
        for entry in messages.decode::<Entry>() {
            let entry = entry?;
            self.open("inode");
            self.long("id", entry.inode_id());
            self.leaf("path", entry.full_path());
            self.close_line("inode");
            self.flush_when_full()?;
        }
        self.close_line("FileUnderConstructionSection");
        Ok(())
    }

    fn diff_entry(
        &mut self,
        entry: &diff::DiffEntry,
        messages: &mut Messages<'_>,
    ) -> Result<(), Corrupt> {
        let tag = match entry.r#type() {
            diff::diff_entry::Type::Filediff => "fileDiffEntry",
            diff::diff_entry::Type::Directorydiff => "dirDiffEntry",
        };
        self.open(tag);
        self.long("inodeId", entry.inode_id());
        self.int("count", entry.num_of_diff());
        for _ in 0..entry.num_of_diff() {
            match entry.r#type() {
                diff::diff_entry::Type::Filediff => self.file_diff(&messages.required()?),
                diff::diff_entry::Type::Directorydiff => self.directory_diff(messages)?,
            }
        }
        self.close(tag);
        Ok(())
    }

    fn file_diff(&mut self, file: &diff::FileDiff) {
        self.open("fileDiff");
        self.int("snapshotId", file.snapshot_id());
        self.long("size", file.file_size());
        self.bytes("name", file.name());
        self.open("snapshotCopy");
        self.file(&file.snapshot_copy.clone().unwrap_or_default());
        self.close_line("snapshotCopy");
        self.blocks(&file.blocks);
        self.close_line("fileDiff");
    }

    fn directory_diff(&mut self, messages: &mut Messages<'_>) -> Result<(), Corrupt> {
        let directory: diff::DirectoryDiff = messages.required()?;
        self.open("dirDiff");
        self.int("snapshotId", directory.snapshot_id());
        self.int("childrenSize", directory.children_size());
        self.flag("isSnapshotRoot", directory.is_snapshot_root());
        self.bytes("name", directory.name());
        if let Some(copy) = &directory.snapshot_copy {
            self.open("snapshotCopy");
            self.directory(copy);
            self.close_line("snapshotCopy");
        }
        self.int("createdListSize", directory.created_list_size());
        directory.deleted_i_node.iter().for_each(|id| self.long("deletedInode", *id));
        directory.deleted_i_node_ref.iter().for_each(|id| self.int("deletedInoderef", *id));
        for _ in 0..directory.created_list_size() {
            let created: diff::CreatedListEntry = messages.required()?;
            self.open("created");
            self.bytes("name", created.name());
            self.close_line("created");
        }
        self.close_line("dirDiff");
        Ok(())
    }

    fn date(&mut self, tag: &str, millis: u64) {
        self.leaf(tag, &CivilTime::from(WallMillis(millis)).iso());
    }

    fn secret_manager(&mut self, mut messages: Messages<'_>) -> Result<(), ViewError> {
        use image::secret_manager_section as secret;
        let head: image::SecretManagerSection = messages.required()?;
        self.open("SecretManagerSection");
        self.int("currentId", head.current_id());
        self.int("tokenSequenceNumber", head.token_sequence_number());
        self.int("numDelegationKeys", head.num_keys());
        self.int("numTokens", head.num_tokens());
        for _ in 0..head.num_keys() {
            let key: secret::DelegationKey = messages.required()?;
            self.open("delegationKey");
            self.int("id", key.id());
            self.leaf("key", &hex(key.key()));
            key.expiry_date.iter().for_each(|date| self.date("expiry", *date));
            self.close("delegationKey");
        }
        for _ in 0..head.num_tokens() {
            let token: secret::PersistToken = messages.required()?;
            self.open("token");
            token.version.iter().for_each(|version| self.int("version", *version));
            token.owner.iter().for_each(|name| self.leaf("owner", name));
            token.renewer.iter().for_each(|name| self.leaf("renewer", name));
            token.real_user.iter().for_each(|name| self.leaf("realUser", name));
            token.issue_date.iter().for_each(|date| self.date("issueDate", *date));
            token.max_date.iter().for_each(|date| self.date("maxDate", *date));
            token.sequence_number.iter().for_each(|number| self.int("sequenceNumber", *number));
            token.master_key_id.iter().for_each(|id| self.int("masterKeyId", *id));
            token.expiry_date.iter().for_each(|date| self.date("expiryDate", *date));
            self.close("token");
            self.flush_when_full()?;
        }
        self.close("SecretManagerSection");
        Ok(())
    }

    fn cache_manager(&mut self, mut messages: Messages<'_>) -> Result<(), ViewError> {
        let head: image::CacheManagerSection = messages.required()?;
        self.open("CacheManagerSection");
        self.long("nextDirectiveId", head.next_directive_id);
        self.int("numDirectives", head.num_directives);
        self.int("numPools", head.num_pools);
        for _ in 0..head.num_pools {
            let pool: pb::CachePoolInfoProto = messages.required()?;
            self.open("pool");
            self.leaf("poolName", pool.pool_name());
            self.leaf("ownerName", pool.owner_name());
            self.leaf("groupName", pool.group_name());
            self.number("mode", i64::from(pool.mode()));
            self.number("limit", pool.limit());
            self.number("maxRelativeExpiry", pool.max_relative_expiry());
            self.close_line("pool");
        }
        for _ in 0..head.num_directives {
            let directive: pb::CacheDirectiveInfoProto = messages.required()?;
            self.open("directive");
            self.number("id", directive.id());
            self.leaf("path", directive.path());
            self.int("replication", directive.replication());
            self.leaf("pool", directive.pool());
            self.open("expiration");
            let expiration = directive.expiration.unwrap_or_default();
            self.number("millis", expiration.millis);
            self.flag("relative", expiration.is_relative);
            self.close_line("expiration");
            self.close_line("directive");
            self.flush_when_full()?;
        }
        self.close_line("CacheManagerSection");
        Ok(())
    }
}
