//! Models that are unknown or unreadable.

use snapbox::str;

use crate::scene::Scene;

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
error: [FOLDER]/model.xyz: failed to infer the model format. Please specify --model-format
  hint: give "format", one of keras, onnx, pb, tflite, pytorch, paddle, relay

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
exit code: 1
--- standard output
--- standard error
error: batch must be a whole number from 1, not 0

"#]],
    );
}
