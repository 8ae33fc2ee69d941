"""Memory of the device that the host reads or writes itself."""

import tvm
from tvm import tir

from vta.environment import get_env


def CPUAccessRewrite() -> tvm.transform.Pass:
    """Let each access of the host go through the pointer that `VTABufferCPUPtr` gives for the buffer.

    A tensor on the device is a handle, not an address. Operators of a network that stay on the host but have
    their tensors on the device need this.
    """

    def run(func: tir.PrimFunc, _mod, _ctx) -> tir.PrimFunc:
        pointers = _Pointers()
        kinds = ["tir.Allocate", "tir.BufferLoad", "tir.BufferStore"]
        body = tir.stmt_functor.ir_transform(func.body, None, pointers.visit, kinds)
        return func.with_body(pointers.bind_rest(body))

    return tir.transform.prim_func_pass(run, opt_level=0, name="tir.vta.CPUAccessRewrite")


class _Pointers:
    """The pointer that stands for each handle, and the buffers over them."""

    def __init__(self):
        self._handle = get_env().dev.command_handle
        self._pointers: dict[tir.Var, tir.Var] = {}
        self._buffers: dict[tir.Buffer, tir.Buffer] = {}

    def visit(self, node):
        if isinstance(node, tir.BufferLoad):
            return tir.BufferLoad(self._accessible(node.buffer), node.indices)
        if isinstance(node, tir.BufferStore):
            return tir.BufferStore(self._accessible(node.buffer), node.value, node.indices)
        if node.buffer_var not in self._pointers:
            return None
        # Its pointer is known inside only.
        pointer = self._pointers.pop(node.buffer_var)
        self._buffers = {
            old: new for old, new in self._buffers.items() if not old.data.same_as(node.buffer_var)
        }
        body = self._bind(pointer, node.buffer_var, node.body)
        return tir.Allocate(node.buffer_var, node.dtype, node.extents, node.condition, body, node.annotations)

    def bind_rest(self, body: tir.Stmt) -> tir.Stmt:
        """The body with the pointers of what is allocated outside."""
        for handle, pointer in self._pointers.items():
            body = self._bind(pointer, handle, body)
        return body

    def _bind(self, pointer: tir.Var, handle: tir.Var, body: tir.Stmt) -> tir.Stmt:
        address = tir.call_extern("handle", "VTABufferCPUPtr", self._handle, handle)
        return tir.LetStmt(pointer, address, body)

    def _accessible(self, buffer: tir.Buffer) -> tir.Buffer:
        if buffer not in self._buffers:
            handle = buffer.data
            if handle not in self._pointers:
                self._pointers[handle] = tir.Var(f"{handle.name}_ptr", handle.type_annotation)
            broadcasts = buffer.buffer_type == 2
            self._buffers[buffer] = tir.decl_buffer(
                buffer.shape,
                buffer.dtype,
                buffer.name,
                data=self._pointers[handle],
                strides=buffer.strides,
                elem_offset=buffer.elem_offset,
                scope=buffer.scope(),
                data_alignment=buffer.data_alignment,
                offset_factor=buffer.offset_factor,
                buffer_type="auto_broadcast" if broadcasts else "",
                axis_separators=buffer.axis_separators,
            )
        return self._buffers[buffer]
