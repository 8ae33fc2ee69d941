//! A seeded permutation of `0..n` that needs no memory: random order without repetition in spaces of any size.

use rand::Rng;

/// A bijection of `0..len`: a Feistel network over the next power of four, walked until it lands inside
/// (Black and Rogaway, "Ciphers with Arbitrary Finite Domains", 2002, method 2).
#[derive(Clone, Debug)]
pub struct Permutation {
    len: u64,
    /// Bits of one half of the Feistel network; its domain is `2^(2 * half_bits)`, less than `4 * len`.
    half_bits: u32,
    keys: [u64; ROUNDS],
}

/// Black and Rogaway need three rounds for a pseudorandom permutation; small domains profit from more.
const ROUNDS: usize = 6;

impl Permutation {
    /// A permutation of `0..len`, drawn from `rng`.
    pub fn new(len: u64, rng: &mut impl Rng) -> Self {
        let bits = u64::BITS - len.saturating_sub(1).leading_zeros();
        Self {
            len,
            half_bits: bits.div_ceil(2),
            keys: std::array::from_fn(|_| rng.next_u64()),
        }
    }

    /// Where `position` goes.
    ///
    /// # Panics
    /// When `position` is not below the length.
    pub fn apply(&self, position: u64) -> u64 {
        assert!(position < self.len, "position {position} of {}", self.len);
        let mut value = position;
        loop {
            value = self.feistel(value);
            if value < self.len {
                return value;
            }
        }
    }

    fn feistel(&self, value: u64) -> u64 {
        let mask = (1u64 << self.half_bits) - 1;
        let (mut left, mut right) = (value >> self.half_bits, value & mask);
        for key in self.keys {
            (left, right) = (right, left ^ (mix(right ^ key) & mask));
        }
        left << self.half_bits | right
    }
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", 2014).
const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_value_comes_exactly_once(len in 1u64..3000, seed: u64) {
            let permutation = Permutation::new(len, &mut Seed(seed).stream("test"));
            let mut values: Vec<u64> = (0..len).map(|i| permutation.apply(i)).collect();
            values.sort_unstable();
            prop_assert_eq!(values, (0..len).collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_largest_space_is_permuted_too() {
        let permutation = Permutation::new(u64::MAX, &mut Seed(1).stream("test"));
        assert_ne!(permutation.apply(0), permutation.apply(u64::MAX - 1));
    }

    #[test]
    fn the_first_draws_are_spread_evenly() {
        // 1000 seeds, first of 10 values: a uniform draw puts 100 +- 3 * 9.5 in each place.
        let mut counts = [0u32; 10];
        for seed in 0..1000 {
            let first = Permutation::new(10, &mut Seed(seed).stream("test")).apply(0);
            counts[first as usize] += 1;
        }
        assert!(
            counts.iter().all(|&c| (70..=130).contains(&c)),
            "{counts:?}"
        );
    }
}
