//! Writing what an old image held as an image of today.

use std::io;

use hdfs_proto::hdfs::fsimage as pb;
use hdfs_types::INodeId;
use pb::snapshot_diff_section as diff;
use pb::snapshot_diff_section::diff_entry::Type;

use super::super::{
    Blocks, DirectoryRecord, FileRecord, INodeEncoder, INodeKind, INodeRecord, ImageWriter,
    SectionName, SymlinkRecord,
};
use super::model::{Child, Directory, INode, Kind, Model};

pub(super) fn write(model: &Model) -> Result<Vec<u8>, String> {
    let mut writer = ImageWriter::new(Vec::new());
    let written = write_sections(model, &mut writer).and_then(|()| writer.finish());
    written.map(|(bytes, _)| bytes).map_err(|error| error.to_string())
}

fn write_sections(model: &Model, writer: &mut ImageWriter<Vec<u8>>) -> io::Result<()> {
    writer.message(&model.counters)?;
    writer.end_section(SectionName::NsInfo)?;
    write_inodes(model, writer)?;
    for inode in &model.inodes {
        if let Kind::Directory(directory) = &inode.kind {
            write_children(inode.id, directory, writer)?;
        }
    }
    writer.end_section(SectionName::InodeDir)?;
    for (id, path) in &model.open {
        writer.message(&pb::files_under_construction_section::FileUnderConstructionEntry {
            inode_id: Some(*id),
            full_path: Some(path.clone()),
        })?;
    }
    writer.end_section(SectionName::FilesUnderConstruction)?;
    write_snapshots(model, writer)?;
    if !model.snapshots.is_empty() {
        model.inodes.iter().try_for_each(|inode| write_diffs(inode, writer))?;
        writer.end_section(SectionName::SnapshotDiff)?;
    }
    model.references.iter().try_for_each(|reference| writer.message(reference))?;
    writer.end_section(SectionName::InodeReference)?;
    write_secrets(model, writer)?;
    writer.message(&pb::CacheManagerSection {
        next_directive_id: model.cache.next_directive_id,
        num_pools: model.cache.pools.len() as u32,
        num_directives: model.cache.directives.len() as u32,
    })?;
    model.cache.pools.iter().try_for_each(|pool| writer.message(pool))?;
    model.cache.directives.iter().try_for_each(|directive| writer.message(directive))?;
    writer.end_section(SectionName::CacheManager)?;
    model.names.write(writer)
}

fn write_inodes(model: &Model, writer: &mut ImageWriter<Vec<u8>>) -> io::Result<()> {
    writer.message(&pb::INodeSection {
        last_inode_id: Some(model.last_inode_id),
        num_inodes: Some(model.inodes.len() as u64),
    })?;
    let (mut encoder, mut out) = (INodeEncoder::default(), Vec::new());
    for inode in &model.inodes {
        out.clear();
        encoder.encode(&record(inode), &mut out);
        writer.encoded(&out)?;
    }
    writer.end_section(SectionName::Inode)
}

fn record(inode: &INode) -> INodeRecord<'_> {
    let kind = match &inode.kind {
        Kind::File(file) => INodeKind::File(FileRecord {
            replication: Some(u32::from(file.replication)),
            modification_time: file.mtime,
            access_time: file.atime,
            preferred_block_size: file.block_size,
            permission: file.permission,
            blocks: Blocks::Given(&file.blocks),
            under_construction: file
                .open
                .as_ref()
                .map(|(client, host)| (client.as_str(), host.as_str())),
            ..FileRecord::default()
        }),
        Kind::Directory(directory) => INodeKind::Directory(DirectoryRecord {
            modification_time: directory.mtime,
            ns_quota: directory.ns_quota,
            ds_quota: directory.ds_quota,
            permission: directory.permission,
            ..DirectoryRecord::default()
        }),
        Kind::Symlink { permission, target, mtime, atime } => INodeKind::Symlink(SymlinkRecord {
            permission: *permission,
            target: target.as_bytes(),
            modification_time: *mtime,
            access_time: *atime,
        }),
    };
    INodeRecord { id: INodeId(inode.id), name: &inode.name, kind }
}

fn write_children(
    id: u64,
    directory: &Directory,
    writer: &mut ImageWriter<Vec<u8>>,
) -> io::Result<()> {
    if directory.children.is_empty() {
        return Ok(());
    }
    let mut entry =
        pb::i_node_directory_section::DirEntry { parent: Some(id), ..Default::default() };
    for child in &directory.children {
        match child {
            Child::INode(id) => entry.children.push(*id),
            Child::Reference(number) => entry.ref_children.push(*number),
        }
    }
    writer.message(&entry)
}

fn write_snapshots(model: &Model, writer: &mut ImageWriter<Vec<u8>>) -> io::Result<()> {
    writer.message(&pb::SnapshotSection {
        snapshot_counter: Some(model.snapshot_counter),
        snapshottable_dir: model.snapshottable.iter().map(|(id, _)| *id).collect(),
        num_snapshots: Some(model.snapshots.len() as u32),
    })?;
    for (directory, ids) in &model.snapshottable {
        for id in ids {
            let Some(known) = model.snapshots.iter().find(|known| known.id == *id) else {
                continue;
            };
            writer.message(&pb::snapshot_section::Snapshot {
                snapshot_id: Some(*id),
                root: Some(pb::i_node_section::INode {
                    r#type: pb::i_node_section::i_node::Type::Directory as i32,
                    id: *directory,
                    name: Some(known.name.clone().into()),
                    file: None,
                    directory: Some(known.root.clone()),
                    symlink: None,
                }),
            })?;
        }
    }
    writer.end_section(SectionName::Snapshot)
}

fn write_diffs(inode: &INode, writer: &mut ImageWriter<Vec<u8>>) -> io::Result<()> {
    let entry = |kind: Type, count: usize| diff::DiffEntry {
        r#type: kind as i32,
        inode_id: Some(inode.id),
        num_of_diff: Some(count as u32),
    };
    match &inode.kind {
        Kind::File(file) => {
            let Some(diffs) = &file.diffs else { return Ok(()) };
            writer.message(&entry(Type::Filediff, diffs.len()))?;
            diffs.iter().try_for_each(|diff| writer.message(diff))
        }
        Kind::Directory(directory) if directory.snapshottable || directory.with_snapshots => {
            writer.message(&entry(Type::Directorydiff, directory.diffs.len()))?;
            for (message, created) in &directory.diffs {
                writer.message(message)?;
                for name in created {
                    let name = Some(name.clone().into());
                    writer.message(&diff::CreatedListEntry { name })?;
                }
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn write_secrets(model: &Model, writer: &mut ImageWriter<Vec<u8>>) -> io::Result<()> {
    let secrets = &model.secrets;
    writer.message(&pb::SecretManagerSection {
        current_id: Some(secrets.current_id),
        token_sequence_number: Some(secrets.sequence_number),
        num_keys: Some(secrets.keys.len() as u32),
        num_tokens: Some(secrets.tokens.len() as u32),
    })?;
    secrets.keys.iter().try_for_each(|key| writer.message(key))?;
    secrets.tokens.iter().try_for_each(|token| writer.message(token))?;
    writer.end_section(SectionName::SecretManager)
}
