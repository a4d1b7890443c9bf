//! Snapshots looked at: paths below `.snapshot`, summaries, reports of differences.

use std::fmt::Write;

use expect_test::{Expect, expect};
use hdfs_types::{ErrorKind, Result};

use super::machine::Machine;
use crate::DiffCursor;

fn check(script: &str, expected: Expect) {
    expected.assert_eq(&Machine::new().run(script));
}

impl Machine {
    /// Prints a report, and checks that its parts hold the same changes, whatever their size.
    pub(super) fn diff(&mut self, path: &[u8], from: &str, to: &str) -> Result<()> {
        let name = |name: &str| if name == "." { Vec::new() } else { name.as_bytes().to_vec() };
        let (from, to) = (name(from), name(to));
        let report = self.plan(|ns, ctx| ns.get_snapshot_diff(ctx, path, &from, &to))?;
        for budget in 1..5 {
            let in_slices = self.plan(|ns, ctx| -> Result<_> {
                let mut cursor = ns.begin_snapshot_diff(ctx, path, &from, &to)?;
                while !ns.continue_snapshot_diff(ctx, &mut cursor, budget)? {}
                Ok(cursor.into_report())
            })?;
            assert_eq!(in_slices, report, "in slices of {budget}");
        }
        let text = |path: &[u8]| format!("./{}", String::from_utf8_lossy(path));
        for entry in &report.entries {
            let target =
                entry.target.as_ref().map_or_else(String::new, |to| format!(" -> {}", text(to)));
            let line = format!("{} {}{target}", entry.kind.label(), text(&entry.path));
            let _ = writeln!(self.out, "  {line}");
        }
        let whole = self.parts(path, (&from, &to), 1_000)?;
        for limit in 1..6 {
            assert_eq!(self.parts(path, (&from, &to), limit)?, whole, "in parts of {limit}");
        }
        Ok(())
    }

    fn parts(&mut self, path: &[u8], names: (&[u8], &[u8]), limit: usize) -> Result<Vec<String>> {
        let before = std::mem::replace(&mut self.conf.snapshot_diff_listing_limit, limit);
        let mut cursor = DiffCursor::default();
        let mut all = Vec::new();
        loop {
            let part =
                self.plan(|ns, ctx| ns.get_snapshot_diff_listing(ctx, path, names, &cursor))?;
            let lists = [("M", part.modified), ("+", part.created), ("-", part.deleted)];
            for (label, list) in lists {
                assert!(list.len() <= limit);
                all.extend(list.iter().map(|entry| format!("{label} {entry:?}")));
            }
            cursor = part.cursor;
            if cursor == DiffCursor::default() {
                break;
            }
        }
        self.conf.snapshot_diff_listing_limit = before;
        all.sort();
        Ok(all)
    }
}

