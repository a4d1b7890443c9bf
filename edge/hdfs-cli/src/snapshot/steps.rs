//! From a report of differences to the steps that undo them. Nothing here talks to a cluster.
//!
//! The report leads from now to the snapshot. Sources of renames are places of the current tree; every other path is one
//! of the snapshot's tree, so a path below a directory that was renamed is found where that directory is at the time.

/// A line of a report.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Difference {
    pub(super) label: String,
    pub(super) path: String,
    pub(super) target: Option<String>,
}

/// A place that was renamed: it waits in the temporary directory under its number, then moves to its old place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Moved {
    /// Where it is now.
    pub(super) from: String,
    /// Where the snapshot has it.
    pub(super) to: String,
    number: usize,
}

/// What to do, in this order. Paths are below the directory that is restored.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Steps {
    /// First to the temporary directory, the deepest first.
    pub(super) aside: Vec<Moved>,
    /// Places of what is not in the snapshot.
    pub(super) delete: Vec<String>,
    /// What is only in the snapshot: its path there.
    pub(super) copy: Vec<String>,
    /// From the temporary directory back, the highest first.
    pub(super) back: Vec<Moved>,
    /// What may differ in content or attributes: paths that both have now.
    pub(super) compare: Vec<String>,
}

impl Steps {
    /// Reads a report.
    ///
    /// # Errors
    /// A label that is none of Hadoop's.
    pub(super) fn of(report: &[Difference]) -> Result<Self, String> {
        let mut steps = Self::default();
        for (number, line) in report.iter().enumerate() {
            match (line.label.as_str(), &line.target) {
                ("R", Some(to)) => {
                    let (from, to) = (line.path.clone(), to.clone());
                    steps.aside.push(Moved { from, to, number });
                }
                ("-", _) => steps.delete.push(line.path.clone()),
                ("+", _) => steps.copy.push(line.path.clone()),
                ("M", _) => steps.compare.push(line.path.clone()),
                (label, _) => return Err(format!("'{label}' of {} is not understood", line.path)),
            }
        }
        steps.aside.sort_by_key(|moved| std::cmp::Reverse(depth(&moved.from)));
        steps.back = steps.aside.clone();
        steps.back.sort_by_key(|moved| depth(&moved.to));
        steps.copy.sort_by_key(|path| depth(path));
        // Attributes of a directory come after those below it: they may take the right to change it away.
        steps.compare.sort_by_key(|path| std::cmp::Reverse(depth(path)));
        Ok(steps)
    }

    /// True when there is nothing to do.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Where a path of the snapshot's tree is while everything that was renamed waits in `temporary`.
    pub(super) fn place(&self, path: &str, temporary: &str) -> String {
        let holder = self.back.iter().rev().find(|moved| is_below(path, &moved.to));
        match holder {
            Some(moved) => format!("{}{}", moved.aside(temporary), &path[moved.to.len()..]),
            None => path.to_owned(),
        }
    }
}

impl Moved {
    /// Its path in the temporary directory.
    pub(super) fn aside(&self, temporary: &str) -> String {
        format!("{temporary}/{}", self.number)
    }
}

/// The number of names of a path.
fn depth(path: &str) -> usize {
    path.split('/').filter(|name| !name.is_empty()).count()
}

fn is_below(path: &str, top: &str) -> bool {
    path.strip_prefix(top).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(lines: &[&str]) -> Vec<Difference> {
        let difference = |line: &&str| {
            let mut words = line.split(' ').map(str::to_owned);
            let (label, path) = (words.next().unwrap(), words.next().unwrap());
            Difference { label, path, target: words.next() }
        };
        lines.iter().map(difference).collect()
    }

    fn froms(moved: &[Moved]) -> Vec<&str> {
        moved.iter().map(|of| of.from.as_str()).collect()
    }

    #[test]
    fn what_lies_in_another_renamed_place_leaves_it_first_and_comes_back_last() {
        let steps = Steps::of(&report(&["R x a", "R x/y a/b/c"])).unwrap();
        assert_eq!(froms(&steps.aside), ["x/y", "x"]);
        assert_eq!(froms(&steps.back), ["x", "x/y"]);
    }

    #[test]
    fn paths_below_a_renamed_directory_are_found_where_it_waits() {
        let steps = Steps::of(&report(&["R x a", "R y a/b", "- a/new", "+ a/b/old"])).unwrap();
        assert_eq!(steps.place("a/new", ".t"), ".t/0/new");
        assert_eq!(steps.place("a/b/old", ".t"), ".t/1/old");
        assert_eq!(steps.place("ab", ".t"), "ab");
    }

    #[test]
    fn parents_are_copied_before_and_changed_after_what_is_in_them() {
        let steps = Steps::of(&report(&["M d", "M d/e/f", "+ d/e/g", "+ c"])).unwrap();
        assert_eq!(steps.copy, ["c", "d/e/g"]);
        assert_eq!(steps.compare, ["d/e/f", "d"]);
        assert!(Steps::of(&report(&["? d"])).is_err());
    }
}
