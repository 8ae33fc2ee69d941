//! Calls the frontend's `arco.*` functions: JSON in, JSON out, errors as values.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::measure::{CallError, Endpoint, Peer, PeerError, PythonHost, Role};
use crate::task::{DescriptionError, Link, Task, TaskDescription};

use super::filter::FrontendFilter;
use super::model::ModelSpec;

/// Longest time for one question. Compiling a large network twice takes minutes.
const LIMIT: Duration = Duration::from_secs(1800);

/// Why the frontend has no answer.
#[derive(Debug, thiserror::Error)]
pub enum FrontendError {
    /// It answers that something is wrong with what was asked.
    #[error("{text}")]
    Refused {
        /// What sort of thing is wrong: a word such as `unknown-model`.
        kind: String,
        /// What is wrong.
        text: String,
        /// What to do next.
        hint: String,
    },
    /// It could not be asked.
    #[error("the frontend did not answer: {0}")]
    Call(#[from] CallError),
    /// It could not be started.
    #[error(transparent)]
    Start(#[from] PeerError),
    /// It described a task that makes no sense.
    #[error(transparent)]
    Description(#[from] DescriptionError),
}

#[derive(Deserialize)]
struct Refusal {
    kind: String,
    text: String,
    #[serde(default)]
    hint: String,
}

/// What the host's TVM can do (`arco.version`).
#[derive(Clone, Debug, Deserialize)]
pub struct HostVersion {
    /// Version of TVM.
    pub tvm: String,
    /// Version of its LLVM; empty without one.
    pub llvm: String,
    /// Version of Python.
    pub python: String,
    /// Version of our package.
    pub arco_tvm: String,
    /// Code generators.
    pub codegens: Vec<String>,
    /// Device runtimes.
    pub runtimes: Vec<String>,
    /// LLVM's name of this machine's CPU.
    pub host_cpu: String,
    /// Cores that we may use.
    pub cores: usize,
}

/// A model's tasks.
#[derive(Clone, Debug)]
pub struct ExtractedTasks {
    /// The model's name.
    pub model: String,
    /// The target as TVM normalises it.
    pub target: String,
    /// The kind of target (`llvm`, `cuda`, ...), which says what code runs on.
    pub target_kind: String,
    /// What the user should know about the target.
    pub warnings: Vec<String>,
    /// Why this TVM cannot build for the target, if so.
    pub why_not: Option<String>,
    /// The tasks.
    pub tasks: Vec<Arc<Task>>,
    /// Where data of two tasks meet.
    pub links: Vec<Link>,
}

#[derive(Deserialize)]
struct TargetAnswer {
    target: String,
    kind: String,
    #[serde(default)]
    warnings: Vec<String>,
    #[serde(default)]
    can_build: bool,
    #[serde(default)]
    why_not: String,
}

#[derive(Deserialize)]
struct TasksAnswer {
    model: String,
    target: TargetAnswer,
    tasks: Vec<TaskDescription>,
    #[serde(default)]
    links: Vec<Link>,
}

/// What to compare (`arco.verify`).
#[derive(Clone, Debug)]
pub struct VerifyRequest {
    /// The model.
    pub model: ModelSpec,
    /// The target.
    pub target: String,
    /// The log.
    pub log: std::path::PathBuf,
    /// A device from a tracker: its address and key.
    pub tracked: Option<(String, String)>,
    /// Compiler to link with for a device of another kind.
    pub cross_compiler: Option<String>,
    /// Measurements of each variant.
    pub repeat: u32,
    /// Seed of the inputs.
    pub seed: u64,
}

/// A tuned network against the untuned one.
#[derive(Clone, Debug, Deserialize)]
pub struct Verified {
    /// Where it ran.
    pub device: String,
    /// Compiled with TVM's fallback schedules.
    pub untuned: NetworkTimes,
    /// Compiled with the log.
    pub tuned: NetworkTimes,
    /// Median time of the untuned over that of the tuned network.
    pub speedup: f64,
    /// Whether the outputs agree within the tolerance.
    pub matches: bool,
    /// Largest difference of an output.
    pub max_abs_error: Option<f64>,
    /// The same, relative to the largest output.
    pub max_rel_error: Option<f64>,
    /// Workloads for which the log had a record.
    pub applied: Vec<Value>,
    /// Workloads for which it had none.
    pub missing: Vec<Value>,
    /// What each operator of the tuned network takes, where the target tells.
    #[serde(default)]
    pub layers: Vec<Layer>,
    /// What the user should know.
    pub warnings: Vec<String>,
}

/// A function that a network calls: on the accelerator, or on the host beside it.
#[derive(Clone, Debug, Deserialize)]
pub struct Layer {
    /// What is in it.
    pub name: String,
    /// Of its output.
    pub shape: Vec<u64>,
    /// How often it is called.
    pub uses: u32,
    /// Simulated cycles of all calls; none if it runs on the host.
    #[serde(default)]
    pub cycles: Option<u64>,
    /// The same in seconds.
    #[serde(default)]
    pub seconds: Option<f64>,
    /// Share of the cycles in which the MAC array multiplied.
    #[serde(default)]
    pub utilisation: Option<f64>,
    /// What bounds it.
    #[serde(default)]
    pub bound_by: Option<String>,
    /// Measured seconds of all calls on the host.
    #[serde(default)]
    pub host_seconds: Option<f64>,
}

/// Times of one compiled network.
#[derive(Clone, Debug, Deserialize)]
pub struct NetworkTimes {
    /// Median, in milliseconds.
    pub median_ms: f64,
    /// Fastest, in milliseconds.
    pub min_ms: f64,
}

/// The process that imports models.
#[derive(Debug)]
pub struct Frontend {
    peer: Peer,
}

impl Frontend {
    /// Starts it. Its output goes to a file in `logs`.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start(host: &PythonHost, logs: &std::path::Path) -> Result<Self, FrontendError> {
        let mut peer = Peer::new(Endpoint::Local {
            host: host.clone(),
            role: Role::Frontend,
            log: logs.join("frontend.log"),
            cores: None,
        });
        peer.open().await?;
        Ok(Self { peer })
    }

    /// Ends it. Tasks whose templates have a condition on combinations need it while they are tuned.
    pub async fn shut_down(self) {
        self.peer.shut_down().await;
    }

    /// What the host's TVM can do.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn version(&mut self) -> Result<HostVersion, FrontendError> {
        self.ask("arco.version", Vec::new()).await
    }

    /// Imports a model and extracts its tasks for a target. No device is needed.
    ///
    /// # Errors
    /// When the model or the target is refused.
    pub async fn tasks(
        &mut self,
        model: &ModelSpec,
        target: &str,
    ) -> Result<ExtractedTasks, FrontendError> {
        let mut request = json!(model);
        request["target"] = json!(target);
        let answer: TasksAnswer = self.ask("arco.tasks", vec![request.to_string()]).await?;
        let mut tasks = Vec::with_capacity(answer.tasks.len());
        for description in answer.tasks {
            let filter = if description.filtered {
                Some(self.filter(&description).await?)
            } else {
                None
            };
            tasks.push(Arc::new(description.into_task(filter)?));
        }
        let TargetAnswer {
            target,
            kind,
            warnings,
            can_build,
            why_not,
        } = answer.target;
        Ok(ExtractedTasks {
            model: answer.model,
            target,
            target_kind: kind,
            warnings,
            why_not: (!can_build).then_some(why_not),
            tasks,
            links: answer.links,
        })
    }

    async fn filter(
        &mut self,
        description: &TaskDescription,
    ) -> Result<Arc<dyn crate::task::ValidityFilter>, FrontendError> {
        let task = json!({
            "name": description.name,
            "args": description.args,
            "target": description.target,
            "host": description.host,
        });
        let session = self.peer.call(LIMIT, |session| Ok(session.clone())).await?;
        Ok(Arc::new(FrontendFilter { session, task }))
    }

    /// Compiles a network with TVM's fallback schedules and with a log; runs, compares and times both.
    ///
    /// # Errors
    /// When the model, the target or the log is refused, or the network does not compile or run.
    pub async fn verify(&mut self, request: &VerifyRequest) -> Result<Verified, FrontendError> {
        let mut question = json!(request.model);
        question["target"] = json!(request.target);
        question["log"] =
            json!(std::path::absolute(&request.log).unwrap_or_else(|_| request.log.clone()));
        question["repeat"] = json!(request.repeat);
        question["seed"] = json!(request.seed);
        question["compiler"] = json!(request.cross_compiler);
        if let Some((tracker, key)) = &request.tracked {
            question["device"] = json!({"tracker": tracker, "key": key});
        }
        self.ask("arco.verify", vec![question.to_string()]).await
    }

    async fn ask<T: DeserializeOwned>(
        &mut self,
        function: &'static str,
        arguments: Vec<String>,
    ) -> Result<T, FrontendError> {
        let answer: String = self
            .peer
            .call(LIMIT, move |session| {
                let arguments: Vec<_> = arguments.iter().map(|text| text.as_str().into()).collect();
                session.get_function(function)?.call(&arguments)?.try_into()
            })
            .await?;
        let malformed = |error: serde_json::Error| FrontendError::Refused {
            kind: "internal".to_owned(),
            text: format!("{function} answers what is not understood: {error}"),
            hint: "the package arco_tvm and the program arco-tvm may be of different versions"
                .to_owned(),
        };
        let answer: Value = serde_json::from_str(&answer).map_err(malformed)?;
        if answer["ok"] == json!(true) {
            return serde_json::from_value(answer).map_err(malformed);
        }
        let Refusal { kind, text, hint } = serde_json::from_value(answer).map_err(malformed)?;
        Err(FrontendError::Refused { kind, text, hint })
    }
}
