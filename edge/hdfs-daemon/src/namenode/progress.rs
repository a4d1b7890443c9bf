//! The phases of a NameNode's start, with their times.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.startupprogress.StartupProgress, StartupProgressServlet (3.5.0)

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use hdfs_rt::host::host_name;
use hdfs_rt::http::Bean;
use parking_lot::Mutex;
use serde_json::{Value, json};

/// The phases, in the order in which they run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Phase {
    LoadingFsImage,
    LoadingEdits,
    SavingCheckpoint,
    SafeMode,
}

const PHASES: [(Phase, &str, &str); 4] = [
    (Phase::LoadingFsImage, "LoadingFsImage", "Loading fsimage"),
    (Phase::LoadingEdits, "LoadingEdits", "Loading edits"),
    (Phase::SavingCheckpoint, "SavingCheckpoint", "Saving checkpoint"),
    (Phase::SafeMode, "SafeMode", "Safe mode"),
];

/// What a phase works through: an image's inodes, a file of edits, blocks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Step {
    /// Hadoop's name and description, if it has one.
    pub(crate) kind: Option<(&'static str, &'static str)>,
    pub(crate) file: Option<String>,
    pub(crate) size: Option<u64>,
    pub(crate) count: u64,
    pub(crate) total: u64,
    pub(crate) elapsed_ms: u64,
}

#[derive(Clone, Debug, Default)]
struct State {
    began: Option<Instant>,
    elapsed_ms: Option<u64>,
    file: Option<String>,
    size: Option<u64>,
    steps: Vec<Step>,
}

impl State {
    fn status(&self) -> &'static str {
        match (self.began, self.elapsed_ms) {
            (None, _) => "PENDING",
            (Some(_), None) => "RUNNING",
            (Some(_), Some(_)) => "COMPLETE",
        }
    }

    fn millis(&self) -> u64 {
        let running = || self.began.map_or(0, millis_since);
        self.elapsed_ms.unwrap_or_else(running)
    }

    fn counts(&self) -> (u64, u64) {
        self.steps.iter().fold((0, 0), |sum, step| (sum.0 + step.count, sum.1 + step.total))
    }

    fn percent(&self) -> f64 {
        match (self.elapsed_ms, self.counts()) {
            (Some(_), _) => 1.0,
            (None, (_, 0)) => 0.0,
            (None, (count, total)) => (count as f64 / total as f64).clamp(0.0, 1.0),
        }
    }
}

