//! A space of 1e9 whose mask refuses nearly all of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arco_tvm::seed::Seed;
use arco_tvm::strategy::StrategyKind;
use arco_tvm::task::{ConfigIndex, ValidityFilter};

use super::large::{build, search, space};

/// Lets one configuration in 4096 through, and counts what it is asked.
#[derive(Default)]
struct Narrow(AtomicUsize);

impl ValidityFilter for Narrow {
    fn valid(&self, indices: &[ConfigIndex]) -> Result<Vec<bool>, String> {
        self.0.fetch_add(indices.len(), Ordering::Relaxed);
        Ok(indices.iter().map(|index| index.0 % 4096 == 0).collect())
    }

    fn is_cheap(&self) -> bool {
        true
    }
}

#[test]
fn where_a_mask_refuses_nearly_all_a_plan_draws_no_more_than_it_may() {
    let narrow = Arc::new(Narrow::default());
    let space = Arc::new(space().with_filter(Arc::clone(&narrow) as _));
    let mut strategy = build(StrategyKind::Arco, &space, Seed(1));
    let mut asked_before = 0;
    let mut asked: Vec<usize> = Vec::new();
    for _ in 0..8 {
        let costs = search(&mut *strategy, &space, 1, 4);
        assert_eq!(costs.len(), 4);
        let total = narrow.0.load(Ordering::Relaxed);
        asked.push(total - asked_before);
        asked_before = total;
    }
    // Two plans are random and draw until they are full, the third draws a whole sample; those after it take most of theirs
    // from it.
    assert!(asked[2] > 1 << 21, "{asked:?}");
    for &asked in asked[..2].iter().chain(&asked[3..]) {
        assert!(asked < (1 << 17) + 4096, "{asked}");
    }
}
