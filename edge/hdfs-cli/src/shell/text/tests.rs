//! Every file of `testdata/hadoop-3.5.0/text` gives what Apache's `-text` printed; damaged ones give an error.

use std::path::Path;

use super::*;

/// What `-text` would print, or the message of its error.
fn text_of(name: &str, bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut printed = Vec::new();
    let mut keep = |line: &[u8]| printed.extend_from_slice(line);
    let done = match kind(name, bytes) {
        Kind::Coded(codec) => codec.decode(bytes).map(|text| keep(&text)).map_err(failed),
        Kind::Sequence => sequence::print(bytes, name, &mut keep),
        Kind::Avro => avro::print(bytes, &mut keep),
        Kind::Plain => {
            keep(bytes);
            Ok(())
        }
    };
    done.map(|()| printed).map_err(|failure| failure.message().to_owned())
}

fn files() -> Vec<(String, Vec<u8>, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/hadoop-3.5.0/text");
    let entries = std::fs::read_dir(&folder).expect("the test data is there");
    let mut files = Vec::new();
    for entry in entries {
        let output = entry.expect("readable").path();
        if output.extension().is_some_and(|ending| ending == "out") {
            let file = output.with_extension("");
            let name = file.file_name().expect("named").to_string_lossy().into_owned();
            let read = |path| std::fs::read(path).expect("readable");
            files.push((name, read(file), read(output)));
        }
    }
    files
}

#[test]
fn files_of_apache_give_the_text_that_apache_prints() {
    let files = files();
    assert!(files.len() >= 25, "only {} files", files.len());
    for (name, bytes, wanted) in files {
        let printed = text_of(&name, &bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        let (printed, wanted) =
            (String::from_utf8_lossy(&printed), String::from_utf8_lossy(&wanted));
        assert_eq!(printed, wanted, "{name}");
    }
}

/// Cut and changed files end in an answer, whatever it is: nothing panics, and nothing is allocated by a false length.
#[test]
fn damaged_files_end_in_an_answer() {
    for (name, bytes, _) in files() {
        for cut in (0..bytes.len()).step_by(bytes.len() / 40 + 1) {
            let _ = text_of(&name, &bytes[..cut]);
            let mut changed = bytes.clone();
            for value in [0, 0x7f, 0xff] {
                changed[cut] = value;
                let _ = text_of(&name, &changed);
            }
        }
    }
    let message = text_of("x.seq", b"SEQ\x07").expect_err("a newer version");
    assert_eq!(message, "A record version mismatch occurred. Expecting v6, found v7");
}

#[test]
fn zstandard_and_lz4_files_are_decoded_frame_by_frame() {
    // `echo hello | zstd`, twice.
    let frame = b"\x28\xb5\x2f\xfd\x24\x06\x31\0\0hello\n\x53\x88\xbd\x91";
    assert_eq!(text_of("a.zst", &frame.repeat(2)), Ok(b"hello\nhello\n".to_vec()));
    let block = lz4_flex::block::compress(b"hello hello hello");
    let mut framed = 17_u32.to_be_bytes().to_vec();
    framed.extend(u32::try_from(block.len()).expect("short").to_be_bytes());
    framed.extend(&block);
    let twice = [framed.clone(), framed].concat();
    assert_eq!(text_of("a.lz4", &twice), Ok(b"hello hello hellohello hello hello".to_vec()));
}
