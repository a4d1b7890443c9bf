//! Threads for a big job in independent parts.

use std::collections::BTreeMap;
use std::num::NonZero;

use hdfs_types::Workers;
use parking_lot::{Condvar, Mutex};

/// So many threads, for the time of one job each.
#[derive(Clone, Copy, Debug)]
pub struct Crew {
    threads: usize,
}

impl Crew {
    /// As many threads as there are processors.
    pub fn of_processors() -> Self {
        Self::of(std::thread::available_parallelism().map_or(1, NonZero::get))
    }

    /// So many threads; at least one.
    pub fn of(threads: usize) -> Self {
        Self { threads: threads.max(1) }
    }
}

struct State<J, R> {
    jobs: J,
    /// Jobs that were begun.
    begun: usize,
    /// Results that were taken.
    taken: usize,
    results: BTreeMap<usize, R>,
    /// No job is left, or somebody failed.
    ended: bool,
}

/// Ends the job when a thread leaves in whatever way, so that nobody waits for it.
struct EndOnPanic<'a, J, R>(&'a Mutex<State<J, R>>, &'a Condvar);

impl<J, R> Drop for EndOnPanic<'_, J, R> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.lock().ended = true;
            self.1.notify_all();
        }
    }
}

/// The next job with its number, as soon as its result may wait.
fn next_job<J>(
    state: &Mutex<State<impl Iterator<Item = J>, impl Sized>>,
    changed: &Condvar,
    window: usize,
) -> Option<(usize, J)> {
    let mut state = state.lock();
    while !state.ended && state.begun >= state.taken + window {
        changed.wait(&mut state);
    }
    if state.ended {
        return None;
    }
    let Some(job) = state.jobs.next() else {
        state.ended = true;
        changed.notify_all();
        return None;
    };
    state.begun += 1;
    Some((state.begun - 1, job))
}

impl Workers for Crew {
    fn in_order<J: Send, R: Send, E>(
        &self,
        jobs: impl Iterator<Item = J> + Send,
        work: impl Fn(J) -> R + Sync,
        mut take: impl FnMut(R) -> Result<(), E>,
    ) -> Result<(), E> {
        let window = self.threads * 2 + 2;
        let state =
            Mutex::new(State { jobs, begun: 0, taken: 0, results: BTreeMap::new(), ended: false });
        let changed = Condvar::new();
        let run = || {
            let _guard = EndOnPanic(&state, &changed);
            loop {
                let Some((number, job)) = next_job(&state, &changed, window) else { return };
                let result = work(job);
                state.lock().results.insert(number, result);
                changed.notify_all();
            }
        };
        std::thread::scope(|scope| {
            let spawn = |number: usize| {
                let thread = std::thread::Builder::new().name(format!("crew-{number}"));
                thread.spawn_scoped(scope, run).is_ok()
            };
            if (0..self.threads).filter(|number| spawn(*number)).count() == 0 {
                // The system gives no thread: the caller does it all.
                loop {
                    let Some(job) = state.lock().jobs.next() else { return Ok(()) };
                    take(work(job))?;
                }
            }
            let _guard = EndOnPanic(&state, &changed);
            loop {
                let result = {
                    let mut state = state.lock();
                    loop {
                        let next = state.taken;
                        if let Some(result) = state.results.remove(&next) {
                            state.taken += 1;
                            break result;
                        }
                        if state.ended && state.taken == state.begun {
                            return Ok(());
                        }
                        changed.wait(&mut state);
                    }
                };
                changed.notify_all();
                if let Err(error) = take(result) {
                    state.lock().ended = true;
                    changed.notify_all();
                    return Err(error);
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn results_come_in_the_order_of_the_jobs_and_few_of_them_wait() {
        let (begun, taken) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let crew = Crew::of(3);
        let mut results = Vec::new();
        crew.in_order(
            0..1_000_u64,
            |job| {
                let ahead = begun.fetch_add(1, Ordering::SeqCst) - taken.load(Ordering::SeqCst);
                assert!(ahead < 3 * 2 + 3, "{ahead} results wait");
                (0..(job * 7_919) % 1_000).fold(job, |sum, _| std::hint::black_box(sum))
            },
            |result| {
                taken.fetch_add(1, Ordering::SeqCst);
                results.push(result);
                Ok::<_, ()>(())
            },
        )
        .expect("nothing fails");
        assert!(results.into_iter().eq(0..1_000));
    }

    #[test]
    fn an_error_ends_the_job() {
        let begun = AtomicUsize::new(0);
        let crew = Crew::of(2);
        let jobs = std::iter::repeat(1);
        let mut left = 10;
        let result = crew.in_order(
            jobs,
            |job| begun.fetch_add(job, Ordering::SeqCst),
            |_| {
                left -= 1;
                if left == 0 { Err("enough") } else { Ok(()) }
            },
        );
        assert_eq!(result, Err("enough"));
        assert!(begun.load(Ordering::SeqCst) < 20);
    }
}
