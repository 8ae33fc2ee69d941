//! AutoTVM logs: every task in them is a space, with the configurations that the log has.

use std::sync::Arc;

use crate::record::{DeclaredSpace, ErrorNo, Record};
use crate::task::{ConfigSpace, Entity, Knob, PackedMask, TaskContext, Workload};

use super::error::RecordedError;
use super::knobs::{knobs_that_occur, sorted};
use super::space::{Draft, Evaluation};

/// The spaces of a log, in the order in which their first records stand there.
///
/// # Errors
/// When the records of a task have different knobs, or other ones than are declared.
pub(super) fn drafts(
    name: &str,
    records: Vec<Record>,
    declared: &[DeclaredSpace],
) -> Result<Vec<Draft>, RecordedError> {
    let mut tasks: Vec<(Workload, Vec<Record>)> = Vec::new();
    for record in records {
        match tasks
            .iter_mut()
            .find(|(workload, _)| *workload == record.workload)
        {
            Some((_, records)) => records.push(record),
            None => tasks.push((record.workload.clone(), vec![record])),
        }
    }
    let several = tasks.len() > 1;
    tasks
        .into_iter()
        .map(|(workload, records)| {
            let name = match several {
                true => format!("{name} {}", workload.label()),
                false => name.to_owned(),
            };
            let declared = declared.iter().find(|space| space.workload == workload);
            draft(name, &workload, records, declared)
        })
        .collect()
}

fn draft(
    name: String,
    workload: &Workload,
    mut records: Vec<Record>,
    declared: Option<&DeclaredSpace>,
) -> Result<Draft, RecordedError> {
    records.sort_by_key(|record| record.config.index);
    let space_error = |source| RecordedError::Space {
        name: name.clone(),
        source,
    };
    let knobs = match declared {
        Some(space) => space.knobs.clone(),
        None => knobs(&name, &records)?,
    };
    let space = ConfigSpace::new(knobs.clone()).map_err(space_error)?;
    let evaluations = records
        .iter()
        .map(|record| {
            let index = space.find(&record.config).map_err(space_error)?;
            let digits = space.digits(index).map_err(space_error)?;
            Ok((digits, evaluation(record)))
        })
        .collect::<Result<Vec<_>, RecordedError>>()?;
    let mask = PackedMask::of_workload(workload, &knobs);
    Ok(Draft {
        name,
        knobs,
        context: TaskContext::of(workload),
        evaluations,
        mask: mask.map(|mask| Arc::new(mask) as _),
    })
}

/// The knobs that make the log's own numbers come out, if its configurations are a whole space; otherwise those with
/// the values that occur, in ascending order.
fn knobs(name: &str, records: &[Record]) -> Result<Vec<Knob>, RecordedError> {
    let names: Vec<String> = records[0]
        .config
        .entities
        .iter()
        .map(|(name, _)| name.clone())
        .collect();
    let rows: Vec<Vec<Entity>> = records
        .iter()
        .map(|record| {
            let entities = record.config.entities.iter();
            entities.map(|(_, entity)| entity.clone()).collect()
        })
        .collect();
    let knob_error = |source| RecordedError::Knob {
        name: name.to_owned(),
        source,
    };
    // In index order the values of a knob appear in the knob's own order, if none is missing.
    let knobs = knobs_that_occur(&names, rows.iter().map(Vec::as_slice)).map_err(knob_error)?;
    let whole = ConfigSpace::new(knobs.clone()).is_ok_and(|space| {
        records
            .iter()
            .all(|record| space.find(&record.config).ok() == Some(record.config.index))
    });
    if whole {
        Ok(knobs)
    } else {
        sorted(knobs).map_err(knob_error)
    }
}

fn evaluation(record: &Record) -> Evaluation {
    let result = &record.result;
    let failure = match result.error_no {
        ErrorNo::NoError => ErrorNo::Unknown,
        error => error,
    };
    Evaluation {
        cost: result.mean_cost().ok_or(failure),
        seconds: Some(result.all_cost),
    }
}
