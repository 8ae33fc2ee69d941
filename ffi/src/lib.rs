//! Safe Rust over the C runtime API of TVM 0.19.
