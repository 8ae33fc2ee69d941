//! File tests: each program in `tests/data/vta_text` must give what its `;!` lines say.
//!
//! `VTA_BLESS=1 cargo test --test vta_filetests` writes what comes out into the files (memory at the addresses and of the
//! lengths that the files name); review the difference like code. The directory's README describes the form.

mod vta_common;

use arco_tvm::vta::func::{Dram, Machine};
use arco_tvm::vta::program::{Expected, Program, text};
use arco_tvm::vta::run;
use std::fmt::Write;
use std::path::{Path, PathBuf};

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/vta_text");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "vta"))
        .collect();
    files.sort();
    files
}

/// Runs the program; its own expectations replaced by what came out.
fn run(program: &Program) -> Program {
    let mut out = program.clone();
    let mut machine = Machine::new(program.geometry);
    let mut dram = run::memory(program).unwrap();
    out.expected = Expected {
        cycles: program.expected.cycles.clone(),
        ..Expected::default()
    };
    for (number, launch) in out.launches.iter_mut().enumerate() {
        for row in &launch.dram_in {
            dram.fill(row.addr, &row.bytes).unwrap();
        }
        let result = program
            .decode(number)
            .map_err(|error| error.to_string())
            .and_then(|insns| {
                machine
                    .launch(&insns, &mut dram)
                    .map_err(|error| error.to_string())
            });
        for row in &mut launch.dram_out {
            dram.read(row.addr, &mut row.bytes).unwrap();
        }
        if let Err(error) = result {
            out.expected.error = Some(error);
            break;
        }
    }
    out.expected.counters = Some(machine.counters());
    out.expected.tokens_end = Some(machine.tokens());
    out
}

/// The file with its `;!` lines replaced by those of `program`: memory in place, the rest at the end.
fn bless(file: &str, program: &Program) -> String {
    let mut rows = program.launches.iter().flat_map(|launch| &launch.dram_out);
    let mut out = String::new();
    for line in file.lines() {
        if line.trim().starts_with(";! dram ") {
            let row = rows.next().unwrap();
            let bytes = row.bytes.iter().fold(String::new(), |mut hex, byte| {
                write!(hex, "{byte:02x}").unwrap();
                hex
            });
            writeln!(out, ";! dram {:#x} {bytes}", row.addr).unwrap();
        } else if !line.trim().starts_with(";!") {
            writeln!(out, "{line}").unwrap();
        }
    }
    format!(
        "{}\n\n{}",
        out.trim_end(),
        text::expectations(&program.expected)
    )
}

#[test]
fn every_file_gives_what_it_says() {
    let files = files();
    assert!(files.len() >= 8, "file tests are missing");
    let mut changed = Vec::new();
    for path in files {
        let file = std::fs::read_to_string(&path).unwrap();
        let program = text::parse(&file).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let blessed = bless(&file, &run(&program));
        if blessed != file {
            if std::env::var_os("VTA_BLESS").is_some() {
                std::fs::write(&path, &blessed).unwrap();
            } else {
                changed.push(format!(
                    "{}:\n{}",
                    path.display(),
                    difference(&file, &blessed)
                ));
            }
        }
    }
    assert!(
        changed.is_empty(),
        "{}\nVTA_BLESS=1 accepts this",
        changed.join("\n")
    );
}

fn difference(old: &str, new: &str) -> String {
    let gone = old
        .lines()
        .filter(|line| !new.lines().any(|other| other == *line));
    let come = new
        .lines()
        .filter(|line| !old.lines().any(|other| other == *line));
    gone.map(|line| format!("- {line}\n"))
        .chain(come.map(|line| format!("+ {line}\n")))
        .collect()
}

#[test]
fn the_disassembly_of_every_file_assembles_to_the_same_program() {
    for path in files() {
        let program = text::parse(&std::fs::read_to_string(&path).unwrap()).unwrap();
        assert!(
            text::parse(&text::print(&program)).unwrap() == program,
            "{}",
            path.display()
        );
    }
}
