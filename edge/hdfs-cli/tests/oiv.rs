//! `hdfs oiv` prints what Apache Hadoop 3.5.0 prints (`testdata/hadoop-3.5.0/oiv`).

#![expect(clippy::unwrap_used, reason = "the whole file is a test")]

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

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

/// A path in a folder of this test's own.
fn scratch(name: &str) -> String {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name).to_str().unwrap().to_owned()
}

#[test]
fn xml_becomes_the_image_that_apache_makes_of_it() {
    let to = scratch("oiv-reversed");
    assert_eq!(text(&["-i", "damaged.xml", "-p", "ReverseXML", "-o", &to]), "");
    let bytes = |file: &str| std::fs::read(testdata().join(file)).unwrap();
    assert!(bytes(&to) == bytes("damaged"));
    let md5 = String::from_utf8(bytes(&format!("{to}.md5"))).unwrap();
    assert_eq!(md5.replace("oiv-reversed", "damaged"), apache("damaged.md5"));
    assert_eq!(text(&["-i", &to, "-p", "XML"]), apache("damaged.xml"));
}

#[test]
fn cache_pools_survive_the_way_through_xml() {
    let (xml, image) = (scratch("oiv-pools.xml"), scratch("oiv-pools"));
    text(&["-i", IMAGE, "-p", "XML", "-o", &xml]);
    // XML turns a carriage return (the length of an attribute) into a line break, on the way back.
    let document = std::fs::read_to_string(&xml).unwrap().replace('\r', "\n");
    assert!(document.contains("<pool>") && document.contains("<directive>"));
    std::fs::write(&xml, &document).unwrap();
    text(&["-i", &xml, "-p", "ReverseXML", "-o", &image]);
    assert_eq!(text(&["-i", &image, "-p", "XML"]), document);
}

#[test]
fn wrong_xml_is_refused_in_hadoops_words() {
    let document = apache("damaged.xml");
    let cases = [
        (
            "<layoutVersion>-67",
            "<layoutVersion>-66",
            "Layout version mismatch.  This oiv tool handles",
        ),
        ("<numInodes>22", "<numInodes>23", "Only found 22 <inode> entries out of 23"),
        ("<txid>", "<other>2</other><bogus>1</bogus><txid>", "keys in NameSection: bogus, other"),
        ("SnapshotSection>", "Sektion>", "Unknown or duplicate section found for Sektion"),
        ("<type>FILE", "<type>FIFO", "INode XML found with unknown <type> tag FIFO"),
        (
            "<permission>root:",
            "<permission>root:x:",
            "root:x:supergroup:0755: expected 3 components",
        ),
        ("<ns>SYSTEM", "<ns>X", "XAttrProtos.XAttrProto.XAttrNamespaceProto.X"),
    ];
    for (from, to, message) in cases {
        let file = scratch("oiv-wrong.xml");
        assert!(document.contains(from), "{from}");
        std::fs::write(&file, document.replace(from, to)).unwrap();
        let output = oiv(&["-i", &file, "-p", "ReverseXML", "-o", &scratch("oiv-wrong")]);
        assert_eq!(output.status.code(), Some(1), "{from}");
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(errors.starts_with("OfflineImageReconstructor failed: "), "{errors}");
        assert!(errors.contains(message), "{from}: {errors}");
        assert!(!Path::new(&scratch("oiv-wrong.md5")).exists());
    }
}

/// A viewer that is stopped with the test.
struct Viewer {
    process: Child,
    addr: String,
}

