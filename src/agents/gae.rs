//! Generalised advantage estimation (Schulman et al. 2016, arXiv 1506.02438, equation 16).

/// Advantages of one walk, from its rewards, the critic's values of its states, and that of the state after the last.
///
/// `rewards[t]` is for the step from state `t` to state `t + 1`; `values` has one more element than `rewards`. Returns
/// one advantage for each step.
///
/// # Panics
/// When `values` is not one longer than `rewards`.
pub fn advantages(rewards: &[f32], values: &[f32], gamma: f32, lambda: f32) -> Vec<f32> {
    assert_eq!(values.len(), rewards.len() + 1, "a value for each state");
    let mut advantages = vec![0.0; rewards.len()];
    let mut later = 0.0;
    for t in (0..rewards.len()).rev() {
        let surprise = rewards[t] + gamma * values[t + 1] - values[t];
        later = surprise + gamma * lambda * later;
        advantages[t] = later;
    }
    advantages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_lambda_one_it_is_the_discounted_return_minus_the_value() {
        let advantages = advantages(&[1.0, 2.0], &[0.5, 0.25, 4.0], 0.5, 1.0);
        assert_eq!(
            advantages,
            vec![1.0 + 0.5 * 2.0 + 0.25 * 4.0 - 0.5, 2.0 + 0.5 * 4.0 - 0.25]
        );
    }

    #[test]
    fn with_lambda_zero_it_is_the_surprise_of_one_step() {
        let advantages = advantages(&[1.0, 2.0], &[0.5, 0.25, 4.0], 0.5, 0.0);
        assert_eq!(
            advantages,
            vec![1.0 + 0.5 * 0.25 - 0.5, 2.0 + 0.5 * 4.0 - 0.25]
        );
    }
}
