//! Hidden features: what shows only once a configuration is compiled.

use crate::task::ConfigIndex;

/// Compiles configurations and says what that reveals, such as the instructions and bytes of a VTA program.
///
/// The name is ML2Tuner's (arXiv 2411.10764). A configuration costs a build and no run on the device.
pub trait HiddenFeatures: Send + Sync {
    /// Number of features.
    fn columns(&self) -> usize;

    /// The features of each of `indices`, in the same order; none for one that does not compile.
    ///
    /// # Errors
    /// When nothing could be compiled at all; the text says why.
    fn reveal(&self, indices: &[ConfigIndex]) -> Result<Vec<Option<Vec<f64>>>, String>;
}
