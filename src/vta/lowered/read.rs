//! Reading what `tvm.ir.save_json` writes of a lowered kernel.
//!
//! The file is a list of nodes, which name each other by their positions; 0 is no node.

use std::collections::HashMap;

use serde::Deserialize;

use super::expression::{Expression, Operator};
use super::{FORMAT, Lowered, Mode, Statement};

/// Why something is no kernel that can be run without machine code.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// No JSON, or not of the form that is expected.
    #[error("no lowered kernel: {0}")]
    Json(#[from] serde_json::Error),
    /// Written by another version.
    #[error("a lowered kernel of version {found}; {known} is known")]
    Version {
        /// The file's.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// It names what it does not have.
    #[error("a lowered kernel names {what} {index} of {count}")]
    Index {
        /// Argument, variable or call site.
        what: &'static str,
        /// Which.
        index: usize,
        /// How many there are.
        count: usize,
    },
    /// TVM's file lacks something.
    #[error("TVM's JSON has no {0}")]
    Missing(String),
    /// The kernel does something that only compiled code can do.
    #[error("{0} has to be compiled")]
    Compiled(String),
}

#[derive(Deserialize)]
struct File {
    root: usize,
    nodes: Vec<Node>,
}

#[derive(Default, Deserialize)]
struct Node {
    #[serde(default)]
    type_key: String,
    #[serde(default)]
    attrs: HashMap<String, String>,
    #[serde(default)]
    data: Vec<usize>,
    /// Keys of a map from strings.
    #[serde(default)]
    keys: Vec<String>,
    #[serde(default)]
    repr_str: String,
}

impl Lowered {
    /// The kernel of a module with one function.
    ///
    /// # Errors
    /// [`ReadError`] if it is no such module, or its function does more than calling the runtime.
    pub fn of_tvm_json(text: &str) -> Result<Self, ReadError> {
        let file: File = serde_json::from_str(text)?;
        let functions: Vec<usize> = (0..file.nodes.len())
            .filter(|&node| file.nodes[node].type_key == "tir.PrimFunc")
            .collect();
        let [function] = functions[..] else {
            let missing = format!("single function (root {})", file.root);
            return Err(ReadError::Missing(missing));
        };
        let mut reader = Reader {
            nodes: &file.nodes,
            buffers: HashMap::new(),
            variables: HashMap::new(),
            sites: 0,
        };
        let arguments = reader.arguments(function)?;
        let body = reader.statement(reader.child(function, "body")?)?;
        let lowered = Self {
            format: FORMAT,
            arguments,
            variables: reader.variables.len(),
            sites: reader.sites,
            body,
        };
        lowered.check()?;
        Ok(lowered)
    }

    /// Checks that what is named is there.
    pub(super) fn check(&self) -> Result<(), ReadError> {
        let inside = |what, index, count| {
            if index < count {
                return Ok(());
            }
            Err(ReadError::Index { what, index, count })
        };
        self.body.visit(&mut |statement| {
            match statement {
                Statement::Load(buffer, _) | Statement::Store(buffer, _) => {
                    inside("argument", *buffer, self.arguments)?;
                }
                Statement::For { variable, .. } | Statement::Let { variable, .. } => {
                    inside("variable", *variable, self.variables)?;
                }
                Statement::Push { site, closure, .. } => {
                    inside("call site", *site, self.sites)?;
                    if let Some(variable) = closure {
                        inside("variable", *variable, self.variables)?;
                    }
                }
                _ => {}
            }
            let mut wrong = None;
            statement.expressions(&mut |expression| {
                expression.variables(&mut |variable| {
                    if variable >= self.variables {
                        wrong = Some(variable);
                    }
                });
            });
            wrong.map_or(Ok(()), |variable| {
                inside("variable", variable, self.variables)
            })
        })
    }
}

impl Statement {
    /// Calls `f` with this statement and all inside it.
    fn visit<E>(&self, f: &mut impl FnMut(&Self) -> Result<(), E>) -> Result<(), E> {
        f(self)?;
        match self {
            Self::Sequence(steps) => steps.iter().try_for_each(|step| step.visit(f)),
            Self::For { body, .. } | Self::Let { body, .. } | Self::Push { body, .. } => {
                body.visit(f)
            }
            Self::If {
                then, otherwise, ..
            } => {
                then.visit(f)?;
                otherwise.as_ref().map_or(Ok(()), |other| other.visit(f))
            }
            _ => Ok(()),
        }
    }

    /// Calls `f` with the expressions of this statement itself.
    fn expressions(&self, f: &mut impl FnMut(&Expression)) {
        match self {
            Self::For { first, extent, .. } => [first, extent].into_iter().for_each(f),
            Self::If { condition, .. } => f(condition),
            Self::Let { value, .. } => f(value),
            Self::Load(_, numbers) => numbers.iter().for_each(f),
            Self::Store(_, numbers) => numbers.iter().for_each(f),
            Self::DepPush(from, to) | Self::DepPop(from, to) => [from, to].into_iter().for_each(f),
            Self::UopLoopBegin(numbers) => numbers.iter().for_each(f),
            Self::UopPush(numbers) => numbers.iter().for_each(f),
            Self::Sequence(_) | Self::Synchronize | Self::Push { .. } | Self::UopLoopEnd => {}
        }
    }
}

struct Reader<'a> {
    nodes: &'a [Node],
    /// Data variables of the arguments, by their nodes.
    buffers: HashMap<usize, usize>,
    /// Integer variables by their nodes, numbered as they are met.
    variables: HashMap<usize, usize>,
    sites: usize,
}

