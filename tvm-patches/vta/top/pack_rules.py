"""What becomes of each operator when its data is packed."""

from collections.abc import Callable
from dataclasses import dataclass

import tvm
from tvm import relay

from vta.top import pack_ops

#: Operators that work on elements and take their operands as they are.
_ELEMENTWISE = frozenset(
    [
        "abs",
        "annotation.cast_hint",
        "annotation.stop_fusion",
        "cast",
        "ceil",
        "clip",
        "copy",
        "exp",
        "fixed_point_multiply",
        "floor",
        "left_shift",
        "negative",
        "nn.relu",
        "right_shift",
        "round",
        "sigmoid",
        "sign",
        "sqrt",
        "tanh",
    ]
)
#: Operators on elements of two operands.
_BINARY = frozenset("add subtract multiply divide maximum minimum right_shift left_shift".split())  # noqa: SIM905
_POOLS = frozenset("nn.max_pool2d nn.avg_pool2d".split())  # noqa: SIM905


@dataclass(frozen=True)
class Value:
    """A rewritten expression with the type that it had, and whether it is packed now."""

    expr: relay.Expr
    kind: tvm.ir.Type
    packed: bool = False

    @property
    def is_image(self) -> bool:
        """Whether it is a tensor NCHW."""
        return isinstance(self.kind, relay.TensorType) and len(self.kind.shape) == 4


