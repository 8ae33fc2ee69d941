//! Every constant of the agents in one place.

/// Constants of MAPPO: none is public for ARCO, all are ours (`docs/reference/strategies.md` says how they were chosen).
#[derive(Clone, Copy, Debug)]
pub struct TeamConstants {
    /// Units of each of the two hidden layers of every network.
    pub hidden: usize,
    /// Adam's step for actors and critic.
    pub learning_rate: f64,
    /// Discount of a later reward, by step.
    pub gamma: f32,
    /// GAE's lambda (Schulman et al. 2016).
    pub lambda: f32,
    /// PPO's clip of the probability ratio (Schulman et al. 2017).
    pub clip: f64,
    /// Weight of the entropy in an actor's loss.
    pub entropy: f64,
    /// Times that all transitions of a round are learned from.
    pub epochs: usize,
    /// Transitions in one step of Adam.
    pub minibatch: usize,
    /// Logit by which actors that know nothing prefer to leave a knob where it is.
    pub stay_bias: f32,
    /// Walks of a round.
    pub walks: usize,
    /// Steps of each walk.
    pub steps: usize,
    /// Weight of the uncertainty in the reward.
    pub curiosity: f64,
    /// Penalty for standing on what is probably invalid, in standard deviations of the score, times the probability.
    pub invalid_penalty: f64,
    /// Penalty for standing where a walk of the same round was before, in standard deviations of the score. Walks start at
    /// the best that is known, and most moves from there lead down: without it agents learn to stay, and come by nothing new.
    pub stale_penalty: f64,
}

impl Default for TeamConstants {
    fn default() -> Self {
        Self {
            hidden: 32,
            learning_rate: 3e-4,
            gamma: 0.9,
            lambda: 0.95,
            clip: 0.2,
            entropy: 0.1,
            epochs: 1,
            minibatch: 128,
            stay_bias: 2.0,
            walks: 32,
            steps: 3,
            curiosity: 2.0,
            invalid_penalty: 1.0,
            stale_penalty: 2.0,
        }
    }
}
