//! Names of users and groups, stored once and named by 24-bit numbers. Number 0 is no name.

use std::collections::BTreeMap;
use std::sync::Arc;

/// Numbers fit the 24 bits that a packed permission has for each.
pub(crate) const MAX_NUMBER: u32 = (1 << 24) - 1;

/// A table of names.
#[derive(Clone, Debug)]
pub(crate) struct Interned {
    by_number: Vec<Arc<str>>,
    by_name: BTreeMap<Arc<str>, u32>,
}

impl Default for Interned {
    fn default() -> Self {
        Self { by_number: vec![Arc::from("")], by_name: BTreeMap::new() }
    }
}

impl Interned {
    /// The number of a name; a new name gets the next one, and none (0) when all are taken.
    pub(crate) fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.by_name.get(name) {
            return *number;
        }
        let number = self.by_number.len() as u32;
        if number > MAX_NUMBER {
            return 0;
        }
        let name: Arc<str> = name.into();
        self.by_number.push(name.clone());
        self.by_name.insert(name, number);
        number
    }

    /// True when no name can be added.
    pub(crate) fn is_full(&self) -> bool {
        self.by_number.len() > MAX_NUMBER as usize
    }

    /// The name with this number; empty for 0 and for numbers that were never given.
    pub(crate) fn name(&self, number: u32) -> &Arc<str> {
        self.by_number.get(number as usize).unwrap_or(&self.by_number[0])
    }

    /// Numbers and names, by number.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &Arc<str>)> {
        (0..).zip(&self.by_number).skip(1)
    }
}
