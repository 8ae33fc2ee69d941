//! OpenCL: TVM's runtime for it, the loader, and the device.

use tvm_rt::DeviceType;

use crate::measure::{Endpoint, Role};
use crate::opencl;

use super::super::context::Context;
use super::super::gpu;
use super::Findings;

/// Looks for what a local OpenCL device needs, and asks the device. Returns whether all is there.
pub(super) async fn look_at_opencl(context: &mut Context, findings: &mut Findings) -> bool {
    if opencl::is_built_in() {
        findings.good("OpenCL runtime", "this TVM was built with it");
    } else {
        let printer = findings.printer;
        let library = opencl::library(&context.host.libtvm, || {
            printer.note("compiling TVM's OpenCL runtime for this TVM, once: some ten seconds");
        });
        match library {
            Ok(library) => {
                findings.good(
                    "OpenCL runtime",
                    format!(
                        "compiled from this TVM's sources; other servers have it with --load-library {}",
                        library.display()
                    ),
                );
                context.host.libraries.push(library);
            }
            Err(error) => {
                findings.bad("OpenCL runtime", &error.into());
                return false;
            }
        }
    }
    let endpoint = Endpoint::Local {
        host: context.host.clone(),
        role: Role::Device,
        log: context.logs().join("opencl.log"),
        cores: None,
    };
    match gpu::ask(endpoint, DeviceType::OPENCL).await {
        Ok(device) => {
            let limits = device.limits;
            findings.good(
                "OpenCL device",
                format!(
                    "{}, {}; a block has up to {} threads and {} kB of shared memory",
                    device.name.trim_end_matches('\0'),
                    device.compute_version.trim_end_matches('\0'),
                    limits.max_threads_per_block,
                    limits.max_shared_memory_per_block / 1024
                ),
            );
            true
        }
        Err(error) => {
            findings.bad("OpenCL device", &error);
            false
        }
    }
}