/// Milliseconds since then.
pub(crate) fn millis_since(began: Instant) -> u64 {
    u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// Where the start of a NameNode is, or was.
#[derive(Debug)]
pub(crate) struct StartupProgress {
    phases: Mutex<[State; 4]>,
    began: Instant,
    /// From the start to the end of safe mode.
    safe_mode_ms: AtomicU64,
}

impl StartupProgress {
    pub(crate) fn new() -> Self {
        Self { phases: Mutex::default(), began: Instant::now(), safe_mode_ms: AtomicU64::new(0) }
    }

    /// Milliseconds from the start to the end of safe mode; zero while it lasts, as in Hadoop.
    pub(crate) fn safe_mode_millis(&self) -> u64 {
        self.safe_mode_ms.load(Ordering::Relaxed)
    }

    pub(crate) fn begin(&self, phase: Phase) {
        self.change(phase, |state| {
            *state = State { began: Some(Instant::now()), ..State::default() };
        });
    }

    /// The file that a phase reads, and its size.
    pub(crate) fn set_file(&self, phase: Phase, file: String, size: Option<u64>) {
        self.change(phase, |state| (state.file, state.size) = (Some(file), size));
    }

    pub(crate) fn add_step(&self, phase: Phase, step: Step) {
        self.change(phase, |state| state.steps.push(step));
    }

    pub(crate) fn end(&self, phase: Phase) {
        self.change(phase, |state| {
            let began = *state.began.get_or_insert_with(Instant::now);
            state.elapsed_ms.get_or_insert_with(|| millis_since(began));
        });
    }

    /// Safe mode: what has been reported, and whether it has ended.
    pub(crate) fn note_safe_mode(&self, safe: u64, total: u64, ended: bool) {
        self.change(Phase::SafeMode, |state| {
            if state.elapsed_ms.is_some() {
                return;
            }
            state.steps = vec![Step {
                kind: Some(("AwaitingReportedBlocks", "awaiting reported blocks")),
                count: safe,
                total,
                elapsed_ms: state.millis(),
                ..Step::default()
            }];
        });
        if ended {
            self.safe_mode_ms.store(millis_since(self.began), Ordering::Relaxed);
            self.end(Phase::SafeMode);
        }
    }

    /// True until safe mode has ended for the first time.
    pub(crate) fn is_running(&self) -> bool {
        self.phases.lock()[3].elapsed_ms.is_none()
    }

    fn change(&self, phase: Phase, change: impl FnOnce(&mut State)) {
        change(&mut self.phases.lock()[phase as usize]);
    }

    /// Milliseconds that a phase took so far.
    pub(crate) fn phase_millis(&self, phase: Phase) -> u64 {
        self.phases.lock()[phase as usize].millis()
    }

    fn elapsed(phases: &[State; 4]) -> u64 {
        let first = phases.iter().find_map(|state| state.began);
        let last = phases.iter().rev().find(|state| state.began.is_some());
        match (first, last) {
            (Some(first), Some(last)) => {
                let offset = last.began.map_or(0, |began| began.duration_since(first).as_millis());
                u64::try_from(offset).unwrap_or(u64::MAX).saturating_add(last.millis())
            }
            _ => 0,
        }
    }

    fn percent(phases: &[State; 4]) -> f64 {
        phases.iter().map(State::percent).sum::<f64>() / 4.0
    }

    /// What `/startupProgress` answers.
    pub(crate) fn json(&self) -> String {
        let phases = self.phases.lock().clone();
        let shown: Vec<String> = PHASES
            .iter()
            .zip(&phases)
            .map(|((_, name, description), state)| phase_json(name, description, state))
            .collect();
        format!(
            "{{\"elapsedTime\":{},\"percentComplete\":{},\"phases\":[{}]}}",
            Self::elapsed(&phases),
            Value::from(Self::percent(&phases)),
            shown.join(",")
        )
    }

    /// The bean `StartupProgress`.
    pub(crate) fn bean(&self) -> Bean {
        let phases = self.phases.lock().clone();
        let mut bean = Bean::new("Hadoop:service=NameNode,name=StartupProgress", "StartupProgress")
            .with("tag.Hostname", host_name())
            .with("ElapsedTime", Self::elapsed(&phases))
            .with("PercentComplete", Self::percent(&phases));
        for ((_, name, _), state) in PHASES.iter().zip(&phases) {
            let (count, total) = state.counts();
            bean = bean
                .with(format!("{name}Count"), count)
                .with(format!("{name}ElapsedTime"), state.millis())
                .with(format!("{name}Total"), total)
                .with(format!("{name}PercentComplete"), state.percent());
        }
        bean
    }
}

/// The fields in Hadoop's order.
fn phase_json(name: &str, description: &str, state: &State) -> String {
    let mut fields = vec![
        ("name", json!(name)),
        ("desc", json!(description)),
        ("status", json!(state.status())),
        ("percentComplete", json!(state.percent())),
        ("elapsedTime", json!(state.millis())),
    ];
    if let Some(file) = &state.file {
        fields.push(("file", json!(file)));
    }
    if let Some(size) = state.size {
        fields.push(("size", json!(size)));
    }
    let steps: Vec<String> =
        state.steps.iter().map(|step| step_json(step, state.elapsed_ms.is_some())).collect();
    format!("{{{},\"steps\":[{}]}}", object(&fields), steps.join(","))
}

fn step_json(step: &Step, complete: bool) -> String {
    let mut fields = Vec::new();
    if let Some((name, description)) = step.kind {
        fields.extend([("name", json!(name)), ("desc", json!(description))]);
    }
    fields.push(("count", json!(step.count)));
    if let Some(file) = &step.file {
        fields.push(("file", json!(file)));
    }
    if let Some(size) = step.size {
        fields.push(("size", json!(size)));
    }
    let percent = match step.total {
        _ if complete => 1.0,
        0 => 0.0,
        total => (step.count as f64 / total as f64).clamp(0.0, 1.0),
    };
    fields.extend([
        ("total", json!(step.total)),
        ("percentComplete", json!(percent)),
        ("elapsedTime", json!(step.elapsed_ms)),
    ]);
    format!("{{{}}}", object(&fields))
}

fn object(fields: &[(&str, Value)]) -> String {
    let parts: Vec<String> =
        fields.iter().map(|(name, value)| format!("{}:{value}", Value::from(*name))).collect();
    parts.join(",")
}
