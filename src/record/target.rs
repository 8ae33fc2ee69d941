//! What a target's text says about the records that apply to it.

use std::collections::BTreeMap;

/// TVM's `Target`, as far as the look-up of records goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetName {
    /// Its kind: llvm, cuda, opencl.
    pub kind: String,
    /// Its keys: a record applies to every target that shares one with the record's.
    pub keys: Vec<String>,
    /// Its `-model`; TVM looks there first.
    pub model: Option<String>,
    /// Every `-name=value`.
    pub attributes: BTreeMap<String, String>,
}

/// Keys of a kind whose text names none (TVM 0.19, `src/target/target_kind.cc`).
const DEFAULT_KEYS: [(&str, &[&str]); 19] = [
    ("aocl", &["aocl", "hls"]),
    ("aocl_sw_emu", &["aocl", "hls"]),
    ("c", &["cpu"]),
    ("ccompiler", &[]),
    ("composite", &[]),
    ("cuda", &["cuda", "gpu"]),
    ("ext_dev", &[]),
    ("hexagon", &["hexagon", "cpu"]),
    ("hybrid", &[]),
    ("llvm", &["cpu"]),
    ("metal", &["metal", "gpu"]),
    ("nvptx", &["cuda", "gpu"]),
    ("opencl", &["opencl", "gpu"]),
    ("rocm", &["rocm", "gpu"]),
    ("sdaccel", &["sdaccel", "hls"]),
    ("stackvm", &["cpu"]),
    ("test", &[]),
    ("vulkan", &["vulkan", "gpu"]),
    ("webgpu", &["webgpu", "gpu"]),
];

/// What makes code for one device wrong or slow on another.
const IDENTITY: [&str; 6] = ["mcpu", "mattr", "arch", "device", "model", "mtriple"];

impl TargetName {
    /// Reads a target's text: `cuda -keys=cuda,gpu -arch=sm_80`.
    pub fn parse(text: &str) -> Self {
        let mut words = text.split_whitespace();
        let kind = words.next().unwrap_or_default().to_owned();
        let attributes: BTreeMap<String, String> = words
            .filter_map(|word| {
                let (name, value) = word.strip_prefix('-')?.split_once('=')?;
                Some((name.to_owned(), value.to_owned()))
            })
            .collect();
        let mut keys: Vec<String> = Vec::new();
        let mut add = |key: &str| {
            if !key.is_empty() && !keys.iter().any(|known| known == key) {
                keys.push(key.to_owned());
            }
        };
        attributes
            .get("device")
            .into_iter()
            .for_each(|key| add(key));
        match attributes.get("keys") {
            Some(named) => named.split(',').for_each(add),
            None => DEFAULT_KEYS
                .iter()
                .filter(|(name, _)| *name == kind)
                .flat_map(|(_, keys)| *keys)
                .for_each(|key| add(key)),
        }
        let model = attributes.get("model").filter(|model| *model != "unknown");
        Self {
            model: model.cloned(),
            kind,
            keys,
            attributes,
        }
    }

    /// Whether TVM 0.19 has this kind of target; its reader stops at a record with another.
    pub fn is_known(&self) -> bool {
        DEFAULT_KEYS.iter().any(|(name, _)| *name == self.kind)
    }

    /// Whether TVM applies records of one to the other.
    pub fn shares_records_with(&self, other: &Self) -> bool {
        self.keys.iter().any(|key| other.keys.contains(key))
    }

    /// The attributes that name the hardware and that are not the same: name, ours, theirs.
    pub fn differences<'a>(&'a self, other: &'a Self) -> Vec<(&'static str, &'a str, &'a str)> {
        let value = |target: &'a Self, name: &str| {
            target.attributes.get(name).map_or("unset", String::as_str)
        };
        IDENTITY
            .into_iter()
            // A plain `llvm` names the host's triple, one with -mcpu doesn't: the same machine either way.
            .filter(|&name| {
                name != "mtriple"
                    || (self.attributes.contains_key(name) && other.attributes.contains_key(name))
            })
            .map(|name| (name, value(self, name), value(other, name)))
            .filter(|(_, ours, theirs)| ours != theirs)
            .collect()
    }

    /// Whether it is a VTA, whose records overflow the buffers of another model's.
    pub fn is_vta(&self) -> bool {
        self.keys.iter().any(|key| key == "vta")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_model_are_those_that_tvm_reads() {
        // Right: what `tvm.target.Target(left).keys` is.
        for (text, keys, model) in [
            ("llvm", "cpu", None),
            ("llvm -keys=cpu -mcpu=znver4", "cpu", None),
            ("cuda -keys=cuda,gpu -arch=sm_80", "cuda,gpu", None),
            ("opencl -device=mali", "mali,opencl,gpu", None),
            (
                "opencl -keys=mali,opencl,gpu -device=mali",
                "mali,opencl,gpu",
                None,
            ),
            (
                "llvm -keys=arm_cpu,cpu -device=arm_cpu -model=bcm2837",
                "arm_cpu,cpu",
                Some("bcm2837"),
            ),
            ("llvm -model=unknown", "cpu", None),
        ] {
            let target = TargetName::parse(text);
            assert_eq!(target.keys.join(","), keys, "{text}");
            assert_eq!(target.model.as_deref(), model, "{text}");
        }
    }

    #[test]
    fn a_plain_llvm_and_one_with_a_cpu_differ_in_the_cpu_alone() {
        let plain = TargetName::parse("llvm -keys=cpu -mtriple=x86_64-unknown-linux-gnu");
        let zen = TargetName::parse("llvm -keys=cpu -mcpu=znver4");
        assert_eq!(plain.differences(&zen), [("mcpu", "unset", "znver4")]);
        assert!(plain.shares_records_with(&zen));
        assert!(!plain.shares_records_with(&TargetName::parse("cuda")));
    }
}
