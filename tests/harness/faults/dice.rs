//! Reproducible randomness: a small random number generator with a seed.

/// A random number generator (`SplitMix64`: Steele, Lea, Flood, *Fast splittable pseudorandom number generators*,
/// 2014).
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// The generator with this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// An independent generator for the part of a test with this number.
    #[must_use]
    pub fn part(&self, number: u64) -> Self {
        let mut dice = Self(self.0 ^ number.wrapping_mul(0xA076_1D64_78BD_642F));
        Self(dice.number())
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.number() % u64::try_from(bound.max(1)).expect("a size")).expect("a size")
    }

    /// True with a probability of so many in ten thousand.
    pub fn happens(&mut self, in_ten_thousand: u32) -> bool {
        self.number() % 10_000 < u64::from(in_ten_thousand)
    }

    /// A random element; there must be at least one.
    pub fn one_of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }
}
