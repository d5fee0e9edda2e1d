"""The tensors that a PyTorch pickle describes: names, dtypes, shapes and where their bytes lie."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import msgspec

from modelshelf.errors import FormatError
from modelshelf.formats.facts import TensorInfo
from modelshelf.formats.placeholders import DICT, Global, Node, Persistent
from modelshelf.formats.spans import Span, disjoint
from modelshelf.package.signature import element_count

DEPTH = 100
"""How deep a model may be nested."""
NAME_CHARACTERS = 4096
RANK = 64

# storage class: (dtype as in a record, bytes of one value)
STORAGES = {
    "FloatStorage": ("float32", 4), "DoubleStorage": ("float64", 8), "HalfStorage": ("float16", 2),
    "BFloat16Storage": ("bfloat16", 2), "LongStorage": ("int64", 8), "IntStorage": ("int32", 4),
    "ShortStorage": ("int16", 2), "CharStorage": ("int8", 1), "ByteStorage": ("uint8", 1),
    "BoolStorage": ("bool", 1), "ComplexFloatStorage": ("complex64", 8),
    "ComplexDoubleStorage": ("complex128", 16), "QUInt8Storage": ("uint8", 1),
    "QInt8Storage": ("int8", 1), "QInt32Storage": ("int32", 4), "QUInt4x2Storage": ("uint4", 1),
    "QUInt2x4Storage": ("uint2", 1), "UntypedStorage": ("uint8", 1),
}  # fmt: skip

# Values of these dtypes have no storage class of their own and lie in an untyped one.
DTYPE_BYTES = {
    "uint16": 2, "uint32": 4, "uint64": 8, "float8_e4m3fn": 1, "float8_e4m3fnuz": 1,
    "float8_e5m2": 1, "float8_e5m2fnuz": 1, "float8_e8m0fnu": 1, "float4_e2m1fn_x2": 1,
    "float32": 4, "float64": 8, "float16": 2, "bfloat16": 2, "int64": 8, "int32": 4, "int16": 2,
    "int8": 1, "uint8": 1, "bool": 1, "complex64": 8, "complex128": 16, "complex32": 4,
}  # fmt: skip

_STRIDED = {"_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3", "_rebuild_qtensor"}
_PARAMETERS = {"_rebuild_parameter", "_rebuild_parameter_with_state"}
# A module keeps its parts in these; the names that users know leave them out.
_TRANSPARENT = {"_parameters", "_buffers", "_modules"}


@dataclass(frozen=True)
class Storage:
    """A block of bytes outside the pickle: `count` values of `value_bytes` each."""

    key: str
    dtype: str
    value_bytes: int
    count: int

    @property
    def size_bytes(self) -> int:
        """How many bytes it has."""
        return self.count * self.value_bytes


@dataclass(frozen=True)
class Stored:
    """A tensor and the part of a storage that it shows; `view` is the same for tied tensors.

    `part` is that part from its first to its last value: its first byte and its bytes.
    """

    info: TensorInfo
    storage: Storage | None
    view: tuple[object, ...]
    part: tuple[int, int] = (0, 0)


def tensors_in(root: object) -> list[Stored]:
    """Every tensor below `root`, named by the way to it (`encoder.0.weight`), in file order.

    A container that occurs twice is walked once, so no pickle makes this longer than itself.
    """
    found: list[Stored] = []
    seen: set[int] = set()
    pending: list[tuple[str, object, int]] = [("", root, 0)]
    while pending:
        name, value, depth = pending.pop()
        tensor = _tensor(name or "tensor", value)
        if tensor is not None:
            found.append(tensor)
        elif isinstance(value, (Node, list, tuple)) and id(value) not in seen:
            seen.add(id(value))
            if depth >= DEPTH:
                raise FormatError(f"the pickle is nested deeper than {DEPTH} levels")
            below = [(_joined(name, key), part, depth + 1) for key, part in _children(value)]
            pending.extend(reversed(below))
    return found


def renamed(stored: list[Stored], prefix: str) -> list[Stored]:
    """The same tensors, each name below `prefix`; a lone one takes it as its name."""
    if not prefix:
        return stored
    names = (each.info.name for each in stored)
    below = (prefix if name == "tensor" else f"{prefix}.{name}" for name in names)
    return [
        replace(each, info=msgspec.structs.replace(each.info, name=name))
        for each, name in zip(stored, below, strict=True)
    ]


def storage_of(value: object) -> Storage | None:
    """The storage that a persistent id describes; None for other persistent objects."""
    if not (isinstance(value, Persistent) and isinstance(value.key, tuple)):
        return None
    match value.key:
        case ("storage" | b"storage", Global() as kind, str() as key, _, int() as count, *_):
            if kind.name not in STORAGES or count < 0:
                raise FormatError("a storage is of an unknown kind", got=f"{kind}, {count} values")
            return Storage(key, *STORAGES[kind.name], count)
    return None


def storages_in(tensors: list[Stored]) -> dict[str, Storage]:
    """The storages that tensors show, by key; raises where two disagree about one."""
    found: dict[str, Storage] = {}
    for tensor in tensors:
        if tensor.storage is None:
            continue
        known = found.setdefault(tensor.storage.key, tensor.storage)
        if known.size_bytes != tensor.storage.size_bytes:
            raise FormatError("two tensors disagree about the size of their storage")
    return found


def spans_in(tensors: list[Stored], places: dict[str, tuple[int, int]]) -> Iterator[Span]:
    """The spans of a file whose storages lie at `places`: every byte of them in one.

    Bytes that no tensor shows have no name, and the dtype of their storage.
    """
    shown: dict[str, list[Span]] = {key: [] for key in places}
    dtypes: dict[str, str] = {}
    for tensor in tensors:
        if tensor.storage is not None and tensor.storage.key in places:
            key, info = tensor.storage.key, tensor.info
            start = places[key][0] + tensor.part[0]
            shown[key].append(Span(start, start + tensor.part[1], info.dtype, info.name))
            dtypes.setdefault(key, tensor.storage.dtype)
    for key, spans in shown.items():
        if len(spans) == 1 and spans[0][:2] == places[key]:  # as nearly all are
            yield spans[0]
        else:
            yield from _tiled(*places[key], dtypes.get(key, "uint8"), disjoint(spans))


def _tiled(start: int, stop: int, dtype: str, spans: tuple[Span, ...]) -> Iterator[Span]:
    """The spans and what is left between, before and behind them."""
    at = start
    for span in spans:
        yield Span(at, span.start, dtype, "")
        yield span
        at = span.stop
    yield Span(at, stop, dtype, "")


def _joined(name: str, key: str) -> str:
    whole = f"{name}.{key}" if name and key else name or key
    if len(whole) > NAME_CHARACTERS:
        raise FormatError("a tensor's name is too long", got=whole[:80])
    return whole


def _children(value: Node | list[object] | tuple[object, ...]) -> Iterator[tuple[str, object]]:
    if not isinstance(value, Node):
        yield from ((str(place), part) for place, part in enumerate(value))
        return
    # An OrderedDict written by Python 2 gets its pairs as one list of lists.
    old_pairs = value.arguments[:1] if value.origin == Global("collections", "OrderedDict") else ()
    yield from _pairs(_listed_pairs(old_pairs))
    if not old_pairs:
        yield from (("", part) for part in value.arguments)
    yield from ((str(place), part) for place, part in enumerate(value.items))
    yield from _pairs(value.pairs)
    for state in value.states:
        if isinstance(state, Node) and state.origin == DICT:
            yield from _pairs(state.pairs)
        else:
            yield "", state


def _listed_pairs(arguments: tuple[object, ...]) -> list[tuple[object, object]]:
    rows = arguments[0] if arguments and isinstance(arguments[0], list) else []
    return [(row[0], row[1]) for row in rows if isinstance(row, (list, tuple)) and len(row) == 2]


def _pairs(pairs: list[tuple[object, object]]) -> Iterator[tuple[str, object]]:
    for key, part in pairs:
        text = str(key) if isinstance(key, (str, int)) else "?"
        yield "" if text in _TRANSPARENT else text, part


def _tensor(name: str, value: object) -> Stored | None:
    """What a call of one of PyTorch's rebuilding functions describes; None for anything else."""
    for _ in range(4):  # a parameter of a subclass of a tensor
        origin = value.origin if isinstance(value, Node) else None
        if not (isinstance(value, Node) and isinstance(origin, Global)):
            return None
        function, arguments = origin.name, value.arguments
        if origin.module == "torch._utils" and function in _PARAMETERS and arguments:
            value = arguments[0]
        elif function == "_rebuild_from_type_v2" and len(arguments) >= 3:
            inner = arguments[2]
            value = Node(arguments[0], inner if isinstance(inner, tuple) else ())
        elif origin.module != "torch._utils":
            return None
        elif function in _STRIDED:
            return _strided(name, function, arguments)
        elif function == "_rebuild_meta_tensor_no_storage" and len(arguments) >= 2:
            dtype, shape = _dtype(arguments[0]), _sizes(arguments[1])
            return Stored(TensorInfo(name, dtype, shape), None, ("meta", name))
        else:
            return None
    return None


