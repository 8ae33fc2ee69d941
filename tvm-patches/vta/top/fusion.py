"""What is in a fused kernel: a core operator, and elementwise ones after it."""

from dataclasses import dataclass, field

from tvm import te, tir, topi

from vta.environment import get_env


@dataclass
class Fused:
    """The stages of a kernel.

    `core` is the result of the operator that uses the matrix unit (None in a purely elementwise kernel);
    `ewise` the elementwise operators between it and the output, the output excluded; `constants` those
    without axes; `inputs` the arguments that an elementwise operator reads, each with that operator. An
    argument that is widened first is loaded widened: its cast, one of `casts`, stands for it.
    """

    output: te.Tensor
    core: te.Tensor | None = None
    ewise: list[te.ComputeOp] = field(default_factory=list)
    constants: list[te.ComputeOp] = field(default_factory=list)
    inputs: list[tuple[te.ComputeOp, te.Tensor]] = field(default_factory=list)
    casts: list[te.ComputeOp] = field(default_factory=list)


def analyse(outs: list[te.Tensor], core_tag: str | None) -> Fused:
    """Take a kernel apart.

    # Errors
    ValueError if there is anything but one output, one operator with `core_tag`, and elementwise operators.
    """
    if len(outs) != 1:
        raise ValueError(f"a kernel for the accelerator has one output, this one {len(outs)}")
    found = Fused(outs[0])
    seen = set()

    def visit(op: te.tensor.Operation) -> None:
        if op in seen:
            return
        seen.add(op)
        if not topi.tag.is_broadcast(op.tag):
            if core_tag is None or op.tag != core_tag or found.core is not None:
                raise ValueError(f"{op.name} ({op.tag or 'no tag'}) cannot be in a kernel around {core_tag}")
            found.core = op.output(0)
            return
        if not op.same_as(found.output.op):
            (found.ewise if op.axis else found.constants).append(op)
        for tensor in op.input_tensors:
            widened = _widens(tensor.op) and not op.same_as(found.output.op)
            if widened and tensor.op not in seen:
                seen.add(tensor.op)
                found.casts.append(tensor.op)
            if widened or isinstance(tensor.op, te.PlaceholderOp):
                found.inputs.append((op, tensor))
            else:
                visit(tensor.op)

    visit(found.output.op)
    if core_tag is not None and found.core is None:
        raise ValueError(f"no {core_tag} in this kernel")
    return found


def _widens(op: te.tensor.Operation) -> bool:
    """Whether an operator casts an argument to the accumulators' type."""
    if not isinstance(op, te.ComputeOp) or not op.axis or not isinstance(op.body[0], tir.Cast):
        return False
    inputs = op.input_tensors
    env = get_env()
    return (
        len(inputs) == 1
        and isinstance(inputs[0].op, te.PlaceholderOp)
        and isinstance(op.body[0].value, tir.ProducerLoad)
        and (inputs[0].dtype, op.output(0).dtype) == (env.inp_dtype, env.acc_dtype)
    )


def require_requantised(fused: Fused) -> None:
    """Check that a kernel ends in a cast of the accumulators to the output's type.

    The accelerator stores nothing else; a bare convolution, with 32-bit results, cannot be a kernel.
    """
    env, output = get_env(), fused.output
    inputs = output.op.input_tensors
    if output.dtype != env.out_dtype or not inputs or inputs[0].dtype != env.acc_dtype:
        raise ValueError(
            f"the kernel must end in a cast from {env.acc_dtype} to {env.out_dtype}, as a quantised network "
            f"has it (shift, clip, cast); it ends in {output.op.name}, {output.dtype}"
        )
