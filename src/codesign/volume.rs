//! How much of the space of time against resources is beaten: the hypervolume of a Pareto front, and what a point adds.

use crate::vta::config::Geometry;

use super::limits::Cost;

/// The least score at every level of resources: of multipliers and buffer bits there are few different numbers among
/// geometries that can be listed.
#[derive(Clone, Debug)]
pub(super) struct Volume {
    /// Numbers of multipliers, ascending, each with the width of its level.
    macs: Vec<(u64, f64)>,
    /// The same of buffer bits.
    bits: Vec<(u64, f64)>,
    /// The worst score that counts.
    corner: f64,
    /// Least scores, for each number of multipliers those of each number of bits.
    least: Vec<f64>,
}

impl Volume {
    /// Nothing is beaten yet. A score counts up to `corner`, a resource up to a little more than the most that one of these
    /// geometries has, so that the largest adds something.
    pub fn new(geometries: &[Geometry], corner: f64) -> Self {
        let costs: Vec<Cost> = geometries.iter().map(Cost::of).collect();
        let macs = levels(costs.iter().map(|cost| cost.macs));
        let bits = levels(costs.iter().map(|cost| cost.sram_bits));
        let least = vec![corner; macs.len() * bits.len()];
        Self {
            macs,
            bits,
            corner,
            least,
        }
    }

    /// What a point would add, as a share of the whole box.
    pub fn gain(&self, score: f64, cost: &Cost) -> f64 {
        let (macs, bits) = self.first(cost);
        let rows = self.least.chunks(self.bits.len());
        let mut sum = 0.0;
        for (&(_, width), row) in self.macs.iter().zip(rows).skip(macs) {
            for (&(_, height), &least) in self.bits.iter().zip(row).skip(bits) {
                sum += width * height * (least - score).max(0.0);
            }
        }
        sum / self.corner
    }

    /// Takes a point in.
    pub fn add(&mut self, score: f64, cost: &Cost) {
        let (macs, bits) = self.first(cost);
        for row in self.least.chunks_mut(self.bits.len()).skip(macs) {
            for least in &mut row[bits..] {
                *least = least.min(score);
            }
        }
    }

    /// The first level of each resource that has as much as `cost`.
    fn first(&self, cost: &Cost) -> (usize, usize) {
        (
            self.macs.partition_point(|(level, _)| *level < cost.macs),
            self.bits
                .partition_point(|(level, _)| *level < cost.sram_bits),
        )
    }
}

/// Beyond the largest there is this share of it more.
const MARGIN: f64 = 0.05;

/// Each number once, ascending, with its distance to the next as a share of the largest with its margin.
fn levels(numbers: impl Iterator<Item = u64>) -> Vec<(u64, f64)> {
    let mut numbers: Vec<u64> = numbers.collect();
    numbers.sort_unstable();
    numbers.dedup();
    let end = numbers.last().map_or(1.0, |&n| (1.0 + MARGIN) * n as f64);
    let next = numbers.iter().skip(1).map(|&n| n as f64).chain([end]);
    let width = |(&n, next): (&u64, f64)| (n, (next - n as f64) / end);
    numbers.iter().zip(next).map(width).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(macs: u64, sram_bits: u64) -> Cost {
        Cost {
            macs,
            sram_bits,
            alu_lanes: 0,
            bram36: 0,
        }
    }

    fn geometries() -> Vec<Geometry> {
        ["1x16_i8w8a32_15_15_18_17", "1x8_i8w8a32_14_14_16_15"]
            .map(|name| name.parse().unwrap())
            .into()
    }

    #[test]
    fn a_point_adds_the_box_between_it_and_the_corner() {
        let all = geometries();
        let [large, small] = [0, 1].map(|i| Cost::of(&all[i]));
        let volume = Volume::new(&all, 10.0);
        let share = |ours: u64, largest: u64| 1.0 - ours as f64 / (1.05 * largest as f64);
        for own in [large, small] {
            let box_ = share(own.macs, large.macs) * share(own.sram_bits, large.sram_bits);
            assert!((volume.gain(4.0, &own) - 0.6 * box_).abs() < 1e-12);
            assert_eq!(volume.gain(10.0, &own), 0.0);
            assert_eq!(volume.gain(12.0, &own), 0.0);
        }
    }

    #[test]
    fn what_is_beaten_adds_nothing_and_what_two_points_add_does_not_depend_on_their_order() {
        let all = geometries();
        let [large, small] = [0, 1].map(|i| Cost::of(&all[i]));
        let added = |points: [(f64, Cost); 2]| {
            let mut volume = Volume::new(&all, 10.0);
            points.map(|(score, cost)| {
                let gain = volume.gain(score, &cost);
                volume.add(score, &cost);
                gain
            })
        };
        let [one, other] = [(2.0, large), (8.0, small)];
        let sum = |gains: [f64; 2]| gains[0] + gains[1];
        assert!((sum(added([one, other])) - sum(added([other, one]))).abs() < 1e-12);
        assert_eq!(added([(2.0, small), (3.0, large)])[1], 0.0);
        assert!(added([one, other])[1] > 0.0);
    }

    #[test]
    fn resources_between_two_levels_count_from_the_next() {
        let all = geometries();
        let largest = Cost::of(&all[0]);
        let volume = Volume::new(&all, 1.0);
        let between = cost(largest.macs - 1, largest.sram_bits - 1);
        assert_eq!(volume.gain(0.5, &between), volume.gain(0.5, &largest));
        assert_eq!(volume.gain(0.5, &cost(largest.macs + 1, 1)), 0.0);
    }
}
