//! Calls on files: writing, appending, cutting, joining, leases.

use hdfs_format::edits::{EditOp, SetGenstampV1Op};
use hdfs_namespace::{
    AddBlockPlan, AddBlockRequest, AppendRequest, CompletePlan, CreateFlags, CreateRequest,
    FileBlocks, FileKeySource, TruncateRequest,
};
use hdfs_types::{Block, Error, GenerationStamp, INodeId, Result, Rng};

use crate::Generator;
use crate::generator::Call;
use crate::pick::text;

pub(crate) const CALLS: &[(u32, Call)] = &[
    (16, create),
    (18, add_block),
    (2, abandon),
    (2, fsync),
    (12, complete),
    (3, close),
    (5, append),
    (5, truncate),
    (5, concat),
    (2, update_pipeline),
    (2, reassign),
    (1, legacy_stamp),
];

/// A file that somebody writes.
struct Open {
    file: FileBlocks,
    path: Vec<u8>,
    client: String,
}

impl Open {
    /// Its last block with another length.
    fn last(&self, num_bytes: u64) -> Option<Block> {
        self.file.blocks.last().map(|last| Block { num_bytes, ..*last })
    }
}

impl Generator {
    /// One of the open files; makes one when there is none.
    fn an_open_file(&mut self) -> Result<Open> {
        if self.namespace.leases().is_empty() {
            create(self)?;
        }
        let open: Vec<(INodeId, String)> = self
            .namespace
            .leases()
            .files_after(INodeId(0))
            .map(|(id, holder)| (id, holder.to_string()))
            .collect();
        if open.is_empty() {
            return Err(Error::io("no file is open"));
        }
        let (id, client) = open[self.rng.below(open.len() as u64) as usize].clone();
        let gone = || Error::io("the file is gone");
        let file = self.namespace.blocks_of_inode(id).ok_or_else(gone)?;
        let path = self.namespace.path(id).ok_or_else(gone)?;
        Ok(Open { file, path, client })
    }

    /// Bytes of a block: often a full one.
    fn a_length(&mut self, block_size: u64) -> u64 {
        if self.one_in(2) { block_size } else { 1 + self.rng.below(block_size) }
    }
}

fn create(generator: &mut Generator) -> Result<()> {
    let overwrite = generator.one_in(4);
    let path = if overwrite { generator.a_place() } else { generator.a_new_place() };
    let flags = CreateFlags {
        create: true,
        overwrite,
        lazy_persist: generator.one_in(20),
        should_replicate: generator.one_in(20),
    };
    let client = generator.one_of(&["c1", "c2", "DFSClient_NONMAPREDUCE_-1_1"]);
    let request = CreateRequest {
        path: &path,
        permission: generator.a_mode(),
        unmasked: if generator.one_in(2) { Some(generator.a_mode()) } else { None },
        client_name: client,
        client_machine: "host",
        flags,
        create_parent: generator.one_in(2),
        replication: generator.one_of(&[1, 2, 3, 3, 3, 10]),
        block_size: generator.one_of(&[512, 1_024, 1_048_576, 134_217_728]),
        ec_policy_name: "",
        storage_policy: generator.one_of(&["", "", "", "", "ALL_SSD", "COLD"]),
        file_key: FileKeySource::NoProvider,
    };
    generator.say(format!("create {} {request:?}", text(&path)));
    generator.attempt(|namespace, ctx| namespace.plan_create(ctx, &request)).map(drop)
}

fn add_block(generator: &mut Generator) -> Result<()> {
    generator.as_superuser();
    let open = generator.an_open_file()?;
    let length = generator.a_length(open.file.preferred_block_size);
    generator.say(format!("addBlock {} {} after {length}", text(&open.path), open.client));
    let request = AddBlockRequest {
        path: &open.path,
        file_id: if generator.one_in(2) { open.file.inode } else { INodeId(0) },
        client_name: &open.client,
        previous: open.last(length),
    };
    if let AddBlockPlan::New(planned) =
        generator.with(|namespace, ctx| namespace.plan_add_block(ctx, &request))?
    {
        generator.apply(planned);
    }
    Ok(())
}

