//! `hdfs bench io`: bytes through the client, by threads that each do one file or one read after the other.

use std::io::{Read as _, Write as _};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use hdfs_client::CreateOptions;
use hdfs_client::blocking::{FileReader, HdfsClient};
use hdfs_conf::Configuration;
use hdfs_types::{Error, Result as HdfsResult};
use serde_json::json;

use super::options::{Known, Options};
use super::processes;
use super::progress::{Line, interrupted};
use super::report::{Phase, Row, grouped};
use super::{Failure, Run, simple_class};

const KNOWN: &[Known] = &[
    ("files", true),
    ("size", true),
    ("threads", true),
    ("replication", true),
    ("block-size", true),
    ("buffer", true),
    ("count", true),
    ("read-size", true),
    ("small-size", true),
    ("verify", false),
    ("user", true),
    ("dir", true),
    ("keep", false),
    ("json", false),
    ("server-pids", true),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Write,
    Read,
    Pread,
    Small,
}

const OPERATIONS: [(&str, Operation); 4] = [
    ("write", Operation::Write),
    ("read", Operation::Read),
    ("pread", Operation::Pread),
    ("small", Operation::Small),
];

/// The command line, understood.
struct Settings {
    operations: Vec<(&'static str, Operation)>,
    files: usize,
    size: u64,
    threads: usize,
    create: CreateOptions,
    buffer: usize,
    count: usize,
    read_size: usize,
    small_size: u64,
    verify: bool,
}

impl Settings {
    fn read(options: &Options) -> Result<Self, String> {
        let words: Vec<&str> = options.words.iter().flat_map(|word| word.split(',')).collect();
        let find = |word: &&str| {
            let found = OPERATIONS.into_iter().find(|(name, _)| name == word);
            found.ok_or_else(|| format!("{word} is none of write, read, pread, small"))
        };
        let operations = if words.is_empty() {
            OPERATIONS.to_vec()
        } else {
            words.iter().map(find).collect::<Result<_, _>>()?
        };
        let size = options.bytes("size", 128 << 20, (1, 1 << 50))?;
        let read_size = options.bytes("read-size", 4_096, (1, 1 << 30))?;
        if read_size > size && operations.iter().any(|(_, op)| *op == Operation::Pread) {
            return Err(format!("--read-size {read_size} is more than a file has ({size} bytes)"));
        }
        let replication = match options.number("replication", 0, (1, 512))? {
            0 => None,
            replicas => Some(replicas as u16),
        };
        let block_size = match options.bytes("block-size", 0, (1, 1 << 50))? {
            0 => None,
            bytes => Some(bytes),
        };
        Ok(Self {
            operations,
            files: options.number("files", 8, (1, 1 << 24))? as usize,
            size,
            threads: options.number("threads", 2, (1, 4_096))? as usize,
            create: CreateOptions { replication, block_size, ..CreateOptions::default() },
            buffer: options.bytes("buffer", 1 << 20, (1, 1 << 30))? as usize,
            count: options.number("count", 5_000, (1, 1 << 32))? as usize,
            read_size: read_size as usize,
            small_size: options.bytes("small-size", 64 << 10, (0, 1 << 40))?,
            verify: options.is_set("verify"),
        })
    }
}

/// Runs `hdfs bench io`; the exit status.
pub(super) fn run(conf: &Configuration, args: &[String]) -> Result<i32, Failure> {
    let options = Options::parse(args, KNOWN).map_err(Failure::Usage)?;
    let settings = Settings::read(&options).map_err(Failure::Usage)?;
    let mut run = Run::start(conf, &options, "io")?;
    run.settings = json!({
        "threads": settings.threads,
        "files": settings.files,
        "size": settings.size,
        "replication": settings.create.replication,
        "block_size": settings.create.block_size,
        "buffer": settings.buffer,
        "read_size": settings.read_size,
        "small_size": settings.small_size,
    });
    let result = measure_all(&mut run, &settings);
    run.finish(result)
}

fn measure_all(run: &mut Run, settings: &Settings) -> Result<(), Failure> {
    run.tell(&format!("{}: {} threads", run.client.uri(), settings.threads));
    let content = Content::new(settings.buffer);
    let mut is_written = false;
    for &(name, operation) in &settings.operations {
        if interrupted() {
            break;
        }
        let load = Load { run, settings, content: &content, moved: AtomicU64::new(0) };
        let reads = matches!(operation, Operation::Read | Operation::Pread);
        if reads && !is_written {
            let written = load.measure("preparing files", Operation::Write)?;
            if let Some(error) = written.rows.iter().find_map(|row| row.errors.first()) {
                return Err(Failure::Run(format!("prepare files: {error}")));
            }
            if interrupted() {
                break;
            }
        }
        is_written |= reads || operation == Operation::Write;
        load.moved.store(0, Ordering::Relaxed);
        let phase = load.measure(name, operation)?;
        run.add(phase);
    }
    Ok(())
}

/// What files hold: bytes that no file system below can shorten, the same ones again and again.
struct Content(Vec<u8>);

impl Content {
    fn new(buffer: usize) -> Self {
        let mut random = 0x9E37_79B9_7F4A_7C15_u64;
        let words = buffer.max(1 << 20).div_ceil(8);
        let bytes = (0..words).flat_map(|_| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random.to_le_bytes()
        });
        Self(bytes.collect())
    }

