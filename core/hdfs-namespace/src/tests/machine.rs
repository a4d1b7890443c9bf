//! A namespace driven by a script: one call a line.

use std::fmt::Write;

use hdfs_format::edits::{EditOp, XAttr, XAttrNamespace};
use hdfs_types::{
    Block, Error, FsAction, FsPermission, INodeId, Mono, Result, StorageType, TxId, WallMillis,
};

use crate::*;

/// The namespace, its log and the clock.
pub(super) struct Machine {
    pub(super) namespace: Namespace,
    pub(super) conf: NamespaceConf,
    pub(super) log: Vec<EditOp>,
    pub(super) now: u64,
    user: String,
    groups: Vec<String>,
    pub(super) out: String,
}

impl Machine {
    pub(super) fn new() -> Self {
        let conf = NamespaceConf { min_block_size: 1, ..NamespaceConf::default() };
        Self {
            namespace: Namespace::new(&conf),
            conf,
            log: Vec::new(),
            now: 1_000,
            user: "hdfs".to_owned(),
            groups: vec!["supergroup".to_owned()],
            out: String::new(),
        }
    }

    /// Runs a script; what came of each line.
    pub(super) fn run(mut self, script: &str) -> String {
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let _ = writeln!(self.out, "{line}");
            if let Err(error) = self.step(line) {
                let class = error.kind.java_class().rsplit('.').next().unwrap_or_default();
                let _ = writeln!(self.out, "  ! {class}: {}", error.message);
            }
            self.namespace.check_invariants().expect(line);
        }
        self.replay_equals_live();
        self.out
    }

    /// Runs a script that has no errors.
    pub(super) fn with_script(mut self, script: &str) -> Self {
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
            self.step(line).expect(line);
        }
        self
    }

    /// A second namespace that replays the log is the same.
    pub(super) fn replay_equals_live(&mut self) {
        while self.namespace.reclaim_step(1_000).reclaim_pending {}
        let mut replayed = Namespace::new(&self.conf);
        for (txid, op) in (1..).zip(&self.log) {
            replayed.replay(TxId(txid), op).expect("what was logged can be replayed");
        }
        while replayed.reclaim_step(1_000).reclaim_pending {}
        assert_eq!(replayed.dump(), self.namespace.dump());
        replayed.check_invariants().expect("a replayed tree is whole");
    }

    /// Plans with the machine's context.
    pub(super) fn plan<T>(&self, plan: impl FnOnce(&Namespace, &PlanContext<'_>) -> T) -> T {
        let is_superuser =
            self.user == self.conf.owner || self.groups.contains(&self.conf.supergroup);
        let ctx = PlanContext {
            now: WallMillis(self.now),
            mono: Mono(self.now * 1_000_000),
            caller: Caller { user: &self.user, groups: &self.groups, is_superuser },
            retry: None,
            conf: &self.conf,
            blocks: &AllComplete,
        };
        plan(&self.namespace, &ctx)
    }

    /// Applies a plan and logs it.
    pub(super) fn apply<T>(&mut self, planned: Planned<T>) -> (T, Effects) {
        self.now += 1;
        let first = TxId(self.log.len() as u64 + 1);
        let effects = self.namespace.apply_planned(first, &planned);
        for op in &planned.ops {
            let _ = writeln!(self.out, "  {}", show(op));
        }
        for change in &effects.blocks {
            let _ = writeln!(self.out, "  * {change:?}");
        }
        self.log.extend(planned.ops);
        (planned.result, effects)
    }

    fn answer<T: std::fmt::Debug>(&mut self, planned: Planned<T>) {
        let (result, _) = self.apply(planned);
        let _ = writeln!(self.out, "  = {result:?}");
    }

    fn attempt<T: std::fmt::Debug>(&mut self, attempt: Attempt<T>) {
        match attempt {
            Attempt::Planned(planned) => self.answer(planned),
            Attempt::Release(release) => {
                let _ = writeln!(self.out, "  release {} of {}", release.inode, release.holder);
            }
        }
    }

    pub(super) fn last_block(&self, path: &str) -> Option<Block> {
        let slot = self.namespace.find(path.as_bytes())?;
        self.namespace.blocks_of(slot).last()
    }

    fn step(&mut self, line: &str) -> Result<()> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let word = |index: usize| words.get(index).copied().unwrap_or_default();
        let path = word(1).as_bytes();
        let mode =
            |index: usize| FsPermission(u16::from_str_radix(word(index), 8).unwrap_or(0o755));
        let number = |index: usize| word(index).parse::<u64>().unwrap_or(0);
        match word(0) {
            "as" => {
                self.user = word(1).to_owned();
                self.groups = word(2).split(',').map(str::to_owned).collect();
            }
            "wait" => self.now += number(1),
            "mkdirs" => {
                let plan = self.plan(|ns, ctx| ns.plan_mkdirs(ctx, path, mode(2), None, true))?;
                self.answer(plan);
            }
            "mkdir" => {
                let plan = self.plan(|ns, ctx| ns.plan_mkdirs(ctx, path, mode(2), None, false))?;
                self.answer(plan);
            }
            "create" | "overwrite" => {
                let request = create_request(path, word(2), word(0) == "overwrite");
                let plan = self.plan(|ns, ctx| ns.plan_create(ctx, &request))?;
                self.attempt(plan);
            }
            "delete" => {
                let plan = self.plan(|ns, ctx| ns.plan_delete(ctx, path, word(2) == "-r"))?;
                self.answer(plan);
            }
            "rename" => {
                let dst = word(2).as_bytes();
                let plan = self.plan(|ns, ctx| ns.plan_rename(ctx, path, dst))?;
                self.answer(plan);
            }
            "rename2" => {
                let flags =
                    RenameFlags { overwrite: word(3) == "overwrite", to_trash: word(3) == "trash" };
                let dst = word(2).as_bytes();
                let plan = self.plan(|ns, ctx| ns.plan_rename2(ctx, path, dst, flags))?;
                self.answer(plan);
            }
            "chmod" => {
                let plan = self.plan(|ns, ctx| ns.plan_set_permission(ctx, path, mode(2)))?;
                self.answer(plan);
            }
            "chown" => {
                let (user, group) = (some(word(2)), some(word(3)));
                let plan = self.plan(|ns, ctx| ns.plan_set_owner(ctx, path, user, group))?;
                self.answer(plan);
            }
            "setrep" => {
                let plan =
                    self.plan(|ns, ctx| ns.plan_set_replication(ctx, path, number(2) as u16))?;
                self.answer(plan);
            }
            "touch" => {
                let (mtime, atime) = (number(2).cast_signed(), -1);
                let plan = self.plan(|ns, ctx| ns.plan_set_times(ctx, path, mtime, atime))?;
                self.answer(plan);
            }
            other => self.step_data(other, &words)?,
        }
        Ok(())
    }

    fn step_data(&mut self, verb: &str, words: &[&str]) -> Result<()> {
        let word = |index: usize| words.get(index).copied().unwrap_or_default();
        let path = word(1).as_bytes();
        let last = self.last_block(word(1));
        // `-`: none; otherwise the last block with this length.
        let block = |index: usize| match word(index) {
            "-" | "" => None,
            length => last.map(|last| Block { num_bytes: length.parse().unwrap_or(0), ..last }),
        };
        match verb {
            "add_block" => {
                let request = AddBlockRequest {
                    path,
                    file_id: INodeId(0),
                    client_name: word(2),
                    previous: block(3),
                };
                match self.plan(|ns, ctx| ns.plan_add_block(ctx, &request))? {
                    AddBlockPlan::New(planned) => {
                        self.answer(planned.map(|new| (new.block, new.offset)))
                    }
                    AddBlockPlan::Repeated(new) => {
                        let _ = writeln!(self.out, "  again {:?}", new.block);
                    }
                }
            }
            "abandon" => {
                let Some(block) = last else { return Err(Error::io("no block")) };
                let plan = self
                    .plan(|ns, ctx| ns.plan_abandon_block(ctx, path, INodeId(0), word(2), block))?;
                self.answer(plan);
            }
            "fsync" => {
                let length = word(3).parse().unwrap_or(-1);
                let plan =
                    self.plan(|ns, ctx| ns.plan_fsync(ctx, path, INodeId(0), word(2), length))?;
                self.answer(plan);
            }
            "complete" => {
                let last = block(3);
                let plan =
                    self.plan(|ns, ctx| ns.plan_complete(ctx, path, INodeId(0), word(2), last))?;
                match plan {
                    CompletePlan::AlreadyClosed => self.out.push_str("  already closed\n"),
                    CompletePlan::Close(planned) => self.answer(planned),
                }
            }
            "append" => {
                let request = AppendRequest {
                    path,
                    client_name: word(2),
                    client_machine: "host",
                    new_block: word(3) == "new",
                };
                let plan = self.plan(|ns, ctx| ns.plan_append(ctx, &request))?;
                self.attempt(plan);
            }
            "truncate" => {
                let request = TruncateRequest {
                    path,
                    new_length: word(2).parse().unwrap_or(0),
                    client_name: word(3),
                    client_machine: "host",
                    upgrading: word(4) == "upgrading",
                };
                let plan = self.plan(|ns, ctx| ns.plan_truncate(ctx, &request))?;
                self.attempt(plan);
            }
            "concat" => {
                let sources: Vec<&[u8]> = words[2..].iter().map(|word| word.as_bytes()).collect();
                let plan = self.plan(|ns, ctx| ns.plan_concat(ctx, path, &sources))?;
                self.answer(plan);
            }
            "reassign" => {
                let inode = self.namespace.find(path).map(|slot| self.namespace.record(slot).id());
                let plan = self.plan(|ns, ctx| {
                    ns.plan_reassign_lease(ctx, inode.unwrap_or_default(), word(2))
                })?;
                self.answer(plan);
            }
            "setquota" => {
                let limit = |index| match word(index) {
                    "-" => i64::MAX,
                    number => number.parse().unwrap_or(-1),
                };
                let (names, space) = (limit(2), limit(3));
                let kind = StorageType::ALL.into_iter().find(|kind| kind.name() == word(4));
                let plan = self.plan(|ns, ctx| ns.plan_set_quota(ctx, path, names, space, kind))?;
                self.answer(plan);
            }
            "allow" | "disallow" => {
                let plan = self.plan(|ns, ctx| match verb {
                    "allow" => ns.plan_allow_snapshot(ctx, path),
                    _ => ns.plan_disallow_snapshot(ctx, path),
                })?;
                self.answer(plan);
            }
            "snapshot" => {
                let name = some(word(2)).map(str::as_bytes);
                let plan = self.plan(|ns, ctx| ns.plan_create_snapshot(ctx, path, name))?;
                self.answer(plan.map(|path| text(&path)));
            }
            "rename_snapshot" => {
                let (old, new) = (word(2).as_bytes(), word(3).as_bytes());
                let plan = self.plan(|ns, ctx| ns.plan_rename_snapshot(ctx, path, old, new))?;
                self.answer(plan);
            }
            "delete_snapshot" => {
                let name = word(2).as_bytes();
                let plan = self.plan(|ns, ctx| ns.plan_delete_snapshot(ctx, path, name))?;
                self.answer(plan);
            }
            "collect" => match self.plan(|ns, ctx| ns.plan_collect_snapshot(ctx, None))? {
                Some(plan) => drop(self.apply(plan)),
                None => self.out.push_str("  nothing\n"),
            },
            "policy" => {
                let policy = some(word(2));
                let plan = self.plan(|ns, ctx| ns.plan_set_storage_policy(ctx, path, policy))?;
                self.answer(plan);
            }
            "setfattr" | "rmfattr" => {
                let namespace = match word(2) {
                    "user" => XAttrNamespace::User,
                    "trusted" => XAttrNamespace::Trusted,
                    "system" => XAttrNamespace::System,
                    _ => XAttrNamespace::Security,
                };
                let value = some(word(4)).map(|value| value.as_bytes().to_vec());
                let xattr = XAttr { namespace, name: word(3).to_owned(), value };
                let flags =
                    XAttrSetFlags { create: word(5) != "replace", replace: word(5) != "create" };
                let plan = self.plan(|ns, ctx| match verb {
                    "setfattr" => ns.plan_set_xattr(ctx, path, &xattr, flags),
                    _ => ns.plan_remove_xattr(ctx, path, &xattr),
                })?;
                self.answer(plan);
            }
            "renew" => {
                let now = Mono(self.now * 1_000_000);
                self.namespace.leases_mut().renew(word(1), now);
            }
            other => self.step_query(other, words)?,
        }
        Ok(())
    }

    fn step_query(&mut self, verb: &str, words: &[&str]) -> Result<()> {
        let word = |index: usize| words.get(index).copied().unwrap_or_default();
        let path = word(1).as_bytes();
        match verb {
            "stat" => {
                let status = self.plan(|ns, ctx| ns.get_file_info(ctx, path, true, false))?;
                let line = status.map_or_else(|| "none".to_owned(), |status| show_status(&status));
                let _ = writeln!(self.out, "  {line}");
            }
            "ls" => {
                let listing =
                    self.plan(|ns, ctx| ns.get_listing(ctx, path, word(2).as_bytes(), false))?;
                let listing = listing.unwrap_or_default();
                for entry in &listing.entries {
                    let _ = writeln!(self.out, "  {}", show_status(entry));
                }
                if listing.remaining > 0 {
                    let _ = writeln!(self.out, "  and {} more", listing.remaining);
                }
            }
            "access" => {
                let action = FsAction(word(2).parse().unwrap_or(0));
                self.plan(|ns, ctx| ns.check_access_to(ctx, path, action))?;
            }
            "count" => {
                let summary = self.plan(|ns, ctx| ns.get_content_summary(ctx, path))?;
                let _ = writeln!(
                    self.out,
                    "  {} directories, {} files, {} bytes, {} with replicas",
                    summary.directories, summary.files, summary.length, summary.space_consumed
                );
                let kept = (summary.snapshot_directories, summary.snapshot_files);
                if kept != (0, 0) {
                    let (directories, files) = kept;
                    let bytes = summary.snapshot_length;
                    let _ = writeln!(
                        self.out,
                        "  of them in snapshots only: {directories}, {files}, {bytes}"
                    );
                }
            }
            "diff" => self.diff(path, word(2), word(3))?,
            "usage" => {
                let usage = self.plan(|ns, ctx| ns.get_quota_usage(ctx, path))?;
                let _ = writeln!(
                    self.out,
                    "  {} of {}, {} of {}",
                    usage.file_and_directory_count,
                    usage.quota,
                    usage.space_consumed,
                    usage.space_quota
                );
            }
            "getfattr" => {
                let xattrs = self.plan(|ns, ctx| ns.list_xattrs(ctx, path))?;
                for xattr in xattrs {
                    let _ = writeln!(
                        self.out,
                        "  {:?} {} {:?}",
                        xattr.namespace, xattr.name, xattr.value
                    );
                }
            }
            "recover" => {
                let release =
                    self.plan(|ns, ctx| ns.plan_recover_lease(ctx, path, word(2), "host"))?;
                let _ = writeln!(self.out, "  {:?}", release.map(|release| release.holder));
            }
            "open" => {
                let (files, more) =
                    self.plan(|ns, ctx| ns.list_open_files(ctx, INodeId(0), path))?;
                for file in files {
                    let name = String::from_utf8_lossy(&file.path).into_owned();
                    let _ = writeln!(self.out, "  {} {name} {}", file.inode, file.client_name);
                }
                assert!(!more);
            }
            other => return Err(Error::io(format!("unknown word {other}"))),
        }
        Ok(())
    }
}

