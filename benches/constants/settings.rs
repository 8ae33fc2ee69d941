//! The settings that are compared: the default first.

use arco_tvm::strategy::ArcoConstants;

/// Constants with a name.
pub struct Setting {
    /// What is not as in the default.
    pub name: String,
    /// All of them.
    pub constants: ArcoConstants,
}

/// The default, a grid of the two constants that matter most, and each other constant changed by itself.
pub fn settings() -> Vec<Setting> {
    let default = ArcoConstants::default();
    let mut settings = vec![Setting {
        name: "default".to_owned(),
        constants: default,
    }];
    for batch in [2, 4, 8] {
        for optimism in [1.0, 2.0, 3.0] {
            if (batch, optimism) != (default.batch, default.optimism) {
                settings.push(changed(
                    &format!("batch {batch}, optimism {optimism}"),
                    |constants| (constants.batch, constants.optimism) = (batch, optimism),
                ));
            }
        }
    }
    settings.extend([
        changed("initial 4", |constants| constants.initial = 4),
        changed("initial 16", |constants| constants.initial = 16),
        changed("failure -1", |constants| constants.failure = -1.0),
        changed("failure -3", |constants| constants.failure = -3.0),
        changed("temperature halved", |constants| {
            constants.confidence.temperature /= 2.0
        }),
        changed("temperature doubled", |constants| {
            constants.confidence.temperature *= 2.0
        }),
        changed("length scales: two passes", |constants| {
            constants.cost.passes = 2
        }),
        changed("length scales: of 48 rows", |constants| {
            constants.cost.tuning_rows = 48
        }),
    ]);
    settings
}

fn changed(name: &str, change: impl FnOnce(&mut ArcoConstants)) -> Setting {
    let mut constants = ArcoConstants::default();
    change(&mut constants);
    Setting {
        name: name.to_owned(),
        constants,
    }
}
