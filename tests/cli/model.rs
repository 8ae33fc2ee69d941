//! Models that are unknown or unreadable.

use snapbox::str;

use crate::scene::Scene;
use crate::support;

#[test]
fn an_unknown_network_lists_the_known_ones() {
    let scene = Scene::new();
    let mut command = scene.arco_tvm(&["tasks", "resnet-17", "--target", "llvm"]);
    scene.says(&mut command, str![[r#"
exit code: 4
--- standard output
--- standard error
error: unknown model 'resnet-17'
  hint: did you mean resnet-18 or resnet-8 or resnet-34? known: alexnet, mlp, mobilenet, resnet-8, resnet-18, resnet-34, squeezenet, vgg-11, vgg-13, vgg-16, vgg-19

"#]]);
}

#[test]
fn an_unreadable_onnx_file() {
    let scene = Scene::new();
    scene.write("model.onnx", "this is no protocol buffer");
    let mut command = scene.arco_tvm(&["tasks", "model.onnx", "--target", "llvm"]);
    scene.says(&mut command, str![[r#"
exit code: 4
--- standard output
--- standard error
error: [FOLDER]/model.onnx is not an ONNX model: DecodeError: Error parsing message with type 'onnx.ModelProto': Wire format was corrupt
  hint: check that the file is complete; onnx.checker.check_model(path) says more

"#]]);
}

#[test]
fn an_empty_onnx_file() {
    let scene = Scene::new();
    scene.write("model.onnx", "");
    let mut command = scene.arco_tvm(&["tasks", "model.onnx", "--target", "llvm"]);
    scene.says(
        &mut command,
        str![[r#"
exit code: 4
--- standard output
--- standard error
error: [FOLDER]/model.onnx is not an ONNX model: it has no operators
  hint: check that the file is complete

"#]],
    );
}

#[test]
fn a_file_that_is_not_there() {
    let scene = Scene::new();
    let mut command = scene.arco_tvm(&["tasks", "networks/model.onnx", "--target", "llvm"]);
    scene.says(
        &mut command,
        str![[r#"
exit code: 4
--- standard output
--- standard error
error: [FOLDER]/networks/model.onnx is not a file
  hint: check the path

"#]],
    );
}

#[test]
fn an_onnx_file_with_open_dimensions() {
    let scene = Scene::new();
    let script = "import sys, onnx\n\
        from onnx import TensorProto, helper\n\
        image = helper.make_tensor_value_info('image', TensorProto.FLOAT, ['n', 3, 'height', 'width'])\n\
        out = helper.make_tensor_value_info('out', TensorProto.FLOAT, None)\n\
        weight = helper.make_tensor('weight', TensorProto.FLOAT, [4, 3, 3, 3], [0.1] * 108)\n\
        conv = helper.make_node('Conv', ['image', 'weight'], ['out'])\n\
        graph = helper.make_graph([conv], 'net', [image], [out], [weight])\n\
        opset = [helper.make_opsetid('', 13)]\n\
        onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), sys.argv[1])";
    support::run_python(script, &[&scene.path("model.onnx")]);
    let mut command = scene.arco_tvm(&["tasks", "model.onnx", "--target", "cuda -arch=sm_80"]);
    scene.says(
        &mut command,
        str![[r#"
exit code: 4
--- standard output
--- standard error
error: input image of [FOLDER]/model.onnx has open dimensions: [1, 3, '?', '?']
  hint: give its shape, for example --input-shape image=1,3,224,224

"#]],
    );
    let mut command = scene.arco_tvm(&[
        "tasks",
        "model.onnx",
        "--target",
        "cuda -arch=sm_80",
        "--input-shape",
        "image=2,3,32,32",
    ]);
    scene.says(&mut command, str![[r#"
exit code: 0
--- standard output
 task                                         uses  configurations  knobs  MFLOP
 conv2d_nchw.cuda 2x3x32x32 4x3x3x3              1       1,966,080      8    0.4
 conv2d_nchw_winograd.cuda 2x3x32x32 4x3x3x3     1          14,400      6    0.4
--- standard error
model for cuda -keys=cuda,gpu -arch=sm_80 -max_num_threads=1024 -thread_warp_size=32
to tune them, another TVM is needed: this TVM has no code generator for cuda (it has: aocl, aocl_sw_emu, c, hexagon, llvm, metal, nvptx, opencl, rocm, sdaccel, stackvm, webgpu)

"#]]);
    let mut command = scene.arco_tvm(&[
        "tasks",
        "model.onnx",
        "--target",
        "llvm",
        "--input-shape",
        "image=2,3,0,32",
    ]);
    scene.says(&mut command, str![[r#"
exit code: 2
--- standard output
--- standard error
error: invalid value 'image=2,3,0,32' for '--input-shape <NAME=SHAPE>': `image=2,3,0,32` is no NAME=SHAPE (for example data=1,3,224,224)

For more information, try '--help'.

"#]]);
}

#[test]
fn a_format_that_tvm_does_not_import() {
    let scene = Scene::new();
    scene.write("model.xyz", "?");
    let mut command =
        scene.arco_tvm(&["tasks", "model.xyz", "--target", "llvm", "--format", "xyz"]);
    scene.says(
        &mut command,
        str![[r#"
exit code: 4
--- standard output
--- standard error
error: [FOLDER]/model.xyz: there is no importer for the format 'xyz'
  hint: give the format (--format), one of keras, onnx, pb, tflite, pytorch, paddle, relay

"#]],
    );
}

#[test]
fn a_file_of_an_unknown_kind() {
    let scene = Scene::new();
    scene.write("model.xyz", "?");
    let mut command = scene.arco_tvm(&["tasks", "model.xyz", "--target", "llvm"]);
    scene.says(
        &mut command,
        str![[r#"
exit code: 4
--- standard output
--- standard error
error: [FOLDER]/model.xyz: its format is not known
  hint: give the format (--format), one of keras, onnx, pb, tflite, pytorch, paddle, relay

"#]],
    );
}

#[test]
fn a_batch_of_no_image() {
    let scene = Scene::new();
    let mut command = scene.arco_tvm(&["tasks", "mlp", "--target", "llvm", "--batch", "0"]);
    scene.says(
        &mut command,
        str![[r#"
exit code: 2
--- standard output
--- standard error
error: invalid value '0' for '--batch <N>': 0 is not in 1..=4294967295

For more information, try '--help'.

"#]],
    );
}
