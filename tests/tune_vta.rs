//! A quantised network for the simulated accelerator: tuned, and compared with the CPU. Real TVM, real RPC, real
//! simulator.

#[path = "vta_common/recording.rs"]
mod recording;
mod support;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arco_tvm::frontend::{Frontend, ModelDetails, ModelSpec};
use arco_tvm::measure::{
    BuildOptions, Candidate, CoreSharing, Endpoint, Pipeline, PipelineOptions, PythonHost, Role,
    RunOptions, TrialId,
};
use arco_tvm::record::read_log;
use arco_tvm::seed::Seed;
use arco_tvm::task::{ConfigEntity, ConfigIndex, ConfigSpace, Task};
use arco_tvm::vta::config::Geometry;
use arco_tvm::vta::isa::Insn;
use arco_tvm::vta::lowered::{Lowered, Sites};
use arco_tvm::vta::program::{Expected, Launch, Program};
use arco_tvm::vta::runtime::BufferHandle;
use rand::RngExt;
use serde_json::Value;
use tvm_rt::{DeviceType, Tvm};

use support::{arco_tvm_with_tvm, succeed};

/// Residual, with convolutions after the first on the accelerator.
const NETWORK: &str = "resnet-8";

fn tune(folder: &Path, log: &str) -> (String, String) {
    let trials = [
        "--trials-per-task",
        "3",
        "--strategy",
        "random",
        "--seed",
        "5",
    ];
    succeed(&mut arco_tvm_with_tvm(
        folder,
        &[
            &["tune", NETWORK, "--target", "vta", "-o", log],
            &trials[..],
        ]
        .concat(),
    ))
}

/// Index, error and costs of each record.
fn measured(folder: &Path, log: &str) -> Vec<(String, u64, u32, Vec<f64>)> {
    let log = read_log(&folder.join(log)).unwrap();
    let mut found: Vec<_> = log
        .records
        .into_iter()
        .map(|(_, record)| {
            (
                record.workload.args.to_string(),
                record.config.index.0,
                record.result.error_no as u32,
                record.result.costs.clone(),
            )
        })
        .collect();
    found.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
    found
}

#[test]
fn a_network_is_tuned_on_the_accelerator_and_equals_the_cpu_bit_for_bit() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    tune(folder, "net.log");
    let first = measured(folder, "net.log");
    assert!(first.len() >= 12, "{first:?}");
    for (_, index, error, costs) in &first {
        // What the rules of the hardware refuse was never proposed.
        assert_eq!(*error, 0, "configuration {index} failed");
        // Whole cycles of 10 ns.
        let cycles = costs[0] * 1e8;
        assert!(
            costs.len() == 1 && (cycles - cycles.round()).abs() < 1e-3,
            "{costs:?}"
        );
    }
    let (stdout, _) = succeed(&mut arco_tvm_with_tvm(
        folder,
        &[
            "verify",
            NETWORK,
            "--target",
            "vta",
            "--log",
            "net.log",
            "--network-only",
        ],
    ));
    assert!(
        stdout.contains("outputs agree: largest difference of an output 0.00e0"),
        "{stdout}"
    );
}