    /// At most `most` of the bytes from a position on.
    fn at(&self, position: u64, most: usize) -> &[u8] {
        let from = (position % self.0.len() as u64) as usize;
        &self.0[from..self.0.len().min(from + most)]
    }

    /// Whether these are the bytes from a position on.
    fn holds(&self, mut position: u64, mut bytes: &[u8]) -> bool {
        while !bytes.is_empty() {
            let expected = self.at(position, bytes.len());
            if !bytes.starts_with(expected) {
                return false;
            }
            position += expected.len() as u64;
            bytes = &bytes[expected.len()..];
        }
        true
    }
}

/// One operation's work.
struct Load<'a> {
    run: &'a Run,
    settings: &'a Settings,
    content: &'a Content,
    /// Bytes so far, for the line of progress.
    moved: AtomicU64,
}

impl Load<'_> {
    fn measure(&self, name: &'static str, operation: Operation) -> Result<Phase, Failure> {
        let Settings { files, count, .. } = *self.settings;
        let jobs = match operation {
            Operation::Write | Operation::Read => files,
            Operation::Pread | Operation::Small => count,
        };
        // Positioned reads are about reads, so the files are open before the clock starts.
        let open: Vec<FileReader> = match operation {
            Operation::Pread => (0..files.min(jobs))
                .map(|index| self.run.client.open(&self.file(index)))
                .collect::<HdfsResult<_>>()?,
            _ => Vec::new(),
        };
        let servers = processes::watch(&self.run.server_pids).map_err(Failure::Run)?;
        let own_before = processes::own_cpu();
        let started = Instant::now();
        let row = self.spread(name, jobs, |client, index, buffer| match operation {
            Operation::Write => self.write(client, &self.file(index), self.settings.size),
            Operation::Read => self.read(client, &self.file(index), buffer),
            Operation::Pread => self.pread(&open[index % open.len()], index as u64, buffer),
            Operation::Small => {
                let path = format!("{}/small/d{}/s{index}", self.run.root, index / 1_000);
                self.write(client, &path, self.settings.small_size)
            }
        });
        let elapsed = started.elapsed();
        let own_cpu = processes::own_cpu().saturating_sub(own_before);
        let servers = processes::used(&servers).map_err(Failure::Run)?;
        Ok(Phase { rows: vec![row], elapsed, own_cpu, servers, moves_bytes: true })
    }

    fn file(&self, index: usize) -> String {
        format!("{}/files/f{index}", self.run.root)
    }

    /// Lets the threads take one job after the other.
    fn spread(
        &self,
        name: &'static str,
        jobs: usize,
        job: impl Fn(&HdfsClient, usize, &mut Vec<u8>) -> HdfsResult<u64> + Sync,
    ) -> Row {
        let next = AtomicUsize::new(0);
        let over = AtomicBool::new(false);
        let work = || {
            let mut row = Row { name, ..Row::default() };
            let mut buffer = Vec::new();
            let client = self.run.client.clone();
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= jobs || interrupted() {
                    return row;
                }
                let started = Instant::now();
                match job(&client, index, &mut buffer) {
                    Ok(bytes) => {
                        row.latency.record(started.elapsed());
                        row.bytes += bytes;
                    }
                    Err(_) if interrupted() => {}
                    Err(error) => row.errors.add(simple_class(&error), &error.message),
                }
            }
        };
        std::thread::scope(|scope| {
            let threads = self.settings.threads.min(jobs);
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            let watcher = scope.spawn(|| self.watch(name, jobs, (&next, &over)));
            let mut total = Row { name, ..Row::default() };
            for worker in workers {
                let row = worker.join().expect("a worker does not panic");
                total.latency.merge(&row.latency);
                total.errors.merge(row.errors);
                total.bytes += row.bytes;
            }
            over.store(true, Ordering::Relaxed);
            watcher.thread().unpark();
            total
        })
    }

    /// Shows how far it is until it is over.
    fn watch(&self, name: &str, jobs: usize, (next, over): (&AtomicUsize, &AtomicBool)) {
        let (line, started) = (Line::new(), Instant::now());
        while !over.load(Ordering::Relaxed) {
            std::thread::park_timeout(Duration::from_millis(200));
            let moved = self.moved.load(Ordering::Relaxed) >> 20;
            let rate = moved as f64 / started.elapsed().as_secs_f64();
            let begun = next.load(Ordering::Relaxed).min(jobs) as u64;
            line.show(&format!(
                "{name}: {} of {} begun, {} MiB, {rate:.0} MiB/s",
                grouped(begun),
                grouped(jobs as u64),
                grouped(moved)
            ));
        }
    }

    fn count(&self, bytes: usize) {
        self.moved.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    fn write(&self, client: &HdfsClient, path: &str, size: u64) -> HdfsResult<u64> {
        let mut file = client.create(path, self.settings.create.clone())?;
        let mut position = 0;
        while position < size && !interrupted() {
            let most = (size - position).min(self.settings.buffer as u64) as usize;
            let bytes = self.content.at(position, most);
            file.write_all(bytes).map_err(from_io)?;
            position += bytes.len() as u64;
            self.count(bytes.len());
        }
        file.close()?;
        Ok(position)
    }

    fn read(&self, client: &HdfsClient, path: &str, buffer: &mut Vec<u8>) -> HdfsResult<u64> {
        buffer.resize(self.settings.buffer, 0);
        let mut file = client.open(path)?;
        let mut position = 0;
        loop {
            let read = file.read(buffer).map_err(from_io)?;
            if read == 0 || interrupted() {
                break;
            }
            self.verify(path, position, &buffer[..read])?;
            position += read as u64;
            self.count(read);
        }
        if position != self.settings.size && !interrupted() {
            let wanted = self.settings.size;
            return Err(Error::io(format!("{path}: {position} bytes were read of {wanted}")));
        }
        Ok(position)
    }

    fn pread(&self, file: &FileReader, index: u64, buffer: &mut Vec<u8>) -> HdfsResult<u64> {
        let length = self.settings.read_size;
        buffer.resize(length, 0);
        // Spread over the file by a multiplicative hash; the same places in every run.
        let spread = index.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 16;
        let position = spread % (self.settings.size - length as u64 + 1);
        file.read_exact_at(position, buffer)?;
        self.verify("positioned read", position, buffer)?;
        self.count(length);
        Ok(length as u64)
    }

    fn verify(&self, what: &str, position: u64, bytes: &[u8]) -> HdfsResult<()> {
        if self.settings.verify && !self.content.holds(position, bytes) {
            return Err(Error::io(format!(
                "{what}: other bytes than were written, from {position} on"
            )));
        }
        Ok(())
    }
}

