//! The accelerator's geometry: `vta_config.json`, derived sizes, validity rules, names and presets.
//!
//! [`VtaConfig`] is the file as it is written; [`Geometry`] is a configuration that has passed every rule of
//! [`RuleViolation`], and what the rest of the accelerator takes.

mod error;
mod geometry;
mod json;
mod mem;
mod name;
mod preset;
mod rules;
mod target;

pub use error::ConfigError;
pub use geometry::Geometry;
pub use json::VtaConfig;
pub use mem::Mem;
pub use preset::Preset;
pub use rules::RuleViolation;
pub use target::Target;
