//! Which model: a network by name, or a file.

use std::path::{Path, PathBuf};

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
    /// Parameters of a saved Relay module.
    #[serde(skip_serializing_if = "Option::is_none")]
    params: Option<PathBuf>,
    /// Batch size.
    #[serde(skip_serializing_if = "Option::is_none")]
    batch: Option<u32>,
}

impl ModelSpec {
    /// A file if `text` looks like one (it exists, or has a folder or an extension in it), else a network by name.
    pub fn new(text: &str, params: Option<&Path>, batch: Option<u32>) -> Self {
        let path = Path::new(text);
        let is_file = path.exists() || text.contains('/') || path.extension().is_some();
        // The frontend runs in another folder.
        let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        Self {
            model: (!is_file).then(|| text.to_owned()),
            path: is_file.then(|| absolute(path)),
            params: params.map(absolute),
            batch,
        }
    }
}
