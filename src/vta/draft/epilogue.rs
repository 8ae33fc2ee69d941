//! What follows a convolution in its kernel.

use crate::vta::isa::AluOp;

/// An elementwise operator, in place on the accumulators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// With a constant.
    Immediate {
        /// Which operation.
        op: AluOp,
        /// Its constant.
        imm: i16,
    },
    /// With one value for each output channel, which is loaded for each tile: a bias.
    Channel {
        /// Which operation.
        op: AluOp,
    },
}

/// The operators between a convolution and the cast to the output's type, in their order.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Epilogue(Vec<Step>);

/// Shift and limits of the kernels below; amounts do not matter for time.
const SHIFT: Step = Step::Immediate {
    op: AluOp::Shr,
    imm: 8,
};
const MOST: Step = Step::Immediate {
    op: AluOp::Min,
    imm: 127,
};
const LEAST: Step = Step::Immediate {
    op: AluOp::Max,
    imm: 0,
};

impl Epilogue {
    /// These operators.
    pub fn new(steps: Vec<Step>) -> Self {
        Epilogue(steps)
    }

    /// Shift, min, max: what a tuning task has (`vta/top/template.py`).
    pub fn requantised() -> Self {
        Epilogue(vec![SHIFT, MOST, LEAST])
    }

    /// Shift, bias, min, max: what the recorded convolutions of the golden data have.
    pub fn biased() -> Self {
        Epilogue(vec![SHIFT, Step::Channel { op: AluOp::Add }, MOST, LEAST])
    }

    /// The operators.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }
}

impl Default for Epilogue {
    fn default() -> Self {
        Epilogue::requantised()
    }
}
