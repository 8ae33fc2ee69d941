//! Which model: a network by name, or a file.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::Serialize;

/// A model as the user names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ModelSpec {
    /// Name of a built-in network.
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    /// A model file.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<PathBuf>,
    #[serde(flatten)]
    details: ModelDetails,
}

/// What is to be known of a model besides its name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ModelDetails {
    /// Parameters of a saved Relay module.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub params: Option<PathBuf>,
    /// Batch size.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<u32>,
    /// The file's format, by the name of TVM's importer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// Shapes of inputs that the file leaves open.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub shapes: BTreeMap<String, Vec<u64>>,
}

impl ModelSpec {
    /// A file if `text` looks like one (it exists, or has a folder or an extension in it), else a network by name.
    pub fn new(text: &str, details: ModelDetails) -> Self {
        let path = Path::new(text);
        let is_file = path.exists() || text.contains('/') || path.extension().is_some();
        // The frontend runs in another folder.
        let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        Self {
            model: (!is_file).then(|| text.to_owned()),
            path: is_file.then(|| absolute(path)),
            details: ModelDetails {
                params: details.params.as_deref().map(absolute),
                ..details
            },
        }
    }
}

/// The shape of an input, written `NAME=1,3,224,224`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputShape {
    /// The input's name.
    pub name: String,
    /// Length of each axis.
    pub shape: Vec<u64>,
}

impl fmt::Display for InputShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lengths: Vec<String> = self.shape.iter().map(ToString::to_string).collect();
        write!(f, "{}={}", self.name, lengths.join(","))
    }
}

impl FromStr for InputShape {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no NAME=SHAPE (for example data=1,3,224,224)");
        let (name, shape) = text.rsplit_once('=').ok_or_else(wrong)?;
        let shape = shape
            .split(',')
            .map(|length| length.trim().parse().ok().filter(|&length| length > 0))
            .collect::<Option<Vec<u64>>>()
            .filter(|_| !name.is_empty())
            .ok_or_else(wrong)?;
        Ok(Self {
            name: name.to_owned(),
            shape,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_is_a_name_and_lengths() {
        let shape: InputShape = "input:0=1,3,224,224".parse().unwrap();
        assert_eq!(shape.name, "input:0");
        assert_eq!(shape.shape, [1, 3, 224, 224]);
        assert_eq!(shape.to_string(), "input:0=1,3,224,224");
        for wrong in [
            "data",
            "data=",
            "=1,3",
            "data=1,x",
            "data=1,0,3",
            "data=1,-1",
        ] {
            assert!(wrong.parse::<InputShape>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_has_an_extension_or_a_folder_is_a_file() {
        let request =
            |text| serde_json::to_value(ModelSpec::new(text, ModelDetails::default())).unwrap();
        assert_eq!(
            request("resnet-18"),
            serde_json::json!({"model": "resnet-18"})
        );
        for file in ["model.onnx", "folder/model"] {
            let path = request(file)["path"].as_str().unwrap().to_owned();
            assert!(
                Path::new(&path).is_absolute() && path.ends_with(file),
                "{path}"
            );
        }
    }
}
