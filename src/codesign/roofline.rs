//! What a schedule would take if a unit were always busy: the belief about geometries of which nothing was measured.

use crate::vta::config::{Geometry, Mem};
use crate::vta::packed_conv::{PackedConv, PackedTiles};

/// Operations of the vector unit on each accumulator: shift, minimum, maximum (`vta/top/template.py`).
const VECTOR_OPERATIONS: f64 = 3.0;
/// Cycles of a memory access besides its beats; the order of magnitude of the timing model's latency.
const ACCESS: f64 = 40.0;
/// Cycles that no schedule of a convolution undercuts: the compute module multiplies, clears accumulators and works on
/// vectors one after the other, and everything that is read comes over one bus.
pub fn lower_bound(conv: &PackedConv, geometry: &Geometry, tiles: &PackedTiles) -> u64 {
    let roofline = Roofline::of(conv, geometry, tiles);
    let kernel = [conv.kernel_height, conv.kernel_width];
    // Rows or columns that all tiles together read of the input, without padding.
    let read = |tile: usize, out: usize, size: usize, kernel: usize| -> usize {
        let first = |t: usize| (t * tile * conv.stride).saturating_sub(conv.padding);
        let last = |t: usize| {
            let past = ((t + 1) * tile - 1) * conv.stride + kernel;
            past.saturating_sub(conv.padding).min(size)
        };
        (0..out / tile)
            .map(|t| last(t).saturating_sub(first(t)))
            .sum()
    };
    let rows = read(tiles.h, conv.out_height(), conv.height, kernel[0]);
    let columns = read(tiles.w, conv.out_width(), conv.width, kernel[1]);
    let again = conv.output_blocks / tiles.co;
    let inputs = rows * columns * conv.input_blocks * again * geometry.elem_bytes(Mem::Inp);
    let beat = f64::from(geometry.axi_bits()) / 8.0;
    let reads = inputs as f64 / beat + roofline.traffic[1];
    roofline.compute().max(reads).floor() as u64
}

/// Number of features.
pub(super) const FEATURES: usize = 22;

/// Work and traffic of a schedule, counted from its tiles.
#[derive(Clone, Copy, Debug)]
pub(super) struct Roofline {
    /// Cycles in which the matrix unit multiplies.
    pub multiply: f64,
    /// Cycles of clearing accumulators and of the vector unit.
    pub vector: f64,
    /// Cycles of the bus for inputs, weights and outputs.
    pub traffic: [f64; 3],
    /// Transfers of a row each.
    pub rows: f64,
    /// Rounds of loading and multiplying.
    pub rounds: f64,
    /// Output tiles.
    pub tiles: f64,
    threads: f64,
}

impl Roofline {
    pub fn of(conv: &PackedConv, geometry: &Geometry, tiles: &PackedTiles) -> Self {
        let PackedTiles { h, w, ci, co, .. } = *tiles;
        let (out_h, out_w) = (conv.out_height(), conv.out_width());
        let kernel = conv.kernel_height * conv.kernel_width;
        let (in_h, in_w) = (
            (h - 1) * conv.stride + conv.kernel_height,
            (w - 1) * conv.stride + conv.kernel_width,
        );
        let vectors = (conv.output_blocks * out_h * out_w) as f64;
        let output_tiles = ((out_h / h) * (out_w / w) * (conv.output_blocks / co)) as f64;
        let rounds = output_tiles * (conv.input_blocks / ci) as f64;
        let beat = f64::from(geometry.axi_bits()) / 8.0;
        let cycles = |elements: f64, mem| elements * geometry.elem_bytes(mem) as f64 / beat;
        let whole_rows = in_w >= conv.width;
        let input_rows = if whole_rows { ci } else { in_h * ci } as f64;
        let output_rows = if w == out_w { co } else { h * co } as f64;
        Self {
            multiply: vectors * (conv.input_blocks * kernel) as f64,
            vector: vectors * (1.0 + VECTOR_OPERATIONS),
            traffic: [
                cycles(rounds * (in_h * in_w * ci) as f64, Mem::Inp),
                cycles(rounds * (kernel * ci * co) as f64, Mem::Wgt),
                cycles(vectors, Mem::Out),
            ],
            rows: rounds * (input_rows + co as f64) + output_tiles * output_rows,
            rounds,
            tiles: output_tiles,
            threads: (tiles.oc_threads * tiles.h_threads) as f64,
        }
    }

    fn compute(&self) -> f64 {
        self.multiply + self.vector
    }

