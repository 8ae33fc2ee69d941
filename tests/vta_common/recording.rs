//! A device that remembers what it was given.

use arco_tvm::vta::config::Geometry;
use arco_tvm::vta::func::{Counters, Dram, Machine};
use arco_tvm::vta::isa::Insn;
use arco_tvm::vta::runtime::{Device, Runtime, RuntimeError};
use std::sync::{Arc, Mutex};

/// The functional model, with a copy of every stream that it launches.
struct Recorder {
    machine: Machine,
    launches: Arc<Mutex<Vec<Vec<Insn>>>>,
}

impl Device for Recorder {
    fn geometry(&self) -> &Geometry {
        self.machine.geometry()
    }
    fn launch(&mut self, insns: &[Insn], dram: &mut dyn Dram) -> Result<(), RuntimeError> {
        self.launches.lock().unwrap().push(insns.to_vec());
        self.machine.launch(insns, dram)?;
        Ok(())
    }
    fn counters(&self) -> Counters {
        self.machine.counters()
    }
    fn clear_counters(&mut self) {
        self.machine.clear_counters();
    }
    fn set_skip_execution(&mut self, skip: bool) {
        self.machine.set_skip_execution(skip);
    }
}

pub type Launches = Arc<Mutex<Vec<Vec<Insn>>>>;

/// A runtime on the functional model, and the streams it launches.
pub fn recording(geometry: Geometry) -> (Runtime, Launches) {
    let launches = Launches::default();
    let device = Recorder {
        machine: Machine::new(geometry),
        launches: Arc::clone(&launches),
    };
    (Runtime::on(Box::new(device)), launches)
}
