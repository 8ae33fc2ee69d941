//! Which agent owns which knob of the templates that networks use on GPUs.

use std::collections::BTreeMap;

use serde_json::Value;
use snapbox::{Assert, str};

use crate::scene::Scene;

const TARGETS: [&str; 4] = [
    "cuda -arch=sm_80",
    "opencl -device=mali",
    "opencl -device=adreno",
    "opencl -device=intel_graphics",
];
const NETWORKS: [&str; 5] = [
    "resnet-18",
    "mobilenet",
    "vgg-16",
    "squeezenet",
    "transformer.relay",
];
/// What a transformer multiplies: projections of many and of a few rows, and attention.
const TRANSFORMER: &str = r#"#[version = "0.0.5"]
def @main(%tokens: Tensor[(128, 768), float32], %wide: Tensor[(3072, 768), float32], %one: Tensor[(1, 768), float32],
          %queries: Tensor[(12, 128, 64), float32], %keys: Tensor[(12, 128, 64), float32]) {
  %0 = nn.dense(%tokens, %wide, units=3072);
  %1 = nn.dense(%one, %wide, units=3072);
  %2 = nn.batch_matmul(%queries, %keys, transpose_b=True);
  (%0, %1, %2)
}
"#;

/// Every template with its knobs and their agents, where any of the networks has it.
fn owners(target: &str) -> String {
    let scene = Scene::new();
    scene.write("transformer.relay", TRANSFORMER);
    let mut templates: BTreeMap<String, Vec<[String; 2]>> = BTreeMap::new();
    for network in NETWORKS {
        let arguments = ["tasks", network, "--target", target, "--json", "--quiet"];
        let output = scene.arco_tvm(&arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{network}: {said}");
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        for task in found["tasks"].as_array().unwrap() {
            let text = |knob: &Value, key: &str| knob[key].as_str().unwrap().to_owned();
            let knobs = task["knobs"].as_array().unwrap().iter();
            let knobs = knobs.map(|knob| ["agent", "name"].map(|key| text(knob, key)));
            templates
                .entry(text(task, "name"))
                .or_default()
                .extend(knobs);
        }
    }
    let mut lines = format!("{target}\n");
    for (template, mut knobs) in templates {
        knobs.sort();
        knobs.dedup();
        lines += &format!("  {template}\n");
        for role in ["hardware", "scheduling", "mapping"] {
            let names: Vec<&str> = knobs
                .iter()
                .filter(|[agent, _]| agent == role)
                .map(|[_, name]| name.as_str())
                .collect();
            lines += &format!("    {role}: {}\n", names.join(" "));
        }
    }
    lines
}

#[test]
fn every_knob_of_the_templates_that_networks_use_on_gpus_has_the_agent_that_it_should_have() {
    let all: String = TARGETS.map(owners).concat();
    Assert::new().action_env("SNAPSHOTS").eq(
        all,
        str![[r#"
cuda -arch=sm_80
  batch_matmul.cuda
    hardware: tile_x tile_y
    scheduling: auto_unroll_max_step unroll_explicit
    mapping: tile_k
  conv2d_nchw.cuda
    hardware: tile_f tile_x tile_y
    scheduling: auto_unroll_max_step unroll_explicit
    mapping: tile_rc tile_rx tile_ry
  conv2d_nchw_winograd.cuda
    hardware: tile_b tile_x tile_y
    scheduling: auto_unroll_max_step unroll_explicit
    mapping: tile_rc
  dense_large_batch.gpu
    hardware: tile_x tile_y
    scheduling: 
    mapping: tile_k
  dense_small_batch.gpu
    hardware: tile_k
    scheduling: 
    mapping: 
  depthwise_conv2d_nchw.cuda
    hardware: tile_f tile_x tile_y
    scheduling: auto_unroll_max_step unroll_explicit
    mapping: 
opencl -device=mali
  batch_matmul.cuda
    hardware: tile_x tile_y
    scheduling: auto_unroll_max_step unroll_explicit
    mapping: tile_k
  conv2d_nchw_spatial_pack.mali
    hardware: ann_spatial tile_co tile_oh tile_ow
    scheduling: ann_reduce reorder_0
    mapping: 
  conv2d_nchw_winograd.mali
    hardware: tile_t1 tile_t2
    scheduling: c_unroll
    mapping: tile_bna tile_bnb yt
  dense.mali
    hardware: tile_x tile_y
    scheduling: c_unroll
    mapping: 
  depthwise_conv2d_nchw.mali
    hardware: ann_spatial tile_c tile_x tile_y
    scheduling: 
    mapping: 
opencl -device=adreno
  batch_matmul.cuda
    hardware: tile_x tile_y
    scheduling: auto_unroll_max_step unroll_explicit
    mapping: tile_k
  conv2d_nchw_winograd.image2d
    hardware: tile_x tile_y
    scheduling: auto_unroll_max_step
    mapping: tile_rc
  conv2d_nchwc.image2d
    hardware: tile_fc tile_x tile_y
    scheduling: auto_unroll_max_step unroll_explicit
    mapping: tile_rcc tile_rx tile_ry
  dense_large_batch.gpu
    hardware: tile_x tile_y
    scheduling: 
    mapping: tile_k
  dense_small_batch.gpu
    hardware: tile_k
    scheduling: 
    mapping: 
  depthwise_conv2d_nchwc.image2d
    hardware: tile_fc tile_x tile_y
    scheduling: auto_unroll_max_step unroll_explicit
    mapping: tile_rx tile_ry
opencl -device=intel_graphics
  batch_matmul.cuda
    hardware: tile_x tile_y
    scheduling: auto_unroll_max_step unroll_explicit
    mapping: tile_k
  conv2d_NCHWc.intel_graphics
    hardware: tile_ic tile_oc
    scheduling: 
    mapping: block_oh block_ow
  dense_large_batch.gpu
    hardware: tile_x tile_y
    scheduling: 
    mapping: tile_k
  dense_small_batch.gpu
    hardware: tile_k
    scheduling: 
    mapping: 
  depthwise_conv2d_nchw.intel_graphics
    hardware: tile_f tile_x tile_y
    scheduling: auto_unroll_max_step unroll_explicit
    mapping: 

"#]],
    );
}
