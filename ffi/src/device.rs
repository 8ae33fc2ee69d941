//! Where arrays live and kernels run.

use std::fmt;

use crate::bindings::DLDevice;

/// Device types of one RPC session are this far from those of the next (`kRPCSessMask` in TVM's rpc_session.h).
const SESSION_STRIDE: i32 = 128;

/// A kind of device, numbered as in DLPack; of a remote device it also tells the RPC session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeviceType(pub i32);

impl DeviceType {
    /// The host's processor.
    pub const CPU: Self = Self(1);
    /// NVIDIA GPUs.
    pub const CUDA: Self = Self(2);
    /// OpenCL devices.
    pub const OPENCL: Self = Self(4);
    /// Vulkan devices.
    pub const VULKAN: Self = Self(7);
    /// Apple's Metal.
    pub const METAL: Self = Self(8);
    /// AMD GPUs.
    pub const ROCM: Self = Self(10);
    /// Extension devices, VTA among them.
    pub const EXT_DEV: Self = Self(12);
    /// Qualcomm's DSPs.
    pub const HEXAGON: Self = Self(16);

    const NAMES: [(&str, Self); 8] = [
        ("cpu", Self::CPU),
        ("cuda", Self::CUDA),
        ("opencl", Self::OPENCL),
        ("vulkan", Self::VULKAN),
        ("metal", Self::METAL),
        ("rocm", Self::ROCM),
        ("ext_dev", Self::EXT_DEV),
        ("hexagon", Self::HEXAGON),
    ];

    /// The device type that code for this target kind runs on: `llvm` and `c` on the CPU, `vta` on an extension device.
    pub fn of_target(kind: &str) -> Option<Self> {
        match kind {
            "llvm" | "c" | "stackvm" => Some(Self::CPU),
            "nvptx" => Some(Self::CUDA),
            other => Self::NAMES
                .iter()
                .find(|(name, _)| *name == other)
                .map(|(_, device_type)| *device_type),
        }
    }
}

impl fmt::Display for DeviceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Self::NAMES
            .iter()
            .find(|(_, device_type)| device_type == self)
        {
            Some((name, _)) => f.write_str(name),
            None => write!(f, "device_type({})", self.0),
        }
    }
}

/// The place of an RPC session in TVM's table of sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionIndex(pub i32);

/// One device: its type, and which one of that type.
///
/// ```
/// use tvm_rt::{Device, SessionIndex};
/// let remote = Device::cpu(0).remote(SessionIndex(2));
/// assert_eq!(remote.device_type.0, 1 + 3 * 128);
/// assert_eq!(remote.to_string(), "remote[2]:cpu(0)");
/// assert_eq!(remote.local(), Device::cpu(0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Device {
    /// What kind of device.
    pub device_type: DeviceType,
    /// Which one, counted from 0.
    pub device_id: i32,
}

impl Device {
    /// The device `device_id` of a type.
    pub fn new(device_type: DeviceType, device_id: i32) -> Self {
        Self {
            device_type,
            device_id,
        }
    }

    /// A CPU.
    pub fn cpu(device_id: i32) -> Self {
        Self::new(DeviceType::CPU, device_id)
    }

    /// This device of the machine behind an RPC session: type + (session index + 1) * 128.
    pub fn remote(self, session: SessionIndex) -> Self {
        let stride = session.0.wrapping_add(1).wrapping_mul(SESSION_STRIDE);
        Self::new(
            DeviceType(self.local().device_type.0.wrapping_add(stride)),
            self.device_id,
        )
    }

    /// The RPC session that this device belongs to, or `None` for one of this process.
    pub fn session(self) -> Option<SessionIndex> {
        let session = self.device_type.0.div_euclid(SESSION_STRIDE) - 1;
        (session >= 0).then_some(SessionIndex(session))
    }

    /// The same device as the machine that has it calls it.
    pub fn local(self) -> Self {
        Self::new(
            DeviceType(self.device_type.0.rem_euclid(SESSION_STRIDE)),
            self.device_id,
        )
    }

    pub(crate) fn from_raw(raw: DLDevice) -> Self {
        Self::new(DeviceType(raw.device_type.cast_signed()), raw.device_id)
    }

    pub(crate) fn to_raw(self) -> DLDevice {
        DLDevice {
            device_type: self.device_type.0.cast_unsigned(),
            device_id: self.device_id,
        }
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(SessionIndex(session)) = self.session() {
            write!(f, "remote[{session}]:")?;
        }
        write!(f, "{}({})", self.local().device_type, self.device_id)
    }
}
