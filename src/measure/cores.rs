//! Sets of this machine's cores.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use nix::sched::{CpuSet, sched_getaffinity};
use nix::unistd::Pid;

/// Some of this machine's cores, such as `0,2-3`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoreSet(BTreeSet<usize>);

impl CoreSet {
    /// The cores that this process may use.
    pub fn available() -> Self {
        let mut cores = BTreeSet::new();
        if let Ok(set) = sched_getaffinity(Pid::from_raw(0)) {
            cores.extend((0..CpuSet::count()).filter(|&core| set.is_set(core).unwrap_or(false)));
        }
        Self(cores)
    }

    /// Number of cores.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// These without `others`.
    pub fn without(&self, others: &Self) -> Self {
        Self(self.0.difference(&others.0).copied().collect())
    }

    /// Whether all of these are in `others`.
    pub fn is_subset(&self, others: &Self) -> bool {
        self.0.is_subset(&others.0)
    }

    /// `parts` sets of equal size; what does not divide is left out.
    pub fn split(&self, parts: usize) -> Vec<Self> {
        let each = self.len() / parts.max(1);
        let cores: Vec<usize> = self.0.iter().copied().collect();
        (0..parts)
            .map(|part| {
                Self(
                    cores[part * each..(part + 1) * each]
                        .iter()
                        .copied()
                        .collect(),
                )
            })
            .collect()
    }
}

impl fmt::Display for CoreSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cores: Vec<String> = self.0.iter().map(usize::to_string).collect();
        f.write_str(&cores.join(","))
    }
}

impl FromStr for CoreSet {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no list of cores (for example 0,2-3)");
        let mut cores = BTreeSet::new();
        for part in text.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let first: usize = first.trim().parse().map_err(|_| wrong())?;
            let last: usize = last.trim().parse().map_err(|_| wrong())?;
            if first > last || last >= CpuSet::count() {
                return Err(wrong());
            }
            cores.extend(first..=last);
        }
        Ok(Self(cores))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_cores_are_read_and_split_evenly() {
        let cores: CoreSet = "0,2-5".parse().unwrap();
        assert_eq!(cores.to_string(), "0,2,3,4,5");
        let parts: Vec<String> = cores.split(2).iter().map(CoreSet::to_string).collect();
        assert_eq!(parts, ["0,2", "3,4"]);
        for wrong in ["", "a", "3-1", "1,,2", "99999999"] {
            assert!(wrong.parse::<CoreSet>().is_err(), "{wrong}");
        }
    }
}
