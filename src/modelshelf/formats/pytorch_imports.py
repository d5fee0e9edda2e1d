"""The imports that PyTorch's own files need: all others are somebody's code.

An allow-list, the one of `torch.load(weights_only=True)`: what is not on it is unsafe, known or
not, because lists of forbidden names always miss some.
"""

from __future__ import annotations

from modelshelf.formats.placeholders import Global
from modelshelf.formats.stored import DTYPE_BYTES, STORAGES

_REBUILDERS = (
    "_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3", "_rebuild_parameter",
    "_rebuild_parameter_with_state", "_rebuild_qtensor", "_rebuild_sparse_tensor",
    "_rebuild_meta_tensor_no_storage", "_rebuild_nested_tensor",
)  # fmt: skip

_STORAGES = tuple(name for name in STORAGES if name != "UntypedStorage")

_TORCH = (
    "Size", "Tensor", "device", "quint8", "qint8", "qint32", "quint4x2", "quint2x4", "half",
    "float", "double", "int", "long", "short", "complex32", "per_tensor_affine",
    "per_tensor_symmetric", "per_channel_affine", "per_channel_symmetric",
    "per_channel_affine_float_qparams", "strided", "sparse_coo", "contiguous_format",
    "channels_last", *DTYPE_BYTES, *_STORAGES,
)  # fmt: skip

ALLOWED = frozenset(
    {
        Global("collections", "OrderedDict"),
        Global("collections", "Counter"),
        Global("torch.nn.parameter", "Parameter"),
        Global("torch._tensor", "_rebuild_from_type_v2"),
        Global("torch.serialization", "_get_layout"),
        Global("torch.storage", "UntypedStorage"),
        Global("torch.storage", "TypedStorage"),
        Global("_codecs", "encode"),
        # Python 2's pickles and protocol 2 call builtins by their old name.
        *(
            Global(module, name)
            for module in ("builtins", "__builtin__")
            for name in ("bytearray", "set", "frozenset", "complex", "dict", "list", "tuple")
        ),
        *(Global("torch._utils", name) for name in _REBUILDERS),
        *(Global("torch", name) for name in _TORCH),
        *(Global("torch.cuda", name) for name in _STORAGES),
    }
)
"""No name here runs code of the publisher's choice, whatever it is called with."""


def harmful(imports: tuple[Global, ...]) -> tuple[Global, ...]:
    """Those that are not on the list."""
    return tuple(name for name in imports if name not in ALLOWED)
