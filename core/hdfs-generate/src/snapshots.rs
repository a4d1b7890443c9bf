//! Calls on snapshots.

use hdfs_types::{Result, Rng};

use crate::Generator;
use crate::generator::Call;
use crate::pick::{Entry, text};
use crate::snapshot_views::Taken;

pub(crate) const CALLS: &[(u32, Call)] =
    &[(3, allow), (6, create), (2, rename), (3, delete), (1, disallow)];

/// More of them, for deletion in order.
pub(crate) const IN_ORDER: &[(u32, Call)] = &[(3, create), (1, rename), (4, delete)];

/// Names of snapshots: few, so that some exist.
const NAMES: [&str; 4] = ["s0", "s1", "s2", "sn\u{ef}p"];

impl Generator {
    fn a_snapshottable_directory(&mut self) -> Option<Vec<u8>> {
        self.existing(|entry| entry.status.snapshottable && entry.path != b"/")
    }

    fn oldest_snapshot(&self) -> Option<(Vec<u8>, String)> {
        let taken = self.snapshots.taken.first()?;
        Some((self.namespace.path(taken.directory)?, taken.name.clone()))
    }

    /// A directory and the name of one of its snapshots.
    fn a_snapshot(&mut self) -> Option<(Vec<u8>, String)> {
        let count = self.snapshots.taken.len() as u64;
        let index = if count == 0 { return None } else { self.rng.below(count) as usize };
        let taken = &self.snapshots.taken[index];
        let path = self.namespace.path(taken.directory)?;
        Some((path, taken.name.clone()))
    }
}

fn allow(generator: &mut Generator) -> Result<()> {
    generator.as_superuser();
    let below = |entry: &Entry| entry.is_directory() && !entry.status.snapshottable;
    let path = generator.existing(below).unwrap_or_else(|| b"/".to_vec());
    generator.say(format!("allowSnapshot {}", text(&path)));
    generator.call(|namespace, ctx| namespace.plan_allow_snapshot(ctx, &path))
}

fn create(generator: &mut Generator) -> Result<()> {
    generator.as_superuser();
    let Some(path) = generator.a_snapshottable_directory() else { return allow(generator) };
    let name = generator.one_of(&NAMES).to_owned();
    generator.say(format!("createSnapshot {} {name}", text(&path)));
    generator
        .call(|namespace, ctx| namespace.plan_create_snapshot(ctx, &path, Some(name.as_bytes())))?;
    let status =
        generator.with(|namespace, ctx| namespace.get_file_info(ctx, &path, false, false))?;
    if let Some(status) = status {
        generator.snapshots.taken.push(Taken::new(status.inode, name));
    }
    Ok(())
}

fn rename(generator: &mut Generator) -> Result<()> {
    generator.as_superuser();
    let Some((path, old)) = generator.a_snapshot() else { return create(generator) };
    let new = generator.one_of(&NAMES).to_owned();
    generator.say(format!("renameSnapshot {} {old} {new}", text(&path)));
    generator.call(|namespace, ctx| {
        namespace.plan_rename_snapshot(ctx, &path, old.as_bytes(), new.as_bytes())
    })?;
    generator.snapshots.renamed(&generator.namespace, &path, &old, new);
    Ok(())
}

fn delete(generator: &mut Generator) -> Result<()> {
    generator.as_superuser();
    let in_order = generator.conf().ordered_snapshot_deletion;
    if in_order && generator.one_in(2) {
        return collect(generator);
    }
    // The oldest one now and then, so that there is something to collect.
    let oldest = in_order && generator.one_in(2);
    let chosen = if oldest { generator.oldest_snapshot() } else { generator.a_snapshot() };
    let Some((path, name)) = chosen else { return create(generator) };
    generator.say(format!("deleteSnapshot {} {name}", text(&path)));
    let marked = generator.with(|namespace, ctx| namespace.get_snapshot_listing(ctx, &path))?;
    let marked = marked.iter().find(|snapshot| snapshot.status.name == name.as_bytes());
    let marked = marked.map(|snapshot| format!("{name}#{}", snapshot.id));
    generator.call(|namespace, ctx| namespace.plan_delete_snapshot(ctx, &path, name.as_bytes()))?;
    let left = generator.with(|namespace, ctx| namespace.get_snapshot_listing(ctx, &path))?;
    let is_left = |new: &String| left.iter().any(|snapshot| snapshot.status.name == new.as_bytes());
    match marked.filter(is_left) {
        Some(new) => generator.snapshots.renamed(&generator.namespace, &path, &name, new),
        None => generator.snapshots.deleted(&generator.namespace, &path, &name),
    }
    Ok(())
}

/// What the NameNode does by itself when snapshots are deleted in order.
fn collect(generator: &mut Generator) -> Result<()> {
    generator.say("collect a snapshot".to_owned());
    let planned = generator.with(|namespace, ctx| namespace.plan_collect_snapshot(ctx, None))?;
    if let Some(planned) = planned {
        let collected = generator.apply(planned);
        let name = String::from_utf8_lossy(&collected.name).into_owned();
        generator.snapshots.deleted(&generator.namespace, &collected.path, &name);
    }
    Ok(())
}

fn disallow(generator: &mut Generator) -> Result<()> {
    generator.as_superuser();
    let Some(path) = generator.a_snapshottable_directory() else { return allow(generator) };
    generator.say(format!("disallowSnapshot {}", text(&path)));
    generator.call(|namespace, ctx| namespace.plan_disallow_snapshot(ctx, &path))
}
