//! Records of a log that were measured on other hardware.

use std::collections::BTreeSet;

use crate::record::TargetName;

/// The targets among `known` that name other hardware than `ours`, and whose records TVM would apply to it.
///
/// TVM looks records up by a target's keys: those of another GPU or CPU apply, and the fastest of all is taken, whatever
/// it was measured on.
pub(super) fn other_hardware<'a>(
    ours: &str,
    known: impl Iterator<Item = &'a str>,
) -> BTreeSet<&'a str> {
    let name = TargetName::parse(ours);
    let confused = |other: &&str| {
        let theirs = TargetName::parse(other);
        name.shares_records_with(&theirs) && !name.differences(&theirs).is_empty()
    };
    known.filter(confused).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_gpu_of_the_same_kind_is_told_and_another_kind_is_not() {
        let (a100, t4) = (
            "cuda -keys=cuda,gpu -arch=sm_80 -max_num_threads=1024",
            "cuda -keys=cuda,gpu -arch=sm_75 -max_num_threads=1024",
        );
        let known = [a100, t4, t4, "llvm -keys=cpu -mcpu=znver4"];
        let found = other_hardware(a100, known.into_iter());
        assert_eq!(found, BTreeSet::from([t4]));
    }
}
