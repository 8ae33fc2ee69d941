//! `arco.gpu.launches`: what configurations launch on a GPU, and whether a device's limits allow it.

use serde_json::{Value, json};
use tvm_rt::{Args, Error, Function, Result, RetValue, register_global};

use crate::task::{ConfigIndex, GpuLimits, GpuMask, TaskDescription};

/// Puts the function into this process's TVM.
///
/// # Errors
/// When TVM refuses it.
pub(super) fn register() -> Result<()> {
    register_global("arco.gpu.launches", &Function::from_fn(launches)?, true)
}

/// `launches(task, limits, indices) -> JSON`, all of them JSON: for each index `{"allowed", "kernels": [{"threads": [x, y,
/// z], "shared" (bytes)}]}`; null if the template's rules are not known. The limits are those of `verify_gpu_code`.
fn launches(args: &Args<'_>) -> Result<RetValue> {
    let texts: [String; 3] = [args.get(0)?, args.get(1)?, args.get(2)?];
    let answer = of_json(&texts).map_err(|error| Error::raise("ValueError", error))?;
    Ok(answer.to_string().into())
}

fn of_json([task, limits, indices]: &[String; 3]) -> std::result::Result<Value, String> {
    fn parsed<T: serde::de::DeserializeOwned>(
        what: &str,
        text: &str,
    ) -> std::result::Result<T, String> {
        serde_json::from_str(text).map_err(|error| format!("the {what}: {error}"))
    }
    let task: TaskDescription = parsed("task's description", task)?;
    let limits: GpuLimits = parsed("limits", limits)?;
    let indices: Vec<ConfigIndex> = parsed("indices", indices)?;
    let task = task.into_task(None).map_err(|error| error.to_string())?;
    let Some(mask) = GpuMask::new(&task.workload, task.space.knobs(), limits) else {
        return Ok(Value::Null);
    };
    let of = |index: &ConfigIndex| {
        let digits = task
            .space
            .digits(*index)
            .map_err(|error| error.to_string())?;
        let kernels: Vec<Value> = mask
            .launches(&digits)
            .map(|(threads, shared)| json!({"threads": threads, "shared": shared}))
            .collect();
        Ok(json!({"allowed": mask.allows(&digits), "kernels": kernels}))
    };
    indices.iter().map(of).collect()
}
