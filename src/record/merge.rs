//! Several logs in one, every configuration once.

use std::collections::HashMap;

use super::lines::{LineContent, LogLine, LogLines};

/// What merging leaves of some logs.
#[derive(Debug, Default)]
pub struct Merged<'a> {
    /// The lines that stay, in the order of the logs and of their lines: records, and comments.
    pub lines: Vec<&'a LogLine>,
    /// Records among them.
    pub records: usize,
    /// Records left out, because another one of the same configuration of the same workload is at least as good.
    pub duplicates: usize,
    /// Lines left out because they are no records.
    pub skipped: usize,
}

impl<'a> Merged<'a> {
    /// Merges logs.
    ///
    /// Of a configuration that was measured more than once the fastest record stays, the first of equals: so TVM
    /// picks the same winners from the merged log as from all of them.
    pub fn of(logs: &'a [LogLines]) -> Self {
        let mut merged = Self::default();
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut kept: Vec<Option<&LogLine>> = Vec::new();
        for line in logs.iter().flat_map(|log| &log.lines) {
            let record = match &line.content {
                LineContent::Record(record) => record,
                LineContent::Comment => {
                    kept.push(Some(line));
                    continue;
                }
                LineContent::Skipped(_) => {
                    merged.skipped += 1;
                    continue;
                }
            };
            match places.get_mut(&record.key()) {
                None => {
                    places.insert(record.key(), kept.len());
                    merged.records += 1;
                }
                Some(place) => {
                    merged.duplicates += 1;
                    let earlier = kept[*place].and_then(LogLine::record);
                    if earlier.is_some_and(|earlier| !record.beats(earlier)) {
                        continue;
                    }
                    kept[*place] = None;
                    *place = kept.len();
                }
            }
            kept.push(Some(line));
        }
        merged.lines = kept.into_iter().flatten().collect();
        merged
    }
}

/// The bytes of these lines, each with its line break.
pub fn bytes_of<'a>(lines: impl IntoIterator<Item = &'a LogLine>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for line in lines {
        bytes.extend_from_slice(&line.bytes);
        bytes.push(b'\n');
    }
    bytes
}
