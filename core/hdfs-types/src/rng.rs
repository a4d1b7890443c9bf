//! Randomness as an argument: machines own a seeded generator, so that a simulation repeats.

/// A source of random numbers that a machine owns.
pub trait Rng {
    /// The next 64 random bits.
    fn next_u64(&mut self) -> u64;

    /// A number below `bound`.
    ///
    /// # Panics
    /// When `bound` is 0.
    fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "a random number below 0 does not exist");
        // The bias of a plain remainder is below bound / 2^64: no choice here can notice it.
        self.next_u64() % bound
    }
}

/// SplitMix64: eight lines, passes BigCrush, any seed is good. Not for secrets.
#[derive(Clone, Debug)]
pub struct SplitMix64(pub u64);

impl Rng for SplitMix64 {
    fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}
