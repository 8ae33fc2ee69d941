//! Another process or machine, over TVM's own RPC.

use std::time::Duration;

use crate::device::{Device, SessionIndex};
use crate::error::{Error, Result};
use crate::function::Function;
use crate::module::Module;
use crate::value::ArgValue;

/// One session on a TVM RPC server.
///
/// It ends when this and all that came from it (functions, modules, arrays) is dropped; until then the server serves
/// nobody else. TVM sends one request of a session at a time, whatever thread it comes from.
#[derive(Debug, Clone)]
pub struct Session {
    module: Module,
    index: SessionIndex,
}

impl Session {
    /// Connects to a server.
    ///
    /// `key` is what the server must answer to: empty for a server without a tracker, the match key that the tracker
    /// gave otherwise. `lifetime` is when the server kills the session, however busy it is, counted from now; without
    /// one a kernel that hangs keeps the device for ever.
    ///
    /// This blocks, with no time-out of its own, while the server serves another session, and for ever if the server's
    /// thread has died (its port stays open). Call it on a thread that may be left behind.
    ///
    /// # Errors
    ///
    /// Nobody listens there, or not a TVM RPC server, or one with another key.
    pub fn connect(host: &str, port: u16, key: &str, lifetime: Option<Duration>) -> Result<Self> {
        let key = match lifetime {
            Some(lifetime) => format!("{key} -timeout={}", lifetime.as_secs_f64()),
            None => key.to_owned(),
        };
        let log_requests = false;
        let module: Module = Function::get("rpc.Connect")?
            .call(&[host.into(), port.into(), (&key).into(), log_requests.into()])?
            .try_into()?;
        let index: i32 = Function::get("rpc.SessTableIndex")?
            .call(&[(&module).into()])?
            .try_into()?;
        Ok(Self {
            module,
            index: SessionIndex(index),
        })
    }

    /// The session's place in TVM's table, which is in the type of each of its devices.
    pub fn index(&self) -> SessionIndex {
        self.index
    }

    /// The session as the module that TVM knows it by.
    pub fn module(&self) -> &Module {
        &self.module
    }

    /// A global function of the server's process.
    ///
    /// # Errors
    ///
    /// It has none of that name, or the session is gone.
    pub fn get_function(&self, name: &str) -> Result<Function> {
        self.module.get_function(name, false)
    }

    /// Writes a file into the session's folder on the server.
    ///
    /// # Errors
    ///
    /// The server cannot write it, or the session is gone.
    pub fn upload(&self, name: &str, contents: &[u8]) -> Result<()> {
        self.get_function("tvm.rpc.server.upload")?
            .call(&[name.into(), contents.into()])
            .map(drop)
    }

    /// Reads a file from the session's folder on the server.
    ///
    /// # Errors
    ///
    /// There is no such file, or the session is gone.
    pub fn download(&self, name: &str) -> Result<Vec<u8>> {
        self.get_function("tvm.rpc.server.download")?
            .call(&[name.into()])?
            .try_into()
    }

    /// Removes a file from the session's folder on the server.
    ///
    /// # Errors
    ///
    /// The session is gone.
    pub fn remove(&self, name: &str) -> Result<()> {
        self.get_function("tvm.rpc.server.remove")?
            .call(&[name.into()])
            .map(drop)
    }

    /// Loads an uploaded library there: `.so` as it is, `.tar` of objects after the server has linked it.
    ///
    /// # Errors
    ///
    /// There is no such file, it does not load, or the session is gone.
    pub fn load_module(&self, name: &str) -> Result<Module> {
        Function::get("rpc.LoadRemoteModule")?
            .call(&[(&self.module).into(), name.into()])?
            .try_into()
    }

    /// A device of the server's machine, for arrays and time evaluators of this session.
    pub fn device(&self, device: Device) -> Device {
        device.remote(self.index)
    }
}

/// How a [`TimeEvaluator`] measures. The default runs the function once, warm-up aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeOptions {
    /// Runs of the function in one measurement, which is their mean.
    pub number: u32,
    /// Measurements.
    pub repeat: u32,
    /// The least time of one measurement in milliseconds; `number` grows until it takes as long. 0 leaves it alone.
    pub min_repeat_ms: u32,
    /// How often `number` may grow when a measurement takes no time at all, as a simulated one can.
    pub limit_zero_time_iterations: u32,
    /// The pause between measurements, in milliseconds.
    pub cooldown_interval_ms: u32,
    /// Measurements between two pauses.
    pub repeats_to_cooldown: u32,
    /// Bytes to write and read before each measurement so that caches are cold; 0 leaves them warm.
    pub cache_flush_bytes: u32,
    /// A global function of the measuring process that gets the arguments before each measurement, such as
    /// `cache_flush_cpu_non_first_arg`; empty for none.
    pub f_preproc: String,
}

impl Default for TimeOptions {
    fn default() -> Self {
        // The defaults of `Module.time_evaluator` in TVM's Python, with its number of 1.
        Self {
            number: 1,
            repeat: 1,
            min_repeat_ms: 0,
            limit_zero_time_iterations: 100,
            cooldown_interval_ms: 0,
            repeats_to_cooldown: 1,
            cache_flush_bytes: 0,
            f_preproc: String::new(),
        }
    }
}

/// A function of a module together with how it is timed; the clock is the device's own.
#[derive(Debug, Clone)]
pub struct TimeEvaluator(Function);

impl TimeEvaluator {
    /// Prepares to time the function `name` of a module on a device, remote or local alike.
    ///
    /// # Errors
    ///
    /// There is no such function or no `f_preproc`, the device is of another session, or the session is gone.
    pub fn new(module: &Module, name: &str, device: Device, options: &TimeOptions) -> Result<Self> {
        Function::get("runtime.RPCTimeEvaluator")?
            .call(&[
                module.into(),
                name.into(),
                device.device_type.0.into(),
                device.device_id.into(),
                options.number.into(),
                options.repeat.into(),
                options.min_repeat_ms.into(),
                options.limit_zero_time_iterations.into(),
                options.cooldown_interval_ms.into(),
                options.repeats_to_cooldown.into(),
                options.cache_flush_bytes.into(),
                (&options.f_preproc).into(),
            ])?
            .try_into()
            .map(Self)
    }

    /// Runs the function with these arguments and returns the seconds of each measurement.
    ///
    /// # Errors
    ///
    /// The function failed, or the session is gone.
    pub fn run(&self, args: &[ArgValue<'_>]) -> Result<Vec<f64>> {
        let bytes: Vec<u8> = self.0.call(args)?.try_into()?;
        let (seconds, rest) = bytes.as_chunks::<8>();
        if !rest.is_empty() {
            return Err(Error::Type {
                argument: None,
                expected: "64-bit floats",
                found: format!("{} bytes", bytes.len()),
            });
        }
        Ok(seconds
            .iter()
            .map(|second| f64::from_ne_bytes(*second))
            .collect())
    }
}
