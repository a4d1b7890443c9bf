//! The sections of the namespace from XML.

use super::events::{Node, number};
use super::inode::no_constant;
use super::{Reverse, ReverseError};
use hdfs_proto::hdfs as p;
use hdfs_proto::hdfs::fsimage as pb;
use std::io::Write;

impl<W: Write> Reverse<'_, W> {
    pub(super) fn name_system(&mut self) -> Result<(), ReverseError> {
        let mut node = self.events.tree("NameSection fields")?;
        let namespace_id = node.int("namespaceId")?;
        let missing = "<NameSection> is missing <namespaceId>".to_owned();
        let section = pb::NameSystemSection {
            namespace_id: Some(namespace_id.ok_or(missing)?),
            genstamp_v1: node.long("genstampV1")?,
            genstamp_v2: node.long("genstampV2")?,
            genstamp_v1_limit: node.long("genstampV1Limit")?,
            last_allocated_block_id: node.long("lastAllocatedBlockId")?,
            transaction_id: node.long("txid")?,
            rolling_upgrade_start_time: node.long("rollingUpgradeStartTime")?,
            last_allocated_striped_block_id: node.long("lastAllocatedStripedBlockId")?,
        };
        node.end("NameSection")?;
        Ok(self.out.message(&section)?)
    }

    pub(super) fn erasure_coding(&mut self) -> Result<(), ReverseError> {
        let mut node = self.events.tree("ErasureCodingSection fields")?;
        let policies = node.all("erasureCodingPolicy").map(policy).collect::<Result<_, _>>()?;
        self.out.message(&pb::ErasureCodingSection { policies })?;
        Ok(node.end("ErasureCodingSection")?)
    }

    pub(super) fn inodes(&mut self) -> Result<(), ReverseError> {
        let mut head = self.events.head("INodeSection fields", &["inode"])?;
        let last_inode_id = head.long("lastInodeId")?;
        let missing = "Failed to find <numInodes> in INodeSection.".to_owned();
        let count: i32 = head.number("numInodes")?.ok_or(missing)?;
        let num_inodes = Some(i64::from(count).cast_unsigned());
        self.out.message(&pb::INodeSection { last_inode_id, num_inodes })?;
        head.end("INodeSection")?;
        for found in 0..count {
            self.events
                .start_of("inode")
                .map_err(|_| format!("Only found {found} <inode> entries out of {count}"))?;
            let node = self.events.tree("INode fields")?;
            let inode = self.names.inode(node)?;
            self.out.message(&inode)?;
        }
        Ok(self.events.end_of("INodeSection")?)
    }

    pub(super) fn references(&mut self) -> Result<(), ReverseError> {
        self.each("ref", "INodeReference", |reverse, mut node| {
            let reference = pb::i_node_reference_section::INodeReference {
                referred_id: node.long("referredId")?,
                name: node.string("name")?.map(Into::into),
                dst_snapshot_id: node.int("dstSnapshotId")?,
                last_snapshot_id: node.int("lastSnapshotId")?,
            };
            node.end("ref")?;
            Ok(reverse.out.message(&reference)?)
        })
    }

    pub(super) fn directories(&mut self) -> Result<(), ReverseError> {
        self.each("directory", "directory", |reverse, mut node| {
            let entry = pb::i_node_directory_section::DirEntry {
                parent: node.long("parent")?,
                children: longs(&mut node, "child")?,
                ref_children: ints(&mut node, "refChild")?,
            };
            node.end("directory")?;
            Ok(reverse.out.message(&entry)?)
        })
    }

    pub(super) fn open_files(&mut self) -> Result<(), ReverseError> {
        self.each("inode", "file under construction", |reverse, mut node| {
            type Entry = pb::files_under_construction_section::FileUnderConstructionEntry;
            let entry = Entry { inode_id: node.long("id")?, full_path: node.string("path")? };
            node.end("inode")?;
            Ok(reverse.out.message(&entry)?)
        })
    }
}

/// The 64-bit numbers of every child of this name.
pub(super) fn longs(node: &mut Node, name: &str) -> Result<Vec<u64>, String> {
    node.all(name).map(|child| Ok(number::<i64>(child.text())?.cast_unsigned())).collect()
}

/// The 32-bit numbers of every child of this name.
pub(super) fn ints(node: &mut Node, name: &str) -> Result<Vec<u32>, String> {
    node.all(name).map(|child| Ok(number::<i32>(child.text())?.cast_unsigned())).collect()
}

fn policy(mut node: Node) -> Result<p::ErasureCodingPolicyProto, String> {
    let without = |name: &str| format!("<erasureCodingPolicy> found without <{name}>");
    let id = node.int("policyId")?.ok_or_else(|| without("policyId"))?;
    let name = node.string("policyName")?.ok_or_else(|| without("policyName"))?;
    let cell_size = node.int("cellSize")?.ok_or_else(|| without("cellSize"))?;
    let mut policy = p::ErasureCodingPolicyProto {
        id,
        name: Some(name),
        cell_size: Some(cell_size),
        ..p::ErasureCodingPolicyProto::default()
    };
    if let Some(state) = node.string("policyState")? {
        let known = match state.as_str() {
            "DISABLED" => p::ErasureCodingPolicyState::Disabled,
            "ENABLED" => p::ErasureCodingPolicyState::Enabled,
            "REMOVED" => p::ErasureCodingPolicyState::Removed,
            other => return Err(no_constant("HdfsProtos.ErasureCodingPolicyState", other)),
        };
        policy.set_state(known);
    }
    let mut schema = node.child("ecSchema").ok_or_else(|| without("ecSchema"))?;
    let mut options = Vec::new();
    let codec_name = schema.string("codecName")?.ok_or_else(|| without("codecName"))?;
    let data_units = schema.int("dataUnits")?.ok_or_else(|| without("dataUnits"))?;
    let parity_units = schema.int("parityUnits")?.ok_or_else(|| without("parityUnits"))?;
    if let Some(mut extra) = schema.child("extraOptions") {
        for mut option in extra.all("option") {
            options.push(p::EcSchemaOptionEntryProto {
                key: option.string("key")?.ok_or_else(|| without("key"))?,
                value: option.string("value")?.ok_or_else(|| without("value"))?,
            });
        }
    }
    policy.schema = Some(p::EcSchemaProto { codec_name, data_units, parity_units, options });
    Ok(policy)
}
