//! What operators meet: ports in use, folders that are wrong, files that are damaged, disks that are full. Each gives an
//! error that names the thing and the remedy, and loses nothing.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use hdfs_client::blocking::HdfsClient;

use crate::site::Site;

const LIMIT: Duration = Duration::from_secs(20);

/// Starts the role, expects it to give up, and returns what it printed.
fn refusal(site: &mut Site, role: &str) -> String {
    let before = site.log_text(role).len();
    site.start(role);
    let status = site.wait_for_end(role, LIMIT);
    let text = site.log_text(role)[before..].to_owned();
    let status = status.unwrap_or_else(|| panic!("{role} goes on; it printed:\n{text}"));
    assert!(!status.success(), "{role} ended with success; it printed:\n{text}");
    assert!(!text.contains("panicked"), "{role} panicked:\n{text}");
    site.kill(role);
    text
}

fn assert_names(text: &str, wanted: &[&str]) {
    for part in wanted {
        assert!(text.contains(part), "the error does not name `{part}`:\n{text}");
    }
}

/// Makes some directories and a closed file, so that there is something to lose.
fn fill(client: &HdfsClient) {
    for number in 0..20 {
        client.mkdirs(&format!("/kept/{number}"), None, true).expect("mkdir");
    }
}

fn assert_kept(site: &Site) {
    let client = site.client();
    for number in 0..20 {
        assert!(
            client.exists(&format!("/kept/{number}")).expect("exists"),
            "/kept/{number} is gone"
        );
    }
}

fn newest(site: &Site, prefix: &str) -> PathBuf {
    let folder = site.dir.join("name/current");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("the name folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            name.starts_with(prefix) && !name.ends_with(".md5")
        })
        .collect();
    files.sort();
    files.pop().unwrap_or_else(|| panic!("no {prefix} file in {}", folder.display()))
}

fn flip(file: &Path, offset: usize) {
    let mut bytes = std::fs::read(file).expect("read the file");
    bytes[offset] ^= 0x10;
    std::fs::write(file, bytes).expect("write the file");
}

#[test]
fn a_namenode_that_is_not_formatted_says_how_to_format_it() {
    let mut site = Site::new("unformatted", 0, &[]);
    let text = refusal(&mut site, "namenode");
    assert_names(&text, &["name", "-format"]);
}

#[test]
fn a_port_in_use_is_named_with_its_key() {
    let mut site = Site::new("port", 0, &[]);
    assert!(site.hdfs(&["namenode", "-format", "-nonInteractive"]).status.success());
    let taken = TcpListener::bind(("127.0.0.1", site.namenode_port)).expect("the port is free");
    let text = refusal(&mut site, "namenode");
    assert_names(&text, &[&site.namenode_port.to_string(), "dfs.namenode.rpc-address"]);
    drop(taken);
}

#[test]
fn a_name_folder_that_is_a_file_is_named() {
    let mut site = Site::new("folder", 0, &[]);
    assert!(site.hdfs(&["namenode", "-format", "-nonInteractive"]).status.success());
    std::fs::remove_dir_all(site.dir.join("name")).expect("remove the folder");
    std::fs::write(site.dir.join("name"), b"a file").expect("write a file");
    let text = refusal(&mut site, "namenode");
    assert_names(&text, &[&site.dir.join("name").display().to_string()]);
}

#[test]
fn a_folder_in_use_by_another_namenode_is_refused() {
    let mut site = Site::running("in-use", 0, &[]);
    let other = Site::new(
        "in-use-other",
        0,
        &[("dfs.namenode.name.dir", &format!("file://{}/name", site.dir.display()))],
    );
    let mut other = other;
    let text = refusal(&mut other, "namenode");
    assert_names(&text, &["name", "lock"]);
    fill(&site.client());
    assert_kept(&site);
    site.kill("namenode");
}

#[test]
fn a_second_format_without_force_changes_nothing() {
    let mut site = Site::running("reformat", 0, &[]);
    fill(&site.client());
    site.kill("namenode");
    let again = site.hdfs(&["namenode", "-format", "-nonInteractive"]);
    assert_eq!(again.status.code(), Some(1));
    site.start("namenode");
    site.wait_until_writable();
    assert_kept(&site);
}

#[test]
fn a_damaged_image_is_refused_by_name_and_the_repaired_one_starts() {
    let mut site = Site::running("image", 0, &[]);
    site.kill("namenode");
    let image = newest(&site, "fsimage_");
    let middle = std::fs::metadata(&image).expect("the image").len() as usize / 2;
    flip(&image, middle);
    let text = refusal(&mut site, "namenode");
    assert_names(&text, &[&image.file_name().expect("a name").to_string_lossy()]);
    flip(&image, middle);
    site.start("namenode");
    site.wait_until_writable();
    fill(&site.client());
    assert_kept(&site);
}