    fn memory(&self) -> f64 {
        self.traffic.iter().sum::<f64>() + ACCESS * self.rounds
    }

    /// Cycles: memory and arithmetic overlap where virtual threads let one load while the other computes.
    pub fn cycles(&self) -> f64 {
        let (compute, memory) = (self.compute(), self.memory());
        let (longer, shorter) = (compute.max(memory), compute.min(memory));
        if self.threads > 1.0 {
            longer + shorter / self.rounds.max(1.0)
        } else {
            // Loads of the next round wait for the buffer, stores hardly for anything.
            longer + 0.8 * shorter
        }
    }

    /// What a surrogate sees of a schedule on a geometry: ratios, which mean the same for every shape and geometry.
    pub fn features(
        &self,
        conv: &PackedConv,
        geometry: &Geometry,
        tiles: &PackedTiles,
    ) -> [f64; FEATURES] {
        let share = |part: f64| (part / self.multiply).ln();
        let size = |n: usize| (n as f64).log2();
        let per_round = self.multiply / self.rounds;
        [
            share(self.cycles()),
            share(self.compute()),
            share(self.memory()),
            share(self.traffic[0]),
            share(self.traffic[1]),
            share(self.traffic[2]),
            share(self.rows),
            per_round.ln(),
            self.tiles.ln(),
            size(tiles.h),
            size(tiles.w),
            size(tiles.ci),
            size(tiles.co),
            tiles.oc_threads as f64,
            tiles.h_threads as f64,
            size(conv.kernel_height * conv.kernel_width),
            conv.stride as f64,
            f64::from(geometry.log_batch()),
            f64::from(geometry.log_block_in()),
            f64::from(geometry.log_block_out()),
            size(conv.input_blocks),
            size(conv.out_width() / tiles.w),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::super::convolution::tests::SECOND;
    use super::super::schedules::schedules;
    use super::*;
    use crate::codesign::Convolution;
    use crate::vta::draft::{Drafter, Epilogue};

    #[test]
    fn no_drafted_program_undercuts_the_lower_bound_and_the_best_come_near() {
        let strided = Convolution {
            stride: 2,
            output_channels: 128,
            ..SECOND
        };
        let pointwise = Convolution {
            kernel_height: 1,
            kernel_width: 1,
            padding: 0,
            ..strided
        };
        for convolution in [SECOND, strided, pointwise] {
            for name in [
                "sim",
                "4x8_i8w8a32_15_15_18_17",
                "1x8x32_i8w8a32_15_15_18_17",
            ] {
                let geometry: Geometry = name.parse().unwrap();
                let conv = convolution.packed(&geometry);
                let mut drafter = Drafter::new(&geometry);
                let mut nearest = f64::INFINITY;
                // Small tiles make long programs, and say no more.
                let all = schedules(&conv, &geometry).into_iter();
                for tiles in all.filter(|t| t.h * t.w * t.co >= 98) {
                    let bound = lower_bound(&conv, &geometry, &tiles);
                    let drafted = drafter.draft(&conv, &tiles, &Epilogue::requantised());
                    let Ok(cycles) = drafted.and_then(|mut draft| draft.cycles()) else {
                        continue;
                    };
                    assert!(bound <= cycles, "{name} {tiles:?}: {bound} > {cycles}");
                    nearest = nearest.min(cycles as f64 / bound as f64);
                }
                assert!(nearest < 1.5, "{name} {convolution:?}: {nearest}");
            }
        }
    }

    #[test]
    fn data_buffers_decide_which_schedules_there_are_and_not_how_long_they_take() {
        let (small, large): (Geometry, Geometry) = (
            "1x16_i8w8a32_15_14_15_15".parse().unwrap(),
            Geometry::default(),
        );
        let conv = SECOND.packed(&small);
        let (mut on_small, mut on_large) = (Drafter::new(&small), Drafter::new(&large));
        let epilogue = Epilogue::requantised();
        let mut compared = 0;
        for tiles in schedules(&conv, &small).iter().filter(|t| t.h * t.w >= 28) {
            let cycles = |drafter: &mut Drafter| {
                let drafted = drafter.draft(&conv, tiles, &epilogue);
                drafted.and_then(|mut draft| draft.cycles()).ok()
            };
            assert_eq!(cycles(&mut on_small), cycles(&mut on_large), "{tiles:?}");
            compared += 1;
        }
        assert!(compared > 20, "{compared}");
    }
}
