//! The trace event format that Perfetto (<https://ui.perfetto.dev>) and `chrome://tracing` open.
//!
//! Its unit of time is the microsecond; one microsecond here is one cycle. Tracks: load, compute and store with their
//! instructions and waits, the read and the write channel of memory, and the four token counters. An arrow leads from
//! the instruction that gave a token to the one that took it.

use super::record::Recorder;
use crate::vta::isa::{Module, Token};
use crate::vta::timing::WaitReason;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::io::{self, Write};

const PROCESS: u32 = 1;
const READS: u32 = 4;
const WRITES: u32 = 5;

/// One entry of the format.
#[derive(Serialize)]
struct Event<'a> {
    name: &'a str,
    cat: &'a str,
    ph: &'a str,
    pid: u32,
    tid: u32,
    ts: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    dur: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<usize>,
    /// Where an arrow ends: at the slice around it.
    #[serde(skip_serializing_if = "Option::is_none")]
    bp: Option<&'a str>,
    #[serde(skip_serializing_if = "Value::is_null")]
    args: Value,
}

impl<'a> Event<'a> {
    fn slice(tid: u32, cat: &'a str, name: &'a str, start: u64, end: u64) -> Self {
        Event {
            name,
            cat,
            ph: "X",
            pid: PROCESS,
            tid,
            ts: start,
            dur: Some(end - start),
            id: None,
            bp: None,
            args: Value::Null,
        }
    }
}

/// Writes the trace.
///
/// # Errors
/// What `out` returns.
pub fn write(recorder: &Recorder, out: &mut impl Write) -> io::Result<()> {
    let mut events = Events { out, first: true };
    events.out.write_all(b"{\"traceEvents\":[")?;
    names(&mut events)?;
    instructions(recorder, &mut events)?;
    waits(recorder, &mut events)?;
    memory(recorder, &mut events)?;
    tokens(recorder, &mut events)?;
    let other = json!({
        "unit": "1 us is 1 cycle",
        "events_left_out": recorder.dropped(),
    });
    write!(
        events.out,
        "\n],\"displayTimeUnit\":\"ms\",\"otherData\":{other}}}"
    )
}

struct Events<'a, W> {
    out: &'a mut W,
    first: bool,
}

impl<W: Write> Events<'_, W> {
    fn put(&mut self, event: &impl Serialize) -> io::Result<()> {
        self.out
            .write_all(if self.first { b"\n" } else { b",\n" })?;
        self.first = false;
        serde_json::to_writer(&mut *self.out, event)?;
        Ok(())
    }
}

fn track(module: Module) -> u32 {
    module.index() as u32 + 1
}

fn names<W: Write>(events: &mut Events<'_, W>) -> io::Result<()> {
    let name = |kind: &str, tid: u32, name: &str| {
        json!({
            "name": kind, "ph": "M", "pid": PROCESS, "tid": tid, "args": { "name": name },
        })
    };
    events.put(&name("process_name", 0, "VTA"))?;
    for module in Module::ALL {
        events.put(&name("thread_name", track(module), module.name()))?;
    }
    events.put(&name("thread_name", READS, "memory reads"))?;
    events.put(&name("thread_name", WRITES, "memory writes"))
}

fn instructions<W: Write>(recorder: &Recorder, events: &mut Events<'_, W>) -> io::Result<()> {
    for span in recorder.spans() {
        let name = span.class().name();
        let mut event = Event::slice(track(span.module), "insn", name, span.start, span.end);
        event.args = json!({
            "insn": span.insn.to_string(), "index": span.index, "launch": span.launch,
        });
        events.put(&event)?;
    }
    Ok(())
}

fn waits<W: Write>(recorder: &Recorder, events: &mut Events<'_, W>) -> io::Result<()> {
    for wait in recorder.waits() {
        let name = match wait.reason {
            WaitReason::Fetch => "waits for fetch".to_owned(),
            WaitReason::Token(token) => format!("waits for {token}"),
        };
        let mut event = Event::slice(track(wait.module), "wait", &name, wait.start, wait.end);
        event.args = json!({ "index": wait.index });
        events.put(&event)?;
    }
    Ok(())
}

fn memory<W: Write>(recorder: &Recorder, events: &mut Events<'_, W>) -> io::Result<()> {
    for read in recorder.reads() {
        let name = read.client.name();
        let mut event = Event::slice(READS, "read", name, read.start, read.last);
        event.args = json!({
            "addr": format!("{:#x}", read.burst.addr), "beats": read.burst.beats, "tag": read.tag,
            "entered": read.entered, "accepted": read.accepted,
        });
        events.put(&event)?;
    }
    for write in recorder.writes() {
        let mut event = Event::slice(WRITES, "write", "store", write.start, write.end);
        event.args = json!({
            "addr": format!("{:#x}", write.burst.addr), "beats": write.burst.beats,
        });
        events.put(&event)?;
    }
    Ok(())
}

/// Counters, and arrows from who gave a token to who took it: the queues are first in, first out.
fn tokens<W: Write>(recorder: &Recorder, events: &mut Events<'_, W>) -> io::Result<()> {
    let mut counts = [0u8; 4];
    let mut given: [VecDeque<(usize, u64)>; 4] = Default::default();
    for (number, change) in recorder.tokens().iter().enumerate() {
        let (at, name) = (change.token.index(), change.token.name());
        events.put(&json!({
            "name": name, "ph": "C", "pid": PROCESS, "ts": change.cycle, "args": { "tokens": change.count },
        }))?;
        let (giver, taker) = ends(change.token);
        if change.count > counts[at] {
            given[at].push_back((number, change.cycle));
        } else if change.count < counts[at]
            && let Some((id, cycle)) = given[at].pop_front()
        {
            // The giver's slice ends in the cycle of the token, so the arrow leaves one cycle before.
            let leaves = Event {
                ph: "s",
                id: Some(id),
                dur: None,
                ..Event::slice(track(giver), "token", name, cycle.saturating_sub(1), cycle)
            };
            let arrives = Event {
                ph: "f",
                id: Some(id),
                dur: None,
                bp: Some("e"),
                ..Event::slice(track(taker), "token", name, change.cycle, change.cycle)
            };
            events.put(&leaves)?;
            events.put(&arrives)?;
        }
        counts[at] = change.count;
    }
    Ok(())
}

/// The modules that give and take a token.
fn ends(token: Token) -> (Module, Module) {
    match token {
        Token::LoadToCompute => (Module::Load, Module::Compute),
        Token::ComputeToLoad => (Module::Compute, Module::Load),
        Token::ComputeToStore => (Module::Compute, Module::Store),
        Token::StoreToCompute => (Module::Store, Module::Compute),
    }
}