fn abandon(generator: &mut Generator) -> Result<()> {
    generator.as_superuser();
    let open = generator.an_open_file()?;
    generator.say(format!("abandonBlock {}", text(&open.path)));
    let block = open.last(0).unwrap_or_default();
    generator
        .call(|namespace, ctx| {
            namespace.plan_abandon_block(ctx, &open.path, open.file.inode, &open.client, block)
        })
        .map(drop)
}

fn fsync(generator: &mut Generator) -> Result<()> {
    generator.as_superuser();
    let open = generator.an_open_file()?;
    let length = generator.a_length(open.file.preferred_block_size).cast_signed();
    generator.say(format!("fsync {} {length}", text(&open.path)));
    generator.call(|namespace, ctx| {
        namespace.plan_fsync(ctx, &open.path, open.file.inode, &open.client, length)
    })
}

fn complete(generator: &mut Generator) -> Result<()> {
    generator.as_superuser();
    let open = generator.an_open_file()?;
    let length = generator.a_length(open.file.preferred_block_size);
    generator.say(format!("complete {} {length}", text(&open.path)));
    let last = open.last(length);
    let plan = generator.with(|namespace, ctx| {
        namespace.plan_complete(ctx, &open.path, open.file.inode, &open.client, last)
    })?;
    if let CompletePlan::Close(planned) = plan {
        generator.apply(planned);
    }
    Ok(())
}

/// As a block recovery ends: by the inode, with a newer stamp or without the block.
fn close(generator: &mut Generator) -> Result<()> {
    generator.as_superuser();
    let open = generator.an_open_file()?;
    let length = generator.a_length(open.file.preferred_block_size);
    generator.say(format!("close {} {length}", text(&open.path)));
    let last = open.last(length);
    generator.call(|namespace, ctx| namespace.plan_close_file(ctx, open.file.inode, last)).map(drop)
}

fn append(generator: &mut Generator) -> Result<()> {
    let path = generator.a_closed_file();
    let new_block = generator.one_in(3);
    generator.say(format!("append {} {new_block}", text(&path)));
    let request =
        AppendRequest { path: &path, client_name: "c3", client_machine: "other-host", new_block };
    generator.attempt(|namespace, ctx| namespace.plan_append(ctx, &request)).map(drop)
}

fn truncate(generator: &mut Generator) -> Result<()> {
    let path = generator.a_closed_file();
    let status =
        generator.with(|namespace, ctx| namespace.get_file_info(ctx, &path, false, false))?;
    // Apache's NameNode looks for snapshots on the path of the file only: it deletes blocks that a snapshot shows at the place
    // from which the file was renamed (FSDirTruncateOp.unprotectedTruncate, INodeFile.getSnapshotBlocksToRetain).
    let inode = status.as_ref().map(|status| status.inode);
    let moved = inode.is_some_and(|inode| generator.snapshots.moved.contains(&inode));
    if moved && !generator.snapshots.taken.is_empty() {
        return Err(Error::io("truncating what was renamed is left out"));
    }
    let before = inode.and_then(|inode| generator.namespace.blocks_of_inode(inode));
    let length = status.map_or(0, |status| status.length);
    let new_length = generator.rng.below(length + 1).cast_signed();
    generator.say(format!("truncate {} {new_length} of {length}", text(&path)));
    let request = TruncateRequest {
        path: &path,
        new_length,
        client_name: "c4",
        client_machine: "host",
        upgrading: false,
    };
    let truncated = generator.attempt(|namespace, ctx| namespace.plan_truncate(ctx, &request))?;
    let Some(file) = generator.namespace.blocks_of_inode(truncated.inode) else { return Ok(()) };
    if file.writer.is_none() {
        return Ok(());
    }
    let last = file.blocks.last().map(|last| last.id);
    let in_place = before.iter().flat_map(|file| &file.blocks).any(|block| Some(block.id) == last);
    // Most cuts end at once, as when the recovery of the last block succeeds. Cuts in a copy always do: Apache deletes what is
    // copied when the file is deleted before, though a snapshot shows it.
    if in_place && generator.one_in(4) {
        return Ok(());
    }
    let before: u64 = file.blocks.iter().rev().skip(1).map(|block| block.num_bytes).sum();
    let last = file.blocks.last().map(|last| Block {
        num_bytes: new_length.cast_unsigned().saturating_sub(before),
        ..*last
    });
    generator.as_superuser();
    generator.call(|namespace, ctx| namespace.plan_close_file(ctx, truncated.inode, last)).map(drop)
}

