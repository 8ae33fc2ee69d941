//! The `arco-tvm` command.

fn main() -> std::process::ExitCode {
    arco_tvm::cli::main()
}