impl Viewer {
    fn start() -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hdfs"));
        command.args(["oiv", "-i", IMAGE, "-addr", "127.0.0.1:0"]).current_dir(testdata());
        let mut process = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut said = String::new();
        BufReader::new(process.stderr.take().unwrap()).read_line(&mut said).unwrap();
        let addr =
            said.strip_prefix("INFO oiv: WebImageViewer started. Listening on /").expect(&said);
        let addr = addr.split(". ").next().unwrap().to_owned();
        Self { process, addr }
    }

    /// Head and body of an answer.
    fn ask(&self, method: &str, target: &str) -> (String, String) {
        let mut stream = TcpStream::connect(&self.addr).unwrap();
        write!(stream, "{method} {target} HTTP/1.1\r\nHost: viewer\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.to_owned(), body.to_owned())
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

#[test]
fn web_hdfs_on_an_image_answers_as_that_of_apache() {
    let viewer = Viewer::start();
    let mut answers = String::new();
    for target in apache("web-requests.txt").lines() {
        let (head, body) = viewer.ask("GET", target);
        let status = head.split(' ').nth(1).unwrap();
        assert!(head.contains("\r\ncontent-type: application/json; charset=utf-8"), "{head}");
        assert!(head.contains("\r\nconnection: close"), "{head}");
        writeln!(answers, "=== {body}\n{status}").unwrap();
    }
    assert_eq!(answers, apache("web-answers.txt"));
    let (head, body) = viewer.ask("PUT", "/webhdfs/v1/x?op=MKDIRS");
    assert!(head.starts_with("HTTP/1.1 405 ") && body.is_empty(), "{head}");
}

#[test]
fn bad_input_ends_with_hadoops_status_and_message() {
    let cases: [(&[&str], i32, &str); 6] = [
        (&["-i", IMAGE, "-addr", "nowhere"], 1, "valid host:port authority: nowhere"),
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

/// Runs `hdfs oiv_legacy` on an image; what is in its output file, and what it said.
fn oiv_legacy(image: &str, name: &str, args: &[&str]) -> (String, Output) {
    let out = scratch(&format!("legacy-{name}"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_hdfs"));
    command.arg("oiv_legacy").args(["-i", image, "-o", &out]).args(args);
    let said = command.current_dir(testdata()).env("TZ", "UTC").output().unwrap();
    (std::fs::read_to_string(&out).unwrap(), said)
}

#[test]
fn images_from_before_protobuf_are_shown_as_by_apache() {
    for kind in ["Ls", "XML", "Indented", "Delimited", "FileDistribution", "NameDistribution"] {
        let (shown, said) = oiv_legacy("../legacy/layout-45", kind, &["-p", kind]);
        assert_eq!(shown, apache(&format!("../legacy/oiv/{kind}")), "{kind}");
        assert_eq!(said.status.code(), Some(0));
        let expected = match kind {
            "FileDistribution" => apache("../legacy/oiv/FileDistribution.stdout"),
            _ => String::new(),
        };
        assert_eq!(String::from_utf8_lossy(&said.stdout), expected);
    }
    let (shown, _) = oiv_legacy("../legacy/layout-45", "skip", &["-p", "XML", "-skipBlocks"]);
    assert_eq!(shown, apache("../legacy/oiv/XML.skipBlocks"));
}

#[test]
fn a_cut_image_from_before_protobuf_is_shown_as_far_as_it_goes() {
    let cut = scratch("legacy-cut-image");
    let whole = std::fs::read(testdata().join("../legacy/layout-45")).unwrap();
    std::fs::write(&cut, &whole[..900]).unwrap();
    let (shown, said) = oiv_legacy(&cut, "cut", &["-p", "XML"]);
    assert_eq!(shown, apache("../legacy/oiv/XML.cut"));
    let said = (said.status.code(), String::from_utf8_lossy(&said.stderr).into_owned());
    assert_eq!(said.0, Some(0));
    assert!(said.1.ends_with("Input file ended unexpectedly.  Exiting\n"), "{}", said.1);
    let (_, said) = oiv_legacy("../namespace/fsimage_0000000000000000188", "new", &[]);
    let message = "Encountered exception.  Exiting: No image processor to read version 1212434003 is available.\n";
    assert!(String::from_utf8_lossy(&said.stderr).ends_with(message));
}
