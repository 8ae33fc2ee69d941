//! Walking a lowered kernel: the calls that compiled code would make.

use super::expression::Expression;
use super::{Lowered, Statement};
use crate::vta::runtime::global::closure_key;
use crate::vta::runtime::{
    BufferHandle, CallSite, KernelBuilder, LoadArgs, Runtime, RuntimeError, StoreArgs, UopCall,
};

/// The call sites of a kernel that is loaded: what it recorded at its first launch is known at its second.
#[derive(Clone, Debug, Default)]
pub struct Sites(Vec<CallSite>);

impl Sites {
    /// Forgets what was recorded.
    pub fn forget(&self, runtime: &mut Runtime) {
        runtime.forget_sites(&self.0);
    }
}

impl Lowered {
    /// Runs the kernel on buffers of the runtime, as a call of the compiled one would.
    ///
    /// # Errors
    /// [`RuntimeError`] of any of its calls; the wrong number of buffers; an index that cannot be computed.
    pub fn run(
        &self,
        runtime: &mut Runtime,
        sites: &mut Sites,
        buffers: &[BufferHandle],
    ) -> Result<(), RuntimeError> {
        if buffers.len() != self.arguments {
            return Err(RuntimeError::Protocol(
                "a kernel is called with another number of arguments than it has",
            ));
        }
        while sites.0.len() < self.sites {
            sites.0.push(runtime.new_site());
        }
        let mut walk = Walk {
            runtime,
            sites: &sites.0,
            buffers,
            variables: vec![0; self.variables],
            recorder: None,
        };
        walk.step(&self.body)
    }
}

/// A run in progress.
struct Walk<'a> {
    runtime: &'a mut Runtime,
    sites: &'a [CallSite],
    buffers: &'a [BufferHandle],
    variables: Vec<i64>,
    /// The kernel that is being recorded.
    recorder: Option<KernelBuilder>,
}

impl Walk<'_> {
    fn value(&self, expression: &Expression) -> Result<i64, RuntimeError> {
        expression
            .value(&self.variables)
            .ok_or(RuntimeError::Protocol(
                "an index of the kernel cannot be computed",
            ))
    }

    /// A number as C passes it to the runtime: the low 32 bits.
    fn word(&self, expression: &Expression) -> Result<u32, RuntimeError> {
        Ok(self.value(expression)? as u32)
    }

    fn words<const N: usize>(
        &self,
        expressions: &[Expression; N],
    ) -> Result<[u32; N], RuntimeError> {
        let mut words = [0; N];
        for (word, expression) in words.iter_mut().zip(expressions) {
            *word = self.word(expression)?;
        }
        Ok(words)
    }

    fn recorder(&mut self) -> Result<&mut KernelBuilder, RuntimeError> {
        self.recorder.as_mut().ok_or(RuntimeError::Protocol(
            "micro-operations and loops exist only while a kernel is recorded",
        ))
    }

    fn step(&mut self, statement: &Statement) -> Result<(), RuntimeError> {
        match statement {
            Statement::Sequence(steps) => steps.iter().try_for_each(|step| self.step(step)),
            Statement::For {
                variable,
                first,
                extent,
                body,
            } => {
                let (first, extent) = (self.value(first)?, self.value(extent)?);
                for value in first..first.saturating_add(extent) {
                    self.variables[*variable] = value;
                    self.step(body)?;
                }
                Ok(())
            }
            Statement::If {
                condition,
                then,
                otherwise,
            } => match (self.value(condition)?, otherwise) {
                (0, None) => Ok(()),
                (0, Some(otherwise)) => self.step(otherwise),
                _ => self.step(then),
            },
            Statement::Let {
                variable,
                value,
                body,
            } => {
                self.variables[*variable] = self.value(value)?;
                self.step(body)
            }
            Statement::Load(buffer, numbers) => self.load(*buffer, numbers),
            Statement::Store(buffer, numbers) => self.store(*buffer, numbers),
            Statement::DepPush(from, to) => {
                let (from, to) = (self.value(from)? as i32, self.value(to)? as i32);
                self.runtime.dep_push(from, to)
            }
            Statement::DepPop(from, to) => {
                let (from, to) = (self.value(from)? as i32, self.value(to)? as i32);
                self.runtime.dep_pop(from, to)
            }
            Statement::Synchronize => self.runtime.synchronize(),
            Statement::Push {
                site,
                mode,
                closure,
                body,
            } => {
                let closure = match closure {
                    Some(variable) => {
                        closure_key(&(self.variables[*variable] as i32).to_le_bytes())?
                    }
                    None => closure_key(&[])?,
                };
                let site = self.sites[*site];
                if !self.runtime.has_kernel(site, closure) {
                    self.recorder = Some(KernelBuilder::new());
                    let recorded = self.step(body);
                    let builder = self.recorder.take().unwrap_or_default();
                    recorded?;
                    self.runtime.add_kernel(site, closure, builder.finish()?);
                }
                self.runtime.push_kernel(site, closure, (*mode).into())
            }
            Statement::UopLoopBegin(numbers) => {
                let [extent, dst, src, wgt] = self.words(numbers)?;
                Ok(self.recorder()?.loop_begin(extent, dst, src, wgt)?)
            }
            Statement::UopLoopEnd => Ok(self.recorder()?.loop_end()?),
            Statement::UopPush(numbers) => {
                let [
                    mode,
                    reset_out,
                    dst_index,
                    src_index,
                    wgt_index,
                    opcode,
                    use_imm,
                    imm,
                ] = self.words(numbers)?;
                Ok(self.recorder()?.push(&UopCall {
                    mode,
                    reset_out,
                    dst_index,
                    src_index,
                    wgt_index,
                    opcode,
                    use_imm,
                    imm_val: imm.cast_signed(),
                })?)
            }
        }
    }

    fn load(&mut self, buffer: usize, numbers: &[Expression; 10]) -> Result<(), RuntimeError> {
        let [
            src_elem_offset,
            x_size,
            y_size,
            x_stride,
            x_before,
            y_before,
            x_after,
            y_after,
            dst_sram_index,
            mem_type,
        ] = self.words(numbers)?;
        self.runtime.load_buffer_2d(&LoadArgs {
            src: self.buffers[buffer],
            src_elem_offset,
            x_size,
            y_size,
            x_stride,
            pad: [x_before, y_before, x_after, y_after],
            dst_sram_index,
            mem_type,
        })
    }

    fn store(&mut self, buffer: usize, numbers: &[Expression; 6]) -> Result<(), RuntimeError> {
        let [
            src_sram_index,
            mem_type,
            dst_elem_offset,
            x_size,
            y_size,
            x_stride,
        ] = self.words(numbers)?;
        self.runtime.store_buffer_2d(&StoreArgs {
            src_sram_index,
            mem_type,
            dst: self.buffers[buffer],
            dst_elem_offset,
            x_size,
            y_size,
            x_stride,
        })
    }
}
