//! What Python reaches in `libarco_tvm.so`: registration, and the search as PackedFuncs `arco.tuner.*`.

mod exports;
mod gpu_functions;
mod search;
mod tuner_functions;
