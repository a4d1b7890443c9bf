//! Clients that write, rename, append and delete, and remember what was acknowledged.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;

use hdfs_client::CreateOptions;
use hdfs_client::blocking::HdfsClient;
use hdfs_types::{Result, Rng as _, SplitMix64};

use crate::site::Site;

/// What a path must be, as far as its one writer knows.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Expected {
    /// A closed file: the seeds and lengths of its parts in order.
    File(Vec<(u64, usize)>),
    Directory,
    Absent,
    /// The last call on it failed: it may or may not have happened.
    Unknown,
}

/// Running writers.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    acknowledged: Arc<AtomicU64>,
    writers: Vec<JoinHandle<BTreeMap<String, Expected>>>,
}

impl Load {
    /// Starts this many writers, each with a client and a folder of its own.
    pub(crate) fn start(site: &Site, writers: u64) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let acknowledged = Arc::new(AtomicU64::new(0));
        let writers = (0..writers)
            .map(|number| {
                let client = site.client();
                let (stop, acknowledged) = (Arc::clone(&stop), Arc::clone(&acknowledged));
                std::thread::spawn(move || {
                    let mut writer = Writer {
                        client,
                        rng: SplitMix64(number + 1),
                        folder: format!("/writer{number}"),
                        next: 0,
                        expected: BTreeMap::new(),
                    };
                    while !stop.load(Ordering::Relaxed) {
                        if writer.step() {
                            acknowledged.fetch_add(1, Ordering::Relaxed);
                        } else {
                            std::thread::sleep(std::time::Duration::from_millis(10));
                        }
                    }
                    writer.expected
                })
            })
            .collect();
        Self { stop, acknowledged, writers }
    }

    /// How many operations were acknowledged so far.
    pub(crate) fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::Relaxed)
    }

    /// Stops the writers and compares the cluster with what they were told. Returns how many paths were compared.
    pub(crate) fn verify(self, site: &Site) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        let client = site.client();
        let mut compared = 0;
        for writer in self.writers {
            let expected = writer.join().expect("a writer does not panic");
            for (path, expected) in expected {
                compared += usize::from(expected != Expected::Unknown);
                check(&client, &path, &expected);
            }
        }
        compared
    }
}

struct Writer {
    client: HdfsClient,
    rng: SplitMix64,
    folder: String,
    next: u64,
    expected: BTreeMap<String, Expected>,
}

impl Writer {
    /// One operation; true when it was acknowledged.
    fn step(&mut self) -> bool {
        match self.rng.below(10) {
            0 => self.mkdir(),
            1..=5 => self.create(),
            6 => self.append(),
            7 | 8 => self.rename(),
            _ => self.delete(),
        }
    }

    fn fresh(&mut self) -> String {
        self.next += 1;
        format!("{}/{:06}", self.folder, self.next)
    }

    fn note(&mut self, path: &str, result: &Result<bool>, expected: Expected) -> bool {
        let acknowledged = matches!(result, Ok(true));
        let now = if acknowledged { expected } else { Expected::Unknown };
        self.expected.insert(path.to_owned(), now);
        acknowledged
    }

    fn mkdir(&mut self) -> bool {
        let path = self.fresh();
        let result = self.client.mkdirs(&path, None, true);
        self.note(&path, &result, Expected::Directory)
    }

    fn create(&mut self) -> bool {
        let path = self.fresh();
        let part = (self.rng.next_u64(), self.rng.below(150_000) as usize);
        let result = self.write_new(&path, part);
        self.note(&path, &result, Expected::File(vec![part]))
    }

    fn write_new(&self, path: &str, part: (u64, usize)) -> Result<bool> {
        let mut writer = self.client.create(path, CreateOptions::default())?;
        writer.write_some(&content(part))?;
        writer.close()?;
        Ok(true)
    }

    /// A file of which everything is known.
    fn pick(&mut self) -> Option<(String, Vec<(u64, usize)>)> {
        let files: Vec<(&String, &Vec<(u64, usize)>)> = self
            .expected
            .iter()
            .filter_map(|(path, expected)| match expected {
                Expected::File(parts) => Some((path, parts)),
                _ => None,
            })
            .collect();
        if files.is_empty() {
            return None;
        }
        let (path, parts) = files[self.rng.below(files.len() as u64) as usize];
        Some((path.clone(), parts.clone()))
    }

    fn append(&mut self) -> bool {
        let Some((path, mut parts)) = self.pick() else { return self.create() };
        let part = (self.rng.next_u64(), 1 + self.rng.below(3_000) as usize);
        let result = (|| {
            let mut writer = self.client.append(&path, false)?;
            writer.write_some(&content(part))?;
            writer.close()?;
            Ok(true)
        })();
        parts.push(part);
        self.note(&path, &result, Expected::File(parts))
    }

    fn rename(&mut self) -> bool {
        let Some((path, parts)) = self.pick() else { return self.create() };
        let target = self.fresh();
        let result = self.client.rename(&path, &target);
        self.note(&path, &result, Expected::Absent);
        self.note(&target, &result, Expected::File(parts))
    }

    fn delete(&mut self) -> bool {
        let Some((path, _)) = self.pick() else { return self.create() };
        let result = self.client.delete(&path, false);
        self.note(&path, &result, Expected::Absent)
    }
}

fn content((seed, length): (u64, usize)) -> Vec<u8> {
    let mut rng = SplitMix64(seed);
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        bytes.extend_from_slice(&rng.next_u64().to_be_bytes());
    }
    bytes.truncate(length);
    bytes
}

fn check(client: &HdfsClient, path: &str, expected: &Expected) {
    let status = client.file_info(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    match expected {
        Expected::Unknown => {}
        Expected::Absent => {
            assert!(status.is_none(), "{path} was deleted or renamed, and is there")
        }
        Expected::Directory => {
            assert!(status.is_some_and(|status| status.is_dir()), "{path} was made, and is gone");
        }
        Expected::File(parts) => {
            assert!(status.is_some(), "{path} was closed, and is gone");
            let wanted: Vec<u8> = parts.iter().flat_map(|part| content(*part)).collect();
            let mut bytes = Vec::new();
            client
                .open(path)
                .and_then(|mut reader| Ok(reader.read_to_end(&mut bytes)?))
                .unwrap_or_else(|error| panic!("read {path}: {error}"));
            assert!(
                bytes == wanted,
                "{path}: {} bytes were acknowledged in {} parts, and {} bytes are read that differ from {:?} on",
                wanted.len(),
                parts.len(),
                bytes.len(),
                bytes.iter().zip(&wanted).position(|(read, wanted)| read != wanted)
            );
        }
    }
}
