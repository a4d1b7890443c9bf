//! `hdfs oiv` prints what Apache Hadoop 3.5.0 prints (`testdata/hadoop-3.5.0/oiv`).

#![expect(clippy::unwrap_used, reason = "the whole file is a test")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const IMAGE: &str = "../namenode/fsimage_0000000000000000210";

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/hadoop-3.5.0/oiv")
}

/// Runs the viewer in the folder of the samples.
fn oiv(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hdfs"));
    command.arg("oiv").args(args).current_dir(testdata()).env("TZ", "UTC").output().unwrap()
}

/// Standard output of a run that ends well.
fn text(args: &[&str]) -> String {
    let output = oiv(args);
    assert!(output.status.success(), "{args:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// What Apache printed.
fn apache(file: &str) -> String {
    std::fs::read_to_string(testdata().join(file)).unwrap()
}

#[test]
fn delimited_text_is_that_of_apache() {
    let plain = ["-i", IMAGE, "-p", "Delimited"];
    assert_eq!(text(&plain), apache("delimited.txt"));
    let policies = ["-i", IMAGE, "-p", "delimited", "-sp", "-ec", "-delimiter", "||"];
    assert_eq!(text(&policies), apache("delimited-policies.txt"));
    assert_eq!(text(&["-i", "damaged", "-p", "Delimited"]), apache("damaged-delimited.txt"));
}

#[test]
fn threads_and_tables_on_disk_change_nothing_in_delimited_text() {
    let temp = Path::new(env!("CARGO_TARGET_TMPDIR")).join("oiv-tables");
    let temp = temp.to_str().unwrap();
    let _ = std::fs::remove_dir_all(temp);
    let args = ["-i", IMAGE, "-p", "Delimited", "-m", "3", "-t", temp];
    assert_eq!(text(&args), apache("delimited.txt"));
    assert!(!Path::new(temp).exists(), "the tables are deleted");
    std::fs::create_dir(temp).unwrap();
    let refused = oiv(&args);
    assert_eq!(refused.status.code(), Some(255));
    let message = String::from_utf8(refused.stderr).unwrap();
    assert!(message.contains(&format!("Folder {temp} already exists!")), "{message}");
    std::fs::remove_dir(temp).unwrap();
}

#[test]
fn sizes_of_files_are_counted_as_apache_counts_them() {
    let args = ["-i", IMAGE, "-p", "FileDistribution", "-maxSize", "10000", "-step", "1000"];
    assert_eq!(text(&args), apache("distribution.txt"));
    let readable = [args.as_slice(), &["-format"]].concat();
    assert_eq!(text(&readable), apache("distribution-format.txt"));
}

#[test]
fn what_directories_list_and_the_image_lacks_is_found() {
    let args = ["-i", "damaged", "-p", "DetectCorruption"];
    assert_eq!(text(&args), apache("damaged-corruption.txt"));
    assert_eq!(text(&["-i", IMAGE, "-p", "DetectCorruption"]).lines().count(), 1);
}

#[test]
fn bad_input_ends_with_hadoops_status_and_message() {
    let cases: [(&[&str], i32, &str); 5] = [
        (&["-i", "nothing", "-p", "XML"], 255, "Exiting: nothing (No such file or directory)"),
        (&["-i", "PROVENANCE.md", "-p", "XML"], 255, "Exiting: Unrecognized FSImage"),
        (
            &["-i", IMAGE, "-p", "XML", "-m", "x"],
            1,
            "NumberFormatException: For input string: \"x\"",
        ),
        (
            &["-i", IMAGE, "-p", "XML", "-o", "/nowhere/x"],
            255,
            "/nowhere/x (No such file or directory)",
        ),
        (&["-i", IMAGE, "-p", "Nothing"], 255, "Invalid processor specified : Nothing"),
    ];
    for (args, status, message) in cases {
        let output = oiv(args);
        assert_eq!(output.status.code(), Some(status), "{args:?}");
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(errors.contains(message), "{args:?}: {errors}");
    }
}
