//! Values named by small numbers that are used again.

/// A growing table with a list of free places.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    places: Vec<T>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { places: Vec::new(), free: Vec::new() }
    }
}

impl<T: Default> Slab<T> {
    /// Stores a value; returns its number.
    pub(crate) fn insert(&mut self, value: T) -> u32 {
        if let Some(number) = self.free.pop() {
            self.places[number as usize] = value;
            return number;
        }
        self.places.push(value);
        u32::try_from(self.places.len() - 1).expect("there are fewer values than inodes")
    }

    /// Takes a value out; its number may be given again.
    pub(crate) fn remove(&mut self, number: u32) -> T {
        self.free.push(number);
        std::mem::take(&mut self.places[number as usize])
    }

    #[inline]
    pub(crate) fn get(&self, number: u32) -> &T {
        &self.places[number as usize]
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, number: u32) -> &mut T {
        &mut self.places[number as usize]
    }

    /// Values stored.
    pub(crate) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// Bytes allocated for the places themselves.
    pub(crate) fn bytes(&self) -> usize {
        self.places.capacity() * size_of::<T>() + self.free.capacity() * size_of::<u32>()
    }
}
