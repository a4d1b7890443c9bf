//! What a run found out: for people a short table, for programs JSON.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::histogram::Histogram;
use super::processes::ServerUse;
use crate::output::say;

/// Errors by class: how many, and the first one's message.
#[derive(Clone, Debug, Default)]
pub(super) struct Errors(BTreeMap<String, (u64, String)>);

impl Errors {
    pub(super) fn add(&mut self, class: &str, message: &str) {
        match self.0.get_mut(class) {
            Some((count, _)) => *count += 1,
            None => {
                let line = message.lines().next().unwrap_or_default();
                self.0.insert(class.to_owned(), (1, line.to_owned()));
            }
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        for (class, (count, message)) in other.0 {
            self.0.entry(class).or_insert((0, message)).0 += count;
        }
    }

    /// Class and message of one of them.
    pub(super) fn first(&self) -> Option<String> {
        self.0.iter().next().map(|(class, (_, message))| format!("{class}: {message}"))
    }

    pub(super) fn count(&self) -> u64 {
        self.0.values().map(|(count, _)| count).sum()
    }
}

/// One operation's latencies and errors.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    pub name: &'static str,
    /// Of the calls that succeeded.
    pub latency: Histogram,
    pub bytes: u64,
    pub errors: Errors,
}

/// What ran together: the CPU time belongs to all its rows.
#[derive(Debug)]
pub(super) struct Phase {
    pub rows: Vec<Row>,
    pub elapsed: Duration,
    /// CPU time of this process.
    pub own_cpu: Duration,
    pub servers: Vec<ServerUse>,
    /// True for work whose measure is bytes.
    pub moves_bytes: bool,
}

const PERCENTILES: [(&str, f64); 4] = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p99.9", 0.999)];
const GB: f64 = 1e9;
const MIB: f64 = 1_048_576.0;

impl Phase {
    pub(super) fn errors(&self) -> u64 {
        self.rows.iter().map(|row| row.errors.count()).sum()
    }

    fn operations(&self) -> u64 {
        self.rows.iter().map(|row| row.latency.count() + row.errors.count()).sum()
    }

    fn bytes(&self) -> u64 {
        self.rows.iter().map(|row| row.bytes).sum()
    }

    /// Prints the table.
    pub(super) fn print(&self, with_head: bool) {
        if with_head {
            say!("{}", head(self.moves_bytes));
        }
        for row in &self.rows {
            say!("{}", self.line(row));
        }
        say!("{}", self.cost("this generator", self.own_cpu, None));
        for server in &self.servers {
            let name = format!("server {}", server.pid);
            say!("{}", self.cost(&name, server.cpu, Some(server.resident_bytes)));
        }
        for row in &self.rows {
            for (class, (count, message)) in &row.errors.0 {
                say!("  {} errors of {}: {class}: {message}", grouped(*count), row.name);
            }
        }
    }

    fn line(&self, row: &Row) -> String {
        let seconds = self.elapsed.as_secs_f64();
        let count = row.latency.count();
        let rate = count as f64 / seconds;
        let mut line = format!("{:<9}", row.name);
        if self.moves_bytes {
            let rates = (short(row.bytes as f64 / MIB / seconds), short(rate));
            line += &format!("{:>9}{:>9}{:>9}", grouped(count), rates.0, rates.1);
        } else {
            line += &format!("{:>11}{:>10}", grouped(count), short(rate));
        }
        for (_, share) in PERCENTILES {
            line += &format!("{:>8}", time(row.latency.percentile(share)));
        }
        line + &format!("{:>8}", time(row.latency.max()))
    }

    /// CPU time of a process for each operation and, where bytes are moved, for each GB.
    fn cost(&self, name: &str, cpu: Duration, resident_bytes: Option<u64>) -> String {
        let mut text = format!("  {name:<18} {:>8.2} s CPU", cpu.as_secs_f64());
        if self.operations() > 0 {
            let each = cpu.div_f64(self.operations() as f64);
            text += &format!(", {} per operation", time(each));
        }
        if self.moves_bytes && self.bytes() > 0 {
            text += &format!(", {:.3} s per GB", cpu.as_secs_f64() * GB / self.bytes() as f64);
        }
        if let Some(bytes) = resident_bytes {
            text += &format!(", {} MiB resident", grouped(bytes >> 20));
        }
        text
    }

