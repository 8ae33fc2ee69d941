//! What each of TVM 0.19's GPU templates launches: `topi/cuda` and `topi/gpu`, read for threads and shared memory.
//!
//! All of them follow one pattern: an output axis is split into blocks, virtual threads, threads and what a thread does
//! alone; reductions are split into steps; for each step, a block copies what it needs of data and weights to shared
//! memory. A tile there covers what all threads and virtual threads of the block read in one step.

use serde_json::Value;

use crate::task::{Knob, Workload};

use super::arguments::{Tensor, steps, tensor};
use super::launch::{Extent, Factor, Launch, Product, Sizes, Tile};

/// The kernels of a task's configurations; `None` if the template is none of these, or not as it was read.
pub(super) fn launches(workload: &Workload, knobs: &[Knob], sizes: &Sizes) -> Option<Vec<Launch>> {
    let splits = Splits { knobs, sizes };
    let args = &workload.args;
    match workload.name.as_str() {
        "conv2d_nchw.cuda" => Some(vec![conv2d(&splits, args)?]),
        "conv2d_nchw_winograd.cuda" | "conv2d_nchw_winograd_without_weight_transform.cuda" => {
            winograd(&splits, args)
        }
        "depthwise_conv2d_nchw.cuda" => Some(vec![depthwise(&splits, args)?]),
        "group_conv2d_nchw.cuda" => group_conv2d(&splits, args),
        "conv1d_ncw.cuda" => Some(vec![conv1d(&splits, args)?]),
        "conv3d_ncdhw.cuda" => Some(vec![conv3d(&splits, args)?]),
        "conv2d_transpose_nchw.cuda" => conv2d_transpose(&splits, args),
        "dense_small_batch.gpu" | "matmul_default.gpu" => Some(vec![dense_small(&splits)?]),
        "dense_large_batch.gpu" => Some(vec![dense_large(&splits, args)?]),
        "batch_matmul.cuda" => Some(vec![batch_matmul(&splits, args)?]),
        _ => None,
    }
}

/// Looks sizes up by the names of knobs.
struct Splits<'a> {
    knobs: &'a [Knob],
    sizes: &'a Sizes,
}

impl Splits<'_> {
    fn knob(&self, name: &str) -> Option<usize> {
        self.knobs.iter().position(|knob| knob.name() == name)
    }

    /// Loops of a split multiplied; the outermost is 0.
    fn product(&self, name: &str, places: &[usize]) -> Option<Product> {
        let knob = self.knob(name)?;
        let factors: Vec<Factor> = places.iter().map(|&place| Factor { knob, place }).collect();
        let known = factors.iter().all(|factor| self.sizes.has(*factor));
        known.then_some(Product { number: 1, factors })
    }

    /// The threads of a split into blocks, virtual threads, threads, and what one does alone.
    fn threads(&self, name: &str) -> Option<Product> {
        self.product(name, &[2])
    }

    /// Threads along x, y and z, each of a split.
    fn threads_of(&self, names: [&str; 3]) -> Option<[Option<Product>; 3]> {
        let [x, y, z] = names.map(|name| self.threads(name));
        Some([Some(x?), Some(y?), Some(z?)])
    }

    /// What a block reads along rows and columns of the data, for so much of the kernel; strides and dilations are the
    /// arguments at 2 and 4.
    fn windows(&self, args: &Value, kernel: [&Product; 2]) -> Option<[Extent; 2]> {
        let ([stride_y, stride_x], [dilation_y, dilation_x]) = (steps(args, 2)?, steps(args, 4)?);
        let [kernel_y, kernel_x] = kernel.map(Clone::clone);
        Some([
            window(self.block("tile_y")?, stride_y, kernel_y, dilation_y),
            window(self.block("tile_x")?, stride_x, kernel_x, dilation_x),
        ])
    }

    /// What a block covers of an axis that is split so.
    fn block(&self, name: &str) -> Option<Product> {
        self.product(name, &[1, 2, 3])
    }

    /// What a block covers where the threads' loop is outside of the tile: virtual threads apart from each other.
    fn block_of_one_thread(&self, name: &str) -> Option<Extent> {
        Some(Extent {
            loops: vec![
                (self.product(name, &[1])?, self.product(name, &[2, 3])?),
                (self.product(name, &[3])?, number(1)),
            ],
        })
    }
}

