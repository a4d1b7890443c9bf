//! Tables as Hadoop's administrators' tools print them: columns padded with blanks, long texts wrapped.
//!
//! A column's width is that of its longest value plus one, which scripts that cut columns rely on.
//!
//! Hadoop: org.apache.hadoop.tools.TableListing (3.5.0)

/// Where a value stands in its column.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

struct Column {
    title: &'static str,
    align: Align,
    wraps: bool,
}

/// A table being filled.
pub(crate) struct TableListing {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
    with_header: bool,
    width: usize,
}

/// A wrapping column is not made narrower than this.
const NARROWEST: usize = 10;

impl TableListing {
    /// A table with titles and no limit of width.
    pub(crate) fn new(columns: &[(&'static str, Align)]) -> Self {
        let columns =
            columns.iter().map(|(title, align)| Column { title, align: *align, wraps: false });
        Self { columns: columns.collect(), rows: Vec::new(), with_header: true, width: usize::MAX }
    }

    /// Two columns without titles, of which the second wraps at the edge of an 80-column terminal.
    pub(crate) fn options() -> Self {
        let mut table = Self::new(&[("", Align::Left), ("", Align::Left)]);
        table.columns[1].wraps = true;
        table.with_header = false;
        table.width = 80;
        table
    }

    /// Two columns without titles.
    pub(crate) fn pairs() -> Self {
        Self { width: usize::MAX, ..Self::options() }
    }

    /// Adds a row: a value for every column.
    pub(crate) fn add(&mut self, row: Vec<String>) {
        self.rows.push(row);
    }

    /// How wide each column is.
    fn widths(&self) -> Vec<usize> {
        let mut widths: Vec<usize> = self
            .columns
            .iter()
            .enumerate()
            .map(|(at, column)| {
                let values = self.rows.iter().filter_map(|row| row.get(at));
                let longest = values.map(|value| value.chars().count()).max().unwrap_or(0);
                longest.max(column.title.chars().count()) + 1
            })
            .collect();
        let gaps = self.columns.len().saturating_sub(1) * 2;
        let mut total = widths.iter().sum::<usize>() + gaps;
        while total > self.width {
            let wrapping = self.columns.iter().position(|column| column.wraps);
            match wrapping.filter(|at| widths[*at] > NARROWEST) {
                Some(at) => widths[at] -= 1,
                None => break,
            }
            total -= 1;
        }
        widths
    }

    /// The text, one line after another.
    pub(crate) fn text(&self) -> String {
        let widths = self.widths();
        let titles: Vec<String> =
            self.columns.iter().map(|column| column.title.to_owned()).collect();
        let header = self.with_header.then_some(&titles);
        let mut text = String::new();
        for row in header.into_iter().chain(&self.rows) {
            let cells: Vec<Vec<String>> = self
                .columns
                .iter()
                .zip(&widths)
                .zip(row)
                .map(|((column, width), value)| {
                    let lines =
                        if column.wraps { wrap(value, *width) } else { vec![value.clone()] };
                    lines.into_iter().map(|line| pad(&line, *width, column.align)).collect()
                })
                .collect();
            let height = cells.iter().map(Vec::len).max().unwrap_or(0);
            for line in 0..height {
                for (at, cell) in cells.iter().enumerate() {
                    if at > 0 {
                        text.push(' ');
                    }
                    match cell.get(line) {
                        Some(part) => text.push_str(part),
                        None => text.push_str(&" ".repeat(widths[at])),
                    }
                }
                text.push('\n');
            }
        }
        text
    }
}

fn pad(text: &str, width: usize, align: Align) -> String {
    match align {
        Align::Left => format!("{text:<width$}"),
        Align::Right => format!("{text:>width$}"),
    }
}

/// Breaks at blanks so that no line is longer than `width`; a longer word is cut.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let mut lines = Vec::new();
    let mut start = 0;
    while chars.len() - start > width {
        if chars[start] == ' ' {
            start += 1;
            continue;
        }
        let end = start + width;
        match (start..=end).rev().find(|at| chars[*at] == ' ') {
            Some(blank) if blank > start => {
                lines.push(chars[start..blank].iter().collect());
                start = blank + 1;
            }
            _ => {
                lines.push(chars[start..end].iter().collect());
                start = end;
            }
        }
    }
    lines.push(chars[start..].iter().collect());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_padded_and_the_second_wraps() {
        let mut table = TableListing::options();
        table.add(vec!["<path>".into(), "a path ".repeat(14).trim_end().to_owned()]);
        table.add(vec!["<p>".into(), "short".into()]);
        let text = table.text();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3);
        assert!(lines.iter().all(|line| line.chars().count() <= 80), "{text}");
        assert!(lines[1].starts_with("        ") && lines[1].trim().len() > 9, "{text}");
        assert_eq!(lines[2].trim_end(), "<p>     short");
    }

    #[test]
    fn numbers_stand_at_the_right() {
        let mut table = TableListing::new(&[("ID", Align::Right), ("POOL", Align::Left)]);
        table.add(vec!["12".into(), "pool1".into()]);
        assert_eq!(table.text(), " ID POOL  \n 12 pool1 \n");
    }

    #[test]
    fn a_word_longer_than_a_line_is_cut() {
        assert_eq!(wrap("abcdefgh ij", 4), ["abcd", "efgh", "ij"]);
    }
}
