//! How many trials each task gets.

/// Trials shared evenly; what a task cannot use goes to the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quotas(Vec<usize>);

impl Quotas {
    /// `total` trials for `tasks` tasks; the first ones get what does not divide.
    pub fn shared(total: usize, tasks: usize) -> Self {
        let (each, rest) = match tasks {
            0 => (0, 0),
            _ => (total / tasks, total % tasks),
        };
        Self((0..tasks).map(|t| each + usize::from(t < rest)).collect())
    }

    /// The same number of trials for each task.
    pub fn per_task(each: usize, tasks: usize) -> Self {
        Self(vec![each; tasks])
    }

    /// A task's trials.
    pub fn of(&self, task: usize) -> usize {
        self.0[task]
    }

    /// All trials.
    pub fn total(&self) -> usize {
        self.0.iter().sum()
    }

    /// Takes from a task all trials beyond `used` and shares them among `heirs`, the first of which get one more.
    pub fn hand_over(&mut self, task: usize, used: usize, heirs: &[usize]) {
        let left = self.0[task].saturating_sub(used);
        self.0[task] -= left;
        let shares = Self::shared(left, heirs.len());
        for (&heir, share) in heirs.iter().zip(shares.0) {
            self.0[heir] += share;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trials_are_shared_evenly_and_all_of_them() {
        assert_eq!(Quotas::shared(10, 4), Quotas(vec![3, 3, 2, 2]));
        assert_eq!(Quotas::shared(10, 0).total(), 0);
    }

    #[test]
    fn what_a_small_space_cannot_use_goes_to_the_others() {
        let mut quotas = Quotas::shared(30, 3);
        quotas.hand_over(1, 5, &[0, 2]);
        assert_eq!(quotas, Quotas(vec![13, 5, 12]));
        quotas.hand_over(0, 13, &[2]);
        assert_eq!(quotas.total(), 30);
        quotas.hand_over(2, 0, &[]);
        assert_eq!(quotas, Quotas(vec![13, 5, 0]), "nobody is left to use them");
    }
}
