//! How far measurements of one and the same kernel lie apart, and what brings them closer.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tvm_rt::DeviceType;

use crate::measure::{BuildOptions, Builder, Built, Endpoint, MeasureDevice, Role, RunOptions};
use crate::task::{ConfigSpace, Task, Workload};

use super::super::context::Context;
use super::super::error::CliError;
use super::super::exit_code::ExitCode;
use super::super::format;
use super::Findings;

/// Measurements of the kernel.
const TIMES: usize = 20;
/// So many of them must be close together: two in twenty may be a neighbour's fault.
const MOST: usize = 18;
/// Measurements that are closer than this tell configurations apart that matter.
const CLOSE: f64 = 0.03;
/// What is tried where they are not.
const LONGER_MS: u32 = 100;
/// Longest build of the kernel.
const BUILD_LIMIT: Duration = Duration::from_secs(60);

/// Measurements of one kernel.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Spread {
    /// Seconds.
    median: f64,
    /// Deviation from the median that [`MOST`] of them do not exceed, as a part of the median.
    most: f64,
    /// The largest deviation, as a part of the median.
    worst: f64,
}

impl Spread {
    /// The spread of [`TIMES`] costs.
    fn of(costs: &[f64]) -> Self {
        let sorted = |mut values: Vec<f64>| {
            values.sort_by(f64::total_cmp);
            values
        };
        let costs = sorted(costs.to_vec());
        let median = f64::midpoint(costs[(costs.len() - 1) / 2], costs[costs.len() / 2]);
        let off = sorted(
            costs
                .iter()
                .map(|cost| (cost / median - 1.0).abs())
                .collect(),
        );
        Self {
            median,
            most: off[MOST.min(off.len()) - 1],
            worst: off[off.len() - 1],
        }
    }
}

/// A device, and how kernels are timed on it.
pub(super) struct Place<'a> {
    /// Its name in the findings.
    pub(super) what: &'a str,
    /// Where it is.
    pub(super) endpoint: Endpoint,
    /// What code it runs.
    pub(super) target: &'a str,
    /// Compiler to link with, where the device is of another kind than this machine.
    pub(super) cross_compiler: Option<String>,
}

/// Measures a kernel twenty times, and says how far the figures lie apart and what to do about it.
pub(super) async fn look_at_noise(
    context: &Context,
    place: &Place<'_>,
    run: &RunOptions,
    findings: &mut Findings,
) {
    let what = format!("noise of {}", place.what);
    let Some((device_type, task)) = kernel(place.target) else {
        let why = format!("no kernel to try for the target `{}`", place.target);
        return findings.skip(&what, &why);
    };
    let measured = async {
        let built = Arc::new(build(context, &task, place.cross_compiler.clone()).await?);
        let options = RunOptions {
            cooldown: Duration::ZERO,
            ..run.clone()
        };
        let longer = RunOptions {
            min_repeat_ms: LONGER_MS,
            ..options.clone()
        };
        let first = measure(&place.endpoint, device_type, options, &built).await?;
        let second = if first.most > CLOSE && run.min_repeat_ms < LONGER_MS {
            Some(measure(&place.endpoint, device_type, longer, &built).await?)
        } else {
            None
        };
        Ok::<_, CliError>((first, second))
    };
    match measured.await {
        Err(error) => findings.bad(&what, &error),
        Ok((first, second)) => {
            let found = describe(&first, run);
            match advice(&first, second.as_ref()) {
                None => findings.good(&what, found),
                Some(advice) => findings.warn(&what, found, advice),
            }
        }
    }
}

/// A product of two matrices, 33 million operations: about a millisecond on a core, as many operators of networks take.
///
/// The template is TVM's own for such a device; without a configuration it takes TVM's fallback.
fn kernel(target: &str) -> Option<(DeviceType, Task)> {
    let kind = target.split_whitespace().next()?;
    let template = match kind {
        "llvm" => "dense_nopack.x86",
        "cuda" | "rocm" | "opencl" | "vulkan" | "metal" => "dense_small_batch.gpu",
        _ => return None,
    };
    let matrix = json!(["TENSOR", [256, 256], "float32"]);
    let task = Task {
        workload: Workload {
            target: target.to_owned(),
            name: template.to_owned(),
            args: json!([matrix, matrix, null, "float32"]),
        },
        host: None,
        flop: None,
        weight: 1,
        group: 0,
        space: ConfigSpace::new(Vec::new()).ok()?,
    };
    Some((DeviceType::of_target(kind)?, task))
}

