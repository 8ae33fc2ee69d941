//! A kernel compiled by TVM.

use std::fs;
use std::sync::OnceLock;

/// A library with `matmul(a, b, c)` on 64 x 64 matrices of f32, compiled by TVM once.
pub fn matmul_library() -> &'static [u8] {
    static LIBRARY: OnceLock<Vec<u8>> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("matmul.so");
        let script = "import sys, tvm; from tvm import te\n\
                      n = 64\n\
                      a = te.placeholder((n, n), name='a'); b = te.placeholder((n, n), name='b')\n\
                      k = te.reduce_axis((0, n), name='k')\n\
                      c = te.compute((n, n), lambda i, j: te.sum(a[i, k] * b[k, j], axis=k), name='c')\n\
                      func = te.create_prim_func([a, b, c])\n\
                      tvm.build(func, target='llvm', name='matmul').export_library(sys.argv[1])";
        super::run_python(&["-c", script, path.to_str().unwrap()]);
        fs::read(&path).unwrap()
    })
}
