// TVM's device `ext_dev`: what its virtual classes need, and nothing else. The work is done behind `ArcoExtDev`.
//
// Compiled against the runtime headers of one TVM, into a shared library of its own (plan.rs). It links to nothing: TVM's
// symbols are those of the process, and libarco_tvm.so passes its functions to `arco_ext_dev_open`.

#include <tvm/runtime/device_api.h>
#include <tvm/runtime/module.h>
#include <tvm/runtime/packed_func.h>
#include <tvm/runtime/profiling.h>
#include <tvm/runtime/registry.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

/// The functions of libarco_tvm.so that this file calls; ffi/src/ext_dev.rs has the same.
extern "C" struct ArcoExtDev {
  /// A buffer of so many bytes, or NULL: then an error waits.
  void* (*alloc)(size_t bytes);
  void (*free)(void* buffer);
  /// `kind`: bit 1 says that `from` is a device buffer, bit 0 that `to` is one.
  void (*copy)(const void* from, size_t from_offset, void* to, size_t to_offset, size_t bytes, int kind);
  /// Takes the error that waits: its text, and its length; 0 if there is none.
  size_t (*take_error)(char* text, size_t capacity);
  /// Cycles since the process began; negative if no time is kept.
  int64_t (*total_cycles)();
  uint32_t (*clock_mhz)();
  /// The geometry's name, and its length.
  size_t (*geometry)(char* text, size_t capacity);
  /// Reads a kernel that needs no machine code from a file, or NULL: then an error waits.
  void* (*open_kernel)(const char* path);
  /// Runs it on device buffers; 0 on success, else an error waits.
  int (*run_kernel)(void* kernel, void* const* buffers, size_t count);
  void (*close_kernel)(void* kernel);
};

namespace {

using namespace tvm::runtime;
using tvm::Device;

ArcoExtDev vta;

/// Compiled kernels call functions that return nothing: their errors wait here until TVM uses the device again.
void RaiseWhatWaits() {
  char text[8192];
  if (size_t length = vta.take_error(text, sizeof(text))) {
    throw Error("VTAError: " + std::string(text, std::min(length, sizeof(text) - 1)));
  }
}

int64_t TotalCycles() {
  int64_t cycles = vta.total_cycles();
  if (cycles < 0) {
    throw Error("VTAError: the functional model keeps no time; call arco.vta.set_mode with \"full\" or \"timing\"");
  }
  return cycles;
}

class ExtDevice final : public DeviceAPI {
 public:
  void SetDevice(Device) final {}

  void GetAttr(Device dev, DeviceAttrKind kind, TVMRetValue* rv) final {
    if (kind == kExist) {
      *rv = dev.device_id == 0 ? 1 : 0;
    } else if (kind == kDeviceName) {
      char text[256];
      size_t length = vta.geometry(text, sizeof(text));
      *rv = std::string(text, std::min(length, sizeof(text) - 1));
    } else if (kind == kMaxClockRate) {
      *rv = static_cast<int>(vta.clock_mhz() * 1000);
    }
  }

  using DeviceAPI::AllocDataSpace;
  void* AllocDataSpace(Device, size_t bytes, size_t, DLDataType) final {
    void* buffer = vta.alloc(bytes);
    if (buffer == nullptr) RaiseWhatWaits();
    return buffer;
  }

  void FreeDataSpace(Device, void* buffer) final { vta.free(buffer); }

  void StreamSync(Device, TVMStreamHandle) final { RaiseWhatWaits(); }

 protected:
  void CopyDataFromTo(const void* from, size_t from_offset, void* to, size_t to_offset, size_t bytes, Device dev_from,
                      Device dev_to, DLDataType, TVMStreamHandle) final {
    // A failed kernel's output must not pass for a result.
    RaiseWhatWaits();
    int kind = (dev_from.device_type == kDLExtDev ? 2 : 0) | (dev_to.device_type == kDLExtDev ? 1 : 0);
    vta.copy(from, from_offset, to, to_offset, bytes, kind);
    RaiseWhatWaits();
  }
};

/// Simulated time: the cycles between start and stop by the clock at the stop.
class SimulatedTimerNode final : public TimerNode {
 public:
  void Start() final { cycles_ = TotalCycles(); }

  void Stop() final {
    RaiseWhatWaits();
    cycles_ = TotalCycles() - cycles_;
    clock_mhz_ = vta.clock_mhz();
  }

  /// To the nearest nanosecond.
  int64_t SyncAndGetElapsedNanos() final { return (cycles_ * 1000 + clock_mhz_ / 2) / clock_mhz_; }

  static constexpr const char* _type_key = "arco.SimulatedTimer";
  TVM_DECLARE_FINAL_OBJECT_INFO(SimulatedTimerNode, TimerNode);

 private:
  int64_t cycles_ = 0;
  int64_t clock_mhz_ = 1;
};

/// A kernel that the device walks itself: a module like a library with one function.
class LoweredKernelNode final : public ModuleNode {
 public:
  explicit LoweredKernelNode(void* kernel) : kernel_(kernel) {}
  ~LoweredKernelNode() { vta.close_kernel(kernel_); }

  const char* type_key() const final { return "vta_lowered"; }
  int GetPropertyMask() const final { return ModulePropertyMask::kRunnable; }

  PackedFunc GetFunction(const String& name, const ObjectPtr<Object>& self) final {
    if (name != symbol::tvm_module_main && name != "default_function") return PackedFunc(nullptr);
    return PackedFunc([this, self](TVMArgs args, TVMRetValue*) {
      std::vector<void*> buffers;
      for (int i = 0; i < args.size(); ++i) {
        DLTensor* tensor = args[i];
        if (tensor->device.device_type != kDLExtDev || tensor->byte_offset != 0) {
          throw Error("ValueError: a kernel for the accelerator takes whole arrays on ext_dev");
        }
        buffers.push_back(tensor->data);
      }
      if (vta.run_kernel(kernel_, buffers.data(), buffers.size()) != 0) RaiseWhatWaits();
    });
  }

 private:
  void* kernel_;
};

}  // namespace

/// Takes the functions, registers the timer, and returns TVM's `DeviceAPI*`, which lives as long as the process; NULL, with
/// the reason in `why`, if TVM refuses.
extern "C" __attribute__((visibility("default"))) void* arco_ext_dev_open(const ArcoExtDev* functions, char* why,
                                                                          size_t capacity) {
  try {
    vta = *functions;
    Registry::Register("profiling.timer.ext_dev", true).set_body_typed([](Device) {
      return Timer(make_object<SimulatedTimerNode>());
    });
    Registry::Register("arco.vta.load_lowered", true).set_body_typed([](std::string path) {
      void* kernel = vta.open_kernel(path.c_str());
      if (kernel == nullptr) RaiseWhatWaits();
      return Module(make_object<LoweredKernelNode>(kernel));
    });
    static ExtDevice device;
    return static_cast<DeviceAPI*>(&device);
  } catch (const std::exception& error) {
    std::string text = error.what();
    if (capacity > 0) {
      why[text.copy(why, capacity - 1)] = '\0';
    }
    return nullptr;
  }
}
