//! Whether builders may work while a device measures.

use std::fmt;

/// How builders and devices share the cores of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CoreSharing {
    /// They do not: the devices are elsewhere, or have cores of their own. Builds and runs overlap.
    Separate,
    /// They do, and a busy neighbour doubles a kernel's time: nothing builds while something is measured.
    BuildersPause,
}

impl fmt::Display for CoreSharing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Separate => "builds and measurements overlap",
            Self::BuildersPause => "nothing builds while it measures",
        })
    }
}

/// Where the candidates are: what decides who may start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Load {
    /// Waiting for a builder.
    pub waiting: usize,
    /// Being built.
    pub building: usize,
    /// Built, waiting for a device.
    pub built: usize,
    /// Being measured.
    pub running: usize,
}

/// Decides who may start.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turns {
    sharing: CoreSharing,
    /// Most libraries that wait for a device.
    most_built: usize,
    /// Whose turn it is when they pause for each other.
    measuring: bool,
}

impl Turns {
    pub(super) const fn new(sharing: CoreSharing, most_built: usize) -> Self {
        Self {
            sharing,
            most_built,
            measuring: false,
        }
    }

    /// Changes the turn where it is over: builders go on until nothing is left to build or enough is built, devices
    /// until nothing is left to measure.
    pub(super) const fn update(&mut self, load: Load) {
        if self.measuring {
            self.measuring = load.built + load.running > 0;
        } else {
            let enough = load.built > 0 && (load.waiting == 0 || load.built >= self.most_built);
            self.measuring = enough && load.building == 0;
        }
    }

    /// Whether a builder may start on a candidate.
    pub(super) const fn may_build(&self, load: Load) -> bool {
        let room = load.building + load.built < self.most_built;
        match self.sharing {
            CoreSharing::Separate => room,
            CoreSharing::BuildersPause => room && !self.measuring,
        }
    }

    /// Whether a device may start on a candidate.
    pub(super) const fn may_run(&self) -> bool {
        match self.sharing {
            CoreSharing::Separate => true,
            CoreSharing::BuildersPause => self.measuring,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(waiting: usize, building: usize, built: usize, running: usize) -> Load {
        Load {
            waiting,
            building,
            built,
            running,
        }
    }

    #[test]
    fn nothing_builds_while_something_is_measured_and_the_other_way_round() {
        let mut turns = Turns::new(CoreSharing::BuildersPause, 4);
        turns.update(load(3, 0, 0, 0));
        assert!(turns.may_build(load(3, 0, 0, 0)) && !turns.may_run());
        turns.update(load(0, 1, 2, 0));
        assert!(!turns.may_run(), "a build is still going on");
        turns.update(load(0, 0, 3, 0));
        assert!(turns.may_run() && !turns.may_build(load(5, 0, 2, 1)));
        turns.update(load(5, 0, 0, 1));
        assert!(
            !turns.may_build(load(5, 0, 0, 1)),
            "a measurement is still going on"
        );
        turns.update(load(5, 0, 0, 0));
        assert!(turns.may_build(load(5, 0, 0, 0)));
    }

    #[test]
    fn builders_stop_when_enough_is_built_so_that_memory_stays_flat() {
        for sharing in [CoreSharing::BuildersPause, CoreSharing::Separate] {
            let turns = Turns::new(sharing, 4);
            assert!(turns.may_build(load(9, 1, 2, 0)));
            assert!(!turns.may_build(load(9, 2, 2, 0)));
        }
    }

    #[test]
    fn a_device_elsewhere_measures_while_builders_work() {
        let mut turns = Turns::new(CoreSharing::Separate, 4);
        turns.update(load(3, 1, 1, 0));
        assert!(turns.may_run() && turns.may_build(load(3, 1, 1, 1)));
    }
}