/// `-` is none.
fn some(word: &str) -> Option<&str> {
    (!matches!(word, "-" | "")).then_some(word)
}

pub(super) fn create_request<'a>(
    path: &'a [u8],
    client: &'a str,
    overwrite: bool,
) -> CreateRequest<'a> {
    CreateRequest {
        path,
        permission: FsPermission(0o644),
        unmasked: None,
        client_name: client,
        client_machine: "host",
        flags: CreateFlags { create: true, overwrite, ..CreateFlags::default() },
        create_parent: true,
        replication: 3,
        block_size: 1_024,
        ec_policy_name: "",
        storage_policy: "",
        file_key: FileKeySource::NoProvider,
    }
}

fn text(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}

fn show_status(status: &FileStatus) -> String {
    let kind = match status.kind {
        INodeKind::Directory => 'd',
        INodeKind::File => '-',
        INodeKind::Symlink => 'l',
    };
    format!(
        "{kind}{} {} {}:{} {} {} m{} {}",
        status.permission,
        status.replication,
        status.owner,
        status.group,
        status.length,
        status.inode,
        status.mtime.0,
        text(&status.name)
    )
}

/// Name and the fields that matter.
fn show(op: &EditOp) -> String {
    let detail = match op {
        EditOp::Add(op) => format!(
            "{} {} {}:{} {} overwrite={}",
            op.inode_id,
            text(&op.path),
            op.permissions.user,
            op.permissions.group,
            op.permissions.permission,
            op.overwrite
        ),
        EditOp::Mkdir(op) => format!(
            "{} {} {}:{} {} t{}",
            op.inode_id,
            text(&op.path),
            op.permissions.user,
            op.permissions.group,
            op.permissions.permission,
            op.timestamp.0
        ),
        EditOp::Close(op) => format!("{} {:?} m{}", text(&op.path), op.blocks, op.mtime.0),
        EditOp::AddBlock(op) => {
            format!("{} {:?} {:?}", text(&op.path), op.penultimate_block, op.last_block)
        }
        EditOp::UpdateBlocks(op) => format!("{} {:?}", text(&op.path), op.blocks),
        EditOp::Delete(op) => format!("{} t{}", text(&op.path), op.timestamp.0),
        EditOp::RenameOld(op) => format!("{} {}", text(&op.src), text(&op.dst)),
        EditOp::Rename(op) => format!("{} {} {:?}", text(&op.src), text(&op.dst), op.options),
        EditOp::Append(op) => format!("{} {} new={}", text(&op.path), op.client_name, op.new_block),
        EditOp::Truncate(op) => {
            format!("{} {} {:?}", text(&op.src), op.new_length, op.truncate_block)
        }
        EditOp::AllocateBlockId(op) => op.block_id.to_string(),
        EditOp::SetGenstampV2(op) => op.generation_stamp.to_string(),
        EditOp::ReassignLease(op) => {
            format!("{} {} {}", op.lease_holder, text(&op.path), op.new_holder)
        }
        EditOp::SetXAttr(op) => format!("{} {:?}", text(&op.src), op.x_attrs),
        EditOp::RemoveXAttr(op) => format!("{} {:?}", text(&op.src), op.x_attrs),
        EditOp::SetQuota(op) => format!("{} {} {}", text(&op.src), op.ns_quota, op.ds_quota),
        EditOp::SetStoragePolicy(op) => format!("{} {}", text(&op.path), op.policy_id),
        EditOp::SetReplication(op) => format!("{} {}", text(&op.path), op.replication),
        EditOp::SetPermissions(op) => format!("{} {}", text(&op.src), op.permissions),
        EditOp::SetOwner(op) => format!("{} {:?} {:?}", text(&op.src), op.username, op.groupname),
        EditOp::Times(op) => format!("{} {} {}", text(&op.path), op.mtime, op.atime),
        EditOp::AllowSnapshot(op) => text(&op.snapshot_root),
        EditOp::DisallowSnapshot(op) => text(&op.snapshot_root),
        EditOp::CreateSnapshot(op) => {
            format!("{} {} m{}", text(&op.snapshot_root), text(&op.snapshot_name), op.mtime.0)
        }
        EditOp::DeleteSnapshot(op) => {
            format!("{} {} m{}", text(&op.snapshot_root), text(&op.snapshot_name), op.mtime.0)
        }
        EditOp::RenameSnapshot(op) => format!(
            "{} {} {} m{}",
            text(&op.snapshot_root),
            text(&op.snapshot_old_name),
            text(&op.snapshot_new_name),
            op.mtime.0
        ),
        EditOp::ConcatDelete(op) => {
            let sources: Vec<String> = op.srcs.iter().map(|source| text(source)).collect();
            format!("{} {}", text(&op.trg), sources.join(" "))
        }
        other => format!("{other:?}")
            .split_once('(')
            .map_or_else(String::new, |(_, rest)| rest.trim_end_matches(')').to_owned()),
    };
    format!("{} {detail}", op.name())
}
