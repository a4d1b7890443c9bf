//! Leases: who writes which files, and who was silent for too long.
//!
//! A holder has one lease for all of its files. It is renewed by any create or append and by renewLease; files are closed
//! by others after the soft limit, by the NameNode after the hard limit. Times are monotonic and not persisted: after a
//! restart every lease counts as renewed when the NameNode becomes active.
//!
//! Hadoop: org.apache.hadoop.hdfs.server.namenode.LeaseManager (3.5.0)

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hdfs_types::{INodeId, Mono, WallMillis};

#[derive(Clone, PartialEq, Eq, Debug)]
struct Lease {
    renewed: Mono,
    /// How many; which ones, the other index says.
    files: usize,
}

/// A lease over its hard limit, with its files.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExpiredLease {
    /// Who was silent.
    pub holder: Arc<str>,
    /// Its files.
    pub files: Vec<INodeId>,
}

/// Every lease.
#[derive(Clone, Debug, Default)]
pub struct LeaseHolders {
    /// At most one has no files: see `left`.
    by_holder: BTreeMap<Arc<str>, Lease>,
    by_file: BTreeMap<INodeId, Arc<str>>,
    /// Time of the call that is being applied.
    now: Mono,
    /// Name under which the NameNode itself holds leases during recovery, and when it took it.
    internal: Option<(Mono, Arc<str>)>,
    /// A holder that may have no file any more, and so is none; its entry stays until another one leaves, because who
    /// writes one file after the other comes back.
    left: Option<Arc<str>>,
}

impl LeaseHolders {
    /// Sets the time at which the following changes happen.
    pub(crate) fn set_now(&mut self, now: Mono) {
        self.now = self.now.max(now);
    }

    /// Returns the holder's name as it is stored, for others to share.
    pub(crate) fn add(&mut self, holder: &str, file: INodeId) -> Arc<str> {
        self.remove(file);
        let now = self.now;
        let known = self.by_holder.get_key_value(holder).map(|(name, _)| name.clone());
        let name = known.unwrap_or_else(|| {
            let name: Arc<str> = holder.into();
            self.by_holder.insert(name.clone(), Lease { renewed: now, files: 0 });
            name
        });
        if let Some(lease) = self.by_holder.get_mut(holder) {
            lease.renewed = now;
            lease.files += 1;
        }
        self.by_file.insert(file, name.clone());
        name
    }

    pub(crate) fn remove(&mut self, file: INodeId) {
        let Some(holder) = self.by_file.remove(&file) else { return };
        if let Some(lease) = self.by_holder.get_mut(&holder) {
            lease.files -= 1;
            if lease.files == 0 {
                self.leave(holder);
            }
        }
    }

    /// Keeps the entry of a holder without files, and drops the one kept before.
    fn leave(&mut self, holder: Arc<str>) {
        if self.left.as_ref() == Some(&holder) {
            return;
        }
        if let Some(before) = self.left.replace(holder)
            && self.lease(&before).is_none()
        {
            self.by_holder.remove(&before);
        }
    }

    fn lease(&self, holder: &str) -> Option<&Lease> {
        self.by_holder.get(holder).filter(|lease| lease.files > 0)
    }

    /// A client says that it lives. Unknown holders have nothing to renew.
    pub fn renew(&mut self, holder: &str, now: Mono) {
        self.set_now(now);
        if let Some(lease) = self.by_holder.get_mut(holder) {
            lease.renewed = now;
        }
    }

    /// Every holder counts as alive: after a restart, a failover or safe mode nobody could renew before.
    pub fn renew_all(&mut self, now: Mono) {
        self.set_now(now);
        for lease in self.by_holder.values_mut() {
            lease.renewed = now;
        }
    }

    /// Who writes a file.
    pub fn holder(&self, file: INodeId) -> Option<&Arc<str>> {
        self.by_file.get(&file)
    }

    /// True when the holder was silent for longer than `limit`. Unknown holders are.
    pub fn is_silent(&self, holder: &str, now: Mono, limit: Duration) -> bool {
        self.lease(holder).is_none_or(|lease| now.since(lease.renewed) > limit)
    }

    /// Leases over the hard limit, by holder.
    pub fn expired(&self, now: Mono, hard_limit: Duration) -> Vec<ExpiredLease> {
        let silent = |lease: &Lease| lease.files > 0 && now.since(lease.renewed) > hard_limit;
        let mut expired: BTreeMap<&Arc<str>, Vec<INodeId>> = self
            .by_holder
            .iter()
            .filter(|(_, lease)| silent(lease))
            .map(|(holder, lease)| (holder, Vec::with_capacity(lease.files)))
            .collect();
        if !expired.is_empty() {
            for (file, holder) in &self.by_file {
                if let Some(files) = expired.get_mut(holder) {
                    files.push(*file);
                }
            }
        }
        let named =
            |(holder, files): (&Arc<str>, _)| ExpiredLease { holder: holder.clone(), files };
        expired.into_iter().map(named).collect()
    }