#[test]
fn a_snapshot_shows_the_tree_as_it_was() {
    check(
        "mkdirs /d/e
         create /d/e/f c1
         complete /d/e/f c1 -
         chmod /d/e 750
         allow /d
         snapshot /d s1
         chmod /d/e 700
         chown /d/e/f bob users
         mkdirs /d/e/new
         setrep /d/e/f 2
         snapshot /d s2
         ls /d/.snapshot
         ls /d/.snapshot/s1
         ls /d/.snapshot/s1/e
         ls /d/.snapshot/s2/e
         stat /d/.snapshot
         stat /d/.snapshot/s1
         stat /d/.snapshot/s3
         ls /d/.snapshot s1
         ls /d/e/.snapshot
         mkdirs /d/.snapshot/s1/x
         delete /d/.snapshot/s1/e
         as bob users
         ls /d/.snapshot/s1/e
         ls /d/.snapshot/s2/e",
        expect![[r#"
            mkdirs /d/e
              OP_MKDIR 16386 /d hdfs:supergroup rwxr-xr-x t1000
              OP_MKDIR 16387 /d/e hdfs:supergroup rwxr-xr-x t1000
              = true
            create /d/e/f c1
              OP_ADD 16388 /d/e/f hdfs:supergroup rw-r--r-- overwrite=false
              = INodeId(16388)
            complete /d/e/f c1 -
              OP_CLOSE /d/e/f [] m1002
              = INodeId(16388)
            chmod /d/e 750
              OP_SET_PERMISSIONS /d/e rwxr-x---
              = ()
            allow /d
              OP_ALLOW_SNAPSHOT /d
              = ()
            snapshot /d s1
              OP_CREATE_SNAPSHOT /d s1 m1005
              = "/d/.snapshot/s1"
            chmod /d/e 700
              OP_SET_PERMISSIONS /d/e rwx------
              = ()
            chown /d/e/f bob users
              OP_SET_OWNER /d/e/f Some("bob") Some("users")
              = ()
            mkdirs /d/e/new
              OP_MKDIR 16389 /d/e/new hdfs:supergroup rwxr-xr-x t1008
              = true
            setrep /d/e/f 2
              OP_SET_REPLICATION /d/e/f 2
              = true
            snapshot /d s2
              OP_CREATE_SNAPSHOT /d s2 m1010
              = "/d/.snapshot/s2"
            ls /d/.snapshot
              drwxr-xr-x 0 hdfs:supergroup 0 16386 m1005 s1
              drwxr-xr-x 0 hdfs:supergroup 0 16386 m1010 s2
            ls /d/.snapshot/s1
              drwxr-x--- 0 hdfs:supergroup 0 16387 m1001 e
            ls /d/.snapshot/s1/e
              -rw-r--r-- 3 hdfs:supergroup 0 16388 m1002 f
            ls /d/.snapshot/s2/e
              -rw-r--r-- 2 bob:users 0 16388 m1002 f
              drwxr-xr-x 0 hdfs:supergroup 0 16389 m1008 new
            stat /d/.snapshot
              drwxrwxrwx 0 : 0 18446744073709551615 m0 
            stat /d/.snapshot/s1
              drwxr-xr-x 0 hdfs:supergroup 0 16386 m1005 
            stat /d/.snapshot/s3
              none
            ls /d/.snapshot s1
              drwxr-xr-x 0 hdfs:supergroup 0 16386 m1010 s2
            ls /d/e/.snapshot
              ! SnapshotException: Directory is not a snapshottable directory: /d/e
            mkdirs /d/.snapshot/s1/x
              ! SnapshotAccessControlException: Modification on a read-only snapshot is disallowed
            delete /d/.snapshot/s1/e
              ! SnapshotAccessControlException: Modification on a read-only snapshot is disallowed
            as bob users
            ls /d/.snapshot/s1/e
              ! AccessControlException: Permission denied: user=bob, access=READ_EXECUTE, inode="/d/.snapshot/s1/e":hdfs:supergroup:drwxr-x---
            ls /d/.snapshot/s2/e
              ! AccessControlException: Permission denied: user=bob, access=READ_EXECUTE, inode="/d/.snapshot/s2/e":hdfs:supergroup:drwx------
        "#]],
    );
}

#[test]
fn a_report_says_what_changed_between_two_states() {
    check(
        "mkdirs /d/a
         mkdirs /d/b
         create /d/a/f c1
         complete /d/a/f c1 -
         allow /d
         snapshot /d s1
         mkdirs /d/a/new
         chmod /d/b 700
         chmod /d/a/f 600
         snapshot /d s2
         mkdirs /d/b/later
         diff /d s1 s2
         diff /d s2 s1
         diff /d s1 .
         diff /d . s2
         diff /d/a s1 s2
         diff /d s1 s1
         diff /d s1 s9
         diff / s1 s2",
        expect![[r#"
            mkdirs /d/a
              OP_MKDIR 16386 /d hdfs:supergroup rwxr-xr-x t1000
              OP_MKDIR 16387 /d/a hdfs:supergroup rwxr-xr-x t1000
              = true
            mkdirs /d/b
              OP_MKDIR 16388 /d/b hdfs:supergroup rwxr-xr-x t1001
              = true
            create /d/a/f c1
              OP_ADD 16389 /d/a/f hdfs:supergroup rw-r--r-- overwrite=false
              = INodeId(16389)
            complete /d/a/f c1 -
              OP_CLOSE /d/a/f [] m1003
              = INodeId(16389)
            allow /d
              OP_ALLOW_SNAPSHOT /d
              = ()
            snapshot /d s1
              OP_CREATE_SNAPSHOT /d s1 m1005
              = "/d/.snapshot/s1"
            mkdirs /d/a/new
              OP_MKDIR 16390 /d/a/new hdfs:supergroup rwxr-xr-x t1006
              = true
            chmod /d/b 700
              OP_SET_PERMISSIONS /d/b rwx------
              = ()
            chmod /d/a/f 600
              OP_SET_PERMISSIONS /d/a/f rw-------
              = ()
            snapshot /d s2
              OP_CREATE_SNAPSHOT /d s2 m1009
              = "/d/.snapshot/s2"
            mkdirs /d/b/later
              OP_MKDIR 16391 /d/b/later hdfs:supergroup rwxr-xr-x t1010
              = true
            diff /d s1 s2
              M ./a
              + ./a/new
              M ./b
              M ./a/f
            diff /d s2 s1
              M ./a
              - ./a/new
              M ./b
              M ./a/f
            diff /d s1 .
              M ./a
              + ./a/new
              M ./b
              + ./b/later
              M ./a/f
            diff /d . s2
              M ./b
              - ./b/later
            diff /d/a s1 s2
              M ./
              + ./new
              M ./f
            diff /d s1 s1
            diff /d s1 s9
              ! SnapshotException: Cannot find the snapshot of directory /d with name s9
            diff / s1 s2
              ! SnapshotException: Cannot find the snapshot of directory / with name s1
        "#]],
    );
}

#[test]
fn what_was_renamed_or_deleted_is_found_where_it_was() {
    check(
        "mkdirs /d/a
         mkdirs /d/b
         mkdirs /out
         create /d/a/f c1
         complete /d/a/f c1 -
         create /d/a/x c1
         complete /d/a/x c1 -
         allow /d
         snapshot /d s1
         rename /d/a/f /d/b/g
         rename /d/a/x /out/x
         delete /d/a
         snapshot /d s2
         ls /d/.snapshot/s1/a
         ls /d/.snapshot/s2
         ls /d/.snapshot/s2/b
         diff /d s1 s2
         diff /d s2 s1
         rename /d/b /d/c
         diff /d s1 .
         diff /d . s1
         count /d
         count /d/.snapshot/s1
         count /d/.snapshot/s2
         delete /d
         delete_snapshot /d s1
         ls /d/.snapshot
         diff /d s2 .",
        expect![[r#"
            mkdirs /d/a
              OP_MKDIR 16386 /d hdfs:supergroup rwxr-xr-x t1000
              OP_MKDIR 16387 /d/a hdfs:supergroup rwxr-xr-x t1000
              = true
            mkdirs /d/b
              OP_MKDIR 16388 /d/b hdfs:supergroup rwxr-xr-x t1001
              = true
            mkdirs /out
              OP_MKDIR 16389 /out hdfs:supergroup rwxr-xr-x t1002
              = true
            create /d/a/f c1
              OP_ADD 16390 /d/a/f hdfs:supergroup rw-r--r-- overwrite=false
              = INodeId(16390)
            complete /d/a/f c1 -
              OP_CLOSE /d/a/f [] m1004
              = INodeId(16390)
            create /d/a/x c1
              OP_ADD 16391 /d/a/x hdfs:supergroup rw-r--r-- overwrite=false
              = INodeId(16391)
            complete /d/a/x c1 -
              OP_CLOSE /d/a/x [] m1006
              = INodeId(16391)
            allow /d
              OP_ALLOW_SNAPSHOT /d
              = ()
            snapshot /d s1
              OP_CREATE_SNAPSHOT /d s1 m1008
              = "/d/.snapshot/s1"
            rename /d/a/f /d/b/g
              OP_RENAME_OLD /d/a/f /d/b/g
              = true
            rename /d/a/x /out/x
              OP_RENAME_OLD /d/a/x /out/x
              = true
            delete /d/a
              OP_DELETE /d/a t1011
              = true
            snapshot /d s2
              OP_CREATE_SNAPSHOT /d s2 m1012
              = "/d/.snapshot/s2"
            ls /d/.snapshot/s1/a
              -rw-r--r-- 3 hdfs:supergroup 0 16390 m1004 f
              -rw-r--r-- 3 hdfs:supergroup 0 16391 m1006 x
            ls /d/.snapshot/s2
              drwxr-xr-x 0 hdfs:supergroup 0 16388 m1009 b
            ls /d/.snapshot/s2/b
              -rw-r--r-- 3 hdfs:supergroup 0 16390 m1004 g
            diff /d s1 s2
              M ./
              - ./a
              M ./b
              + ./b/g
            diff /d s2 s1
              M ./
              + ./a
              M ./b
              - ./b/g
            rename /d/b /d/c
              OP_RENAME_OLD /d/b /d/c
              = true
            diff /d s1 .
              M ./
              - ./a
              R ./b -> ./c
              M ./b
              + ./b/g
            diff /d . s1
              M ./
              + ./a
              R ./c -> ./b
              M ./b
              - ./b/g
            count /d
              4 directories, 4 files, 0 bytes, 0 with replicas
              of them in snapshots only: 2, 3, 0
            count /d/.snapshot/s1
              3 directories, 2 files, 0 bytes, 0 with replicas
            count /d/.snapshot/s2
              2 directories, 1 files, 0 bytes, 0 with replicas
            delete /d
              ! PathIsNotEmptyDirectoryException: `/d is non empty': Directory is not empty
            delete_snapshot /d s1
              OP_DELETE_SNAPSHOT /d s1 m1014
              = ()
            ls /d/.snapshot
              drwxr-xr-x 0 hdfs:supergroup 0 16386 m1012 s2
            diff /d s2 .
              M ./
              R ./b -> ./c
        "#]],
    );
}

#[test]
fn a_part_that_begins_behind_what_a_directory_has_is_refused() {
    let machine = Machine::new().with_script(
        "mkdirs /d/x
         allow /d
         snapshot /d s1
         mkdirs /d/x/new
         snapshot /d s2",
    );
    let part = |path: &[u8], start: &[u8], index| {
        let cursor = DiffCursor { start_path: start.to_vec(), index };
        let names: (&[u8], &[u8]) = (b"s1", b"s2");
        machine.plan(|ns, ctx| ns.get_snapshot_diff_listing(ctx, path, names, &cursor))
    };
    for (start, created, next) in [("x", 1, -1), ("x/", 1, -1), ("/x", 0, 0), ("y", 0, 0)] {
        let part = part(b"/d", start.as_bytes(), 0).unwrap();
        assert_eq!((part.created.len(), part.cursor.index), (created, next), "{start}");
    }
    for (index, message) in [(3, "Index: 2, Size: 0"), (-2, "Index: -2, Size: 1")] {
        let error = part(b"/d", b"x", index).unwrap_err();
        assert_eq!((error.kind, &*error.message), (ErrorKind::IndexOutOfBounds, message));
    }
    // The root of a snapshot is another directory to Hadoop, which has not changed; `.snapshot` is none.
    assert_eq!(part(b"/d/.snapshot/s1", b"", -1).unwrap().modified.len(), 1);
    assert_eq!(part(b"/d/.snapshot", b"", -1).unwrap_err().kind, ErrorKind::FileNotFound);
}
