//! The model as others use it.

use super::account::Account;
use super::engine::{Engine, Fetch};
use super::error::{FetchStall, Stuck, TimingDeadlock, TimingError};
use super::module::{ModuleState, Wake};
use super::observer::Observer;
use super::port::ReadPort;
use super::report::TimingReport;
use super::rules::{InsnClass, QUEUE_DEPTH, Rules};
use super::tokens::Tokens;
use crate::vta::config::{Geometry, VtaConfig};
use crate::vta::func::Head;
use crate::vta::isa::{Insn, InsnIndex, Module};
use crate::vta::program::Program;

/// How to time a program.
#[derive(Clone, Debug)]
pub struct TimingOptions {
    /// Longest burst in beats; the geometry's if not given. The RTL's shells have 16 (de10) and 256 (pynq).
    pub max_burst: Option<u32>,
    /// Clock in MHz; the geometry's if not given.
    pub clock_mhz: Option<u32>,
    /// How often the whole program is run; tokens persist.
    pub launches: u32,
    /// Byte address of the first instruction of a launch. Matters to an observer only.
    pub insn_base: u64,
}

impl Default for TimingOptions {
    fn default() -> Self {
        TimingOptions {
            max_burst: None,
            clock_mhz: None,
            launches: 1,
            insn_base: 0,
        }
    }
}

impl TimingOptions {
    /// The geometry with the burst and the clock of these options.
    ///
    /// # Errors
    /// [`TimingError::Config`] if they are not possible.
    pub fn geometry(&self, geometry: &Geometry) -> Result<Geometry, TimingError> {
        let mut config: VtaConfig = geometry.to_config();
        config.max_burst = self.max_burst.or(config.max_burst);
        config.clock_mhz = self.clock_mhz.or(config.clock_mhz);
        Ok(Geometry::new(&config)?)
    }
}

/// Times a program.
///
/// # Errors
/// [`TimingError`] for options that the geometry does not allow, bits that are no instruction, instructions that cannot
/// be executed, and deadlocks.
pub fn simulate(program: &Program, options: &TimingOptions) -> Result<TimingReport, TimingError> {
    simulate_with(program, options, &mut ())
}

/// The same with someone watching.
///
/// # Errors
/// As [`simulate`].
pub fn simulate_with<O: Observer>(
    program: &Program,
    options: &TimingOptions,
    observer: &mut O,
) -> Result<TimingReport, TimingError> {
    let geometry = options.geometry(&program.geometry)?;
    let mut model = TimingModel::new(&geometry);
    model.insn_base = options.insn_base;
    let decoded = (0..program.launches.len())
        .map(|launch| {
            program
                .decode(launch)
                .map_err(|source| TimingError::Decode {
                    launch: launch as u32,
                    source,
                })
        })
        .collect::<Result<Vec<Vec<Insn>>, TimingError>>()?;
    let mut cycles = Vec::new();
    for _ in 0..options.launches {
        for insns in &decoded {
            cycles.push(model.launch_with(insns, &mut *observer)?.cycles);
        }
    }
    Ok(model.report(&program.name, cycles))
}

/// The time of one launch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaunchTiming {
    /// Cycles from the launch to the end of FINISH.
    pub cycles: u64,
    /// Micro-operations of GEMM without reset.
    pub gemm_operations: u64,
    /// Instructions executed.
    pub executed: u64,
}

/// A VTA without data: what persists between launches, and the account of all of them.
pub struct TimingModel {
    geometry: Geometry,
    rules: Rules,
    modules: [ModuleState; 3],
    tokens: Tokens,
    account: Account,
    launches: u32,
    /// Byte address of the first instruction of a launch. Matters to an observer only.
    pub insn_base: u64,
}

impl TimingModel {
    /// A model without tokens.
    pub fn new(geometry: &Geometry) -> Self {
        TimingModel {
            geometry: *geometry,
            rules: Rules::new(geometry),
            modules: [ModuleState::new(), ModuleState::new(), ModuleState::new()],
            tokens: Tokens::default(),
            account: Account::default(),
            launches: 0,
            insn_base: 0,
        }
    }

    /// The machine's shape.
    pub fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    /// Tokens in the queues, in the order of [`crate::vta::isa::Token::ALL`].
    pub fn tokens(&self) -> [u8; 4] {
        self.tokens.counts()
    }

    /// Sets the tokens in the queues.
    pub fn set_tokens(&mut self, tokens: [u8; 4]) {
        self.tokens.set(tokens);
    }

    /// Times a launch, given its decoded instructions. Nothing is allocated.
    ///
    /// Cycles count to the end of FINISH; load and store then still do what their tokens allow, uncounted, as in the
    /// functional model.
    ///
    /// # Errors
    /// [`TimingError`] for instructions that cannot be executed and for deadlocks; the tokens are undefined then.
    pub fn launch(&mut self, insns: &[Insn]) -> Result<LaunchTiming, TimingError> {
        self.launch_with(insns, ())
    }

    /// The same with someone watching.
    ///
    /// # Errors
    /// As [`TimingModel::launch`].
    pub fn launch_with<O: Observer>(
        &mut self,
        insns: &[Insn],
        mut observer: O,
    ) -> Result<LaunchTiming, TimingError> {
        let launch = self.launches;
        self.launches += 1;
        if u32::try_from(insns.len()).is_err() {
            let insns = insns.len();
            return Err(TimingError::TooMany { launch, insns });
        }
        observer.launched(launch);
        self.tokens.restart();
        self.modules.iter_mut().for_each(ModuleState::restart);
        let mut engine = Engine {
            rules: &self.rules,
            insns,
            insn_base: self.insn_base,
            launch,
            modules: &mut self.modules,
            wakes: [Wake::IDLE; 3],
            tokens: &mut self.tokens,
            port: ReadPort::new(),
            fetch: Fetch::default(),
            account: Account::default(),
            finished: None,
            observer,
        };
        engine.run()?;
        let (account, fetch) = (engine.account, engine.fetch);
        let Some(cycles) = engine.finished else {
            let deadlock = Box::new(self.deadlock(insns, fetch));
            return Err(TimingError::Deadlock { launch, deadlock });
        };
        self.account.add(&account);
        Ok(LaunchTiming {
            cycles,
            gemm_operations: account.work[InsnClass::Gemm.index()],
            executed: account.insns(),
        })
    }

    /// The account of all launches so far, given the cycles of each.
    pub fn report(&self, program: &str, launches: Vec<u64>) -> TimingReport {
        TimingReport::new(
            program,
            &self.geometry,
            launches,
            &self.account,
            self.tokens(),
        )
    }

    fn deadlock(&self, insns: &[Insn], fetch: Fetch) -> TimingDeadlock {
        let head = |index: u32| {
            let insn = &insns[index as usize];
            let missing = insn.pops().into_iter().flatten();
            Head {
                index: InsnIndex(index),
                text: insn.to_string(),
                waits_for: missing
                    .filter(|&token| self.tokens.count(token) == 0)
                    .collect(),
            }
        };
        let modules = Module::ALL.map(|module| {
            if let Some(entry) = self.modules[module.index()].head() {
                return Stuck::Waiting(head(entry.index));
            }
            (fetch.next..insns.len() as u32)
                .find(|&index| insns[index as usize].module() == module)
                .map_or(Stuck::Drained, |index| Stuck::NotFetched(head(index)))
        });
        TimingDeadlock {
            modules,
            tokens: self.tokens.counts(),
            fetch: fetch.stalled.map(|module| FetchStall {
                index: InsnIndex(fetch.next),
                module,
                depth: QUEUE_DEPTH,
            }),
        }
    }
}
