//! New configurations out of good ones, knob by knob.

use rand::{Rng, RngExt};

use crate::task::Digits;

/// How often each value of each knob occurs in a set of configurations.
#[derive(Clone, Debug)]
pub struct Frequencies {
    /// For each knob, the values that occur, as often as they do.
    values: Vec<Vec<u32>>,
}

impl Frequencies {
    /// Counts values; `None` where there is no configuration.
    pub fn of<'a>(configs: impl IntoIterator<Item = &'a Digits>) -> Option<Self> {
        let mut configs = configs.into_iter();
        let mut values: Vec<Vec<u32>> = configs.next()?.iter().map(|&value| vec![value]).collect();
        for config in configs {
            for (knob, &value) in values.iter_mut().zip(config) {
                knob.push(value);
            }
        }
        Some(Self { values })
    }

    /// A configuration whose every knob has a value of the set, drawn as often as it occurs there.
    pub fn synthesise(&self, rng: &mut impl Rng) -> Digits {
        self.values
            .iter()
            .map(|knob| knob[rng.random_range(0..knob.len())])
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;

    #[test]
    fn a_value_that_all_agree_on_is_never_changed_and_others_come_as_often_as_they_occur() {
        let frequencies =
            Frequencies::of(&[vec![1, 0], vec![1, 2], vec![1, 2], vec![1, 2]]).unwrap();
        let mut rng = Seed(1).stream("test");
        let drawn: Vec<_> = (0..400).map(|_| frequencies.synthesise(&mut rng)).collect();
        assert!(drawn.iter().all(|config| config[0] == 1));
        let twos = drawn.iter().filter(|config| config[1] == 2).count();
        assert!((250..350).contains(&twos), "{twos} of 400");
    }

    #[test]
    fn of_nothing_nothing_is_made() {
        assert!(Frequencies::of([]).is_none());
    }
}
