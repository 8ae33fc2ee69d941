//! A GPU of the fleet, asked before tasks are extracted: what it is decides what code is made for it.

use tvm_rt::{DeviceType, Function};

use crate::measure::{Endpoint, GpuAttributes, MeasureDevice, RunOptions};

use super::context::Context;
use super::error::CliError;
use super::exit_code::ExitCode;
use super::fleet::Fleet;
use super::printer::Printer;

/// The target with the device's architecture where it is `cuda` and names none: TVM would take sm_50 without a word
/// where the machine that builds has no GPU.
///
/// # Errors
/// When there is no device, or it does not say what it is.
pub async fn with_arch(
    target: String,
    fleet: &Fleet,
    context: &Context,
    printer: Printer,
) -> Result<String, CliError> {
    // Without a code generator it is refused later, with what this TVM has instead.
    if !lacks_arch(&target) || Function::get("target.build.cuda").is_err() {
        return Ok(target);
    }
    let devices = fleet.pipeline(context, &target, DeviceType::CUDA).devices;
    let Some(endpoint) = devices.into_iter().next() else {
        return Ok(target);
    };
    let attributes = ask(endpoint, DeviceType::CUDA).await?;
    let arch = attributes.cuda_arch().ok_or_else(|| {
        CliError::new(
            ExitCode::Target,
            format!(
                "the device {} does not say of which architecture it is (`{}`)",
                attributes.name, attributes.compute_version
            ),
            "name it: --target 'cuda -arch=sm_80'",
        )
    })?;
    printer.note(format!("the device is a {}: -arch={arch}", attributes.name));
    Ok(format!("{target} -arch={arch}"))
}

/// Whether a target's text is `cuda` with no architecture: a tag (`nvidia/nvidia-a100`) and JSON say theirs.
fn lacks_arch(target: &str) -> bool {
    let mut words = target.split_whitespace();
    words.next() == Some("cuda") && !words.any(|word| word == "-arch" || word.starts_with("-arch="))
}

/// What a GPU says of itself.
///
/// # Errors
/// When there is none, or it does not answer.
pub async fn ask(endpoint: Endpoint, device_type: DeviceType) -> Result<GpuAttributes, CliError> {
    let mut device = MeasureDevice::new(endpoint, device_type, RunOptions::default());
    let asked = async {
        device.open().await?;
        let attributes = device.gpu_attributes().await.map_err(|error| {
            CliError::new(
                ExitCode::Device,
                format!("the device does not say what it is: {error}"),
                "`arco-tvm doctor` looks at the installation",
            )
        })?;
        attributes
            .ok_or_else(|| CliError::new(ExitCode::Device, format!("{device_type} is no GPU"), ""))
    };
    let answer = asked.await;
    device.shut_down().await;
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_cuda_target_without_an_architecture_lacks_one() {
        assert!(lacks_arch("cuda"));
        assert!(lacks_arch("cuda -model=a100"));
        for target in [
            "cuda -arch=sm_80",
            "nvidia/nvidia-a100",
            "opencl",
            "llvm -mcpu=native",
            r#"{"kind": "cuda", "arch": "sm_80"}"#,
        ] {
            assert!(!lacks_arch(target), "{target}");
        }
    }
}
