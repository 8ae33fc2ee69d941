//! What can be wrong with a configuration.

use super::rules::RuleViolation;

/// A configuration that cannot be used, and why.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ConfigError {
    /// The text is not JSON, or a field has the wrong type or is missing.
    #[error("vta_config.json cannot be read: {0}")]
    Json(String),
    /// TARGET names nothing known.
    #[error("unknown TARGET `{found}`; known: {known}")]
    Target {
        /// What the file says.
        found: String,
        /// Names that would be understood.
        known: String,
    },
    /// A derived field is given and contradicts the fields it derives from.
    #[error(
        "{field} is {found} but follows from the other fields as {derived}; drop it or make it {derived}"
    )]
    Derived {
        /// Name of the field.
        field: &'static str,
        /// What the file says.
        found: u32,
        /// What follows from the other fields.
        derived: u32,
    },
    /// One or more of the rules of the specification do not hold.
    #[error("invalid geometry: {}", join(.0))]
    Rules(Vec<RuleViolation>),
    /// A naming string that does not follow the pattern.
    #[error("`{0}` is not a geometry name; expected something like 1x16_i8w8a32_15_15_18_17")]
    Name(String),
}

fn join(violations: &[RuleViolation]) -> String {
    violations
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("; ")
}
