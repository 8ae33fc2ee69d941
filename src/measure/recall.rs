//! What is known already, where time is computed: the same program on the same device takes the same time.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::build::Built;
use super::candidate::Candidate;

/// Costs by candidate and by program. It forgets nothing: a cost is a few bytes.
///
/// Only successes are kept. What failed may have run out of time.
#[derive(Debug, Default)]
pub(super) struct Recall {
    by_candidate: HashMap<u128, Vec<f64>>,
    by_program: HashMap<u128, Vec<f64>>,
}

impl Recall {
    /// The costs of a candidate that was measured before. TVM's fallback is known by its program alone.
    pub(super) fn of_candidate(&self, candidate: &Candidate) -> Option<Vec<f64>> {
        self.by_candidate.get(&candidate_key(candidate)?).cloned()
    }

    /// The costs of a program that was measured before, perhaps as another candidate's.
    pub(super) fn of_program(&self, built: &Built) -> Option<Vec<f64>> {
        self.by_program.get(&program_key(built)).cloned()
    }

    /// Keeps what was measured.
    pub(super) fn keep(&mut self, candidate: &Candidate, built: &Built, costs: &[f64]) {
        if let Some(key) = candidate_key(candidate) {
            self.by_candidate.insert(key, costs.to_vec());
        }
        self.by_program.insert(program_key(built), costs.to_vec());
    }
}

fn candidate_key(candidate: &Candidate) -> Option<u128> {
    let (config, workload) = (candidate.config.as_ref()?, &candidate.task.workload);
    let config = config.to_json().to_string();
    let args = workload.args.to_string();
    Some(key((&workload.target, &workload.name, args, config)))
}

/// Shapes belong to it: buffers of other sizes lie elsewhere.
fn program_key(built: &Built) -> u128 {
    let shapes: Vec<_> = built
        .arguments
        .iter()
        .map(|a| (&a.shape, &a.dtype))
        .collect();
    key((&built.format, &built.function, shapes, &built.library))
}

/// 128 bits, so that two programs do not meet in one key by chance.
fn key(what: impl Hash) -> u128 {
    let half = |salt: u64| {
        let mut hasher = DefaultHasher::new();
        salt.hash(&mut hasher);
        what.hash(&mut hasher);
        u128::from(hasher.finish())
    };
    half(0) << 64 | half(1)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::build::ArgumentSpec;
    use super::*;

    fn built(library: &[u8], rows: i64) -> Built {
        Built {
            library: library.to_vec(),
            format: "vta".to_owned(),
            function: "f".to_owned(),
            arguments: vec![ArgumentSpec {
                shape: vec![rows, 16],
                dtype: "int8".to_owned(),
            }],
            stages: BTreeMap::new(),
            fallback: None,
        }
    }

    #[test]
    fn a_program_is_known_by_its_bytes_and_by_what_it_takes() {
        let mut recall = Recall::default();
        let known = built(b"program", 4);
        recall.by_program.insert(program_key(&known), vec![2.5e-3]);
        assert_eq!(recall.of_program(&known), Some(vec![2.5e-3]));
        assert_eq!(recall.of_program(&built(b"program", 5)), None);
        assert_eq!(recall.of_program(&built(b"Program", 4)), None);
    }
}