impl Reader<'_> {
    fn node(&self, node: usize) -> Result<&Node, ReadError> {
        self.nodes
            .get(node)
            .ok_or_else(|| ReadError::Missing(format!("node {node}")))
    }

    fn attribute(&self, node: usize, name: &str) -> Result<&str, ReadError> {
        let found = self.node(node)?;
        let value = found.attrs.get(name).map(String::as_str);
        value.ok_or_else(|| ReadError::Missing(format!("{name} of a {}", found.type_key)))
    }

    fn number(&self, node: usize, name: &str) -> Result<i64, ReadError> {
        let text = self.attribute(node, name)?;
        text.parse()
            .map_err(|_| ReadError::Missing(format!("number in {name} = {text}")))
    }

    fn child(&self, node: usize, name: &str) -> Result<usize, ReadError> {
        let text = self.attribute(node, name)?;
        text.parse()
            .map_err(|_| ReadError::Missing(format!("node in {name} = {text}")))
    }

    fn children(&self, node: usize, name: &str) -> Result<&[usize], ReadError> {
        Ok(&self.node(self.child(node, name)?)?.data)
    }

    /// A string, or the name of an operator.
    fn text(&self, node: usize) -> Result<&str, ReadError> {
        Ok(&self.node(node)?.repr_str)
    }

    /// Numbers the data variables of the arguments.
    fn arguments(&mut self, function: usize) -> Result<usize, ReadError> {
        let params = self.children(function, "params")?.to_vec();
        let map = self.node(self.child(function, "buffer_map")?)?;
        if !map.keys.is_empty() || map.data.len() != 2 * params.len() {
            return Err(ReadError::Compiled(
                "a kernel with arguments that are no tensors".to_owned(),
            ));
        }
        for pair in map.data.clone().chunks_exact(2) {
            let position = params.iter().position(|param| *param == pair[0]);
            let position =
                position.ok_or_else(|| ReadError::Missing("parameter of a buffer".to_owned()))?;
            self.buffers.insert(self.child(pair[1], "data")?, position);
        }
        Ok(params.len())
    }

    fn variable(&mut self, node: usize) -> usize {
        let next = self.variables.len();
        *self.variables.entry(node).or_insert(next)
    }

    fn statement(&mut self, node: usize) -> Result<Statement, ReadError> {
        let kind = self.node(node)?.type_key.as_str();
        match kind {
            "tir.SeqStmt" => {
                let steps = self.children(node, "seq")?.to_vec();
                let steps = steps.into_iter().map(|step| self.statement(step));
                Ok(Statement::Sequence(steps.collect::<Result<_, _>>()?))
            }
            "tir.For" => self.a_loop(node),
            "tir.IfThenElse" => {
                let condition = self.expression(self.child(node, "condition")?)?;
                let then = self.statement(self.child(node, "then_case")?)?;
                let otherwise = match self.child(node, "else_case")? {
                    0 => None,
                    other => Some(Box::new(self.statement(other)?)),
                };
                Ok(Statement::If {
                    condition,
                    then: Box::new(then),
                    otherwise,
                })
            }
            "tir.LetStmt" => {
                let value = self.expression(self.child(node, "value")?)?;
                let variable = self.variable(self.child(node, "var")?);
                let body = self.statement(self.child(node, "body")?)?;
                Ok(Statement::Let {
                    variable,
                    value,
                    body: Box::new(body),
                })
            }
            "tir.AttrStmt" => self.scope(node),
            "tir.Evaluate" => self.evaluate(self.child(node, "value")?),
            other => Err(ReadError::Compiled(other.to_owned())),
        }
    }

    fn a_loop(&mut self, node: usize) -> Result<Statement, ReadError> {
        // Serial or unrolled (tir::ForKind); the others mean threads or vectors.
        let kind = self.number(node, "kind")?;
        if !matches!(kind, 0 | 3) {
            return Err(ReadError::Compiled(format!("a loop of kind {kind}")));
        }
        let first = self.expression(self.child(node, "min")?)?;
        let extent = self.expression(self.child(node, "extent")?)?;
        let variable = self.variable(self.child(node, "loop_var")?);
        let body = self.statement(self.child(node, "body")?)?;
        Ok(Statement::For {
            variable,
            first,
            extent,
            body: Box::new(body),
        })
    }

    fn scope(&mut self, node: usize) -> Result<Statement, ReadError> {
        let body = self.child(node, "body")?;
        match self.text(self.child(node, "attr_key")?)? {
            // Which module executes it: the tokens say the same.
            "coproc_scope" => self.statement(body),
            "coproc_uop_scope" => {
                let value = self.child(node, "value")?;
                let mode = match self.text(self.child(value, "value")?)? {
                    "VTAPushGEMMOp" => Mode::Gemm,
                    "VTAPushALUOp" => Mode::Alu,
                    other => return Err(ReadError::Compiled(other.to_owned())),
                };
                let body = self.statement(body)?;
                let site = self.sites;
                self.sites += 1;
                Ok(Statement::Push {
                    site,
                    mode,
                    closure: closure(&body)?,
                    body: Box::new(body),
                })
            }
            other => Err(ReadError::Compiled(format!("the attribute {other}"))),
        }
    }

    fn evaluate(&mut self, node: usize) -> Result<Statement, ReadError> {
        let nothing = Statement::Sequence(Vec::new());
        match self.node(node)?.type_key.as_str() {
            "IntImm" => return Ok(nothing),
            "tir.Call" => {}
            other => return Err(ReadError::Compiled(other.to_owned())),
        }
        let args = self.children(node, "args")?.to_vec();
        let operator = self.text(self.child(node, "op")?)?.to_owned();
        match operator.as_str() {
            "tir.vta.coproc_sync" => Ok(Statement::Synchronize),
            "tir.vta.coproc_dep_push" => {
                let [from, to] = self.numbers(&args)?;
                Ok(Statement::DepPush(from, to))
            }
            "tir.vta.coproc_dep_pop" => {
                let [from, to] = self.numbers(&args)?;
                Ok(Statement::DepPop(from, to))
            }
            "tir.vta.uop_push" => Ok(Statement::UopPush(self.numbers(&args)?)),
            "tir.call_extern" => self.call(&args),
            // Errors end the walk where they happen: there is nothing to look for afterwards.
            "tir.tvm_call_cpacked" if self.named(&args)? == "arco_vta_check" => Ok(nothing),
            other => Err(ReadError::Compiled(other.to_owned())),
        }
    }

    /// The function that a call's first argument names.
    fn named(&self, args: &[usize]) -> Result<&str, ReadError> {
        let missing = || ReadError::Missing("function of a call".to_owned());
        let name = *args.first().ok_or_else(missing)?;
        self.text(self.child(name, "value")?)
    }

    fn call(&mut self, args: &[usize]) -> Result<Statement, ReadError> {
        let name = self.named(args)?.to_owned();
        let short = || ReadError::Missing(format!("argument of {name}"));
        match name.as_str() {
            // Name, command handle, data, numbers.
            "VTALoadBuffer2D" => {
                let buffer = self.buffer(*args.get(2).ok_or_else(short)?)?;
                Ok(Statement::Load(buffer, self.numbers(&args[3..])?))
            }
            // Name, command handle, two numbers, data, numbers.
            "VTAStoreBuffer2D" => {
                let buffer = self.buffer(*args.get(4).ok_or_else(short)?)?;
                let numbers: Vec<usize> = [&args[2..4], &args[5..]].concat();
                Ok(Statement::Store(buffer, self.numbers(&numbers)?))
            }
            "VTAUopLoopBegin" => Ok(Statement::UopLoopBegin(self.numbers(&args[1..])?)),
            "VTAUopLoopEnd" => Ok(Statement::UopLoopEnd),
            _ => Err(ReadError::Compiled(format!("a call of {name}"))),
        }
    }

    fn buffer(&self, node: usize) -> Result<usize, ReadError> {
        let found = self.buffers.get(&node).copied();
        found.ok_or_else(|| ReadError::Compiled("a buffer that is no argument".to_owned()))
    }

    fn numbers<const N: usize>(&mut self, nodes: &[usize]) -> Result<[Expression; N], ReadError> {
        let found: Vec<Expression> = nodes
            .iter()
            .map(|node| self.expression(*node))
            .collect::<Result<_, _>>()?;
        found.try_into().map_err(|found: Vec<Expression>| {
            ReadError::Missing(format!(
                "call with {N} numbers, but one with {}",
                found.len()
            ))
        })
    }

    fn expression(&mut self, node: usize) -> Result<Expression, ReadError> {
        let kind = self.node(node)?.type_key.clone();
        if let Some(operator) = Operator::of_type_key(&kind) {
            let a = self.expression(self.child(node, "a")?)?;
            let b = self.expression(self.child(node, "b")?)?;
            return Ok(Expression::Binary(operator, Box::new((a, b))));
        }
        match kind.as_str() {
            "IntImm" => Ok(Expression::Constant(self.number(node, "value")?)),
            "tir.Var" | "tir.SizeVar" => match self.variables.get(&node) {
                Some(variable) => Ok(Expression::Variable(*variable)),
                None => Err(ReadError::Compiled("a variable from outside".to_owned())),
            },
            "tir.Not" => {
                let operand = self.expression(self.child(node, "a")?)?;
                Ok(Expression::Not(Box::new(operand)))
            }
            "tir.Select" => {
                let parts = ["condition", "true_value", "false_value"];
                let mut found = Vec::new();
                for part in parts {
                    found.push(self.expression(self.child(node, part)?)?);
                }
                select(found)
            }
            "tir.Cast" => {
                let dtype = self.attribute(node, "dtype")?;
                if dtype != "int32" && dtype != "int64" {
                    return Err(ReadError::Compiled(format!("a cast to {dtype}")));
                }
                self.expression(self.child(node, "value")?)
            }
            "tir.Call" => {
                let args = self.children(node, "args")?.to_vec();
                let operator = self.text(self.child(node, "op")?)?.to_owned();
                let mut found = Vec::new();
                for arg in args {
                    found.push(self.expression(arg)?);
                }
                let shift = match operator.as_str() {
                    "tir.if_then_else" => return select(found),
                    "tir.shift_left" => Operator::ShiftLeft,
                    "tir.shift_right" => Operator::ShiftRight,
                    "tir.likely" if found.len() == 1 => return Ok(found.remove(0)),
                    other => return Err(ReadError::Compiled(other.to_owned())),
                };
                let [a, b] = <[Expression; 2]>::try_from(found)
                    .map_err(|_| ReadError::Missing("operand of a shift".to_owned()))?;
                Ok(Expression::Binary(shift, Box::new((a, b))))
            }
            other => Err(ReadError::Compiled(other.to_owned())),
        }
    }
}

