//! One seed, named streams: every random draw of a run comes from here, so a run can be repeated.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// The seed of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed(pub u64);

impl Seed {
    /// An independent stream of random numbers with a name.
    ///
    /// Streams of different names never overlap (ChaCha's 64-bit stream number is the name's FNV-1a hash),
    /// so a new consumer does not shift the draws of an old one.
    pub fn stream(self, name: &str) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::seed_from_u64(self.0);
        rng.set_stream(fnv1a(name.as_bytes()));
        rng
    }

    /// The seed of a part, such as one task of a run.
    pub fn child(self, name: &str) -> Self {
        Self(self.0 ^ fnv1a(name.as_bytes()))
    }
}

/// FNV-1a, 64 bits: small, stable over versions of Rust and of this program.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;

    #[test]
    fn a_stream_repeats_and_differs_from_its_neighbours() {
        let draw = |seed: u64, name| Seed(seed).stream(name).next_u64();
        assert_eq!(draw(7, "actor"), draw(7, "actor"));
        assert_ne!(draw(7, "actor"), draw(7, "critic"));
        assert_ne!(draw(7, "actor"), draw(8, "actor"));
        assert_ne!(Seed(7).child("task 0"), Seed(7).child("task 1"));
    }
}
