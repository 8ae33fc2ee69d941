//! A candidate that failed: a result with a number, a short reason and the whole text.

use crate::record::ErrorNo;

/// Why a candidate has no time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// AutoTVM's number for it.
    pub error_no: ErrorNo,
    /// One line; failures of the same sort have the same.
    pub kind: String,
    /// All that is known, with TVM's traceback where there is one.
    pub text: String,
}

impl Failure {
    /// A failure whose short reason is all there is to say.
    pub fn new(error_no: ErrorNo, text: impl Into<String>) -> Self {
        let text = text.into();
        let kind = text.lines().next().unwrap_or_default().to_owned();
        Self {
            error_no,
            kind,
            text,
        }
    }
}