fn select(parts: Vec<Expression>) -> Result<Expression, ReadError> {
    let [condition, yes, no] = <[Expression; 3]>::try_from(parts)
        .map_err(|_| ReadError::Missing("part of a selection".to_owned()))?;
    Ok(Expression::Select(Box::new((condition, yes, no))))
}

/// The variable from outside that the micro-operations depend on, which selects what is recorded.
fn closure(body: &Statement) -> Result<Option<usize>, ReadError> {
    let (mut own, mut used) = (Vec::new(), Vec::new());
    body.visit(&mut |statement| {
        match statement {
            Statement::For { variable, .. } | Statement::Let { variable, .. } => {
                own.push(*variable);
            }
            Statement::Push { .. } => {
                return Err(ReadError::Compiled("a kernel inside a kernel".to_owned()));
            }
            _ => {}
        }
        statement.expressions(&mut |expression| {
            expression.variables(&mut |variable| used.push(variable));
        });
        Ok(())
    })?;
    used.retain(|variable| !own.contains(variable));
    used.sort_unstable();
    used.dedup();
    match used[..] {
        [] => Ok(None),
        [variable] => Ok(Some(variable)),
        _ => Err(ReadError::Compiled(
            "a kernel of micro-operations that depends on several variables".to_owned(),
        )),
    }
}
