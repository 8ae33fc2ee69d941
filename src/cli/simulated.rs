//! The simulated accelerator as a target: how it is recognised, and what measuring on it means.

use std::time::Duration;

use crate::measure::RunOptions;
use crate::vta::config::Geometry;

/// VTA, simulated by `libarco_tvm.so` in the device servers.
///
/// Its time is cycles by its clock: one run says all, however busy the machine is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accelerator;

impl Accelerator {
    /// What servers import: the compiler layer and the simulator.
    pub const MODULE: &'static str = "vta.testing.simulator";

    /// The accelerator, if the text of a target means it: `vta`, `vta:GEOMETRY` or an `ext_dev` with that key.
    pub fn of_target(target: &str) -> Option<Self> {
        let target = target.trim();
        let short = target == "vta" || target.starts_with("vta:");
        let written_out = target.starts_with("ext_dev")
            && target.split_whitespace().any(|word| {
                word.strip_prefix("-keys=")
                    .is_some_and(|keys| keys.split(',').any(|key| key == "vta"))
                    || word == "-device=vta"
            });
        (short || written_out).then_some(Self)
    }

    /// How a candidate for a target, as TVM normalised it, is run: once, on a new device of the target's geometry,
    /// for its time alone. (TVM's time evaluator runs a kernel once before it measures, so that the cost is that of
    /// the second launch.)
    pub fn run_options(self, options: &RunOptions, target: &str) -> RunOptions {
        let mut setup = vec![("arco.vta.set_mode".to_owned(), "timing".to_owned())];
        setup.extend(
            model_of(target).map(|model| ("arco.vta.set_config".to_owned(), model.to_owned())),
        );
        RunOptions {
            number: 1,
            repeat: 1,
            min_repeat_ms: 0,
            cooldown: Duration::ZERO,
            flush_cpu_cache: false,
            setup,
            computed: true,
            ..options.clone()
        }
    }
}

impl Accelerator {
    /// Operations per second of a target's matrix unit when it never waits: a multiplication and an addition for each
    /// of its units in each cycle. `None` if the target is no accelerator.
    pub fn peak_flops(target: &str) -> Option<f64> {
        Self::of_target(target)?;
        let geometry = Geometry::from_name(model_of(target)?).ok()?;
        Some(2.0 * geometry.macs() as f64 * f64::from(geometry.clock_mhz()) * 1e6)
    }
}

fn model_of(target: &str) -> Option<&str> {
    target
        .split_whitespace()
        .find_map(|word| word.strip_prefix("-model="))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_accelerator_is_known_by_its_short_name_and_by_its_key() {
        for target in [
            "vta",
            "vta:pynq",
            "ext_dev -keys=vta,cpu -device=vta -model=sim_1x16_i8w8a32_15_15_18_17",
            "ext_dev -device=vta",
        ] {
            assert_eq!(
                Accelerator::of_target(target),
                Some(Accelerator),
                "{target}"
            );
        }
        for target in ["llvm", "llvm -device=vta", "vtacpu", "ext_dev -keys=other"] {
            assert_eq!(Accelerator::of_target(target), None, "{target}");
        }
    }

    #[test]
    fn the_default_matrix_unit_does_256_multiplications_and_additions_in_10_ns() {
        let target = "ext_dev -keys=vta,cpu -device=vta -model=sim_1x16_i8w8a32_15_15_18_17";
        assert_eq!(Accelerator::peak_flops(target), Some(51.2e9));
        assert_eq!(Accelerator::peak_flops("llvm -mcpu=znver4"), None);
    }

    #[test]
    fn a_candidate_runs_once_on_a_device_of_its_targets_geometry() {
        let options = RunOptions {
            repeat: 10,
            ..RunOptions::default()
        };
        let run = Accelerator.run_options(&options, "ext_dev -keys=vta,cpu -model=sim_1x32_x");
        assert_eq!(
            (run.number, run.repeat, run.cooldown),
            (1, 1, Duration::ZERO)
        );
        let config = ("arco.vta.set_config".to_owned(), "sim_1x32_x".to_owned());
        assert!(run.setup.contains(&config));
        assert!(run.computed, "the same program takes the same time");
        assert_eq!(run.limit, options.limit);
    }
}
