//! The `arco-tvm` command.

fn main() {}
