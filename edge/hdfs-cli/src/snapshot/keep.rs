//! Which snapshots a schedule keeps. Nothing here asks a clock: only the snapshots' own times count.

use chrono::{Datelike as _, NaiveDateTime};

/// A span of the calendar, of which the newest snapshot is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Period {
    Hour,
    Day,
    Week,
    Month,
    Year,
}

impl Period {
    /// Names the span around a time.
    fn label(self, time: NaiveDateTime) -> String {
        match self {
            Self::Hour => time.format("%Y-%m-%d %H:00").to_string(),
            Self::Day => time.format("%Y-%m-%d").to_string(),
            Self::Week => {
                let week = time.iso_week();
                format!("{}-W{:02}", week.year(), week.week())
            }
            Self::Month => time.format("%Y-%m").to_string(),
            Self::Year => time.format("%Y").to_string(),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        }
    }
}

/// A rule: `daily=7`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Rule {
    /// The newest ones.
    Last(usize),
    /// The newest one of each of the last spans that have one.
    Each(Period, usize),
}

/// A schedule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Keep {
    rules: Vec<Rule>,
}

/// A snapshot.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Taken {
    pub(super) name: String,
    pub(super) id: u32,
    pub(super) time: NaiveDateTime,
}

/// What becomes of a snapshot, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Verdict {
    pub(super) snapshot: Taken,
    pub(super) is_kept: bool,
    pub(super) reason: String,
}

impl Keep {
    /// Reads `daily=7,weekly=4,monthly=12`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut rules = Vec::new();
        for part in text.split(',').map(str::trim) {
            let form = || format!("'{part}' is not a rule such as daily=7");
            let (name, count) = part.split_once('=').ok_or_else(form)?;
            let count: usize = count.trim().parse().map_err(|_| form())?;
            let rule = match name.trim() {
                "last" => Rule::Last(count),
                "hourly" => Rule::Each(Period::Hour, count),
                "daily" => Rule::Each(Period::Day, count),
                "weekly" => Rule::Each(Period::Week, count),
                "monthly" => Rule::Each(Period::Month, count),
                "yearly" => Rule::Each(Period::Year, count),
                _ => return Err(form()),
            };
            rules.push(rule);
        }
        let keeps = rules.iter().any(|rule| match rule {
            Rule::Last(count) | Rule::Each(_, count) => *count > 0,
        });
        if keeps { Ok(Self { rules }) } else { Err("the rules keep nothing".to_owned()) }
    }

    /// Decides about every snapshot; the newest comes first.
    pub(super) fn judge(&self, mut snapshots: Vec<Taken>) -> Vec<Verdict> {
        snapshots.sort_by_key(|of| std::cmp::Reverse((of.time, of.id)));
        let mut reasons: Vec<Vec<String>> = vec![Vec::new(); snapshots.len()];
        for rule in &self.rules {
            for (index, reason) in kept_by(*rule, &snapshots) {
                reasons[index].push(reason);
            }
        }
        let kept: Vec<bool> = reasons.iter().map(|of| !of.is_empty()).collect();
        let verdict = |(index, snapshot): (usize, &Taken)| {
            let reason = if kept[index] {
                reasons[index].join(", ")
            } else {
                self.reason_against(snapshot, &snapshots, &kept)
            };
            Verdict { snapshot: snapshot.clone(), is_kept: kept[index], reason }
        };
        snapshots.iter().enumerate().map(verdict).collect()
    }

    fn reason_against(&self, snapshot: &Taken, all: &[Taken], kept: &[bool]) -> String {
        for rule in &self.rules {
            let Rule::Each(period, _) = rule else { continue };
            let label = period.label(snapshot.time);
            let newer = all
                .iter()
                .zip(kept)
                .find(|(other, is_kept)| **is_kept && period.label(other.time) == label);
            if let Some((newer, _)) = newer {
                return format!("{} {label} is kept as {}", period.name(), newer.name);
            }
        }
        "older than what the rules keep".to_owned()
    }
}

/// Indices of what a rule keeps, with reasons.
fn kept_by(rule: Rule, snapshots: &[Taken]) -> Vec<(usize, String)> {
    let mut kept = Vec::new();
    match rule {
        Rule::Last(count) => {
            let last = snapshots.iter().enumerate().take(count);
            kept.extend(last.map(|(index, _)| (index, format!("one of the last {count}"))));
        }
        Rule::Each(period, count) => {
            let mut before = None;
            for (index, snapshot) in snapshots.iter().enumerate() {
                let label = period.label(snapshot.time);
                if before.as_ref() == Some(&label) {
                    continue;
                }
                if kept.len() == count {
                    break;
                }
                kept.push((index, format!("{} {label}", period.name())));
                before = Some(label);
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;

    fn taken(times: &[(i32, u32, u32, u32)]) -> Vec<Taken> {
        let snapshot = |(id, of): (usize, &(i32, u32, u32, u32))| {
            let day = NaiveDate::from_ymd_opt(of.0, of.1, of.2).unwrap();
            let time = day.and_hms_opt(of.3, 0, 0).unwrap();
            Taken { name: format!("s{id}"), id: id as u32, time }
        };
        times.iter().enumerate().map(snapshot).collect()
    }

    fn table(rules: &str, times: &[(i32, u32, u32, u32)]) -> Vec<String> {
        let verdicts = Keep::parse(rules).unwrap().judge(taken(times));
        let line = |of: Verdict| {
            let mark = if of.is_kept { '+' } else { '-' };
            format!("{mark}{}: {}", of.snapshot.name, of.reason)
        };
        verdicts.into_iter().map(line).collect()
    }

    #[test]
    fn the_newest_of_each_of_the_last_days_that_have_one_is_kept() {
        let times = [
            (2026, 11, 1, 8),
            (2026, 11, 1, 20),
            (2026, 11, 5, 8),
            (2026, 11, 9, 8),
            (2026, 11, 9, 9),
        ];
        assert_eq!(
            table("daily=2", &times),
            [
                "+s4: day 2026-11-09",
                "-s3: day 2026-11-09 is kept as s4",
                "+s2: day 2026-11-05",
                "-s1: older than what the rules keep",
                "-s0: older than what the rules keep",
            ]
        );
    }

    #[test]
    fn weeks_are_those_of_the_iso_calendar() {
        // Thursday 2026-12-31 and Sunday 2027-01-03 are in week 53 of 2026; Monday begins week 1.
        let times = [(2026, 12, 31, 0), (2027, 1, 3, 0), (2027, 1, 4, 0)];
        assert_eq!(
            table("weekly=4", &times),
            ["+s2: week 2027-W01", "+s1: week 2026-W53", "-s0: week 2026-W53 is kept as s1"]
        );
    }

    #[test]
    fn what_one_rule_keeps_another_does_not_delete() {
        let times = [(2026, 9, 30, 0), (2026, 10, 30, 0), (2026, 10, 31, 0), (2026, 11, 1, 0)];
        assert_eq!(
            table("last=1,daily=2,monthly=12", &times),
            [
                "+s3: one of the last 1, day 2026-11-01, month 2026-11",
                "+s2: day 2026-10-31, month 2026-10",
                "-s1: month 2026-10 is kept as s2",
                "+s0: month 2026-09",
            ]
        );
    }

    #[test]
    fn wrong_rules_are_refused() {
        for rules in ["", "daily", "daily=x", "fortnightly=2", "daily=0", "daily=7,,"] {
            assert!(Keep::parse(rules).is_err(), "{rules}");
        }
    }
}
