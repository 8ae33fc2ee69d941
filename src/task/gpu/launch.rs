//! What a configuration launches: threads of a block, bytes of shared memory.

use crate::task::{Entity, Knob};

/// A size that a configuration chooses: that of one loop of a split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Factor {
    /// Position of the knob.
    pub knob: usize,
    /// Position of the loop, from outside.
    pub place: usize,
}

/// A number times sizes that a configuration chooses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Product {
    pub number: u64,
    pub factors: Vec<Factor>,
}

/// How long a tile is along one axis: from the first to the last element of nested loops.
///
/// A loop of n steps whose step is s elements wide reaches (n - 1) s further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    /// Steps, and elements of a step.
    pub loops: Vec<(Product, Product)>,
}

/// A tile in shared memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tile {
    /// Bytes of an element.
    pub bytes: u64,
    /// Along each axis.
    pub extents: Vec<Extent>,
}

/// One kernel of a template.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Launch {
    /// The choice of a knob for which this is the kernel; `None` if it is for all.
    pub when: Option<(usize, i64)>,
    /// Whether the template raises an error for it.
    pub fails: bool,
    /// Threads of a block along x, y and z; `None` where the template binds none.
    pub threads: [Option<Product>; 3],
    /// Loops that the template binds to the same threads: TVM refuses them where they differ in length.
    pub same: Vec<(Product, Product)>,
    /// What is in shared memory at once.
    pub shared: Vec<Tile>,
}

/// The sizes of all values of a space's knobs.
#[derive(Clone, Debug)]
pub(super) struct Sizes {
    /// By knob and value: sizes of a split's loops, or the number that another knob has.
    values: Vec<Vec<Vec<i64>>>,
}

impl Sizes {
    /// Of these knobs.
    pub(super) fn new(knobs: &[Knob]) -> Self {
        let of = |entity: &Entity| match entity {
            Entity::Split(sizes) => sizes.clone(),
            Entity::Other(value) => value
                .as_i64()
                .or_else(|| value.as_bool().map(i64::from))
                .into_iter()
                .collect(),
            Entity::Reorder(_) | Entity::Annotate(_) => Vec::new(),
        };
        let values = knobs
            .iter()
            .map(|knob| knob.entities().iter().map(of).collect())
            .collect();
        Self { values }
    }

    /// Number of values of each knob.
    pub(super) fn lengths(&self) -> impl Iterator<Item = usize> {
        self.values.iter().map(Vec::len)
    }

    /// Whether every value of the knob has a size of its own there: a loop from outside whose size the others imply has
    /// none.
    pub(super) fn has(&self, factor: Factor) -> bool {
        self.values.get(factor.knob).is_some_and(|values| {
            values
                .iter()
                .all(|sizes| sizes.get(factor.place).is_some_and(|&size| size > 0))
        })
    }

    fn choice(&self, digits: &[u32], knob: usize) -> Option<i64> {
        self.values[knob][digits[knob] as usize].first().copied()
    }

    fn product(&self, digits: &[u32], product: &Product) -> u64 {
        product.factors.iter().fold(product.number, |all, factor| {
            let sizes = &self.values[factor.knob][digits[factor.knob] as usize];
            all.saturating_mul(sizes[factor.place].cast_unsigned())
        })
    }

    fn extent(&self, digits: &[u32], extent: &Extent) -> u64 {
        extent.loops.iter().fold(1, |length, (steps, step)| {
            let further = self
                .product(digits, steps)
                .saturating_sub(1)
                .saturating_mul(self.product(digits, step));
            u64::saturating_add(length, further)
        })
    }
}

impl Launch {
    /// Whether the configuration with these digits launches this kernel.
    pub(super) fn applies(&self, sizes: &Sizes, digits: &[u32]) -> bool {
        self.when
            .is_none_or(|(knob, value)| sizes.choice(digits, knob) == Some(value))
    }

    /// Whether it can be scheduled: loops on the same threads have the same length.
    pub(super) fn is_consistent(&self, sizes: &Sizes, digits: &[u32]) -> bool {
        let equal =
            |(a, b): &(Product, Product)| sizes.product(digits, a) == sizes.product(digits, b);
        !self.fails && self.same.iter().all(equal)
    }

    /// Threads of a block along x, y and z.
    pub(super) fn threads(&self, sizes: &Sizes, digits: &[u32]) -> [u64; 3] {
        self.threads
            .each_ref()
            .map(|threads| threads.as_ref().map_or(1, |t| sizes.product(digits, t)))
    }

    /// Bytes of shared memory of a block.
    pub(super) fn shared_bytes(&self, sizes: &Sizes, digits: &[u32]) -> u64 {
        let bytes = |tile: &Tile| {
            tile.extents
                .iter()
                .map(|extent| sizes.extent(digits, extent))
                .fold(tile.bytes, u64::saturating_mul)
        };
        self.shared.iter().map(bytes).fold(0, u64::saturating_add)
    }
}