class Packer:
    """Rewrites the bindings of a function in order.

    A rewritten value is remembered in both layouts, so that one that is needed in the other several times is
    converted once.
    """

    def __init__(self, batch: int, block: int):
        self.batch, self.block = batch, block
        #: Whether anything was put on the accelerator.
        self.packed_any = False
        self._converted: dict[tuple[int, bool], Value] = {}
        # Keeps what the keys above are the identities of.
        self._kept: list[relay.Expr] = []
        self._rules: dict[str, Callable[[relay.Call, list[Value]], Value | None]] = {
            "nn.conv2d": self._conv2d,
            "nn.conv2d_transpose": self._conv2d_transpose,
            "nn.bias_add": self._bias_add,
            "nn.pad": self._pad,
            "nn.upsampling": self._upsampling,
            **dict.fromkeys(_POOLS, self._pool),
            **dict.fromkeys(_ELEMENTWISE, self._unary),
            **dict.fromkeys(_BINARY, self._binary),
        }

    @property
    def layout(self) -> str:
        """The layout of data."""
        return f"NCHW{self.batch}n{self.block}c"

    def value_of(self, expr: relay.Expr, values: dict[relay.Var, Value]) -> Value:
        """The value of an operand of a binding."""
        return values[expr] if isinstance(expr, relay.Var) else Value(expr, expr.checked_type)

    def rewrite(self, bound: relay.Expr, values: dict[relay.Var, Value], inside: bool) -> Value:
        """A binding with its operands rewritten, packed if it is `inside` and can be."""
        kind = bound.checked_type
        if isinstance(bound, relay.Call):
            args = [self.value_of(arg, values) for arg in bound.args]
            rule = self._rules.get(bound.op.name) if isinstance(bound.op, tvm.ir.Op) else None
            found = rule(bound, args) if inside and rule is not None else None
            if found is not None:
                return found
            op = (
                bound.op
                if isinstance(bound.op, tvm.ir.Op)
                else self.unpacked(self.value_of(bound.op, values))
            )
            plain = [self.unpacked(arg) for arg in args]
            return Value(relay.Call(op, plain, bound.attrs, bound.type_args, bound.span), kind)
        if isinstance(bound, relay.Tuple):
            fields = [self.unpacked(self.value_of(field, values)) for field in bound.fields]
            return Value(relay.Tuple(fields), kind)
        if isinstance(bound, relay.TupleGetItem):
            whole = self.unpacked(self.value_of(bound.tuple_value, values))
            return Value(relay.TupleGetItem(whole, bound.index), kind)
        if isinstance(bound, relay.Constant | relay.Function):
            return Value(bound, kind)
        if isinstance(bound, relay.Var):
            return values[bound]
        raise ValueError(f"a network with {type(bound).__name__} cannot be packed")

    def entered(self, value: Value) -> Value:
        """The first packed value."""
        if not value.is_image:
            raise ValueError(f"packing must begin at a tensor NCHW, not {value.kind}")
        return self._convert(value, True)

    def unpacked(self, value: Value) -> relay.Expr:
        """The expression in its old layout."""
        return self._convert(value, False).expr

    def _convert(self, value: Value, packed: bool) -> Value:
        if value.packed == packed:
            return value
        key = (hash(value.expr.handle.value), packed)
        if key not in self._converted:
            shape = pack_ops.shape_of(value.kind)
            if packed:
                expr = pack_ops.pack_data(value.expr, shape, self.batch, self.block)
            else:
                expr = pack_ops.unpack_data(value.expr, shape, self.block)
            self._converted[key] = Value(expr, value.kind, packed)
            self._kept.append(value.expr)
        return self._converted[key]

    def _conv2d(self, call: relay.Call, args: list[Value]) -> Value | None:
        data, kernel = args
        attrs = call.attrs
        fits = (
            _is_quantised(call, data, kernel)
            and attrs.data_layout == "NCHW"
            and attrs.kernel_layout == "OIHW"
            and tuple(int(step) for step in attrs.dilation) == (1, 1)
        )
        groups = int(attrs.groups)
        channels, kernels = int(data.kind.shape[1]), int(kernel.kind.shape[0])
        if groups > 1:
            # Each group must be whole blocks, of its input and of its output.
            fits = fits and (channels // groups) % self.block == 0 and (kernels // groups) % self.block == 0
        if not fits:
            return None
        packed, whole = pack_ops.pack_kernel(
            self.unpacked(kernel), pack_ops.shape_of(kernel.kind), self.block
        )
        self.packed_any = True
        expr = relay.nn.conv2d(
            self._convert(data, True).expr,
            packed,
            strides=attrs.strides,
            padding=attrs.padding,
            dilation=attrs.dilation,
            groups=groups,
            channels=whole[0],
            kernel_size=attrs.kernel_size or whole[2:],
            data_layout=self.layout,
            kernel_layout=f"OIHW{self.block}o{self.block}i",
            out_dtype=attrs.out_dtype,
        )
        return Value(expr, call.checked_type, True)

    def _conv2d_transpose(self, call: relay.Call, args: list[Value]) -> Value | None:
        data, kernel = args
        attrs = call.attrs
        fits = (
            _is_quantised(call, data, kernel)
            and attrs.data_layout == "NCHW"
            and attrs.kernel_layout == "IOHW"
            and tuple(int(step) for step in attrs.dilation) == (1, 1)
            and int(attrs.groups) == 1
        )
        if not fits:
            return None
        packed, whole = pack_ops.pack_transposed_kernel(
            self.unpacked(kernel), pack_ops.shape_of(kernel.kind), self.block
        )
        self.packed_any = True
        expr = relay.nn.conv2d_transpose(
            self._convert(data, True).expr,
            packed,
            strides=attrs.strides,
            padding=attrs.padding,
            dilation=attrs.dilation,
            groups=1,
            channels=whole[1],
            kernel_size=attrs.kernel_size or whole[2:],
            data_layout=self.layout,
            kernel_layout=f"IOHW{self.block}i{self.block}o",
            output_padding=attrs.output_padding,
            out_dtype=attrs.out_dtype,
        )
        return Value(expr, call.checked_type, True)

    def _unary(self, call: relay.Call, args: list[Value]) -> Value | None:
        if len(args) == 2:
            return self._binary(call, args)
        (data,) = args
        if not data.packed:
            return None
        expr = relay.Call(call.op, [data.expr], call.attrs)
        if call.op.name == "cast" and data.kind.dtype == "int32":
            # Ends the accelerator's kernel: see the pattern of `copy` in op.py.
            expr = relay.copy(expr)
        return Value(expr, call.checked_type, True)

    def _binary(self, call: relay.Call, args: list[Value]) -> Value | None:
        if not any(arg.packed for arg in args):
            return None
        result = pack_ops.shape_of(call.checked_type)
        operands = [self._operand(arg, result) for arg in args]
        if any(operand is None for operand in operands):
            return None
        return Value(relay.Call(call.op, operands, call.attrs), call.checked_type, True)

    def _operand(self, value: Value, result: pack_ops.Shape) -> relay.Expr | None:
        """An operand beside a packed one: itself packed, one value a channel, or a single value."""
        shape = pack_ops.shape_of(value.kind)
        if value.packed or shape == result:
            return self._convert(value, True).expr
        if all(extent == 1 for extent in shape):
            return relay.reshape(value.expr, ()) if shape else value.expr
        if len(shape) == 4 and shape[0] == 1:
            shape, value = shape[1:], Value(relay.squeeze(value.expr, axis=[0]), value.kind)
        if len(shape) == 3 and shape[0] == result[1]:
            return pack_ops.pack_channels(value.expr, shape, self.batch, self.block)
        return None

    def _bias_add(self, call: relay.Call, args: list[Value]) -> Value | None:
        data, bias = args
        if not data.packed or int(call.attrs.axis) not in (1, -3):
            return None
        (channels,) = pack_ops.shape_of(bias.kind)
        column = relay.reshape(self.unpacked(bias), (channels, 1, 1))
        packed = pack_ops.pack_channels(column, (channels, 1, 1), self.batch, self.block)
        return Value(relay.add(data.expr, packed), call.checked_type, True)

    def _pad(self, call: relay.Call, args: list[Value]) -> Value | None:
        widths = [[int(width) for width in pair] for pair in call.attrs.pad_width]
        if not args[0].packed or any(map(any, widths[:2])):
            return None
        expr = relay.nn.pad(
            args[0].expr,
            pad_width=[*widths, [0, 0], [0, 0]],
            pad_value=args[1].expr if len(args) > 1 else 0,
            pad_mode=call.attrs.pad_mode,
        )
        return Value(expr, call.checked_type, True)

    def _upsampling(self, call: relay.Call, args: list[Value]) -> Value | None:
        (data,) = args
        attrs = call.attrs
        if not data.packed or attrs.layout != "NCHW":
            return None
        expr = relay.nn.upsampling(
            data.expr, attrs.scale_h, attrs.scale_w, self.layout, attrs.method, attrs.align_corners
        )
        return Value(expr, call.checked_type, True)

    def _pool(self, call: relay.Call, args: list[Value]) -> Value | None:
        (data,) = args
        attrs = call.attrs
        if not data.packed or attrs.layout != "NCHW":
            return None
        make = relay.nn.max_pool2d if call.op.name == "nn.max_pool2d" else relay.nn.avg_pool2d
        extra = {} if make is relay.nn.max_pool2d else {"count_include_pad": attrs.count_include_pad}
        expr = make(
            data.expr,
            pool_size=attrs.pool_size,
            strides=attrs.strides,
            dilation=attrs.dilation,
            padding=attrs.padding,
            layout=self.layout,
            ceil_mode=attrs.ceil_mode,
            **extra,
        )
        return Value(expr, call.checked_type, True)


def _is_quantised(call: relay.Call, data: Value, kernel: Value) -> bool:
    return (data.kind.dtype, kernel.kind.dtype, call.checked_type.dtype) == ("int8", "int8", "int32")
