//! A template's condition on combinations of knobs, asked where the template lives.

use serde::Deserialize;
use serde_json::Value;
use tvm_rt::rpc::Session;

use crate::task::{ConfigIndex, ValidityFilter};

/// Asks `arco.filter` over a session with the frontend.
pub(super) struct FrontendFilter {
    pub session: Session,
    /// Name, arguments, target and host of the task.
    pub task: Value,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Answer {
    Valid { valid: Vec<bool> },
    Failed { text: String },
}

impl ValidityFilter for FrontendFilter {
    fn valid(&self, indices: &[ConfigIndex]) -> Result<Vec<bool>, String> {
        let ask = || -> tvm_rt::Result<String> {
            let indices = serde_json::to_string(indices).map_err(tvm_rt::Error::other)?;
            self.session
                .get_function("arco.filter")?
                .call(&[
                    self.task.to_string().as_str().into(),
                    indices.as_str().into(),
                ])?
                .try_into()
        };
        let answer = ask().map_err(|error| error.to_string())?;
        match serde_json::from_str(&answer).map_err(|error| error.to_string())? {
            Answer::Valid { valid } => Ok(valid),
            Answer::Failed { text } => Err(text),
        }
    }
}