const fn number(number: u64) -> Product {
    Product {
        number,
        factors: Vec::new(),
    }
}

fn times(a: &Product, b: &Product) -> Product {
    Product {
        number: a.number * b.number,
        factors: [a.factors.as_slice(), &b.factors].concat(),
    }
}

/// So many elements side by side.
fn whole(elements: Product) -> Extent {
    Extent {
        loops: vec![(elements, number(1))],
    }
}

/// What `outputs` of a convolution read along an axis, for `kernel` of the kernel's elements.
fn window(outputs: Product, stride: u64, kernel: Product, dilation: u64) -> Extent {
    Extent {
        loops: vec![(outputs, number(stride)), (kernel, number(dilation))],
    }
}

const fn tile(of: &Tensor, extents: Vec<Extent>) -> Tile {
    Tile {
        bytes: of.bytes,
        extents,
    }
}

/// `topi/cuda/conv2d_direct.py`
fn conv2d(splits: &Splits<'_>, args: &Value) -> Option<Launch> {
    let (data, kernel) = (tensor(args, 0)?, tensor(args, 1)?);
    let channels = splits.product("tile_rc", &[1])?;
    let (kernel_y, kernel_x) = (
        splits.product("tile_ry", &[1])?,
        splits.product("tile_rx", &[1])?,
    );
    let [rows, columns] = splits.windows(args, [&kernel_y, &kernel_x])?;
    Some(Launch {
        threads: splits.threads_of(["tile_x", "tile_y", "tile_f"])?,
        shared: vec![
            tile(&data, vec![whole(channels.clone()), rows, columns]),
            tile(
                &kernel,
                [splits.block("tile_f")?, channels, kernel_y, kernel_x]
                    .map(whole)
                    .into(),
            ),
        ],
        ..Launch::default()
    })
}

/// `topi/cuda/conv2d_winograd.py`: both transforms have 128 threads; the product of matrices between them is tuned.
fn winograd(splits: &Splits<'_>, args: &Value) -> Option<Vec<Launch>> {
    let (data, kernel) = (tensor(args, 0)?, tensor(args, 1)?);
    let channels = splits.product("tile_rc", &[1])?;
    let product = Launch {
        threads: splits.threads_of(["tile_x", "tile_y", "tile_b"])?,
        shared: vec![
            tile(
                &kernel,
                [
                    splits.block("tile_b")?,
                    channels.clone(),
                    splits.block("tile_y")?,
                ]
                .map(whole)
                .into(),
            ),
            tile(
                &data,
                [splits.block("tile_b")?, channels, splits.block("tile_x")?]
                    .map(whole)
                    .into(),
            ),
        ],
        ..Launch::default()
    };
    let transforms = Launch {
        threads: [Some(number(128)), None, None],
        ..Launch::default()
    };
    Some(vec![product, transforms])
}

/// `topi/cuda/depthwise_conv2d.py`
fn depthwise(splits: &Splits<'_>, args: &Value) -> Option<Launch> {
    let (data, kernel) = (tensor(args, 0)?, tensor(args, 1)?);
    let &[_, multiplier, kernel_y, kernel_x] = kernel.shape.as_slice() else {
        return None;
    };
    // Several outputs of one channel: how many channels a block reads depends on where it begins.
    (multiplier == 1).then_some(())?;
    let (kernel_y, kernel_x) = (number(kernel_y), number(kernel_x));
    let [rows, columns] = splits.windows(args, [&kernel_y, &kernel_x])?;
    let channels = whole(splits.block("tile_f")?);
    Some(Launch {
        threads: splits.threads_of(["tile_x", "tile_y", "tile_f"])?,
        shared: vec![
            tile(&data, vec![channels.clone(), rows, columns]),
            tile(&kernel, vec![channels, whole(kernel_y), whole(kernel_x)]),
        ],
        ..Launch::default()
    })
}

