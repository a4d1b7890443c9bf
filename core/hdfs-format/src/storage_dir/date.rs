//! Dates as Java prints them, in UTC.

use hdfs_types::WallMillis;
use std::fmt;

/// A time on the civil calendar, in UTC.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CivilTime {
    year: u64,
    month: u64,
    day: u64,
    /// Days after Thursday.
    weekday: u64,
    millis_of_day: u64,
}

impl From<WallMillis> for CivilTime {
    fn from(time: WallMillis) -> Self {
        let (days, millis_of_day) = (time.0 / 86_400_000, time.0 % 86_400_000);
        // Counted from 1 March of the year 0: eras of 400 years, leap days at the end of a year.
        let shifted = days + 719_468;
        let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * day_of_year + 2) / 153;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        Self {
            year: era * 400 + year_of_era + u64::from(month <= 2),
            month,
            day: day_of_year - (153 * from_march + 2) / 5 + 1,
            weekday: days % 7,
            millis_of_day,
        }
    }
}

/// `Sat Nov 21 09:30:00 UTC 2026`: java.util.Date.
impl fmt::Display for CivilTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
        const MONTHS: [&str; 12] =
            ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let name = |names: &[&'static str], index: u64| {
            let name = usize::try_from(index).ok().and_then(|index| names.get(index));
            name.copied().unwrap_or_default()
        };
        let (day, month) = (name(&DAYS, self.weekday), name(&MONTHS, self.month - 1));
        let [hour, minute, second, _] = self.clock();
        let (date, year) = (self.day, self.year);
        write!(f, "{day} {month} {date:02} {hour:02}:{minute:02}:{second:02} UTC {year}")
    }
}

impl CivilTime {
    fn clock(self) -> [u64; 4] {
        let millis = self.millis_of_day;
        [millis / 3_600_000, millis / 60_000 % 60, millis / 1_000 % 60, millis % 1_000]
    }

    /// `09:30:00`: java.sql.Time.
    pub fn time_of_day(self) -> String {
        let [hour, minute, second, _] = self.clock();
        format!("{hour:02}:{minute:02}:{second:02}")
    }

    /// `2026-11-21T09:30:00+0000`: Hadoop's DFSUtilClient.dateToIso8601String.
    pub fn iso_with_zone(self) -> String {
        let Self { year, month, day, .. } = self;
        format!("{year:04}-{month:02}-{day:02}T{}+0000", self.time_of_day())
    }

    /// `2026-11-21T09:30:00.123`.
    pub(crate) fn iso(self) -> String {
        let Self { year, month, day, .. } = self;
        let [hour, minute, second, millis] = self.clock();
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}")
    }
}

/// The milliseconds since 1970 of `2026-11-21T09:30:00.123`. Fields out of range run over, as in Java.
pub(crate) fn parse_iso_millis(text: &str) -> Option<u64> {
    let (date, clock) = text.split_once('T')?;
    let mut date = date.splitn(3, '-').map(|field| field.parse::<i64>().ok());
    let (year, month, day) = (date.next()??, date.next()??.checked_sub(1)?, date.next()??);
    let mut clock = clock.split([':', '.']).map(|field| field.parse::<i64>().ok());
    let (hour, minute) = (clock.next()??, clock.next()??);
    let (second, millis) = (clock.next()??, clock.next()??);
    // Counted from 1 March, as above.
    let months = year.checked_mul(12)?.checked_add(month)?.checked_sub(2)?;
    let (year, month) = (months.div_euclid(12), months.rem_euclid(12));
    let days = year
        .checked_mul(365)?
        .checked_add(year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400))?
        .checked_add((153 * month + 2) / 5)?
        .checked_add(day)?
        .checked_sub(1)?
        .checked_sub(719_468)?;
    let seconds = days
        .checked_mul(24)?
        .checked_add(hour)?
        .checked_mul(60)?
        .checked_add(minute)?
        .checked_mul(60)?
        .checked_add(second)?;
    Some(seconds.checked_mul(1000)?.checked_add(millis)?.cast_unsigned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_java() {
        let date = |millis| CivilTime::from(WallMillis(millis));
        assert_eq!(date(0).to_string(), "Thu Jan 01 00:00:00 UTC 1970");
        assert_eq!(date(951_782_400_000).to_string(), "Tue Feb 29 00:00:00 UTC 2000");
        assert_eq!(date(1_795_253_399_999).to_string(), "Sat Nov 21 09:29:59 UTC 2026");
        assert_eq!(date(1_795_253_399_999).iso(), "2026-11-21T09:29:59.999");
        for millis in
            [0, 951_782_400_000, 1_709_164_799_999, 1_795_253_399_999, 253_402_300_800_000]
        {
            assert_eq!(parse_iso_millis(&date(millis).iso()), Some(millis));
        }
        assert_eq!(parse_iso_millis("yesterday"), None);
        let lowest = i64::MIN;
        assert_eq!(parse_iso_millis(&format!("2026-{lowest}-{lowest}T09:30:00.0")), None);
    }
}
