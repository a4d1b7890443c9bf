//! What many inodes have alike, kept once: owner, group and mode, and the header of files.
//!
//! A record names its row by 4 bytes instead of holding 16. Rows are counted, and freed with their last inode.

use std::collections::BTreeMap;

const CACHE_ENTRIES: usize = 64;

/// A row: permission (user 24 | group 24 | mode 16), and header of a file (0 for others).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(crate) struct SharedAttributes {
    pub(crate) permission: u64,
    pub(crate) header: u64,
}

/// The number of a row.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(transparent)]
pub(crate) struct SharedRef(pub(crate) u32);

#[derive(Clone, Copy, Debug)]
struct Row {
    value: SharedAttributes,
    /// Inodes; 0 for a free row.
    users: u32,
}

/// The rows.
#[derive(Debug)]
pub(crate) struct SharedTable {
    rows: Vec<Row>,
    free: Vec<u32>,
    numbers: BTreeMap<SharedAttributes, u32>,
    /// Rows that were asked for lately. Only a guess: the row is looked at.
    cache: [u32; CACHE_ENTRIES],
}

impl Default for SharedTable {
    fn default() -> Self {
        let (rows, free, numbers) = Default::default();
        Self { rows, free, numbers, cache: [0; CACHE_ENTRIES] }
    }
}

fn cache_entry(value: &SharedAttributes) -> usize {
    const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
    let hash = (value.permission.wrapping_mul(ODD) ^ value.header).wrapping_mul(ODD);
    (hash >> 58) as usize % CACHE_ENTRIES
}

impl SharedTable {
    #[inline]
    pub(crate) fn get(&self, row: SharedRef) -> &SharedAttributes {
        &self.rows[row.0 as usize].value
    }

    /// The row of these values, for so many inodes more.
    #[inline]
    pub(crate) fn take(&mut self, value: SharedAttributes, users: u32) -> SharedRef {
        let entry = cache_entry(&value);
        let guess = self.cache[entry];
        if let Some(row) = self.rows.get_mut(guess as usize)
            && row.users > 0
            && row.value == value
        {
            row.users += users;
            return SharedRef(guess);
        }
        let number = self.find_or_add(value, users);
        self.cache[entry] = number;
        SharedRef(number)
    }

    fn find_or_add(&mut self, value: SharedAttributes, users: u32) -> u32 {
        if let Some(number) = self.numbers.get(&value) {
            self.rows[*number as usize].users += users;
            return *number;
        }
        let row = Row { value, users };
        let number = match self.free.pop() {
            Some(number) => {
                self.rows[number as usize] = row;
                number
            }
            None => {
                self.rows.push(row);
                u32::try_from(self.rows.len() - 1).expect("there are no more rows than inodes")
            }
        };
        self.numbers.insert(value, number);
        number
    }

    /// One inode less.
    pub(crate) fn release(&mut self, shared: SharedRef) {
        let row = &mut self.rows[shared.0 as usize];
        row.users -= 1;
        if row.users == 0 {
            self.numbers.remove(&row.value);
            self.free.push(shared.0);
        }
    }

    /// Rows in use with their inodes, by number.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (SharedRef, SharedAttributes, u32)> + '_ {
        let rows = (0..).zip(&self.rows).filter(|(_, row)| row.users > 0);
        rows.map(|(number, row)| (SharedRef(number), row.value, row.users))
    }

    /// Bytes allocated, about.
    pub(crate) fn bytes(&self) -> usize {
        self.rows.capacity() * size_of::<Row>()
            + self.free.capacity() * size_of::<u32>()
            + self.numbers.len() * (size_of::<SharedAttributes>() + size_of::<u32>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_share_a_row_until_their_last_user_is_gone() {
        let mut table = SharedTable::default();
        let value = |number: u64| SharedAttributes { permission: number << 16, header: number };
        let first = table.take(value(1), 1);
        assert_eq!(table.take(value(1), 2), first);
        let others: Vec<SharedRef> = (2..500).map(|number| table.take(value(number), 1)).collect();
        assert_eq!(table.take(value(1), 1), first, "found again when the cache forgot it");
        for (number, other) in (2..500).zip(&others) {
            assert_eq!(*table.get(*other), value(number));
            table.release(*other);
        }
        assert_eq!(table.rows().collect::<Vec<_>>(), [(first, value(1), 4)]);
        (0..4).for_each(|_| table.release(first));
        assert_eq!(table.rows().count(), 0);
        let again = table.take(value(1), 1);
        assert_eq!(*table.get(again), value(1));
        assert_eq!(table.rows.len(), 499, "free rows are used again");
    }
}