/// The threads of templates whose knob `fuse_yx` says which two of four axes share the threads of one direction: columns
/// and rows (the first), or batch and channels (the second).
fn fused_threads(splits: &Splits<'_>, launch: &Launch) -> Option<Vec<Launch>> {
    let fuse = splits.knob("fuse_yx")?;
    let [n, f, y, x] = ["tile_n", "tile_f", "tile_y", "tile_x"].map(|name| splits.threads(name));
    let (n, f, y, x) = (n?, f?, y?, x?);
    let with = |value, threads: [Product; 3]| Launch {
        when: Some((fuse, value)),
        threads: threads.map(Some),
        ..launch.clone()
    };
    Some(vec![
        with(1, [times(&y, &x), f.clone(), n.clone()]),
        with(0, [x, y, times(&n, &f)]),
    ])
}

/// `topi/cuda/group_conv2d_nchw.py`
fn group_conv2d(splits: &Splits<'_>, args: &Value) -> Option<Vec<Launch>> {
    let (data, kernel) = (tensor(args, 0)?, tensor(args, 1)?);
    let [groups] = steps(args, 5)?;
    let &[outputs, inputs_of_group, height, width] = kernel.shape.as_slice() else {
        return None;
    };
    let outputs_of_group = outputs.checked_div(groups)?;
    let groups_of_block = splits.product("tile_g", &[1])?;
    let channels = splits.product("tile_rc", &[1])?;
    // The template splits rows of the kernel by the knob of its columns, and the other way round.
    (height == width).then_some(())?;
    let (kernel_y, kernel_x) = (
        splits.product("tile_rx", &[1])?,
        splits.product("tile_ry", &[1])?,
    );
    let [rows, columns] = splits.windows(args, [&kernel_y, &kernel_x])?;
    let over_groups = |within: Product, of_group: u64| Extent {
        loops: vec![
            (groups_of_block.clone(), number(of_group)),
            (within, number(1)),
        ],
    };
    let launch = Launch {
        shared: vec![
            tile(
                &data,
                vec![
                    whole(splits.block("tile_n")?),
                    over_groups(channels.clone(), inputs_of_group),
                    rows,
                    columns,
                ],
            ),
            tile(
                &kernel,
                vec![
                    over_groups(splits.block("tile_f")?, outputs_of_group),
                    whole(channels),
                    whole(kernel_y),
                    whole(kernel_x),
                ],
            ),
        ],
        ..Launch::default()
    };
    fused_threads(splits, &launch)
}

/// `topi/cuda/conv1d.py`: only the columns of an output are on threads; of batch and channels, each thread does all of
/// the block's in turn.
fn conv1d(splits: &Splits<'_>, args: &Value) -> Option<Launch> {
    let (data, kernel) = (tensor(args, 0)?, tensor(args, 1)?);
    let [stride] = steps(args, 2)?;
    let channels = whole(splits.product("tile_rc", &[2])?);
    let columns = window(splits.block("tile_x")?, stride, number(1), 1);
    let (n, f) = (splits.threads("tile_n")?, splits.threads("tile_f")?);
    Some(Launch {
        threads: [Some(splits.threads("tile_x")?), Some(times(&n, &f)), None],
        shared: vec![
            tile(
                &data,
                vec![
                    splits.block_of_one_thread("tile_n")?,
                    channels.clone(),
                    columns,
                ],
            ),
            tile(
                &kernel,
                vec![splits.block_of_one_thread("tile_f")?, channels],
            ),
        ],
        ..Launch::default()
    })
}

