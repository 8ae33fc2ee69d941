//! `arco-tvm vta`, on golden programs and with nothing of TVM or Python.

use std::path::{Path, PathBuf};
use std::process::Command;

use arco_tvm::vta::program;
use serde_json::Value;
use snapbox::str;

use crate::scene::Scene;

/// A file of the golden data, or of the file tests.
fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(path)
}

/// `arco-tvm vta` where there is no Python.
fn vta(scene: &Scene, arguments: &[&str]) -> Command {
    let mut command = scene.arco_tvm(&[&["vta"], arguments].concat());
    command.env("ARCO_PYTHON", "/nowhere").env("PATH", "");
    command
}

/// A golden program's name in the scene.
fn copy(scene: &Scene, path: &str) -> String {
    let from = data(path);
    let name = from.file_name().unwrap().to_str().unwrap().to_owned();
    std::fs::copy(&from, scene.path(&name)).unwrap();
    name
}

/// What a successful command prints.
fn printed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), &*error), (Some(0), ""));
    String::from_utf8(output.stdout).unwrap()
}

fn json(command: &mut Command) -> Value {
    serde_json::from_str(&printed(command)).unwrap()
}

#[test]
fn a_program_with_memory_is_run_timed_and_compared() {
    let scene = Scene::new();
    let name = copy(&scene, "vta/programs/conv_1x1_s2.json.gz");
    scene.says(
        &mut vta(&scene, &["run", &name]),
        str![[r#"
exit code: 0
--- standard output
program       conv_1x1_s2
geometry      1x16_i8w8a32_15_15_18_17
cycles        2,222  (22.2 us at 100 MHz, bursts of 16 beats)
utilisation   5.8 % of the MAC array
instructions  76

counters  as in the file
  inp_load_nbytes           2,688
  wgt_load_nbytes           4,096
  acc_load_nbytes             512
  uop_load_nbytes              64
  out_store_nbytes          1,024
  gemm_counter                128
  alu_counter                 256

where the cycles went
   module   instructions    busy  memory  tokens   fetch    done
   load               21  38.6 %  17.4 %  26.2 %   2.0 %  15.8 %
   compute            48  35.6 %  16.7 %  45.9 %   1.8 %   0.0 %
   store               7   6.0 %   4.1 %  77.4 %  12.3 %   0.1 %

tokens left   [0, 0, 0, 0]
memory        1,024 bytes  as in the file
--- standard error

"#]],
    );
}

#[test]
fn a_timing_only_program_is_run_without_memory() {
    let scene = Scene::new();
    let name = copy(&scene, "vta/rtl/tiny_i6.json.gz");
    scene.says(
        &mut vta(&scene, &["run", &name, "--burst", "256", "--launches", "2"]),
        str![[r#"
exit code: 0
--- standard output
program       tiny_i6
geometry      1x16_i8w8a32_15_15_18_17_bus64_b256_c100
cycles        34,179  (341.8 us at 100 MHz, bursts of 256 beats)
launches      2  (the first 17,386, the last 16,793 cycles)
utilisation   13.5 % of the MAC array
instructions  469

counters  as in the file
  inp_load_nbytes          17,920
  wgt_load_nbytes         147,456
  acc_load_nbytes           2,048
  uop_load_nbytes             136
  out_store_nbytes          4,096
  gemm_counter              4,608
  alu_counter               1,024

where the cycles went
   module   instructions    busy  memory  tokens  fetch   done
   load              162  60.7 %   8.7 %  28.3 %  1.6 %  0.7 %
   compute           272  23.4 %   4.0 %  70.9 %  1.6 %  0.0 %
   store              35   1.5 %   1.9 %  94.9 %  1.7 %  0.0 %

tokens left   [0, 0, 0, 2]  as in the file
memory        not compared
--- standard error

"#]],
    );
}

#[test]
fn the_json_report_has_cycles_of_the_rtl_counters_and_mismatches() {
    let scene = Scene::new();
    let records = std::fs::read_to_string(data("vta/rtl_cycles.jsonl")).unwrap();
    let mut compared = 0;
    for record in records.lines() {
        let record: Value = serde_json::from_str(record).unwrap();
        let program = record["program"].as_str().unwrap();
        let burst = match record["rtl"].as_str().unwrap() {
            "de10" => "16",
            "pynq" => "256",
            _ => continue,
        };
        let path = data("vta").join(program);
        // Time alone is what is recorded of most, and the tests of the models run them all.
        if compared == 12 || !path.is_file() {
            continue;
        }
        let path = path.to_str().unwrap();
        let report = json(&mut vta(
            &scene,
            &["run", path, "--timing-only", "--burst", burst, "--json"],
        ));
        assert_eq!(
            report["cycles"], record["tsim"]["cycles"],
            "{program} {burst}"
        );
        compared += 1;
    }
    assert_eq!(compared, 12);
    let name = copy(&scene, "vta/programs/conv_tiny_hvt.json.gz");
    let report = json(&mut vta(&scene, &["run", &name, "--json"]));
    let alone = json(&mut vta(&scene, &["run", &name, "--json", "--timing-only"]));
    for key in ["cycles", "counters", "utilisation"] {
        assert!(!report[key].is_null(), "{key}");
        assert_eq!(report[key], alone[key], "{key}");
    }
    assert_eq!(report["memory_mismatches"], 0);
    assert!(report["memory_compared"].as_u64().unwrap() > 0);
    assert_eq!(
        (&alone["memory_compared"], &alone["gemm_path"]),
        (&0.into(), &Value::Null)
    );
}

#[test]
fn what_is_not_as_the_file_says_is_shown_and_makes_the_exit_code() {
    let scene = Scene::new();
    let text = std::fs::read_to_string(data("vta_text/gemm_by_hand.vta")).unwrap();
    let text = text
        .replace(";! dram 0x2000 22ee4eea", ";! dram 0x2000 22ef4e00")
        .replace(";! gemm_counter 2", ";! gemm_counter 3")
        .replace(
            ";! tokens 0 0 0 0",
            ";! tokens 0 0 0 1\n;! cycles burst=16 134",
        );
    scene.write("wrong.vta", text);
    scene.says(
        &mut vta(&scene, &["run", "wrong.vta"]),
        str![[r#"
exit code: 9
--- standard output
program       wrong.vta
geometry      2x2_i8w8a32_8_8_8_8
cycles        135  (1.4 us at 100 MHz, bursts of 16 beats)  NOT 134 as in the file
utilisation   1.5 % of the MAC array
instructions  9

counters  NOT as in the file
  inp_load_nbytes               4
  wgt_load_nbytes               4
  acc_load_nbytes               0
  uop_load_nbytes               4
  out_store_nbytes              4
  gemm_counter                  2
  alu_counter                   0

where the cycles went
   module   instructions    busy  memory  tokens   fetch    done
   load                2   1.5 %  32.6 %   0.0 %  28.1 %  37.8 %
   compute             6  17.0 %  16.3 %  37.0 %  29.6 %   0.0 %
   store               1   0.7 %   3.7 %  60.7 %  32.6 %   2.2 %

tokens left   [0, 0, 0, 0]  NOT as in the file
memory        2 of 4 bytes are NOT as in the file
  0x2001: 0xee, in the file 0xef
  0x2003: 0xea, in the file 0x00
--- standard error

"#]],
    );
    let output = vta(&scene, &["run", "wrong.vta", "--json"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(9));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["memory_mismatches"], 2);
    assert_eq!(
        (&report["counters_match"], &report["tokens_match"]),
        (&false.into(), &false.into())
    );
    assert_eq!(report["cycles_expected"], 134);
}

#[test]
fn a_deadlock_is_explained() {
    let scene = Scene::new();
    let name = copy(&scene, "vta_text/deadlock.vta");
    scene.says(&mut vta(&scene, &["run", &name]), str![[r#"
exit code: 1
--- standard output
--- standard error
error: deadlock.vta: launch 0: deadlock before FINISH; load waits for compute->load at #0 `load.inp sram=0 dram=0x100 y=1 x=1 stride=1 <compute >compute`; compute waits for load->compute at #1 `gemm uops=0..1 outer=1 inner=1 dst=0,0 src=0,0 wgt=0,0 <load >load`; store has no instruction left
  hint: `arco-tvm vta disasm --code` numbers the instructions

"#]]);
    scene.says(
        &mut vta(&scene, &["run", &name, "--timing-only"]),
        str![[r#"
exit code: 1
--- standard output
--- standard error
error: deadlock.vta: launch 0: deadlock before FINISH; load waits for compute->load at #0 `load.inp sram=0 dram=0x100 y=1 x=1 stride=1 <compute >compute`; compute waits for load->compute at #1 `gemm uops=0..1 outer=1 inner=1 dst=0,0 src=0,0 wgt=0,0 <load >load`; store has no instruction left
  hint: `arco-tvm vta disasm --code` numbers the instructions

"#]],
    );
}

#[test]
fn files_and_options_that_are_none() {
    let scene = Scene::new();
    scene
        .write("a.json", "{\"insn\": []}")
        .write("b.vta", ".config 1x16_i8w8a32_15_15_18_17\n.code\n  hop\n");
    for (arguments, expected) in [
        (
            &["run", "missing.json"][..],
            str![[r#"
exit code: 1
--- standard output
--- standard error
error: cannot read the program missing.json: No such file or directory (os error 2)

"#]],
        ),
        (
            &["run", "a.json"],
            str![[r#"
exit code: 1
--- standard output
--- standard error
error: a.json: the JSON object has neither `runs` (program with memory) nor `insns` (timing-only program)
  hint: docs/guide/vta-programs.md describes the three forms of a program

"#]],
        ),
        (
            &["disasm", "b.vta"],
            str![[r#"
exit code: 1
--- standard output
--- standard error
error: b.vta: line 3: `hop` is no instruction; known are load.M, store.M, nop.M, gemm, gemm.reset, alu.OP, finish
  hint: docs/guide/vta-programs.md describes the three forms of a program

"#]],
        ),
        (
            &["run", "b.vta", "--launches", "0"],
            str![[r#"
exit code: 2
--- standard output
--- standard error
error: invalid value '0' for '--launches <N>': 0 is not in 1..=4294967295

For more information, try '--help'.

"#]],
        ),
        (
            &["trace", "b.vta", "-o", "b.svg", "--window", "9..9"],
            str![[r#"
exit code: 2
--- standard output
--- standard error
error: invalid value '9..9' for '--window <FROM..TO>': it must end after it begins

For more information, try '--help'.

"#]],
        ),
        (
            &["info", "1x17_i8w8a32_15_15_18_17"],
            str![[r#"
exit code: 2
--- standard output
--- standard error
error: `1x17_i8w8a32_15_15_18_17` is not a geometry name; expected something like 1x16_i8w8a32_15_15_18_17
  hint: name a preset (sim, pynq, ultra96, zcu104, de10nano), a geometry, or a vta_config.json

"#]],
        ),
        (
            &["info", "1x128_i8w8a32_15_15_18_17"],
            str![[r#"
exit code: 2
--- standard output
--- standard error
error: invalid geometry: page: a wgt element has 16384 bytes; at most 4096 (one page) are allowed
  hint: name a preset (sim, pynq, ultra96, zcu104, de10nano), a geometry, or a vta_config.json

"#]],
        ),
    ] {
        scene.says(&mut vta(&scene, arguments), expected);
    }
}

#[test]
fn disassembled_and_assembled_again_a_program_is_the_same() {
    let scene = Scene::new();
    for path in [
        "vta/programs/conv_1x1_s2.json.gz",
        "vta/rtl/tiny_i6.json.gz",
    ] {
        let name = copy(&scene, path);
        printed(&mut vta(&scene, &["disasm", &name, "-o", "text.vta"]));
        printed(&mut vta(
            &scene,
            &["asm", "text.vta", "-o", "again.json.gz"],
        ));
        let again = scene.path("again.json.gz");
        assert!(std::fs::read(&again).unwrap().starts_with(&[0x1f, 0x8b]));
        assert_eq!(
            program::load(again).unwrap(),
            program::load(data(path)).unwrap(),
            "{path}"
        );
        // The same without files.
        let text = printed(&mut vta(&scene, &["disasm", &name]));
        assert_eq!(
            text,
            std::fs::read_to_string(scene.path("text.vta")).unwrap()
        );
        let object = printed(&mut vta(&scene, &["asm", "text.vta"]));
        assert_eq!(
            program::read(object.as_bytes()).unwrap(),
            program::load(data(path)).unwrap()
        );
    }
}

#[test]
fn the_code_alone_is_numbered() {
    let scene = Scene::new();
    let name = copy(&scene, "vta_text/gemm_by_hand.vta");
    scene.says(
        &mut vta(&scene, &["disasm", &name, "--code"]),
        str![[r#"
exit code: 0
--- standard output
      0  load.inp sram=0 dram=0x400 y=1 x=1 stride=1
      1  load.wgt sram=0 dram=0x401 y=1 x=1 stride=1 >compute
      2  load.uop sram=0 dram=0x404 y=1 x=1 stride=1 <load
      3  gemm.reset uops=0..1 outer=1 inner=1 dst=0,0 src=0,0 wgt=0,0
      4  gemm uops=0..1 outer=2 inner=1 dst=0,0 src=0,0 wgt=0,0
      5  nop.compute >store
      6  store.out sram=0 dram=0x800 y=1 x=1 stride=1 <compute >compute
      7  nop.compute <store
      8  finish
--- standard error

"#]],
    );
}

#[test]
fn a_timing_only_text_with_data_has_no_json_form() {
    let scene = Scene::new();
    let text =
        ".config 1x16_i8w8a32_15_15_18_17\n.timing_only\n.data 0x1000\n  00\n.code\n  finish\n";
    scene.write("data.vta", text);
    scene.says(&mut vta(&scene, &["asm", "data.vta"]), str![[r#"
exit code: 1
--- standard output
--- standard error
error: data.vta: the timing-only JSON form holds one launch and micro-operations alone; drop `.timing_only` to use the form with memory

"#]]);
}

#[test]
fn a_picture_and_a_trace_are_written() {
    let scene = Scene::new();
    let name = copy(&scene, "vta/programs/conv_1x1_s2.json.gz");
    let svg = ["trace", &name, "-o", "p.svg", "--window", "100..200"];
    scene.says(
        &mut vta(&scene, &svg),
        str![[r#"
exit code: 0
--- standard output
--- standard error
2,222 cycles: p.svg

"#]],
    );
    let svg = std::fs::read_to_string(scene.path("p.svg")).unwrap();
    assert!(
        svg.starts_with("<svg") || svg.starts_with("<?xml"),
        "{}",
        &svg[..60]
    );
    assert!(svg.contains("conv_1x1_s2 on 1x16_i8w8a32_15_15_18_17"));
    scene.says(
        &mut vta(&scene, &["-q", "trace", &name, "-o", "t.json"]),
        str![[r#"
exit code: 0
--- standard output
--- standard error

"#]],
    );
    let trace: Value =
        serde_json::from_slice(&std::fs::read(scene.path("t.json")).unwrap()).unwrap();
    assert!(trace["traceEvents"].as_array().unwrap().len() > 100);
    scene.says(
        &mut vta(&scene, &["trace", &name, "-o", "no/t.json"]),
        str![[r#"
exit code: 1
--- standard output
--- standard error
error: cannot write no/t.json: No such file or directory (os error 2)
  hint: name a file that you may write with -o

"#]],
    );
}

#[test]
fn a_geometry_is_shown_by_preset_name_and_file() {
    let scene = Scene::new();
    scene.says(
        &mut vta(&scene, &["info", "pynq"]),
        str![[r#"
exit code: 0
--- standard output
name          1x16_i8w8a32_15_15_18_17_bus64_b256_c100
model         pynq_1x16_i8w8a32_15_15_18_17_bus64_b256_c100
matrix        1 x 16 by 16 x 16: 256 multiply-accumulates a cycle
widths        inputs 8, weights 8, accumulators 32, outputs 8 bits
memory        64 bits a beat, bursts of 256 beats, 0.80 GB/s
clock         100 MHz: at most 25.6 GMAC/s
ALU           16 lanes

 buffer    bytes  element bytes  depth  banks x bits  BRAM36 (estimate)
 uop      32,768              4  8,192        1 x 32                  8
 wgt     262,144            256  1,024      2 x 1024                 58
 inp      32,768             16  2,048       1 x 128                  8
 acc     131,072             64  2,048       1 x 512                 30
 out      32,768             16  2,048       1 x 128                  8

 board     estimate  multipliers      BRAM36           DSP               LUT
 pynq      fits      packed       118 of 140    128 of 220   4,768 of 53,200
 ultra96   fits      single       118 of 216    256 of 360   4,768 of 70,560
 zcu104    fits      single       118 of 312  256 of 1,728  4,768 of 230,400
 de10nano  fits      packed       118 of 154    128 of 224   4,768 of 83,820
--- standard error

"#]],
    );
    scene.says(
        &mut vta(&scene, &["info", "1x16x64_i8w8a32_15_15_20_19_bus128_c200"]),
        str![[r#"
exit code: 0
--- standard output
name          1x16x64_i8w8a32_15_15_20_19_bus128_b16_c200
model         sim_1x16x64_i8w8a32_15_15_20_19_bus128_b16_c200
matrix        1 x 16 by 16 x 64: 1,024 multiply-accumulates a cycle
widths        inputs 8, weights 8, accumulators 32, outputs 8 bits
memory        128 bits a beat, bursts of 16 beats, 3.20 GB/s
clock         200 MHz: at most 204.8 GMAC/s
ALU           64 lanes

 buffer      bytes  element bytes  depth  banks x bits  BRAM36 (estimate)
 uop        32,768              4  8,192        1 x 32                  8
 wgt     1,048,576          1,024  1,024      8 x 1024                232
 inp        32,768             16  2,048       1 x 128                  8
 acc       524,288            256  2,048      2 x 1024                116
 out       131,072             64  2,048       1 x 512                 30

 board     estimate           multipliers      BRAM36         DSP                LUT
 pynq      lacks bram36, lut  lut          400 of 140    0 of 220   84,608 of 53,200
 ultra96   lacks bram36, lut  lut          400 of 216    0 of 360   84,608 of 70,560
 zcu104    lacks bram36       lut          400 of 312  0 of 1,728  84,608 of 230,400
 de10nano  lacks bram36, lut  lut          400 of 154    0 of 224   84,608 of 83,820
--- standard error

"#]],
    );
    let shown = json(&mut vta(&scene, &["info", "ultra96", "--json"]));
    assert_eq!(shown["depths"]["wgt"], 1024);
    assert_eq!(shown["resources"]["macs"], 256);
    assert_eq!(shown["boards"][0]["board"], "pynq");
    scene.write("vta_config.json", shown["config"].to_string());
    let again = json(&mut vta(&scene, &["info", "vta_config.json", "--json"]));
    assert_eq!(again, shown);
}
