//! Records of `conv2d_packed.vta` in the golden data.

use arco_tvm::vta::config::Geometry;
use arco_tvm::vta::packed_conv::{PackedConv, PackedTiles};
use serde_json::Value;

fn number(value: &Value) -> usize {
    value.as_u64().unwrap() as usize
}

/// The convolution of a recorded workload on a geometry.
pub fn conv_of(workload: &Value, geometry: &Geometry) -> PackedConv {
    let field = |name: &str| number(&workload[name]);
    PackedConv {
        // A workload of fewer images than BATCH was filled up.
        batches: field("batch").div_ceil(geometry.batch()),
        height: field("height"),
        width: field("width"),
        input_blocks: field("in_filter").div_ceil(geometry.block_in()),
        output_blocks: field("out_filter").div_ceil(geometry.block_out()),
        kernel_height: field("hkernel"),
        kernel_width: field("wkernel"),
        stride: field("hstride"),
        padding: field("hpad"),
    }
}

/// The tiles of a recorded configuration.
pub fn tiles_of(config: &Value) -> PackedTiles {
    let field = |name: &str| number(&config[name]);
    PackedTiles {
        h: field("tile_h"),
        w: field("tile_w"),
        ci: field("tile_ci"),
        co: field("tile_co"),
        oc_threads: field("oc_nthread"),
        h_threads: field("h_nthread"),
    }
}
