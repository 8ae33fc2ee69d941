//! Typed indices: which task, which knob, which configuration.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! index_type {
    ($(#[$doc:meta])* $name:ident($repr:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub $repr);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

index_type! {
    /// Position of a task in the list that the frontend extracted.
    TaskId(usize)
}
index_type! {
    /// Position of a knob in its config space, in definition order.
    KnobId(usize)
}
index_type! {
    /// AutoTVM's number of a configuration: mixed radix over the knobs, the first knob least significant.
    ConfigIndex(u64)
}

impl ConfigIndex {
    /// Its digits where the knobs have so many values, in definition order.
    pub(crate) fn digits(self, sizes: impl IntoIterator<Item = usize>) -> Vec<u32> {
        let mut rest = self.0;
        let digit = |size: usize| {
            let digit = rest % size as u64;
            rest /= size as u64;
            digit as u32
        };
        sizes.into_iter().map(digit).collect()
    }
}