async fn build(
    context: &Context,
    task: &Task,
    cross_compiler: Option<String>,
) -> Result<Built, CliError> {
    let endpoint = Endpoint::Local {
        host: context.host.clone(),
        role: Role::Builder,
        log: context.logs().join("builder.log"),
        cores: None,
    };
    let options = BuildOptions {
        limit: BUILD_LIMIT,
        cross_compiler,
        gpu_limits: None,
    };
    let mut builder = Builder::new(endpoint, options);
    let built = builder.build(task, None).await;
    builder.shut_down().await;
    built?.map_err(|failure| refused("the kernel does not build", &failure.text))
}

async fn measure(
    endpoint: &Endpoint,
    device_type: DeviceType,
    options: RunOptions,
    built: &Arc<Built>,
) -> Result<Spread, CliError> {
    let mut device = MeasureDevice::new(endpoint.clone(), device_type, options);
    let mut costs = Vec::with_capacity(TIMES);
    let measured = async {
        device.open().await?;
        while costs.len() < TIMES {
            let run = device.run(built).await?;
            let run = run.map_err(|failure| refused("the kernel does not run", &failure.text))?;
            costs.push(run.iter().sum::<f64>() / run.len() as f64);
        }
        Ok(Spread::of(&costs))
    };
    let spread = measured.await;
    device.shut_down().await;
    spread
}

fn refused(what: &str, text: &str) -> CliError {
    let text = text.lines().last().unwrap_or_default();
    CliError::new(ExitCode::Device, format!("{what}: {text}"), "")
}

fn describe(spread: &Spread, run: &RunOptions) -> String {
    format!(
        "{TIMES} measurements of a kernel of {}: {MOST} of them within {} of the median, the worst {} off \
         (number {}, repeat {}, min-repeat-ms {})",
        format::seconds(spread.median),
        percent(spread.most),
        percent(spread.worst),
        run.number,
        run.repeat,
        run.min_repeat_ms
    )
}

/// What to do about measurements that lie apart; `longer` are those with [`LONGER_MS`], where they were tried.
fn advice(first: &Spread, longer: Option<&Spread>) -> Option<String> {
    if first.most <= CLOSE {
        return None;
    }
    let chance = format!(
        "two configurations that differ by less than {} may change places",
        percent(2.0 * first.most)
    );
    Some(match longer {
        Some(longer) if longer.most <= first.most / 2.0 => format!(
            "{chance}: tune with --min-repeat-ms {LONGER_MS}, which brings {MOST} of {TIMES} within {}",
            percent(longer.most)
        ),
        _ => format!(
            "{chance}, and longer repeats do not help: end what else runs there, give the device cores of its own \
             (--device-cores), or take more repeats (--repeat 10)"
        ),
    })
}

fn percent(part: f64) -> String {
    format!("{:.1} %", 100.0 * part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(most: f64) -> Spread {
        Spread {
            median: 1e-3,
            most,
            worst: 2.0 * most,
        }
    }

    #[test]
    fn two_measurements_in_twenty_may_be_far_off() {
        let mut costs = vec![1e-3; 17];
        costs.extend([1.02e-3, 1.5e-3, 3e-3]);
        let found = Spread::of(&costs);
        assert_eq!(found.median, 1e-3);
        assert!((found.most - 0.02).abs() < 1e-9, "{found:?}");
        assert!((found.worst - 2.0).abs() < 1e-9, "{found:?}");
        assert_eq!(advice(&found, None), None);
    }

    #[test]
    fn the_advice_is_what_was_seen_to_help() {
        let helped = advice(&spread(0.08), Some(&spread(0.01))).unwrap();
        assert!(helped.contains("differ by less than 16.0 %"), "{helped}");
        assert!(
            helped.contains("--min-repeat-ms 100, which brings 18 of 20 within 1.0 %"),
            "{helped}"
        );
        for longer in [Some(&spread(0.07)), None] {
            let not = advice(&spread(0.08), longer).unwrap();
            assert!(not.contains("longer repeats do not help"), "{not}");
        }
    }

    #[test]
    fn targets_without_a_kernel_are_passed_over() {
        assert_eq!(kernel("llvm -mcpu=native").unwrap().0, DeviceType::CPU);
        assert_eq!(kernel("cuda -arch=sm_80").unwrap().0, DeviceType::CUDA);
        assert!(kernel("ext_dev -model=vta").is_none());
        assert!(kernel("").is_none());
    }
}
