//! A tile in memory as the two-dimensional pattern of a transfer, as the lowering pass `InjectDMAIntrin` folds it.

/// A dimension of a tile: `extent` steps of `stride` elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dim {
    pub(super) extent: usize,
    pub(super) stride: usize,
}

/// `y_size` rows of `x_size` elements, `x_stride` apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    pub(super) x_size: usize,
    pub(super) y_size: usize,
    pub(super) x_stride: usize,
}

/// The pattern of a tile with these dimensions, outermost first; `None` where it needs more than two.
pub(super) fn folded<const N: usize>(dims: [Dim; N]) -> Option<Pattern> {
    // A loop of one iteration is none.
    let mut dims = dims
        .into_iter()
        .rev()
        .filter(|dim| dim.extent > 1)
        .peekable();
    // Innermost first: dimensions that continue each other are one.
    let mut runs = [Dim {
        extent: 1,
        stride: 1,
    }; 2];
    // Elements that do not follow each other are rows of one.
    let mut count = usize::from(dims.peek().is_some_and(|dim| dim.stride != 1));
    while let Some(mut run) = dims.next() {
        while let Some(outer) = dims.next_if(|outer| outer.stride == run.extent * run.stride) {
            run.extent *= outer.extent;
        }
        *runs.get_mut(count)? = run;
        count += 1;
    }
    let [x, y] = runs;
    Some(Pattern {
        x_size: x.extent,
        y_size: y.extent,
        x_stride: if count == 2 { y.stride } else { x.extent },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern<const N: usize>(dims: [(usize, usize); N]) -> Option<[usize; 3]> {
        let dims = dims.map(|(extent, stride)| Dim { extent, stride });
        folded(dims).map(|p| [p.x_size, p.y_size, p.x_stride])
    }

    #[test]
    fn whole_rows_of_a_block_are_one_row() {
        assert_eq!(pattern([(4, 784), (7, 28), (28, 1)]), Some([196, 4, 784]));
        assert_eq!(
            pattern([(4, 784), (28, 28), (28, 1)]),
            Some([3136, 1, 3136])
        );
    }

    #[test]
    fn a_part_of_each_row_makes_rows() {
        assert_eq!(pattern([(1, 784), (7, 28), (14, 1)]), Some([14, 7, 28]));
        assert_eq!(pattern([(2, 784), (7, 28), (14, 1)]), None);
    }

    #[test]
    fn columns_are_rows_of_one_element() {
        assert_eq!(pattern([(1, 784), (7, 28), (1, 1)]), Some([1, 7, 28]));
        assert_eq!(pattern([(8, 784), (28, 28), (1, 1)]), Some([1, 224, 28]));
        assert_eq!(pattern([(8, 784), (7, 28), (1, 1)]), None);
    }

    #[test]
    fn one_element_is_one_row() {
        assert_eq!(pattern([(1, 784), (1, 28), (1, 1)]), Some([1, 1, 1]));
    }
}
