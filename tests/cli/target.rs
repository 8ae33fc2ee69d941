//! Targets that are missing, unknown, or that this TVM has no code generator for.

use snapbox::str;

use crate::scene::Scene;

#[test]
fn no_target() {
    let scene = Scene::new();
    let mut command = scene.arco_tvm(&["tune", "mlp", "-o", "mlp.log"]);
    scene.says(
        &mut command,
        str![[r#"
exit code: 2
--- standard output
--- standard error
error: no target is given
  hint: add --target 'llvm -mcpu=native' for this machine's CPU, or set `target` in arco.toml

"#]],
    );
}

#[test]
fn an_unknown_target() {
    let scene = Scene::new();
    let mut command = scene.arco_tvm(&["tune", "mlp", "--target", "lvm", "-o", "mlp.log"]);
    scene.says(&mut command, str![[r#"
exit code: 5
--- standard output
--- standard error
importing mlp and extracting its tasks
error: unknown target 'lvm'
  hint: did you mean llvm? known: llvm, cuda, opencl, ext_dev, c, metal, vulkan, rocm, nvptx, hexagon

"#]]);
    assert!(
        !scene.path("mlp.log").exists(),
        "a run that never began leaves no log"
    );
}

#[test]
fn an_unknown_cpu() {
    let scene = Scene::new();
    let mut command = scene.arco_tvm(&["tasks", "mlp", "--target", "llvm -mcpu=skylark-avx512"]);
    scene.says(&mut command, str![[r#"
exit code: 5
--- standard output
--- standard error
error: unknown CPU 'skylark-avx512'
  hint: -mcpu=native names this machine's CPU, [CPU]; did you mean skylake-avx512 or skylake_avx512 or skylake? 131 are known

"#]]);
}

#[test]
fn tuning_for_a_target_that_this_tvm_has_no_code_for() {
    let scene = Scene::new();
    let mut command = scene.arco_tvm(&["tune", "mlp", "--target", "cuda", "-o", "mlp.log"]);
    scene.says(&mut command, str![[r#"
exit code: 5
--- standard output
--- standard error
importing mlp and extracting its tasks
error: this TVM has no code generator for cuda (it has: aocl, aocl_sw_emu, c, hexagon, llvm, metal, nvptx, opencl, rocm, sdaccel, stackvm, webgpu)
  hint: use a TVM 0.19 that was built for this target, with --python

"#]]);
    assert!(!scene.path("mlp.log").exists());
}

#[test]
fn tuning_for_a_target_whose_device_is_not_here() {
    // The loader is here or not; it finds no driver.
    let scene = Scene::new();
    let mut command = scene.arco_tvm(&[
        "tune",
        "mlp",
        "--target",
        "opencl",
        "-o",
        "mlp.log",
        "--builders",
        "1",
    ]);
    command.env("OCL_ICD_VENDORS", scene.path("no-drivers"));
    if !tvm_rt::can_open("libOpenCL.so.1") {
        scene.says(&mut command, str![[r#"
exit code: 7
--- standard output
--- standard error
error: there is no OpenCL loader on this machine (libOpenCL.so.1)
  hint: install the driver of your GPU, or PoCL, which runs OpenCL on the CPU (Debian: apt install pocl-opencl-icd ocl-icd-libopencl1)

"#]]);
        return;
    }
    // The first time, TVM's OpenCL runtime is compiled, which is said.
    command.output().unwrap();
    scene.says(&mut command, str![[r#"
exit code: 7
--- standard output
--- standard error
importing mlp and extracting its tasks
mlp: 3 tasks with 30 configurations for opencl -keys=opencl,gpu -max_function_args=128 -max_num_threads=256 -max_shared_memory_per_block=16384 -max_threads_per_block=256 -texture_spatial_limit=16384 -thread_warp_size=1
arco, seed 0, 192 trials; 1 builder, measured on this machine; nothing builds while it measures
error: there is no opencl device at our device server on this machine
  hint: its OpenCL loader finds no driver (`clinfo` lists them), or TVM there has no OpenCL runtime (`arco-tvm doctor --target opencl` looks at this machine): install the driver of the GPU, or PoCL to run on the CPU (Debian: apt install pocl-opencl-icd)

"#]]);
    assert!(!scene.path("mlp.log").exists());
}

#[test]
fn listing_tasks_for_a_target_that_this_tvm_has_no_code_for() {
    let scene = Scene::new();
    let mut command = scene.arco_tvm(&["tasks", "mlp", "--target", "cuda -arch=sm_80"]);
    scene.says(&mut command, str![[r#"
exit code: 0
--- standard output
 task                                 uses  configurations  knobs  MFLOP
 dense_small_batch.gpu 1x784 128x784     1              15      1    0.2
 dense_small_batch.gpu 1x128 64x128      1               8      1    0.0
 dense_small_batch.gpu 1x64 10x64        1               7      1    0.0
--- standard error
mlp for cuda -keys=cuda,gpu -arch=sm_80 -max_num_threads=1024 -thread_warp_size=32
to tune them, another TVM is needed: this TVM has no code generator for cuda (it has: aocl, aocl_sw_emu, c, hexagon, llvm, metal, nvptx, opencl, rocm, sdaccel, stackvm, webgpu)

"#]]);
}

#[test]
fn a_target_without_a_cpu_is_warned_about() {
    let scene = Scene::new();
    let mut command = scene.arco_tvm(&["tasks", "mlp", "--target", "llvm", "--knobs"]);
    scene.says(&mut command, str![[r#"
exit code: 0
--- standard output
 task                            uses  configurations  knobs  MFLOP
 dense_nopack.x86 1x784 128x784     1             120      3    0.2
 dense_pack.x86 1x784 128x784       1             540      4    0.2
 dense_nopack.x86 1x128 64x128      1              56      3    0.0
 dense_pack.x86 1x128 64x128        1             224      4    0.0
 dense_nopack.x86 1x64 10x64        1              28      3    0.0
 dense_pack.x86 1x64 10x64          1              63      4    0.0

dense_nopack.x86 1x784 128x784
   knob    kind  agent     values
   tile_y  sp    mapping   1       [-1,1]
   tile_x  sp    hardware  8       [-1,1] [-1,2] [-1,4] [-1,8] .. [-1,128]
   tile_k  sp    mapping   15      [-1,1] [-1,2] [-1,4] [-1,7] .. [-1,784]

dense_pack.x86 1x784 128x784
   knob        kind  agent     values
   tile_y      sp    mapping   1       [-1,1,1]
   tile_x      sp    hardware  36      [-1,1,1] [-1,2,1] [-1,4,1] [-1,8,1] .. [-1,1,128]
   tile_k      sp    mapping   15      [-1,1] [-1,2] [-1,4] [-1,7] .. [-1,784]
   tile_inner  sp    hardware  1       [-1,1]

dense_nopack.x86 1x128 64x128
   knob    kind  agent     values
   tile_y  sp    mapping   1       [-1,1]
   tile_x  sp    hardware  7       [-1,1] [-1,2] [-1,4] [-1,8] .. [-1,64]
   tile_k  sp    mapping   8       [-1,1] [-1,2] [-1,4] [-1,8] .. [-1,128]

dense_pack.x86 1x128 64x128
   knob        kind  agent     values
   tile_y      sp    mapping   1       [-1,1,1]
   tile_x      sp    hardware  28      [-1,1,1] [-1,2,1] [-1,4,1] [-1,8,1] .. [-1,1,64]
   tile_k      sp    mapping   8       [-1,1] [-1,2] [-1,4] [-1,8] .. [-1,128]
   tile_inner  sp    hardware  1       [-1,1]

dense_nopack.x86 1x64 10x64
   knob    kind  agent     values
   tile_y  sp    mapping   1       [-1,1]
   tile_x  sp    hardware  4       [-1,1] [-1,2] [-1,5] [-1,10]
   tile_k  sp    mapping   7       [-1,1] [-1,2] [-1,4] [-1,8] .. [-1,64]

dense_pack.x86 1x64 10x64
   knob        kind  agent     values
   tile_y      sp    mapping   1       [-1,1,1]
   tile_x      sp    hardware  9       [-1,1,1] [-1,2,1] [-1,5,1] [-1,10,1] .. [-1,1,10]
   tile_k      sp    mapping   7       [-1,1] [-1,2] [-1,4] [-1,8] .. [-1,64]
   tile_inner  sp    hardware  1       [-1,1]
--- standard error
warning: no -mcpu: LLVM generates code for the oldest CPU of the architecture; -mcpu=native means [CPU] here
mlp for llvm -keys=cpu -mtriple=[TRIPLE]

"#]]);
}
