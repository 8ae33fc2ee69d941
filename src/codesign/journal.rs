//! What a search evaluated, line by line, so that the same command goes on where it was stopped.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::record::{AppendError, AppendFile};
use crate::vta::config::Geometry;

use super::ledger::{Core, Point, ProgramKey, tile_numbers};

/// The version of the format; readers pass over what they do not know.
pub const SCHEMA: u32 = 1;

/// One line of the journal of a search.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A search begins, or goes on.
    Search {
        /// Version of the format.
        schema: u32,
        /// Version of this program.
        version: String,
        /// The layers by their labels: evaluations name them by position.
        layers: Vec<String>,
        /// Whose cycles these are.
        evaluator: String,
        /// What the accelerator may cost.
        limits: String,
        /// What is to be small.
        objective: String,
        /// Who chooses geometries.
        chooser: String,
        /// Evaluations in all.
        budget: usize,
        /// Seed of all draws.
        seed: u64,
    },
    /// A schedule on a geometry was evaluated.
    Evaluation {
        /// Position of the layer.
        layer: usize,
        /// The geometry's name.
        geometry: String,
        /// Rows, columns, blocks of input and output channels, virtual threads along output channels and rows.
        tiles: [usize; 6],
        /// Cycles of one launch; null when it failed.
        cycles: Option<u64>,
    },
    /// Something that this version does not know.
    #[serde(other)]
    Unknown,
}

impl Event {
    /// An evaluation.
    pub fn evaluation(point: &Point, cycles: Option<u64>) -> Self {
        Self::Evaluation {
            layer: point.layer,
            geometry: point.geometry.name(),
            tiles: tile_numbers(&point.tiles),
            cycles,
        }
    }
}

/// What earlier runs evaluated: by program, which does not change.
#[derive(Debug, Default)]
pub struct Recalled {
    known: HashMap<ProgramKey, Option<u64>>,
}

impl Recalled {
    /// What came of a point.
    pub fn find(&self, point: &Point) -> Option<Option<u64>> {
        self.known.get(&point.program()).copied()
    }

    /// Takes in what came of a point.
    pub fn add(&mut self, point: &Point, cycles: Option<u64>) {
        self.known.insert(point.program(), cycles);
    }

    /// Programs that are known.
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }
}

/// Why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// It cannot be written.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// It cannot be read.
    #[error("cannot read {path}: {source}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Its evaluations are of other layers or by another evaluator.
    #[error(
        "{path} is of another search ({found}); this one is of {wanted}",
        path = path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it is of.
        found: String,
        /// What was to be continued.
        wanted: String,
    },
}

/// The open journal of a search.
#[derive(Debug)]
pub struct SearchJournal {
    file: AppendFile,
}

impl SearchJournal {
    /// Opens a journal, makes it when it isn't there, and reads what earlier runs of the same layers and evaluator left.
    ///
    /// # Errors
    /// When it cannot be read or written, or is of other layers or another evaluator.
    pub fn open(
        path: &Path,
        layers: &[String],
        evaluator: &str,
    ) -> Result<(Self, Recalled), JournalError> {
        let (file, _) = AppendFile::open(path)?;
        let text = std::fs::read_to_string(path).map_err(|source| JournalError::Read {
            path: path.to_owned(),
            source,
        })?;
        let mut recalled = Recalled::default();
        for line in text.lines() {
            // A line that is none is what a killed run left; it says nothing.
            match serde_json::from_str(line) {
                Ok(Event::Search {
                    layers: theirs,
                    evaluator: by,
                    ..
                }) => {
                    if theirs != layers || by != evaluator {
                        return Err(JournalError::Foreign {
                            path: path.to_owned(),
                            found: format!("{} layers by the {by}", theirs.len()),
                            wanted: format!("{} layers by the {evaluator}", layers.len()),
                        });
                    }
                }
                Ok(Event::Evaluation {
                    layer,
                    geometry,
                    tiles,
                    cycles,
                }) => {
                    if let Ok(geometry) = Geometry::from_name(&geometry) {
                        let key = (Core::of(&geometry), layer, tiles);
                        recalled.known.insert(key, cycles);
                    }
                }
                Ok(Event::Unknown) | Err(_) => {}
            }
        }
        Ok((Self { file }, recalled))
    }

    /// Appends an event.
    ///
    /// # Errors
    /// When the system refuses the write.
    pub fn write(&mut self, event: &Event) -> Result<(), AppendError> {
        // An event is plain data, which always has a JSON form.
        let line = serde_json::to_string(event).unwrap_or_default();
        self.file.append(&line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vta::packed_conv::PackedTiles;

    fn layers() -> Vec<String> {
        vec!["64 > 64".to_owned()]
    }

    fn begun() -> Event {
        Event::Search {
            schema: SCHEMA,
            version: "0".to_owned(),
            layers: layers(),
            evaluator: "draft model".to_owned(),
            limits: String::new(),
            objective: "latency".to_owned(),
            chooser: "agents".to_owned(),
            budget: 1,
            seed: 0,
        }
    }

    fn point(geometry: &str) -> Point {
        Point {
            layer: 0,
            geometry: geometry.parse().unwrap(),
            tiles: PackedTiles {
                h: 7,
                w: 14,
                ci: 1,
                co: 2,
                oc_threads: 2,
                h_threads: 1,
            },
        }
    }

    #[test]
    fn what_was_evaluated_is_recalled_for_every_geometry_with_the_same_program() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("search.jsonl");
        let (mut journal, recalled) = SearchJournal::open(&path, &layers(), "draft model").unwrap();
        assert!(recalled.is_empty());
        journal.write(&begun()).unwrap();
        let evaluated = Event::evaluation(&point("sim"), Some(1234));
        journal.write(&evaluated).unwrap();
        drop(journal);
        let (_, recalled) = SearchJournal::open(&path, &layers(), "draft model").unwrap();
        assert_eq!(recalled.find(&point("sim")), Some(Some(1234)));
        let smaller = point("1x16_i8w8a32_15_15_17_17");
        assert_eq!(recalled.find(&smaller), Some(Some(1234)));
        let other = point("1x8_i8w8a32_15_14_15_16");
        assert_eq!(recalled.find(&other), None);
    }

    #[test]
    fn a_journal_of_other_layers_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("search.jsonl");
        let (mut journal, _) = SearchJournal::open(&path, &layers(), "draft model").unwrap();
        journal.write(&begun()).unwrap();
        drop(journal);
        let others = vec!["3 > 64".to_owned()];
        let error = SearchJournal::open(&path, &others, "draft model").unwrap_err();
        assert!(matches!(error, JournalError::Foreign { .. }), "{error}");
    }
}
