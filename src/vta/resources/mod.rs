//! What a geometry costs on an FPGA: what can be counted is counted, what synthesis decides is called an estimate.
//!
//! There are no synthesis numbers to check against (spec section 7): buffer bits, banks, multipliers and lanes follow from
//! the geometry; block RAM, DSP and look-up-table figures are estimates. Each formula names its source.

mod budget;
mod estimate;

pub use budget::{Budget, Fit, Shortage};
pub use estimate::{BufferCost, Mapping, Resources, resources};