/// True for children of a directory.
fn is_child(path: &[u8], directory: &[u8]) -> bool {
    path.strip_prefix(directory)
        .is_some_and(|rest| rest.first() == Some(&b'/') && !rest[1..].contains(&b'/'))
}

impl Generator {
    /// A closed file in a directory with others, for joining; or `/none`.
    fn a_file_with_siblings(&mut self) -> Vec<u8> {
        for _ in 0..8 {
            let path = self.a_closed_file();
            let parent = &path[..path.iter().rposition(|byte| *byte == b'/').unwrap_or(0)];
            let siblings = self
                .tree()
                .iter()
                .filter(|entry| entry.is_file() && is_child(&entry.path, parent))
                .count();
            if siblings > 1 {
                return path;
            }
        }
        b"/none".to_vec()
    }
}

fn concat(generator: &mut Generator) -> Result<()> {
    let target = generator.a_file_with_siblings();
    let parent = target.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
    let mut sources: Vec<Vec<u8>> = Vec::new();
    for entry in generator.tree() {
        let sibling = is_child(&entry.path, &target[..parent]) && entry.status.length > 0;
        if entry.is_file() && sibling && entry.path != target && sources.len() < 3 {
            sources.push(entry.path);
        }
    }
    if generator.one_in(2) {
        sources.reverse();
    }
    let sources: Vec<&[u8]> = sources.iter().map(Vec::as_slice).collect();
    let shown: Vec<String> = sources.iter().map(|source| text(source)).collect();
    generator.say(format!("concat {} {shown:?}", text(&target)));
    generator.call(|namespace, ctx| namespace.plan_concat(ctx, &target, &sources))
}

fn update_pipeline(generator: &mut Generator) -> Result<()> {
    generator.as_superuser();
    let open = generator.an_open_file()?;
    generator.say(format!("updatePipeline {}", text(&open.path)));
    let Some(last) = open.file.blocks.last().copied() else { return Ok(()) };
    let stamp = generator.call(|namespace, ctx| namespace.plan_next_generation_stamp(ctx))?;
    let block = Block { generation_stamp: stamp, ..last };
    generator.call(|namespace, ctx| {
        namespace.plan_update_pipeline(ctx, open.file.inode, &open.client, block)
    })
}

fn reassign(generator: &mut Generator) -> Result<()> {
    generator.as_superuser();
    let open = generator.an_open_file()?;
    generator.say(format!("reassign {}", text(&open.path)));
    let holder = generator.one_of(&["HDFS_NameNode-2023-11-14", "c1", "c5"]);
    generator.call(|namespace, ctx| namespace.plan_reassign_lease(ctx, open.file.inode, holder))
}

/// Stamps of blocks with random ids: only in logs of old clusters.
fn legacy_stamp(generator: &mut Generator) -> Result<()> {
    let next = generator.namespace.identities().legacy_generation_stamp.0 + 1;
    generator.say(format!("legacy generation stamp {next}"));
    let op = SetGenstampV1Op { generation_stamp: GenerationStamp(next) };
    generator.apply_ops(&[EditOp::SetGenstampV1(op)]);
    Ok(())
}