/// The error of the client inside one of the standard library.
fn from_io(error: std::io::Error) -> Error {
    match error.downcast::<Error>() {
        Ok(error) => error,
        Err(error) => Error::io(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_told_from_anything_else() {
        let content = Content::new(10);
        let length = content.0.len() as u64;
        let mut across = content.at(length - 5, 100).to_vec();
        assert_eq!(across.len(), 5);
        across.extend_from_slice(content.at(length, 7));
        assert!(content.holds(length - 5, &across) && content.holds(3 * length - 5, &across));
        across[8] ^= 1;
        assert!(!content.holds(length - 5, &across));
        assert!(!content.holds(1, content.at(0, 8)));
    }

    #[test]
    fn a_read_that_no_file_can_serve_is_refused_before_anything_is_written() {
        let settings = |line: &str| {
            let args: Vec<String> = line.split(' ').map(str::to_owned).collect();
            Settings::read(&Options::parse(&args, KNOWN).expect("known options")).map(|_| ())
        };
        assert_eq!(settings("pread --size 1k --read-size 1k"), Ok(()));
        let refused = settings("pread --size 1k --read-size 2k").expect_err("too long");
        assert_eq!(refused, "--read-size 2048 is more than a file has (1024 bytes)");
        assert_eq!(settings("write --size 1k --read-size 2k"), Ok(()));
        assert!(settings("wrote").expect_err("unknown").starts_with("wrote is none of"));
    }
}
