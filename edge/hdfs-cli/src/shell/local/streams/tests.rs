use std::fs;

use super::*;
use crate::shell::files::{Create, FileSystem as _};
use crate::shell::local::Local;

/// A file in a folder of its own, which goes away with the value.
struct Scratch {
    folder: String,
    path: String,
}

impl Scratch {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("tusk-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let folder = folder.to_string_lossy().into_owned();
        Self { path: format!("{folder}/file"), folder }
    }

    fn write(&self, pieces: &[&[u8]], checksum_file: bool) {
        let how = Create { overwrite: true, lazy_persist: false, checksum_file };
        let mut writer = Local::new().create(&self.path, how).unwrap();
        for piece in pieces {
            writer.write(piece).unwrap();
        }
        writer.close().unwrap();
    }

    fn read_from(&self, position: u64) -> Outcome<Vec<u8>> {
        let mut reader = Local::new().open(&self.path)?;
        reader.seek(position)?;
        let (mut all, mut buffer) = (Vec::new(), [0; 1_000]);
        loop {
            match reader.read(&mut buffer)? {
                0 => return Ok(all),
                count => all.extend_from_slice(&buffer[..count]),
            }
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn a_checksum_file_holds_the_sum_of_each_chunk() {
    let scratch = Scratch::new("sums");
    scratch.write(&[b"123456789"], true);
    // PROVENANCE: `hadoop fs -put` of these nine bytes to file:// with Hadoop 3.5.0; CBF43926 is the check value of CRC-32.
    let expected = [b"crc\0", &512_u32.to_be_bytes()[..], &0xCBF4_3926_u32.to_be_bytes()].concat();
    assert_eq!(fs::read(checksum_file(&scratch.path)).unwrap(), expected);
}

#[test]
fn what_was_written_reads_back_from_any_place() {
    let scratch = Scratch::new("places");
    let bytes: Vec<u8> = (0..600_000_u32).map(|number| (number % 253) as u8).collect();
    let (one, rest) = bytes.split_at(700);
    let (two, three) = rest.split_at(324_111);
    scratch.write(&[one, two, three], true);
    for position in [0, 1, 511, 512, 513, 300_000, 599_999, 600_000] {
        assert_eq!(scratch.read_from(position as u64).unwrap(), &bytes[position..], "{position}");
    }
}

#[test]
fn a_changed_byte_is_an_error_and_a_new_file_is_not() {
    let scratch = Scratch::new("changed");
    scratch.write(&[&[7; 2_000]], true);
    let mut bytes = fs::read(&scratch.path).unwrap();
    bytes[1_500] ^= 1;
    fs::write(&scratch.path, &bytes).unwrap();
    let failed = scratch.read_from(0).unwrap_err();
    let start = format!("Checksum error: file:{} at 1024 exp: ", scratch.path);
    assert!(failed.message().starts_with(&start), "{}", failed.message());
    let unverified = Local::new().open_unverified(&scratch.path).unwrap().read(&mut [0; 9]);
    assert_eq!(unverified.unwrap(), 9);
    bytes.extend_from_slice(&[7; 600]);
    fs::write(&scratch.path, &bytes).unwrap();
    assert!(scratch.read_from(2_048).unwrap_err().message().contains("ends before its file"));
    scratch.write(&[b"new"], false);
    assert_eq!(scratch.read_from(0).unwrap(), b"new");
}