/// Builds configurations of logs as a builder does: a kernel file and the bytes of its arguments for each line.
const BUILD: &str = r##"
import json, math, sys
import vta.testing.simulator
from arco_tvm import builder
spaces, folder = sys.argv[1:]
import gzip, pathlib
made = []
for path in sorted(pathlib.Path(spaces).glob("*.log.gz")):
    with gzip.open(path, "rt") as file:
        records = [json.loads(line) for line in file if not line.startswith("#")]
    records.sort(key=lambda record: record["result"][0][0])
    for which in (0, len(records) // 2):
        target, name, args, _ = records[which]["input"]
        task = {"name": name, "args": args, "target": target, "host": "llvm"}
        answer = builder.build(task, records[which]["config"], {})
        file = pathlib.Path(folder, f"{path.stem}-{which}.vta")
        file.write_bytes(builder.fetch(answer["token"]))
        sizes = [math.prod(spec["shape"]) for spec in answer["args"]]
        model = target.partition("-model=")[2].split()[0]
        made.append({"kernel": str(file), "bytes": sizes, "seconds": records[which]["result"][0][0], "model": model})
print(json.dumps(made))
"##;

/// What a kernel sends to the accelerator in its first and in its second launch, as a program file.
///
/// They differ: the first leaves a token behind, which the first instruction of the next one takes.
fn program_of(kernel: &Lowered, bytes: &[usize], geometry: Geometry) -> String {
    let (mut runtime, launches) = recording::recording(geometry);
    let buffers: Vec<BufferHandle> = bytes
        .iter()
        .map(|&bytes| runtime.memory().alloc(bytes).unwrap())
        .collect();
    let mut sites = Sites::default();
    for _ in 0..2 {
        kernel.run(&mut runtime, &mut sites, &buffers).unwrap();
    }
    let recorded = launches.lock().unwrap();
    let launch = |insns: &Vec<Insn>| Launch {
        insns: insns
            .iter()
            .map(|insn| insn.encode(&geometry).unwrap())
            .collect(),
        ..Launch::default()
    };
    let program = Program {
        name: "candidate".to_owned(),
        geometry,
        launches: recorded.iter().map(launch).collect(),
        timing_only: false,
        expected: Expected::default(),
    };
    program.to_json().unwrap()
}

#[test]
fn what_a_log_says_is_the_second_launch_of_the_same_program() {
    let folder = tempfile::tempdir().unwrap();
    let spaces = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/vta_spaces");
    let said = support::run_python(BUILD, &[&spaces, folder.path()]);
    let made: Vec<Value> = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    assert_eq!(made.len(), 22);
    for candidate in made {
        let kernel = std::fs::read(candidate["kernel"].as_str().unwrap()).unwrap();
        let kernel = Lowered::from_bytes(&kernel).unwrap();
        let sizes: Vec<usize> = serde_json::from_value(candidate["bytes"].clone()).unwrap();
        let geometry = Geometry::from_name(candidate["model"].as_str().unwrap()).unwrap();
        let file = folder.path().join("program.json");
        std::fs::write(&file, program_of(&kernel, &sizes, geometry)).unwrap();
        let (said, _) = succeed(&mut arco_tvm_with_tvm(
            folder.path(),
            &["vta", "run", "program.json", "--timing-only", "--json"],
        ));
        let report: Value = serde_json::from_str(&said).unwrap();
        let cycles = report["launches"][1].as_u64().unwrap();
        let logged = candidate["seconds"].as_f64().unwrap() * 1e6 * f64::from(geometry.clock_mhz());
        assert_eq!(cycles, logged.round() as u64, "{candidate}");
    }
}

/// Seconds of the configurations at some of the indices of a task's bare space that `wanted` picks; none for a failure.
async fn tried(
    task: &Task,
    pipeline: &mut Pipeline,
    wanted: bool,
    count: usize,
) -> Vec<(ConfigEntity, Option<f64>)> {
    let all: Vec<ConfigIndex> = (0..task.space.range_length()).map(ConfigIndex).collect();
    let allowed = task.space.valid(&all).unwrap();
    let some: Vec<ConfigIndex> = std::iter::zip(all, allowed)
        .filter_map(|(index, allowed)| (allowed == wanted).then_some(index))
        .collect();
    let bare = Arc::new(Task {
        space: ConfigSpace::new(task.space.knobs().to_vec()).unwrap(),
        ..task.clone()
    });
    let mut draw = Seed(7).stream("configurations");
    let chosen: Vec<ConfigEntity> = (0..count)
        .map(|_| some[draw.random_range(0..some.len())])
        .map(|index| bare.space.get(index).unwrap())
        .collect();
    for (id, config) in chosen.iter().enumerate() {
        let candidate = Candidate {
            task: Arc::clone(&bare),
            config: Some(config.clone()),
        };
        pipeline.submit(TrialId(id as u64), candidate);
    }
    let mut found: Vec<_> = chosen.into_iter().map(|config| (config, None)).collect();
    while let Some((id, measurement)) = pipeline.next().await.unwrap() {
        found[id.0 as usize].1 = measurement.outcome.ok().map(|costs| costs[0]);
    }
    found
}

#[test]
fn what_the_rules_refuse_does_not_run_and_what_they_allow_does() {
    let mut host = PythonHost::find(Some(&support::python())).unwrap();
    host.imports = vec!["vta.testing.simulator".to_owned()];
    Tvm::load(&host.libtvm).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let local = |role: Role, name: &str| Endpoint::Local {
        host: host.clone(),
        role,
        log: folder.path().join(name),
        cores: None,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    // ResNet-18 has a 1x1 convolution of stride 1, whose tiles may be whole columns.
    let cases = [
        ("resnet-18", "vta", None),
        ("resnet-8", "vta:1x32_i8w8a32_15_16_19_18", None),
        ("resnet-8", "vta:2x16_i8w8a32_15_16_18_18", Some(2)),
    ];
    for (model, target, batch) in cases {
        runtime.block_on(async {
            let mut frontend = Frontend::start(&host, folder.path()).await.unwrap();
            let details = ModelDetails {
                batch,
                ..ModelDetails::default()
            };
            let model = ModelSpec::new(model, details);
            let extracted = frontend.tasks(&model, target).await.unwrap();
            frontend.shut_down().await;
            let geometry = extracted.target.split("-model=").nth(1).unwrap();
            let mut pipeline = Pipeline::start(&PipelineOptions {
                builders: vec![
                    local(Role::Builder, "builder"),
                    local(Role::Builder, "another"),
                ],
                build: BuildOptions {
                    limit: Duration::from_secs(30),
                    cross_compiler: None,
                    gpu_limits: None,
                },
                devices: vec![local(Role::Device, "device")],
                run: RunOptions {
                    number: 1,
                    repeat: 1,
                    cooldown: Duration::ZERO,
                    limit: Duration::from_secs(30),
                    setup: vec![
                        ("arco.vta.set_mode".to_owned(), "timing".to_owned()),
                        ("arco.vta.set_config".to_owned(), geometry.to_owned()),
                    ],
                    computed: true,
                    ..RunOptions::default()
                },
                device_type: DeviceType::EXT_DEV,
                sharing: CoreSharing::Separate,
            })
            .await
            .unwrap();
            for task in &extracted.tasks {
                assert!(task.space.is_filtered(), "{}", task.workload.label());
                for (config, seconds) in tried(task, &mut pipeline, false, 16).await {
                    let config = config.to_json();
                    assert_eq!(seconds, None, "{} {config}", task.workload.label());
                }
                for (config, seconds) in tried(task, &mut pipeline, true, 4).await {
                    let config = config.to_json();
                    assert!(seconds.is_some(), "{} {config}", task.workload.label());
                }
            }
            pipeline.shut_down().await;
        });
    }
}
