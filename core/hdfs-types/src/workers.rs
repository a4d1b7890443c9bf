//! Big jobs in independent parts: core/ has no threads, so that whoever calls gives it a crew.

/// Runs parts of a job, at the same time when it can.
pub trait Workers {
    /// Does `work` on every job, in any order and maybe at the same time, and gives the results to `take` in the order of
    /// the jobs, as they come. A bounded number of results waits.
    ///
    /// # Errors
    /// The first error of `take`; later jobs are not done.
    fn in_order<J: Send, R: Send, E>(
        &self,
        jobs: impl Iterator<Item = J> + Send,
        work: impl Fn(J) -> R + Sync,
        take: impl FnMut(R) -> Result<(), E>,
    ) -> Result<(), E>;
}

/// Does everything itself, one after the other.
#[derive(Clone, Copy, Debug, Default)]
pub struct Alone;

impl Workers for Alone {
    fn in_order<J: Send, R: Send, E>(
        &self,
        mut jobs: impl Iterator<Item = J> + Send,
        work: impl Fn(J) -> R + Sync,
        mut take: impl FnMut(R) -> Result<(), E>,
    ) -> Result<(), E> {
        jobs.try_for_each(|job| take(work(job)))
    }
}
