//! `arco.tuner.create | next_batch | update | has_next | free`: searches by number, JSON in and out.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tvm_rt::{ArgValue, Args, Error, Function, Result, RetValue, register_global};

use crate::task::{ConfigIndex, ValidityFilter};

use super::search::{Search, SearchError};

/// The searches of this process. Each has a lock of its own: a filter calls back into Python while it is held.
#[derive(Default)]
struct Searches {
    last: i64,
    open: BTreeMap<i64, Arc<Mutex<Search>>>,
}

static SEARCHES: Mutex<Searches> = Mutex::new(Searches {
    last: 0,
    open: BTreeMap::new(),
});

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Puts the functions into this process's TVM.
///
/// # Errors
/// When TVM refuses them.
pub(super) fn register() -> Result<()> {
    register_global("arco.tuner.create", &Function::from_fn(create)?, true)?;
    register_global("arco.tuner.has_next", &Function::from_fn(has_next)?, true)?;
    register_global(
        "arco.tuner.next_batch",
        &Function::from_fn(next_batch)?,
        true,
    )?;
    register_global("arco.tuner.update", &Function::from_fn(update)?, true)?;
    register_global("arco.tuner.free", &Function::from_fn(free)?, true)
}

fn value_error(error: SearchError) -> Error {
    Error::raise("ValueError", error.to_string())
}

/// `create(description, options, filter or None) -> handle`
fn create(args: &Args<'_>) -> Result<RetValue> {
    let description: String = args.get(0)?;
    let options: String = args.get(1)?;
    let filter: Option<Arc<dyn ValidityFilter>> = match (**args).get(2) {
        None | Some(ArgValue::Null) => None,
        Some(_) => Some(Arc::new(PythonFilter(args.get(2)?))),
    };
    let search = Search::new(&description, &options, filter).map_err(value_error)?;
    let mut searches = lock(&SEARCHES);
    searches.last += 1;
    let handle = searches.last;
    searches.open.insert(handle, Arc::new(Mutex::new(search)));
    Ok(handle.into())
}

fn search(args: &Args<'_>) -> Result<Arc<Mutex<Search>>> {
    let handle: i64 = args.get(0)?;
    lock(&SEARCHES).open.get(&handle).cloned().ok_or_else(|| {
        Error::raise(
            "ValueError",
            format!("there is no search with the handle {handle}"),
        )
    })
}

/// `has_next(handle) -> bool`
fn has_next(args: &Args<'_>) -> Result<RetValue> {
    let search = search(args)?;
    let has_next = lock(&search).has_next().map_err(value_error)?;
    Ok(has_next.into())
}

/// `next_batch(handle, n) -> "[index, ...]"`
fn next_batch(args: &Args<'_>) -> Result<RetValue> {
    let search = search(args)?;
    let n: i64 = args.get(1)?;
    let n = usize::try_from(n)
        .map_err(|_| Error::raise("ValueError", format!("a batch of {n} configurations")))?;
    let batch = lock(&search).next_batch(n).map_err(value_error)?;
    Ok(serde_json::to_string(&batch).map_err(Error::other)?.into())
}

/// `update(handle, '[{"index", "cost" or null, "error_no"}, ...]')`
fn update(args: &Args<'_>) -> Result<RetValue> {
    let search = search(args)?;
    let measurements: String = args.get(1)?;
    lock(&search).update(&measurements).map_err(value_error)?;
    Ok(RetValue::Null)
}

/// `free(handle)`; a handle that is not there is no error.
fn free(args: &Args<'_>) -> Result<RetValue> {
    let handle: i64 = args.get(0)?;
    lock(&SEARCHES).open.remove(&handle);
    Ok(RetValue::Null)
}

/// A template's condition, asked through a Python callback: a JSON list of indices in, of booleans out.
struct PythonFilter(Function);

impl ValidityFilter for PythonFilter {
    fn valid(&self, indices: &[ConfigIndex]) -> std::result::Result<Vec<bool>, String> {
        let ask = || -> Result<Vec<bool>> {
            let indices = serde_json::to_string(indices).map_err(Error::other)?;
            let answer: String = self
                .0
                .call(&[ArgValue::from(indices.as_str())])?
                .try_into()?;
            serde_json::from_str(&answer).map_err(Error::other)
        };
        ask().map_err(|error| error.to_string())
    }
}
