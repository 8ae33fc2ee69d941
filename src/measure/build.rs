//! Builders: processes that make a library of a candidate (`arco.build`).

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tvm_rt::RetValue;

use crate::record::ErrorNo;
use crate::task::{ConfigEntity, GpuLimits, Task};

use super::failure::Failure;
use super::peer::{CallError, Endpoint, Peer, PeerError};

/// How candidates are built.
#[derive(Clone, Debug)]
pub struct BuildOptions {
    /// Longest time for one candidate.
    pub limit: Duration,
    /// Compiler to link with for a device of another kind.
    pub cross_compiler: Option<String>,
    /// What the device allows, if it is a GPU and that is known: a candidate that needs more is refused before machine
    /// code is made of it.
    pub gpu_limits: Option<GpuLimits>,
}

/// Shape and type of a kernel's argument.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ArgumentSpec {
    /// Length of each axis.
    pub shape: Vec<i64>,
    /// TVM's name of the element type.
    pub dtype: String,
}

/// A candidate's library.
#[derive(Clone, Debug)]
pub struct Built {
    /// The bytes of the library.
    pub library: Vec<u8>,
    /// Its file extension: `so`, or `tar` for objects that the device links.
    pub format: String,
    /// The kernel in it.
    pub function: String,
    /// What the kernel takes.
    pub arguments: Vec<ArgumentSpec>,
    /// Seconds by stage (instantiate, lower, codegen, export).
    pub stages: BTreeMap<String, f64>,
    /// What TVM's fallback chose, where no configuration was given: AutoTVM's `entity` list.
    pub fallback: Option<Value>,
}

/// `arco.build`'s answer.
#[derive(Deserialize)]
#[serde(untagged)]
enum Answer {
    Built {
        token: i64,
        format: String,
        func: String,
        args: Vec<ArgumentSpec>,
        stages: BTreeMap<String, f64>,
        #[serde(default)]
        entity: Option<Value>,
    },
    Failed {
        #[serde(default)]
        error_no: Option<u64>,
        kind: String,
        text: String,
        #[serde(default)]
        hint: String,
    },
}

/// One builder: a process that builds one candidate at a time.
#[derive(Debug)]
pub struct Builder {
    peer: Peer,
    options: BuildOptions,
}

impl Builder {
    /// A builder that is not started yet.
    pub const fn new(endpoint: Endpoint, options: BuildOptions) -> Self {
        Self {
            peer: Peer::new(endpoint),
            options,
        }
    }

    /// Starts it, so that the first candidate need not wait.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn open(&mut self) -> Result<(), PeerError> {
        self.peer.open().await
    }

    /// From now on, refuses candidates that need more than a GPU allows.
    pub const fn check(&mut self, limits: GpuLimits) {
        self.options.gpu_limits = Some(limits);
    }

    /// Whether it was lost, and is to be had again from the tracker.
    pub const fn is_lost(&self) -> bool {
        self.peer.is_lost()
    }

    /// Ends it.
    pub async fn shut_down(self) {
        self.peer.shut_down().await;
    }

    /// Builds one candidate; without a configuration, the schedule that TVM falls back to.
    ///
    /// # Errors
    /// The outer one when there is no builder any more, the inner one when the candidate fails.
    pub async fn build(
        &mut self,
        task: &Task,
        config: Option<&ConfigEntity>,
    ) -> Result<Result<Built, Failure>, PeerError> {
        let workload = &task.workload;
        let task = json!({
            "name": workload.name,
            "args": workload.args,
            "target": workload.target,
            "host": task.host,
        });
        let config = config.map_or(Value::Null, ConfigEntity::to_json);
        let limit = self.options.limit;
        let mut options = json!({
            "timeout": limit.as_secs_f64(),
            "compiler": self.options.cross_compiler,
        });
        if let Some(limits) = &self.options.gpu_limits {
            options["checks"] = json!({"gpu": limits});
        }
        // The builder looks at the clock between its stages; whoever does not come back at all is ended here.
        let patience = limit + limit / 4;
        let built = self
            .peer
            .call(patience, move |session| {
                let answer: String = session
                    .get_function("arco.build")?
                    .call(&[
                        task.to_string().as_str().into(),
                        config.to_string().as_str().into(),
                        options.to_string().as_str().into(),
                    ])?
                    .try_into()?;
                let answer: Answer = serde_json::from_str(&answer).map_err(tvm_rt::Error::other)?;
                Ok(match answer {
                    Answer::Built {
                        token,
                        format,
                        func,
                        args,
                        stages,
                        entity,
                    } => {
                        let library: RetValue =
                            session.get_function("arco.fetch")?.call(&[token.into()])?;
                        Ok(Built {
                            library: library.try_into()?,
                            format,
                            function: func,
                            arguments: args,
                            stages,
                            fallback: entity,
                        })
                    }
                    Answer::Failed {
                        error_no,
                        kind,
                        text,
                        hint,
                    } => Err(Failure {
                        error_no: error_no
                            .and_then(ErrorNo::from_number)
                            .unwrap_or(ErrorNo::Unknown),
                        kind: if hint.is_empty() {
                            kind
                        } else {
                            format!("{kind}: {text}; {hint}")
                        },
                        text,
                    }),
                })
            })
            .await;
        match built {
            Ok(built) => Ok(built),
            Err(CallError::Unreachable(error)) => Err(error),
            Err(CallError::TimedOut { .. }) => {
                Ok(Err(Failure::new(ErrorNo::BuildTimeout, "build timed out")))
            }
            // AutoTVM gives a dead build worker this number.
            Err(CallError::LeaseExpired) => Ok(Err(Failure::new(
                ErrorNo::Unknown,
                "the builder ended the session",
            ))),
            Err(CallError::Died(error)) => Ok(Err(Failure {
                error_no: ErrorNo::RuntimeDevice,
                kind: "the build process died".to_owned(),
                text: error.to_string(),
            })),
            Err(CallError::Remote(error)) => Ok(Err(Failure {
                error_no: ErrorNo::Unknown,
                kind: "the builder answered with an error".to_owned(),
                text: error.to_string(),
            })),
        }
    }
}