    /// The same for programs; times in microseconds, CPU in seconds.
    pub(super) fn json(&self) -> Value {
        let per_operation =
            |cpu: Duration| (self.operations() > 0).then(|| micros(cpu) / self.operations() as f64);
        let per_gb = |cpu: Duration| {
            (self.bytes() > 0).then(|| cpu.as_secs_f64() * GB / self.bytes() as f64)
        };
        let cost = |cpu: Duration| {
            json!({
                "cpu_seconds": cpu.as_secs_f64(),
                "cpu_us_per_operation": per_operation(cpu),
                "cpu_seconds_per_gb": per_gb(cpu),
            })
        };
        let servers = self.servers.iter().map(|server| {
            let mut value = cost(server.cpu);
            value["pid"] = json!(server.pid);
            value["resident_bytes"] = json!(server.resident_bytes);
            value
        });
        json!({
            "seconds": self.elapsed.as_secs_f64(),
            "operations": self.rows.iter().map(|row| self.row_json(row)).collect::<Vec<_>>(),
            "generator": cost(self.own_cpu),
            "servers": servers.collect::<Vec<_>>(),
        })
    }

    fn row_json(&self, row: &Row) -> Value {
        let seconds = self.elapsed.as_secs_f64();
        let mut latency = json!({
            "mean": micros(row.latency.mean()),
            "max": micros(row.latency.max()),
        });
        for (name, share) in PERCENTILES {
            latency[name] = json!(micros(row.latency.percentile(share)));
        }
        let errors = row.errors.0.iter().map(|(class, (count, message))| {
            (class.clone(), json!({ "count": count, "first": message }))
        });
        let mut value = json!({
            "operation": row.name,
            "count": row.latency.count(),
            "per_second": row.latency.count() as f64 / seconds,
            "latency_us": latency,
            "errors": errors.collect::<serde_json::Map<_, _>>(),
        });
        if self.moves_bytes {
            value["bytes"] = json!(row.bytes);
            value["mib_per_second"] = json!(row.bytes as f64 / MIB / seconds);
        }
        value
    }
}

fn head(moves_bytes: bool) -> String {
    let (count, rates) = if moves_bytes {
        (format!("{:>9}", "Count"), format!("{:>9}{:>9}", "MiB/s", "Ops/s"))
    } else {
        (format!("{:>11}", "Count"), format!("{:>10}", "Ops/s"))
    };
    let mut head = format!("{:<9}{count}{rates}", "Operation");
    for (name, _) in PERCENTILES {
        head += &format!("{name:>8}");
    }
    head + &format!("{:>8}", "max")
}

pub(super) fn micros(duration: Duration) -> f64 {
    duration.as_nanos() as f64 / 1e3
}

/// A duration in three digits and its unit.
pub(super) fn time(duration: Duration) -> String {
    let nanos = duration.as_nanos() as f64;
    let (value, unit) = match nanos {
        ..1e3 => return format!("{nanos:.0}ns"),
        1e3..1e6 => (nanos / 1e3, "us"),
        1e6..1e9 => (nanos / 1e6, "ms"),
        _ => (nanos / 1e9, "s"),
    };
    let digits = if value < 9.995 { 2 } else { usize::from(value < 99.95) };
    format!("{value:.digits$}{unit}")
}

/// A rate: whole numbers in groups, small ones with a digit after the point.
fn short(value: f64) -> String {
    if value < 100.0 { format!("{value:.1}") } else { grouped(value.round() as u64) }
}

/// A number with its thousands apart.
pub(super) fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_fits_a_terminal_whatever_its_numbers() {
        let mut row = Row { name: "complete", bytes: 1 << 46, ..Row::default() };
        for millis in [1, 999, 99_950, 1_000_000] {
            row.latency.record(Duration::from_millis(millis));
        }
        for moves_bytes in [false, true] {
            let phase = Phase {
                rows: vec![row.clone()],
                elapsed: Duration::from_secs(1_000),
                own_cpu: Duration::from_secs(9),
                servers: Vec::new(),
                moves_bytes,
            };
            let (head, line) = (head(moves_bytes), phase.line(&row));
            assert!(line.len() <= 80 && head.len() == line.len(), "{head}\n{line}");
        }
    }

    #[test]
    fn numbers_are_short() {
        let texts: Vec<String> = [7, 1_234, 99_949, 999_999, 1_500_000, 2_000_000_000]
            .map(|nanos| time(Duration::from_nanos(nanos)))
            .into();
        assert_eq!(texts, ["7ns", "1.23us", "99.9us", "1000us", "1.50ms", "2.00s"]);
        assert_eq!((grouped(999), grouped(1_234_567)), ("999".to_owned(), "1,234,567".to_owned()));
        assert_eq!((short(7.25), short(12_345.6)), ("7.2".to_owned(), "12,346".to_owned()));
    }

    #[test]
    fn errors_are_counted_by_class_with_the_first_message() {
        let mut errors = Errors::default();
        errors.add("A", "first\nsecond line");
        errors.add("A", "later");
        let mut more = Errors::default();
        more.add("A", "third");
        more.add("B", "b");
        errors.merge(more);
        assert_eq!(errors.count(), 4);
        assert_eq!(errors.0["A"], (3, "first".to_owned()));
    }
}
