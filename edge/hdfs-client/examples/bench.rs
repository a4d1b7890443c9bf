//! Data rates through this client: `bench FILES MIB THREADS REPLICATION PREADS`. `HADOOP_CONF_DIR` names the cluster.
//! The same work in the same order as the Java client's benchmark that it is compared with.

use std::io::{Read, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use hdfs_client::CreateOptions;
use hdfs_client::blocking::HdfsClient;
use hdfs_types::Result;

/// CPU time of this process so far: unlike wall time it is comparable on a machine with other work.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Fields 14 and 15, in hundredths; the name in field 2 may hold blanks.
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = after_name.split_whitespace().skip(11).take(2);
    ticks.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// Runs `jobs` jobs on `threads` threads; a job gives the bytes that it moved.
fn time(what: &str, jobs: usize, threads: usize, job: impl Fn(usize) -> Result<u64> + Sync) {
    let next = AtomicUsize::new(0);
    let cpu_before = cpu_seconds();
    let started = Instant::now();
    let total: u64 = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    let mut bytes = 0;
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        if index >= jobs {
                            return bytes;
                        }
                        bytes += job(index).expect("a job of the benchmark");
                    }
                })
            })
            .collect();
        workers.into_iter().map(|worker| worker.join().expect("a worker")).sum()
    });
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "{what} MiB/s={:.1} ops/s={:.1} seconds={seconds:.2} cpu={:.2}",
        total as f64 / 1_048_576.0 / seconds,
        jobs as f64 / seconds,
        cpu_seconds() - cpu_before
    );
}

fn main() -> Result<()> {
    let args: Vec<u64> = std::env::args().skip(1).filter_map(|arg| arg.parse().ok()).collect();
    let [files, mib, threads, replication, preads] = args[..] else {
        eprintln!("usage: bench FILES MIB THREADS REPLICATION PREADS");
        std::process::exit(2);
    };
    let (files, threads, preads) = (files as usize, threads as usize, preads as usize);
    let conf = hdfs_rt::conf_files::load_configuration(None, &[])?;
    let client = HdfsClient::connect(&conf)?;
    let options = CreateOptions {
        replication: Some(replication as u16),
        block_size: Some(128 << 20),
        ..CreateOptions::default()
    };
    let data: Vec<u8> =
        (0..1_u32 << 20).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    client.delete("/bench", true)?;
    time("write", files, threads, |index| {
        let mut file = client.create(&format!("/bench/f{index}"), options.clone())?;
        for _ in 0..mib {
            file.write_all(&data)?;
        }
        file.close()?;
        Ok(mib << 20)
    });
    for _ in 0..2 {
        time("read", files, threads, |index| {
            let mut file = client.open(&format!("/bench/f{index}"))?;
            let mut buffer = vec![0; 1 << 20];
            let mut total = 0;
            loop {
                let count = file.read(&mut buffer)? as u64;
                if count == 0 {
                    assert_eq!(total, mib << 20);
                    return Ok(total);
                }
                total += count;
            }
        });
    }
    let open: Vec<_> =
        (0..files).map(|index| client.open(&format!("/bench/f{index}"))).collect::<Result<_>>()?;
    time("pread4k", preads, threads, |index| {
        let mut buffer = [0; 4_096];
        let spread = (index as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 16;
        open[index % files].read_exact_at(spread % ((mib << 20) - 4_096), &mut buffer)?;
        Ok(4_096)
    });
    time("smallfiles64k", 400, threads, |index| {
        let mut file = client.create(&format!("/bench/s{index}"), options.clone())?;
        file.write_all(&data[..65_536])?;
        file.close()?;
        Ok(65_536)
    });
    client.delete("/bench", true)?;
    Ok(())
}