#[test]
fn damage_inside_the_edit_log_is_refused_and_never_cut_off() {
    let mut site = Site::running("edits", 0, &[]);
    fill(&site.client());
    site.kill("namenode");
    let edits = newest(&site, "edits_inprogress_");
    let before = std::fs::read(&edits).expect("the segment");
    // Well inside the first of many operations.
    flip(&edits, 60);
    let text = refusal(&mut site, "namenode");
    assert_names(&text, &[&edits.file_name().expect("a name").to_string_lossy()]);
    flip(&edits, 60);
    assert!(
        std::fs::read(&edits).expect("the segment") == before,
        "the refused segment was changed"
    );
    site.start("namenode");
    site.wait_until_writable();
    assert_kept(&site);
}

#[test]
fn a_finalized_segment_that_is_cut_short_is_refused() {
    let mut site = Site::running("cut", 0, &[]);
    fill(&site.client());
    site.client().roll_edits().expect("roll the edit log");
    site.kill("namenode");
    let folder = site.dir.join("name/current");
    let finalized = std::fs::read_dir(&folder)
        .expect("the name folder")
        .map(|entry| entry.expect("an entry").path())
        .find(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            name.starts_with("edits_0") && name.contains('-')
        })
        .expect("a finalized segment");
    let whole = std::fs::read(&finalized).expect("the segment");
    std::fs::write(&finalized, &whole[..whole.len() / 2]).expect("cut the segment");
    let text = refusal(&mut site, "namenode");
    assert_names(&text, &[&finalized.file_name().expect("a name").to_string_lossy()]);
    std::fs::write(&finalized, &whole).expect("restore the segment");
    site.start("namenode");
    site.wait_until_writable();
    assert_kept(&site);
}

#[test]
fn a_torn_tail_of_the_last_segment_is_cut_and_the_rest_is_there() {
    let mut site = Site::running("torn", 0, &[]);
    fill(&site.client());
    site.kill("namenode");
    let edits = newest(&site, "edits_inprogress_");
    let bytes = std::fs::read(&edits).expect("the segment");
    let used = bytes.iter().rposition(|byte| *byte != 0xFF).expect("some operations") + 1;
    // Half an operation that was never acknowledged: its opcode and length, and no more.
    let mut torn = bytes[..used].to_vec();
    torn.extend_from_slice(&[3, 0, 0, 0, 90, 0, 0]);
    std::fs::write(&edits, torn).expect("tear the segment");
    site.start("namenode");
    site.wait_until_writable();
    assert_kept(&site);
}

/// A small file system of its own, unmounted when dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(dir: &Path, size: &str) -> Option<Self> {
        std::fs::create_dir_all(dir).expect("make the mount point");
        let options = format!("size={size}");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
            .arg(dir)
            .status()
            .is_ok_and(|status| status.success());
        mounted.then(|| Self(dir.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        if !Command::new("umount").arg(&self.0).status().is_ok_and(|status| status.success()) {
            eprintln!("could not unmount {}", self.0.display());
        }
    }
}

#[test]
fn a_full_disk_stops_the_namenode_with_an_error_and_loses_nothing() {
    let mount = std::env::temp_dir().join(format!("tusk-full-{}", std::process::id()));
    let Some(disk) = SmallDisk::mount(&mount, "8m") else {
        eprintln!("not run: mounting a small tmpfs needs root");
        return;
    };
    let name_dir = format!("file://{}/name", disk.0.display());
    let mut site = Site::running("full-disk", 0, &[("dfs.namenode.name.dir", &name_dir)]);
    let client = site.client();
    fill(&client);
    // Takes all that is left.
    std::fs::write(disk.0.join("ballast"), vec![0; 16 << 20]).expect_err("the disk is small");
    let mut made = 0;
    for number in 0..200_000_u32 {
        match client.mkdirs(&format!("/made/{number:06}/{}", "x".repeat(200)), None, true) {
            Ok(_) => made = number + 1,
            Err(_) => break,
        }
    }
    assert!(made < 200_000, "the disk never filled");
    let status = site.wait_for_end("namenode", LIMIT);
    let log = site.log_text("namenode");
    assert!(status.is_some_and(|status| !status.success()), "the NameNode goes on:\n{log}");
    assert_names(&log, &["No space left", &disk.0.join("name").display().to_string()]);
    site.kill("namenode");
    std::fs::remove_file(disk.0.join("ballast")).expect("remove the ballast");
    site.start("namenode");
    site.wait_until_writable();
    assert_kept(&site);
    for number in 0..made {
        let path = format!("/made/{number:06}/{}", "x".repeat(200));
        assert!(client.exists(&path).expect("exists"), "{path} was acknowledged, and is gone");
    }
    drop(site);
    drop(disk);
}
