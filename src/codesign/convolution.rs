//! A convolution as the network has it, before any accelerator's layout.

use serde::Deserialize;

use crate::task::{Workload, is_known_conv, packed_conv_of};
use crate::vta::config::{Geometry, Mem};
use crate::vta::packed_conv::PackedConv;

/// A convolution of one image; channels are counted one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Convolution {
    /// Channels of the input.
    pub input_channels: usize,
    /// Channels of the output.
    pub output_channels: usize,
    /// Rows of the input.
    pub height: usize,
    /// Columns of the input.
    pub width: usize,
    /// Rows of the kernel.
    pub kernel_height: usize,
    /// Columns of the kernel.
    pub kernel_width: usize,
    /// Stride, the same along both axes.
    pub stride: usize,
    /// Zero rows and columns on each side.
    pub padding: usize,
}

impl Convolution {
    /// The convolution behind a task that was packed for some geometry; `None` when the task is none, or of a sort that
    /// the rules of [`crate::vta::packed_conv`] do not know.
    ///
    /// A packed task does not say how many of its last block's channels are zeros: a count that is no multiple of the
    /// block comes out rounded up to one.
    pub fn of_task(workload: &Workload) -> Option<Self> {
        let (conv, geometry) = packed_conv_of(workload)?;
        Some(Self {
            input_channels: conv.input_blocks * geometry.block_in(),
            output_channels: conv.output_blocks * geometry.block_out(),
            height: conv.height,
            width: conv.width,
            kernel_height: conv.kernel_height,
            kernel_width: conv.kernel_width,
            stride: conv.stride,
            padding: conv.padding,
        })
    }

    /// The same convolution in a geometry's blocks; channels that do not fill the last block are zeros.
    pub fn packed(&self, geometry: &Geometry) -> PackedConv {
        PackedConv {
            batches: 1,
            height: self.height,
            width: self.width,
            input_blocks: self.input_channels.div_ceil(geometry.block_in()),
            output_blocks: self.output_channels.div_ceil(geometry.block_out()),
            kernel_height: self.kernel_height,
            kernel_width: self.kernel_width,
            stride: self.stride,
            padding: self.padding,
        }
    }

    /// Whether there is an output, every size is one that a task may have, and the work can be counted.
    pub fn has_output(&self) -> bool {
        let in_blocks_of_one = PackedConv {
            input_blocks: self.input_channels,
            output_blocks: self.output_channels,
            ..self.packed(&Geometry::default())
        };
        if !is_known_conv(&in_blocks_of_one) {
            return false;
        }
        // At most: every row and column of the padded input has an output.
        let padding = (1 + 2 * self.padding as u128).pow(2);
        let sizes = [
            self.input_channels,
            self.output_channels,
            self.height,
            self.width,
            self.kernel_height,
            self.kernel_width,
        ];
        sizes
            .iter()
            .fold(padding, |work, &size| work * size as u128)
            <= u64::MAX.into()
    }

    /// Rows of the output.
    pub const fn out_height(&self) -> usize {
        (self.height + 2 * self.padding - self.kernel_height) / self.stride + 1
    }

    /// Columns of the output.
    pub const fn out_width(&self) -> usize {
        (self.width + 2 * self.padding - self.kernel_width) / self.stride + 1
    }

    /// Multiply-accumulates for one image, those with padding zeros included.
    pub const fn macs(&self) -> u64 {
        let outputs = self.out_height() * self.out_width() * self.output_channels;
        (outputs * self.input_channels * self.kernel_height * self.kernel_width) as u64
    }

    /// Cycles in which the input is packed anew where the layer before left it in blocks of another size: every element
    /// is read and written once over the memory bus, and nothing else happens meanwhile. No time where blocks are equal.
    ///
    /// It is charged, not simulated: the accelerator has no instruction for it, so the host does it.
    pub fn repack_cycles(&self, geometry: &Geometry) -> u64 {
        if geometry.block_in() == geometry.block_out() {
            return 0;
        }
        let conv = self.packed(geometry);
        let elements = conv.input_blocks * conv.height * conv.width;
        let bytes = (elements * geometry.elem_bytes(Mem::Inp)) as u64;
        2 * (8 * bytes).div_ceil(u64::from(geometry.axi_bits()))
    }

    /// `64 > 128, 56x56, 3x3 / 2`: channels, size of the input, kernel and stride.
    pub fn label(&self) -> String {
        let Self {
            input_channels,
            output_channels,
            height,
            width,
            kernel_height,
            kernel_width,
            stride,
            ..
        } = self;
        format!(
            "{input_channels} > {output_channels}, {height}x{width}, {kernel_height}x{kernel_width} / {stride}"
        )
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::task::workload_of;

    /// The second convolution of ResNet-18.
    pub(crate) const SECOND: Convolution = Convolution {
        input_channels: 64,
        output_channels: 64,
        height: 56,
        width: 56,
        kernel_height: 3,
        kernel_width: 3,
        stride: 1,
        padding: 1,
    };

    #[test]
    fn a_packed_task_and_its_convolution_lead_to_each_other() {
        for name in ["sim", "1x32_i8w8a32_15_15_19_18", "4x8_i8w8a32_15_15_18_17"] {
            let geometry: Geometry = name.parse().unwrap();
            let workload = workload_of(&SECOND.packed(&geometry), &geometry);
            assert_eq!(Convolution::of_task(&workload), Some(SECOND), "{name}");
        }
    }

    #[test]
    fn channels_that_do_not_fill_a_block_are_filled_up() {
        let narrow = Convolution {
            input_channels: 24,
            ..SECOND
        };
        let packed = narrow.packed(&Geometry::default());
        assert_eq!((packed.input_blocks, packed.output_blocks), (2, 4));
    }

    #[test]
    fn unequal_blocks_pay_for_reading_and_writing_the_input_once() {
        let unequal: Geometry = "1x8x32_i8w8a32_15_15_18_17".parse().unwrap();
        assert_eq!(SECOND.repack_cycles(&Geometry::default()), 0);
        // 64 bytes for each pixel, 8 a cycle.
        assert_eq!(SECOND.repack_cycles(&unequal), 2 * 56 * 56 * 8);
    }

    #[test]
    fn the_work_is_that_of_one_image() {
        assert_eq!(SECOND.macs(), 56 * 56 * 64 * 64 * 9);
    }
}