    /// The name under which the NameNode holds leases while it recovers files: `HDFS_NameNode-` and the time at which it
    /// was taken; a new one after each hard limit.
    pub fn internal_holder(
        &mut self,
        now: Mono,
        wall: WallMillis,
        hard_limit: Duration,
    ) -> Arc<str> {
        if let Some((taken, name)) = &self.internal
            && now.since(*taken) <= hard_limit
        {
            return name.clone();
        }
        let name: Arc<str> = format!("HDFS_NameNode-{}", java_time(wall)).into();
        self.internal = Some((now, name.clone()));
        name
    }

    /// Hadoop's text of a lease, or of its absence.
    pub(crate) fn describe(&self, holder: &str) -> String {
        match self.lease(holder) {
            Some(lease) => {
                format!("[Lease.  Holder: {holder}, pending creates: {}]", lease.files)
            }
            None => format!("Holder {holder} does not have any open files."),
        }
    }

    /// True when this holder writes any file.
    pub fn has(&self, holder: &str) -> bool {
        self.lease(holder).is_some()
    }

    /// Files with a lease, by id, after one.
    pub fn files_after(&self, after: INodeId) -> impl Iterator<Item = (INodeId, &Arc<str>)> {
        use std::ops::Bound::{Excluded, Unbounded};
        self.by_file.range((Excluded(after), Unbounded)).map(|(file, holder)| (*file, holder))
    }

    /// Files with a lease.
    pub fn len(&self) -> usize {
        self.by_file.len()
    }

    /// True when no file is open.
    pub fn is_empty(&self) -> bool {
        self.by_file.is_empty()
    }

    /// Holders.
    pub fn holders(&self) -> usize {
        self.by_holder.values().filter(|lease| lease.files > 0).count()
    }

    pub(crate) fn check(&self) -> Result<(), String> {
        let mut counted: BTreeMap<&Arc<str>, usize> = BTreeMap::new();
        for holder in self.by_file.values() {
            *counted.entry(holder).or_default() += 1;
        }
        let known = self.by_holder.iter().map(|(holder, lease)| (holder, lease.files));
        let known = known.filter(|(_, files)| *files > 0);
        let idle = self.by_holder.len() - self.holders();
        if idle <= usize::from(self.left.is_some())
            && counted.iter().map(|(holder, files)| (*holder, *files)).eq(known)
        {
            return Ok(());
        }
        Err(format!("leases are {:?}, by the index of files {counted:?}", self.by_holder))
    }
}

/// `yyyy-MM-dd HH:mm:ss,SSS+0000`, as Hadoop's Time.formatTime in UTC.
fn java_time(wall: WallMillis) -> String {
    let (year, month, day) = civil_date(wall);
    let milliseconds = wall.0 % 86_400_000;
    let (seconds, milliseconds) = (milliseconds / 1_000, milliseconds % 1_000);
    format!(
        "{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02},{milliseconds:03}+0000",
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60,
    )
}

/// Year, month and day in UTC: Howard Hinnant's algorithm, era of 400 years.
pub(crate) fn civil_date(wall: WallMillis) -> (u64, u64, u64) {
    let days = wall.0 / 86_400_000;
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn a_lease_covers_all_files_of_its_holder_until_it_is_silent() {
        let mut leases = LeaseHolders::default();
        let (a, b): (Arc<str>, Arc<str>) = ("a".into(), "b".into());
        leases.add(&a, INodeId(1));
        leases.add(&a, INodeId(2));
        leases.add(&b, INodeId(3));
        leases.renew("b", Mono::default().after(MINUTE));
        leases.renew("nobody", Mono::default().after(MINUTE));
        let later = Mono::default().after(MINUTE + Duration::from_secs(1));
        let expired = leases.expired(later, MINUTE);
        assert_eq!(
            expired,
            [ExpiredLease { holder: a.clone(), files: vec![INodeId(1), INodeId(2)] }]
        );
        assert!(leases.is_silent("nobody", later, MINUTE) && !leases.is_silent("b", later, MINUTE));

        leases.add(&b, INodeId(1));
        assert_eq!(leases.holder(INodeId(1)), Some(&b));
        leases.remove(INodeId(2));
        assert_eq!((leases.holders(), leases.len()), (1, 2));
        assert_eq!(leases.describe("b"), "[Lease.  Holder: b, pending creates: 2]");
        assert_eq!(leases.describe("a"), "Holder a does not have any open files.");
        leases.check().expect("both indexes agree");
    }

    #[test]
    fn the_internal_holder_names_the_time_at_which_it_was_taken() {
        let mut leases = LeaseHolders::default();
        let name = leases.internal_holder(Mono(0), WallMillis(1_709_210_096_007), MINUTE);
        assert_eq!(&*name, "HDFS_NameNode-2024-02-29 12:34:56,007+0000");
        assert_eq!(leases.internal_holder(Mono(5), WallMillis(0), MINUTE), name);
        let later = Mono::default().after(MINUTE * 2);
        assert_eq!(
            &*leases.internal_holder(later, WallMillis(0), MINUTE),
            "HDFS_NameNode-1970-01-01 00:00:00,000+0000"
        );
    }
}