def _strided(name: str, function: str, arguments: tuple[object, ...]) -> Stored:
    if len(arguments) < 4:
        raise FormatError(f"tensor {name[:80]!r} is described with too few words")
    storage = storage_of(arguments[0])
    offset, shape, stride = arguments[1], _sizes(arguments[2]), _sizes(arguments[3])
    if storage is None or not isinstance(offset, int) or offset < 0 or len(shape) != len(stride):
        raise FormatError(f"tensor {name[:80]!r} has no storage, or an impossible place in it")
    dtype, count, value_bytes = storage.dtype, storage.count, storage.value_bytes
    if function == "_rebuild_tensor_v3" and len(arguments) >= 7:
        dtype = _dtype(arguments[6])
        value_bytes = DTYPE_BYTES.get(dtype, 1)
        count = storage.size_bytes // value_bytes
    reach = _reach(shape, stride) if element_count(shape) else 0
    if reach and offset + reach > count:
        raise FormatError(
            f"tensor {name[:80]!r} reaches beyond its storage",
            expected=f"at most {count} values",
            got=str(shape)[:80],
        )
    view = (storage.key, offset, shape, stride)
    part = (offset * value_bytes, reach * value_bytes) if reach else (0, 0)
    return Stored(TensorInfo(name, dtype, shape), storage, view, part)


def _reach(shape: tuple[int, ...], stride: tuple[int, ...]) -> int:
    """How many values from the tensor's first to its last, both counted."""
    return 1 + sum((size - 1) * step for size, step in zip(shape, stride, strict=True))


def _sizes(value: object) -> tuple[int, ...]:
    """A shape: a tuple of sizes, or `torch.Size` of one."""
    if isinstance(value, Node) and len(value.arguments) == 1:
        value = value.arguments[0]
    if not isinstance(value, (tuple, list)) or len(value) > RANK:
        raise FormatError("a tensor's shape is not a tuple")
    sizes = tuple(size for size in value if type(size) is int and 0 <= size < 1 << 62)
    if len(sizes) != len(value):
        raise FormatError("a tensor's shape has an impossible size")
    return sizes


def _dtype(value: object) -> str:
    if not (isinstance(value, Global) and value.module == "torch" and value.name in DTYPE_BYTES):
        raise FormatError("a tensor has an unknown dtype", got=str(value)[:80])
    return value.name
