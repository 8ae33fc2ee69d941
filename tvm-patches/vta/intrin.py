"""The tensor intrinsic of the matrix unit."""

import tvm
from tvm import te


def element_buffers(env) -> tuple[tvm.tir.Buffer, tvm.tir.Buffer, tvm.tir.Buffer]:
    """Buffers of one input, weight and accumulator element, each aligned to whole elements in its scope."""
    return tuple(_buffer(*_element(env, name)) for name in ("inp", "wgt", "acc"))


def gemm(env, mock: bool = False) -> te.tensor_intrin.TensorIntrin:
    """Multiply-accumulate of one element: `acc[b, o] += sum_i inp[b, i] * wgt[o, i]`.

    With `mock` its three forms (set, reset, update) do nothing.
    """
    inp, wgt = (te.placeholder(*_element(env, name)[:2], name=name) for name in ("inp", "wgt"))
    channel = te.reduce_axis((0, env.BLOCK_IN), name="channel")
    acc = te.compute(
        (env.BATCH, env.BLOCK_OUT),
        lambda b, o: te.sum(
            inp[b, channel].astype(env.acc_dtype) * wgt[o, channel].astype(env.acc_dtype), axis=channel
        ),
        name="acc",
    )

    def forms(ins, outs):
        (dinp, dwgt), (dacc,) = ins, outs
        if mock:
            return (tvm.tir.Evaluate(0),) * 3
        update = gemm_push(env, dacc, dinp, dwgt)
        return update, gemm_reset(env, dacc), update

    buffers = dict(zip((inp, wgt, acc), element_buffers(env), strict=True))
    return te.decl_tensor_intrin(acc.op, forms, name="GEMM", binds=buffers)


def gemm_push(env, acc, inp, wgt) -> tvm.tir.Stmt:
    """One micro-operation that multiplies and accumulates."""
    return _push(
        env, 0, acc.access_ptr("rw", "int32"), inp.access_ptr("r", "int32"), wgt.access_ptr("r", "int32")
    )


def gemm_reset(env, acc) -> tvm.tir.Stmt:
    """One micro-operation that sets an accumulator element to zero."""
    return _push(env, 1, acc.access_ptr("rw", "int32"), 0, 0)


def _push(env, reset: int, dst, src, wgt) -> tvm.tir.Stmt:
    builder, dev = tvm.tir.ir_builder.create(), env.dev
    builder.scope_attr(dev.vta_axis, "coproc_scope", dev.get_task_qid(dev.QID_COMPUTE))
    builder.scope_attr(dev.vta_axis, "coproc_uop_scope", dev.vta_push_uop)
    # mode GEMM, reset, indices, then what only the vector unit reads: opcode, use_imm, imm
    builder.emit(tvm.tir.call_intrin("int32", "tir.vta.uop_push", 0, reset, dst, src, wgt, 0, 0, 0))
    return builder.get()


def _element(env, name: str) -> tuple[tuple[int, int], str, str]:
    """Shape, type and scope of an element."""
    return {
        "inp": ((env.BATCH, env.BLOCK_IN), env.inp_dtype, env.inp_scope),
        "wgt": ((env.BLOCK_OUT, env.BLOCK_IN), env.wgt_dtype, env.wgt_scope),
        "acc": ((env.BATCH, env.BLOCK_OUT), env.acc_dtype, env.acc_scope),
    }[name]


def _buffer(shape: tuple[int, int], dtype: str, scope: str) -> tvm.tir.Buffer:
    lanes = shape[0] * shape[1]
    return tvm.tir.decl_buffer(
        shape, dtype, scope.split(".")[1], scope=scope, offset_factor=lanes, data_alignment=lanes
    )
