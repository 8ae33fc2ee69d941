//! What a device says of itself.

use tvm_rt::{Device, DeviceType, Function};

use crate::task::GpuLimits;

/// `DeviceAttrKind` of TVM's device_api.h.
#[derive(Clone, Copy, Debug)]
#[repr(i32)]
enum Attribute {
    Exist = 0,
    MaxThreadsPerBlock = 1,
    WarpSize = 2,
    MaxSharedMemoryPerBlock = 3,
    ComputeVersion = 4,
    DeviceName = 5,
    MaxThreadDimensions = 8,
}

/// A GPU, as its driver describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GpuAttributes {
    /// The driver's name of it.
    pub name: String,
    /// CUDA: the compute capability, such as `8.0`. OpenCL: the version.
    pub compute_version: String,
    /// Threads that go in step.
    pub warp_size: u64,
    /// What a block of threads may have.
    pub limits: GpuLimits,
}

impl GpuAttributes {
    /// Asks a device; `None` if it is no GPU.
    ///
    /// # Errors
    /// When the device does not answer, or answers something else.
    pub(super) fn of(device: Device) -> tvm_rt::Result<Option<Self>> {
        if !GPUS.contains(&device.local().device_type) {
            return Ok(None);
        }
        let number = |attribute| -> tvm_rt::Result<u64> {
            let number: i64 = ask(device, attribute)?;
            u64::try_from(number).map_err(tvm_rt::Error::other)
        };
        let dimensions: String = ask(device, Attribute::MaxThreadDimensions)?;
        let [x, y, z]: [u64; 3] =
            serde_json::from_str(&dimensions).map_err(tvm_rt::Error::other)?;
        Ok(Some(Self {
            name: ask(device, Attribute::DeviceName)?,
            compute_version: ask(device, Attribute::ComputeVersion)?,
            warp_size: number(Attribute::WarpSize)?,
            limits: GpuLimits {
                max_shared_memory_per_block: number(Attribute::MaxSharedMemoryPerBlock)?,
                max_threads_per_block: number(Attribute::MaxThreadsPerBlock)?,
                max_thread_x: x,
                max_thread_y: y,
                max_thread_z: z,
            },
        }))
    }

    /// The architecture that code for it names: `sm_80` of the compute capability 8.0. `None` if it is no number.
    pub fn cuda_arch(&self) -> Option<String> {
        let (major, minor) = self.compute_version.split_once('.')?;
        let number = |text: &str| text.parse::<u32>().ok();
        Some(format!("sm_{}{}", number(major)?, number(minor)?))
    }
}

/// Whether there is such a device at all.
pub(super) fn exists(device: Device) -> tvm_rt::Result<bool> {
    let answer: i64 = ask(device, Attribute::Exist)?;
    Ok(answer != 0)
}

const GPUS: [DeviceType; 5] = [
    DeviceType::CUDA,
    DeviceType::OPENCL,
    DeviceType::VULKAN,
    DeviceType::METAL,
    DeviceType::ROCM,
];

fn ask<T>(device: Device, attribute: Attribute) -> tvm_rt::Result<T>
where
    T: TryFrom<tvm_rt::RetValue, Error = tvm_rt::Error>,
{
    let (device_type, device_id) = (device.device_type.0, device.device_id);
    Function::get("runtime.GetDeviceAttr")?
        .call(&[
            device_type.into(),
            device_id.into(),
            (attribute as i32).into(),
        ])?
        .try_into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_architecture_is_named_by_the_compute_capability() {
        let arch = |version: &str| {
            let attributes = GpuAttributes {
                name: String::new(),
                compute_version: version.to_owned(),
                warp_size: 32,
                limits: GpuLimits {
                    max_shared_memory_per_block: 49152,
                    max_threads_per_block: 1024,
                    max_thread_x: 1024,
                    max_thread_y: 1024,
                    max_thread_z: 64,
                },
            };
            attributes.cuda_arch()
        };
        assert_eq!(arch("8.0").as_deref(), Some("sm_80"));
        assert_eq!(arch("12.0").as_deref(), Some("sm_120"));
        assert_eq!(arch("OpenCL 3.0 PoCL"), None);
    }
}
