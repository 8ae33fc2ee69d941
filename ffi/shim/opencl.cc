// TVM's OpenCL runtime for a TVM that was built without it, from the sources that this TVM comes with.
//
// One translation unit of TVM's own files; nothing of them is kept here. It links to the OpenCL loader and not to TVM,
// whose symbols are those of the process. Loading it registers the device, so it must not be loaded where TVM has one.

// libtvm has a function of this name that makes modules which cannot run, and the loader would prefer it.
#define OpenCLModuleCreate OpenCLModuleCreatePlugin

#include "src/runtime/opencl/opencl_device_api.cc"
#include "src/runtime/opencl/opencl_module.cc"
#include "src/runtime/opencl/opencl_module_spirv.cc"
#include "src/runtime/opencl/texture_pool.cc"

namespace {

using namespace tvm::runtime;

/// What libtvm's code generator makes goes through its bytes, so that it becomes a module of this library. A module that
/// is exported and loaded again needs none of it: then TVM asks this library for it.
bool ReloadWhatIsBuilt() {
  const PackedFunc* registered = Registry::Get("target.build.opencl");
  if (registered == nullptr) return false;
  PackedFunc build = *registered;
  Registry::Register("target.build.opencl", true).set_body([build](TVMArgs args, TVMRetValue* rv) {
    TVMRetValue made;
    build.CallPacked(args, &made);
    Module module = made;
    std::string bytes;
    dmlc::MemoryStringStream out(&bytes);
    module->SaveToBinary(&out);
    dmlc::MemoryStringStream in(&bytes);
    *rv = OpenCLModuleLoadBinary(static_cast<dmlc::Stream*>(&in));
  });
  return true;
}

const bool reloads = ReloadWhatIsBuilt();

}  // namespace