/// `topi/cuda/conv3d_direct.py`
fn conv3d(splits: &Splits<'_>, args: &Value) -> Option<Launch> {
    let (data, kernel) = (tensor(args, 0)?, tensor(args, 1)?);
    let (strides, dilations): ([u64; 3], [u64; 3]) = (steps(args, 2)?, steps(args, 4)?);
    let channels = splits.product("tile_rc", &[1])?;
    // The knob of the kernel's depth was made for its rows.
    (kernel.shape.get(2)? == kernel.shape.get(3)?).then_some(())?;
    let axes = [
        ("tile_d", "tile_rd"),
        ("tile_y", "tile_ry"),
        ("tile_x", "tile_rx"),
    ];
    let mut data_extents = vec![whole(channels.clone())];
    let mut kernel_extents = vec![whole(splits.block("tile_f")?), whole(channels)];
    for (((outputs, kernel), stride), dilation) in axes.into_iter().zip(strides).zip(dilations) {
        let kernel = splits.product(kernel, &[1])?;
        let outputs = splits.block(outputs)?;
        data_extents.push(window(outputs, stride, kernel.clone(), dilation));
        kernel_extents.push(whole(kernel));
    }
    let (d, f) = (splits.threads("tile_d")?, splits.threads("tile_f")?);
    let (y, x) = (splits.threads("tile_y")?, splits.threads("tile_x")?);
    Some(Launch {
        threads: [Some(x), Some(y.clone()), Some(times(&d, &f))],
        // Copies put the threads of the depth along y, the computation along z.
        same: vec![(times(&d, &f), f), (times(&d, &y), y)],
        shared: vec![tile(&data, data_extents), tile(&kernel, kernel_extents)],
        ..Launch::default()
    })
}

/// `topi/cuda/conv2d_transpose.py`: the data is dilated before, so an output reads as a convolution of stride 1.
fn conv2d_transpose(splits: &Splits<'_>, args: &Value) -> Option<Vec<Launch>> {
    let (data, kernel) = (tensor(args, 0)?, tensor(args, 1)?);
    let [groups] = steps(args, 6)?;
    (groups == 1).then_some(())?;
    let channels = whole(splits.product("tile_rc", &[2])?);
    let block = |name| Some(whole(splits.block(name)?));
    let launch = Launch {
        shared: vec![
            tile(
                &data,
                vec![
                    block("tile_n")?,
                    channels.clone(),
                    block("tile_y")?,
                    block("tile_x")?,
                ],
            ),
            tile(&kernel, vec![channels, block("tile_f")?]),
        ],
        ..Launch::default()
    };
    let mut launches = fused_threads(splits, &launch)?;
    // The template fuses the same two axes twice, which TVM refuses.
    launches[0].fails = true;
    Some(launches)
}

/// `topi/gpu/dense.py`, small batch: the threads of a block share one sum.
fn dense_small(splits: &Splits<'_>) -> Option<Launch> {
    Some(Launch {
        threads: [Some(splits.product("tile_k", &[1])?), None, None],
        ..Launch::default()
    })
}

/// `topi/gpu/dense.py`, large batch: two buffers for each tile, one being filled while the other is read.
fn dense_large(splits: &Splits<'_>, args: &Value) -> Option<Launch> {
    let (data, weights) = (tensor(args, 0)?, tensor(args, 1)?);
    let depth = whole(splits.product("tile_k", &[1, 2])?);
    let (x, y) = (splits.threads("tile_x")?, splits.threads("tile_y")?);
    let two = whole(number(2));
    Some(Launch {
        threads: [Some(x.clone()), Some(y.clone()), None],
        // Each tile is copied by a square of threads.
        same: vec![(x, y)],
        shared: vec![
            tile(
                &data,
                vec![two.clone(), whole(splits.block("tile_x")?), depth.clone()],
            ),
            tile(&weights, vec![two, whole(splits.block("tile_y")?), depth]),
        ],
        ..Launch::default()
    })
}

/// `topi/cuda/batch_matmul.py`
fn batch_matmul(splits: &Splits<'_>, args: &Value) -> Option<Launch> {
    let (a, b) = (tensor(args, 0)?, tensor(args, 1)?);
    let depth = whole(splits.product("tile_k", &[1])?);
    let block = |name| Some(whole(splits.product(name, &[1, 2])?));
    Some(Launch {
        threads: [
            Some(splits.product("tile_x", &[1])?),
            Some(splits.product("tile_y", &[1])?),
            None,
        ],
        shared: vec![
            tile(&a, vec![block("tile_y")?, depth.clone()]),
            tile(&b, vec![block("tile_x")?, depth]),
        ],
        ..Launch::default()
    })
}
